"""What the array offers the converter: where the tracker sits on its curve, and where it goes when less is wanted.

A curve is a single diode (`diode.Curve`) or a table (`curvetable.TableRow`). Which functions answer is settled by its
type, in compiled code at compile time: a simple array pays nothing for what a shaded one needs.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from numba.extending import overload

from plant.array import curvetable, diode
from plant.array.curvetable import TableRow
from plant.array.day import ArrayDay, CompositeDay
from plant.array.diode import Curve
from plant.base.jit import inline_ir, inline_llvm, kernel
from plant.power.stage import PowerStage

# Of the diode's thermal voltage. A Newton step squares what is left, near the maximum it halves it.
SETTLED = 1e-5
F = TypeVar("F", bound=Callable[..., Any])


class Offer(NamedTuple):
    """What the array offers during one step: its curve, and where the tracker sits on it or what is passed through."""

    curve: Any  # Curve or TableRow
    v_oc_v: float
    v_track_v: float
    p_track_w: float  # after the tracker's own inefficiency
    passes: bool = False  # dim light: no tracking; see `dimlight`
    i_pass_a: float = 0.0  # what comes out then, with the battery at the voltage below ...
    pass_slope_a_v: float = 0.0  # ... and how that changes with it [A/V]
    v_pass_v: float = 0.0
    drop_v: float = 0.0  # array less battery: this ...
    drop_v_root_a: float = 0.0  # ... and this times the root of the current


def _by_type(answers: dict[type, Callable[..., Any]]) -> Callable[[F], F]:
    """Let compiled code call the function that belongs to the type of the first argument, or of an offer's curve."""

    def dispatched(plain: F) -> F:
        @overload(plain, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
        def choose(*types: Any) -> Any:
            first = types[0] if types[0].instance_class is not Offer else types[0].types[0]
            answer = answers[first.instance_class]
            return getattr(answer, "py_func", answer)

        return plain

    return dispatched


def _diode_of(day: ArrayDay, k: int) -> Curve:
    return Curve(day.i_l_a[k], day.i_0_a[k], day.a_v[k], day.r_s_ohm, day.r_sh_ohm[k])


def _row_of(day: CompositeDay, k: int) -> TableRow:
    row = max(day.row[k], 0)
    n = day.nodes[row] if day.row[k] >= 0 else 0
    return TableRow(day.v_v[row, :n], day.i_a[row, :n], day.slope_a_v[row, :n])


CURVE_OF: dict[type, Callable[..., Any]] = {ArrayDay: _diode_of, CompositeDay: _row_of}
CURRENT_AT: dict[type, Callable[..., Any]] = {Curve: diode.current_at, TableRow: curvetable.current_at}


@_by_type(CURVE_OF)
def curve_of(day: Any, k: int) -> Any:
    """The array's curve at a step of a day."""
    return CURVE_OF[type(day)](day, k)


@_by_type(CURRENT_AT)
def current_at(c: Any, v_v: float) -> float:
    """Current [A] of the array at a terminal voltage [V]; 0 in darkness and beyond the open circuit."""
    return float(CURRENT_AT[type(c)](c, v_v))


NEAR: dict[type, Callable[..., Any]] = {Curve: diode.near, TableRow: curvetable.near}


@_by_type(NEAR)
def near(c: Any, v_v: float) -> tuple[float, float]:
    """Current [A] at a voltage [V] and its slope [A/V], at most 0; both 0 beyond the open circuit."""
    i, slope = NEAR[type(c)](c, v_v)
    return float(i), float(slope)


def _nearest_edge(c: Curve, v_mp_v: float, low_v: float, high_v: float) -> float:
    return min(max(v_mp_v, low_v), high_v)


BEST_BETWEEN: dict[type, Callable[..., Any]] = {Curve: _nearest_edge, TableRow: curvetable.best_between}


@_by_type(BEST_BETWEEN)
def best_between(c: Any, v_mp_v: float, low_v: float, high_v: float) -> float:
    """Voltage [V] of the highest power between two voltages that leave the maximum power point outside."""
    return float(BEST_BETWEEN[type(c)](c, v_mp_v, low_v, high_v))


@inline_ir
def tracked(c: Any, v_oc_v: float, v_track_v: float, p_track_w: float) -> Offer:
    """The offer of a tracker that sits somewhere."""
    return Offer(c, v_oc_v, v_track_v, p_track_w, False, 0.0, 0.0, 0.0, 0.0, 0.0)


@inline_ir
def offer(c: Any, v_oc_v: float, v_mp_v: float, p_mp_w: float, v_batt_v: float, s: PowerStage) -> Offer:
    """Where the tracker sits during a step.

    At the maximum power point where its window allows, else at the window's edge: a hot 36-cell module may have its
    maximum below battery + 2 V, and a shaded array may have another one above. The tracker's efficiency counts as
    a loss at an unchanged voltage, as the mean of a small oscillation about the point.
    """
    v_low = v_batt_v + s.above_v
    if v_mp_v >= v_low and v_mp_v <= s.v_max_v:
        return tracked(c, v_oc_v, v_mp_v, s.efficiency * p_mp_w)
    if not v_low < v_oc_v or v_low > s.v_max_v:
        return tracked(c, v_oc_v, v_oc_v, 0.0)
    v = best_between(c, v_mp_v, v_low, min(s.v_max_v, v_oc_v))
    return tracked(c, v_oc_v, v, s.efficiency * v * current_at(c, v))


@inline_ir
def offered(day: Any, k: int, v_batt_v: float, s: PowerStage) -> Offer:
    """What the array offers at a step of a day, with the battery where the tracker last saw it."""
    return offer(curve_of(day, k), day.v_oc_v[k], day.v_mp_v[k], day.p_mp_w[k], v_batt_v, s)


@inline_llvm
def at_node(o: Offer, v_v: float, s: PowerStage) -> Offer:
    """The offer to a node far from the battery voltage that it was made for: that of one without a battery."""
    if o.passes:
        i, slope = near(o.curve, v_v + o.drop_v)
        i += slope * o.drop_v_root_a * math.sqrt(i) - s.dim_lost_a
        return Offer(
            o.curve, o.v_oc_v, o.v_track_v, o.p_track_w, True, max(i, 0.0), slope, v_v, o.drop_v, o.drop_v_root_a
        )  # fmt: skip
    v_low = v_v + s.above_v
    if v_low <= o.v_track_v:
        return o
    return tracked(o.curve, o.v_oc_v, v_low, s.efficiency * v_low * current_at(o.curve, v_low))


@inline_ir
def nothing_of(day: Any) -> Offer:
    """An offer of nothing, of the type that a day's offers have."""
    return tracked(curve_of(day, 0), 0.0, 0.0, 0.0)


@inline_llvm
def _taken(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage) -> tuple[float, float]:
    """Power [W] that the array has to give for an output: so much, and so much for each volt that it stands at."""
    if o.passes:
        drop_v = o.drop_v + o.drop_v_root_a * math.sqrt(i_out_a)
        return (v_batt_v + drop_v) * (i_out_a + s.dim_lost_a), 0.0
    return v_batt_v * i_out_a + s.r_eq * i_out_a * i_out_a, s.k_c + s.k_s * i_out_a


def _throttled_diode(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage, v_start_v: float) -> float:
    """Newton in the diode voltage. Right of the maximum the power falls, concave: only a first step can go too far."""
    c = o.curve
    fixed, per_volt = _taken(o, i_out_a, v_batt_v, s)
    per_a, g_sh = 1.0 / c.a_v, 1.0 / c.r_sh_ohm
    v = min(v_start_v, o.v_oc_v)
    wanted = (fixed + per_volt * o.v_track_v) / max(o.p_track_w, 1e-9)
    if v == o.v_oc_v and wanted < 1.0:
        # Nothing better is known: on a parabola between maximum and open circuit.
        v = o.v_track_v + (o.v_oc_v - o.v_track_v) * math.sqrt(1.0 - wanted)
    vd = v + c.r_s_ohm * (fixed / v + per_volt if v < o.v_oc_v else 0.0)
    for number in range(60):
        grown = c.i_0_a * math.exp(vd * per_a)
        i = c.i_l_a + c.i_0_a - grown - vd * g_sh
        di = -grown * per_a - g_sh
        v, dv = vd - i * c.r_s_ohm, 1.0 - di * c.r_s_ohm
        surplus = v * (i - per_volt) - fixed
        slope = dv * (i - per_volt) + v * di
        if number == 0 and slope >= 0.0:  # a start left of the maximum
            vd = v = o.v_oc_v
            continue
        step = max(surplus / slope, vd - o.v_oc_v)
        if vd - step < o.v_track_v:  # asked for more than there is: the point itself
            break
        vd -= step
        v -= step * dv
        if abs(step) < SETTLED * c.a_v:
            break
    return float(max(v, o.v_track_v))


def _throttled_table(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage, v_start_v: float) -> float:
    """Walk right to the first interval in which the power falls below what is taken, then Newton in it."""
    c = o.curve
    n = c.v_v.size
    if n < 2:
        return o.v_oc_v
    fixed, per_volt = _taken(o, i_out_a, v_batt_v, s)
    j = curvetable.interval(c, o.v_track_v)
    while j < n - 2 and c.v_v[j + 1] * (c.i_a[j + 1] - per_volt) > fixed:
        j += 1
    low, high = max(c.v_v[j], o.v_track_v), c.v_v[j + 1]
    v = high
    for _ in range(100):
        i, di = curvetable.cubic(c, j, v)
        surplus = v * (i - per_volt) - fixed
        if surplus > 0.0:
            low = v
        else:
            high = v
        new = v - surplus / (i - per_volt + v * di)
        if not low <= new <= high:
            new = 0.5 * (low + high)
        step = abs(new - v)
        v = new
        if step < 1e-14 * high:
            break
    return float(v)


THROTTLED: dict[type, Callable[..., Any]] = {Curve: _throttled_diode, TableRow: _throttled_table}


@_by_type(THROTTLED)
def _throttled(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage, v_start_v: float) -> float:
    return float(THROTTLED[type(o.curve)](o, i_out_a, v_batt_v, s, v_start_v))


@kernel
def throttled(o: Offer, i_out_a: float, v_batt_v: float, s: PowerStage, v_start_v: float) -> float:
    """PV voltage [V], right of the maximum power point, at which the array gives just what the output takes.

    Where the curve has several maxima, the first such voltage right of the one in use: the way that a controller
    goes which lets its array rise until the battery has enough. It is looked for from `v_start_v`: where the array
    stood a moment ago, or the open circuit.
    """
    return float(_throttled(o, i_out_a, v_batt_v, s, v_start_v))
