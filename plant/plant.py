"""A plant that runs: a site and what is remembered of a moment become states, one grid step after another.

Owns the state and nothing else: no wall clock, no file, no socket. In one go or poll by poll, the bits are the same.
"""

from datetime import date
from typing import Self

import numpy as np

from plant.base.clock import DAY_S, multiples, on_grid_s
from plant.base.problems import ProblemsError
from plant.battery import ageing
from plant.battery import model as battery
from plant.battery.wear import Hours
from plant.constants import parameters_of, site_setpoints
from plant.controller.clock import POWER_UP_S, periods_begun
from plant.controller.midnights import NO_MIDNIGHTS
from plant.controller.setpoints import program_of
from plant.controller.settings import Settings
from plant.inputs import Inputs, Skies, Supply
from plant.kernel.books import Books, BooksArray
from plant.kernel.controls import (
    follow,
    night_length_min,
    power_up,
    set_night_length,
    take_over_machines,
    take_up_settings,
)
from plant.kernel.events import Event, events_in
from plant.kernel.meters import begin_periods, clear_generated
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import PlantState
from plant.kernel.step import run_steps
from plant.power.stage import PowerStage
from plant.power.tracking import fresh
from plant.remembered import Fidelity, Remembered
from plant.site.breakages import check_upset
from plant.site.model import Site
from plant.site.timetable import Upset
from plant.site.upsets import Equipment, check
from plant.start import at_start, step_of
from plant.weather.steps.making import sky_means

NO_TIME_S = 1e-9  # a step in which nothing moves
ALL_COLUMNS = np.arange(len(Snapshot._fields))
NO_SAMPLES = ALL_COLUMNS, np.empty((ALL_COLUMNS.size, 0)), 0


class Plant:
    """A running plant.

    Parameters
    ----------
    site : Site
    then : Remembered
        Where to go on from: `plant.start.at_start`, or what another plant of the same site remembered. What is due at
        that moment breaks at once.
    supply : Supply, optional
        Of the same site, seed and step, if there is one: days that it has made are not made again.

    Attributes
    ----------
    start_utc_s, t_utc_s : int
        Where the run began, and where the plant stands.
    snapshot : Snapshot
        What it shows there.
    """

    def __init__(self, site: Site, then: Remembered, supply: Supply | None = None) -> None:
        self.site, self.seed, self.step_s = site, then.seed, then.step_s
        self.fidelity: Fidelity = then.fidelity
        self.start_utc_s, self.t_utc_s = then.start_utc_s, then.t_utc_s
        self._supply = supply or Supply(site, then.seed, then.step_s)
        self._memory, self._books_array = then.memory, then.books.copy()
        self._flash, self._breakages = then.flash, then.breakages
        self._age, self._aged = then.age, then.aged
        self._update_constants()
        self._break_and_mend()
        self.snapshot: Snapshot = self._shown() if then.snapshot is None else then.snapshot

    @classmethod
    def new(
        cls,
        site: Site,
        seed: int | None = None,
        start_utc_s: int | None = None,
        fidelity: Fidelity = "detailed",
        step_s: int | None = None,
        skies: Skies = sky_means,
    ) -> Self:
        """A plant at the start of a run.

        Parameters
        ----------
        site, skies
            See `Supply`.
        seed : int, optional
            Chance of weather and load; the site's own unless given.
        start_utc_s : int, optional
            Where to begin, on the grid; the site's own start unless given.
        fidelity : {"detailed", "sizing"}
            The full model on a grid of 5 s, or a quasi-static battery in longer steps.
        step_s : int, optional
            Step of a sizing run, 60 s unless given: a multiple of 60 s that divides an hour.
        """
        supply = Supply(site, site.seed if seed is None else seed, step_of(fidelity, step_s), skies)
        return cls(site, at_start(site, supply, start_utc_s, fidelity), supply)

    def remembered(self) -> Remembered:
        """All that another plant of this site needs to go on from here, to the same bits."""
        return Remembered(
            self.seed, self.fidelity, self.step_s, self.start_utc_s, self.t_utc_s, self._memory,
            self._books_array.copy(), self._flash, self._breakages, self._age, self._aged, self.snapshot,
        )  # fmt: skip

    @property
    def _books(self) -> Books:
        books: Books = self._books_array[0]  # not a copy
        return books

    # What the plant is made of

    def _update_constants(self) -> None:
        """Work out the constants of the kernel from what is set, broken and worn now."""
        self._equipment = self._breakages.equipment(self.site, self._aged)
        self._setpoints = site_setpoints(self.site, self._flash.settings, self._equipment)
        self._par = parameters_of(self.site, self.step_s, self._equipment, self._setpoints)

    def _replace_equipment(self, new_battery: bool = False) -> None:
        """Go on with what is broken and worn now; charge in lost capacity is booked as faded."""
        before, points = self._par.battery, self._setpoints
        self._update_constants()
        if self._par.battery != before:
            over = ageing.taken_over if new_battery else battery.carried_over
            x = over(self._memory.x, before, self._par.battery)
            faded = battery.stored_wh(self._memory.x, before) - battery.stored_wh(x, self._par.battery)
            self._books.today.faded += faded
            same = self._memory.probe_read and self._setpoints == points  # else they are to be taken up
            self._memory = self._memory._replace(x=x, t_warm_c=x.t_c, probe_read=same)

    @property
    def equipment(self) -> Equipment:
        """What the plant is made of now, with what is broken."""
        return self._equipment

    @property
    def health(self) -> float:
        """Share of the new battery's capacity that is left."""
        return float(battery.rated_ah(self._aged) / battery.rated_ah(self.site.battery.new()))

    def _age_battery(self) -> None:
        """A solar day is over: the battery is a day older, or so worn that a new one takes its place."""
        assert self._age is not None
        hours = Hours(*(self._books.hours[name].copy() for name in Hours._fields))
        new, life = self.site.battery.new(), self.site.battery.life()
        self._age = ageing.age_one_day(self._age, hours, new, life)
        self._aged = ageing.aged(new, ageing.loss(self._age, life))
        if worn_out := self.health <= self.site.battery.replaced_at:
            self._age, self._aged = ageing.replaced(self._age, self.t_utc_s), new
        self._replace_equipment(worn_out)

    # The controller

    @property
    def settings(self) -> Settings:
        """What the controller has in its flash: what was set, and the length of nights that it has learned since."""
        return self._flash.settings._replace(night_length_min=night_length_min(self._books_array))

    def configure(self, settings: Settings) -> None:
        """Have the controller go on with other settings from here on."""
        set_night_length(self._books_array, settings.night_length_min)
        before_s = self._setpoints.equalize_s
        self._flash = self._flash.with_settings(settings)
        self._update_constants()
        self._memory = take_up_settings(self._memory, self._setpoints.equalize_s, before_s)
        self._react()

    def set_clock(self, t_device_s: float) -> None:
        """Set the controller's clock: what it shows now, local civil time read as if it were UTC [s].

        Meters of the day, the month and the year begin anew when the clock comes to show another one (guess).
        """
        self._set_clock(t_device_s)
        self._react()

    def power_cycle(self) -> None:
        """Take the controller's power away for a moment.

        Settings and counters survive. The clock begins again unless the site says otherwise, the load is as its state
        at power-up says, test mode is over, and all the controller's machines start anew; equalizing that was still
        owed is forgotten (guess).
        """
        inputs, index = self._inputs_now()
        dark = bool(inputs.array.v_oc_v[index] < self._setpoints.night_v)
        self._memory = power_up(self._memory, self._books, fresh(self._par.tracker), self.t_utc_s, dark)
        self._flash = self._flash.after_power_cycle(self.t_utc_s, self.site.controller.clock_survives)
        self._react()

    def clear_energy(self) -> None:
        """Start the meters of generated energy again, all of them."""
        clear_generated(self._books_array)
        self.snapshot = self._shown()

    def _set_clock(self, shows_s: float | None) -> None:
        """Set the controller's clock: to a time of its own, or right again."""
        before = self._flash.clock.shows_date(self.t_utc_s)
        self._flash = self._flash.with_clock_set(self.t_utc_s, shows_s)
        after = self._flash.clock.shows_date(self.t_utc_s)
        if after != before:
            self._begin_day(before, after)

    def _begin_day(self, before: date, today: date) -> None:
        """The controller's clock shows another day: meters start again, and equalizing may fall due."""
        begin_periods(self._books, periods_begun(before, today))
        self._flash, equalizes = self._flash.after_midnight(before, today)
        if equalizes:
            self._memory = self._memory._replace(equalize_left_s=self._setpoints.equalize_s)

    # What breaks

    def upset(self, name: str, **values: float) -> int:
        """Break something now, by a name of `upsets.UPSETS`: `plan` without a time."""
        check(name, values)
        return self.plan(Upset(name=name, values=values))

    def plan(self, upset: Upset) -> int:
        """Break something at its time, `after` counted from now.

        Returns
        -------
        int
            What `mend` takes.

        Raises
        ------
        ValueError
            If its time is past, or the array has no such string.
        """
        check_upset(self.site, self._equipment, upset, self.t_utc_s)
        zone = self.site.location.timezone
        self._breakages = self._breakages.with_upset(upset, self.t_utc_s, zone, self.step_s)
        self._break_and_mend()
        self.snapshot = self._shown()
        return len(self._breakages.upsets) - 1

    def mend(self, number: int) -> None:
        """Put right what `upset` broke, or call off what `plan` has yet to break."""
        acts = number in self._breakages.broken
        self._breakages = self._breakages.mended(self.t_utc_s, number)
        if acts:
            self._break_and_mend()
            self.snapshot = self._shown()

    def broken(self) -> dict[int, str]:
        """What is broken now, by the number that `mend` takes."""
        return self._breakages.names()

    def planned(self) -> dict[int, str]:
        """What has yet to break, by the number that `mend` takes."""
        return self._breakages.planned()

    def _break_and_mend(self) -> None:
        """Break and mend what is due."""
        due = self._breakages.due(self.t_utc_s)
        if not due:
            return
        self._breakages = self._breakages.after(due)
        for turn in due:
            if self._breakages.upsets[turn.number][0] == "clock_lost":
                self._set_clock(POWER_UP_S if turn.begins else None)
        self._replace_equipment()

    # Advancing in time

    def advance_to(self, t_utc_s: float) -> Snapshot:
        """Move to the last grid point at or before a moment; never back.

        Returns
        -------
        Snapshot
            The plant there.
        """
        self._run(int(t_utc_s) - int(t_utc_s) % self.step_s, 0, *NO_SAMPLES)
        return self.snapshot

    def run(
        self, seconds: float, sample_s: int = 60, columns: np.ndarray = ALL_COLUMNS, with_now: bool = False
    ) -> np.ndarray:
        """Move on and keep samples.

        Parameters
        ----------
        seconds : float
            How far; down to the grid.
        sample_s : int
            Time between samples, counted from the solar midnight: a multiple of the grid that divides a day.
        columns : (m,) array, optional
            Which fields of `Snapshot` are kept, by place; all unless given.
        with_now : bool
            Whether the first row is the plant as it stands now.

        Returns
        -------
        (n, m) array
            One row each.
        """
        if sample_s % self.step_s or sample_s <= 0 or DAY_S % sample_s:
            raise ValueError(f"sample: a multiple of {self.step_s} s that divides a day, got {sample_s} s")
        end_s = self.t_utc_s + int(seconds) - int(seconds) % self.step_s
        every, top = sample_s // self.step_s, int(with_now)
        first = self._inputs_now()[1]
        rows = multiples(first, first + (end_s - self.t_utc_s) // self.step_s, every)
        out = np.empty((columns.size, top + rows))
        out[:, :top] = np.array(self.snapshot)[columns, None]
        self._run(end_s, every, columns, out, top)
        return out.T

    def _run(self, end_s: int, sample_every: int, columns: np.ndarray, out: np.ndarray, sample: int) -> None:
        """Move to a grid point; a sample after every `sample_every` steps goes into `out`, from column `sample` on."""
        while self.t_utc_s < end_s:
            inputs, first = self._supply.at(self.t_utc_s, *self._equipment.overhead)
            stop = on_grid_s(self._stop(end_s, inputs), self.step_s)
            flash, midnights = self._flash.through(self.t_utc_s, stop, self.step_s)
            self._follow()
            if end_s > inputs.end_utc_s:
                self._supply.prepare_next(self.t_utc_s, *self._equipment.overhead)
            count = (stop - self.t_utc_s) // self.step_s
            self._memory, self.snapshot = run_steps(
                self._memory, self._books_array, self._par, inputs.array, inputs.demand, inputs.t_room_c,
                first, count, float(inputs.start_utc_s), midnights, sample_every, columns, out, sample,
            )  # fmt: skip
            sample += multiples(first, first + count, sample_every)
            self.t_utc_s, self._flash = stop, flash
            if self._age is not None and (self.t_utc_s - inputs.start_utc_s) % DAY_S == 0:
                self._age_battery()
            self._break_and_mend()

    def _stop(self, end_s: int, inputs: Inputs) -> int:
        """Where the kernel has to be left next [s UTC], at most `end_s`."""
        stop = min(end_s, inputs.end_utc_s, *(turn.t_utc_s for turn in self._breakages.turns[:1]))
        if self._age is not None:
            stop = min(stop, self.t_utc_s + DAY_S - (self.t_utc_s - inputs.start_utc_s) % DAY_S)
        return self._flash.steady_until_s(self.t_utc_s, stop, self.step_s, self.site.location.timezone)

    def _follow(self) -> None:
        """Have the kernel know what the load follows, and the clock."""
        follow(self._books_array, program_of(self._flash.settings), self._flash.clock.terms(self.t_utc_s))

    def _inputs_now(self) -> tuple[Inputs, int]:
        """Inputs of this moment; where a weather file has ended those of the last step."""
        try:
            return self._supply.at(self.t_utc_s, *self._equipment.overhead)
        except ProblemsError:
            if self.t_utc_s == self.start_utc_s:
                raise
            return self._supply.at(self.t_utc_s - self.step_s, *self._equipment.overhead)

    def _settled(self) -> tuple[PlantState, BooksArray, Snapshot]:
        """The plant once its machines have done what is due at this moment; no time goes by, nothing is kept."""
        inputs, index = self._inputs_now()
        self._follow()
        copy = self._books_array.copy()
        still = self._par._replace(method=self._par.method._replace(step_s=NO_TIME_S))
        before_s = index * NO_TIME_S  # what the kernel takes for the time of the steps before this one
        memory, seen = run_steps(
            self._memory, copy, still, inputs.array, inputs.demand, inputs.t_room_c,
            index, 1, self.t_utc_s - before_s, NO_MIDNIGHTS, 0, *NO_SAMPLES,
        )  # fmt: skip
        shows_s = self._flash.clock.shows_s(self.t_utc_s)
        return memory, copy, seen._replace(t_utc_s=float(self.t_utc_s), t_device_s=shows_s)

    def _shown(self) -> Snapshot:
        """What the plant shows before its next step."""
        return self._settled()[2]

    def _react(self) -> None:
        """Have the controller act at once on what was set: a load switched off and on may not wait for a step."""
        memory, books, self.snapshot = self._settled()
        self._memory = self._memory._replace(held_s=memory.held_s)
        take_over_machines(self._books, books[0])

    # What it did

    def last_step(self) -> tuple[Inputs, int, PowerStage]:
        """Inputs of the days around the step just made, which step of them it was, and the controller then."""
        before_s = max(self.t_utc_s - self.step_s, self.start_utc_s)
        return *self._supply.at(before_s, *self._equipment.overhead), self._equipment.stage

    def events(self, after_utc_s: float = float("-inf")) -> list[Event]:
        """Transitions after a moment, oldest first, of the last few thousand; and replacements of the battery."""
        return events_in(self._books, self._age.replaced_utc_s if self._age else (), after_utc_s)

    @property
    def overrun_steps(self) -> int:
        """Steps whose events could not all be placed; anything but 0 is a bug."""
        return int(self._books.overruns)
