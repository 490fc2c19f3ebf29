"""A plant that runs: a site, a seed and a start become states, one grid step after another.

Owns the state and nothing else: no wall clock, no file, no socket. Moving it in one go or poll by poll gives
the same bits.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

import numpy as np

from plant.array.layout import Defect, layout_of
from plant.base.clock import DAY_S, STEP_S, to_utc_s, utc_offset_s
from plant.base.problems import ProblemsError
from plant.battery import ageing
from plant.battery import model as battery
from plant.battery.ageing import AgeingState
from plant.battery.wear import Hours
from plant.controller.charger import STATES, Daylight, Machine, SetPoints
from plant.controller.clock import POWER_UP_S, ROUNDING_S, DeviceClock, equalize_due, periods_begun
from plant.controller.model import power_stage
from plant.controller.rules import RULES
from plant.controller.settings import Settings, program_of, setpoints_of
from plant.controller.stage import PowerStage
from plant.controller.tracker import tracker_settings
from plant.controller.tracking import Steady, fresh
from plant.inputs import Inputs, Supply, inputs_of
from plant.kernel.books import EMPTY_EXTREMES, OF_MACHINES, Books, BooksArray, empty_books, transitions
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Detailed, Parameters, PlantState, QuasiStatic
from plant.kernel.step import run_steps
from plant.remembered import Fidelity, Remembered, Turn
from plant.site.model import Site
from plant.site.upsets import Equipment, applied, check
from plant.weather import sun

SIZING_STEP_S = 60
NO_TIME_S = 1e-9  # a step in which nothing moves
SIZING_BLOCK_DAYS = 32
IN_THE_BATTERY = (
    Machine.BMS_CHARGE,
    Machine.BMS_DISCHARGE,
)  # machines that the controller's power doesn't touch


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
    fidelity : {"detailed", "sizing"}
        The full model on a grid of 5 s, or a quasi-static battery in longer steps.
    step_s : int, optional
        Step of a sizing run, 60 s unless given: a multiple of 60 s that divides an hour.
    """

    def __init__(
        self,
        site: Site,
        seed: int | None = None,
        start_utc_s: int | None = None,
        fidelity: Fidelity = "detailed",
        step_s: int | None = None,
    ) -> None:
        self._lay_out(site, site.seed if seed is None else seed, fidelity, _step_of(fidelity, step_s))
        zone = site.location.timezone
        start = to_utc_s(site.local_start(), zone) if start_utc_s is None else start_utc_s
        if fidelity == "sizing":
            start -= start % self.step_s
        if start % STEP_S:
            raise ValueError(f"start must lie on the {STEP_S} s grid, got {start}")
        self.start_utc_s = self.t_utc_s = start
        self._age: AgeingState | None = site.battery.age()
        self._aged = site.battery.parameters()
        self._clock = DeviceClock(zone, site.controller.clock_drift_s_day / DAY_S, float(start))
        self._upsets = [(upset.name, dict(upset.values)) for upset in site.upsets]
        self._turns = self._timetable()
        self._broken: list[int] = []
        self._settings = site.settings()
        self._days_since_equalize = 0
        self._setpoints = self._setpoints_now()
        self._rig = self._rigged()
        self._par = self._parameters()
        inputs, index = self._at(start)
        t_room = float(inputs.t_room_c[index])
        x = battery.rested(site.battery.soc, t_room, self._par.battery)
        self._memory = PlantState(x, 0.0, 0.0, t_room, 0.0, t_room, False, x.t_c, 0, fresh(self._par.tracker))
        self._books_array = empty_books()
        self._learn(self._settings.night_length_min)
        self._look_outside()
        self._turn()
        self.snapshot: Snapshot = self._peek()

    def _lay_out(self, site: Site, seed: int, fidelity: Fidelity, step_s: int) -> None:
        """What stays as it is for the whole run."""
        self.site, self.seed, self.step_s = site, seed, step_s
        self.fidelity: Fidelity = fidelity
        self._block_days = (
            1 if fidelity == "detailed" or site.weather.file else SIZING_BLOCK_DAYS
        )  # files end
        self._supply = Supply(self._made)
        self._none = np.empty((0, len(Snapshot._fields)))

    # Remembering

    def remembered(self) -> Remembered:
        """Everything that `continued` needs, and all that this plant can forget."""
        return Remembered(
            self.seed, self.fidelity, self.step_s, self.start_utc_s, self.t_utc_s, self._memory,
            self._books_array.copy(), self._settings, self._clock, tuple(self._upsets), tuple(self._turns),
            tuple(self._broken), self._age, self._aged, self._days_since_equalize, self.snapshot,
        )  # fmt: skip

    @classmethod
    def continued(cls, site: Site, then: Remembered) -> Self:
        """A plant that goes on where another one of the same site stood, to the same bits."""
        plant = cls.__new__(cls)
        plant._lay_out(site, then.seed, then.fidelity, then.step_s)
        plant.start_utc_s, plant.t_utc_s = then.start_utc_s, then.t_utc_s
        plant._memory, plant._books_array = then.memory, then.books.copy()
        plant._settings, plant._clock = then.settings, then.clock
        plant._upsets, plant._turns, plant._broken = list(then.upsets), list(then.turns), list(then.broken)
        plant._age, plant._aged = then.age, then.aged
        plant._days_since_equalize = then.days_since_equalize
        plant._setpoints = plant._setpoints_now()
        plant._rig = plant._rigged()
        plant._par = plant._parameters()
        plant.snapshot = then.snapshot
        return plant

    # What the plant is made of

    def _made(self, number: int, defects: tuple[Defect, ...]) -> Inputs:
        days = self._block_days
        return inputs_of(self.site, self.seed, number * days, days, self.step_s, defects)

    def _rigged(self) -> Equipment:
        """What the plant is made of with what is broken now."""
        site = self.site
        cable_ohm = site.array.parts[0].losses.cable_ohm if len(site.array.parts) == 1 else 0.0
        stage = power_stage(site.controller.parameters(), site.battery.system_v, cable_ohm)
        rig = Equipment(self._aged, stage, site.battery.cable_ohm)
        for number in self._broken:
            further = applied(rig, *self._upsets[number])
            with suppress(ValueError):  # nothing is left for it to break: a string can't come off twice
                layout_of(site.array, further.defects)
                rig = further
        return rig

    def _parameters(self) -> Parameters:
        site, rig = self.site, self._rig
        climbs = site.controller.tracker == "dynamic"
        return Parameters(
            rig.battery,
            rig.stage,
            Detailed(float(STEP_S)) if self.fidelity == "detailed" else QuasiStatic(float(self.step_s)),
            tracker_settings(rig.stage) if climbs else Steady(rig.stage.efficiency),
            np.array(self._setpoints),
            rig.batt_cable_ohm,
            float(site.battery.system_v),
            rig.connected,
            rig.extra_w,
            rig.extra_s,
            rig.probe_broken,
            rig.probe_c,
            self._age is not None,
        )

    @property
    def _books(self) -> Books:
        books: Books = self._books_array[0]
        return books

    # What a client sets

    def _setpoints_now(self) -> SetPoints:
        battery = self.site.battery
        pv_rated_v = self.site.controller.parameters().pv_rated_v
        return setpoints_of(self._settings, battery.system_v, battery.bms(), pv_rated_v)

    @property
    def settings(self) -> Settings:
        """What the controller has in its flash: what was set, and the length of nights that it has learned since."""
        return self._settings._replace(night_length_min=self._learned_min())

    def _learned_min(self) -> int:
        return min(round(float(self._books.night.length_s) / 60.0), DAY_S // 60)

    def _learn(self, night_length_min: int) -> None:
        if night_length_min != self._learned_min():  # else what was learned stays, to the second
            self._books.night.length_s = night_length_min * 60.0

    def configure(self, settings: Settings) -> None:
        """Have the controller go on with other settings from here on."""
        self._learn(settings.night_length_min)
        before_s = self._setpoints.equalize_s
        self._settings = settings
        self._setpoints = self._setpoints_now()
        self._par = self._parameters()
        owed_s = self._memory.equalize_left_s
        if owed_s > 0.0:
            owed_s = max(0.0, owed_s + self._setpoints.equalize_s - before_s)
        self._memory = self._memory._replace(equalize_left_s=owed_s, probe_read=False)
        self._act()

    def set_clock(self, t_device_s: float) -> None:
        """Set the controller's clock: what it shows now, local civil time read as if it were UTC [s].

        Meters of the day, the month and the year begin anew when the clock comes to show another one (guess).
        """
        self._set_clock(t_device_s)
        self._act()

    def power_cycle(self) -> None:
        """Take the controller's power away for a moment.

        Settings and counters survive. The clock begins again unless the site says otherwise, the load is as its state
        at power-up says, test mode is over, and all the controller's machines start anew; equalizing that was still
        owed is forgotten (guess).
        """
        flash = self._settings
        self._settings = flash._replace(load_on=flash.load_at_power_up, load_test=0, load_forced=0)
        own = np.array([rule.machine not in IN_THE_BATTERY for rule in RULES])
        self._books.since[own] = math.inf
        for machine in Machine:
            if machine not in IN_THE_BATTERY:
                self._books.modes[machine] = 0
        self._books.tries = (0, 0.0)
        self._memory = self._memory._replace(
            held_s=0.0, equalize_left_s=0.0, probe_read=False, tracker=fresh(self._par.tracker)
        )
        self._look_outside()
        if not self.site.controller.clock_survives:
            self._clock = self._clock.set_to(self.t_utc_s, POWER_UP_S)
        self._act()

    def _look_outside(self) -> None:
        """Power-up: day or night?"""
        inputs, index = self._here()
        dark = inputs.array.v_oc_v[index] < self._setpoints.night_v
        self._books.modes[Machine.DAYLIGHT] = Daylight.NIGHT if dark else Daylight.DAY
        self._books.night.began_utc_s, self._books.night.seen_to_begin = self.t_utc_s, False

    def clear_energy(self) -> None:
        """Start the meters of generated energy again, all of them."""
        generated = self._books.metered_before.generated
        for period in generated.dtype.names:
            generated[period] = self._so_far_wh("chg")
        self.snapshot = self._peek()

    # What breaks

    def _timetable(self) -> list[Turn]:
        turns = []
        for number, upset in enumerate(self.site.upsets):
            begin, end = upset.moments(self.start_utc_s, self.site.location.timezone)
            turns.append(Turn(self._on_grid(begin), number, True))
            if end is not None:
                last = max(self._on_grid(end), self._on_grid(begin) + self.step_s)
                turns.append(Turn(last, number, False))
        return sorted(turns)

    def _on_grid(self, t_utc_s: float) -> int:
        return -(-int(t_utc_s) // self.step_s) * self.step_s

    def upset(self, name: str, **values: float) -> int:
        """Break something now, by a name of `upsets.UPSETS`.

        Returns
        -------
        int
            What `mend` takes.

        Raises
        ------
        ValueError
            If there is no such upset, it can't be told that, or the array has no such string.
        """
        check(name, values)
        layout_of(self.site.array, applied(self._rig, name, values).defects)
        self._upsets.append((name, values))
        self._turns.insert(0, Turn(self.t_utc_s, len(self._upsets) - 1, True))
        self._turn()
        self.snapshot = self._peek()
        return len(self._upsets) - 1

    def mend(self, number: int) -> None:
        """Put right what `upset` broke."""
        self._turns.insert(0, Turn(self.t_utc_s, number, False))
        self._turn()
        self.snapshot = self._peek()

    def broken(self) -> dict[int, str]:
        """What is broken now, by the number that `mend` takes."""
        return {number: self._upsets[number][0] for number in self._broken}

    def _turn(self) -> None:
        """Break and mend what is due."""
        due = [turn for turn in self._turns if turn.t_utc_s <= self.t_utc_s]
        if not due:
            return
        self._turns = [turn for turn in self._turns if turn.t_utc_s > self.t_utc_s]
        for turn in due:
            self._broken = [number for number in self._broken if number != turn.number]
            if turn.begins:
                self._broken.append(turn.number)
            if self._upsets[turn.number][0] == "clock_lost":
                self._set_clock(POWER_UP_S if turn.begins else None)
        self._rebuild()

    def _rebuild(self) -> None:
        """Go on with what the plant is made of now; charge in lost capacity is booked as faded."""
        before = self._par.battery
        self._rig = self._rigged()
        self._par = self._parameters()
        if self._par.battery != before:
            x = battery.carried_over(self._memory.x, before, self._par.battery)
            faded = battery.stored_wh(self._memory.x, before) - battery.stored_wh(x, self._par.battery)
            self._books.today.faded += faded
            self._memory = self._memory._replace(x=x, t_warm_c=x.t_c)

    def _set_clock(self, shows_s: float | None) -> None:
        """Set the controller's clock: to a time of its own, or right again."""
        before = self._clock.shows_date(self.t_utc_s)
        self._clock = self._clock.set_to(self.t_utc_s, shows_s)
        after = self._clock.shows_date(self.t_utc_s)
        if after != before:
            self._begin_day(before, after)

    def _tell(self) -> None:
        """Have the kernel know what the load follows, and the clock."""
        clock = (self._clock.ahead_s(self.t_utc_s), self._clock.set_utc_s, self._clock.gains)
        for name, told in (("program", program_of(self._settings)), ("clock", clock)):
            if self._books[name].item() != tuple(told):
                self._books[name] = tuple(told)
                self._books.must_examine = True

    # Moving

    def _block(self, t_utc_s: int) -> int:
        """Number of the block of days around a moment."""
        return sun.day_of(t_utc_s, self.site.location.longitude_deg) // self._block_days

    def _at(self, t_utc_s: int) -> tuple[Inputs, int]:
        """Inputs of the days around a moment, and the step of them that begins there."""
        inputs = self._supply.block(self._block(t_utc_s), self._rig.defects)
        return inputs, (t_utc_s - inputs.start_utc_s) // self.step_s

    def _here(self) -> tuple[Inputs, int]:
        """Inputs of this moment; where a weather file has ended those of the last step."""
        try:
            return self._at(self.t_utc_s)
        except ProblemsError:
            if self.t_utc_s == self.start_utc_s:
                raise
            return self._at(self.t_utc_s - self.step_s)

    def _settled(self) -> tuple[PlantState, BooksArray, Snapshot]:
        """The plant once its machines have done what is due at this moment; no time goes by, nothing is kept."""
        inputs, index = self._here()
        self._tell()
        copy = self._books_array.copy()
        still = self._par._replace(method=self._par.method._replace(step_s=NO_TIME_S))
        before_s = index * NO_TIME_S  # what the kernel takes for the time of the steps before this one
        memory, seen = run_steps(
            self._memory, copy, still, inputs.array, inputs.demand, inputs.t_room_c,
            index, 1, self.t_utc_s - before_s, 0, self._none,
        )  # fmt: skip
        shows_s = self._clock.shows_s(self.t_utc_s)
        return memory, copy, seen._replace(t_utc_s=float(self.t_utc_s), t_device_s=shows_s)

    def _peek(self) -> Snapshot:
        """What the plant shows before its next step."""
        return self._settled()[2]

    def _act(self) -> None:
        """Have the controller do at once what it is told: who switches the load off and on may not wait for a step."""
        memory, books, self.snapshot = self._settled()
        self._memory = self._memory._replace(held_s=memory.held_s)
        for name in OF_MACHINES:
            self._books_array[name] = books[name]

    def advance_to(self, t_utc_s: float) -> Snapshot:
        """Move to the last grid point at or before a moment; never back.

        Returns
        -------
        Snapshot
            The plant there.
        """
        self._run(int(t_utc_s) - int(t_utc_s) % self.step_s, 0)
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
        if sample_s % self.step_s or sample_s <= 0 or DAY_S % sample_s:
            raise ValueError(
                f"sample must be a multiple of {self.step_s} s that divides a day, got {sample_s} s"
            )
        parts = self._run(self.t_utc_s + int(seconds) - int(seconds) % self.step_s, sample_s // self.step_s)
        return np.concatenate(parts) if parts else self._none

    def _run(self, end_s: int, sample_every: int) -> list[np.ndarray]:
        parts = []
        while self.t_utc_s < end_s:
            inputs, first = self._at(self.t_utc_s)
            midnight_s = self._on_grid(math.ceil(self._clock.next_midnight_s(self.t_utc_s) - ROUNDING_S))
            stop = self._stop(min(end_s, midnight_s), inputs)
            self._tell()
            if end_s > inputs.end_utc_s:
                self._supply.begin(self._block(self.t_utc_s) + 1, self._rig.defects)
            count = -(-(stop - self.t_utc_s) // self.step_s)
            rows = (first + count) // sample_every - first // sample_every if sample_every else 0
            out = np.empty((rows, len(Snapshot._fields)))
            self._memory, self.snapshot = run_steps(
                self._memory, self._books_array, self._par, inputs.array, inputs.demand, inputs.t_room_c,
                first, count, float(inputs.start_utc_s), sample_every, out,
            )  # fmt: skip
            self.t_utc_s += count * self.step_s
            parts.append(out)
            if self.t_utc_s >= midnight_s:
                today = self._clock.shows_date(self.t_utc_s)
                self._begin_day(today - timedelta(days=1), today)
            if self._age is not None and (self.t_utc_s - inputs.start_utc_s) % DAY_S == 0:
                self._grow_old()
            self._turn()
        return parts

    def _stop(self, end_s: int, inputs: Inputs) -> int:
        """Where the kernel has to be left next."""
        zone = self.site.location.timezone
        stop = min(end_s, inputs.end_utc_s, *(turn.t_utc_s for turn in self._turns[:1]))
        if self._age is not None:
            stop = min(stop, self.t_utc_s + DAY_S - (self.t_utc_s - inputs.start_utc_s) % DAY_S)
        if utc_offset_s(stop - 1, zone) != utc_offset_s(self.t_utc_s, zone):
            stop = min(stop, self.t_utc_s // 3600 * 3600 + 3600)  # a clock changes on a whole hour
        return stop

    def _so_far_wh(self, name: str) -> float:
        """An integral since the start: of the whole days and of the one at hand."""
        return float(self._books.account[name] + self._books.today[name])

    def _begin_day(self, before: date, today: date) -> None:
        """The device's clock shows another day: meters start again, and equalizing may fall due."""
        periods = periods_begun(before, today)
        before_wh = self._books.metered_before
        for meter, name in ((before_wh.generated, "chg"), (before_wh.consumed, "load")):
            for period in meter.dtype.names[:periods]:
                meter[period] = self._so_far_wh(name)
        self._books.extremes = EMPTY_EXTREMES
        self._days_since_equalize += max(0, (today - before).days)
        if equalize_due(self._settings.equalize_cycle_d, today, self._days_since_equalize):
            self._days_since_equalize = 0
            self._memory = self._memory._replace(equalize_left_s=self._setpoints.equalize_s)

    def _grow_old(self) -> None:
        """A solar day is over: the battery is a day older."""
        assert self._age is not None
        log = self._books.hours
        self._age = ageing.age_one_day(
            self._age,
            Hours(*(log[name].copy() for name in Hours._fields)),
            self.site.battery.new(),
            self.site.battery.life(),
        )
        lost = ageing.loss(self._age, self.site.battery.life())
        self._aged = ageing.aged(self.site.battery.new(), lost)
        self._rebuild()

    def last_step(self) -> tuple[Inputs, int, PowerStage]:
        """Inputs of the days around the step just made, which step of them it was, and the controller then."""
        inputs, k = self._at(max(self.t_utc_s - self.step_s, self.start_utc_s))
        return inputs, k, self._rig.stage

    @property
    def health(self) -> float:
        """Share of the new battery's capacity that is left."""
        return float(battery.rated_ah(self._aged) / battery.rated_ah(self.site.battery.new()))

    def events(self) -> list[Event]:
        """Transitions so far, oldest first; the last few thousand of them."""
        found = []
        for t_utc_s, row, from_state in transitions(self._books).tolist():
            rule = RULES[row]
            left = STATES[rule.machine](from_state)
            found.append(Event(t_utc_s, rule.machine, left.name, rule.to.name, rule.reason))
        return found

    @property
    def overrun_steps(self) -> int:
        """Steps whose events could not all be placed; anything but 0 is a bug."""
        return int(self._books.overruns)


def _step_of(fidelity: Fidelity, step_s: int | None) -> int:
    if fidelity == "detailed":
        if step_s not in {None, STEP_S}:
            raise ValueError(f"a detailed run has steps of {STEP_S} s, got {step_s} s")
        return STEP_S
    step = SIZING_STEP_S if step_s is None else step_s
    if step % 60 or step <= 0 or 3600 % step:
        raise ValueError(f"a sizing run's step must be a multiple of 60 s that divides an hour, got {step} s")
    return step
