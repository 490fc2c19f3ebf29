"""Every status of the controller: the condition of the plant that sets it, after how long, and what clears it.

The fields of the snapshot stand beside the bits that show them. Set-points are moved instead of batteries where that is
quicker; the device can't tell.
"""

import numpy as np
import pytest

from plant.controller.charger import Machine, Stage
from plant.controller.settings import VOLTAGES
from plant.plant import Plant
from tests.plants import assert_closes, column, plant, utc

MINUTE, HOUR, DAY = 60, 3600, 86400
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


def noon(start: str = "2026-06-20T10:00", battery: dict | None = None, **changes) -> Plant:
    """Ten in the morning of a clear day, in bulk, thirty watts of load."""
    given = {"array": {"parallel": 2}, "load": {"hourly_w": (30.0,) * 24}, "sky": NO_CLOUDS}
    store = {"soc": 0.6, "capacity_ah": 400.0, "room_c": 25.0}
    return plant(start_utc_s=utc(start), battery={**store, **(battery or {})}, **{**given, **changes})


def lithium(room_c: float, **settings) -> Plant:
    return noon(
        battery={"model": "lifepo4", "room_c": room_c},
        controller={"battery_type": "lifepo4_4s", "settings": settings},
    )


def told(p: Plant, **changed) -> None:
    """What a client writes."""
    p.configure(p.settings._replace(**changed))


def shifted(p: Plant, by_v: float) -> dict[str, float]:
    """All twelve voltages moved by as much: their order stays."""
    return {name: getattr(p.settings, name) + by_v for name in VOLTAGES}


def event(p: Plant, machine: Machine, to: str) -> float:
    """When a machine last came to a state."""
    return next(e.t_utc_s for e in reversed(p.events()) if e.machine is machine and e.to == to)


def first_after(p: Plant, field: str, value: float, most_s: int = 600) -> int:
    """Seconds until the snapshot shows a value, by steps of the grid."""
    begun = p.t_utc_s
    while getattr(p.snapshot, field) != value:
        assert p.t_utc_s - begun < most_s, f"{field} is still {getattr(p.snapshot, field)}"
        p.advance_to(p.t_utc_s + 5)
    return p.t_utc_s - begun


# 0x3200 D3-0: battery_status


def test_over_voltage_stops_the_charge_at_once_until_the_battery_is_below_its_reconnect():
    p = noon()
    told(p, **shifted(p, p.snapshot.v_batt_v - 16.0 - 0.05))
    assert (p.snapshot.battery_status, p.snapshot.stage, p.snapshot.i_chg_a) == (1.0, Stage.NONE, 0.0)
    assert p.snapshot.load_on == 1.0
    told(p, over_voltage_reconnect_v=p.snapshot.v_batt_v - 0.1)
    p.run(5)
    assert p.snapshot.battery_status == 1.0
    v = p.snapshot.v_batt_v
    told(p, over_voltage_reconnect_v=v + 0.01, over_voltage_disconnect_v=v + 0.1)
    assert (p.snapshot.battery_status, p.snapshot.stage) == (0.0, Stage.BOOST)  # its voltage is below, too
    assert p.snapshot.i_chg_a == 0.0  # it stands above its target


def test_the_under_voltage_warning_comes_and_goes_without_delay_and_switches_nothing():
    p = noon("2026-06-20T23:00")
    v = p.snapshot.v_batt_v
    told(p, under_voltage_warning_v=v + 0.1, under_voltage_recover_v=v + 0.2)
    assert (p.snapshot.battery_status, p.snapshot.load_on) == (2.0, 1.0)
    told(p, under_voltage_warning_v=v - 0.2, under_voltage_recover_v=v + 0.2)
    assert p.snapshot.battery_status == 2.0
    told(p, under_voltage_recover_v=v - 0.1)
    assert p.snapshot.battery_status == 0.0


def test_low_voltage_takes_the_load_off_after_five_seconds_and_gives_it_back_after_four_minutes():
    p = noon("2026-06-20T23:00")
    v = p.advance_to(p.t_utc_s + 60).v_batt_v
    told(p, low_voltage_disconnect_v=v + 0.05, low_voltage_reconnect_v=v + 0.5)
    assert p.snapshot.load_on == 1.0
    begun = p.t_utc_s
    p.run(MINUTE)
    assert event(p, Machine.LOAD, "LOW_VOLTAGE") == pytest.approx(begun + 5.0, abs=0.01)
    assert (p.snapshot.battery_status, p.snapshot.load_on, p.snapshot.i_load_a) == (3.0, 0.0, 0.0)
    told(p, low_voltage_disconnect_v=11.1, low_voltage_reconnect_v=p.snapshot.v_batt_v - 0.1)
    begun = p.t_utc_s
    p.run(5 * MINUTE)
    assert event(p, Machine.LOAD, "ON") == pytest.approx(begun + 240.0, abs=0.01)
    assert (p.snapshot.battery_status, p.snapshot.load_on) == (0.0, 1.0)


# 0x3200 D7-4: battery_heat


def test_a_hot_battery_stops_charge_and_load_until_it_is_ten_kelvin_cooler():
    p = noon()
    p.advance_to(p.t_utc_s + 60)
    told(p, battery_hot_c=24.0)
    assert (p.snapshot.battery_heat, p.snapshot.stage) == (1.0, Stage.NONE)
    assert (p.snapshot.load_on, p.snapshot.load_state) == (0.0, 4.0)
    told(p, battery_hot_c=p.snapshot.t_probe_c + 9.5)
    p.run(60)
    assert p.snapshot.battery_heat == 1.0
    told(p, battery_hot_c=p.snapshot.t_probe_c + 10.5)
    assert (p.snapshot.battery_heat, p.snapshot.stage, p.snapshot.load_on) == (0.0, Stage.BULK, 1.0)
    assert p.snapshot.i_chg_a > 0.0


def test_a_battery_below_its_lower_warning_is_told_until_it_is_two_kelvin_above_and_nothing_stops():
    p = noon()
    p.advance_to(p.t_utc_s + 60)
    told(p, battery_cold_c=30.0)
    assert (p.snapshot.battery_heat, p.snapshot.stage, p.snapshot.load_on) == (2.0, Stage.BULK, 1.0)
    told(p, battery_cold_c=p.snapshot.t_probe_c - 1.9)
    assert p.snapshot.battery_heat == 2.0
    told(p, battery_cold_c=p.snapshot.t_probe_c - 2.1)
    assert p.snapshot.battery_heat == 0.0


@pytest.mark.parametrize(
    ("bits", "charges", "loads"),
    [(0, True, True), (0x100, False, True), (0x200, True, False),
     (0x300, False, False)],
)  # fmt: skip
def test_cold_lithium_is_spared_the_way_that_its_protection_bits_ask_for(bits, charges, loads):
    p = lithium(5.0, lithium_protection=bits, low_temperature_charge_c=8.0, low_temperature_discharge_c=8.0)
    p.run(60)
    assert p.snapshot.battery_heat == (2.0 if bits else 0.0)
    assert (p.snapshot.stage != Stage.NONE, p.snapshot.i_chg_a > 0.0) == (charges, charges)
    assert p.snapshot.load_on == loads
    told(p, low_temperature_charge_c=0.5, low_temperature_discharge_c=0.5)  # 5 K above is beyond 5 degC
    assert p.snapshot.battery_heat == (2.0 if bits else 0.0)
    told(p, low_temperature_charge_c=-1.0, low_temperature_discharge_c=-1.0)
    assert (p.snapshot.battery_heat, p.snapshot.load_on) == (0.0, 1.0)
    assert p.advance_to(p.t_utc_s + 5).i_chg_a > 0.0


def test_lead_acid_knows_no_low_temperature_limit():
    p = noon(
        battery={"room_c": 2.0},
        controller={"settings": {"lithium_protection": 0x300, "low_temperature_charge_c": 10.0}},
    )
    p.run(60)
    assert (p.snapshot.battery_heat, p.snapshot.i_chg_a > 0.0) == (0.0, True)


# discrete 0x2000: heatsink_hot


@pytest.mark.parametrize("tracker", ["steady", "dynamic"])
def test_a_hot_unit_trips_after_its_look_shows_it_and_sweeps_its_way_back_half_a_minute_after_the_release(
    tracker,
):
    """As on the probed unit, whose limit was written below its temperature and back (AN20)."""
    p = noon(controller={"tracker": tracker}, battery={"capacity_ah": 1000.0})
    before = p.advance_to(p.t_utc_s + 20 * MINUTE)
    told(p, device_hot_c=p.snapshot.t_heatsink_c - 2.0, device_cool_c=p.snapshot.t_heatsink_c - 4.0)
    assert p.snapshot.heatsink_hot == 0.0
    assert first_after(p, "heatsink_hot", 1.0) == 10
    hot = p.snapshot
    assert (hot.stage, hot.i_chg_a, hot.p_pv_w, hot.v_pv_v) == (Stage.NONE, 0.0, 0.0, hot.v_oc_v)
    assert hot.load_on == 1.0
    told(p, device_hot_c=85.0, device_cool_c=75.0)
    assert (p.snapshot.heatsink_hot, p.snapshot.stage, p.snapshot.i_chg_a) == (0.0, Stage.BULK, 0.0)
    released = p.t_utc_s
    rows = p.run(2 * MINUTE, 5)
    produces = column(rows, "t_utc_s")[column(rows, "i_chg_a") > 0.0]
    assert 30 < produces[0] - released <= 60
    assert p.snapshot.p_pv_w == pytest.approx(before.p_pv_w, rel=0.1)


# 0x3200 D15: wrong_voltage


@pytest.mark.parametrize(
    ("system_v", "wrong", "right"),
    [(12, {"system_code": 2}, {"system_code": 1}), (24, {"system_code": 1}, {"system_code": 2}),
     (12, {"battery_type": 5, "system_code": 0}, {"battery_type": 4}), (24, {"system_code": 1}, {"system_code": 0})],
)  # fmt: skip
def test_a_battery_of_another_system_is_neither_charged_nor_drained(system_v, wrong, right):
    """Also when it is the battery type that says 24 V. Left to find out by itself, the unit is never wrong."""
    p = noon(battery={"system_v": system_v}, array={"series": system_v // 12, "parallel": 2})
    p.advance_to(p.t_utc_s + 60)
    assert p.snapshot.wrong_voltage == 0.0
    told(p, **wrong)
    assert first_after(p, "wrong_voltage", 1.0) == 5
    assert (p.snapshot.stage, p.snapshot.i_chg_a, p.snapshot.load_state) == (Stage.NONE, 0.0, 4.0)
    told(p, **right)
    assert first_after(p, "wrong_voltage", 0.0) == 5
    assert (p.snapshot.stage, p.snapshot.load_on) == (Stage.BULK, 1.0)


# 0x3201 D15-14: pv_too_high


def too_high(v_pv: np.ndarray, v_oc: np.ndarray) -> list[float]:
    """What the unit makes of its PV voltages, rated for 100 V: the terminals count, the open circuit from 125 V on."""
    shown, high = [], False
    for v, v_open in zip(v_pv, v_oc, strict=True):
        high = v >= 100.0 or v_open >= 125.0 or (high and v_open >= 95.0)
        shown.append(float(high))
    return shown


@pytest.mark.parametrize(("soc", "series"), [(0.3, 4), (1.0, 4), (0.3, 5), (0.3, 7)])
def test_an_array_above_the_rating_is_not_used_until_its_open_circuit_is_five_volts_below(soc, series):
    """Cold strings: what they are held against is where they stand at the terminals, empty battery or full."""
    p = noon(
        "2026-02-10T05:00", array={"series": series, "parallel": 1}, weather={"temperature_c": (-40.0,) * 12},
        battery={"soc": soc, "capacity_ah": 200.0},
    )  # fmt: skip
    since = p.advance_to(p.t_utc_s + 5)
    rows = p.run(DAY, 5)
    v_pv, v_oc, shown = column(rows, "v_pv_v"), column(rows, "v_oc_v"), column(rows, "pv_too_high")
    assert np.mean(shown != too_high(v_pv, v_oc)) < 1e-3  # a step that begins on the other side
    assert (shown.max() == 1.0) == (soc == 1.0 or series > 4)
    assert v_oc.max() > 100.0
    assert not column(rows, "i_chg_a")[shown == 1.0].any()
    assert np.all(column(rows, "stage")[shown == 1.0] == Stage.NONE)
    assert sum(e.machine is Machine.PV_VOLTAGE for e in p.events()) <= 2
    lost = (column(rows, "p_mp_w")[shown == 1.0]).sum() * 5.0 / HOUR
    assert p.snapshot.e_untaken_pv_high_wh == pytest.approx(lost, abs=1.0)
    assert_closes(p, since)


# 0x3201 D8, D9: load_state


def test_a_load_that_has_been_given_up_comes_back_after_a_night_of_three_hours():
    p = noon("2026-06-20T15:00")
    short = p.upset("load_short", ohm=0.005)
    p.run(10 * MINUTE)
    assert (p.snapshot.load_state, p.snapshot.load_retries) == (3.0, 5.0)
    p.mend(short)
    p.run(9 * HOUR, 300)
    assert (p.snapshot.night, p.snapshot.load_state) == (1.0, 3.0)
    p.run(10 * HOUR, 300)
    dawn = event(p, Machine.DAYLIGHT, "DAY")
    assert event(p, Machine.LOAD, "ON") == pytest.approx(dawn + 5.0, abs=0.01)
    assert (p.snapshot.load_on, p.snapshot.load_state) == (1.0, 0.0)


def test_darkness_shorter_than_three_hours_gives_no_load_back():
    p = noon("2026-06-20T10:00")
    short = p.upset("load_short", ohm=0.005)
    p.run(10 * MINUTE)
    p.mend(short)
    told(p, night_v=99.0, day_v=99.0)  # what is light now?
    p.run(2 * HOUR, 300)
    assert p.snapshot.night == 1.0
    told(p, night_v=5.0, day_v=6.0)
    p.run(HOUR, 300)
    assert (p.snapshot.night, p.snapshot.load_state) == (0.0, 3.0)


@pytest.mark.parametrize("how", ["coil", "power"])
def test_a_load_that_has_been_given_up_comes_back_by_hand(how):
    p = noon("2026-06-20T23:00")
    short = p.upset("load_short", ohm=0.005)
    p.run(10 * MINUTE)
    p.mend(short)
    assert p.snapshot.load_state == 3.0
    if how == "coil":
        told(p, load_on=0)
        told(p, load_on=1)
    else:
        p.power_cycle()
    assert (p.snapshot.load_state, p.snapshot.load_retries, p.snapshot.load_on) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(("pause_s", "wait_s"), [(200, 20.0), (400, 5.0)])
def test_a_load_that_held_for_five_minutes_begins_with_its_first_retry_again(pause_s, wait_s):
    p = noon("2026-06-20T23:00")
    short = p.upset("load_short", ohm=0.005)
    p.run(40)  # retries after 5, 15 and 30 s
    p.mend(short)
    p.run(pause_s)  # the fourth held
    assert p.snapshot.load_state == 0.0
    p.upset("load_short", ohm=0.005)
    begun = p.t_utc_s
    p.run(100)
    again = next(
        e.t_utc_s for e in p.events() if e.machine is Machine.LOAD and e.to == "ON" and e.t_utc_s > begun
    )
    assert again - begun == pytest.approx(25.0 if wait_s == 20.0 else wait_s, abs=0.01)


# SOC mode (0x9070)


def test_by_percentage_the_charge_ends_at_its_share_of_the_gauge_and_goes_on_ten_percent_below():
    """The gauge runs from the low-voltage disconnect to float, so 80 % of it lie at 13.26 V."""
    p = noon(
        battery={"capacity_ah": 100.0, "soc": 0.7},
        controller={"compensation_mv_k_cell": 0.0, "settings": {"management_mode": 1, "charge_pct": 80}},
    )
    rows = p.run(5 * HOUR, 5)
    turns = [e for e in p.events() if e.machine is Machine.CHARGE_PERCENT]
    t, v = column(rows, "t_utc_s"), column(rows, "v_batt_v")
    assert [e.to for e in turns[:2]] == ["REFUSED", "GIVEN"]
    crossed = t[np.flatnonzero(v >= 13.26)[0]]
    assert turns[0].t_utc_s == pytest.approx(crossed + 120.0, abs=5.1)
    barred = (t > turns[0].t_utc_s) & (t < turns[1].t_utc_s)
    assert np.all(column(rows, "stage")[barred] == Stage.NONE)
    assert np.interp(turns[1].t_utc_s - 120.0, t, v) == pytest.approx(12.99, abs=0.02)


def test_by_percentage_the_load_goes_at_its_share_of_the_gauge_and_comes_back_ten_percent_above():
    p = noon(
        "2026-06-20T22:00", battery={"capacity_ah": 100.0},
        controller={"settings": {"management_mode": 1, "discharge_pct": 45}},
    )  # fmt: skip
    rows = p.run(8 * HOUR, 5)
    off = next(e for e in p.events() if e.machine is Machine.LOAD)
    assert (off.to, off.reason) == ("LOW_CHARGE", "discharge percentage reached")
    v = np.interp(off.t_utc_s - 120.0, column(rows, "t_utc_s"), column(rows, "v_batt_v"))
    assert v == pytest.approx(11.1 + 0.45 * 2.7, abs=0.01)
    assert (p.snapshot.battery_status, p.snapshot.load_state) == (3.0, 5.0)
    told(p, management_mode=0)
    assert p.snapshot.load_state == 5.0
    p.run(3 * MINUTE)
    assert p.snapshot.load_on == 1.0
    told(p, management_mode=1)
    p.run(3 * MINUTE)
    rows = p.run(12 * HOUR, 5)
    back = next(e for e in reversed(p.events()) if e.machine is Machine.LOAD)
    assert (back.to, back.reason) == ("ON", "above the discharge percentage again")
    v = np.interp(back.t_utc_s - 120.0, column(rows, "t_utc_s"), column(rows, "v_batt_v"))
    assert v == pytest.approx(11.1 + 0.55 * 2.7, abs=0.01)


# constant voltage


def full(**changes) -> Plant:
    return noon(
        "2026-06-20T06:00",
        battery={"capacity_ah": 50.0, "soc": 0.98},
        load={"hourly_w": (2.0,) * 24},
        **changes,
    )


def stage_time(p: Plant, stage: str) -> float:
    return event(p, Machine.CHARGE, "FLOAT") - event(p, Machine.CHARGE, stage)


def test_three_hours_at_constant_voltage_end_boost_whatever_its_duration():
    p = full()
    told(p, boost_min=400)
    p.run(8 * HOUR, 300)
    assert stage_time(p, "BOOST") == pytest.approx(3 * HOUR, abs=1.0)


def test_a_boost_duration_written_meanwhile_takes_effect():
    p = full()
    p.run(2 * HOUR, 300)
    assert p.snapshot.stage == Stage.BOOST
    told(p, boost_min=30)
    p.run(HOUR, 300)
    assert p.snapshot.stage == Stage.FLOAT
    assert stage_time(p, "BOOST") < 2 * HOUR


@pytest.mark.parametrize("minutes", [45, 170])
def test_an_equalize_duration_written_meanwhile_takes_effect(minutes):
    p = plant(
        start_utc_s=utc("2026-06-28T00:00") - 5, sky=NO_CLOUDS, battery={"capacity_ah": 50.0, "soc": 0.98},
        array={"parallel": 2}, load={"hourly_w": (2.0,) * 24},
    )  # fmt: skip
    p.run(HOUR)
    told(p, equalize_min=minutes)
    p.run(16 * HOUR, 300)
    assert stage_time(p, "EQUALIZE") == pytest.approx(60.0 * minutes, abs=30.0)


def test_equalizing_that_a_trip_cut_short_is_carried_over_to_the_next():
    p = plant(
        start_utc_s=utc("2026-06-28T00:00") - 5, sky=NO_CLOUDS, battery={"capacity_ah": 50.0, "soc": 0.98},
        array={"parallel": 2}, load={"hourly_w": (2.0,) * 24},
    )  # fmt: skip
    while p.snapshot.stage != Stage.EQUALIZE:
        p.run(MINUTE)
    p.run(HOUR, 300)
    told(p, battery_hot_c=0.0)
    p.run(12 * HOUR, 300)
    told(p, battery_hot_c=65.0)
    p.run(24 * HOUR, 300)
    spans = [e for e in p.events() if e.machine is Machine.CHARGE and "EQUALIZE" in (e.from_, e.to)]
    assert [e.to for e in spans] == ["EQUALIZE", "NONE", "EQUALIZE", "FLOAT"]
    served = sum(b.t_utc_s - a.t_utc_s for a, b in zip(spans[::2], spans[1::2], strict=True))
    assert served == pytest.approx(2 * HOUR, abs=60.0)


def test_the_account_closes_over_trips_of_every_kind():
    p = noon()
    since = p.advance_to(p.t_utc_s + 5)
    for changed in ({"device_hot_c": 20.0}, {"device_hot_c": 85.0}, {"battery_hot_c": 20.0}, {"battery_hot_c": 65.0},
                    {"system_code": 2}, {"system_code": 0}, {"load_on": 0}, {"load_on": 1}):  # fmt: skip
        told(p, **changed)
        p.run(3 * MINUTE, 5)
    assert p.snapshot.load_on == 1.0
    assert_closes(p, since)


@pytest.mark.parametrize("step_s", [60, 3600])
def test_long_steps_of_a_sizing_run_keep_every_delay(step_s):
    """Trips and releases fall where a detailed run has them, within an hour's step too."""
    site = noon("2026-06-20T00:00").site
    begun = utc("2026-06-20T00:00")
    p = Plant.new(site, 1, begun, "sizing", step_s)
    p.upset("load_short", ohm=0.005)
    told(p, system_code=2)
    p.run(3600, 3600)
    assert event(p, Machine.SYSTEM_VOLTAGE, "WRONG") == pytest.approx(begun + 5.0, abs=1.0)
    told(p, system_code=1)
    p.run(3600, 3600)
    right = event(p, Machine.SYSTEM_VOLTAGE, "RIGHT")
    assert right == pytest.approx(begun + 3605.0, abs=1.0)
    trips = [
        e.t_utc_s for e in p.events() if e.machine is Machine.LOAD and e.to == "SHORT" and e.t_utc_s >= right
    ]
    assert np.diff(trips) == pytest.approx([5.0, 10.0, 15.0, 20.0, 25.0], abs=1.0)
    assert p.snapshot.load_retries == 5.0


# registers in an order that no manual has


def test_a_heat_limit_below_its_release_holds_the_trip_until_the_limit_is_raised():
    """As an AN unit did: 0x9019 alone was written, with 0x901A far above (tracer captures, `an20_overtemp_trip`)."""
    p = noon(battery={"capacity_ah": 1000.0})
    p.advance_to(p.t_utc_s + 20 * MINUTE)
    told(p, device_hot_c=10.0)
    assert first_after(p, "heatsink_hot", 1.0) == 10
    rows = p.run(10 * MINUTE, 5)
    assert np.all(column(rows, "heatsink_hot") == 1.0)
    assert np.all(column(rows, "i_chg_a") == 0.0)
    told(p, device_hot_c=85.0)
    assert p.snapshot.heatsink_hot == 0.0


@pytest.mark.parametrize(
    "swapped",
    [
        {"under_voltage_warning_v": 12.81, "under_voltage_recover_v": 12.21},
        {"over_voltage_disconnect_v": 12.3, "over_voltage_reconnect_v": 13.0},
        {"low_voltage_disconnect_v": 12.6, "low_voltage_reconnect_v": 12.1},
    ],
)
def test_a_release_beyond_its_trip_makes_no_machine_flicker(swapped):
    """Units that take the voltages in any order do so; how they act then is a guess."""
    p = noon(controller={"settings_order": "any", "battery_type": "user"})
    told(p, **swapped)
    p.run(12 * HOUR, HOUR)
    assert p.overrun_steps == 0
    assert len(p.events()) < 30


def test_the_load_never_draws_below_the_discharging_limit():
    p = noon("2026-06-20T23:00", controller={"settings_order": "any", "battery_type": "user"})
    v = p.advance_to(p.t_utc_s + 60).v_batt_v
    told(p, discharging_limit_v=v + 0.05, low_voltage_disconnect_v=11.0)
    assert first_after(p, "load_on", 0.0) <= 10
