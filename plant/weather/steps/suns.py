"""One sun for each step of a sizing run: where the direct light of the step comes from, on average.

Of place and day alone, so a thousand seeds and planes share it. The mean direction is that of a cloudless sky's direct
light over the step. So a step in which the sun rises has the sun of its lit part, and the direct light of a plane that
sees the sun throughout is exact under a sky that is as clear at the step's begin as at its end.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plant.base.clock import DAY_S
from plant.base.jit import kernel
from plant.weather import sun
from plant.weather.horizon import Skyline
from plant.weather.place import Location
from plant.weather.transposition import plane_over, sun_seen

BLOCK_DAYS = 32
GRID_S = 300
LOWEST_COS = 0.005  # of a sun of which the grid saw nothing: it was up for less than five minutes


@dataclass(frozen=True, slots=True)
class StepSuns:
    """The suns of some days in a row; arrays of shape (days, 86400 / step_s) unless told otherwise."""

    start_utc_s: int  # of the first step
    step_s: int
    zenith_deg: np.ndarray  # apparent; without direct light that of the middle of the step
    azimuth_deg: np.ndarray  # from north, clockwise
    airmass: np.ndarray  # relative; nan below the horizon
    dni_extra_w_m2: np.ndarray  # (days,)
    clear_ghi_w_m2: np.ndarray  # mean of a cloudless sky, on the level
    seen: np.ndarray  # share of the direct light that the horizon lets pass; (0, 0) without a horizon

    def span(self, first: int, days: int) -> "StepSuns":
        """Some of its days; views, not copies."""
        rows = slice(first, first + days)
        return StepSuns(
            self.start_utc_s + first * DAY_S, self.step_s, self.zenith_deg[rows], self.azimuth_deg[rows],
            self.airmass[rows], self.dni_extra_w_m2[rows], self.clear_ghi_w_m2[rows], self.seen[rows],
        )  # fmt: skip


@lru_cache(maxsize=64)  # 0.5 MB for a year of hours
def step_suns(location: Location, first_day: int, days: int, step_s: int) -> StepSuns:
    """The suns of some days; kept, for the next seed or plane.

    Parameters
    ----------
    location : Location
    first_day, days : int
        Solar days; a day's values don't depend on the others.
    step_s : int
        A multiple of 300 s that divides a day.
    """
    blocks = [
        _block(location, first, min(BLOCK_DAYS, first_day + days - first), step_s)
        for first in range(first_day, first_day + days, BLOCK_DAYS)
    ]
    columns = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    return StepSuns(sun.day_start_utc_s(first_day, location.longitude_deg), step_s, *columns)


def _block(location: Location, first_day: int, days: int, step_s: int) -> tuple[np.ndarray, ...]:
    from pvlib import atmosphere

    clear = sun.clear_block(first_day, days, location, GRID_S)
    per = step_s // GRID_S
    skyline = _skyline(location.horizon)
    seen = sun_seen(clear.zenith_deg, clear.azimuth_deg, skyline)
    zenith, azimuth, share = _mean_suns(clear.zenith_deg, clear.azimuth_deg, clear.dni_w_m2, seen, per)
    airmass = atmosphere.get_relative_airmass(zenith)
    return (
        zenith, azimuth, airmass, clear.dni_extra_w_m2, step_means(clear.ghi_w_m2, per),
        share if skyline.size else np.empty((days, 0)),
    )  # fmt: skip


def _skyline(horizon: Skyline) -> np.ndarray:
    return plane_over(horizon, 0.0, 180.0, 0.0)[1]


def step_means(points: np.ndarray, per: int) -> np.ndarray:
    """Means over steps of `per` intervals of an even grid, (days, n + 1) -> (days, n / per); linear in between."""
    days, n = points.shape[0], points.shape[1] - 1
    sums = points[:, :-1].reshape(days, n // per, per).sum(axis=2)
    return np.asarray((sums + 0.5 * (points[:, per::per] - points[:, :-1:per])) / per)


@kernel
def _mean_suns(
    zenith_deg: np.ndarray, azimuth_deg: np.ndarray, dni: np.ndarray, seen: np.ndarray, per: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Zenith, azimuth [deg] and the horizon's share of each step, weighted by the direct light of its points."""
    days, steps = zenith_deg.shape[0], (zenith_deg.shape[1] - 1) // per
    zenith, azimuth = np.empty((days, steps)), np.empty((days, steps))
    share = np.ones((days, steps))
    for d in range(days):
        for k in range(steps):
            up, east, north, light, passed = 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(per + 1):
                n = k * per + j
                weight = dni[d, n] * (0.5 if j in (0, per) else 1.0)
                if weight <= 0.0:
                    continue
                z, a = math.radians(zenith_deg[d, n]), math.radians(azimuth_deg[d, n])
                up += weight * math.cos(z)
                east += weight * math.sin(z) * math.sin(a)
                north += weight * math.sin(z) * math.cos(a)
                level = weight * math.cos(z)
                light += level
                passed += level * (seen[d, n] if seen.size else 1.0)
            if light <= 0.0:
                zenith[d, k] = zenith_deg[d, k * per + per // 2]
                azimuth[d, k] = azimuth_deg[d, k * per + per // 2]
                continue
            zenith[d, k] = math.degrees(math.atan2(math.hypot(east, north), up))
            bearing = math.degrees(math.atan2(east, north))
            azimuth[d, k] = bearing if bearing >= 0.0 else bearing + 360.0
            share[d, k] = passed / light
    return zenith, azimuth, share
