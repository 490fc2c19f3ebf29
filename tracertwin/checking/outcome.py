"""What came of a scenario with one seed, as plain words and numbers: for tables, files and other processes."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from plant.base.problems import Problem
from tracertwin.scenario.vocabulary import FLAG, SHARE, Subject

if TYPE_CHECKING:
    # it knows the plant; what is wrong with a file is told without
    from tracertwin.checking.running import Ran
    from tracertwin.scenario.judging import Verdict
    from tracertwin.scenario.record import RunRecord


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """A verdict in words.

    Attributes
    ----------
    expected : str
    holds, information : bool
        Whether it holds; whether it is told only.
    margin : float
        In `unit`; see `tracertwin.scenario.record.Finding`.
    margin_words, when, found, words : str
        The margin, its time by the site's clock, what happened, and all of that as a sentence.
    at : str
        The time again, UTC; empty for none.
    set_value, found_value, limit : str
        What the value is compared with, the value, and how far it may be off, at that time; empty where a verdict is
        about no single value.
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
    set_value: str = ""
    found_value: str = ""
    limit: str = ""

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
    cannot_show: str = ""
    again: str = ""  # the command that runs it again
    problems: tuple[Problem, ...] = ()  # why it could not be run to its end; there are no verdicts then

    @property
    def holds(self) -> bool:
        """Whether it was run to its end, and nothing that decides has failed."""
        return not self.problems and not any(verdict.fails for verdict in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {**asdict(self), "holds": self.holds}


def outcome_of(ran: "Ran", file: str, folder: str = "", again: str = "") -> CaseOutcome:
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
            **_measured(verdict, ran.record),
        )
        for verdict in ran.verdicts
    )
    return CaseOutcome(
        file,
        ran.scenario.name,
        ran.scenario.about,
        ran.seed,
        rows,
        folder,
        ran.clock,
        ran.scenario.cannot_show,
        again,
    )


def _measured(verdict: "Verdict", record: "RunRecord") -> dict[str, str]:
    """The value that a verdict is about, what it is compared with, and the limit."""
    import numpy as np

    from tracertwin.scenario.conditions import Condition
    from tracertwin.scenario.signals import compared_with, signal, values_of

    values, name, at_s = verdict.expectation.values, verdict.expectation.kind.name, verdict.finding.at_s
    condition = next((one for one in values.values() if isinstance(one, Condition)), None)
    if condition is None or at_s is None or name not in ("always", "never", "at", "by", "within"):
        return {}
    seen = signal(condition, record)
    place = max(int(np.searchsorted(record.t_s, at_s, side="right")) - 1, 0)
    if name in ("by", "within"):  # the first sample at which it holds
        place += int(np.argmax(seen.holds[place:]))
    one = condition.relations[int(seen.counts[place])]
    found, limit = float(values_of(one.subject, record)[place]), float(compared_with(one, record)[place])
    operator = f"not {one.operator}" if name == "never" else one.operator
    slack = one.tolerance + one.tolerance_share * abs(limit)
    return {
        "set_value": _valued(limit, one.subject),
        "found_value": _valued(found, one.subject),
        "limit": f"{operator} +- {_valued(slack, one.subject)}" if slack else operator,
    }


def _valued(value: float, subject: Subject) -> str:
    """A value in words: ``14.38 V``, ``boost``."""
    for word, code in subject.codes.items():
        if code == value:
            return word
    unit = "" if subject.unit == FLAG else subject.unit
    return f"{100.0 * value:.4g} %" if unit == SHARE else f"{value:.4g} {unit}".rstrip()


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
    """The expectations of one scenario over the seeds with which it was run to its end.

    What was not done has a row with the seeds with which it was not, and held with the others.
    """
    told = [outcome for outcome in outcomes if not outcome.problems]
    found: dict[tuple[int, str], list[tuple[VerdictRow, int]]] = {}
    for outcome in told:
        for verdict in outcome.verdicts:
            found.setdefault((verdict.line, verdict.expected), []).append((verdict, outcome.seed))
    rows = []
    for (_, expected), verdicts in found.items():
        worst, seed = min(verdicts, key=lambda pair: (pair[0].holds, pair[0].margin, pair[1]))
        failed = {seed for verdict, seed in verdicts if not verdict.holds}
        rows.append(SeedRow(expected, len(told) - len(failed), len(told), worst, seed))
    return rows
