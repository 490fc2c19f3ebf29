"""Modbus/TCP: any bytes, in any cuts, with quiet anywhere; envelopes put on and taken off; faults in pieces."""

from collections.abc import Iterator

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from modbus.codec.envelope import envelope, enveloped, opened
from modbus.codec.mbap import MbapParser
from modbus.codec.parser import Junk, Received, RequestParser
from modbus.codec.requests import ReadWords
from tests.fuzz.captured import captured
from tests.fuzz.codec import EVERY_KIND
from tests.fuzz.recipe import Recipe, sealed

MOST_HELD = 515  # as the parser's docstring promises
QUIET_S = 10.0
FRAMER = FramerSocket(DecodePDU(is_server=True))

# What is done with the next bytes: as they are; in an envelope; nothing for a while; as pieces of a reply.
RAW, ENVELOPED, QUIET, PIECES = range(4)


def one(data: bytes) -> None:
    """Feed a stream, cut and enveloped as `data` says, and look at all that comes out."""
    recipe = Recipe(data)
    stream = _Stream()
    while recipe:
        told, size = recipe.byte() % 4, recipe.byte()
        if told == QUIET:
            stream.quiet()
        elif told == PIECES:
            _check_pieces(recipe.word(), sealed(recipe.bytes(max(size % 253, 2))), recipe)
        else:
            piece = recipe.bytes(size)
            stream.hear(piece if told == RAW or len(piece) < 2 else envelope(size, sealed(piece[:254])))
    stream.quiet()
    assert stream.parser.deadline_s is None, "bytes are held after quiet"


class _Stream:
    """Bytes into two parsers: one gets them in pieces, the other all at once before each quiet."""

    def __init__(self) -> None:
        self.parser = MbapParser()
        self._whole = MbapParser()
        self._rtu = RequestParser()  # on a line of RTU the same must not do any harm
        self._now_s = 0.0
        self._since = b""  # the last quiet
        self._events: list[Received | Junk] = []

    def hear(self, piece: bytes) -> None:
        self._now_s += 0.001
        self._since += piece
        self._events += self.parser.feed(piece, self._now_s)
        self._rtu.feed(piece, self._now_s)
        assert len(self.parser._held) <= MOST_HELD

    def quiet(self) -> None:
        self._now_s += QUIET_S
        self._events += self.parser.flush(self._now_s)
        at_once = self._whole.feed(self._since, self._now_s) + self._whole.flush(self._now_s + QUIET_S)
        assert b"".join(map(_bytes, self._events)) == self._since, "bytes were lost, doubled or changed"
        assert list(map(_told, self._events)) == list(map(_told, at_once))
        for event in self._events:
            _check(event)
        self._rtu.flush(self._now_s)
        self._since, self._events = b"", []


def _bytes(event: Received | Junk) -> bytes:
    if isinstance(event, Junk):
        return event.data
    assert event.transaction is not None
    return envelope(event.transaction, event.raw)


def _told(event: Received | Junk) -> object:
    return event if isinstance(event, Junk) else (event.request, event.raw, event.transaction)


def _check(event: Received | Junk) -> None:
    if isinstance(event, Junk):
        assert 1 <= len(event.data) <= 256
        assert event.why
        return
    assert event.request.encode() == event.raw
    data = _bytes(event)
    assert opened(data) == (event.transaction, event.raw, len(data))
    used, unit, transaction, pdu = FRAMER.decode(data)
    assert (used, unit, transaction, pdu) == (len(data), event.raw[0], event.transaction, event.raw[1:-2])


def _check_pieces(transaction: int, frame: bytes, recipe: Recipe) -> None:
    """A reply in any pieces, repeated or broken off, leaves as envelopes in as many."""
    copies = 1 + recipe.byte() % 3
    stream, pieces = frame * copies, []
    stream = stream[: len(stream) - recipe.byte() % len(frame)]
    while stream:
        size = 1 + recipe.byte() % 64
        pieces.append(stream[:size])
        stream = stream[size:]
    out = enveloped(transaction, frame, pieces)
    assert len(out) == len(pieces)
    whole = envelope(transaction, frame) * copies
    assert whole.startswith(b"".join(out)), "what leaves is no beginning of the envelopes"
    if b"".join(pieces) == frame * copies:
        assert b"".join(out) == whole


def seeds() -> Iterator[bytes]:
    """Requests of every kind, whole, cut and behind noise; RTU; replies in pieces."""
    for made in EVERY_KIND:
        body = made.encode()[:-2]
        yield bytes((ENVELOPED, len(body))) + body + bytes((QUIET, 0))
    whole = envelope(7, ReadWords(1, 4, 0x3100, 8).encode())
    yield (
        bytes((RAW, 5))
        + whole[:5]
        + bytes((RAW, len(whole) - 5))
        + whole[5:]
        + bytes((RAW, len(whole)))
        + whole
    )
    yield bytes((RAW, 3)) + b"\xff\0\0" + bytes((RAW, len(whole))) + whole
    yield bytes((RAW, 255)) + bytes(255) + bytes((RAW, len(whole))) + whole
    yield (bytes((RAW, 255)) + bytes(range(1, 256))) * 3
    for number, (request, reply) in enumerate(captured()):
        if number % 12 == 0 and max(len(request), len(reply)) < 250:
            yield bytes((RAW, len(request))) + request + bytes((QUIET, 0))
            yield bytes((PIECES, len(reply) - 2, 0, number & 0xFF)) + reply[:-2] + bytes((1, 0, 3, 9, 60))
