"""A plant that keeps step with a clock while lines read it.

One thread moves the plant and puts its newest `Snapshot` on show; lines only ever read what is on show, so
no reply waits for an integration, and how often anybody polls can't change the plant.
"""

import math
import threading

import numpy as np

from plant.clock import STEP_S, WallClock
from plant.plant import Plant
from plant.snapshot import Snapshot
from plant.trace import Trace

LONGEST_STRIDE_S = 3600  # at high speed the plant is shown at least once an hour of its own time
SHORTEST_NAP_S = 0.002  # at high speed several grid steps are made at once


class Live:
    """Moves a plant along with a wall clock.

    Parameters
    ----------
    plant : Plant
    clock : WallClock
    end_utc_s : float, optional
        Where to stop.
    sample_s : int
        Keep a sample after every so many plant seconds, see `Plant.run`; 0 for none.
    """

    def __init__(
        self,
        plant: Plant,
        clock: WallClock,
        end_utc_s: float | None = None,
        sample_s: int = 0,
    ) -> None:
        self.plant = plant
        self.clock = clock
        # the first grid point at or after the end: the plant stands nowhere else
        self.end_utc_s = None if end_utc_s is None else STEP_S * math.ceil(end_utc_s / STEP_S)
        self.ended = threading.Event()
        self.error: BaseException | None = None  # a bug that ended the plant's thread
        self.sample_s = sample_s
        self._samples: list[np.ndarray] = []
        self._shown = plant.snapshot
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="plant", daemon=True)

    def snapshot(self) -> Snapshot:
        """The plant at its last grid point."""
        return self._shown

    def start(self) -> None:
        """Let time begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop where it is."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def trace(self) -> Trace:
        """The samples so far."""
        rows = np.concatenate(self._samples) if self._samples else np.empty((0, len(Snapshot._fields)))
        return Trace(rows, self.plant.site.location.timezone, self.plant.events(), self.plant.site.name)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._follow()
                if self.end_utc_s is not None and self.plant.t_utc_s >= self.end_utc_s:
                    return
                nap = self.clock.wait_s(self.plant.t_utc_s + STEP_S)
                self._stopping.wait(max(nap, SHORTEST_NAP_S))
        except BaseException as error:  # kept for the one who can end the program
            self.error = error
        finally:
            self.ended.set()

    def _follow(self) -> None:
        now = self.clock.now_s()
        if self.end_utc_s is not None:
            now = min(now, self.end_utc_s)
        while self.plant.t_utc_s + STEP_S <= now and not self._stopping.is_set():
            until = min(now, self.plant.t_utc_s + LONGEST_STRIDE_S)
            if self.sample_s:
                self._samples.append(self.plant.run(until - self.plant.t_utc_s, self.sample_s))
            else:
                self.plant.advance_to(until)
            self._shown = self.plant.snapshot
