"""One implicit step of the battery, of a minute to an hour, for sizing.

The equations are those of the full model. The electrode's node, which settles within a minute, stands where reaction,
gassing and the charging of its double layer carry just the current of the bus (backward Euler, so no step is too long
for it), and so does the slow polarisation; the wells move exactly under that current. The operating point is that of
the end of the step, so a battery that fills within an hour is held at its voltage then.
"""

import math
from typing import NamedTuple

from plant.base.jit import inline_ir, inline_llvm
from plant.battery import leadacid, lithium
from plant.battery.acid import LeadAcidAtTemperature, LeadAcidState, emf
from plant.battery.cell import Losses, Source
from plant.battery.electrode import FillingWell, approached, main_reaction, reaction_step_v, slow_after
from plant.battery.leadacid import PER_HOUR, diffusion_per_h, gassing_a
from plant.kernel.node import currents, flows_of
from plant.kernel.state import Flows, Held
from plant.power.converter import Node, OperatingPoint, node_of, with_powers
from plant.power.stage import PowerStage

# A Newton step shorter than this is the last one: what it leaves is a hundredth of it, for the reaction bends with its
# Tafel slope; up to `NEAR_REST_V` above rest, and on discharge, it bends with the tanh that hands over between the two.
CLOSE_V, CLOSE_AT_REST_V = 1e-3, 3e-4
NEAR_REST_V = 0.1
# How far that step may have taken the current of the bus, as a share of the capacity, so that all is found; and so that
# not even the node is solved once more.
FOUND_C_RATE, CLOSE_C_RATE = 2e-4, 1e-5
# From this round on, which is rarely come to, bisection takes over where Newton doesn't converge.
GUARDED_FROM = 8
JUST_BEYOND_V = 1e-4  # how far beyond the voltage that is held a round may go at once
SETTLED_C_RATE = 1e-8  # LiFePO4: current, as a share of the capacity
MOST_C_RATE = 20.0
LAST_OF_CHARGE = 2e-3  # LiFePO4: share of the capacity; steps don't grow shorter for what is below
BAND_V = 1.2, 3.5  # a cell's voltage is looked for in here


@inline_ir
def settle(
    x: LeadAcidState,
    now: OperatingPoint,
    h: float,
    held: Held,
    w: LeadAcidAtTemperature,
    stage: PowerStage,
) -> tuple[float, LeadAcidState, Flows, OperatingPoint]:
    """Move by `h` seconds. Same arguments and results as `rungekutta.rk4`; the flows are those of the step's end.

    Notes
    -----
    The electrode stands where `_electrode` finds it. The wells' filling at the end of the step is linear in the
    current (KiBaM under constant current, Manwell & McGowan 1993); what the bus really carries goes into them, to
    the last digit.
    The double layer matters even in long steps: between float and the night's rest it moves 1/4 Ah of a 100 Ah battery,
    and under broken cloud it carries the load through the gaps.
    What the quadratures of the wells leave over is booked as polarisation, so that energy closes.
    """
    p = w.p
    hours = h * PER_HOUR
    per_q, bound = p.available_fraction * w.per_well1, 1.0 - p.available_fraction
    filling = (x.q1_ah + x.q2_ah) * per_q
    h1_before = x.q1_ah * w.per_well1
    gap = x.q2_ah * w.per_well2 - h1_before
    k = diffusion_per_h(-gap, w)
    decay = math.exp(-k * hours)
    parts = (1.0 - decay) / k * w.per_well1  # how far a current drives the wells apart
    per_a = hours * per_q + bound * parts
    well = FillingWell(filling - bound * gap * decay, per_a * p.charge_efficiency, per_a)
    layer_a_v = p.double_layer_f * (1.0 / h)  # the reciprocal is the one of `_booked`: one division
    v, v_slow, node, i_gas = _electrode(x, now, well, h, held, w, stage)

    i_main = node.i_batt_a - i_gas - layer_a_v * (v - x.v_node_v)
    i_lost = leadacid.side_reaction_a(i_main, p)
    bus = with_powers(node, now, held.offer, stage)
    filling += (i_main - i_lost) * hours * per_q
    gap = gap * decay - (i_main - i_lost) * parts
    at_rest = LeadAcidState(
        p.available_fraction * p.full_capacity_ah * (filling - bound * gap),
        bound * p.full_capacity_ah * (filling + p.available_fraction * gap),
        v,
        v_slow,
        x.t_c,
    )
    end, mean = _booked(x, at_rest, bus, i_gas + i_lost, h, held, w, stage)
    return h, end, mean, bus


@inline_llvm
def _to_the_bend(step_v: float, ahead_v: float) -> float:
    """A step that goes no farther than just beyond the voltage at which the converter holds the battery.

    There the current falls to nothing within some millivolts: from either side a tangent leads beyond the other. On it
    there is nothing ahead.
    """
    bend_v = ahead_v + math.copysign(JUST_BEYOND_V, ahead_v)
    return bend_v if ahead_v != 0.0 and bend_v * step_v > 0.0 and abs(bend_v) < abs(step_v) else step_v


@inline_ir
def _electrode(
    x: LeadAcidState, now: OperatingPoint, well: FillingWell, h: float, held: Held, w: LeadAcidAtTemperature,
    stage: PowerStage,
) -> tuple[float, float, Node, float]:  # fmt: skip
    """Where the electrode stands at the end of a step: its voltage, the slow one, the node then, the gassing current.

    One equation in the overvoltage ``u`` of the main reaction: what goes into the electrode,
    ``i_m(u) + i_gas(v) + C_dl (v - v0) / h`` with ``v = u + E(h1)``, is what the bus gives at ``v`` and the slow
    polarisation under that current. Filling and slow polarisation are those of ``u``, so the left side rises with it
    and the right side falls: Newton within two bounds that close in.

    Parameters
    ----------
    x : LeadAcidState
        At the beginning.
    now : OperatingPoint
        A moment ago: where the node is looked for.
    well : FillingWell
    h : float
        Step [s].
    """
    p = w.p
    layer_a_v, capacity_a_v = p.double_layer_f * (1.0 / h), p.surface_f * (1.0 / h)
    r0 = leadacid.series_resistance(x, w)
    low, high = BAND_V[0] * p.cells - emf(1.0, x.t_c, p), BAND_V[1] * p.cells - emf(0.0, x.t_c, p)
    h1, v_slow = x.q1_ah * w.per_well1, x.v_slow_v
    u = min(max(x.v_node_v - emf(h1, x.t_c, p), low), high)
    node, step, found = node_of(now), high - low, False
    for number in range(60):
        main = main_reaction(u, h1, well, w)
        h1_per_u = main.per_a * main.per_v
        v_per_u = 1.0 + p.cells * (p.ocv_linear_v_cell + 2.0 * p.ocv_quadratic_v_cell * main.h1) * h1_per_u
        v = u + emf(main.h1, x.t_c, p)
        i_gas = gassing_a(v, w)
        i = main.i_a + i_gas + layer_a_v * (v - x.v_node_v)
        beside_per_u = (w.gassing_per_v * i_gas + layer_a_v) * v_per_u
        i_per_u = main.per_v + beside_per_u
        v_slow, r_slow = slow_after(v_slow, x.v_slow_v, i, h, capacity_a_v, w.surface)
        node = currents(Source(v + v_slow, r0, r0), node, held, stage)
        if found:
            break
        excess = i - node.i_batt_a
        inner_per_u = v_per_u + r_slow * i_per_u
        asked_per_u = node.slope_a_v * inner_per_u - beside_per_u
        newton = -excess / (main.per_v - asked_per_u)
        wanted = reaction_step_v(u, newton, main, main.i_a - excess, asked_per_u, well, w)
        wanted = _to_the_bend(wanted, (held.v_target_v - node.v_batt_v) / inner_per_u)
        low, high = (low, min(high, u)) if excess > 0.0 else (max(low, u), high)
        new = u + wanted
        strayed = not low < new < high or (number >= GUARDED_FROM and abs(wanted) > 0.5 * abs(step))
        if strayed:
            new = 0.5 * (low + high)
        step, u = new - u, new
        h1 = approached(main.h1, main.h1 + h1_per_u * step)
        v_slow += r_slow * i_per_u * step  # a guess so close ends the next round's search at once
        close_v = CLOSE_V if u > NEAR_REST_V else CLOSE_AT_REST_V
        moved_a = abs(step * inner_per_u * node.slope_a_v)
        found = abs(step) * inner_per_u < close_v and moved_a < FOUND_C_RATE * p.full_capacity_ah
        found &= (wanted == newton and not strayed) or high - low < close_v
        if found and moved_a < CLOSE_C_RATE * p.full_capacity_ah:
            v += v_per_u * step
            break
    return v, v_slow, node, i_gas


@inline_llvm
def _wells_v(x: LeadAcidState, w: LeadAcidAtTemperature) -> float:
    """How far the bound well's open-circuit voltage stands above the available one's [V]."""
    return emf(x.q2_ah * w.per_well2, x.t_c, w.p) - emf(x.q1_ah * w.per_well1, x.t_c, w.p)


@inline_ir
def _booked(
    x: LeadAcidState,
    at_rest: LeadAcidState,
    bus: OperatingPoint,
    i_side: float,
    h: float,
    held: Held,
    w: LeadAcidAtTemperature,
    stage: PowerStage,
) -> tuple[LeadAcidState, Flows]:
    """The end of the step with its temperature, and every flow."""
    p, per_h = w.p, 3600.0 * (1.0 / h)
    i = bus.i_batt_a
    inner_v = at_rest.v_node_v + at_rest.v_slow_v
    ohmic = (bus.v_cells_v - inner_v) * i
    side = at_rest.v_node_v * i_side
    before = leadacid.stored_in(x, w.per_well1, w.per_well2, p)
    stored = (leadacid.stored_in(at_rest, w.per_well1, w.per_well2, p) - before) * per_h
    diffusion = 0.5 * (_wells_v(x, w) + _wells_v(at_rest, w)) * (x.q2_ah - at_rest.q2_ah) * per_h
    polarisation = inner_v * i - stored - side - diffusion
    heat = bus.v_cells_v * i - stored - p.vented * i_side * p.cells * leadacid.REVERSIBLE_CELL_V
    warms = h * w.per_heat_capacity_j_k
    # Times the reciprocal, which needn't wait for the heat: the next step waits for this temperature.
    t_c = (x.t_c + warms * (heat + p.heat_transfer_w_k * held.t_room_c)) * (
        1.0 / (1.0 + warms * p.heat_transfer_w_k)
    )
    end = LeadAcidState(at_rest.q1_ah, at_rest.q2_ah, at_rest.v_node_v, at_rest.v_slow_v, t_c)
    entropy = leadacid.entropy_wh(at_rest, t_c - x.t_c, p) * per_h
    losses = Losses(ohmic, polarisation, side, diffusion, 0.0, entropy, i_side)
    return end, flows_of(bus, losses, held, stage)


class _Led(NamedTuple):
    """Where a held current takes a LiFePO4 battery, and what it shows its terminals then."""

    s: float
    h: float
    stored_a: float
    relaxed_v: float  # what is left of the relaxations it began with
    grown_ohm: float  # those that grow are linear in the current: they count as resistance
    ohmic_ohm: float
    other_ohm: float  # and of a current the other way
    r1_ohm: float
    r2_ohm: float
    keep1: float
    keep2: float
    node_v: float
    node_per_a: float  # d(node_v)/d(current)


@inline_llvm
def _led(x: lithium.LithiumState, i: float, h: float, w: lithium.LithiumAtTemperature) -> _Led:
    p = w.p
    hours = h / 3600.0
    sign = 1.0 if i > 0.0 else -1.0
    crowded, starved = w.f * lithium.crowded(x.s), w.f * lithium.starved(x.s, w)
    f_g, other = (crowded, starved) if i > 0.0 else (starved, crowded)
    r1, r2 = p.r1_ohm * f_g, p.r2_ohm * f_g
    keep1, keep2 = math.exp(-h / (p.tau1_s * f_g)), math.exp(-h / (p.tau2_s * f_g))
    crossed = lithium.HYSTERESIS_RATE * hours / p.full_capacity_ah
    keep_h = math.exp(-crossed * abs(i))
    stored_a = (p.coulombic_efficiency if i > 0.0 else 1.0) * i - lithium.self_discharge_a(x.s, p)
    s = x.s + stored_a * hours / p.full_capacity_ah
    loop = sign * (1.0 - keep_h) + x.h * keep_h
    width_v = lithium.hysteresis_v(s)
    return _Led(
        s,
        loop,
        stored_a,
        x.v1_v * keep1 + x.v2_v * keep2,
        r1 * (1.0 - keep1) + r2 * (1.0 - keep2),
        p.r0_ohm * f_g + p.r_bms_ohm,
        p.r0_ohm * other + p.r_bms_ohm,
        r1,
        r2,
        keep1,
        keep2,
        p.cells * (lithium.ocv(s) + width_v * loop),
        p.cells
        * (lithium.slope_v(s) * hours / p.full_capacity_ah + width_v * crossed * keep_h * (1.0 - sign * x.h)),
    )


@inline_llvm
def _until_starved_s(x: lithium.LithiumState, i: float, w: lithium.LithiumAtTemperature) -> float:
    """For how long a step may discharge with a current: until half of what is left is gone.

    Resistance is that of the step's beginning; on the last of the charge it rises so fast that the battery collapses.
    """
    left = max(x.s - w.locked, LAST_OF_CHARGE)
    return 0.5 * left * w.p.full_capacity_ah * 3600.0 / max(-i, 1e-9)


@inline_ir
def _current(
    x: lithium.LithiumState,
    now: OperatingPoint,
    h: float,
    held: Held,
    w: lithium.LithiumAtTemperature,
    stage: PowerStage,
) -> tuple[float, Node]:
    """The current that the bus gives at the voltage to which it takes the battery in `h` seconds, and the node then."""
    p = w.p
    low, high = -MOST_C_RATE * p.full_capacity_ah, MOST_C_RATE * p.full_capacity_ah
    i = now.i_batt_a
    node = node_of(now)
    for _ in range(60):
        led = _led(x, i, h, w)
        own, other = led.ohmic_ohm + led.grown_ohm, led.other_ohm + led.grown_ohm
        charging, discharging = (own, other) if i > 0.0 else (other, own)
        node = currents(Source(led.node_v + led.relaxed_v, charging, discharging), node, held, stage)
        excess = i - node.i_batt_a
        if excess > 0.0:
            high = i
        else:
            low = i
        new = i - excess / (1.0 - node.slope_a_v * led.node_per_a)
        if not low < new < high:
            new = 0.5 * (low + high)
        moved = abs(new - i)
        i = new
        if moved < SETTLED_C_RATE * p.full_capacity_ah:
            break
    return i, node


@inline_ir
def settle_lithium(
    x: lithium.LithiumState,
    now: OperatingPoint,
    h: float,
    held: Held,
    w: lithium.LithiumAtTemperature,
    stage: PowerStage,
) -> tuple[float, lithium.LithiumState, Flows, OperatingPoint]:
    """`settle` for LiFePO4: charge, hysteresis and relaxations move exactly under the step's current.

    It goes less far than `h` where that would take most of what is left: `_until_starved_s`.

    ``i = i_bus(V(i))`` by Newton, guarded by bisection: charge raises the voltage, the bus gives less. What is left
    over is booked as polarisation.
    """
    p = w.p
    most_s = h
    while True:
        h = most_s
        i, node = _current(x, now, h, held, w, stage)
        most_s = _until_starved_s(x, i, w)
        if not h > 1.1 * most_s:  # nan ends it, too
            break
    hours = h / 3600.0
    bus = with_powers(node, now, held.offer, stage)
    i = bus.i_batt_a
    led = _led(x, i, h, w)  # just what the bus carries, so that no charge is lost
    v1_v = x.v1_v * led.keep1 + i * led.r1_ohm * (1.0 - led.keep1)
    v2_v = x.v2_v * led.keep2 + i * led.r2_ohm * (1.0 - led.keep2)
    at_rest = lithium.LithiumState(led.s, led.h, v1_v, v2_v, x.t_c)
    ohmic = led.ohmic_ohm * i * i
    side = p.cells * lithium.ocv(led.s) * (i - led.stored_a)
    hysteresis = p.cells * lithium.hysteresis_v(led.s) * led.h * i
    stored = (lithium.stored_wh(at_rest, p) - lithium.stored_wh(x, p)) / hours
    polarisation = bus.v_cells_v * i - ohmic - side - hysteresis - stored
    t_steady = held.t_room_c + (ohmic + side + hysteresis + polarisation) / p.heat_transfer_w_k
    t_c = t_steady + (x.t_c - t_steady) * math.exp(-h * p.heat_transfer_w_k / p.heat_capacity_j_k)
    losses = Losses(ohmic, polarisation, side, 0.0, hysteresis, 0.0, i - led.stored_a)
    return h, lithium.LithiumState(led.s, led.h, v1_v, v2_v, t_c), flows_of(bus, losses, held, stage), bus
