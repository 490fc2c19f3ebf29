"""A sky of step means as the rest of the program sees it, and what of it falls into a plane."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from plant.base.clock import DAY_S
from plant.weather.horizon import Skyline
from plant.weather.place import Place
from plant.weather.sky import source_of
from plant.weather.steps.columns import light_in
from plant.weather.steps.suns import LOWEST_COS, StepSuns, step_suns
from plant.weather.transposition import plane_over

_COLUMNS: Final = (
    "ghi_w_m2", "dni_w_m2", "dhi_w_m2", "around_w_m2", "even_w_m2", "band_w_m2", "t_amb_c", "wind_m_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SkyMeans:
    """Means over the steps of some solar days in a row; arrays of shape (days, 86400 / step_s).

    Step k of day d begins at ``start_utc_s + d * 86400 + k * step_s``. Irradiances in W/m2 under the open sky, on the
    level but for `dni_w_m2`: that is normal to the step's mean sun, so that ``ghi = dni cos(zenith) + dhi``.
    """

    first_day: int
    start_utc_s: int
    step_s: int
    sun: StepSuns
    ghi_w_m2: np.ndarray
    dni_w_m2: np.ndarray
    dhi_w_m2: np.ndarray
    around_w_m2: np.ndarray  # of the diffuse light that from around the sun, on a plane that faces it
    even_w_m2: np.ndarray  # that from all over the sky, on the level
    band_w_m2: np.ndarray  # that from a band at the horizon, on an upright plane
    t_amb_c: np.ndarray  # degC
    wind_m_s: np.ndarray  # m/s
    horizon: Skyline = ()
    known_utc_s: tuple[float, float] = (-np.inf, np.inf)  # a weather file begins and ends

    @property
    def days(self) -> int:
        """How many."""
        return int(self.ghi_w_m2.shape[0])

    @property
    def beam_w_m2(self) -> np.ndarray:
        """Direct light on the level [W/m2]."""
        return np.asarray(self.ghi_w_m2 - self.dhi_w_m2)

    @property
    def clear_sky_index(self) -> np.ndarray:
        """Global light over that of a cloudless sky; 1 at night."""
        clear = self.sun.clear_ghi_w_m2
        return np.asarray(np.divide(self.ghi_w_m2, clear, out=np.ones_like(clear), where=clear > 0.0))

    def span(self, first: int, days: int) -> "SkyMeans":
        """Some of its days, `first` counted from 0; views, not copies."""
        rows = slice(first, first + days)
        columns: dict[str, Any] = {name: getattr(self, name)[rows] for name in _COLUMNS}
        return replace(
            self, first_day=self.first_day + first, start_utc_s=self.start_utc_s + first * DAY_S,
            sun=self.sun.span(first, days), **columns,
        )  # fmt: skip


def unpacked_sky(kept: np.ndarray, place: Place, first_day: int, step_s: int) -> SkyMeans:
    """The sky of days that `making.packed_days` has made for a place, (days,) of `columns.day_type`."""
    suns = step_suns(place.location, first_day, kept.size, step_s)
    light = light_in(kept)
    height = np.maximum(np.cos(np.radians(suns.zenith_deg)), LOWEST_COS)
    source = source_of(place)
    return SkyMeans(
        first_day, suns.start_utc_s, step_s, suns,
        light.ghi_w_m2, light.beam_w_m2 / height, np.maximum(light.ghi_w_m2 - light.beam_w_m2, 0.0), *light[2:],
        kept["t_amb"].astype(float), kept["wind"].astype(float),
        place.location.horizon, (-np.inf, np.inf) if source is None else source.span_utc_s,
    )  # fmt: skip


def means_in_plane(
    sky: SkyMeans, tilt_deg: float, azimuth_deg: float, albedo: float
) -> dict[str, np.ndarray]:
    """Irradiance in a tilted plane, by part: `plant.weather.sky.plane_of_array` for step means.

    Parameters
    ----------
    sky : SkyMeans
    tilt_deg, azimuth_deg : float
        Of the plane: 0 lies flat; azimuth from north, clockwise.
    albedo : float
        Share of the light that the ground gives back, 0..1.

    Returns
    -------
    dict
        ``aoi_deg`` [deg], ``beam``, ``sky`` and ``ground`` [W/m2], each (days, n).

    Notes
    -----
    What the sky's own minutes have as parts of the diffuse light is put into the plane; direct light and that around
    the sun come from the step's mean sun, of which the horizon lets a share pass.
    """
    plane, _skyline = plane_over(sky.horizon, tilt_deg, azimuth_deg, albedo)
    zenith, azimuth = np.radians(sky.sun.zenith_deg), np.radians(sky.sun.azimuth_deg)
    across = np.sin(zenith) * np.cos(azimuth - plane.azimuth_rad)
    cos_aoi = np.clip(np.cos(zenith) * np.cos(plane.tilt_rad) + across * np.sin(plane.tilt_rad), -1.0, 1.0)
    facing = np.maximum(cos_aoi, 0.0) * (sky.sun.seen if sky.horizon else 1.0)
    level = sky.beam_w_m2 * (sky.sun.seen if sky.horizon else 1.0) + sky.dhi_w_m2 * plane.flat_dome
    dome = sky.even_w_m2 * plane.dome + sky.around_w_m2 * facing + sky.band_w_m2 * np.sin(plane.tilt_rad)
    return {
        "aoi_deg": np.degrees(np.arccos(cos_aoi)),
        "beam": sky.dni_w_m2 * facing,
        "sky": np.maximum(dome, 0.0),
        "ground": level * plane.ground,
    }
