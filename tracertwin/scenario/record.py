"""What is judged, samples of a run and what its client asked, and what came of it: margins and times in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import numpy as np

from modbus.codec.requests import ALL_WRITES, Request
from plant.base.clock import DAY_S
from tracertwin.scenario.times import Moment, Span

COUNTED: Final = {"requests": "request", "times": "time", "tries": "try"}  # units, and of one
Outcome = Literal["reply", "exception", "bad", "silence"]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A request and what its client got.

    Attributes
    ----------
    t_s : float
        When it was sent [s UTC].
    request : Request
    outcome : str
        ``bad`` are bytes that can't be the reply; an exception is an answer.
    mapped : bool
        Whether the map has every register that it names.
    """

    t_s: float
    request: Request
    outcome: Outcome
    mapped: bool = True

    @property
    def addresses(self) -> range:
        """The registers or coils that it names; none for other requests."""
        first = getattr(self.request, "address", 0)
        one = 1 if hasattr(self.request, "address") else 0
        return range(first, first + getattr(self.request, "count", one))

    @property
    def is_write(self) -> bool:
        """Whether it would change something."""
        return self.request.function in ALL_WRITES


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """A line of text that firmware has printed, and the plant's time then [s UTC]."""

    t_s: float
    text: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run.

    Attributes
    ----------
    t_s : (n,) array
        Moments of the samples [s UTC], ascending; what is seen at one holds until the next.
    columns : mapping
        `Subject.key` -> (n,) array of values.
    span : Span
    asked : tuple of AskedFor
        In order; empty without a client.
    printed : tuple of PrintedLine
        In order; empty without firmware whose console is seen.
    """

    t_s: np.ndarray
    columns: Mapping[str, np.ndarray]
    span: Span
    asked: tuple[AskedFor, ...] = ()
    printed: tuple[PrintedLine, ...] = ()


# --- what a judge finds in it ---


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether an expectation holds, and by how much.

    Attributes
    ----------
    holds : bool
    margin : float
        How much more would still do; below 0, how much is missing. In `unit`.
    unit : str
        Of the margin; ``s`` for times, ``%`` for percentage points, ``state`` for states: 1 or -1.
    at_s : float or None
        The sample or event that is closest to failing, or failed by most [s UTC].
    found : str
        What happened, in words that `at_s` may follow: ``longest 2 h, begun``.
    """

    holds: bool
    margin: float
    unit: str
    at_s: float | None
    found: str


def ending(moment: Moment, begin_s: float, span: Span) -> float:
    """When a window ends [s UTC]: a moment of the clock or sun without a day is the first one after its beginning."""
    end_s = moment.utc_s(span)
    if end_s < begin_s and moment.day is None and moment.anchor in ("clock", "sunrise", "noon", "sunset"):
        later = Span(begin_s, span.end_utc_s, span.timezone, span.sun)
        end_s = moment.utc_s(later)
    return end_s


def given_window(values: Mapping[str, Any], begin_s: float, end_s: float, span: Span) -> tuple[float, float]:
    """Where the window of ``from`` and ``to`` begins and ends [s UTC]; each as it is said here unless given.

    ``to`` is the first such time after the beginning.
    """
    if "from" in values:
        begin_s = values["from"].utc_s(span)
    if "to" in values:
        end_s = ending(values["to"], begin_s, span)
    return begin_s, end_s


def amount(value: float, unit: str) -> str:
    """A number for people: ``0.21 V``, ``12 min``, ``0.30 %``."""
    if unit == "s":
        return _duration(value)
    if unit in ("state", "0, 1"):  # a flag's
        return f"{value:g}"
    if unit == "0..1":
        value, unit = 100.0 * value, "%"
    if unit in COUNTED:
        number = f"{value:.0f}"
        return f"{number} {COUNTED[unit] if number == '1' else unit}"
    plain = f"{Decimal(f'{value:.3g}'):f}"  # no powers of ten
    return f"{plain} {unit}".rstrip()


def _duration(seconds: float) -> str:
    if seconds < 90.0:
        return f"{seconds:.3g} s"
    minutes = round(seconds / 60.0)
    if minutes < 120:
        return f"{minutes} min"
    days, minutes = divmod(minutes, DAY_S // 60)
    hours, minutes = divmod(minutes, 60)
    return " ".join(
        f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes, "min")) if number
    )


def clock_of(t_utc_s: float, span: Span) -> str:
    """A moment as the site's clocks show it, with the day if the run has several: ``13:40``, ``day 2 13:40``."""
    zone = ZoneInfo(span.timezone)
    local = datetime.fromtimestamp(t_utc_s, zone)
    shown = f"{local:%H:%M:%S}".removesuffix(":00")
    last = datetime.fromtimestamp(max(span.end_utc_s - 1.0, span.start_utc_s), zone).date()
    if last == span.first_day():
        return shown
    return f"day {(local.date() - span.first_day()).days + 1} {shown}"
