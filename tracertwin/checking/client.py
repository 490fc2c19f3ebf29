"""A client of a plant without a line: it asks, waits for as long as a client waits, and everything is written down.

Its time is the plant's clock: a reply that would take longer than the time-out is silence, and so is none.
"""

from collections.abc import Callable
from typing import Any

from modbus.codec.functions import TABLE_OF
from modbus.codec.replies import BadReply, ExceptionReply, Reply, decode_reply
from modbus.codec.requests import Request
from modbus.line.conversation import Answer, Transmission
from modbus.map.registers import RegisterMap
from modbus.master.client import NoReplyError
from tracertwin.scenario.record import AskedFor, Outcome

SENT_TIMES = 3  # by whoever writes and gets no answer


def heard(
    request: Request, sent: bytes | Transmission | None, timeout_s: float
) -> tuple[Reply | None, Outcome]:
    """What a client makes of what was sent for its request; bytes that come after its time-out are none."""
    data = b""
    if isinstance(sent, Transmission):
        took_s = 0.0
        for burst in sent.bursts:
            took_s += burst.after_s
            data += burst.data if took_s <= timeout_s else b""
    else:
        data = sent or b""
    try:
        reply = decode_reply(request, data) if data else None
    except BadReply:
        return None, "bad"
    if reply is None:
        return None, "bad" if data else "silence"
    return reply, "exception" if isinstance(reply, ExceptionReply) else "reply"


def is_mapped(request: Request, register_map: RegisterMap) -> bool:
    """Whether a map has every register that a request names; so it is with a request that names none."""
    table = TABLE_OF.get(request.function)
    if table is None:
        return True
    there = register_map.answering(table).rows[table]
    return all(address in there for address in AskedFor(0.0, request, "reply").addresses)


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
        self.asked: list[AskedFor] = []
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
            reply, outcome = heard(request, self._answer(request), self._timeout_s)
            self.asked.append(AskedFor(at_s, request, outcome, is_mapped(request, self._map)))
            if reply is not None:
                return reply
            self._wait(timeout_s or self._timeout_s)
        raise NoReplyError(f"no reply to {request}")
