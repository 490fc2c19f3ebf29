"""What every link has, whoever is at its other end: a thread, a name for its messages, a beginning and an end."""

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

from modbus.line.endpoint import Endpoint


class LinkThread(ABC):
    """A link that serves in a thread from `start` to `stop`; as a context, from its beginning to its end.

    Parameters
    ----------
    endpoint : Endpoint
        As given; once started, with the real port.
    log : callable
        Takes lines of text, from the link's thread.
    name : str, optional
        Heads each of those lines; the endpoint if left out.
    """

    def __init__(self, endpoint: Endpoint, log: Callable[[str], None], name: str | None) -> None:
        self.endpoint = endpoint
        self._log = log
        self._name = name
        self._thread: threading.Thread | None = None

    @abstractmethod
    def start(self) -> Self:
        """Serve from now on."""

    @abstractmethod
    def stop(self, timeout_s: float = 1.0) -> bool:
        """End, and close the sockets; whether that was done in time."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for the link to end by itself; whether it has."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return self._thread is None or not self._thread.is_alive()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _say(self, text: str) -> None:
        with contextlib.suppress(Exception):  # a closed stderr must not take the link down
            self._log(f"{self._name or self.endpoint}: {text}")
