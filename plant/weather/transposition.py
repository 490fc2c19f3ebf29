"""From the horizontal into a tilted plane: beam, sky and ground, by Perez or by Hay & Davies, over a horizon.

A kernel, since pvlib's functions cost four times as much and cannot tell the light around the sun, which a hill hides
together with it, from the rest of the sky. Without a horizon it gives pvlib's values (a test compares them).
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from plant.base.jit import inline_llvm, kernel
from plant.weather.horizon import Skyline, elevation_deg, open_sky

PEREZ, HAY_DAVIES = 0, 1
MODELS = {"perez": PEREZ, "haydavies": HAY_DAVIES}
_KAPPA = 1.041
_CLEARNESS_BINS = np.array([1.065, 1.23, 1.5, 1.95, 2.8, 4.5, 6.2])
# Perez et al., Solar Energy 44 (1990) 271, all sites: F11 F12 F13 F21 F22 F23 for each bin of sky clearness
_PEREZ = np.array([
    [-0.008, 0.588, -0.062, -0.06, 0.072, -0.022],
    [0.13, 0.683, -0.151, -0.019, 0.066, -0.029],
    [0.33, 0.487, -0.221, 0.055, -0.064, -0.026],
    [0.568, 0.187, -0.295, 0.109, -0.152, -0.014],
    [0.873, -0.392, -0.362, 0.226, -0.462, 0.001],
    [1.132, -1.237, -0.412, 0.288, -0.823, 0.056],
    [1.06, -1.6, -0.359, 0.264, -1.127, 0.131],
    [0.678, -0.327, -0.25, 0.156, -1.377, 0.251],
])  # fmt: skip
LOWEST_COS = np.array([math.cos(math.radians(85.0)), 0.01745])  # of the sun's zenith, by model
_HORIZON_STEPS = 3600  # the profile is looked up in steps of 0.1 deg


class Plane(NamedTuple):
    """A tilted plane and what it sees, as the kernel takes it."""

    tilt_rad: float
    azimuth_rad: float
    ground: float  # share of the ground's light that reaches the plane, albedo included
    dome: float  # share of an evenly bright sky that reaches it
    flat_dome: float  # the same for the level ground before it


def plane_over(
    profile: Skyline, tilt_deg: float, azimuth_deg: float, albedo: float
) -> tuple[Plane, np.ndarray]:
    """A plane, and the elevation [rad] of the horizon around it in even steps of azimuth (empty for none)."""
    tilt = math.radians(tilt_deg)
    ground = albedo * (1.0 - math.cos(tilt)) / 2.0
    if not profile:
        dome = (1.0 + math.cos(tilt)) / 2.0
        return Plane(tilt, math.radians(azimuth_deg), ground, dome, 1.0), np.empty(0)
    dome = open_sky(profile, tilt_deg, azimuth_deg)
    return Plane(tilt, math.radians(azimuth_deg), ground, dome, open_sky(profile, 0.0, 0.0)), _skyline(
        profile
    )


@lru_cache(maxsize=32)
def _skyline(profile: Skyline) -> np.ndarray:
    return np.asarray(
        np.radians(elevation_deg(profile, np.arange(_HORIZON_STEPS + 1) * 360.0 / _HORIZON_STEPS))
    )


def sun_seen(zenith_deg: np.ndarray, azimuth_deg: np.ndarray, skyline: np.ndarray) -> np.ndarray:
    """Share of the sun that the horizon leaves at each point, (days, n): 1 or 0; (0, 0) without a horizon."""
    if not skyline.size:
        return np.empty((0, 0))
    return _sun_above(zenith_deg, azimuth_deg, skyline)


@kernel
def _sun_above(zenith_deg: np.ndarray, azimuth_deg: np.ndarray, skyline: np.ndarray) -> np.ndarray:
    seen = np.empty_like(zenith_deg)
    for d in range(zenith_deg.shape[0]):
        for k in range(zenith_deg.shape[1]):
            place = azimuth_deg[d, k] / 360.0 * (skyline.size - 1)
            cell = min(int(place), skyline.size - 2)
            height = skyline[cell] + (place - cell) * (skyline[cell + 1] - skyline[cell])
            seen[d, k] = 1.0 if 0.5 * math.pi - math.radians(zenith_deg[d, k]) > height else 0.0
    return seen


@inline_llvm
def diffuse_split(
    zenith_rad: float, airmass: float, dni: float, dhi: float, extra: float, model: int
) -> tuple[float, float]:
    """Shares of the diffuse light that come from around the sun, and from a band at the horizon; the rest is even."""
    if model == HAY_DAVIES:
        return dni / extra, 0.0
    cube = _KAPPA * zenith_rad**3
    clearness = ((dhi + dni) / dhi + cube) / (1.0 + cube)
    row = 0
    while row < _CLEARNESS_BINS.size and clearness >= _CLEARNESS_BINS[row]:
        row += 1
    c = _PEREZ[row]
    brightness = dhi * airmass / extra
    around = max(c[0] + c[1] * brightness + c[2] * zenith_rad, 0.0)
    return around, c[3] + c[4] * brightness + c[5] * zenith_rad


@kernel
def transpose(
    zenith_deg: np.ndarray, azimuth_deg: np.ndarray, airmass: np.ndarray,
    ghi: np.ndarray, dni: np.ndarray, dhi: np.ndarray, extra: np.ndarray,
    plane: Plane, sun_share: np.ndarray, model: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Light in a plane, from the sun, the sky and the ground.

    Parameters
    ----------
    zenith_deg, azimuth_deg : (days, n) array
        Of the sun, apparent [deg]; azimuth from north, clockwise.
    airmass : (days, n) array
        Relative; nan with the sun down.
    ghi, dni, dhi : (days, n) array
        Irradiance on the level, towards the sun, and of the sky on the level [W/m2].
    extra : (days,) array
        Direct light above the air [W/m2].
    plane : Plane
    sun_share : (days, n) array, or empty
        How much of the sun the horizon leaves, as `sun_seen` has it.
    model : int
        Of `MODELS`.

    Returns
    -------
    four (days, n) arrays
        Angle of incidence [deg]; beam, light of the sky and of the ground [W/m2].

    Notes
    -----
    Hidden by the horizon: the beam and the light around the sun while the sun stands below it, and of the evenly bright
    part of the sky what the profile covers. The bright band at the horizon is kept, the ground before the plane sees
    the same horizon. With the sun down, the twilight comes evenly from the dome.
    """
    aoi, beam = np.empty_like(ghi), np.zeros_like(ghi)
    sky, ground = np.zeros_like(ghi), np.zeros_like(ghi)
    cos_tilt, sin_tilt = math.cos(plane.tilt_rad), math.sin(plane.tilt_rad)
    for d in range(ghi.shape[0]):
        for k in range(ghi.shape[1]):
            z = math.radians(zenith_deg[d, k])
            cos_z = math.cos(z)
            facing = math.cos(math.radians(azimuth_deg[d, k]) - plane.azimuth_rad)
            cos_aoi = min(max(cos_z * cos_tilt + math.sin(z) * sin_tilt * facing, -1.0), 1.0)
            aoi[d, k] = math.degrees(math.acos(cos_aoi))
            if ghi[d, k] <= 0.0:
                continue
            if not cos_z > 0.0 or not airmass[d, k] > 0.0:
                sky[d, k] = dhi[d, k] * plane.dome
                ground[d, k] = ghi[d, k] * plane.flat_dome * plane.ground
                continue
            seen = 1.0
            if sun_share.size:
                seen = sun_share[d, k]
            beam[d, k] = seen * dni[d, k] * max(cos_aoi, 0.0)
            level = ghi[d, k]
            if sun_share.size:
                level = seen * dni[d, k] * cos_z + dhi[d, k] * plane.flat_dome
            ground[d, k] = level * plane.ground
            if dhi[d, k] <= 0.0:
                continue
            around, band = diffuse_split(z, airmass[d, k], dni[d, k], dhi[d, k], extra[d], model)
            circle = around * max(cos_aoi, 0.0) / max(cos_z, LOWEST_COS[model])
            sky[d, k] = max(dhi[d, k] * ((1.0 - around) * plane.dome + seen * circle + band * sin_tilt), 0.0)
    return aoi, beam, sky, ground
