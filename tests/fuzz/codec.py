"""The codec: any bytes, in any cuts, with quiet anywhere; and any bytes for the reply to any request."""

from collections.abc import Iterator

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU

from modbus.codec.parser import Junk, Received, RequestParser
from modbus.codec.replies import BadReply, BitsReply, Reply, decode_reply
from modbus.codec.requests import (
    IdentifyDevice,
    Login,
    Malformed,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
)
from tests.fuzz.captured import captured
from tests.fuzz.recipe import Recipe, sealed

MOST_HELD = 510  # as the parser's docstring promises
QUIET_S = 1.0
PDUS = DecodePDU(is_server=True)

# What is done with the next bytes. Sealed ones get the CRC that no mutation would ever find.
RAW, SEALED, QUIET, REPLY, SEALED_REPLY = range(5)


def one(data: bytes) -> None:
    """Feed a stream, cut and sealed as `data` says, and look at all that comes out."""
    recipe = Recipe(data)
    line = _Line()
    while recipe:
        told, size = recipe.byte() % 5, recipe.byte()
        if told == QUIET:
            line.quiet()
        elif told in (RAW, SEALED):
            piece = recipe.bytes(size)
            line.hear(piece if told == RAW else sealed(piece))
        else:
            piece = recipe.bytes(size)
            _check_reply(line.asked, piece if told == REPLY else sealed(piece))
    line.quiet()
    assert line.parser.deadline_s is None, "bytes are held after quiet"


class _Line:
    """A stream into two parsers: one gets it in pieces, the other all at once before each quiet."""

    def __init__(self) -> None:
        self.parser = RequestParser()
        self.asked: Request = ReadWords(1, 4, 0x3100, 8)  # the request heard last
        self._whole = RequestParser()
        self._now_s = 0.0
        self._since = b""  # the last quiet
        self._events: list[Received | Junk] = []

    def hear(self, piece: bytes) -> None:
        self._now_s += 0.001
        self._since += piece
        self._events += self.parser.feed(piece, self._now_s)
        assert len(self.parser._held) == len(self.parser._arrived_s) <= MOST_HELD

    def quiet(self) -> None:
        self._now_s += QUIET_S
        self._events += self.parser.flush(self._now_s)
        at_once = self._whole.feed(self._since, self._now_s) + self._whole.flush(self._now_s + QUIET_S)
        assert _bytes(self._events) == self._since, "bytes were lost, doubled or changed"
        assert [_told(event) for event in self._events] == [_told(event) for event in at_once]
        for event in self._events:
            _check_event(event)
            if isinstance(event, Received):
                self.asked = event.request
        self._since, self._events = b"", []


def _bytes(events: list[Received | Junk]) -> bytes:
    return b"".join(event.raw if isinstance(event, Received) else event.data for event in events)


def _told(event: Received | Junk) -> object:
    return event if isinstance(event, Junk) else (event.request, event.raw)


def _check_event(event: Received | Junk) -> None:
    if isinstance(event, Junk):
        assert 1 <= len(event.data) <= 256
        assert event.why
        return
    raw = event.raw
    assert event.request.encode() == raw
    assert FramerRTU.compute_CRC(raw[:-2]) == int.from_bytes(raw[-2:], "big"), (
        "heard, though the CRC is wrong"
    )
    _check_reading(event.request, raw)


def _check_reading(request: Request, raw: bytes) -> None:
    """pymodbus reads the same, where it reads that function and count at all."""
    other = PDUS.decode(raw[1:-2]) if isinstance(request, _SHARED) else None
    if other is None:
        return
    assert other.function_code == request.function
    if isinstance(request, IdentifyDevice):
        assert (other.read_code, other.object_id) == (request.code, request.object_id)
        return
    assert other.address == request.address
    if isinstance(request, ReadBits | ReadWords):
        assert other.count == request.count
    elif isinstance(request, WriteWords):
        assert tuple(other.registers) == request.values
    elif isinstance(request, WriteWord):
        assert other.registers == [request.value]


_SHARED = (ReadBits, ReadWords, WriteCoil, WriteWord, WriteWords, IdentifyDevice)


def _check_reply(asked: Request, data: bytes) -> None:
    """Byte by byte: more are needed, then it is a reply or refused; and what is refused stays so."""
    over = False
    for size in range(len(data) + 1):
        try:
            reply = decode_reply(asked, data[:size])
        except BadReply:
            over = True
            continue
        assert not over, (
            f"{data[: size - 1].hex(' ')} was refused or a reply, {data[:size].hex(' ')} is not refused"
        )
        if reply is not None:
            _check_form(asked, reply, data[:size])
            over = True


def _check_form(asked: Request, reply: Reply, data: bytes) -> None:
    assert reply.encode()[:-3] == data[:-3]
    padded = isinstance(reply, BitsReply) and asked.count % 8  # the last byte has bits that are nobody's
    assert padded or reply.encode() == data


EVERY_KIND = (
    ReadBits(1, 2, 0x2000, 16), ReadWords(1, 4, 0x3100, 8), WriteCoil(1, 2, 0xFF00), WriteWord(1, 0x9001, 200),
    WriteWords(1, 0x9013, (1, 2, 3)), WriteCoils(1, 0, 19, b"abc"), IdentifyDevice(1, 4, 1),
    Login(1, b"user", b"000000"), ReadSparse(1, 0x3100, 20), UnitIdRequest(0xF8, 0xF8), Unknown(1, 0x07, b""),
    Malformed(1, 0x10, b"\x90\1\0\1\4\0\x64\0\x64"),
)  # fmt: skip


def seeds() -> Iterator[bytes]:
    """Recorded exchanges, whole and in two pieces with noise around, and their replies; long noise and a long write."""
    noise = bytes(range(1, 256))
    yield (bytes((RAW, 255)) + noise) * 3
    yield bytes((RAW, 255)) + bytes(255) + bytes((RAW, 255)) + noise + bytes((QUIET, 0, RAW, 3)) + noise[:3]
    longest = WriteWords(1, 0x9000, tuple(range(123))).encode()
    yield bytes((RAW, 200)) + longest[:200] + bytes((RAW, len(longest) - 200)) + longest[200:]
    yield bytes((RAW, 40)) + longest[:40] + bytes((QUIET, 0, RAW, 8)) + ReadWords(1, 4, 0x3100, 8).encode()
    for made in EVERY_KIND:
        raw = made.encode()
        yield bytes((SEALED, len(raw) - 2)) + raw[:-2] + bytes((RAW, len(raw))) + raw
    for number, (request, reply) in enumerate(captured()):
        if number % 6 or max(len(request), len(reply)) > 255:
            continue
        body = bytes((SEALED, len(request) - 2)) + request[:-2]
        half = len(request) // 2
        cut = bytes((RAW, half)) + request[:half] + bytes((RAW, len(request) - half)) + request[half:]
        noise = bytes((RAW, 3)) + request[:3]
        answer = bytes((SEALED_REPLY, len(reply) - 2)) + reply[:-2]
        yield body + bytes((QUIET, 0)) + answer
        yield noise + cut + body + bytes((REPLY, len(reply))) + reply
