"""The power stage: tracker, buck converter and the node where charger, load and battery meet.

Given what the array offers and where the battery's electrode stands, `solve` finds the one voltage of
the terminals at which all currents add up. Current is positive into the battery.
"""

import math
from enum import IntEnum
from typing import NamedTuple

from plant.cell import Source
from plant.controller import PowerStage
from plant.jit import inlined, kernel
from plant.offer import Offer, throttled

BROWN_OUT = 1.05  # a constant-power load drops out this close to where no voltage can carry it


class Regime(IntEnum):
    """Who decides the charge current."""

    OFF = 0
    TRACKING = 1  # the array: at its maximum power point
    CONSTANT_VOLTAGE = 2  # the battery: held at the stage's voltage
    LIMITED = 3  # the controller: at its rated current or power


class Bus(NamedTuple):
    """Currents and powers at the battery node at one instant; they add up exactly."""

    v_batt_v: float
    i_batt_a: float
    i_chg_a: float
    i_load_a: float
    regime: Regime
    v_pv_v: float
    p_pv_w: float
    p_chg_w: float
    p_converter_loss_w: float
    p_load_w: float
    p_path_loss_w: float
    p_own_w: float


@inlined
def converter_loss_w(v_pv_v: float, i_out_a: float, s: PowerStage) -> float:
    """Loss [W] of the converter while it works (its own consumption not counted)."""
    return s.k_c * v_pv_v + s.k_s * v_pv_v * i_out_a + s.r_eq * i_out_a * i_out_a


@inlined
def output_current_a(p_pv_w: float, v_pv_v: float, v_batt_v: float, s: PowerStage) -> float:
    """Output current [A] from PV power: the positive root of ``P = v i + loss(i)``, 0 when the loss eats it all."""
    left = p_pv_w - s.k_c * v_pv_v
    if left <= 0.0:
        return 0.0
    b = v_batt_v + s.k_s * v_pv_v
    return 2.0 * left / (b + math.sqrt(b * b + 4.0 * s.r_eq * left))


@inlined
def load_current_a(p_w: float, v_batt_v: float, s: PowerStage) -> float:
    """Current [A] of a constant-power load behind the load switch; 0 when no voltage can carry it."""
    room = v_batt_v * v_batt_v - 4.0 * s.path_ohm * p_w
    if p_w <= 0.0 or v_batt_v <= 0.0 or room < 0.0:
        return 0.0
    return 2.0 * p_w / (v_batt_v + math.sqrt(room))


@inlined
def _terminal_voltage(
    v_node_v: float, r0_ohm: float, charging: bool, o: Offer, p_load_w: float, s: PowerStage
) -> tuple[float, float, float]:
    """Battery voltage, charge current and load current when nothing holds the voltage: ``V = v + R0 I(V)``."""
    v = v_node_v
    i_chg, i_load = 0.0, 0.0
    for _ in range(12):
        i_load = load_current_a(p_load_w, v, s)
        if charging:
            i_chg = min(output_current_a(o.p_track_w, o.v_track_v, v, s), s.i_max_a, s.p_max_w / v)
        i_net = i_chg - i_load - s.own_w / v
        step = (v - v_node_v - r0_ohm * i_net) / (1.0 + r0_ohm * i_net / v)
        v -= step
        if abs(step) < 1e-13 * v_node_v:
            break
    return v, i_chg, i_load


@kernel
def solve(
    source: Source,
    v_target_v: float,
    charging: bool,
    o: Offer,
    p_load_w: float,
    s: PowerStage,
) -> Bus:
    """All currents and powers at the battery node.

    Parameters
    ----------
    source : Source
        The battery.
    v_target_v : float
        Voltage [V] the converter may not pass.
    charging : bool
        Whether the controller charges at all.
    o : Offer
        What the array offers.
    p_load_w : float
        Power [W] the load asks for at the output; 0 when it is switched off.
    s : PowerStage

    Returns
    -------
    Bus
        ``p_pv = p_chg + p_converter_loss`` and ``p_chg = p_load + p_path_loss + p_own + v_batt i_batt``
        hold to rounding.
    """
    v_node_v, r0_ohm = source.v_node_v, source.r_charge_ohm
    if v_node_v * v_node_v < BROWN_OUT * 4.0 * (r0_ohm + s.path_ohm) * p_load_w:
        p_load_w = 0.0
    v, i_chg, i_load = _terminal_voltage(v_node_v, r0_ohm, charging, o, p_load_w, s)
    regime = Regime.OFF
    if charging and i_chg > 0.0:
        regime = Regime.TRACKING
        if i_chg >= s.i_max_a or i_chg * v >= s.p_max_w * (1.0 - 1e-12):
            regime = Regime.LIMITED
        if v > v_target_v:
            regime = Regime.CONSTANT_VOLTAGE
            i_load = load_current_a(p_load_w, v_target_v, s)
            i_chg = (v_target_v - v_node_v) / r0_ohm + i_load + s.own_w / v_target_v
            v = v_target_v
            if i_chg <= 0.0:  # the battery stands above the target by itself
                v, i_chg, i_load = _terminal_voltage(v_node_v, r0_ohm, False, o, p_load_w, s)
    v_pv = o.v_oc_v
    loss = 0.0
    if i_chg > 0.0:
        v_pv = o.v_track_v if regime == Regime.TRACKING else throttled(o, i_chg, v, s)
        loss = converter_loss_w(v_pv, i_chg, s)
    p_chg = v * i_chg
    path = s.path_ohm * i_load * i_load
    i_batt = i_chg - i_load - s.own_w / v
    return Bus(
        v, i_batt, i_chg, i_load, regime, v_pv, p_chg + loss, p_chg, loss, v * i_load - path, path, s.own_w
    )
