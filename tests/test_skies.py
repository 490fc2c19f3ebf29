"""Skies on disk: the same as made, found again, and never in the way."""

import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from time import sleep

import numpy as np
import pytest

from plant.weather.place import Location, Place, Sky, Weather
from plant.weather.steps.making import packed_days, sky_means
from tests import weatherfiles as files
from tests.test_skymeans import CLIMATES, COLUMNS, YEAR, same
from tests.test_weatherfile import site_of
from tracertwin.memory import skies
from tracertwin.memory.skies import KeptSkies

THERE = CLIMATES["temperate"]


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def never_made(monkeypatch):
    """From now on nothing may be made again."""

    def forbid() -> None:
        def made(*_: object) -> np.ndarray:
            raise AssertionError("made again")

        monkeypatch.setattr(skies, "packed_days", made)

    return forbid


@pytest.mark.parametrize("step_s", [900, 3600])
def test_what_is_kept_is_what_is_made(tmp_path, never_made, step_s):
    made = sky_means(THERE, 3, YEAR, 40, step_s)
    assert same(KeptSkies(tmp_path)(THERE, 3, YEAR, 40, step_s), made)
    never_made()
    assert same(KeptSkies(tmp_path)(THERE, 3, YEAR, 40, step_s), made)
    assert same(KeptSkies(tmp_path)(THERE, 3, YEAR + 7, 5, step_s), sky_means(THERE, 3, YEAR + 7, 5, step_s))


def test_a_run_over_new_year_takes_two_years_and_a_leap_year_has_its_day(tmp_path):
    first = int(np.datetime64("2027-12-20", "D").astype(int))
    assert same(KeptSkies(tmp_path)(THERE, 3, first, 400), sky_means(THERE, 3, first, 400))
    assert len(kept(tmp_path)) == 3  # 2027, 2028 and the first weeks of 2029


def test_a_year_of_hours_takes_less_than_200_kb(tmp_path):
    KeptSkies(tmp_path)(THERE, 3, int(np.datetime64("2028-01-01", "D").astype(int)), 366)
    (path,) = kept(tmp_path)
    assert path.stat().st_size < 200_000


def test_each_place_seed_year_and_step_is_kept_for_itself(tmp_path):
    store = KeptSkies(tmp_path)
    other = THERE.model_copy(update={"sky": Sky(clearness=(0.5,) * 12)})
    farther = THERE.model_copy(update={"location": Location(latitude_deg=47.0, longitude_deg=8.6)})
    warmer = THERE.model_copy(update={"weather": Weather(temperature_c=(11.0,) * 12)})
    asked = [
        (THERE, 3, YEAR, 1, 3600), (THERE, 4, YEAR, 1, 3600), (THERE, 3, YEAR + 365, 1, 3600),
        (THERE, 3, YEAR, 1, 1800), (other, 3, YEAR, 1, 3600), (farther, 3, YEAR, 1, 3600),
        (warmer, 3, YEAR, 1, 3600),
    ]  # fmt: skip
    for number, what in enumerate(asked, 1):
        assert same(store(*what), sky_means(*what))
        assert len(kept(tmp_path)) == number


def test_a_plant_that_stands_there_is_no_part_of_a_sky_s_name(tmp_path):
    from tests.plants import site

    for there in (site(), site(battery={"soc": 0.3}), site(array={"tilt_deg": 10.0})):
        KeptSkies(tmp_path)(there, 3, YEAR, 1)
    assert len(kept(tmp_path)) == 1


def test_another_version_of_the_program_makes_its_own(tmp_path, monkeypatch):
    KeptSkies(tmp_path)(THERE, 3, YEAR, 1)
    monkeypatch.setattr(skies, "weather_version", lambda: "another")
    KeptSkies(tmp_path)(THERE, 3, YEAR, 1)
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: b"", lambda whole: whole[:1000], lambda whole: whole + b"x",
        lambda whole: whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:],
        lambda whole: bytes(len(whole)), lambda whole: b"x" + whole[1:],
    ],
    ids=["empty", "cut short", "too long", "a bit", "zeros", "digest"],
)  # fmt: skip
def test_a_broken_file_is_made_again(tmp_path, never_made, spoil):
    made = KeptSkies(tmp_path)(THERE, 3, YEAR, 20)
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(spoil(whole))
    assert same(KeptSkies(tmp_path)(THERE, 3, YEAR, 20), made)
    assert path.read_bytes() == whole
    never_made()
    assert same(KeptSkies(tmp_path)(THERE, 3, YEAR, 20), made)


def test_on_a_full_disk_a_sky_is_made_every_time_and_nothing_is_left_lying_about(tmp_path, monkeypatch):
    tried = []

    def full(self: Path, data: bytes) -> int:
        tried.append(self)
        self.touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    store = KeptSkies(tmp_path)
    assert same(store(THERE, 3, YEAR, 5), sky_means(THERE, 3, YEAR, 5))
    assert same(store(THERE, 4, YEAR, 5), sky_means(THERE, 4, YEAR, 5))
    assert len(tried) == 1  # a disk that is full is not asked each year anew
    assert kept(tmp_path) == []


def test_a_folder_that_is_a_file_is_no_folder(tmp_path):
    (tmp_path / "skies").write_text("")
    assert same(KeptSkies(tmp_path / "skies")(THERE, 3, YEAR, 5), sky_means(THERE, 3, YEAR, 5))


READ_ONLY = """
import sys
from pathlib import Path
from tests.test_skies import THERE, YEAR, same, sky_means
from tracertwin.memory.skies import KeptSkies
assert same(KeptSkies(Path(sys.argv[1]))(THERE, int(sys.argv[2]), YEAR, 5), sky_means(THERE, int(sys.argv[2]), YEAR, 5))
"""


def test_a_folder_that_may_only_be_read_is_read(tmp_path):
    """Root may write anywhere, unless it gives that right up."""
    folder = tmp_path / "skies"
    KeptSkies(folder)(THERE, 3, YEAR, 5)
    before = kept(folder)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    giving_up = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    for seed in ("3", "4"):
        subprocess.run([*giving_up, sys.executable, "-c", READ_ONLY, str(folder), seed], check=True)
    assert kept(folder) == before
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755)


def light_of(folder: Path) -> bytes:
    store = KeptSkies(folder)
    return b"".join(store(THERE, seed, YEAR, 3).ghi_w_m2.tobytes() for seed in range(6))


def test_two_processes_at_once_have_the_same_and_leave_whole_files(tmp_path, never_made):
    with ProcessPoolExecutor(2) as workers:
        one, other = workers.map(light_of, [tmp_path, tmp_path])
    assert one == other
    assert len(kept(tmp_path)) == 6
    never_made()
    assert light_of(tmp_path) == one


def test_two_threads_at_once_wait_for_one_that_makes_each_sky_once(tmp_path, monkeypatch, never_made):
    made, meet = [], threading.Barrier(2, timeout=30.0)

    def slowly(place: Place, seed: int, *days: int) -> np.ndarray:
        made.append(seed)
        sleep(0.05)  # the other thread asks meanwhile
        return packed_days(place, seed, *days)

    monkeypatch.setattr(skies, "packed_days", slowly)
    store = KeptSkies(tmp_path)

    def light(_: int) -> bytes:
        seen = []
        for seed in range(6):
            meet.wait()
            seen.append(store(THERE, seed, YEAR, 3).ghi_w_m2.tobytes())
        return b"".join(seen)

    with ThreadPoolExecutor(2) as threads:
        one, other = threads.map(light, range(2))
    assert one == other
    assert made == list(range(6))
    never_made()
    assert light_of(tmp_path) == one


def test_a_sky_that_could_not_be_made_is_made_when_asked_again(tmp_path, monkeypatch):
    store = KeptSkies(tmp_path)
    with monkeypatch.context() as broken:
        broken.setattr(skies, "packed_days", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store(THERE, 3, YEAR, 3)
    assert same(store(THERE, 3, YEAR, 3), sky_means(THERE, 3, YEAR, 3))


def test_beyond_its_size_the_oldest_go(tmp_path):
    size = packed_days(THERE, 3, YEAR, 365, 3600).nbytes + 32
    for number, seed in enumerate(range(4)):
        KeptSkies(tmp_path, most_bytes=2 * size)(THERE, seed, YEAR, 1)
        newest = max(kept(tmp_path), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1000.0 + number, 1000.0 + number))
    assert [path.stat().st_mtime for path in sorted(kept(tmp_path), key=lambda path: path.stat().st_mtime)] == [
        1002.0, 1003.0,
    ]  # fmt: skip


def test_a_weather_file_s_sky_is_read_from_the_file(tmp_path):
    there = site_of(files.csv_file(tmp_path / "year.csv", files.year_of_light()))
    first = int(np.datetime64("2023-06-11", "D").astype(int))
    found = KeptSkies(tmp_path / "skies")(there, 1, first, 3)
    made = sky_means(there, 1, first, 3)
    assert all(getattr(found, name).tobytes() == getattr(made, name).tobytes() for name in COLUMNS)
    assert not (tmp_path / "skies").exists()


def test_skies_lie_where_the_variable_says_and_a_run_by_the_hour_uses_them(call, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACERTWIN_CACHE", str(tmp_path))
    hourly = ("run", "--days", "2", "--fidelity", "sizing", "--step", "1h")
    first, again = call(*hourly), call(*hourly)
    assert first[:2] == again[:2]
    assert first[0] == 0
    assert len(kept(tmp_path / "skies")) == 1
    call("run", "--days", "1", "--fidelity", "sizing", "--step", "5min", "--seed", "9")
    assert len(kept(tmp_path / "skies")) == 1


def test_a_place_of_no_plant_will_do(tmp_path):
    bare = Place(
        location=Location(latitude_deg=10.0, longitude_deg=0.0), weather=Weather(temperature_c=(25.0,) * 12)
    )
    assert same(KeptSkies(tmp_path)(bare, 0, YEAR, 2), sky_means(bare, 0, YEAR, 2))
