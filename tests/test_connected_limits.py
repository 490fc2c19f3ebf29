"""What hangs on the battery at its limits, in long steps, polled, kept and restarted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.controller.charger import ChargerRun, InverterRun, Machine
from plant.controller.postsrules import POSTS_RULES
from plant.controller.rules import RULES
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.saving.state import continued, saved_state
from plant.site.model import load_site
from tests.huts import DAY, GENERATOR, HOUR, MAINS, flat, happened, hut, inverter
from tests.plants import RETRIES, assert_closes, assert_no_chatter, column, site

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
    assert_no_chatter(p, RETRIES)


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


def ninety_days(**fidelity) -> Snapshot:
    """How they leave the hut."""
    p = Plant.new(load_site("cabin_inverter"), **fidelity)
    return p.advance_to(p.t_utc_s + 90 * DAY)


@pytest.fixture(scope="module")
def full() -> Snapshot:
    return ninety_days()


@pytest.mark.parametrize(("step_s", "share"), [(60, 0.01), (900, 0.02), (3600, 0.06)])
def test_long_steps_run_the_generator_as_long(full, step_s, share):
    """docs/physics/fidelity.md says so."""
    quick = ninety_days(fidelity="sizing", step_s=step_s)
    assert quick.charger_1_h == pytest.approx(full.charger_1_h, rel=share)
    assert quick.fuel_l == pytest.approx(full.fuel_l, rel=share)
    assert quick.e_inverter_wh == pytest.approx(full.e_inverter_wh, rel=1e-6)


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
    again = continued(p.site, saved_state(p))
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
