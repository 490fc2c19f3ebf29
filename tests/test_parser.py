"""Requests out of any stream of bytes, each where it is and none where it is not."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from modbus.codec.parser import Junk, Received, RequestParser
from modbus.codec.requests import (
    IdentifyDevice,
    Malformed,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWords,
    crc16,
    seal,
)
from tests.frames import ANSWERED, KNOWN, POLL, POLL_BYTES, Exchange, known_requests, requests, steady, word

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
@given(requests)
def test_a_request_comes_with_its_bytes_and_the_time_of_its_last(request: Request) -> None:
    raw = request.encode()
    parser = RequestParser()
    assert parser.feed(raw[:-1], 1.0) == []
    assert parser.feed(raw[-1:], 1.05) + parser.flush(2.0) == [Received(request, raw, 1.05)]


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
@given(st.sampled_from((b"", b"\x01", bytes(257), POLL_BYTES)), requests, noise, st.data())
def test_a_request_in_one_piece_leaves_the_parser_as_the_same_request_in_two(
    before: bytes, request: Request, behind: bytes, data: st.DataObject
) -> None:
    raw = request.encode()
    where = data.draw(st.integers(1, len(raw) - 1))
    next_in_order = Unknown(1, 0x07, b"").encode()
    events = []
    for pieces in ([raw], [raw[:where], raw[where:]]):
        parser = RequestParser()
        stream = (before, *pieces, next_in_order, behind)
        events.append([event for piece in stream for event in parser.feed(piece, 0.0)] + parser.flush(0.1))
    assert events[0] == events[1]


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
        Junk(b"boot: ok\r\n", "not the beginning of a request"),
        Received(POLL, POLL_BYTES, 3.0),
    ]


def test_a_request_in_two_pieces_48_ms_apart_is_heard_when_complete() -> None:
    """What QEMU's default socket makes of every request."""
    parser = RequestParser()
    assert parser.feed(POLL_BYTES[:1], 10.0) == []
    assert parser.deadline_s == pytest.approx(10.1)
    assert parser.flush(10.048) == []
    assert parser.feed(POLL_BYTES[1:], 10.048) == [Received(POLL, POLL_BYTES, 10.048)]


def test_a_request_without_its_last_byte_takes_it_from_the_next_if_that_is_its_unit() -> None:
    """Nothing can tell this: the first is whole, and what is left of the second is no request."""
    taken, spared = (ReadWords(unit, 0x04, 0x3200, 1) for unit in (POLL_BYTES[-1], POLL_BYTES[-1] - 1))
    assert heard(through(POLL_BYTES[:-1], taken.encode())) == [POLL]
    assert heard(through(POLL_BYTES[:-1], spared.encode())) == [spared]


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
        ("ff fb 01 ff fb 03", "not the beginning of a request"),
    ],
)
def test_junk_says_why(data: str, why: str) -> None:
    assert through(bytes.fromhex(data)) == [Junk(bytes.fromhex(data), why, bad_crc=why.startswith("bad CRC"))]


def test_work_on_a_megabyte_of_noise_is_proportional_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summed = 0

    def counting(data: bytes, start: int = 0xFFFF) -> int:
        nonlocal summed
        summed += len(data)
        return crc16(data, start)

    monkeypatch.setattr("modbus.codec.parser.crc16", counting)
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


# --- frames that only silence bounds ------------------------------------------------------------------------


NONSENSE = [
    "01 10 90 01 00 01 04 00 64 00 64",  # a byte count of 4 for one register
    "01 10 90 01 00 01 02 00",  # fewer bytes than it counts
    "01 0f 00 00 00 0a 03 ff ff ff",
    "01 04 31 00 00",
    "01 04 31 00 00 01 00",
    "01 06",
    "01 2b 0d 01 00",  # MEI type 0D
    "f8 45 00 01 02 05",
    "f8 45 00 02 01 05",
    "01 84 02",  # an exception reply
    "01 00 00 00 00 01",
    "01 ff",
]


@pytest.mark.parametrize("body", NONSENSE)
def test_a_frame_between_silences_whose_form_makes_no_sense_is_heard_as_such_after_20_ms(body: str) -> None:
    raw = seal(bytes.fromhex(body))
    parser = RequestParser()
    assert parser.feed(raw[:3], 5.0) == []
    assert parser.feed(raw[3:], 5.01) == []
    assert parser.deadline_s == pytest.approx(5.03)
    assert parser.flush(5.029) == []
    malformed = Malformed(raw[0], raw[1], raw[2:-2])
    assert parser.flush(5.03) == [Received(malformed, raw, 5.01)]
    assert parser.deadline_s is None
    assert parser.feed(POLL_BYTES, 5.04) == [Received(POLL, POLL_BYTES, 5.04)]


@pytest.mark.parametrize("body", NONSENSE)
def test_without_silence_such_a_frame_is_junk(body: str) -> None:
    raw = seal(bytes.fromhex(body))
    for pieces in ((raw + POLL_BYTES,), (raw, POLL_BYTES)):
        events = through(*pieces)
        assert heard(events) == [POLL]
        assert junk(events) == raw
    assert heard(through(b"\x55" + raw)) == []
    assert heard(through(raw + b"\x55")) == []


@pytest.mark.parametrize("body", NONSENSE)
def test_such_a_frame_straight_behind_a_good_one_is_heard_when_silence_follows(body: str) -> None:
    raw = seal(bytes.fromhex(body))
    assert heard(through(POLL_BYTES + raw)) == [POLL, Malformed(raw[0], raw[1], raw[2:-2])]


def test_a_piece_of_a_request_waits_for_its_rest_as_long_as_ever() -> None:
    """Its bytes have no good CRC, so they are not bounded by 20 ms of silence."""
    raw = WriteWords(1, 0x9013, (1, 2, 3)).encode()
    for size in range(1, len(raw)):
        parser = RequestParser()
        parser.feed(raw[:size], 1.0)
        assert parser.deadline_s == pytest.approx(1.1)
        assert parser.flush(1.05) == []
        assert heard(parser.feed(raw[size:], 1.05)) == [WriteWords(1, 0x9013, (1, 2, 3))]


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
        UnitIdRequest(0xF8, 0),
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
    """Nor do they keep the next poll from being heard. The reply to 05 is the request: nothing can tell. Between
    silences they are frames that make no sense; the unit whose id they have is the one that sent them.
    """
    echo = heard(through(exchange.request)) if exchange.reply == exchange.request else []
    alone = heard(through(exchange.reply))
    assert [request for request in alone if not isinstance(request, Malformed)] == echo
    assert heard(through(exchange.reply, POLL_BYTES)) == [*echo, POLL]
