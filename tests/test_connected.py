"""What hangs on the battery beside the controller: its keys, what it does, and that the controller doesn't notice."""

import math
from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modbus.map.registers import TRACER_4210, load_map
from plant.controller.charger import ChargerRun, InverterRun, Machine
from plant.controller.postsrules import POSTS_RULES
from plant.controller.rules import RULES
from plant.keeping import continued, kept
from plant.kernel.snapshot import Snapshot
from plant.load.inverter import Inverter
from plant.plant import Plant
from plant.site.connected import DROOP_V, Charger
from plant.site.model import Site, load_site
from tests.plants import assert_closes, site
from tests.test_site import CABIN, line_of, problems

HOUR, DAY = 3600, 86400
DARK = "2026-12-20T18:00"  # of the cabin; dawn is fourteen hours away
AC = {"rated_w": 500.0, "idle_w": 5.0, "efficiency": [[0.2, 0.9], [1.0, 0.85]]}
MAINS = {"name": "mains", "current_a": 20.0, "voltage_v": 14.4}


def flat(watts: float) -> dict:
    return {"hourly_w": (watts,) * 24}


def inverter(watts: float, **keys) -> dict:
    own = {key: keys.pop(key) for key in list(keys) if key in Inverter.model_fields}
    return {"inverter": {**AC, **own}, "demand": flat(watts), **keys}


def hut(
    start: str = DARK, seed: int = 1, sizing_s: int | None = None, controller_w: float = 0.0, **battery
) -> Plant:
    """The cabin without a load of its own, and so much at its battery."""
    there = site(start=start, load=flat(controller_w), battery={"soc": 0.8, "capacity_ah": 200.0, **battery})
    return Plant.new(there, seed, **({"fidelity": "sizing", "step_s": sizing_s} if sizing_s else {}))


def column(rows: np.ndarray, name: str) -> np.ndarray:
    return rows[:, Snapshot._fields.index(name)]


def happened(p: Plant, machine: Machine) -> list[tuple[str, str, float]]:
    """Where to, why, hours after the start."""
    return [(e.to, e.reason, (e.t_utc_s - p.start_utc_s) / HOUR) for e in p.events() if e.machine is machine]


# --- keys -----------------------------------------------------------------------------------------------------------

BATTERY = '  room_c: 18                     # temperature around it, or "outdoor"\n'
WRONG = {
    "two_loads": ("loads: [{demand: {hourly_w: HOURS}}, {demand: {hourly_w: HOURS}}]",
                  "must have at most 1 load, got 2; give several appliances as items of its demand"),
    "three_chargers": ("chargers: [CHARGER, CHARGER, CHARGER]", "must have at most 2 chargers, got 3"),
    "same_name": ("chargers: [CHARGER, CHARGER]", "'mains' is given twice"),
    "no_demand": ("loads: [{inverter: {rated_w: 500}}]", "demand"),
    "misspelt": ("loads: [{inverter: {rated_w: 500, idel_w: 3}, demand: {hourly_w: HOURS}}]", "idle_w"),
    "efficiency_above_1": ("loads: [{inverter: {rated_w: 500, efficiency: 1.2}, demand: {hourly_w: HOURS}}]",
                           "efficiency must be above 0 and at most 1, got 1.2"),
    "efficiency_of_a_point": (
        "loads: [{inverter: {rated_w: 500, efficiency: [[0.1, 0.8], [0.5, 92]]}, demand: {hourly_w: HOURS}}]",
        "efficiency must be above 0 and at most 1, got 92"),
    "curve_out_of_order": (
        "loads: [{inverter: {rated_w: 500, efficiency: [[0.5, 0.9], [0.1, 0.8]]}, demand: {hourly_w: HOURS}}]",
        "shares of rated_w must increase, got 0.1 after 0.5"),
    "not_a_curve": ("loads: [{inverter: {rated_w: 500, efficiency: [0.5, 0.9]}, demand: {hourly_w: HOURS}}]",
                    "each point must be [share of rated_w, efficiency], got 0.5"),
    "draws_no_more": (
        "loads: [{inverter: {rated_w: 500, efficiency: [[0.5, 0.5], [0.6, 0.9]]}, demand: {hourly_w: HOURS}}]",
        "at 0.6 of rated_w it draws 333.333 W, no more than the 500 W at 0.5"),
    "surge_below_rating": ("loads: [{inverter: {rated_w: 500, surge_w: 400}, demand: {hourly_w: HOURS}}]",
                           "surge_w must be at least rated_w, 500, got 400"),
    "search_above_idle": (
        "loads: [{inverter: {rated_w: 500, idle_w: 3, search_idle_w: 4}, demand: {hourly_w: HOURS}}]",
        "search_idle_w must be at most idle_w, 3, got 4"),
    "restart_below_cut_off": (
        "loads: [{inverter: {rated_w: 500}, cut_off_v: 11, restart_v: 10.9, demand: {hourly_w: HOURS}}]",
        "restart_v must be above cut_off_v, 11, got 10.9"),
    "cut_off_above_the_usual_restart": (
        "loads: [{inverter: {rated_w: 500}, cut_off_v: 12.6, demand: {hourly_w: HOURS}}]",
        "restart_v must be above cut_off_v, 12.6, got 12.5"),
    "restart_alone": ("loads: [{restart_v: 12, demand: {hourly_w: HOURS}}]", "restart_v needs cut_off_v"),
    "mix": ("loads: [{demand: {hourly_w: HOURS, mix: {current: 1}}}]", "mix does not apply here"),
    "voltage_of_another_battery": ("chargers: [{name: a, current_a: 9, voltage_v: 28.8}]",
                                   "voltage_v of 'a' must be 10 to 17 V, got 28.8"),
    "float_above_charge": ("chargers: [{name: a, current_a: 9, voltage_v: 14, float_v: 14.2}]",
                           "float_v must be at most voltage_v, 14, got 14.2"),
    "stop_never_reached": (
        "chargers: [{name: a, current_a: 9, voltage_v: 14, start_below_v: 12, stop_above_v: 14}]",
        "stop_above_v must be below voltage_v, 14, got 14: never reached"),
    "stop_below_start": (
        "chargers: [{name: a, current_a: 9, voltage_v: 14, start_below_soc: 0.5, stop_above_soc: 0.4}]",
        "stop_above_soc must be above start_below_soc, 0.5, got 0.4"),
    "never_stops": ("chargers: [{name: a, current_a: 9, voltage_v: 14, start_below_v: 12}]",
                    "start_below_v or start_below_soc needs stop_above_v or stop_above_soc"),
    "never_starts": ("chargers: [{name: a, current_a: 9, voltage_v: 14, stop_above_soc: 0.9}]",
                     "stop_above_v or stop_above_soc needs start_below_v or start_below_soc"),
    "hours_of_another_clock": ("chargers: [{name: a, current_a: 9, voltage_v: 14, hours: [[8, 25]]}]",
                               "each must be two hours from 0 to 24, got [8, 25]"),
    "no_time_at_all": ("chargers: [{name: a, current_a: 9, voltage_v: 14, hours: [[8, 8]]}]",
                       "must end at another hour than it begins"),
    "no_current": ("chargers: [{name: a, current_a: 0, voltage_v: 14}]",
                   "current_a: input should be greater than 0, got 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_is_told_in_one_line_with_its_place(name, tmp_path):
    given_text, told = WRONG[name]
    given_text = given_text.replace("HOURS", f"[{', '.join(['30'] * 24)}]")
    given_text = given_text.replace("CHARGER", "{name: mains, current_a: 9, voltage_v: 14}")
    text = CABIN.replace(BATTERY, f"{BATTERY}  {given_text}\n")
    (problem,) = problems(tmp_path, text)
    assert told in problem
    line = line_of(text, given_text[:8])
    assert problem.startswith(
        (f"mine.yaml:{line}: battery", f"mine.yaml:{line_of(text, 'battery:')}: battery")
    ), problem


def test_defaults_follow_the_voltage_of_the_battery():
    there = site(battery={"system_v": 24, "loads": [inverter(0.0)]}, array={"series": 2})
    points = there.battery.connected_setpoints()
    assert (points["inverter_cut_off_v"], points["inverter_restart_v"]) == (21.6, 25.0)


# --- inverter: its sheet --------------------------------------------------------------------------------------------


def test_a_curve_is_met_at_its_points_and_straight_between_them():
    sheet = Inverter(rated_w=500.0, idle_w=5.0, efficiency=[[0.2, 0.9], [1.0, 0.8]])
    drawn = sheet.drawn_w(np.array([0.0, 50.0, 100.0, 500.0, 600.0]))
    at_100, at_500 = 100.0 / 0.9, 500.0 / 0.8
    assert drawn == pytest.approx([5.0, (5.0 + at_100) / 2, at_100, at_500, at_500 + (at_500 - at_100) / 4])


def test_one_number_leaves_the_idle_power_apart():
    assert Inverter(rated_w=500.0, idle_w=5.0, efficiency=0.8).drawn_w(
        np.array([0.0, 400.0])
    ) == pytest.approx([5.0, 505.0])


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

NOT_THE_CONTROLLERS = {
    name for name in Snapshot._fields if any(word in name for word in ("inverter", "charger_", "fuel_l"))
}
OF_THE_VOLTAGE = {"v_batt_v", "v_load_v", "soc_controller", "v_batt_max_today_v", "v_batt_min_today_v"}


@pytest.mark.parametrize("name", ["uart2", "epever"])
def test_no_register_shows_what_hangs_on_the_battery(name):
    p = hut(loads=[inverter(100.0)], chargers=[MAINS])
    now, other = p.snapshot, p.snapshot._replace(**dict.fromkeys(NOT_THE_CONTROLLERS, 7.0))
    words = [word for of_table in load_map(name, TRACER_4210).words.values() for word in of_table.values()]
    assert len(words) > 10
    for word in words:
        assert word(now, p.settings) == word(other, p.settings)


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
    assert now.e_charger_1_wh == pytest.approx(20.0 * 13.2, rel=0.05)


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

GENERATOR = {
    "name": "generator", "current_a": 30.0, "voltage_v": 14.4, "efficiency": 0.8, "start_below_v": 12.2,
    "stop_above_v": 14.0, "start_after_s": 60.0, "stop_after_s": 600.0, "minimum_run_min": 20.0,
    "fuel_idle_l_h": 0.3, "fuel_l_kwh": 0.5,
}  # fmt: skip


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


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_battery_cut_off_by_its_fuse_leaves_inverter_and_charger_to_each_other():
    p = hut(loads=[inverter(100.0)], chargers=[MAINS])
    since = p.snapshot
    p.run(600)
    p.upset("battery_disconnected")
    p.run(600)
    now = p.snapshot
    assert now.i_batt_a == 0.0
    assert 14.3 < now.v_batt_v < 14.4
    assert now.p_inverter_load_w == pytest.approx(100.0)
    assert_closes(p, since)


def test_an_inverter_empties_a_lithium_battery_until_its_protection_opens_and_a_charger_brings_it_back():
    p = hut(
        model="lifepo4", soc=0.12, capacity_ah=50.0,
        loads=[inverter(100.0, cut_off_v=8.0, restart_v=12.8)], chargers=[{**MAINS, "hours": [[21, 23]]}],
    )  # fmt: skip
    since = p.snapshot
    rows = p.run(8 * HOUR, 60)
    assert any(e.reason == "BMS: over-discharge" for e in p.events())
    assert [to for to, *_ in happened(p, Machine.INVERTER)][:2] == ["LOW_BATTERY", "ON"]
    assert column(rows, "soc").min() >= 0.0
    assert_closes(p, since, battery=1e-5)


lead_acid = st.fixed_dictionaries({
    "model": st.sampled_from(["agm", "flooded", "gel"]), "capacity_ah": st.floats(60.0, 600.0),
    "soc": st.floats(0.3, 1.0), "room_c": st.floats(-5.0, 40.0), "cable_ohm": st.sampled_from([0.0, 0.004, 0.02]),
})  # fmt: skip
lithium = st.fixed_dictionaries({
    "model": st.just("lifepo4"), "capacity_ah": st.floats(150.0, 600.0), "soc": st.floats(0.4, 1.0),
    "room_c": st.floats(5.0, 40.0), "cable_ohm": st.sampled_from([0.0, 0.004]),
})  # fmt: skip
UPSETS = (
    "none", "battery_disconnected", "battery_high_resistance", "load_short", "probe_open", "charger_fails",
    "battery_aged",
)  # fmt: skip


@settings(max_examples=20, deadline=None)
@given(
    battery=st.one_of(lead_acid, lithium), watts=st.floats(0.0, 450.0), amps=st.floats(10.0, 120.0),
    second=st.booleans(), start_v=st.floats(11.6, 12.9), step=st.sampled_from([60, 900, 3600, 5]),
    own_w=st.floats(0.0, 60.0), upset=st.sampled_from(UPSETS), seed=st.integers(0, 99),
)  # fmt: skip
def test_energy_closes_and_nothing_chatters(battery, watts, amps, second, start_v, step, own_w, upset, seed):
    chargers = [{**GENERATOR, "current_a": amps, "start_below_v": start_v}, {**MAINS, "hours": [[1, 5]]}]
    there = site(
        start="2026-02-20T10:00", load=flat(own_w),
        battery={**battery, "loads": [inverter(watts, cut_off_v=11.6)], "chargers": chargers[: 1 + second]},
        upsets=[] if upset == "none" else [{"name": upset, "after": "20h", "lasts": "9h"}],
    )  # fmt: skip
    p = Plant.new(there, seed, **({} if step == 5 else {"fidelity": "sizing", "step_s": step}))
    since = p.snapshot
    days = 2 if step == 5 else 8
    rows = p.run(days * DAY, 3600)
    assert np.all(np.isfinite(rows))
    assert column(rows, "v_batt_v").min() >= 0.0
    now = p.snapshot
    asked = now.e_inverter_wh + now.e_inverter_unserved_wh
    assert asked == pytest.approx(watts * 24.0 * days, rel=1e-6, abs=1e-6)
    assert_closes(p, since, battery=1e-6 if step == 5 else 1e-9)
    fired = Counter((e.machine, e.reason) for e in p.events() if e.machine >= Machine.INVERTER)
    assert max(fired.values(), default=0) < 20 * 24 * days


@pytest.mark.parametrize("name", ["cabin_inverter", "workshop_24v"])
def test_the_sites_we_ship_close_and_use_all_they_have(name):
    p = Plant.new(load_site(name))
    since = p.snapshot
    p.run(14 * DAY, 3600)
    assert_closes(p, since)
    now = p.snapshot
    assert now.e_charger_1_wh > 1000.0
    assert now.e_inverter_wh > 5000.0
    assert now.charger_1_starts >= 3.0


# --- both steps, polls, restarts ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("step_s", "share"), [(60, 0.005), (900, 0.02), (3600, 0.06)])
def test_long_steps_run_the_generator_as_long(step_s, share):
    """Ninety days of the hut; docs/physics/fidelity.md says so."""
    full, quick = (
        Plant.new(load_site("cabin_inverter"), **kw) for kw in ({}, {"fidelity": "sizing", "step_s": step_s})
    )
    for p in (full, quick):
        p.advance_to(p.t_utc_s + 90 * DAY)
    assert quick.snapshot.charger_1_h == pytest.approx(full.snapshot.charger_1_h, rel=share)
    assert quick.snapshot.fuel_l == pytest.approx(full.snapshot.fuel_l, rel=share)
    assert quick.snapshot.e_inverter_wh == pytest.approx(full.snapshot.e_inverter_wh, rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(pauses=st.lists(st.integers(1, 4000), min_size=1, max_size=20))
def test_however_often_it_is_polled_the_plant_is_the_same(pauses):
    whole, polled = (Plant.new(load_site("cabin_inverter")) for _ in range(2))
    for pause in pauses:
        polled.advance_to(polled.t_utc_s + 5 * pause)
    whole.advance_to(polled.t_utc_s)
    assert polled.snapshot == whole.snapshot


def test_what_is_kept_goes_on_with_hours_fuel_and_the_generator_running():
    p = hut(soc=0.6, capacity_ah=100.0, loads=[inverter(80.0)], chargers=[GENERATOR])
    while p.snapshot.charger_1 != ChargerRun.STARTED:
        p.run(300)
    again = continued(p.site, kept(p))
    for both in (p, again):
        both.run(6 * HOUR)
    assert again.snapshot == p.snapshot
    assert again.events() == p.events()
    assert again.snapshot.fuel_l > 0.2


def test_a_power_cycle_of_the_controller_does_not_touch_them():
    p = hut(loads=[inverter(600.0)], chargers=[MAINS])
    p.run(600)
    assert p.snapshot.inverter == InverterRun.OVERLOAD
    p.power_cycle()
    assert p.snapshot.inverter == InverterRun.OVERLOAD
    assert p.snapshot.charger_1 != ChargerRun.OFF


def test_a_start_at_the_moment_at_which_the_controller_is_set_is_counted():
    p = hut(chargers=[{**MAINS, "hours": [[20, 22]]}])
    p.advance_to(p.t_utc_s + 2 * HOUR)
    assert p.snapshot.charger_1_starts == 0.0
    p.configure(p.settings._replace(boost_min=60))
    assert p.snapshot.charger_1 != ChargerRun.OFF
    p.run(600)
    assert p.snapshot.charger_1_starts == 1.0


def test_their_machines_and_rules_are_the_last():
    """The kernel leaves them out where nothing hangs on the battery."""
    assert RULES[-len(POSTS_RULES) :] == POSTS_RULES
    assert {rule.machine for rule in POSTS_RULES} == set(list(Machine)[-3:])


def test_a_site_without_them_is_as_it_was():
    there = site()
    assert there.battery.loads == there.battery.chargers == ()
    assert not there.battery.outfit().some
    assert Site.model_validate(load_site("workshop_24v").model_dump()) == load_site("workshop_24v")
