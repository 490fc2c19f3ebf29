"""Clouds of a month minute by minute: the model's statistics, beside those measured at BSRN Payerne.

The model gets the 30 daily indices of June 2016 and ten seeds. Its accept bands lie around the figures of the
model's first version, another program, and those of GHI's changes around the measured ones. The measured figures stand
beside them, and are themselves computed again from the station's file.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from validation import payerne
from validation.check import Check
from validation.payerne import MinuteDay

MODEL = "another program, this cloud model's first version"
MEASURED = "BSRN Payerne 6/2016"
RECOUNTED = "published statistics of BSRN Payerne 6/2016"  # none of the numbers is the plant's
LAGS_MIN = (1, 5, 15, 60, 120)
KINDS = ("dull", "broken", "clear")
DULL, CLEAR = 0.45, 0.851  # daily indices that part dull, broken and clear days


def statistics(days: Sequence[MinuteDay]) -> dict[str, float]:
    """What a month of minutes is judged by, by name."""
    index = np.concatenate([day.index for day in days])
    change = np.concatenate([np.abs(np.diff(day.index)) for day in days])
    ramp = np.concatenate([np.abs(np.diff(day.ghi_w_m2)) for day in days])
    found = {"mean": index.mean(), "sd": index.std()}
    found |= {f"k {q:g} %": np.quantile(index, q / 100) for q in (5, 25, 50, 75, 95, 99)}
    found |= {f"dk {q:g} %": np.quantile(change, q / 100) for q in (50, 90, 95, 99, 99.9)}
    found |= {f"dk > {limit:g}": np.mean(change > limit) for limit in (0.05, 0.1, 0.3, 0.5)}
    found |= {f"ramp {q:g} %": np.quantile(ramp, q / 100) for q in (95, 99, 99.9)}
    found |= {f"lag {lag}": autocorrelation(days, lag) for lag in LAGS_MIN}
    return {name: float(value) for name, value in (found | _modes(index) | _variability(days)).items()}


def _modes(index: np.ndarray) -> dict[str, float]:
    """How clearly the minutes fall into cloud and clear: density between the modes over that of the lower mode."""
    density, edges = np.histogram(index, np.arange(0.0, 1.41, 0.05), density=True)
    middle = (edges[1:] + edges[:-1]) / 2
    cloudy, sunny = (middle > 0.2) & (middle < 0.5), (middle > 0.95) & (middle < 1.1)
    modes = density[cloudy].max(), density[sunny].max()
    valley = density[(middle > 0.65) & (middle < 0.9)].min()
    elsewhere = density[~cloudy & ~sunny].max()
    return {"valley": valley / min(modes), "elsewhere": elsewhere / max(modes)}


def autocorrelation(days: Sequence[MinuteDay], lag_min: int) -> float:
    """Correlation of the index with itself some minutes later in the same day, about the mean of all."""
    index = np.concatenate([day.index for day in days])
    mean, variance = index.mean(), index.var()
    products = [(day.index[lag_min:] - mean) * (day.index[:-lag_min] - mean) for day in days]
    return float(np.concatenate(products).mean() / variance)


def _variability(days: Sequence[MinuteDay]) -> dict[str, float]:
    """Daily variability index (Stein, Hansen & Reno 2012): length of the day's curve over that of a clear day."""
    k_day = np.array([day.k_day for day in days])
    vi = np.array([_length(day.ghi_w_m2) / _length(day.clear_ghi_w_m2) for day in days])
    dull, clear = k_day < DULL, k_day >= CLEAR
    medians = [float(np.median(vi[which])) for which in (dull, ~dull & ~clear, clear)]
    found = {f"vi {q} %": np.quantile(vi, q / 100) for q in (10, 50, 90)}
    found |= {f"vi {kind}": median for kind, median in zip(KINDS, medians, strict=True)}
    return found | {"dull/broken": medians[0] / medians[1], "clear/broken": medians[2] / medians[1]}


def _length(ghi_w_m2: np.ndarray) -> float:
    return float(np.hypot(np.diff(ghi_w_m2), 1.0).sum())


# Every statistic: what it is, and its unit.
WHAT: Mapping[str, tuple[str, str]] = {
    "mean": ("mean of the clear-sky index k", ""),
    "sd": ("standard deviation of k", ""),
    **{f"k {q} %": (f"k, {q} % quantile", "") for q in (5, 25, 50, 75, 95, 99)},
    "valley": ("density of k between its two modes, over the lower one", ""),
    "elsewhere": ("density of k away from its modes, over the higher one", ""),
    **{f"dk {q:g} %": (f"change of k in a minute, {q:g} % quantile", "") for q in (50, 90, 95, 99, 99.9)},
    **{f"dk > {limit:g}": (f"share of changes above {limit:g}", "") for limit in (0.05, 0.1, 0.3, 0.5)},
    **{f"ramp {q:g} %": (f"change of GHI in a minute, {q:g} % quantile", "W/m2") for q in (95, 99, 99.9)},
    **{f"lag {lag}": (f"autocorrelation of k at {lag} min", "") for lag in LAGS_MIN},
    **{f"vi {q} %": (f"daily variability index, {q} % quantile", "") for q in (10, 50, 90)},
    **{f"vi {kind}": (f"daily variability index, median of {kind} days", "") for kind in KINDS},
    "dull/broken": ("the same, dull days over broken ones", ""),
    "clear/broken": ("the same, clear days over broken ones", ""),
}

# Lowest and highest that will do for the model.
BANDS: Mapping[str, tuple[float, float]] = {
    "mean": (0.617, 0.677),
    "sd": (0.327, 0.407),
    "k 5 %": (0.102, 0.202),
    "k 25 %": (0.261, 0.361),
    "k 50 %": (0.488, 0.588),
    "k 75 %": (0.954, 1.054),
    "k 95 %": (1.089, 1.189),
    "k 99 %": (1.204, 1.504),
    "valley": (0.0, 0.5),
    "elsewhere": (0.0, 1.0),
    "dk 50 %": (0.0159 / 2, 0.0159 * 2),
    "dk 90 %": (0.101 * 0.6, 0.101 * 1.4),
    "dk 95 %": (0.194 * 0.7, 0.194 * 1.3),
    "dk 99 %": (0.409 * 0.75, 0.409 * 1.25),
    "dk 99.9 %": (0.570 * 0.7, 0.570 * 1.3),
    "dk > 0.05": (0.12, 0.25),
    "dk > 0.1": (0.07, 0.13),
    "dk > 0.3": (0.02, 0.04),
    "dk > 0.5": (0.0, 0.015),
    "ramp 95 %": (134 * 0.65, 134 * 1.35),
    "ramp 99 %": (367 * 0.65, 367 * 1.35),
    "ramp 99.9 %": (631 * 0.65, 631 * 1.35),
    "lag 1": (0.957, 0.987),
    "lag 5": (0.763, 0.883),
    "lag 15": (0.620, 0.740),
    "lag 60": (0.482, 0.602),
    "lag 120": (0.403, 0.523),
    "vi 10 %": (3.81 * 0.65, 3.81 * 1.35),
    "vi 50 %": (8.65 * 0.65, 8.65 * 1.35),
    "vi 90 %": (21.5 * 0.65, 21.5 * 1.35),
    "dull/broken": (0.0, 1 / 1.6),
    "clear/broken": (0.0, 1 / 1.6),
}

# The published statistics of the measured month, and one unit of their last digit.
PUBLISHED: Mapping[str, tuple[float, float]] = {
    "mean": (0.635, 0.001),
    "sd": (0.363, 0.001),
    "k 5 %": (0.131, 0.001),
    "k 25 %": (0.329, 0.001),
    "k 50 %": (0.542, 0.001),
    "k 75 %": (0.999, 0.001),
    "k 95 %": (1.178, 0.001),
    "k 99 %": (1.442, 0.001),
    "dk 50 %": (0.0084, 0.0001),
    "dk 90 %": (0.093, 0.001),
    "dk 95 %": (0.205, 0.001),
    "dk 99 %": (0.480, 0.001),
    "dk 99.9 %": (0.698, 0.001),
    "dk > 0.05": (0.156, 0.001),
    "dk > 0.1": (0.095, 0.001),
    "dk > 0.3": (0.029, 0.001),
    "dk > 0.5": (0.0087, 0.0001),
    "ramp 95 %": (134, 1),
    "ramp 99 %": (367, 1),
    "ramp 99.9 %": (631, 1),
    "lag 1": (0.964, 0.001),
    "lag 5": (0.868, 0.001),
    "lag 15": (0.746, 0.001),
    "lag 60": (0.585, 0.001),
    "lag 120": (0.477, 0.001),
    "vi 10 %": (2.65, 0.01),
    "vi 50 %": (8.79, 0.01),
    "vi 90 %": (22.2, 0.1),
    "vi dull": (4.8, 0.1),
    "vi broken": (14.9, 0.1),
    "vi clear": (5.4, 0.1),
}


def checks() -> Iterator[Check]:
    """The model in its bands; then the measured month, as far as its file can be had."""
    yield from model_checks()
    yield from measured_checks()


def model_checks() -> Iterator[Check]:
    """The model's statistics; needs no file."""
    found = statistics(payerne.model_months())
    for name, (low, high) in BANDS.items():
        what, unit = WHAT[name]
        by_station = name.startswith("ramp")  # their bands lie around what was measured
        note = f"measured {PUBLISHED[name][0]:g}" if name in PUBLISHED and not by_station else ""
        yield Check(
            what=f"model: {what}", value=found[name], reference=(low + high) / 2, tolerance=(high - low) / 2,
            unit=unit, source=MEASURED if by_station else MODEL, note=note,
        )  # fmt: skip


def measured_checks() -> Iterator[Check]:
    """The published statistics, computed again from the station's file, and how well DNI follows from GHI."""
    month = payerne.measured_month()
    minutes = sum(day.index.size for day in month)
    yield Check(
        what="measured: minutes with the sun above 10 deg",
        value=minutes,
        reference=24095,
        tolerance=0.5,
        source=RECOUNTED,
    )
    off = np.abs(np.array([day.k_day for day in month]) - payerne.DAILY_INDEX).max()
    yield Check(
        what="measured: daily indices, largest difference from those the model gets",
        value=float(off), reference=0.0, tolerance=0.0051, source=RECOUNTED,
    )  # fmt: skip
    found = statistics(month)
    for name, (reference, digit) in PUBLISHED.items():
        what, unit = WHAT[name]
        yield Check(
            what=f"measured: {what}", value=found[name], reference=reference, tolerance=digit, unit=unit,
            source=RECOUNTED,
        )  # fmt: skip
    yield from _direct_light()


def _direct_light() -> Iterator[Check]:
    """DNI from GHI minute by minute, zenith below 80 deg: our law and pvlib's DIRINT against the pyrheliometer."""
    from pvlib import atmosphere, irradiance

    from plant.weather.decomposition import direct_share

    frame = payerne.measured()
    index = (frame["ghi"] / frame["clear_ghi"]).to_numpy()
    ours = frame["clear_dni"].to_numpy() * direct_share(np.where(np.isfinite(index), index, 0.0))
    pressure = atmosphere.alt2pres(payerne.ALTITUDE_M)
    ghi = frame["ghi"].clip(lower=0.0)
    dirint = irradiance.dirint(ghi, frame["zenith"], frame.index, pressure).to_numpy()
    seen = frame["dni"].to_numpy()
    counts = (frame["apparent_zenith"] < 80.0).to_numpy() & np.isfinite(seen + ghi.to_numpy() + dirint)
    misprint = "printed as +33, which its RMSE rules out: read as +3.3"
    for name, made, bias, rmse, source, note in (
        ("k law", ours, 3.3, 100.0, MEASURED, misprint),
        ("pvlib DIRINT", dirint, 30.0, 95.0, RECOUNTED, ""),
    ):
        error = (made - seen)[counts]
        yield Check(
            what=f"DNI from GHI, {name}: bias", value=float(error.mean()), reference=bias, tolerance=1.0,
            unit="W/m2", source=source, note=note,
        )  # fmt: skip
        yield Check(
            what=f"DNI from GHI, {name}: RMSE", value=float(np.sqrt(np.mean(error**2))), reference=rmse,
            tolerance=1.0, unit="W/m2", source=source,
        )  # fmt: skip


def figures() -> Iterator[tuple[str, Any]]:
    """Measured and modelled month beside each other."""
    from validation import cloud_figures

    months: Mapping[str, Sequence[MinuteDay]] = {
        "measured": payerne.measured_month(),
        "model": payerne.model_months(),
    }
    yield "clouds_histogram", cloud_figures.histogram(months)
    yield "clouds_week", cloud_figures.week(months)
    yield "clouds_ramps", cloud_figures.ramps(months)
    yield "clouds_autocorrelation", cloud_figures.memory(months)
