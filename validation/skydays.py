"""Days of the synthetic sky, one after another, and the direct light in them, beside measured series.

The places' statistics are those the laws of `plant.weather.clearness` were fitted to, all at once and by the month's
clearness alone: a row says how far one place lies from the law. The table of the diffuse share is an input of
`plant.weather.diffuse`: its rows say how well the made days follow it. Krakow is another's model, and no input.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from plant.weather import sun
from plant.weather.clearness import daily_clearness, lag_one
from plant.weather.place import Location, Place, Sky, Weather
from plant.weather.sky import plane_of_array, sky_block
from validation.check import Check, MissingEvidence

PLACES = Path(__file__).parents[2] / "shared" / "facts" / "published" / "daily_clearness_stats.csv"
MEASURED = "measured, daily series of the place"
LYNGBY = "measured, DTU Lyngby 2015-2017: an input of the law"
SARAH = "another model, PVGIS SARAH3, Krakow 2022"
YEARS = 40
FIRST_DAY = int(np.datetime64("1980-01-01", "D").astype(int))
MONTHS = range(1, 13)
# Largest differences: twice the r.m.s. errors of the laws over all place-months, for year means.
LAG_TOLERANCE = {1: 0.21, 2: 0.16, 3: 0.13}
SD_TOLERANCE = 0.044
DARK_TOLERANCE = 0.08
SPREAD_TOLERANCE = 0.025
# Days in a row below half the month's mean, longest of a winter (November to February, May to August in the south).
DULL_RUN_D = {
    "Cabauw NL": 3.9, "Lelystad NL": 3.9, "Lauwersoog NL": 3.9, "Terschelling NL": 3.9, "Rothamsted GB": 3.9,
    "Kellogg MI US": 4.1, "Estanzuela UY": 4.2, "Faisalabad PK": 4.1, "Cordoba ES": 3.0, "Sion CH": 2.8,
    "Los Banos PH": 2.1, "Maricopa US": 1.5, "Palmira CO": 1.0,
}  # fmt: skip
DULL_RUN_TOLERANCE_D = 1.0
# What the laws miss, by more than their error elsewhere: the tolerance there.
MISSED = {
    ("Faisalabad PK", "q05"): 0.12, ("Faisalabad PK", "sd_of_monthly_means"): 0.035, ("Faisalabad PK", "dull"): 2.6,
}  # fmt: skip
MISSED_NOTE = "the laws miss this place, whose record drifts and may be partly from sunshine hours"
LYNGBY_CLEARNESS = (0.28, 0.33, 0.40, 0.46, 0.48, 0.47, 0.46, 0.45, 0.43, 0.37, 0.29, 0.25)
DIFFUSE_EDGES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8)
DIFFUSE = {
    "November to January": ((11, 12, 1), (1.01, 1.01, 0.94, 0.77, 0.60, 0.40, 0.26)),
    "April to September": ((4, 5, 6, 7, 8, 9), (np.nan, 0.99, 0.89, 0.75, 0.62, 0.47, 0.24)),
}
DIFFUSE_TOLERANCE = 0.08
# Krakow 2022 by PVGIS: month -> kWh/m2 on the level and in a plane of 40 deg; the other months' light is interpolated.
KRAKOW = {1: (26.6, 50.8), 3: (115.7, 169.2), 5: (176.3, 179.3), 7: (173.2, 172.4), 9: (91.5, 107.2),
          11: (31.2, 52.8)}  # fmt: skip
KRAKOW_GHI_KWH_M2_DAY = (0.858, 1.65, 3.73, 4.30, 5.69, 5.60, 5.59, 4.73, 3.05, 2.30, 1.04, 0.60)


@dataclass(frozen=True, slots=True)
class Series:
    """Daily clearness of a place in a row of years: values, calendar months and days of the month, (days,)."""

    k: np.ndarray
    month: np.ndarray

    def anomaly(self) -> np.ndarray:
        """Each day less the mean of its calendar month over all years."""
        means = np.array([self.k[self.month == month].mean() for month in MONTHS])
        return np.asarray(self.k - means[self.month - 1])


def checks() -> Iterator[Check]:
    """Every row of this topic."""
    yield from light_checks()
    yield from place_checks()


def light_checks() -> Iterator[Check]:
    """How much of the days' light is direct, and what a tilted plane makes of it."""
    yield from _diffuse_shares()
    yield from _krakow()


# --- places ---------------------------------------------------------------------------------------------------------


def place_checks() -> Iterator[Check]:
    """How days follow one another, beside the statistics of measured places.

    Raises
    ------
    MissingEvidence
        If the statistics aren't there; they are no part of this project.
    """
    if not PLACES.is_file():
        raise MissingEvidence("the statistics of seventeen measured places are not in this checkout")
    rows: dict[str, list[dict[str, str]]] = {}
    with PLACES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows.setdefault(row["place"], []).append(row)
    for seed, (name, months) in enumerate(rows.items(), 1):
        yield from _place(name, months, seed)


def _place(name: str, rows: list[dict[str, str]], seed: int) -> Iterator[Check]:
    """Means of a place's months; a month that wasn't measured counts neither there nor here."""
    latitude = float(rows[0]["lat"])
    known = [int(row["month"]) for row in rows]
    means = np.interp(MONTHS, known, [float(row["K_mean"]) for row in rows], period=12)
    made = made_series(seed, tuple(means.tolist()), latitude)
    # as many years at a time as were measured: few years' own means take some of the memory away
    pieces = pieces_of(made, min(int(rows[0]["years"]), YEARS))
    ours = {name: np.mean([by_month(piece)[name] for piece in pieces], axis=0) for name in WHAT}
    tolerances = {f"phi{lag}": tolerance for lag, tolerance in LAG_TOLERANCE.items()}
    tolerances |= {"sd": SD_TOLERANCE, "q05": DARK_TOLERANCE, "sd_of_monthly_means": SPREAD_TOLERANCE}
    for column, tolerance in tolerances.items():
        measured = [float(row[column]) for row in rows if row[column]]
        if len(measured) == len(rows):
            yield Check(
                what=f"{name}: {WHAT[column]}", value=float(ours[column][np.array(known) - 1].mean()),
                reference=float(np.mean(measured)), tolerance=MISSED.get((name, column), tolerance), source=MEASURED,
                note=MISSED_NOTE if (name, column) in MISSED else f"{len(known)} months of {rows[0]['span']}",
            )  # fmt: skip
    if name in DULL_RUN_D:
        yield Check(
            what=f"{name}: longest dull run of a winter", value=dull_run_d(made, latitude),
            reference=DULL_RUN_D[name], tolerance=MISSED.get((name, "dull"), DULL_RUN_TOLERANCE_D), unit="d",
            source=MEASURED, note=MISSED_NOTE if (name, "dull") in MISSED else "below half the month's mean",
        )  # fmt: skip


WHAT = {
    "phi1": "correlation of days after 1 d", "phi2": "correlation of days after 2 d",
    "phi3": "correlation of days after 3 d",
    "sd": "sd of daily clearness in a month", "q05": "5 % day", "sd_of_monthly_means": "sd of the monthly means",
}  # fmt: skip


def made_series(seed: int, means: tuple[float, ...], latitude_deg: float) -> Series:
    """Forty years of a place of which twelve monthly means are known."""
    days = np.arange(FIRST_DAY, FIRST_DAY + round(365.25 * YEARS))
    seasonal = sun.seasonal_values(means, FIRST_DAY, days.size, 0.02, 0.75)
    k = daily_clearness(seed, FIRST_DAY, seasonal, lag_one(seasonal), latitude_deg)
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1
    return Series(k, month)


def pieces_of(series: Series, years: int) -> list[Series]:
    """The series in pieces of so many years."""
    length = round(365.25 * years)
    cuts = range(0, series.k.size - length + 1, length)
    return [Series(series.k[cut : cut + length], series.month[cut : cut + length]) for cut in cuts]


def by_month(series: Series) -> dict[str, list[float]]:
    """Statistics of the twelve calendar months, under the names of the measured table."""
    rest = series.anomaly()
    out: dict[str, list[float]] = {name: [] for name in WHAT}
    begins = np.flatnonzero(np.diff(series.month, prepend=0))
    monthly = np.add.reduceat(series.k, begins) / np.diff(np.append(begins, series.k.size))
    for month in MONTHS:
        here = np.flatnonzero(series.month == month)
        for lag in LAG_TOLERANCE:
            first = here[here + lag < rest.size]
            out[f"phi{lag}"].append(float(np.corrcoef(rest[first], rest[first + lag])[0, 1]))
        out["sd"].append(float(series.k[here].std()))
        out["q05"].append(float(np.quantile(series.k[here], 0.05)))
        out["sd_of_monthly_means"].append(float(monthly[series.month[begins] == month].std(ddof=1)))
    return out


def dull_run_d(series: Series, latitude_deg: float) -> float:
    """Longest row of days below half their month's mean in each winter, mean of all winters."""
    means = np.array([series.k[series.month == month].mean() for month in MONTHS])
    dull = series.k < 0.5 * means[series.month - 1]
    winter = np.isin(series.month, (11, 12, 1, 2) if latitude_deg > 0.0 else (5, 6, 7, 8))
    edges = np.flatnonzero(np.diff(winter.astype(int), prepend=0, append=0))
    longest = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= 118:  # whole winters
            run = best = 0
            for is_dull in dull[start:end]:
                run = run + 1 if is_dull else 0
                best = max(best, run)
            longest.append(best)
    return float(np.mean(longest))


# --- direct light ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Light:
    """Daily sums of made days [Wh/m2], (days,), and their calendar months."""

    month: np.ndarray
    level: np.ndarray
    diffuse: np.ndarray
    above: np.ndarray
    plane: np.ndarray


def light(place: Place, years: int, tilt_deg: float = 0.0) -> Light:
    """Days of a place, minute by minute."""
    parts = []
    for first in range(FIRST_DAY, FIRST_DAY + round(365.25 * years), 32):
        block = sky_block(place, 1, first, 32, 60)
        cosine = np.maximum(np.cos(np.radians(block.sun.zenith_deg)), 0.0)
        above = cosine * block.sun.dni_extra_w_m2[:, None]
        whole = plane_of_array(block, tilt_deg, 180.0, 0.2)
        tilted = whole["beam"] + whole["sky"] + whole["ground"]
        columns = (block.ghi_w_m2, block.dhi_w_m2, above, tilted)
        parts.append(np.array([column[:, :-1].mean(axis=1) * 24.0 for column in columns]))
    sums = np.concatenate(parts, axis=1)
    days = np.arange(FIRST_DAY, FIRST_DAY + sums.shape[1])
    return Light(days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12 + 1, *sums)


def _place_of(latitude: float, longitude: float, altitude: float, sky: Sky) -> Place:
    location = Location(latitude_deg=latitude, longitude_deg=longitude, altitude_m=altitude)
    return Place(location=location, sky=sky, weather=Weather(temperature_c=(10.0,) * 12))


def figures() -> Iterator[tuple[str, Any]]:
    """Pictures of this topic, by file name."""
    from validation.skydays_figures import diffuse_by_clearness

    made = _lyngby()
    days = {}
    for season, (months, _) in DIFFUSE.items():
        which = np.isin(made.month, months)
        days[season] = (made.level[which] / made.above[which], made.diffuse[which] / made.level[which])
    measured = {season: column for season, (_, column) in DIFFUSE.items()}
    yield "sky_diffuse", diffuse_by_clearness(days, measured, DIFFUSE_EDGES)


def _lyngby() -> Light:
    return light(_place_of(55.79, 12.52, 50.0, Sky(clearness=LYNGBY_CLEARNESS)), 12)


def _diffuse_shares() -> Iterator[Check]:
    made = _lyngby()
    k = made.level / made.above
    for season, (months, column) in DIFFUSE.items():
        for (low, high), reference in zip(pairwise(DIFFUSE_EDGES), column, strict=True):
            which = np.isin(made.month, months) & (k >= low) & (k < high)
            if np.isfinite(reference):
                yield Check(
                    what=f"Lyngby, {season}, clearness {low:.1f} to {high:.1f}: diffuse share",
                    value=float(made.diffuse[which].sum() / made.level[which].sum()), reference=reference,
                    tolerance=DIFFUSE_TOLERANCE, source=LYNGBY, note=f"{which.sum()} days made",
                )  # fmt: skip


def _krakow() -> Iterator[Check]:
    made = light(_place_of(50.062, 19.937, 220.0, Sky(ghi_kwh_m2_day=KRAKOW_GHI_KWH_M2_DAY)), 6, 40.0)
    for name, months, share in (
        ("January and November", (1, 11), 0.08),
        ("March, May, July, September", (3, 5, 7, 9), 0.05),
    ):
        level, plane = (sum(KRAKOW[month][part] for month in months) for part in (0, 1))
        which = np.isin(made.month, months)
        ratio = float(made.plane[which].sum() / made.level[which].sum())
        yield Check(what=f"Krakow, {name}: light in a plane of 40 deg over that on the level", value=ratio,
                    reference=plane / level, tolerance=share * plane / level, source=SARAH)  # fmt: skip
