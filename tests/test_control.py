"""The side door of a running rig: commands come in as lines, from anybody who can open a socket."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modbus.line.endpoint import LinkError, TcpEndpoint, parse_endpoint
from tests.waiting import until
from tracertwin.rig.control import MOST_CLIENTS, Control
from tracertwin.rig.tell import LONGEST_LINE, tell


class Desk:
    """Notes what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def do(self, text: str) -> str:
        self.told.append(text)
        if text == "stumble":
            raise ZeroDivisionError("oops")
        if text.startswith("bad"):
            raise ValueError("that won't do")
        return "two\nlines" if text == "tell" else ""


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def control(desk) -> Iterator[Control]:
    control = Control(parse_endpoint("listen:127.0.0.1:0"), desk.do).start()
    yield control
    control.stop()


def address(control: Control) -> tuple[str, int]:
    assert isinstance(control.endpoint, TcpEndpoint)
    return control.endpoint.host, control.endpoint.port


def caller(control: Control) -> TcpEndpoint:
    return TcpEndpoint(*address(control))


def reader(sock: socket.socket) -> Callable[[], str]:
    file = sock.makefile()
    return lambda: file.readline().rstrip("\n")


def test_a_command_is_done_and_what_it_tells_is_told(control, desk):
    assert tell(caller(control), "pause") == ""
    assert tell(caller(control), "tell") == "two\nlines"
    assert desk.told == ["help", "pause", "help", "tell"]


def test_a_wrong_command_is_refused_in_its_own_words(control):
    with pytest.raises(LinkError, match=r"^that won't do$"):
        tell(caller(control), "bad idea")


def test_a_bug_is_told_and_the_next_command_is_taken(control):
    with pytest.raises(LinkError, match=r"bug: ZeroDivisionError\('oops'\)"):
        tell(caller(control), "stumble")
    assert tell(caller(control), "pause") == ""


def test_a_person_with_netcat_says_several_lines_on_one_connection(control, desk):
    with socket.create_connection(address(control)) as sock:
        line = reader(sock)
        sock.sendall(b"pause\r\n\n  tell\nbad\n")
        assert [line() for _ in range(5)] == ["ok", "two", "lines", "ok", "error: that won't do"]
    assert desk.told == ["pause", "tell", "bad"]


def test_a_command_may_come_in_pieces_and_in_no_known_alphabet(control, desk):
    with socket.create_connection(address(control)) as sock:
        line = reader(sock)
        for byte in b"ba\xff\xfed\n":
            sock.sendall(bytes([byte]))
        assert line() == "ok"
    assert desk.told == ["ba\ufffd\ufffdd"]


def test_an_endless_line_ends_the_connection_and_not_the_control(control):
    with socket.create_connection(address(control)) as sock:
        sock.settimeout(2)
        sock.sendall(b"x" * 2 * LONGEST_LINE)
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert tell(caller(control), "pause") == ""


def test_a_client_that_says_nothing_keeps_nobody_waiting(control):
    with socket.create_connection(address(control)):
        assert tell(caller(control), "tell") == "two\nlines"


def test_more_clients_than_places_are_turned_away_until_one_goes(control):
    held = [socket.create_connection(address(control)) for _ in range(MOST_CLIENTS)]
    assert until(lambda: control._places._value == 0)
    with pytest.raises(LinkError, match="already 8 clients connected"):
        tell(caller(control), "pause")
    for sock in held:
        sock.close()
    assert until(lambda: control._places._value == MOST_CLIENTS)
    assert tell(caller(control), "pause") == ""


def test_stop_hangs_up_and_leaves_nothing_behind(desk, tmp_path):
    path = tmp_path / "ctl"
    control = Control(parse_endpoint(f"unix-listen:{path}"), desk.do).start()
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    assert until(lambda: bool(control._clients))
    control.stop()
    assert sock.recv(1) == b""
    sock.close()
    assert list(Path(tmp_path).iterdir()) == []
    assert until(lambda: not any(t.name.startswith("control") for t in threading.enumerate()))


def test_who_ends_the_run_hears_that_it_was_done(tmp_path):
    """The control is closed by the very command that it has not answered yet."""
    over = threading.Event()

    def do(command: str) -> str:
        if command == "end":
            over.set()
            time.sleep(0.05)
        return ""

    control = Control(parse_endpoint(f"unix-listen:{tmp_path / 'ctl'}"), do).start()
    closing = threading.Thread(target=lambda: over.wait() and control.stop())
    closing.start()
    assert tell(parse_endpoint(f"unix:{tmp_path / 'ctl'}"), "end") == ""
    closing.join()


@pytest.mark.parametrize("link", ["dial:127.0.0.1:1", "pty:x", "serial:/dev/ttyUSB0", "unix:x"])
def test_commands_are_taken_at_a_socket_that_listens(desk, link):
    with pytest.raises(LinkError, match=r"commands are accepted on listen:HOST:PORT or unix-listen:PATH"):
        Control(parse_endpoint(link), desk.do)


@pytest.mark.parametrize(
    ("link", "complaint"),
    [
        ("dial:127.0.0.1:1", r"Connection refused; is serve --control there\?"),
        ("unix:/nowhere/at/all", r"No such file.*; is serve --control there\?"),
        ("listen:127.0.0.1:0", "commands are sent to dial:HOST:PORT or unix:PATH"),
    ],
)
def test_telling_nobody_says_so(link, complaint):
    with pytest.raises(LinkError, match=complaint):
        tell(parse_endpoint(link), "pause")


def test_who_takes_no_commands_is_not_waited_for():
    """A line's own port, say, where only requests are answered."""
    why = r"no answer within 0\.1 s; is serve --control there\?"
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(LinkError, match=why):
        tell(TcpEndpoint("127.0.0.1", silent.getsockname()[1]), "pause", timeout_s=0.1)


@pytest.mark.parametrize(
    ("command", "why"), [(" ", "give a command"), ("show " + "soc " * 1100, "shorter than 4,096")]
)
def test_a_command_that_would_get_no_answer_is_not_sent(control, desk, command, why):
    with pytest.raises(LinkError, match=why):
        tell(caller(control), command)
    assert desk.told == []
