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

_BlockKey: TypeAlias = tuple[int, tuple[Defect, ...], float]
"""Number of the block, what is broken in the array, share of the light that is let through."""

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
    span = array_span(site, seed, first_day, days, step_s, defects, skies, light)
    return joined(site, span, demand_span(site, seed, first_day, span, step_s), days, step_s)


@dataclass(frozen=True, slots=True)
class ArraySpan:
    """Sun, air and array of some solar days: from place, array, seed and days alone."""

    start_utc_s: int
    known_utc_s: tuple[float, float]  # from when to when a weather file knows anything
    array: AnyDay


def array_span(
    site: Site,
    seed: int,
    first_day: int,
    days: int,
    step_s: int,
    defects: tuple[Defect, ...] = (),
    skies: Skies = sky_means,
    light: float = 1.0,
) -> ArraySpan:
    """The part of `inputs_of` that a site's place and array bring, whatever else it has."""
    sky: SkyMeans | SkyBlock
    light *= site.sky.irradiance_scale
    if step_s >= SHORTEST_STEP_S:
        sky = _dimmed(skies(site, seed, first_day, days, step_s), light)
    else:
        grid_s = SKY_S if step_s == STEP_S else COARSE_SKY_S
        sky = _dimmed(sky_block(site, seed, first_day, days, grid_s), light)
    snow = snow_shadows(site.array, site, seed, sky)
    array = array_days(site.array, sky, site.sky.albedo, float(step_s), defects, snow)
    return ArraySpan(sky.start_utc_s, sky.known_utc_s, array)


def demand_span(site: Site, seed: int, first_day: int, span: ArraySpan, step_s: int) -> Demand:
    """The part of `inputs_of` that a site's loads and chargers bring.

    Parameters
    ----------
    site : Site
    seed, first_day : int
    span : ArraySpan
        The array's days; demand knows their light alone.
    step_s : int
        Step of the plant [s].

    Returns
    -------
    Demand
        Of all days in a row, each (n,) [W].
    """
    steps = DAY_S // step_s
    ghi_w_m2 = span.array.ghi_w_m2.reshape(-1, steps)
    demand = []
    for k, light_w_m2 in enumerate(ghi_w_m2):
        around = (
            seed, first_day + k, span.start_utc_s + k * DAY_S, site.location.timezone, light_w_m2, step_s,
        )  # fmt: skip
        asked = demand_day(site.load, *around)
        demand.append(with_connected(asked, site.battery.loads, site.battery.chargers, *around))
    return Demand(*(np.concatenate(parts) for parts in zip(*demand, strict=True)))


def joined(site: Site, span: ArraySpan, demand: Demand, days: int, step_s: int) -> Inputs:
    """`inputs_of` put together of its parts.

    Parameters
    ----------
    site : Site
    span : ArraySpan
    demand : Demand
        Of the same days.
    days, step_s : int
        How many days, and the step of the plant [s].
    """
    room, t_amb_c = site.battery.room_c, span.array.t_amb_c
    t_room = t_amb_c if room == "outdoor" else np.full_like(t_amb_c, room)
    known_from, known_to = span.known_utc_s
    known_s = min(known_to - span.start_utc_s, float(days * DAY_S))
    end = span.start_utc_s + int(known_s // step_s) * step_s
    return Inputs(span.start_utc_s, known_from, end, span.array, demand, t_room)


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


class SpanSupply(Supply):
    """A supply whose days were made beforehand, in one piece that several plants may share.

    What breaks, or a cloud over the place, changes the days; those are made as any supply makes them.

    Parameters
    ----------
    site, seed, step_s, skies
        As of `Supply`.
    span : Inputs
        `inputs_of` these, over the days that the plant sees next.

    Attributes
    ----------
    span : Inputs
        Whoever runs the plant sets it anew before it goes beyond.
    """

    def __init__(self, site: Site, seed: int, step_s: int, skies: Skies, span: Inputs) -> None:
        super().__init__(site, seed, step_s, skies)
        self.span = span

    def prepare_next(self, t_utc_s: int, defects: tuple[Defect, ...] = (), light: float = 1.0) -> None:
        """Nothing to do: whoever shares days has other plants for a second thread."""

    def _block(self, number: int, defects: tuple[Defect, ...], light: float) -> Inputs:
        if defects or light != 1.0:
            return super()._block(number, defects, light)
        return self.span
