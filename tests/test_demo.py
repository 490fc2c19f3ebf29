"""The demonstration's table, pace and totals; that it runs and ends is in test_cli."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.master.mock_firmware import POLLS, PollRound
from tests.snapshots import NOON
from tracertwin.cli.demo import Tally, period_s
from tracertwin.cli.tables.demotable import Seen, heads, row

READINGS = PollRound(
    v_pv_v=18.44, i_pv_a=4.41, v_batt_v=13.5, v_load_v=13.4, i_load_a=2.0, p_load_w=26.8, t_batt_c=-10.25, soc=0.75,
    stage=1, generated_today_kwh=1.5, generated_total_kwh=120.0, consumed_today_kwh=0.8, consumed_total_kwh=85.0, day=1,
)  # fmt: skip

anything = st.builds(
    PollRound,
    v_pv_v=st.none() | st.floats(0.0, 200.0),
    i_pv_a=st.none() | st.floats(0.0, 99.0),
    v_batt_v=st.none() | st.floats(0.0, 70.0),
    t_batt_c=st.none() | st.floats(-40.0, 90.0),
    soc=st.none() | st.floats(0.0, 1.0),
    stage=st.none() | st.integers(0, 3),
    p_load_w=st.none() | st.floats(0.0, 9999.0),
    generated_today_kwh=st.none() | st.floats(0.0, 99.0),
    consumed_today_kwh=st.none() | st.floats(0.0, 99.0),
    day=st.none() | st.integers(0, 1),
)


def seen(readings: PollRound, hour: float = 12.0, took_s: float = 0.0) -> Seen:
    return Seen(NOON._replace(t_device_s=hour * 3600.0, poa_w_m2=812.4), readings, took_s)


@pytest.mark.parametrize(
    ("head", "shown"),
    [
        ("sun", "812"),
        ("amps", "4.41"),
        ("temp", "-10.2"),
        ("SOC", "75"),
        ("stage", "float"),
        ("made", "1.50"),
        ("day", "yes"),
    ],
)
def test_a_reading_stands_under_its_head(head, shown):
    names, line = list(heads("-"))[1].plain, row(seen(READINGS)).plain
    left, right = names.index(head), names.index(head) + len(head)
    assert line[left:].startswith(shown) or line[:right].endswith(shown)


@given(anything, st.floats(0.0, 1500.0))
def test_no_reading_moves_what_stands_beside_it(readings, sun):
    line = row(Seen(NOON._replace(t_device_s=0.0, poa_w_m2=sun), readings)).plain
    gaps = [5, 10, 11, 17, 23, 29, 30, 36, 42, 46, 55, 56, 62, 63, 68, 73, 74]  # counted by hand
    assert [line[gap] for gap in gaps] == [" "] * len(gaps)
    assert len(line) <= 80


def test_a_lost_poll_shows_as_missing():
    assert row(seen(PollRound())).plain.split() == ["12:00", "812", *["--"] * 11]


@given(st.floats(1.0, 1e5))
def test_every_half_hour_gets_a_round_and_every_second_too_where_the_grid_allows(speed):
    period = period_s(speed)
    assert 1800 % period == 0
    assert period % 5 == 0
    assert period == 5 or period <= speed


def test_the_demo_polls_twice_in_each_half_hour_of_a_day_in_a_minute():
    assert period_s(1440.0) == 900


def test_totals_count_lost_polls_and_time_only_rounds_that_lost_none():
    tally = Tally(NOON)
    tally.count(seen(READINGS))  # the first waited for the dial
    tally.count(seen(READINGS, took_s=14 * 0.006))
    tally.count(seen(PollRound(v_pv_v=1.0), took_s=6.5))
    first, *_ = tally.lines(NOON)
    assert first == f"3 rounds, {3 * len(POLLS)} polls, {len(POLLS) - 1} lost, mean reply 6.0 ms"


def test_totals_put_the_registers_beside_the_plant():
    tally = Tally(NOON)
    tally.count(seen(READINGS))
    after = NOON._replace(e_chg_wh=510.2, e_load_wh=429.4, soc=0.76)
    assert list(tally.lines(after))[1:] == [
        "plant: 510 Wh produced, 429 Wh consumed, battery 50 to 76 %",
        "registers: 120.00 kWh produced, 85.00 kWh consumed",
    ]
