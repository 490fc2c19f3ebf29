"""Every kind of expectation: a row with its keys, its definition and the function that judges it.

A function takes the values of the keys and a record and gives a `Finding`. Times in margins are seconds. What never
happens counts as happening when the record ends, and the verdict is then that it failed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from tracertwin.scenario import conversation
from tracertwin.scenario.conditions import STATE, Condition
from tracertwin.scenario.finding import Finding, amount, ending
from tracertwin.scenario.keytypes import (
    ADDRESSES,
    CONDITION,
    COUNT,
    DURATION,
    EVENT,
    EVENTS,
    MOMENT,
    NUMBER,
    PERCENT,
    RANGE,
    SUBJECT,
    YES,
    KeyType,
)  # fmt: skip
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.signals import Signal, moments_of, signal, values_of, window

Values = Mapping[str, Any]  # by key


class Kind(NamedTuple):
    """A row.

    Attributes
    ----------
    name : str
        The key by which it is known.
    keys : mapping
        Every key that it may have, its own among them.
    optional : tuple of str
        Those that needn't be there.
    definition : str
        When it holds, and what its margin is.
    act : callable
    """

    name: str
    keys: Mapping[str, KeyType]
    optional: tuple[str, ...]
    definition: str
    act: Callable[[Values, RunRecord], Finding]


@dataclass(frozen=True, slots=True)
class Part:
    """The samples of a window, and a condition over them."""

    t_s: np.ndarray
    over: Signal

    @property
    def holds(self) -> np.ndarray:
        """At each sample."""
        return self.over.holds

    @property
    def margin(self) -> np.ndarray:
        """At each sample."""
        return self.over.margin


def _seen(values: Values, record: RunRecord, condition: Condition) -> Part:
    """A condition in the window that ``from`` and ``to`` give."""
    part = _window(values, record)
    return Part(record.t_s[part], signal(condition, record).part(part))


def _window(values: Values, record: RunRecord) -> slice:
    return window(record, *limits(values, record))


def limits(values: Values, record: RunRecord) -> tuple[float, float]:
    """Where the window begins and ends [s UTC]: the whole record unless told, ``to`` the first such time after."""
    begin_s = float(record.t_s[0])
    end_s = float(record.t_s[-1])
    if "from" in values:
        begin_s = values["from"].utc_s(record.span)
    if "to" in values:
        end_s = ending(values["to"], begin_s, record.span)
    return begin_s, end_s


def _nothing_seen() -> Finding:
    return Finding(False, 0.0, "", None, "no sample lies in the window")


def always(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["always"])
    return _tightest(seen, seen.holds, seen.margin)


def never(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["never"])
    return _tightest(seen, ~seen.holds, -seen.margin)


def _tightest(seen: Part, holds: np.ndarray, margin: np.ndarray) -> Finding:
    if not seen.t_s.size:
        return _nothing_seen()
    at = int(np.argmin(margin))
    broken = int(np.sum(~holds))
    found = f"not so at {broken} of {holds.size} samples, furthest" if broken else ""
    return Finding(bool(np.all(holds)), float(margin[at]), seen.over.unit_at(at), float(seen.t_s[at]), found)


def by(values: Values, record: RunRecord) -> Finding:
    begin_s, last_s = limits(values, record)
    deadline_s = ending(values["by"], begin_s, record.span)
    seen = _seen(values, record, values["expect"])
    if not seen.t_s.size:
        return _nothing_seen()
    if not seen.holds.any():
        at = int(np.argmax(seen.margin))
        unit = seen.over.unit_at(at)
        off = "" if unit == STATE else f"; nearest, {amount(abs(seen.margin[at]), unit)} off,"
        never_so = f"never so{off}"
        return Finding(False, deadline_s - last_s, "s", float(seen.t_s[at]) if off else None, never_so)
    at_s = float(seen.t_s[np.argmax(seen.holds)])
    return Finding(at_s <= deadline_s, deadline_s - at_s, "s", at_s, "first so")


def within(values: Values, record: RunRecord) -> Finding:
    begin_s, end_s = limits(values, record)
    over = signal(values["expect"], record)
    events = moments_of(values["after"], record)
    events = events[(events >= begin_s) & (events <= end_s)]
    if not events.size:
        return Finding(False, 0.0, "s", None, "the event never happened")
    last_s, allowed_s = float(record.t_s[-1]), values["within"]
    worst: Finding | None = None
    for event_s in events.tolist():
        later = record.t_s >= event_s
        hits = record.t_s[later & over.holds]
        if not hits.size and event_s + allowed_s > last_s:
            continue  # the record ends before its time is over
        took_s = float(hits[0]) - event_s if hits.size else last_s - event_s
        one = Finding(
            bool(hits.size) and took_s <= allowed_s, allowed_s - took_s, "s", event_s,
            "slowest after the event" if hits.size else "never so after the event",
        )  # fmt: skip
        if worst is None or (one.holds, one.margin) < (worst.holds, worst.margin):
            worst = one
    return worst or Finding(False, 0.0, "s", None, "the run ends before the time is over")


def until(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["expect"])
    then = _seen(values, record, values["until"])
    if not seen.t_s.size:
        return _nothing_seen()
    least = np.concatenate([[np.inf], np.minimum.accumulate(seen.margin)[:-1]])
    unbroken = np.concatenate([[True], np.logical_and.accumulate(seen.holds)[:-1]])
    robust = np.minimum(then.margin, least)
    at = int(np.argmax(robust))
    unit = (
        then.over.unit_at(at)
        if then.margin[at] <= least[at]
        else seen.over.unit_at(int(np.argmin(seen.margin[:at])))
    )
    return Finding(bool(np.any(then.holds & unbroken)), float(robust[at]), unit, float(seen.t_s[at]), "")


def for_at_least(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["expect"])
    if not seen.t_s.size:
        return _nothing_seen()
    longest_s, longest_at = 0.0, float(seen.t_s[0])
    since: float | None = None
    for t_s, holds in zip(seen.t_s.tolist(), seen.holds.tolist(), strict=True):
        if since is not None and t_s - since > longest_s:
            longest_s, longest_at = t_s - since, since
        since = (t_s if since is None else since) if holds else None
    wanted_s = values["for_at_least"]
    return Finding(
        longest_s >= wanted_s,
        longest_s - wanted_s,
        "s",
        longest_at,
        f"longest {amount(longest_s, 's')}, begun",
    )


def for_share(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["expect"])
    if seen.t_s.size < 2:
        return _nothing_seen()
    lasts = np.diff(seen.t_s)
    share = float(np.sum(lasts[seen.holds[:-1]]) / np.sum(lasts))
    wanted = values["for_share"]
    return Finding(
        share >= wanted, 100.0 * (share - wanted), "%", None, f"so for {100.0 * share:.3g} % of the time"
    )


def at(values: Values, record: RunRecord) -> Finding:
    over = signal(values["expect"], record)
    at_s = values["at"].utc_s(record.span)
    place = int(np.searchsorted(record.t_s, at_s, side="right")) - 1
    if not 0 <= place < record.t_s.size or at_s > record.span.end_utc_s:
        return Finding(False, 0.0, "", None, "the run has no such time")
    return Finding(
        bool(over.holds[place]),
        float(over.margin[place]),
        over.unit_at(place),
        float(record.t_s[place]),
        "",
    )


def stays_within(values: Values, record: RunRecord) -> Finding:
    part = _window(values, record)
    low, high = values["stays_within"]
    t_s, seen = record.t_s[part], values_of(values["of"], record)[part]
    if not t_s.size:
        return _nothing_seen()
    margin = np.minimum(seen - low, high - seen)
    place = int(np.argmin(margin))
    return Finding(
        bool(np.all(margin >= 0.0)), float(margin[place]), values["of"].unit, float(t_s[place]),
        f"{seen[place]:.6g}",
    )  # fmt: skip


def rises_only(values: Values, record: RunRecord) -> Finding:
    return _one_way(values, record, values["rises_only"], 1.0)


def falls_only(values: Values, record: RunRecord) -> Finding:
    return _one_way(values, record, values["falls_only"], -1.0)


def _one_way(values: Values, record: RunRecord, subject: Any, sign: float) -> Finding:
    part = _window(values, record)
    t_s, seen = record.t_s[part], values_of(subject, record)[part]
    if t_s.size < 2:
        return _nothing_seen()
    margin = sign * np.diff(seen) + values.get("tolerance", 0.0)
    place = int(np.argmin(margin))
    return Finding(bool(np.all(margin >= 0.0)), float(margin[place]), subject.unit, float(t_s[place + 1]), "")


def count(values: Values, record: RunRecord) -> Finding:
    begin_s, end_s = limits(values, record)
    events = moments_of(values["count"], record)
    events = events[(events >= begin_s) & (events <= end_s)]
    found = int(events.size)
    margins = []
    if "at_least" in values:
        margins.append(found - values["at_least"])
    if "at_most" in values:
        margins.append(values["at_most"] - found)
    if "exactly" in values:
        margins.append(-abs(found - values["exactly"]))
    last = float(events[-1]) if found else None
    return Finding(
        min(margins) >= 0, float(min(margins)), "times", last, f"{_times(found)}{', last' * bool(found)}"
    )


def _times(number: int) -> str:
    return "never" if not number else "once" if number == 1 else f"{number} times"


def order(values: Values, record: RunRecord) -> Finding:
    begin_s, end_s = limits(values, record)
    since_s, margin, tightest_s = begin_s, np.inf, begin_s
    for event in values["order"]:
        moments = moments_of(event, record)
        moments = moments[(moments >= begin_s) & (moments <= end_s)]
        later = moments[moments >= since_s]
        if not later.size:
            before = moments[moments < since_s]
            gap_s = float(before[-1] - since_s) if before.size else since_s - end_s
            why = (
                "happened before, not after, the one before it"
                if before.size
                else "did not happen after the one"
            )
            return Finding(False, gap_s, "s", float(since_s), f"{event.text}: {why}")
        gap_s = float(later[0]) - since_s
        if event is not values["order"][0] and gap_s < margin:
            margin, tightest_s = gap_s, float(later[0])
        since_s = float(later[0])
    return Finding(True, float(margin), "s", tightest_s, "closest two, the second")


WINDOW: Final[Mapping[str, KeyType]] = {"from": MOMENT, "to": MOMENT}
_FREE: Final = ("from", "to")


def _kind(
    act: Callable[[Values, RunRecord], Finding],
    definition: str,
    keys: Mapping[str, KeyType],
    optional: tuple[str, ...] = (),
    name: str = "",
) -> Kind:
    return Kind(name or act.__name__, {**keys, **WINDOW}, (*optional, *_FREE), definition, act)


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        _kind(always, "The condition holds at every sample. Margin: its least.", {"always": CONDITION}),
        _kind(never, "The condition holds at no sample. Margin: the least of its negative.", {"never": CONDITION}),
        _kind(
            by, "The condition holds at some sample up to the time. Margin: the time left when it first holds.",
            {"expect": CONDITION, "by": MOMENT},
        ),
        _kind(
            within, "After every such event the condition holds within the time; there must be one event. An event "
            "whose time the run does not see to its end is left out, unless the condition holds before. Margin: the "
            "time left after the slowest.",
            {"expect": CONDITION, "within": DURATION, "after": EVENT},
        ),
        _kind(
            until, "A sample comes at which the second condition holds, and at all before it the first one does. "
            "Margin: the best, over such samples, of the lesser of both.",
            {"expect": CONDITION, "until": CONDITION},
        ),
        _kind(
            for_at_least, "The longest time without a break for which the condition holds. Margin: how much longer "
            "it is. A sample stands for the time to the next.",
            {"expect": CONDITION, "for_at_least": DURATION},
        ),
        _kind(
            for_share, "The share of the time for which the condition holds. Margin: percentage points above.",
            {"expect": CONDITION, "for_share": PERCENT},
        ),
        Kind(
            "at", {"expect": CONDITION, "at": MOMENT}, (),
            "The condition holds at the last sample up to the time. Margin: its margin there.", at,
        ),
        _kind(
            stays_within, "The value is within two limits at every sample. Margin: the least distance to one of them.",
            {"stays_within": RANGE, "of": SUBJECT},
        ),
        _kind(
            rises_only, "No sample is less than the one before, by more than the tolerance. Margin: the least step up.",
            {"rises_only": SUBJECT, "tolerance": NUMBER}, ("tolerance",),
        ),
        _kind(
            falls_only, "No sample is more than the one before, by more than the tolerance. Margin: the least step "
            "down.",
            {"falls_only": SUBJECT, "tolerance": NUMBER}, ("tolerance",),
        ),
        _kind(
            count, "How often the event happens. Margin: how many times more, or fewer, would still do; below 0 how "
            "many there are too few, or too many.",
            {"count": EVENT, "at_least": COUNT, "at_most": COUNT, "exactly": COUNT},
            ("at_least", "at_most", "exactly"),
        ),
        _kind(
            order, "The events happen one after the other, each at or after the one before. Margin: the least time "
            "between two of them.",
            {"order": EVENTS},
        ),
        _kind(
            conversation.polled_every, "Each of the registers is read, with an answer, at least once in the time, from "
            "the window's beginning to its end. Margin: the time less the longest gap.",
            {"polled_every": DURATION, "registers": ADDRESSES}, ("registers",),
        ),
        _kind(
            conversation.never_writes, "No request writes any of the registers. Margin: minus the number of those "
            "that do.",
            {"never_writes": ADDRESSES},
        ),
        _kind(
            conversation.retries_within, "A request without a good answer is followed by the same one within the "
            "time; only a retry may be given up, that is, be followed by another request or by a longer pause (5 s "
            "unless told). Margin: the time less the longest wait.",
            {"retries_within": DURATION, "pause": DURATION}, ("pause",),
        ),
        _kind(
            conversation.gives_up_after, "The same request is sent at most so many times in a row without a good "
            "answer; after a longer pause (5 s unless told) the row begins anew. Margin: how many more it could have "
            "been.",
            {"gives_up_after": COUNT, "pause": DURATION}, ("pause",),
        ),
        _kind(
            conversation.only_mapped, "Every register that is asked for is in the map. Margin: minus the number of "
            "requests that ask for another.",
            {"only_mapped": YES},
        ),
    )
}  # fmt: skip
COMMON: Final = ("note", "information")  # keys of every kind
