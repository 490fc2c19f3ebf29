"""A suite's results as a laboratory's sheet: topic, set value, found value, limit, margin; and what a run can't show.

Any suite of scenarios has one; EN 50530, not a scenario but a bench of its own, has its results in the same form.
"""

from collections.abc import Sequence
from typing import Final

from rich.table import Table

from plant.report.output import plain_table
from tracertwin.checking.outcome import CaseOutcome, VerdictRow
from tracertwin.checking.table import UNFINISHED
from tracertwin.console import print_compactly, wide_console

EN_50530: Final = "en50530"
NARROW: Final = 72  # columns; below, each result takes two lines
RED: Final = "red"
# What data sheets claim: tracking of 99.5 % (XTRA, TRIRON N); the dynamic rows are ours, as no maker publishes any.
CLAIMS: Final = {"static": "XTRA and TRIRON N data sheets", "A": "ours", "B": "ours", "shaded": "ours"}
NAMES: Final = {
    "static": "static tracking, the worst of both weightings at three voltages",
    "A": "ramps 100 to 500 W/m2, mean of the rows",
    "B": "ramps 300 to 1000 W/m2, mean of the rows",
    "shaded": "partial shade, after a sweep",
}


def print_sheet(suite: str, subject: str, outcomes: Sequence[CaseOutcome]) -> None:
    """The whole sheet.

    Parameters
    ----------
    suite : str
    subject : str
        What is under test, in words.
    outcomes : sequence of CaseOutcome
    """
    console = wide_console()
    console.print(f"\n{suite}: {subject}", soft_wrap=True)
    for outcome in outcomes:
        mark = "ok" if outcome.holds else "ERROR" if outcome.problems else "FAIL"
        console.print(f"\n{mark:4} {outcome.name}", style=None if outcome.holds else RED)
        if outcome.problems:
            for problem in outcome.problems:
                console.print(f"     {UNFINISHED}: {problem}", soft_wrap=True)
        elif console.width < NARROW:
            for row in outcome.verdicts:
                print_compactly(console, [_mark(row), row.expected], [_in_a_line(row)])
        else:
            console.print(_table(outcome.verdicts))
        if outcome.cannot_show:
            print_compactly(console, ["     not shown:"], [outcome.cannot_show])
        if outcome.folder:
            console.print(f"     see {outcome.folder}", soft_wrap=True)


def _table(rows: Sequence[VerdictRow]) -> Table:
    table = plain_table()
    for head in ("", "what", "set", "limit", "found", "margin"):
        table.add_column(head, no_wrap=head in ("", "margin"), overflow="fold")
    for row in rows:
        what = f"{row.expected} ({row.note})" if row.note else row.expected
        cells = (_mark(row), what, row.set_value, row.limit, row.found_value or _when(row), row.margin_words)
        table.add_row(*cells, style=RED if row.fails else None)
    return table


def _mark(row: VerdictRow) -> str:
    return "info" if row.information else row.mark


def _when(row: VerdictRow) -> str:
    return " ".join(part for part in (row.found, row.when) if part)


def _in_a_line(row: VerdictRow) -> str:
    found = row.found_value or _when(row)
    parts = [f"found {found}"] if found else []
    if row.set_value:
        parts.append(
            f"limit {row.limit} {row.set_value}" if "+-" not in row.limit else f"set {row.set_value}"
        )
    if row.margin_words:
        parts.append(f"margin {row.margin_words}")
    return ", ".join([*parts, row.note] if row.note else parts)


def en50530_outcome(controller: str) -> CaseOutcome:
    """The sequences of EN 50530 with a controller's tracker, judged as the suites are.

    Raises
    ------
    ProblemsError
        There is no such controller.
    """
    from plant.controller.en50530 import CEC, EUROPEAN, bench
    from plant.controller.model import ControllerModel
    from plant.report.en50530 import LEAST, measure

    results = measure(bench(ControllerModel.load(controller)), "c-si")
    rows = [
        _efficiency(NAMES[name], value, LEAST[name], CLAIMS[name])
        for name, value in results.verdict().items()
    ]
    for weighting, weights in (("European", EUROPEAN), ("CEC", CEC)):
        for v in results.voltages_v:
            told = f"static tracking, {weighting}, {v:.0f} V"
            rows.append(
                _efficiency(told, results.weighted(v, weights), LEAST["static"], CLAIMS["static"], True)
            )
    what = "Tracking under constant, ramping and partly shaded irradiance; rows as printed by CIEMAT."
    source = "99.5 % static: data sheets; 98 % dynamic: ours (docs/physics/tracker.md)."
    cannot = "Starting at dawn (sequence C) is measured by tracertwin en50530, not judged. The noise of real sensors."
    return CaseOutcome(EN_50530, "EN 50530", (what, source), 0, tuple(rows), "", cannot)


def _efficiency(what: str, found: float, least: float, source: str, information: bool = False) -> VerdictRow:
    """A row of percentages."""
    margin = 100.0 * (found - least)
    holds = found >= least
    words = f"{'+' if holds else '-'}{abs(margin):.3g} %"
    return VerdictRow(
        expected=what, kind=EN_50530, line=0, holds=holds, information=information, margin=margin, unit="%",
        margin_words=words, when="", found="", at="", words=f"{'passed' if holds else 'failed'} by {words[1:]}",
        note=source, set_value=f"{100.0 * least:.4g} %", found_value=f"{100.0 * found:.4g} %", limit=">=",
    )  # fmt: skip
