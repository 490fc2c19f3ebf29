"""Results of weather years, kept on disk by content: what was worked out once is never worked out again.

A file's name is made of all that its figures depend on: the design with the files that it names, seed, years, step and
the program's own sources. So a run that was stopped goes on where it was, shares of the work that several machines did
come together by lying in one folder, and no result is ever stale.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from plant.base.arraycache import cache_home
from plant.base.codecache import PACKAGE
from plant.base.problems import Problem, ProblemsError
from plant.site.copying import Files, copied
from plant.site.model import Site
from tracertwin.memory.checkedfiles import make_room, read_checked, version_of, write_checked
from tracertwin.sizing.figures.monthly import FIGURES, MONTHS
from tracertwin.sizing.sweep.years import WeatherYear

MOST_BYTES: Final = 2_000_000_000  # of the user's cache; 10,000 designs through 20 years
LOOKS_EVERY: Final = 256  # files written between two looks at how much there is
_LIBRARIES: Final = ("numpy", "numba", "scipy", "pvlib")
_NO_PART: Final = ("name", "unit", "start", "seed", "line", "costs", "neighbours")


def content_of(site: Site) -> str:
    """Digest of all that a design's years depend on, beside seed, year and step: files by content, names by nothing."""
    files = Files()
    weather = site.weather
    fileless = site.model_copy(update={"weather": weather.model_copy(update={"file": None})})
    data = {key: value for key, value in copied(fileless, files).items() if key not in _NO_PART}
    measured = None if weather.file is None else _digest_of_file(weather.file, *_seen(weather.file))
    return _digest([data, files.texts, measured])


def _seen(file: str) -> tuple[int, int]:
    now = Path(file).stat()
    return now.st_mtime_ns, now.st_size


@lru_cache(maxsize=64)
def _digest_of_file(file: str, _mtime_ns: int, _size: int) -> str:
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:32]


def key_of(content: str, years: Iterable[WeatherYear], step_s: int) -> str:
    """The name of the results of a design through some weather years."""
    return _digest([content, [list(year) for year in years], step_s])


@lru_cache(maxsize=1)
def results_version() -> str:
    """Of all that makes figures out of a design."""
    sizing = PACKAGE.parent / "tracertwin" / "sizing"
    own = [
        *(sizing / "figures").glob("*.py"),
        *(sizing / "sweep" / name for name in ("evaluating.py", "years.py")),
    ]
    return version_of(_LIBRARIES, [*PACKAGE.rglob("*.py"), *own])


class KeptResults:
    """Figures by key, in a folder that several processes may fill at once.

    Parameters
    ----------
    folder : Path, optional
        Where nothing is ever removed; ``sizing`` in the folder that ``TRACERTWIN_CACHE`` names or in the user's cache
        unless given, where the oldest go when there are too many.

    Attributes
    ----------
    folder : Path
    own_folder : Path or None
        As given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        if folder is not None and folder.exists() and not folder.is_dir():
            raise ProblemsError([Problem("--results", 0, "", f"{folder} is a file, not a folder")])
        self.own_folder = folder
        self.folder = folder or cache_home() / "sizing"
        self._here: dict[str, np.ndarray] = {}  # what came by in this process
        self._written = 0

    def get(self, key: str, years: int) -> np.ndarray | None:
        """The figures of so many years, (years, 12, figures); none where there are no whole ones."""
        if key in self._here:
            return self._here[key]
        body = read_checked(self._path(key))
        shape = (years, MONTHS, len(FIGURES))
        if body is None or body.nbytes != 8 * int(np.prod(shape)):
            return None
        found = self._here[key] = np.frombuffer(body.tobytes(), dtype="<f8").reshape(shape)
        return found

    def put(self, key: str, figures: np.ndarray) -> None:
        """Keep figures. A cache that can't be written goes on without; a folder that was asked for doesn't.

        Raises
        ------
        ProblemsError
            Where a folder of the user's own can't be written.
        """
        self._here[key] = figures
        try:
            write_checked(self._path(key), np.ascontiguousarray(figures, dtype="<f8").tobytes())
        except ProblemsError:
            if self.own_folder is not None:
                raise
            return
        if self.own_folder is None and self._written % LOOKS_EVERY == 0:
            make_room(self.folder, MOST_BYTES)
        self._written += 1

    def spoiled(self, key: str) -> bool:
        """Whether a file of that key is there and holds nothing that can be used."""
        path = self._path(key)
        return path.is_file() and read_checked(path) is None

    def _path(self, key: str) -> Path:
        return self.folder / results_version() / key[:2] / f"{key}.figures"
