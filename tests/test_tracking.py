"""A step of the plant with the tracker in it: what it skips is what it would have computed."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plant.array.diode import open_circuit_v
from plant.power.tracker import restarted
from plant.power.tracking import track
from tests.test_tracker import V_BATT_V, S, array, best_in_window_w, measured, run


@settings(max_examples=25, deadline=None)
@given(
    suns=st.lists(st.floats(0.0, 1200.0), min_size=1, max_size=4),
    series=st.sampled_from([1.0, 2.0, 4.0]),
    t_c=st.floats(-10.0, 80.0),
    due_ticks=st.integers(30, 400),
)
@example(suns=[33.0], series=4.0, t_c=0.0, due_ticks=30)  # the best lies at the window's end
def test_a_step_is_the_same_as_its_fifty_ticks(suns, series, t_c, due_ticks):
    """Also when a sweep falls due in it, the maximum lies outside the window, or it is dark.

    A sweep is due on a tick, as every 600 s in the plant. Half way between two, rounding would decide which has it.
    """
    s = S._replace(sweep_every_s=due_ticks * S.tick_s)
    quick = slow = restarted(s)
    for g in suns:
        c = array(g, t_c, series)
        slow, references, powers = run(slow, [c] * 50, s=s)
        quick, v_mean, p_mean = track(quick, c, open_circuit_v(c), V_BATT_V, 5.0, s)
        assert quick == pytest.approx(slow, rel=1e-9, abs=1e-6)
        assert p_mean == pytest.approx(powers.mean(), rel=1e-9, abs=1e-9)
        assert v_mean == pytest.approx(np.minimum(references, open_circuit_v(c)).mean(), rel=1e-9)


def test_half_an_hour_costs_only_its_sweeps():
    c = array(800.0)
    t, _, _ = track(restarted(S), c, open_circuit_v(c), V_BATT_V, 10.0, S)
    _, _, p = track(t, c, open_circuit_v(c), V_BATT_V, 1800.0, S)
    assert 0.998 < p / best_in_window_w(c) < 0.9995


def test_a_still_array_is_held_at_its_maximum():
    c = array(800.0)
    t, _, _ = track(restarted(S), c, open_circuit_v(c), V_BATT_V, 10.0, S)
    _, v, p = track(t, c, open_circuit_v(c), V_BATT_V, 5.0, S)
    assert p == pytest.approx(best_in_window_w(c), rel=2e-4)
    assert v == pytest.approx(measured(t, c)[0], rel=0.01)
