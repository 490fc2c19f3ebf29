"""The single diode of an array: parameters at an instant, and the points of its curve.

The CEC six-parameter model (Dobos 2012) written in the diode's voltage, where it needs no iteration:
``i = IL - I0 (exp(vd/a) - 1) - vd/Rsh`` and ``v = vd - i Rs`` (the variable of Bishop 1988 and of pvlib's `bishop88`).
"""

import math
from typing import NamedTuple

from plant.jit import inlined
from plant.module import Module

CONVERGED = 1e-8  # of the thermal voltage: the last Newton step squares it
R_SH_CAP = 20.0  # times its value at 1000 W/m2: R_sh ~ 1/G would keep 13 V on a module in darkness [guess]


class Curve(NamedTuple):
    """Single-diode parameters of the whole array at one instant."""

    i_l_a: float
    i_0_a: float
    a_v: float
    r_s_ohm: float
    r_sh_ohm: float


@inlined
def curve_at(
    g_w_m2: float, t_cell_c: float, m: Module, series: float, parallel: float, wiring_ohm: float
) -> Curve:
    """Single-diode parameters of an array of equal modules (`pvlib.pvsystem.calcparams_cec`, R_sh capped).

    Parameters
    ----------
    g_w_m2 : float
        Irradiance that the cells see.
    t_cell_c : float
    m : Module
    series, parallel : float
        Modules in a string, strings.
    wiring_ohm : float
        Cable from array to controller, both ways.
    """
    t_k, ref_k = t_cell_c + 273.15, 298.15
    alpha = m.alpha_sc * (1.0 - m.adjust / 100.0)
    i_l = g_w_m2 / 1000.0 * (m.i_l_ref + alpha * (t_k - ref_k))
    gap_ref_ev, gap_slope = 1.121, -0.0002677
    gap_ev = gap_ref_ev * (1.0 + gap_slope * (t_k - ref_k))
    boltzmann_ev_k = 8.617333262e-05
    i_0 = (
        m.i_o_ref
        * (t_k / ref_k) ** 3
        * math.exp(gap_ref_ev / (boltzmann_ev_k * ref_k) - gap_ev / (boltzmann_ev_k * t_k))
    )
    r_sh = m.r_sh_ref * min(R_SH_CAP, 1000.0 / max(g_w_m2, 1e-9))
    return Curve(
        i_l * parallel,
        i_0 * parallel,
        m.a_ref * t_k / ref_k * series,
        m.r_s * series / parallel + wiring_ohm,
        r_sh * series / parallel,
    )


@inlined
def point(vd_v: float, c: Curve) -> tuple[float, float]:
    """Voltage [V] and current [A] of the array at a diode voltage."""
    i = c.i_l_a - c.i_0_a * math.expm1(vd_v / c.a_v) - vd_v / c.r_sh_ohm
    return vd_v - i * c.r_s_ohm, i


@inlined
def open_circuit_v(c: Curve) -> float:
    """Open-circuit voltage [V]; 0 in darkness."""
    if c.i_l_a <= 0.0:
        return 0.0
    # The shunt left out gives an upper bound, from which Newton can't overshoot.
    vd = c.a_v * math.log1p(c.i_l_a / c.i_0_a)
    for _ in range(50):
        grow = math.exp(vd / c.a_v)
        f = c.i_l_a - c.i_0_a * (grow - 1.0) - vd / c.r_sh_ohm
        step = f / (c.i_0_a / c.a_v * grow + 1.0 / c.r_sh_ohm)
        vd += step
        if abs(step) < CONVERGED * c.a_v:
            break
    return max(vd, 0.0)


@inlined
def maximum_power_vd(c: Curve, vd_oc_v: float) -> float:
    """Diode voltage [V] of the maximum power point, by Newton on dP/dvd = 0, kept within 0..v_oc."""
    if vd_oc_v <= 0.0:
        return 0.0
    low, high = 0.0, vd_oc_v
    vd = vd_oc_v - c.a_v * math.log1p(vd_oc_v / c.a_v)
    for _ in range(60):
        grow = math.exp(vd / c.a_v)
        i = c.i_l_a - c.i_0_a * (grow - 1.0) - vd / c.r_sh_ohm
        di = -c.i_0_a / c.a_v * grow - 1.0 / c.r_sh_ohm
        ddi = -c.i_0_a / (c.a_v * c.a_v) * grow
        v, dv, ddv = vd - i * c.r_s_ohm, 1.0 - di * c.r_s_ohm, -ddi * c.r_s_ohm
        slope = dv * i + v * di
        bend = ddv * i + 2.0 * dv * di + v * ddi
        if slope > 0.0:
            low = vd
        else:
            high = vd
        new = vd - slope / bend
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - vd) < CONVERGED * c.a_v:
            vd = new
            break
        vd = new
    return vd
