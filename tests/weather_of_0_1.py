"""The weather that TracerTwin 0.1.0 made, for tests that go on with what it kept and compare bit by bit.

Bendt's distribution of daily clearness with Herzog's gamma, one AR(1) of 0.29, clouds as in `tests.clouds_of_0_1`, and
direct light by the Heliosat law minute by minute, under a cloudless sky by pvlib itself, whose last digits aren't ours;
months of air that lean towards their neighbours. All else of the sky is today's.
"""

import numpy as np
import pytest
from pvlib import atmosphere, clearsky, spa
from scipy.special import ndtr

from plant.base.chance import RandomStream, ar1
from plant.weather import sky, sun
from plant.weather.clouds import CloudModel
from plant.weather.decomposition import direct_share
from plant.weather.place import Place
from plant.weather.sun import ClearBlock
from tests import clouds_of_0_1

K_MIN = 0.05
K_DAY_MAX = 1.03


def bring_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the test ends, skies are made as they were."""
    monkeypatch.setattr(sky, "seasonal_clearness", _seasonal_clearness)
    monkeypatch.setattr(sky, "_drawn", _drawn)
    monkeypatch.setattr(sky, "_light", _light)
    monkeypatch.setattr(sun, "seasonal_values", _seasonal_values)
    monkeypatch.setattr(sun, "refract", _refract)
    monkeypatch.setattr(sun, "ineichen", _ineichen)


def _seasonal_values(
    means: tuple[float, ...], first_day: int, days: int, low: float = 0.0, high: float = 0.0
) -> np.ndarray:
    """The air's months, each with a quarter of its neighbours'."""
    return sun.monthly_values(means, first_day, days)


def _seasonal_clearness(place: Place, first_day: int, days: int) -> np.ndarray | None:
    monthly = place.sky.monthly_clearness(place.location)
    if monthly is None:
        return None
    return sun.monthly_values(monthly, first_day, days)


def _drawn(place: Place, seed: int, first_day: int, days: int) -> np.ndarray | None:
    k_means = _seasonal_clearness(place, first_day, days)
    if k_means is None:
        return None
    z = ar1(seed, RandomStream.CLEARNESS, first_day, days, 0.29)
    return np.array([_quantile(float(ndtr(x)), k) for x, k in zip(z, k_means.tolist(), strict=True)])


def _quantile(u: float, k_mean: float) -> float:
    k_max = 0.6313 + 0.267 * k_mean - 11.9 * (k_mean - 0.75) ** 8
    xi = (k_max - K_MIN) / (k_max - k_mean)
    gamma = float(-1.498 + (1.184 * xi - 27.182 * np.exp(-1.5 * xi)) / (k_max - K_MIN))
    return float(np.log((1.0 - u) * np.exp(gamma * K_MIN) + u * np.exp(gamma * k_max)) / gamma)


def _daily_index(k_t: np.ndarray, clear: ClearBlock) -> np.ndarray:
    """With the sun above the air where refraction shows it."""
    days, points = clear.ghi_w_m2.shape
    starts = np.searchsorted(clear.lit, np.arange(days + 1) * points)
    height, below = np.zeros(days), np.zeros(days)
    for d in range(days):
        for n in range(starts[d], starts[d + 1]):
            height[d] += clear.cos_zenith[n]
            below[d] += clear.ghi_w_m2.ravel()[clear.lit[n]]
    return np.divide(k_t * clear.dni_extra_w_m2 * height, below, out=np.ones(days), where=below > 0.0)


def _light(
    model: CloudModel, seed: int, first_day: int, clearness: np.ndarray | None, clear: ClearBlock, grid_s: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    index = np.ones_like(clear.ghi_w_m2)
    if clearness is not None:
        for k, k_day in enumerate(np.minimum(_daily_index(clearness, clear), K_DAY_MAX)):
            index[k] = clouds_of_0_1.clear_sky_index(seed, first_day + k, float(k_day), clear.ghi_w_m2[k])
    ghi = sky._with_twilight(index, clear)
    dni = np.zeros_like(ghi)
    most = ghi.ravel()[clear.lit] / np.maximum(clear.cos_zenith, 1e-3)
    share = direct_share(index.ravel()[clear.lit])
    dni.ravel()[clear.lit] = np.minimum(clear.dni_w_m2.ravel()[clear.lit] * share, most)
    return index, ghi, dni


def _refract(zenith_deg: np.ndarray, pressure: float) -> None:
    seen = np.flatnonzero(zenith_deg < 91.0)
    elevation = 90.0 - zenith_deg.ravel()[seen]
    bent = spa.atmospheric_refraction_correction(pressure / 100.0, 12.0, elevation, 0.5667)
    zenith_deg.ravel()[seen] = 90.0 - (elevation + bent)


def _ineichen(
    zenith_deg: np.ndarray, extra: np.ndarray, turbidity: np.ndarray, altitude_m: float, pressure: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    lit = np.flatnonzero(zenith_deg < 90.0)
    row, above = lit // zenith_deg.shape[1], zenith_deg.ravel()[lit]
    airmass, ghi, dni = np.full_like(zenith_deg, np.nan), np.zeros_like(zenith_deg), np.zeros_like(zenith_deg)
    relative = atmosphere.get_relative_airmass(above)
    absolute = atmosphere.get_absolute_airmass(relative, pressure)
    clear = clearsky.ineichen(above, absolute, turbidity[row], altitude_m, extra[row])
    airmass.ravel()[lit], ghi.ravel()[lit], dni.ravel()[lit] = relative, clear["ghi"], clear["dni"]
    return airmass, ghi, dni
