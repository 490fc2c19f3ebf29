"""Modbus/TCP: requests out of any stream of bytes, replies in their envelope, and the wrong protocol recognised."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU

from modbus.codec.envelope import begins_request, envelope, enveloped, opened
from modbus.codec.mbap import RTU, MbapParser
from modbus.codec.parser import TCP, Junk, Received, RequestParser
from modbus.codec.replies import ExceptionReply, WordsReply
from modbus.codec.requests import Malformed, ReadWords, Request, Unknown, WriteWord, WriteWords, seal
from tests.frames import POLL, POLL_BYTES, known_requests, requests, steady

word = st.integers(0, 0xFFFF)
BLOCK = bytes.fromhex("00 01 00 00 00 06 01 04 31 00 00 08")


def tcp(request: Request, transaction: int = 1) -> bytes:
    return envelope(transaction, request.encode())


def heard(events: list[Received | Junk]) -> list[tuple[int | None, Request]]:
    return [(event.transaction, event.request) for event in events if isinstance(event, Received)]


def all_bytes(events: list[Received | Junk]) -> bytes:
    return b"".join(
        event.data if isinstance(event, Junk) else envelope(event.transaction or 0, event.raw)
        for event in events
    )


def through(*pieces: bytes) -> list[Received | Junk]:
    parser = MbapParser()
    events = [event for piece in pieces for event in parser.feed(piece, 0.0)]
    events += parser.flush(1.0)
    assert parser.deadline_s is None
    return events


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(at), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


# --- requests ------------------------------------------------------------------------------------------------------


@steady
@given(st.lists(st.tuples(word, requests), max_size=4), st.data())
def test_requests_come_out_at_once_with_their_numbers_however_the_stream_is_cut(sent, data):
    stream = b"".join(tcp(request, transaction) for transaction, request in sent)
    parser = MbapParser()
    events = []
    for piece in cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=8))):
        events += parser.feed(piece, 0.0)
    assert heard(events) == sent
    assert parser.deadline_s is None


noise = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from((0, 1, 2, 4, 6, 0x10)), max_size=40).map(bytes),
    known_requests.flatmap(lambda request: st.integers(0, 12).map(lambda n: tcp(request)[n:])),
    known_requests.map(lambda request: request.encode()),
)


@steady
@given(st.lists(noise | requests.map(tcp), max_size=6), st.data())
def test_any_cut_of_any_stream_gives_the_same_events_and_every_byte_once(parts, data):
    stream = b"".join(parts)
    whole = through(stream)
    assert through(*(stream[i : i + 1] for i in range(len(stream)))) == whole
    assert through(*cut(stream, data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))) == whole
    assert all_bytes(whole) == stream


@steady
@given(st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"\1")), known_requests)
def test_a_good_request_is_heard_behind_noise_in_which_no_header_is(before, request):
    events = through(b"\xff" + before + b"\xff\xff\xff\xff\xff", tcp(request, 0xFFFF))
    assert heard(events) == [(0xFFFF, request)]


@steady
@given(st.lists(st.tuples(st.binary(max_size=700), st.booleans()), max_size=5))
def test_few_bytes_are_held_whatever_comes(pieces):
    parser, now_s, fed, out = MbapParser(), 0.0, b"", b""
    for piece, quiet_after in pieces:
        events = parser.feed(piece, now_s)
        if quiet_after:
            now_s += 2.0
            events += parser.flush(now_s)
        fed, out = fed + piece, out + all_bytes(events)
        assert fed.startswith(out)
        assert len(fed) - len(out) <= (0 if quiet_after else 515)
    assert out + all_bytes(parser.flush(now_s + 2.0)) == fed


@pytest.mark.parametrize(
    ("body", "request_"),
    [
        ("01 07", Unknown(1, 0x07, b"")),
        ("01 10 90 01 00 01 04 00 64 00 64", Malformed(1, 0x10, bytes.fromhex("90 01 00 01 04 00 64 00 64"))),
        ("01 04 31", Malformed(1, 0x04, b"\x31")),
        ("01 84", Malformed(1, 0x84, b"")),
    ],
)
def test_a_request_that_makes_no_sense_is_heard_as_such(body, request_):
    raw = seal(bytes.fromhex(body))
    assert through(envelope(7, raw)) == [Received(request_, raw, 0.0, 7)]


def test_a_frame_in_two_pieces_is_waited_for_and_given_up_after_a_second():
    parser = MbapParser()
    assert parser.feed(BLOCK[:5], 1.0) == []
    assert parser.deadline_s == 2.0
    assert heard(parser.feed(BLOCK[5:], 1.9)) == [(1, ReadWords(1, 4, 0x3100, 8))]
    assert parser.feed(BLOCK[:9], 3.0) == []
    assert parser.flush(3.9) == []
    assert parser.flush(4.0) == [Junk(BLOCK[:9], "no Modbus/TCP frame begins so")]
    assert heard(parser.feed(BLOCK, 5.0)) == [(1, ReadWords(1, 4, 0x3100, 8))]


# --- the wrong protocol -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [POLL, ReadWords(1, 3, 0x9000, 15), WriteWord(1, 0x9001, 200), WriteWords(1, 0x9013, (1, 2, 3))],
)
@pytest.mark.parametrize("transaction", [0, 1, 0x0010, 0x0F00, 0x1234, 0xFFFF])
def test_a_modbus_tcp_request_on_an_rtu_line_is_junk_that_says_so(request_, transaction):
    parser = RequestParser()
    data = tcp(request_, transaction)
    assert parser.feed(data, 0.0) + parser.flush(0.1) == [Junk(data, TCP)]


@pytest.mark.parametrize(
    "data",
    [
        "01 04 31 04 00 01 7e f8",  # a bad CRC
        "00 00 00 00 00 00 00 00 00 00 00 00",
        "00 01 00 00 00 06 01 04 31 00 00",  # cut off
        "00 01 00 01 00 06 01 04 31 00 00 08",  # another protocol
        "00 01 00 00 00 07 01 04 31 00 00 08 00 00",  # a length that is no read's
        "ff fb 01 ff fb 03",
    ],
)
def test_other_junk_is_not_taken_for_modbus_tcp(data):
    assert not begins_request(bytes.fromhex(data))


def test_an_rtu_request_on_a_modbus_tcp_link_is_junk_that_says_so():
    assert through(POLL_BYTES) == [Junk(POLL_BYTES, RTU)]


# --- replies ------------------------------------------------------------------------------------------------------


@steady
@given(word, st.lists(word, min_size=1, max_size=60))
def test_others_read_the_reply_in_its_envelope(transaction, words):
    frame = WordsReply(1, 4, tuple(words)).encode()
    data = envelope(transaction, frame)
    framer = FramerSocket(DecodePDU(is_server=False))
    used, unit, number, pdu = framer.decode(data)
    assert (used, unit, number, pdu) == (len(data), 1, transaction, frame[1:-2])
    assert opened(data + b"more") == (transaction, frame, len(data))
    assert opened(data[:-1]) is None


FRAME = WordsReply(1, 4, (1, 2, 3)).encode()
REFUSAL = ExceptionReply(1, 4, 2).encode()


@pytest.mark.parametrize(
    ("pieces", "leaving"),
    [
        ([FRAME], [envelope(9, FRAME)]),
        ([FRAME[:4], FRAME[4:]], [envelope(9, FRAME)[:10], envelope(9, FRAME)[10:]]),
        ([FRAME[:-1], FRAME[-1:]], [envelope(9, FRAME), b""]),
        ([FRAME[:5]], [envelope(9, FRAME)[:11]]),  # cut off: the length stays that of the whole
        ([FRAME, FRAME], [envelope(9, FRAME)] * 2),
        ([REFUSAL], [envelope(9, REFUSAL)]),
        ([REFUSAL[:3], REFUSAL[3:]], [envelope(9, REFUSAL), b""]),
        ([], []),
    ],
)
def test_what_faults_make_of_a_reply_leaves_in_envelopes(pieces, leaving):
    assert enveloped(9, FRAME, pieces) == leaving


def test_rtu_polls_faster_than_a_second_are_told_one_by_one():
    parser = MbapParser()
    assert parser.feed(POLL_BYTES, 0.0) == []
    assert parser.feed(POLL_BYTES, 0.5) == [Junk(POLL_BYTES, RTU)]
    assert parser.feed(POLL_BYTES, 1.0) == [Junk(POLL_BYTES, RTU)]
