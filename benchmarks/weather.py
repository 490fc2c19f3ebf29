"""A site-year of weather by the hour: made, for the first and for the next seed of a place, and read again from a disk.

Processor time, as two other processes would not change it.
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Final

import numpy as np

from benchmarks.table import Result
from plant.site.model import load_site
from plant.weather.place import Place
from plant.weather.steps.making import forget_suns, sky_means
from tracertwin.memory.skies import KeptSkies

FIRST_DAY: Final = 20454  # 2026-01-01
DAYS: Final = 365
TRIALS: Final = 9
PEER: Final = "pvlib for the same hours: SPA, Ineichen, Erbs; no clouds, no air"


def run() -> Iterator[Result]:
    """The year made, its first seed, read again, and its size."""
    site = load_site("cabin")
    seeds = count(1)
    sky_means(site, 0, FIRST_DAY, DAYS)  # compiled code is loaded, tables are read

    def first() -> None:
        forget_suns()
        sky_means(site, next(seeds), FIRST_DAY, DAYS)

    ours = _least_ms(lambda: sky_means(site, next(seeds), FIRST_DAY, DAYS))
    peer = _least_ms(lambda: _by_pvlib(site))
    yield Result(
        what="site-year of weather at 1 h", unit="ms", ours=ours, limit=40.0, peer=peer, peer_name=PEER,
        note=f"processor time, least of {TRIALS}; minutes of clouds, air, what planes need; the sun of place and year "
        "is there from another seed",
    )  # fmt: skip
    yield Result(
        what="its first seed, with the sun of the place", unit="ms", ours=_least_ms(first), limit=None,
        peer=peer, peer_name=PEER,
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        store = KeptSkies(Path(folder))
        store(site, 1, FIRST_DAY, DAYS)
        read_ms = _least_ms(lambda: KeptSkies(Path(folder))(site, 1, FIRST_DAY, DAYS))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    yield Result(
        what="the same read from disk", unit="ms", ours=read_ms, limit=None,
        peer_name="none that keeps weather",
    )  # fmt: skip
    yield Result(
        what="its size on disk", unit="kB", ours=size / 1e3, limit=200.0,
        peer_name="none that keeps weather",
    )  # fmt: skip


def _least_ms(action: Callable[[], object]) -> float:
    def once() -> float:
        began = process_time()
        action()
        return 1e3 * (process_time() - began)

    return min(once() for _ in range(TRIALS))


def _by_pvlib(place: Place) -> None:
    """Sun, cloudless sky and a split of its light at the middle of each hour."""
    import pandas as pd
    from pvlib import irradiance, location

    there = place.location
    where = location.Location(there.latitude_deg, there.longitude_deg, "UTC", there.altitude_m)
    seconds = FIRST_DAY * 86400.0 + 1800.0 + 3600.0 * np.arange(24 * DAYS)
    times = pd.DatetimeIndex(pd.to_datetime(seconds, unit="s", utc=True))
    sun = where.get_solarposition(times)
    clear = where.get_clearsky(times, solar_position=sun)
    irradiance.erbs(0.7 * clear["ghi"], sun["zenith"], times)
