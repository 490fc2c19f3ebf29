"""What the array offers the converter: where the tracker sits on its curve, and where it goes when less is wanted."""

import math
from typing import NamedTuple

from plant.controller import PowerStage
from plant.diode import Curve, point
from plant.jit import inlined, kernel


class Offer(NamedTuple):
    """What the array offers during one step: its curve, and where the tracker sits on it."""

    curve: Curve
    v_oc_v: float
    v_track_v: float
    p_track_w: float  # after the tracker's own inefficiency


@inlined
def diode_voltage_at(v_pv_v: float, c: Curve, vd_high: float) -> float:
    """Diode voltage [V] at which the array shows a terminal voltage: Newton on a rising, convex function."""
    vd = vd_high
    for _ in range(60):
        v, _i = point(vd, c)
        slope = 1.0 + c.r_s_ohm * (c.i_0_a / c.a_v * math.exp(vd / c.a_v) + 1.0 / c.r_sh_ohm)
        step = (v - v_pv_v) / slope
        vd -= step
        if abs(step) < 1e-12 * c.a_v:
            break
    return vd


@kernel
def offer(c: Curve, v_oc_v: float, v_mp_v: float, p_mp_w: float, v_batt_v: float, s: PowerStage) -> Offer:
    """Where the tracker sits during a step.

    At the maximum power point where its window allows, else at the window's edge: a hot 36-cell module may have its
    maximum below battery + 2 V. The tracker's efficiency counts as a loss at an unchanged voltage, as the mean of a
    small oscillation about the point.
    """
    v_low = v_batt_v + s.above_v
    if v_mp_v >= v_low and v_mp_v <= s.v_max_v:
        return Offer(c, v_oc_v, v_mp_v, s.efficiency * p_mp_w)
    v = min(max(v_mp_v, v_low), s.v_max_v)
    if v >= v_oc_v:
        return Offer(c, v_oc_v, v_oc_v, 0.0)
    _v, i = point(diode_voltage_at(v, c, v_oc_v), c)
    return Offer(c, v_oc_v, v, s.efficiency * v * max(i, 0.0))


@kernel
def throttled(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage) -> float:
    """PV voltage [V], right of the maximum power point, at which the array gives just what the output takes.

    Newton in the diode voltage from the open circuit, guarded by bisection.
    """
    c = o.curve
    fixed = v_batt_v * i_out_a + s.r_eq * i_out_a * i_out_a
    per_volt = s.k_c + s.k_s * i_out_a
    high = o.v_oc_v
    low = diode_voltage_at(o.v_track_v, c, high)
    vd = high
    for _ in range(60):
        grow = math.exp(vd / c.a_v)
        i = c.i_l_a - c.i_0_a * (grow - 1.0) - vd / c.r_sh_ohm
        di = -c.i_0_a / c.a_v * grow - 1.0 / c.r_sh_ohm
        v, dv = vd - i * c.r_s_ohm, 1.0 - di * c.r_s_ohm
        surplus = v * (i - per_volt) - fixed
        if surplus > 0.0:
            low = vd
        else:
            high = vd
        new = vd - surplus / (dv * (i - per_volt) + v * di)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        step = abs(new - vd)
        vd = new
        if step < 1e-11 * c.a_v:
            break
    v, _i = point(vd, c)
    return v
