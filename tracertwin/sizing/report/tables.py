"""Tables of a report as HTML: plain rows, numbers to the right, wide ones in a box that scrolls on a telephone."""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from plant.design.extremes import extremes_of
from plant.design.sheet import inspected
from tracertwin.sizing.choosing.targets import limit_of
from tracertwin.sizing.figures.metrics import METRIC, METRICS, Metrics
from tracertwin.sizing.figures.printing import formatted, formatted_value
from tracertwin.sizing.figures.pvgis import TENTHS
from tracertwin.sizing.figures.pvgismonths import pvgis_numbers
from tracertwin.sizing.report.seasons import SHORT_MONTHS
from tracertwin.sizing.report.study import COST, Study
from tracertwin.sizing.report.tradeoffs import best_of

FRONT_SHOWN: Final = ("outages", "autonomy_d", "first_cost", COST, "lcoe")
CHANGED_SHOWN: Final = (COST, "lcoe")
PVGIS_HEADS: Final = ("", "f_f %", "f_e %", "E_lost Wh", "E_miss Wh", "E_d Wh")
PVGIS_PLACES: Final = (1, 1, 0, 0, 0)


def table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: bool = True, marked: int | None = None
) -> str:
    """A table; all columns but the first are numbers, or none is; one row may be marked."""
    kind = ' class="numbers"' if numbers else ""
    lines = [f'<div class="scrolls"><table{kind}>\n<tr>']
    lines += [f"<th>{escape(head)}</th>" for head in heads]
    lines.append("</tr>\n")
    for place, row in enumerate(rows):
        mark = ' class="chosen"' if place == marked else ""
        lines.append(f"<tr{mark}>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n")
    return "".join([*lines, "</table></div>\n"])


def metrics_table(study: Study) -> str:
    """Every metric of the chosen design with its interval and definition; PVGIS's have a table of their own."""
    rows = (
        (
            metric.label,
            formatted(study.chosen.metrics[metric.name], metric.unit, study.currency),
            metric.meaning.replace("`", ""),
        )
        for metric in METRICS
        if not metric.name.startswith("pvgis_")
    )
    return table(("", "value (95 % interval)", "what it is"), rows, numbers=False)


def front_table(study: Study) -> str:
    """The designs on the front, the cheapest first; of several sites, the design of each."""
    several = len(study.answers) > 1
    designs = [answer.nearest for answer in study.answers] if several else best_of(study)
    names = (*study.at_stake, *FRONT_SHOWN)
    rows = [
        (
            study.name(one),
            *(_value(study, one.metrics, name, one.costs.currency, formatted_value) for name in names),
            "met" if study.meets(one) else "missed",
        )
        for one in designs
    ]
    marked = next((place for place, one in enumerate(designs) if one is study.chosen), None)
    return table(("", *(METRIC[name].label for name in names), "target"), rows, marked=marked)


def _value(study: Study, metrics: Metrics, name: str, currency: str, telling: Callable[..., str]) -> str:
    return telling(metrics[name], METRIC[name].unit, currency, limit_of(study.targets, name))


def sensitivity_table(study: Study) -> str:
    """The chosen design with one input changed."""
    names = (*study.at_stake, *CHANGED_SHOWN)

    def row(what: str, metrics: Metrics) -> tuple[str, ...]:
        return (what, *(_value(study, metrics, name, study.currency, formatted) for name in names))

    rows = [row("as it is", study.chosen.metrics)]
    rows += [row(f"{one.what} {100.0 * one.by:+g} %", one.judged.metrics) for one in study.changed]
    return table(("", *(METRIC[name].label for name in names)), rows, marked=0)


def pvgis_table(study: Study) -> str:
    """PVGIS's numbers by month and for the year, and the days by their last charge."""
    numbers = pvgis_numbers(study.chosen.figures)
    shares = (100.0 * numbers.days_full, 100.0 * numbers.days_empty)
    columns = (*shares, numbers.lost_wh, numbers.missed_wh, numbers.delivered_wh)
    rows = (
        (name, *(_figure(column[k], places) for column, places in zip(columns, PVGIS_PLACES, strict=True)))
        for k, name in enumerate((*SHORT_MONTHS, "year"))
    )
    tenths = (f"{10 * k} to {10 * k + 10}" for k in range(TENTHS))
    days = (f"{_figure(100.0 * share, 1)} %" for share in numbers.tenths[-1])
    return table(PVGIS_HEADS, rows, marked=12) + table(("% of usable charge", *tenths), (("days", *days),))


def _figure(value: float, places: int) -> str:
    return f"{value:,.{places}f}" if np.isfinite(value) else "-"


def design_sheet(study: Study) -> str:
    """Every check of the design before it runs."""
    extremes = extremes_of(study.site)
    rows = (
        (row.finding.level.value, row.check.name, row.finding.found, row.finding.limit, row.finding.fix)
        for row in inspected(study.site, extremes)
    )
    air = f"Air from {extremes.coldest_c:.0f} °C in daylight to {extremes.hottest_c:.0f} °C, by the {extremes.source}."
    return f'<p class="note">{escape(air)}</p>\n' + table(
        ("", "check", "found", "accepted", "remedy"), rows, numbers=False
    )
