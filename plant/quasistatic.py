"""One implicit step of the battery, of a minute to an hour, for sizing.

The equations are those of the full model. The electrode's node, which settles within a minute, stands where reaction,
gassing and the charging of its double layer carry just the current of the bus (backward Euler, so no step is too long
for it); the wells move exactly under that current. Bus and node are those of the end of the step, so a battery that
fills within an hour is held at its voltage then.
"""

import math
from typing import NamedTuple

from plant import leadacid, lithium
from plant.cell import Losses, Source
from plant.controller import PowerStage
from plant.converter import Bus
from plant.jit import inlined, woven
from plant.leadacid import State, diffusion_per_h, emf, gassing_a, reaction
from plant.node import flows_of, look, look_through
from plant.state import Flows, Held

SETTLED_V = (
    1e-5  # a Newton step smaller than this isn't taken: wells and node then carry the very same current
)
SETTLED_C_RATE = 1e-8  # LiFePO4: current, as a share of the capacity
MOST_C_RATE = 20.0
BAND_V = 1.2, 3.5  # a cell's voltage is looked for in here
# No well ends a step emptier or fuller than this. Farther out, where gassing at the band's top would leave it at minus
# thirty, the EMF falls so steeply with the voltage that a Newton step comes out tiny far from the root.
FILLING = -1.0, 1.2


@woven
def settle(
    x: State, now: Bus, h: float, held: Held, w: leadacid.Warm, stage: PowerStage
) -> tuple[float, State, Flows, Bus]:
    """Move by `h` seconds. Same arguments and results as `rungekutta.rk4`; the flows are those of the step's end.

    Notes
    -----
    ``i_m(v - E(h1), h1) = i_bus(v) - i_gas(v) - C_dl (v - v0) / h`` is solved for the node's voltage by Newton, guarded
    by bisection: reaction rises with the voltage, the bus gives less. `h1` is the well's filling at the end
    of the step, linear in the current (KiBaM under constant current, Manwell & McGowan 1993).
    The double layer matters even in long steps: between float and the night's rest it moves 1/4 Ah of a 100 Ah battery,
    and under broken cloud it carries the load through the gaps.
    What the quadratures of the wells leave over is booked as polarisation, so that energy closes.
    """
    p = w.p
    hours = h / 3600.0
    q = x.q1_ah + x.q2_ah
    c_q, b_q = p.c * p.q_ah, (1.0 - p.c) * p.q_ah
    gap = x.q2_ah / b_q - x.q1_ah / c_q
    k = diffusion_per_h(-gap, w)
    decay = math.exp(-k * hours)
    per_a = hours / p.q_ah + (1.0 - p.c) * (1.0 - decay) / k / c_q
    h1_free = q / p.q_ah - (1.0 - p.c) * gap * decay

    low, high = BAND_V[0] * p.cells, BAND_V[1] * p.cells
    v = min(max(x.v_node_v, low), high)
    double_layer = p.c_dl_f / h
    bus, i_gas, i_main, h1 = now, 0.0, 0.0, h1_free
    for _ in range(60):
        bus = look(State(x.q1_ah, x.q2_ah, v, x.t_c), bus, held, w, stage)
        i_gas = gassing_a(v, w)
        i_main = bus.i_batt_a - i_gas - double_layer * (v - x.v_node_v)
        h1 = min(max(h1_free + per_a * i_main, FILLING[0]), FILLING[1])
        moves = per_a if FILLING[0] < h1 < FILLING[1] else 0.0
        r = reaction(v - emf(h1, x.t_c, p), h1, w)
        excess = r.i_a - i_main
        if excess > 0.0:
            high = v
        else:
            low = v
        less = bus.slope_s - w.gassing_per_v * i_gas - double_layer  # d(i_main)/dv
        rise = p.cells * (p.e1_v + 2.0 * p.e2_v * h1) * moves * less  # dE/dv
        new = v - excess / (r.per_v * (1.0 - rise) - r.per_h * moves * less - less)
        if not low < new < high:
            new = 0.5 * (low + high)
        if abs(new - v) < SETTLED_V:
            break
        v = new
    q_end = q + i_main * hours
    gap_end = gap * decay - i_main * (1.0 - decay) / k / c_q
    at_rest = State(
        c_q * (q_end / p.q_ah - (1.0 - p.c) * gap_end), b_q * (q_end / p.q_ah + p.c * gap_end), v, x.t_c
    )
    end, mean = _booked(x, at_rest, bus, i_gas, hours, held, w, stage)
    return h, end, mean, bus


@inlined
def _diffusion_w(x: State, w: leadacid.Warm) -> float:
    _flow, lost_w = leadacid.levelling(x, emf(x.q1_ah * w.per_well1, x.t_c, w.p), w)
    return lost_w


@woven
def _booked(
    x: State,
    at_rest: State,
    bus: Bus,
    i_gas: float,
    hours: float,
    held: Held,
    w: leadacid.Warm,
    stage: PowerStage,
) -> tuple[State, Flows]:
    """The end of the step with its temperature, and every flow."""
    p = w.p
    i = bus.i_batt_a
    ohmic = (bus.v_cells_v - at_rest.v_node_v) * i
    side = at_rest.v_node_v * i_gas
    before = leadacid.stored_in(x, w.per_well1, w.per_well2, p)
    stored = (leadacid.stored_in(at_rest, w.per_well1, w.per_well2, p) - before) / hours
    diffusion = 0.5 * (_diffusion_w(x, w) + _diffusion_w(at_rest, w))
    polarisation = at_rest.v_node_v * i - stored - side - diffusion
    heat = ohmic + polarisation + diffusion + side - p.vented * i_gas * p.cells * leadacid.REVERSIBLE_CELL_V
    warms = 3600.0 * hours * w.per_c_th_j_k
    t_c = (x.t_c + warms * (heat + p.h_a_w_k * held.t_room_c)) / (1.0 + warms * p.h_a_w_k)
    end = State(at_rest.q1_ah, at_rest.q2_ah, at_rest.v_node_v, t_c)
    entropy = leadacid.entropy_wh(at_rest, t_c - x.t_c, p) / hours
    return end, flows_of(bus, Losses(ohmic, polarisation, side, diffusion, 0.0, entropy, i_gas), stage)


class _Led(NamedTuple):
    """Where a held current takes a LiFePO4 battery, and what it shows its terminals then."""

    s: float
    h: float
    stored_a: float
    relaxed_v: float  # what is left of the relaxations it began with
    grown_ohm: float  # those that grow are linear in the current: they count as resistance
    ohmic_ohm: float
    r1_ohm: float
    r2_ohm: float
    keep1: float
    keep2: float
    node_v: float
    node_per_a: float  # d(node_v)/d(current)


@inlined
def _led(x: lithium.State, i: float, h: float, w: lithium.Warm) -> _Led:
    p = w.p
    hours = h / 3600.0
    sign = 1.0 if i > 0.0 else -1.0
    f_g = w.f * (lithium.crowded(x.s) if i > 0.0 else lithium.starved(x.s, x.t_c))
    r1, r2 = p.r1_ohm * f_g, p.r2_ohm * f_g
    keep1, keep2 = math.exp(-h / (p.tau1_s * f_g)), math.exp(-h / (p.tau2_s * f_g))
    crossed = lithium.HYSTERESIS_RATE * hours / p.q_ah
    keep_h = math.exp(-crossed * abs(i))
    stored_a = (p.eta if i > 0.0 else 1.0) * i - p.i_sd_a
    s = x.s + stored_a * hours / p.q_ah
    loop = sign * (1.0 - keep_h) + x.h * keep_h
    width_v = lithium.hysteresis_v(s)
    return _Led(
        s,
        loop,
        stored_a,
        x.v1_v * keep1 + x.v2_v * keep2,
        r1 * (1.0 - keep1) + r2 * (1.0 - keep2),
        p.r0_ohm * f_g + p.r_bms_ohm,
        r1,
        r2,
        keep1,
        keep2,
        p.cells * (lithium.ocv(s) + width_v * loop),
        p.cells * (lithium.slope_v(s) * hours / p.q_ah + width_v * crossed * keep_h * (1.0 - sign * x.h)),
    )


@woven
def settle_lithium(
    x: lithium.State, now: Bus, h: float, held: Held, w: lithium.Warm, stage: PowerStage
) -> tuple[float, lithium.State, Flows, Bus]:
    """`settle` for LiFePO4: charge, hysteresis and relaxations move exactly under the step's current.

    ``i = i_bus(V(i))`` by Newton, guarded by bisection: charge raises the voltage, the bus gives less. What is left
    over is booked as polarisation.
    """
    p = w.p
    hours = h / 3600.0
    low, high = -MOST_C_RATE * p.q_ah, MOST_C_RATE * p.q_ah
    i = now.i_batt_a
    bus = now
    for _ in range(60):
        led = _led(x, i, h, w)
        r = led.ohmic_ohm + led.grown_ohm
        bus = look_through(Source(led.node_v + led.relaxed_v, r, r), bus, held, stage)
        excess = i - bus.i_batt_a
        if excess > 0.0:
            high = i
        else:
            low = i
        new = i - excess / (1.0 - bus.slope_s * led.node_per_a)
        if not low < new < high:
            new = 0.5 * (low + high)
        moved = abs(new - i)
        i = new
        if moved < SETTLED_C_RATE * p.q_ah:
            break
    i = bus.i_batt_a
    led = _led(x, i, h, w)  # just what the bus carries, so that no charge is lost
    v1_v = x.v1_v * led.keep1 + i * led.r1_ohm * (1.0 - led.keep1)
    v2_v = x.v2_v * led.keep2 + i * led.r2_ohm * (1.0 - led.keep2)
    at_rest = lithium.State(led.s, led.h, v1_v, v2_v, x.t_c)
    ohmic = led.ohmic_ohm * i * i
    side = p.cells * lithium.ocv(led.s) * (i - led.stored_a)
    hysteresis = p.cells * lithium.hysteresis_v(led.s) * led.h * i
    stored = (lithium.stored_wh(at_rest, p) - lithium.stored_wh(x, p)) / hours
    polarisation = bus.v_cells_v * i - ohmic - side - hysteresis - stored
    t_steady = held.t_room_c + (ohmic + side + hysteresis + polarisation) / p.h_a_w_k
    t_c = t_steady + (x.t_c - t_steady) * math.exp(-h * p.h_a_w_k / p.c_th_j_k)
    losses = Losses(ohmic, polarisation, side, 0.0, hysteresis, 0.0, i - led.stored_a)
    return h, lithium.State(led.s, led.h, v1_v, v2_v, t_c), flows_of(bus, losses, stage), bus
