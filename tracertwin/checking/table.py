"""Verdicts as tables to read: of each scenario what was expected, what happened, when, and the margin."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich.table import Table

from plant.report.output import plain_table
from tracertwin.checking.outcome import CaseOutcome, SeedRow, VerdictRow, over_seeds
from tracertwin.console import print_compactly, wide_console

NARROW: Final = 60  # columns; below, a table would leave each expectation a word a line
RED: Final = "red"
UNFINISHED: Final = "could not be run to its end"


def print_case(outcome: CaseOutcome, brief: bool = False) -> None:
    """A scenario with one seed; `brief`: only what doesn't hold."""
    if outcome.problems:
        _print_unfinished(outcome)
        return
    console = wide_console()
    rows = [row for row in outcome.verdicts if not (brief and row.holds)]
    _head(outcome.file, outcome.name, f"seed {outcome.seed}", _clock(outcome), _tally([outcome]))
    if not rows:
        return
    heads = ("", "expected", "what happened", "when", "margin")
    cells = [(row.mark, _expected(row), row.found, row.when, row.margin_words) for row in rows]
    if console.width < NARROW:
        for mark, expected, found, when, margin in cells:
            happened = " at ".join(part for part in (found, when) if part)
            told = ", ".join(part for part in (margin, happened) if part)
            print_compactly(console, [mark, expected], [told] if told else [])
    else:
        table = _table(heads)
        for line, row in zip(cells, rows, strict=True):
            table.add_row(*line, style=RED if row.fails else None)
        console.print(table)
    if outcome.folder:
        console.print(f"  see {outcome.folder}", soft_wrap=True)


def print_seeds(outcomes: Sequence[CaseOutcome]) -> None:
    """A scenario with several seeds: how many hold, and the worst margin of each expectation."""
    console = wide_console()
    first = outcomes[0]
    held = sum(outcome.holds for outcome in outcomes)
    _head(
        first.file, first.name, f"{held} of {len(outcomes)} seeds hold", _unfinished(outcomes), _clock(first)
    )
    cells = [
        (
            _mark(row),
            row.expected,
            f"{row.held} of {row.of}",
            f"seed {row.worst_seed}",
            row.worst.margin_words,
        )
        for row in over_seeds(outcomes)
    ]
    if console.width < NARROW:
        for mark, expected, share, seed, margin in cells:
            print_compactly(console, [mark, expected], [f"{share}, worst {seed} {margin}".rstrip()])
    elif cells:
        table = _table(("", "expected", "holds", "worst", "margin"))
        for row in cells:
            table.add_row(*row, style=RED if row[0] == "FAIL" else None)
        console.print(table)
    for outcome in [outcome for outcome in outcomes if outcome.problems][:3]:
        _print_unfinished(outcome)
    failing = [outcome for outcome in outcomes if not outcome.holds and not outcome.problems]
    for outcome in failing[:3]:
        seen = f"; see {outcome.folder}" if outcome.folder else ""
        console.print(f"  again: {outcome.again}{seen}", soft_wrap=True)


def print_end(outcomes: Sequence[CaseOutcome]) -> None:
    """A line on all."""
    wide_console().print(f"\n{_tally(outcomes)}", soft_wrap=True)


def summary(outcomes: Iterable[CaseOutcome]) -> str:
    """All scenarios as Markdown, for the summary of a step of GitHub Actions."""
    outcomes = list(outcomes)
    lines = [
        f"### tracertwin check: {_tally(outcomes)}",
        "",
        "| scenario | seed | | fails first |",
        "|---|---|---|---|",
    ]
    for outcome in outcomes:
        told = [f"{row.expected}: {row.words}" for row in outcome.verdicts if row.fails]
        told += [f"{problem}".partition("\n")[0] for problem in outcome.problems]
        mark = "ERROR" if outcome.problems else "FAIL" if told else "ok"
        cells = (outcome.name, f"{outcome.seed}", mark, *(told[:1] or [""]))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def in_groups(outcomes: Iterable[CaseOutcome]) -> list[list[CaseOutcome]]:
    """Outcomes of the same file together."""
    return [list(group) for _, group in groupby(outcomes, lambda outcome: outcome.file)]


def _head(file: str, name: str, *rest: str) -> None:
    console = wide_console()
    console.print(f"\n{file}: " + ", ".join(part for part in (name, *rest) if part), soft_wrap=True)


def _print_unfinished(outcome: CaseOutcome) -> None:
    console = wide_console()
    _head(outcome.file, outcome.name, f"seed {outcome.seed}", UNFINISHED)
    for problem in outcome.problems:
        console.print(f"  {problem}", style=RED, soft_wrap=True)


def _unfinished(outcomes: Sequence[CaseOutcome]) -> str:
    count = sum(bool(outcome.problems) for outcome in outcomes)
    return f"{count} {UNFINISHED}" if count else ""


def _clock(outcome: CaseOutcome) -> str:
    return "" if outcome.clock == "stepped" else f"clock {outcome.clock}"


def _tally(outcomes: Sequence[CaseOutcome]) -> str:
    verdicts = [row for outcome in outcomes for row in outcome.verdicts]
    deciding = [row for row in verdicts if not row.information]
    held = sum(row.holds for row in deciding)
    told = f"{held} of {len(deciding)} expectations hold"
    if len(outcomes) > 1:
        told = f"{sum(outcome.holds for outcome in outcomes)} of {len(outcomes)} runs hold, {told}"
    return ", ".join(part for part in (told, _unfinished(outcomes)) if part)


def _expected(row: VerdictRow) -> str:
    return f"{row.expected} ({row.note})" if row.note else row.expected


def _mark(row: SeedRow) -> str:
    return "ok" if row.held == row.of else row.worst.mark


def _table(heads: Sequence[str]) -> Table:
    table = plain_table()
    for head in heads:
        table.add_column(head, no_wrap=head in ("", "when", "margin", "worst"), overflow="fold")
    return table
