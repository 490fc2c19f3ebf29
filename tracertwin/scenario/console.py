"""Expectations of what firmware prints, judged on the lines of its console alone."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from tracertwin.scenario.record import Finding, PrintedLine, RunRecord, ending
from tracertwin.scenario.signals import moments_of, values_of

LINES = "times"  # the unit of a number of lines
CUT = 60  # characters of a line that are shown


def _matching(
    pattern: re.Pattern[str], values: Mapping[str, Any], record: RunRecord
) -> tuple[list[tuple[PrintedLine, re.Match[str]]], float, float]:
    """The lines of the window that match, its beginning and end."""
    begin_s = values["from"].utc_s(record.span) if "from" in values else record.span.start_utc_s
    end_s = ending(values["to"], begin_s, record.span) if "to" in values else record.span.end_utc_s
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
        return _within(values, record, times, begin_s, end_s)
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


def _within(
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
    wait_s, at_s, came = max(waits, key=lambda wait: (not wait[2], wait[0]))
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
        try:
            number = float(match[1])
        except (TypeError, ValueError):
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


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _cut(text: str) -> str:
    return text if len(text) <= CUT else f"{text[: CUT - 3]}..."
