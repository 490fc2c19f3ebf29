"""The codec: requests out of any stream of bytes, replies there and back."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU, bit_message, mei_message, register_message

from modbus import rtu
from modbus.replies import (
    BadReply,
    BitsReply,
    EchoReply,
    ExceptionReply,
    IdentificationReply,
    LoginReply,
    Reply,
    SparseReply,
    UnitIdReply,
    WordsReply,
    decode_reply,
)
from modbus.rtu import (
    IdentifyDevice,
    Junk,
    Login,
    ReadBits,
    ReadSparse,
    ReadWords,
    Received,
    Request,
    RequestParser,
    UnitId,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
    crc16,
    seal,
)

steady = settings(derandomize=True, deadline=None, max_examples=150)

POLL = ReadWords(1, 0x04, 0x3104, 1)
POLL_BYTES = bytes.fromhex("01 04 31 04 00 01 7e f7")
KNOWN = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F, 0x10, 0x2B, 0x41, 0x43, 0x45)


class Exchange(NamedTuple):
    """A request of the golden transcript and its reply, empty when none was published."""

    request: bytes
    reply: bytes


def golden() -> Iterator[Exchange]:
    lines = Path(__file__).with_name("golden").joinpath("rtu_frames.txt").read_text().splitlines()
    frames = [line for line in lines if line[:1] in ("<", ">")]
    for line, after in zip(frames, [*frames[1:], ""], strict=True):
        if line.startswith(">"):
            yield Exchange(bytes.fromhex(line[1:]), bytes.fromhex(after[1:] if after[:1] == "<" else ""))


GOLDEN = tuple(golden())
ANSWERED = tuple(exchange for exchange in GOLDEN if exchange.reply)

byte = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFF)
addressed = {"unit": byte, "address": word}


@st.composite
def write_coils(draw: st.DrawFn) -> WriteCoils:
    count = draw(st.integers(0, 1968))
    size = (count + 7) // 8
    return WriteCoils(draw(byte), draw(word), count, draw(st.binary(min_size=size, max_size=size)))


known_requests = st.one_of(
    st.builds(ReadBits, **addressed, function=st.sampled_from((1, 2)), count=word),
    st.builds(ReadWords, **addressed, function=st.sampled_from((3, 4)), count=word),
    st.builds(WriteCoil, **addressed, value=word),
    st.builds(WriteWord, **addressed, value=word),
    write_coils(),
    st.builds(WriteWords, **addressed, values=st.lists(word, max_size=123).map(tuple)),
    st.builds(IdentifyDevice, unit=byte, code=byte, object_id=byte),
    st.builds(
        Login, unit=byte, user=st.binary(min_size=1, max_size=32), password=st.binary(min_size=6, max_size=6)
    ),
    st.builds(ReadSparse, **addressed, count=word),
    st.builds(UnitId, unit=byte, unit_id=byte),
)


def fits_early(raw: bytes) -> bool:
    """Whether the CRC fits before the end, by a chance of one in 65536 for each byte."""
    return any(crc16(raw[:size]) == 0 for size in range(4, len(raw)))


unknown_requests = st.builds(
    Unknown,
    unit=byte,
    function=st.integers(0x01, 0x7F).filter(lambda function: function not in KNOWN),
    data=st.binary(max_size=252),
).filter(lambda request: not fits_early(request.encode()))
requests = known_requests | unknown_requests

# Noise that looks like something: bytes that are function codes, and requests with their ends cut off.
noise = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from((0x00, 0x01, 0x02, 0x0E, *KNOWN)), max_size=40).map(bytes),
    known_requests.flatmap(lambda request: st.integers(0, 12).map(lambda cut: request.encode()[cut:])),
    known_requests.flatmap(lambda request: st.integers(1, 12).map(lambda cut: request.encode()[:-cut])),
)


def heard(events: list[Received | Junk]) -> list[Request]:
    return [event.request for event in events if isinstance(event, Received)]


def junk(events: list[Received | Junk]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Junk))


def all_bytes(events: list[Received | Junk]) -> bytes:
    return b"".join(event.raw if isinstance(event, Received) else event.data for event in events)


def through(*pieces: bytes) -> list[Received | Junk]:
    """What a parser makes of the pieces and the quiet behind them."""
    parser = RequestParser()
    events = [event for piece in pieces for event in parser.feed(piece, 0.0)]
    events += parser.flush(0.1)
    assert parser.deadline_s is None
    return events


def fits_across(before: bytes, raw: bytes) -> bool:
    """Whether noise and (a part of) the request behind it have a good CRC together: then nothing can tell."""
    stream = before + raw
    for begin in range(len(before)):
        crc = crc16(stream[begin : len(before)])
        for end in range(len(before), len(stream)):
            crc = crc16(stream[end : end + 1], crc)
            if crc == 0:
                return True
    return False


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


# --- the stream -------------------------------------------------------------------------------------------


@steady
@given(st.lists(known_requests, max_size=4), st.data())
def test_requests_come_out_at_once_however_the_line_cuts_them(
    sent: list[Request], data: st.DataObject
) -> None:
    stream = b"".join(request.encode() for request in sent)
    parser = RequestParser()
    events: list[Received | Junk] = []
    for piece in cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=8))):
        events += parser.feed(piece, 0.0)
    assert heard(events) == sent
    assert parser.deadline_s is None


@steady
@given(st.lists(requests, max_size=4))
def test_requests_with_unknown_functions_among_them_come_out_in_order(sent: list[Request]) -> None:
    assert heard(through(*(request.encode() for request in sent))) == sent


@steady
@given(st.lists(noise | requests.map(lambda request: request.encode()), max_size=6), st.data())
def test_any_cut_of_any_stream_gives_the_same_events(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    whole = through(stream)
    assert through(*(stream[i : i + 1] for i in range(len(stream)))) == whole
    assert through(*cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))) == whole
    assert all_bytes(whole) == stream


@steady
@given(noise, known_requests, noise)
def test_a_good_request_is_heard_whatever_noise_stood_around_it(
    before: bytes, request: Request, behind: bytes
) -> None:
    assume(not fits_across(before, request.encode()))
    events = through(before, request.encode(), behind)
    assert request in heard(events)
    assert all_bytes(events) == before + request.encode() + behind


@steady
@given(
    st.binary(max_size=600).map(lambda data: bytes(b for b in data if b not in (0x0F, 0x10, 0x41))),
    word,
    word,
)
def test_a_poll_straight_after_noise_does_not_wait_for_quiet(before: bytes, address: int, count: int) -> None:
    """Nothing in this noise can be the function code of a long request."""
    request = ReadWords(1, 0x04, address, count)
    assume(not fits_across(before[-256:], request.encode()))
    parser = RequestParser()
    events = parser.feed(before, 0.0) + parser.feed(request.encode(), 0.0)
    assert heard(events)[-1] == request
    assert parser.deadline_s is None


@steady
@given(st.lists(st.tuples(st.binary(max_size=700), st.booleans()), max_size=5))
def test_every_byte_comes_out_once_and_few_are_held(pieces: list[tuple[bytes, bool]]) -> None:
    parser, now_s, fed, out = RequestParser(), 0.0, b"", b""
    for piece, quiet_after in pieces:
        events = parser.feed(piece, now_s)
        if quiet_after:
            now_s += 1.0
            events += parser.flush(now_s)
        fed, out = fed + piece, out + all_bytes(events)
        assert fed.startswith(out)
        assert len(fed) - len(out) <= (0 if quiet_after else 510)
        assert (parser.deadline_s is None) == (fed == out)
    assert out + all_bytes(parser.flush(now_s + 1.0)) == fed


def test_both_of_two_requests_in_one_piece_are_heard() -> None:
    """pymodbus 3.16 reports the whole piece as used and loses the second."""
    other = ReadWords(1, 0x04, 0x3200, 1)
    assert heard(RequestParser().feed(POLL_BYTES + other.encode(), 0.0)) == [POLL, other]


def test_noise_between_requests_is_one_piece_of_junk() -> None:
    events = RequestParser().feed(POLL_BYTES + b"boot: ok\r\n" + POLL_BYTES, 3.0)
    assert events == [
        Received(POLL, POLL_BYTES, 3.0),
        Junk(b"boot: ok\r\n", "no request begins so"),
        Received(POLL, POLL_BYTES, 3.0),
    ]


def test_a_request_in_two_pieces_48_ms_apart_is_heard_when_complete() -> None:
    """What QEMU's default socket makes of every request."""
    parser = RequestParser()
    assert parser.feed(POLL_BYTES[:1], 10.0) == []
    assert parser.deadline_s == pytest.approx(10.1)
    assert parser.flush(10.048) == []
    assert parser.feed(POLL_BYTES[1:], 10.048) == [Received(POLL, POLL_BYTES, 10.048)]


def test_a_request_whose_rest_was_read_late_by_a_stalled_host_is_heard() -> None:
    parser = RequestParser()
    parser.feed(POLL_BYTES[:1], 10.0)
    assert heard(parser.feed(POLL_BYTES[1:], 12.0)) == [POLL]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("01 04 31 04 00 01 7e f8", "bad CRC: expected 7e f7, got 7e f8"),
        ("01 04 31 04 00", "cut off: expected 8 bytes or more, got 5"),
        ("01 10 90 13 00 03 06 30 35", "cut off: expected 15 bytes or more, got 9"),
        ("01", "cut off: expected 2 bytes or more, got 1"),
        ("ff fb 01 ff fb 03", "no request begins so"),
    ],
)
def test_junk_says_why(data: str, why: str) -> None:
    assert through(bytes.fromhex(data)) == [Junk(bytes.fromhex(data), why)]


def test_work_on_a_megabyte_of_noise_is_proportional_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summed = 0

    def counting(data: bytes, start: int = 0xFFFF) -> int:
        nonlocal summed
        summed += len(data)
        return crc16(data, start)

    monkeypatch.setattr(rtu, "crc16", counting)
    block = bytes((i * 193 + (i >> 3) * 71 + i * i * 7) & 0xFF for i in range(65_521))
    through(block * 16)
    assert 0 < summed < 2 * 16 * len(block)
    summed = 0
    worst = bytes.fromhex("07 0f e2 00") * 10_000  # every fourth byte begins a plausible write of 1807 coils
    through(worst)
    assert 10 * len(worst) < summed < 70 * len(worst)


# --- long requests, which others have to wait for ---------------------------------------------------------


@steady
@given(st.integers(0, 20), st.integers(0, 20), known_requests, st.data())
def test_a_short_request_inside_a_long_one_is_not_heard(
    before: int, behind: int, inner: Request, data: st.DataObject
) -> None:
    payload = bytes(before) + inner.encode() + bytes(behind)
    payload = payload[:246] + bytes(len(payload[:246]) % 2)
    values = tuple(int.from_bytes(payload[i : i + 2], "big") for i in range(0, len(payload), 2))
    outer = WriteWords(1, 0x9000, values)
    pieces = cut(outer.encode(), data.draw(st.lists(st.integers(0, len(payload) + 9), max_size=6)))
    assert heard(through(*pieces)) == [outer]


def test_a_poll_behind_a_cut_off_write_is_heard_after_the_hold() -> None:
    """A master was reset in the middle of a write and polls at once."""
    cut_off = WriteWords(1, 0x9003, tuple(range(12))).encode()[:20]
    parser = RequestParser(hold_s=0.1)
    assert parser.feed(cut_off, 0.0) == []
    assert parser.feed(POLL_BYTES[:3], 0.5) == []
    assert parser.feed(POLL_BYTES[3:], 0.54) == []
    assert parser.feed(b"\x55", 0.56) == []
    assert parser.deadline_s == pytest.approx(0.66)
    assert parser.flush(0.65) == []
    assert parser.flush(0.67) == [
        Junk(cut_off, "cut off: expected 33 bytes or more, got 20"),
        Received(POLL, POLL_BYTES, 0.54),
        Junk(b"\x55", "cut off: expected 2 bytes or more, got 1"),
    ]


def test_polls_swallowed_by_a_cut_off_write_are_all_heard_once_its_length_is_reached() -> None:
    cut_off = WriteWords(1, 0x9003, tuple(range(12))).encode()[:20]
    parser = RequestParser()
    assert heard(parser.feed(cut_off + POLL_BYTES, 0.0)) == []
    assert heard(parser.feed(POLL_BYTES, 0.0)) == [POLL, POLL]


@pytest.mark.parametrize(
    "head",
    [
        "01 10 90 13 00 03 07",  # three registers take six bytes
        "01 10 90 13 00 7c f8",  # 124 registers
        "01 0f 00 00 00 0a 03",  # ten coils take two bytes
        "01 0f 00 00 07 b1 f7",  # 1969 coils
        "01 41 00 21",  # a name of 33 bytes
        "01 41 01 04",
        "01 2b 0d 01",  # MEI type 0D
    ],
)
def test_nothing_waits_for_a_long_request_that_is_not_plausible(head: str) -> None:
    assert heard(RequestParser().feed(bytes.fromhex(head) + POLL_BYTES, 0.0)) == [POLL]


@pytest.mark.parametrize("body", ["01 2b 0d 01 00", "f8 45 00 01 02 05", "f8 45 00 02 01 05"])
def test_a_vendor_request_in_a_form_never_recorded_is_junk(body: str) -> None:
    assert heard(through(seal(bytes.fromhex(body)))) == []


@pytest.mark.parametrize(
    "request_",
    [
        ReadWords(1, 0x04, 0x3100, 0),
        ReadWords(1, 0x04, 0x3100, 200),
        ReadBits(1, 0x01, 0xFFFF, 0xFFFF),
        WriteCoil(1, 2, 0x1234),
        WriteWords(1, 0x9000, ()),
        WriteCoils(1, 0, 0, b""),
        ReadSparse(1, 0x3000, 0xFFFF),
        IdentifyDevice(1, 9, 0x80),
        UnitId(0xF8, 0),
        ReadWords(0, 0x04, 0x3100, 1),
        ReadWords(0xFF, 0x04, 0x3100, 1),
    ],
)
def test_well_formed_requests_with_illegal_contents_are_heard(request_: Request) -> None:
    """The Tracer answers them with an exception, or not at all: its decision."""
    assert heard(RequestParser().feed(request_.encode(), 0.0)) == [request_]


# --- unknown functions and other talk on the bus ----------------------------------------------------------


def test_an_unknown_function_is_heard_at_once() -> None:
    parser = RequestParser()
    exception_status = bytes.fromhex("01 07 41 e2")
    assert heard(parser.feed(exception_status, 0.0)) == [Unknown(1, 0x07, b"")]
    assert heard(parser.feed(POLL_BYTES + exception_status, 0.0)) == [POLL, Unknown(1, 0x07, b"")]


def test_an_unknown_function_behind_noise_is_heard_only_after_quiet() -> None:
    parser, request = RequestParser(), Unknown(1, 0x11, b"")
    assert heard(parser.feed(b"noise" + request.encode(), 0.0) + parser.flush(0.1)) == []
    assert heard(parser.feed(request.encode(), 0.2)) == [request]
    assert heard(parser.feed(bytes(256), 0.3) + parser.flush(0.4)) == []
    assert heard(parser.feed(request.encode(), 0.5)) == [request]


def test_an_unknown_function_with_the_tail_of_a_known_one_waits_until_that_is_ruled_out() -> None:
    candidates = (Unknown(1, 0x08, number.to_bytes(4, "big")) for number in range(1 << 16))
    request = next(unknown for unknown in candidates if unknown.encode()[-2] == 0x04)
    parser = RequestParser()
    assert parser.feed(request.encode(), 0.0) == []
    assert heard(parser.flush(0.1)) == [request]
    assert parser.feed(request.encode(), 1.0) == []
    assert heard(parser.feed(POLL_BYTES, 1.0)) == [request, POLL]


def test_a_good_request_goes_before_an_unknown_one_that_shares_bytes_with_it() -> None:
    """Noise and the first two bytes of the poll have the form of an unknown request."""
    stray = next(
        body
        for body in (b"\x01\x08" + number.to_bytes(2, "big") for number in range(1 << 16))
        if seal(body)[-2:] == POLL_BYTES[:2]
    )
    events = RequestParser().feed(stray + POLL_BYTES, 0.0)
    assert heard(events) == [POLL]
    assert junk(events) == stray


@pytest.mark.parametrize("exchange", ANSWERED, ids=lambda exchange: exchange.reply[:8].hex(" "))
def test_replies_of_another_tracer_on_the_bus_are_not_taken_for_requests(exchange: Exchange) -> None:
    """Nor do they keep the next poll from being heard. The reply to 05 is the request: nothing can tell."""
    echo = heard(through(exchange.request)) if exchange.reply == exchange.request else []
    assert heard(through(exchange.reply)) == echo
    assert heard(through(exchange.reply, POLL_BYTES)) == [*echo, POLL]


# --- requests and replies, there and back -----------------------------------------------------------------


@steady
@given(requests)
def test_a_request_reads_as_it_was_written(request: Request) -> None:
    raw = request.encode()
    assert through(raw) == [Received(request, raw, 0.0)]
    assert crc16(raw) == 0
    assert raw[:2] == bytes((request.unit, request.function))


@pytest.mark.parametrize("exchange", GOLDEN, ids=lambda exchange: exchange.request[:6].hex(" "))
def test_frames_of_real_devices_read_and_write_the_same(exchange: Exchange) -> None:
    [event] = through(exchange.request)
    assert isinstance(event, Received)
    assert not isinstance(event.request, Unknown)
    assert event.request.encode() == exchange.request
    reply = decode_reply(event.request, exchange.reply)
    assert (reply.encode() if reply else b"") == exchange.reply


def test_the_golden_transcript_has_every_recorded_function() -> None:
    assert {exchange.request[1] for exchange in GOLDEN} == set(KNOWN) - {0x06, 0x0F}  # never recorded
    assert {0x81, 0x82, 0x83, 0x84} < {exchange.reply[1] for exchange in ANSWERED}


@pytest.mark.parametrize(
    ("request_", "data", "reply"),
    [
        (POLL, "01 04 02 05 10 bb ac", WordsReply(1, 0x04, (1296,))),
        (ReadBits(1, 0x02, 0x200C, 1), "01 02 01 01 60 48", BitsReply(1, 0x02, (True,))),
        (ReadWords(1, 0x03, 0x3000, 1), "01 83 02 c0 f1", ExceptionReply(1, 0x03, 2)),
        (WriteCoil(1, 2, 0xFF00), "01 05 00 02 ff 00 2d fa", EchoReply(1, 0x05, 2, 0xFF00)),
        (WriteWords(1, 0x9013, (0, 0, 0)), "01 10 90 13 00 03 5c cd", EchoReply(1, 0x10, 0x9013, 3)),
        (UnitId(0xF8, 0xF8), "f8 45 03 82 a0", UnitIdReply(0xF8, 3)),
        (Login(1, b"user", b"000000"), "01 41 00 01 90 0c", LoginReply(1, 1)),
        (
            IdentifyDevice(1, 2),
            "01 2b 0e 02 01 00 00 01 03 10 30 30 30 32 32 30 31 33 30 31 32 30 30 30 34 35 7a 38",
            IdentificationReply(1, 2, ((3, b"0002201301200045"),)),
        ),
        (  # 3005 to 3008 and 300E exist
            ReadSparse(1, 0x3005, 10),
            "01 43 14 02 0f 07 d0 c3 50 00 00 00 02 07 d0 a8 c8",
            SparseReply(1, (2000, 50000, 0, 2, None, None, None, None, None, 2000)),
        ),
    ],
)
def test_recorded_replies_say_what_their_sources_say(request_: Request, data: str, reply: Reply) -> None:
    assert decode_reply(request_, bytes.fromhex(data)) == reply


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Request, Reply]:
    """A request, and a reply that fits it."""
    request: Request = draw(known_requests)
    reply: Reply
    unit, function = request.unit, request.function
    match request:
        case ReadBits(address=address):
            reply = BitsReply(unit, function, tuple(draw(st.lists(st.booleans(), max_size=2000))))
            request = ReadBits(unit, function, address, len(reply.bits))
        case ReadWords(address=address):
            reply = WordsReply(unit, function, tuple(draw(st.lists(word, max_size=125))))
            request = ReadWords(unit, function, address, len(reply.words))
        case ReadSparse(address=address):
            reply = SparseReply(unit, tuple(draw(st.lists(st.none() | word, max_size=114))))
            request = ReadSparse(unit, address, len(reply.words))
        case WriteCoil() | WriteWord():
            reply = EchoReply(unit, function, request.address, request.value)
        case WriteCoils() | WriteWords():
            reply = EchoReply(unit, function, request.address, request.count)
        case IdentifyDevice(code=code):
            objects = draw(st.lists(st.tuples(byte, st.binary(max_size=40)), max_size=5))
            reply = IdentificationReply(unit, code, tuple(objects), draw(byte), draw(byte), draw(byte))
        case UnitId(unit_id=wanted):
            reply = UnitIdReply(unit, draw(byte) if wanted == 0xF8 else wanted)
        case _:
            reply = LoginReply(unit, draw(word))
    refused = draw(st.integers(0, 9)) == 0
    return request, ExceptionReply(unit, function, draw(byte)) if refused else reply


@steady
@given(exchanges())
def test_a_reply_reads_as_it_was_written_and_not_before_its_last_byte(
    exchange: tuple[Request, Reply],
) -> None:
    request, reply = exchange
    raw = reply.encode()
    assert [decode_reply(request, raw[:i]) for i in range(len(raw))] == [None] * len(raw)
    assert decode_reply(request, raw) == reply
    with pytest.raises(BadReply, match=f"length: expected {len(raw)} bytes, got {len(raw) + 1}"):
        decode_reply(request, raw + b"\0")


@steady
@given(exchanges(), st.data())
def test_a_reply_with_a_damaged_byte_is_never_accepted(
    exchange: tuple[Request, Reply], data: st.DataObject
) -> None:
    request, reply = exchange
    raw = bytearray(reply.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        got = decode_reply(request, bytes(raw))
    except BadReply:
        got = None
    assert got is None


@steady
@given(requests, st.binary(max_size=300))
def test_whatever_comes_is_a_reply_or_a_bad_reply_or_too_short(request: Request, tail: bytes) -> None:
    got, refusal = None, "length: expected 1, got 0"
    try:
        got = decode_reply(request, bytes((request.unit, request.function)) + tail)
    except BadReply as error:
        refusal = str(error)
    assert re.fullmatch(".+: expected .+, got .+", refusal)
    assert got is None or got.encode()[:2] == bytes((request.unit, request.function))


@pytest.mark.parametrize(
    ("request_", "data", "message"),
    [
        (POLL, "02", "unit: expected 01, got 02"),
        (POLL, "01 03", "function: expected 04, got 03"),
        (POLL, "01 04 04", "byte count: expected 02, got 04"),
        (POLL, "01 04 02 05 10 bb ad", "CRC: expected bb ac, got bb ad"),
        (POLL, "01 04 02 05 10 bb ac 00", "length: expected 7 bytes, got 8"),
        (POLL, "01 84 02 c2 c2", "CRC: expected c2 c1, got c2 c2"),
        # rosswarren/epevermodbus issue 27: the adapter echoes the request
        (ReadWords(1, 0x04, 0x3100, 1), "01 04 31 00 00 01 3f 36", "byte count: expected 02, got 31"),
        (WriteCoil(1, 3, 0xFF00), "01 05 00 02 ff 00 2d fa", "echo: expected 00 03 ff 00, got 00 02 ff 00"),
        (
            WriteWords(1, 0x9013, (1,)),
            "01 10 90 13 00 03 5c cd",
            "echo: expected 90 13 00 01, got 90 13 00 03",
        ),
        (UnitId(0xF8, 2), "f8 45 01 03 61", "unit_id: expected 02, got 01"),
        (IdentifyDevice(1, 2), "01 2b 0e 01", "type and code: expected 0e 02, got 0e 01"),
        (IdentifyDevice(1, 1), "01 2b 0e 01 01 00 00 01 00 ff", "length: expected 256 bytes, got 267"),
        (ReadSparse(1, 0x3005, 10), "01 43 12", "twice the count: expected 14, got 12"),
        (ReadSparse(1, 0x3005, 10), "01 43 14 06 0f", "bitmap: expected 10 bits, got 11"),
        (Unknown(1, 0x07, b""), "01 07", "function: expected 87, got 07"),
    ],
)
def test_a_reply_that_can_never_be_right_is_refused_at_once(
    request_: Request, data: str, message: str
) -> None:
    with pytest.raises(BadReply) as caught:
        decode_reply(request_, bytes.fromhex(data))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (ReadWords(256, 0x04, 0, 1), "unit: must lie in 0..255, got 256"),
        (ReadWords(1, 0x10, 0, 1), "function: expected 03 or 04, got 10"),
        (ReadBits(1, 0x01, 70_000, 1), "address: must lie in 0..65535, got 70000"),
        (WriteWord(1, 0, -1), "value: must lie in 0..65535, got -1"),
        (WriteWords(1, 0, (0,) * 124), "values: must not exceed 123 registers, got 124"),
        (WriteCoils(1, 0, 1969, b""), "count: must lie in 0..1968, got 1969"),
        (WriteCoils(1, 0, 9, b"\0"), "data: 9 coils take 2 bytes, got 1"),
        (Login(1, b"", b"000000"), "user: must have 1 to 32 bytes, got 0"),
        (Login(1, b"user", b"0000"), "password: must have 6 bytes, got 4"),
        (Unknown(1, 0x04, b""), "function: must be one that is not known, in 01..7F, got 04"),
        (Unknown(1, 0x83, b""), "function: must be one that is not known, in 01..7F, got 83"),
        (Unknown(1, 0x07, bytes(253)), "frame: must not exceed 256 bytes, got 257"),
        (WordsReply(1, 0x04, (0x10000,)), "word: must lie in 0..65535, got 65536"),
        (WordsReply(1, 0x04, (0,) * 126), "frame: must not exceed 256 bytes, got 257"),
        (SparseReply(1, (0,) * 120), "frame: must not exceed 256 bytes, got 260"),
        (SparseReply(1, (None,) * 128), "twice the count: must lie in 0..255, got 256"),
        (ExceptionReply(1, 0x84, 2), "function: must lie in 01..7F, got 84"),
    ],
)
def test_what_does_not_fit_is_not_encoded(frame: Request | Reply, message: str) -> None:
    with pytest.raises(ValueError, match="got") as caught:
        frame.encode()
    assert str(caught.value) == message


# --- against another implementation -----------------------------------------------------------------------


@steady
@given(st.binary(max_size=300))
def test_the_crc_is_that_of_pymodbus(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


REQUEST_PAIRS: list[tuple[Request, ModbusPDU]] = [
    (ReadBits(1, 1, 2, 9), bit_message.ReadCoilsRequest(dev_id=1, address=2, count=9)),
    (ReadBits(1, 2, 0x200C, 1), bit_message.ReadDiscreteInputsRequest(dev_id=1, address=0x200C, count=1)),
    (
        ReadWords(7, 3, 0x9000, 15),
        register_message.ReadHoldingRegistersRequest(dev_id=7, address=0x9000, count=15),
    ),
    (
        ReadWords(1, 4, 0x3104, 1),
        register_message.ReadInputRegistersRequest(dev_id=1, address=0x3104, count=1),
    ),
    (WriteCoil(1, 2, 0xFF00), bit_message.WriteSingleCoilRequest(dev_id=1, address=2, bits=[True])),
    (WriteWord(1, 9, 77), register_message.WriteSingleRegisterRequest(dev_id=1, address=9, registers=[77])),
    (
        WriteCoils(4, 3, 10, b"\x05\x02"),
        bit_message.WriteMultipleCoilsRequest(
            dev_id=4, address=3, bits=[bool(0x205 >> i & 1) for i in range(10)]
        ),
    ),
    (
        WriteWords(1, 0x9013, (0x3035, 0x1300, 0x0F06)),
        register_message.WriteMultipleRegistersRequest(
            dev_id=1, address=0x9013, registers=[0x3035, 0x1300, 0x0F06]
        ),
    ),
    (IdentifyDevice(1, 1, 0), mei_message.ReadDeviceInformationRequest(read_code=1, object_id=0, dev_id=1)),
]


@pytest.mark.parametrize(("ours", "theirs"), REQUEST_PAIRS, ids=lambda part: type(part).__name__)
def test_requests_have_the_bytes_that_pymodbus_sends(ours: Request, theirs: ModbusPDU) -> None:
    assert ours.encode() == FramerRTU(DecodePDU(True)).buildFrame(theirs)


def pymodbus_reads(reply: Reply) -> ModbusPDU:
    raw = reply.encode()
    used, pdu = FramerRTU(DecodePDU(False)).handleFrame(raw, reply.unit, 0)
    assert used == len(raw)
    assert pdu is not None
    return pdu


def test_replies_say_to_pymodbus_what_they_say_to_us() -> None:
    assert pymodbus_reads(WordsReply(1, 4, (1296, 65535))).registers == [1296, 65535]
    assert pymodbus_reads(BitsReply(1, 1, (True, False, True))).bits[:3] == [True, False, True]
    write = pymodbus_reads(EchoReply(1, 0x10, 0x9013, 3))
    assert (write.address, write.count) == (0x9013, 3)
    assert pymodbus_reads(EchoReply(1, 0x05, 2, 0xFF00)).bits == [True]
    refusal = pymodbus_reads(ExceptionReply(1, 4, 2))
    assert (refusal.function_code, refusal.exception_code) == (0x84, 2)
    identity = pymodbus_reads(
        IdentificationReply(1, 1, ((0, b"EPsolar Tech co., Ltd"), (1, b"Tracer2215BN")))
    )
    assert identity.information == {0: b"EPsolar Tech co., Ltd", 1: b"Tracer2215BN"}  # type: ignore[attr-defined]
