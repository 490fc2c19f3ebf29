"""One step with the battery's electrode at rest: implicit, of a minute to an hour, for sizing.

The equations are those of the full model. The electrode's node, which settles within a minute, stands where
reaction and gassing carry just the current of the bus; the wells move exactly under that current. Bus and node are
those of the end of the step, so a battery that fills within an hour is held at its voltage then.
"""

import math

from plant import leadacid
from plant.controller import PowerStage
from plant.converter import Bus
from plant.jit import kernel
from plant.leadacid import LeadAcid, State, diffusion_per_h, emf, gassing_a, reaction
from plant.node import look
from plant.state import Flows, Held

SETTLED_V = 1e-7  # the last Newton step squares it
BAND_V = 1.2, 3.5  # a cell's voltage is looked for in here


@kernel
def settle(
    x: State, now: Bus, h: float, held: Held, p: LeadAcid, stage: PowerStage
) -> tuple[State, Flows, Bus]:
    """Move by `h` seconds. Same arguments and results as `rungekutta.rk4`; the flows are those of the step's end.

    Notes
    -----
    ``r(v) = i_m(v - E(h1), h1) - (i_bus(v) - i_gas(v)) = 0`` is solved for the node's voltage by Newton, guarded by
    bisection: reaction rises with the voltage, the bus gives less. `h1` is the well's filling at the end
    of the step, linear in the current (KiBaM under constant current, Manwell & McGowan 1993).
    What the quadratures of the wells leave over is booked as polarisation, so that energy closes.
    """
    hours = h / 3600.0
    q = x.q1_ah + x.q2_ah
    c_q, b_q = p.c * p.q_ah, (1.0 - p.c) * p.q_ah
    gap = x.q2_ah / b_q - x.q1_ah / c_q
    k = diffusion_per_h(-gap, x.t_c, p)
    decay = math.exp(-k * hours)
    per_a = hours / p.q_ah + (1.0 - p.c) * (1.0 - decay) / k / c_q
    h1_free = q / p.q_ah - (1.0 - p.c) * gap * decay

    low, high = BAND_V[0] * p.cells, BAND_V[1] * p.cells
    v = min(max(x.v_node_v, low), high)
    bus, i_gas, i_main, h1 = now, 0.0, 0.0, h1_free
    for _ in range(60):
        bus = look(State(x.q1_ah, x.q2_ah, v, x.t_c), bus.above_node_v, held, p, stage)
        i_gas = gassing_a(v, x.t_c, p)
        i_main = bus.i_batt_a - i_gas
        h1 = h1_free + per_a * i_main
        r = reaction(v - emf(h1, x.t_c, p), h1, x.t_c, p)
        excess = r.i_a - i_main
        if excess > 0.0:
            high = v
        else:
            low = v
        less = bus.slope_s - 11.0 / p.cells * i_gas  # d(i_main)/dv
        rise = p.cells * (p.e1_v + 2.0 * p.e2_v * h1) * per_a * less  # dE/dv
        new = v - excess / (r.per_v * (1.0 - rise) - r.per_h * per_a * less - less)
        if not low < new < high:
            new = 0.5 * (low + high)
        step = abs(new - v)
        v = new
        if step < SETTLED_V:
            break
    q_end = q + i_main * hours
    gap_end = gap * decay - i_main * (1.0 - decay) / k / c_q
    at_rest = State(
        c_q * (q_end / p.q_ah - (1.0 - p.c) * gap_end), b_q * (q_end / p.q_ah + p.c * gap_end), v, x.t_c
    )
    end, mean = _booked(x, at_rest, bus, i_gas, hours, held, p, stage)
    return end, mean, bus


@kernel
def _booked(
    x: State, at_rest: State, bus: Bus, i_gas: float, hours: float, held: Held, p: LeadAcid, stage: PowerStage
) -> tuple[State, Flows]:
    """The end of the step with its temperature, and every flow."""
    i = bus.i_batt_a
    ohmic = (bus.v_cells_v - at_rest.v_node_v) * i
    side = at_rest.v_node_v * i_gas
    stored = (leadacid.stored_wh(at_rest, p) - leadacid.stored_wh(x, p)) / hours
    diffusion = 0.5 * (leadacid.diffusion_w(x, p) + leadacid.diffusion_w(at_rest, p))
    polarisation = at_rest.v_node_v * i - stored - side - diffusion
    heat = ohmic + polarisation + diffusion + side - p.vented * i_gas * p.cells * leadacid.REVERSIBLE_CELL_V
    t_steady = held.t_room_c + heat / p.h_a_w_k
    t_c = t_steady + (x.t_c - t_steady) * math.exp(-3600.0 * hours * p.h_a_w_k / p.c_th_j_k)
    end = State(at_rest.q1_ah, at_rest.q2_ah, at_rest.v_node_v, t_c)
    entropy = (leadacid.stored_wh(end, p) - leadacid.stored_wh(at_rest, p)) / hours
    i_pv = bus.p_pv_w / bus.v_pv_v if bus.p_pv_w > 0.0 else 0.0
    return end, Flows(
        bus.p_pv_w, stage.pv_wiring_ohm * i_pv * i_pv, bus.p_converter_loss_w, bus.p_chg_w,
        (bus.v_batt_v - bus.v_cells_v) * i, bus.p_path_loss_w, bus.p_load_w, bus.p_own_w, bus.v_batt_v * i,
        ohmic, polarisation, side, diffusion, 0.0, entropy, i_gas,
    )  # fmt: skip
