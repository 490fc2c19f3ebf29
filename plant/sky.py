"""The sky over a site on any day: sun, clouds, air, from (seed, day) alone."""

from dataclasses import dataclass

import numpy as np
from pvlib import irradiance

from plant import clouds, sun, weather
from plant.site import Site
from plant.sun import ClearDay

KC_DARK = 0.2754  # below this clear-sky index there is no direct sun: 0.38 / 1.38


@dataclass(frozen=True, slots=True)
class SkyDay:
    """One day of sky; arrays of shape (8641,), 10 s apart, both midnights of the solar zone included.

    Irradiances in W/m2 on the horizontal (dni: normal to the sun), temperature in degC, wind in m/s.
    """

    day: int
    start_utc_s: int
    sun: ClearDay
    clear_sky_index: np.ndarray
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    dhi_w_m2: np.ndarray
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray


def sky_day(site: Site, seed: int, day: int) -> SkyDay:
    """Make one day.

    Parameters
    ----------
    site : Site
    seed : int
        Same seed, same weather.
    day : int
        Solar day, days since 1970-01-01; see `sun.day_of`.

    Returns
    -------
    SkyDay
        The same bits whether or not the days before were made.
    """
    clear = sun.clear_day(day, site.location)
    if site.sky.clearness is None:
        index = np.ones_like(clear.ghi_w_m2)
    else:
        k_day = daily_index(site, seed, day, clear)
        index = clouds.clear_sky_index(seed, day, k_day, clear.ghi_w_m2, site.sky.cloud_model())
    ghi = np.maximum(index * clear.ghi_w_m2, clear.twilight_w_m2 * np.minimum(index, 1.0))
    dni = clear.dni_w_m2 * direct_share(index)
    cos_zenith = np.cos(np.radians(clear.zenith_deg))
    dni = np.where(cos_zenith > 0.0, np.minimum(dni, ghi / np.maximum(cos_zenith, 1e-3)), 0.0)
    dhi = np.maximum(ghi - dni * np.maximum(cos_zenith, 0.0), 0.0)
    around = [_day_air(site, seed, day + shift) for shift in (-1, 0, 1)]
    air = weather.air(seed, day, *around)
    return SkyDay(day, clear.start_utc_s, clear, index, ghi, dni, dhi, air.t_amb_c, air.wind_m_s)


def direct_share(index: np.ndarray) -> np.ndarray:
    """Share of the clear-sky DNI left at a clear-sky index (Mueller et al. 2009, the Heliosat law).

    0 below 0.2754, ``(k - 0.38 (1 - k))^2.5`` to 1, 1 above. Continuous, and works at any time step.
    """
    base = np.clip(index - 0.38 * (1.0 - index), 0.0, 1.0)
    return np.where(index <= KC_DARK, 0.0, base**2.5)


def daily_index(site: Site, seed: int, day: int, clear: ClearDay) -> float:
    """Clear-sky index of a whole day: the drawn clearness times what falls above the air, over the clear sky."""
    k_t = _clearness(site, seed, day)
    cos_zenith = np.maximum(np.cos(np.radians(clear.zenith_deg)), 0.0)
    above = clear.dni_extra_w_m2 * cos_zenith.sum()
    below = clear.ghi_w_m2.sum()
    if below <= 0.0:
        return 1.0
    return float(min(k_t * above / below, clouds.K_DAY_MAX))


def _clearness(site: Site, seed: int, day: int) -> float:
    assert site.sky.clearness is not None
    k_mean = sun.monthly_value(site.sky.clearness, day)
    return clouds.daily_clearness(seed, day, k_mean, site.sky.cloud_model())


def _day_air(site: Site, seed: int, day: int) -> weather.DayAir:
    """Means of a day's air. Bright days swing more: the swing scales with K_T over its mean, within 0.4..1.4."""
    w = site.weather
    if site.sky.clearness is None:
        k_mean, brightness, anomaly = 0.7, 1.0, 0.0
    else:
        k_mean = sun.monthly_value(site.sky.clearness, day)
        brightness = float(np.clip(_clearness(site, seed, day) / k_mean, 0.4, 1.4))
        anomaly = weather.anomaly_c(seed, day)
    swing = w.temperature_swing_c if w.temperature_swing_c is not None else 25.8 * k_mean - 5.21
    return weather.DayAir(
        sun.monthly_value(w.temperature_c, day) + anomaly,
        swing * brightness,
        sun.monthly_value(w.wind_m_s, day),
    )


def plane_of_array(sky: SkyDay, tilt_deg: float, azimuth_deg: float, albedo: float) -> dict[str, np.ndarray]:
    """Irradiance in a tilted plane [W/m2], by part.

    Parameters
    ----------
    sky : SkyDay
    tilt_deg, azimuth_deg : float
        Of the plane: 0 lies flat; azimuth from north, clockwise.
    albedo : float
        Share of the light that the ground gives back.

    Returns
    -------
    dict
        ``aoi_deg``, ``beam``, ``sky`` and ``ground``, each (8641,).

    Notes
    -----
    Perez (1990, ``allsitescomposite1990``) through pvlib. With the sun below the horizon, where Perez has
    no airmass, the twilight is taken as the same from all sides.
    """
    zenith, azimuth = sky.sun.zenith_deg, sky.sun.azimuth_deg
    aoi = irradiance.aoi(tilt_deg, azimuth_deg, zenith, azimuth)
    beam = np.maximum(sky.dni_w_m2 * np.cos(np.radians(aoi)), 0.0)
    isotropic = sky.dhi_w_m2 * (1.0 + np.cos(np.radians(tilt_deg))) / 2.0
    lit = np.flatnonzero(zenith < 90.0)
    diffuse = isotropic.copy()
    if lit.size:
        perez = irradiance.perez(
            tilt_deg, azimuth_deg, sky.dhi_w_m2[lit], sky.dni_w_m2[lit],
            sky.sun.dni_extra_w_m2, zenith[lit], azimuth[lit], sky.sun.airmass[lit],
        )  # fmt: skip
        diffuse[lit] = np.where(np.isfinite(perez), perez, isotropic[lit])
    ground = sky.ghi_w_m2 * albedo * (1.0 - np.cos(np.radians(tilt_deg))) / 2.0
    return {"aoi_deg": aoi, "beam": beam, "sky": diffuse, "ground": ground}
