"""The controller's own clock: midnight, setting it, drift, power cuts; and the meters that go by it."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plant.controller.charger import Machine, Stage
from plant.controller.clock import DeviceClock, equalize_due, periods_begun
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from tests.plants import column, plant, utc

HOUR, DAY = 3600, 86400
NO_CLOUDS = {"clearness": None, "albedo": 0.2}
METERS = ("generated", "consumed")
SPANS = ("today", "month", "year", "total")


def shown(text: str) -> float:
    """A time as the controller's clock shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def running(start: str = "2026-06-20T10:00", **controller) -> Plant:
    return plant(
        start_utc_s=utc(start), sky=NO_CLOUDS, load={"hourly_w": (30.0,) * 24}, controller=controller
    )


def energies(now: Snapshot) -> dict[str, float]:
    return {f"{meter}_{span}": getattr(now, f"{meter}_{span}_kwh") for meter in METERS for span in SPANS}


# the clock


@given(
    gains=st.floats(-0.01, 0.01), shift_s=st.floats(-3e7, 3e7), set_s=st.integers(1_700_000_000, 1_800_000_000),
    later_s=st.integers(0, 10**7),
)  # fmt: skip
def test_the_next_midnight_is_within_a_day_and_shows_midnight(gains, shift_s, set_s, later_s):
    clock, t = DeviceClock("UTC", gains, float(set_s), shift_s), float(set_s + later_s)
    midnight = clock.next_midnight_s(t)
    assert t < midnight <= t + DAY / (1.0 + gains) + 1e-3
    assert (
        clock.shows_s(midnight) % DAY == pytest.approx(0.0, abs=1e-5)
        or clock.shows_s(midnight) % DAY > DAY - 1e-5
    )
    assert clock.shows_date(midnight) > clock.shows_date(t)


@pytest.mark.parametrize(
    ("before", "after", "begun"),
    [("2026-06-20", "2026-06-21", 1), ("2026-06-30", "2026-07-01", 2), ("2026-12-31", "2027-01-01", 3),
     ("2026-06-20", "2026-06-20", 0), ("2026-06-20", "2026-06-19", 1), ("2026-06-20", "2017-02-14", 3)],
)  # fmt: skip
def test_a_day_is_another_one_in_either_direction(before, after, begun):
    assert periods_begun(date.fromisoformat(before), date.fromisoformat(after)) == begun


def test_a_cycle_of_30_days_is_the_28th_of_each_month_and_others_count_days():
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + k) for k in range(365)]
    assert [day.day for day in days if equalize_due(30, day, 99)] == [28] * 12
    assert not any(equalize_due(0, day, 99) for day in days)
    assert [equalize_due(7, days[0], since) for since in (6, 7, 8)] == [False, True, True]


# setting it


def test_a_clock_set_forward_over_midnight_begins_a_day_and_only_a_day():
    p = running()
    p.run(4 * HOUR, 300)
    before = energies(p.snapshot)
    p.set_clock(shown("2026-06-21T00:30"))
    after = energies(p.snapshot)
    assert p.snapshot.t_device_s == shown("2026-06-21T00:30")
    for meter in METERS:
        assert after[f"{meter}_today"] == 0.0
        assert [after[f"{meter}_{span}"] for span in SPANS[1:]] == [
            before[f"{meter}_{span}"] for span in SPANS[1:]
        ]
    assert p.snapshot.v_batt_max_today_v == p.snapshot.v_batt_min_today_v == p.snapshot.v_batt_v


def test_a_clock_set_back_within_the_day_changes_no_meter():
    p = running()
    p.run(4 * HOUR, 300)
    before = energies(p.snapshot)
    p.set_clock(p.snapshot.t_device_s - 3 * HOUR)
    assert energies(p.snapshot) == before
    rows = p.run(DAY, 300)
    falls = column(rows, "t_device_s")[1:][np.diff(column(rows, "consumed_today_kwh")) < 0.0]
    assert falls.tolist() == [shown("2026-06-21T00:05")]


@pytest.mark.parametrize(
    ("to", "begin_anew"),
    [("2026-07-20T14:00", 2), ("2027-06-20T14:00", 3), ("2025-12-31T23:59", 3), ("2026-06-18T10:00", 1)],
)
def test_a_clock_set_to_another_month_or_year_begins_those(to, begin_anew):
    p = running()
    p.run(4 * HOUR, 300)
    before = energies(p.snapshot)
    p.set_clock(shown(to))
    after = energies(p.snapshot)
    for meter in METERS:
        assert [after[f"{meter}_{span}"] for span in SPANS[:begin_anew]] == [0.0] * begin_anew
        assert [after[f"{meter}_{span}"] for span in SPANS[begin_anew:]] == [
            before[f"{meter}_{span}"] for span in SPANS[begin_anew:]
        ]


def test_meters_go_by_the_clock_that_was_set_through_month_and_year():
    p = running()
    p.set_clock(shown("2026-12-31T22:00"))
    rows = p.run(4 * HOUR, 300)
    at = column(rows, "t_device_s")
    new_year = at > shown("2027-01-01T00:00")
    for span in ("today", "month", "year"):
        meter = column(rows, f"consumed_{span}_kwh")
        assert column(rows, "t_device_s")[1:][np.diff(meter) < 0.0].tolist() == [shown("2027-01-01T00:05")]
        assert meter[new_year] == pytest.approx(
            0.03 * (at[new_year] - shown("2027-01-01T00:00")) / HOUR, rel=1e-3
        )


def full(start: str, **settings) -> Plant:
    """A battery that reaches constant voltage early each day."""
    return plant(
        start_utc_s=utc(start), sky=NO_CLOUDS, battery={"soc": 0.98, "capacity_ah": 50.0}, array={"parallel": 2},
        load={"hourly_w": (2.0,) * 24}, controller={"settings": settings},
    )  # fmt: skip


def equalized(p: Plant) -> list[date]:
    """Days, by the controller's clock, on which it began to equalize."""
    ahead_s = p.snapshot.t_device_s - p.snapshot.t_utc_s
    return [
        datetime.fromtimestamp(e.t_utc_s + ahead_s, UTC).date()
        for e in p.events()
        if e.machine is Machine.CHARGE and e.to == "EQUALIZE"
    ]


def test_equalizing_falls_due_on_the_28th_that_the_clock_shows():
    p = full("2026-06-10T00:00")
    p.set_clock(shown("2026-02-26T22:00"))
    p.run(4 * DAY, 3600)
    assert equalized(p) == [date(2026, 2, 28)]


@pytest.mark.parametrize(("cycle_d", "days"), [(0, []), (3, [4, 7])])
def test_a_cycle_of_days_has_equalizing_fall_due_so_often(cycle_d, days):
    p = full("2026-06-01T00:00", equalize_cycle_d=cycle_d)
    p.run(8 * DAY, 3600)
    assert [day.day for day in equalized(p)] == days


# drift


@pytest.mark.parametrize("drift", [-20.0, 20.0])
def test_a_clock_that_drifts_is_off_by_so_many_seconds_a_day_until_it_is_set(drift):
    p = running(clock_drift_s_day=drift)
    p.run(10 * DAY, 3600)
    right = utc("2026-06-30T12:00") - utc("2026-06-30T10:00") + p.t_utc_s
    assert p.snapshot.t_device_s - right == pytest.approx(10.0 * drift, abs=1e-6)
    p.set_clock(float(right))
    p.run(DAY, 3600)
    assert p.snapshot.t_device_s - right - DAY == pytest.approx(drift, abs=1e-6)


def test_a_drifting_clock_rolls_over_at_its_own_midnight_however_often_it_is_asked():
    polled, alone = running(clock_drift_s_day=600.0), running(clock_drift_s_day=600.0)
    rows = alone.run(5 * DAY, 5)
    for _ in range(5 * 24):
        polled.advance_to(polled.t_utc_s + HOUR)
    assert polled.snapshot == alone.snapshot
    today, at = column(rows, "consumed_today_kwh"), column(rows, "t_device_s")
    late = at[1:][np.diff(today) < 0.0] % DAY
    assert len(late) == 5
    # A step of the grid after the midnight within the step before.
    assert np.all((late >= 5.0) & (late < 10.1))


# power


def test_without_power_the_clock_begins_at_its_first_day_and_counters_and_settings_survive():
    p = running()
    p.run(4 * HOUR, 300)
    p.configure(p.settings._replace(boost_min=77, load_on=0))
    before, settings = energies(p.snapshot), p.settings
    p.power_cycle()
    assert p.snapshot.t_device_s == shown("2017-02-14T00:00")
    assert energies(p.snapshot) == before
    assert p.settings == settings._replace(load_on=1)
    assert p.advance_to(p.t_utc_s + 60).t_device_s == shown("2017-02-14T00:01")


def test_a_unit_with_a_clock_of_its_own_keeps_the_time():
    p = running(clock_survives=True)
    p.run(HOUR)
    before = p.snapshot.t_device_s
    p.power_cycle()
    assert p.snapshot.t_device_s == before


def test_after_a_power_cycle_the_charge_starts_anew():
    p = full("2026-06-20T06:00")
    while p.snapshot.stage != Stage.BOOST:
        p.run(60)
    p.run(HOUR)
    p.power_cycle()
    assert p.snapshot.stage in (Stage.BULK, Stage.BOOST)
    again = p.t_utc_s
    p.run(3 * HOUR, 300)
    ended = next(e for e in p.events() if e.machine is Machine.CHARGE and e.to == "FLOAT")
    assert ended.t_utc_s - again == pytest.approx(2 * HOUR, abs=120.0)


# meters


def test_clearing_clears_what_was_generated_and_nothing_else():
    p = running()
    p.run(4 * HOUR, 300)
    before = energies(p.snapshot)
    p.clear_energy()
    after = energies(p.snapshot)
    assert [after[f"generated_{span}"] for span in SPANS] == [0.0] * 4
    assert [after[f"consumed_{span}"] for span in SPANS] == [before[f"consumed_{span}"] for span in SPANS]


def test_for_a_month_every_meter_is_the_integral_of_the_trace_at_every_midnight():
    """Trapezoids over the 5 s samples against counters, to the register's 0.01 kWh; the load is cut at times."""
    p = plant(
        seed=5, start_utc_s=utc("2026-04-10T00:00"), battery={"soc": 0.4}, load={"hourly_w": (40.0,) * 24}
    )
    flows = {"generated": "p_chg_w", "consumed": "p_load_w"}
    sums = {meter: dict.fromkeys(SPANS, 0.0) for meter in METERS}
    power_w = {meter: getattr(p.snapshot, flows[meter]) for meter in METERS}
    for day in range(31):
        rows = p.run(DAY, 5)
        at_midnight = Snapshot(*rows[-1])
        for meter, flow in flows.items():
            samples = np.concatenate([[power_w[meter]], column(rows, flow)])
            power_w[meter] = samples[-1]
            for span in SPANS:
                sums[meter][span] += np.trapezoid(samples, dx=5.0) / 3.6e6
                assert getattr(at_midnight, f"{meter}_{span}_kwh") == pytest.approx(
                    sums[meter][span], abs=0.01
                ), day
            first = datetime.fromtimestamp(at_midnight.t_device_s, UTC).day == 1
            sums[meter] |= {"today": 0.0} | ({"month": 0.0} if first else {})
    assert p.snapshot.e_unserved_wh > 0.0
    assert min(meter["total"] for meter in sums.values()) > 5.0


# daylight saving


@pytest.mark.parametrize(
    ("start", "set_to", "later_h", "shows", "follows"),
    [
        ("2026-03-29T01:00", "2026-03-29T01:00", 1.25, "2026-03-29T02:15", "2026-03-29T03:15"),
        ("2026-10-25T02:30", "2026-10-25T02:30", 1.0, "2026-10-25T03:30", "2026-10-25T02:30"),
        ("2026-03-29T01:00", "2026-01-05T12:00", 24.0, "2026-01-06T12:00", "2026-01-06T13:00"),
    ],
)
def test_it_is_just_a_clock_whatever_civil_time_does(start, set_to, later_h, shows, follows):
    """A Tracer knows no zone: owners put it forward by hand. `clock_dst: true` has it follow."""
    for dst, wanted in ((False, shows), (True, follows)):
        p = plant(controller={"clock_dst": dst}, start=start)
        p.set_clock(shown(set_to))
        p.advance_to(p.t_utc_s + int(later_h * HOUR))
        assert p.snapshot.t_device_s == shown(wanted)


def test_unset_it_goes_on_from_the_civil_time_of_the_start():
    p = plant(start="2026-03-28T12:00")
    p.advance_to(p.t_utc_s + 2 * DAY)
    assert p.snapshot.t_device_s == shown("2026-03-30T12:00")  # 13:00 by the wall
