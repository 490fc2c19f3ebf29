"""How much of the global light comes straight from the sun."""

import numpy as np

from plant.weather.sunmeans import SunMeans

LOWEST_SUN_DEG = 87.0  # zenith beyond which the correlations know nothing


def direct_share(index: np.ndarray) -> np.ndarray:
    """Share of the clear-sky DNI left at a clear-sky index (Mueller et al. 2009, the Heliosat law).

    0 below 0.2754, ``(k - 0.38 (1 - k))^2.5`` to 1, 1 above. Continuous, and works at any time step.
    """
    base = np.clip(1.38 * index - 0.38, 0.0, 1.0)
    return np.asarray(base * base * np.sqrt(base))


def beam_of_global(
    method: str, ghi: np.ndarray, sun: SunMeans, middle_utc_s: np.ndarray, altitude_m: float
) -> np.ndarray:
    """Direct light on the level [W/m2] over intervals of which only the global is known.

    Parameters
    ----------
    method : str
        ``dirint`` (Perez et al. 1992; looks at neighbouring rows too) or ``erbs`` (Erbs et al. 1982), through pvlib.
    ghi : (n,) array
        Means over the intervals [W/m2].
    sun : SunMeans
        Over the same intervals.
    middle_utc_s : (n,) array
        Middles of the intervals.
    altitude_m : float

    Returns
    -------
    (n,) array
        Never more than `ghi`; 0 with the sun lower than 3 deg.
    """
    import pandas as pd
    from pvlib import atmosphere, irradiance

    zenith = np.degrees(np.arccos(np.clip(sun.cos_zenith, 0.0, 1.0)))
    times = pd.DatetimeIndex(pd.to_datetime(middle_utc_s, unit="s", utc=True))
    if method == "erbs":
        dni = irradiance.erbs(ghi, zenith, times, max_zenith=LOWEST_SUN_DEG)["dni"]
    else:
        pressure = atmosphere.alt2pres(altitude_m)
        dni = irradiance.dirint(ghi, zenith, times, pressure=pressure, max_zenith=LOWEST_SUN_DEG)
    level = np.nan_to_num(np.asarray(dni, dtype=float)) * np.divide(
        sun.beam_w_m2, sun.dni_w_m2, out=np.zeros_like(ghi), where=sun.dni_w_m2 > 0.0
    )
    return np.asarray(np.minimum(level, ghi))
