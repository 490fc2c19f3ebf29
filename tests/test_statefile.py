"""The file of `serve --state`: what stands in it, who may have it, and what it refuses."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plant.base.problems import ProblemsError
from plant.plant import Plant
from plant.saving.state import resolved, saved_state
from plant.site.model import Site, load_site
from tests.plants import plant, site
from tracertwin.memory import committing
from tracertwin.memory import file as statefile
from tracertwin.memory.civiltime import day_limits
from tracertwin.memory.committing import TAKEN, plants_from
from tracertwin.memory.file import Commit, StateFile, differing
from tracertwin.memory.history import History
from tracertwin.memory.tables import DAYS, SAMPLE_FIELDS, SAMPLES
from tracertwin.versions import installed

DAY = 86400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cabin.db"


@pytest.fixture
def file(path: Path) -> Iterator[StateFile]:
    opened = StateFile.opened(path)
    yield opened
    opened.close()


def begun(file: StateFile, p: Plant) -> None:
    file.begin(resolved(p.site), p.site.location.timezone, p.seed, p.start_utc_s, [p.site.name])


def entry(p: Plant, rows: np.ndarray | None = None, unit_ids: tuple[int, int] = (1, 1)) -> Commit:
    return Commit(1, unit_ids, saved_state(p), np.empty((0, len(TAKEN))) if rows is None else rows[:, TAKEN])


def lived(file: StateFile, p: Plant, seconds: int, stride_s: int = 6 * 3600) -> np.ndarray:
    """Live and commit, stride by stride."""
    parts = []
    for _ in range(seconds // stride_s):
        parts.append(p.run(stride_s, 60))
        file.write([entry(p, parts[-1])])
    return np.concatenate(parts)


def read(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        return database.execute(sql).fetchall()


def refusal(action: Callable[[], Any]) -> str:
    with pytest.raises(ProblemsError) as refused:
        action()
    return str(refused.value)


# --- what stands in it ------------------------------------------------------------------------------------------------


def test_a_plant_goes_on_from_the_file_to_the_same_bits(path):
    p = plant()
    with closing(StateFile.opened(path)) as file:
        begun(file, p)
        lived(file, p, DAY)
    with closing(StateFile.opened(path)) as file:
        (again,) = plants_from(file, p.site, p.seed, None, print)
    assert saved_state(again) == saved_state(p)
    assert again.events() == p.events()


def test_samples_are_those_of_the_plant_each_minute_once(file, path):
    p = plant()
    begun(file, p)
    rows = lived(file, p, DAY)
    names = ", ".join(name for name in SAMPLES if name != "stage")
    places = [place for place, name in zip(TAKEN, SAMPLE_FIELDS, strict=True) if name != "stage"]
    found = read(path, f"SELECT t_utc_s, {names} FROM samples ORDER BY 1")
    np.testing.assert_array_equal(np.array(found), rows[:, places])
    assert [row[0] - p.start_utc_s for row in found] == list(range(60, DAY + 1, 60))


def test_events_are_all_there_in_order_however_often_it_is_committed(file, path):
    p = plant()
    begun(file, p)
    lived(file, p, 3 * DAY, stride_s=3600)
    found = read(path, "SELECT number, t_utc_s, from_state, to_state, reason FROM events")
    wanted = [
        (n, e.t_utc_s, e.from_.lower().replace("_", " "), e.to.lower().replace("_", " "), e.reason)
        for n, e in enumerate(p.events(), 1)
    ]
    assert len(found) > 8
    assert found == wanted


def test_days_are_the_integrals_of_their_samples(file, path):
    """Civil days; worked out here from a run of 5 s steps and the differences of its account at midnights."""
    p, whole = plant(), plant()
    begun(file, p)
    lived(file, p, 3 * DAY, stride_s=7200)
    names = [row[0] for row in read(path, "SELECT day FROM days")]
    assert names == ["2026-02-20", "2026-02-21", "2026-02-22", "2026-02-23"]
    before = whole.snapshot
    for day in names:
        _, end = day_limits(day, "Europe/Zurich")
        seconds = min(end, p.t_utc_s) - whole.t_utc_s
        rows = whole.run(seconds, 60)
        now = whole.snapshot
        found = dict(
            zip(
                [daily.name for daily in DAYS],
                read(path, f"SELECT * FROM days WHERE day = '{day}'")[0][2:],
                strict=True,
            )
        )
        for name in ("pv", "load", "available", "unserved"):
            grown = getattr(now, f"e_{name}_wh") - getattr(before, f"e_{name}_wh")
            assert found[f"e_{name}_wh"] == pytest.approx(grown, abs=1e-6)
        assert found["samples"] == seconds / 60
        v_batt_v = rows[:, now._fields.index("v_batt_v")]
        assert (found["v_batt_min_v"], found["v_batt_max_v"]) == (v_batt_v.min(), v_batt_v.max())
        assert found["stage_bulk_h"] == pytest.approx(np.sum(rows[:, now._fields.index("stage")] == 1) / 60)
        assert sum(
            found[f"stage_{s}_h"] for s in ("none", "bulk", "boost", "equalize", "float")
        ) == pytest.approx(seconds / 3600)
        begin = day_limits(day, "Europe/Zurich")[0]
        assert found["events"] == sum(begin <= event.t_utc_s < end for event in p.events())
        before = now


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25), ("2026-12-31", 24)]
)
def test_a_day_is_as_long_as_civil_time_has_it(day, hours):
    begin, end = day_limits(day, "Europe/Zurich")
    assert end - begin == hours * 3600


def test_every_table_column_is_told_about(file, path):
    p = plant()
    begun(file, p)
    file.write([entry(p)])
    told = {
        (table, column): (unit, text) for table, column, unit, text in read(path, "SELECT * FROM columns")
    }
    tables = [
        name for (name,) in read(path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    ]
    assert {"about", "controllers", "samples", "days", "events", "settings", "now"} <= set(tables)
    for table in set(tables) - {"columns"}:
        for _, column, *_ in read(path, f"PRAGMA table_info({table})"):
            assert (table, column) in told or ("controllers", column) in told
    units = {"_v": "V", "_a": "A", "_w": "W", "_wh": "Wh", "_kwh": "kWh", "_c": "degC", "_h": "h"}
    for (_, column), (unit, _) in told.items():
        suffix = "_" + column.rpartition("_")[2]
        assert unit == units.get(suffix, unit) or column.endswith("_m2")


def test_settings_and_quantities_can_be_read_by_name(file, path):
    p = plant()
    p.configure(p.settings._replace(capacity_ah=222))
    begun(file, p)
    file.write([entry(p)])
    assert read(path, "SELECT value FROM settings WHERE setting = 'capacity_ah'") == [(222,)]
    assert read(path, "SELECT value FROM now WHERE quantity = 'soc'") == [(p.snapshot.soc,)]


def test_a_commit_that_fails_leaves_all_as_it_was(file, path, monkeypatch):
    p = plant()
    begun(file, p)
    lived(file, p, 6 * 3600)
    before = (
        read(path, "SELECT t_utc_s, state FROM controllers"),
        read(path, "SELECT count(*), max(t_utc_s) FROM samples"),
    )
    rows = p.run(3600, 60)
    monkeypatch.setattr(StateFile, "_write_day", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        file.write([entry(p, rows)])
    assert before == (
        read(path, "SELECT t_utc_s, state FROM controllers"), read(path, "SELECT count(*), max(t_utc_s) FROM samples"),
    )  # fmt: skip
    monkeypatch.undo()
    file.write([entry(p, rows)])
    assert read(path, "SELECT max(t_utc_s) FROM samples") == [(p.t_utc_s,)]


def test_at_rest_it_is_one_plain_file(path):
    p = plant()
    with closing(StateFile.opened(path)) as file:
        begun(file, p)
        file.write([entry(p)])
        assert path.with_name("cabin.db-wal").exists()
    assert os.listdir(path.parent) == ["cabin.db"]


# --- who may have it --------------------------------------------------------------------------------------------------

HOLDER = """
import sys
from pathlib import Path
from tracertwin.memory.file import StateFile
file = StateFile.opened(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_is_dead(path):
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert "is in use by another serve; stop that one" in refusal(lambda: StateFile.opened(path))
        holder.kill()
    StateFile.opened(path).close()


def test_a_reader_of_the_file_is_no_second_process(file, path):
    begun(file, plant())
    file.write([entry(plant())])
    assert read(path, "SELECT count(*) FROM controllers") == [(1,)]
    p = plant()
    file.write([entry(p, p.run(3600, 60))])
    assert read(path, "SELECT count(*) FROM samples") == [(60,)]


# --- what it refuses --------------------------------------------------------------------------------------------------


def database_of_others(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE recipes (name)")
        database.commit()


def of_version_9(path: Path) -> None:
    StateFile.opened(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 9")


OTHERS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text": (
        lambda path: path.write_text("a letter\n" * 99),
        "is not a state file, not even an SQLite file; give --state a new name",
    ),
    "short": (lambda path: path.write_text("x"), "is not a state file"),
    "database": (database_of_others, "is a database of another program; give --state a new name"),
    "version": (
        of_version_9,
        "is a state file of version 9, this TracerTwin knows versions up to 4: use a newer one; "
        "give --state a new name",
    ),
    "folder": (lambda path: path.mkdir(), "can't be written: Is a directory"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_something_else_is_refused_and_left_as_it_is(path, kind):
    make, message = OTHERS[kind]
    make(path)
    before = path.read_bytes() if path.is_file() else None
    listing = os.listdir(path.parent)
    assert message in refusal(lambda: StateFile.opened(path))
    assert os.listdir(path.parent) == listing
    assert before == (path.read_bytes() if path.is_file() else None)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    assert "can't be written: No such file" in refusal(lambda: StateFile.opened(tmp_path / "no" / "file"))


def test_an_empty_file_is_a_new_one(path):
    path.touch()
    with closing(StateFile.opened(path)) as file:
        assert file.is_new


def test_a_file_may_have_any_name(path, monkeypatch, tmp_path):
    """`:memory:` is no file to SQLite; a name need not be text."""
    monkeypatch.chdir(tmp_path)
    for name in (":memory:", "größe & co?.db", os.fsdecode(b"gr\xf6sse.db")):
        begun_file = StateFile.opened(Path(name))
        p = plant()
        begun(begun_file, p)
        lived(begun_file, p, 6 * 3600)
        begun_file.close()
        again = StateFile.opened(Path(name))
        assert [commit.saved["t_utc_s"] for commit in again.last_commits()] == [p.t_utc_s], name
        again.close()
        with History.opened(Path(name)) as history:
            assert len(history.days(1)) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b'"location": {', b'"location": ['),
        (b'"event_count": ', b'"event_count"! '),
        (b"CREATE TABLE about", b"CREATE TABLE \x9cbout"),
    ],
    ids=["the site", "the state", "the schema"],
)
def test_a_byte_that_changed_is_a_damaged_file_wherever_it_stands(path, before, after):
    """SQLite has no check sums: what is no text or no JSON any more was a Python error."""
    file, p = StateFile.opened(path), plant()
    begun(file, p)
    lived(file, p, 6 * 3600)
    file.close()
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))
    told = refusal(lambda: _gone_on_from(path))
    assert "is damaged: " in told or "can't be used: malformed database schema" in told
    with suppress(ProblemsError):  # where it needs what is damaged
        _read_by_history(path)


def _gone_on_from(path: Path) -> None:
    with committing.remembered(path) as file:
        plants_from(file, plant().site, 1, None, lambda _: None)[0].run(60)


def _read_by_history(path: Path) -> None:
    with History.opened(path) as history:
        history.trace(history.controllers[0], None)


def test_a_damaged_file_is_told_and_not_gone_on_from(path):
    p = plant()
    with closing(StateFile.opened(path)) as file:
        begun(file, p)
        lived(file, p, DAY)
    with path.open("r+b") as raw:
        raw.seek(4096)
        raw.write(b"\xff" * 40_000)
    message = refusal(lambda: StateFile.opened(path).is_new)
    assert str(path) in message
    assert "malformed" in message


@pytest.fixture
def kept_cabin(path: Path) -> Path:
    p = plant(seed=5)
    with closing(StateFile.opened(path)) as file:
        begun(file, p)
        file.write([entry(p)])
    return path


def continued(path: Path, there: Site, seed: int | None, start: int | None = None) -> list[Plant]:
    with closing(StateFile.opened(path)) as file:
        return plants_from(file, there, seed, start, print)


def test_another_site_is_refused_by_what_differs(kept_cabin):
    bigger = site(battery={"capacity_ah": 250.0})
    message = refusal(lambda: continued(kept_cabin, bigger, 5))
    assert "belongs to another site: battery.capacity_ah is 100.0 there and 250.0 here" in message
    assert "start a new file" in message


def test_a_battery_file_that_was_changed_since_is_another_site(kept_cabin, monkeypatch):
    """The site's text is the same; what stands behind its names is not."""
    there = load_site("cabin")
    changed = there.battery.new()._replace(r0_ohm=0.5)
    monkeypatch.setattr(type(there.battery), "new", lambda _: changed)
    assert "battery_parameters.r0_ohm is" in refusal(lambda: continued(kept_cabin, there, 5))


def test_another_seed_is_refused_with_the_one_that_would_do(kept_cabin):
    assert "has seed 5, not 6: add --seed 5" in refusal(lambda: continued(kept_cabin, site(), 6))


def test_another_version_of_the_program_goes_on_and_says_so(kept_cabin, monkeypatch):
    for module in (committing, statefile):
        monkeypatch.setattr(module, "installed", lambda _: "9.9")
    said: list[str] = []
    with closing(StateFile.opened(kept_cabin)) as file:
        (p,) = plants_from(file, site(), 5, None, said.append)
        assert said == [
            f"{kept_cabin} was saved by TracerTwin {installed('tracertwin')}; continuing with this version"
        ]
        file.write([entry(p)])
    assert read(kept_cabin, "SELECT value FROM about WHERE name = 'tracertwin'") == [("9.9",)]


def test_a_start_before_where_it_stands_is_refused_and_a_later_one_lived_up_to(path):
    p = plant()
    with closing(StateFile.opened(path)) as file:
        begun(file, p)
        lived(file, p, DAY)
    message = refusal(lambda: continued(path, p.site, p.seed, p.t_utc_s - 60))
    assert "is already at 2026-02-21T10:00:00+01:00 Europe/Zurich; omit --start" in message
    (later,) = continued(path, p.site, p.seed, p.t_utc_s + 12 * DAY)
    p.run(10 * DAY, 60)
    p.run(2 * DAY, 60)
    assert saved_state(later) == saved_state(p)
    assert read(path, "SELECT count(*), max(t_utc_s) FROM samples") == [(13 * 1440, p.t_utc_s)]
    assert read(path, "SELECT count(*) FROM days") == [(14,)]


def test_differences_of_sites_are_told_by_name_and_value():
    then = {"a": {"b": 1, "c": [1, 2]}, "d": "x"}
    assert differing(then, json.loads(json.dumps(then))) == ""
    now = {"a": {"b": 2, "c": [1, 3]}, "e": None}
    assert differing(then, now) == (
        'a.b is 1 there and 2 here, a.c.1 is 2 there and 3 here, d is "x" there and nothing here'
    )
