"""The array: irradiance and air in, current-voltage curve out, for every step of a day.

What the battery does can't change any of this, so a whole day is made before the plant steps through it.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from plant.clock import SKY_S, STEP_S
from plant.diode import curve_at, maximum_power_vd, open_circuit_v, point
from plant.jit import kernel
from plant.module import Module
from plant.site_array import Array
from plant.sky import SkyDay, plane_of_array

CELL_TEMPERATURE_LAG_S = 300.0  # EN 50530 uses 5 min
FAIMAN_U0, FAIMAN_U1 = 25.0, 6.84


class ArrayDay(NamedTuple):
    """One day of the array in steps of the plant, each held from one grid point to the next; shape (17280,)."""

    ghi_w_m2: np.ndarray
    poa_w_m2: np.ndarray  # in the plane, before reflection
    t_amb_c: np.ndarray
    wind_m_s: np.ndarray
    t_cell_c: np.ndarray
    i_l_a: np.ndarray
    i_0_a: np.ndarray
    a_v: np.ndarray
    r_sh_ohm: np.ndarray
    v_oc_v: np.ndarray
    v_mp_v: np.ndarray
    p_mp_w: np.ndarray


def effective_irradiance(array: Array, sky: SkyDay, albedo: float) -> tuple[np.ndarray, np.ndarray]:
    """Irradiance [W/m2] in the plane, and what of it the cells see; each (8641,) on the sky's grid.

    Reflection by `iam.physical` for the beam and its integral over sky and ground (Marion 2017) for the
    diffuse parts; soiling, mismatch, light-induced and nameplate losses as shares of the light.
    """
    from pvlib import iam

    part = plane_of_array(sky, array.tilt_deg, array.azimuth_deg, albedo)
    whole = part["beam"] + part["sky"] + part["ground"]
    beam = part["beam"] * np.nan_to_num(iam.physical(part["aoi_deg"]))
    diffuse_sky, diffuse_ground = _diffuse_iam(array.tilt_deg)
    seen = beam + part["sky"] * diffuse_sky + part["ground"] * diffuse_ground
    loss = array.losses
    keep = (1 - loss.soiling) * (1 - loss.mismatch) * (1 - loss.light_induced) * (1 - loss.nameplate)
    return whole, seen * keep


@lru_cache(maxsize=64)
def _diffuse_iam(tilt_deg: float) -> tuple[float, float]:
    from pvlib import iam

    marion = iam.marion_diffuse("physical", tilt_deg)
    ground = float(marion["ground"])
    return float(marion["sky"]), ground if math.isfinite(ground) else 1.0  # a flat module sees no ground


def array_day(array: Array, sky: SkyDay, albedo: float) -> ArrayDay:
    """The array's day, each step seen at its middle.

    Parameters
    ----------
    array : Array
    sky : SkyDay
    albedo : float

    Returns
    -------
    ArrayDay
        Cell temperature: Faiman's steady state through a first-order lag of 5 min that starts the day at rest.
    """
    whole, seen = effective_irradiance(array, sky, albedo)
    grid = np.arange(sky.ghi_w_m2.size) * float(SKY_S)
    middle = np.arange(0.5 * STEP_S, grid[-1], STEP_S)
    at_middle = {
        name: np.interp(middle, grid, values)
        for name, values in (
            ("ghi", sky.ghi_w_m2), ("whole", whole), ("seen", seen),
            ("t_amb", sky.t_amb_c), ("wind", sky.wind_m_s),
        )
    }  # fmt: skip
    module = array.module_parameters()
    columns = _curves(
        at_middle["whole"], at_middle["seen"], at_middle["t_amb"], at_middle["wind"],
        module, float(array.series), float(array.parallel), array.losses.wiring_ohm,
    )  # fmt: skip
    return ArrayDay(at_middle["ghi"], at_middle["whole"], at_middle["t_amb"], at_middle["wind"], *columns)


def series_resistance(array: Array) -> float:
    """Series resistance [Ohm] of the whole array with its wiring."""
    return array.module_parameters().r_s * array.series / array.parallel + array.losses.wiring_ohm


@kernel
def _curves(
    whole: np.ndarray, seen: np.ndarray, t_amb: np.ndarray, wind: np.ndarray,
    m: Module, series: float, parallel: float, wiring_ohm: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    n = seen.size
    t_cell = np.empty(n)
    i_l, i_0, a, r_sh = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    v_oc, v_mp, p_mp = np.empty(n), np.empty(n), np.empty(n)
    keep = math.exp(-STEP_S / CELL_TEMPERATURE_LAG_S)
    t = t_amb[0]
    for k in range(n):
        steady = t_amb[k] + whole[k] / (FAIMAN_U0 + FAIMAN_U1 * wind[k])
        t = steady + (t - steady) * keep
        c = curve_at(seen[k], t, m, series, parallel, wiring_ohm)
        t_cell[k], i_l[k], i_0[k], a[k], r_sh[k] = t, c.i_l_a, c.i_0_a, c.a_v, c.r_sh_ohm
        if seen[k] <= 0.0:
            v_oc[k], v_mp[k], p_mp[k] = 0.0, 0.0, 0.0
            continue
        vd_oc = open_circuit_v(c)
        v, i = point(maximum_power_vd(c, vd_oc), c)
        v_oc[k], v_mp[k], p_mp[k] = vd_oc, v, max(v * i, 0.0)
    return t_cell, i_l, i_0, a, r_sh, v_oc, v_mp, p_mp
