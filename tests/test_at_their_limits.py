"""Batteries and arrays at their limits: what users ran into, variants of it, and what holds whatever breaks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.battery import model as battery
from plant.battery.file import load_block
from plant.controller.charger import Machine
from plant.plant import Plant
from plant.power.converter import BODY_DIODE_V, Regime
from plant.site.upsets import UPSETS
from tests.plants import RETRIES, assert_closes, assert_no_chatter, column, plant, utc

HOUR, DAY = 3600, 86400
LFP = {"model": "lifepo4", "capacity_ah": 100.0}


def turns(p: Plant, machine: Machine) -> list[tuple[str, str]]:
    return [(e.to, e.reason) for e in p.events() if e.machine is machine]


# --- a shorted cell --------------------------------------------------------------------------------------------------


def summer(
    system_v: int = 12, model: str = "lifepo4", soc: float = 0.8, load_w: float = 20.0, **changes
) -> Plant:
    """Clear days in June at 47 N, a module or two in series, two of them side by side."""
    kind = {12: "lifepo4_4s", 24: "lifepo4_8s"}[system_v] if model.startswith("life") else "sealed"
    return plant(
        seed=3, start_utc_s=utc("2026-06-20T23:00"), sky={"clearness": None, "albedo": 0.2},
        location={"latitude_deg": 47.0, "longitude_deg": 7.0, "altitude_m": 500.0, "timezone": "Etc/GMT-1"},
        weather={"temperature_c": (15.0,) * 12}, array={"parallel": 2, "series": system_v // 12, "tilt_deg": 30.0},
        controller={"battery_type": kind}, load={"hourly_w": (load_w * system_v / 12,) * 24},
        battery={"model": model, "capacity_ah": 100.0, "system_v": system_v, "soc": soc, "room_c": 20.0}, **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("system_v", "shorted", "soc", "fills"),
    [(12, 1, 0.8, True), (12, 1, 0.3, False), (24, 1, 0.8, True), (24, 2, 0.6, False)],
)
def test_a_shorted_cell_trips_the_bms_and_leaves_the_string_as_empty_as_it_is(system_v, shorted, soc, fills):
    p = summer(system_v, soc=soc)
    p.run(11 * HOUR)
    since = p.advance_to(p.t_utc_s + 5)
    broken = [p.upset("battery_cell_shorted") for _ in range(shorted)]
    cells = 4 * system_v // 12 - shorted
    assert p.snapshot.e_faded_wh == pytest.approx(since.e_stored_wh * shorted / (cells + shorted), rel=1e-3)
    rows = p.run(3 * HOUR, 5)
    assert turns(p, Machine.BMS_DISCHARGE) == [("OPEN", "BMS: over-discharge")]
    assert (("OPEN", "BMS: over-charge") in turns(p, Machine.BMS_CHARGE)) == fills
    v_cell = column(rows, "v_cells_v") / cells
    assert v_cell.max() < 3.65 + 0.05  # for the two seconds that it takes to trip
    assert column(rows, "i_batt_a").min() >= 0.0
    before_wh = p.snapshot.e_stored_wh
    for number in broken:
        p.mend(number)
    assert (p.snapshot.soc, p.snapshot.e_stored_wh) == pytest.approx((0.0, 0.0), abs=0.01)
    assert p.snapshot.e_faded_wh == pytest.approx(
        since.e_stored_wh * shorted / (cells + shorted) + before_wh, rel=1e-3
    )
    p.run(30 * HOUR)
    assert p.snapshot.soc > 0.2
    assert p.snapshot.v_batt_v < 14.6 * system_v / 12
    assert turns(p, Machine.BMS_DISCHARGE)[-1] == ("CLOSED", "BMS: discharging allowed again")
    assert_closes(p, since)
    assert_no_chatter(p)


def test_the_field_case_of_a_cell_shorted_for_three_hours():
    """Was 4,098 events, 17.8 V to the end, 20 Wh from nothing and a quarter of the load served."""
    p = summer(upsets=[{"name": "battery_cell_shorted", "after": "10h", "lasts": "3h"}])
    rows = p.run(2 * DAY, 60)
    assert column(rows, "v_batt_v").max() < 14.6
    assert p.snapshot.e_faded_wh > 1000.0
    assert p.snapshot.e_unserved_wh < 0.1 * p.snapshot.e_load_wh
    assert len(p.events()) < 60
    assert_no_chatter(p)


@pytest.mark.parametrize("model", ["agm", "flooded", "gel"])
def test_a_lead_acid_cell_that_is_sound_again_is_empty_too(model):
    p = summer(model=model)
    since = p.advance_to(p.t_utc_s + 5)
    number = p.upset("battery_cell_shorted")
    p.run(2 * HOUR)
    before = p.snapshot
    p.mend(number)
    assert p.snapshot.soc == 0.0
    assert p.snapshot.e_stored_wh < 20.0  # in the double layer
    assert p.snapshot.e_faded_wh == pytest.approx(
        before.e_faded_wh + before.e_stored_wh - p.snapshot.e_stored_wh, rel=1e-9
    )
    p.run(DAY)
    assert p.snapshot.soc > 0.2
    assert_closes(p, since)


def test_a_plant_that_goes_on_from_a_file_still_knows_its_shorted_cell():
    p = summer()
    p.run(11 * HOUR)
    p.upset("battery_cell_shorted")
    p.run(60)
    q = Plant(p.site, p.remembered())
    for each in (p, q):
        each.run(HOUR)
    assert p.snapshot == q.snapshot
    assert turns(q, Machine.BMS_DISCHARGE) == [("OPEN", "BMS: over-discharge")]


# --- too cold to charge ----------------------------------------------------------------------------------------------


def winter(t_c: float, load_w: float = 20.0, soc: float = 0.6, swing_k: float = 0.0) -> Plant:
    """Clouds in January at 47 N, the battery outdoors."""
    return plant(
        seed=3, start_utc_s=utc("2026-01-09T23:00"), sky={"clearness": 0.5},
        weather={"temperature_c": (t_c,) * 12, "temperature_swing_c": swing_k},
        location={"latitude_deg": 46.8, "longitude_deg": 6.9, "altitude_m": 500.0, "timezone": "Etc/GMT-1"},
        array={"parallel": 2, "tilt_deg": 30.0}, battery={**LFP, "soc": soc, "room_c": "outdoor"},
        controller={"model": "tracer4210n", "battery_type": "lifepo4_4s"}, load={"hourly_w": (load_w,) * 24},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("t_c", "load_w", "soc", "most"),
    [(-12.0, 20.0, 0.6, 40), (-12.0, 35.0, 0.8, 120), (-18.0, 10.0, 0.5, 40)],
)
def test_a_load_in_the_cold_comes_and_goes_a_few_times_an_hour_at_most(t_c, load_w, soc, most):
    """Was off and on every five seconds at dawn: the charger alone lifts the terminals, the load pulls them down."""
    p = winter(t_c, load_w, soc)
    since = p.advance_to(p.t_utc_s + 5)
    p.run(2 * DAY)
    assert turns(p, Machine.BMS_CHARGE) == [("OPEN", "BMS: too cold to charge")]
    assert sum(e.machine is Machine.LOAD for e in p.events()) < most
    assert_no_chatter(p)
    assert_closes(p, since)


def test_cold_refuses_charge_and_the_account_says_so():
    """Field case: 91 % of the energy was told to be unused because the battery was full, at a third of its charge."""
    p = winter(-10.0, 10.0)
    p.run(2 * DAY)
    s = p.snapshot
    assert s.soc < 0.5
    assert s.e_untaken_full_wh == 0.0
    assert s.e_untaken_bms_wh > 0.8 * s.e_available_wh


def test_weather_that_crosses_freezing_switches_the_bms_twice_a_day_at_most():
    p = winter(2.0, swing_k=16.0)
    p.run(4 * DAY)
    assert 2 <= len(turns(p, Machine.BMS_CHARGE)) <= 9


def test_a_battery_that_is_warm_again_waits_for_half_a_minute_before_it_takes_charge():
    p = winter(2.0, swing_k=20.0)
    rows = p.run(2 * DAY, 5)
    at = next(e.t_utc_s for e in p.events() if e.machine is Machine.BMS_CHARGE and e.to == "CLOSED")
    t, warm = column(rows, "t_utc_s"), column(rows, "t_batt_c") >= 5.0
    assert at - t[np.flatnonzero(warm & (t < at + 60.0) & (t > at - 600.0))[0]] == pytest.approx(
        32.0, abs=10.0
    )


@pytest.mark.parametrize(("load_w", "target_v"), [(0.0, 14.5), (5.0, 14.5)])
def test_in_dim_light_an_array_alone_gives_no_more_than_it_has(load_w, target_v):
    """Each step in which the terminals leapt from target to battery, a tangent promised three times what there was."""
    p = winter(-12.0, load_w, soc=0.2)
    rows = p.run(DAY, 5)
    passing = column(rows, "regime") == Regime.PASSING
    assert passing.sum() > 100
    assert np.all(column(rows, "p_pv_w")[passing] <= 1.02 * column(rows, "p_mp_w")[passing] + 0.01)
    alone = passing & (column(rows, "i_batt_a") == 0.0)
    assert np.all(column(rows, "v_batt_v")[alone] >= (column(rows, "v_cells_v") - BODY_DIODE_V)[alone] - 1e-6)
    assert column(rows, "v_batt_v").max() <= target_v


# --- PV voltage ------------------------------------------------------------------------------------------------------


def cold_array(series: int, t_c: float, v_mp_v: float, v_oc_v: float, **changes) -> Plant:
    sheet = {"i_sc_a": 8.9, "v_oc_v": v_oc_v, "i_mp_a": 8.3, "v_mp_v": v_mp_v, "cells_in_series": 72,
             "alpha_sc_pct_k": 0.05, "beta_voc_pct_k": -0.31}  # fmt: skip
    return plant(
        seed=1, start_utc_s=utc("2026-01-09T23:00"), weather={"temperature_c": (t_c,) * 12}, sky={},
        location={"latitude_deg": 45.0, "longitude_deg": 8.0, "altitude_m": 250.0, "timezone": "Europe/Rome"},
        array={"module": {"datasheet": sheet}, "series": series, "tilt_deg": 60.0}, load={"hourly_w": (10.0,) * 24},
        controller={"model": "tracer4210a"},
        battery={"model": "agm", "capacity_ah": 200.0, "system_v": 24, "soc": 0.5, "room_c": 10.0}, **changes,
    )  # fmt: skip


def test_a_cold_array_whose_terminals_stay_below_the_rating_is_used():
    """Field case: two modules of 46 V at -30 degC; 29 of 6,089 Wh were used, as the open circuit passed 100 V."""
    p = cold_array(2, -30.0, 37.2, 46.0)
    rows = p.run(2 * DAY, 60)
    assert column(rows, "v_oc_v").max() > 100.0
    assert p.snapshot.e_pv_wh == pytest.approx(3600.0, rel=0.02)
    assert turns(p, Machine.PV_VOLTAGE) == []


def test_an_array_far_above_the_rating_is_never_used():
    """Field case: three modules of 45 V on a unit for 100 V."""
    p = cold_array(3, -20.0, 36.2, 45.0)
    p.run(2 * DAY)
    assert all(
        to == "HIGH" or reason == "PV voltage within its rating"
        for to, reason in turns(p, Machine.PV_VOLTAGE)
    )
    assert len(turns(p, Machine.PV_VOLTAGE)) == 4
    assert p.snapshot.e_untaken_pv_high_wh > 0.999 * p.snapshot.e_available_wh


# --- what holds whatever breaks --------------------------------------------------------------------------------------

# The strings have one module, and no charger hangs on the battery.
BREAKS = [name for name in UPSETS if name not in {"string_shorted", "charger_fails"}]
upsets = st.lists(
    st.tuples(st.sampled_from(BREAKS), st.integers(0, 30), st.integers(1, 10)), max_size=3
).map(lambda some: [{"name": n, "after": f"{a}h", "lasts": f"{lasts}h"} for n, a, lasts in some])  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(
    model=st.sampled_from(["lifepo4", "agm"]), system_v=st.sampled_from([12, 24]), t_c=st.floats(-40.0, 60.0),
    room=st.sampled_from(["outdoor", 20.0]), soc=st.floats(0.1, 1.0), load_w=st.sampled_from([0.0, 10.0, 30.0]),
    broken=upsets, day=st.integers(0, 360), seed=st.integers(0, 1000),
)  # fmt: skip
def test_no_machine_chatters_and_energy_closes_whatever_breaks(
    model, system_v, t_c, room, soc, load_w, broken, day, seed
):
    p = plant(
        seed=seed, start_utc_s=utc("2026-01-01T00:00") + day * DAY, weather={"temperature_c": (t_c,) * 12},
        battery={"model": model, "soc": soc, "system_v": system_v, "room_c": room, "capacity_ah": 100.0},
        array={"series": system_v // 12, "parallel": 2}, load={"hourly_w": (load_w,) * 24}, upsets=broken,
        controller={"battery_type": "sealed" if model == "agm" else f"lifepo4_{system_v // 3}s"},
    )  # fmt: skip
    since = p.advance_to(p.t_utc_s + 5)
    p.run(2 * DAY)
    assert_closes(p, since)
    assert p.snapshot.e_faded_wh >= 0.0
    assert_no_chatter(p, RETRIES)


@settings(max_examples=60, deadline=None)
@given(
    model=st.sampled_from(["lifepo4", "agm", "flooded", "gel"]), soc=st.floats(0.0, 1.0), t_c=st.floats(-20.0, 50.0),
    lost=st.floats(0.0, 0.9), gained=st.floats(0.0, 3.0), cell=st.booleans(), amps=st.floats(-20.0, 20.0),
)  # fmt: skip
def test_no_upset_adds_energy_to_a_battery_when_it_begins_or_ends(model, soc, t_c, lost, gained, cell, amps):
    well = load_block(model)
    broken = battery.aged(well, lost, gained)
    if cell:
        broken = battery.one_cell_less(broken)
    x = battery.rested(soc, t_c, well)
    for _ in range(20):  # not at rest
        dx, _ = battery.rates(x, amps, t_c, well)
        moved = battery.moved(x, 1.0, dx, well)
        x = moved if 0.0 <= battery.soc(moved, well) <= 1.0 else x
    energies = [battery.stored_wh(x, well)]
    for before, after in ((well, broken), (broken, well)):
        x = battery.carried_over(x, before, after)
        energies.append(battery.stored_wh(x, after))
        assert battery.possible(x, after)
    assert energies[0] >= energies[1] >= energies[2] - 1e-9
    if cell:
        assert battery.soc(x, well) == 0.0
    else:
        assert battery.soc(x, well) <= soc * (1.0 - lost) + 0.02
