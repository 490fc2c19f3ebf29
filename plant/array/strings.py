"""Strings of an array that are not all alike: groups of cells behind bypass diodes, shaded, shorted, reversed, open.

A module's cells lie in groups, each under a bypass diode. A string is a chain of lit and of shaded groups, one current
through all of them: ``v(i) = lit v_lit(i) + dim max(v_dim(i), -0.5 V) - i r``. Strings lie side by side at one
voltage and add their currents; nothing blocks a current that flows back into one. The cable of a sub-array is shared
out to its strings as if each carried the same current.
"""

import math
from typing import NamedTuple

import numpy as np

from plant.array.diode import (
    SOLVED,
    Curve,
    Module,
    curve_at,
    diode_voltage_at,
    diode_voltage_carrying,
    open_circuit_v,
    point,
)
from plant.base.jit import inline_llvm, kernel

BYPASS_V = 0.5  # drop of a bypass diode that conducts
BYPASS_OHM = 0.01  # its slope, felt only where all groups of a string are bypassed [guess]

# Columns of the table of kinds: how many strings of the kind there are, its lit and its shaded groups, groups in one
# module, resistance of its share of the cable, +1 or -1 for a string that hangs in backwards, and the module.
COUNT, LIT, DIM, GROUPS, CABLE_OHM, SIGN, MODULE = range(7)
KIND_COLUMNS = MODULE + len(Module._fields)


class String(NamedTuple):
    """One string at one instant."""

    lit: Curve  # of one group of cells
    dim: Curve  # of one shaded group
    n_lit: float
    n_dim: float
    cable_ohm: float
    i_kink_a: float  # the shaded groups are bypassed above this current ...
    v_kink_v: float  # ... and below this voltage
    v_oc_v: float


STRING_COLUMNS = 16


@inline_llvm
def pack(s: String, row: np.ndarray) -> None:
    """Lay a string down in a row of ``STRING_COLUMNS`` numbers."""
    for j in range(5):
        row[j], row[5 + j] = s.lit[j], s.dim[j]
    row[10], row[11], row[12] = s.n_lit, s.n_dim, s.cable_ohm
    row[13], row[14], row[15] = s.i_kink_a, s.v_kink_v, s.v_oc_v


@inline_llvm
def unpacked(row: np.ndarray) -> String:
    """The string that `pack` laid down."""
    return String(
        Curve(row[0], row[1], row[2], row[3], row[4]), Curve(row[5], row[6], row[7], row[8], row[9]),
        row[10], row[11], row[12], row[13], row[14], row[15],
    )  # fmt: skip


@inline_llvm
def _module(row: np.ndarray) -> Module:
    k = MODULE
    return Module(
        row[k], row[k + 1], row[k + 2], row[k + 3], row[k + 4], row[k + 5], row[k + 6], row[k + 7], row[k + 8],
        row[k + 9], row[k + 10], row[k + 11], row[k + 12],
    )  # fmt: skip


@kernel
def string_at(row: np.ndarray, g_lit_w_m2: float, g_dim_w_m2: float, t_cell_c: float) -> String:
    """A string of a kind in the light and at the temperature of an instant.

    Parameters
    ----------
    row : (KIND_COLUMNS,) array
        A row of the table of kinds.
    g_lit_w_m2, g_dim_w_m2 : float
        What the cells of lit and of shaded groups see; more than 0.
    t_cell_c : float
        Of all of them: a shaded group is not taken as cooler.
    """
    m = _module(row)
    lit = curve_at(g_lit_w_m2, t_cell_c, m, 1.0 / row[GROUPS], 1.0, 0.0)
    n_lit, n_dim, cable = row[LIT], row[DIM], row[CABLE_OHM]
    v_oc = open_circuit_v(lit)
    if n_dim == 0.0 or g_dim_w_m2 >= g_lit_w_m2:
        n_lit += n_dim
        return String(lit, lit, n_lit, 0.0, cable, 0.0, 0.0, n_lit * v_oc)
    dim = curve_at(g_dim_w_m2, t_cell_c, m, 1.0 / row[GROUPS], 1.0, 0.0)
    v_dim_oc = open_circuit_v(dim)
    if n_lit == 0.0:
        return String(dim, dim, n_dim, 0.0, cable, 0.0, 0.0, n_dim * v_dim_oc)
    _v, i_kink = point(diode_voltage_at(-BYPASS_V, dim, 0.0), dim)
    v_lit, _i = point(diode_voltage_carrying(i_kink, lit, v_oc), lit)
    v_kink = n_lit * v_lit - n_dim * BYPASS_V - i_kink * cable
    return String(lit, dim, n_lit, n_dim, cable, i_kink, v_kink, n_lit * v_oc + n_dim * v_dim_oc)


@inline_llvm
def _chain(v_v: float, s: String, drop_v: float, vd_high: float) -> tuple[float, float]:
    """Current [A] and di/dv [S] of the lit groups alone, behind the cable and a fixed drop."""
    c, n = s.lit, s.n_lit
    whole = Curve(c.i_l_a, c.i_0_a, n * c.a_v, n * c.r_s_ohm + s.cable_ohm, n * c.r_sh_ohm)
    v = v_v + drop_v
    vd = diode_voltage_at(v, whole, min(v + c.i_l_a * whole.r_s_ohm, max(v, vd_high)))
    grow = math.exp(vd / whole.a_v)
    i = whole.i_l_a - whole.i_0_a * (grow - 1.0) - vd / whole.r_sh_ohm
    di = -whole.i_0_a / whole.a_v * grow - 1.0 / whole.r_sh_ohm
    return i, di / (1.0 - di * whole.r_s_ohm)


@kernel
def string_current(v_v: float, s: String) -> tuple[float, float]:
    """Current [A] of a string at a voltage [V], and its slope [S]; negative above the open circuit.

    Where the shaded groups conduct, the unknown is their diode voltage: it is they that limit the current. The lit
    ones then carry less than they could and stand near their open circuit, where their voltage is well defined.
    """
    floor_v = -BYPASS_V * (s.n_lit + s.n_dim)
    if v_v < floor_v:
        bypass_ohm = BYPASS_OHM * (s.n_lit + s.n_dim) + s.cable_ohm
        return s.lit.i_l_a + (floor_v - v_v) / bypass_ohm, -1.0 / bypass_ohm
    if s.n_dim == 0.0:
        return _chain(v_v, s, 0.0, s.v_oc_v)
    if v_v < s.v_kink_v:
        return _chain(v_v, s, s.n_dim * BYPASS_V, s.v_oc_v + s.n_dim * BYPASS_V)
    return _both(v_v, s)


@inline_llvm
def _both(v_v: float, s: String) -> tuple[float, float]:
    """Current and slope where all groups conduct: Newton in the shaded groups' diode voltage, guarded."""
    low = -BYPASS_V
    high = (v_v + s.i_kink_a * s.cable_ohm) / s.n_dim + BYPASS_V + s.dim.a_v
    vd_dim = min(s.v_oc_v / (s.n_lit + s.n_dim), 0.5 * (low + high))
    vd_lit = s.v_oc_v / (s.n_lit + s.n_dim)
    i, slope = 0.0, 0.0
    for _ in range(100):
        grow = math.exp(vd_dim / s.dim.a_v)
        i = s.dim.i_l_a - s.dim.i_0_a * (grow - 1.0) - vd_dim / s.dim.r_sh_ohm
        di_dim = -s.dim.i_0_a / s.dim.a_v * grow - 1.0 / s.dim.r_sh_ohm
        vd_lit = diode_voltage_carrying(i, s.lit, vd_lit)
        di_lit = -s.lit.i_0_a / s.lit.a_v * math.exp(vd_lit / s.lit.a_v) - 1.0 / s.lit.r_sh_ohm
        r_s = s.n_lit * s.lit.r_s_ohm + s.n_dim * s.dim.r_s_ohm + s.cable_ohm
        volts_per_amp = s.n_lit / di_lit + s.n_dim / di_dim - r_s
        slope = 1.0 / volts_per_amp
        excess = s.n_lit * vd_lit + s.n_dim * vd_dim - i * r_s - v_v
        if excess > 0.0:
            high = vd_dim
        else:
            low = vd_dim
        new = vd_dim - excess / (volts_per_amp * di_dim)
        if not low < new < high:
            new = 0.5 * (low + high)
        step = new - vd_dim
        vd_dim = new
        i += di_dim * step
        if abs(step) < SOLVED * s.dim.a_v:
            break
    return i, slope
