"""Keys of what hangs on the battery, contradictions between them, and an inverter's sheet."""

import numpy as np
import pytest

from plant.load.inverter import Inverter
from plant.power.posts import NO_OUTFIT
from plant.site.model import Site, load_site
from tests.huts import inverter
from tests.plants import site
from tests.test_site import CABIN, line_of, problems

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


def test_a_site_without_them_is_as_it_was():
    there = site()
    assert there.battery.loads == there.battery.chargers == ()
    assert there.battery.outfit() == NO_OUTFIT
    assert Site.model_validate(load_site("workshop_24v").model_dump()) == load_site("workshop_24v")
