"""What stands around a place: hills and trees as a line of elevations over the azimuth, and the sky they leave.

Knows geometry only. The line is straight between its points and closes round north.
"""

from functools import lru_cache

import numpy as np

Skyline = tuple[tuple[float, float], ...]  # (azimuth_deg, elevation_deg) from north, clockwise
_AZIMUTHS = 1440  # steps of the sky integral; 0.25 deg


def elevation_deg(profile: Skyline, azimuth_deg: np.ndarray) -> np.ndarray:
    """Elevation [deg] of the horizon in some directions; 0 all round for an empty profile."""
    if not profile:
        return np.zeros_like(azimuth_deg)
    points = sorted(profile)
    azimuths, elevations = (np.array(column) for column in zip(*points, strict=True))
    return np.asarray(np.interp(azimuth_deg, azimuths, elevations, period=360.0))


@lru_cache(maxsize=256)
def open_sky(profile: Skyline, tilt_deg: float, azimuth_deg: float) -> float:
    """Share of the light of an evenly bright dome that reaches a plane over a horizon.

    Parameters
    ----------
    profile : Skyline
    tilt_deg, azimuth_deg : float
        Of the plane.

    Returns
    -------
    float
        ``(1 + cos tilt) / 2`` with nothing in the way; ``cos^2 h`` for a flat plane in a ring of elevation h.

    Notes
    -----
    ``1/pi`` times the integral of ``cos(incidence) cos(elevation)`` over the sky that stands both above the horizon
    and before the plane; over elevation in closed form, over azimuth by the mid-point rule.
    """
    azimuth = (np.arange(_AZIMUTHS) + 0.5) * 360.0 / _AZIMUTHS
    tilt = np.radians(tilt_deg)
    ahead = np.cos(np.radians(azimuth - azimuth_deg)) * np.sin(tilt)
    own_edge = np.arctan2(-ahead, np.cos(tilt))  # the plane's own edge hides what is behind it
    low = np.maximum(np.radians(elevation_deg(profile, azimuth)), np.maximum(own_edge, 0.0))
    flat = np.cos(tilt) * np.cos(low) ** 2 / 2.0
    upright = ahead * ((np.pi / 2.0 - low) / 2.0 - np.sin(2.0 * low) / 4.0)
    return float(np.sum(flat + upright) * 2.0 / _AZIMUTHS)
