"""BSRN Payerne in June 2016, minute by minute, and the cloud model's picture of that month.

Both become a `Month`, so that one set of statistics measures the two alike.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from plant.weather import clouds, sun
from plant.weather.clouds import CloudModel
from plant.weather.place import Location
from validation import fetch

LATITUDE_DEG, LONGITUDE_DEG, ALTITUDE_M = 46.815, 6.944, 491.0
DAYS = 30
LOWEST_SUN_DEG = 10.0  # nearer the horizon an index divides two small numbers
HAZE_GAIN = 1.07  # pvlib's turbidity climatology makes this month's clear sky 7 % too dark
INDEX_END = 1.6  # of the clear-sky index, in the model and in the published statistics
FIRST_DAY = int(np.datetime64("2016-06-01", "D").astype(int))
# Daily clear-sky indices of the measured month, for places without the file.
DAILY_INDEX = (
    0.63, 0.29, 0.35, 0.48, 0.63, 0.86, 0.63, 0.39, 0.77, 0.94, 0.37, 0.36, 0.36, 0.36, 0.76,
    0.30, 0.74, 0.67, 0.61, 0.88, 0.38, 0.96, 1.01, 0.97, 0.52, 0.80, 1.01, 0.99, 0.93, 0.48,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MinuteDay:
    """Minutes of one day with the sun above 10 deg; arrays of one length."""

    k_day: float  # clear-sky index of the whole day
    t_utc_s: np.ndarray
    ghi_w_m2: np.ndarray
    clear_ghi_w_m2: np.ndarray

    @property
    def index(self) -> np.ndarray:
        """Clear-sky index of each minute, cut at the end of the model's range."""
        return np.asarray(np.minimum(self.ghi_w_m2 / self.clear_ghi_w_m2, INDEX_END))


def place() -> Location:
    """The station."""
    return Location(latitude_deg=LATITUDE_DEG, longitude_deg=LONGITUDE_DEG, altitude_m=ALTITUDE_M)


def model_day(seed: int, number: int) -> MinuteDay:
    """Day 0..29 as the plant's sky makes it from the day's measured index: 10 s values, averaged to minutes."""
    clear = sun.clear_day(FIRST_DAY + number, place())
    index = clouds.clear_sky_index(
        seed, FIRST_DAY + number, DAILY_INDEX[number], clear.ghi_w_m2, CloudModel()
    )
    seen, cloudless, elevation = (
        values[:-1].reshape(-1, 6).mean(axis=1)
        for values in (index * clear.ghi_w_m2, clear.ghi_w_m2, clear.elevation_deg)
    )
    t_utc_s = clear.start_utc_s + 60 * np.arange(seen.size)
    up = elevation > LOWEST_SUN_DEG
    return MinuteDay(DAILY_INDEX[number], t_utc_s[up], seen[up], cloudless[up])


@lru_cache(maxsize=1)
def model_months(seeds: int = 10) -> tuple[MinuteDay, ...]:
    """The month, several times over with other seeds."""
    return tuple(model_day(seed, number) for seed in range(seeds) for number in range(DAYS))


@lru_cache(maxsize=1)
def measured() -> pd.DataFrame:
    """Every minute of the month: ``ghi`` and ``dni`` as measured, sun and clear sky by pvlib.

    The clear sky is Ineichen's under pvlib's turbidity climatology, made 7 % brighter.
    """
    import pvlib

    frame, _about = pvlib.iotools.read_bsrn(fetch.payerne_june_2016())
    station = pvlib.location.Location(LATITUDE_DEG, LONGITUDE_DEG, "UTC", ALTITUDE_M)
    position = station.get_solarposition(frame.index)
    clear = station.get_clearsky(frame.index)
    return pd.DataFrame(
        {
            "ghi": frame["ghi"],
            "dni": frame["dni"],
            "zenith": position["zenith"],
            "apparent_zenith": position["apparent_zenith"],
            "clear_ghi": HAZE_GAIN * clear["ghi"],
            "clear_dni": HAZE_GAIN * clear["dni"],
        }
    )


@lru_cache(maxsize=1)
def measured_month() -> tuple[MinuteDay, ...]:
    """The measured month as the statistics want it."""
    frame = measured()
    frame = frame[(frame["apparent_zenith"] < 90.0 - LOWEST_SUN_DEG) & frame["ghi"].notna()]
    days = []
    for _date, day in frame.groupby(frame.index.floor("D")):
        ghi, clear = day["ghi"].to_numpy(), day["clear_ghi"].to_numpy()
        t_utc_s = day.index.tz_localize(None).to_numpy().astype("datetime64[s]").astype(int)
        days.append(MinuteDay(float(ghi.sum() / clear.sum()), t_utc_s, ghi, clear))
    return tuple(days)
