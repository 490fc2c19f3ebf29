"""A design looked over before it runs: each problem is named once, with its number and its fix, and a sound one not."""

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from plant.base import configs
from plant.design.extremes import Extremes, extremes_of, sunrise_h
from plant.design.figures import Figures
from plant.design.finding import Level
from plant.design.sheet import CHECKS, SheetRow, announced, inspected
from plant.report.designsheet import print_design
from plant.site.model import Site, load_site
from plant.weather.sky import air_of_days, drawn_clearness
from tests.command import ROOT
from tests.plants import site
from tracertwin.pages.checks import PAGE, current

SHIPPED = sorted(path.stem for path in (configs.config_dir() / "sites").glob("*.yaml"))
MODULE_72 = {
    "i_sc_a": 8.9, "v_oc_v": 45.0, "i_mp_a": 8.3, "v_mp_v": 36.2, "cells_in_series": 72, "alpha_sc_pct_k": 0.05,
    "beta_voc_pct_k": -0.31, "gamma_pmp_pct_k": -0.42,
}  # fmt: skip
TWO_PLANES = {
    "sub_arrays": [
        {"module": "zytech_zt155p", "series": 2, "tilt_deg": 30},
        {"module": "zytech_zt155p", "series": 1, "tilt_deg": 30},
    ]
}
LITHIUM = {"model": "lifepo4", "room_c": 18}
SET_LITHIUM = {"battery_type": "lifepo4_4s"}


def rows(there: Site) -> tuple[SheetRow, ...]:
    return inspected(there, extremes_of(there))


def amiss(there: Site) -> dict[str, SheetRow]:
    return {row.check.name: row for row in rows(there) if row.finding.level is not Level.OK}


def wired(**changes: Any) -> Site:
    """The cabin with a 24 V battery and two modules, then changed."""
    data = site().model_dump()
    data["array"] |= {"module": "zytech_zt155p", "series": 2}
    data["battery"] |= {"system_v": 24}
    for key, value in changes.items():
        data[key] = value if key == "array" and "sub_arrays" in value else {**data[key], **value}
    return Site.model_validate(data)


# --- sound ones -----------------------------------------------------------------------------------------------------


# A bench is no design: its lamp is as strong as a test of a controller wants it.
@pytest.mark.parametrize("name", [name for name in SHIPPED if name != "bench"])
def test_of_a_shipped_site_there_is_nothing_to_report(name):
    there = load_site(name)
    for each in (there, *(there.seen_by(neighbour) for neighbour in there.neighbours)):
        assert amiss(each) == {}
        assert list(announced(rows(each))) == []


def test_a_sound_plant_of_24_v_has_nothing_to_report():
    assert amiss(wired()) == {}


# --- wrong ones -----------------------------------------------------------------------------------------------------

WRONG = {
    "three modules of 45 V in series": (
        wired(array={"module": {"datasheet": MODULE_72}, "series": 3}, battery={"capacity_ah": 200}),
        "open-circuit voltage", Level.WRONG, 152.6, "put 1 in series instead of 3",
    ),
    "a 12 V module on a 24 V battery": (
        wired(array={"series": 1}), "voltage when hot", Level.WRONG, 15.9, "nothing is charged then",
    ),
    "sixty cells on a 24 V battery": (
        wired(array={"module": {"datasheet": {**MODULE_72, "v_oc_v": 37.5, "v_mp_v": 30.2, "cells_in_series": 60}},
                     "series": 1}),
        "voltage when hot", Level.CHECK, 26.2, "put more cells in series",
    ),
    "strings of high current on a small controller": (
        site(array={"module": {"datasheet": {**MODULE_72, "v_oc_v": 21.6, "v_mp_v": 17.6, "cells_in_series": 36,
                                             "i_sc_a": 11.0, "i_mp_a": 10.3}}},
             controller={"model": "tracer1210n"}),
        "short-circuit current", Level.CHECK, 11.0, "more modules in series and fewer in parallel",
    ),
    "a string above the tracker's range in the cold": (
        wired(array={"module": {"datasheet": {**MODULE_72, "v_oc_v": 42.6, "v_mp_v": 36.4}}},
              battery={"capacity_ah": 200}),
        "voltage when cold", Level.CHECK, 85.0, "the tracker ends at 72 V",
    ),
    "thin film by its sheet": (
        site(array={"module": {"datasheet": {**MODULE_72, "i_sc_a": 6.0, "v_oc_v": 23.5, "i_mp_a": 5.2, "v_mp_v": 17.8,
                                             "cells_in_series": 36, "gamma_pmp_pct_k": None, "technology": "cigs"}}}),
        "thin film", Level.CHECK, -13.1, "give efficiency_200_pct",
    ),
    "an array far larger than the controller": (
        wired(array={"parallel": 4}, controller={"model": "tracer2210n"}, battery={"capacity_ah": 200}),
        "array power", Level.CHECK, 2.38, "install at most 780 W",
    ),
    "strings of two lengths side by side": (
        wired(array=TWO_PLANES, battery={"capacity_ah": 120}),
        "unequal strings", Level.WRONG, 50.0, "the same number of cells in series",
    ),
    "modules that face north in the Alps": (
        wired(array={"azimuth_deg": 0, "tilt_deg": 45}), "facing", Level.WRONG, 25.0, "180 faces the equator here",
    ),
    "thin cable to the array": (
        wired(array={"losses": {"wiring": {"length_m": 40.0, "cross_section_mm2": 2.5}}}),
        "array cable", Level.WRONG, 13.0, "take a thicker or shorter cable",
    ),
    "a battery too small for the array": (
        wired(battery={"capacity_ah": 25}), "charge rate", Level.WRONG, 0.47, "at least 59 Ah",
    ),
    "a battery too large for the array": (
        site(battery={"capacity_ah": 400}), "charge rate", Level.CHECK, 0.018, "at most 182 Ah",
    ),
    "a load above the output's rating": (
        site(load={"hourly_w": [0.0] * 23 + [160.0]}, controller={"model": "tracer1210n"}),
        "load output", Level.WRONG, 13.3, "the output trips at 102 %",
    ),
    "a load that drains the battery in two hours": (
        wired(load={"hourly_w": [0.0] * 23 + [700.0]}, battery={"capacity_ah": 60}),
        "discharge rate", Level.CHECK, 0.486, "at least 146 Ah",
    ),
    "a generator's charger beside the array": (
        wired(battery={"capacity_ah": 100, "chargers": [{"name": "generator", "current_a": 20, "voltage_v": 28.8}]}),
        "charge rate", Level.CHECK, 0.32, "at least 159 Ah, or less current of array and chargers",
    ),
    "an inverter that empties the battery in two hours": (
        wired(battery={"capacity_ah": 60, "loads": [{"demand": {"hourly_w": [0.0] * 23 + [700.0]}}]}),
        "discharge rate", Level.CHECK, 0.486, "at least 147 Ah",
    ),
    "a battery on a long thin cable": (
        wired(battery={"cable_ohm": 0.12}), "battery cable", Level.WRONG, 5.93, "at most 40.4 mOhm",
    ),
    "settings of sealed lead-acid on lithium": (
        site(battery=LITHIUM), "battery type", Level.WRONG, 3.65, "take battery_type lifepo4_4s",
    ),
    "settings of another lithium on iron phosphate": (
        site(battery=LITHIUM, controller={"battery_type": "lincm_3s"}), "battery type", Level.WRONG, 3.125,
        "only 3.12 V a cell",
    ),
    "settings of lithium on lead-acid": (
        site(controller=SET_LITHIUM), "battery type", Level.WRONG, 2.4167, "take sealed, gel or flooded",
    ),
    "settings of flooded on a gel battery": (
        site(battery={"model": "gel"}, controller={"battery_type": "flooded"}),
        "battery type", Level.CHECK, 2.467, "take battery_type sealed or gel",
    ),
    "lead-acid drained to 10 V": (
        site(controller={"setpoints": {"low_voltage_disconnect_v": 10.0, "discharging_limit_v": 10.0}}),
        "disconnect voltage", Level.WRONG, 10.0, "10.8 V or more",
    ),
    "a disconnect below the BMS": (
        site(battery=LITHIUM, controller={"compensation_mv_k_cell": 0.0, "equalize_min": 0, "setpoints": {
            "low_voltage_disconnect_v": 10.0, "discharging_limit_v": 10.0}}),
        "disconnect voltage", Level.WRONG, 10.0, "else the BMS opens first",
    ),
    "a lithium battery charged above its BMS": (
        site(battery=LITHIUM, controller={"compensation_mv_k_cell": 0.0, "equalize_min": 0,
                                          "setpoints": {"boost_v": 14.9, "equalize_v": 14.9}}),
        "BMS over-charge", Level.WRONG, 14.9, "lower boost_v and equalize_v below 14.6 V",
    ),
    "a lithium battery charged in the frost": (
        site(battery={**LITHIUM, "room_c": -10.0}, controller=SET_LITHIUM),
        "charging in the cold", Level.WRONG, -10.0, "lithium_protection 256",
    ),
    "a lithium battery in a cold shed": (
        site(battery={**LITHIUM, "room_c": "outdoor"}, controller=SET_LITHIUM, weather={"temperature_c": (6.0,) * 12}),
        "charging in the cold", Level.CHECK, -8.7, "lithium_protection 256",
    ),
    "a controller set to 12 V on 24 V": (
        wired(controller=SET_LITHIUM), "system voltage", Level.WRONG, 24.8, "set the controller to 24 V",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_problem_is_named_once_with_its_number_and_its_fix(what):
    there, name, level, value, fix = WRONG[what]
    found = amiss(there)
    assert list(found) == [name]
    finding = found[name].finding
    assert finding.level is level
    assert finding.value == pytest.approx(value, rel=0.02)
    assert fix in finding.fix
    assert finding.found
    assert finding.limit
    assert finding.keys


def test_a_bms_of_less_current_than_the_cells_bear_is_what_limits_the_battery(tmp_path):
    """Its current grows with the capacity, as that of its kind of battery does."""
    path = tmp_path / "small_bms.yaml"
    own = configs.find("batteries", "lifepo4").read_text(encoding="utf-8")
    path.write_text(re.sub(r"bms_over_current_a: \d+", "bms_over_current_a: 40", own), encoding="utf-8")
    there = site(battery={**LITHIUM, "model": str(path), "capacity_ah": 25}, controller=SET_LITHIUM,
                 load={"hourly_w": [0.0] * 23 + [137.0]}, array={"parallel": 2})  # fmt: skip
    found = amiss(there)
    assert set(found) == {"discharge rate", "charge rate"}
    drained, charged = (found[name].finding for name in ("discharge rate", "charge rate"))
    assert (drained.level, drained.limit) == (Level.WRONG, "C/2.5 at most")
    assert drained.fix == "take at least 29 Ah: the BMS opens first"
    assert charged.fix.startswith("the BMS opens: take at least 36 Ah")


def test_every_check_objects_to_one_of_them():
    """A further check needs a site that it objects to."""
    assert {name for _, name, *_ in WRONG.values()} == {check.name for check in CHECKS}


OHM_DROP = 36.62 / 8.47  # of the array's cable that would take all of its voltage
CHARGE_A = 310.17 * 0.995 / 26.0  # of the same array into 24 V
EDGES = {  # check: how a value makes a site of it; values with the level on either side of every limit
    "array cable": (
        lambda share: wired(array={"losses": {"wiring_ohm": share * OHM_DROP}}),
        {0.049: "ok", 0.051: "check", 0.099: "check", 0.101: "wrong"},
    ),
    "battery cable": (
        lambda share: wired(battery={"cable_ohm": share * 24.0 / CHARGE_A}),
        {0.0199: "ok", 0.0201: "check", 0.0499: "check", 0.0501: "wrong"},
    ),
    "charge rate": (
        lambda hours: wired(battery={"capacity_ah": hours * CHARGE_A}),
        {25.1: "check", 24.9: "ok", 5.01: "ok", 4.99: "check", 2.51: "check", 2.49: "wrong"},
    ),
    "discharge rate": (
        lambda hours: wired(load={"hourly_w": [240.0] * 24}, battery={"capacity_ah": hours * 10.0}),
        {5.01: "ok", 4.99: "check", 1.01: "check", 0.99: "wrong"},
    ),
    "load output": (
        lambda share: wired(load={"hourly_w": [24.0 * 40.0 * share] * 24}),
        {0.899: "ok", 0.901: "check", 0.999: "check", 1.001: "wrong"},
    ),
    "array power": (
        lambda share: wired(controller={"model": "tracer1210n"}, array={"parallel": round(share * 260.0 / 310.17)}),
        {1.2: "ok", 2.4: "check", 3.6: "wrong"},
    ),
    "facing": (
        lambda azimuth_deg: wired(array={"azimuth_deg": azimuth_deg, "tilt_deg": 45.0}),
        {180.0: "ok", 135.0: "ok", 120.0: "check", 80.0: "check", 70.0: "wrong", 290.0: "wrong"},
    ),
    "disconnect voltage": (
        lambda volts: wired(controller={"setpoints": {"low_voltage_disconnect_v": volts, "discharging_limit_v": 20.0}}),
        {21.6: "ok", 21.58: "check", 21.0: "check", 20.98: "wrong"},
    ),
    "BMS over-charge": (
        lambda volts: site(battery=LITHIUM, controller={
            "compensation_mv_k_cell": 0.0, "equalize_min": 0, "setpoints": {"boost_v": volts, "equalize_v": volts}}),
        {14.59: "ok", 14.6: "wrong"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in EDGES for value in EDGES[name][1]])
def test_each_limit_is_where_the_page_says(name, value):
    make, levels = EDGES[name]
    (level,) = (row.finding.level for row in rows(make(value)) if row.check.name == name)
    assert level == levels[value]


@pytest.mark.parametrize(
    ("coldest_c", "level"), [(15.0, "ok"), (-8.0, "ok"), (-12.0, "check"), (-20.0, "wrong")]
)  # fmt: skip
def test_the_open_circuit_voltage_may_come_within_3_percent_of_the_rating_but_not_above(coldest_c, level):
    """Two modules of 44 V: 97 V at -9, 100 V at -19 degC."""
    sheet = {**MODULE_72, "v_oc_v": 44.0, "v_mp_v": 36.0, "gamma_pmp_pct_k": None}
    there = wired(array={"module": {"datasheet": sheet}, "series": 2}, battery={"capacity_ah": 200})
    row = inspected(there, Extremes(coldest_c, 30.0, 0.0, "model"))[0]
    assert (row.check.name, row.finding.level) == ("open-circuit voltage", level)


def test_modules_above_92_v_at_25_degc_are_worth_a_look_however_warm_the_place_is():
    sheet = {**MODULE_72, "v_oc_v": 46.5, "v_mp_v": 38.0, "gamma_pmp_pct_k": None}
    there = wired(array={"module": {"datasheet": sheet}, "series": 2}, battery={"capacity_ah": 200})
    finding = inspected(there, Extremes(22.0, 35.0, 24.0, "model"))[0].finding
    assert finding.level is Level.CHECK
    assert finding.fix == "the manuals allow 92 V at 25 °C, and it has 93.0 V: put fewer in series"
    near = inspected(there, Extremes(9.0, 35.0, 24.0, "model"))[0].finding
    assert (near.level, near.fix) == (
        Level.CHECK, "leave a margin of 3 %: modules may exceed their sheet by as much",
    )  # fmt: skip


FIELD = {
    "P3, two modules of 46 V at -30 degC": (
        {"datasheet": {**MODULE_72, "v_oc_v": 46.0, "v_mp_v": 37.2, "gamma_pmp_pct_k": None}}, 2, -30.0,
        "open-circuit voltage", 109.0,
    ),
    "P4, three modules of 45 V at -20 degC": ({"datasheet": MODULE_72}, 3, -20.0, "open-circuit voltage", 156.8),
    "P13, one module of 36 cells on 24 V": ("zytech_zt155p", 1, 15.0, "voltage when hot", 16.2),
}  # fmt: skip


@pytest.mark.parametrize("row", FIELD)
def test_what_was_met_in_the_field_is_announced_in_one_line(row):
    module, series, air_c, name, volts = FIELD[row]
    there = Site.model_validate({
        "name": "Hut", "start": "2026-01-10T00:00", "weather": {"temperature_c": air_c},
        "location": {"latitude_deg": 45.0, "longitude_deg": 8.0, "altitude_m": 250.0, "timezone": "Europe/Rome"},
        "array": {"module": module, "series": series, "tilt_deg": 60.0}, "controller": {"model": "tracer4210a"},
        "battery": {"model": "agm", "capacity_ah": 200.0, "system_v": 24, "soc": 0.5, "room_c": 10.0},
        "load": {"hourly_w": [10.0] * 24},
    })  # fmt: skip
    (line,) = announced(rows(there))
    assert line.startswith(f"wrong: {name}: ")
    assert "array.series" in line
    assert "\n" not in line
    assert amiss(there)[name].finding.value == pytest.approx(volts, rel=0.02)


@settings(max_examples=60)
@given(
    module=st.sampled_from(["zytech_zt155p", "philadelphia_ps_m36s_95"]), series=st.integers(1, 100),
    parallel=st.integers(1, 1000), tilt=st.floats(0.0, 90.0), azimuth=st.floats(0.0, 360.0),
    latitude=st.floats(-90.0, 90.0), air_c=st.floats(-60.0, 60.0), clearness=st.none() | st.floats(0.05, 0.75),
    battery=st.sampled_from(["agm", "gel", "flooded", "lifepo4"]), system_v=st.sampled_from([12, 24]),
    capacity_ah=st.floats(0.01, 1e5), cable_ohm=st.floats(0.0, 1e3), load_w=st.floats(0.0, 1e5),
    kind=st.sampled_from(["sealed", "gel", "flooded", "lifepo4_4s", "lifepo4_8s", "lincm_3s", "user"]),
)  # fmt: skip
def test_of_any_site_each_check_says_something_finite_in_words(
    module, series, parallel, tilt, azimuth, latitude, air_c, clearness, battery, system_v, capacity_ah, cable_ohm,
    load_w, kind,
):  # fmt: skip
    there = site(
        location={"latitude_deg": latitude}, weather={"temperature_c": (air_c,) * 12},
        sky={"clearness": None if clearness is None else (clearness,) * 12},
        array={"module": module, "series": series, "parallel": parallel, "tilt_deg": tilt, "azimuth_deg": azimuth},
        controller={"battery_type": kind}, load={"hourly_w": [load_w] + [0.0] * 23},
        battery={"model": battery, "system_v": system_v, "capacity_ah": capacity_ah, "cable_ohm": cable_ohm,
                 "room_c": "outdoor"},
    )  # fmt: skip
    seen = rows(there)
    assert len({row.check.name for row in seen}) == len(seen) >= 10
    for row in seen:
        finding = row.finding
        assert np.isfinite(finding.value)
        assert finding.found
        assert finding.limit
        assert bool(finding.fix) is (finding.level is not Level.OK)
        assert not {"nan", "inf"} & set(row.line().replace("(", " ").split())
        assert "\n" not in row.line()


# --- the figures behind it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["cabin", "repeater"])
def test_the_coldest_air_in_daylight_is_near_that_of_twenty_years_of_the_model(name):
    there = load_site(name)
    extremes, years = extremes_of(there), range(20)
    rises_h, hours = sunrise_h(there.location.latitude_deg)[:, None], np.arange(97) / 4.0
    up = (hours >= rises_h) & (hours <= 24.0 - rises_h)
    coldest, hottest = [], []
    for year in years:
        first = 20454 + 365 * year
        drawn = drawn_clearness(there, 1, first, 365)
        t_c, _ = air_of_days(there, 1, first, 365, drawn, 900, None)
        coldest.append(t_c[up].min())
        hottest.append(t_c.max())
    assert min(coldest) == pytest.approx(extremes.coldest_c, abs=3.0)
    assert max(hottest) == pytest.approx(extremes.hottest_c, abs=3.0)


def test_a_weather_file_has_its_own_coldest_hour_with_light(tmp_path):
    """Colder nights and the means of the site don't count."""
    lines = ["time,ghi_w_m2,t_amb_c"]
    for hour in range(3 * 24):
        light = 300.0 if 10 <= hour % 24 < 14 else 0.0
        air = -30.0 if not light else -12.5 if hour == 34 else -4.0
        lines.append(f"2026-01-{1 + hour // 24:02d}T{hour % 24:02d}:00Z,{light},{air}")
    file = tmp_path / "cold.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    there = site(
        sky={"clearness": None},
        weather={"file": str(file)},
        location={"longitude_deg": 0.0, "timezone": "UTC"},
    )
    extremes = extremes_of(there)
    assert (extremes.coldest_c, extremes.hottest_c, extremes.source) == (-12.5, -4.0, "weather file")


def test_the_sun_rises_at_six_at_the_equator_and_not_at_all_in_polar_winter():
    assert sunrise_h(0.0) == pytest.approx(6.0)
    polar = sunrise_h(75.0)
    assert polar[0] == 12.0
    assert polar[171] == 0.0


def test_the_open_circuit_voltage_is_that_of_the_data_sheet_and_its_coefficient():
    there = wired(array={"module": {"datasheet": {**MODULE_72, "gamma_pmp_pct_k": None}}, "series": 2})
    figures = Figures(there, Extremes(-20.0, 30.0, -5.0, "model"))
    assert figures.curves[0].v_oc_v == pytest.approx(90.0, rel=1e-6)
    assert figures.cold[0].v_oc_v == pytest.approx(90.0 * (1.0 + 0.0031 * 45.0), rel=0.01)
    assert figures.curves[0].i_sc_a == pytest.approx(8.9, rel=1e-4)


# --- what is printed ------------------------------------------------------------------------------------------------


def printed(there: Site, width: int) -> tuple[int, str]:
    out = io.StringIO()
    code = print_design(there, console=Console(file=out, width=width, highlight=False, markup=False))
    return code, out.getvalue()


@pytest.mark.parametrize("width", [120, 80, 40])
def test_the_sheet_fits_the_terminal_and_has_every_number(width):
    there = WRONG["three modules of 45 V in series"][0]
    code, text = printed(there, width)
    assert code == 1
    assert max(len(line) for line in text.splitlines()) <= width
    for row in rows(there):
        assert row.check.name in text
    assert "152.8 V at" in text
    assert "put 1 in series" in text


def test_a_sound_site_says_so_and_ends_with_0():
    code, text = printed(load_site("farm"), 80)
    assert code == 0
    assert text.count("nothing to report") == 2
    assert "Pump" in text


def test_a_check_alone_is_no_failure():
    code, text = printed(WRONG["a battery too large for the array"][0], 80)
    assert code == 0
    assert "check  charge rate (battery.capacity_ah)" in text


def test_the_page_has_the_table_that_runs():
    page = PAGE.read_text(encoding="utf-8")
    assert current(page) == page, "run: python -m tracertwin.pages.checks"


# --- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hut(tmp_path_factory) -> Path:
    """A site file of a module that can't charge its battery."""
    text = (ROOT / "config" / "sites" / "repeater.yaml").read_text(encoding="utf-8")
    file = tmp_path_factory.mktemp("inspect") / "hut.yaml"
    file.write_text(
        text.replace("series: 2 ", "series: 1 ").replace("name: Repeater", "name: Hut"), encoding="utf-8"
    )
    return file


def test_inspect_ends_as_a_linter_does(hut, call, tmp_path):
    """0 where nothing is wrong, 1 where something is, 2 for a file that can't be used."""
    assert call("inspect", "repeater", "--json")[0] == 0
    code, told, _ = call("inspect", str(hut), "--json")
    assert code == 1
    (plant,) = json.loads(told)["plants"]
    found = {each["check"]: each for each in plant["checks"]}
    assert [name for name, each in found.items() if each["level"] == "wrong"] == ["voltage when hot"]
    assert found["voltage when hot"]["value"] == pytest.approx(15.6, abs=0.3)
    assert found["voltage when hot"]["keys"][0] == "array.series"
    broken = tmp_path / "broken.yaml"
    broken.write_text("name: 5\n", encoding="utf-8")
    assert call("inspect", str(broken))[0] == 2


@pytest.mark.parametrize(
    "verb",
    [("run", "--days", "0.01"), ("serve", "--for", "1min", "--speed", "100000"), ("demo", "--days", "0.01")],
)
def test_what_is_wrong_is_told_in_one_line_before_the_run_and_the_run_goes_on(hut, call, tmp_path, verb):
    link = ("--link", f"unix-listen:{tmp_path}/line.sock") if verb[0] == "serve" else ()
    code, _, said = call(verb[0], str(hut), *verb[1:], *link)
    lines = [line for line in said.splitlines() if "wrong:" in line]
    assert len(lines) == 1
    assert lines[0].startswith("tracertwin: Hut: wrong: voltage when hot: V_mp 15.")
    assert code == 0
