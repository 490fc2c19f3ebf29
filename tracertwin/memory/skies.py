"""Skies on a disk: the step means of a place for a year and a seed, made once and mapped into memory from then on.

Kept by content: a file's name is made of all that its sky depends on, the program's own sources too, so it is never
stale. A folder that can't be had, a full disk or a broken file cost time and nothing else; no result depends on them.
"""

import hashlib
import json
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from plant.base.arraycache import cache_home
from plant.base.codecache import PACKAGE
from plant.base.problems import ProblemsError
from plant.weather.place import Place
from plant.weather.steps.columns import day_type
from plant.weather.steps.making import packed_days, sky_means
from plant.weather.steps.means import SkyMeans, unpacked_sky
from plant.weather.sun import EPOCH, date_of
from tracertwin.memory.checkedfiles import make_room, read_checked, version_of, write_checked
from tracertwin.memory.latelymade import LatelyMade

MOST_BYTES: Final = 1_000_000_000  # of all skies; 5,000 years of hours
LOOKS_EVERY: Final = 64  # files written between two looks at how much there is
MAPPED_YEARS: Final = 4
_DEPENDS_ON: Final = ("numpy", "numba", "scipy", "pvlib")


class KeptSkies:
    """`sky_means` that keeps whole calendar years: call it as you would that.

    Parameters
    ----------
    folder : Path, optional
        Where; `skies` in the folder that ``TRACERTWIN_CACHE`` names or in the user's cache unless given.
    most_bytes : int
        What all skies in it may take; beyond that the oldest go.
    """

    def __init__(self, folder: Path | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder or cache_home() / "skies"
        self._most_bytes = most_bytes
        self._lately: LatelyMade[np.ndarray] = LatelyMade()
        self._written = 0
        self._may_write = True

    def __call__(self, place: Place, seed: int, first_day: int, days: int, step_s: int = 3600) -> SkyMeans:
        """See `sky_means`. A weather file's sky isn't kept: the file is, and reading it costs more than the rest."""
        if place.weather.file is not None:
            return sky_means(place, seed, first_day, days, step_s)
        parts = []
        day = first_day
        while day < first_day + days:
            begins, ends = _year_around(day)
            kept = self._year(place, seed, begins, ends - begins, step_s)
            parts.append(kept[day - begins : first_day + days - begins])
            day = ends
        return unpacked_sky(np.concatenate(parts), place, first_day, step_s)

    def _year(self, place: Place, seed: int, first_day: int, days: int, step_s: int) -> np.ndarray:
        name = _name(place, seed, first_day, step_s)

        def read_or_made() -> np.ndarray:
            path = self._folder / weather_version() / name
            kept = _read(path, days, step_s)
            if kept is None:
                kept = packed_days(place, seed, first_day, days, step_s)
                self._write(path, kept)
            return kept

        return self._lately.get(name, read_or_made, MAPPED_YEARS)

    def _write(self, path: Path, kept: np.ndarray) -> None:
        if not self._may_write:
            return
        try:
            write_checked(path, kept.tobytes())
        except ProblemsError:  # no right, no room: it won't be better for the next year
            self._may_write = False
            return
        if self._written % LOOKS_EVERY == 0:
            make_room(self._folder, self._most_bytes)
        self._written += 1


def _year_around(day: int) -> tuple[int, int]:
    """First day of a day's calendar year, and of the next."""
    year = date_of(day).year
    begins, ends = (date(number, 1, 1) - EPOCH for number in (year, year + 1))
    return begins.days, ends.days


def _name(place: Place, seed: int, first_day: int, step_s: int) -> str:
    """Of a file: what its sky depends on, but for the program."""
    records = {name: getattr(place, name).model_dump(mode="json") for name in Place.model_fields}
    text = json.dumps([records, seed, first_day, step_s], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32] + ".sky"


@lru_cache(maxsize=1)
def weather_version() -> str:
    """Of all that makes weather out of a place: our own sources, and the libraries that they call."""
    return version_of(_DEPENDS_ON, [*(PACKAGE / "weather").rglob("*.py"), *(PACKAGE / "base").glob("*.py")])


def _read(path: Path, days: int, step_s: int) -> np.ndarray | None:
    """The year that a file holds; none where there is no whole one."""
    body = read_checked(path)
    if body is None or body.size != days * day_type(step_s).itemsize:
        return None
    return body.view(day_type(step_s))
