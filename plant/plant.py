"""A plant that runs: a site, a seed and a start become states, one grid step after another.

Owns the state and nothing else: no wall clock, no file, no socket. Moving it in one go or poll by poll gives
the same bits.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plant import sun
from plant.array import array_day, series_resistance
from plant.arrayday import AnyDay
from plant.battery import rested
from plant.charger import RULES, Daylight, Machine
from plant.clock import DAY_S, STEP_S, next_midnight_utc_s, to_local, to_utc_s, utc_offset_s
from plant.controller import power_stage
from plant.load import demand_day
from plant.site import Site
from plant.sky import sky_day
from plant.snapshot import Snapshot
from plant.state import CHG, EVENTS_KEPT, LOAD, Books, Memory, Parameters, empty_books
from plant.step import run_steps

EQUALIZE_DAY = 28  # of each month, by the device's clock (MAN_A); 0x9016 says 30 days, which nothing explains
_STEPS_A_DAY = DAY_S // STEP_S


@dataclass(frozen=True, slots=True)
class DayInputs:
    """Everything that one solar day brings to the plant from outside."""

    start_utc_s: int
    array: AnyDay
    demand_w: np.ndarray
    t_room_c: np.ndarray


def day_inputs(site: Site, seed: int, day: int) -> DayInputs:
    """Sun, air, demand and room of a solar day, from (site, seed, day) alone."""
    sky = sky_day(site, seed, day)
    array = array_day(site.array, sky, site.sky.albedo)
    demand = demand_day(site.load, seed, day, sky.start_utc_s, site.location.timezone)
    room = site.battery.room_c
    t_room = array.t_amb_c if room == "outdoor" else np.full_like(array.t_amb_c, room)
    return DayInputs(sky.start_utc_s, array, demand, t_room)


@dataclass(frozen=True, slots=True)
class Event:
    """A transition of one of the controller's machines."""

    t_utc_s: float
    machine: Machine
    from_: str
    to: str
    reason: str


class Plant:
    """A running plant.

    Parameters
    ----------
    site : Site
    seed : int, optional
        Chance of weather and load; the site's own unless given.
    start_utc_s : int, optional
        Where to begin, on the grid; the site's own start unless given.
    """

    def __init__(self, site: Site, seed: int | None = None, start_utc_s: int | None = None) -> None:
        self.site = site
        self.seed = site.seed if seed is None else seed
        zone = site.location.timezone
        start = to_utc_s(site.local_start(), zone) if start_utc_s is None else start_utc_s
        if start % STEP_S:
            raise ValueError(f"start must lie on the {STEP_S} s grid, got {start}")
        self.start_utc_s = self.t_utc_s = start
        self._inputs = lru_cache(maxsize=2)(lambda day: day_inputs(site, self.seed, day))
        self._par = Parameters(
            site.battery.parameters(),
            power_stage(site.controller.parameters(), site.battery.system_v),
            site.setpoints(),
            series_resistance(site.array),
        )
        inputs, index = self._at(start)
        t_room = float(inputs.t_room_c[index])
        battery = rested(site.battery.soc, t_room, self._par.battery)
        self._memory = Memory(battery, 0.0, 0.0, t_room, battery.v_node_v)
        self._books = empty_books()
        dark = inputs.array.v_oc_v[index] < self._par.setpoints.night_v
        self._books.modes[Machine.DAYLIGHT] = Daylight.NIGHT if dark else Daylight.DAY
        self._midnight_s = next_midnight_utc_s(start, zone)
        self._none = np.empty((0, len(Snapshot._fields)))
        self.snapshot: Snapshot = self._peek()

    def _at(self, t_utc_s: int) -> tuple[DayInputs, int]:
        """Inputs of the day a moment lies on, and the step of that day that begins there."""
        inputs = self._inputs(sun.day_of(t_utc_s, self.site.location.longitude_deg))
        return inputs, (t_utc_s - inputs.start_utc_s) // STEP_S

    def _peek(self) -> Snapshot:
        """What the plant shows before its first step: that step is run on a copy and thrown away."""
        inputs, index = self._at(self.t_utc_s)
        copy = Books(*(array.copy() for array in self._books))
        offset = utc_offset_s(self.t_utc_s, self.site.location.timezone)
        _, seen = run_steps(
            self._memory, copy, self._par, inputs.array, inputs.demand_w, inputs.t_room_c,
            index, 1, float(inputs.start_utc_s), offset, 0, self._none,
        )  # fmt: skip
        return seen._replace(t_utc_s=float(self.t_utc_s), t_device_s=self.t_utc_s + offset)

    def advance_to(self, t_utc_s: float) -> Snapshot:
        """Move to the last grid point at or before a moment; never back.

        Returns
        -------
        Snapshot
            The plant there.
        """
        self._run(int(t_utc_s) - int(t_utc_s) % STEP_S, 0)
        return self.snapshot

    def run(self, seconds: float, sample_s: int = 60) -> np.ndarray:
        """Move on and keep samples.

        Parameters
        ----------
        seconds : float
            How far; down to the grid.
        sample_s : int
            Time between samples, a multiple of the grid that divides a day. Samples lie on whole multiples of it,
            counted from the solar midnight.

        Returns
        -------
        (n, fields) array
            One row of `Snapshot` each.
        """
        if sample_s % STEP_S or sample_s <= 0 or DAY_S % sample_s:
            raise ValueError(f"sample must be a multiple of {STEP_S} s that divides a day, got {sample_s} s")
        parts = self._run(self.t_utc_s + int(seconds) - int(seconds) % STEP_S, sample_s // STEP_S)
        return np.concatenate(parts) if parts else self._none

    def _run(self, end_s: int, sample_every: int) -> list[np.ndarray]:
        zone = self.site.location.timezone
        parts = []
        while self.t_utc_s < end_s:
            inputs, first = self._at(self.t_utc_s)
            stop = min(end_s, inputs.start_utc_s + DAY_S, self._midnight_s)
            offset = utc_offset_s(self.t_utc_s, zone)
            if utc_offset_s(stop - 1, zone) != offset:  # daylight saving begins or ends, on a whole hour
                stop = min(stop, self.t_utc_s // 3600 * 3600 + 3600)
            count = -(-(stop - self.t_utc_s) // STEP_S)
            rows = (first + count) // sample_every - first // sample_every if sample_every else 0
            out = np.empty((rows, len(Snapshot._fields)))
            self._memory, self.snapshot = run_steps(
                self._memory, self._books, self._par, inputs.array, inputs.demand_w, inputs.t_room_c,
                first, count, float(inputs.start_utc_s), offset, sample_every, out,
            )  # fmt: skip
            self.t_utc_s += count * STEP_S
            parts.append(out)
            if self.t_utc_s >= self._midnight_s:
                self._roll()
        return parts

    def _roll(self) -> None:
        """Midnight of the device's clock: day, month and year meters start again, and equalizing may fall due."""
        today = to_local(self.t_utc_s, self.site.location.timezone).date()
        periods = 1 + (today.day == 1) + (today.day == 1 and today.month == 1)
        self._books.offset[0, :periods] = self._books.account[CHG]
        self._books.offset[1, :periods] = self._books.account[LOAD]
        self._books.extremes[:] = (-np.inf, np.inf, -np.inf, np.inf)
        if today.day == EQUALIZE_DAY:
            self._memory = self._memory._replace(equalize_left_s=self._par.setpoints.equalize_s)
        self._midnight_s = next_midnight_utc_s(self.t_utc_s, self.site.location.timezone)

    def events(self) -> list[Event]:
        """Transitions so far, oldest first; the last few thousand of them."""
        count = int(self._books.counts[0])
        found = []
        for number in range(max(0, count - EVENTS_KEPT), count):
            t, row = self._books.events[number % EVENTS_KEPT]
            rule = RULES[int(row)]
            found.append(Event(float(t), rule.machine, rule.from_.name, rule.to.name, rule.reason))
        return found

    @property
    def overrun_steps(self) -> int:
        """Steps whose events could not all be placed; anything but 0 is a bug."""
        return int(self._books.counts[1])
