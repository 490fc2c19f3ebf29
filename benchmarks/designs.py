"""Sweeps of designs after imports: a thousand through a year, a grid through twenty years, a thousand places.

Each in a process of its own, whose largest memory is noted. Two threads, on as many cores.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import numpy as np

from benchmarks.table import Result
from plant.inputs import Skies
from plant.site.model import Site, load_site
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.running import run_in_threads
from tracertwin.sizing.sweep.worklist import work_of
from tracertwin.sizing.sweep.years import WeatherYear

THREADS: Final = 2
FIRST_YEAR: Final = 2026
HOUR_S, DEFAULT_S = 3600, 1800
YEARS: Final = 20
PLACES: Final = 10  # of a thousand
BUCKET: Final = "energy bucket, numpy, all designs at once, one thread"
PYSAM: Final = "PySAM BatteryStateful alone, one design x 1,000, one thread"


def run() -> Iterator[Result]:
    """The three sweeps, and their memory."""
    thousand = _measured("thousand")
    yield Result(
        what="1,000 designs x 1 year at 1 h, sky kept", unit="s", ours=thousand["seconds"], limit=4.0,
        peer=_bucket_s(), peer_name=BUCKET, note=_memory(thousand),
    )  # fmt: skip
    pysam_s = _pysam_year_s()
    yield Result(
        what="the same", unit="s", ours=thousand["seconds"], limit=None,
        peer=None if pysam_s is None else 1e3 * pysam_s,
        peer_name=PYSAM if pysam_s is not None else "PySAM is not installed",
    )  # fmt: skip
    grid = _measured("grid")
    yield Result(
        what="6 x 8 designs x 20 years at 30 min, weather made", unit="s", ours=grid["seconds"], limit=30.0,
        peer_name="none that makes weather", note=_memory(grid),
    )  # fmt: skip
    yield Result(
        what="the same, sky kept", unit="s", ours=grid["again_s"], limit=10.0, peer_name="none that keeps it"
    )
    places = _measured("places")
    yield Result(
        what="1,000 places x 48 designs x 20 years at 1 h", unit="min",
        ours=places["seconds"] * 1000 / PLACES / 60.0, limit=60.0, peer_name="none",
        note=f"from {PLACES} places, weather made; {_memory(places)}",
    )  # fmt: skip


def _memory(found: dict[str, float]) -> str:
    return f"{found['mb']:.0f} MB at most"


def _measured(name: str) -> dict[str, float]:
    """What a sweep takes in a process of its own."""
    said = subprocess.run([sys.executable, "-m", __name__, name], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(said.stdout)
    return found


def _swept(sites: Sequence[Site], years: int, step_s: int, skies: Skies, folder: Path) -> float:
    """Wall time [s] of designs of one place, none of which is done."""
    began = perf_counter()
    work = work_of(sites, [WeatherYear(1, FIRST_YEAR + k) for k in range(years)], step_s)
    run_in_threads(work, work.items, KeptResults(folder), THREADS, skies)
    return perf_counter() - began


def _designs(
    site: Site, tilts: Sequence[float], modules: Sequence[int], banks_ah: Sequence[float]
) -> list[Site]:
    return [
        site.model_copy(
            update={
                "array": site.array.model_copy(update={"tilt_deg": float(tilt), "parallel": parallel}),
                "battery": site.battery.model_copy(update={"capacity_ah": float(capacity_ah)}),
            }
        )
        for tilt in tilts
        for parallel in modules
        for capacity_ah in banks_ah
    ]


def _thousand(folder: Path) -> dict[str, float]:
    site, skies = load_site("cabin"), KeptSkies(folder / "skies")
    _swept([site], 1, HOUR_S, skies, folder / "first")  # compiled code is loaded, the sky kept
    sites = _designs(site, range(10, 60, 5), (1, 2, 3, 4), range(50, 300, 10))
    return {"seconds": _swept(sites, 1, HOUR_S, skies, folder / "all")}


def _grid(folder: Path) -> dict[str, float]:
    site, skies = load_site("cabin"), KeptSkies(folder / "skies")
    other = site.model_copy(
        update={"seed": 1, "location": site.location.model_copy(update={"latitude_deg": 47.0})}
    )
    _swept([other], 1, DEFAULT_S, skies, folder / "first")  # compiled code is loaded
    sites = _designs(site, (site.array.tilt_deg,), range(1, 7), range(50, 450, 50))
    return {
        "seconds": _swept(sites, YEARS, DEFAULT_S, skies, folder / "made"),
        "again_s": _swept(sites, YEARS, DEFAULT_S, KeptSkies(folder / "skies"), folder / "kept"),
    }


def _places(folder: Path) -> dict[str, float]:
    site, skies = load_site("cabin"), KeptSkies(folder / "skies")
    _swept([site], 1, HOUR_S, skies, folder / "first")
    seconds = 0.0
    for place in range(PLACES):
        location = site.location.model_copy(update={"latitude_deg": 30.0 + 2.0 * place})
        there = site.model_copy(update={"location": location})
        sites = _designs(there, (site.array.tilt_deg,), range(1, 7), range(50, 450, 50))
        seconds += _swept(sites, YEARS, HOUR_S, skies, folder / "all")
    return {"seconds": seconds}


def _bucket_s() -> float:
    """Wall time [s] of what sizing tools without a battery model do: charge in, charge out, full, empty."""
    designs, hours = 1000, 8760
    rng = np.random.default_rng(1)
    pv_wh, load_wh = rng.uniform(0.0, 80.0, hours), np.full(hours, 9.0)
    size_wh = np.linspace(600.0, 3600.0, designs)
    modules = np.resize(np.arange(1.0, 5.0), designs)
    began = perf_counter()
    charge, unserved = size_wh.copy(), np.zeros(designs)
    for hour in range(hours):
        charge += modules * pv_wh[hour] - load_wh[hour]
        unserved -= np.minimum(charge, 0.0)
        np.clip(charge, 0.0, size_wh, out=charge)
    return perf_counter() - began


def _pysam_year_s() -> float | None:
    """Wall time [s] of NREL's battery model through a year of hours; none where PySAM isn't installed."""
    try:
        from PySAM.BatteryStateful import default
    except ImportError:
        return None
    battery = default("LeadAcid")
    battery.ParamsCell.assign({"initial_SOC": 60.0, "minimum_SOC": 10.0, "maximum_SOC": 100.0})
    battery.Controls.assign({"control_mode": 1.0, "dt_hr": 1.0, "input_power": 0.0})
    battery.setup()
    power_kw = 0.3 * np.sin(np.arange(8760) * 2.0 * np.pi / 24.0)
    began = perf_counter()
    for now_kw in power_kw.tolist():
        battery.Controls.input_power = now_kw
        battery.execute(0)
    return perf_counter() - began


def _most_mb() -> float:
    """This process's largest memory; `getrusage` would count that of the process which started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(status["VmHWM"].split()[0]) / 1e3


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        measured = {"thousand": _thousand, "grid": _grid, "places": _places}[sys.argv[1]](Path(temporary))
    measured["mb"] = _most_mb()
    print(json.dumps(measured))
