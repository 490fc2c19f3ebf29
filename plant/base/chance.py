"""Chance that comes in by the door: one counter-based generator per (seed, stream, day).

Philox turns key and counter into numbers without a history, so any day can be made without the days
before it, and one stream never disturbs another.
"""

from enum import IntEnum
from functools import lru_cache

import numpy as np

from plant.base.jit import kernel


class RandomStream(IntEnum):
    """Independent sources of chance. The numbers are part of every recorded run: never reuse one."""

    CLEARNESS = 1
    CLOUDS = 2
    TEMPERATURE = 3
    WIND = 4
    LOAD = 5
    CLEARNESS_SLOW = 6
    SNOWFALL = 7
    CLOUDS_BETWEEN = 21
    LINE = 31


def generator(seed: int, stream: RandomStream, day: int, part: int = 0) -> np.random.Generator:
    """The generator of one stream, or of one part of it, on one day (days since 1970-01-01, any sign)."""
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, int(stream)], dtype=np.uint64)
    counter = np.array([0, 0, part, day & 0xFFFF_FFFF], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def ar1(
    seed: int, stream: RandomStream, first_day: int, days: int, phi: float, per_day: int = 1
) -> np.ndarray:
    """A stationary first-order autoregressive series that any day can compute for itself.

    Parameters
    ----------
    seed, stream : the source of chance
    first_day, days : int
        Span of days wanted.
    phi : float
        Correlation from one value to the next, 0..1 (excluded).
    per_day : int
        Values a day.

    Returns
    -------
    (days * per_day,) array
        Zero mean, unit variance.

    Notes
    -----
    The filter starts far enough back (phi^n < 1e-16) that what stood before can't be seen. Each day is
    filtered on its own, so its values are the same bits whichever span is asked for.
    """
    memory = int(np.ceil(np.log(1e-16) / np.log(phi)))
    back = -(-memory // per_day)
    shocks = np.concatenate(
        [_shocks(seed, stream, day, per_day) for day in range(first_day - back, first_day + days)]
    )
    out = np.empty(days * per_day)
    for i in range(days):
        window = shocks[i * per_day : (i + back + 1) * per_day]
        out[i * per_day : (i + 1) * per_day] = autoregressive(window, phi, 0.0)[-per_day:]
    return out


def varying_ar1(
    seed: int, stream: RandomStream, first_day: int, phis: np.ndarray, phi_most: float
) -> np.ndarray:
    """One value a day of a first-order autoregressive series whose memory may change from day to day.

    Parameters
    ----------
    seed, stream : the source of chance
    first_day : int
    phis : (days,) array
        Coefficient of each day, 0 to `phi_most`.
    phi_most : float
        Largest that may come, below 1.

    Returns
    -------
    (days,) array
        Zero mean, unit variance. Each day filters the shocks before it with its own coefficient, as far back as can be
        seen (phi^n < 1e-16), so its bits are the same whichever span is asked for.
    """
    back = int(np.ceil(np.log(1e-16) / np.log(phi_most)))
    days = range(first_day - back, first_day + phis.size)
    return _remembered(np.concatenate([_shocks(seed, stream, day, 1) for day in days]), phis)


@kernel
def _remembered(shocks: np.ndarray, phis: np.ndarray) -> np.ndarray:
    """``x = phi x + sqrt(1 - phi^2) shock`` up to each of the last days, (days,), with each day's own phi."""
    out = np.empty_like(phis)
    start = shocks.size - phis.size
    for i in range(phis.size):
        phi = phis[i]
        gain = np.sqrt(1.0 - phi * phi)
        x, weight, n = 0.0, gain, start + i
        while n >= 0 and weight > 1e-16 * gain:
            x += weight * shocks[n]
            weight *= phi
            n -= 1
        out[i] = x
    return out


@lru_cache(maxsize=1024)
def _shocks(seed: int, stream: RandomStream, day: int, per_day: int) -> np.ndarray:
    """The innovations of one day. Neighbouring days share most of them, so they are kept."""
    return generator(seed, stream, day).standard_normal(per_day)


@kernel
def autoregressive(shocks: np.ndarray, a1: float, a2: float) -> np.ndarray:
    """``x[n] = a1 x[n-1] + a2 x[n-2] + gain shocks[n]`` from rest, with the gain that makes its variance 1."""
    rho = a1 / (1.0 - a2)
    gain = np.sqrt((1.0 - a2 * a2) * (1.0 - rho * rho))
    out = np.empty_like(shocks)
    one, two = 0.0, 0.0
    for n in range(shocks.size):
        one, two = a1 * one + a2 * two + gain * shocks[n], one
        out[n] = one
    return out
