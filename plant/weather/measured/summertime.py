"""Where the rows of a file follow a zone's change to and from summer time: an hour that is left out, or comes twice."""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from plant.base.clock import DAY_S

_HOUR_S = 3600
_MOST_S = 2 * _HOUR_S  # a zone that moves across the date line leaves out a day


class ClockChange(NamedTuple):
    """A change that the rows follow."""

    day_s: int  # its day's midnight by the file's clock, as seconds since 1970-01-01T00:00 of that clock
    later_h: float  # by how much the clock shows more afterwards
    told: str


def clock_change(local: np.ndarray, step_s: int, timezone: str) -> ClockChange | None:
    """The first change of a zone's clocks that rows follow; none if they run through.

    Parameters
    ----------
    local : (n,) array
        Stamps by the file's clock [s], as often as they stand there.
    step_s : int
        Time between rows [s].
    timezone : str
        Area/City.
    """
    zone = ZoneInfo(timezone)
    first_s, last_s = int(local.min()), int(local.max())
    days = range(first_s // DAY_S, last_s // DAY_S + 1)
    offsets = [_offset_s(day * DAY_S + DAY_S // 2, zone) for day in days]
    for day, before, after in zip(days[1:], offsets, offsets[1:], strict=False):
        if not 0 < abs(after - before) <= _MOST_S:
            continue
        begin = day * DAY_S - DAY_S // 2
        wall = range(begin + (first_s - begin) % step_s, begin + DAY_S, step_s)
        # times that no clock there shows, or that it shows twice: whose offset depends on which of the two is meant
        odd = [t for t in wall if _offset_s(t, zone) != _offset_s(t, zone, fold=1)]
        if not odd:
            continue
        beside = (odd[0] - step_s, odd[-1] + step_s)
        near = local[(local >= beside[0]) & (local <= beside[1])]
        usual = 0 if after > before else 2
        if all(np.sum(near == t) == usual for t in odd) and all(np.sum(near == t) == 1 for t in beside):
            first, end = (_wall(t) for t in (odd[0], odd[-1] + step_s))
            shows = "is missing" if after > before else "is there twice"
            told = f"{first:%Y-%m-%d %H:%M} to {end:%H:%M} {shows}, as the clocks in {timezone} change then"
            return ClockChange(odd[0] // DAY_S * DAY_S, (after - before) / _HOUR_S, told)
    return None


def _wall(local_s: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(seconds=local_s)


def _offset_s(local_s: int, zone: ZoneInfo, fold: int = 0) -> int:
    offset = _wall(local_s).replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())
