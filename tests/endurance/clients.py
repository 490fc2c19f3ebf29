"""Masters of every manner: one that polls and reconnects, one that writes, and one that never behaves.

Each speaks raw bytes, so that it can do on a line what no library would.
"""

import contextlib
import os
import random
import select
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable
from typing import Protocol

from modbus.codec.requests import ReadWords, WriteWord, crc16, seal

REPLY_S = 5.0  # a reply that takes longer counts as none
GIVEN_UP_S = 0.1  # an unfinished request, after so much quiet
WINDOW = 16  # requests under way at once: fewer than what a line keeps waiting, soon enough for `stale`
COUNTERS = ReadWords(1, 4, 0x330A, 10).encode()  # consumed and generated energy: low word first, 0.01 kWh
POLLS = (
    COUNTERS, ReadWords(1, 4, 0x3100, 8).encode(), ReadWords(1, 4, 0x3200, 2).encode(),
    ReadWords(1, 3, 0x9000, 15).encode(), ReadWords(1, 4, 0x311A, 2).encode(), ReadWords(1, 3, 0x9013, 3).encode(),
)  # fmt: skip
POLL = POLLS[1]
LENGTHS = {request: 5 + 2 * int.from_bytes(request[4:6], "big") for request in POLLS}


class WrongError(Exception):
    """What no client should see: no reply, a wrong one, or a counter that went back."""


class Wire(Protocol):
    """The client's end of a line."""

    def fileno(self) -> int: ...

    def recv(self, size: int, /) -> bytes: ...

    def sendall(self, data: bytes, /) -> None: ...

    def close(self) -> None: ...


class Terminal:
    """A pty's client end."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)

    def fileno(self) -> int:
        return self._fd

    def recv(self, size: int, /) -> bytes:
        return os.read(self._fd, size)

    def sendall(self, data: bytes, /) -> None:
        left = memoryview(data)
        while left:
            left = left[os.write(self._fd, left) :]

    def close(self) -> None:
        os.close(self._fd)


def opened(endpoint: str) -> Wire:
    """A connection to what a ready file names."""
    kind, _, where = endpoint.partition(":")
    if kind == "pty":
        return Terminal(where)
    if kind == "unix-listen":
        wire = socket.socket(socket.AF_UNIX)
        wire.settimeout(REPLY_S)
        wire.connect(where)
        return wire
    host, _, port = where.rpartition(":")
    tcp = socket.create_connection((host, int(port)), REPLY_S)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return tcp


def received(wire: Wire, size: int) -> bytes:
    """So many bytes."""
    data = b""
    while len(data) < size:
        if not select.select((wire,), (), (), REPLY_S)[0]:
            raise WrongError(f"no reply within {REPLY_S:g} s, {len(data)} of {size} bytes came")
        piece = wire.recv(size - len(data))
        if not piece:
            raise WrongError("the line was closed in the middle of a reply")
        data += piece
    return data


class Client(threading.Thread):
    """A client in a thread of its own, until told to stop or until something is wrong."""

    def __init__(self, endpoint: str, seed: int) -> None:
        super().__init__(name=f"{type(self).__name__} {endpoint}", daemon=True)
        self.endpoint = endpoint
        self.answered = 0
        self.connects = 0
        self.error: Exception | None = None
        self.stop = threading.Event()
        self.chance = random.Random(seed)
        self._counted: tuple[int, ...] = (0, 0)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.connects += 1
                self.visit()
        except Exception as error:
            self.error = error

    def visit(self) -> None:
        """One connection, from its beginning to its end."""
        raise NotImplementedError

    def poll(self, wire: Wire, requests: list[bytes]) -> None:
        """Ask all at once and take every reply."""
        wire.sendall(b"".join(requests))
        data, at = received(wire, sum(LENGTHS[request] for request in requests)), 0
        for request in requests:
            reply = data[at : at + LENGTHS[request]]
            at += len(reply)
            if reply[:3] != bytes((request[0], request[1], len(reply) - 5)) or crc16(reply):
                raise WrongError(f"to {request.hex(' ')} came {reply.hex(' ')}")
            if request == COUNTERS:
                self._check_counters(reply)
        self.answered += len(requests)

    def _check_counters(self, reply: bytes) -> None:
        words = struct.unpack(">10H", reply[3:-2])
        counted = (words[0] | words[1] << 16, words[8] | words[9] << 16)
        if any(now < before for now, before in zip(counted, self._counted, strict=True)):
            raise WrongError(f"counters went back from {self._counted} to {counted}")
        self._counted = counted


class Poller(Client):
    """Polls what firmware polls, many requests a connection, and comes again."""

    VISIT = 800  # requests

    def visit(self) -> None:
        with contextlib.closing(opened(self.endpoint)) as wire:
            for _ in range(self.VISIT // WINDOW):
                if self.stop.is_set():
                    return
                self.poll(wire, self.chance.choices(POLLS, k=WINDOW))


class Setter(Client):
    """Writes settings and reads; in quick visits."""

    def visit(self) -> None:
        with contextlib.closing(opened(self.endpoint)) as wire:
            for _ in range(5):
                write = WriteWord(1, 0x9001, self.chance.randrange(50, 400)).encode()  # capacity [Ah]
                wire.sendall(write)
                if received(wire, 8) != write:
                    raise WrongError("a write was not echoed")
                self.answered += 1
                self.poll(wire, [POLL])
        time.sleep(0.02)


class Rogue(Client):
    """Does everything that one shouldn't; after each deed a good request on a new connection must be answered."""

    def visit(self) -> None:
        deed: Callable[[Wire], None] = self.chance.choice(self.deeds())
        with contextlib.closing(opened(self.endpoint)) as wire, contextlib.suppress(OSError):
            deed(wire)
        with contextlib.closing(opened(self.endpoint)) as wire:
            if isinstance(wire, Terminal):
                self._settle(wire)
            try:
                self.poll(wire, [POLL])
            except WrongError as error:
                raise WrongError(f"after {deed.__name__}: {error}") from error
        self.connects += 1

    def deeds(self) -> tuple[Callable[[Wire], None], ...]:
        """What may be done on this link; on a terminal what is left over stays for the next one who opens it."""
        harmless = (self.silence, self.junk, self.cut_frame, self.slowly, self.wrong_crc)
        return (
            harmless
            if self.endpoint.startswith("pty")
            else (*harmless, self.flood, self.half_open, self.reset)
        )

    def _settle(self, wire: Terminal) -> None:
        """Let the quiet end what was left unfinished on the wire."""
        time.sleep(0.15)
        while select.select((wire,), (), (), 0.0)[0]:
            wire.recv(4096)

    def silence(self, _wire: Wire) -> None:
        """Come and go without a word."""

    def junk(self, wire: Wire) -> None:
        wire.sendall(self.chance.randbytes(self.chance.randrange(1, 700)))

    def cut_frame(self, wire: Wire) -> None:
        frame = self.chance.choice((POLL, seal(bytes.fromhex("01 10 90 00 00 0f 1e") + bytes(30))))
        wire.sendall(frame[: self.chance.randrange(1, len(frame))])

    def wrong_crc(self, wire: Wire) -> None:
        for _ in range(20):
            wire.sendall(POLL[:-1] + bytes((POLL[-1] ^ self.chance.randrange(1, 256),)))

    def slowly(self, wire: Wire) -> None:
        """Byte by byte; a busy host may leave gaps in which a line gives a request up, and then no reply is due."""
        longest_s, sent_s = 0.0, time.monotonic()
        for place in range(len(POLL)):
            wire.sendall(POLL[place : place + 1])
            longest_s, sent_s = max(longest_s, time.monotonic() - sent_s), time.monotonic()
            time.sleep(0.005)
        if longest_s < GIVEN_UP_S / 2:
            received(wire, LENGTHS[POLL])
            self.answered += 1

    def flood(self, wire: Wire) -> None:
        """Ask without listening, until the line holds us back."""
        assert isinstance(wire, socket.socket)
        wire.settimeout(0.2)
        wire.sendall(POLL * 20_000)

    def half_open(self, wire: Wire) -> None:
        """Say that nothing more will come, and stay."""
        assert isinstance(wire, socket.socket)
        wire.sendall(POLL)
        wire.shutdown(socket.SHUT_WR)
        time.sleep(0.05)

    def reset(self, wire: Wire) -> None:
        assert isinstance(wire, socket.socket)
        wire.sendall(POLL[:3])
        if wire.family == socket.AF_INET:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
