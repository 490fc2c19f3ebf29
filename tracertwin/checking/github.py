"""Verdicts for GitHub Actions: an annotation at the line of each expectation that failed, and the step's summary.

Workflow commands and their escapes: GitHub, "Workflow commands for GitHub Actions".
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tracertwin.checking.outcome import CaseOutcome
from tracertwin.checking.table import summary


def is_here(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a step of GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotations(outcomes: Sequence[CaseOutcome]) -> Iterator[str]:
    """A line for each expectation that failed, and for what kept a scenario from its end."""
    for outcome in outcomes:
        for problem in outcome.problems:
            where = f"file={_escaped(outcome.file, True)},line={max(problem.line, 1)}"
            place = f"{where},title={_escaped(outcome.name, True)}"
            told = f"{problem.where}: {problem.message}".removeprefix(": ")
            yield f"::error {place}::{_escaped(f'{told} (seed {outcome.seed})')}"
        for row in outcome.verdicts:
            if row.fails:
                place = f"file={_escaped(outcome.file, True)},line={row.line},title={_escaped(outcome.name, True)}"
                yield f"::error {place}::{_escaped(f'{row.expected}: {row.words} (seed {outcome.seed})')}"


def summarize(outcomes: Sequence[CaseOutcome], environment: Mapping[str, str] = os.environ) -> None:
    """Add to the step's summary, if there is one; a run isn't lost for want of it."""
    if path := environment.get("GITHUB_STEP_SUMMARY"):
        with suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
            file.write(summary(outcomes))


def _escaped(text: str, in_property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if in_property else text
