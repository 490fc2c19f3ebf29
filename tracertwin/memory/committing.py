"""What a rig remembers beyond its process: commits its plants to a state file while they run.

A thread of its own does it. It has a plant to itself only to copy what the plant remembers, some microseconds; no reply
waits for it. What it can't write any more it says once, and the line goes on without a memory.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import numpy as np

from plant.base.clock import DAY_S
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.remembered import Remembered
from plant.saving.state import SavedStateError, as_plain, continued, resolved
from plant.site.model import Site
from tracertwin.assembly.moments import told_local
from tracertwin.assembly.units import Unit
from tracertwin.memory.file import SAMPLE_S, Commit, StateFile
from tracertwin.memory.opening import refused
from tracertwin.memory.tables import SAMPLE_FIELDS
from tracertwin.versions import installed

LOOK_S: Final = 0.1  # how often to look whether something is due
# A commit is due this long after the one before, in wall time and in plant time: a bit less than a second and a minute,
# so that with the look and the commit itself no more than those are ever lost.
WALL_S: Final = 0.6
PLANT_S: Final = 50.0
GIVE_UP_S: Final = 30.0  # how long another program may hold the file
# held by a unit before they are handed on: a jump of months makes many
MOST_SAMPLES: Final = 10 * DAY_S // SAMPLE_S
MOST_WAITING: Final = 4  # copies not written yet: then the plant waits
TAKEN: Final = [Snapshot._fields.index(field) for field in SAMPLE_FIELDS]


class _Copy(NamedTuple):
    """What a unit was like when it was looked at."""

    controller: int
    unit_ids: tuple[int, int]
    then: Remembered
    samples: np.ndarray

    def entry(self) -> Commit:
        return Commit(self.controller, self.unit_ids, as_plain(self.then), self.samples)


class StateWriter:
    """Commits units to a file, from `start` to `stop`.

    Parameters
    ----------
    file : StateFile
        Closed at the end.
    units : sequence of Unit
        The site's own first.
    say : callable
        Takes a line of text to the user.
    """

    def __init__(self, file: StateFile, units: Sequence[Unit], say: Callable[[str], None]) -> None:
        self._file = file
        self._say = say
        self._keepers = [_Keeper(number, unit, self._hand_on) for number, unit in enumerate(units, 1)]
        self._waiting: deque[_Copy] = deque()
        self._room = threading.Condition()
        self._recording = True
        self._written_s = monotonic()  # when the last commit was
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="memory", daemon=True)

    def start(self) -> None:
        """Commit where everything stands, and from then on.

        Raises
        ------
        ProblemsError
            The file can't be written: told now, rather than with the first minute lost.
        """
        plant = self._keepers[0].unit.live.plant
        site = plant.site
        if self._file.is_new:
            names = [keeper.unit.live.plant.site.name for keeper in self._keepers]
            self._file.begin(resolved(site), site.location.timezone, plant.seed, plant.start_utc_s, names)
        try:
            self._file.write([keeper.copy().entry() for keeper in self._keepers])
        except sqlite3.Error as error:
            raise refused(self._file.path, f"can't be written: {error}") from None
        for keeper in self._keepers:
            keeper.begin()
        self._thread.start()

    def stop(self) -> None:
        """Commit the last of it and let go of the file."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
            for keeper in self._keepers:
                keeper.end()
            if self._recording:
                self._commit(self._keepers)
        self._file.close()

    def _run(self) -> None:
        while self._recording and not self._stopping.wait(LOOK_S):
            due = [keeper for keeper in self._keepers if keeper.is_due]
            if self._waiting or (due and monotonic() - self._written_s >= WALL_S):
                self._commit(due)

    def _commit(self, keepers: "Sequence[_Keeper]") -> None:
        """Write what waits and where these units stand, in one transaction."""
        for keeper in keepers:
            with keeper.unit.live.still():
                if keeper.unit.live.error is None:  # a plant that broke off is not to be gone on from
                    self._waiting.append(keeper.copy())
        copies = list(self._waiting)
        try:
            self._file.write([copy.entry() for copy in copies])
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if (
                code != sqlite3.SQLITE_BUSY
                or monotonic() - self._written_s > GIVE_UP_S
                or self._stopping.is_set()
            ):
                self._give_up(error)
            return
        self._written_s = monotonic()
        with self._room:
            for _ in copies:
                self._waiting.popleft()
            self._room.notify_all()

    def _hand_on(self, keeper: "_Keeper") -> None:
        """Called by whoever moves a plant, and has it, when samples are many: bounds what is held."""
        with self._room:
            self._room.wait_for(lambda: len(self._waiting) < MOST_WAITING or not self._recording)
            if self._recording:
                self._waiting.append(keeper.copy())

    def _give_up(self, error: sqlite3.Error) -> None:
        self._say(f"{self._file.path}: {error}; recording stops here, the line stays open")
        with self._room:
            self._recording = False
            self._waiting.clear()
            self._room.notify_all()
        for keeper in self._keepers:
            keeper.end()


class _Keeper:
    """What has been committed of a unit, and the samples since."""

    def __init__(self, number: int, unit: Unit, hand_on: "Callable[[_Keeper], None]") -> None:
        self.unit = unit
        self._number = number
        self._hand_on = hand_on
        self._samples: list[np.ndarray] = []
        self._held = 0
        self._marks = self._seen()
        self._t_utc_s = 0

    @property
    def is_due(self) -> bool:
        """Whether a minute of its time has passed, or something was done to it."""
        return self._seen() != self._marks or self.unit.live.snapshot().t_utc_s - self._t_utc_s >= PLANT_S

    def begin(self) -> None:
        """Have the samples told from here on."""
        self.unit.live.tell_samples(self._take)

    def end(self) -> None:
        """No samples any more."""
        self.unit.live.stop_telling(self._take)

    def copy(self) -> _Copy:
        """What there is to commit; the caller holds the plant."""
        marks, then = self._seen(), self.unit.live.plant.remembered()
        samples = np.concatenate(self._samples) if self._samples else np.empty((0, len(TAKEN)))
        self._samples, self._held = [], 0
        self._marks, self._t_utc_s = marks, then.t_utc_s
        return _Copy(self._number, marks[1], then, samples)

    def _seen(self) -> tuple[int, tuple[int, int]]:
        return self.unit.live.changes, self.unit.tracer.unit_ids

    def _take(self, rows: np.ndarray) -> None:
        if len(rows):
            self._samples.append(rows[:, TAKEN])
            self._held += len(rows)
        if self._held >= MOST_SAMPLES:
            self._hand_on(self)


# --- going on ---------------------------------------------------------------------------------------------------------


@contextmanager
def remembered(path: Path | None) -> Iterator[StateFile | None]:
    """The state file of a run, closed at its end; none without a path."""
    file = None if path is None else StateFile.opened(path)
    try:
        yield file
    finally:
        if file is not None:
            file.close()


def plants_from(
    file: StateFile | None, site: Site, seed: int | None, start_utc_s: int | None, say: Callable[[str], None]
) -> list[Plant]:
    """The plants of a site, as a state file left them; those of a run that begins if it is new, or there is none.

    Parameters
    ----------
    file : StateFile, optional
    site : Site
    seed : int, optional
        The site's own unless given.
    start_utc_s : int, optional
        Where to begin. In a file that has a state: up to where the plants are run at once.
    say : callable

    Raises
    ------
    ProblemsError
        The file is of something else, or is further on than the start.
    """
    seed = site.seed if seed is None else seed
    sites = [site, *(site.seen_by(other) for other in site.neighbours)]
    if file is None or file.is_new:
        own = Plant.new(site, seed, start_utc_s)
        return [own, *(Plant.new(each, seed, own.start_utc_s) for each in sites[1:])]
    version = file.check(resolved(site), seed)
    if version != installed("tracertwin"):
        say(f"{file.path} was saved by TracerTwin {version}; continuing with this version")
    try:
        plants = [
            continued(each, commit.saved) for each, commit in zip(sites, file.last_commits(), strict=True)
        ]
    except SavedStateError as error:
        raise refused(file.path, f"cannot be continued: {error}; start a new file") from None
    if start_utc_s is not None:
        _catch_up(file, plants, start_utc_s, say)
    return plants


def unit_ids_from(
    file: StateFile | None, unit: int | None, say: Callable[[str], None]
) -> list[tuple[int, int]]:
    """Ids of the units as a state file left them, now and after a power cycle; none of a run that begins."""
    ids = [] if file is None else [commit.unit_ids for commit in file.last_commits()]
    if file is not None and ids and unit not in (None, ids[0][0]):
        say(f"unit id {ids[0][0]}, as {file.path} has it; --unit is for new files")
    return ids


def _catch_up(file: StateFile, plants: Sequence[Plant], until_utc_s: int, say: Callable[[str], None]) -> None:
    """Live through the time that has passed, ten days at a time."""
    stands, zone = max(plant.t_utc_s for plant in plants), plants[0].site.location.timezone
    if until_utc_s < stands:
        raise refused(
            file.path,
            f"is already at {told_local(stands, zone)}; omit --start to continue from there, or start a new file",
        )
    if until_utc_s - stands > DAY_S:
        say(f"simulating {(until_utc_s - stands) / DAY_S:.1f} days, up to {told_local(until_utc_s, zone)}")
    for number, (plant, commit) in enumerate(zip(plants, file.last_commits(), strict=True), 1):
        while plant.t_utc_s < until_utc_s:
            rows = plant.run(min(until_utc_s - plant.t_utc_s, 10 * DAY_S), SAMPLE_S)
            entry = Commit(number, commit.unit_ids, as_plain(plant.remembered()), rows[:, TAKEN])
            try:
                file.write([entry])
            except sqlite3.Error as error:
                raise refused(file.path, f"can't be written: {error}") from None
