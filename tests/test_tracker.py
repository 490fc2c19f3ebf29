"""The tracker as a controller would run it: ten looks a second at the voltage and current of an array."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.array.diode import Curve, curve_at, diode_voltage_at, maximum_power_vd, open_circuit_v, point
from plant.array.module import find_module
from plant.controller.model import ControllerModel, power_stage
from plant.power.tracker import (
    Tracker,
    climbing_from,
    is_sweeping,
    paused,
    restarted,
    tick,
    tracker_settings,
)

MODULE = find_module("zytech_zt155p")
STAGE = power_stage(ControllerModel.load("tracer4210n"), 12)
S = tracker_settings(STAGE)
V_BATT_V = 13.0
LOW_V = V_BATT_V + S.above_v


def array(g_w_m2: float, t_c: float = 25.0, series: float = 2.0) -> Curve:
    return curve_at(g_w_m2, t_c, MODULE, series, 2.0, 0.05)


def measured(t: Tracker, c: Curve) -> tuple[float, float]:
    """Voltage and current with the converter at the reference; above the open circuit the array stands open.

    The voltage is the reference to the last bit, as in the plant: solved for from the diode's it may be one short of
    the window's end, which `tick` takes for a place inside the window.
    """
    v_oc = open_circuit_v(c)
    if t.v_ref_v >= v_oc:
        return v_oc, 0.0
    _, i = point(diode_voltage_at(t.v_ref_v, c, v_oc), c)
    return t.v_ref_v, i


def best_in_window_w(c: Curve, low_v: float = LOW_V, high_v: float = S.v_max_v) -> float:
    v_oc = open_circuit_v(c)
    v, _ = point(maximum_power_vd(c, v_oc), c)
    v = min(max(v, low_v), high_v)
    return v * max(point(diode_voltage_at(v, c, v_oc), c)[1], 0.0) if v < v_oc else 0.0


def run(t: Tracker, curves, v_batt_v: float = V_BATT_V, s=S) -> tuple[Tracker, np.ndarray, np.ndarray]:
    """A tick a curve: the tracker at its end, references and powers on the way."""
    references, powers = [], []
    for c in curves:
        v, i = measured(t, c)
        references.append(t.v_ref_v)
        powers.append(v * i)
        t = tick(t, v, i, v_batt_v, s)
    return t, np.array(references), np.array(powers)


def test_it_starts_with_a_sweep_from_the_open_circuit_to_the_end_of_the_window_in_15_looks():
    c = array(800.0)
    t, references, _ = run(restarted(S), [c] * 15)
    assert references[0] == S.v_max_v
    assert np.diff(references[1:]) == pytest.approx(-(open_circuit_v(c) - LOW_V) / 14)
    assert references[-1] == pytest.approx(LOW_V)
    assert not is_sweeping(t)


def test_after_the_sweep_it_stands_at_the_best_point_it_has_seen():
    t, references, powers = run(restarted(S), [array(800.0)] * 15)
    assert t.v_ref_v == pytest.approx(references[np.argmax(powers)], rel=1e-12)


def test_it_sweeps_every_ten_minutes_for_a_second_and_a_half():
    c = array(600.0)
    t, sweeping = climbing_from(36.0, 45.0, S), []
    for _ in range(35_900):
        t = tick(t, *measured(t, c), V_BATT_V, S)
        sweeping.append(is_sweeping(t))
    begins = np.flatnonzero(np.diff(np.array([False, *sweeping]).astype(int)) == 1)
    assert np.diff(begins) == pytest.approx(6000, abs=1)
    assert begins.size == 5
    assert np.sum(sweeping) == 15 * 5


@settings(max_examples=60, deadline=None)
@given(
    g=st.floats(5.0, 1300.0),
    t_c=st.floats(-30.0, 85.0),
    series=st.sampled_from([1.0, 2.0, 3.0, 4.0]),
    v_batt=st.floats(9.0, 32.0),
)
def test_it_takes_what_a_still_array_has_within_the_window(g, t_c, series, v_batt):
    c = array(g, t_c, series)
    low_v = v_batt + S.above_v
    most_w = best_in_window_w(c, low_v)
    v_mp = point(maximum_power_vd(c, open_circuit_v(c)), c)[0]
    inside = low_v * 1.01 < v_mp < S.v_max_v * 0.99
    _, _, powers = run(restarted(S), [c] * 300, v_batt)
    assert powers.max() <= most_w * (1 + 1e-9) + 1e-12
    # At an end of the window two looks of three are spent on a move inward that doesn't pay.
    assert powers[200:].mean() >= (0.999 if inside else 0.985) * most_w


walks = st.lists(st.tuples(st.floats(0.0, 1300.0), st.integers(1, 60)), min_size=2, max_size=8)


@settings(max_examples=60, deadline=None)
@given(walk=walks, v_batt=st.floats(0.0, 90.0), series=st.sampled_from([1.0, 3.0]), data=st.data())
def test_whatever_the_sky_does_the_reference_stays_in_the_window_and_near_the_array(
    walk, v_batt, series, data
):
    """Jumps and darkness, a window that is empty, pauses and trips at any time."""
    low_v = v_batt + S.above_v
    t = restarted(S)
    for g, ticks in walk:
        c = array(g, series=series)
        for _ in range(ticks):
            t = tick(t, *measured(t, c), v_batt, S)
            assert all(math.isfinite(number) for number in t)
            assert low_v <= t.v_ref_v <= max(low_v, S.v_max_v) or t == restarted(S)
        if not is_sweeping(t) and ticks > 20:
            step_v = S.step_share * max(t.v_top_v, low_v)
            assert t.v_ref_v <= max(low_v, open_circuit_v(c) + step_v)
        t = data.draw(st.sampled_from([t, paused(t, 7.0), restarted(S)]))


@settings(max_examples=25, deadline=None)
@given(corners=st.lists(st.floats(60.0, 1200.0), min_size=3, max_size=6), seconds=st.integers(8, 40))
def test_it_follows_clouds(corners, seconds):
    g = np.interp(
        np.arange(0.0, seconds * (len(corners) - 1), S.tick_s), seconds * np.arange(len(corners)), corners
    )
    curves = [array(x, 40.0) for x in g]
    t, _, _ = run(restarted(S), [curves[0]] * 100)
    _, _, powers = run(t, curves)
    assert powers.sum() >= 0.985 * sum(best_in_window_w(c) for c in curves)


def test_a_second_look_tells_the_sky_from_the_move():
    """Brightening by 100 W/m2 a second pays for any move; only with a second look the wrong ones show."""
    curves = [array(g) for g in np.arange(300.0, 1000.0, 10.0)]
    climbing = climbing_from(30.0, 45.0, S)  # left of the maximum at 37 V, and moving further left
    _, once, _ = run(climbing, curves, s=S._replace(looks_twice=False))
    _, twice, _ = run(climbing, curves)
    assert once[-1] < 25.0
    assert twice[-1] > 35.0


@pytest.mark.parametrize("g", [0.0, 1e-9, 0.1])
def test_in_darkness_it_waits_at_the_lower_end_of_the_window(g):
    t, _, powers = run(restarted(S), [array(g)] * 500)
    assert t.v_ref_v == LOW_V
    assert powers.sum() == 0.0


def test_after_darkness_it_climbs_again_without_a_sweep():
    dark, _, _ = run(restarted(S), [array(0.0)] * 500)
    bright = array(700.0)
    t, _, powers = run(dark, [bright] * 900)
    assert powers[-10:].mean() > 0.999 * best_in_window_w(bright)
    assert t.until_sweep_s > 0.0


def test_a_hot_module_with_its_maximum_below_the_window_is_held_at_the_windows_end():
    c = array(900.0, 75.0, series=1.0)
    assert point(maximum_power_vd(c, open_circuit_v(c)), c)[0] < LOW_V
    _, references, _ = run(restarted(S), [c] * 200)
    assert references[100:].max() <= LOW_V + 2 * S.step_share * open_circuit_v(c)
    assert references[100:].min() == LOW_V


def test_a_pause_keeps_the_reference_and_the_climb_goes_on_from_there():
    before, after = array(900.0, 20.0), array(900.0, 45.0)
    t, _, _ = run(restarted(S), [before] * 300)
    held = paused(t, 100.0)
    assert held.v_ref_v == t.v_ref_v
    assert held.until_sweep_s == pytest.approx(t.until_sweep_s - 100.0)
    _, references, powers = run(held, [after] * 100)
    assert references[0] == t.v_ref_v
    assert powers[-20:].mean() > 0.999 * best_in_window_w(after)


@pytest.mark.parametrize("ticks", [300, 301])
def test_the_first_look_after_a_pause_is_not_compared_with_power_from_before_it(ticks):
    t, _, _ = run(restarted(S), [array(1000.0)] * ticks)
    resumed, _, powers = run(paused(t, 5.0), [array(100.0)])
    assert resumed.p_before_w == pytest.approx(powers[0])
    assert resumed.direction == t.direction


def test_a_sweep_that_falls_due_in_a_pause_comes_when_the_climb_goes_on():
    t, _, _ = run(restarted(S), [array(900.0)] * 300)
    held = paused(paused(t, 3600.0), 3600.0)
    assert not is_sweeping(held)
    assert is_sweeping(tick(held, *measured(held, array(900.0)), V_BATT_V, S))


def test_a_sweep_cut_short_leaves_the_best_point_so_far():
    t, references, powers = run(restarted(S), [array(900.0)] * 6)
    cut = paused(t, 0.1)
    assert not is_sweeping(cut)
    assert cut.v_ref_v == pytest.approx(references[np.argmax(powers)], rel=1e-12)


def test_a_trip_makes_it_sweep_again():
    assert is_sweeping(restarted(S))
    assert restarted(S).v_ref_v == S.v_max_v  # the array stands open


def test_compiled_and_plain_python_agree():
    plain = getattr(tick, "py_func", tick)
    t, c = restarted(S), array(500.0)
    for _ in range(60):
        v, i = measured(t, c)
        assert plain(t, v, i, V_BATT_V, S) == pytest.approx(tick(t, v, i, V_BATT_V, S), rel=1e-12)
        t = tick(t, v, i, V_BATT_V, S)
