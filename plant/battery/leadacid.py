"""The lead-acid battery: two wells of charge, an electrode node, gassing and heat, as one ODE.

Knows nothing of charge stages, sun or load: a current goes in, a state and its losses come out.

The wells are KiBaM's (Manwell & McGowan 1993); the electrode node with its parasitic branch is Ceraolo's
(2000); the gassing law is Schiffer's (J. Power Sources 168 (2007) 66). Charge overvoltage grows with the
logarithm of current, as measured; a slow polarisation (`electrode`) stands in series. Valid from C/100 to 1C and
from -20 to +50 degC. Acid weak enough to freeze at the battery's temperature blocks the current; an empty well gives
none.
"""

import math
from typing import NamedTuple

from plant.base.jit import inline_ir, inline_llvm, kernel
from plant.battery.acid import (
    ENTROPY_V_PER_K_CELL,
    LeadAcid,
    LeadAcidAtTemperature,
    LeadAcidState,
    at_temperature,
    emf,
    freezing_point_c,
)
from plant.battery.cell import Losses, Source
from plant.battery.electrode import Reaction, leak, reaction, share

State = LeadAcidState  # by which `model` finds it


REVERSIBLE_CELL_V = 1.48  # thermoneutral voltage of water splitting: heat that leaves with the gas
FROZEN_TIMES = 50.0  # how much ice raises the resistance
FREEZES_OVER_K = 1.0  # from the first ice to that resistance: a jump would spoil the integrator's order
MIN_STEP_S = 0.02
TINY = 1e-6  # share of the capacity that rounding and a step's error may leave beyond empty or full
PER_HOUR = 1.0 / 3600.0
THIRD = 1.0 / 3.0


@inline_ir
def frozen(x: LeadAcidState, p: LeadAcid) -> bool:
    """Whether there is ice in the battery."""
    return x.t_c < 0.0 and x.t_c < freezing_point_c(x.q1_ah / (p.available_fraction * p.full_capacity_ah), p)


@inline_ir
def series_resistance(x: LeadAcidState, w: LeadAcidAtTemperature) -> float:
    """Ohmic resistance [Ohm], which ice raises fifty-fold within a kelvin below the freezing point."""
    if not frozen(x, w.p):
        return w.r0_ohm
    below = (freezing_point_c(x.q1_ah * w.per_well1, w.p) - x.t_c) / FREEZES_OVER_K
    ice = min(1.0, below)
    return w.r0_ohm * (1.0 + (FROZEN_TIMES - 1.0) * ice * ice * (3.0 - 2.0 * ice))


@inline_llvm
def source_at(x: LeadAcidState, w: LeadAcidAtTemperature) -> Source:
    """The battery as its terminals see it."""
    r0 = series_resistance(x, w)
    return Source(x.v_node_v + x.v_slow_v, r0, r0)


@kernel
def source(x: LeadAcidState, p: LeadAcid) -> Source:
    """`source_at` the battery's own temperature."""
    return source_at(x, at_temperature(x.t_c, p))


@inline_llvm
def moved(x: LeadAcidState, h: float, dx: LeadAcidState, p: LeadAcid) -> LeadAcidState:
    """``x + h dx``."""
    return LeadAcidState(
        x.q1_ah + h * dx.q1_ah,
        x.q2_ah + h * dx.q2_ah,
        x.v_node_v + h * dx.v_node_v,
        x.v_slow_v + h * dx.v_slow_v,
        x.t_c + h * dx.t_c,
    )


@inline_ir
def no_slope(p: LeadAcid) -> LeadAcidState:
    """A state that doesn't move, as its derivative."""
    return LeadAcidState(0.0, 0.0, 0.0, 0.0, 0.0)


@inline_llvm
def possible(x: LeadAcidState, p: LeadAcid) -> bool:
    """Whether a state is one that a battery can be in; false for nan."""
    least, most = -TINY * p.full_capacity_ah, (1.0 + TINY) * p.full_capacity_ah
    wells = least <= x.q1_ah and least <= x.q2_ah and x.q1_ah + x.q2_ah <= most
    volts = 0.0 < x.v_node_v < 4.0 * p.cells and abs(x.v_slow_v) < 4.0 * p.cells
    return wells and volts and -100.0 < x.t_c < 200.0


@inline_llvm
def soc(x: LeadAcidState, p: LeadAcid) -> float:
    """True state of charge, 0..1, of the slow-rate capacity."""
    return min(1.0, max(0.0, (x.q1_ah + x.q2_ah) / p.full_capacity_ah))


@inline_ir
def gassing_a(v_node_v: float, w: LeadAcidAtTemperature) -> float:
    """Current [A] that splits water: overcharge, float and self-discharge (Schiffer 2007).

    ``CN/100 Ig0 exp(11 (v/n - 2.23) + 0.06 (T - 25))``.
    """
    return w.gassing_a * math.exp(w.gassing_per_v * v_node_v)


@inline_ir
def side_reaction_a(i_main_a: float, p: LeadAcid) -> float:
    """Current [A] of the charging reaction that splits water instead of being stored."""
    return (1.0 - p.charge_efficiency) * max(i_main_a, 0.0)


@inline_ir
def diffusion_per_h(ahead: float, w: LeadAcidAtTemperature) -> float:
    """Rate [1/h] at which the wells level out; faster on charge, when the available one is `ahead` of the other."""
    return w.diffusion_rate_per_h * (1.0 + (w.p.charge_diffusion_ratio - 1.0) * share(ahead * 200.0))


@inline_llvm
def levelling(x: LeadAcidState, e1_v: float, w: LeadAcidAtTemperature) -> tuple[float, float]:
    """Current [A] from the bound well into the available one, and the power [W] it loses on its way."""
    h1 = x.q1_ah * w.per_well1
    h2 = x.q2_ah * w.per_well2
    flow = diffusion_per_h(h1 - h2, w) * w.exchange_ah * (h2 - h1)
    return flow, flow * (emf(h2, x.t_c, w.p) - e1_v)


class LeadAcidInner(NamedTuple):
    """What goes on inside at an instant, whatever the terminals do."""

    e1_v: float  # open-circuit voltage of the available well
    main: Reaction
    i_gas_a: float
    i_slow_a: float  # leak of the slow polarisation, and its slope
    slow_a_v: float
    flow_a: float  # from the bound well into the available one
    diffusion_w: float
    r0_ohm: float


@inline_llvm
def inner(x: LeadAcidState, w: LeadAcidAtTemperature) -> LeadAcidInner:
    """Reaction, gassing and diffusion of a state."""
    h1 = x.q1_ah * w.per_well1
    e1 = emf(h1, x.t_c, w.p)
    main = reaction(x.v_node_v - e1, h1, w)
    flow, diffusion = levelling(x, e1, w)
    i_slow, slow_a_v = leak(x.v_slow_v, w.surface)
    return LeadAcidInner(
        e1, main, gassing_a(x.v_node_v, w), i_slow, slow_a_v, flow, diffusion, series_resistance(x, w)
    )


@inline_llvm
def rates_of(
    inside: LeadAcidInner, x: LeadAcidState, i_a: float, t_room_c: float, w: LeadAcidAtTemperature
) -> tuple[LeadAcidState, Losses]:
    """Time derivative of the state, and the losses of this instant.

    Parameters
    ----------
    inside : LeadAcidInner
        Of this state.
    x : LeadAcidState
    i_a : float
        Terminal current [A], positive into the battery.
    t_room_c : float
        Temperature around the battery [degC].
    w : LeadAcidAtTemperature
        At the battery's temperature, or close to it.

    Returns
    -------
    LeadAcidState
        d/dt of each field: [Ah/s], [Ah/s], [V/s], [K/s].
    Losses
        ``V i = d(stored)/dt + ohmic + polarisation + side + diffusion - entropy`` holds exactly.

    Notes
    -----
    Outside C/100..1C the kinetics extrapolate; a step of the integrator should stay below
    `step_limit_s`.
    """
    p = w.p
    i_main, flow = inside.main.i_a, inside.flow_a
    i_lost = side_reaction_a(i_main, p)
    i_side = inside.i_gas_a + i_lost
    i_stored = i_main - i_lost
    ohmic = inside.r0_ohm * i_a * i_a
    polarisation = (x.v_node_v - inside.e1_v) * i_stored + x.v_slow_v * inside.i_slow_a
    gas = x.v_node_v * i_side
    gas_heat = gas - p.vented * i_side * p.cells * REVERSIBLE_CELL_V
    heat = ohmic + polarisation + gas_heat + inside.diffusion_w
    dt = (heat - p.heat_transfer_w_k * (x.t_c - t_room_c)) * w.per_heat_capacity_j_k
    dx = LeadAcidState(
        (i_stored + flow) * PER_HOUR,
        -flow * PER_HOUR,
        (i_a - i_main - inside.i_gas_a) * w.per_double_layer_f,
        (i_a - inside.i_slow_a) * w.surface.per_f,
        dt,
    )
    entropy = 3600.0 * p.cells * ENTROPY_V_PER_K_CELL * (x.q1_ah + x.q2_ah) * dt
    return dx, Losses(ohmic, polarisation, gas, inside.diffusion_w, 0.0, entropy, i_side)


@kernel
def rates(x: LeadAcidState, i_a: float, t_room_c: float, p: LeadAcid) -> tuple[LeadAcidState, Losses]:
    """`rates_of` a state at its own temperature."""
    w = at_temperature(x.t_c, p)
    return rates_of(inner(x, w), x, i_a, t_room_c, w)


@inline_llvm
def stored_in(x: LeadAcidState, per_well1: float, per_well2: float, p: LeadAcid) -> float:
    """`stored_wh` with the reciprocals of the wells' capacities [1/Ah]."""
    h1, h2 = x.q1_ah * per_well1, x.q2_ah * per_well2
    e0 = p.ocv_empty_v_cell + ENTROPY_V_PER_K_CELL * (x.t_c - 25.0)
    well1 = x.q1_ah * (e0 + h1 * (0.5 * p.ocv_linear_v_cell + h1 * p.ocv_quadratic_v_cell * THIRD))
    well2 = x.q2_ah * (e0 + h2 * (0.5 * p.ocv_linear_v_cell + h2 * p.ocv_quadratic_v_cell * THIRD))
    layer = 0.5 * PER_HOUR * p.double_layer_f * x.v_node_v * x.v_node_v
    return p.cells * (well1 + well2) + layer + 0.5 * PER_HOUR * p.surface_f * x.v_slow_v * x.v_slow_v


@kernel
def stored_wh(x: LeadAcidState, p: LeadAcid) -> float:
    """Energy [Wh] in the wells, the double layer and the slow polarisation, counted from empty wells."""
    return stored_in(
        x,
        1.0 / (p.available_fraction * p.full_capacity_ah),
        1.0 / ((1.0 - p.available_fraction) * p.full_capacity_ah),
        p,
    )


@inline_llvm
def entropy_wh(x: LeadAcidState, warmer_k: float, p: LeadAcid) -> float:
    """Energy [Wh] that the wells gain as they warm, with nothing flowing."""
    return p.cells * (x.q1_ah + x.q2_ah) * ENTROPY_V_PER_K_CELL * warmer_k


@inline_llvm
def step_limit_of(inside: LeadAcidInner, x: LeadAcidState, i_a: float, w: LeadAcidAtTemperature) -> float:
    """Longest step [s] that a fourth-order explicit method may take from a state at a current.

    Four things bound it: the electrode node relaxes with ``C_dl / (dI/du)``; near both ends of charge the available
    well stiffens, near full with ``3600 c Q M_c / (I0c sinh)``; after a jump of the current the node must not run
    through the bend between charge and discharge in one stride; and the slow polarisation leaks.
    Keeps the voltage within 0.5 mV of Radau up to 0.5C, see tests/evals/test_integrator.py.
    """
    off_a = abs(i_a - inside.main.i_a)
    # On its way to another current half of its time constant; where it has arrived there is nothing to miss.
    settles = 1.0 + min(1.0, 10.0 * off_a * w.surface.per_ref_a)
    # Each as a rate [1/s]: one division is left.
    electrode = settles * inside.main.per_v * w.per_double_layer_f
    well = max(inside.main.per_h, inside.main.starved) * w.per_well1 * PER_HOUR
    surface = inside.slow_a_v * w.surface.per_f
    swing = off_a * w.per_double_layer_f * w.per_swing_v
    return max(1.0 / max(electrode, well, swing, surface, 1e-6), MIN_STEP_S)


@kernel
def step_limit_s(x: LeadAcidState, i_a: float, p: LeadAcid) -> float:
    """`step_limit_of` a state at its own temperature."""
    w = at_temperature(x.t_c, p)
    return step_limit_of(inner(x, w), x, i_a, w)


def rested(soc0: float, t_c: float, p: LeadAcid) -> LeadAcidState:
    """State of a battery that has stood long enough for wells and electrode to be at rest."""
    return LeadAcidState(
        soc0 * p.available_fraction * p.full_capacity_ah,
        soc0 * (1.0 - p.available_fraction) * p.full_capacity_ah,
        float(emf(soc0, t_c, p)),
        0.0,
        t_c,
    )


def carried_over(x: LeadAcidState, p: LeadAcid, other: LeadAcid) -> LeadAcidState:
    """The same battery after it has changed from `p` to `other`: the wells stay as full as they were, cell by cell."""
    size = other.full_capacity_ah / p.full_capacity_ah
    share = other.cells / p.cells
    return LeadAcidState(x.q1_ah * size, x.q2_ah * size, x.v_node_v * share, x.v_slow_v * share, x.t_c)


def one_cell_less(p: LeadAcid) -> LeadAcid:
    """A battery with an inner short circuit in one of its cells."""
    left = (p.cells - 1.0) / p.cells
    return p._replace(
        cells=p.cells - 1.0,
        r0_ohm=p.r0_ohm * left,
        double_layer_f=p.double_layer_f / left,
        surface_f=p.surface_f / left,
    )


def scaled(p: LeadAcid, capacity_ah: float, blocks_in_series: int) -> LeadAcid:
    """A block scaled to another capacity, and so many of them in series.

    Plate area scales with capacity, the case's surface with its power of 2/3; series blocks add resistance and heat
    capacity and divide the double layer.
    """
    s = capacity_ah / p.c20_ah
    n = float(blocks_in_series)
    return p._replace(
        cells=p.cells * n,
        full_capacity_ah=p.full_capacity_ah * s,
        c20_ah=p.c20_ah * s,
        gassing_capacity_ah=p.gassing_capacity_ah * s,
        discharge_exchange_a=p.discharge_exchange_a * s,
        charge_exchange_a=p.charge_exchange_a * s,
        r0_ohm=p.r0_ohm / s * n,
        double_layer_f=p.double_layer_f * s / n,
        surface_f=p.surface_f * s / n,
        heat_capacity_j_k=p.heat_capacity_j_k * s * n,
        heat_transfer_w_k=p.heat_transfer_w_k * s ** (2.0 / 3.0) * n,
    )


def aged(p: LeadAcid, q_loss: float, r_gain: float) -> LeadAcid:
    """A battery that has lost a share of its plates and gained a share of its resistance.

    Lost active mass carries neither charge nor reaction nor double layer, so a worn battery is a smaller one; its
    gassing stays that of the whole.
    """
    left = 1.0 - q_loss
    return p._replace(
        full_capacity_ah=p.full_capacity_ah * left,
        c20_ah=p.c20_ah * left,
        discharge_exchange_a=p.discharge_exchange_a * left,
        charge_exchange_a=p.charge_exchange_a * left,
        double_layer_f=p.double_layer_f * left,
        surface_f=p.surface_f * left,
        r0_ohm=p.r0_ohm * (1.0 + r_gain),
    )
