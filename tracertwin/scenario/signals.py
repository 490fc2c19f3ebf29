"""Conditions over the samples of a run: at each one whether they hold, and by how much.

The margin of a comparison is how far the value may still go until it no longer holds; below 0, how far it is off: the
robustness of signal temporal logic (Donze and Maler 2010). A state, or a flag, has no distance to another one: its
margin is 1 where the comparison holds and -1 where it doesn't. Of comparisons joined by ``and`` the least counts.
"""

from dataclasses import dataclass

import numpy as np

from tracertwin.scenario.conditions import Condition, Occurrence, Relation
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.times import Moment
from tracertwin.scenario.vocabulary import Subject


@dataclass(frozen=True, slots=True)
class Signal:
    """A condition over all samples of a run."""

    holds: np.ndarray  # (n,) of bool
    margin: np.ndarray  # (n,) each in the unit of the comparison that counts there
    counts: np.ndarray  # (n,) which one that is
    units: tuple[str, ...]  # of each comparison

    def unit_at(self, place: int) -> str:
        """The unit of the margin at a sample."""
        return self.units[int(self.counts[place])]

    def part(self, samples: slice) -> "Signal":
        """Some of it."""
        return Signal(self.holds[samples], self.margin[samples], self.counts[samples], self.units)


def values_of(subject: Subject, record: RunRecord) -> np.ndarray:
    """The values of a subject, (n,)."""
    values = record.columns[subject.key]
    if subject.bits is None:
        return values
    high, low = subject.bits
    return np.asarray((values.astype(np.int64) >> low & (1 << high - low + 1) - 1).astype(float))


def signal(condition: Condition, record: RunRecord) -> Signal:
    """The condition over a run."""
    holds, margins = zip(*(_compared(one, record) for one in condition.relations), strict=True)
    return Signal(
        np.logical_and.reduce(holds),
        np.minimum.reduce(margins),
        np.argmin(margins, axis=0),
        tuple(one.unit for one in condition.relations),
    )


def compared_with(one: Relation, record: RunRecord) -> np.ndarray:
    """What the values of a comparison are compared with, (n,)."""
    if one.other is None:
        return np.full(len(record.t_s), one.number)
    return np.asarray(one.factor * values_of(one.other, record) + one.number)


def _compared(one: Relation, record: RunRecord) -> tuple[np.ndarray, np.ndarray]:
    """Whether it holds, and its margin, (n,) each."""
    left, right = values_of(one.subject, record), compared_with(one, record)
    over = left - right
    if one.operator in ("=", "!="):
        tolerance = one.tolerance + one.tolerance_share * np.abs(right)
        is_same = np.abs(over) <= tolerance
        holds = is_same if one.operator == "=" else ~is_same
        if one.subject.is_state:
            return holds, np.where(holds, 1.0, -1.0)
        margin = tolerance - np.abs(over)
        return holds, margin if one.operator == "=" else -margin
    if one.operator in ("<=", "<"):
        over = -over
    return (over > 0.0 if one.operator in ("<", ">") else over >= 0.0), over


def window(record: RunRecord, begin_s: float, end_s: float) -> slice:
    """The samples at or after a moment and at or before another."""
    first = int(np.searchsorted(record.t_s, begin_s, side="left"))
    return slice(first, int(np.searchsorted(record.t_s, end_s, side="right")))


def moments_of(event: Occurrence | Moment, record: RunRecord) -> np.ndarray:
    """When an event happens [s UTC], ascending: at the first sample that shows it. A run doesn't begin with one."""
    if isinstance(event, Moment):
        return np.array([event.utc_s(record.span)])
    holds = signal(event.condition, record).holds
    holds = holds if event.begins else ~holds
    return np.asarray(record.t_s[1:][holds[1:] & ~holds[:-1]] + event.later_s)
