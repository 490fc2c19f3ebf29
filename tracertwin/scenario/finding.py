"""What came of an expectation, and how margins and times are told."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from plant.base.clock import DAY_S
from tracertwin.scenario.times import Moment, Span


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


def amount(value: float, unit: str) -> str:
    """A number for people: ``0.21 V``, ``12 min``, ``0.30 %``."""
    if unit == "s":
        return _duration(value)
    if unit == "state":
        return f"{value:g}"
    if unit == "0..1":
        value, unit = 100.0 * value, "%"
    if unit in ("requests", "times", "tries"):
        return f"{value:.0f} {unit if value != 1.0 else {'requests': 'request', 'times': 'time', 'tries': 'try'}[unit]}"
    return f"{value:.3g} {unit}".rstrip()


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
