"""Time: civil at the edges, whole seconds of UTC inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.base import clock
from plant.base.clock import SteppedClock, WallClock


def test_civil_time_becomes_utc_on_the_grid():
    assert clock.to_utc_s(clock.parse_local("2026-06-21T06:00"), "Europe/Zurich") == 1782014400
    assert clock.to_utc_s(clock.parse_local("2026-06-21T06:00:03"), "UTC") % 5 == 0


@pytest.mark.parametrize("text", ["tomorrow", "2026-6-1", "2026-06-21T25:00", "21.06.2026", "", "1950-01-01"])
def test_what_is_no_time_says_what_would_be(text):
    with pytest.raises(ValueError, match=r"2026-06-21T06:00|not a valid time|year"):
        clock.parse_local(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5ms", 0.005), ("10s", 10), ("2min", 120), ("1.5h", 5400), ("3d", 259200), ("7", 7), ("0ms", 0)],
)
def test_durations_are_written_with_units(text, seconds):
    assert clock.parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["soon", "-1s", "5 weeks", "", "nan", "inf"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a valid duration; write 5ms"):
        clock.parse_duration_s(text)


@given(speed=st.floats(1.0, 1e5), elapsed=st.lists(st.floats(0.0, 10.0), min_size=1, max_size=20))
def test_wall_clock_does_not_drift(speed, elapsed):
    """Its reading is start + speed x elapsed however often it was read."""
    now = [100.0]
    wall = WallClock(1e9, speed, monotonic=lambda: now[0])
    wall.now_s()
    for step in elapsed:
        now[0] += step
        wall.now_s()
    assert wall.now_s() == 1e9 + (now[0] - 100.0) * speed
    assert wall.wait_s(wall.now_s() + speed) == pytest.approx(1.0, rel=1e-3)
    assert wall.wait_s(0.0) == 0.0


def test_stepped_clock_moves_only_when_told_and_never_back():
    stepped = SteppedClock(50.0)
    assert stepped.now_s() == 50.0
    stepped.step(0.0)
    stepped.step(5.0)
    assert stepped.now_s() == 55.0
    with pytest.raises(ValueError, match=r"can't go back \(asked for -1 s\)"):
        stepped.step(-1.0)
