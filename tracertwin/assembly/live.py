"""A plant that keeps step with a clock while lines read it.

With a wall clock one thread, made by `start`, moves the plant and puts its newest state on show; lines only ever
read what is on show, so no reply waits for an integration, and how often anybody polls can't change the plant. What a
client writes is done between two strides, at the grid point where the plant stands, and is on show when the write
returns.
"""

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from modbus.device.interface import Shown
from plant.base.clock import STEP_S, SteppedClock, WallClock
from plant.base.problems import ProblemsError
from plant.controller.settings import TYPE_OF_NAME, Settings, factory
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report.trace import Trace
from tracertwin.assembly.moments import told_local

LONGEST_STRIDE_S = 3600  # at high speed the plant is shown at least once an hour of its own time
TOLD_EVERY_S = 60  # samples for whoever wants them, unless the run has its own
SHORTEST_NAP_S = 0.002  # at high speed several grid steps are made at once
NEW = TYPE_OF_NAME["sealed"].code  # what a unit is set to when it leaves the factory


class Live:
    """Moves a plant along with a clock.

    Parameters
    ----------
    plant : Plant
    clock : WallClock or SteppedClock
        The first is followed by a thread, see `start`; the second when `follow` is called.
    end_utc_s : float, optional
        Where to stop.
    sample_s : int
        Keep a sample after every so many plant seconds, see `Plant.run`; 0 for none.
    warn : callable
        Told in a line of text when the plant can't go on, a weather file having ended: it stands still then, and is
        read as before.

    Attributes
    ----------
    changes : int
        How often something was done to the plant, or could have been: it goes up with every `hold`, not with time.
    """

    def __init__(
        self,
        plant: Plant,
        clock: WallClock | SteppedClock,
        end_utc_s: float | None = None,
        sample_s: int = 0,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plant = plant
        self.clock = clock
        # the first grid point at or after the end: the plant stands nowhere else
        self.end_utc_s = None if end_utc_s is None else STEP_S * math.ceil(end_utc_s / STEP_S)
        self.ended = threading.Event()
        self.error: BaseException | None = None  # a bug that ended the plant's thread
        self.sample_s = sample_s
        self.changes = 0
        self._warn = warn
        self._can_go_on = True
        self._samples: list[np.ndarray] = []
        self._told: tuple[Callable[[np.ndarray], None], ...] = ()
        self._shown = Shown(plant.snapshot, plant.settings)
        # Whoever moves or changes the plant takes the turn, and the gate before it. A command that waits for the
        # turn holds the gate, so the plant's thread, which would be back first, lets it go ahead after one stride.
        self._gate, self._turn = threading.Lock(), threading.Lock()
        self._holder: int | None = None  # the thread that has the turn
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread: threading.Thread | None = None  # made by `start`

    def snapshot(self) -> Snapshot:
        """The plant at its last grid point."""
        return self._shown.snapshot

    def shown(self) -> Shown:
        """The plant at its last grid point, and the controller's settings."""
        return self._shown

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Have the plant to oneself: no other thread moves or changes it meanwhile. May be nested.

        What came of it is on show at the end.
        """
        with self.still():
            try:
                yield
            finally:
                self.changes += 1

    @contextmanager
    def still(self) -> Iterator[None]:
        """Like `hold`, but not counted as a change: for whoever moves the plant, or only reads it."""
        is_held = self._holder == threading.get_ident()
        if not is_held:
            with self._gate:
                self._turn.acquire()
            self._holder = threading.get_ident()
        try:
            yield
        finally:
            if self.plant.snapshot is not self._shown.snapshot:  # whatever changes a plant makes a new one
                self._shown = Shown(self.plant.snapshot, self.plant.settings)
            if not is_held:
                self._holder = None
                self._turn.release()

    def configure(self, settings: Settings) -> None:
        """Have the controller go on with other settings."""
        with self.hold():
            self.plant.configure(settings)

    def set_clock(self, t_device_s: float) -> None:
        """Set the controller's clock: local civil time read as if it were UTC [s]."""
        with self.hold():
            self.plant.set_clock(t_device_s)

    def clear_energy(self) -> None:
        """Start the meters of generated energy again."""
        with self.hold():
            self.plant.clear_energy()

    def restore_defaults(self) -> None:
        """Go on with the settings of a new unit; guess: clock and meters go on as they are."""
        self.configure(factory(NEW, self.plant.site.battery.system_v))

    def power_cycle(self) -> None:
        """Take the controller's power away for a moment; its `Tracer` has to be told as well."""
        with self.hold():
            self.plant.power_cycle()

    def start(self) -> None:
        """Let time begin, if it goes by itself."""
        if isinstance(self.clock, WallClock):
            self._thread = threading.Thread(target=self._run, name="plant", daemon=True)
            self._thread.start()

    def follow(self) -> None:
        """Move the plant to the last grid point that the clock has passed."""
        now = self.clock.now_s()
        if self.end_utc_s is not None:
            now = min(now, self.end_utc_s)
        try:
            while self._can_go_on and self.plant.t_utc_s + STEP_S <= now and not self._stopping.is_set():
                with self.still():
                    self._stride(min(now, self.plant.t_utc_s + LONGEST_STRIDE_S))
        except ProblemsError as error:
            self._can_go_on = False
            since = told_local(self.plant.t_utc_s, self.plant.site.location.timezone)
            self._warn(f"{self.plant.site.name} stopped at {since}: {error}")
        if self.end_utc_s is not None and self.plant.t_utc_s >= self.end_utc_s:
            self.ended.set()

    def tell_samples(self, told: Callable[[np.ndarray], None]) -> None:
        """Have somebody told the samples of each stride, with the plant held where the stride has ended."""
        with self.still():
            self._told = (*self._told, told)

    def stop_telling(self, told: Callable[[np.ndarray], None]) -> None:
        """Don't tell them to that one any more."""
        with self.still():
            self._told = tuple(each for each in self._told if each != told)

    def wake(self) -> None:
        """Look at the clock again: it was told something."""
        self._woken.set()

    def raise_error(self) -> None:
        """Raise what ended the plant's thread, if a bug did."""
        if self.error is not None:
            raise self.error

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping.is_set()

    def stop(self) -> None:
        """Stop where it is."""
        self._stopping.set()
        self.wake()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()

    def trace(self) -> Trace:
        """The samples so far."""
        rows = np.concatenate(self._samples) if self._samples else np.empty((0, len(Snapshot._fields)))
        return Trace(rows, self.plant.site.location.timezone, self.plant.events(), self.plant.site.name)

    def _run(self) -> None:
        try:
            assert isinstance(self.clock, WallClock)
            while not self._stopping.is_set():
                self.follow()
                if self.ended.is_set():
                    return
                nap = self.clock.wait_s(self.plant.t_utc_s + STEP_S) if self._can_go_on else math.inf
                self._woken.wait(max(nap, SHORTEST_NAP_S) if nap < math.inf else None)
                self._woken.clear()
        except BaseException as error:  # kept for `raise_error`: nobody would see it in this thread
            self.error = error
        finally:
            self.ended.set()

    def _stride(self, until_s: float) -> None:
        every_s = self.sample_s or (TOLD_EVERY_S if self._told else 0)
        if not every_s:
            self.plant.advance_to(until_s)
            return
        rows = self.plant.run(until_s - self.plant.t_utc_s, every_s)
        if self.sample_s:
            self._samples.append(rows)
        for told in self._told:
            told(rows)
