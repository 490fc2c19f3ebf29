"""Time: civil at the edges, whole seconds of UTC inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.base import clock
from plant.base.civiltime import moment_utc_s
from plant.base.clock import SteppedClock, WallClock


def test_civil_time_becomes_utc_on_the_grid():
    assert clock.to_utc_s(clock.parse_local("2026-06-21T06:00"), "Europe/Zurich") == 1782014400
    assert clock.to_utc_s(clock.parse_local("2026-06-21T06:00:03"), "UTC") % 5 == 0


@pytest.mark.parametrize(
    ("text", "zone", "ends", "begins"),
    [
        ("2026-03-29T02:00", "Europe/Zurich", "02:00", "03:00"),
        ("2026-03-29T02:59:59", "Europe/Zurich", "02:00", "03:00"),
        ("2026-03-08T02:30", "America/New_York", "02:00", "03:00"),
        ("2026-04-24", "Africa/Cairo", "00:00", "01:00"),
        ("2026-10-04T02:15", "Australia/Lord_Howe", "02:00", "02:30"),
        ("2011-12-30T12:00", "Pacific/Apia", "2011-12-30T00:00", "2011-12-31T00:00"),
    ],
)
def test_a_time_that_clocks_are_put_forward_over_is_refused_with_those_that_are_there(
    text, zone, ends, begins
):
    with pytest.raises(ValueError, match=f"there is no {text[:13]}") as told:
        moment_utc_s(clock.parse_local(text), zone)
    assert f"from {ends} to {begins}; write a time before {ends}, or {begins} or later" in str(told.value)


def test_of_the_hour_that_clocks_show_twice_the_first_is_meant():
    at = moment_utc_s(clock.parse_local("2026-10-25T02:30"), "Europe/Zurich")
    assert clock.iso_utc(at) == "2026-10-25T00:30:00Z"
    for text in ("2026-03-29T01:59:55", "2026-03-29T03:00", "2026-10-25T03:00", "2026-06-21T06:00"):
        moment = clock.parse_local(text)
        assert moment_utc_s(moment, "Europe/Zurich") == clock.to_utc_s(moment, "Europe/Zurich")


@pytest.mark.parametrize("text", ["tomorrow", "2026-6-1", "2026-06-21T25:00", "21.06.2026", "", "1950-01-01"])
def test_what_is_no_time_says_what_would_be(text):
    with pytest.raises(ValueError, match=r"2026-06-21T06:00|not a valid time|year"):
        clock.parse_local(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5ms", 0.005), ("10s", 10), ("2min", 120), ("1.5h", 5400), ("3d", 259200), ("7", 7), ("0ms", 0),
        ("1h30min", 5400), ("6h30min", 23400), ("2min30s", 150), ("1d 12h", 129600), ("1.5h30s", 5430),
    ],
)  # fmt: skip
def test_durations_are_written_with_units(text, seconds):
    assert clock.parse_duration_s(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["soon", "-1s", "5 weeks", "", "nan", "inf", "30min1h", "1h2h", "1h30", "1h-5min"]
)
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
