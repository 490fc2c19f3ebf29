"""Settings: what goes together, what the display derives, what a site presets; and that none of them breaks a plant."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.controller.settings import (
    PRESET,
    RANGES,
    TYPE_OF_CODE,
    TYPE_OF_NAME,
    VOLTAGES,
    Settings,
    checked,
    derived,
    disorder,
    factory,
    family,
    known_setting,
    preset,
)
from plant.plant import Plant
from tests.plants import site, utc

# What the display derives, beside what the vendor's own table has for the same type [MAN_XTRA]: where they differ.
PRINTED_OTHERWISE = {
    "sealed": {"over_voltage_disconnect_v": -0.2},
    "lincm_3s": {"discharging_limit_v": -0.1},
    "lincm_6s": {"discharging_limit_v": -0.2},
    "lincm_7s": {"discharging_limit_v": 0.0},
}


@pytest.mark.parametrize("name", ["sealed", "lifepo4_4s", "lifepo4_8s", "lincm_3s", "lincm_6s"])
def test_four_voltages_give_the_other_eight_as_the_vendors_table_has_them(name):
    """Two columns of the manual against each other: the derivation and the presets."""
    system_v = TYPE_OF_NAME[name].system_v or 12
    printed = preset(TYPE_OF_NAME[name].code, system_v)
    told = ("boost_v", "float_v", "low_voltage_reconnect_v", "low_voltage_disconnect_v")
    made = derived(*(printed[key] for key in told), kind=family(TYPE_OF_NAME[name].code), system_v=system_v)
    assert set(made) == set(VOLTAGES)
    off = {
        key: round(made[key] - printed[key], 6)
        for key in VOLTAGES
        if made[key] != pytest.approx(printed[key])
    }
    assert off == pytest.approx(PRINTED_OTHERWISE.get(name, {}))


def test_a_site_may_give_the_four_voltages_of_the_display():
    use = {
        "boost_v": 28.8,
        "float_v": 27.4,
        "low_voltage_reconnect_v": 25.0,
        "low_voltage_disconnect_v": 22.4,
    }
    made = site(battery={"system_v": 24}, controller={"use": use}).settings()
    assert (made.over_voltage_disconnect_v, made.equalize_v, made.boost_reconnect_v) == (31.6, 29.2, 26.2)
    assert (made.under_voltage_warning_v, made.under_voltage_recover_v, made.discharging_limit_v) == (
        24.2,
        24.6,
        21.4,
    )
    assert (made.battery_type, made.system_code) == (0, 2)


def test_voltages_come_from_one_place():
    use = {
        "boost_v": 14.4,
        "float_v": 13.6,
        "low_voltage_reconnect_v": 12.5,
        "low_voltage_disconnect_v": 11.1,
    }
    with pytest.raises(ValidationError, match="not under both"):
        site(controller={"use": use, "setpoints": {"boost_v": 14.3}})


def test_a_site_presets_what_a_client_could_have_set():
    made = site(
        controller={"settings": {"load_mode": "light_and_timer", "timer1_min": 90, "battery_hot_c": 50}}
    ).settings()
    assert (made.load_mode, made.timer1_min, made.battery_hot_c) == (2, 90, 50.0)
    assert site(controller={"settings": {"load_at_power_up": 0}}).settings().load_on == 0
    for infinite in (math.inf, math.nan):
        with pytest.raises(ValueError, match=r"load_on must be a whole number in 0\.\.1"):
            known_setting("load_on", infinite)
    assert site(controller={"settings": {"load_at_power_up": 0, "load_on": 1}}).settings().load_on == 1


@pytest.mark.parametrize(
    ("given_", "said"),
    [({"load_mod": 1}, "did you mean load_mode"), ({"boost_v": 14.0}, "unknown setting"),
     ({"load_mode": "dusk"}, "0..3 or one of manual, light"), ({"timer1_min": 1.5}, "a whole number in 0..1440"),
     ({"discharge_pct": 10}, "20..80"), ({"battery_hot_c": math.nan}, "a number in -40..100")],
)  # fmt: skip
def test_a_preset_that_cannot_be_is_refused_with_what_would_do(given_, said):
    with pytest.raises(ValidationError, match=said):
        site(controller={"settings": given_})


def test_every_field_has_a_range_or_is_one_of_the_twelve_voltages_or_the_type():
    assert set(RANGES) | set(VOLTAGES) | {"battery_type"} == set(Settings._fields)
    assert set(PRESET) < set(RANGES)


@pytest.mark.parametrize(
    ("name", "value"), [("boost_min", 200), ("equalize_min", -1), ("compensation_mv_k_cell", 9.5)]
)
def test_a_value_out_of_its_range_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} must lie in"):
        checked(factory(1, 12)._replace(**{name: value}))


def test_an_unknown_battery_type_is_refused():
    with pytest.raises(ValueError, match="unknown battery type 6; known: 0, 1, 2"):
        checked(factory(1, 12)._replace(battery_type=6))


# any settings at any moment


def number(name: str) -> st.SearchStrategy:
    least, most = RANGES[name]
    if Settings.__annotations__[name] is int:
        return st.integers(int(least), int(most))
    return st.floats(least, most)


def in_order(volts: list[float]) -> dict[str, float]:
    """The twelve voltages from falling ones, as the rules of the device want them."""
    names = dict(zip(VOLTAGES, sorted(volts, reverse=True), strict=True))
    names["over_voltage_reconnect_v"] = min(names["over_voltage_reconnect_v"], names["charging_limit_v"])
    return names


def obeying(given_: Settings) -> Settings:
    """The settings with no night brighter than the day, and lithium equalized at its boost voltage."""
    dark_v, light_v = sorted((given_.night_v, given_.day_v))
    same = {"equalize_v": given_.boost_v} if TYPE_OF_CODE[given_.battery_type].lithium else {}
    return given_._replace(night_v=dark_v, day_v=light_v, **same)


any_volts = st.lists(
    st.integers(900, 1700).map(lambda v: v / 100.0), min_size=12, max_size=12, unique=True
).map(in_order)
any_settings = st.builds(
    Settings,
    battery_type=st.sampled_from(sorted(TYPE_OF_CODE)),
    **{name: number(name) for name in RANGES},
    **dict.fromkeys(VOLTAGES, st.just(0.0)),
)
any_change = st.tuples(any_settings, any_volts, st.integers(1, 40_000))


@settings(max_examples=25, deadline=None)
@given(
    start_h=st.integers(0, 23), changes=st.lists(any_change, min_size=1, max_size=4),
    fidelity=st.sampled_from(["detailed", "detailed", "sizing"]), clock_s=st.integers(946_684_800, 4_102_444_800),
)  # fmt: skip
def test_nothing_that_a_client_may_write_breaks_the_plant(start_h, changes, fidelity, clock_s):
    """Any settings in their ranges and order, given at any moments, with the clock set and the power cut between."""
    start = utc("2026-03-20T00:00") + 3600 * start_h
    p = Plant.new(site(load={"hourly_w": (60.0,) * 24}), 1, start, fidelity)
    for number_, (given_, volts, seconds) in enumerate(changes):
        told = checked(obeying(given_._replace(**volts)))
        assert not list(disorder(told))
        p.configure(told)
        assert p.settings == told
        if number_ == 1:
            p.set_clock(float(clock_s))
        if number_ == 2:
            p.power_cycle()
        before = p.t_utc_s
        rows = p.run(seconds + 60, 300)
        assert p.t_utc_s >= before + seconds - 60
        assert np.all(np.isfinite(rows))
        assert np.all(np.isfinite(p.snapshot))
    assert p.overrun_steps == 0
