"""A curve of any shape as a table: nodes of voltage, current and slope, cubic between them (Hermite).

What has more than one plane, a shadow or a defect has no single diode. Its curve is found string by string at nodes
that are put where it bends, once for every step of the day; the tracker and the power stage then read the table.
"""

from typing import NamedTuple

import numpy as np

from plant.array.strings import (
    BYPASS_V,
    COUNT,
    SIGN,
    STRING_COLUMNS,
    pack,
    string_at,
    string_current,
    unpacked,
)
from plant.base.jit import inline_llvm, kernel

NODES = 64
FIRST_NODES = 9
TOLERANCE = 5e-5  # of the short-circuit current, between nodes
FINEST = 2e-4  # of the open-circuit voltage: no interval is cut below this
WORTH_A_LOOK = 0.9  # a peak between nodes may be this much higher than its highest node, and more
KINK = 1e-7  # of the open-circuit voltage: a corner is two nodes this far to either side of it


class TableRow(NamedTuple):
    """The curve of one instant; nodes ascend from 0 V to the open circuit, each array (nodes,)."""

    v_v: np.ndarray
    i_a: np.ndarray
    slope_a_v: np.ndarray  # di/dv


@inline_llvm
def cubic(c: TableRow, j: int, v_v: float) -> tuple[float, float]:
    """Current [A] and slope [S] at a voltage between nodes j and j + 1."""
    v0, h = c.v_v[j], c.v_v[j + 1] - c.v_v[j]
    i0, i1 = c.i_a[j], c.i_a[j + 1]
    m0, m1 = h * c.slope_a_v[j], h * c.slope_a_v[j + 1]
    x = (v_v - v0) / h
    square, cube = 3.0 * (i1 - i0) - 2.0 * m0 - m1, 2.0 * (i0 - i1) + m0 + m1
    return i0 + x * (m0 + x * (square + x * cube)), (m0 + x * (2.0 * square + 3.0 * x * cube)) / h


@inline_llvm
def interval(c: TableRow, v_v: float) -> int:
    """The interval a voltage lies in, by halving."""
    low, high = 0, c.v_v.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if c.v_v[middle] <= v_v:
            low = middle
        else:
            high = middle
    return low


@inline_llvm
def current_at(c: TableRow, v_v: float) -> float:
    """Current [A] of the array at a terminal voltage [V]; 0 in darkness and beyond the open circuit."""
    if c.v_v.size < 2 or v_v >= c.v_v[-1]:
        return 0.0
    i, _slope = cubic(c, interval(c, max(v_v, 0.0)), max(v_v, 0.0))
    return float(max(i, 0.0))


@inline_llvm
def near(c: TableRow, v_v: float) -> tuple[float, float]:
    """Current [A] at a terminal voltage [V] and its slope [A/V]; both 0 beyond the open circuit."""
    if c.v_v.size < 2 or v_v >= c.v_v[c.v_v.size - 1]:
        return 0.0, 0.0
    i, slope = cubic(c, interval(c, v_v), v_v)
    return max(i, 0.0), min(slope, 0.0)


@inline_llvm
def best_between(c: TableRow, v_mp_v: float, low_v: float, high_v: float) -> float:
    """Voltage [V] of the highest power of the table between two voltages; `v_mp_v` lies outside them."""
    best, p_best, around = low_v, low_v * current_at(c, low_v), -1
    p_high = high_v * current_at(c, high_v)
    if p_high > p_best:
        best, p_best = high_v, p_high
    for j in range(1, c.v_v.size - 1):
        p = c.v_v[j] * c.i_a[j]
        if low_v < c.v_v[j] < high_v and p > p_best:
            best, p_best, around = c.v_v[j], p, j
    if around < 0:
        return float(best)
    low, high = max(c.v_v[around - 1], low_v), min(c.v_v[around + 1], high_v)
    for _ in range(50):
        middle = 0.5 * (low + high)
        i, di = cubic(c, interval(c, middle), middle)
        if i + middle * di > 0.0:
            low = middle
        else:
            high = middle
    return float(0.5 * (low + high))


@kernel
def whole_current(v_v: float, strings: np.ndarray, kinds: np.ndarray) -> tuple[float, float]:
    """Current [A] and slope [S] of the whole array at a voltage, without the table, straight from its strings."""
    total, slope = 0.0, 0.0
    for k in range(kinds.shape[0]):
        sign = kinds[k, SIGN]
        i, di = string_current(sign * v_v, unpacked(strings[k]))
        total += kinds[k, COUNT] * sign * i
        slope += kinds[k, COUNT] * di
    return total, slope


@kernel
def strings_at(kinds: np.ndarray, g_lit: np.ndarray, g_dim: np.ndarray, t_cell: np.ndarray) -> np.ndarray:
    """Every kind of string at an instant, as rows that `unpacked` reads.

    Parameters
    ----------
    kinds : (k, KIND_COLUMNS) array
    g_lit, g_dim, t_cell : (k,) array
        Light [W/m2] on lit and on shaded groups, and cell temperature [degC], of each kind.
    """
    strings = np.empty((kinds.shape[0], STRING_COLUMNS))
    for k in range(kinds.shape[0]):
        pack(string_at(kinds[k], g_lit[k], g_dim[k], t_cell[k]), strings[k])
    return strings


@kernel
def _open_circuit(strings: np.ndarray, kinds: np.ndarray) -> float:
    """Voltage [V] at which the strings' currents cancel; 0 when backward strings eat all there is."""
    high = 0.0
    for k in range(kinds.shape[0]):
        if kinds[k, SIGN] > 0.0:
            high = max(high, unpacked(strings[k]).v_oc_v)
    if high <= 0.0 or whole_current(0.0, strings, kinds)[0] <= 0.0:
        return 0.0
    low, v = 0.0, high
    for _ in range(100):
        i, slope = whole_current(v, strings, kinds)
        if i > 0.0:
            low = v
        else:
            high = v
        new = v - i / slope
        if not low <= new <= high:
            new = 0.5 * (low + high)
        step = abs(new - v)
        v = new
        if step < 1e-9 * high:
            break
    return v


@kernel
def _first_nodes(v_oc_v: float, strings: np.ndarray, kinds: np.ndarray, v: np.ndarray) -> int:
    """Evenly spread voltages, and two at every corner; returns how many."""
    n = FIRST_NODES
    v[:n] = np.linspace(0.0, v_oc_v, n)
    near = KINK * v_oc_v
    for k in range(kinds.shape[0]):
        s = unpacked(strings[k])
        backward = kinds[k, SIGN] < 0.0
        corner = BYPASS_V * (s.n_lit + s.n_dim) if backward else s.v_kink_v
        there = backward or s.n_dim > 0.0
        if there and near < corner < v_oc_v - near and n + 2 <= NODES // 2:
            v[n], v[n + 1] = corner - near, corner + near
            n += 2
    v[:n] = np.sort(v[:n])
    return n


@kernel
def _refine(v_oc_v: float, strings: np.ndarray, kinds: np.ndarray, n: int, row: TableRow) -> int:
    """Halve intervals in which the cubic is off, until none is or the table is full but for one place."""
    v, i, slope = row
    scale = max(i[0], 1e-12)
    good = np.zeros(NODES, dtype=np.bool_)
    moved = True
    while moved and n < NODES - 1:
        moved = False
        j = 0
        while j < n - 1 and n < NODES - 1:
            if good[j] or v[j + 1] - v[j] < FINEST * v_oc_v:
                j += 1
                continue
            middle = 0.5 * (v[j] + v[j + 1])
            seen, di = whole_current(middle, strings, kinds)
            if abs(seen - cubic(row, j, middle)[0]) < TOLERANCE * scale:
                good[j] = True
                j += 1
                continue
            for m in range(n, j + 1, -1):
                v[m], i[m], slope[m], good[m] = v[m - 1], i[m - 1], slope[m - 1], good[m - 1]
            v[j + 1], i[j + 1], slope[j + 1] = middle, seen, di
            good[j + 1] = False
            n += 1
            j += 2
            moved = True
    return n


@kernel
def _peak(j: int, strings: np.ndarray, kinds: np.ndarray, row: TableRow) -> tuple[float, float, float]:
    """Voltage, current and slope at the maximum of power beside a node, from the strings themselves.

    False position on dP/dv (Illinois): the nodes' own slopes say on which side of the node it lies.
    """
    v, i, slope = row
    low, high = v[j - 1], v[j]
    if i[j] + v[j] * slope[j] > 0.0:
        low, high, j = v[j], v[j + 1], j + 1
    f_low, f_high = i[j - 1] + low * slope[j - 1], i[j] + high * slope[j]
    if f_low <= 0.0 or f_high >= 0.0:  # a corner is the maximum
        return v[j], i[j], slope[j]
    width, side = high - low, 0
    seen, seen_i, seen_di = low, 0.0, 0.0
    for _ in range(60):
        before = seen
        seen = (low * f_high - high * f_low) / (f_high - f_low)
        seen_i, seen_di = whole_current(seen, strings, kinds)
        f = seen_i + seen * seen_di
        if f > 0.0:
            low, f_low = seen, f
            f_high *= 0.5 if side > 0 else 1.0
            side = 1
        else:
            high, f_high = seen, f
            f_low *= 0.5 if side < 0 else 1.0
            side = -1
        if abs(seen - before) < 1e-5 * width:
            break
    return seen, seen_i, seen_di


@kernel
def tabulate(strings: np.ndarray, kinds: np.ndarray, row: TableRow) -> tuple[int, float, float, float]:
    """Write the curve of an instant into a row.

    Parameters
    ----------
    strings : (k, STRING_COLUMNS) array
        From `strings_at`.
    kinds : (k, KIND_COLUMNS) array
    row : TableRow
        Arrays of `NODES`, written from the front.

    Returns
    -------
    int, float, float, float
        Nodes written (0 in darkness), open-circuit voltage [V], and voltage [V] and power [W] of the highest of
        all maxima.
    """
    v_oc = _open_circuit(strings, kinds)
    if v_oc <= 0.0:
        return 0, 0.0, 0.0, 0.0
    v, i, slope = row
    n = _first_nodes(v_oc, strings, kinds, v)
    for j in range(n):
        i[j], slope[j] = whole_current(v[j], strings, kinds)
    i[n - 1] = 0.0
    n = _refine(v_oc, strings, kinds, n, row)
    best = 0.0
    for j in range(n):
        best = max(best, v[j] * i[j])
    v_mp, i_mp, di_mp = 0.0, 0.0, 0.0
    for j in range(1, n - 1):
        p = v[j] * i[j]
        if p >= v[j - 1] * i[j - 1] and p >= v[j + 1] * i[j + 1] and p > WORTH_A_LOOK * best:
            seen, seen_i, seen_di = _peak(j, strings, kinds, row)
            if seen * seen_i < p:  # led beyond a corner of a reversed string: the node itself is the maximum
                seen, seen_i, seen_di = v[j], i[j], slope[j]
            if seen * seen_i > v_mp * i_mp:
                v_mp, i_mp, di_mp = seen, seen_i, seen_di
    return _with_node(v_mp, i_mp, di_mp, n, row), v_oc, v_mp, max(v_mp * i_mp, 0.0)


@inline_llvm
def _with_node(v_v: float, i_a: float, slope_a_v: float, n: int, row: TableRow) -> int:
    """Put a node where it belongs, so that the table gives the maximum as it is."""
    v, i, slope = row
    j = n
    while j > 0 and v[j - 1] >= v_v:
        j -= 1
    if j < n and v[j] == v_v:
        return n
    for m in range(n, j, -1):
        v[m], i[m], slope[m] = v[m - 1], i[m - 1], slope[m - 1]
    v[j], i[j], slope[j] = v_v, i_a, slope_a_v
    return n + 1
