"""How fast bytes leave: in pieces for emulators that record, as on a wire, and half-duplex."""

import math
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from modbus.codec.requests import ReadWords
from modbus.line.conversation import Answer, Burst, Transmission
from modbus.line.faults.striking import Faults, FaultyLine
from modbus.line.link import Line
from modbus.line.pacing import Pace, parse_pace
from tests.frames import steady
from tests.peers import HERE, own_address
from tests.waiting import until

BLOCK = ReadWords(1, 4, 0x3100, 20)  # 45 bytes of reply
REPLY = own_address(BLOCK)
assert REPLY is not None

paces = st.builds(Pace, st.integers(1, 300), st.floats(1e-4, 1.0), st.just(0.0)) | st.integers(
    300, 4_000_000
).map(lambda baud: parse_pace(str(baud)))
bursts = st.lists(st.builds(Burst, st.floats(0.0, 2.0), st.binary(min_size=1, max_size=300)), max_size=4)


# --- as numbers ---


@pytest.mark.parametrize(
    ("text", "pace"),
    [
        ("8/2ms", Pace(8, 0.002)),
        ("1/500ms", Pace(1, 0.5)),
        ("9600", Pace(1, 0.0, 10 / 9600)),
        ("19200", Pace(2, 0.0, 10 / 19200)),
        ("115200", Pace(12, 0.0, 10 / 115200)),
    ],
)
def test_a_pace_is_bytes_and_a_gap_or_a_baud_rate(text, pace):
    assert parse_pace(text) == pace


@pytest.mark.parametrize(
    "text", ["", "8", "8/", "/2ms", "0/2ms", "8/0", "8/2parsecs", "5000000", "9600.0", "-9600", "8/2h"]
)
def test_what_is_no_pace_is_told_with_what_would_do(text):
    with pytest.raises(ValueError, match=r"write 8/2ms|baud rate must lie|write 5ms, 10s"):
        parse_pace(text)


def test_pieces_of_eight_each_two_milliseconds():
    assert list(Pace(8, 0.002).bursts(Burst(0.5, bytes(20)))) == [
        Burst(0.5, bytes(8)), Burst(0.002, bytes(8)), Burst(0.002, bytes(4)),
    ]  # fmt: skip


@steady
@given(bursts, paces)
def test_bytes_and_gaps_of_a_faulty_reply_are_kept(bursts, pace):
    """Pieces of at most the size; what was silence stays so, and the rest of the time the line is driven."""
    paced = pace.paced(Transmission(b"", tuple(bursts)))
    assert isinstance(paced, Transmission)
    assert b"".join(piece.data for piece in paced.bursts) == b"".join(burst.data for burst in bursts)
    assert all(0 < len(piece.data) <= pace.size for piece in paced.bursts)
    assert all(0.0 <= piece.driven_s <= piece.after_s + 1e-12 for piece in paced.bursts)
    silent_s = sum(piece.after_s - piece.driven_s for piece in paced.bursts)
    own_s = pace.gap_s * (len(paced.bursts) - len(bursts))
    assert silent_s == pytest.approx(own_s + sum(burst.after_s for burst in bursts))


@steady
@given(st.binary(min_size=1, max_size=300), st.integers(300, 4_000_000))
def test_at_a_baud_rate_a_reply_takes_ten_bits_a_byte(data, baud):
    paced = parse_pace(str(baud)).paced(data)
    assert isinstance(paced, Transmission)
    assert sum(piece.after_s for piece in paced.bursts) == pytest.approx(10 * len(data) / baud)
    assert all(piece.after_s >= 0.001 for piece in paced.bursts[:-1])
    assert paced.frame == data


def test_silence_is_not_paced():
    assert Pace(8, 0.002).paced(None) is None


# --- on a link ---


@contextmanager
def paced(pace: str, answer: Answer = own_address, **options: bool) -> Iterator[tuple[Line, socket.socket]]:
    with (
        Line(HERE, parse_pace(pace).after(answer), turnaround_s=0.0, log=lambda _: None, **options) as line,
        socket.create_connection(("127.0.0.1", line.endpoint.port)) as sock,
    ):
        sock.settimeout(5.0)
        yield line, sock


def pieces(sock: socket.socket, size: int) -> list[tuple[float, bytes]]:
    """What comes and when, since now [s]."""
    began_s = time.monotonic()
    found: list[tuple[float, bytes]] = []
    while sum(len(data) for _, data in found) < size:
        data = sock.recv(4096)
        found.append((time.monotonic() - began_s, data))
    return found


def test_a_reply_comes_in_pieces_that_keep_their_distance():
    with paced("8/20ms") as (_, sock):
        sock.sendall(BLOCK.encode())
        came = pieces(sock, len(REPLY))
    assert b"".join(data for _, data in came) == REPLY
    assert [len(data) for _, data in came] == [8, 8, 8, 8, 8, 5]
    assert came[-1][0] >= 5 * 0.02
    assert sorted(later - earlier for (earlier, _), (later, _) in pairwise(came))[2] == pytest.approx(
        0.02, abs=0.01
    )


def test_a_reply_at_9600_baud_takes_its_time():
    """45 bytes: 46.9 ms. The quickest of a few, of more on a busy host; a piece that is late delays no other."""
    wire_s = len(REPLY) * 10 / 9600
    took = [math.inf]
    with paced("9600") as (_, sock):
        while len(took) <= 5 or (min(took) >= 1.05 * wire_s and len(took) <= 60):
            began_s = time.monotonic()
            sock.sendall(BLOCK.encode())
            pieces(sock, len(REPLY))
            took.append(time.monotonic() - began_s)
    assert wire_s <= min(took) < 1.05 * wire_s


def test_an_independent_master_reads_a_paced_reply():
    with (
        Line(HERE, parse_pace("9600").after(own_address), turnaround_s=0.0, log=lambda _: None) as line,
        closing(
            ModbusTcpClient("127.0.0.1", port=line.endpoint.port, framer=FramerType.RTU, timeout=2, retries=0)
        ) as client,
    ):
        assert client.connect()
        for _ in range(3):
            reply = client.read_input_registers(0x3100, count=20, device_id=1)
            assert reply.registers == list(range(0x3100, 0x3114))


def test_pacing_comes_after_the_faults():
    faults = Faults(1, "UTC")
    faults.set("noise_before:1:count=9")
    bent = FaultyLine(faults, 0, own_address, lambda: 0.0)
    with paced("8/10ms", bent.answer) as (_, sock):
        sock.sendall(ReadWords(1, 4, 1, 1).encode())
        came = pieces(sock, 16)
    assert [len(data) for _, data in came] == [8, 8]


# --- half-duplex ---


def late_request(delay_s: float, **options: bool) -> tuple[int, int, int]:
    """A request so long after another whose reply takes 188 ms: replies, requests heard, bytes lost."""
    with paced("2400", **options) as (line, sock):
        sock.sendall(BLOCK.encode())
        time.sleep(delay_s)
        sock.sendall(BLOCK.encode())
        assert until(lambda: line.stats.bytes_in == 16)
        time.sleep(0.5)
        stats = line.stats
    return stats.replies, sum(stats.requests.values()), stats.lost_bytes


def test_half_duplex_loses_what_comes_while_it_sends():
    assert late_request(0.06, half_duplex=True) == (1, 1, 8)


def test_half_duplex_hears_what_comes_when_it_has_sent():
    assert late_request(0.4, half_duplex=True) == (2, 2, 0)


def test_full_duplex_hears_all():
    assert late_request(0.06) == (2, 2, 0)


def test_half_duplex_hears_what_comes_while_a_slow_reply_is_waited_for():
    """The driver isn't on yet; the reply to the second follows."""
    faults = Faults(1, "UTC")
    faults.set("delay:1:by=300ms")
    bent = FaultyLine(faults, 0, own_address, lambda: 0.0)
    with paced("9600", bent.answer, half_duplex=True) as (line, sock):
        sock.sendall(ReadWords(1, 4, 1, 1).encode())
        time.sleep(0.05)
        sock.sendall(ReadWords(1, 4, 2, 1).encode())
        pieces(sock, 14)
        assert (line.stats.replies, line.stats.lost_bytes) == (2, 0)


def test_half_a_request_that_is_lost_is_junk_once_the_next_one_comes():
    with paced("2400", half_duplex=True) as (line, sock):
        sock.sendall(BLOCK.encode())
        time.sleep(0.06)
        sock.sendall(BLOCK.encode()[:5])
        pieces(sock, len(REPLY))
        sock.sendall(BLOCK.encode()[5:] + BLOCK.encode())
        pieces(sock, len(REPLY))
        stats = line.stats
    assert (stats.replies, stats.lost_bytes, stats.junk_bytes) == (2, 5, 3)
