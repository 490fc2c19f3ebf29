"""What a trace has to do: the functions behind the kinds of expectations that are about values and events.

Each takes the values of its keys and a record and gives a `Finding`; definitions are in `tracertwin.scenario.kinds`.
Times in margins are seconds. What never happens counts as happening when the record ends, and the verdict is then that
it failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracertwin.scenario.conditions import STATE, Condition
from tracertwin.scenario.record import Finding, RunRecord, amount, ending, given_window
from tracertwin.scenario.signals import Signal, moments_of, signal, values_of, window

Values = Mapping[str, Any]  # by key


@dataclass(frozen=True, slots=True)
class Windowed:
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


def _seen(values: Values, record: RunRecord, condition: Condition) -> Windowed:
    """A condition in the window that ``from`` and ``to`` give."""
    part = _window(values, record)
    return Windowed(record.t_s[part], signal(condition, record).part(part))


def _window(values: Values, record: RunRecord) -> slice:
    return window(record, *limits(values, record))


def limits(values: Values, record: RunRecord) -> tuple[float, float]:
    """Where the window begins and ends [s UTC]: the whole record unless told, ``to`` the first such time after."""
    return given_window(values, float(record.t_s[0]), float(record.t_s[-1]), record.span)


def _nothing_seen() -> Finding:
    return Finding(False, 0.0, "", None, "no sample lies in the window")


def always(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["always"])
    return _tightest(seen, seen.holds, seen.margin)


def never(values: Values, record: RunRecord) -> Finding:
    seen = _seen(values, record, values["never"])
    return _tightest(seen, ~seen.holds, -seen.margin)


def _tightest(seen: Windowed, holds: np.ndarray, margin: np.ndarray) -> Finding:
    if not seen.t_s.size:
        return _nothing_seen()
    at = int(np.argmin(margin))
    found = "" if holds.all() else f"{_how_long(seen.t_s, ~holds)}, furthest"
    return Finding(bool(np.all(holds)), float(margin[at]), seen.over.unit_at(at), float(seen.t_s[at]), found)


def _how_long(t_s: np.ndarray, broken: np.ndarray) -> str:
    """How long something was broken, a sample standing for the time to the next."""
    lasts_s = float(np.sum(np.diff(t_s)[broken[:-1]]))
    return f"not so for {amount(lasts_s, 's')} in all" if lasts_s else "not so at the last sample"


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
    if not longest_s:
        return Finding(not wanted_s, -wanted_s, "s", None, "never so")
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
            if moments.size:
                early_s = float(moments[-1])
                return Finding(False, early_s - since_s, "s", early_s, f"{event.text} was too early, last")
            return Finding(False, since_s - end_s, "s", None, f"{event.text} never happened")
        gap_s = float(later[0]) - since_s
        if event is not values["order"][0] and gap_s < margin:
            margin, tightest_s = gap_s, float(later[0])
        since_s = float(later[0])
    return Finding(True, float(margin), "s", tightest_s, "closest two, the second")
