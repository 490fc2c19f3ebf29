"""Where the sun is and what a cloudless sky gives, for one day on the 10 s grid.

All from pvlib: NREL's SPA for the position, Ineichen-Perez for the clear sky. Adds what pvlib leaves out: twilight.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline

from plant.clock import DAY_S, SKY_S
from plant.site_sky import Location

NODE_S = 1200  # spacing of the exact solar positions; between them a cubic spline errs by less than 1e-3 deg
NODES_A_DAY = DAY_S // NODE_S
BLOCK_DAYS = 16
DELTA_T_S = 69.0  # terrestrial minus universal time about 2020; 1 s more moves the sun by 4e-3 arc minutes
SOLAR_CONSTANT_W_M2 = 1366.1
TWILIGHT_AT_HORIZON_W_M2 = 3.3
TWILIGHT_DEG_PER_DECADE = 3.0


@dataclass(frozen=True, slots=True)
class ClearDay:
    """A cloudless day of one place; arrays of shape (8641,), 10 s apart, both midnights included.

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


def solar_zone_s(longitude_deg: float) -> int:
    """Offset [s] from UTC of the hour zone a longitude lies in."""
    return 3600 * round(longitude_deg / 15.0)


def day_of(t_utc_s: float, longitude_deg: float) -> int:
    """Solar day (days since 1970-01-01) that a moment falls on."""
    return int((t_utc_s + solar_zone_s(longitude_deg)) // DAY_S)


def day_start_utc_s(day: int, longitude_deg: float) -> int:
    """UTC second at which a solar day begins."""
    return day * DAY_S - solar_zone_s(longitude_deg)


def clear_day(day: int, location: Location) -> ClearDay:
    """Sun and cloudless sky of one day.

    Parameters
    ----------
    day : int
        Solar day, days since 1970-01-01.
    location : Location
        Latitude, longitude [deg], altitude [m] and Linke turbidity.

    Returns
    -------
    ClearDay

    Notes
    -----
    Ineichen & Perez (2002) through pvlib, with its Perez enhancement off as in `Location.get_clearsky`.
    pvlib returns 0 below the horizon; timers that wait for dusk need more, so a twilight of
    ``3.3 * 10^(elevation / 3 deg)`` W/m2 is carried beside it (about 400 lx at sunset, 3.4 lx at -6 deg).
    """
    from pvlib import atmosphere, clearsky, irradiance

    start = day_start_utc_s(day, location.longitude_deg)
    zenith, azimuth = _position(day, location)
    pressure = atmosphere.alt2pres(location.altitude_m)
    elevation = 90.0 - zenith
    zenith = 90.0 - (elevation + _refraction(elevation, pressure / 100.0))
    with np.errstate(invalid="ignore"):
        airmass = atmosphere.get_relative_airmass(zenith, model="kastenyoung1989")
    absolute = atmosphere.get_absolute_airmass(airmass, pressure)
    day_of_year = (np.datetime64(day, "D") - np.datetime64(day, "D").astype("datetime64[Y]")).astype(int) + 1
    extra = float(irradiance.get_extra_radiation(int(day_of_year), solar_constant=SOLAR_CONSTANT_W_M2))
    up = zenith < 90.0
    ghi, dni = np.zeros_like(zenith), np.zeros_like(zenith)
    if up.any():
        clear = clearsky.ineichen(
            zenith[up], absolute[up], linke_turbidity(day, location), location.altitude_m, extra
        )
        ghi[up], dni[up] = clear["ghi"], clear["dni"]
    elevation = 90.0 - zenith
    twilight = TWILIGHT_AT_HORIZON_W_M2 * 10.0 ** (np.minimum(elevation, 0.0) / TWILIGHT_DEG_PER_DECADE)
    twilight = np.where(elevation > -12.0, twilight, 0.0)
    # above the horizon the twilight fades as the sun itself takes over
    twilight = np.where(ghi > twilight, 0.0, twilight)
    return ClearDay(start, zenith, azimuth, airmass, extra, ghi, dni, twilight)


def _position(day: int, location: Location) -> tuple[np.ndarray, np.ndarray]:
    """Geometric zenith and azimuth [deg] on the grid, splined between exact nodes as a unit vector."""
    first = day - day % BLOCK_DAYS
    vectors = _nodes(first, location.latitude_deg, location.longitude_deg, location.altitude_m)
    start = (day - first) * NODES_A_DAY
    nodes = np.arange(-1, NODES_A_DAY + 2) * NODE_S
    grid = np.arange(0, DAY_S + SKY_S, SKY_S)
    east, north, up = CubicSpline(nodes, vectors[start : start + nodes.size])(grid).T
    horizontal = np.hypot(east, north)
    return np.degrees(np.arctan2(horizontal, up)), np.degrees(np.arctan2(east, north)) % 360.0


@lru_cache(maxsize=4)
def _nodes(first_day: int, latitude_deg: float, longitude_deg: float, altitude_m: float) -> np.ndarray:
    """Unit vectors to the sun at the nodes of a block of days, one node beyond at either end.

    A call of SPA costs as much for one day as for many, so days come in blocks; a day's values don't depend on
    which day of its block was asked for first.
    """
    from pvlib import spa

    start = day_start_utc_s(first_day, longitude_deg)
    unixtime = start + np.arange(-1, BLOCK_DAYS * NODES_A_DAY + 2) * float(NODE_S)
    _, zenith, _, _, azimuth, _ = spa.solar_position(
        unixtime, latitude_deg, longitude_deg, altitude_m, 1013.25, 12.0, DELTA_T_S, 0.5667, numthreads=1
    )
    z, a = np.radians(zenith), np.radians(azimuth)
    return np.stack([np.sin(z) * np.sin(a), np.sin(z) * np.cos(a), np.cos(z)], axis=1)


def _refraction(elevation_deg: np.ndarray, pressure_mbar: float) -> np.ndarray:
    from pvlib import spa

    correction: np.ndarray = spa.atmospheric_refraction_correction(pressure_mbar, 12.0, elevation_deg, 0.5667)
    return correction


def linke_turbidity(day: int, location: Location) -> float:
    """Linke turbidity of a day: the site's own (twelve monthly values), or pvlib's climatology."""
    own = location.linke_turbidity
    monthly = _climatology(location.latitude_deg, location.longitude_deg) if own == "climatology" else own
    return monthly_value(monthly, day)


@lru_cache(maxsize=16)
def _climatology(latitude_deg: float, longitude_deg: float) -> tuple[float, ...]:
    import pandas as pd
    from pvlib import clearsky

    middles = pd.DatetimeIndex([f"2021-{month:02d}-15" for month in range(1, 13)], tz="UTC")
    looked_up = clearsky.lookup_linke_turbidity(middles, latitude_deg, longitude_deg, interp_turbidity=False)
    return tuple(float(value) for value in looked_up)


def monthly_value(monthly: tuple[float, ...], day: int) -> float:
    """Value on a day, linear between the middles of the months."""
    date = np.datetime64(day, "D")
    month = date.astype("datetime64[M]")
    position = (date - month).astype(int) + 0.5
    length = ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
    now = int(month.astype(int)) % 12
    share = position / length - 0.5
    other = (now + 1) % 12 if share >= 0 else (now - 1) % 12
    return float(monthly[now] + abs(share) * (monthly[other] - monthly[now]))
