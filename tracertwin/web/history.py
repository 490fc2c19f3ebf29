"""What a plant has shown so far, in bounded memory: samples that thin out with age, settings, events.

Knows one unit and no browser. Samples come from the plant's thread, which has the plant to itself then; whoever looks
comes from another thread and never waits for the plant.
"""

import threading
from collections import deque
from typing import Final

import numpy as np

from modbus.device.interface import Shown
from plant.controller.settings import Settings
from plant.kernel.events import Event
from plant.kernel.snapshot import Snapshot
from tracertwin.assembly.live import Live
from tracertwin.assembly.settingshistory import SettingsHistory

ROOM: Final = 6000  # samples: 5 MB
FINE: Final = 1500  # of them the newest, a minute or less apart; those before are spread evenly
MOST_EVENTS: Final = 4000
MOST_SETTINGS: Final = 2000


class UnitHistory:
    """A unit's samples from `begin` to `end`.

    Parameters
    ----------
    live : Live
    room, fine : int
        How many samples are kept, and how many of them, the newest, are left as they came.

    Attributes
    ----------
    events : deque of Event
        The newest, oldest first.
    """

    def __init__(self, live: Live, room: int = ROOM, fine: int = FINE) -> None:
        self.events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._live, self._fine = live, fine
        self._rows = np.empty((room, len(Snapshot._fields)))
        self._count, self._apart_s = 0, 60.0  # of the old ones
        self._settings = SettingsHistory(most=MOST_SETTINGS)
        self._stood_s = float(live.plant.t_utc_s)  # where the last stride ended
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Take what is on show, and samples from here on."""
        with self._live.still():
            self._take(np.empty((0, len(Snapshot._fields))))
        self.look()
        self._live.tell_samples(self._take)

    def end(self) -> None:
        """No samples any more."""
        self._live.stop_telling(self._take)

    def look(self) -> None:
        """Take what is on show, if it is new: at low speed that is finer than the samples."""
        with self._lock:
            self._add(np.array([self._live.snapshot()]))

    def rows(self, from_s: float = -np.inf, to_s: float = np.inf) -> np.ndarray:
        """Samples between two moments [s UTC], both included: (n, fields) array, rows of `Snapshot`."""
        with self._lock:
            held = self._rows[: self._count]
            first, last = np.searchsorted(held[:, 0], from_s), np.searchsorted(held[:, 0], to_s, side="right")
            return held[first:last].copy()

    def shown_at(self, t_s: float) -> Shown:
        """What the plant showed at the last sample up to a moment [s UTC]; before all of them at the first."""
        with self._lock:
            place = max(int(np.searchsorted(self._rows[: self._count, 0], t_s, side="right")) - 1, 0)
            snapshot = Snapshot(*self._rows[place].tolist())
            return Shown(snapshot, self._settings.at(snapshot.t_utc_s))

    def settings_at(self, t_s: float) -> Settings:
        """What the controller was set to at a moment [s UTC]."""
        with self._lock:
            return self._settings.at(t_s)

    def _take(self, rows: np.ndarray) -> None:
        """Samples of a stride; the caller holds the plant."""
        plant, last = self._live.plant, self.events[-1].t_utc_s if self.events else -np.inf
        with self._lock:
            self.events.extend(plant.events(last))
            # written before the stride: a plant is changed only where it stands
            self._settings.note(self._stood_s, plant.settings)
            self._stood_s = float(plant.t_utc_s)
            self._add(rows)

    def _add(self, rows: np.ndarray) -> None:
        if self._count:
            rows = rows[rows[:, 0] > self._rows[self._count - 1, 0]]
        for part in np.array_split(rows, len(rows) // self._fine + 1):
            if self._count + len(part) > len(self._rows):
                self._thin()
            self._rows[self._count : self._count + len(part)] = part
            self._count += len(part)

    def _thin(self) -> None:
        """Keep at most half of the old samples, evenly over their time, and all of the newest."""
        old = self._count - self._fine
        t_s = self._rows[:old, 0]
        while len(even := np.flatnonzero(np.diff(t_s // self._apart_s, prepend=-1.0))) > old // 2:
            self._apart_s *= 2.0
        kept = np.concatenate([even, np.arange(old, self._count)])
        self._rows[: len(kept)] = self._rows[kept]
        self._count = len(kept)
