"""What came of a scenario with one seed, as plain words and numbers: for tables, files and other processes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracertwin.checking.running import (
        Ran,  # it knows the plant; what is wrong with a file is told without
    )


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in words.

    Attributes
    ----------
    expected : str
    holds, information : bool
        Whether it holds; whether it is told only.
    margin : float
        In `unit`; see `tracertwin.scenario.finding.Finding`.
    margin_words, when, found, words : str
        The margin, its time by the site's clock, what happened, and all of that as a sentence.
    at : str
        The time again, UTC; empty for none.
    """

    expected: str
    kind: str
    line: int
    holds: bool
    information: bool
    margin: float
    unit: str
    margin_words: str
    when: str
    found: str
    at: str
    words: str
    note: str

    @property
    def fails(self) -> bool:
        """Whether it decides, and doesn't hold."""
        return not self.holds and not self.information

    @property
    def mark(self) -> str:
        """A word for the table."""
        return "ok" if self.holds else "note" if self.information else "FAIL"


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """A scenario with one seed."""

    file: str
    name: str
    about: tuple[str, ...]
    seed: int
    verdicts: tuple[VerdictRow, ...]
    folder: str = ""  # of what a failure left
    clock: str = "stepped"

    @property
    def holds(self) -> bool:
        """Whether nothing that decides has failed."""
        return not any(verdict.fails for verdict in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {**asdict(self), "holds": self.holds}


def outcome_of(ran: "Ran", file: str, folder: str = "") -> CaseOutcome:
    """A run in words."""
    span = ran.record.span
    rows = tuple(
        VerdictRow(
            expected=verdict.expectation.text,
            kind=verdict.expectation.kind.name,
            line=verdict.expectation.line,
            holds=verdict.holds,
            information=verdict.expectation.information,
            margin=verdict.finding.margin,
            unit=verdict.finding.unit,
            margin_words=verdict.margin_words,
            when=verdict.when(span),
            found=verdict.finding.found,
            at="" if verdict.finding.at_s is None else _utc(verdict.finding.at_s),
            words=verdict.words(span),
            note=verdict.expectation.note,
        )
        for verdict in ran.verdicts
    )
    return CaseOutcome(file, ran.scenario.name, ran.scenario.about, ran.seed, rows, folder, ran.clock)


def _utc(t_s: float) -> str:
    return datetime.fromtimestamp(t_s, UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class SeedRow:
    """An expectation over several seeds.

    Attributes
    ----------
    held, of : int
        With how many seeds it held, of how many.
    worst : VerdictRow
        That with the least margin.
    worst_seed : int
    """

    expected: str
    held: int
    of: int
    worst: VerdictRow
    worst_seed: int


def over_seeds(outcomes: Sequence[CaseOutcome]) -> list[SeedRow]:
    """The expectations of one scenario over its seeds."""
    rows = []
    for place, first in enumerate(outcomes[0].verdicts):
        verdicts = [(outcome.verdicts[place], outcome.seed) for outcome in outcomes]
        worst, seed = min(verdicts, key=lambda pair: (pair[0].holds, pair[0].margin, pair[1]))
        held = sum(verdict.holds for verdict, _ in verdicts)
        rows.append(SeedRow(first.expected, held, len(verdicts), worst, seed))
    return rows
