"""Sunlight above the atmosphere, month by month, and the clearness that measured monthly means stand for."""

from functools import lru_cache

import numpy as np

from plant.base.arraycache import cached_array
from plant.base.civiltime import MONTHS
from plant.base.problems import AtKeyError
from plant.weather.clearsky import DELTA_T_S, REFRACTION_AT_HORIZON_DEG, STANDARD_TEMPERATURE_C, extra_w_m2

CLEARNESS_RANGE = (0.02, 0.75)  # where the distribution of daily clearness holds; below 0.2 by extrapolation
DARK_KWH_M2_DAY = 0.2  # at the edge of the polar night, with less above the air, clearness means nothing
ROUNDING_KWH_M2_DAY = 0.005
_COMMON_YEAR = 2022  # half-way between leap days
_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def mean_height(latitude_deg: float, declination_deg: np.ndarray) -> np.ndarray:
    """Mean over a day of the cosine of the sun's zenith, nothing while it is down; without air, so without refraction.

    ``(cos lat cos dec sin w + w sin lat sin dec) / pi``, w the sunset hour angle (Iqbal 1983, ch. 4).
    """
    declination, latitude = np.radians(declination_deg), np.radians(latitude_deg)
    sunset = np.arccos(np.clip(-np.tan(latitude) * np.tan(declination), -1.0, 1.0))
    turning = np.cos(latitude) * np.cos(declination) * np.sin(sunset)
    standing = sunset * np.sin(latitude) * np.sin(declination)
    return np.asarray((turning + standing) / np.pi)


@lru_cache(maxsize=64)
def monthly_h0_kwh_m2_day(latitude_deg: float) -> tuple[float, ...]:
    """Daily irradiation [kWh/m2] of a level surface above the air, mean of each month of a common year."""
    return tuple(cached_array(_monthly_h0, latitude_deg).tolist())


def _monthly_h0(latitude_deg: float) -> np.ndarray:
    """Daily irradiation [kWh/m2] of a level surface above the air, mean of each month of a common year.

    Notes
    -----
    Declination by SPA at noon, for Spencer's series is .3 deg off today's calendar.
    """
    from pvlib import spa

    noons = (np.datetime64(f"{_COMMON_YEAR}-01-01", "D").astype(np.int64) + np.arange(365.0) + 0.5) * 86400.0
    _, _, declination_deg = spa.solar_position(
        noons, 0.0, 0.0, 0.0, 1013.25, STANDARD_TEMPERATURE_C, DELTA_T_S, REFRACTION_AT_HORIZON_DEG,
        numthreads=1, sst=True,
    )  # fmt: skip
    extra = extra_w_m2(np.arange(1, 366))
    daily = 0.024 * extra * mean_height(latitude_deg, declination_deg)
    return np.array([month.mean() for month in np.split(daily, np.cumsum(_LENGTHS)[:-1])])


def clearness_of(ghi_kwh_m2_day: tuple[float, ...], latitude_deg: float) -> tuple[float, ...]:
    """Monthly mean clearness index of monthly mean irradiation.

    Where the month has less than 0.2 kWh/m2 a day above the air, any irradiation up to that, 0 too, is taken for the
    nearest clearness that the daily distribution holds for; elsewhere what a table of two decimals rounds down to less
    than the least.

    Raises
    ------
    AtKeyError
        At the site's key, if a month comes out beyond the range that the daily distribution holds for.
    """
    low, high = CLEARNESS_RANGE
    told, out = [], []
    for month, ghi, h0 in zip(MONTHS, ghi_kwh_m2_day, monthly_h0_kwh_m2_day(latitude_deg), strict=True):
        dark = h0 < DARK_KWH_M2_DAY
        least, most = (0.0, DARK_KWH_M2_DAY) if dark else (low * h0, high * h0)
        if not least - ROUNDING_KWH_M2_DAY <= ghi <= most:
            of_it = "over" if dark else f"{ghi / h0:.2f} of"
            may = "" if dark else f"{low}..{high}, so "
            told.append(
                f"{month}'s {ghi:g} is {of_it} the {h0:.2f} above the atmosphere; must be {may}{least:.2f}..{most:.2f}"
            )
        out.append(min(max(ghi / h0 if h0 > 0.0 else low, low), high))
    if told:
        raise AtKeyError(("sky", "ghi_kwh_m2_day"), "; ".join(told))
    return tuple(out)
