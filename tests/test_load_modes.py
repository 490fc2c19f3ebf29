"""Load modes in a plant over days: what the load output does at dusk, at dawn, by the clock and by hand."""

import numpy as np
import pytest

from plant.controller.charger import Machine
from plant.controller.loadcontrol import LoadMode
from plant.plant import Plant
from tests.plants import assert_closes, column, plant, utc

HOUR, DAY = 3600, 86400
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


def lamp_plant(start: str = "2026-03-10T12:00", fidelity="detailed", step_s=None, **settings) -> Plant:
    """Thirty watts on a battery that bears them, under a clear sky."""
    made = plant(
        start_utc_s=utc(start), sky=NO_CLOUDS, battery={"soc": 0.9, "capacity_ah": 400.0},
        array={"parallel": 3}, load={"hourly_w": (30.0,) * 24}, controller={"settings": settings},
    )  # fmt: skip
    return made if fidelity == "detailed" else Plant.new(made.site, 1, utc(start), fidelity, step_s)


def changes(p: Plant, machine: Machine, to: str) -> list[float]:
    return [event.t_utc_s for event in p.events() if event.machine is machine and event.to == to]


def lit(p: Plant) -> list[tuple[float, float]]:
    """From when until when the load was called for, those that have ended."""
    ons, offs = (changes(p, Machine.LOAD_CONTROL, to) for to in ("ON", "OFF"))
    return [(on, min(off for off in offs if off > on)) for on in ons if any(off > on for off in offs)]


def held(condition: np.ndarray, t: np.ndarray, seconds: float) -> list[float]:
    """When a condition on samples has held so long, for each time that it came to hold."""
    begins = np.flatnonzero(condition & ~np.concatenate([[False], condition[:-1]]))
    return [t[i] + seconds for i in begins if condition[i : i + int(seconds / 5)].all()]


def test_a_lamp_on_light_burns_from_dusk_to_dawn_as_the_sun_makes_them():
    """Dusk and dawn found from the array's voltage alone: ten minutes under 5 V, ten minutes from 6 V up."""
    p = lamp_plant(load_mode="light")
    rows = p.run(3 * DAY, 5)
    t, v_oc = column(rows, "t_utc_s"), column(rows, "v_oc_v")
    dusks, dawns = held(v_oc < 5.0, t, 600.0), held(v_oc >= 6.0, t, 600.0)
    dawns = [dawn for dawn in dawns if dawn > dusks[0]]
    assert len(dusks) == len(dawns) == 3
    assert lit(p) == [
        (pytest.approx(on, abs=6.0), pytest.approx(off, abs=6.0))
        for on, off in zip(dusks, dawns, strict=True)
    ]
    on = column(rows, "load_on") == 1.0
    assert np.array_equal(on, column(rows, "night") == 1.0)
    assert column(rows, "p_load_w")[on] == pytest.approx(30.0)
    assert not column(rows, "i_load_a")[~on].any()


def test_light_and_timer_burns_after_dusk_and_before_the_dawn_that_the_last_night_taught():
    """The first night goes by the twelve hours of the factory, the others by the night before."""
    p = lamp_plant(load_mode="light_and_timer", timer1_min=120, timer2_min=45)
    p.run(3 * DAY, 300)
    dusks, dawns = changes(p, Machine.DAYLIGHT, "NIGHT"), changes(p, Machine.DAYLIGHT, "DAY")
    length = [12 * HOUR, dawns[0] - dusks[0], dawns[1] - dusks[1]]
    assert length[1] > 11.5 * HOUR
    expected = []
    for dusk, dawn, learned in zip(dusks, dawns, length, strict=True):
        expected += [(dusk, dusk + 120 * 60)]
        if dusk + learned - 45 * 60 < dawn:
            expected += [(dusk + learned - 45 * 60, dawn)]
    assert lit(p) == [(pytest.approx(on, abs=1e-3), pytest.approx(off, abs=1e-3)) for on, off in expected]
    assert p.snapshot.night_length_min == pytest.approx((dawns[2] - dusks[2]) / 60.0, abs=1e-6)
    assert p.settings.night_length_min == round((dawns[2] - dusks[2]) / 60.0)


def test_a_night_length_that_a_client_writes_holds_until_the_next_dawn():
    p = lamp_plant()
    p.run(DAY, 300)
    learned = p.settings.night_length_min
    assert learned != 720
    p.configure(p.settings._replace(boost_min=60))
    assert p.settings.night_length_min == learned
    p.configure(p.settings._replace(night_length_min=720))
    assert p.settings.night_length_min == p.snapshot.night_length_min == 720
    p.run(DAY, 300)
    assert abs(p.settings.night_length_min - learned) < 5


def test_a_unit_switched_on_at_night_learns_nothing_from_what_is_left_of_it():
    p = lamp_plant("2026-03-10T03:00")
    p.run(12 * HOUR, 300)
    assert p.snapshot.night == 0.0
    assert p.snapshot.night_length_min == 720.0


@pytest.mark.parametrize(("fidelity", "step_s"), [("detailed", None), ("sizing", 60), ("sizing", 3600)])
def test_timers_switch_to_the_second_by_the_units_own_clock(fidelity, step_s):
    """One period over midnight, one at noon; the load gets just their energy at every step."""
    times = {
        "on1_hour": 21, "on1_minute": 30, "on1_second": 7, "off1_hour": 5,
        "on2_hour": 12, "on2_minute": 15, "off2_hour": 13, "off2_minute": 0, "timing_choice": 1,
    }  # fmt: skip
    p = lamp_plant("2026-03-10T00:00", fidelity, step_s, load_mode="time", **times)
    p.run(2 * DAY, 3600)
    clock = [((on + HOUR) % DAY, (off + HOUR) % DAY) for on, off in lit(p)]  # winter time is an hour ahead
    noon, night = (12.25 * HOUR, 13.0 * HOUR), (21.5 * HOUR + 7.0, 5.0 * HOUR)
    assert np.array(clock) == pytest.approx(np.array([noon, night, noon]), abs=2e-3)
    on_h = 5.0 + 0.75 + 2.5 - 7.0 / HOUR  # the first day
    assert p.snapshot.e_load_wh == pytest.approx(30.0 * (on_h + on_h), rel=1e-5)
    assert p.snapshot.e_unserved_wh == 0.0


def test_timers_follow_a_clock_that_is_set():
    p = lamp_plant("2026-03-10T10:00", load_mode="time", on1_hour=19, off1_hour=20)
    p.advance_to(p.t_utc_s + 5)
    p.set_clock(p.snapshot.t_device_s + 6 * HOUR)
    p.run(8 * HOUR, 300)
    assert lit(p) == [
        (pytest.approx(utc("2026-03-10T13:00"), abs=1e-3), pytest.approx(utc("2026-03-10T14:00"), abs=1e-3))
    ]


def test_what_nobody_calls_for_is_not_unserved_and_what_the_protection_refuses_is():
    p = lamp_plant(load_on=0)
    p.run(6 * HOUR, 300)
    assert (
        p.snapshot.load_on
        == p.snapshot.load_called
        == p.snapshot.e_load_wh
        == p.snapshot.e_unserved_wh
        == 0.0
    )
    p.configure(p.settings._replace(load_on=1))
    assert p.snapshot.load_on == p.snapshot.load_called == 1.0
    since = p.advance_to(p.t_utc_s + 60)
    p.upset("load_short", ohm=0.001)
    p.run(HOUR, 300)
    assert p.snapshot.e_unserved_wh == pytest.approx(30.0 * 1.0, rel=1e-3)
    assert_closes(p, since)


def test_the_test_mode_beats_every_mode_and_ends_with_the_power():
    p = lamp_plant(load_mode="light")
    p.configure(p.settings._replace(load_test=1, load_forced=1))
    assert p.snapshot.load_on == 1.0
    p.configure(p.settings._replace(load_forced=0))
    assert p.snapshot.load_on == 0.0
    p.configure(p.settings._replace(load_forced=1))
    p.power_cycle()
    assert (p.settings.load_test, p.settings.load_forced, p.snapshot.load_on) == (0, 0, 0.0)


@pytest.mark.parametrize("at_power_up", [0, 1])
def test_the_load_comes_up_after_a_power_cycle_as_its_setting_says(at_power_up):
    p = lamp_plant(load_at_power_up=at_power_up)
    assert p.snapshot.load_on == at_power_up
    p.configure(p.settings._replace(load_on=1 - at_power_up))
    assert p.snapshot.load_on == 1 - at_power_up
    p.power_cycle()
    assert p.snapshot.load_on == p.settings.load_on == at_power_up


@pytest.mark.parametrize("mode", [mode.name.lower() for mode in LoadMode])
def test_a_mode_polled_often_switches_as_one_left_alone(mode):
    polled, alone = lamp_plant(load_mode=mode), lamp_plant(load_mode=mode)
    for pause in (5, 1795, 4000, 7205, 12345, 20000, 33333):
        polled.advance_to(polled.t_utc_s + pause)
    assert alone.advance_to(polled.t_utc_s) == polled.snapshot


@pytest.mark.parametrize(("upset", "trips"), [("load_short", "SHORT"), ("load_overload", "OVERLOAD")])
@pytest.mark.parametrize("off", ["dawn", "hand"])
def test_a_load_that_has_tripped_is_off_when_it_is_switched_off_and_does_not_flutter(upset, trips, off):
    """Switched off it may be tried again, but not at that very instant."""
    p = lamp_plant(load_mode="light" if off == "dawn" else "manual")
    p.upset(upset)
    p.advance_to(utc("2026-03-11T04:00"))
    assert changes(p, Machine.LOAD, trips)
    before = len(p.events())
    if off == "hand":
        p.configure(p.settings._replace(load_on=0))
    p.advance_to(utc("2026-03-11T16:00"))
    loads = [event for event in p.events()[before:] if event.machine is Machine.LOAD]
    assert [(event.to, event.reason) for event in loads] == [("ON", "load switched off")]
    assert p.snapshot.load_on == 0.0
    assert p.snapshot.i_load_a == 0.0
    assert p.overrun_steps == 0
