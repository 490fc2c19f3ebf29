"""Expectations of what a client does: what it asks, how often, what it does when nothing comes, and what it prints.

Judged on the requests and lines of a record alone; without any nothing can be said, and the verdict is that it failed.
"""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from tracertwin.scenario.record import AskedFor, Finding, PrintedLine, RunRecord, ending, given_window
from tracertwin.scenario.signals import moments_of, values_of

GOOD = ("reply", "exception")
PAUSE_S = 5.0  # the same request after a longer one is not a retry but the next round
LINES = "times"  # the unit of a number of lines
CUT = 60  # characters of a line that are shown


def _window(values: Mapping[str, Any], record: RunRecord) -> tuple[float, float]:
    return given_window(values, record.span.start_utc_s, record.span.end_utc_s, record.span)


def _heard(values: Mapping[str, Any], record: RunRecord) -> tuple[list[AskedFor], float, float]:
    """The requests of the window, its beginning and end."""
    begin_s, end_s = _window(values, record)
    return [asked for asked in record.asked if begin_s <= asked.t_s <= end_s], begin_s, end_s


def _unheard() -> Finding:
    return Finding(False, 0.0, "", None, "no client asked anything")


def polled_every(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, begin_s, end_s = _heard(values, record)
    reads = [asked for asked in heard if not asked.is_write and asked.outcome in GOOD]
    if not reads:
        return Finding(False, 0.0, "", None, "no read was answered") if heard else _unheard()
    wanted = values.get("registers") or sorted({(asked.request.function, asked.addresses[0]) for asked in reads
                                                 if asked.addresses})  # fmt: skip
    gaps, never = [], ""
    for function, address in wanted:
        times = [
            asked.t_s for asked in reads if asked.request.function == function and address in asked.addresses
        ]
        never = never or ("" if times else f"never an answer to 0x{address:04X}, from")
        gaps += [(b - a, a, address) for a, b in pairwise([begin_s, *times, end_s])]
    gap_s, at_s, address = max(gaps, key=lambda gap: (gap[0], -gap[1]))
    allowed_s = values["polled_every"]
    if never:  # however short the window is
        return Finding(False, min(allowed_s - gap_s, 0.0), "s", begin_s, never)
    return Finding(
        gap_s <= allowed_s, allowed_s - gap_s, "s", at_s, f"longest without 0x{address:04X}, begun"
    )


def never_writes(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    named = {address for _, address in values["never_writes"]}
    writes = [asked for asked in heard if asked.is_write and named.intersection(asked.addresses)]
    return _offences(writes, heard, "write it")


def only_mapped(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    return _offences([asked for asked in heard if not asked.mapped], heard, "ask for an unmapped register")


def _offences(these: list[AskedFor], heard: list[AskedFor], what: str) -> Finding:
    at_s = these[0].t_s if these else None
    found = f"{len(these)} of {len(heard)} requests {what}{', first' if these else ''}"
    return Finding(not these, -float(len(these)) or 0.0, "requests", at_s, found)


def retries_within(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, _, end_s = _heard(values, record)
    if not heard:
        return _unheard()
    allowed_s = values["retries_within"]
    worst: Finding | None = None
    before: AskedFor | None = None
    for first, then in zip(heard, [*heard[1:], None], strict=True):
        is_retry = before is not None and before.outcome not in GOOD and before.request == first.request
        before = first
        is_same = then is not None and first.request == then.request
        pauses = then is None or then.t_s - first.t_s > values.get("pause", PAUSE_S)
        if first.outcome in GOOD or (is_retry and (pauses or not is_same)):  # it may be given up
            continue
        wait_s = (then.t_s if then is not None and is_same else end_s) - first.t_s
        if then is None and wait_s <= allowed_s:
            continue  # the window ends before its time is over
        one = Finding(
            is_same and wait_s <= allowed_s, allowed_s - wait_s, "s", first.t_s,
            "slowest retry, of the request" if is_same else "not sent again, the request",
        )  # fmt: skip
        if worst is None or (one.holds, one.margin) < (worst.holds, worst.margin):
            worst = one
    answered = all(asked.outcome in GOOD for asked in heard)
    found = "every request was answered" if answered else "the last one's time is not over"
    return worst or Finding(True, allowed_s, "s", None, found)


def gives_up_after(values: Mapping[str, Any], record: RunRecord) -> Finding:
    heard, *_ = _heard(values, record)
    if not heard:
        return _unheard()
    most, at_s, tries = 0, None, 0
    before: AskedFor | None = None
    for asked in heard:
        goes_on = (
            before is not None and before.request == asked.request and before.outcome not in GOOD
            and asked.t_s - before.t_s <= values.get("pause", PAUSE_S)
        )  # fmt: skip
        tries = 0 if asked.outcome in GOOD else tries + 1 if goes_on else 1
        if tries > most:
            most, at_s = tries, asked.t_s
        before = asked
    allowed = values["gives_up_after"]
    found = f"{most} tries in a row, the last" if most else "every request was answered"
    return Finding(most <= allowed, float(allowed - most), "tries", at_s, found)


# What it prints


def _matching(
    pattern: re.Pattern[str], values: Mapping[str, Any], record: RunRecord
) -> tuple[list[tuple[PrintedLine, re.Match[str]]], float, float]:
    """The lines of the window that match, its beginning and end."""
    begin_s, end_s = _window(values, record)
    found = [
        (line, match)
        for line in record.printed
        if begin_s <= line.t_s <= end_s and (match := pattern.search(line.text))
    ]
    return found, begin_s, end_s


def _silent(record: RunRecord) -> Finding | None:
    if record.printed:
        return None
    return Finding(False, 0.0, "", None, "no firmware printed anything")


def printed(values: Mapping[str, Any], record: RunRecord) -> Finding:
    lines, begin_s, end_s = _matching(values["printed"], values, record)
    if (silent := _silent(record)) is not None:
        return silent
    times = [line.t_s for line, _ in lines]
    if "within" in values:
        return _printed_within(values, record, times, begin_s, end_s)
    if "by" in values:
        by_s = ending(values["by"], begin_s, record.span)
        first_s = times[0] if times else end_s
        found = "first printed" if times else "never printed"
        return Finding(
            bool(times) and first_s <= by_s, by_s - first_s, "s", first_s if times else None, found
        )
    if not times:
        return Finding(False, -1.0, LINES, None, f"not in any of {len(record.printed)} lines")
    return Finding(True, float(len(times) - 1), LINES, times[0], f"{_lines(len(times))}, the first")


def _printed_within(
    values: Mapping[str, Any], record: RunRecord, times: list[float], begin_s: float, end_s: float
) -> Finding:
    allowed_s = values["within"]
    events = moments_of(values["after"], record) if "after" in values else np.array([begin_s])
    waits = []
    for event_s in (float(each) for each in events if begin_s <= each <= end_s):
        later = [t_s for t_s in times if t_s >= event_s]
        if later or event_s + allowed_s <= end_s:
            waits.append(((later[0] if later else end_s) - event_s, event_s, bool(later)))
    if not waits:
        return Finding(False, 0.0, "", None, "the event never happens")
    wait_s, at_s, came = max(waits, key=lambda wait: (wait[0], not wait[2]))
    found = "slowest after the event" if came else "not printed after the event"
    return Finding(came and wait_s <= allowed_s, allowed_s - wait_s, "s", at_s, found)


def never_printed(values: Mapping[str, Any], record: RunRecord) -> Finding:
    lines, *_ = _matching(values["never_printed"], values, record)
    if (silent := _silent(record)) is not None:
        return silent
    if not lines:
        return Finding(True, 0.0, LINES, None, f"in none of {_lines(len(record.printed))}")
    found = f"{_lines(len(lines))}, the first {_cut(lines[0][0].text)!r}"
    return Finding(False, -float(len(lines)), LINES, lines[0][0].t_s, found)


def shows(values: Mapping[str, Any], record: RunRecord) -> Finding:
    lines, *_ = _matching(values["printed_as"], values, record)
    if (silent := _silent(record)) is not None:
        return silent
    subject = values["shows"]
    column = values_of(subject, record)
    worst: tuple[float, float, str] | None = None
    for line, match in lines:
        number = _number(match[1])
        if number is None:
            return Finding(False, 0.0, "", line.t_s, f"{match[1]!r} is not a number, in {_cut(line.text)!r}")
        place = max(int(np.searchsorted(record.t_s, line.t_s, side="right")) - 1, 0)
        decimals = len(match[1].partition(".")[2])
        allowed = values.get("tolerance", 0.5 * 10.0**-decimals + 1e-9)
        margin = allowed - abs(number - float(column[place]))
        if worst is None or margin < worst[0]:
            worst = (margin, line.t_s, f"printed {match[1]} for {column[place]:.6g}")
    if worst is None:
        return Finding(False, 0.0, "", None, f"not in any of {_lines(len(record.printed))}")
    return Finding(worst[0] >= 0.0, worst[0], subject.unit, worst[1], worst[2])


def _number(text: str | None) -> float | None:
    """What is printed as one: ``nan`` and ``inf`` are none."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= CUT else f"{text[: CUT - 3]}..."
