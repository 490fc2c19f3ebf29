"""A client of a plant without a line: it asks, waits for as long as a client waits, and everything is written down.

Its time is the plant's clock: a reply that would take longer than the time-out is silence, and so is none.
"""

from collections.abc import Callable
from typing import Any

from modbus.codec.replies import Reply
from modbus.codec.requests import Request
from modbus.line.conversation import Answer
from modbus.map.registers import RegisterMap
from modbus.master.client import NoReplyError
from tracertwin.checking.overhearing import is_mapped, outcome_of_line
from tracertwin.scenario.record import Asked

SENT_TIMES = 3  # by whoever writes and gets no answer


class ScenarioClient:
    """Asks a device and keeps what came of it; a `modbus.master.poll.Asking`.

    Parameters
    ----------
    answer : callable
        Gives what leaves for a request, line faults included.
    now_s : callable
        The clock [s UTC].
    wait : callable
        Has so many seconds go by.
    register_map : RegisterMap
    timeout_s : float
        For each try [s].
    """

    def __init__(
        self,
        answer: Answer,
        now_s: Callable[[], float],
        wait: Callable[[float], Any],
        register_map: RegisterMap,
        timeout_s: float,
    ) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self._now_s = now_s
        self._wait = wait
        self._map = register_map
        self._timeout_s = timeout_s

    def ask(self, request: Request, timeout_s: float = 0.0, retries: int = SENT_TIMES - 1) -> Reply:
        """The reply to a request, which is sent again after each time-out.

        Raises
        ------
        NoReplyError
            To none of the tries came a good one.
        """
        for _ in range(retries + 1):
            at_s = self._now_s()
            reply, outcome = outcome_of_line(request, self._answer(request), self._timeout_s)
            self.asked.append(Asked(at_s, request, outcome, is_mapped(request, self._map)))
            if reply is not None:
                return reply
            self._wait(timeout_s or self._timeout_s)
        raise NoReplyError(f"no reply to {request}")
