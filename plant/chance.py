"""Chance that comes in by the door: one counter-based generator per (seed, stream, day).

Philox turns key and counter into numbers without a history, so any day can be made without the days
before it, and one stream never disturbs another.
"""

from enum import IntEnum

import numpy as np
from scipy.signal import lfilter


class Stream(IntEnum):
    """Independent sources of chance. The numbers are part of every recorded run: never reuse one."""

    CLEARNESS = 1
    CLOUDS = 2
    TEMPERATURE = 3
    WIND = 4
    LOAD = 5


def generator(seed: int, stream: Stream, day: int) -> np.random.Generator:
    """The generator of one stream on one day (days since 1970-01-01, any sign)."""
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF, int(stream)], dtype=np.uint64)
    counter = np.array([0, 0, 0, day & 0xFFFF_FFFF], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def ar1(seed: int, stream: Stream, first_day: int, days: int, phi: float, per_day: int = 1) -> np.ndarray:
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
        [
            generator(seed, stream, day).standard_normal(per_day)
            for day in range(first_day - back, first_day + days)
        ]
    )
    gain = np.sqrt(1.0 - phi * phi)
    out = np.empty(days * per_day)
    for i in range(days):
        window = shocks[i * per_day : (i + back + 1) * per_day]
        out[i * per_day : (i + 1) * per_day] = lfilter([gain], [1.0, -phi], window)[-per_day:]
    return out
