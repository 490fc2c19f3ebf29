"""Moments as a scenario has them: by the clock, by the sun, after the start; and when they are in a run.

``11:00``, ``day 2 11:00``, ``2026-06-22T11:00``, ``sunrise+1h``, ``noon``, ``day 3 sunset-30min``, ``3h`` (after the
start), ``start+3h``, ``end-1h``. Days are counted from 1, the civil day on which the run begins; a moment without a day
is the first such one at or after the start.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from plant.base.civiltime import moment_utc_s
from plant.base.clock import DAY_S, parse_duration_s, parse_local, to_local
from plant.base.problems import did_you_mean

SUN: Final = ("sunrise", "noon", "sunset")
ENDS: Final = ("start", "end")
FORM: Final = (
    "11:00, day 2 11:00, 2026-06-22T11:00, sunrise+1h, noon, sunset-30min, 3h (after the start) or end-1h"
)
LONGEST_WAIT_DAYS: Final = 2  # for a moment of the sun without a day
_CLOCK = re.compile(r"(?:day\s+(\d{1,5})\s+)?(\d{1,2}):(\d{2})(?::(\d{2}))?")
_NAMED = re.compile(r"(?:day\s+(\d{1,5})\s+)?([A-Za-z]+)\s*(?:([+-])\s*(.+))?")


class SunTimes(NamedTuple):
    """When the sun rises, is highest and sets on a day [s UTC]; none where it doesn't rise or doesn't set."""

    sunrise: float | None
    noon: float
    sunset: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """A run's beginning and end, and the clocks and the sun at its place."""

    start_utc_s: float
    end_utc_s: float
    timezone: str
    sun: Callable[[date], SunTimes]

    def first_day(self) -> date:
        """The civil day on which it begins."""
        return to_local(self.start_utc_s, self.timezone).date()


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as it was written.

    Attributes
    ----------
    text : str
    anchor : str
        ``clock``, ``date``, or a word of `SUN` or `ENDS`.
    seconds : float
        Of the clock: since midnight. Of a date: since 1970, read as if it were UTC. Else: after the anchor.
    day : int or None
        From 1.
    """

    text: str
    anchor: str
    seconds: float
    day: int | None = None

    def utc_s(self, span: Span) -> float:
        """When it is in a run [s UTC].

        Raises
        ------
        ValueError
            The sun doesn't rise or set then, or the clocks leave it out.
        """
        if self.anchor in ENDS:
            return (span.start_utc_s if self.anchor == "start" else span.end_utc_s) + self.seconds
        if self.anchor == "date":
            moment = datetime(1970, 1, 1) + timedelta(seconds=self.seconds)
            return _to_the_second(moment, span.timezone)
        first = span.first_day()
        if self.day is not None:
            return self._on(first + timedelta(days=self.day - 1), span)
        for days in range(LONGEST_WAIT_DAYS):
            found = self._on(first + timedelta(days=days), span)
            if found >= span.start_utc_s:
                return found
        return self._on(first + timedelta(days=LONGEST_WAIT_DAYS), span)

    def _on(self, day: date, span: Span) -> float:
        if self.anchor == "clock":
            midnight = datetime.combine(day, time())
            return _to_the_second(midnight + timedelta(seconds=self.seconds), span.timezone)
        at_s = getattr(span.sun(day), self.anchor)
        if at_s is None:
            raise ValueError(f"{self.text}: there is no {self.anchor} at this place on {day}")
        return float(at_s) + self.seconds


def _to_the_second(moment: datetime, timezone: str) -> float:
    moment_utc_s(moment, timezone)  # that there is one
    return moment.replace(tzinfo=ZoneInfo(timezone)).timestamp()


def parse_moment(text: str) -> Moment:
    """The moment that a text means.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    told = text.strip()
    if clock := _CLOCK.fullmatch(told):
        day, hours, minutes, seconds = clock[1], int(clock[2]), int(clock[3]), int(clock[4] or 0)
        since = 3600 * hours + 60 * minutes + seconds
        if minutes > 59 or seconds > 59 or since > DAY_S:
            raise ValueError(f"{text!r} is not a time of day, 00:00 to 24:00; write {FORM}")
        return Moment(told, "clock", since, _day(day, text))
    if re.match(r"\d{4}-", told):
        return Moment(told, "date", (parse_local(told) - datetime(1970, 1, 1)).total_seconds())
    if named := _NAMED.fullmatch(told):
        day, word, sign, offset = named.groups()
        known = SUN if day else (*SUN, *ENDS)
        if word not in known:
            raise ValueError(f"{text!r} is not a valid time{did_you_mean(word, known)}; write {FORM}")
        seconds_after = duration_s(offset) if offset else 0.0
        return Moment(told, word, -seconds_after if sign == "-" else seconds_after, _day(day, text))
    try:
        return Moment(told, "start", duration_s(told))
    except ValueError:
        raise ValueError(f"{text!r} is not a valid time; write {FORM}") from None


def duration_s(text: str) -> float:
    """A duration with its unit: a bare number would leave open which.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if re.fullmatch(r"[\d.\s]+", text):
        raise ValueError(f"{text!r} is not a valid duration; write 10s, 2min, 1.5h or 3d")
    return parse_duration_s(text)


def _day(text: str | None, whole: str) -> int | None:
    if text is None:
        return None
    if int(text) < 1:
        raise ValueError(f"{whole!r}: days are counted from 1")
    return int(text)
