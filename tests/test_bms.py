"""A lithium battery with its own protection in a plant: what the BMS cuts, and what goes on without it."""

import numpy as np
import pytest

from plant.controller.charger import Machine
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.power.converter import BODY_DIODE_V
from tests.plants import assert_closes, column, plant, utc

HOUR = 3600
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


def lithium_plant(start: str = "2026-06-20T06:00", soc=0.8, room_c=20.0, load_w=10.0, **changes) -> Plant:
    """A clear day, two modules, 100 Ah of LiFePO4 and a steady load."""
    return plant(
        start_utc_s=utc(start), sky=NO_CLOUDS, array={"parallel": 2}, load={"hourly_w": (load_w,) * 24},
        battery={"model": "lifepo4", "soc": soc, "room_c": room_c}, **changes,
    )  # fmt: skip


def first_step(p: Plant) -> Snapshot:
    return p.advance_to(p.t_utc_s + 5)


def switched(p: Plant, machine: Machine) -> list[tuple[str, str]]:
    return [(e.to, e.reason) for e in p.events() if e.machine is machine]


def test_charging_too_high_trips_the_bms_and_the_load_goes_on_from_the_sun():
    """Set-points meant for another battery: at 14.8 V the BMS cuts, the converter holds 15.4 V by itself."""
    high = {"charging_limit_v": 15.5, "equalize_v": 15.4, "boost_v": 15.4, "float_v": 14.6}
    p = lithium_plant(soc=0.9, controller={"setpoints": high, "compensation_mv_k_cell": 0.0})
    since = first_step(p)
    rows = p.run(8 * HOUR, 60)
    assert switched(p, Machine.BMS_CHARGE) == [("OPEN", "BMS: over-charge")]
    cut = next(e.t_utc_s for e in p.events() if e.machine is Machine.BMS_CHARGE)
    after, boost = column(rows, "t_utc_s") > cut, column(rows, "stage") == 2.0
    assert np.all(column(rows, "i_batt_a")[after] == 0.0)
    assert np.all(column(rows, "v_batt_v")[after & boost] == 15.4)
    assert np.all(column(rows, "p_load_w")[after] == pytest.approx(10.0))
    assert column(rows, "v_cells_v").max() < 15.0
    assert_closes(p, since, battery=1e-8)  # the current leaps with the light up to the cut: 1.1e-9


def test_after_the_trip_the_evening_load_draws_the_battery_down_and_it_charges_again():
    high = {"charging_limit_v": 15.5, "equalize_v": 15.4, "boost_v": 15.4, "float_v": 14.6}
    p = lithium_plant(soc=0.9, controller={"setpoints": high, "compensation_mv_k_cell": 0.0})
    p.run(20 * HOUR, 300)
    assert [to for to, _ in switched(p, Machine.BMS_CHARGE)] == ["OPEN", "CLOSED"]
    assert p.snapshot.i_batt_a < 0.0
    assert p.snapshot.v_batt_v == p.snapshot.v_cells_v


def test_a_load_that_drains_the_battery_is_cut_by_the_bms_before_the_cells_suffer():
    low = {"low_voltage_disconnect_v": 9.2, "discharging_limit_v": 9.0}
    p = lithium_plant("2026-12-20T17:00", soc=0.15, load_w=60.0, controller={"setpoints": low})
    since = first_step(p)
    rows = p.run(12 * HOUR, 60)
    assert ("OPEN", "BMS: over-discharge") in switched(p, Machine.BMS_DISCHARGE)
    assert switched(p, Machine.LOAD)[0] == ("LOW_VOLTAGE", "load voltage collapsed")
    assert column(rows, "v_cells_v").min() > 9.9
    assert p.snapshot.i_load_a == 0.0
    assert p.snapshot.e_load_wh + p.snapshot.e_unserved_wh == pytest.approx(60.0 * (12 + 5 / HOUR), rel=1e-9)
    assert_closes(p, since, battery=1e-9)


def test_a_frozen_battery_takes_no_charge_but_gives_what_it_has_through_the_diode():
    p = lithium_plant(room_c=-5.0)
    since = first_step(p)
    rows = p.run(18 * HOUR, 60)
    assert switched(p, Machine.BMS_CHARGE) == [("OPEN", "BMS: too cold to charge")]
    assert switched(p, Machine.BMS_DISCHARGE) == []
    i_a, drop_v = column(rows, "i_batt_a"), column(rows, "v_cells_v") - column(rows, "v_batt_v")
    assert i_a.max() <= 0.0
    drawn = i_a < 0.0
    assert drawn.sum() > 120
    assert drop_v[drawn] == pytest.approx(BODY_DIODE_V, abs=1e-12)
    lost = since.e_batt_wiring_wh + BODY_DIODE_V * np.abs(i_a).sum() / 60.0
    assert p.snapshot.e_batt_wiring_wh == pytest.approx(lost, rel=0.01)
    assert_closes(p, since, battery=1e-9)


@pytest.mark.parametrize(
    ("mean_c", "machine", "opens_c", "closes_c"),
    [
        (2.0, Machine.BMS_CHARGE, 0.0, 5.0), (43.0, Machine.BMS_CHARGE, 45.0, 40.0),
        (-18.0, Machine.BMS_DISCHARGE, -20.0, -15.0), (57.0, Machine.BMS_DISCHARGE, 60.0, 55.0),
    ],
)  # fmt: skip
def test_past_a_limit_of_temperature_a_battery_goes_on_only_five_kelvin_inside(
    mean_c, machine, opens_c, closes_c
):
    outdoors = {"temperature_c": (mean_c,) * 12, "temperature_swing_c": 20.0}
    p = lithium_plant(room_c="outdoor", weather=outdoors)
    rows = p.run(48 * HOUR, 60)
    moved = [e.t_utc_s for e in p.events() if e.machine is machine]
    at_c = np.interp(moved, column(rows, "t_utc_s"), column(rows, "t_batt_c"))
    kinds = [to for to, _ in switched(p, machine)]
    assert kinds[:2] == ["OPEN", "CLOSED"]
    assert len(kinds) > 3
    for to, t_c in zip(kinds[1:], at_c[1:], strict=True):  # where it is cold, it was at the start
        assert t_c == pytest.approx(opens_c if to == "OPEN" else closes_c, abs=0.05)


def test_a_current_beyond_the_limit_is_borne_for_ten_seconds_and_tried_again_after_32():
    """A bank of 10 Ah has a tenth of the limit, 15 A; four minutes later the load comes back."""
    battery = {"model": "lifepo4", "soc": 0.8, "room_c": 20.0, "capacity_ah": 10.0}
    p = plant(start_utc_s=utc("2026-06-20T23:00"), battery=battery, load={"hourly_w": (250.0,) * 24})
    p.run(300)
    moved = [(e.t_utc_s - p.start_utc_s, e.reason) for e in p.events() if e.machine is Machine.BMS_DISCHARGE]
    over, again = "BMS: discharge over-current", "BMS: discharging allowed again"
    assert moved == [(10.0, over), (42.0, again), (292.0, over)]


def test_an_empty_battery_is_drawn_from_again_half_a_minute_after_three_volts_a_cell():
    low = {"low_voltage_disconnect_v": 9.2, "discharging_limit_v": 9.0}
    p = lithium_plant("2026-12-20T17:00", soc=0.15, load_w=60.0, controller={"setpoints": low})
    rows = p.run(20 * HOUR, 5)
    back = next(e.t_utc_s for e in p.events() if (e.machine, e.to) == (Machine.BMS_DISCHARGE, "CLOSED"))
    at_v = np.interp([back - 32.0, back], column(rows, "t_utc_s"), column(rows, "v_cells_v"))
    assert at_v[0] == pytest.approx(12.0, abs=1e-4)
    assert at_v[1] > 12.001


# no battery at all


def test_with_its_fuse_blown_by_day_the_converter_holds_the_load_alone():
    p = lithium_plant()
    p.run(4 * HOUR)
    soc = p.snapshot.soc
    since = first_step(p)
    fuse = p.upset("battery_disconnected")
    p.run(2 * HOUR)
    now = p.snapshot
    assert (now.v_batt_v, now.i_batt_a) == (now.v_target_v, 0.0)
    assert now.regime == 2.0
    assert now.p_load_w == pytest.approx(10.0)
    assert now.soc == pytest.approx(soc, abs=1e-3)
    p.mend(fuse)
    p.run(HOUR)
    assert p.snapshot.i_batt_a > 0.0
    assert_closes(p, since, battery=1e-9)


def test_with_its_fuse_blown_by_night_all_is_dark_until_the_sun_is_back():
    p = lithium_plant("2026-06-20T20:00")
    since = first_step(p)
    p.upset("battery_disconnected")
    rows = p.run(16 * HOUR, 60)
    assert np.all(np.isfinite(rows))
    midnight = slice(150, 420)
    for name in ("v_batt_v", "v_load_v", "i_load_a", "i_chg_a"):
        assert np.all(column(rows, name)[midnight] == 0.0)
    assert p.snapshot.p_load_w == pytest.approx(10.0)
    assert p.snapshot.v_batt_v == p.snapshot.v_target_v
    assert_closes(p, since, battery=1e-9)
