"""What hangs on the battery beside the controller: its keys, what it does, and that the controller doesn't notice."""

import math
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.map.registers import TRACER_4210, load_map
from plant.controller.charger import ChargerRun, InverterRun, Machine
from plant.kernel.snapshot import Snapshot
from plant.load.inverter import Inverter
from plant.site.connected import DROOP_V, Charger
from tests.huts import AC, GENERATOR, HOUR, MAINS, flat, happened, hut, inverter
from tests.plants import AT_THE_BATTERY, ENERGIES_AT_THE_BATTERY, assert_closes, column

# --- inverter: search mode --------------------------------------------------------------------------------------


def test_search_mode_overlooks_a_small_load_and_costs_less():
    sheet = Inverter(rated_w=500.0, idle_w=5.0, efficiency=0.8, search_below_w=15.0, search_idle_w=0.7)
    load = np.array([0.0, 14.0, 15.0])
    assert sheet.served_w(load).tolist() == [0.0, 0.0, 15.0]
    assert sheet.drawn_w(load) == pytest.approx([0.7, 0.7, 5.0 + 15.0 / 0.8])
    p = hut(loads=[{**inverter(10.0), "inverter": sheet.model_dump()}])
    p.run(HOUR)
    assert p.snapshot.e_inverter_unserved_wh == pytest.approx(10.0)
    assert p.snapshot.e_inverter_loss_wh == pytest.approx(0.7)


# --- what the controller sees ---------------------------------------------------------------------------------------

NOT_THE_CONTROLLERS = {*AT_THE_BATTERY, *ENERGIES_AT_THE_BATTERY}
OF_THE_VOLTAGE = {"v_batt_v", "v_load_v", "soc_controller", "v_batt_max_today_v", "v_batt_min_today_v"}


@pytest.mark.parametrize("name", ["uart2", "epever"])
def test_no_register_shows_what_hangs_on_the_battery(name):
    p = hut(loads=[inverter(100.0)], chargers=[MAINS])
    p.run(60)
    now, other = p.snapshot, p.snapshot._replace(**dict.fromkeys(NOT_THE_CONTROLLERS, 7.0))
    through_the_posts_a = now.i_charger_1_a + now.i_charger_2_a - now.i_inverter_a
    assert through_the_posts_a > 5.0
    other = other._replace(i_batt_a=now.i_batt_a - through_the_posts_a + 7.0)
    words = [word for of_table in load_map(name, TRACER_4210).words.values() for word in of_table.values()]
    assert len(words) > 10
    for word in words:
        assert word(now, p.settings) == word(other, p.settings)


def test_the_net_current_is_that_of_the_controller():
    """Charge less load less its own consumption (recorded), whatever an inverter draws at the battery meanwhile."""
    p = hut("2026-06-20T10:00", controller_w=12.0, soc=0.5, loads=[inverter(100.0)])
    p.run(HOUR)
    now = p.snapshot
    shown = load_map("epever", TRACER_4210).words["input"]
    own_a = 0.01 * int(np.array(shown[0x331B](now, p.settings), np.uint16).astype(np.int16))
    assert own_a == pytest.approx(now.i_chg_a - now.i_load_a - 0.17 / now.v_batt_v, abs=0.011)
    assert now.i_batt_a < own_a - 7.0


@settings(max_examples=8, deadline=None)
@given(watts=st.floats(20.0, 400.0), sizing_s=st.sampled_from([None, 60, 900]))
def test_a_load_at_the_battery_shows_the_controller_a_lower_voltage_and_nothing_else(watts, sizing_s):
    """In the dark, without a load of its own, all but voltages that it measures and counts is the same to the bit."""
    alone, loaded = hut(sizing_s=sizing_s), hut(sizing_s=sizing_s, loads=[inverter(watts)])
    for p in (alone, loaded):
        p.run(2 * HOUR, 1800)
    ours = (
        set(Snapshot._fields)
        - NOT_THE_CONTROLLERS
        - {"soc", "v_cells_v", "i_batt_a", "t_batt_c", "t_probe_c"}
    )
    energies = {name for name in ours if name.startswith("e_") or name in {"p_own_w"}}
    differ = {
        name for name in ours - energies if getattr(alone.snapshot, name) != getattr(loaded.snapshot, name)
    }
    assert differ <= OF_THE_VOLTAGE | {"battery_status", "t_heatsink_c", "v_target_v"}
    assert loaded.snapshot.v_batt_v < alone.snapshot.v_batt_v - 0.01
    for name in ("e_chg_wh", "e_load_wh", "generated_total_kwh", "consumed_total_kwh", "i_load_a", "i_chg_a"):
        assert getattr(loaded.snapshot, name) == 0.0


def test_a_charger_at_the_battery_raises_its_voltage_and_no_meter_of_the_controller():
    p = hut(chargers=[MAINS])
    before = p.snapshot.v_batt_v
    p.run(HOUR)
    now = p.snapshot
    assert now.v_batt_v > before + 0.3
    assert (now.i_chg_a, now.generated_total_kwh, now.stage) == (0.0, 0.0, 0.0)
    assert now.i_batt_a == pytest.approx(20.0, abs=0.1)
    assert now.e_charger_1_wh == pytest.approx(20.0 * 13.9, rel=0.05)


def test_the_controller_takes_a_full_battery_for_its_own_work():
    """A charger at a higher voltage holds the battery above its target: it goes to float and gives nothing."""
    p = hut("2026-06-20T08:00", soc=0.98, chargers=[{**MAINS, "voltage_v": 14.7, "current_a": 60.0}])
    rows = p.run(8 * HOUR, 60)
    assert column(rows, "v_batt_v")[-1] > column(rows, "v_target_v")[-1]
    assert column(rows, "i_chg_a")[-60:].max() == 0.0
    assert_closes(p, Snapshot(*rows[0]))


# --- inverter: off and on -------------------------------------------------------------------------------------------


def test_it_cuts_off_below_its_voltage_after_a_while_and_comes_back_above_the_other():
    """Charged again by a charger in its hours; what it did not serve meanwhile is counted."""
    p = hut(
        soc=0.3, capacity_ah=60.0,
        loads=[inverter(200.0, cut_off_v=11.2, cut_off_after_s=30.0, restart_v=12.8, restart_after_s=120.0)],
        chargers=[{**MAINS, "hours": [[22, 23.5]]}],
    )  # fmt: skip
    rows = p.run(6 * HOUR, 5)
    (off, _, t_off), (on, _, t_on), *_ = happened(p, Machine.INVERTER)
    assert (off, on) == ("LOW_BATTERY", "ON")
    v, hours = column(rows, "v_batt_v"), np.arange(1, len(rows) + 1) * 5 / HOUR
    first_below = hours[v < 11.2][0]
    assert t_off == pytest.approx(first_below + 30.0 / HOUR, abs=6.0 / HOUR)
    assert t_on > 4.0
    above = (hours > t_off) & (hours < t_on) & (v >= 12.8)
    assert t_on == pytest.approx(hours[above][0] + 120.0 / HOUR, abs=6.0 / HOUR)
    assert p.snapshot.e_inverter_unserved_wh > 200.0 * (t_on - t_off) - 1.0
    served = p.snapshot.e_inverter_wh + p.snapshot.e_inverter_unserved_wh
    assert served == pytest.approx(200.0 * 6.0, rel=1e-9)


@pytest.mark.parametrize(("watts", "after_s"), [(499.0, math.inf), (600.0, 5.0), (1100.0, 0.0)])
def test_an_overload_is_borne_for_its_time_and_more_than_the_surge_not_at_all(watts, after_s):
    p = hut(capacity_ah=2000.0, loads=[inverter(watts, surge_w=1000.0, surge_s=5.0)])
    p.run(600, 5)
    if after_s == math.inf:
        assert p.snapshot.inverter == InverterRun.ON
        return
    ((_, _, t_h),) = happened(p, Machine.INVERTER)
    assert t_h * HOUR == pytest.approx(after_s, abs=0.1)
    assert p.snapshot.inverter == InverterRun.OVERLOAD
    assert p.snapshot.p_inverter_w == 0.0


def test_after_an_overload_it_comes_back_once_the_demand_is_within_its_rating():
    hours = [100.0] * 24
    hours[20] = 700.0
    there = {"inverter": AC, "demand": {"hourly_w": tuple(hours)}}
    p = hut(loads=[there])
    p.run(5 * HOUR)
    (_, _, out), (_, _, back) = happened(p, Machine.INVERTER)
    assert out == pytest.approx(2.0 + 5.0 / HOUR, abs=0.001)
    assert back == pytest.approx(3.0 + 30.0 / HOUR, abs=0.003)


def test_a_load_straight_on_the_battery_has_no_losses_and_no_end():
    p = hut(soc=0.9, loads=[{"demand": flat(50.0)}])
    p.run(3 * HOUR)
    assert p.snapshot.e_inverter_wh == pytest.approx(150.0)
    assert (p.snapshot.e_inverter_loss_wh, p.snapshot.e_inverter_unserved_wh) == (0.0, 0.0)


# --- chargers: on and off -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizing_s", [None, 60, 900])
def test_a_generator_starts_low_runs_its_least_time_and_stops_high(sizing_s):
    p = hut(soc=0.6, capacity_ah=100.0, sizing_s=sizing_s, loads=[inverter(80.0)], chargers=[GENERATOR])
    since = p.snapshot
    p.run(10 * HOUR, 900)
    told = happened(p, Machine.CHARGER_1)
    assert [to for to, *_ in told[:3]] == ["STARTED", "CHARGE", "OFF"]
    assert [reason for _, reason, _ in told[:3]] == [
        "battery voltage low",
        "minimum time over",
        "voltage reached",
    ]
    assert told[1][2] - told[0][2] == pytest.approx(20.0 / 60.0, abs=0.001)
    now = p.snapshot
    starts = sum(to == "STARTED" for to, *_ in told)
    assert now.charger_1_starts == starts
    ran = [t for to, _, t in told if to in {"STARTED", "OFF"}] + [10.0] * (told[-1][0] != "OFF")
    assert now.charger_1_h == pytest.approx(sum(ran[1::2]) - sum(ran[::2]), abs=0.02)
    assert now.fuel_l == pytest.approx(0.3 * now.charger_1_h + 0.5 * now.e_charger_1_wh / 0.8 / 1000.0)
    assert_closes(p, since)


def test_fuel_by_hand():
    """An hour at 30 A and some 12.9 V through a charger of 0.8: 0.3 l idle, and 0.5 l for each of 0.48 kWh."""
    always = {
        key: GENERATOR[key]
        for key in ("name", "current_a", "voltage_v", "efficiency", "fuel_idle_l_h", "fuel_l_kwh")
    }
    p = hut(soc=0.4, capacity_ah=400.0, chargers=[always])
    rows = p.run(HOUR, 5)
    kwh = np.mean(column(rows, "p_charger_1_w")) / 1000.0 / 0.8
    assert p.snapshot.fuel_l == pytest.approx(0.3 + 0.5 * kwh, rel=1e-3)
    assert p.snapshot.i_charger_1_a == pytest.approx(30.0)


def test_by_charge_and_by_hours():
    """Below 60 % only within its hours, until 70 %; hours are of the site's clock and may pass midnight."""
    keys = {
        "start_below_soc": 0.6,
        "stop_above_soc": 0.7,
        "hours": [[23, 2.5]],
        "start_after_s": 0.0,
        "stop_after_s": 0.0,
    }
    p = hut(soc=0.61, loads=[inverter(100.0)], chargers=[{**MAINS, **keys}])
    rows = p.run(10 * HOUR, 60)
    soc, on = column(rows, "soc"), column(rows, "p_charger_1_w") > 0.0
    (_, why, start), *_ = happened(p, Machine.CHARGER_1)
    assert (why, start) == ("battery charge low", pytest.approx(5.0))
    assert soc[int(start * 60) - 1] < 0.6
    zone = ZoneInfo("Europe/Zurich")
    local = [datetime.fromtimestamp(t, zone) for t in column(rows, "t_utc_s")[on]]
    assert {moment.hour for moment in local} <= {23, 0, 1, 2}
    assert soc.max() < 0.71


def test_hours_follow_daylight_saving_time():
    charger = Charger(**MAINS, hours=[[8, 9]])
    for day, utc_h in (
        (datetime(2026, 3, 28, tzinfo=ZoneInfo("UTC")), 7),
        (datetime(2026, 3, 30, tzinfo=ZoneInfo("UTC")), 6),
    ):
        allowed = charger.may_run(int(day.timestamp()), "Europe/Zurich")
        assert np.flatnonzero(allowed).tolist() == list(range(60 * utc_h, 60 * utc_h + 60))


def test_a_charger_gives_its_current_up_to_its_voltage_and_floats_after_its_absorption():
    p = hut(soc=0.9, chargers=[{**MAINS, "float_v": 13.5, "absorption_min": 60.0}])
    rows = p.run(12 * HOUR, 60)
    v, i, state = (column(rows, name) for name in ("v_batt_v", "i_charger_1_a", "charger_1"))
    absorbing = (state == ChargerRun.CHARGE) & (v > 14.4 - DROOP_V)
    assert i[(state == ChargerRun.CHARGE) & ~absorbing] == pytest.approx(20.0)
    assert v[absorbing].max() <= 14.4
    assert np.count_nonzero(absorbing) == pytest.approx(60, abs=2)
    assert v[-1] == pytest.approx(13.5, abs=0.01)
    assert 0.0 < i[-1] < 1.0


def test_a_charger_that_fails_gives_nothing_until_it_is_mended():
    p = hut(chargers=[{**MAINS, "fuel_idle_l_h": 0.2}])
    p.run(600)
    assert p.snapshot.i_charger_1_a == pytest.approx(20.0)
    number = p.upset("charger_fails")
    p.run(1200)
    burnt = p.snapshot.fuel_l
    p.run(600)
    assert (p.snapshot.charger_1, p.snapshot.i_charger_1_a) == (ChargerRun.OFF, 0.0)
    assert p.snapshot.fuel_l == burnt > 0.0
    p.mend(number)
    p.run(60)
    assert p.snapshot.i_charger_1_a == pytest.approx(20.0)
    assert p.snapshot.charger_1_starts == 2.0


def test_each_quantity_shows_its_own():
    """Two unlike chargers and an inverter for three hours, the second charger for the last of them only."""
    first = {**MAINS, "efficiency": 0.8, "fuel_idle_l_h": 0.2, "fuel_l_kwh": 0.4}
    second = {
        "name": "second",
        "current_a": 7.0,
        "voltage_v": 14.2,
        "hours": [[20, 21]],
        "fuel_idle_l_h": 0.1,
    }
    p = hut(soc=0.5, capacity_ah=500.0, loads=[inverter(100.0)], chargers=[first, second])
    rows = p.run(3 * HOUR, 5)
    now = p.snapshot
    v, drawn = now.v_cells_v, 100.0 / 0.9
    assert (now.inverter, now.charger_1, now.charger_2) == (
        InverterRun.ON,
        ChargerRun.CHARGE,
        ChargerRun.CHARGE,
    )
    assert (now.p_inverter_w, now.p_inverter_load_w) == pytest.approx((drawn, 100.0))
    assert now.i_inverter_a == pytest.approx(drawn / v, rel=1e-4)
    assert (now.i_charger_1_a, now.i_charger_2_a) == pytest.approx((20.0, 7.0))
    assert (now.p_charger_1_w, now.p_charger_2_w) == pytest.approx((20.0 * v, 7.0 * v), rel=1e-4)
    assert (now.charger_1_h, now.charger_2_h) == pytest.approx((3.0, 1.0), abs=0.01)
    assert (now.charger_1_starts, now.charger_2_starts) == (1.0, 1.0)
    mean_v = np.mean(column(rows, "v_cells_v"))
    assert now.e_charger_1_wh == pytest.approx(60.0 * mean_v, rel=1e-3)
    assert now.e_charger_2_wh == pytest.approx(7.0 * np.mean(column(rows, "v_cells_v")[1440:]), rel=5e-3)
    assert (now.e_inverter_wh, now.e_inverter_loss_wh) == pytest.approx((300.0, 3.0 * drawn - 300.0))
    assert now.e_inverter_unserved_wh == 0.0
    assert now.fuel_l == pytest.approx(0.2 * 3.0 + 0.1 + 0.4 * now.e_charger_1_wh / 800.0, rel=1e-3)
