"""The single diode of an array: a module's parameters, the curve of an instant, and the points on it.

The CEC six-parameter model (Dobos 2012) written in the diode's voltage, where it needs no iteration:
``i = IL - I0 (exp(vd/a) - 1) - vd/Rsh`` and ``v = vd - i Rs`` (the variable of Bishop 1988 and of pvlib's `bishop88`).
"""

import math
from typing import NamedTuple

from plant.base.jit import inline_llvm

CONVERGED = 1e-5  # of the thermal voltage: the last Newton step squares it, to 1e-10
SOLVED = 1e-6  # likewise, to 1e-12
SQUARED = 1e-3  # likewise, to 1e-6
OHMIC = 1e-6  # of the thermal voltage: a diode below this is a resistor
R_SH_CAP = 20.0  # times its value at 1000 W/m2: R_sh ~ 1/G would keep 13 V on a module in darkness [guess]
REF_K = 298.15
BOLTZMANN_EV_K = 8.617333262e-05
GAP_EV, GAP_SLOPE_1_K = 1.121, -0.0002677  # silicon, as in the CEC model


class Module(NamedTuple):
    """CEC parameters of one module at 1000 W/m2 and 25 degC, and what goes beyond that model."""

    alpha_sc: float  # temperature coefficient of the short-circuit current [A/K]
    a_ref: float  # modified ideality: diode factor x cells x kT/q [V]
    i_l_ref: float  # light current [A]
    i_o_ref: float  # saturation current [A]
    r_sh_ref: float  # shunt [Ohm]
    r_s: float  # series [Ohm]
    adjust: float  # adjustment of alpha_sc [%]
    i_mp_ref: float
    v_mp_ref: float
    v_oc_ref: float
    gap_ev: float = GAP_EV  # its temperature behaviour sets that of the saturation current
    shunt_fixed: float = 0.0  # share of the shunt's conductance that doesn't fade with the light; CEC: none
    cells_in_series: float = 36.0  # sets how many bypass diodes there are unless told


def of_size(m: Module, times: float) -> Module:
    """A module like another one with so many times its current and power, at the same voltages."""
    return m._replace(
        alpha_sc=m.alpha_sc * times,
        i_l_ref=m.i_l_ref * times,
        i_o_ref=m.i_o_ref * times,
        r_sh_ref=m.r_sh_ref / times,
        r_s=m.r_s / times,
        i_mp_ref=m.i_mp_ref * times,
    )


class Curve(NamedTuple):
    """Single-diode parameters of the whole array at one instant."""

    i_l_a: float
    i_0_a: float
    a_v: float
    r_s_ohm: float
    r_sh_ohm: float


@inline_llvm
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
    t_k = t_cell_c + 273.15
    warmth = t_k / REF_K
    alpha = m.alpha_sc * (1.0 - m.adjust / 100.0)
    i_l = g_w_m2 / 1000.0 * (m.i_l_ref + alpha * (t_k - REF_K))
    gap_ev = m.gap_ev * (1.0 + GAP_SLOPE_1_K * (t_k - REF_K))
    i_0 = (
        m.i_o_ref
        * (warmth * warmth * warmth)
        * math.exp(m.gap_ev / (BOLTZMANN_EV_K * REF_K) - gap_ev / (BOLTZMANN_EV_K * t_k))
    )
    leak = max(m.shunt_fixed + (1.0 - m.shunt_fixed) * g_w_m2 / 1000.0, 1.0 / R_SH_CAP)
    return Curve(
        i_l * parallel,
        i_0 * parallel,
        m.a_ref * warmth * series,
        m.r_s * series / parallel + wiring_ohm,
        m.r_sh_ref / leak * series / parallel,
    )


@inline_llvm
def point(vd_v: float, c: Curve) -> tuple[float, float]:
    """Voltage [V] and current [A] of the array at a diode voltage."""
    i = c.i_l_a - c.i_0_a * math.expm1(vd_v / c.a_v) - vd_v / c.r_sh_ohm
    return vd_v - i * c.r_s_ohm, i


@inline_llvm
def open_circuit_v(c: Curve, near_v: float = 0.0) -> float:
    """Open-circuit voltage [V]; 0 in darkness. `near_v`, a guess that may be poor, saves iterations."""
    if c.i_l_a <= 0.0:
        return 0.0
    # Any guess between 0 and the answer gives an upper bound, from which Newton can't overshoot.
    per_a, g_sh = 1.0 / c.a_v, 1.0 / c.r_sh_ohm
    ohmic_v = c.i_l_a / (c.i_0_a * per_a + g_sh)
    if ohmic_v < OHMIC * c.a_v:  # the exponential is a straight line here, and would only add rounding
        return ohmic_v
    left = max(c.i_l_a - 0.999 * near_v * g_sh, 0.0)
    vd = c.a_v * math.log1p(left / c.i_0_a)
    for _ in range(50):
        diode = c.i_0_a * math.exp(vd * per_a)
        step = (c.i_l_a - diode + c.i_0_a - vd * g_sh) / (diode * per_a + g_sh)
        vd += step
        if abs(step) < CONVERGED * c.a_v:
            break
    return max(vd, 0.0)


@inline_llvm
def maximum_power(c: Curve, vd_oc_v: float, near_v: float = 0.0) -> tuple[float, float, float]:
    """Diode voltage [V], voltage [V] and current [A] of the maximum power point.

    Newton on dP/dvd = 0, kept within 0..v_oc. The last step is so short that the second-order terms which Newton has at
    hand carry the point along with it.
    """
    if vd_oc_v <= 0.0:
        return 0.0, 0.0, 0.0
    if vd_oc_v < OHMIC * c.a_v:
        return 0.5 * vd_oc_v, 0.5 * (vd_oc_v - c.i_l_a * c.r_s_ohm), 0.5 * c.i_l_a
    low, high = 0.0, vd_oc_v
    vd = near_v if 0.0 < near_v < vd_oc_v else vd_oc_v - c.a_v * math.log1p(vd_oc_v / c.a_v)
    per_a, g_sh = 1.0 / c.a_v, 1.0 / c.r_sh_ohm
    v, i = 0.0, 0.0
    for _ in range(60):
        diode = c.i_0_a * math.exp(vd * per_a)
        i = c.i_l_a - diode + c.i_0_a - vd * g_sh
        di, ddi = -diode * per_a - g_sh, -diode * (per_a * per_a)
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
        step = new - vd
        vd = new
        i += step * (di + 0.5 * step * ddi)
        v = vd - i * c.r_s_ohm
        if abs(step) < CONVERGED * c.a_v:
            break
    return vd, v, i


@inline_llvm
def maximum_power_vd(c: Curve, vd_oc_v: float) -> float:
    """Diode voltage [V] of the maximum power point."""
    return maximum_power(c, vd_oc_v)[0]


@inline_llvm
def diode_voltage_at(v_pv_v: float, c: Curve, vd_high: float) -> float:
    """Diode voltage [V] at which the array shows a terminal voltage: Newton on a rising, convex function."""
    vd = vd_high
    for _ in range(100):
        grow = math.exp(vd / c.a_v)
        i = c.i_l_a - c.i_0_a * (grow - 1.0) - vd / c.r_sh_ohm
        slope = 1.0 + c.r_s_ohm * (c.i_0_a / c.a_v * grow + 1.0 / c.r_sh_ohm)
        step = (vd - i * c.r_s_ohm - v_pv_v) / slope
        vd -= step
        if abs(step) < SOLVED * c.a_v:
            break
    return vd


@inline_llvm
def diode_voltage_carrying(i_a: float, c: Curve, near_v: float) -> float:
    """Diode voltage [V] at which the diode carries a current: Newton on a falling, concave function."""
    vd = near_v
    for _ in range(100):
        grow = math.exp(vd / c.a_v)
        f = c.i_l_a - c.i_0_a * (grow - 1.0) - vd / c.r_sh_ohm - i_a
        step = f / (c.i_0_a / c.a_v * grow + 1.0 / c.r_sh_ohm)
        # From far left the tangent is flat and would throw vd to where the exponential overflows.
        vd += min(step, 4.0 * c.a_v)
        if abs(step) < SOLVED * c.a_v:
            break
    return vd


@inline_llvm
def near(c: Curve, v_v: float) -> tuple[float, float]:
    """Current [A] at a terminal voltage [V] and its slope [A/V]; both 0 beyond the open circuit.

    `current_at` for many calls in dim light, where the series resistance hardly counts: a Newton step or two.
    """
    per_a, g_sh = 1.0 / c.a_v, 1.0 / c.r_sh_ohm
    vd = v_v + c.i_l_a * c.r_s_ohm
    i, di = 0.0, 0.0
    for _ in range(60):
        diode = c.i_0_a * math.exp(vd * per_a)
        i, di = c.i_l_a - diode + c.i_0_a - vd * g_sh, -diode * per_a - g_sh
        step = (vd - i * c.r_s_ohm - v_v) / (1.0 - di * c.r_s_ohm)
        if step < SQUARED * c.a_v:  # what is left after it is its square
            i -= step * di
            break
        vd -= step
    if i <= 0.0:
        return 0.0, 0.0
    return i, di / (1.0 - di * c.r_s_ohm)


@inline_llvm
def current_at(c: Curve, v_v: float) -> float:
    """Current [A] of the array at a terminal voltage [V]; 0 in darkness and beyond the open circuit."""
    if not c.i_l_a > 0.0:
        return 0.0
    high = v_v + c.i_l_a * c.r_s_ohm
    most = c.a_v * math.log1p(c.i_l_a / c.i_0_a)
    if v_v >= most:
        return 0.0
    _v, i = point(diode_voltage_at(v_v, c, min(high, most)), c)
    return max(i, 0.0)
