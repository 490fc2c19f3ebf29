"""Serial ports: one that comes and goes as a USB adapter does, one at the far end of RFC 2217, one in use."""

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import serial
import serial.rfc2217

from modbus.codec.replies import WordsReply
from modbus.codec.requests import ReadWords
from modbus.line.endpoint import LinkError, PtyEndpoint, SerialEndpoint, dial
from modbus.line.link import FIRST_RETRY_S, Line
from modbus.line.pseudoterminal import PseudoTerminal
from modbus.line.serialport import open_port
from modbus.master.client import Master
from tests.peers import SCHEDULING_S, hear, own_address, read, told
from tests.test_pseudoterminal import hear as hear_fd
from tests.waiting import until

OLD_THREADING = "ignore:set(Daemon|Name):DeprecationWarning:serial.rfc2217"  # pyserial 3.5 calls them
BATTERY = ReadWords(1, 4, 0x3104, 1)


class Adapter:
    """A USB adapter: while it is plugged in, a terminal stands at its path; we hold the far end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.end = -1

    def plug_in(self) -> None:
        self.end, slave = os.openpty()
        self.path.symlink_to(os.ttyname(slave))
        self._slave = slave

    def let_go(self) -> None:
        """Leave the port to the line alone; only then does unplugging show there."""
        os.close(self._slave)

    def ask(self, address: int) -> bytes:
        os.write(self.end, read(address))
        return hear_fd(self.end, 7)

    def unplug(self) -> None:
        self.path.unlink()
        os.close(self.end)


@pytest.fixture
def adapter(tmp_path: Path) -> Adapter:
    return Adapter(tmp_path / "ttyUSB0")


def test_adapter_that_is_unplugged_and_plugged_in_again_is_found_again(adapter):
    said: list[str] = []
    endpoint = SerialEndpoint(str(adapter.path))
    with Line(endpoint, own_address, turnaround_s=0.0, log=said.append) as line:
        for turn in (1, 2):
            assert until(lambda turn=turn: sum("not there yet" in text for text in said) == turn)
            adapter.plug_in()
            plugged_s = time.monotonic()
            assert until(lambda turn=turn: line.stats.connects == turn)
            assert time.monotonic() - plugged_s < FIRST_RETRY_S + SCHEDULING_S
            adapter.let_go()
            assert adapter.ask(0x3104) == told(0x3104)
            adapter.unplug()
            assert until(lambda turn=turn: sum("the port is gone" in text for text in said) == turn)
    told_of = [text.removeprefix(f"{endpoint}: ").partition(",")[0] for text in said[:6]]
    assert told_of == 2 * ["not there yet", "connected", "the port is gone after 1 request"]


def test_every_byte_goes_through_a_port_unchanged(adapter):
    adapter.plug_in()
    with open_port(str(adapter.path), 115200) as port:
        os.write(adapter.end, bytes(range(256)))
        assert hear(port, 256) == bytes(range(256))
        port.sendall(bytes(range(256)))
        assert hear_fd(adapter.end, 256) == bytes(range(256))
    adapter.unplug()
    adapter.let_go()


@pytest.mark.parametrize("state", ["missing", "silent"])
def test_stop_ends_a_line_on_a_port_at_once(adapter, state):
    if state == "silent":
        adapter.plug_in()
    line = Line(SerialEndpoint(str(adapter.path)), own_address, log=lambda _: None).start()
    assert until(lambda: line.stats.connects == (state == "silent"))
    time.sleep(0.01)  # so that it waits for bytes
    began_s = time.monotonic()
    assert line.stop()
    assert time.monotonic() - began_s < SCHEDULING_S


def test_a_port_that_another_program_holds_is_told(adapter):
    adapter.plug_in()
    with (
        serial.Serial(str(adapter.path), exclusive=True),
        pytest.raises(LinkError, match=r"ttyUSB0:115200: cannot connect: another program is using the port"),
    ):
        Master(SerialEndpoint(str(adapter.path)))


@pytest.mark.parametrize(
    ("device", "number"), [("/nowhere/ttyUSB0", errno.ENOENT), ("/dev/null", errno.ENOTTY)]
)
def test_what_is_no_port_is_an_error_of_the_system(device, number):
    with pytest.raises(OSError, match=r".") as caught:
        dial(SerialEndpoint(device), timeout_s=1.0)
    assert caught.value.errno in (number, errno.EIO)


def test_our_master_reads_the_device_behind_a_pseudo_terminal_and_keeps_the_silence_between_frames(tmp_path):
    name = str(tmp_path / "uart2")
    with Line(PtyEndpoint(name), own_address, turnaround_s=0.0, log=lambda _: None):
        slow = SerialEndpoint(name, 1200)  # 3.5 characters of 11 bits take 32 ms
        with Master(slow) as master:
            began_s = time.monotonic()
            for _ in range(4):
                assert master.ask(BATTERY) == WordsReply(1, 4, (0x3104,))
            assert time.monotonic() - began_s >= 3 * 0.032


def test_our_master_makes_no_pseudo_terminal(tmp_path):
    with pytest.raises(LinkError, match=r"to open one that is there: serial:.*uart2"):
        Master(PtyEndpoint(str(tmp_path / "uart2")))


# --- RFC 2217 ---


class PortWithoutLines(serial.Serial):
    """A terminal has none of a modem's lines, which the server wants to tell of and to set."""

    cts = dsr = ri = cd = rts = dtr = False


@contextmanager
def far_port(device: str) -> Iterator[int]:
    """A serial port served by RFC 2217 to one client after another, made of pyserial's own server parts."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.02)

        def serve() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    client, _ = server.accept()
                    client.settimeout(0.005)
                    with client, PortWithoutLines(device, timeout=0) as port:
                        carry(client, port)

        def carry(client: socket.socket, port: PortWithoutLines) -> None:
            lock = threading.Lock()

            class Connection:
                def write(self, data: bytes) -> None:
                    with lock:
                        client.sendall(data)

            manager = serial.rfc2217.PortManager(port, Connection())
            while not ended.is_set():
                with suppress(TimeoutError):
                    data = client.recv(1024)
                    if not data:
                        return
                    port.write(b"".join(manager.filter(data)))
                if waiting := port.read(port.in_waiting):
                    client.sendall(b"".join(manager.escape(waiting)))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@pytest.mark.filterwarnings(OLD_THREADING)
def test_a_device_at_a_far_port_is_read_and_its_ff_bytes_survive_telnet(tmp_path):
    name = str(tmp_path / "uart2")
    with (
        Line(PtyEndpoint(name), own_address, turnaround_s=0.0, log=lambda _: None),
        far_port(name) as number,
    ):
        for _ in range(2):  # the far port serves one client: the first has to hang up
            with Master(SerialEndpoint(f"rfc2217://127.0.0.1:{number}")) as master:
                reply = master.ask(ReadWords(1, 4, 0xFFF8, 6), timeout_s=2.0)
            assert reply == WordsReply(1, 4, tuple(range(0xFFF8, 0xFFFE)))


@pytest.mark.filterwarnings(OLD_THREADING)
def test_a_line_serves_a_master_at_a_far_port_until_that_is_gone(tmp_path):
    terminal = PseudoTerminal(str(tmp_path / "far"))
    said: list[str] = []
    with closing(terminal), far_port(terminal.device) as number:
        endpoint = SerialEndpoint(f"rfc2217://127.0.0.1:{number}")
        with Line(endpoint, own_address, turnaround_s=0.0, log=said.append) as line:
            assert until(lambda: line.stats.connects == 1)
            with terminal.accept()[0] as master:
                master.sendall(read(0x3104))
                assert hear(master, 7) == told(0x3104)
        assert line.wait(1.0)


@pytest.mark.filterwarnings(OLD_THREADING)
def test_nobody_at_the_far_end_is_told_by_the_systems_word():
    with socket.create_server(("127.0.0.1", 0)) as gone:
        number = gone.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        dial(SerialEndpoint(f"rfc2217://127.0.0.1:{number}"), timeout_s=1.0)
