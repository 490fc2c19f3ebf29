"""The power stage: buck converter, load output, and the node where charger, load and battery meet.

Given what the array offers and where the battery's electrode stands, `solve` finds the one voltage of
the terminals at which all currents add up. Current is positive into the battery.
"""

import math
from enum import IntEnum
from typing import NamedTuple

from plant.base.jit import inline_ir, inline_llvm, kernel
from plant.battery.cell import Source
from plant.power.offer import Offer, at_node, throttled
from plant.power.stage import PowerStage

BROWN_OUT = 1.05  # a constant-power load drops out this close to where no voltage can carry it
BODY_DIODE_V = 0.6  # drop across a switched-off FET of a battery's protection, the way it can't block
TANGENT_V = 1.0  # farther from where it touches, a tangent to the array's curve promises more than there is
ALONE_V = 1e-9  # how closely the voltage is found that an array holds without a battery
SETTLED = 3e-5  # of the voltage: what is left after a Newton step is its square


class Regime(IntEnum):
    """Who decides the charge current."""

    OFF = 0
    TRACKING = 1  # the array: at its maximum power point
    CONSTANT_VOLTAGE = 2  # the battery: held at the stage's voltage
    LIMITED = 3  # the controller: at its rated current or power
    PASSING = 4  # the array, in dim light: at what it gives a little above the battery's voltage


class LoadDemand(NamedTuple):
    """What the load asks for at its terminals: so much power, so much current, so much conductance."""

    p_w: float
    i_a: float
    g_a_v: float


class Limit(NamedTuple):
    """What the charger may give at most, at the temperature of its heat sink."""

    i_max_a: float
    p_max_w: float


class Port(NamedTuple):
    """The way from the controller's terminals to the battery: its cable, and what its protection lets through."""

    cable_ohm: float
    charge: bool
    discharge: bool


class Node(NamedTuple):
    """Voltages and currents at the battery node at one instant."""

    v_batt_v: float  # at the controller's terminals; 0 when nothing feeds them
    v_cells_v: float  # at the battery's own terminals
    i_batt_a: float
    i_chg_a: float
    i_load_a: float
    regime: Regime
    above_node_v: float  # terminals over the electrode's voltage
    above_per_v: float  # change of that with the electrode's voltage
    slope_a_v: float  # change of the battery's current with the voltage of its electrode, at most 0 [A/V]
    i_posts_a: float  # from what else hangs on the battery's posts


class OperatingPoint(NamedTuple):
    """A node with all its powers; they add up exactly."""

    v_batt_v: float
    v_cells_v: float
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
    above_node_v: float
    above_per_v: float
    slope_a_v: float
    i_posts_a: float  # from what else hangs on the battery's posts


@inline_ir
def converter_loss_w(v_pv_v: float, i_out_a: float, s: PowerStage) -> float:
    """Loss [W] of the converter while it works (its own consumption not counted)."""
    return s.k_c * v_pv_v + s.k_s * v_pv_v * i_out_a + s.r_eq * i_out_a * i_out_a


@inline_llvm
def output_current_a(p_pv_w: float, v_pv_v: float, v_batt_v: float, s: PowerStage) -> tuple[float, float]:
    """Output current [A] from PV power, and its slope [A/V] with the battery's voltage.

    The positive root of ``P = v i + loss(i)``; 0 when the loss eats it all.
    """
    left = p_pv_w - s.k_c * v_pv_v
    if left <= 0.0:
        return 0.0, 0.0
    b = v_batt_v + s.k_s * v_pv_v
    root = math.sqrt(b * b + 4.0 * s.r_eq * left)
    both = 1.0 / ((b + root) * root)  # a division takes as long as ten products
    i = 2.0 * left * root * both
    return i, -i * (b + root) * both


@inline_llvm
def load_current_a(load: LoadDemand, v_batt_v: float, s: PowerStage) -> tuple[float, float]:
    """Current [A] of the load behind its switch, and its slope [A/V] with the battery's voltage.

    The load's own voltage solves ``v_l = v - r (p / v_l + i + g v_l)``. Nothing flows when no voltage can carry the
    power.
    """
    r = s.path_ohm
    b = v_batt_v - r * load.i_a
    a = 1.0 + r * load.g_a_v
    room = b * b - 4.0 * a * r * load.p_w
    if room <= 0.0 or b <= 0.0 or load.p_w + load.i_a + load.g_a_v <= 0.0:
        return 0.0, 0.0
    root = math.sqrt(room)
    v_load = 0.5 * (b + root)
    if load.g_a_v > 0.0:
        v_load /= a
    both = 1.0 / (v_load * root)
    per_v = root * both
    i_p = load.p_w * per_v
    slope = load.g_a_v - i_p * per_v
    # 1 + r slope = root / v_load
    return i_p + load.i_a + load.g_a_v * v_load, slope * v_load * v_load * both


class Balance(NamedTuple):
    """Currents of the controller at one voltage of the node, and how fast their sum changes with it."""

    i_chg_a: float
    i_load_a: float
    i_net_a: float
    chg_slope_a_v: float
    load_slope_a_v: float
    slope_a_v: float


@inline_llvm
def balance(v: float, charging: bool, o: Offer, load: LoadDemand, limit: Limit, s: PowerStage) -> Balance:
    """The controller's currents with its terminals at a voltage."""
    per_v = 1.0 / v
    i_load, load_slope = load_current_a(load, v, s)
    i_chg, chg_slope = 0.0, 0.0
    if charging:
        if o.passes:
            i_chg, chg_slope = o.i_pass_a + o.pass_slope_a_v * (v - o.v_pass_v), o.pass_slope_a_v
            if i_chg <= 0.0:
                i_chg, chg_slope = 0.0, 0.0
        else:
            i_chg, chg_slope = output_current_a(o.p_track_w, o.v_track_v, v, s)
        i_rated = limit.p_max_w * per_v
        if i_chg >= i_rated:
            i_chg, chg_slope = i_rated, -i_rated * per_v
        if i_chg >= limit.i_max_a:
            i_chg, chg_slope = limit.i_max_a, 0.0
    i_own = s.own_w * per_v
    slope = chg_slope - load_slope + i_own * per_v
    return Balance(i_chg, i_load, i_chg - i_load - i_own, chg_slope, load_slope, slope)


@inline_llvm
def _settled(
    source: Source, cable_ohm: float, charging: bool, v_guess_v: float, v_enough_v: float,
    o: Offer, load: LoadDemand, limit: Limit, s: PowerStage,
) -> tuple[float, Balance, float, float]:  # fmt: skip
    """Voltage at which the battery takes just what is left, ``v = v_node + r i(v)``, by Newton; `r`; `dv/dv_node`.

    The currents of the last step are taken along their tangents. It is left early once the voltage is
    known to lie above `v_enough_v`: what is left for the battery falls with it.
    """
    new = max(v_guess_v, 0.5 * source.v_node_v)
    for _ in range(30):
        v = new
        now = balance(v, charging, o, load, limit, s)
        r = cable_ohm + (source.r_charge_ohm if now.i_net_a > 0.0 else source.r_discharge_ohm)
        gain = 1.0 / (1.0 - r * now.slope_a_v)
        step = (source.v_node_v + r * now.i_net_a - v) * gain
        new = max(v + step, 0.1 * v)
        if abs(step) < SETTLED * new or (step > 0.0 and v >= v_enough_v):
            return new, _along(now, step), r, gain
    return v, now, r, gain  # a load that switches itself off and on again has no such voltage


@inline_ir
def _along(now: Balance, step_v: float) -> Balance:
    """Currents a little way off, where they are as good as straight."""
    return Balance(
        now.i_chg_a + now.chg_slope_a_v * step_v,
        now.i_load_a + now.load_slope_a_v * step_v,
        now.i_net_a + now.slope_a_v * step_v,
        now.chg_slope_a_v,
        now.load_slope_a_v,
        now.slope_a_v,
    )


@inline_ir
def at_first(v_batt_v: float, v_node_v: float, r_ohm: float = math.inf) -> OperatingPoint:
    """A bus of which only the voltage is known, and what lies between it and the electrode, for the first `solve`."""
    above = v_batt_v - v_node_v
    i = above / r_ohm
    return OperatingPoint(
        v_batt_v, 0.0, i, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, above, 0.0, 0.0,
        0.0,
    )  # fmt: skip


@inline_ir
def node_of(bus: OperatingPoint) -> Node:
    """A bus without its powers."""
    return Node(
        bus.v_batt_v, bus.v_cells_v, bus.i_batt_a, bus.i_chg_a, bus.i_load_a, bus.regime,
        bus.above_node_v, bus.above_per_v, bus.slope_a_v, bus.i_posts_a,
    )  # fmt: skip


@kernel
def solve(
    source: Source, port: Port, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, s: PowerStage,
) -> Node:  # fmt: skip
    """All currents at the battery node.

    Parameters
    ----------
    source : Source
        The battery.
    port : Port
        The way to it.
    v_target_v : float
        Voltage [V] the converter may not pass.
    charging : bool
        Whether the controller charges at all.
    before : Node
        A moment ago; saves iterations, changes nothing else.
    o : Offer
        What the array offers.
    load : LoadDemand
        Zeros when it is switched off.
    limit : Limit
    s : PowerStage
    """
    if source.v_node_v < s.awake_v:  # too low to start the controller at all
        v = source.v_node_v
        return Node(v, v, 0.0, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0)
    r_worst = source.r_discharge_ohm + port.cable_ohm + s.path_ohm
    room = source.v_node_v - r_worst * load.i_a
    if room * room < BROWN_OUT * 4.0 * (1.0 + r_worst * load.g_a_v) * r_worst * load.p_w:
        load = LoadDemand(0.0, load.i_a, load.g_a_v)
    if o.passes and abs(source.v_node_v - o.v_pass_v) > TANGENT_V:
        o = at_node(o, source.v_node_v, s)
    if not (port.charge and port.discharge):
        return _guarded(source, port, v_target_v, charging, before, o, load, limit, s)
    return _free(source, port.cable_ohm, 0.0, v_target_v, charging, before, o, load, limit, s)


@inline_llvm
def free_regime(charging: bool, i_chg_a: float, v_batt_v: float, o: Offer, limit: Limit) -> Regime:
    """Who decides a charge current as long as no voltage is held."""
    if not charging or i_chg_a <= 0.0:
        return Regime.OFF
    if i_chg_a >= limit.i_max_a or i_chg_a * v_batt_v >= limit.p_max_w * (1.0 - 1e-9):
        return Regime.LIMITED
    return Regime.PASSING if o.passes else Regime.TRACKING


@inline_llvm
def _free(
    source: Source, cable_ohm: float, drop_v: float, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, s: PowerStage,
) -> Node:  # fmt: skip
    """`solve` with a cable and perhaps a diode between battery and controller, whose drop is in the source."""
    moved = source.v_node_v - (before.v_batt_v - before.above_node_v)
    v_guess = source.v_node_v + before.above_node_v + before.above_per_v * moved
    v, now, r, gain = _settled(source, cable_ohm, charging, v_guess, v_target_v, o, load, limit, s)
    i_chg, i_load, i_batt, slope = now.i_chg_a, now.i_load_a, now.i_net_a, now.slope_a_v * gain
    regime = free_regime(charging, i_chg, v, o, limit)
    if regime != Regime.OFF and v > v_target_v:
        regime = Regime.CONSTANT_VOLTAGE
        v = v_target_v
        r = cable_ohm + (source.r_charge_ohm if v > source.v_node_v else source.r_discharge_ohm)
        i_load, _slope = load_current_a(load, v, s)
        i_batt = (v - source.v_node_v) / r
        i_chg = i_batt + i_load + s.own_w / v
        slope = -1.0 / r
        if i_chg <= 0.0:  # the battery stands above the target by itself
            v, now, r, gain = _settled(source, cable_ohm, False, v, math.inf, o, load, limit, s)
            i_chg, i_load, i_batt, slope = 0.0, now.i_load_a, now.i_net_a, now.slope_a_v * gain
    slope = min(slope, 0.0)
    v_cells = v - drop_v - cable_ohm * i_batt
    return Node(v, v_cells, i_batt, i_chg, i_load, regime, v - source.v_node_v, r * slope, slope, 0.0)


@kernel
def _guarded(
    source: Source, port: Port, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, s: PowerStage,
) -> Node:  # fmt: skip
    """`solve` with a battery whose protection has cut one way or both, or that isn't there.

    The FET that is off still conducts the other way, through its body diode. Without a battery the array alone holds
    the node, at its target or as far up as it lifts it, while it can carry load and controller; else all is dark.
    """
    surplus = balance(source.v_node_v, charging, at_node(o, source.v_node_v, s), load, limit, s).i_net_a > 0.0
    if (surplus and port.charge) or (not surplus and port.discharge):
        drop = BODY_DIODE_V if surplus else -BODY_DIODE_V
        behind = Source(source.v_node_v + drop, source.r_charge_ohm, source.r_discharge_ohm)
        node = _free(behind, port.cable_ohm, drop, v_target_v, charging, before, o, load, limit, s)
        if (node.i_batt_a > 0.0) == surplus:
            return node
    v, regime = v_target_v, Regime.CONSTANT_VOLTAGE
    alone = balance(v, charging, at_node(o, v, s), load, limit, s)
    if alone.i_net_a < 0.0:  # not enough to lift the node up to there
        low, high = source.v_node_v - BODY_DIODE_V if port.discharge else s.awake_v, v
        if balance(low, charging, at_node(o, low, s), load, limit, s).i_net_a < 0.0:
            return Node(0.0, source.v_node_v, 0.0, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0)
        while high - low > ALONE_V:
            v = 0.5 * (low + high)
            alone = balance(v, charging, at_node(o, v, s), load, limit, s)
            if alone.i_net_a < 0.0:
                high = v
            else:
                low = v
        regime = Regime.PASSING if o.passes else regime
    i_chg = alone.i_load_a + s.own_w / v
    return Node(v, source.v_node_v, 0.0, i_chg, alone.i_load_a, regime, 0.0, 0.0, 0.0, 0.0)


@inline_ir
def idle_v(o: Offer, v_batt_v: float, s: PowerStage) -> float:
    """Array voltage [V] while nothing is charged.

    In light too dim to pass anything through, the terminals follow the array's open circuit up to the battery's voltage
    and stay there (sure, 21 days; within 0.2 V), and they are never quite without voltage (two of three units). With
    more light the array is open: the battery is full, or charging has been stopped.
    """
    if v_batt_v < s.awake_v:
        return o.v_oc_v
    v = min(o.v_oc_v, v_batt_v) if o.passes and o.i_pass_a <= 0.0 else o.v_oc_v
    return max(v, s.dark_pv_v)


@inline_ir
def with_powers(now: Node, before: OperatingPoint, o: Offer, s: PowerStage) -> OperatingPoint:
    """All powers at a solved node, and where the array stands for it.

    Parameters
    ----------
    now : Node
    before : OperatingPoint
        A moment ago: from where a throttled array is looked for.
    o : Offer
    s : PowerStage

    Returns
    -------
    OperatingPoint
        ``p_pv = p_chg + p_converter_loss`` and ``p_chg = p_load + p_path_loss + p_own + v_batt (i_batt - i_posts)``
        hold to rounding.
    """
    v, i_chg, i_load = now.v_batt_v, now.i_chg_a, now.i_load_a
    loss = 0.0
    if i_chg > 0.0:
        was_throttled = before.regime in (Regime.CONSTANT_VOLTAGE, Regime.LIMITED)
        v_start = before.v_pv_v if was_throttled else o.v_oc_v
        drop = o.drop_v + o.drop_v_root_a * math.sqrt(i_chg) if o.passes else 0.0
        if now.regime == Regime.TRACKING:
            v_pv = o.v_track_v
        elif now.regime == Regime.PASSING:
            v_pv = v + drop
        else:
            v_pv = throttled(o, i_chg, v, s, v_start)
        passed_w = drop * i_chg + (v + drop) * s.dim_lost_a  # where nothing switches
        loss = passed_w if o.passes else converter_loss_w(v_pv, i_chg, s)
    else:
        v_pv = idle_v(o, v, s)
    p_chg = v * i_chg
    path = s.path_ohm * i_load * i_load
    return OperatingPoint(
        v, now.v_cells_v, now.i_batt_a, i_chg, i_load, now.regime, v_pv, p_chg + loss, p_chg, loss,
        v * i_load - path, path, v * (i_chg - i_load - (now.i_batt_a - now.i_posts_a)),
        now.above_node_v, now.above_per_v, now.slope_a_v, now.i_posts_a,
    )  # fmt: skip
