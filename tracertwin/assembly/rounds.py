"""What a master asks, counted: how often, and whether it has been once round all its registers since something changed.

For whoever has to wait until firmware has seen a change, without sleeping. A *round* is over when every request that
the master repeats has been answered since, and another one has come: it has taken up the last reply by then. As long
as nothing is repeated, it is over when the first request comes again.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Final

from modbus.codec.functions import TABLE_READ
from modbus.codec.requests import Request
from modbus.line.conversation import Transmission

MOST_KNOWN: Final = 4096  # different requests; a master that asks more is searching for registers


class Rounds:
    """Requests as they come, from any thread.

    Attributes
    ----------
    requests : int
        How many there were.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._times: dict[Request, int] = {}  # how often each was answered
        self._since: dict[Request, int] = {}  # the same, since the last change
        self._is_whole = False  # all that are repeated were answered since
        self._over = 0  # rounds since the last change
        self._turn = threading.Condition()

    def heard(self, request: Request, sent: bytes | Transmission | None) -> int:
        """A request, and what leaves for it; its number, from 1."""
        with self._turn:
            self.requests += 1
            if self._is_whole or self._comes_again(request):
                self._over += 1
            if sent and request.function in TABLE_READ:
                self._times[request] = self._times.get(request, 0) + 1
                self._since[request] = self._since.get(request, 0) + 1
                if len(self._times) > MOST_KNOWN:
                    self._times.clear()
            self._is_whole = bool(self._since) and bool(self._repeated()) and not self._missing()
            self._turn.notify_all()
            return self.requests

    def changed(self) -> None:
        """Something was done to the plant or the line: what was read before doesn't count."""
        with self._turn:
            self._since.clear()
            self._is_whole, self._over = False, 0

    def missing(self) -> list[Request]:
        """What the master repeats and hasn't asked since the last change."""
        with self._turn:
            return self._missing()

    def _missing(self) -> list[Request]:
        return [request for request in self._repeated() if request not in self._since]

    def wait_round(self, timeout_s: float) -> bool:
        """Wait until a round is over since the last change; whether that was in time."""
        return self._wait(lambda: self._over > 0, timeout_s)

    def wait_requests(self, count: int, timeout_s: float) -> bool:
        """Wait for so many requests from now on; whether they came in time."""
        until = self.requests + count
        return self._wait(lambda: self.requests >= until, timeout_s)

    def _wait(self, is_so: Callable[[], bool], timeout_s: float) -> bool:
        give_up_s = monotonic() + timeout_s
        with self._turn:
            return self._turn.wait_for(is_so, max(0.0, give_up_s - monotonic()))

    def _repeated(self) -> list[Request]:
        return [request for request, times in self._times.items() if times > 1]

    def _comes_again(self, request: Request) -> bool:
        return not self._repeated() and request in self._since
