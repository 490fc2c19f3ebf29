"""Registers that are no scaled number: two small ones in a word, as the vendor packs clocks and durations.

Knows high and low bytes and nothing of rows or addresses.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

YEAR_0: Final = 2000  # of the clock's year byte
FIRST_S: Final = datetime(YEAR_0, 1, 1, tzinfo=UTC).timestamp()
LAST_S: Final = datetime(YEAR_0 + 255, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
LONGEST_MIN: Final = 255 * 60 + 59


@dataclass(frozen=True, slots=True)
class Encoding:
    """Two numbers in one word.

    Parameters
    ----------
    meaning : str
        What stands in which byte.
    pack : callable
        Value -> the numbers of the high and of the low byte.
    text : str
        Format of the two for people.
    """

    meaning: str
    pack: Callable[[float], tuple[int, int]]
    text: str

    def word(self, value: float) -> int:
        """The register of a value; 0 for what is not a number."""
        if not math.isfinite(value):
            return 0
        high, low = self.pack(value)
        return high << 8 | low

    def formatted(self, word: int) -> str:
        """A register in words."""
        return self.text.format(word >> 8, word & 0xFF)


def _hours_minutes(minutes: float) -> tuple[int, int]:
    return divmod(min(max(round(minutes), 0), LONGEST_MIN), 60)


def _civil(t_s: float) -> datetime:
    return datetime.fromtimestamp(min(max(t_s, FIRST_S), LAST_S), UTC)


ENCODINGS: Final[Mapping[str, Encoding]] = {
    "hours_minutes": Encoding("D15-8 hours, D7-0 minutes", _hours_minutes, "{:d}:{:02d}"),
    "minute_second": Encoding(
        "D15-8 minute, D7-0 second",
        lambda t: (_civil(t).minute, _civil(t).second),
        "minute {:d}, second {:d}",
    ),
    "day_hour": Encoding(
        "D15-8 day, D7-0 hour", lambda t: (_civil(t).day, _civil(t).hour), "day {:d}, hour {:d}"
    ),
    "year_month": Encoding(
        "D15-8 year - 2000, D7-0 month",
        lambda t: (_civil(t).year - YEAR_0, _civil(t).month),
        "year {:d}, month {:d}",
    ),
}
CLOCK: Final = ("minute_second", "day_hour", "year_month")  # in the order of their registers


def minutes_of(word: int) -> int:
    """What an hours and minutes register says [min], be its minutes sixty or more."""
    return 60 * (word >> 8) + (word & 0xFF)


def flaw_of_minutes(word: int) -> str:
    """Why a word can't be hours and minutes; empty if it can."""
    minutes = word & 0xFF
    return f"minutes must lie in 0..59, got {minutes}" if minutes > 59 else ""


def clock_of(words: Sequence[int]) -> float:
    """The time that the three clock registers say, civil time read as if it were UTC [s].

    Raises
    ------
    ValueError
        There is no such date or time.
    """
    (minute, second), (day, hour), (year, month) = (divmod(word, 256) for word in words)
    return datetime(YEAR_0 + year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
