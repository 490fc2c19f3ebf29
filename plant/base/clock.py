"""Time of the plant: whole seconds of UTC inside, civil time only at the edges."""

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY_S = 86400
FIRST_YEAR, LAST_YEAR = 1970, 2100
LAST_UTC_S = datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp()
STEP_S = 5  # the plant's grid; every state that anybody sees is at a multiple of it
SLOWEST, FASTEST = 0.001, 100_000.0  # plant time over wall time, of a wall's clock
SKY_S = 10  # clouds are made on this grid whatever the plant's, or the weather would change with it


def parse_local(text: str) -> datetime:
    """Civil time without zone: ``2026-06-21``, ``2026-06-21T06:00`` or with seconds.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?)?", text):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a valid time: {error}") from None
        if FIRST_YEAR <= moment.year <= LAST_YEAR:
            return moment
        raise ValueError(f"{text!r}: the year must lie in {FIRST_YEAR}..{LAST_YEAR}")
    raise ValueError(f"{text!r} is not a valid time; write local time as 2026-06-21T06:00")


def to_utc_s(moment: datetime, timezone: str) -> int:
    """Seconds of UTC of a naive civil time, down to the plant's grid."""
    seconds = int(moment.replace(tzinfo=ZoneInfo(timezone)).timestamp())
    return seconds - seconds % STEP_S


def to_local(t_utc_s: float, timezone: str) -> datetime:
    """Naive civil time of a moment."""
    return datetime.fromtimestamp(t_utc_s, ZoneInfo(timezone)).replace(tzinfo=None)


@lru_cache(maxsize=64)  # a step of the plant asks for the same few moments over and over
def utc_offset_s(t_utc_s: float, timezone: str) -> float:
    """What civil clocks show ahead of UTC at a moment [s]."""
    offset = datetime.fromtimestamp(t_utc_s, ZoneInfo(timezone)).utcoffset()
    return offset.total_seconds() if offset else 0.0


_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)")
_DURATION = re.compile(rf"{_PART.pattern}(\s*{_PART.pattern})*")
_UNIT_S = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


def parse_duration_s(text: str) -> float:
    """``5ms``, ``10s``, ``2min``, ``1h30min``, ``3d`` -> seconds; a bare number counts seconds."""
    parts = _PART.findall(text) if _DURATION.fullmatch(text.strip()) else []
    # Largest unit first, each once: 30min1h and 1h2h are slips.
    sizes = [_UNIT_S[unit] for _, unit in parts]
    if sizes and sizes == sorted(set(sizes), reverse=True):
        return sum(float(number) * size for (number, _), size in zip(parts, sizes, strict=True))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < 1e10:
        raise ValueError(f"{text!r} is not a valid duration; write 5ms, 10s, 2min, 1h30min or 3d")
    return seconds


def parse_polled_s(text: str) -> float | None:
    """What each request moves the plant by [s]: 10.0 of ``polled:10s``, 0.0 of ``stepped``; None of ``wall``."""
    kind, _, step = text.partition(":")
    if text == "wall":
        return None
    if text == "stepped":
        return 0.0
    if kind == "polled" and step:
        seconds = parse_duration_s(step)
        if seconds > 0.0:
            return seconds
    raise ValueError(
        f"{text!r} is not a valid clock; write wall, polled:10s for 10 s of plant time per request, or stepped for "
        "time that only commands move"
    )


class _Leg(NamedTuple):
    """Time since the clock was last told something. Replaced as a whole: one thread reads while another tells."""

    began_s: float | None  # of the wall's monotonic clock; none before the first reading
    t_utc_s: float
    speed: float
    goes: bool = True


class WallClock:
    """Plant time that runs with the wall's, so many times as fast, unless it is paused.

    The reading is a function of the elapsed monotonic time, not a sum of waits, so it doesn't drift.
    """

    def __init__(
        self, start_utc_s: float, speed: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._leg = _Leg(None, start_utc_s, speed)

    @property
    def speed(self) -> float:
        """Plant time over wall time."""
        return self._leg.speed

    @property
    def goes(self) -> bool:
        """Whether it isn't paused."""
        return self._leg.goes

    def now_s(self) -> float:
        """Plant time [s UTC]; the clock starts at its first reading."""
        if self._leg.began_s is None:
            self._leg = self._leg._replace(began_s=self._monotonic())
        return self._reads(self._leg, self._monotonic())

    def wait_s(self, t_utc_s: float) -> float:
        """Wall seconds until the plant's clock shows a time; 0 when it is past, infinity when it stands still."""
        left_s = t_utc_s - self.now_s()
        if left_s <= 0.0:
            return 0.0
        return left_s / self.speed if self.goes else math.inf

    def set_speed(self, speed: float) -> None:
        """Run on at another speed, after the pause if there is one."""
        self._turn_over(speed, self.goes)

    def pause(self) -> None:
        """Stand still."""
        self._turn_over(self.speed, goes=False)

    def go(self) -> None:
        """Go on after a pause."""
        self._turn_over(self.speed, goes=True)

    def _turn_over(self, speed: float, goes: bool) -> None:
        at_s = self._monotonic()
        self._leg = _Leg(at_s, self._reads(self._leg, at_s), speed, goes)

    def step(self, seconds: float) -> None:
        """Jump ahead; what lies between is lived through, as fast as it goes.

        Raises
        ------
        ValueError
            When asked to go back.
        """
        self._leg = self._leg._replace(t_utc_s=self._leg.t_utc_s + _ahead(seconds))

    @staticmethod
    def _reads(leg: _Leg, at_s: float) -> float:
        if leg.began_s is None or not leg.goes:
            return leg.t_utc_s
        return leg.t_utc_s + (at_s - leg.began_s) * leg.speed


@dataclass(slots=True)
class SteppedClock:
    """Plant time that moves only when told."""

    t_utc_s: float

    def now_s(self) -> float:
        """Plant time [s UTC]."""
        return self.t_utc_s

    def step(self, seconds: float) -> None:
        """Move on.

        Raises
        ------
        ValueError
            When asked to go back.
        """
        self.t_utc_s += _ahead(seconds)


def _ahead(seconds: float) -> float:
    if seconds < 0:
        raise ValueError(f"simulated time can't go back (asked for {seconds:g} s)")
    return seconds


def iso_utc(t_utc_s: float) -> str:
    """``2026-06-21T04:00:00Z``."""
    return datetime.fromtimestamp(t_utc_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_step(step_s: float, fidelity: str) -> bool:
    """Whether a run can have a step: the grid's own if detailed, else whole minutes that divide an hour."""
    if fidelity == "detailed":
        return step_s == STEP_S
    return step_s > 0 and step_s % 60 == 0 and 3600 % step_s == 0


def on_grid_s(t_utc_s: float, step_s: int) -> int:
    """The first grid point at or after a moment, its fraction of a second left out."""
    return -(-int(t_utc_s) // step_s) * step_s


def multiples(after: int, upto: int, every: int) -> int:
    """Number of multiples of `every` in (after, upto]; 0 if `every` is 0."""
    return upto // every - after // every if every else 0
