"""What a conversation needs of the other end: bytes in, bytes out, a way to wait, a way to be woken.

A connected socket is a `Stream` and a listening one a `Listener` as they are, and pay nothing for it. This
module makes a stream of what is not a socket: a terminal's file descriptor. Knows neither frames nor names.
"""

import contextlib
import errno
import os
import select
import socket
from collections.abc import Callable
from typing import Any, Protocol, Self, TypeGuard

from modbus.line.stopsignal import StopSignal

HANGS_UP = errno.EIO  # what read() gives on Linux once nobody holds the other end of a terminal


class Stream(Protocol):
    """A two-way stream of bytes."""

    def fileno(self) -> int:
        """What select() waits on for bytes to read."""

    def recv(self, size: int, /) -> bytes:
        """Wait for bytes and take at most so many; none: the other end has gone."""

    def sendall(self, data: bytes, /) -> None:
        """Hand over all of it."""

    def shutdown(self, how: int, /) -> None:
        """End a `recv` or `sendall` that waits in another thread."""

    def close(self) -> None:
        """Give the descriptor back."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Listener(Protocol):
    """Where peers come from, one after the other."""

    def fileno(self) -> int:
        """What select() waits on for the next peer."""

    def accept(self) -> tuple[Stream, Any]:
        """The peer that is there, and where it came from."""

    def close(self) -> None:
        """Let nobody else come."""


def is_tcp(stream: Stream) -> TypeGuard[socket.socket]:
    """Whether TCP's options apply."""
    return isinstance(stream, socket.socket) and stream.family in (socket.AF_INET, socket.AF_INET6)


class TerminalStream:
    """A terminal's end as a stream; its read() can't be woken as a socket's can, so we wait for both.

    Parameters
    ----------
    fd : int
        Open for reading and writing, raw, non-blocking.
    close : callable
        Called once, by `close`.
    """

    def __init__(self, fd: int, close: Callable[[], None]) -> None:
        self._fd = fd
        self._close = close
        self._stop = StopSignal()

    def fileno(self) -> int:
        return self._fd

    def recv(self, size: int, /) -> bytes:
        while self._stop.readable(self, None):
            with contextlib.suppress(BlockingIOError):  # select() may promise too much
                return self._read(size)
        return b""

    def _read(self, size: int) -> bytes:
        try:
            return os.read(self._fd, size)
        except OSError as error:
            if error.errno == HANGS_UP:
                return b""
            raise

    def sendall(self, data: bytes, /) -> None:
        left = memoryview(data)
        while left:
            try:
                left = left[os.write(self._fd, left) :]
            except BlockingIOError:
                select.select((self._stop,), (self._fd,), ())
                if self._stop.is_set():
                    raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)) from None

    def shutdown(self, _how: int, /) -> None:
        self._stop.set()

    def close(self) -> None:
        self._stop.close()
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
