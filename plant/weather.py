"""Air temperature and wind of a day, made from monthly means and the day's brightness.

Temperature: the daily curve of Erbs, Klein & Beckman (ASHRAE Trans. 89 (1983) 137), larger on bright days, riding on an
AR(1) of day-to-day anomalies. Wind: Weibull with k = 2, hourly AR(1) and a peak at 15 h (the defaults of HOMER's
synthetic wind).
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from plant.chance import Stream, ar1
from plant.clock import DAY_S, SKY_S


@dataclass(frozen=True, slots=True)
class Air:
    """Air of one day on the 10 s grid, shape (8641,)."""

    t_amb_c: np.ndarray
    wind_m_s: np.ndarray


class DayAir(NamedTuple):
    """What is known of a day before its hours: mean temperature, swing between night and day, mean wind."""

    t_mean_c: float
    swing_c: float
    wind_m_s: float


ANOMALY_PHI = 0.7
ANOMALY_C = 3.0  # standard deviation of the daily mean [guess]
WIND_PHI = 0.85
WIND_DIURNAL = 0.25
WIND_PEAK_H = 15.0
WIND_FLOOR_M_S = 0.3
WEIBULL_SCALE_PER_MEAN = 1.0 / 0.886226925452758  # 1 / Gamma(1.5), for k = 2
_HOURS = np.arange(0, DAY_S + SKY_S, SKY_S) / 3600.0


@lru_cache(maxsize=1024)
def anomaly_c(seed: int, day: int) -> float:
    """How much warmer than usual a day is [K]."""
    return ANOMALY_C * float(ar1(seed, Stream.TEMPERATURE, day, 1, ANOMALY_PHI)[0])


def erbs_shape(hour: np.ndarray) -> np.ndarray:
    """Daily temperature curve: zero mean, +0.525 at 15:15, -0.454 at 05:45 (solar time)."""
    tau = 2.0 * np.pi * (hour - 1.0) / 24.0
    return np.asarray(
        0.4632 * np.cos(tau - 3.805)
        + 0.0984 * np.cos(2.0 * tau - 0.360)
        + 0.0168 * np.cos(3.0 * tau - 0.822)
        + 0.0138 * np.cos(4.0 * tau - 3.513)
    )


def air(seed: int, day: int, before: DayAir, today: DayAir, after: DayAir) -> Air:
    """Temperature and wind of a day.

    Parameters
    ----------
    seed, day : int
    before, today, after : DayAir
        The day and its neighbours: means and swings run linearly from noon to noon, so that nothing jumps
        at midnight.

    Returns
    -------
    Air
    """
    noon_to_noon = (
        np.array([-12.0, 12.0, 36.0]),
        np.array([d.t_mean_c for d in (before, today, after)]),
        np.array([d.swing_c for d in (before, today, after)]),
    )
    mean = np.interp(_HOURS, noon_to_noon[0], noon_to_noon[1])
    swing = np.interp(_HOURS, noon_to_noon[0], noon_to_noon[2])
    return Air(mean + swing * erbs_shape(_HOURS), _wind(seed, day, today.wind_m_s))


def _wind(seed: int, day: int, mean_m_s: float) -> np.ndarray:
    """Wind speed [m/s]: hourly normal series -> uniform -> Weibull, linear between the hours."""
    hours = np.arange(25)
    normal = ar1(seed, Stream.WIND, day, 2, WIND_PHI, per_day=24)[:25]
    weibull = np.sqrt(-np.log1p(-np.minimum(ndtr(normal), 1.0 - 1e-12)))
    diurnal = 1.0 + WIND_DIURNAL * np.cos(2.0 * np.pi * (hours - WIND_PEAK_H) / 24.0)
    speed = mean_m_s * WEIBULL_SCALE_PER_MEAN * weibull * diurnal
    return np.asarray(np.maximum(np.interp(_HOURS, hours, speed), WIND_FLOOR_M_S))
