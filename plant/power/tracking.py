"""The tracker's share of a step: where it sits in a step in which the sun stands still.

Two ways of it: `Steady` sits at the maximum at once and loses a constant share, for long runs and sizing; with
`tracker.TrackerSettings` it climbs and sweeps at 10 Hz.
"""

from typing import Any, NamedTuple

from numba.extending import overload

from plant.base.jit import inline_llvm, kernel
from plant.power.converter import Regime
from plant.power.offer import Offer, current_at, curve_of, offered, tracked
from plant.power.stage import PowerStage
from plant.power.tracker import UNKNOWN_W, Tracker, TrackerSettings, is_sweeping, paused, restarted, tick


class Steady(NamedTuple):
    """A tracker without a memory."""

    efficiency: float  # share of the maximum that it takes


@inline_llvm
def _same_place(a: Tracker, b: Tracker, within_v: float) -> bool:
    """Whether two trackers that have just moved will go the same way on a curve that doesn't change."""
    return a.direction == b.direction and abs(a.v_ref_v - b.v_ref_v) < within_v


@inline_llvm
def _later(t: Tracker, seconds: float) -> Tracker:
    """A climbing tracker that is where it was some time ago."""
    due_s = t.until_sweep_s - seconds
    return Tracker(
        t.v_ref_v, t.direction, t.p_before_w, t.p_after_w, t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s
    )


@kernel
def track(
    t: Tracker, c: Any, v_oc_v: float, v_batt_v: float, seconds: float, s: TrackerSettings
) -> tuple[Tracker, float, float]:
    """Let a tracker work on a curve that doesn't change.

    Once it walks to and fro about the maximum, the rest of the time is that walk over and over: it is counted, not
    computed again. To rounding the result is that of the ticks one by one, where a sweep is due on a tick.

    Parameters
    ----------
    t : Tracker
    c : Curve or TableRow
    v_oc_v : float
        Its open-circuit voltage.
    v_batt_v : float
    seconds : float
        A multiple of the tracker's tick, at least one.
    s : TrackerSettings

    Returns
    -------
    Tracker, float, float
        The tracker at the end; mean voltage [V] and mean power [W] of the array.
    """
    left = max(1, round(seconds / s.tick_s))
    ticks = left
    v_sum, p_sum = 0.0, 0.0
    mark, mark_left, mark_v, mark_p = t, -1, 0.0, 0.0
    v, i = v_oc_v, 0.0
    while left > 0:
        if t.v_ref_v >= v_oc_v:
            v, i = v_oc_v, 0.0
        elif t.v_ref_v != v:  # half of the looks are a second one at the same place
            v = t.v_ref_v
            i = current_at(c, v)
        v_sum += v
        p_sum += v * i
        before = t.direction
        t = tick(t, v, i, v_batt_v, s)
        left -= 1
        if is_sweeping(t):
            mark_left = -1
        if is_sweeping(t) or t.p_after_w != UNKNOWN_W or t.direction >= before:
            continue
        # It has just turned to the left: the beginning of a walk.
        if mark_left >= 0 and _same_place(t, mark, 1e-6 * v):
            period = mark_left - left
            until_sweep = max(0.0, t.until_sweep_s / s.tick_s - 1.0)
            times = int(min(float(left), until_sweep)) // period
            left -= times * period
            v_sum += times * (v_sum - mark_v)
            p_sum += times * (p_sum - mark_p)
            t = _later(t, times * period * s.tick_s)
        mark, mark_left, mark_v, mark_p = t, left, v_sum, p_sum
    return t, v_sum / ticks, p_sum / ticks


def fresh(s: Any) -> Any:
    """What a tracker remembers before its first step."""
    return restarted(s) if isinstance(s, TrackerSettings) else s


def _steady(
    s: Any,
    t: Any,
    day: Any,
    k: int,
    v_batt_v: float,
    charging: bool,
    regime: int,
    seconds: float,
    stage: PowerStage,
) -> tuple[Any, Offer]:
    return t, offered(day, k, v_batt_v, stage)


def _climbing(
    s: Any,
    t: Any,
    day: Any,
    k: int,
    v_batt_v: float,
    charging: bool,
    regime: int,
    seconds: float,
    stage: PowerStage,
) -> tuple[Any, Offer]:
    c, v_oc = curve_of(day, k), day.v_oc_v[k]
    if not charging:  # whatever ends the pause begins with a sweep
        return restarted(s), tracked(c, v_oc, v_oc, 0.0)
    if regime in (Regime.CONSTANT_VOLTAGE.value, Regime.LIMITED.value):
        t = paused(t, seconds)
        v = min(t.v_ref_v, v_oc)
        return t, tracked(c, v_oc, v, v * current_at(c, v))
    t, v_mean, p_mean = track(t, c, v_oc, v_batt_v, seconds, s)
    if v_mean * current_at(c, v_mean) < p_mean:  # a sweep over two hills, whose mean lies in the valley
        v_mean = min(t.v_ref_v, v_oc)
    return t, tracked(c, v_oc, v_mean, p_mean)


def step_of_tracker(
    s: Any,
    t: Any,
    day: Any,
    k: int,
    v_batt_v: float,
    charging: bool,
    regime: int,
    seconds: float,
    stage: PowerStage,
) -> tuple[Any, Offer]:
    """The tracker after a step, and what it offers the converter during it.

    Parameters
    ----------
    s, t : Steady or TrackerSettings, Steady or Tracker
    day, k : ArrayDay or CompositeDay, int
    v_batt_v : float
    charging : bool
        Whether the charger works at all.
    regime : int
        `converter.Regime` at the end of the step before: it doesn't climb while less than the maximum is wanted.
    seconds : float
    stage : PowerStage
    """
    work = _climbing if isinstance(s, TrackerSettings) else _steady
    return work(s, t, day, k, v_batt_v, charging, regime, seconds, stage)


@overload(step_of_tracker, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
def _step_of_tracker(*types: Any) -> Any:
    return _climbing if types[0].instance_class is TrackerSettings else _steady


def _steady_rests(s: Any, t: Any) -> Any:
    return t


def _climber_rests(s: Any, t: Any) -> Any:
    return restarted(s)


def at_rest(s: Any, t: Any) -> Any:
    """The tracker while the array is passed through (`dimlight`): what ends that begins with a sweep (guess)."""
    return restarted(s) if isinstance(s, TrackerSettings) else t


@overload(at_rest, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
def _at_rest(*types: Any) -> Any:
    return _climber_rests if types[0].instance_class is TrackerSettings else _steady_rests
