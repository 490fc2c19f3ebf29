"""The tracker that climbs and sweeps beside the steady one, in the plant: days of sun, of broken cloud, and of shade.

Within a step of the plant the sun stands still, so what is compared is the walk about the maximum, the sweeps, and the
new start after each step of the light. What the light's own ramps cost is measured by EN 50530 (`tracker`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from plant.base.clock import DAY_S
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.site.model import Site
from validation.check import Check
from validation.plant_energy import cabin

STEADY = "the steady tracker, 99.5 %"
PERFECT = "the array's global maximum"
THIRSTY = {"hourly_w": [60.0] * 24}  # never full: the charger takes all there is
# Also in dim light, where real units don't.
TRACKS_ALWAYS = str(Path(__file__).with_name("reference_20a.yaml"))
LARGE = {"capacity_ah": 400, "soc": 0.4, "room_c": 18}
SHADE = [0.0] * 8 + [0.9] * 8 + [0.0] * 8  # of the solar day


def _energy(site: Site, tracker: str, days: int) -> Snapshot:
    controller = {**site.model_dump()["controller"], "tracker": tracker, "model": TRACKS_ALWAYS}
    plant = Plant.new(Site.model_validate({**site.model_dump(), "controller": controller}))
    plant.run(days * DAY_S, 3600)
    return plant.snapshot


def _plant(clearness: list[float] | None, **array: Any) -> Site:
    return cabin(
        "agm", LARGE, start="2026-06-20T00:00", sky={"clearness": clearness}, load=THIRSTY, array=array
    )


def checks() -> Iterator[Check]:
    """Two days of each."""
    shade = {"series": 2, "shading": {"by_hour": SHADE, "substrings": 0.5}}
    for name, site in (
        ("clear days", _plant(None)),
        ("days of broken cloud", _plant([0.5] * 12)),
        ("days with half of every module in shade", _plant(None, **shade)),
    ):
        steady, climbing = (_energy(site, tracker, 2) for tracker in ("steady", "dynamic"))
        yield Check(
            what=f"{name}: PV energy of the climbing tracker", value=climbing.e_pv_wh, reference=steady.e_pv_wh,
            tolerance=0.006 * steady.e_pv_wh, unit="Wh", source=STEADY,
            note=f"{100.0 * (climbing.e_pv_wh / steady.e_pv_wh - 1.0):+.2f} %",
        )  # fmt: skip
        yield Check(
            what=f"{name}: what it takes of all there is", value=100.0 * (climbing.e_pv_wh / climbing.e_available_wh),
            reference=99.5, tolerance=0.5, unit="%", source=PERFECT,
        )  # fmt: skip
