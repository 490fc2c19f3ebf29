"""Takes in the masters that call on a listening line, and has all but one of them wait.

A line serves one master at a time. The next one connects all the same, since the system takes calls by itself, and
asks and asks; so it is told of, and when its turn comes it is known since when its requests have been lying there.
"""

import contextlib
import math
import queue
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, NamedTuple

from modbus.line.stopsignal import StopSignal
from modbus.line.stream import Listener, Stream

MOST_WAITING: Final = 16  # those behind them wait for the system to take their call
LOOK_AGAIN_S: Final = 0.05
GRACE_S: Final = 0.2
TELL_AGAIN_S: Final = 60.0


class Caller(NamedTuple):
    """A master that has called."""

    stream: Stream
    since_s: float  # when


class Doorman:
    """Takes calls in a thread of its own, from `start` to `close`.

    Parameters
    ----------
    listener : Listener
    tell : callable
        Takes a line of text, once a minute at most: somebody waits, or nobody can be let in.
    """

    def __init__(self, listener: Listener, tell: Callable[[str], None]) -> None:
        self._listener = listener
        self._tell = tell
        self._callers: queue.SimpleQueue[Caller | None] = queue.SimpleQueue()
        self._stop = StopSignal()
        self._is_busy = False  # whether a master is being served
        self._told_s = -math.inf
        self._thread = threading.Thread(target=self._run, name="doorman", daemon=True)

    def start(self) -> None:
        """Take calls from now on."""
        self._thread.start()

    def next(self) -> Caller | None:
        """Wait for the next master, the one before having left; None once it is closed."""
        self._is_busy = not self._callers.empty()
        caller = self._callers.get()
        self._is_busy = True
        return caller

    def end(self) -> None:
        """Have `next` return, from any thread."""
        self._stop.set()
        self._callers.put(None)

    def close(self) -> None:
        """Take no more calls, and send those away who wait. The listener is still to be closed."""
        self.end()
        if self._thread.is_alive():
            self._thread.join()
        self._stop.close()
        with contextlib.suppress(queue.Empty):
            while True:
                caller = self._callers.get_nowait()
                if caller is not None:
                    caller.stream.close()

    def _run(self) -> None:
        while self._stop.readable(self._listener, None):
            if self._callers.qsize() >= MOST_WAITING:
                self._stop.wait(LOOK_AGAIN_S)
                continue
            try:
                stream, _ = self._listener.accept()
            except OSError as error:  # it left before it was let in, or no file descriptor is free
                self._once(error.strerror or str(error))
                self._stop.wait(LOOK_AGAIN_S)
                continue
            self._callers.put(Caller(stream, monotonic()))
            if not self._is_busy and self._callers.qsize() <= 1:
                continue
            self._stop.wait(GRACE_S)  # a master that hangs up and calls again is let in within that
            if not self._callers.empty():
                self._once(
                    "another master waits; this link serves one at a time, and the first one is still there"
                )

    def _once(self, text: str) -> None:
        if monotonic() - self._told_s >= TELL_AGAIN_S:
            self._told_s = monotonic()
            self._tell(text)
