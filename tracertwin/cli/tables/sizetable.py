"""What a sweep came to, as tables: a row for each design, the cheap end of the trade, what the answer depends on."""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from plant.report.output import HEAD_BOX, fits
from tracertwin.console import print_compactly, wide_console
from tracertwin.sizing.choosing.inquiry import Answer
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.sensitivity import Changed
from tracertwin.sizing.choosing.targets import limit_of, met, targets_text
from tracertwin.sizing.figures.metrics import METRIC
from tracertwin.sizing.figures.printing import formatted_value

SHOWN: Final = ("lolp", "lpsp", "outages", "longest_outage_h", "no_outage", "first_cost", "lcc", "lcoe")
# left out one by one where room is short
SPARE: Final = ("longest_outage_h", "first_cost", "lpsp", "lcoe", "outages")
HEADINGS: Final = {
    "outages": "outages\n",
    "longest_outage_h": "longest\noutage",
    "no_outage": "years without\noutage",
    "first_cost": "to build",
    "lcc": "life-cycle cost",
    "lcoe": "cost of\na kWh",
}
AT_STAKE: Final = ("lolp", "no_outage", "lcc")


def print_designs(answers: Sequence[Answer]) -> None:
    """A row for each design that was run, with the name of its site where there are several."""
    console = wide_console()
    shown = list(SHOWN)
    table = _table(answers, shown)
    for spare in SPARE:
        if fits(console, table):
            break
        shown.remove(spare)
        table = _table(answers, shown)
    first = answers[0].inquiry
    if fits(console, table):
        console.print(table)
    else:
        for answer in answers:
            for one in answer.designs:
                told = (f"{METRIC[metric].label} {_value(one, metric, answer)}" for metric in shown)
                print_compactly(
                    console, [*_names(answers, answer, one), _marks(answer, one)], [", ".join(told)]
                )
    console.print(
        f"\n* {targets_text(first.targets)}   + no other is both cheaper and loses less", soft_wrap=True
    )


def _table(answers: Sequence[Answer], shown: Sequence[str]) -> Table:
    table = Table(box=HEAD_BOX, pad_edge=False, padding=(0, 1), show_edge=False)
    if len(answers) > 1:
        table.add_column("site", no_wrap=True)
    for axis in answers[0].inquiry.axes:
        table.add_column(axis.heading, justify="right", no_wrap=True)
    currencies = {answer.own.costs.currency for answer in answers}
    currency = currencies.pop() if len(currencies) == 1 else ""  # else each cell has its own
    for metric in shown:
        unit = METRIC[metric].unit
        heading = HEADINGS.get(metric, METRIC[metric].label)
        table.add_column(
            f"{heading}\n{currency}" if unit == "money" and currency else heading,
            justify="right",
            no_wrap=True,
        )
    table.add_column("", no_wrap=True)
    for answer in answers:
        for one in answer.designs:
            cells = (
                _value(one, metric, answer).removesuffix(f" {currency}" if currency else "")
                for metric in shown
            )
            table.add_row(*_names(answers, answer, one), *cells, _marks(answer, one))
    return table


def _names(answers: Sequence[Answer], answer: Answer, one: Judged) -> list[str]:
    """Its site, where there are several, and its values."""
    axes = answer.inquiry.axes
    values = [axis.formatted(value) for axis, value in zip(axes, one.design.values, strict=False)]
    return [answer.inquiry.name, *values] if len(answers) > 1 else values


def _value(one: Judged, metric: str, answer: Answer) -> str:
    limit = limit_of(answer.inquiry.targets, metric)
    return formatted_value(one.metrics[metric], METRIC[metric].unit, one.costs.currency, limit)


def _marks(answer: Answer, one: Judged) -> str:
    return _star(one, answer) + "+" * (len(answer.designs) > 1 and any(one is best for best in answer.front))


def _star(one: Judged, answer: Answer) -> str:
    return "*" * met(answer.inquiry.targets, one.metrics)


def print_sensitivities(answer: Answer, rows: Sequence[Changed]) -> None:
    """What a tenth less and more of each does to loss and cost, below the design itself."""
    console = wide_console()
    table = Table(box=HEAD_BOX, pad_edge=False, padding=(0, 1), show_edge=False)
    table.add_column("\na tenth of", no_wrap=True)
    for metric in AT_STAKE:
        table.add_column(HEADINGS.get(metric, METRIC[metric].label), justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    told = [("the design", answer.nearest), *((row.told, row.judged) for row in rows)]
    for what, one in told:
        table.add_row(what, *(_value(one, metric, answer) for metric in AT_STAKE), _star(one, answer))
    console.print()
    if fits(console, table):
        console.print(table)
        return
    for what, one in told:
        values = ", ".join(f"{METRIC[metric].label} {_value(one, metric, answer)}" for metric in AT_STAKE)
        print_compactly(console, [what, _star(one, answer)], [values])
