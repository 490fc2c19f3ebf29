"""Scenario files as tests: what runs one, and how its verdicts read in a report."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from plant.base.problems import ProblemsError
from tracertwin.checking.many import Case, check_case
from tracertwin.checking.outcome import CaseOutcome, VerdictRow

FAILED: Final = "tracertwin-failure"  # folder below the test's own


def run_case(path: Path, folder: Path) -> CaseOutcome:
    """Run a scenario with its own seed; what a failure leaves is written to the folder.

    Raises
    ------
    ProblemsError
        It can't be run.
    """
    return check_case(Case(path, None, folder / FAILED))


def report_of(outcome: CaseOutcome) -> str:
    """Every verdict, a line each, and where the rest is."""
    lines = [f"{outcome.name}, seed {outcome.seed}", *map(_line, outcome.verdicts)]
    if outcome.folder:
        lines += [f"journal: {outcome.folder}/journal.jsonl", f"plot: {outcome.folder}/plot.svg"]
        lines += [f"run again: {command}" for command in _again(outcome)]
    return "\n".join(lines)


def told_problems(error: ProblemsError) -> str:
    """A line for each problem of a file."""
    return "\n".join(map(str, error.problems))


def _line(row: VerdictRow) -> str:
    return f"{row.mark:5}{row.expected}: {row.words}{f' (line {row.line})' if row.fails else ''}"


def _again(outcome: CaseOutcome) -> Iterator[str]:
    yield from (Path(outcome.folder) / "rerun.txt").read_text(encoding="utf-8").split("\n")[:1]
