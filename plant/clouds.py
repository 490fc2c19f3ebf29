"""Clouds: how bright a day is, and how its light flickers, from (seed, day) alone.

A day's clearness comes from an AR(1) chain through Bendt's distribution (Graham & Hollands 1990; Bendt,
Collares-Pereira & Rabl 1981, with Herzog's gamma). Within the day a two-scale Gaussian process is mapped
onto a mixture of cloud and clear air, so that one-minute indices are bimodal as measured. Fitted to a
temperate summer month (BSRN Payerne, June 2016); other climates: change the constants.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, expit, logit, ndtr

from plant.chance import Stream, ar1, autoregressive, generator
from plant.clock import SKY_S
from plant.jit import kernel


class CloudModel(NamedTuple):
    """Constants of the intra-day model; the defaults are the fit named above."""

    day_to_day: float = 0.29  # lag-1 correlation of the daily clearness
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


K_MIN = 0.05  # darkest day: clearness index
K_DAY_MAX = 1.03  # brightest day: clear-sky index
_INDEX = np.arange(0.0, 1.6005, 0.001)
NORMAL_END = 8.0
_NORMAL = np.linspace(-NORMAL_END, NORMAL_END, 3201)


def bendt_gamma(k_mean: float) -> tuple[float, float]:
    """Herzog's gamma and the largest clearness of a month of mean clearness `k_mean` (0.3..0.75)."""
    k_max = 0.6313 + 0.267 * k_mean - 11.9 * (k_mean - 0.75) ** 8
    xi = (k_max - K_MIN) / (k_max - k_mean)
    gamma = -1.498 + (1.184 * xi - 27.182 * np.exp(-1.5 * xi)) / (k_max - K_MIN)
    return float(gamma), float(k_max)


def clearness_quantile(u: float, k_mean: float) -> float:
    """Daily clearness index at probability `u` in a month of mean clearness `k_mean`."""
    gamma, k_max = bendt_gamma(k_mean)
    return float(np.log((1.0 - u) * np.exp(gamma * K_MIN) + u * np.exp(gamma * k_max)) / gamma)


@lru_cache(maxsize=1024)
def daily_clearness(seed: int, day: int, k_mean: float, model: CloudModel) -> float:
    """Clearness index K_T of one day: global irradiation over that above the atmosphere."""
    z = ar1(seed, Stream.CLEARNESS, day, 1, model.day_to_day)[0]
    return clearness_quantile(float(ndtr(z)), k_mean)


def clear_sky_index(
    seed: int, day: int, k_day: float, clear_ghi: np.ndarray, model: CloudModel
) -> np.ndarray:
    """Clear-sky index on the 10 s grid of a day.

    Parameters
    ----------
    seed, day : int
    k_day : float
        Daily clear-sky index: what the day's global irradiation must be, over that of a clear day.
    clear_ghi : (n,) array
        Clear-sky global irradiance [W/m2] on the day's grid; 0 at night.
    model : CloudModel

    Returns
    -------
    (n,) array
        Weighted by `clear_ghi` its mean is `k_day`, whatever the seed. 1 at night.
    """
    index = np.ones_like(clear_ghi)
    lit = np.flatnonzero(clear_ghi > 0.0)
    if lit.size < 2:
        return index
    span = slice(lit[0], lit[-1] + 1)
    weight = clear_ghi[span]
    z = _two_scales(generator(seed, Stream.CLOUDS, day), weight.size, model)
    brightness = _brightness_of_normal(k_day, model)
    total = weight.sum()

    def excess(shift: float) -> float:
        return float(weight @ _looked_up(z, shift, brightness) / total) - k_day

    low, high = _bracket(excess)
    shift = brentq(excess, low, high, xtol=1e-14, rtol=1e-14)
    index[span] = _looked_up(z, shift, brightness)
    return index


@kernel
def _looked_up(z: np.ndarray, shift: float, brightness: np.ndarray) -> np.ndarray:
    """Brightness at ``z + shift``, linear on the even grid `_NORMAL`."""
    out = np.empty_like(z)
    last = brightness.size - 1
    scale = last / (2.0 * NORMAL_END)
    for n in range(z.size):
        place = min(max((z[n] + shift + NORMAL_END) * scale, 0.0), last - 1e-9)
        cell = int(place)
        out[n] = brightness[cell] + (place - cell) * (brightness[cell + 1] - brightness[cell])
    return out


def _bracket(excess: Callable[[float], float]) -> tuple[float, float]:
    """A shift that is too dark and one that is too bright."""
    low, high = -1.0, 1.0
    while excess(low) > 0.0 and low > -16.0:
        low *= 2.0
    while excess(high) < 0.0 and high < 16.0:
        high *= 2.0
    return low, high


def _two_scales(rng: np.random.Generator, n: int, model: CloudModel) -> np.ndarray:
    """A standard normal series of `n` points: slow weather plus passing clouds.

    The fast part is a double-root AR(2) (like a Matern-3/2 process), smooth at seconds where an AR(1) would
    jitter.
    """
    speed = np.exp(model.speed_spread * rng.standard_normal())
    share = expit(logit(model.fast_share) + model.fast_spread * rng.standard_normal())
    slow_r = np.exp(-SKY_S / model.slow_s)
    shocks = rng.standard_normal(n)
    shocks[0] /= np.sqrt(1.0 - slow_r * slow_r)  # start stationary
    slow = autoregressive(shocks, slow_r, 0.0)
    r = np.exp(-SKY_S / (model.fast_s * speed))
    warm_up = int(np.ceil(8.0 * model.fast_s * speed / SKY_S))
    fast = autoregressive(rng.standard_normal(n + warm_up), 2.0 * r, -r * r)[warm_up:]
    return np.asarray(np.sqrt(1.0 - share) * slow + np.sqrt(share) * fast)


def _brightness_of_normal(k_day: float, model: CloudModel) -> np.ndarray:
    """Clear-sky index at each point of the standard normal grid, for a day of index `k_day`."""
    span = model.clear_index - model.overcast_index
    sunny = float(np.clip((k_day - model.overcast_index) / span, 0.0, 0.985))
    broken = 4.0 * sunny * (1.0 - sunny)
    edge = model.edge_share * broken
    mean = float(np.clip((k_day - sunny * (1.0 + model.edge_gain * edge)) / (1.0 - sunny), 0.06, 0.85))
    concentration = 1.0 / model.cloud_variance - 1.0
    cloudy = betainc(mean * concentration, (1.0 - mean) * concentration, np.minimum(_INDEX, 1.0))
    spread = model.clear_spread * (1.0 + 2.0 * broken)
    above = np.maximum(_INDEX - 1.0, 0.0)
    clear = (1.0 - edge) * ndtr((_INDEX - 1.0) / spread) + edge * (1.0 - np.exp(-above / model.edge_gain))
    distribution = (1.0 - sunny) * cloudy + sunny * clear
    distribution /= distribution[-1]
    # strictly increasing, so that the inverse is a function
    distribution = np.maximum.accumulate(distribution) + np.linspace(0.0, 1e-12, _INDEX.size)
    return np.asarray(np.interp(ndtr(_NORMAL), distribution, _INDEX))
