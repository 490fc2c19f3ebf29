"""DTU Lyngby's minutes of 2015, season by season, and the cloud model's picture of the same days.

Its minutes are spot values, as far as one can tell: from one to the next the index of June and July is correlated by
0.90, and means of a minute cannot forget so fast without forgetting faster than these do after five. So the model's
are spot values of its 10 s grid, once a minute. The file's licence is not stated, so it is no part of this project.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from plant.weather import clouds, sun
from plant.weather.clouds import CloudModel
from plant.weather.place import Location
from plant.weather.sky import OVER_CLEAR
from validation.check import MissingEvidence
from validation.payerne import MinuteDay

FILE = Path(__file__).parents[2] / "shared" / "facts" / "published" / "dtu_lyngby_2015_minutes.csv.gz"
LYNGBY = Location(latitude_deg=55.79, longitude_deg=12.52, altitude_m=50.0)
# Months of a season, and what its clear days have over pvlib's clear sky with the turbidity of its climatology.
SEASONS: Mapping[str, tuple[tuple[int, ...], float]] = {
    "June and July": ((6, 7), 1.02),
    "September": ((9,), 1.07),
    "March": ((3,), 1.00),
    "December": ((12,), 1.02),
}
LOWEST_SUN_DEG = 8.0  # the noons of December stand at 11 deg
MINUTE_S = 60
SEEDS = 10


@lru_cache(maxsize=1)
def measured() -> pd.Series:
    """Global irradiance [W/m2] by UTC second, of every minute with more than 2 W/m2.

    Raises
    ------
    MissingEvidence
        Where the file isn't beside this checkout.
    """
    if not FILE.is_file():
        raise MissingEvidence("the minutes of DTU Lyngby are not in this checkout")
    frame = pd.read_csv(FILE, parse_dates=["time_utc"])
    seconds = frame["time_utc"].to_numpy().astype("datetime64[s]").astype(int)
    return pd.Series(frame["ghi_w_m2"].to_numpy(float), seconds)


def seasons() -> dict[str, tuple[list[MinuteDay], list[MinuteDay]]]:
    """Measured and modelled days of each season; days with a gap while the sun was above 8 deg count in neither."""
    series = measured()
    numbers = np.unique((series.index.to_numpy() + sun.solar_zone_s(LYNGBY.longitude_deg)) // 86400)
    months = numbers.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1
    found = {}
    for name, (which, haze_gain) in SEASONS.items():
        seen = {int(day): day_seen(int(day), haze_gain) for day in numbers[np.isin(months, which)]}
        whole = {day: minutes for day, minutes in seen.items() if minutes is not None}
        made = [
            day_made(seed, day, minutes.k_day, haze_gain)
            for day, minutes in whole.items()
            for seed in range(SEEDS)
        ]
        found[name] = (list(whole.values()), made)
    return found


def day_seen(day: int, haze_gain: float) -> MinuteDay | None:
    """A measured day, None for one with a gap."""
    clear = sun.clear_day(day, LYNGBY, MINUTE_S)
    t_utc_s = clear.start_utc_s + MINUTE_S * np.arange(clear.ghi_w_m2.size)
    ghi, cloudless = measured().reindex(t_utc_s).to_numpy(), haze_gain * clear.ghi_w_m2
    up = clear.elevation_deg > LOWEST_SUN_DEG
    if np.isnan(ghi[up]).any():
        return None
    lit = (clear.ghi_w_m2 > 0.0) & ~np.isnan(ghi)
    return MinuteDay(float(ghi[lit].sum() / cloudless[lit].sum()), t_utc_s[up], ghi[up], cloudless[up])


def day_made(seed: int, day: int, k_day: float, haze_gain: float) -> MinuteDay:
    """The same day as the plant's sky makes it from its daily index."""
    clear = sun.clear_day(day, LYNGBY)
    cleaner = max(k_day / OVER_CLEAR, 1.0)
    cloudless = haze_gain * clear.ghi_w_m2
    index = cleaner * clouds.clear_sky_index(seed, day, k_day / cleaner, cloudless, CloudModel())
    step = MINUTE_S * (cloudless.size - 1) // 86400
    t_utc_s = clear.start_utc_s + MINUTE_S * np.arange(cloudless[::step].size)
    up = clear.elevation_deg[::step] > LOWEST_SUN_DEG
    return MinuteDay(k_day, t_utc_s[up], (index * cloudless)[::step][up], cloudless[::step][up])


def five_minutes(days: Sequence[MinuteDay]) -> list[MinuteDay]:
    """Means over five minutes."""
    found = []
    for day in days:
        size = day.index.size // 5 * 5
        t, ghi, clear = (
            values[:size].reshape(-1, 5).mean(axis=1)
            for values in (day.t_utc_s, day.ghi_w_m2, day.clear_ghi_w_m2)
        )
        found.append(MinuteDay(day.k_day, t, ghi, clear))
    return found
