"""Dim light: the array passed through, its second branch, idle voltages at dawn and dusk; on a 50 W module, 12 V."""

from functools import cache

import numpy as np
import pytest

from plant.base.configs import find
from plant.controller.charger import Stage
from plant.plant import Plant
from plant.power.converter import Regime
from plant.site.model import Site
from tests.plants import column, site
from validation.givenlight import plant_in

STEPS = 17280
HOUR = 720


def held(*levels: float) -> np.ndarray:
    """A day of equal pieces of constant light [W/m2]."""
    return np.repeat(levels, STEPS // len(levels)).astype(float)


@cache
def ramp() -> np.ndarray:
    """Samples of a day of light up to 700 W/m2 and down again, on a large battery that never gets to its voltage."""
    up = np.linspace(0.0, 700.0, STEPS // 2)
    p = plant_in(np.concatenate([up, up[::-1]]), battery={"capacity_ah": 1000.0, "soc": 0.4})
    return p.run(86400, 60)


def test_below_the_threshold_the_array_stands_a_little_above_the_battery_by_the_law_of_the_logs():
    rows = ramp()
    i, regime = column(rows, "i_chg_a"), column(rows, "regime")
    above = column(rows, "v_pv_v") - column(rows, "v_batt_v")
    first = (regime == Regime.PASSING) & (i < 0.75)
    assert first.sum() > 500
    np.testing.assert_allclose(above[first], 1.17 + 0.44 * np.sqrt(i[first]), atol=1e-9)
    assert 0.0 < i[first].min() < 0.01  # charged to the last drop


def test_the_second_branch_is_entered_at_1_a_and_left_at_three_quarters():
    rows = ramp()
    i, regime = column(rows, "i_chg_a"), column(rows, "regime")
    above = column(rows, "v_pv_v") - column(rows, "v_batt_v")
    second = (regime == Regime.PASSING) & (np.abs(above - 0.9) < 1e-9)
    morning = np.arange(len(rows)) < len(rows) // 2
    assert i[second & morning].min() == pytest.approx(1.0, abs=0.01)
    assert i[second & ~morning].min() == pytest.approx(0.76, abs=0.01)
    assert i[second].max() == pytest.approx(1.35, abs=0.01)


def test_it_tracks_from_1_35_a_on_and_never_below():
    rows = ramp()
    i = column(rows, "i_chg_a")
    tracking = column(rows, "regime") == Regime.TRACKING
    assert i[tracking].min() == pytest.approx(1.35, abs=0.01)
    assert (column(rows, "v_pv_v") - column(rows, "v_batt_v"))[tracking].min() > 3.0
    assert tracking[len(rows) // 2]
    changes = np.flatnonzero(np.diff(tracking.astype(int)))
    assert len(changes) == 2  # no to and fro


@pytest.mark.parametrize(
    ("poa_w_m2", "share"), [(20, 0.89), (50, 0.85), (100, 0.82), (200, 0.80), (400, 0.77)]
)
def test_a_50_w_module_yields_what_its_curve_gives_at_the_battery_s_voltage(poa_w_m2, share):
    """By a single diode and the law, at 12.9 V; a node of 20 W lost a quarter of its winter's energy before."""
    p = plant_in(held(poa_w_m2), battery={"capacity_ah": 1000.0, "soc": 0.75})
    s = p.advance_to(p.t_utc_s + 3600)
    assert 12.4 < s.v_batt_v < 12.9
    assert 12.9 * s.i_chg_a / s.p_mp_w == pytest.approx(share, abs=0.025)


@pytest.mark.parametrize(("fidelity", "step_s"), [("detailed", 5), ("sizing", 60), ("sizing", 3600)])
def test_both_fidelities_and_long_steps_pass_the_same_energy_and_their_accounts_close(fidelity, step_s):
    n = 86400 // step_s
    hours = np.arange(n) * step_s / 3600.0
    light = 250.0 * np.clip(np.sin(np.pi * (np.floor(hours) - 6.0) / 12.0), 0.0, None)
    p = plant_in(light, fidelity=fidelity, step_s=step_s, battery={"soc": 0.4})
    s = p.advance_to(p.t_utc_s + 86400)
    assert s.e_chg_wh == pytest.approx(71.2, rel=0.005)
    assert s.e_pv_wh == pytest.approx(s.e_chg_wh + s.e_converter_loss_wh, rel=1e-9)
    assert s.e_available_wh == pytest.approx(
        s.e_pv_wh + s.e_missed_wh + s.e_untaken_full_wh + s.e_untaken_off_wh + s.e_untaken_limit_wh, rel=1e-9
    )
    assert s.e_missed_wh > 0.0
    assert s.e_converter_loss_wh == pytest.approx(0.11 * s.e_pv_wh, rel=0.03)  # 1.5 V of 14


def test_at_its_voltage_it_regulates_at_any_current():
    """V_pv jumps from 1.4 V above the battery to where the curve gives little: 17.9 to 20 V in the logs."""
    p = plant_in(held(60.0), battery={"capacity_ah": 30.0, "soc": 1.0})
    rows = p.run(20 * 3600, 60)
    at_target = column(rows, "regime") == Regime.CONSTANT_VOLTAGE
    assert at_target.any()
    np.testing.assert_array_equal(column(rows, "v_batt_v")[at_target], column(rows, "v_target_v")[at_target])
    i = column(rows, "i_chg_a")[at_target]
    assert 0.01 < i.min() < i.max() < 0.05
    assert column(rows, "v_pv_v")[at_target].min() > 17.0
    p_pv, p_mp = column(rows, "p_pv_w")[at_target], column(rows, "p_mp_w")[at_target]
    assert (p_pv < p_mp).all()  # what it takes is there


def test_idle_at_dawn_and_dusk_the_terminals_stand_at_the_battery_s_voltage_and_at_night_a_little_above_nothing():
    light = np.zeros(STEPS)
    light[6 * HOUR : 7 * HOUR] = np.linspace(0.01, 4.0, HOUR)
    light[7 * HOUR : 17 * HOUR] = 100.0
    light[17 * HOUR : 18 * HOUR] = np.linspace(4.0, 0.01, HOUR)
    rows = plant_in(light, battery={"capacity_ah": 1000.0, "soc": 0.5}).run(86400, 60)
    above = column(rows, "v_pv_v") - column(rows, "v_batt_v")
    v_oc, i = column(rows, "v_oc_v"), column(rows, "i_chg_a")
    idle = (i == 0.0) & (v_oc > column(rows, "v_batt_v"))
    assert 20 < idle.sum() < 170  # minutes
    np.testing.assert_array_equal(above[idle], 0.0)
    assert (v_oc[idle] - column(rows, "v_batt_v")[idle]).max() > 3.0  # the open circuit lies far above
    faint = (i > 0.0) & (i < 0.01)  # shown as 0.00 A
    assert faint.any()
    np.testing.assert_allclose(above[faint], 1.19, atol=0.03)
    night = v_oc == 0.0
    np.testing.assert_array_equal(column(rows, "v_pv_v")[night], 0.35)
    assert column(rows, "v_pv_min_today_v")[-1] == 0.35


def test_of_a_full_battery_above_its_float_voltage_the_array_is_open_in_dim_light_too():
    """No current comes from an array that stands far left of its open circuit, unless the light is next to none."""
    light = held(*[0.0] * 6, *[150.0] * 12, *[0.0] * 6)
    rows = plant_in(light, battery={"soc": 1.0}).run(86400, 60)
    is_idle = (column(rows, "stage") == Stage.FLOAT) & (column(rows, "i_chg_a") == 0.0)
    full = is_idle & (column(rows, "poa_w_m2") > 100.0)
    assert full.sum() > 3  # minutes from the boost voltage down
    np.testing.assert_array_equal(column(rows, "v_pv_v")[full], column(rows, "v_oc_v")[full])
    assert column(rows, "v_pv_v")[full].min() > 17.0


def test_charging_begins_at_more_light_than_it_ends():
    light = np.zeros(STEPS)
    up = np.linspace(0.0, 12.0, 6 * HOUR)
    light[6 * HOUR : 18 * HOUR] = np.concatenate([up, up[::-1]])
    rows = plant_in(light, battery={"capacity_ah": 1000.0, "soc": 0.5}).run(86400, 60)
    i, g = column(rows, "i_chg_a"), column(rows, "poa_w_m2")
    charged = np.flatnonzero(i > 0.0)
    assert i[charged[0]] == pytest.approx(0.02, abs=0.001)
    assert g[charged[0]] > 3.0 * g[charged[-1]]


def test_a_controller_may_track_down_to_the_last_watt(tmp_path):
    """`dim_below_a: 0`: no passing through, open circuit while idle."""
    lines = find("controllers", site().controller.model).read_text(encoding="utf-8").splitlines(keepends=True)
    own = tmp_path / "own.yaml"
    own.write_text(
        "".join("dim_below_a: 0\n" if line.startswith("dim_below_a") else line for line in lines),
        encoding="utf-8",
    )
    light = held(*[0.0] * 12, 100.0, *[0.0] * 11)
    rows = plant_in(light, controller={"model": str(own)}, battery={"soc": 0.5}).run(86400, 60)
    assert set(np.unique(column(rows, "regime"))) == {Regime.OFF, Regime.TRACKING}


def test_a_shaded_array_is_passed_through_by_its_table():
    """Two modules side by side, one of them at another tilt: a curve that no single diode has."""
    module = {"module": "philadelphia_ps_m36s_95", "tilt_deg": 20}
    array = {"sub_arrays": [module, {**module, "tilt_deg": 70}]}
    there = Site.model_validate({**site(battery={"soc": 0.4}).model_dump(), "array": array})
    rows = Plant.new(there, 1).run(86400, 60)
    above = column(rows, "v_pv_v") - column(rows, "v_batt_v")
    i, passing = column(rows, "i_chg_a"), column(rows, "regime") == Regime.PASSING
    first = passing & (i < 0.75)
    assert first.sum() > 20
    np.testing.assert_allclose(above[first], 1.17 + 0.44 * np.sqrt(i[first]), atol=1e-9)


def test_a_battery_that_is_gone_leaves_the_array_open():
    """Nothing to stand at: the upset of a disconnected battery in dim light."""
    p = plant_in(held(2.0), battery={"soc": 0.5})
    p.advance_to(p.t_utc_s + 3600)
    p.upset("battery_disconnected")
    s = p.advance_to(p.t_utc_s + 600)
    assert s.v_batt_v == 0.0
    assert s.v_pv_v == s.v_oc_v
    assert s.stage in {Stage.NONE, Stage.BULK}
