"""Makes the step means of a place's sky: those of the fine path itself, at a tenth of its cost.

The light is that of points 60 s apart, so a sizing run by the hour has the clouds of one by the minute with the same
seed. What costs least is what all seeds share, the cloudless sky, and that is kept.
"""

from functools import lru_cache

import numpy as np

from plant.base.clock import DAY_S
from plant.base.jit import kernel
from plant.weather import sun
from plant.weather.place import Location, Place
from plant.weather.sky import air_of_days, drawn_clearness, light_under, source_of
from plant.weather.steps.columns import packed
from plant.weather.steps.means import SkyMeans, unpacked_sky
from plant.weather.steps.suns import BLOCK_DAYS, GRID_S, step_means
from plant.weather.sun import ClearBlock

LIGHT_S = 60  # between the points that light is the mean of
SHORTEST_STEP_S = 900  # below that a sky of points is as cheap, and better


def sky_means(place: Place, seed: int, first_day: int, days: int, step_s: int = 3600) -> SkyMeans:
    """The sky of some days as means over steps.

    Parameters
    ----------
    place : Place
        Location, sky and weather; a `Site` is one.
    seed : int
        Same seed, same sky; that of `sky_block` on its grid of 60 s.
    first_day, days : int
        Solar days, counted since 1970-01-01; see `sun.day_of`. About a year at a time costs least.
    step_s : int
        900, 1200, 1800 or 3600 s.

    Returns
    -------
    SkyMeans
        A day's bits are the same in any span and alone.

    Raises
    ------
    ProblemsError
        If the place's weather file can't be used, or holds nothing for these days.
    """
    return unpacked_sky(packed_days(place, seed, first_day, days, step_s), place, first_day, step_s)


def packed_days(place: Place, seed: int, first_day: int, days: int, step_s: int) -> np.ndarray:
    """What `sky_means` is made of, (days,) of `columns.day_type`, to be kept."""
    if step_s < SHORTEST_STEP_S or step_s % GRID_S or DAY_S % step_s:
        raise ValueError(
            f"steps must be a multiple of {GRID_S} s from {SHORTEST_STEP_S} s up, got {step_s} s"
        )
    drawn = drawn_clearness(place, seed, first_day, days)
    source = source_of(place)
    ghi, beam = np.empty((days, DAY_S // step_s)), np.empty((days, DAY_S // step_s))
    for first in range(0, days, BLOCK_DAYS):
        n = min(BLOCK_DAYS, days - first)
        clear = _clear(place.location, first_day + first, n)
        own = None if drawn is None else drawn[first : first + n + 2]
        _index, ghi_points, dni = light_under(clear, place, seed, first_day + first, own, LIGHT_S, source)
        ghi[first : first + n] = step_means(ghi_points, step_s // LIGHT_S)
        beam[first : first + n] = _beam_means(dni, ghi_points, clear.lit, clear.cos_zenith, step_s // LIGHT_S)
    grid_s = GRID_S if source is None else LIGHT_S  # rows of a file may be a minute apart
    air = air_of_days(place, seed, first_day, days, drawn, grid_s, source)
    return packed(step_s, ghi, beam, *(step_means(points, step_s // grid_s) for points in air))


@kernel
def _beam_means(
    dni: np.ndarray, ghi: np.ndarray, lit: np.ndarray, cos_zenith: np.ndarray, per: int
) -> np.ndarray:
    """Direct light on the level [W/m2], (days, steps), by the rule of `step_means`; never more than all of it."""
    days, points = dni.shape
    steps = (points - 1) // per
    out = np.zeros((days, steps))
    for n in range(lit.size):
        d, k = divmod(lit[n], points)
        share = min(dni[d, k] * cos_zenith[n], ghi[d, k]) / per
        step, within = divmod(k, per)
        if within:
            out[d, step] += share
            continue
        if step > 0:
            out[d, step - 1] += 0.5 * share
        if step < steps:
            out[d, step] += 0.5 * share
    return out


@lru_cache(maxsize=13)  # a year and a bit of one place; 2.6 MB each
def _clear(location: Location, first_day: int, days: int) -> ClearBlock:
    return sun.clear_block(first_day, days, location, LIGHT_S)
