"""How bright days are, one after another: the daily clearness index from (seed, day) and twelve monthly means.

Clearness is the global irradiation of a day on the level over that above the air. A day's is drawn from a beta
distribution whose width was measured at seventeen places, through a chain with two memories. Knows nothing of what
happens within a day.

Source: daily series of KNMI, MeteoSwiss, FMI, AZMET, ICRISAT, IRRI, CIAT and the weather files of DSSAT (17 places
between 34 S and 64 N, 3 to 52 years each), analysed for this project; `validation/skydays.py` sets the model beside
them. Monthly means between 0.24 and 0.68 were measured; those below 0.2 are extrapolated.
"""

import math

import numpy as np
from scipy.special import betaincinv, ndtr

from plant.base.chance import RandomStream, varying_ar1

K_LOW = 0.02  # the darkest days measured have 0.03 to 0.05
DARKEST_MONTH, BRIGHTEST_MONTH = 0.02, 0.75
# The chain: a share of its variance remembers for a week, the rest for a day or so.
SLOW_SHARE = 0.26
SLOW_PHI = 0.80
FROM_SLOW = SLOW_SHARE * SLOW_PHI  # correlation from one day to the next that the slow part brings by itself
FAST_PHI_MOST = 0.73
# The brightest days under a low sun: 1.3 times the clearness of a day without clouds in very clean air (Ineichen &
# Perez, Linke turbidity 2) at that height of the noon sun. At 7 deg (64 N in November) and 15 deg (52 N in December)
# one measured day in twenty reaches 1.0 times it, one in a hundred 1.15 to 1.5 times. Above 20 deg it limits nothing.
NOON_DEG = (0.0, 2.0, 5.0, 8.0, 11.0, 15.0, 20.0, 30.0)
K_BRIGHTEST = (0.06, 0.21, 0.42, 0.57, 0.67, 0.755, 0.82, 0.85)
ABOVE_MEAN = 1.1  # and whatever the sun, days this much brighter than their season must be


def lag_one(k_mean: np.ndarray) -> np.ndarray:
    """Correlation of the normal chain from a day to the next, by the season's mean clearness; r.m.s. error 0.105."""
    return np.clip(0.016 + 0.74 * k_mean, 0.25, 0.60)


def chain(seed: int, first_day: int, correlations: np.ndarray) -> np.ndarray:
    """Standard normal values of days in a row, (days,).

    Parameters
    ----------
    seed, first_day : int
        A day's value is the same whichever span is asked for.
    correlations : (days,) array
        Of each day with the next, 0.21..0.75.

    Notes
    -----
    The sum of two AR(1) chains, for measured correlations stand above the powers of the first: 0.36, 0.20, 0.13 after
    one, two, three days on average over all places. The quick chain's memory follows the season.
    """
    fast_phi = np.clip((correlations - FROM_SLOW) / (1.0 - SLOW_SHARE), 0.0, FAST_PHI_MOST)
    slow_phi = np.full(correlations.size, SLOW_PHI)
    slow = varying_ar1(seed, RandomStream.CLEARNESS_SLOW, first_day, slow_phi, SLOW_PHI)
    fast = varying_ar1(seed, RandomStream.CLEARNESS, first_day, fast_phi, FAST_PHI_MOST)
    return np.asarray(math.sqrt(SLOW_SHARE) * slow + math.sqrt(1.0 - SLOW_SHARE) * fast)


def spread(k_mean: np.ndarray, latitude_deg: float) -> np.ndarray:
    """Standard deviation of daily clearness in a month; narrower in the tropics. R.m.s. error of a month 0.020.

    Where the tropics end: days at Hyderabad (17.5 deg) are as narrow as any in the tropics, those at Faisalabad and
    Maricopa (31 and 33 deg) as wide as beyond. No place was measured in between, but PVGIS's off-grid results at Maputo
    (26 deg S; `validation/pvgis.py`) need the full width: at half of it days full are 5 to 7 points too many.
    """
    beyond_tropics = min(max((abs(latitude_deg) - 16.0) / 10.0, 0.0), 1.0)
    return np.asarray(
        0.016 + 0.636 * k_mean - 0.871 * k_mean * k_mean + beyond_tropics * (0.005 + 0.097 * k_mean)
    )


def noon_elevation_deg(days: np.ndarray, latitude_deg: float) -> np.ndarray:
    """Height of the sun at noon on days since 1970-01-01, to 0.2 deg; negative in the polar night.

    From the mean longitude with the equation of centre (Meeus 1998, ch. 25, cut short).
    """
    since_perihelion = 2.0 * np.pi * (days - 2.0) / 365.2422
    longitude = since_perihelion + 0.0334 * np.sin(since_perihelion) + np.radians(282.9)
    declination = np.degrees(np.arcsin(0.3978 * np.sin(longitude)))
    return np.asarray(90.0 - np.abs(latitude_deg - declination))


def quantile(
    u: np.ndarray, k_mean: np.ndarray, latitude_deg: float, noon_deg: np.ndarray | float = 90.0
) -> np.ndarray:
    """Daily clearness index at probabilities.

    Parameters
    ----------
    u : array
        0..1.
    k_mean : array
        The season's mean clearness, 0.02..0.75: the mean of the distribution exactly.
    latitude_deg : float
    noon_deg : array or float
        Height of the sun at noon.

    Notes
    -----
    A beta distribution from 0.02 (less in months nearly as dark) to 0.03 above ``0.56 + 0.33 k_mean``, that within
    0.60..0.82, or to what so low a sun can give. Where there isn't room for the spread, it takes what 0.6 of the
    largest variance allows.
    """
    low = np.minimum(K_LOW, 0.4 * k_mean)
    under_low_sun = np.maximum(np.interp(noon_deg, NOON_DEG, K_BRIGHTEST), ABOVE_MEAN * k_mean)
    high = np.minimum(np.clip(0.56 + 0.33 * k_mean, 0.60, 0.82) + 0.03, under_low_sun)
    room = (k_mean - low) * (high - k_mean)
    sd = spread(k_mean, latitude_deg)
    both = room / np.minimum(sd * sd, 0.6 * room) - 1.0
    share = (k_mean - low) / (high - low)
    return np.asarray(low + (high - low) * betaincinv(share * both, (1.0 - share) * both, u))


def daily_clearness(
    seed: int, first_day: int, k_means: np.ndarray, correlations: np.ndarray, latitude_deg: float
) -> np.ndarray:
    """Clearness index of days in a row, (days,).

    Parameters
    ----------
    seed, first_day : int
    k_means : (days,) array
        Mean clearness of the season on each day.
    correlations : (days,) array
        Of each day with the next, see `lag_one`.
    latitude_deg : float
        The distribution is narrower in the tropics, and ends lower under a low sun.
    """
    noon_deg = noon_elevation_deg(np.arange(first_day, first_day + k_means.size), latitude_deg)
    return quantile(ndtr(chain(seed, first_day, correlations)), k_means, latitude_deg, noon_deg)
