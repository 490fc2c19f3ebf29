"""Heat and overload: what the controller does when its heat sink or its load switch gets too much."""

import numpy as np
import pytest

from plant.controller.charger import Machine, Stage
from plant.plant import Plant
from tests.plants import assert_closes, column, plant, utc

HOUR = 3600
NO_CLOUDS = {"clearness": None, "albedo": 0.2}


def strong_plant(start: str = "2026-06-20T08:00", load_w=10.0, **load) -> Plant:
    """775 W of modules on a battery that takes and gives whatever is asked."""
    return plant(
        start_utc_s=utc(start), sky=NO_CLOUDS, array={"module": "zytech_zt155p", "parallel": 5},
        battery={"soc": 0.6, "capacity_ah": 2000.0, "room_c": 25.0}, load={"hourly_w": (load_w,) * 24, **load},
    )  # fmt: skip


def moved(p: Plant, machine: Machine) -> list[tuple[float, str]]:
    return [(e.t_utc_s, e.to) for e in p.events() if e.machine is machine]


def test_a_dusty_heat_sink_has_the_controller_throttle_itself_step_by_step():
    p = strong_plant()
    since = p.advance_to(p.t_utc_s + 5)
    p.upset("heatsink_blocked", times=5.0)
    rows = p.run(8 * HOUR, 5)
    t_c, i_a = column(rows, "t_heatsink_c"), column(rows, "i_chg_a")
    hot = (t_c[:-1] >= 81.0) & (column(rows, "regime")[1:] == 3.0)
    left = i_a[1:][hot] / np.minimum(40.0, 520.0 / column(rows, "v_batt_v")[1:][hot])
    share = np.select([t_c[:-1][hot] < up for up in (82.0, 83.0, 84.0)], [0.95, 0.9, 0.8], 0.6)
    assert hot.sum() > 100
    assert left == pytest.approx(share, rel=1e-9)
    assert t_c.max() < 84.5
    assert moved(p, Machine.HEATSINK) == []
    lost = p.snapshot.e_untaken_limit_wh - since.e_untaken_limit_wh
    steady = column(rows, "p_mp_w")[-1440:] - column(rows, "p_pv_w")[-1440:]
    assert lost > steady.sum() * 5.0 / HOUR > 100.0
    assert_closes(p, since)


def test_a_smothered_heat_sink_stops_the_charge_at_85_degrees_until_it_is_at_75():
    p = strong_plant()
    since = p.advance_to(p.t_utc_s + 5)
    p.upset("heatsink_blocked", times=12.0)
    rows = p.run(8 * HOUR, 5)
    t, t_c = column(rows, "t_utc_s"), column(rows, "t_heatsink_c")
    turns = moved(p, Machine.HEATSINK)
    assert [to for _, to in turns][:4] == ["HOT", "NORMAL", "HOT", "NORMAL"]
    for at, to in turns:
        assert np.interp(at, t, t_c) == pytest.approx(85.0 if to == "HOT" else 75.0, abs=0.2)
    stops = [e for e in p.events() if e.reason == "heat sink too hot" and e.machine is Machine.CHARGE]
    assert [e.t_utc_s for e in stops] == [at for at, to in turns if to == "HOT"]
    off = column(rows, "stage") == Stage.NONE
    assert not column(rows, "i_chg_a")[off].any()
    untaken = p.snapshot.e_untaken_off_wh - since.e_untaken_off_wh
    assert untaken == pytest.approx((column(rows, "p_mp_w")[off]).sum() * 5.0 / HOUR, rel=0.02)
    assert_closes(p, since)


@pytest.mark.parametrize(
    ("share", "borne_s"), [(1.03, 50.0), (1.15, 30.0), (1.3, 10.0), (1.42, 2.0), (1.6, 0.0)]
)
def test_an_overload_is_borne_for_as_long_as_the_manual_says_and_tried_again(share, borne_s):
    p = strong_plant("2026-06-20T23:00", load_w=0.0)
    since = p.advance_to(p.t_utc_s + 60)
    rated_a = p.site.ratings()["load_rated_a"]
    p.upset("load_overload", power_w=share * rated_a * 12.25)
    begun = p.t_utc_s
    if borne_s > 5.0:
        assert p.advance_to(begun + 5).i_load_a / rated_a == pytest.approx(share, abs=0.016)
    p.run(600)
    turns = moved(p, Machine.LOAD)
    assert [to for _, to in turns] == ["OVERLOAD", *["ON", "OVERLOAD"] * 5]
    waits = [borne_s, 5.0, borne_s, 10.0, borne_s, 15.0, borne_s, 20.0, borne_s, 25.0, borne_s]
    assert np.diff([begun, *(at for at, _ in turns)]) == pytest.approx(waits, abs=0.06)
    # Of 5 Wh; what is off is in the double layer of 2,000 Ah, which a jump of the current moves twelve times.
    assert_closes(p, since, battery=2e-6)


def test_a_short_circuit_trips_at_once_and_is_tried_five_times_in_longer_and_longer_intervals():
    """Also beside a load of constant power, which the short leaves without a voltage. Then the load stays off."""
    p = strong_plant("2026-06-20T23:00", load_w=100.0)
    since = p.advance_to(p.t_utc_s + 60)
    short = p.upset("load_short")
    begun = p.t_utc_s
    p.run(HOUR)
    turns = moved(p, Machine.LOAD)
    assert turns[0][0] == pytest.approx(begun, abs=0.01)
    trips = [at for at, to in turns if to == "SHORT"]
    assert np.diff(trips) == pytest.approx([5.0, 10.0, 15.0, 20.0, 25.0], abs=0.01)
    assert (p.snapshot.load_state, p.snapshot.load_retries) == (3.0, 5.0)
    p.mend(short)
    p.run(HOUR)
    assert p.snapshot.p_load_w == 0.0
    p.configure(p.settings._replace(load_on=0))
    p.configure(p.settings._replace(load_on=1))
    assert p.advance_to(p.t_utc_s + 5).p_load_w == pytest.approx(100.0)
    assert_closes(p, since)


@pytest.mark.parametrize(
    "mix", [{"power": 1.0}, {"power": 0.9, "current": 0.1}, {"power": 0.9, "resistance": 0.1}]
)
def test_a_load_whose_power_no_voltage_can_carry_is_switched_off(mix):
    """Whatever else it draws: a corroded terminal leaves 140 W at most."""
    p = plant(
        start_utc_s=utc("2026-06-20T22:00"), sky=NO_CLOUDS, battery={"soc": 0.9, "cable_ohm": 0.29},
        load={"hourly_w": (160.0,) * 24, "mix": mix},
    )  # fmt: skip
    p.run(60, 5)
    first = next(e for e in p.events() if e.machine is Machine.LOAD)
    assert (first.t_utc_s, first.reason) == (p.start_utc_s, "load voltage collapsed")
    assert p.snapshot.e_load_wh < 0.01 * p.snapshot.e_unserved_wh
