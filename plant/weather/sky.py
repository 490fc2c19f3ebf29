"""The sky over a site on any day: sun, clouds, air, from (seed, day) alone, or from a weather file."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from plant.base.chance import Dealer, RandomStream
from plant.base.clock import DAY_S, SKY_S
from plant.base.jit import kernel
from plant.weather import air, clouds, sun
from plant.weather.clearness import BRIGHTEST_MONTH, DARKEST_MONTH, daily_clearness, lag_one
from plant.weather.diffuse import direct_on_level
from plant.weather.horizon import Skyline
from plant.weather.place import Place
from plant.weather.sun import ClearBlock, ClearDay
from plant.weather.transposition import MODELS, plane_over, sun_seen, transpose

if TYPE_CHECKING:
    from plant.weather.measured.days import FileSky

CLEAR_SITE_CLEARNESS = 0.7  # a site without clouds swings between night and day as a bright month does
OVER_CLEAR = 1.03  # a day brighter than this over a cloudless one has cleaner air than the month
BLOCK_DAYS = 32  # days made in one go: many enough to share overheads, few enough for the processor's cache


@dataclass(frozen=True, slots=True)
class SkyDay:
    """One day of sky; arrays of shape (86400 / grid_s + 1,), both midnights of the solar zone included.

    Irradiances in W/m2 on the horizontal under the open sky (dni: normal to the sun), temperature in degC, wind in m/s.
    What the horizon hides is taken off in `plane_of_array`.
    """

    day: int
    start_utc_s: int
    grid_s: int
    sun: ClearDay
    clear_sky_index: np.ndarray
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    dhi_w_m2: np.ndarray
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray
    transposition: str = "perez"
    horizon: Skyline = ()


@dataclass(frozen=True, slots=True)
class SkyBlock:
    """Some days of sky: `SkyDay` with one row a day, arrays of shape (days, 86400 / grid_s + 1)."""

    first_day: int
    start_utc_s: int
    grid_s: int
    sun: ClearBlock
    clear_sky_index: np.ndarray
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    dhi_w_m2: np.ndarray
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray
    transposition: str = "perez"
    horizon: Skyline = ()
    known_utc_s: tuple[float, float] = (-np.inf, np.inf)  # a weather file begins and ends

    @property
    def days(self) -> int:
        """How many."""
        return int(self.ghi_w_m2.shape[0])

    def day(self, k: int) -> SkyDay:
        """Day `k` of the block, counted from 0; views, not copies."""
        return SkyDay(
            self.first_day + k, self.start_utc_s + k * DAY_S, self.grid_s, self.sun.day(k),
            self.clear_sky_index[k], self.ghi_w_m2[k], self.dni_w_m2[k], self.dhi_w_m2[k],
            self.t_amb_c[k], self.wind_m_s[k], self.transposition, self.horizon,
        )  # fmt: skip


def sky_day(place: Place, seed: int, day: int, grid_s: int = SKY_S) -> SkyDay:
    """Make one day; see `sky_block`."""
    return sky_block(place, seed, day, 1, grid_s).day(0)


def sky_block(place: Place, seed: int, first_day: int, days: int, grid_s: int = SKY_S) -> SkyBlock:
    """Make some days in a row; about `BLOCK_DAYS` of them cost least a day.

    Parameters
    ----------
    place : Place
    seed : int
        Same seed, same weather, on every grid.
    first_day, days : int
        Solar days, counted since 1970-01-01; see `sun.day_of`.
    grid_s : int
        10 s, or a multiple of 60 s that divides a day.

    Returns
    -------
    SkyBlock
        A day's bits are the same in any block and alone.

    Raises
    ------
    ProblemsError
        If the place's weather file can't be used, or holds nothing for these days.
    """
    clear = sun.clear_block(first_day, days, place.location, grid_s)
    drawn = drawn_clearness(place, seed, first_day, days)
    source = source_of(place)
    index, ghi, dni = light_under(clear, place, seed, first_day, drawn, grid_s, source)
    dhi = ghi.copy()
    beam = dni.ravel()[clear.lit] * clear.cos_zenith
    dhi.ravel()[clear.lit] = np.maximum(dhi.ravel()[clear.lit] - beam, 0.0)
    t_amb, wind = air_of_days(place, seed, first_day, days, drawn, grid_s, source)
    return SkyBlock(
        first_day, clear.start_utc_s, grid_s, clear, index, ghi, dni, dhi, t_amb, wind,
        place.sky.transposition, place.location.horizon, (-np.inf, np.inf) if source is None else source.span_utc_s,
    )  # fmt: skip


def source_of(place: Place) -> "FileSky | None":
    """The place's weather file, if it has one."""
    if place.weather.file is None:
        return None
    from plant.weather.measured.days import file_sky

    return file_sky(place.weather, place.location)


def light_under(
    clear: ClearBlock,
    place: Place,
    seed: int,
    first_day: int,
    drawn: np.ndarray | None,
    grid_s: int,
    source: "FileSky | None",
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The light of some days, by a weather file or by chance.

    Parameters
    ----------
    clear : ClearBlock
        The cloudless sky of these days, on the grid.
    place : Place
    seed, first_day : int
    drawn : (days + 2,) array or None
        What `drawn_clearness` gives for these days; None for a sky without clouds.
    grid_s : int
        Time between points [s].
    source : FileSky or None
        What `source_of` gives for the place.

    Returns
    -------
    (days, n) array, (days, n) array, (days, n) array
        Clear-sky index [-], global irradiance on the level and direct normal irradiance [W/m2].
    """
    if source is not None:
        return source.light(first_day, clear, grid_s)
    clearness = None if drawn is None else drawn[1:-1]
    return _light(place.sky.cloud_model(), seed, first_day, clearness, clear, grid_s)


def _light(
    model: clouds.CloudModel,
    seed: int,
    first_day: int,
    clearness: np.ndarray | None,
    clear: ClearBlock,
    grid_s: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clear-sky index, global and direct normal irradiance [W/m2] of days, each (days, n).

    Parameters
    ----------
    model, seed, first_day, grid_s
    clearness : (days,) array or None
        Of each day; None for a sky without clouds.
    clear : ClearBlock
    """
    if clearness is None:
        index = np.ones_like(clear.ghi_w_m2)
        ghi = _with_twilight(index, clear)
        level = ghi.ravel()[clear.lit] / np.maximum(clear.cos_zenith, 1e-3)
        dni = np.zeros_like(ghi)
        dni.ravel()[clear.lit] = np.minimum(clear.dni_w_m2.ravel()[clear.lit], level)
        return index, ghi, dni
    k_days = daily_index(clearness, clear)
    cleaner = np.maximum(k_days / OVER_CLEAR, 1.0)
    index = np.empty_like(clear.ghi_w_m2)
    dealer = Dealer(seed, RandomStream.CLOUDS)
    for k, k_day in enumerate((k_days / cleaner).tolist()):
        day = first_day + k
        under_own_sky = clouds.clear_sky_index(
            seed, day, k_day, clear.ghi_w_m2[k], model, grid_s, dealer.on(day)
        )
        np.multiply(cleaner[k], under_own_sky, out=index[k])
    ghi = _with_twilight(index, clear)
    dni = np.zeros_like(ghi)
    dni.ravel()[clear.lit] = direct_on_level(index, ghi, cleaner, clear) / np.maximum(clear.cos_zenith, 1e-3)
    return index, ghi, dni


def _with_twilight(index: np.ndarray, clear: ClearBlock) -> np.ndarray:
    """Global light on the level [W/m2] under a clear-sky index, dawn and dusk included."""
    return _twilit(index, clear.ghi_w_m2, clear.twilight_w_m2)


@kernel
def _twilit(index: np.ndarray, clear_ghi: np.ndarray, twilight: np.ndarray) -> np.ndarray:
    """The first and the last of each day's clouds are held on into dawn and dusk: they don't set."""
    out = np.empty_like(index)
    for d in range(index.shape[0]):
        first, last = 0, index.shape[1] - 1
        while first < last and clear_ghi[d, first] <= 0.0:
            first += 1
        while last > first and clear_ghi[d, last] <= 0.0:
            last -= 1
        for k in range(index.shape[1]):
            held = index[d, min(max(k, first), last)]
            out[d, k] = max(index[d, k] * clear_ghi[d, k], twilight[d, k] * min(held, 1.0))
    return out


def drawn_clearness(place: Place, seed: int, first_day: int, days: int) -> np.ndarray | None:
    """Clearness of days in a row and of one more at either end, (days + 2,): a day's air depends on its neighbours.

    None for a sky without clouds.
    """
    return _drawn(place, seed, first_day - 1, days + 2)


def _drawn(place: Place, seed: int, first_day: int, days: int) -> np.ndarray | None:
    """Clearness of days in a row, (days,), with the memory that the site gives or the season's clearness implies."""
    k_means = seasonal_clearness(place, first_day, days)
    if k_means is None:
        return None
    by_month = place.sky.day_to_day
    correlations = lag_one(k_means) if by_month is None else sun.monthly_values(by_month, first_day, days)
    return daily_clearness(seed, first_day, k_means, correlations, place.location.latitude_deg)


def seasonal_clearness(place: Place, first_day: int, days: int) -> np.ndarray | None:
    """Mean clearness index of the season on each day, (days,); None for a sky without clouds."""
    monthly = place.sky.monthly_clearness(place.location)
    if monthly is None:
        return None
    return sun.seasonal_values(monthly, first_day, days, DARKEST_MONTH, BRIGHTEST_MONTH)


def daily_index(k_t: np.ndarray, clear: ClearBlock) -> np.ndarray:
    """Clear-sky index of whole days, (days,): clearness times what falls above the air, over the clear sky."""
    below = _mean_of_days(clear.ghi_w_m2)
    above = clear.dni_extra_w_m2 * clear.mean_height
    # A sun that only the air lifts over the horizon has no light above it: its few minutes are without clouds.
    return np.asarray(
        np.divide(k_t * above, below, out=np.ones(k_t.size), where=(below > 0.0) & (above > 0.0))
    )


@kernel
def _mean_of_days(values: np.ndarray) -> np.ndarray:
    """Mean of each day's points, (days,), the midnight at its end left out; the same whatever other days there are."""
    means = np.zeros(values.shape[0])
    for d in range(values.shape[0]):
        for k in range(values.shape[1] - 1):
            means[d] += values[d, k]
    means /= values.shape[1] - 1
    return means


def air_of_days(
    place: Place,
    seed: int,
    first_day: int,
    days: int,
    drawn: np.ndarray | None,
    grid_s: int,
    source: "FileSky | None",
) -> tuple[np.ndarray, np.ndarray]:
    """The air of some days: a weather file's, and what it lacks from the monthly means.

    Parameters
    ----------
    place : Place
    seed, first_day, days : int
    drawn : (days + 2,) array or None
        What `drawn_clearness` gives for these days; None for a sky without clouds.
    grid_s : int
        Time between points [s].
    source : FileSky or None
        What `source_of` gives for the place.

    Returns
    -------
    (days, n) array, (days, n) array
        Temperature [degC] and wind [m/s].
    """
    t_amb = source.air("t_amb_c", first_day, days, grid_s) if source is not None else None
    wind = source.air("wind_m_s", first_day, days, grid_s) if source is not None else None
    if t_amb is None:
        t_amb = air.temperature(_day_means(place, seed, first_day - 1, days + 2, drawn), grid_s)
    if wind is None:
        means = sun.seasonal_values(place.weather.wind_m_s, first_day, days + 1, air.WIND_FLOOR_M_S)
        wind = air.wind(seed, first_day, means, grid_s)
    return t_amb, wind


def _day_means(place: Place, seed: int, first_day: int, days: int, drawn: np.ndarray | None) -> air.DayMeans:
    """Means of days' air. Bright days swing more: the swing scales with K_T over its mean, within 0.4..1.4."""
    w = place.weather
    assert w.temperature_c is not None  # the record sees to it, or the file has a temperature
    k_mean = seasonal_clearness(place, first_day, days)
    if k_mean is None or drawn is None:
        k_mean = np.full(days, CLEAR_SITE_CLEARNESS)
        brightness, anomaly = np.ones(days), np.zeros(days)
    else:
        brightness = np.clip(drawn / k_mean, 0.4, 1.4)
        anomaly = air.anomaly_k(seed, first_day, days)
    own_k = w.temperature_swing_c
    swing = air.mean_swing_k(k_mean) if own_k is None else np.full(days, own_k)
    means = sun.seasonal_values(w.temperature_c, first_day, days)
    return air.DayMeans(means + anomaly, swing * brightness)


def plane_of_array(
    sky: SkyDay | SkyBlock, tilt_deg: float, azimuth_deg: float, albedo: float
) -> dict[str, np.ndarray]:
    """Irradiance in a tilted plane [W/m2], by part.

    Parameters
    ----------
    sky : SkyDay or SkyBlock
    tilt_deg, azimuth_deg : float
        Of the plane: 0 lies flat; azimuth from north, clockwise.
    albedo : float
        Share of the light that the ground gives back.

    Returns
    -------
    dict
        ``aoi_deg``, ``beam``, ``sky`` and ``ground``, each of the shape of the sky's own arrays.

    Notes
    -----
    Perez (1990, ``allsitescomposite1990``) or Hay & Davies (1980), as `sky` says, over its horizon; see
    `transposition.transpose`.
    """
    plane, skyline = plane_over(sky.horizon, tilt_deg, azimuth_deg, albedo)
    model = MODELS[sky.transposition]
    zenith, azimuth, airmass, ghi, dni, dhi, extra = (
        np.atleast_2d(column)
        for column in (
            sky.sun.zenith_deg, sky.sun.azimuth_deg, sky.sun.airmass,
            sky.ghi_w_m2, sky.dni_w_m2, sky.dhi_w_m2, sky.sun.dni_extra_w_m2,
        )
    )  # fmt: skip
    seen = sun_seen(zenith, azimuth, skyline)
    parts = transpose(zenith, azimuth, airmass, ghi, dni, dhi, extra.ravel(), plane, seen, model)
    shaped = (part.reshape(sky.ghi_w_m2.shape) for part in parts)
    return dict(zip(("aoi_deg", "beam", "sky", "ground"), shaped, strict=True))
