"""Whether the load is called for: the modes as plain statements about switch, night and clock."""

import math

from hypothesis import given
from hypothesis import strategies as st

from plant.controller.loadcontrol import LoadMode, Program, call

HOUR = 3600.0
DAY = 24 * HOUR
modes = st.sampled_from([float(mode) for mode in LoadMode])
moments = st.integers(0, 86399).map(float)


def lamp(night: bool = True, age_h: float = 0.0, length_h: float = 12.0, clock_h: float = 0.0, **program):
    told = call(Program(**program), night, age_h * HOUR, length_h * HOUR, clock_h * HOUR)
    return told.on, told.wait_s / HOUR


def test_the_switch_decides_in_manual_mode_by_night_and_by_day():
    for night in (True, False):
        assert lamp(night, mode=LoadMode.MANUAL, manual_on=1.0) == (True, math.inf)
        assert lamp(night, mode=LoadMode.MANUAL, manual_on=0.0) == (False, math.inf)


def test_the_light_decides_in_light_mode_whatever_the_switch_says():
    assert lamp(True, mode=LoadMode.LIGHT, manual_on=0.0) == (True, math.inf)
    assert lamp(False, mode=LoadMode.LIGHT, manual_on=1.0) == (False, math.inf)


def test_timers_count_from_dusk_and_back_from_the_dawn_that_is_expected():
    timers = {"mode": LoadMode.LIGHT_AND_TIMER, "timer1_s": 3 * HOUR, "timer2_s": 2 * HOUR}
    assert lamp(True, 1.0, 12.0, **timers) == (True, 2.0)
    assert lamp(True, 3.0, 12.0, **timers) == (False, 7.0)
    assert lamp(True, 10.0, 12.0, **timers) == (True, math.inf)
    assert lamp(True, 14.0, 12.0, **timers) == (True, math.inf)  # the sun is late
    assert lamp(False, 1.0, 12.0, **timers) == (False, math.inf)


def test_timers_that_meet_light_the_whole_night_and_a_second_of_none_ends_with_the_first():
    timers = {"mode": LoadMode.LIGHT_AND_TIMER, "timer1_s": 7 * HOUR, "timer2_s": 6 * HOUR}
    assert all(lamp(True, age, 12.0, **timers)[0] for age in (0.0, 5.9, 6.0, 7.0, 11.9))
    assert lamp(True, 8.0, 12.0, **{**timers, "timer2_s": 0.0}) == (False, math.inf)


def test_a_period_may_go_over_midnight():
    evening = {"mode": LoadMode.TIME, "on1_s": 19 * HOUR, "off1_s": 6 * HOUR}
    shown = {hour: lamp(clock_h=hour, **evening) for hour in (5.0, 6.0, 18.5, 19.0, 23.0)}
    assert shown == {
        5.0: (True, 1.0),
        6.0: (False, 13.0),
        18.5: (False, 0.5),
        19.0: (True, 11.0),
        23.0: (True, 7.0),
    }


def test_the_second_period_counts_only_when_both_are_chosen():
    both = {
        "mode": LoadMode.TIME,
        "on1_s": 6 * HOUR,
        "off1_s": 7 * HOUR,
        "on2_s": 20 * HOUR,
        "off2_s": 21 * HOUR,
    }
    assert not lamp(clock_h=20.5, **both)[0]
    assert lamp(clock_h=20.5, **both, periods=2.0) == (True, 0.5)


def test_in_test_mode_the_forcing_coil_decides():
    for mode in LoadMode:
        assert lamp(mode=mode, manual_on=1.0, test=1.0, forced_on=0.0)[0] is False
        assert lamp(mode=mode, manual_on=0.0, test=1.0, forced_on=1.0)[0] is True


@given(
    mode=modes, night=st.booleans(), age_s=moments, length_s=moments, clock_s=moments,
    timer1_s=moments, timer2_s=moments, on1_s=moments, off1_s=moments, on2_s=moments, off2_s=moments,
    periods=st.sampled_from([1.0, 2.0]), share=st.floats(0.01, 0.99),
)  # fmt: skip
def test_nothing_changes_before_the_moment_that_was_told_and_time_moves_on(
    mode, night, age_s, length_s, clock_s, share, **program
):
    """Asked again on the way the answer is the same, with less to wait; the wait is never nothing."""
    told = call(Program(mode=mode, **program), night, age_s, length_s, clock_s)
    assert told.wait_s > 0.0
    later_s = share * min(told.wait_s, DAY)
    again = call(Program(mode=mode, **program), night, age_s + later_s, length_s, (clock_s + later_s) % DAY)
    assert again.on == told.on
    assert math.isinf(told.wait_s) or math.isclose(again.wait_s, told.wait_s - later_s, abs_tol=1e-6)


@given(clock_s=moments, on1_s=moments, off1_s=moments, on2_s=moments, off2_s=moments)
def test_a_clocks_day_has_as_much_light_as_its_periods(clock_s, on1_s, off1_s, on2_s, off2_s):
    """Following what is told from one change to the next, once round the clock: the union of both periods."""
    program = Program(mode=LoadMode.TIME, on1_s=on1_s, off1_s=off1_s, on2_s=on2_s, off2_s=off2_s, periods=2.0)
    left_s, lit_s = DAY, 0.0
    while left_s > 0.0:
        told = call(program, False, 0.0, 0.0, clock_s)
        step_s = min(told.wait_s, left_s)
        lit_s += step_s * told.on
        left_s, clock_s = left_s - step_s, (clock_s + step_s) % DAY
    second = {(int(on_s) + k) % 86400 for on_s, off_s in ((on1_s, off1_s), (on2_s, off2_s))
              for k in range(int(off_s - on_s) % 86400)}  # fmt: skip
    assert lit_s == len(second)
