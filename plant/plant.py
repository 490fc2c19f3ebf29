"""A plant that runs: a site, a seed and a start become states, one grid step after another.

Owns the state and nothing else: no wall clock, no file, no socket. Moving it in one go or poll by poll gives
the same bits.
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from plant import ageing, battery, sun
from plant.ageing import AgeingState
from plant.charger import RULES, Daylight, Machine, SetPoints
from plant.clock import (
    DAY_S,
    STEP_S,
    next_midnight_utc_s,
    to_local,
    to_utc_s,
    utc_offset_s,
)  # fmt: skip
from plant.controller import PowerStage, power_stage
from plant.inputs import Inputs, Supply, inputs_of
from plant.layout import Defect
from plant.settings import Settings, setpoints_of
from plant.site import Site
from plant.snapshot import Snapshot
from plant.state import (
    CHG,
    EMPTY_EXTREMES,
    EVENTS_KEPT,
    FADED,
    LOAD,
    Books,
    Detailed,
    Memory,
    Parameters,
    QuasiStatic,
    empty_books,
    part,
)  # fmt: skip
from plant.step import run_steps
from plant.tracker import tracker_settings
from plant.tracking import Steady, fresh
from plant.upsets import Rig, applied, check
from plant.wear import Hours

EQUALIZE_DAY = 28  # of each month, by the device's clock (MAN_A); 0x9016 says 30 days, which nothing explains
FIRST_DAY_S = 1_609_459_200  # what a clock begins with that has lost its battery: 2021-01-01 (guess)
SIZING_STEP_S = 60
NO_TIME_S = 1e-9  # a step in which nothing moves
SIZING_BLOCK_DAYS = 32
Fidelity = Literal["detailed", "sizing"]


@dataclass(frozen=True, slots=True)
class Event:
    """A transition of one of the controller's machines."""

    t_utc_s: float
    machine: Machine
    from_: str
    to: str
    reason: str


class _Turn(NamedTuple):
    """Something that breaks, or is mended, at a moment."""

    t_utc_s: int
    number: int  # which upset
    begins: bool


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
        self.site = site
        self.seed = site.seed if seed is None else seed
        self.fidelity: Fidelity = fidelity
        self.step_s = _step_of(fidelity, step_s)
        zone = site.location.timezone
        start = to_utc_s(site.local_start(), zone) if start_utc_s is None else start_utc_s
        if fidelity == "sizing":
            start -= start % self.step_s
        if start % STEP_S:
            raise ValueError(f"start must lie on the {STEP_S} s grid, got {start}")
        self.start_utc_s = self.t_utc_s = start
        self._block_days = (
            1 if fidelity == "detailed" or site.weather.file else SIZING_BLOCK_DAYS
        )  # files end
        self._supply = Supply(self._made)
        self._age: AgeingState | None = site.battery.age()
        self._aged = site.battery.parameters()
        self._clock_shift_s = 0.0
        self._upsets = [(upset.name, dict(upset.values)) for upset in site.upsets]
        self._turns = self._timetable()
        self._broken: list[int] = []
        self.settings = site.settings()
        self._setpoints = self._setpoints_now()
        self._rig = self._rigged()
        self._par = self._parameters()
        inputs, index = self._at(start)
        t_room = float(inputs.t_room_c[index])
        x = battery.rested(site.battery.soc, t_room, self._par.battery)
        self._memory = Memory(x, 0.0, 0.0, t_room, 0.0, math.nan, math.nan, 0, fresh(self._par.tracker))
        self._books = empty_books()
        dark = inputs.array.v_oc_v[index] < self._setpoints.night_v
        self._books.modes[Machine.DAYLIGHT] = Daylight.NIGHT if dark else Daylight.DAY
        self._midnight_s = next_midnight_utc_s(start, zone)
        self._none = np.empty((0, len(Snapshot._fields)))
        self._turn()
        self.snapshot: Snapshot = self._peek()

    # What the plant is made of

    def _made(self, number: int, defects: tuple[Defect, ...]) -> Inputs:
        days = self._block_days
        return inputs_of(self.site, self.seed, number * days, days, self.step_s, defects)

    def _rigged(self) -> Rig:
        """What the plant is made of with what is broken now."""
        site = self.site
        cable_ohm = site.array.parts[0].losses.cable_ohm if len(site.array.parts) == 1 else 0.0
        stage = power_stage(site.controller.parameters(), site.battery.system_v, cable_ohm)
        rig = Rig(self._aged, stage, site.battery.cable_ohm)
        for number in self._broken:
            name, values = self._upsets[number]
            rig = applied(rig, name, values)
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
            rig.probe_c,
        )

    # What a client sets

    def _setpoints_now(self) -> SetPoints:
        return setpoints_of(self.settings, self.site.battery.system_v, self.site.battery.bms())

    def configure(self, settings: Settings) -> None:
        """Have the controller go on with other settings from here on."""
        self.settings = settings
        self._setpoints = self._setpoints_now()
        self._par = self._parameters()
        self._memory = self._memory._replace(t_probe_c=math.nan)  # has the set-points taken up anew
        self.snapshot = self._peek()

    def set_clock(self, t_device_s: float) -> None:
        """Set the controller's clock: what it shows now, local civil time read as if it were UTC [s]."""
        self._shift_clock(t_device_s)
        self.snapshot = self._peek()

    def clear_energy(self) -> None:
        """Start the meters of generated energy again, all of them."""
        so_far = part(self._books, "account")[CHG] + part(self._books, "today")[CHG]
        part(self._books, "offset").reshape(2, 4)[0] = so_far
        self.snapshot = self._peek()

    # What breaks

    def _timetable(self) -> list[_Turn]:
        turns = []
        for number, upset in enumerate(self.site.upsets):
            begin, end = upset.moments(self.start_utc_s, self.site.location.timezone)
            turns.append(_Turn(self._on_grid(begin), number, True))
            if end is not None:
                last = max(self._on_grid(end), self._on_grid(begin) + self.step_s)
                turns.append(_Turn(last, number, False))
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
        self._upsets.append((name, values))
        self._turns.insert(0, _Turn(self.t_utc_s, len(self._upsets) - 1, True))
        self._turn()
        self.snapshot = self._peek()
        return len(self._upsets) - 1

    def mend(self, number: int) -> None:
        """Put right what `upset` broke."""
        self._turns.insert(0, _Turn(self.t_utc_s, number, False))
        self._turn()
        self.snapshot = self._peek()

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
                self._shift_clock(FIRST_DAY_S if turn.begins else None)
        self._rebuild()

    def _rebuild(self) -> None:
        """Go on with what the plant is made of now; charge in lost capacity is booked as faded."""
        before = self._par.battery
        self._rig = self._rigged()
        self._par = self._parameters()
        if self._par.battery != before:
            x = battery.carried_over(self._memory.x, before, self._par.battery)
            faded = battery.stored_wh(self._memory.x, before) - battery.stored_wh(x, self._par.battery)
            part(self._books, "today")[FADED] += faded
            self._memory = self._memory._replace(x=x, t_warm_c=math.nan)

    def _shift_clock(self, shows_s: float | None) -> None:
        """Set the controller's clock: to a time of its own, or right again."""
        local_s = self.t_utc_s + utc_offset_s(self.t_utc_s, self.site.location.timezone)
        self._clock_shift_s = 0.0 if shows_s is None else shows_s - local_s
        self._midnight_s = self._next_midnight()

    def _next_midnight(self) -> int:
        """The next moment at which the controller's clock shows midnight."""
        if self._clock_shift_s == 0.0:
            return next_midnight_utc_s(self.t_utc_s, self.site.location.timezone)
        shown = self.t_utc_s + self._device_offset_s()
        return self._on_grid(self.t_utc_s + DAY_S - shown % DAY_S)

    def _device_offset_s(self) -> float:
        return utc_offset_s(self.t_utc_s, self.site.location.timezone) + self._clock_shift_s

    # Moving

    def _at(self, t_utc_s: int, ahead: bool = False) -> tuple[Inputs, int]:
        """Inputs of the days around a moment, and the step of them that begins there."""
        day = sun.day_of(t_utc_s, self.site.location.longitude_deg)
        inputs = self._supply.block(day // self._block_days, self._rig.defects, ahead)
        return inputs, (t_utc_s - inputs.start_utc_s) // self.step_s

    def _peek(self) -> Snapshot:
        """What the plant shows before its next step: the machines settle on a copy, no time goes by."""
        inputs, index = self._at(self.t_utc_s)
        copy = Books(*(array.copy() for array in self._books))
        offset = self._device_offset_s()
        still = self._par._replace(method=self._par.method._replace(step_s=NO_TIME_S))
        _, seen = run_steps(
            self._memory, copy, still, inputs.array, inputs.demand, inputs.t_room_c,
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
            inputs, first = self._at(self.t_utc_s, ahead=False)
            stop = self._stop(end_s, inputs)
            if end_s > inputs.end_utc_s:
                self._at(self.t_utc_s, ahead=True)
            count = -(-(stop - self.t_utc_s) // self.step_s)
            rows = (first + count) // sample_every - first // sample_every if sample_every else 0
            out = np.empty((rows, len(Snapshot._fields)))
            self._memory, self.snapshot = run_steps(
                self._memory, self._books, self._par, inputs.array, inputs.demand, inputs.t_room_c,
                first, count, float(inputs.start_utc_s), self._device_offset_s(), sample_every, out,
            )  # fmt: skip
            self.t_utc_s += count * self.step_s
            parts.append(out)
            if self.t_utc_s >= self._midnight_s:
                self._roll()
            if self._age is not None and (self.t_utc_s - inputs.start_utc_s) % DAY_S == 0:
                self._grow_old()
            self._turn()
        return parts

    def _stop(self, end_s: int, inputs: Inputs) -> int:
        """Where the kernel has to be left next."""
        zone = self.site.location.timezone
        stop = min(end_s, inputs.end_utc_s, self._midnight_s, *(turn.t_utc_s for turn in self._turns[:1]))
        if self._age is not None:
            stop = min(stop, self.t_utc_s + DAY_S - (self.t_utc_s - inputs.start_utc_s) % DAY_S)
        if utc_offset_s(stop - 1, zone) != utc_offset_s(self.t_utc_s, zone):
            stop = min(stop, self.t_utc_s // 3600 * 3600 + 3600)  # a clock changes on a whole hour
        return stop

    def _roll(self) -> None:
        """Midnight of the device's clock: day, month and year meters start again, and equalizing may fall due."""
        today = to_local(self.t_utc_s + self._device_offset_s(), "UTC").date()
        periods = 1 + (today.day == 1) + (today.day == 1 and today.month == 1)
        so_far = part(self._books, "account") + part(self._books, "today")
        offset = part(self._books, "offset").reshape(2, 4)
        offset[0, :periods] = so_far[CHG]
        offset[1, :periods] = so_far[LOAD]
        part(self._books, "extremes")[:] = EMPTY_EXTREMES
        if today.day == EQUALIZE_DAY:
            self._memory = self._memory._replace(equalize_left_s=self._setpoints.equalize_s)
        self._midnight_s = self._next_midnight()

    def _grow_old(self) -> None:
        """A solar day is over: the battery is a day older."""
        assert self._age is not None
        log = part(self._books, "hours").reshape(24, 6)
        self._age = ageing.a_day(
            self._age, Hours(*log.T.copy()), self.site.battery.new(), self.site.battery.life()
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
        count = int(part(self._books, "event_count")[0])
        log = part(self._books, "events").reshape(-1, 2)
        found = []
        for number in range(max(0, count - EVENTS_KEPT), count):
            t, row = log[number % EVENTS_KEPT]
            rule = RULES[int(row)]
            found.append(Event(float(t), rule.machine, rule.from_.name, rule.to.name, rule.reason))
        return found

    @property
    def overrun_steps(self) -> int:
        """Steps whose events could not all be placed; anything but 0 is a bug."""
        return int(part(self._books, "overruns")[0])


def _step_of(fidelity: Fidelity, step_s: int | None) -> int:
    if fidelity == "detailed":
        if step_s not in {None, STEP_S}:
            raise ValueError(f"a detailed run has steps of {STEP_S} s, got {step_s} s")
        return STEP_S
    step = SIZING_STEP_S if step_s is None else step_s
    if step % 60 or step <= 0 or 3600 % step:
        raise ValueError(f"a sizing run's step must be a multiple of 60 s that divides an hour, got {step} s")
    return step
