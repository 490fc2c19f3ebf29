"""How well some weather years tell a mean: intervals by drawing years anew, and what so few years can't tell."""

import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

RESAMPLES: Final = 2000
LEVEL: Final = 0.95
KEY: Final = (0x5EED, 0xB007)  # one for all: designs that are compared share their draws
# What was not seen in n independent years comes less often than 3 / n a year, 95 %.
RULE_OF_THREE: Final = 3.0
DAYS_PER_YEAR: Final = 365.0


class Estimate(NamedTuple):
    """What the years tell of a metric.

    Parameters
    ----------
    value : float
        Over all years; nan where nothing of the kind came.
    low, high : float
        95 % interval over weather years; nan where there is none, equal to the value where no year changes it.
    years : int
    finest : float
        Nothing smaller than this can be told from so many years; 0 for no such limit.
    """

    value: float
    low: float
    high: float
    years: int
    finest: float = 0.0


@lru_cache(maxsize=16)
def weights(years: int) -> np.ndarray:
    """How much each year counts, (RESAMPLES + 1, years): all alike in the first row, drawn with replacement below."""
    rng = np.random.Generator(np.random.Philox(key=np.array(KEY, dtype=np.uint64)))
    drawn = rng.integers(0, years, (RESAMPLES, years))
    times = np.zeros((RESAMPLES + 1, years))
    times[0] = 1.0
    np.add.at(times[1:], (np.arange(RESAMPLES)[:, None], drawn), 1.0)
    return times / years


def resampled_means(by_year: np.ndarray) -> np.ndarray:
    """Means over the years and over each draw of them.

    Parameters
    ----------
    by_year : (years, columns) array

    Returns
    -------
    (RESAMPLES + 1, columns) array
        First the mean over all years.
    """
    # Not a matrix product: a library for those may add up in another order on another machine.
    return np.asarray(np.einsum("ry,yc->rc", weights(len(by_year)), by_year, optimize=False))


def interval(values: np.ndarray) -> tuple[float, float]:
    """Percentiles that 95 % of the draws lie between; nan where the metric is not defined on most of them.

    Parameters
    ----------
    values : (draws,) array
    """
    defined = values[np.isfinite(values)]
    if 2 * defined.size < values.size:
        return math.nan, math.nan
    low, high = np.percentile(defined, [50.0 - 50.0 * LEVEL, 50.0 + 50.0 * LEVEL])
    return float(low), float(high)


def share_interval(times: int, years: int) -> tuple[float, float]:
    """Exact interval (Clopper and Pearson) of the chance of what came in so many of the years.

    Drawing years anew would find certainty in what came in all of them, or in none.
    """
    from scipy.special import betaincinv

    out = 0.5 * (1.0 - LEVEL)
    low = 0.0 if times == 0 else float(betaincinv(times, years - times + 1, out))
    high = 1.0 if times == years else float(betaincinv(times + 1, years - times, 1.0 - out))
    return low, high


def finest_share(years: int) -> float:
    """Smallest share of a year's demand or hours that so many years can tell, rounded up to 1, 2 or 5.

    A year that loses a day may come as often as the rule of three lets it and still not have been seen: less than
    3 / (365 years) is not told apart from nothing.
    """
    return rounded_up(RULE_OF_THREE / years / DAYS_PER_YEAR)


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10 ... at or above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * (1.0 - 1e-12))
