"""State files of older versions: what today's program makes of them is what theirs made of them."""

import json
import lzma
import socket
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modbus.codec.requests import ReadWords
from modbus.line.endpoint import parse_endpoint
from plant.base.problems import ProblemsError
from plant.saving.from3 import site_of_3
from plant.saving.state import SavedStateError, continued, from_plain, resolved, saved_state
from plant.saving.versions import RULES_OF_1, STEPS, VERSION, site_of_2, up_to_date
from plant.site.model import Site, load_site
from tests.journals import ask, replayed
from tests.plants import plant, site
from tests.test_statefile import read
from tests.weather_of_0_1 import bring_back
from tracertwin.assembly.options import Options
from tracertwin.memory.committing import plants_from, unit_ids_from
from tracertwin.memory.file import StateFile
from tracertwin.memory.history import History
from tracertwin.memory.migrating import FILE_VERSION, RENAMED_IN_2
from tracertwin.memory.migrating import STEPS as FILE_STEPS
from tracertwin.rig.serving import Rig

DATA = Path(__file__).parent / "data" / "statefile_1"
DAY = 86400


def farm() -> Site:
    return Site.model_validate({**load_site("farm").model_dump(), "start": "2026-02-20T14:00:00"})


SITES: dict[str, Callable[[], Site]] = {
    "lead": lambda: site(
        start="2026-02-20T14:00:00",
        battery={"ageing": "rainflow", "soc": 0.75},
        upsets=[{"name": "battery_aged", "after": "40h", "values": {"capacity_lost": 0.2}}],
    ),
    "lithium": lambda: site(
        start="2026-02-20T14:00:00",
        battery={"model": "lifepo4", "ageing": "naumann", "soc": 0.3},
        controller={"tracker": "dynamic", "battery_type": "lifepo4_4s"},
    ),
    "farm": farm,
}
NAMES = pytest.mark.parametrize("name", SITES)


def old(name: str, folder: Path) -> Path:
    path = folder / f"{name}.db"
    path.write_bytes(lzma.decompress((DATA / f"{name}.db.xz").read_bytes()))
    return path


def then(name: str) -> dict[str, Any]:
    """How the program that wrote the file went on with it."""
    went_on: dict[str, Any] = json.loads(lzma.decompress((DATA / f"{name}.json.xz").read_bytes()))
    return went_on


# --- going on -------------------------------------------------------------------------------------------------------

AS_IT_WAS = {"clock_dst": True, "boost_timer": "accumulate"}  # what version 1 did, which has become a choice
GAUGE = "soc_controller"  # version 1 left the temperature out of it


def as_version_1(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site with the equipment of version 1: no dim light, no voltage at night, batteries as they were fitted."""
    there = SITES[name]().model_dump()
    for part in (there, *there["neighbours"]):
        model = Path("config/controllers").resolve() / f"{part['controller']['model']}.yaml"
        lines = model.read_text(encoding="utf-8").splitlines(keepends=True)
        before = folder / f"{model.stem}.yaml"
        kept_lines = [line for line in lines if not line.startswith(("dim_below_a", "dark_pv_v"))]
        before.write_text("".join([*kept_lines, "dim_below_a: 0\ndark_pv_v: 0\n"]), encoding="utf-8")
        part["controller"] |= {**AS_IT_WAS, "model": str(before)}
        block = DATA / "batteries" / f"{part['battery']['model']}.yaml"
        if block.exists():
            part["battery"] |= {"model": str(block)}
    monkeypatch.setattr("tracertwin.memory.file.differing", lambda *_: "")  # it is another site, on purpose
    return Site.model_validate(there)


@NAMES
def test_plants_of_an_old_file_go_on_as_they_did(name, tmp_path, monkeypatch):
    """To the same events and the same numbers, but for the integrator's error (1 mV), since its steps have changed."""
    bring_back(monkeypatch)
    went_on, there = then(name), as_version_1(name, tmp_path, monkeypatch)
    with closing(StateFile.opened(old(name, tmp_path))) as file:
        plants = plants_from(file, there, None, None, print)
    assert len(plants) == len(went_on["units"])
    same = [field for field in went_on["fields"] if field != GAUGE]
    for p, unit in zip(plants, went_on["units"], strict=True):
        places = [p.snapshot._fields.index(field) for field in same]
        theirs = [went_on["fields"].index(field) for field in same]
        for rows, key in ((p.run(1200, 60), "first_minutes"), (p.run(DAY - 1200, 3600), "hours")):
            np.testing.assert_allclose(
                rows[:, places], np.array(unit[key], float)[:, theirs], rtol=1e-3, atol=1e-3
            )
        told = [[e.t_utc_s, e.machine.name, e.from_, e.to, e.reason] for e in p.events()]
        assert [words for _, *words in told] == [words for _, *words in unit["events"]]
        times = [[e[0] for e in events] for events in (told, unit["events"])]
        # Each is placed to 0.05 s, retries follow one another.
        np.testing.assert_allclose(*times, rtol=0.0, atol=0.2)
        wanted, found = up_to_date(unit["kept"]), json.loads(json.dumps(saved_state(p)))
        for plain in (wanted, found):
            plain["watch"] = plain["snapshot"] = None  # the snapshot has the gauge; the samples have the rest
            plain["aged"].pop("surface_f", None)  # as good as infinite; ageing takes its share of it
        assert_like(wanted, found)


def assert_like(wanted: Any, found: Any, where: str = "") -> None:
    """That two plain records are the same, but for a retry under 40 A that falls into the next hour: 0.06 Ah."""
    if isinstance(wanted, dict):
        assert sorted(wanted) == sorted(found), where
        for key, value in wanted.items():
            assert_like(value, found[key], f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(wanted) == len(found), where
        for place, value in enumerate(wanted):
            assert_like(value, found[place], f"{where}[{place}]")
    elif isinstance(wanted, float):
        assert float(found) == pytest.approx(wanted, rel=1e-3, abs=0.1), where
    else:
        assert wanted == found, where


@NAMES
def test_an_old_file_goes_on_with_the_site_it_was_begun_with(name, tmp_path):
    """Whatever keys sites and controllers have got since; and its clock shows what it showed."""
    unit = then(name)["units"][0]
    with closing(StateFile.opened(old(name, tmp_path))) as file:
        (p, *_) = plants_from(file, SITES[name](), None, None, print)
    first = dict(zip(then(name)["fields"], unit["first_minutes"][0], strict=True))
    rows = p.run(60, 60)
    assert rows[0, p.snapshot._fields.index("t_device_s")] == first["t_device_s"]


def test_the_old_files_hold_what_a_step_could_lose():
    """Timers in the middle of their dwell, retries, upsets to come and past, settings that aren't the site's."""
    lead, lithium, farm_house = (then(name)["units"] for name in SITES)
    reasons = {event[4] for event in lead[0]["events"]}
    assert {"load retry 5", "load overload", "dusk", "dawn"} <= reasons
    assert lead[0]["kept"]["settings"]["boost_min"] == 100
    assert lead[0]["kept"]["upsets"][-1] == ["load_overload", {"power_w": 480.0}]
    assert lithium[0]["events"][2][4] == "dusk"
    assert len(farm_house) == 2


@NAMES
def test_a_master_hears_the_same_replies_after_the_new_program_took_over(name, tmp_path, monkeypatch):
    """But for what registers show of the same plant: numbers cut off, powers from those, temperatures as read."""
    bring_back(monkeypatch)
    heard, there = [], as_version_1(name, tmp_path, monkeypatch)
    with closing(StateFile.opened(old(name, tmp_path))) as file:
        plants = plants_from(file, there, None, None, print)
        options = Options(
            map_name="epever", links=[parse_endpoint("listen:127.0.0.1:0")], turnaround_s=0.0, polled_s=660.0
        )
        ids = unit_ids_from(file, None, print)
        assert ids == [(1, 1), (2, 9)][: len(plants)]
        with Rig(plants, options, print, file, ids) as rig:
            thread = threading.Thread(target=rig.run)
            thread.start()
            _, host, port = str(rig.lines[0].endpoint).split(":")
            with socket.create_connection((host, int(port))) as link:
                for pair in then(name)["replies"]:
                    request = pair.partition(" > ")[0]
                    link.sendall(bytes.fromhex(request))
                    heard.append(f"{request} > {link.recv(300).hex(' ')}")
            rig.end()
            thread.join(5)
    for ours, theirs in zip(heard, then(name)["replies"], strict=True):
        assert len(ours) == len(theirs)
        assert not apart(ours, theirs), (ours, theirs)


SHOWN_OTHERWISE = {
    *range(0x3101, 0x3104), *range(0x3106, 0x310D), 0x310E, 0x310F, 0x3110, 0x311A, 0x311B, 0x331D, 0x331E
}  # fmt: skip


def apart(ours: str, theirs: str) -> list[int]:
    """Addresses of a poll at which two replies differ by more than two counts: cut off, and of other steps."""
    asked, told = (bytes.fromhex(half) for half in ours.split(" > "))
    before = bytes.fromhex(theirs.split(" > ")[1])
    if told[1] not in (3, 4):
        return [] if told == before else [0]
    first = int.from_bytes(asked[2:4], "big")
    words = [np.frombuffer(frame[3:-2], ">i2").astype(int) for frame in (told, before)]
    return [
        first + place
        for place in np.flatnonzero(abs(words[0] - words[1]) > 2)
        if first + place not in SHOWN_OTHERWISE
    ]


def schema(path: Path) -> dict[str, Any]:
    names = read(path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1")
    return {name: read(path, f"PRAGMA table_info({name})") for (name,) in names}


@NAMES
def test_a_migrated_file_has_the_tables_of_a_new_one_and_all_its_rows(name, tmp_path):
    path = old(name, tmp_path)
    tables = ("samples", "days", "events", "controllers")
    before = {table: read(path, f"SELECT * FROM {table}") for table in tables}
    with closing(StateFile.opened(path)) as file:
        plants_from(file, SITES[name](), None, None, print)
        file.write([])
    fresh = tmp_path / "fresh.db"
    StateFile.opened(fresh).close()
    assert schema(path) == schema(fresh)
    assert read(path, "PRAGMA user_version") == [(FILE_VERSION,)]
    assert read(path, "SELECT * FROM days") == before["days"]
    nothing_yet = (0.0, 0.0, 0.0)  # what version 4 tells of available energy beside version 1
    assert read(path, "SELECT * FROM samples") == [(*row, *nothing_yet) for row in before["samples"]]
    assert read(path, "SELECT * FROM events") == [row[:-1] for row in before["events"]]
    assert [row[:6] for row in read(path, "SELECT * FROM controllers")] == [
        row[:6] for row in before["controllers"]
    ]
    told = {row[0] for row in read(path, "SELECT column_name FROM columns WHERE table_name = 'samples'")}
    assert {row[1] for row in schema(path)["samples"]} == told


def test_a_day_that_began_under_the_old_program_is_summed_up_whole(tmp_path):
    path = old("lead", tmp_path)
    with closing(StateFile.opened(path)) as file:
        (p,) = plants_from(file, SITES["lead"](), None, p_later(path, DAY), print)
    rows = read(path, "SELECT t_utc_s, e_pv_wh FROM samples ORDER BY 1")
    times = [row[0] for row in rows]
    assert times == list(range(times[0], p.t_utc_s + 1, 60))
    days = read(path, "SELECT day, samples, e_pv_wh FROM days ORDER BY 1")
    assert [day[1] for day in days[1:-1]] == [1440] * len(days[1:-1])
    assert len(days) >= 3
    assert sum(day[2] for day in days) == pytest.approx(rows[-1][1], abs=1e-6)


def p_later(path: Path, seconds: int) -> int:
    """A whole minute that much after where the file stands."""
    return int(read(path, "SELECT utc_s FROM controllers")[0][0]) // 60 * 60 + seconds


def test_the_memory_of_days_moves_out_of_the_constants_of_the_clouds():
    today = resolved(site(sky={"clouds": {"fast_share": 0.5}, "day_to_day": 0.4}))
    sky = {key: value for key, value in today["sky"].items() if key != "day_to_day"}
    of_2 = {**today, "sky": {**sky, "clouds": {"fast_share": 0.5, "day_to_day": 0.4}}}
    assert site_of_2(of_2)["sky"] == today["sky"]


def test_a_site_of_version_3_has_the_keys_that_came_after_it_at_their_defaults():
    """Of a site with a data sheet flat, in a sub-array and at a neighbour."""
    sheet = {
        "i_sc_a": 6.1, "v_oc_v": 22.4, "i_mp_a": 5.7, "v_mp_v": 18.5, "cells_in_series": 36, "alpha_sc_pct_k": 0.05,
        "beta_voc_pct_k": -0.31,
    }  # fmt: skip
    flat = {"module": {"datasheet": sheet}, "tilt_deg": 30.0}
    neighbour = {
        "unit": 2,
        "name": "Shed",
        "battery": {"capacity_ah": 50.0},
        "load": {"hourly_w": [1.0] * 24},
    }
    there = site(array=flat, neighbours=({**neighbour, "array": {"sub_arrays": [flat, flat]}},))
    today = resolved(there)
    of_3 = json.loads(json.dumps(today))
    for one in (of_3, *of_3["neighbours"]):
        for key in ("replace_at_health", "capacity_by_rate", "rate_cut_off_v_cell", "loads", "chargers"):
            del one["battery"][key]
        del one["sky"]["irradiance_scale"], one["load"]["scale"]
        bms = one["battery_protection"]
        for limit in ("over_charge", "over_charge_release", "over_discharge", "over_discharge_release"):
            bms[f"{limit}_v"] = bms.pop(f"{limit}_v_cell")
        bms["diode_v"] = bms.pop("release_s")
        for part in (one["array"], *one["array"]["sub_arrays"]):
            if part["module"] is not None:
                del part["module"]["datasheet"]["technology"]
    assert of_3 != today
    wanted = json.loads(json.dumps(today))
    for one in (wanted, *wanted["neighbours"]):
        one["battery_parameters"] = None  # not compared
    assert site_of_3(of_3) == wanted


# --- what is left as it is ------------------------------------------------------------------------------------------


def test_an_old_file_that_is_refused_stays_as_it_was(tmp_path):
    path = old("lead", tmp_path)
    before = path.read_bytes()
    with (
        pytest.raises(ProblemsError, match=r"belongs to another site: .*start a new file"),
        closing(StateFile.opened(path)) as file,
    ):
        plants_from(file, load_site("cabin"), None, None, print)
    assert read(path, "PRAGMA user_version") == [(1,)]
    assert len(path.read_bytes()) == len(before)
    assert read(path, "SELECT sum(pv_wh), count(*) FROM samples")[0][1] > 1000


@NAMES
def test_history_reads_an_old_file_and_changes_nothing(name, tmp_path):
    path = old(name, tmp_path)
    before = path.read_bytes()
    with History.opened(path) as history:
        for controller in history.controllers:
            days = history.days(controller.number)
            events = history.events(controller.number, 0.0)
            trace = history.trace(controller, None)
            assert days[0]["e_pv_wh"] > 1.0
            assert trace["v_batt_v"].min() > 10.0
            written = then(name)["units"][controller.number - 1]["events"]
            assert [
                [e.t_utc_s, e.machine, e.from_state, e.to_state, e.reason] for e in events
            ] == [
                [t, *(word.lower().replace("_", " ") for word in words), reason]
                for t, *words, reason in written[: len(events)]
            ]  # fmt: skip
    assert path.read_bytes() == before


def test_an_old_file_that_is_damaged_is_told(tmp_path):
    path = old("lead", tmp_path)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE controllers SET state = '{\"version\": 1}'")
        database.commit()
    with (
        closing(StateFile.opened(path)) as file,
        pytest.raises(ProblemsError, match="cannot be continued: incomplete or damaged: KeyError 'books'"),
    ):
        plants_from(file, SITES["lead"](), None, None, print)


# --- the steps ------------------------------------------------------------------------------------------------------


def test_there_is_a_step_from_every_version():
    assert sorted(STEPS) == list(range(1, VERSION))
    assert sorted(FILE_STEPS) == list(range(1, FILE_VERSION))


def test_names_of_the_snapshot_have_become_columns():
    fields = plant().snapshot._fields
    assert {new for old, new in RENAMED_IN_2["samples"].items()} - set(fields) == {"time"}


@pytest.mark.parametrize("version", [0, VERSION + 1, "2", None])
def test_what_no_known_version_kept_is_refused(version):
    p = plant()
    with pytest.raises(
        SavedStateError, match=f"saved as version {version}; this TracerTwin can continue from versions 1 to"
    ):
        continued(p.site, {**saved_state(p), "version": version})


def test_every_timer_of_version_1_finds_its_rule_again():
    """By machine, states, reason and dwell: none of the 104 has been lost, and no two are one."""
    there = SITES["lead"]()
    plain = then("lead")["units"][0]["kept"]
    since = [1_771_700_000.0 + row for row in range(len(RULES_OF_1))]
    for row, rule in enumerate(RULES_OF_1):
        alone = ["inf"] * len(since)
        alone[row] = since[row]
        moved = up_to_date({**plain, "books": {**plain["books"], "since": alone}})
        books = from_plain(there, moved).books[0]
        found = books.since[np.isfinite(books.since)]
        assert found.tolist() == [since[row]], rule


def test_a_journal_that_goes_on_from_what_an_older_version_kept_is_replayed(tmp_path):
    path = old("lithium", tmp_path)
    (state,) = read(path, "SELECT state FROM controllers")[0]
    kept_then = json.loads(state)
    kept_then.pop("events_kept")
    kept_then["events"] = [list(row) for row in read(path, "SELECT utc_s, rule FROM events ORDER BY number")]
    journal = tmp_path / "run.jsonl"
    links = [parse_endpoint(f"unix-listen:{tmp_path}/line.sock")]
    options = Options(links=links, map_name="epever", polled_s=600.0, record=journal)
    with closing(StateFile.opened(path)) as file:
        plants = plants_from(file, SITES["lithium"](), None, None, print)
        with Rig(plants, options, lambda _: None, file, unit_ids_from(file, None, print)) as rig:
            for _ in range(5):
                ask(rig, ReadWords(1, 4, 0x3100, 8))
    head, *lines = journal.read_text().splitlines(keepends=True)
    written = json.loads(head)
    assert written["units"][0]["state"]["version"] == VERSION
    written["units"][0]["state"] = kept_then
    journal.write_text("".join([json.dumps(written) + "\n", *lines]))
    assert replayed(journal).differences == 0
