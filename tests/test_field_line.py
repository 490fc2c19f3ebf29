"""What users of the line ran into, reported in public, with the right answer: the frames as they were reported.

Rows of the device's own behaviour are in the tests of writes, clock and models.
"""

import socket
import time

import pytest

from modbus.codec.requests import seal
from modbus.device.tracer import Tracer, WriteRefusal
from modbus.line.link import Line
from modbus.map.registers import TRACER_4210, load_map
from tests.peers import HERE, hears_nothing
from tests.snapshots import NEW, ZERO, Still
from tests.waiting import until

EPEVER = load_map("epever", TRACER_4210)
USER = NEW._replace(battery_type=0, system_code=1)


def frame(text: str) -> bytes:
    return seal(bytes.fromhex(text))


class Bench:
    """A Tracer on a listening line, its masters, what the line said and what was refused."""

    def __init__(self, settings=NEW) -> None:
        self.said: list[str] = []
        self.refused: list[WriteRefusal] = []
        tracer = Tracer(EPEVER, Still(ZERO, settings), refused=self.refused.append)
        self.line = Line(
            HERE,
            tracer.answer,
            turnaround_s=0.0,
            stale_s=0.3,
            log=self.said.append,
            units=lambda: [tracer.unit],
        )

    def __enter__(self):
        self.line.start()
        return self

    def __exit__(self, *_):
        self.line.stop()

    def call(self):
        return socket.create_connection(("127.0.0.1", self.line.endpoint.port), 5)

    def says(self, words: str) -> int:
        return sum(words in text for text in self.said)


def ask(sock, data: bytes, size: int = 64) -> bytes:
    sock.sendall(data)
    return sock.recv(size)


def test_one_of_the_twelve_voltages_alone_gets_the_recorded_bytes():
    with Bench(USER) as bench, bench.call() as sock:
        assert ask(sock, frame("01 10 90 09 00 01 02 05 32")) == bytes.fromhex("01 90 04 4d c3")
        assert "one frame with all of 0x9003..0x900E" in bench.refused[0].why


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            "01 10 90 03 00 0c 18 05 dc 05 8c 05 8c 05 bf 05 be 05 50 05 28 04 c4 04 b0 04 ba 04 ba 04 ba",
            "charging_limit_v 14.20 V is below equalize_v 14.71 V",  # the cookbook of a home automation system
        ),
        (
            "01 10 90 03 00 0c 18 05 dc 05 b4 05 50 05 78 05 96 05 64 05 32 04 d8 04 b0 04 88 04 38 04 60",
            "low_voltage_disconnect_v 10.80 V is below discharging_limit_v 11.20 V",  # an owner of a 4210N
        ),
    ],
)
def test_reported_settings_in_the_wrong_order_are_refused_with_the_rule(words, why):
    with Bench(USER) as bench, bench.call() as sock:
        assert ask(sock, frame(words)) == frame("01 90 04")
        assert why in bench.refused[0].why


def test_a_client_of_modbus_tcp_is_told_which_protocol_to_choose():
    with Bench() as bench, bench.call() as sock:
        for _ in range(3):
            sock.sendall(bytes.fromhex("00 01 00 00 00 06 01 04 31 00 00 08"))
            assert hears_nothing(sock, 0.15)
        assert until(lambda: bench.says("choose RTU over TCP") == 1)
        assert bench.says("bad CRC") == 0


def test_a_second_master_is_answered_the_newest_poll_and_told_of():
    poll = frame("01 04 31 00 00 01")
    with Bench() as bench, bench.call() as first:
        assert len(ask(first, poll)) == 7
        with bench.call() as second:
            for _ in range(3):
                second.sendall(poll)
                time.sleep(0.15)
            assert bench.says("another master waits") == 1
            first.close()
            assert len(second.recv(64)) == 7
            assert hears_nothing(second, 0.15)


def test_polls_for_unit_16_are_left_in_silence_and_said_to_be_for_unit_16():
    with Bench() as bench, bench.call() as sock:
        for _ in range(5):
            sock.sendall(frame("10 04 31 00 00 01"))
            assert hears_nothing(sock)
        assert bench.says("requests are for unit 16; this is unit 1") == 1


def test_a_write_with_a_false_byte_count_between_silences_gets_exception_03():
    with Bench() as bench, bench.call() as sock:
        assert ask(sock, frame("01 10 90 01 00 01 04 00 64 00 64")) == frame("01 90 03")
        assert bench.refused[0].why == "its length or byte count makes no sense"
