"""What a client asks and gets, listened to on the line: each request with its outcome, and what it last read where."""

import math
from collections.abc import Callable

from modbus.codec.functions import TABLE_READ
from modbus.codec.replies import BitsReply, Reply, WordsReply
from modbus.codec.requests import Request
from modbus.line.conversation import Transmission
from modbus.map.registers import RegisterMap
from tracertwin.checking.client import heard, is_mapped
from tracertwin.scenario.record import AskedFor


class Overheard:
    """Listens to the requests on a line and to what leaves for them.

    Parameters
    ----------
    register_map : RegisterMap
    now_s : callable
        The plant's clock [s UTC].

    Attributes
    ----------
    asked : list of AskedFor
    heard : dict
        `Subject.key` -> moments and values of what was read there, in order.
    """

    def __init__(self, register_map: RegisterMap, now_s: Callable[[], float]) -> None:
        self.asked: list[AskedFor] = []
        self.heard: dict[str, list[tuple[float, float]]] = {}
        self._map = register_map
        self._now_s = now_s

    def listen(self, request: Request, sent: bytes | Transmission | None) -> None:
        """Take down a request and what leaves for it."""
        at_s = self._now_s()
        reply, outcome = heard(request, sent, math.inf)
        self.asked.append(AskedFor(at_s, request, outcome, is_mapped(request, self._map)))
        if reply is not None:
            self.take(request, reply, at_s)

    def take(self, request: Request, reply: Reply, at_s: float) -> None:
        """Take down the values that a reply holds."""
        words = reply.words if isinstance(reply, WordsReply) else ()
        words = tuple(map(int, reply.bits)) if isinstance(reply, BitsReply) else words
        table = TABLE_READ.get(request.function)
        if table is None or not words:
            return
        rows = self._map.answering(table).rows[table]
        first = getattr(request, "address", 0)
        for address in range(first, first + len(words)):
            row = rows.get(address)
            if row is not None and row.address == address and row.addresses.stop <= first + len(words):
                word, key = words[address - first], f"{table} 0x{address:04X}"
                value = row.value(words[address - first : row.addresses.stop - first])
                self.heard.setdefault(key, []).append((at_s, value))
                self.heard.setdefault(f"{key} word", []).append((at_s, word))  # for its bits
