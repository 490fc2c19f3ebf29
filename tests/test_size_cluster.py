"""Designs on a Dask cluster: two workers, one of them killed, to the same bytes as threads."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plant.base.problems import ProblemsError
from tests.plants import site
from tests.test_size_work import do, written
from tests.waiting import until
from tracertwin.sizing.sweep import cluster
from tracertwin.sizing.sweep.cluster import Task, run_on_cluster
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.worklist import Work, work_of
from tracertwin.sizing.sweep.years import weather_years

HOUR = 3600
START_S = 60.0


@pytest.fixture
def scheduler(tmp_path) -> Iterator[tuple[Path, list[subprocess.Popen[bytes]]]]:
    """A scheduler file, and the two workers of its scheduler."""
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    dask = [sys.executable, "-m", "dask"]
    where = ["--scheduler-file", str(file)]
    processes = [subprocess.Popen([*dask, "scheduler", *where, "--port", "0", "--no-dashboard"], **quiet)]
    try:
        assert until(lambda: is_whole(file), START_S)
        for _ in range(2):
            worker = [*dask, "worker", *where, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
            processes.append(subprocess.Popen(worker, **quiet))
        yield file, processes[1:]
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def is_whole(file: Path) -> bool:
    """Whether a file of JSON is there to its end."""
    try:
        return bool(json.loads(file.read_text()))
    except (OSError, ValueError):
        return False


@pytest.fixture(scope="module")
def work() -> Work:
    """Four items of five years."""
    designs = [site(battery={"capacity_ah": ah}) for ah in (60.0, 100.0, 140.0, 180.0)]
    return work_of(designs, weather_years(designs[0], 5, ()), HOUR)


def test_two_workers_of_which_one_is_killed_leave_the_bytes_of_threads(
    work, scheduler, tmp_path, monkeypatch
):
    monkeypatch.setattr(cluster, "YEARS_PER_TASK", 5)
    file, workers = scheduler
    results, heard = KeptResults(tmp_path / "cluster"), []

    def kill_one(item) -> None:
        if not heard:
            os.kill(workers[0].pid, signal.SIGKILL)
        heard.append(item)

    run_on_cluster(work, work.items, results, str(file), kill_one)
    assert sorted(heard) == sorted(work.items)
    do(work, KeptResults(tmp_path / "threads"))
    assert written(tmp_path / "cluster") == written(tmp_path / "threads")


def test_a_worker_of_another_version_says_so():
    (problem,) = cluster.do(Task((), (), HOUR, "another"))
    assert "this worker has another version" in str(problem)


def test_nobody_at_the_address_is_a_clear_line(work, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECTS_WITHIN_S", 1)
    with pytest.raises(ProblemsError, match=r"--cluster: no Dask scheduler at tcp://127\.0\.0\.1:9: "):
        run_on_cluster(work, work.items, KeptResults(tmp_path), "tcp://127.0.0.1:9")


def test_a_scheduler_file_that_is_not_there_is_told_at_once(work, tmp_path):
    with pytest.raises(
        ProblemsError, match=r"--cluster: no such scheduler file: foo; give tcp://HOST:8786, or"
    ):
        run_on_cluster(work, work.items, KeptResults(tmp_path), "foo")
