"""A tracker through one step of the plant, in which the sun stands still."""

from plant.diode import Curve, point
from plant.jit import inlined, kernel
from plant.offer import diode_voltage_at
from plant.tracker import UNKNOWN_W, Settings, Tracker, is_sweeping, tick


@inlined
def _measured(v_v: float, c: Curve, near_v: float) -> tuple[float, float]:
    """Current [A] at a voltage below the open circuit, and the diode's voltage, a good guess for the next time."""
    vd = diode_voltage_at(v_v, c, near_v)
    _v, i = point(vd, c)
    return max(i, 0.0), vd


@inlined
def _same_place(a: Tracker, b: Tracker, within_v: float) -> bool:
    """Whether two trackers that have just moved will go the same way on a curve that doesn't change."""
    return a.direction == b.direction and abs(a.v_ref_v - b.v_ref_v) < within_v


@inlined
def _later(t: Tracker, seconds: float) -> Tracker:
    """A climbing tracker that is where it was some time ago."""
    due_s = t.until_sweep_s - seconds
    return Tracker(
        t.v_ref_v, t.direction, t.p_before_w, t.p_after_w, t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s
    )


@kernel
def track(
    t: Tracker, c: Curve, v_oc_v: float, v_batt_v: float, seconds: float, s: Settings
) -> tuple[Tracker, float, float]:
    """Let a tracker work on a curve that doesn't change.

    Once it walks to and fro about the maximum, the rest of the time is that walk over and over: it is counted, not
    computed again.

    Parameters
    ----------
    t : Tracker
    c : Curve
    v_oc_v : float
        Its open-circuit voltage.
    v_batt_v : float
    seconds : float
        A multiple of the tracker's tick, at least one.
    s : Settings

    Returns
    -------
    Tracker, float, float
        The tracker at the end; mean voltage [V] and mean power [W] of the array.
    """
    left = round(seconds / s.tick_s)
    ticks = left
    v_sum, p_sum = 0.0, 0.0
    mark, mark_left, mark_v, mark_p = t, -1, 0.0, 0.0
    v, i, vd = v_oc_v, 0.0, v_oc_v
    while left > 0:
        if t.v_ref_v >= v_oc_v:
            v, i = v_oc_v, 0.0
        elif t.v_ref_v != v:  # half of the looks are a second one at the same place
            v = t.v_ref_v
            i, vd = _measured(v, c, vd)
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
