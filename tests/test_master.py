"""The asking end: our own small master, the mock firmware, and masters that others wrote."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from modbus.codec.replies import BadReply, ExceptionReply, WordsReply
from modbus.codec.requests import ReadWords, Request, seal
from modbus.line.endpoint import LinkError, TcpEndpoint, UnixEndpoint
from modbus.line.link import Line
from modbus.master.client import Master, NoReplyError
from modbus.master.mock_firmware import POLLS, MockFirmware, PollRound

HERE = TcpEndpoint("127.0.0.1", 0, listens=True)
BATTERY = ReadWords(1, 4, 0x3104, 1)


def quiet(_: str) -> None:
    pass


def own_address(request: Request) -> bytes | None:
    """A device whose every register holds its own address; input registers only."""
    if request.unit != 1:
        return None
    if not isinstance(request, ReadWords) or request.function != 4:
        return ExceptionReply(1, request.function, 1).encode()
    return WordsReply(1, 4, tuple(range(request.address, request.address + request.count))).encode()


@contextmanager
def answering(sock: socket.socket, *replies: bytes) -> Iterator[list[bytes]]:
    """A device that says just these, one for each request; and what it was asked."""
    asked: list[bytes] = []

    def device() -> None:
        for reply in replies:
            asked.append(sock.recv(256))
            sock.sendall(reply)

    thread = threading.Thread(target=device)
    thread.start()
    yield asked
    thread.join(2)


@contextmanager
def scripted(*replies: bytes) -> Iterator[tuple[Master, list[bytes]]]:
    """A master at the end of a wire, and such a device at the other."""
    ours, theirs = socket.socketpair()
    with Master(ours) as master, theirs, answering(theirs, *replies) as asked:
        yield master, asked


@contextmanager
def asking(answer: Callable[[Request], bytes | None]) -> Iterator[tuple[Line, Master]]:
    """A line that listens, and a master that calls it."""
    with (
        Line(HERE, answer, log=quiet) as line,
        Master(TcpEndpoint("127.0.0.1", listening_port(line))) as master,
    ):
        yield line, master


def listening_port(line: Line) -> int:
    assert isinstance(line.endpoint, TcpEndpoint)
    return line.endpoint.port


# --- the master ---


def test_master_and_line_meet_in_either_direction(tmp_path: Path) -> None:
    with asking(own_address) as (_, master):
        assert master.ask(BATTERY) == WordsReply(1, 4, (0x3104,))
    path = str(tmp_path / "uart2.sock")
    with (
        Line(UnixEndpoint(path), own_address, log=quiet),
        Master(UnixEndpoint(path, listens=True), connect_timeout_s=2) as master,
    ):
        assert master.ask(BATTERY) == WordsReply(1, 4, (0x3104,))


def test_exception_is_a_reply() -> None:
    with asking(own_address) as (_, master):
        assert master.ask(ReadWords(1, 3, 0x9000, 1)) == ExceptionReply(1, 3, 1)


def test_silence_is_told_with_what_was_asked() -> None:
    with asking(own_address) as (line, master):
        with pytest.raises(
            NoReplyError, match=r"no reply to 'read 1 .* \(unit 2\)' within 0\.05 s in 2 tries"
        ):
            master.ask(ReadWords(2, 4, 0x3104, 1), timeout_s=0.05, retries=1)
        assert line.stats.silent == 2


def test_damaged_reply_is_asked_for_again() -> None:
    good = WordsReply(1, 4, (1350,)).encode()
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    with scripted(damaged, good) as (master, asked):
        assert master.ask(BATTERY, timeout_s=0.5, retries=1) == WordsReply(1, 4, (1350,))
        assert asked == 2 * [BATTERY.encode()]


def test_reply_that_stays_damaged_says_what_was_wrong() -> None:
    with scripted(b"\x01\x04\x02\x05\x46\x00\x00") as (master, _), pytest.raises(BadReply, match="got"):
        master.ask(BATTERY, timeout_s=0.5)


def test_late_reply_is_not_taken_for_the_next_ones() -> None:
    ours, theirs = socket.socketpair()
    with Master(ours) as master, theirs:
        with pytest.raises(NoReplyError):
            master.ask(BATTERY, timeout_s=0.01)
        assert theirs.recv(256) == BATTERY.encode()
        theirs.sendall(WordsReply(1, 4, (1,)).encode())
        with answering(theirs, WordsReply(1, 4, (2,)).encode()):
            assert master.ask(BATTERY) == WordsReply(1, 4, (2,))


def test_connection_that_ends_is_a_link_error() -> None:
    ours, theirs = socket.socketpair()
    with Master(ours) as master:
        theirs.close()
        with pytest.raises(LinkError, match=r"closed|lost"):
            master.ask(BATTERY)


def test_nobody_there_is_a_link_error() -> None:
    with MockFirmware() as gone:
        endpoint = gone.endpoint
    with pytest.raises(LinkError, match="cannot connect"):
        Master(endpoint)
    with pytest.raises(LinkError, match="no device dialled within"):
        Master(HERE, connect_timeout_s=0.02)


# --- the mock firmware ---


def device_with(words: dict[int, int]) -> Callable[[Request], bytes | None]:
    """A device with these input registers; any other is 0."""

    def answer(request: Request) -> bytes | None:
        assert isinstance(request, ReadWords)
        asked = range(request.address, request.address + request.count)
        return WordsReply(1, 4, tuple(words.get(address, 0) for address in asked)).encode()

    return answer


def test_mock_firmware_reads_what_the_firmware_reads() -> None:
    # PV 18.44 V 4.41 A and so on are what firmware in QEMU saw from the script that TracerTwin replaces
    words = {
        0x3100: 1844, 0x3101: 441, 0x3104: 1350, 0x310C: 1340, 0x310D: 200, 0x310E: 2680,
        0x3110: 0x10000 - 520, 0x311A: 75, 0x3200: 1 << 2, 0x3300: 150, 0x3302: 12000, 0x3304: 80,
        0x3306: 8500, 0x3307: 1, 0x200C: 8,
    }  # fmt: skip
    with MockFirmware(period_s=0) as firmware, Line(firmware.endpoint, device_with(words), log=quiet):
        assert next(firmware.rounds()) == PollRound(
            v_pv_v=18.44, i_pv_a=4.41, v_batt_v=13.5, v_load_v=13.4, i_load_a=2.0, p_load_w=26.8,
            t_batt_c=-5.2, soc=0.75, stage=1, generated_today_kwh=1.5, generated_total_kwh=120.0,
            consumed_today_kwh=0.8, consumed_total_kwh=740.36, day=1,
        )  # fmt: skip


def test_mock_firmware_serves_the_next_client_after_one_has_left() -> None:
    with MockFirmware(period_s=0) as firmware:
        rounds = firmware.rounds()
        for soc in (40, 60):
            with Line(firmware.endpoint, device_with({0x311A: soc}), log=quiet):
                # the first client may be noticed gone only after one more round was begun
                assert soc / 100 in [next(rounds).soc for _ in range(2)]


def test_poll_without_an_answer_reads_none_and_the_others_go_on() -> None:
    def deaf_to_soc(request: Request) -> bytes | None:
        return None if isinstance(request, ReadWords) and request.address == 0x311A else own_address(request)

    with (
        MockFirmware(period_s=0, timeout_s=0.05) as firmware,
        Line(firmware.endpoint, deaf_to_soc, turnaround_s=0.0, log=quiet) as line,
    ):
        readings = next(firmware.rounds())
        assert line.stats.requests == {4: len(POLLS)}
    assert readings.soc is None
    assert readings.v_batt_v == 0x3104 / 100


def test_mock_firmware_ends_when_told_from_another_thread() -> None:
    with MockFirmware() as firmware:
        thread = threading.Thread(target=list, args=(firmware.rounds(),))
        thread.start()
        firmware.stop()
        thread.join(1)
        assert not thread.is_alive()


# --- masters that others wrote ---


def test_pymodbus_reads_over_a_listening_line() -> None:
    with Line(HERE, own_address, log=quiet) as line:
        client = ModbusTcpClient("127.0.0.1", port=listening_port(line), framer=FramerType.RTU, timeout=1)
        assert client.connect()
        try:
            assert client.read_input_registers(0x3100, count=18).registers == list(range(0x3100, 0x3112))
            assert client.read_holding_registers(0x9000, count=1).exception_code == 1
        finally:
            client.close()
    assert line.stats.bad_frames == line.stats.junk_bytes == 0


def test_noise_from_a_plain_socket_leaves_the_line_usable_for_the_next_master() -> None:
    with Line(HERE, own_address, log=quiet) as line:
        with socket.create_connection(("127.0.0.1", listening_port(line)), timeout=2) as sock:
            sock.sendall(seal(b"\x01\x04\x31")[:-1] + bytes(range(256)))
        with Master(TcpEndpoint("127.0.0.1", listening_port(line))) as master:
            assert master.ask(BATTERY, retries=1) == WordsReply(1, 4, (0x3104,))
