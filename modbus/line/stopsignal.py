"""An event that a blocked select() notices too."""

import contextlib
import select
import socket
import threading
from typing import Protocol


class HasDescriptor(Protocol):
    """Whatever select() takes."""

    def fileno(self) -> int: ...


class StopSignal:
    """Set once, from any thread; goes into select() like a socket, readable from then on."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._reader, self._writer = socket.socketpair()
        self.is_set = self._event.is_set
        self.wait = self._event.wait
        self.fileno = self._reader.fileno

    def set(self) -> None:
        """Set it; a second time does no harm."""
        if not self._event.is_set():
            self._event.set()
            with contextlib.suppress(OSError):  # already closed: nobody is left to wake
                self._writer.send(b"\0")

    def readable(self, what: HasDescriptor | None, timeout_s: float | None) -> bool:
        """Wait for bytes (None: for none), but neither longer than the time nor once the signal is set."""
        fd = self.fileno() if what is None else what.fileno()
        ready, _, _ = select.select((fd, self.fileno()), (), (), timeout_s)
        return what is not None and fd in ready

    def close(self) -> None:
        """Give the sockets back, when nobody waits any more."""
        self._reader.close()
        self._writer.close()
