"""Air temperature and wind of days, made from monthly means and the days' brightness.

Temperature: the daily curve of Erbs, Klein & Beckman (ASHRAE Trans. 89 (1983) 137), larger on bright days, riding on an
AR(1) of day-to-day anomalies. Wind: Weibull with k = 2, hourly AR(1) and a peak at 15 h (the defaults of HOMER's
synthetic wind).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.special import ndtr

from plant.base.chance import RandomStream, ar1
from plant.base.clock import DAY_S, SKY_S


class DayMeans(NamedTuple):
    """What is known of days before their hours: mean temperature [degC] and swing between night and day [K]."""

    t_mean_c: np.ndarray
    swing_k: np.ndarray


# Night to day, where the season's clearness is below what `mean_swing_k` was fitted to [guess].
LEAST_SWING_K = 1.0
ANOMALY_PHI = 0.7
ANOMALY_K = 3.0  # standard deviation of the daily mean [guess]
WIND_PHI = 0.85
WIND_DIURNAL = 0.25
WIND_PEAK_H = 15.0
WIND_FLOOR_M_S = 0.3
WEIBULL_SCALE_PER_MEAN = 1.0 / 0.886226925452758  # 1 / Gamma(1.5), for k = 2


def anomaly_k(seed: int, first_day: int, days: int) -> np.ndarray:
    """How much warmer than usual days in a row are [K], (days,)."""
    return ANOMALY_K * ar1(seed, RandomStream.TEMPERATURE, first_day, days, ANOMALY_PHI)


def mean_swing_k(clearness: np.ndarray) -> np.ndarray:
    """Swing between night and day [K] of a mean day of a month with this mean clearness index (Erbs 1983)."""
    return np.maximum(25.8 * clearness - 5.21, LEAST_SWING_K)


def erbs_shape(hour: np.ndarray) -> np.ndarray:
    """Daily temperature curve: zero mean, +0.525 at 15:15, -0.454 at 05:45 (solar time)."""
    tau = 2.0 * np.pi * (hour - 1.0) / 24.0
    return np.asarray(
        0.4632 * np.cos(tau - 3.805)
        + 0.0984 * np.cos(2.0 * tau - 0.360)
        + 0.0168 * np.cos(3.0 * tau - 0.822)
        + 0.0138 * np.cos(4.0 * tau - 3.513)
    )


def temperature(means: DayMeans, grid_s: int = SKY_S) -> np.ndarray:
    """Air temperature of days in a row.

    Parameters
    ----------
    means : DayMeans
        Of the days wanted and one more at either end: means and swings run linearly from noon to noon, so that
        nothing jumps at midnight.
    grid_s : int
        Time between points [s].

    Returns
    -------
    (days, 86400 / grid_s + 1) array
        Air temperature at the points [degC], both midnights of each day included.
    """
    shape, morning, evening = _daily_shapes(grid_s)
    out = [_noon_to_noon(values, morning, evening) for values in (means.t_mean_c, means.swing_k)]
    return np.asarray(out[0] + out[1] * shape)


@lru_cache(maxsize=8)
def _daily_shapes(grid_s: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Erbs's curve on a grid, and the shares that yesterday and tomorrow have in a moment's mean."""
    hours = np.arange(0, DAY_S + grid_s, grid_s) / 3600.0
    return erbs_shape(hours), np.maximum(12.0 - hours, 0.0) / 24.0, np.maximum(hours - 12.0, 0.0) / 24.0


def _noon_to_noon(values: np.ndarray, morning: np.ndarray, evening: np.ndarray) -> np.ndarray:
    before, today, after = values[:-2, None], values[1:-1, None], values[2:, None]
    return np.asarray(today + (before - today) * morning + (after - today) * evening)


def wind(seed: int, first_day: int, mean_m_s: np.ndarray, grid_s: int = SKY_S) -> np.ndarray:
    """Wind speed of days in a row: hourly normal series -> uniform -> Weibull, linear between the hours.

    Parameters
    ----------
    seed, first_day : int
    mean_m_s : (days + 1,) array
        Mean speed of the season at the midnight each day begins with, and the last one ends with [m/s].
    grid_s : int
        Time between points [s].

    Returns
    -------
    (days, 86400 / grid_s + 1) array
        Wind speed at the points [m/s], both midnights of each day included.
    """
    days = mean_m_s.size - 1
    normal = ar1(seed, RandomStream.WIND, first_day, days + 1, WIND_PHI, per_day=24)
    hourly = sliding_window_view(normal, 25)[: 24 * days : 24]
    weibull = np.sqrt(-np.log1p(-np.minimum(ndtr(hourly), 1.0 - 1e-12)))
    hours = np.arange(25)
    diurnal = 1.0 + WIND_DIURNAL * np.cos(2.0 * np.pi * (hours - WIND_PEAK_H) / 24.0)
    mean = mean_m_s[:-1, None] + np.diff(mean_m_s)[:, None] * hours / 24.0
    speed = mean * WEIBULL_SCALE_PER_MEAN * weibull * diurnal
    grid = np.arange(0, DAY_S + grid_s, grid_s) / 3600.0
    hour = np.minimum(grid.astype(int), 23)
    share = grid - hour
    between = speed[:, hour] * (1.0 - share) + speed[:, hour + 1] * share
    return np.asarray(np.maximum(between, WIND_FLOOR_M_S))
