"""Snow on modules: it covers them whole where it falls, and slides off by sun and warmth; any day can be made alone.

Source: Marion, Schaefer, Caine & Sanchez, Solar Energy 97 (2013) 112, with the constants of their fit to roofs in
Colorado and Wisconsin, as in pvlib's `snow.coverage_nrel`; a string with any snow on it gives nothing (`dc_loss_nrel`
with one string along the slope). They watch snowfall by the hour; here it falls as `plant.weather.snowfall` has it.
Melting stands in for their look at the snow on the ground, which isn't known: else a level module would never be
rid of it.
"""

import math

import numpy as np

from plant.array.parts import MARION, Array, SubArray
from plant.base.clock import DAY_S
from plant.weather.place import Place
from plant.weather.sky import SkyBlock, plane_of_array
from plant.weather.snowfall import GRID_S, SnowDay, snow_days
from plant.weather.steps.means import SkyMeans
from plant.weather.sun import month_of

CAN_SLIDE_W_M2_K = -80.0  # it slides where the air is warmer than the irradiance of the plane over this
SLIDES_PER_H = 0.197  # share of the slope, of a vertical plane
# 10 mm of water in new snow, 4 mm a day and kelvin above 0 degC [guess within Hock 2003's 2..6].
MELT_K_D = 2.5
LONGEST_DAYS = 30  # snow that old is gone: so a day has only so many before it to look at [guess]
STEPS = DAY_S // GRID_S


def snow_cover(part: SubArray, place: Place, seed: int, first_day: int, days: int) -> np.ndarray:
    """Share of a sub-array's slope under snow, (days, 1440): of each minute of solar days in a row.

    Parameters
    ----------
    part : SubArray
    place : Place
    seed : int
    first_day, days : int
        A day's values are the same in any span and alone.
    """
    seen = snow_days(place, seed, first_day - LONGEST_DAYS, LONGEST_DAYS + days)
    falls = [
        ((one.day - first_day) * STEPS + one.falls_at, one.day) for one in seen if one.falls_at is not None
    ]
    before = [at for at, _ in falls if at < 0]
    falls = [(at, day) for at, day in falls if at >= max(before, default=0)]  # new snow hides what was there
    cover = np.zeros(days * STEPS)
    if not falls:
        return cover.reshape(days, STEPS)
    begin = falls[0][1]
    lost = np.concatenate([_lost(part, place, one) for one in seen if one.day >= begin])
    origin = (begin - first_day) * STEPS
    ends = [at for at, _ in falls[1:]] + [days * STEPS]
    for (at, day), until in zip(falls, ends, strict=True):
        gone = min(until, (day - first_day + LONGEST_DAYS + 1) * STEPS)
        left = np.maximum(1.0 - np.cumsum(lost[at - origin : gone - origin]), 0.0)
        cover[max(at, 0) : max(gone, 0)] = left[max(-at, 0) :]
    return cover.reshape(days, STEPS)


def _lost(part: SubArray, place: Place, one: SnowDay) -> np.ndarray:
    """What slides off and melts in each minute of a day, as a share of the slope, (1440,)."""
    month = month_of(one.day)
    tilt = part.tilt_in(month)
    fallen = plane_of_array(one.sky, tilt, part.azimuth_deg, place.sky.albedo_in(month))
    light = (fallen["beam"] + fallen["sky"] + fallen["ground"])[:-1]
    t_amb = one.sky.t_amb_c[:-1]
    slides = SLIDES_PER_H * math.sin(math.radians(tilt)) * GRID_S / 3600.0
    melts = np.maximum(t_amb, 0.0) * GRID_S / DAY_S / MELT_K_D
    return np.asarray(np.where(t_amb > light / CAN_SLIDE_W_M2_K, slides, 0.0) + melts)


def snow_shadows(
    array: Array, place: Place, seed: int, sky: SkyBlock | SkyMeans
) -> tuple[np.ndarray | None, ...]:
    """Share of the light that snow takes from each sub-array, of the shape of the sky's own arrays; none without."""
    return tuple(
        _shadow(part, place, seed, sky) if part.losses.snow == MARION else None for part in array.parts
    )


def _shadow(part: SubArray, place: Place, seed: int, sky: SkyBlock | SkyMeans) -> np.ndarray:
    cover = snow_cover(part, place, seed, sky.first_day, sky.days)
    if isinstance(sky, SkyMeans):
        return np.asarray((cover > 0.0).reshape(*sky.ghi_w_m2.shape, -1).mean(axis=2))
    minute = np.minimum(np.arange(sky.ghi_w_m2.shape[1]) * sky.grid_s // GRID_S, STEPS - 1)
    return np.where(cover[:, minute] > 0.0, 1.0, 0.0)
