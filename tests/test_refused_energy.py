"""Available energy that nobody took is booked to what refused it: battery, its BMS, cold, a rating, the PV voltage."""

import numpy as np
import pytest

from plant.controller.charger import Machine, Stage
from plant.kernel.booking import NOT_TAKEN, who_refused
from plant.kernel.flowtable import FLOW_NAMES
from plant.plant import Plant
from plant.power.converter import Regime
from tests.plants import assert_closes, plant, utc

HOUR = 3600
NO_CLOUDS = {"clearness": None, "albedo": 0.2}
UNTAKEN = [name for name in FLOW_NAMES if name.startswith("untaken_")]


def noon(start: str = "2026-06-20T10:00", model: str = "agm", **changes) -> Plant:
    """Ten in the morning of a clear day, two modules, a battery that is half empty."""
    store = {"model": model, "soc": 0.5, "capacity_ah": 200.0, "room_c": 25.0, **changes.pop("battery", {})}
    given = {"array": {"parallel": 2}, "load": {"hourly_w": (10.0,) * 24}, "sky": NO_CLOUDS, "battery": store}
    if model == "lifepo4":
        given["controller"] = {"battery_type": "lifepo4_4s"}
    return plant(start_utc_s=utc(start), **{**given, **changes})


def refused(p: Plant, seconds: int = HOUR) -> dict[str, float]:
    """What refused energy from now on [Wh], and that the account still closes."""
    since = p.advance_to(p.t_utc_s + 5)
    p.run(seconds)
    assert_closes(p, since)
    by = {name: getattr(p.snapshot, f"e_{name}_wh") - getattr(since, f"e_{name}_wh") for name in UNTAKEN}
    return {name: wh for name, wh in by.items() if wh > 0.1}


def told(p: Plant, **changed) -> Plant:
    p.configure(p.settings._replace(**changed))
    return p


def with_upset(p: Plant, name: str, **values: float) -> Plant:
    p.upset(name, **values)
    return p


CASES = {
    "a battery at its voltage": (lambda: noon(battery={"soc": 1.0}), "untaken_full"),
    "a battery over its voltage": (
        lambda: told(noon(battery={"soc": 0.9}), over_voltage_disconnect_v=13.0, over_voltage_reconnect_v=9.0,
                     **dict.fromkeys(("charging_limit_v", "equalize_v", "boost_v"), 12.9), float_v=12.8,
                     boost_reconnect_v=12.0, low_voltage_reconnect_v=11.9, under_voltage_recover_v=11.8,
                     under_voltage_warning_v=11.5), "untaken_full"),
    "a percentage that was set": (
        lambda: noon(battery={"soc": 0.9, "capacity_ah": 50.0},
                     controller={"settings": {"management_mode": 1, "charge_pct": 40}}), "untaken_full"),
    "a BMS that finds it too cold": (lambda: noon(model="lifepo4", battery={"room_c": -10.0}), "untaken_bms"),
    "a BMS that finds it too hot": (lambda: noon(model="lifepo4", battery={"room_c": 50.0}), "untaken_bms"),
    "a BMS over a shorted cell": (
        lambda: with_upset(noon(model="lifepo4", battery={"soc": 0.95, "capacity_ah": 50.0}),
                           "battery_cell_shorted"), "untaken_bms"),
    "a blown fuse": (lambda: with_upset(noon(), "battery_disconnected"), "untaken_bms"),
    "the cold of the controller's settings": (
        lambda: noon(model="lifepo4", battery={"room_c": 5.0}, controller={
            "battery_type": "lifepo4_4s", "settings": {"lithium_protection": 0x100, "low_temperature_charge_c": 8.0}}),
        "untaken_cold"),
    "a rating": (
        lambda: noon(array={"parallel": 6}, battery={"capacity_ah": 800.0},
                     controller={"model": "tracer1210n"}), "untaken_limit"),
    "an array far above the rating": (
        lambda: noon(array={"series": 7}, weather={"temperature_c": (-10.0,) * 12}), "untaken_pv_high"),
    "a heat sink": (lambda: told(noon(), device_hot_c=20.0, device_cool_c=15.0), "untaken_off"),
    "a hot battery": (lambda: told(noon(), battery_hot_c=20.0), "untaken_off"),
    "a battery of another voltage": (
        lambda: noon(controller={"settings": {"system_code": 2}}), "untaken_off"),
    "a module below the battery": (
        lambda: noon(battery={"system_v": 24}, array={"parallel": 2, "series": 1}), "untaken_off"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_energy_that_nobody_took_goes_to_what_refused_it(case):
    make, name = CASES[case]
    p = make()
    p.run(600)  # what trips has tripped
    by = refused(p)
    assert by.get(name, 0.0) > 50.0
    assert by[name] == pytest.approx(sum(by.values()), rel=1e-3)


def test_at_night_nothing_refuses_anything():
    p = noon("2026-06-20T23:00", model="lifepo4", battery={"room_c": -10.0})
    assert refused(p) == {}


def test_a_refusal_ends_with_its_cause():
    p = noon()
    fuse = p.upset("battery_disconnected")
    assert set(refused(p, 600)) == {"untaken_bms"}
    p.mend(fuse)
    assert refused(p, 600) == {}


def test_a_bms_that_is_open_takes_no_blame_while_all_the_sun_is_used():
    """The load takes more than the array gives: the tracker's share is lost, and nothing is refused."""
    p = noon(model="lifepo4", battery={"room_c": -10.0, "soc": 0.9}, load={"hourly_w": (390.0,) * 24})
    assert refused(p) == {}
    assert p.snapshot.regime == Regime.TRACKING


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("way_in", [True, False])
def test_only_a_closed_way_in_changes_what_a_regime_is_booked_to(regime, way_in):
    modes = np.zeros(len(Machine), np.int64)
    modes[Machine.CHARGE] = Stage.BULK
    name = FLOW_NAMES[who_refused(regime.value, modes, way_in)]
    shut = not way_in and regime in (Regime.OFF, Regime.CONSTANT_VOLTAGE)
    assert name == ("untaken_bms" if shut else FLOW_NAMES[NOT_TAKEN[regime]])
