"""What comes to the plant from outside, some days at a time: sun, air, demand, the room.

From (site, seed, day) alone.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias, TypeVar

import numpy as np

from plant.array.day import AnyDay
from plant.array.layout import Defect
from plant.array.model import array_days
from plant.array.snow import snow_shadows
from plant.base.clock import DAY_S, SKY_S, STEP_S
from plant.load.day import demand_day
from plant.load.demand import Demand
from plant.site.connected import with_connected
from plant.site.model import Site
from plant.weather import sun
from plant.weather.place import Place
from plant.weather.sky import SkyBlock, sky_block, source_of
from plant.weather.steps.making import SHORTEST_STEP_S, sky_means
from plant.weather.steps.means import SkyMeans

COARSE_SKY_S = 60
SIZING_BLOCK_DAYS = 32

Skies: TypeAlias = Callable[[Place, int, int, int, int], SkyMeans]
"""`sky_means`, or what gives the same faster: place, seed, first day, days, step [s]."""

_BlockKey: TypeAlias = tuple[
    int, tuple[Defect, ...], float
]  # number, what is broken in the array, light let through

_LIGHT: Final = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "around_w_m2", "even_w_m2", "band_w_m2")
_Sky = TypeVar("_Sky", SkyBlock, SkyMeans)


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that some solar days bring to the plant; arrays of one value a step."""

    start_utc_s: int  # of step 0, a solar midnight
    known_from_utc_s: float  # a weather file may begin later ...
    end_utc_s: int  # ... and end before the last day does
    array: AnyDay
    demand: Demand
    t_room_c: np.ndarray


def inputs_of(
    site: Site,
    seed: int,
    first_day: int,
    days: int = 1,
    step_s: int = STEP_S,
    defects: tuple[Defect, ...] = (),
    skies: Skies = sky_means,
    light: float = 1.0,
) -> Inputs:
    """Make some solar days.

    Parameters
    ----------
    site : Site
    seed : int
        A day's values are the same in any block and alone.
    first_day, days : int
    step_s : int
        Step of the plant. Of one minute on it has its sky on a grid of 60 s, of 15 minutes on as means over the steps.
    defects : tuple of Defect
        What is broken in the array.
    skies : callable
        Where those means come from.
    light : float
        Share of the sky's light that reaches the ground, 0..1: an upset may put a cloud over the place.
    """
    sky: SkyMeans | SkyBlock
    if step_s >= SHORTEST_STEP_S:
        sky = _dimmed(skies(site, seed, first_day, days, step_s), light)
    else:
        grid_s = SKY_S if step_s == STEP_S else COARSE_SKY_S
        sky = _dimmed(sky_block(site, seed, first_day, days, grid_s), light)
    snow = snow_shadows(site.array, site, seed, sky)
    array = array_days(site.array, sky, site.sky.albedo, float(step_s), defects, snow)
    steps = DAY_S // step_s
    zone = site.location.timezone
    demand = []
    for k in range(days):
        ghi_w_m2 = array.ghi_w_m2[k * steps : (k + 1) * steps]
        around = (seed, first_day + k, sky.start_utc_s + k * DAY_S, zone, ghi_w_m2, step_s)
        asked = demand_day(site.load, *around)
        demand.append(with_connected(asked, site.battery.loads, site.battery.chargers, *around))
    room = site.battery.room_c
    t_room = array.t_amb_c if room == "outdoor" else np.full_like(array.t_amb_c, room)
    joined = Demand(*(np.concatenate(parts) for parts in zip(*demand, strict=True)))
    known_from, known_to = sky.known_utc_s
    known_s = min(known_to - sky.start_utc_s, float(days * DAY_S))
    end = sky.start_utc_s + int(known_s // step_s) * step_s
    return Inputs(sky.start_utc_s, known_from, end, array, joined, t_room)


def _dimmed(sky: _Sky, light: float) -> _Sky:
    """The same sky with a share of its light, direct and diffuse alike."""
    if light == 1.0:
        return sky
    columns: dict[str, Any] = {name: getattr(sky, name) * light for name in _LIGHT if hasattr(sky, name)}
    return replace(sky, **columns)


class Supply:
    """What comes to one plant, by blocks of days as they are asked for; a second thread can make the next meanwhile.

    A block is a pure function of site, seed, step and defects, so who makes it and when changes nothing.

    Parameters
    ----------
    site : Site
    seed : int
        Chance of weather and load.
    step_s : int
        The plant's: 5 s, or longer for sizing, whose blocks are longer as well.
    skies : callable
        Where the sky of steps of 15 minutes and more comes from; the same whatever it is.
    """

    def __init__(self, site: Site, seed: int, step_s: int, skies: Skies = sky_means) -> None:
        self.site, self.seed, self.step_s, self._skies = site, seed, step_s, skies
        self._block_days = 1 if step_s == STEP_S else SIZING_BLOCK_DAYS
        self._kept: dict[_BlockKey, Future[Inputs] | Inputs] = {}
        self._worker: ThreadPoolExecutor | None = None

    def at(self, t_utc_s: int, defects: tuple[Defect, ...] = (), light: float = 1.0) -> tuple[Inputs, int]:
        """Inputs of the days around a moment, and the step of them that begins there.

        Raises
        ------
        ProblemsError
            Where a weather file has no such moment.
        """
        inputs = self._block(self._number(t_utc_s), defects, light)
        if not inputs.known_from_utc_s <= t_utc_s < inputs.end_utc_s:
            source = source_of(self.site)
            assert source is not None, "made weather is known at any time"
            source.check_run(t_utc_s, t_utc_s + self.step_s)
        return inputs, (t_utc_s - inputs.start_utc_s) // self.step_s

    def prepare_next(self, t_utc_s: int, defects: tuple[Defect, ...] = (), light: float = 1.0) -> None:
        """Have the days after those around a moment made in the background."""
        key = (self._number(t_utc_s) + 1, defects, light)
        if key not in self._kept:
            if self._worker is None:
                self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="weather")
            self._kept[key] = self._worker.submit(self._made, *key)

    def _number(self, t_utc_s: int) -> int:
        """Number of the block around a moment."""
        return sun.day_of(t_utc_s, self.site.location.longitude_deg) // self._block_days

    def _made(self, number: int, defects: tuple[Defect, ...], light: float) -> Inputs:
        first, days = number * self._block_days, self._block_days
        if (source := source_of(self.site)) is not None:
            first, days = source.days_within(first, days)
        return inputs_of(self.site, self.seed, first, days, self.step_s, defects, self._skies, light)

    def _block(self, number: int, defects: tuple[Defect, ...], light: float) -> Inputs:
        """A block; it and the one after it are kept."""
        key, following = (number, defects, light), (number + 1, defects, light)
        found = self._kept.get(key)
        if isinstance(found, Inputs):
            return found
        made = found.result() if found else self._made(*key)
        self._kept = {key: made, **({following: self._kept[following]} if following in self._kept else {})}
        return made
