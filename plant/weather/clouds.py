"""Clouds: how the light of a day flickers, from (seed, day) and the day's brightness alone.

A two-scale Gaussian process (`plant.weather.cloudpath`) is mapped onto a mixture of cloud and clear air, so that
one-minute indices are bimodal as measured. Fitted to a temperate summer month (BSRN Payerne, June 2016); other
climates: change the constants. How bright the day is: `plant.weather.clearness`.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, ndtr

from plant.base.chance import RandomStream, generator
from plant.base.clock import SKY_S
from plant.base.jit import kernel
from plant.weather.cloudpath import CloudTimes, normal_path


class CloudModel(NamedTuple):
    """Constants of the intra-day model; the defaults are the fit named above."""

    speed_spread: float = 0.7  # log-normal spread of how fast clouds pass
    fast_share: float = 0.42  # median share of the fast process
    fast_spread: float = 1.9
    slow_s: float = 115.0 * 60.0
    fast_s: float = 3.5 * 60.0
    overcast_index: float = 0.34  # daily index at which no direct sun is left
    clear_index: float = 1.06  # and at which there is nothing but
    cloud_variance: float = 0.10
    edge_share: float = 0.55  # how often clear air near clouds is brighter than clear sky
    edge_gain: float = 0.15
    clear_spread: float = 0.008


_INDEX = np.arange(0.0, 1.6005, 0.001)
NORMAL_END = 8.0
GUARDED_FROM = 25  # rounds; mostly it takes five
CLOSED = 1e-13  # of a normal value: what a day's sum is then off by can't be told from rounding
_PROBABILITY = ndtr(np.linspace(-NORMAL_END, NORMAL_END, 3201))
_BELOW_CLEAR = 1001  # points of _INDEX up to 1, where cloud ends


def clear_sky_index(
    seed: int,
    day: int,
    k_day: float,
    clear_ghi: np.ndarray,
    model: CloudModel,
    grid_s: int = SKY_S,
    rng: np.random.Generator | None = None,
) -> np.ndarray:
    """Clear-sky index of a day on an even grid.

    Parameters
    ----------
    seed, day : int
    k_day : float
        Daily clear-sky index: what the day's global irradiation must be, over that of a clear day.
    clear_ghi : (86400 / grid_s + 1,) array
        Clear-sky global irradiance [W/m2] on the day's grid; 0 at night.
    model : CloudModel
    grid_s : int
        10 s, or a multiple of 60 s that divides a day. Clouds pass at the same moments on every grid.
    rng : Generator, optional
        Of the stream of clouds at the beginning of that day, where there is one already.

    Returns
    -------
    (n,) array
        Weighted by `clear_ghi` its mean is `k_day`, whatever the seed and the grid. 1 at night.
    """
    index = np.ones_like(clear_ghi)
    lit = np.flatnonzero(clear_ghi > 0.0)
    if lit.size < 2:
        return index
    span = slice(lit[0], lit[-1] + 1)
    weight = clear_ghi[span]
    rng = rng or generator(seed, RandomStream.CLOUDS, day)
    z = normal_path(seed, day, _pace(rng, model), rng, lit[0], lit[-1], grid_s)
    # the shape of the distribution changes in steps of 0.01; the shift below makes up for the rest
    brightness = _brightness_of_normal(round(k_day, 2), model)
    shift = _shift_to(weight.sum() * k_day, z, weight, brightness)
    index[span] = _looked_up(z, shift, brightness)
    return index


def _pace(rng: np.random.Generator, model: CloudModel) -> CloudTimes:
    """How fast this day's clouds pass, and how much of its weather they are."""
    speed = math.exp(model.speed_spread * rng.standard_normal())
    odds = math.log(model.fast_share / (1.0 - model.fast_share)) + model.fast_spread * rng.standard_normal()
    return CloudTimes(model.slow_s, model.fast_s * speed, 1.0 / (1.0 + math.exp(-odds)))


@kernel
def _looked_up(z: np.ndarray, shift: float, brightness: np.ndarray) -> np.ndarray:
    """Brightness at ``z + shift``, linear on the even grid of normal values up to `NORMAL_END` either side."""
    out = np.empty_like(z)
    last = brightness.size - 1
    scale = last / (2.0 * NORMAL_END)
    for n in range(z.size):
        place = min(max((z[n] + shift + NORMAL_END) * scale, 0.0), last - 1e-9)
        cell = int(place)
        out[n] = brightness[cell] + (place - cell) * (brightness[cell + 1] - brightness[cell])
    return out


@kernel
def _shift_to(total: float, z: np.ndarray, weight: np.ndarray, brightness: np.ndarray) -> float:
    """The shift with which the sum of `weight` times the brightness at ``z + shift`` is `total`.

    The sum is of straight pieces: Newton's steps, halving where one would lead out of what is known, and after many.
    """
    last = brightness.size - 1
    scale = last / (2.0 * NORMAL_END)
    low, high, shift = -2.0 * NORMAL_END, 2.0 * NORMAL_END, 0.0
    for count in range(100):
        excess, slope = -total, 0.0
        for n in range(z.size):
            place = min(max((z[n] + shift + NORMAL_END) * scale, 0.0), last - 1e-9)
            cell = int(place)
            rise = brightness[cell + 1] - brightness[cell]
            excess += weight[n] * (brightness[cell] + (place - cell) * rise)
            slope += weight[n] * rise
        if excess > 0.0:
            high = shift
        else:
            low = shift
        tried = shift - excess / (slope * scale)
        if count >= GUARDED_FROM or not low < tried < high:
            tried = 0.5 * (low + high)
        step = abs(tried - shift)
        shift = tried
        if step < CLOSED:
            break
    return shift


@lru_cache(maxsize=256)
def _brightness_of_normal(k_day: float, model: CloudModel) -> np.ndarray:
    """Clear-sky index at each point of the standard normal grid, for a day of index `k_day`."""
    span = model.clear_index - model.overcast_index
    sunny = float(np.clip((k_day - model.overcast_index) / span, 0.0, 0.985))
    broken = 4.0 * sunny * (1.0 - sunny)
    edge = model.edge_share * broken
    mean = float(np.clip((k_day - sunny * (1.0 + model.edge_gain * edge)) / (1.0 - sunny), 0.06, 0.85))
    concentration = 1.0 / model.cloud_variance - 1.0
    cloudy = np.ones_like(_INDEX)
    cloudy[:_BELOW_CLEAR] = betainc(
        mean * concentration, (1.0 - mean) * concentration, np.minimum(_INDEX[:_BELOW_CLEAR], 1.0)
    )
    spread = model.clear_spread * (1.0 + 2.0 * broken)
    above = np.maximum(_INDEX - 1.0, 0.0)
    clear = (1.0 - edge) * ndtr((_INDEX - 1.0) / spread) + edge * (1.0 - np.exp(-above / model.edge_gain))
    distribution = (1.0 - sunny) * cloudy + sunny * clear
    distribution /= distribution[-1]
    # strictly increasing, so that the inverse is a function
    distribution = np.maximum.accumulate(distribution) + np.linspace(0.0, 1e-12, _INDEX.size)
    return np.asarray(np.interp(_PROBABILITY, distribution, _INDEX))
