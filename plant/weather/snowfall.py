"""When snow falls: on precipitation days that are cold, at an hour of chance.

Knows the sky and the air; what lies on modules, and for how long, is `plant.array.snow`'s. Precipitation days are taken
to be the darkest of the days around them, as many in a hundred as the month has [guess: rain and snow come with
clouds; their amounts are not known]. They bring snow where the day's mean temperature is below 1.0 degC, at which
half of the precipitation of the northern hemisphere is snow (Jennings et al., Nature Communications 9 (2018) 1148).
"""

import os
from calendar import monthrange
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from plant.base.chance import RandomStream, generator
from plant.base.clock import DAY_S
from plant.base.records import in_month
from plant.weather import sun
from plant.weather.place import Location, Place, Sky, Weather
from plant.weather.sky import SkyBlock, SkyDay, sky_block, source_of

GRID_S = 60
SNOW_BELOW_C = 1.0
AROUND_DAYS = 15  # either side: the days among which the darkest are found
_BLOCK_DAYS = 32


class SnowDay(NamedTuple):
    """A day as far as snow is concerned."""

    day: int
    sky: SkyDay
    falls_at: int | None  # step of the sky's grid; none if no snow falls


class _CoarseDays(NamedTuple):
    sky: SkyBlock
    brightness: np.ndarray  # (days,) global light over that of a cloudless sky, and a tie broken by chance
    t_mean_c: np.ndarray


def snow_days(place: Place, seed: int, first_day: int, days: int) -> list[SnowDay]:
    """Days in a row with what snow falls on them.

    Parameters
    ----------
    place : Place
        With `precipitation_days`.
    seed : int
    first_day, days : int
        Solar days. A day is the same whichever span is asked for; days of which a weather file knows nothing are
        left out.
    """
    by_day = {
        day: (block, k)
        for block in _blocks(place, seed, first_day - AROUND_DAYS, days + 2 * AROUND_DAYS)
        for k, day in enumerate(range(block.sky.first_day, block.sky.first_day + block.sky.days))
    }
    found = []
    for day in range(first_day, first_day + days):
        if day in by_day:
            block, k = by_day[day]
            around = [near for near in range(day - AROUND_DAYS, day + AROUND_DAYS + 1) if near in by_day]
            lights = np.array([by_day[near][0].brightness[by_day[near][1]] for near in around])
            rank = (np.count_nonzero(lights < block.brightness[k]) + 0.5) / lights.size
            falls = block.t_mean_c[k] < SNOW_BELOW_C and rank < _wet_share(place, day)
            found.append(SnowDay(day, block.sky.day(k), _moment(seed, day) if falls else None))
    return found


def _wet_share(place: Place, day: int) -> float:
    """Share of a month's days with precipitation."""
    assert place.weather.precipitation_days is not None  # the site sees to it
    date = sun.date_of(day)
    length = monthrange(date.year, date.month)[1]
    return in_month(place.weather.precipitation_days, date.month - 1) / length


def _moment(seed: int, day: int) -> int:
    chance = generator(seed, RandomStream.SNOWFALL, day)
    return int(chance.integers(DAY_S // GRID_S))


def _blocks(place: Place, seed: int, first_day: int, days: int) -> Iterator[_CoarseDays]:
    """The blocks that hold some days, each made once while it is asked for again and again."""
    file = place.weather.file
    stamp = None if file is None else (os.stat(file).st_mtime_ns, os.stat(file).st_size)
    sky = place.sky.model_dump_json()  # its mapping of constants can't be a key
    for number in range(first_day // _BLOCK_DAYS, (first_day + days - 1) // _BLOCK_DAYS + 1):
        block = _block(place.location, sky, place.weather, seed, number, stamp)
        if block is not None:
            yield block


@lru_cache(maxsize=6)
def _block(
    location: Location,
    sky_json: str,
    weather: Weather,
    seed: int,
    number: int,
    _stamp: tuple[int, int] | None,
) -> _CoarseDays | None:
    place = Place.model_construct(location=location, sky=Sky.model_validate_json(sky_json), weather=weather)
    first, last = number * _BLOCK_DAYS, (number + 1) * _BLOCK_DAYS - 1
    if (source := source_of(place)) is not None:
        begin_s, end_s = source.span_utc_s
        if np.isfinite(begin_s):
            first = max(first, sun.day_of(begin_s, location.longitude_deg))
            last = min(last, sun.day_of(end_s - 1.0, location.longitude_deg))
    if first > last:
        return None
    sky = sky_block(place, seed, first, last - first + 1, GRID_S)
    light, clear = sky.ghi_w_m2.sum(axis=1), sky.sun.ghi_w_m2.sum(axis=1)
    brightness = np.divide(light, clear, out=np.zeros_like(light), where=clear > 0.0)
    ties = [generator(seed, RandomStream.SNOWFALL, day, 1).random() for day in range(first, last + 1)]
    return _CoarseDays(sky, brightness + 1e-9 * np.array(ties), sky.t_amb_c.mean(axis=1))
