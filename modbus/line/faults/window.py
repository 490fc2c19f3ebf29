"""When a line fault may strike: ``from=12:00`` and ``to=13:00`` of every day, or moments with their dates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from plant.base.clock import DAY_S, parse_local


@dataclass(frozen=True, slots=True)
class Window:
    """When a fault may strike, in local civil time: from the first moment on, no longer at the second.

    Attributes
    ----------
    begin, end : datetime or float, optional
        Moments; or times of every day [s since midnight], of which the second may be on the next day.
    """

    begin: datetime | float | None
    end: datetime | float | None

    def has(self, local: datetime) -> bool:
        """Whether a moment is inside."""
        if isinstance(self.begin, datetime) or isinstance(self.end, datetime):
            return (not isinstance(self.begin, datetime) or self.begin <= local) and (
                not isinstance(self.end, datetime) or local < self.end
            )
        now_s = 3600 * local.hour + 60 * local.minute + local.second
        begin_s, end_s = self.begin or 0.0, DAY_S if self.end is None else self.end
        if begin_s <= end_s:
            return begin_s <= now_s < end_s
        return now_s >= begin_s or now_s < end_s

    def is_over(self, local: datetime) -> bool:
        """Whether it ended before a moment, for good: a time of day comes again."""
        return isinstance(self.end, datetime) and self.end <= local


def parse_window(told: Mapping[str, str]) -> Window | None:
    """The window that ``from`` and ``to`` give, none if neither is told.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    begin, end = (_moment(key, told[key]) if key in told else None for key in ("from", "to"))
    if begin is None and end is None:
        return None
    if begin is not None and end is not None:
        if type(begin) is not type(end):
            raise ValueError("give from and to both with their dates, or both without")
        if begin == end or (isinstance(begin, datetime) and begin > end):  # type: ignore[operator]  # alike, see above
            raise ValueError(f"from={told['from']} must be before to={told['to']}")
    return Window(begin, end)


def _moment(key: str, text: str) -> datetime | float:
    clock = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?", text)
    try:
        if clock is None:
            return parse_local(text)
        hours, minutes, seconds = (int(part or 0) for part in clock.groups())
        if (hours, minutes, seconds) == (24, 0, 0) or (hours < 24 and minutes < 60 and seconds < 60):
            return float(3600 * hours + 60 * minutes + seconds)
    except ValueError:
        pass
    raise ValueError(f"{key}={text} is not a valid time; write 12:00 for every day, or 2026-06-21T12:00")
