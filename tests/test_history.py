"""`tracertwin history`: days as a table, a picture, a CSV; also while somebody writes."""

import csv
import lzma
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from plant.base.problems import ProblemsError
from plant.report.periods import by_period
from plant.report.trace import PICTURES, Trace
from plant.saving.state import resolved, saved_state
from plant.site.model import Site, load_site
from tests.command import refusal
from tests.plants import plant, site
from tracertwin.memory.committing import TAKEN, plants_from
from tracertwin.memory.file import Commit, StateFile
from tracertwin.memory.history import History, print_history
from tracertwin.memory.tables import SAMPLES

DAY = 86400
DATA = Path(__file__).parent / "data" / "statefile_1"
DAYS = 12


def lived(path: Path, days: int, there: Site | None = None) -> None:
    """A state file of a site that has run for so long."""
    there = there or site()
    with closing(StateFile.opened(path)) as file:
        plants = plants_from(file, there, None, None, print)
        names = [each.site.name for each in plants]
        file.begin(resolved(there), there.location.timezone, plants[0].seed, plants[0].start_utc_s, names)
        for number, each in enumerate(plants, 1):
            rows = each.run(days * DAY, 60)
            file.write([Commit(number, (number, number), saved_state(each), rows[:, TAKEN])])


@pytest.fixture(scope="module")
def kept_path(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("history") / "cabin.db"
    lived(path, DAYS)
    return path


@pytest.fixture
def told(kept_path) -> Callable[..., str]:
    """What is printed."""

    def run(path: Path = kept_path, width: int = 92, **options: object) -> str:
        text = StringIO()
        given = {"days": None, "plot": None, "out": None, **options}
        console = Console(file=text, width=width, soft_wrap=True, highlight=False)
        print_history(path, **given, console=console)  # type: ignore[arg-type]
        return text.getvalue()

    return run


# --- the table --------------------------------------------------------------------------------------------------------


def test_days_stand_in_order_newest_last_and_are_those_of_the_run(told):
    """Energies, ranges: beside `periods.by_period`, which knows nothing of the file."""
    rows = [line.split() for line in told().splitlines() if line.startswith("2026-")]
    assert [row[0] for row in rows] == [
        f"2026-{m:02}-{d:02}" for m, d in [(2, d) for d in range(20, 29)] + [(3, d) for d in range(1, 5)]
    ]
    p = plant(seed=site().seed)
    totals = by_period(Trace(p.run(DAYS * DAY, 60), "Europe/Zurich"), "day")
    for row, (_, whole) in zip(rows, totals.iterrows(), strict=True):
        assert float(row[1]) == pytest.approx(whole["poa_wh_m2"] / 1e3, abs=0.0051)
        assert float(row[2]) == pytest.approx(whole["e_pv_wh"], abs=0.51)
        assert float(row[3]) == pytest.approx(whole["e_load_wh"], abs=0.51)
        assert row[4] == f"{whole['v_batt_min']:.2f}–{whole['v_batt_max']:.2f}"
        assert row[5] == f"{100 * whole['soc_min']:.0f}–{100 * whole['soc_max']:.0f}"


def test_the_last_days_are_shown_if_asked_for(told):
    text = told(days=3)
    days = [line.split()[0] for line in text.splitlines() if line.startswith("2026-")]
    assert days == ["2026-03-02", "2026-03-03", "2026-03-04"]
    assert "Cabin, seed 906: 13 days, now at 2026-03-04 10:00\nthe last 3 of them\n" in text


def test_the_table_fits_a_plain_terminal_and_has_no_column_that_stands_empty(told):
    text = told(width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "equal." in text  # on the 28th
    assert "served" not in text  # nothing was asked for in vain


def test_each_controller_has_a_table_and_files_of_its_own(told, tmp_path):
    path = tmp_path / "farm.db"
    lived(path, 2, load_site("farm"))
    text = told(path, out=tmp_path / "days.csv", plot=tmp_path / "days.svg")
    assert "Farm house, unit 1, seed" in text
    assert "Pump, unit 2, seed" in text
    assert {"days.csv", "days-2.csv", "days.svg", "days-2.svg"} <= set(os.listdir(tmp_path))


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_csv_has_the_samples_exactly(told, tmp_path):
    told(out=tmp_path / "all.csv")
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.DictReader(file))
    p = plant(seed=site().seed)
    whole = p.run(DAYS * DAY, 60)
    assert len(rows) == DAYS * 1440
    for name in SAMPLES:
        if name != "stage":
            column = whole[:, p.snapshot._fields.index(name)]
            np.testing.assert_array_equal([float(row[name]) for row in rows], column)
    assert rows[0]["time"] == "2026-02-20 10:01:00"
    assert rows[0]["stage"] == "bulk"


def test_a_trace_of_the_last_days_begins_with_their_midnight_and_no_energy(kept_path):
    with History.opened(kept_path) as history:
        (controller,) = history.controllers
        trace = history.trace(controller, 2)
    assert len(trace.rows) == 1440 + 10 * 60
    assert str(trace.frame()["time"].iloc[0]) == "2026-03-03 00:01:00"
    assert 0.0 <= trace["e_pv_wh"][0] < 1.0
    assert trace["e_pv_wh"][-1] > 100.0


def test_events_are_told_in_the_words_of_the_file_whatever_rules_this_version_has(tmp_path):
    """As after a rule was added, or one was taken away, and a machine renamed."""
    path = tmp_path / "cabin.db"
    lived(path, 2)
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            "UPDATE events SET machine = 'old machine', to_state = 'gone', reason = 'as it was called'"
        )
        database.commit()
    with History.opened(path) as history:
        events = history.events(1, 0.0)
    assert len(events) >= 4
    assert {(e.machine, e.to_state, e.reason) for e in events} == {
        ("old machine", "gone", "as it was called")
    }
    assert "none" in {e.from_state for e in events}


def test_a_row_of_rules_in_an_old_file_decides_nothing(tmp_path):
    """Version 1 noted down a row of its own rules; here they are those of a version that had five rows more."""
    path = tmp_path / "cabin.db"
    path.write_bytes(lzma.decompress((DATA / "lead.db.xz").read_bytes()))
    with History.opened(path) as history:
        before = history.events(1, 0.0)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE events SET rule = rule + 5")
        database.commit()
    with History.opened(path) as history:
        assert history.events(1, 0.0) == before
    assert (before[0].machine, before[0].from_state, before[0].to_state) == ("charge", "none", "bulk")


@pytest.mark.parametrize("days", [None, 2])
@pytest.mark.parametrize("suffix", PICTURES)
def test_days_are_drawn(told, tmp_path, days, suffix):
    picture = tmp_path / f"days{suffix}"
    told(plot=picture, days=days)
    assert picture.stat().st_size > 10_000


# --- the file stays as it is ------------------------------------------------------------------------------------------


def test_a_file_at_rest_is_not_changed_and_nothing_is_left_beside_it(told, tmp_path):
    path = tmp_path / "cabin.db"
    lived(path, 1)
    before = path.read_bytes(), path.stat().st_mtime_ns
    told(path)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) == ["cabin.db"]


def test_a_file_in_use_is_read_up_to_the_last_commit_and_not_changed(told, tmp_path):
    path = tmp_path / "cabin.db"
    lived(path, 1)
    with closing(StateFile.opened(path)) as file:
        (p,) = plants_from(file, site(), None, None, print)
        file.write([Commit(1, (1, 1), saved_state(p), p.run(DAY, 60)[:, TAKEN])])
        log = path.with_name("cabin.db-wal")
        before = path.read_bytes(), log.read_bytes()
        assert "3 days, now at" in told(path)
        assert (path.read_bytes(), log.read_bytes()) == before
        file.write([Commit(1, (1, 1), saved_state(p), p.run(DAY, 60)[:, TAKEN])])
        assert "4 days, now at" in told(path)


# --- what is no state file --------------------------------------------------------------------------------------------


def test_what_is_no_state_file_is_told(told, tmp_path):
    (tmp_path / "letter").write_text("dear all\n" * 30)
    StateFile.opened(tmp_path / "new.db").close()
    for name, message in (
        ("letter", "is not a state file, not even an SQLite file; serve --state FILE makes one"),
        ("none", "can't be read: No such file"),
        ("new.db", "has no history yet"),
    ):
        with pytest.raises(ProblemsError, match=message):
            told(tmp_path / name)


def test_a_name_that_cannot_be_drawn_is_refused_before_anything_is_read(told, tmp_path):
    with pytest.raises(ProblemsError, match=r"must end in \.html"):
        told(tmp_path / "none", plot=tmp_path / "days.gif")
    with pytest.raises(ProblemsError, match=r"must end in \.csv"):
        told(tmp_path / "none", out=tmp_path / "days.xlsx")


def test_an_empty_file_is_no_history_yet(call, tmp_path):
    (tmp_path / "new.state").touch()
    assert refusal(call("history", str(tmp_path / "new.state"))) == [
        f"{tmp_path / 'new.state'}: is empty; serve --state FILE fills one"
    ]
