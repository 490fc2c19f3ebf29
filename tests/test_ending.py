"""The last lines of a summary: which state a plant ended in, since when and why, and nothing of an ordinary one."""

import io
import re

import pytest
from rich.console import Console

from modbus.codec.requests import ReadWords
from plant.plant import Plant
from plant.report.ending import END_STATES, ending_lines, froze, large_array, too_cold_to_charge, unsolved
from plant.report.summary import print_summary
from plant.report.trace import Trace
from plant.site.model import load_site
from tests.journals import ask, rig
from tests.plants import plant, site
from tracertwin.journal.replay import print_replay

DAY = 86400
MODULE_45_V = {
    "i_sc_a": 8.9, "v_oc_v": 45.0, "i_mp_a": 8.3, "v_mp_v": 36.2, "cells_in_series": 72, "alpha_sc_pct_k": 0.05,
    "beta_voc_pct_k": -0.31,
}  # fmt: skip
FEBRUARY, JUNE, DECEMBER = 1_771_581_600, 1_781_992_800, 1_797_807_600  # in the morning, local time
LITHIUM = {"model": "lifepo4", "soc": 0.03, "capacity_ah": 20.0, "room_c": 15.0}
SET_LITHIUM = {"battery_type": "lifepo4_4s", "compensation_mv_k_cell": 0.0}


def lived(p: Plant, days: float) -> tuple[Plant, Trace]:
    return p, Trace(p.run(days * DAY, 3600), p.site.location.timezone, p.events(), p.site.name)


def hourly(there, start_utc_s: int, seed: int = 1) -> Plant:
    return Plant.new(there, seed, start_utc_s, "sizing", 3600)


def ended(p: Plant, days: float) -> list[str]:
    return list(ending_lines(*lived(p, days)))


@pytest.mark.parametrize("name", ["cabin", "repeater", "motorhome", "clinic"])
def test_of_an_ordinary_day_nothing_is_told(name):
    p, trace = lived(hourly(load_site(name), FEBRUARY), 2)
    assert list(ending_lines(p, trace)) == []
    assert list(large_array(p, trace)) == []
    assert list(too_cold_to_charge(p, trace)) == []
    assert list(froze(trace)) == []
    assert list(unsolved([p])) == []


def test_a_load_that_was_cut_off_is_told_with_its_time_and_reason():
    p = hourly(site(battery={"soc": 0.12}, sky={"clearness": (0.03,) * 12}), DECEMBER)
    (line,) = ended(p, 2)
    moment = next(e.t_utc_s for e in reversed(p.events()) if e.reason == "low-voltage disconnect")
    assert line.startswith("load off since 2026-12-2")
    assert line.endswith(" (low-voltage disconnect)")
    assert DECEMBER < moment < p.t_utc_s


def flat(start_utc_s: int, **changes: object) -> Plant:
    """A lithium battery that the controller's own use empties after the load has been cut off."""
    battery = {"model": "lifepo4", "soc": 0.03, "capacity_ah": 10.0, "room_c": 15.0}
    return hourly(
        site(
            battery=battery,
            controller={"battery_type": "lifepo4_4s"},
            load={"hourly_w": [1.0] * 24},
            **changes,
        ),
        start_utc_s,
    )


def test_a_bms_that_opened_for_good_is_told_with_the_word_that_nothing_wakes_it():
    """The array is above the controller's rating, so that no charge comes whatever the sun does."""
    p = flat(FEBRUARY, array={"module": {"datasheet": MODULE_45_V}, "series": 4})
    asleep, bms, charger, load = ended(p, 3)
    opened = next(e.t_utc_s for e in reversed(p.events()) if e.reason == "BMS: over-discharge")
    assert asleep == "controller without power since 2026-02-21 02:55 (battery below 8 V)"
    assert bms == (
        "BMS open for discharge since 2026-02-21 02:55 (over-discharge): "
        "nothing wakes it, no charge has come from the sun since"
    )
    assert charger.startswith("charger off since 2026-02-23 ")
    assert load == "load off since 2026-02-20 11:13 (low-voltage disconnect)"
    assert opened == pytest.approx(1_771_638_922, abs=60)  # in detail 1,395 s later


def test_a_bms_that_opened_in_the_dark_waits_for_charge():
    polar = {"latitude_deg": 78.2, "longitude_deg": 15.6, "timezone": "UTC"}
    p = flat(1_795_132_800, location=polar, sky={"clearness": None}, weather={"temperature_c": (15.0,) * 12})
    _, bms, _ = ended(p, 2)
    assert bms.startswith("BMS open for discharge since 2026-11-2")
    assert bms.endswith(" (over-discharge): it waits for charge")


def test_an_array_above_the_rating_is_told_by_day_and_after_sunset():
    there = site(array={"module": {"datasheet": MODULE_45_V}, "series": 3}, battery={"system_v": 24})
    p = hourly(there, FEBRUARY)
    by_day = ended(p, 0.1)
    assert by_day[0].startswith("charger off since 2026-02-20 11:")
    assert by_day[0].endswith("PV voltage too high)")
    by_night = ended(hourly(there, FEBRUARY + 14 * 3600), 2)
    assert by_night[0].startswith(
        "charger off for the last 2 days with sun on the array (PV voltage too high): "
    )


def test_a_module_below_the_battery_is_told():
    there = site(array={"module": "zytech_zt155p"}, battery={"system_v": 24})
    (line,) = ended(hourly(there, FEBRUARY), 2)
    assert line.startswith("charger off for the last 2 days with sun on the array (PV voltage not above")


def test_a_battery_too_low_to_start_the_controller_is_the_reason_that_no_charge_came():
    shorted = {"name": "battery_cell_shorted", "after": "1h"}
    asleep, _, off = ended(hourly(site(upsets=(shorted,) * 3), FEBRUARY), 3)
    assert asleep.endswith(" (battery below 8 V)")
    assert off.startswith(
        "charger off for the last 2 days with sun on the array (battery below the 8 V that start the controller): "
    )


def test_a_cold_lithium_battery_is_told_by_its_bms():
    there = site(battery=LITHIUM | {"soc": 0.5, "room_c": -10.0}, controller=SET_LITHIUM)
    lines = ended(hourly(there, FEBRUARY), 0.2)
    assert lines[0].startswith("BMS open for charge since 2026-02-20 ")
    assert lines[0].endswith(" (too cold to charge)")


def test_a_tripped_load_is_told():
    p = plant(start_utc_s=FEBRUARY, upsets=({"name": "load_short", "after": "1h"},))
    lines = ended(p, 0.25)
    assert [line.partition(" since ")[0] for line in lines] == ["load off"]
    assert lines[0].endswith("(load short circuit)")


def test_each_row_stands_for_a_state_that_no_machine_begins_in():
    assert len({(row.machine, row.state) for row in END_STATES}) == len(END_STATES)
    assert all(row.state != 0 for row in END_STATES)


# --- an array that is larger than the load needs --------------------------------------------------------------------


def test_unused_energy_of_a_large_array_is_said_to_be_normal():
    there = site(array={"parallel": 5}, battery={"soc": 0.95})
    p, trace = lived(hourly(there, JUNE), 3)
    (line,) = large_array(p, trace)
    times = p.snapshot.e_available_wh / p.snapshot.e_pv_wh
    assert times > 3.0
    assert line.startswith(f"the array could have given {times:.1f} times what was used")
    assert "normal" in line


def test_a_battery_too_cold_to_charge_is_told_where_it_costs_most_of_the_energy():
    """It ends the day warm enough, so no machine's last state tells it."""
    battery = {"model": "lifepo4", "soc": 0.6, "capacity_ah": 100.0}
    told = {}
    for room_c in (-1.0, 10.0):
        there = site(battery={**battery, "room_c": room_c}, controller={"battery_type": "lifepo4_4s"})
        p, trace = lived(hourly(there, DECEMBER), 2)
        told[room_c] = list(too_cold_to_charge(p, trace))
    (line,) = told[-1.0]
    assert line.startswith("the battery was too cold to be charged (-1 °C at its coldest): the BMS refused ")
    assert told[10.0] == []


def test_a_large_array_is_no_comfort_where_the_inverter_did_not_serve():
    house = {"inverter": {"rated_w": 200.0}, "demand": {"hourly_w": (500.0,) + (5.0,) * 23}}
    there = site(array={"parallel": 5}, battery={"soc": 0.95, "loads": (house,)})
    p, trace = lived(hourly(there, JUNE), 3)
    assert p.snapshot.e_unserved_wh == 0.0
    assert p.snapshot.e_inverter_unserved_wh > 1000.0
    assert list(large_array(p, trace)) == []


def test_ice_in_the_battery_is_told_since_nothing_else_in_the_summary_shows_it():
    """Held at its voltage it counts as full, and its load is off at a charge that would do in summer."""
    told = {}
    for room_c in (-25.0, 5.0):
        there = site(
            battery={"model": "flooded", "soc": 0.4, "room_c": room_c},
            controller={"battery_type": "flooded"},
            array={"parallel": 4},
        )
        p, trace = lived(hourly(there, DECEMBER), 2)
        out = io.StringIO()
        print_summary(p, trace, p.snapshot, Console(file=out, width=2000))
        told[room_c] = [line for line in out.getvalue().splitlines() if "ice in the battery" in line]
    (line,) = told[-25.0]
    assert re.match(r"there was ice in the battery for \d+ h \(-2\d °C at its coldest, [34]\d% full", line)
    assert told[5.0] == []


def test_a_large_array_is_no_comfort_where_the_load_was_not_served():
    there = site(
        array={"parallel": 5}, battery={"soc": 0.95, "capacity_ah": 5.0}, load={"hourly_w": [15.0] * 24}
    )
    p, trace = lived(hourly(there, JUNE), 3)
    assert p.snapshot.e_unserved_wh > 0.0
    assert list(large_array(p, trace)) == []


# --- where it stands ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 40])
def test_they_are_the_last_lines_of_the_summary_and_fit(width):
    p = hourly(site(array={"module": "zytech_zt155p"}, battery={"system_v": 24}), FEBRUARY)
    before = p.snapshot
    _, trace = lived(p, 2)
    out = io.StringIO()
    print_summary(p, trace, before, Console(file=out, width=width, highlight=False, soft_wrap=True))
    head, _, last = out.getvalue().partition("\nended with\n")
    assert head
    assert " ".join(last.split()).startswith("charger off for the last 2 days with sun on the array")
    assert max(map(len, last.splitlines())) <= width


# --- steps that could not be solved ---------------------------------------------------------------------------------

BUG = "3 steps could not be solved: this is a bug, do not trust this run"


@pytest.fixture
def overrun(monkeypatch):
    monkeypatch.setattr(Plant, "overrun_steps", property(lambda _: 3))


@pytest.mark.usefixtures("overrun")
@pytest.mark.parametrize(
    "words",
    [
        ("run", "--days", "0.01"),
        ("serve", "--for", "1min", "--speed", "1000", "--link", "listen:127.0.0.1:0"),
        ("demo", "--days", "0.01"),
    ],
    ids=["run", "serve", "demo"],
)
def test_whatever_ran_a_plant_with_unsolved_steps_ends_with_1(call, words):
    code, printed, said = call(*words)
    assert code == 1
    assert BUG in printed + said


def test_a_replay_with_unsolved_steps_ends_with_1(tmp_path, monkeypatch, capsys):
    journal = tmp_path / "run.jsonl"
    with rig(tmp_path, record=journal, polled_s=10.0) as served:
        ask(served, ReadWords(1, 4, 0x3100, 8))
    assert print_replay(journal, print) == 0
    monkeypatch.setattr(Plant, "overrun_steps", property(lambda _: 3))
    assert print_replay(journal, print) == 1
    assert BUG in capsys.readouterr().out
