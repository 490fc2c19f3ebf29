"""A second master on a listening link: it is told of, and when its turn comes its old requests are dropped."""

import math
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from modbus.line.endpoint import Endpoint, UnixEndpoint
from modbus.line.link import Line
from tests.peers import HERE, hear, hears_nothing, own_address, read, told
from tests.waiting import until

WAITS = "another master waits"


class Callers:
    """A listening line, and masters that call there."""

    def __init__(self, line: Line, said: list[str], stack: ExitStack) -> None:
        self.line = line
        self.said = said
        self._stack = stack

    def call(self) -> socket.socket:
        at = self.line.endpoint
        sock = socket.socket(socket.AF_UNIX if isinstance(at, UnixEndpoint) else socket.AF_INET)
        sock.settimeout(5)
        self._stack.enter_context(sock)
        sock.connect(at.path if isinstance(at, UnixEndpoint) else ("127.0.0.1", at.port))
        return sock

    def waiting(self) -> int:
        return sum(WAITS in text for text in self.said)


@contextmanager
def listening(endpoint: Endpoint = HERE, stale_s: float = 0.2, once: bool = False) -> Iterator[Callers]:
    said: list[str] = []
    with ExitStack() as stack:
        line = Line(endpoint, own_address, turnaround_s=0.0, stale_s=stale_s, once=once, log=said.append)
        yield Callers(stack.enter_context(line), said, stack)


@pytest.mark.parametrize("kind", ["listen", "unix-listen"])
def test_a_second_master_is_told_of_once_and_answered_the_newest_request_only(kind, tmp_path: Path):
    at = HERE if kind == "listen" else UnixEndpoint(str(tmp_path / "tt.sock"), listens=True)
    with listening(at) as there:
        first = there.call()
        first.sendall(read(0x3100))
        assert hear(first, 7) == told(0x3100)
        second = there.call()
        assert until(lambda: there.waiting() == 1)
        for address in (0x3101, 0x3102, 0x3103):
            second.sendall(read(address))
            time.sleep(0.1)
        third = there.call()
        assert until(lambda: there.line._doorman._callers.qsize() == 2)
        assert there.waiting() == 1
        first.close()
        assert hear(second, 7) == told(0x3103)
        assert hears_nothing(second, 0.1)
        assert there.line.stats.stale == 2
        second.sendall(read(0x3104))
        assert hear(second, 7) == told(0x3104)
        second.close()
        third.sendall(read(0x3105))
        assert hear(third, 7) == told(0x3105)


def test_hours_of_old_requests_are_all_dropped_but_the_newest():
    """More than is read at once: a logger that asks each second and never looks."""
    with listening(stale_s=0.05) as there:
        first = there.call()
        first.sendall(read(0x3100))
        hear(first, 7)
        second = there.call()
        assert until(lambda: there.waiting() == 1)
        second.sendall(b"".join(read(number) for number in range(3000)))
        time.sleep(0.1)
        first.close()
        assert hear(second, 7) == told(2999)
        assert hears_nothing(second, 0.1)
        assert there.line.stats.stale == 2999


def test_a_master_that_has_hardly_waited_is_answered_all_it_asked():
    with listening(stale_s=5.0) as there:
        first, second = there.call(), there.call()
        second.sendall(b"".join(read(number) for number in range(100)))
        first.close()
        assert hear(second, 700) == b"".join(told(number) for number in range(100))


def test_where_nothing_is_stale_a_waiting_master_is_answered_all_it_asked():
    """On a polled clock replies depend on what was asked, not on when."""
    with listening(stale_s=math.inf) as there:
        first, second = there.call(), there.call()
        assert until(lambda: there.waiting() == 1)
        second.sendall(read(1) + read(2))
        time.sleep(0.1)
        first.close()
        assert hear(second, 14) == told(1) + told(2)


def test_the_only_master_is_no_news_nor_is_one_that_follows_another():
    with listening() as there:
        for _ in range(3):
            sock = there.call()
            sock.sendall(read(0x3100))
            assert hear(sock, 7) == told(0x3100)
            sock.close()
            connects = there.line.stats.connects
            assert until(lambda: not there.line.is_connected)
            assert connects == there.line.stats.connects
        assert there.waiting() == 0


def test_once_ends_though_another_waits_who_is_hung_up_on():
    with listening(once=True) as there:
        first = there.call()
        first.sendall(read(0x3100))
        hear(first, 7)
        second = there.call()
        assert until(lambda: there.waiting() == 1)
        first.close()
        assert there.line.wait(3.0)
        assert second.recv(1) == b""


def test_stopping_hangs_up_on_all_who_wait():
    with listening() as there:
        socks = [there.call() for _ in range(5)]
        assert until(lambda: there.line._doorman._callers.qsize() == 4)
        assert there.line.stop()
        assert [sock.recv(1) for sock in socks] == [b""] * 5
        with pytest.raises(ConnectionRefusedError):
            there.call()


def test_a_master_that_hangs_up_and_calls_again_at_once_is_no_second_one():
    with listening() as there:
        for _ in range(100):
            sock = there.call()
            sock.sendall(read(0x3100))
            assert hear(sock, 7) == told(0x3100)
            sock.close()
        assert there.waiting() == 0
