"""Counter-based random generators, one for each (seed, stream, day).

Philox turns key and counter into numbers without a history, so any day can be made without the days
before it, and one stream never disturbs another.
"""

from enum import IntEnum
from functools import lru_cache

import numpy as np

from plant.base.jit import kernel

SHOCK_DAYS = 64  # drawn in one go


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
    SENSORS = 41


def generator(seed: int, stream: RandomStream, day: int, part: int = 0) -> np.random.Generator:
    """The generator of one stream, or of one part of it, on one day (days since 1970-01-01, any sign)."""
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, int(stream)], dtype=np.uint64)
    counter = np.array([0, 0, part, day & 0xFFFF_FFFF], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


class Dealer:
    """One stream's generator, put where any day begins: what `generator` draws there, at a tenth of its cost."""

    def __init__(self, seed: int, stream: RandomStream) -> None:
        self._rng = generator(seed, stream, 0)
        self._start = self._rng.bit_generator.state

    def on(self, day: int) -> np.random.Generator:
        """The generator at the beginning of a day. It is always the same object: draw before asking again."""
        self._start["state"]["counter"][3] = day & 0xFFFF_FFFF
        self._rng.bit_generator.state = self._start
        return self._rng


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
    shocks = _shocks(seed, stream, first_day - back, back + days, per_day)
    return _day_by_day(shocks, back * per_day, per_day, phi)


@kernel
def _day_by_day(shocks: np.ndarray, before: int, per_day: int, phi: float) -> np.ndarray:
    """Each day's values, filtered from rest over the `before` shocks before them and their own."""
    out = np.empty(shocks.size - before)
    gain = np.sqrt(1.0 - phi * phi)
    for start in range(0, out.size, per_day):
        x = 0.0
        for n in range(start, start + before + per_day):
            x = phi * x + gain * shocks[n]
            if n >= start + before:
                out[n - before] = x
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
    return _remembered(_shocks(seed, stream, first_day - back, back + phis.size, 1), phis)


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


def _shocks(seed: int, stream: RandomStream, first_day: int, days: int, per_day: int) -> np.ndarray:
    """The innovations of some days, (days * per_day,). Neighbouring days share most of them, so they are kept."""
    numbers = range(first_day // SHOCK_DAYS, (first_day + days - 1) // SHOCK_DAYS + 1)
    whole = np.concatenate([_shock_block(seed, stream, number, per_day) for number in numbers])
    start = (first_day - numbers[0] * SHOCK_DAYS) * per_day
    return whole[start : start + days * per_day]


@lru_cache(maxsize=64)
def _shock_block(seed: int, stream: RandomStream, number: int, per_day: int) -> np.ndarray:
    dealer = Dealer(seed, stream)
    days = range(number * SHOCK_DAYS, (number + 1) * SHOCK_DAYS)
    return np.concatenate([dealer.on(day).standard_normal(per_day) for day in days])
