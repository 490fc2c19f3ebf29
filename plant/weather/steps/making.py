"""Makes the step means of a place's sky out of the fine path's own minutes.

So a sizing run by the hour has the clouds of one by the minute with the same seed. The cloudless sky, which all seeds
of a place share, is made once; a new seed then costs its random numbers and little else.
"""

import math
from functools import lru_cache

import numpy as np

from plant.base.clock import DAY_S
from plant.base.jit import kernel
from plant.weather import sun
from plant.weather.place import Location, Place
from plant.weather.sky import air_of_days, drawn_clearness, light_under, source_of
from plant.weather.steps.columns import LightMeans, packed
from plant.weather.steps.means import SkyMeans, unpacked_sky
from plant.weather.steps.suns import BLOCK_DAYS, GRID_S, step_means, step_suns
from plant.weather.sun import ClearBlock
from plant.weather.transposition import LOWEST_COS, MODELS, diffuse_split

LIGHT_S = 60  # between the points that light is the mean of
SAMPLE = 5  # the diffuse light of one in so many of them is looked into
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
        A multiple of 300 s, from 900 s up, that divides a day.

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
    blocks = []
    for first in range(0, days, BLOCK_DAYS):
        n = min(BLOCK_DAYS, days - first)
        clear = _clear(place.location, first_day + first, n)
        own = None if drawn is None else drawn[first : first + n + 2]
        _index, ghi, dni = light_under(clear, place, seed, first_day + first, own, LIGHT_S, source)
        blocks.append(_means_of(ghi, dni, clear, step_s // LIGHT_S, MODELS[place.sky.transposition]))
    light = LightMeans(*(np.concatenate(parts) for parts in zip(*blocks, strict=True)))
    grid_s = math.gcd(step_s, 900) if source is None else LIGHT_S  # rows of a file may be a minute apart
    air = air_of_days(place, seed, first_day, days, drawn, grid_s, source)
    return packed(step_s, light, *(step_means(points, step_s // grid_s) for points in air))


def _means_of(ghi: np.ndarray, dni: np.ndarray, clear: ClearBlock, per: int, model: int) -> LightMeans:
    """Means over steps of `per` minutes, each (days, n), of global and direct normal light at the minutes."""
    level = _on_level(dni, ghi, clear.lit, clear.cos_zenith)
    sampled, *parts = _diffuse_sums(
        ghi, level, dni, clear.zenith_deg, clear.airmass, clear.dni_extra_w_m2, per, model
    )
    whole, beam = step_means(ghi, per), step_means(level, per)
    scale = np.divide(whole - beam, sampled, out=np.zeros_like(whole), where=sampled > 0.0)
    return LightMeans(whole, beam, *(part * scale for part in parts))


@kernel
def _on_level(dni: np.ndarray, ghi: np.ndarray, lit: np.ndarray, cos_zenith: np.ndarray) -> np.ndarray:
    """Direct light on the level [W/m2], (days, n), never more than all of it."""
    out = np.zeros_like(dni)
    flat, normal, whole = out.ravel(), dni.ravel(), ghi.ravel()
    for n in range(lit.size):
        flat[lit[n]] = min(normal[lit[n]] * cos_zenith[n], whole[lit[n]])
    return out


@kernel
def _diffuse_sums(
    ghi: np.ndarray, level: np.ndarray, dni: np.ndarray, zenith_deg: np.ndarray, airmass: np.ndarray,
    extra: np.ndarray, per: int, model: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """The diffuse light of some minutes of each step, (days, steps): all of it, and its parts as in `LightMeans`.

    Every fifth minute will do, for it is shares that are wanted.
    """
    days, steps = ghi.shape[0], (ghi.shape[1] - 1) // per
    whole, around = np.zeros((days, steps)), np.zeros((days, steps))
    even, band = np.zeros((days, steps)), np.zeros((days, steps))
    for d in range(days):
        for step in range(steps):
            for k in range(step * per + SAMPLE // 2, (step + 1) * per, SAMPLE):
                dhi = ghi[d, k] - level[d, k]
                if dhi <= 0.0:
                    continue
                whole[d, step] += dhi
                if not airmass[d, k] > 0.0:  # twilight
                    even[d, step] += dhi
                    continue
                z = math.radians(zenith_deg[d, k])
                from_sun, from_band = diffuse_split(z, airmass[d, k], dni[d, k], dhi, extra[d], model)
                around[d, step] += dhi * from_sun / max(math.cos(z), LOWEST_COS[model])
                even[d, step] += dhi * (1.0 - from_sun)
                band[d, step] += dhi * from_band
    return whole, around, even, band


@lru_cache(maxsize=13)  # a year and a bit of one place; 2.6 MB each
def _clear(location: Location, first_day: int, days: int) -> ClearBlock:
    return sun.clear_block(first_day, days, location, LIGHT_S)


def forget_suns() -> None:
    """Give back the memory of all places' suns; the next sky makes its own anew."""
    _clear.cache_clear()
    step_suns.cache_clear()
