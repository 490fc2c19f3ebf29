"""Clouds: how the light of a day flickers, from (seed, day) and the day's brightness alone.

A two-scale Gaussian process (`plant.weather.cloudpath`) is mapped onto brightness. On a broken day a level of it parts
cloud from clear air; the air next to a cloud is the brightest, so that an edge leaps from shade to more than clear sky,
as measured. Other days, most of all under a low sun, have thin cloud of one brightness. Fitted to minutes of BSRN
Payerne (46.8 N, June 2016) and DTU Lyngby (55.8 N, five months of 2015); other climates: change the constants. How
bright the day is: `plant.weather.clearness`.
"""

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import betainc, ndtr, ndtri

from plant.base.chance import RandomStream, generator
from plant.base.clock import SKY_S
from plant.base.jit import kernel
from plant.weather.cloudpath import CloudTimes, normal_path


class CloudModel(NamedTuple):
    """Constants of the intra-day model, fitted together to the months named above, but for those marked [guess]."""

    speed_spread: float = 0.5  # log-normal spread of how fast clouds pass
    fast_share: float = 0.115  # median share of the fast process
    fast_spread: float = 5.0
    slow_s: float = 9600.0
    fast_s: float = 820.0
    overcast_index: float = 0.35  # daily index at which no direct sun is left
    clear_index: float = 1.02  # and at which there is nothing but
    cloud_variance: float = 0.11  # over m (1 - m), m the mean index of cloud
    edge_share: float = 0.8  # how often clear air near clouds is brighter than clear sky
    edge_gain: float = 0.16  # by how much, on average
    edge_width: float = 0.28  # in which cloud thins out, over the spread of the process
    clear_spread: float = 0.008
    uniform_share: float = 0.04  # of days of one thin cloud, under a high sun
    uniform_share_low_sun: float = 0.57
    uniform_variance: float = 0.025  # over m (1 - m), m the day's index over the brightest there is
    high_sun_w_m2: float = 650.0  # clear-sky irradiance at noon, of a sun at 40 deg [guess]
    low_sun_w_m2: float = 150.0  # at 11 deg, as in the darkest month of the fit


# What a site may set each constant to.
LIMITS: Mapping[str, tuple[float, float]] = {
    "speed_spread": (0.0, 2.0), "fast_share": (0.001, 0.999), "fast_spread": (0.0, 20.0), "slow_s": (60.0, 1e6),
    "fast_s": (10.0, 1e5), "overcast_index": (0.0, 0.85), "clear_index": (0.9, 1.3), "cloud_variance": (0.001, 0.9),
    "edge_share": (0.0, 1.0), "edge_gain": (0.0, 0.5), "edge_width": (0.0, 4.0), "clear_spread": (0.0, 0.1),
    "uniform_share": (0.0, 1.0), "uniform_share_low_sun": (0.0, 1.0), "uniform_variance": (0.001, 0.9),
    "high_sun_w_m2": (301.0, 1400.0), "low_sun_w_m2": (0.0, 300.0),
}  # fmt: skip

_INDEX_END = 1.6
NORMAL_END = 8.0
GUARDED_FROM = 25  # rounds; mostly it takes five
CLOSED = 1e-13  # of a normal value: what a day's sum is then off by can't be told from rounding
_NORMAL = np.linspace(-NORMAL_END, NORMAL_END, 3201)
_PROBABILITY = ndtr(_NORMAL)
_CLOUD_INDEX = np.linspace(0.0, 1.0, 1001)
# Over the mean of what edges gain; with more, minutes would leap by more than the measured 1.0.
_BRIGHTEST_EDGE = 2.2
_UNIFORM_TOP = 1.05  # index of the brightest thin cloud
_UNIFORM_SLOPE = 4.0  # between uniform and broken days there are few


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
    pace, uniform = _weather(rng, float(clear_ghi[clear_ghi.size // 2]), model)
    z = normal_path(seed, day, pace, rng, lit[0], lit[-1], grid_s)
    # the shape of the distribution changes in steps of 0.01; the shift below makes up for the rest
    shape = round(k_day, 2)
    brightness = (1.0 - uniform) * _broken(shape, model) + uniform * _uniform(shape, model)
    shift = _shift_to(weight.sum() * k_day, z, weight, brightness)
    index[span] = _looked_up(z, shift, brightness)
    return index


def _weather(rng: np.random.Generator, noon_w_m2: float, model: CloudModel) -> tuple[CloudTimes, float]:
    """How fast this day's clouds pass, how much of its weather they are, and how uniform they are, 0 to 1.

    The irradiance of a clear noon tells how high the sun stands. Nothing that depends on it leaps, so a grid on which
    it is a little different has the same weather.
    """
    speed = math.exp(model.speed_spread * rng.standard_normal())
    odds = math.log(model.fast_share / (1.0 - model.fast_share)) + model.fast_spread * rng.standard_normal()
    high = min(max((noon_w_m2 - model.low_sun_w_m2) / (model.high_sun_w_m2 - model.low_sun_w_m2), 0.0), 1.0)
    share = model.uniform_share_low_sun + high * (model.uniform_share - model.uniform_share_low_sun)
    uniform = float(ndtr(_UNIFORM_SLOPE * (ndtri(share) - rng.standard_normal())))
    return CloudTimes(model.slow_s, model.fast_s * speed, 1.0 / (1.0 + math.exp(-odds))), uniform


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
def _broken(k_day: float, model: CloudModel) -> np.ndarray:
    """Clear-sky index at each point of the standard normal grid, for a broken day of index `k_day`.

    From low to high: cloud, its thin edge, the bright air next to it, clear air.
    """
    span = model.clear_index - model.overcast_index
    sunny = float(np.clip((k_day - model.overcast_index) / span, 0.0, 0.985))
    broken = 4.0 * sunny * (1.0 - sunny)
    edge = model.edge_share * (1.0 - sunny)
    mean = float(np.clip((k_day - sunny * (1.0 + model.edge_gain * edge)) / (1.0 - sunny), 0.06, 0.85))
    out = _cloud(np.minimum(_PROBABILITY / (1.0 - sunny), 1.0), mean, model.cloud_variance)
    clear = int(np.searchsorted(_PROBABILITY, 1.0 - sunny))
    bright = int(np.searchsorted(_PROBABILITY, 1.0 - sunny * (1.0 - edge)))
    if clear == out.size:
        return out
    into = (_PROBABILITY[clear:bright] - (1.0 - sunny)) / (sunny * max(edge, 1e-9))
    out[clear:bright] = 1.0 + model.edge_gain * np.minimum(-np.log(np.maximum(into, 1e-9)), _BRIGHTEST_EDGE)
    spread = model.clear_spread * (1.0 + 2.0 * broken)
    into = (_PROBABILITY[bright:] - (1.0 - sunny * (1.0 - edge))) / (sunny * max(1.0 - edge, 1e-9))
    out[bright:] = 1.0 + spread * ndtri(np.clip(into, 1e-9, 1.0 - 1e-9))
    out[-1] = _INDEX_END  # so that with any constants a day can be as bright as it must
    thins = int(np.searchsorted(_NORMAL, _NORMAL[clear] - model.edge_width))
    out[thins:clear] = np.linspace(out[thins], 1.0 + model.edge_gain, clear - thins)
    return np.asarray(np.minimum(out, _INDEX_END))


@lru_cache(maxsize=256)
def _uniform(k_day: float, model: CloudModel) -> np.ndarray:
    """The same for a day of one thin cloud."""
    mean = float(np.clip(k_day / _UNIFORM_TOP, 0.02, 0.98))
    return _UNIFORM_TOP * _cloud(_PROBABILITY, mean, model.uniform_variance)


def _cloud(probability: np.ndarray, mean: float, variance: float) -> np.ndarray:
    """Quantiles of a Beta distribution on 0..1 with this mean, and its variance over ``mean (1 - mean)``."""
    concentration = 1.0 / variance - 1.0
    distribution = betainc(mean * concentration, (1.0 - mean) * concentration, _CLOUD_INDEX)
    # strictly increasing, so that the inverse is a function
    distribution += np.linspace(0.0, 1e-12, _CLOUD_INDEX.size)
    return np.asarray(np.interp(probability, distribution, _CLOUD_INDEX))
