"""The LiFePO4 battery: charge, hysteresis and two relaxations behind a resistance that grows near both ends.

Knows nothing of the BMS that may cut it off (`plant.battery.bms`), of charge stages, sun or load: a current goes in, a
state and its losses come out.

Open-circuit voltage and hysteresis are the tables measured on a Sony/Murata US26650 (tum-ees/simses). Valid from
C/50 to 1C and from -20 to +60 degC. Above full only the steep end of the open-circuit voltage stops the charge; below
empty it falls to nothing within a thousandth of the capacity.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator

from plant.base.jit import inline_ir, inline_llvm, kernel
from plant.battery.cell import Losses, Source


class Lithium(NamedTuple):
    """Parameters of one battery of `cells` cells in series, at 25 degC where it matters."""

    cells: float
    full_capacity_ah: float  # what SOC is a share of
    coulombic_efficiency: float  # share of the charging current that is stored
    self_discharge_a: float  # the BMS's own use included
    r0_ohm: float  # ohmic resistance of the cells
    r1_ohm: float  # fast and slow relaxation: resistance and time constant
    tau1_s: float
    r2_ohm: float
    tau2_s: float
    r_bms_ohm: float  # switches and shunt of the BMS
    arrhenius_cold_k: float  # how fast resistance grows below 25 degC, and falls above: exp(B (1/T - 1/T25))
    arrhenius_warm_k: float
    # Share of the charge that cold holds back: per kelvin below 25 degC, and per its square.
    locked_per_k: float
    locked_per_k2: float
    heat_capacity_j_k: float
    heat_transfer_w_k: float  # to the room


class LithiumAtTemperature(NamedTuple):
    """What the parameters come to at a temperature."""

    p: Lithium
    f: float  # how many times the resistances at 25 degC those are
    locked: float  # share of the charge that cold holds back


class LithiumState(NamedTuple):
    """What the battery remembers. The same five numbers serve as their own time derivative."""

    s: float  # charge as a share of the capacity; a little beyond 0..1 at the ends
    h: float  # hysteresis, -1 after discharge to +1 after charge
    v1_v: float  # overvoltage of the fast and of the slow relaxation
    v2_v: float
    t_c: float


State = LithiumState  # by which `model` finds it


OCV_TABLE = np.array([
    (0.0, 2.2862), (0.005, 2.6835), (0.01, 2.7833), (0.02, 2.8952), (0.03, 2.9673), (0.05, 3.0647), (0.07, 3.1317),
    (0.10, 3.1967), (0.15, 3.2120), (0.20, 3.2343), (0.25, 3.2547), (0.30, 3.2703), (0.35, 3.2826), (0.40, 3.2921),
    (0.45, 3.2973), (0.50, 3.2995), (0.60, 3.3035), (0.65, 3.3063), (0.70, 3.3108), (0.75, 3.3185), (0.80, 3.3345),
    (0.85, 3.3403), (0.90, 3.3425), (0.95, 3.3447), (0.97, 3.3463), (0.98, 3.3487), (0.99, 3.3618), (0.995, 3.3963),
    (1.0, 3.5305),
])  # fmt: skip
"""Charge, open-circuit voltage of a cell [V]."""
HYSTERESIS_TABLE = np.array([
    (0.0, 0.0300), (0.05, 0.0287), (0.1, 0.0251), (0.2, 0.0249), (0.3, 0.0288), (0.35, 0.0284), (0.4, 0.0226),
    (0.5, 0.0187), (0.6, 0.0191), (0.7, 0.0209), (0.76, 0.0226), (0.8, 0.0194), (0.85, 0.0172), (0.9, 0.0171),
    (0.95, 0.0185), (1.0, 0.0300),
])  # fmt: skip
"""Charge, half the width of the hysteresis of a cell [V]; straight between the points."""
WALL_V = 27.0  # slope of the open-circuit voltage of an overfull cell, per unit of charge
HYSTERESIS_RATE = 40.0  # the loop is crossed in 1/40 of the capacity
STEEPEST_V = 110.0  # slope of the open-circuit voltage near empty
FOOT = 0.001  # how far below empty the voltage is nothing, and straight until there (guess: an empty cell collapses)
SPENT = 0.005  # self-discharge dies away over so much charge above that

_PCHIP = PchipInterpolator(OCV_TABLE[:, 0], OCV_TABLE[:, 1])
_KNOT = OCV_TABLE[:, 0].copy()
_OCV = np.ascontiguousarray(_PCHIP.c.T)  # (knots - 1, 4) cubic of each interval, highest power first
_AREA = np.asarray(_PCHIP.antiderivative()(_KNOT))  # integral from empty to each knot
_END_V = float(OCV_TABLE[-1, 1])
_FOOT_SLOPE_V = float(OCV_TABLE[0, 1]) / FOOT
_H_KNOT = HYSTERESIS_TABLE[:, 0].copy()
_H_WIDTH = HYSTERESIS_TABLE[:, 1].copy()


@kernel
def ocv(s: float) -> float:
    """Open-circuit voltage [V] of a cell: monotone cubics between the table's points, straight at both ends."""
    if s >= 1.0:
        return _END_V + WALL_V * (s - 1.0)
    if s <= 0.0:
        return _FOOT_SLOPE_V * max(s + FOOT, 0.0)
    j = np.searchsorted(_KNOT, s, side="right") - 1
    d = s - _KNOT[j]
    return float(((_OCV[j, 0] * d + _OCV[j, 1]) * d + _OCV[j, 2]) * d + _OCV[j, 3])


@kernel
def slope_v(s: float) -> float:
    """Slope of `ocv` [V per unit of charge]."""
    if s >= 1.0:
        return WALL_V
    if s <= 0.0:
        return _FOOT_SLOPE_V
    j = np.searchsorted(_KNOT, s, side="right") - 1
    d = s - _KNOT[j]
    return float((3.0 * _OCV[j, 0] * d + 2.0 * _OCV[j, 1]) * d + _OCV[j, 2])


@kernel
def ocv_integral(s: float) -> float:
    """Integral of `ocv` from empty to `s` [V], exact."""
    if s >= 1.0:
        return float(_AREA[-1] + (s - 1.0) * (_END_V + 0.5 * WALL_V * (s - 1.0)))
    if s <= 0.0:
        return 0.5 * _FOOT_SLOPE_V * (max(s + FOOT, 0.0) ** 2 - FOOT * FOOT)
    j = np.searchsorted(_KNOT, s, side="right") - 1
    d = s - _KNOT[j]
    cubic = ((_OCV[j, 0] / 4.0 * d + _OCV[j, 1] / 3.0) * d + _OCV[j, 2] / 2.0) * d + _OCV[j, 3]
    return float(_AREA[j] + d * cubic)


@kernel
def hysteresis_v(s: float) -> float:
    """Half the width [V] of a cell's hysteresis."""
    if s <= 0.0:
        return float(_H_WIDTH[0]) * max(s + FOOT, 0.0) / FOOT  # within the voltage that is left
    if s >= 1.0:
        return float(_H_WIDTH[-1])
    j = np.searchsorted(_H_KNOT, s, side="right") - 1
    share = (s - _H_KNOT[j]) / (_H_KNOT[j + 1] - _H_KNOT[j])
    return float(_H_WIDTH[j] + share * (_H_WIDTH[j + 1] - _H_WIDTH[j]))


@inline_llvm
def cold(t_c: float, p: Lithium) -> float:
    """How many times the resistances at 25 degC those at `t_c` are."""
    b = p.arrhenius_cold_k if t_c < 25.0 else p.arrhenius_warm_k
    return math.exp(b * (1.0 / (t_c + 273.15) - 1.0 / 298.15))


@inline_llvm
def at_temperature(t_c: float, p: Lithium) -> LithiumAtTemperature:
    """Parameters at a temperature [degC]."""
    below = max(0.0, 25.0 - t_c)
    return LithiumAtTemperature(p, cold(t_c, p), below * (p.locked_per_k + p.locked_per_k2 * below))


@inline_llvm
def starved(s: float, w: LithiumAtTemperature) -> float:
    """How many times larger resistance is on discharge because little charge is left that isn't held back by cold."""
    return 1.0 + 0.02 / max(s - w.locked, 1e-4)


@inline_llvm
def self_discharge_a(s: float, p: Lithium) -> float:
    """Current [A] of the self-discharge, which ends where nothing is left."""
    return p.self_discharge_a * min(1.0, max(s + FOOT, 0.0) / SPENT)


@inline_llvm
def crowded(s: float) -> float:
    """How many times larger resistance is on charge because little room is left."""
    return 1.0 + 0.03 / max(1.005 - s, 1e-4)


@inline_llvm
def source_at(x: LithiumState, w: LithiumAtTemperature) -> Source:
    """The battery as its terminals see it."""
    p, f = w.p, w.f
    return Source(
        p.cells * (ocv(x.s) + hysteresis_v(x.s) * x.h) + x.v1_v + x.v2_v,
        p.r0_ohm * f * crowded(x.s) + p.r_bms_ohm,
        p.r0_ohm * f * starved(x.s, w) + p.r_bms_ohm,
    )


@kernel
def source(x: LithiumState, p: Lithium) -> Source:
    """`source_at` the battery's own temperature."""
    return source_at(x, at_temperature(x.t_c, p))


@inline_llvm
def moved(x: LithiumState, h: float, dx: LithiumState, p: Lithium) -> LithiumState:
    """``x + h dx``."""
    return LithiumState(
        x.s + h * dx.s,
        x.h + h * dx.h,
        x.v1_v + h * dx.v1_v,
        x.v2_v + h * dx.v2_v,
        x.t_c + h * dx.t_c,
    )


@inline_ir
def no_slope(p: Lithium) -> LithiumState:
    """A state that doesn't move, as its derivative."""
    return LithiumState(0.0, 0.0, 0.0, 0.0, 0.0)


@inline_llvm
def possible(x: LithiumState, p: Lithium) -> bool:
    """Whether a state is one that a battery can be in; false for nan."""
    return (
        -FOOT - 1e-6 < x.s < 1.2
        and -1.001 < x.h < 1.001
        and abs(x.v1_v) < 4.0 * p.cells
        and abs(x.v2_v) < 4.0 * p.cells
        and -100.0 < x.t_c < 200.0
    )


@inline_llvm
def soc(x: LithiumState, p: Lithium) -> float:
    """State of charge, 0..1, of the capacity."""
    return min(1.0, max(0.0, x.s))


@inline_llvm
def frozen(x: LithiumState, p: Lithium) -> bool:
    """Never: the electrolyte holds no water."""
    return False


class LithiumInner(NamedTuple):
    """What goes on inside at an instant, whatever the terminals do."""

    e_v: float  # open-circuit voltage of the battery
    hysteresis_v: float


@inline_llvm
def inner(x: LithiumState, w: LithiumAtTemperature) -> LithiumInner:
    """Open-circuit voltage and hysteresis of a state."""
    return LithiumInner(w.p.cells * ocv(x.s), w.p.cells * hysteresis_v(x.s) * x.h)


@inline_llvm
def rates_of(
    inside: LithiumInner, x: LithiumState, i_a: float, t_room_c: float, w: LithiumAtTemperature
) -> tuple[LithiumState, Losses]:
    """Time derivative of the state, and the losses of this instant.

    Parameters
    ----------
    inside : LithiumInner
        Of this state.
    x : LithiumState
    i_a : float
        Terminal current [A], positive into the battery.
    t_room_c : float
        Temperature around the battery [degC].
    w : LithiumAtTemperature
        At the battery's temperature, or close to it.

    Returns
    -------
    LithiumState
        d/dt of each field: [1/s], [1/s], [V/s], [V/s], [K/s].
    Losses
        ``V i = d(stored)/dt + ohmic + polarisation + side + hysteresis`` holds exactly. Hysteresis gives back a
        little for the 1/40 of the capacity after a reversal, and takes more than that over a cycle.

    Notes
    -----
    Charge: coulombic efficiency and self-discharge. Hysteresis: one state, Plett 2004. All losses but those of the
    stored energy stay in the case as heat. With no current the relaxations decay as on discharge.
    """
    p, f = w.p, w.f
    charging = i_a > 0.0
    f_g = f * (crowded(x.s) if charging else starved(x.s, w))
    stored_a = (p.coulombic_efficiency if charging else 1.0) * i_a - self_discharge_a(x.s, p)
    sign = 1.0 if charging else -1.0
    r1 = p.r1_ohm * f_g
    r2 = p.r2_ohm * f_g

    ohmic = (p.r0_ohm * f_g + p.r_bms_ohm) * i_a * i_a
    polarisation = x.v1_v * x.v1_v / r1 + x.v2_v * x.v2_v / r2
    side = inside.e_v * (i_a - stored_a)
    hysteresis = inside.hysteresis_v * i_a
    heat = ohmic + polarisation + side + hysteresis - p.heat_transfer_w_k * (x.t_c - t_room_c)
    dx = LithiumState(
        stored_a / (3600.0 * p.full_capacity_ah),
        HYSTERESIS_RATE * abs(i_a) / (3600.0 * p.full_capacity_ah) * (sign - x.h),
        (i_a - x.v1_v / r1) * p.r1_ohm / p.tau1_s,
        (i_a - x.v2_v / r2) * p.r2_ohm / p.tau2_s,
        heat / p.heat_capacity_j_k,
    )
    return dx, Losses(ohmic, polarisation, side, 0.0, hysteresis, 0.0, i_a - stored_a)


@kernel
def rates(x: LithiumState, i_a: float, t_room_c: float, p: Lithium) -> tuple[LithiumState, Losses]:
    """`rates_of` a state at its own temperature."""
    w = at_temperature(x.t_c, p)
    return rates_of(inner(x, w), x, i_a, t_room_c, w)


@kernel
def stored_wh(x: LithiumState, p: Lithium) -> float:
    """Energy [Wh] in the charge and the relaxations, counted from empty."""
    relaxing = x.v1_v * x.v1_v * p.tau1_s / p.r1_ohm + x.v2_v * x.v2_v * p.tau2_s / p.r2_ohm
    return p.full_capacity_ah * p.cells * ocv_integral(x.s) + 0.5 * relaxing / 3600.0


@inline_llvm
def step_limit_of(inside: LithiumInner, x: LithiumState, i_a: float, w: LithiumAtTemperature) -> float:
    """Longest step [s] that a fourth-order explicit method may take from a state at a current.

    Three things bound it: the fast relaxation, which warmth makes faster; at both ends the charge itself under a held
    voltage, which settles with ``3600 Q R / (cells dOCV/ds)``; and on discharge the resistance, which doubles as the
    charge that cold leaves is halved: three per cent of that in a step keep the account within 1e-6.
    """
    p, f = w.p, w.f
    limit = 0.5 * p.tau1_s * f
    if i_a < 0.0:
        limit = min(limit, 0.03 * max(x.s - w.locked, 3e-4) * 3600.0 * p.full_capacity_ah / -i_a)
    seconds = 3600.0 * p.full_capacity_ah / p.cells
    if x.s > 0.985:
        limit = min(limit, 0.5 * seconds * (p.r0_ohm * f * crowded(x.s) + p.r_bms_ohm) / (1.5 * WALL_V))
    elif x.s < 0.02:
        slope_v_here = STEEPEST_V if x.s > FOOT else _FOOT_SLOPE_V
        limit = min(limit, 0.5 * seconds * (p.r0_ohm * f * starved(x.s, w) + p.r_bms_ohm) / slope_v_here)
    return limit


@kernel
def step_limit_s(x: LithiumState, i_a: float, p: Lithium) -> float:
    """`step_limit_of` a state at its own temperature."""
    w = at_temperature(x.t_c, p)
    return step_limit_of(inner(x, w), x, i_a, w)


def rested(soc0: float, t_c: float, p: Lithium) -> LithiumState:
    """State of a battery at rest, in the middle of its hysteresis."""
    return LithiumState(soc0, 0.0, 0.0, 0.0, t_c)


def carried_over(x: LithiumState, p: Lithium, other: Lithium) -> LithiumState:
    """The same battery after it has changed from `p` to `other`: as full as it was, cell by cell."""
    share = other.cells / p.cells
    return LithiumState(x.s, x.h, x.v1_v * share, x.v2_v * share, x.t_c)


def one_cell_less(p: Lithium) -> Lithium:
    """A battery with an inner short circuit in one of its cells."""
    left = (p.cells - 1.0) / p.cells
    return p._replace(
        cells=p.cells - 1.0, r0_ohm=p.r0_ohm * left, r1_ohm=p.r1_ohm * left, r2_ohm=p.r2_ohm * left
    )


def scaled(p: Lithium, capacity_ah: float, blocks_in_series: int) -> Lithium:
    """The block grown to another capacity and stacked to a higher voltage."""
    s = capacity_ah / p.full_capacity_ah
    n = float(blocks_in_series)
    return p._replace(
        cells=p.cells * n,
        full_capacity_ah=p.full_capacity_ah * s,
        self_discharge_a=p.self_discharge_a * s,
        r0_ohm=p.r0_ohm / s * n,
        r1_ohm=p.r1_ohm / s * n,
        r2_ohm=p.r2_ohm / s * n,
        r_bms_ohm=p.r_bms_ohm / s * n,
        heat_capacity_j_k=p.heat_capacity_j_k * s * n,
        heat_transfer_w_k=p.heat_transfer_w_k * s ** (2.0 / 3.0) * n,
    )


def aged(p: Lithium, q_loss: float, r_gain: float) -> Lithium:
    """A battery that has lost a share of its capacity and gained a share of its cells' resistance."""
    more = 1.0 + r_gain
    return p._replace(
        full_capacity_ah=p.full_capacity_ah * (1.0 - q_loss),
        r0_ohm=p.r0_ohm * more,
        r1_ohm=p.r1_ohm * more,
        r2_ohm=p.r2_ohm * more,
    )
