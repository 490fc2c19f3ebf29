"""`serve --state` while it runs: what is committed when, what a restart goes on with, what happens without a disk."""

import itertools
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from modbus.codec.replies import EchoReply, UnitIdReply
from modbus.codec.requests import ReadWords, UnitIdRequest, WriteWord
from modbus.line.endpoint import parse_endpoint
from modbus.master.client import Master
from plant.base.problems import ProblemsError
from plant.saving.state import saved_state
from plant.site.model import load_site
from tests.plants import plant, site
from tests.test_statefile import read
from tests.waiting import until
from tracertwin.assembly.live import Live
from tracertwin.assembly.moments import told_local
from tracertwin.assembly.options import Options
from tracertwin.memory import committing as memory
from tracertwin.memory.committing import plants_from, unit_ids_from
from tracertwin.memory.file import StateFile
from tracertwin.rig.serving import Rig

ROOT = Path(__file__).parents[1]
CAPACITY = 0x9001
DAY = 86400


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def serve(path: Path, said: list[str]) -> Callable[..., Any]:
    """A rig that remembers, as the command makes it: ``with serve(speed=60.0) as rig``; time goes by itself."""

    @contextmanager
    def run(there: Any = None, runs: bool = True, start: int | None = None, **options: Any) -> Iterator[Rig]:
        file = StateFile.opened(path)
        try:
            plants = plants_from(file, there or site(), None, start, said.append)
            given = {
                "map_name": "epever",
                "links": [parse_endpoint("listen:127.0.0.1:0")],
                "turnaround_s": 0.0,
            }
            told = Options(**{**given, **options})  # type: ignore[arg-type]
            with Rig(plants, told, said.append, file, unit_ids_from(file, told.unit, said.append)) as rig:
                thread = threading.Thread(target=rig.run)
                if runs:
                    thread.start()
                yield rig
                rig.end()
                if runs:
                    thread.join(5)
        finally:
            file.close()

    return run


def master_of(rig: Rig) -> Master:
    return Master(parse_endpoint(str(rig.lines[0].endpoint).replace("listen:", "dial:")))


def capacity(path: Path) -> int:
    return int(read(path, "SELECT value FROM settings WHERE setting = 'capacity_ah'")[0][0])


# --- what is committed, and when -------------------------------------------------------------------------------------


def test_a_setting_that_a_client_writes_is_committed_within_a_second(serve, path):
    """Even of a plant that stands still: a thousandth of the wall's speed."""
    with serve(speed=0.001) as rig, master_of(rig) as master:
        sleep(1.0)
        for value in (111, 222):
            assert isinstance(master.ask(WriteWord(1, CAPACITY, value)), EchoReply)
            began_s = monotonic()
            assert until(lambda value=value: capacity(path) == value, 2.0)
            assert monotonic() - began_s < 1.0


def test_minutes_are_committed_as_they_pass_and_seconds_at_high_speed(serve, path):
    with serve(speed=600.0):
        seen = []
        began_s = monotonic()
        while monotonic() - began_s < 3.0:
            seen.append(read(path, "SELECT t_utc_s FROM controllers")[0][0])
            sleep(0.05)
    steps = sorted({late - soon for soon, late in itertools.pairwise(seen)} - {0})
    assert len(set(seen)) >= 3
    assert steps[-1] <= 2 * 600.0  # a second, and as much for a slow machine


def test_nothing_is_committed_while_nothing_is_due(serve, path):
    """At wall speed a commit a minute: a memory card lives longer than it would with one a step."""
    with serve(speed=1.0):
        sleep(0.3)
        before = read(path, "SELECT t_utc_s FROM controllers")
        sleep(1.2)
        assert read(path, "SELECT t_utc_s FROM controllers") == before


def test_a_restart_goes_on_with_time_counters_settings_and_history(serve, path, said):
    with serve(speed=100_000.0) as rig, master_of(rig) as master:
        master.ask(WriteWord(1, CAPACITY, 123))
        assert until(
            lambda: (
                rig.assembly.units[0].live.plant.t_utc_s
                > rig.assembly.units[0].live.plant.start_utc_s + DAY / 2
            ),
            8.0,
        )
    stood = rig.assembly.units[0].live.plant
    with serve(speed=0.001) as rig:
        live = rig.assembly.units[0].live
        assert saved_state(live.plant) == saved_state(stood)
        assert live.shown().settings.capacity_ah == 123
        assert live.snapshot() == stood.snapshot
    moment = told_local(stood.t_utc_s, stood.site.location.timezone)
    assert sum(f"Cabin from {moment}, seed {stood.seed}, " in text for text in said) == 1
    with serve(speed=100_000.0, for_s=DAY / 2) as rig:
        assert until(rig.assembly.units[0].live.ended.is_set, 8.0)
    times = [row[0] for row in read(path, "SELECT t_utc_s FROM samples")]
    assert times == list(range(times[0], times[-1] + 1, 60))
    assert times[0] == stood.start_utc_s + 60
    assert times[-1] > stood.t_utc_s + DAY / 3


def test_a_unit_id_that_function_45_has_set_outlives_the_process(serve, path, said):
    """At once or from the next power cycle on, as the model has it."""
    with serve(runs=False) as rig, master_of(rig) as master:
        tracer = rig.assembly.units[0].tracer
        assert isinstance(master.ask(UnitIdRequest(0xF8, 7)), UnitIdReply)
        ids = tracer.unit_ids
        assert 7 in ids
    assert read(path, "SELECT unit_id, unit_id_after_power_cycle FROM controllers") == [ids]
    with serve(runs=False, unit=3) as rig:
        assert rig.assembly.units[0].tracer.unit_ids == ids
        rig.do(f"power-cycle unit={ids[0]}")
        assert rig.assembly.units[0].tracer.unit_ids == (7, 7)
    assert any(f"unit id {ids[0]}, as {path} has it; --unit is for new files" in text for text in said)
    with serve(runs=False) as rig:
        assert rig.assembly.units[0].tracer.unit == 7


def test_a_unit_id_that_waits_for_the_power_cycle_still_does_after_a_restart(serve, path):
    with serve(runs=False) as rig:
        rig.assembly.units[0].tracer._identity.new_unit = 9
    with serve(runs=False) as rig:
        assert rig.assembly.units[0].tracer.unit_ids == (1, 9)


def test_what_is_broken_stays_broken_and_can_be_mended(serve, path):
    with serve(runs=False) as rig:
        told = rig.do("upset heatsink_blocked")
    with serve(runs=False) as rig:
        assert rig.assembly.units[0].live.plant.broken() == {0: "heatsink_blocked"}
        rig.do(told)
        assert rig.assembly.units[0].live.plant.broken() == {}


def test_all_controllers_of_a_line_are_kept(serve, path):
    with serve(load_site("farm"), speed=100_000.0, for_s=DAY) as rig:
        assert until(lambda: all(unit.live.ended.is_set() for unit in rig.assembly.units), 10.0)
    assert read(path, "SELECT controller, name, unit_id FROM controllers") == [
        (1, "Farm house", 1),
        (2, "Pump", 2),
    ]
    assert read(path, "SELECT controller, count(*) FROM samples GROUP BY 1") == [(1, 1440), (2, 1440)]
    assert {row[0] for row in read(path, "SELECT controller FROM days")} == {1, 2}


def test_samples_leave_memory_as_they_are_written(serve, path):
    """Also those of a jump of months, in which nobody else gets hold of the plant."""
    most = 0
    hand_on = memory.StateWriter._hand_on

    def measured(self: memory.StateWriter, keeper: Any) -> None:
        nonlocal most
        most = max(most, keeper._held)
        hand_on(self, keeper)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory.StateWriter, "_hand_on", measured)
        with serve(runs=False) as rig:
            rig.do("jump 2026-04-01T10:00")
            assert rig.state is not None
            last = [(rig.assembly.plants[0].t_utc_s,)]
            assert until(lambda: read(path, "SELECT max(t_utc_s) FROM samples") == last, 20.0)
            assert len(rig.assembly.units[0].live.trace().rows) == 0
    assert most <= memory.MOST_SAMPLES + 60
    begins = plant().start_utc_s
    times = [row[0] for row in read(path, "SELECT t_utc_s FROM samples")]
    assert times == list(range(begins + 60, times[-1] + 1, 60))
    assert len(times) == 40 * 1440 - 60  # civil time was put forward


def test_a_trace_is_still_kept_for_who_wants_it(serve, path, tmp_path):
    with serve(speed=30_000.0, for_s=7200.0, trace=tmp_path / "trace.csv") as rig:
        assert until(rig.assembly.units[0].live.ended.is_set, 5.0)
        rig.tell()
    assert len((tmp_path / "trace.csv").read_text().splitlines()) == 121
    assert read(path, "SELECT count(*) FROM samples") == [(120,)]


def test_a_plant_that_broke_off_is_not_committed(serve, path, monkeypatch):
    with serve(speed=10.0) as rig:
        live = rig.assembly.units[0].live
        stood = read(path, "SELECT t_utc_s FROM controllers")

        def fails(_: Live) -> None:
            live.plant.t_utc_s += 5
            raise FloatingPointError("a bug")

        monkeypatch.setattr(Live, "follow", fails)
        assert until(lambda: live.error is not None, 8.0)
    assert read(path, "SELECT t_utc_s FROM controllers") == stood


# --- replies don't wait -----------------------------------------------------------------------------------------------


def test_no_reply_waits_for_the_disk(serve, path, monkeypatch):
    write = StateFile.write

    def slow(self: StateFile, entries: Any) -> None:
        sleep(0.8)
        write(self, entries)

    with serve(speed=1000.0) as rig, master_of(rig) as master:
        monkeypatch.setattr(StateFile, "write", slow)
        sleep(0.8)
        took = []
        for number in range(40):
            began_s = monotonic()
            master.ask(
                WriteWord(1, CAPACITY, 100 + number) if number % 4 == 0 else ReadWords(1, 4, 0x3100, 8)
            )
            took.append(monotonic() - began_s)
            sleep(0.02)
        monkeypatch.undo()
    assert max(took) < 0.4


# --- without a disk ---------------------------------------------------------------------------------------------------


def test_a_full_disk_stops_recording_with_one_warning_and_the_line_goes_on(serve, path, said):
    """A file that may not grow any more, by SQLite's own count of pages."""
    with serve(speed=8000.0) as rig, master_of(rig) as master:
        rig.state._file._database.execute("PRAGMA max_page_count = 30")  # type: ignore[union-attr]
        assert until(lambda: any("recording stops here" in text for text in said), 20.0)
        for _ in range(3):
            assert master.ask(ReadWords(1, 4, 0x3100, 8))
            sleep(0.5)
        assert rig.assembly.units[0].live._told == ()
    assert sum("recording stops here, the line stays open" in text for text in said) == 1
    assert f"{path}: database or disk is full" in " ".join(said)
    times = [row[0] for row in read(path, "SELECT t_utc_s FROM samples")]
    assert times == list(range(times[0], times[-1] + 1, 60))
    with serve(speed=0.001) as rig:  # with room again
        assert rig.assembly.units[0].live.plant.t_utc_s - times[-1] < 60


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
sys.argv = ["tracertwin", "serve", "--state", sys.argv[1], "--link", "listen:127.0.0.1:0", "--speed", "100000",
    "--for", "4d"]
from tracertwin.cli import main as command
command.main()
"""


def test_a_disk_that_is_really_full_ends_nothing(path):
    """The system itself refuses to let the file grow: serve runs to its end and says so once."""
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count("recording stops here, the line stays open") == 1
    assert "ended at 2026-02-24T10:00:00+01:00 Europe/Zurich" in ended.stderr
    with closing(StateFile.opened(path)) as file:
        assert len(file.last_commits()) == 1


def test_a_file_that_cannot_be_written_at_the_start_is_refused(serve, path, monkeypatch):
    """Somebody is watching then, and nothing is lost yet."""
    opened = os.open

    def read_only(name: Any, flags: int, *mode: int) -> int:
        if str(name) == str(path):
            raise OSError(30, "Read-only file system")
        return opened(name, flags, *mode)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(
        ProblemsError, match=r"can't be written: Read-only file system; --state needs a writable file"
    ):
        serve().__enter__()


def test_a_browser_that_has_the_file_to_itself_for_a_while_is_waited_for(serve, path, said):
    with serve(speed=3000.0):
        with closing(sqlite3.connect(path, isolation_level=None)) as browser:
            browser.execute("BEGIN IMMEDIATE")
            stood = read(path, "SELECT t_utc_s FROM controllers")
            sleep(1.5)
            assert read(path, "SELECT t_utc_s FROM controllers") == stood
            browser.execute("ROLLBACK")
        assert until(lambda: read(path, "SELECT t_utc_s FROM controllers") != stood, 5.0)
    assert not [text for text in said if "recording" in text]
    times = [row[0] for row in read(path, "SELECT t_utc_s FROM samples")]
    assert times == list(range(times[0], times[-1] + 1, 60))


# --- kill -9 ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flaw", ["", "state-of-the-commit-before"])
def test_serve_can_be_killed_at_any_moment(flaw):
    """A few of the kills of `make crash`; with a flaw planted they are noticed."""
    told = f"--kills 6 --seed 3 --slack 1 {'--flaw' if flaw else ''} {flaw}".split()
    command = [sys.executable, "-m", "tests.endurance.crash", *told]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=ROOT, check=False)
    assert ended.returncode == (1 if flaw else 0), ended.stdout + ended.stderr
