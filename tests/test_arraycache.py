"""What one run leaves on disk for later ones."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plant.base.arraycache import FOLDER, cache_home, cached_array
from plant.base.codecache import cache_dir
from plant.plant import Plant
from plant.site.model import load_site
from tests.command import ROOT

CALLS = []
COMPILED = cache_dir()  # where it is before a test sets the variable


def sevenths(count: int, name: str = "") -> np.ndarray:
    CALLS.append((count, name))
    return np.arange(count) / 7.0


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TRACERTWIN_CACHE", str(tmp_path / "cache"))
    CALLS.clear()


def files() -> list[Path]:
    return sorted((cache_home() / FOLDER).glob("*"))


def test_an_array_is_made_once_and_read_after_that_bit_for_bit():
    made, read = cached_array(sevenths, 9), cached_array(sevenths, 9)
    assert CALLS == [(9, "")]
    assert made.tobytes() == read.tobytes() == (np.arange(9) / 7.0).tobytes()


@pytest.mark.parametrize("other", [(10,), (9, "north")])
def test_other_arguments_are_another_array(other):
    cached_array(sevenths, 9)
    assert cached_array(sevenths, *other).size == other[0]
    assert len(CALLS) == len(files()) == 2


@pytest.mark.parametrize("keep", [0, 20, 100, -8])
def test_a_file_that_was_cut_off_is_made_anew(keep):
    cached_array(sevenths, 9)
    (path,) = files()
    path.write_bytes(path.read_bytes()[:keep])
    assert cached_array(sevenths, 9).size == 9
    assert cached_array(sevenths, 9).size == 9
    assert len(CALLS) == 2


def test_where_nothing_can_be_written_it_is_made_each_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRACERTWIN_CACHE", str(tmp_path / "file" / "cache"))
    assert cached_array(sevenths, 9).tobytes() == cached_array(sevenths, 9).tobytes()
    assert len(CALLS) == 2


def test_a_full_disk_leaves_no_half_a_file(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert cached_array(sevenths, 9).size == 9
    assert files() == []


def test_what_can_not_be_made_is_not_kept():
    def unmade(_: int) -> np.ndarray:
        raise KeyError("no such module")

    with pytest.raises(KeyError):
        cached_array(unmade, 1)
    assert files() == []


@pytest.mark.parametrize("site", ["cabin", "clinic"])
def test_a_plant_that_ran_before_starts_without_pvlib_and_pandas(site):
    """They take as long as all the rest of a start, and 85 MB."""
    Plant.new(load_site(site)).run(5, 5)  # so that its machine code is there
    shutil.rmtree(cache_home(), ignore_errors=True)
    cache_home().mkdir()
    (cache_home() / COMPILED.name).symlink_to(COMPILED)
    run = (
        "import sys; from plant.plant import Plant; from plant.site.model import load_site\n"
        f"Plant.new(load_site({site!r})).run(86400, 5)\n"
        "print(*sorted({'pandas', 'pvlib', 'h5py'} & set(sys.modules)))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", run], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert said[0].split() == ["h5py", "pandas", "pvlib"]
    assert said[1].split() == []
