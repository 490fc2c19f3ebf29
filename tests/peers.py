"""The other end of a line, and a device whose registers hold their own addresses."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from modbus.codec.replies import ExceptionReply, WordsReply
from modbus.codec.requests import ReadWords, Request
from modbus.line.endpoint import TcpEndpoint, listen, reset_on_close
from modbus.line.link import Line

SCHEDULING_S = 0.1  # what a busy host may add
HERE = TcpEndpoint("127.0.0.1", 0, listens=True)


def read(address: int) -> bytes:
    """A request for one input register."""
    return ReadWords(1, 4, address, 1).encode()


def told(address: int) -> bytes:
    """The reply to it: every register holds its own address."""
    return WordsReply(1, 4, (address,)).encode()


def own_address(request: Request) -> bytes | None:
    """The device of these tests; silent for other units, exception 01 for all but function 04."""
    if request.unit != 1:
        return None
    if not isinstance(request, ReadWords):
        return ExceptionReply(1, request.function, 1).encode()
    return WordsReply(1, 4, tuple(range(request.address, request.address + request.count))).encode()


class Emulator:
    """What QEMU shows of a UART: a port that serves one client."""

    def __init__(self, port: int = 0) -> None:
        self._listener, _ = listen(TcpEndpoint("127.0.0.1", port, listens=True))
        self._listener.settimeout(5)
        self.port: int = self._listener.getsockname()[1]
        self.sock: socket.socket | None = None

    @property
    def endpoint(self) -> TcpEndpoint:
        return TcpEndpoint("127.0.0.1", self.port)

    def pick_up(self) -> socket.socket:
        """Wait for the line to dial in."""
        self.sock, _ = self._listener.accept()
        self.sock.settimeout(5)
        return self.sock

    def kill(self) -> None:
        """End as a killed process does: the port closes, the connection is reset."""
        self._listener.close()
        if self.sock is not None and self.sock.fileno() >= 0:
            reset_on_close(self.sock)
            self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


@contextmanager
def connected(
    answer: Callable[[Request], bytes | None] = own_address,
    *,
    turnaround_s: float = 0.0,
    stale_s: float = 0.5,
    log: Callable[[str], None] = lambda _: None,
) -> Iterator[tuple[Line, socket.socket]]:
    """A line and the emulator's end of it."""
    with (
        Emulator() as emulator,
        Line(emulator.endpoint, answer, turnaround_s=turnaround_s, stale_s=stale_s, log=log) as line,
    ):
        yield line, emulator.pick_up()


def stalling(for_s: float) -> tuple[threading.Event, Callable[[Request], bytes | None]]:
    """A device that takes so long over its first request, and the sign that it has begun to."""
    slow = threading.Event()

    def answer(request: Request) -> bytes | None:
        if not slow.is_set():
            slow.set()
            time.sleep(for_s)
        return own_address(request)

    return slow, answer


def hear(sock: socket.socket, count: int) -> bytes:
    """Exactly so many bytes, or what came before the peer closed."""
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            break
        data += piece
    return data


def hears_nothing(sock: socket.socket, for_s: float = 0.05) -> bool:
    """Whether the peer is silent for so long, and still there: hanging up is no silence."""
    sock.settimeout(for_s)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        sock.settimeout(5)
