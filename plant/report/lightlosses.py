"""What dirt and snow took of the light on the modules of a run, and that snow was left out where it could have lain."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from plant.array.parts import MARION, SubArray
from plant.array.snow import snow_cover
from plant.base.clock import DAY_S
from plant.weather.snowfall import GRID_S, SNOW_BELOW_C
from plant.weather.sun import day_start_utc_s

if TYPE_CHECKING:
    from plant.plant import Plant
    from plant.report.trace import Trace


def light_lines(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """A line for the summary where soiling changes with the months or snow is of the site, or could have been."""
    losses = [part.losses for part in plant.site.array.parts]
    snowy = any(each.snow != 0.0 for each in losses)
    if snowy or any(isinstance(each.soiling, tuple) for each in losses):
        told = {"soiling": _lost(plant, trace, _soiling), "snow": _lost(plant, trace, _snow)}
        shares = ", ".join(f"{name} {100.0 * share:.1f} %" for name, share in told.items())
        yield f"light    lost to {shares}"
    if not snowy and _coldest_day_c(plant, trace) < SNOW_BELOW_C:
        yield "light    snow on the modules is not simulated unless the site sets losses.snow"


def _lost(
    plant: "Plant", trace: "Trace", share_of: Callable[["Plant", "Trace", SubArray], np.ndarray]
) -> float:
    """Share of the light in the plane that something takes; sub-arrays count by their power."""
    parts, light = plant.site.array.parts, np.maximum(trace["poa_w_m2"], 0.0)
    if not light.sum() > 0.0:
        return 0.0
    shares = [float(np.average(share_of(plant, trace, part), weights=light)) for part in parts]
    return float(np.average(shares, weights=[part.rated_w for part in parts]))


def _days(plant: "Plant", trace: "Trace") -> np.ndarray:
    """Solar day of each sample."""
    zero = day_start_utc_s(0, plant.site.location.longitude_deg)
    return np.asarray((trace["t_utc_s"] - zero) // DAY_S).astype(np.int64)


def _months(plant: "Plant", trace: "Trace") -> np.ndarray:
    return np.asarray(_days(plant, trace).astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12)


def _soiling(plant: "Plant", trace: "Trace", part: SubArray) -> np.ndarray:
    return _by_month(part.losses.soiling, _months(plant, trace))


def _snow(plant: "Plant", trace: "Trace", part: SubArray) -> np.ndarray:
    if part.losses.snow != MARION:
        assert not isinstance(part.losses.snow, str)
        return _by_month(part.losses.snow, _months(plant, trace))
    days = _days(plant, trace)
    first = int(days[0])
    cover = snow_cover(part, plant.site, plant.seed, first, int(days[-1]) - first + 1)
    start = day_start_utc_s(first, plant.site.location.longitude_deg)
    minute = ((trace["t_utc_s"] - start) // GRID_S).astype(np.int64)
    return np.asarray(cover.ravel()[minute] > 0.0, dtype=float)


def _by_month(value: float | tuple[float, ...], months: np.ndarray) -> np.ndarray:
    return np.asarray(np.broadcast_to(value, 12)[months], dtype=float)


def _coldest_day_c(plant: "Plant", trace: "Trace") -> float:
    """Least daily mean of the air temperature [degC]."""
    days = _days(plant, trace)
    days -= days[0]
    sums = np.bincount(days, weights=trace["t_amb_c"])
    return float((sums / np.maximum(np.bincount(days), 1))[np.bincount(days) > 0].min())
