"""The coldest and the hottest air that a place's modules and battery meet, out of its weather file or of the model.

A file is taken at its word: its own coldest value with light, its own hottest. The model of the air has no coldest
hour, only chances. Here a day counts that is three standard deviations of the day-to-day anomaly below its monthly
mean and swings as the brightest days do, at the moment of the daily curve that is coldest while the sun is up: within
3 K of the coldest of twenty years of the shipped sites. Standards ask for the lowest temperature to be expected
(IEC 62548; NEC 690.7 takes the mean of the years' minima, which lies 2 to 5 K above).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from plant.base.clock import DAY_S
from plant.weather import sun
from plant.weather.air import ANOMALY_K, erbs_shape, mean_swing_k
from plant.weather.place import Place
from plant.weather.sky import CLEAR_SITE_CLEARNESS, seasonal_clearness, source_of

if TYPE_CHECKING:
    from plant.weather.measured.days import FileSky

FIRST_DAY, DAYS = 20454, 365  # 2026; any year will do
SIGMAS = 3.0  # of the day-to-day anomaly
BRIGHTEST = 1.4  # times the mean swing: the most that `plant.weather.sky` lets a day swing
COLDEST_H, HOTTEST_H = 5.75, 15.25  # of the daily curve, solar time
MONTH_DAYS = 30


class Extremes(NamedTuple):
    """Air temperatures [degC]."""

    coldest_c: float  # with the sun up
    hottest_c: float
    coldest_month_c: float  # mean
    source: str  # "weather file" or "model"


def extremes_of(place: Place) -> Extremes:
    """The extremes of a place.

    Raises
    ------
    ProblemsError
        If its weather file can't be used.
    """
    source = source_of(place)
    if source is not None and "t_amb_c" in source.series.columns:
        return _of_file(source)
    return _of_model(place)


def _of_file(source: "FileSky") -> Extremes:
    series = source.series
    t_c, lit = series.columns["t_amb_c"], series.columns["ghi_w_m2"] > 0.0
    rows = max(1, MONTH_DAYS * DAY_S // series.step_s)
    months = [float(np.mean(t_c[k : k + rows])) for k in range(0, max(1, t_c.size - rows // 2), rows)]
    coldest = float(np.min(t_c[lit])) if lit.any() else float(np.min(t_c))
    return Extremes(coldest, float(np.max(t_c)), min(months), "weather file")


def _of_model(place: Place) -> Extremes:
    w = place.weather
    assert w.temperature_c is not None  # the record sees to it where no file has a temperature
    means = sun.seasonal_values(w.temperature_c, FIRST_DAY, DAYS)
    k_mean = seasonal_clearness(place, FIRST_DAY, DAYS)
    anomaly_k, brightest = SIGMAS * ANOMALY_K, BRIGHTEST
    if k_mean is None:  # no clouds: each day is like the other
        k_mean, anomaly_k, brightest = np.full(DAYS, CLEAR_SITE_CLEARNESS), 0.0, 1.0
    own_k = w.temperature_swing_c
    swing = mean_swing_k(k_mean) if own_k is None else np.full(DAYS, own_k)
    rises_h = sunrise_h(place.location.latitude_deg)
    up = rises_h < 12.0
    if not up.any():
        up[:] = True
    cold_h = np.maximum(rises_h, COLDEST_H)
    cold = means - anomaly_k + brightest * swing * erbs_shape(cold_h)
    hot = means + anomaly_k + brightest * swing * erbs_shape(np.array(HOTTEST_H))
    return Extremes(float(cold[up].min()), float(hot.max()), min(w.temperature_c), "model")


def declination_rad(day_of_year: np.ndarray) -> np.ndarray:
    """Declination of the sun [rad] by day of the year, from 1 (Cooper 1969)."""
    return np.asarray(np.radians(23.45) * np.sin(2.0 * math.pi * (284.0 + day_of_year) / 365.0))


def sunrise_h(latitude_deg: float) -> np.ndarray:
    """Solar time of sunrise on each day of a year, (365,) [h]; 12 where the sun stays down, 0 where it stays up."""
    declination = declination_rad(np.arange(1, DAYS + 1))
    latitude = math.radians(min(max(latitude_deg, -89.9), 89.9))
    cosine = np.clip(-math.tan(latitude) * np.tan(declination), -1.0, 1.0)
    return np.asarray(12.0 - np.degrees(np.arccos(cosine)) / 15.0)
