"""Civil time at the site, as the tables of a state file have it: local times, and the days that samples belong to."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np


@lru_cache(maxsize=64)
def _offset_s(quarter: int, timezone: str) -> int:
    """What civil clocks show ahead of UTC in a quarter of an hour [s]: they are changed on such only."""
    offset = datetime.fromtimestamp(quarter * 900, ZoneInfo(timezone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


_EPOCH = datetime(1970, 1, 1)


def local_time(t_utc_s: float, timezone: str) -> str:
    """``2026-06-21 06:00:00``."""
    local_s = int(t_utc_s) + _offset_s(int(t_utc_s) // 900, timezone)
    return (_EPOCH + timedelta(seconds=local_s)).isoformat(sep=" ")


def civil_days(samples_utc_s: np.ndarray, events_utc_s: Sequence[float], timezone: str) -> list[str]:
    """Civil days that these belong to; what ends with midnight is of the day before."""
    moments = {int(t) - 1 for t in samples_utc_s.tolist()} | {int(t) for t in events_utc_s}
    return sorted({local_time(t, timezone)[:10] for t in moments})


def day_limits(day: str, timezone: str) -> tuple[int, int]:
    """The midnights about a civil day [UTC s]."""
    begin = datetime.fromisoformat(day)
    zone = ZoneInfo(timezone)
    first, last = (moment.replace(tzinfo=zone).timestamp() for moment in (begin, begin + timedelta(days=1)))
    return int(first), int(last)
