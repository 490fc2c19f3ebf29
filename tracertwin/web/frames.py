"""What was heard and said on the lines, for people: frames decoded, gaps, reasons; and what a client last read.

Takes entries of the journal, knows neither lines nor browsers.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from modbus.codec.functions import TABLE_READ
from modbus.codec.replies import BadReply, BitsReply, Reply, WordsReply, decode_reply
from modbus.codec.requests import ALL_WRITES, BROADCAST, ReadBits, ReadWords, Request, decode_request
from modbus.line.conversation import Transmission, leaving
from modbus.map.registers import RegisterMap
from modbus.master.phrases import phrase, shape
from tracertwin.journal.entries import End, Entry, Exchange, GivenCommand, Noise, Peer, Stale
from tracertwin.web.clientwrites import assignments_of

MOST_WRITTEN: Final = 1000
MOST_VALUES: Final = 8  # of a reply, in words
JsonRow = dict[str, Any]


class Answering(Protocol):
    """A unit of the line; its id may be changed over the line while it runs."""

    register_map: RegisterMap

    @property
    def unit(self) -> int:
        """The own unit id."""


class ClientWrite(NamedTuple):
    """A write that was taken: its plant time [s UTC], by which units, ``NAME=VALUE`` of each register, its entry."""

    t_utc_s: int
    places: tuple[int, ...]
    texts: list[str]
    entry: int


@dataclass(slots=True)
class Frames:
    """Entries as they come.

    Parameters
    ----------
    units : sequence of Answering
        Those on the line; told apart by their place here, since one that is alone may answer to any id.

    Attributes
    ----------
    last_read : mapping
        Place of a unit -> (table, address) -> the word that a client was sent there last, and the plant's time [s UTC].
    written : deque
        Writes that were taken, the newest.
    """

    units: Sequence[Answering]
    last_read: dict[int, dict[tuple[str, int], tuple[int, int]]] = field(default_factory=dict)
    written: deque[ClientWrite] = field(default_factory=lambda: deque(maxlen=MOST_WRITTEN))
    _asked_s: dict[int, float] = field(default_factory=dict)  # by line: when it was asked last

    def described(self, entries: Iterable[Entry]) -> list[JsonRow]:
        """Entries in words, each as JSON has it."""
        return [self._described(entry) for entry in entries if not isinstance(entry.what, End)]

    def _described(self, entry: Entry) -> JsonRow:
        row: JsonRow = {
            "number": entry.number,
            "t_utc_s": entry.times_s[0],
            "wall_s": round(entry.wall_s, 4),
            "line": entry.line,
        }
        match entry.what:
            case Exchange():
                return row | self._exchange(entry, entry.what)
            case Noise(data, why):
                return row | {
                    "kind": "junk",
                    "asked": f"{len(data)} bytes",
                    "bytes": data.hex(" "),
                    "why": why,
                }
            case Stale(request):
                asked = phrase(decode_request(request))
                return row | {"kind": "stale", "asked": asked, "bytes": request.hex(" "), "why": Stale.WHY}
            case Peer(is_there):
                return row | {"kind": "peer", "asked": "connected" if is_there else "disconnected"}
            case GivenCommand(text, refused):
                return row | {"kind": "command", "asked": text, "why": refused or ""}
        raise AssertionError(entry)

    def _exchange(self, entry: Entry, exchange: Exchange) -> JsonRow:
        request = decode_request(exchange.request)
        sent = exchange.sent
        left = leaving(sent)
        line = entry.line or 0
        if request.function in ALL_WRITES and (places := self._took(request, exchange)):
            texts = assignments_of(request, self.units[places[0]].register_map)
            self.written.append(ClientWrite(entry.times_s[0], places, texts, entry.number))
        since_s = exchange.asked_s - self._asked_s.get(line, exchange.asked_s)
        self._asked_s[line] = exchange.asked_s
        return {
            "kind": _kind(exchange, left),
            "asked": phrase(request),
            "answered": self._answered(request, left, entry.times_s[0]),
            "bytes": exchange.request.hex(" "),
            "sent": left.hex(" "),
            "gap_s": round(since_s, 3),
            "pieces": len(sent.bursts) if isinstance(sent, Transmission) else int(bool(left)),
            "why": exchange.failure or exchange.refused,
            "struck": list(exchange.struck),
        }

    def _answered(self, request: Request, left: bytes, t_utc_s: int) -> str:
        reply = _decoded(request, left)
        if not isinstance(reply, WordsReply | BitsReply) or not isinstance(request, ReadWords | ReadBits):
            return shape(request, left)
        words = reply.words if isinstance(reply, WordsReply) else tuple(map(int, reply.bits))
        table = TABLE_READ[request.function]
        read = self.last_read.setdefault(self._place(request.unit), {})
        read.update(((table, place), (word, t_utc_s)) for place, word in enumerate(words, request.address))
        return ", ".join(self._values(request, table, words)) or shape(request, left)

    def _place(self, unit_id: int) -> int:
        """The unit that answers to an id; the first where none has it, as one that is alone may answer to others."""
        return next((place for place, one in enumerate(self.units) if one.unit == unit_id), 0)

    def _took(self, request: Request, exchange: Exchange) -> tuple[int, ...]:
        """Places of the units that a write has changed; a broadcast is done in silence."""
        if request.unit == BROADCAST and not exchange.frame:
            is_lost = exchange.refused or exchange.failure or exchange.struck
            return () if is_lost else tuple(range(len(self.units)))
        is_done = exchange.frame and not exchange.frame[1] & 0x80
        return (self._place(request.unit),) if is_done else ()

    def _values(self, request: ReadWords | ReadBits, table: str, words: tuple[int, ...]) -> Iterable[str]:
        register_map = self.units[self._place(request.unit)].register_map.answering(table)
        rows = register_map.rows[table]
        place, end, count = request.address, request.address + len(words), 0
        while place < end and count < MOST_VALUES:
            row = rows.get(place)
            if row is None or row.address != place or row.addresses.stop > end:
                label = f"{register_map.label(table, place)} " if row is not None else ""
                yield f"{label}{words[place - request.address]}"
                place += 1
            else:
                own = words[place - request.address :][: len(row.addresses)]
                figure = row.figure(own)
                text = f"{figure} {row.measured_in}" if figure else ", ".join(row.remarks(own))
                yield f"{row.name} {text}".rstrip()
                place = row.addresses.stop
            count += 1
        if place < end:
            yield f"{end - place} more"


def _kind(exchange: Exchange, left: bytes) -> str:
    """Of an exchange: good, changed on the line, refused, not answered."""
    if not left:
        return "silence"
    if exchange.struck:
        return "fault"
    return "exception" if len(left) > 1 and left[1] & 0x80 else "good"


def _decoded(request: Request, left: bytes) -> Reply | None:
    try:
        return decode_reply(request, left) if left else None
    except BadReply:
        return None
