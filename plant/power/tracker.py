"""The maximum-power-point tracker: from what it measures ten times a second to the voltage it asks for next.

It knows nothing of the array but voltage and current at its own reference. The converter holds the array at the
reference; where that lies above the open-circuit voltage no current flows and the array stands open.

Two ways of climbing: perturb and observe, and the same with a second look half way between two moves, which tells
the effect of the move from that of a passing cloud (dP-P&O). A sweep of the whole window at start-up, after
a trip and every so often finds the higher of two hills.
"""

from typing import NamedTuple

from plant.base.jit import inline_llvm, kernel
from plant.power.stage import PowerStage

SWEEP_LOOKS = 15.0  # measurements of a sweep: 1.5 s at ten a second
UNKNOWN_W = -1.0  # a power not measured yet; measured ones aren't negative


class TrackerSettings(NamedTuple):
    """How a tracker works; the same for a whole run."""

    tick_s: float  # between two measurements
    step_share: float  # of a move, of the highest voltage seen in the last sweep
    sweep_every_s: float  # whole ticks, so that rounding never decides; infinite: never after the first
    sweep_takes_s: float
    above_v: float  # the window begins this far above the battery ...
    v_max_v: float  # ... and ends here
    looks_twice: bool  # dP-P&O: two ticks a move


class Tracker(NamedTuple):
    """What a tracker remembers from tick to tick."""

    v_ref_v: float  # where the converter holds the array
    direction: float  # of the last move, +1 or -1
    p_before_w: float  # just before that move; `UNKNOWN_W` when it has just begun
    p_after_w: float  # at the first look after it; `UNKNOWN_W` before that
    v_top_v: float  # highest voltage of the last sweep: open circuit, or the window's end
    v_best_v: float  # of the sweep under way
    p_best_w: float
    sweep_left_s: float  # 0 while it climbs
    until_sweep_s: float


def tracker_settings(stage: PowerStage, tick_s: float = 0.1) -> TrackerSettings:
    """A controller's tracker.

    Nothing is published on how often an EPEVER tracker moves, how far, or when it sweeps; all but the window is a
    guess that reaches what the data sheets claim (static efficiency above 99.5 %).
    """
    return TrackerSettings(tick_s, 0.005, 600.0, SWEEP_LOOKS * tick_s, stage.above_v, stage.v_max_v, True)


@inline_llvm
def restarted(s: TrackerSettings) -> Tracker:
    """A tracker about to sweep: at start-up, after a trip, when the array has been connected again."""
    return Tracker(
        s.v_max_v, -1.0, UNKNOWN_W, UNKNOWN_W, s.v_max_v, s.v_max_v, 0.0, s.sweep_takes_s, s.sweep_every_s
    )


@inline_llvm
def climbing_from(v_ref_v: float, v_oc_v: float, s: TrackerSettings) -> Tracker:
    """A tracker that has just swept an array of this open-circuit voltage and found its best point here."""
    return Tracker(v_ref_v, -1.0, UNKNOWN_W, UNKNOWN_W, v_oc_v, v_ref_v, 0.0, 0.0, s.sweep_every_s)


@inline_llvm
def is_sweeping(t: Tracker) -> bool:
    """Whether a sweep is under way."""
    return t.sweep_left_s > 0.0


@inline_llvm
def paused(t: Tracker, seconds: float) -> Tracker:
    """The tracker after a time in which something else decided the array's voltage.

    While the output is limited (battery at its voltage, rated current or power) less is taken than the array could
    give and a climb would only hunt. The reference stays, so that the climb goes on from there; a sweep
    under way is given up at the best point it has seen; one that falls due waits for the climb.
    """
    v = t.v_best_v if t.sweep_left_s > 0.0 and t.p_best_w > 0.0 else t.v_ref_v
    due_s = max(0.0, t.until_sweep_s - seconds)
    return Tracker(v, t.direction, UNKNOWN_W, UNKNOWN_W, t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s)


@kernel
def tick(t: Tracker, v_pv_v: float, i_pv_a: float, v_batt_v: float, s: TrackerSettings) -> Tracker:
    """The tracker after it has measured and chosen its next reference.

    Parameters
    ----------
    t : Tracker
    v_pv_v, i_pv_a : float
        Of the array at the present reference: the reference itself, or the open-circuit voltage [V] and no
        current [A] where that is lower.
    v_batt_v : float
        At the battery's terminals; the window begins ``above_v`` over it.
    s : TrackerSettings

    Returns
    -------
    Tracker
        Its reference lies within the window, and stays at the lower end of it in darkness.
    """
    low_v = v_batt_v + s.above_v
    if t.sweep_left_s > 0.0:
        return _swept(t, v_pv_v, max(v_pv_v * i_pv_a, 0.0), low_v, s)
    due_s = t.until_sweep_s - s.tick_s
    if due_s < 0.5 * s.tick_s:
        return restarted(s)
    if i_pv_a <= 0.0:  # open: the hill is to the left
        v = _within(min(t.v_ref_v, v_pv_v) - _step_v(t, low_v, s), low_v, s.v_max_v)
        return Tracker(v, -1.0, UNKNOWN_W, UNKNOWN_W, t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s)
    return _climbed(t, v_pv_v * i_pv_a, low_v, due_s, s)


@inline_llvm
def _within(v: float, low_v: float, high_v: float) -> float:
    """The nearest voltage in the window; its lower end where it is empty."""
    return max(low_v, min(high_v, v))


@inline_llvm
def _step_v(t: Tracker, low_v: float, s: TrackerSettings) -> float:
    """How far to move; a sweep in the dark has seen no voltage worth a share of."""
    return s.step_share * max(t.v_top_v, low_v)


@inline_llvm
def _climbed(t: Tracker, p_w: float, low_v: float, due_s: float, s: TrackerSettings) -> Tracker:
    """One tick uphill: look again, or move.

    With two looks a move, the power that came between them is the sky's, and as much came before the first; what
    is left is the move's own (Sera et al. 2008).
    """
    if s.looks_twice and t.p_before_w >= 0.0 and t.p_after_w < 0.0:
        return Tracker(
            _within(t.v_ref_v, low_v, s.v_max_v), t.direction, t.p_before_w, p_w,
            t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s,
        )  # fmt: skip
    effect_w = 0.0
    if t.p_before_w >= 0.0:
        by_the_sky_w = p_w - t.p_after_w if s.looks_twice else 0.0
        effect_w = p_w - t.p_before_w - 2.0 * by_the_sky_w  # the sky changed over both halves
    direction = -t.direction if effect_w < 0.0 else t.direction
    v = _within(t.v_ref_v + direction * _step_v(t, low_v, s), low_v, s.v_max_v)
    # The window may have cut the move short: the next one goes inward, unasked.
    if v <= low_v or v >= s.v_max_v:
        direction = 1.0 if v <= low_v else -1.0
        p_w = UNKNOWN_W
    return Tracker(v, direction, p_w, UNKNOWN_W, t.v_top_v, t.v_best_v, t.p_best_w, 0.0, due_s)


@inline_llvm
def _swept(t: Tracker, v_pv_v: float, p_w: float, low_v: float, s: TrackerSettings) -> Tracker:
    """One tick of a sweep: equal steps from the top down to the window's lower end, then to the best point seen."""
    top_v = v_pv_v if t.sweep_left_s >= s.sweep_takes_s else t.v_top_v
    better = p_w > t.p_best_w
    v_best, p_best = (v_pv_v, p_w) if better else (t.v_best_v, t.p_best_w)
    left_s = t.sweep_left_s - s.tick_s
    due_s = t.until_sweep_s - s.tick_s
    if left_s < 0.5 * s.tick_s:
        v = _within(v_best, low_v, s.v_max_v) if p_best > 0.0 else low_v
        return Tracker(v, -1.0, UNKNOWN_W, UNKNOWN_W, top_v, v_best, p_best, 0.0, due_s)
    share = max(0.0, left_s - s.tick_s) / max(s.tick_s, s.sweep_takes_s - s.tick_s)
    v = _within(low_v + share * (top_v - low_v), low_v, s.v_max_v)
    return Tracker(v, -1.0, UNKNOWN_W, UNKNOWN_W, top_v, v_best, p_best, left_s, due_s)
