"""Where the sun is and what a cloudless sky gives, for a day or a block of days on an even grid.

NREL's SPA gives the position, by pvlib, and so does its climatology the turbidity; the clear sky is
`plant.weather.clearsky`'s.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from plant.base.arraycache import cached_array
from plant.base.clock import DAY_S, SKY_S
from plant.base.jit import kernel
from plant.weather.clearsky import (
    DELTA_T_S,
    REFRACTION_AT_HORIZON_DEG,
    STANDARD_TEMPERATURE_C,
    extra_w_m2,
    ineichen,
    refract,
    standard_pressure_pa,
    twilight_w_m2,
)
from plant.weather.extraterrestrial import mean_height
from plant.weather.place import Location

_NODE_BLOCK = 128  # days of exact solar positions made in one call of SPA
_SIDEREAL_RAD_PER_DAY = np.radians(360.98564736629)
# Of the sun's mean distance; its yearly change is 0.15 arc seconds.
_PARALLAX = np.sin(np.radians(8.794 / 3600.0))
_EARTH_FLATTENING = 0.99664719
_EARTH_RADIUS_M = 6378140.0
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ClearDay:
    """A cloudless day of one place; arrays of shape (86400 / grid_s + 1,), both midnights included.

    Midnight is that of the place's solar zone (UTC + longitude / 15 rounded to hours), so the daylight lies
    in one piece in the middle whatever the civil clocks say.
    """

    start_utc_s: int
    zenith_deg: np.ndarray  # apparent: with refraction
    azimuth_deg: np.ndarray  # from north, clockwise
    airmass: np.ndarray  # relative; nan below the horizon
    dni_extra_w_m2: float
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    twilight_w_m2: np.ndarray  # diffuse light of the sun below and near the horizon

    @property
    def elevation_deg(self) -> np.ndarray:
        """Apparent elevation [deg]."""
        return 90.0 - self.zenith_deg


@dataclass(frozen=True, slots=True)
class ClearBlock:
    """Cloudless days of one place; `ClearDay` with one row a day, arrays of shape (days, 86400 / grid_s + 1)."""

    start_utc_s: int  # of the first day
    zenith_deg: np.ndarray
    azimuth_deg: np.ndarray
    airmass: np.ndarray
    dni_extra_w_m2: np.ndarray  # (days,)
    mean_height: np.ndarray  # (days,) of `extraterrestrial`
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    twilight_w_m2: np.ndarray
    lit: np.ndarray  # flat indices of the points with the sun up
    cos_zenith: np.ndarray  # at these points

    def day(self, k: int) -> ClearDay:
        """Day `k` of the block, counted from 0."""
        return ClearDay(
            self.start_utc_s + k * DAY_S, self.zenith_deg[k], self.azimuth_deg[k], self.airmass[k],
            float(self.dni_extra_w_m2[k]), self.ghi_w_m2[k], self.dni_w_m2[k], self.twilight_w_m2[k],
        )  # fmt: skip


def solar_zone_s(longitude_deg: float) -> int:
    """Offset [s] from UTC of the hour zone a longitude lies in."""
    return 3600 * round(longitude_deg / 15.0)


def day_of(t_utc_s: float, longitude_deg: float) -> int:
    """Solar day (days since 1970-01-01) that a moment falls on."""
    return int((t_utc_s + solar_zone_s(longitude_deg)) // DAY_S)


def day_start_utc_s(day: int, longitude_deg: float) -> int:
    """UTC second at which a solar day begins."""
    return day * DAY_S - solar_zone_s(longitude_deg)


def clear_day(day: int, location: Location, grid_s: int = SKY_S) -> ClearDay:
    """Sun and cloudless sky of one day; see `clear_block`."""
    return clear_block(day, 1, location, grid_s).day(0)


def clear_block(first_day: int, days: int, location: Location, grid_s: int = SKY_S) -> ClearBlock:
    """Sun and cloudless sky of some days in a row.

    Parameters
    ----------
    first_day, days : int
        Solar days, counted since 1970-01-01.
    location : Location
        Latitude, longitude [deg], altitude [m] and Linke turbidity.
    grid_s : int
        Time between points [s], a divisor of a day.

    Returns
    -------
    ClearBlock
        A day's values don't depend on the block it was made in.
    """
    zenith, azimuth = _position(first_day, days, location, grid_s)
    pressure_pa = standard_pressure_pa(location.altitude_m)
    height = mean_height(location.latitude_deg, _declination_deg(zenith, azimuth, location.latitude_deg))
    refract(zenith, pressure_pa)
    span = range(first_day, first_day + days)
    extra = extra_w_m2(_days_of_year(span))
    turbidity = linke_turbidity(first_day, days, location)
    airmass, ghi, dni = ineichen(zenith, extra, turbidity, location.altitude_m, pressure_pa)
    lit = np.flatnonzero(zenith < 90.0)
    cos_zenith = np.cos(np.radians(zenith.ravel()[lit]))
    start = day_start_utc_s(first_day, location.longitude_deg)
    return ClearBlock(
        start, zenith, azimuth, airmass, extra, height, ghi, dni, twilight_w_m2(zenith, ghi), lit, cos_zenith
    )


def _declination_deg(zenith_deg: np.ndarray, azimuth_deg: np.ndarray, latitude_deg: float) -> np.ndarray:
    """Declination of each day's sun at its highest, (days,), from its geometric place."""
    noon = (np.arange(zenith_deg.shape[0]), zenith_deg.argmin(axis=1))
    from_south = np.cos(np.radians(azimuth_deg[noon])) < 0.0
    return np.asarray(latitude_deg + np.where(from_south, -1.0, 1.0) * zenith_deg[noon])


def _position(first_day: int, days: int, location: Location, grid_s: int) -> tuple[np.ndarray, np.ndarray]:
    """Geometric zenith and azimuth [deg], each (days, n), seen from the place itself.

    The sun moves slowly among the stars: its direction there is interpolated between exact daily positions (four-point
    Lagrange, error below 1e-6 deg). The Earth's turning is exact. No trigonometry a point but two arc tangents.
    """
    weights, turned = _grid(solar_zone_s(location.longitude_deg), grid_s)
    stars = _nodes(first_day - 1, days + 3)
    latitude = np.radians(location.latitude_deg)
    from_axis, from_equator = _observer(latitude, location.altitude_m)
    return _seen_from(
        stars, weights, turned, np.radians(location.longitude_deg), latitude,
        _PARALLAX * from_axis, _PARALLAX * from_equator,
    )  # fmt: skip


@kernel
def _seen_from(
    stars: np.ndarray, weights: np.ndarray, turned: np.ndarray, longitude: float, latitude: float,
    shift_axis: float, shift_equator: float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    days, n = stars.shape[0] - 3, weights.shape[1]
    zenith, azimuth = np.empty((days, n)), np.empty((days, n))
    cos_latitude, sin_latitude = math.cos(latitude), math.sin(latitude)
    for d in range(days):
        angle = stars[d + 1, 3] + longitude
        cos_start, sin_start = math.cos(angle), math.sin(angle)
        for k in range(n):
            x, y, z = 0.0, 0.0, 0.0
            for i in range(4):
                x += stars[d + i, 0] * weights[i, k]
                y += stars[d + i, 1] * weights[i, k]
                z += stars[d + i, 2] * weights[i, k]
            cos_a = cos_start * turned[0, k] - sin_start * turned[1, k]
            sin_a = sin_start * turned[0, k] + cos_start * turned[1, k]
            meridian = x * cos_a + y * sin_a - shift_axis
            east = y * cos_a - x * sin_a
            z -= shift_equator
            up = cos_latitude * meridian + sin_latitude * z
            north = cos_latitude * z - sin_latitude * meridian
            zenith[d, k] = math.degrees(math.atan2(math.sqrt(east * east + north * north), up))
            bearing = math.degrees(math.atan2(east, north))
            azimuth[d, k] = bearing if bearing >= 0.0 else bearing + 360.0
    return zenith, azimuth


def _observer(latitude_rad: float, altitude_m: float) -> tuple[float, float]:
    """Distance from the Earth's axis and from its equator's plane, in equatorial radii (Meeus 1998, ch. 11)."""
    reduced = np.arctan(_EARTH_FLATTENING * np.tan(latitude_rad))
    height = altitude_m / _EARTH_RADIUS_M
    return (
        float(np.cos(reduced) + height * np.cos(latitude_rad)),
        float(_EARTH_FLATTENING * np.sin(reduced) + height * np.sin(latitude_rad)),
    )


@lru_cache(maxsize=64)
def _grid(zone_s: int, grid_s: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of four daily nodes at each point of a day, (4, n), and cosine and sine of the Earth's turn, (2, n)."""
    x = (np.arange(0, DAY_S + grid_s, grid_s) - zone_s) / DAY_S  # 0 is the UTC midnight of the day's date
    weights = np.stack([
        -x * (x - 1.0) * (x - 2.0) / 6.0,
        (x + 1.0) * (x - 1.0) * (x - 2.0) / 2.0,
        -(x + 1.0) * x * (x - 2.0) / 2.0,
        (x + 1.0) * x * (x - 1.0) / 6.0,
    ])  # fmt: skip
    turn = _SIDEREAL_RAD_PER_DAY * x
    return weights, np.stack([np.cos(turn), np.sin(turn)])


def _nodes(first: int, count: int) -> np.ndarray:
    """Direction to the sun among the stars and sidereal time of Greenwich [rad] at UTC midnights, (count, 4)."""
    blocks = range(first // _NODE_BLOCK, (first + count - 1) // _NODE_BLOCK + 1)
    whole = np.concatenate([_node_block(block) for block in blocks])
    start = first - blocks[0] * _NODE_BLOCK
    return whole[start : start + count]


@lru_cache(maxsize=8)
def _node_block(block: int) -> np.ndarray:
    return cached_array(_sun_nodes, block)


def _sun_nodes(block: int) -> np.ndarray:
    """Nodes in blocks of fixed days: a call of SPA costs as much for one day as for many."""
    from pvlib import spa

    unixtime = np.arange(block * _NODE_BLOCK, (block + 1) * _NODE_BLOCK) * float(DAY_S)
    sidereal, ascension, declination = spa.solar_position(
        unixtime, 0.0, 0.0, 0.0, 1013.25, STANDARD_TEMPERATURE_C, DELTA_T_S, REFRACTION_AT_HORIZON_DEG,
        numthreads=1, sst=True,
    )  # fmt: skip
    a, d = np.radians(ascension), np.radians(declination)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d), np.radians(sidereal)], axis=1)


def _days_of_year(span: range) -> np.ndarray:
    return np.array([date_of(day).timetuple().tm_yday for day in span])


def date_of(day: int) -> date:
    """Calendar date of a day counted since 1970-01-01."""
    return EPOCH + timedelta(days=day)


def month_of(day: int) -> int:
    """Month of a day counted since 1970-01-01; 0 is January."""
    return date_of(day).month - 1


def linke_turbidity(first_day: int, days: int, location: Location) -> np.ndarray:
    """Linke turbidity of days in a row: the site's own (twelve monthly values), or pvlib's climatology."""
    own = location.linke_turbidity
    monthly = _climatology(location.latitude_deg, location.longitude_deg) if own == "climatology" else own
    return monthly_values(monthly, first_day, days)


@lru_cache(maxsize=16)
def _climatology(latitude_deg: float, longitude_deg: float) -> tuple[float, ...]:
    return tuple(cached_array(_turbidity, latitude_deg, longitude_deg).tolist())


def _turbidity(latitude_deg: float, longitude_deg: float) -> np.ndarray:
    """Linke turbidity of the twelve months by pvlib's climatology, (12,)."""
    import pandas as pd
    from pvlib import clearsky

    middles = pd.DatetimeIndex([f"2021-{month:02d}-15" for month in range(1, 13)], tz="UTC")
    looked_up = clearsky.lookup_linke_turbidity(middles, latitude_deg, longitude_deg, interp_turbidity=False)
    return np.asarray(looked_up, dtype=float)


@lru_cache(maxsize=64)
def mid_months(means: tuple[float, ...], low: float, high: float) -> tuple[float, ...]:
    """Values at the middles of the months such that `monthly_values` between them has the months' means.

    A month's mean is three quarters of its own middle and an eighth of either neighbour's. A value beyond `low`..`high`
    is put there, and its month's mean then misses by so much.
    """
    ones = np.eye(12)
    weights = 0.75 * ones + 0.125 * (np.roll(ones, 1, axis=1) + np.roll(ones, -1, axis=1))
    return tuple(np.clip(np.linalg.solve(weights, np.array(means)), low, high).tolist())


def monthly_values(monthly: tuple[float, ...], first_day: int, days: int) -> np.ndarray:
    """Values on days in a row, (days,), linear between the middles of the months."""
    dates = np.arange(first_day, first_day + days).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    begins, ends = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    share = ((dates - begins).astype(float) + 0.5) / (ends - begins).astype(float) - 0.5
    now = months.astype(int) % 12
    other = (now + np.where(share >= 0.0, 1, -1)) % 12
    means = np.array(monthly)
    return np.asarray(means[now] + np.abs(share) * (means[other] - means[now]))


def seasonal_values(
    means: tuple[float, ...], first_day: int, days: int, low: float = -math.inf, high: float = math.inf
) -> np.ndarray:
    """Values on days in a row, (days,), linear between mid-months, each month with the mean asked for."""
    return monthly_values(mid_months(means, low, high), first_day, days)
