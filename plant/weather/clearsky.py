"""A cloudless sky over a place: refraction, air mass, global and direct light of Ineichen & Perez, and twilight.

The formulas are those of pvlib, point by point in compiled code, and the tests hold them to pvlib's values. So a
plant whose sun and turbidity are on disk runs without pvlib, whose import takes as long as the rest of a start.
"""

import math

import numpy as np

from plant.base.jit import kernel

TWILIGHT_AT_HORIZON_W_M2 = 3.3
TWILIGHT_DEG_PER_DECADE = 3.0
TWILIGHT_END_DEG = -12.0
STANDARD_TEMPERATURE_C = 12.0  # of the air that refracts
REFRACTION_AT_HORIZON_DEG = 0.5667
REFRACTED_DEG = 91.0  # geometric zenith beyond which nothing is lifted
SEA_LEVEL_PA = 101325.0
SOLAR_CONSTANT_W_M2 = 1366.1
DELTA_T_S = 69.0  # terrestrial minus universal time about 2020; 1 s more moves the sun by 4e-3 arc minutes


def extra_w_m2(day_of_year: np.ndarray) -> np.ndarray:
    """Direct light above the air [W/m2] by day of the year, from 1: the Earth's distance by Spencer (1971)."""
    b = 2.0 * np.pi / 365.0 * (day_of_year - 1)
    near = 1.00011 + 0.034221 * np.cos(b) + 0.00128 * np.sin(b)
    return np.asarray(SOLAR_CONSTANT_W_M2 * (near + 0.000719 * np.cos(2.0 * b) + 7.7e-05 * np.sin(2.0 * b)))


def standard_pressure_pa(altitude_m: float) -> float:
    """Air pressure [Pa] of the standard atmosphere at an altitude."""
    return float(100.0 * ((44331.514 - altitude_m) / 11880.516) ** (1.0 / 0.1902632))


@kernel
def refract(zenith_deg: np.ndarray, pressure_pa: float) -> None:
    """Lift the sun, in place, by what the air bends its light (Bennett 1982, as in NREL's SPA).

    Parameters
    ----------
    zenith_deg : (days, n) array
        Geometric zenith; from 91 deg on nothing changes.
    pressure_pa : float
        Of the air.
    """
    strength = pressure_pa / 100.0 / 1010.0 * (283.0 / (273.0 + STANDARD_TEMPERATURE_C)) * 1.02 / 60.0
    lowest = -(0.26667 + REFRACTION_AT_HORIZON_DEG)  # of the sun's centre, with its rim still seen
    for d in range(zenith_deg.shape[0]):
        for k in range(zenith_deg.shape[1]):
            elevation = 90.0 - zenith_deg[d, k]
            if zenith_deg[d, k] < REFRACTED_DEG and elevation >= lowest:
                bent = strength / math.tan(math.radians(elevation + 10.3 / (elevation + 5.11)))
                zenith_deg[d, k] = 90.0 - (elevation + bent)


@kernel
def ineichen(
    zenith_deg: np.ndarray,
    dni_extra_w_m2: np.ndarray,
    turbidity: np.ndarray,
    altitude_m: float,
    pressure_pa: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relative air mass, global light on the level and direct normal light [W/m2] of cloudless days, each (days, n).

    Parameters
    ----------
    zenith_deg : (days, n) array
        Apparent.
    dni_extra_w_m2, turbidity : (days,) array
        Direct light above the air [W/m2] and Linke turbidity of each day.
    altitude_m, pressure_pa : float
        Of the place [m, Pa].

    Notes
    -----
    Ineichen & Perez (2002) without the Perez enhancement, air mass by Kasten & Young (1989), both as pvlib has them.
    With the sun down no light and an air mass of nan.
    """
    near, far = math.exp(-altitude_m / 8000.0), math.exp(-altitude_m / 1250.0)
    cg1, cg2 = 5.09e-05 * altitude_m + 0.868, 3.92e-05 * altitude_m + 0.0387
    b = 0.664 + 0.163 / near
    airmass = np.full(zenith_deg.shape, np.nan)
    ghi, dni = np.zeros(zenith_deg.shape), np.zeros(zenith_deg.shape)
    for d in range(zenith_deg.shape[0]):
        above, over_one = dni_extra_w_m2[d], turbidity[d] - 1.0
        most = 1.0 - (0.1 - 0.2 * math.exp(-turbidity[d])) / (0.1 + 0.882 / near)  # of the global light
        for k in range(zenith_deg.shape[1]):
            z = zenith_deg[d, k]
            if z >= 90.0:
                continue
            cos_z = math.cos(math.radians(z))
            relative = 1.0 / (cos_z + 0.50572 * (6.07995 + (90.0 - z)) ** -1.6364)
            absolute = relative * pressure_pa / SEA_LEVEL_PA
            level = cg1 * above * cos_z * math.exp(-cg2 * absolute * (near + far * over_one))
            beam = above * b * math.exp(-0.09 * absolute * over_one)
            airmass[d, k], ghi[d, k], dni[d, k] = relative, level, min(beam, level * max(most / cos_z, 0.0))
    return airmass, ghi, dni


def twilight_w_m2(zenith_deg: np.ndarray, ghi_w_m2: np.ndarray) -> np.ndarray:
    """Light of the sky [W/m2] with the sun below the horizon; above, it fades as the sun itself takes over.

    pvlib has none there; timers that wait for dusk need some: ``3.3 * 10^(elevation / 3 deg)`` W/m2 to 12 deg below
    (about 400 lx at sunset, 3.4 lx at -6 deg).
    """
    out = np.zeros_like(zenith_deg)
    near = np.flatnonzero((zenith_deg < 90.0 - TWILIGHT_END_DEG) & (ghi_w_m2 <= TWILIGHT_AT_HORIZON_W_M2))
    depth = np.minimum(90.0 - zenith_deg.ravel()[near], 0.0)
    light = TWILIGHT_AT_HORIZON_W_M2 * 10.0 ** (depth / TWILIGHT_DEG_PER_DECADE)
    out.ravel()[near] = np.where(ghi_w_m2.ravel()[near] > light, 0.0, light)
    return out
