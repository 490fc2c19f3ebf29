"""What a client asks and gets, listened to on the line: each request with its outcome, and what it last read where."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from modbus.codec.replies import BadReply, BitsReply, ExceptionReply, Reply, WordsReply, decode_reply
from modbus.codec.requests import Request
from modbus.line.conversation import Transmission
from modbus.map.registers import RegisterMap
from tracertwin.scenario.record import Asked, Outcome

TABLES: Final[Mapping[int, str]] = {  # of a function
    0x01: "coil", 0x02: "discrete", 0x03: "holding", 0x04: "input", 0x05: "coil", 0x06: "holding", 0x0F: "coil",
    0x10: "holding",
}  # fmt: skip
READS: Final = (0x01, 0x02, 0x03, 0x04)


class Overheard:
    """Listens to the requests on a line and to what leaves for them.

    Parameters
    ----------
    register_map : RegisterMap
    now_s : callable
        The plant's clock [s UTC].

    Attributes
    ----------
    asked : list of Asked
    heard : dict
        `Subject.key` -> moments and values of what was read there, in order.
    """

    def __init__(self, register_map: RegisterMap, now_s: Callable[[], float]) -> None:
        self.asked: list[Asked] = []
        self.heard: dict[str, list[tuple[float, float]]] = {}
        self._map = register_map
        self._now_s = now_s

    def listen(self, request: Request, sent: bytes | Transmission | None) -> None:
        """Take down a request and what leaves for it."""
        at_s = self._now_s()
        reply, outcome = outcome_of_line(request, sent)
        self.asked.append(Asked(at_s, request, outcome, is_mapped(request, self._map)))
        if reply is not None:
            self.take(request, reply, at_s)

    def take(self, request: Request, reply: Reply, at_s: float) -> None:
        """Take down the values that a reply holds."""
        words = reply.words if isinstance(reply, WordsReply) else ()
        words = tuple(map(int, reply.bits)) if isinstance(reply, BitsReply) else words
        table = TABLES.get(request.function, "")
        if request.function not in READS or not words:
            return
        rows = (self._map if table == "input" else self._map.published).rows[table]
        first = getattr(request, "address", 0)
        for address in range(first, first + len(words)):
            row = rows.get(address)
            if row is not None and row.address == address and row.addresses.stop <= first + len(words):
                value = row.value(words[address - first : row.addresses.stop - first])
                self.heard.setdefault(f"{table} 0x{address:04X}", []).append((at_s, value))


def outcome_of_line(
    request: Request, sent: bytes | Transmission | None, timeout_s: float = math.inf
) -> tuple[Reply | None, Outcome]:
    """What a client makes of what leaves for its request; bytes that come after its time-out are lost."""
    if isinstance(sent, Transmission):
        took_s, heard = 0.0, b""
        for burst in sent.bursts:
            took_s += burst.after_s
            heard += burst.data if took_s <= timeout_s else b""
    else:
        heard = sent or b""
    try:
        reply = decode_reply(request, heard) if heard else None
    except BadReply:
        return None, "bad"
    if reply is None:
        return None, "bad" if heard else "silence"
    return reply, "exception" if isinstance(reply, ExceptionReply) else "reply"


def is_mapped(request: Request, register_map: RegisterMap) -> bool:
    """Whether the map has every register that a request names."""
    table = TABLES.get(request.function)
    if table is None:
        return True
    there = (register_map if table == "input" else register_map.published).rows[table]
    return all(address in there for address in Asked(0.0, request, "reply").addresses)
