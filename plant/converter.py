"""The power stage: tracker, buck converter and the node where charger, load and battery meet.

Given what the array offers and where the battery's electrode stands, `solve` finds the one voltage of
the terminals at which all currents add up. Current is positive into the battery.
"""

import math
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from plant import configs
from plant.diode import Curve, point
from plant.jit import inlined, kernel
from plant.yamlfile import load_yaml, read_numbers

BROWN_OUT = 1.05  # a constant-power load drops out this close to where no voltage can carry it


class Regime(IntEnum):
    """Who decides the charge current."""

    OFF = 0
    TRACKING = 1  # the array: at its maximum power point
    CONSTANT_VOLTAGE = 2  # the battery: held at the stage's voltage
    LIMITED = 3  # the controller: at its rated current or power


class ControllerModel(NamedTuple):
    """Ratings and losses of a controller model; powers and voltages of a 12 V system unless said."""

    charge_rated_a: float
    load_rated_a: float
    charge_rated_w_12v: float
    charge_rated_w_24v: float
    pv_rated_v: float  # highest open-circuit voltage
    tracking_above_v: float  # the tracker works from this far above the battery ...
    tracking_max_v: float  # ... up to here
    tracking_efficiency: float
    k_c_w_v: float  # loss: k_c v_pv + k_s v_pv i + r_eq i^2, i = output current
    k_s_w_va: float
    r_eq_ohm: float
    own_w_12v: float  # own consumption, from the battery, day and night
    own_w_24v: float
    load_path_ohm: float  # load switch and terminals
    heatsink_k_w: float
    heatsink_j_k: float

    @staticmethod
    @lru_cache(maxsize=16)
    def load(name: str) -> "ControllerModel":
        """A model out of ``config/controllers``, or a path to a file of one's own."""
        document = load_yaml(configs.find("controllers", name))
        return ControllerModel(**read_numbers(document, ControllerModel._fields, about=("title", "source")))

    def ratings(self, system_v: int) -> dict[str, float]:
        """What the rated-data registers show: rated at the highest system voltage whatever the battery is."""
        return {
            "pv_rated_v": self.pv_rated_v,
            "pv_rated_a": self.charge_rated_a,
            "pv_rated_w": self.charge_rated_w_24v,
            "battery_rated_v": 24.0,
            "charge_rated_a": self.charge_rated_a,
            "charge_rated_w": self.charge_rated_w_24v,
            "load_rated_v": 24.0,
            "load_rated_a": self.load_rated_a,
            "load_rated_w": 26.0 * self.load_rated_a,  # as the charge rating, at 13 V a block
            "system_v": float(system_v),
        }


class PowerStage(NamedTuple):
    """A controller at its system voltage, as the kernel takes it."""

    i_max_a: float
    p_max_w: float
    above_v: float
    v_max_v: float
    efficiency: float
    k_c: float
    k_s: float
    r_eq: float
    own_w: float
    path_ohm: float
    heatsink_k_w: float
    heatsink_j_k: float


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


class Offer(NamedTuple):
    """What the array offers during one step: its curve, and where the tracker sits on it."""

    curve: Curve
    v_oc_v: float
    v_track_v: float
    p_track_w: float  # after the tracker's own inefficiency


def power_stage(model: ControllerModel, system_v: int) -> PowerStage:
    """A model working on a battery of 12 or 24 V."""
    high = system_v == 24
    return PowerStage(
        model.charge_rated_a,
        model.charge_rated_w_24v if high else model.charge_rated_w_12v,
        model.tracking_above_v,
        model.tracking_max_v,
        model.tracking_efficiency,
        model.k_c_w_v,
        model.k_s_w_va,
        model.r_eq_ohm,
        model.own_w_24v if high else model.own_w_12v,
        model.load_path_ohm,
        model.heatsink_k_w,
        model.heatsink_j_k,
    )


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
    v_node_v: float,
    r0_ohm: float,
    v_target_v: float,
    charging: bool,
    o: Offer,
    p_load_w: float,
    s: PowerStage,
) -> Bus:
    """All currents and powers at the battery node.

    Parameters
    ----------
    v_node_v, r0_ohm : float
        The battery as a source: electrode voltage [V] behind its ohmic resistance [Ohm].
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
