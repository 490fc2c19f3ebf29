"""The pseudo-terminal: clients come and go by a name in the file system, and every byte goes through."""

import os
import select
import termios
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from modbus.line.endpoint import LinkError, PtyEndpoint
from modbus.line.link import Line
from modbus.line.pseudoterminal import PseudoTerminal
from tests.peers import SCHEDULING_S, own_address, read, told
from tests.waiting import until

ALL_BYTES = bytes(range(256))


@pytest.fixture
def name(tmp_path: Path) -> str:
    return str(tmp_path / "uart2")


@contextmanager
def client(name: str) -> Iterator[int]:
    """A program that opens the terminal and sets nothing; whoever made it has to make it raw."""
    fd = os.open(name, os.O_RDWR | os.O_NOCTTY)
    try:
        yield fd
    finally:
        os.close(fd)


def hear(fd: int, count: int, within_s: float = 2.0) -> bytes:
    """So many bytes, or what came within the time."""
    data = b""
    while len(data) < count and select.select((fd,), (), (), within_s)[0]:
        data += os.read(fd, count - len(data))
    return data


def quiet(_: str) -> None:
    pass


def served(name: str, log: Callable[[str], None] = quiet, once: bool = False) -> Line:
    return Line(PtyEndpoint(name), own_address, turnaround_s=0.0, log=log, once=once)


# --- bytes ---


def test_every_byte_goes_through_both_ways_unchanged_and_none_comes_back(name):
    terminal = PseudoTerminal(name)
    with client(name) as there:
        os.write(there, ALL_BYTES)
        with terminal.accept()[0] as here:
            got = b""
            while len(got) < 256:
                got += here.recv(4096)
            here.sendall(ALL_BYTES)
            assert (got, hear(there, 256)) == (ALL_BYTES, ALL_BYTES)
            assert not select.select((there, here), (), (), 0.02)[0]
    terminal.close()


def test_more_than_a_terminal_holds_waits_for_its_reader_and_can_be_given_up(name):
    terminal = PseudoTerminal(name)
    with client(name) as there:
        os.write(there, b"?")
        stream, _ = terminal.accept()
        stream.shutdown(0)
        with pytest.raises(BrokenPipeError):
            stream.sendall(bytes(1 << 20))
        assert len(hear(there, 1024)) == 1024
        stream.close()
    terminal.close()


# --- clients ---


def test_clients_come_and_go_and_each_is_served_and_taken_leave_of(name):
    said: list[str] = []
    with served(name, said.append) as line:
        for turn, address in enumerate((0x3100, 0x3104, 0x311A), start=1):
            with client(name) as there:
                os.write(there, read(address))
                assert hear(there, 7) == told(address)
            assert until(lambda turn=turn: not line.is_connected and line.stats.connects == turn)
        assert line.stats.replies == 3
    heard = [text.removeprefix(f"pty:{name}: ") for text in said]
    assert heard == ["waiting for a master", *3 * ["connected", "the peer closed after 1 request"]]


def test_a_client_that_never_says_a_word_is_none(name):
    with served(name) as line:
        for _ in range(3):
            with client(name):
                pass
        with client(name) as there:
            os.write(there, read(0x3104))
            assert hear(there, 7) == told(0x3104)
        assert line.stats.connects == 1


def test_the_last_words_of_a_client_that_has_gone_are_heard(name):
    with served(name) as line:
        with client(name) as there:
            os.write(there, read(0x3104))
        assert until(lambda: line.stats.requests == {4: 1})


def test_nobody_gets_the_reply_to_another_ones_request(name):
    with served(name) as line:
        with client(name) as there:
            os.write(there, read(0x3100))
            assert until(lambda: line.stats.replies == 1)
        assert until(lambda: not line.is_connected)
        with client(name) as there:
            os.write(there, read(0x3104))
            assert hear(there, 8, within_s=0.05) == told(0x3104)


def test_what_is_sent_after_a_client_has_gone_is_not_kept_for_the_next(name):
    terminal = PseudoTerminal(name)
    with client(name) as there:
        os.write(there, b"?")
        stream, _ = terminal.accept()
    with stream:
        stream.sendall(b"too late")
    with client(name) as there:
        assert hear(there, 1, within_s=0.05) == b""
    terminal.close()


def test_a_client_that_leaves_the_terminal_cooked_does_not_spoil_it_for_the_next(name):
    with served(name) as line:
        with client(name) as there:
            os.write(there, read(0x3100))
            assert hear(there, 7) == told(0x3100)
            cooked = termios.tcgetattr(there)
            cooked[tty.IFLAG] |= termios.ICRNL | termios.IXON
            cooked[tty.LFLAG] |= termios.ECHO | termios.ICANON
            termios.tcsetattr(there, termios.TCSANOW, cooked)
        assert until(lambda: not line.is_connected)
        with client(name) as there:
            os.write(there, read(0x0D11))  # holds a carriage return and an XON
            assert hear(there, 7) == told(0x0D11)
        assert line.stats.junk_bytes == 0


@pytest.mark.parametrize("state", ["before a client", "after a client", "with a silent client"])
def test_waiting_costs_nothing(name, state):
    """A busy loop on the EIO of an abandoned terminal would take the whole time."""
    with served(name) as line:
        if state != "before a client":
            there = os.open(name, os.O_RDWR | os.O_NOCTTY)
            os.write(there, read(0x3104))
            assert hear(there, 7) == told(0x3104)
            if state == "after a client":
                os.close(there)
                assert until(lambda: not line.is_connected)
        spent_s = time.process_time()
        time.sleep(0.15)
        assert time.process_time() - spent_s < 0.05
        with suppress(OSError):
            os.close(there) if state == "with a silent client" else None


def test_a_line_for_one_client_ends_when_that_has_gone(name):
    with served(name, once=True) as line:
        with client(name):
            pass  # says nothing: not the one meant
        with client(name) as there:
            os.write(there, read(0x3104))
            assert hear(there, 7) == told(0x3104)
            assert not line.wait(0.01)
        assert line.wait(1.0)
        assert until(lambda: not os.path.lexists(name))


@pytest.mark.parametrize("talking", [False, True], ids=["alone", "with a client"])
def test_stop_ends_it_at_once_and_removes_the_link(name, talking):
    line = served(name).start()
    if talking:
        there = os.open(name, os.O_RDWR | os.O_NOCTTY)
        os.write(there, read(0x3104))
        assert hear(there, 7) == told(0x3104)
    began_s = time.monotonic()
    assert line.stop()
    assert time.monotonic() - began_s < SCHEDULING_S
    assert not os.path.lexists(name)
    if talking:
        os.close(there)


def test_a_terminal_that_cannot_be_held_between_clients_is_no_busy_loop(name, monkeypatch):
    """As when a client without root's rights has claimed it for itself (TIOCEXCL)."""
    with served(name) as line:
        refuse = OSError(16, "busy")

        def busy(*_: object) -> int:
            raise refuse

        with client(name) as there:
            os.write(there, read(0x3104))
            assert hear(there, 7) == told(0x3104)
            monkeypatch.setattr(os, "open", busy)
        assert until(lambda: line.stats.connects > 1)
        spent_s = time.process_time()
        time.sleep(0.15)
        assert time.process_time() - spent_s < 0.05
        monkeypatch.undo()
        with client(name) as there:
            os.write(there, read(0x3100))
            assert hear(there, 7) == told(0x3100)


# --- the name ---


def test_a_link_to_a_terminal_that_is_no_more_is_replaced(name):
    os.symlink("/dev/pts/99999", name)
    terminal = PseudoTerminal(name)
    assert os.readlink(name) == terminal.device
    terminal.close()


def test_a_link_whose_terminal_has_become_ours_is_replaced(name):
    first = PseudoTerminal(name)
    device = first.device
    first.close()
    os.symlink(device, name)  # what a killed process leaves; its number is the next one given out
    again = PseudoTerminal(name)
    assert os.readlink(name) == again.device
    again.close()


@pytest.mark.parametrize("kind", ["file", "folder", "link to a file", "link to nothing", "terminal in use"])
def test_nothing_else_is_ever_replaced(name, kind, tmp_path):
    other = PseudoTerminal(str(tmp_path / "other"))
    real = tmp_path / "real"
    real.write_text("keep me")
    match kind:
        case "file":
            Path(name).write_text("keep me")
        case "folder":
            Path(name).mkdir()
        case "link to a file":
            os.symlink(real, name)
        case "link to nothing":
            os.symlink(tmp_path / "a disk that is not mounted", name)
        case _:
            os.symlink(other.device, name)
    before = os.lstat(name)
    with pytest.raises(LinkError, match=r"pty:.*uart2: .*(with this name exists|in use)"):
        served(name).start()
    assert os.lstat(name) == before
    assert real.read_text() == "keep me"
    other.close()


def test_a_name_that_somebody_else_has_taken_over_stays_theirs(name):
    terminal = PseudoTerminal(name)
    os.unlink(name)
    Path(name).write_text("mine now")
    terminal.close()
    assert Path(name).read_text() == "mine now"


def test_the_link_is_removed_wherever_the_process_has_gone_meanwhile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    terminal = PseudoTerminal("uart2")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    terminal.close()
    assert not os.path.lexists(tmp_path / "uart2")


def test_a_name_in_a_folder_that_is_not_there_is_refused_and_leaves_nothing_open(tmp_path):
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    with pytest.raises(LinkError, match=r"no/uart2: .*No such file or directory"):
        served(str(tmp_path / "no" / "uart2")).start()
    assert before in (0, len(os.listdir("/proc/self/fd")))
