"""Frames that only silence bounds: what is answered, what never is, and that an echo of our replies ends nothing."""

import time

import pytest

from modbus.codec.requests import Malformed, Request, seal
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from tests.peers import connected, hear, hears_nothing, own_address, read, told
from tests.snapshots import NEW, ZERO, Still
from tests.waiting import until

TRACER = Tracer(load_map("epever", TRACER_4210), Still(ZERO, NEW))


def sealed(body: str) -> bytes:
    return seal(bytes.fromhex(body))


@pytest.mark.parametrize(
    ("frame", "reply"),
    [
        ("01 10 90 01 00 01 04 00 64 00 64", "01 90 03"),  # a byte count of 4 for one register
        ("01 04 31 00 00", "01 84 03"),
        ("01 04 31 00 00 01 00", "01 84 03"),
        ("01 06", "01 86 03"),
        ("01 2b 0d 01 00", "01 ab 03"),
        ("01 0f 00 00 00 0a 03 ff ff ff", "01 8f 01"),  # no Tracer has function 0F
        ("01 84 02", "01 84 01"),
        ("01 00 00 00 00 01", "01 80 01"),
        ("01 ff", "01 ff 01"),
        ("01 07", "01 87 01"),
        ("02 10 90 01 00 01 04 00 64 00 64", ""),  # another unit's
        ("00 10 90 01 00 01 04 00 64 00 64", ""),  # a broadcast is never answered
    ],
)
def test_a_frame_between_silences_gets_exception_01_or_03_and_never_silence(frame, reply):
    with connected(TRACER.answer) as (line, sock):
        sock.sendall(sealed(frame))
        if reply:
            assert hear(sock, 5) == sealed(reply)
        else:
            assert until(lambda: line.stats.silent == 1)
        assert line.stats.junk_bytes == 0


def test_the_exception_comes_after_20_ms_of_silence_not_before():
    with connected(TRACER.answer) as (_, sock):
        frame = sealed("01 10 90 01 00 01 04 00 64 00 64")
        sock.sendall(frame)
        began_s = time.monotonic()
        assert hear(sock, 5) == sealed("01 90 03")
        assert time.monotonic() - began_s >= 0.019


def test_on_a_stream_without_silence_only_the_good_request_is_answered():
    with connected(TRACER.answer) as (line, sock):
        sock.sendall(sealed("01 10 90 01 00 01 04 00 64 00 64") + sealed("01 04 31 00 00 01"))
        assert hear(sock, 7)[:3] == b"\1\4\2"
        assert hears_nothing(sock)
        assert line.stats.junk_bytes == 13


def test_an_adapter_that_echoes_replies_is_not_answered_for_ever():
    """Our own reply between silences is a frame that makes no sense, with our id and a good CRC."""
    heard: list[Request] = []

    def answer(request: Request) -> bytes | None:
        heard.append(request)
        return own_address(request)

    with connected(answer) as (line, sock):
        for address in (0x3100, 0x3101):
            sock.sendall(read(address))
            reply = hear(sock, 7)
            assert reply == told(address)
            sock.sendall(reply)
            assert hears_nothing(sock, 0.15)
        sock.sendall(sealed("01 06 90 00 00 01"))
        refusal = hear(sock, 5)
        sock.sendall(refusal)
        assert hears_nothing(sock, 0.15)
        assert line.stats.junk_bytes == 7 + 7 + 5
    assert not any(isinstance(request, Malformed) for request in heard)
