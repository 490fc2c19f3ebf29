"""A small blocking master: one request out, its reply in, with time-out and retries.

For `tracertwin poll`, for the mock firmware and for tests. Knows one connection; does not dial again when it
breaks.
"""

import contextlib
import errno
import math
import select
import socket
from time import monotonic, sleep
from typing import Self

from modbus.codec.envelope import envelope, opened
from modbus.codec.replies import BadReply, Reply, decode_reply
from modbus.codec.requests import Request
from modbus.line.endpoint import (
    Endpoint,
    LinkError,
    ModbusTcpEndpoint,
    NobodyError,
    PtyEndpoint,
    SerialEndpoint,
    dial,
    listen,
)
from modbus.line.stream import Stream, is_tcp
from modbus.master.phrases import phrase

SILENCE_CHARACTERS = 3.5  # between two frames; "MODBUS over serial line V1.02", 2.5.1.1
SILENCE_LEAST_S = 1.75e-3  # the same, at more than 19200 bit/s
CHARACTER_BITS = 11
NEVER = (errno.ENOTTY, errno.EINVAL)  # no serial port, or none with such a baud rate: waiting won't help


class NoReplyError(NobodyError):
    """The device stayed silent in every try."""


class Master:
    """The asking end of a line.

    Parameters
    ----------
    where : Endpoint or Stream
        A connected stream, or where to get one. On a listening endpoint we wait for the device to dial us, as
        QEMU does; one of Modbus/TCP is dialled.
    connect_timeout_s : float
        Longest wait for the connection [s].
    bytewise : bool
        Send each byte on its own and leave Nagle's algorithm on, as QEMU does with a guest's UART.

    Raises
    ------
    LinkError
        When there is no connection.
    """

    def __init__(
        self, where: Endpoint | Stream, *, connect_timeout_s: float = 2.0, bytewise: bool = False
    ) -> None:
        self._name, self._silence_s = "the line", 0.0
        self._is_tcp = isinstance(where, ModbusTcpEndpoint)
        if isinstance(where, Endpoint):
            self._name, self._silence_s = str(where), _silence_s(where)
            where = _connect(where, connect_timeout_s)
        self._stream = where
        self._bytewise = bytewise
        self._transaction = 0  # of Modbus/TCP, the last that was sent
        self._heard_s = -math.inf
        if not bytewise and is_tcp(self._stream):
            self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: Request, timeout_s: float = 1.0, retries: int = 0) -> Reply:
        """The device's reply, which may be a Modbus exception.

        Parameters
        ----------
        request : Request
            Sent again, up to ``retries`` times, when the reply is late or damaged.
        timeout_s : float
            Wait for a whole reply, for each try [s].

        Raises
        ------
        NoReplyError
            Silence in every try.
        BadReply
            The last try brought bytes that can never be a reply to this request.
        LinkError
            The connection ended.
        """
        failure: BadReply | None = None
        for _ in range(retries + 1):
            try:
                reply = self._try(request, timeout_s)
            except BadReply as error:
                failure = error
            except OSError as error:
                raise NobodyError(f"{self._name}: connection lost: {error.strerror or error}") from error
            else:
                if reply is not None:
                    return reply
                failure = None
        if failure is not None:
            raise failure
        tries = f" in {retries + 1} tries" if retries else ""
        raise NoReplyError(f"{self._name}: no reply to '{phrase(request)}' within {timeout_s:g} s{tries}")

    def _try(self, request: Request, timeout_s: float) -> Reply | None:
        self._forget_late_bytes()
        frame = request.encode()
        self._transaction = (self._transaction + 1) & 0xFFFF
        self._send(envelope(self._transaction, frame) if self._is_tcp else frame)
        give_up_s = monotonic() + timeout_s
        data = b""
        while self._readable(give_up_s - monotonic()):
            data += self._receive()
            frame, data = self._out_of_envelope(data) if self._is_tcp else (data, data)
            reply = decode_reply(request, frame)
            if reply is not None:
                return reply
        return None

    def _out_of_envelope(self, data: bytes) -> tuple[bytes, bytes]:
        """The RTU frame of the reply, if it has come, and what of the bytes is left; late replies are passed over."""
        while data:
            try:
                found = opened(data)
            except ValueError as error:
                raise BadReply(str(error)) from None
            if found is None:
                break
            transaction, frame, size = found
            data = data[size:]
            if transaction == self._transaction:
                return frame, data
        return b"", data

    def _forget_late_bytes(self) -> None:
        """Drop what an earlier request's late reply left, as drivers do before they send."""
        while self._readable(0.0):
            self._receive()

    def _send(self, frame: bytes) -> None:
        sleep(max(self._heard_s + self._silence_s - monotonic(), 0.0))
        if not self._bytewise:
            self._stream.sendall(frame)
            return
        for byte in frame:
            self._stream.sendall(bytes((byte,)))

    def _readable(self, wait_s: float) -> bool:
        return bool(select.select((self._stream,), (), (), max(wait_s, 0.0))[0])

    def _receive(self) -> bytes:
        data = self._stream.recv(4096)
        self._heard_s = monotonic()
        if not data:
            raise NobodyError(f"{self._name}: the device closed the connection")
        return data

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _silence_s(endpoint: Endpoint) -> float:
    """Quiet that tells a device on a wire that a new frame begins [s]; sockets need none."""
    if not isinstance(endpoint, SerialEndpoint):
        return 0.0
    return max(SILENCE_CHARACTERS * CHARACTER_BITS / endpoint.baud, SILENCE_LEAST_S)


def _connect(endpoint: Endpoint, timeout_s: float) -> Stream:
    if isinstance(endpoint, PtyEndpoint):
        raise LinkError(
            f"{endpoint}: would make a new pty; to open one that is there: serial:{endpoint.path}"
        )
    if isinstance(endpoint, ModbusTcpEndpoint) or not endpoint.listens:
        try:
            at = endpoint.dialled if isinstance(endpoint, ModbusTcpEndpoint) else endpoint
            return dial(at, timeout_s)
        except OSError as error:
            kind = LinkError if error.errno in NEVER else NobodyError
            raise kind(f"{endpoint}: cannot connect: {error.strerror or error}") from error
    listener, _ = listen(endpoint)
    with contextlib.closing(listener):
        if not select.select((listener,), (), (), timeout_s)[0]:
            raise NobodyError(f"{endpoint}: no device dialled within {timeout_s:g} s")
        stream, _ = listener.accept()
        return stream
