"""Where a line goes: the text a user writes, a frozen record, an open stream.

Knows addresses and how to open them. Does not know frames, redials or who is at the other end.
"""

import contextlib
import dataclasses
import errno
import os
import re
import select
import socket
import stat
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from modbus.codec.uart import HIGHEST_BAUD, LOWEST_BAUD
from modbus.line.devicenames import BAUD_RANGE, DEVICE, names_a_socket, names_a_terminal, no_port
from modbus.line.stopsignal import StopSignal
from modbus.line.stream import Listener, Stream, is_tcp

FORMS = {
    "dial": "dial:HOST:PORT",
    "listen": "listen:HOST:PORT",
    "modbus-tcp": "modbus-tcp:HOST:PORT",
    "unix": "unix:PATH (dials)",
    "unix-listen": "unix-listen:PATH",
    "pty": "pty:LINKNAME",
    "serial": "serial:DEVICE[:BAUD]",
}
CALLERS = 8  # that the system lets wait where several are served at once
BAUD = 115200  # a Tracer's; EPEVER's protocol documents V2.3 and V2.6
# Windows reports a connect under way by its own number.
IN_PROGRESS = {errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)}


class LinkError(ValueError):
    """An endpoint that cannot be understood or opened; says what was wrong and what would do."""


class NobodyError(LinkError):
    """Nobody answers there, perhaps not yet: what was asked may be right, and work later."""


@dataclass(frozen=True, slots=True)
class TcpEndpoint:
    """A TCP port: dialled, or listened on when ``listens``. Port 0 of a listener means any free one."""

    host: str
    port: int
    listens: bool = False

    def __str__(self) -> str:
        return f"{'listen' if self.listens else 'dial'}:{_bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixEndpoint:
    """A unix socket: dialled, or listened on when ``listens``."""

    path: str
    listens: bool = False

    def __str__(self) -> str:
        return f"{'unix-listen' if self.listens else 'unix'}:{self.path}"


@dataclass(frozen=True, slots=True)
class PtyEndpoint:
    """A pseudo-terminal of our own, which a link in the file system names to clients."""

    path: str
    listens: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"pty:{self.path}"


@dataclass(frozen=True, slots=True)
class SerialEndpoint:
    """A serial port, ``baud`` bit/s 8N1: a device or a URL of pyserial."""

    device: str
    baud: int = BAUD
    listens: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"serial:{self.device}:{self.baud}"


@dataclass(frozen=True, slots=True)
class ModbusTcpEndpoint:
    """A TCP port on which Modbus/TCP is spoken: a device listens there, a master dials it."""

    host: str
    port: int
    listens: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"modbus-tcp:{_bracketed(self.host)}:{self.port}"

    @property
    def dialled(self) -> TcpEndpoint:
        """Where a master dials."""
        return TcpEndpoint(self.host, self.port)


Endpoint = TcpEndpoint | UnixEndpoint | PtyEndpoint | SerialEndpoint | ModbusTcpEndpoint


def parse_endpoint(text: str, kinds: Collection[str] = FORMS.keys()) -> Endpoint:
    """The endpoint a user's ``--link`` names.

    Parameters
    ----------
    text : str
        ``dial:HOST:PORT``, ``listen:HOST:PORT``, ``modbus-tcp:HOST:PORT``, ``unix:PATH``, ``unix-listen:PATH``,
        ``pty:LINKNAME`` or ``serial:DEVICE[:BAUD]``. An IPv6 host goes in brackets. A device may be a URL of
        pyserial; ``socket://`` is what ``dial:`` does. The bare path of a terminal is taken as ``serial:``, that of a
        unix socket as ``unix:``.
    kinds : collection of str
        Those of `FORMS` that are accepted.

    Raises
    ------
    LinkError
        Naming the text, what is wrong with it and the forms that are accepted.
    """
    form, _, rest = text.partition(":")
    if form not in FORMS and "unix" in kinds and names_a_socket(text):
        form, rest = "unix", text
    if form not in kinds and (form in FORMS or "serial" not in kinds or not names_a_terminal(text)):
        *first, last = (FORMS[kind] for kind in kinds)
        what = f"{form}: won't do here" if form in FORMS else f"unknown kind of link {form!r}"
        raise LinkError(f"{text}: {what}; use {', '.join(first)} or {last}{_hint(text, kinds)}")
    if form == "modbus-tcp":
        at = _parse_tcp(text, rest, listens=True)
        return ModbusTcpEndpoint(at.host, at.port)
    if form in ("dial", "listen"):
        return _parse_tcp(text, rest, listens=form == "listen")
    if form in ("unix", "unix-listen"):
        return _parse_unix(text, rest, listens=form == "unix-listen")
    if form == "pty":
        return _parse_pty(text, rest)
    if form == "serial":
        return _parse_serial(text, rest)
    return _parse_serial(f"serial:{text}", text)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _hint(text: str, kinds: Collection[str]) -> str:
    """A guess at what was meant by a bare HOST:PORT, DEVICE or PATH."""
    form, _, rest = text.partition(":")
    bare = rest if form in (*FORMS, "tcp") else text
    meant: tuple[str, ...] = ()
    if re.match(r"\w+://", bare):
        meant = ("serial",)
    elif bare.startswith(("/", "./")):
        meant = ("unix", "unix-listen")
    elif bare.rpartition(":")[2].isdigit() and not bare.startswith("COM"):
        meant = ("dial", "listen")
    kind = next((kind for kind in meant if kind in kinds), None)
    return "" if kind is None else f" (did you mean {kind}:{bare}?)"


def _parse_tcp(text: str, rest: str, *, listens: bool) -> TcpEndpoint:
    host, colon, port_text = rest.rpartition(":")
    if not colon:
        raise LinkError(f"{text}: no port; use {text.partition(':')[0]}:HOST:PORT")
    bracketed = host.startswith("[") and host.endswith("]")
    if bracketed:
        host = host[1:-1]
    elif ":" in host:
        raise LinkError(f"{text}: an IPv6 host goes in brackets, as in dial:[::1]:1235")
    if not host:
        raise LinkError(f"{text}: no host; 127.0.0.1 is this machine")
    lowest = 0 if listens else 1
    # isascii: int() would also take other scripts' digits, which isdigit() lets through.
    if not (port_text.isascii() and port_text.isdigit() and lowest <= int(port_text[:6]) <= 65535):
        raise LinkError(f"{text}: port must be a number in {lowest}..65535, got {port_text!r}")
    return TcpEndpoint(host, int(port_text), listens)


def _parse_unix(text: str, path: str, *, listens: bool) -> UnixEndpoint:
    if not hasattr(socket, "AF_UNIX"):
        raise LinkError(f"{text}: this system has no unix sockets; use dial: or listen:")
    if not path:
        raise LinkError(f"{text}: no path; use unix:PATH or unix-listen:PATH")
    if "\0" in path:
        raise LinkError(f"{text!r}: a path cannot hold a NUL")
    longest = 107  # sockaddr_un.sun_path on Linux, less its closing NUL (unix(7))
    size = len(os.fsencode(path))
    if size > longest:
        raise LinkError(f"{text}: a unix socket's path has at most {longest} bytes, got {size}")
    return UnixEndpoint(path, listens)


def _parse_pty(text: str, path: str) -> PtyEndpoint:
    if not hasattr(os, "openpty"):
        raise LinkError(
            f"{text}: this system has no pseudo-terminals; use listen: or a pair of virtual ports"
        )
    if not path:
        raise LinkError(f"{text}: no name; use pty:LINKNAME, the file that clients will open")
    if "\0" in path:
        raise LinkError(f"{text!r}: a path cannot hold a NUL")
    return PtyEndpoint(path)


# A URL has a port of its own before the baud rate may come.
URL = re.compile(r"(?P<device>(?P<scheme>\w+)://(?P<where>(?:\[[^]]*\]|[^][:/]*):\d+))(?::(?P<baud>\d+))?")


def _parse_serial(text: str, rest: str) -> TcpEndpoint | SerialEndpoint:
    form = URL if "://" in rest else DEVICE
    found = form.fullmatch(rest)
    if found is None:
        what = "a URL is SCHEME://HOST:PORT" if form is URL else "no device"
        raise LinkError(f"{text}: {what}; use serial:/dev/ttyUSB0 or serial:rfc2217://HOST:PORT")
    if form is URL and found["scheme"] == "socket":
        return _parse_tcp(text, found["where"], listens=False)
    if form is URL and found["scheme"] != "rfc2217":
        raise LinkError(f"{text}: no such kind of port {found['scheme']!r}; use rfc2217:// or socket://")
    baud = int(found["baud"][:9]) if found["baud"] else BAUD
    if not LOWEST_BAUD <= baud <= HIGHEST_BAUD:
        raise LinkError(f"{text}: {BAUD_RANGE}, got {found['baud']}")
    if form is DEVICE and (why := no_port(found["device"])):
        raise LinkError(f"{text}: {why}")
    return SerialEndpoint(found["device"], baud)


def dial(endpoint: Endpoint, timeout_s: float, cancel: StopSignal | None = None) -> Stream:
    """A connected, blocking stream.

    Parameters
    ----------
    endpoint : Endpoint
        One that does not listen.
    timeout_s : float
        Longest wait for each address the host name stands for [s].
    cancel : StopSignal
        Ends the wait early when set.

    Raises
    ------
    OSError
        As the system reports it; ``ConnectionRefusedError`` or ``FileNotFoundError`` when nobody listens or
        no such port is there.
    """
    if isinstance(endpoint, SerialEndpoint):
        try:
            from modbus.line.serialport import open_port
        except ImportError as error:  # pyserial lacks what it needs of the system
            raise OSError(errno.ENOSYS, f"serial ports can't be opened on this system: {error}") from error
        return open_port(endpoint.device, endpoint.baud)
    assert not isinstance(endpoint, PtyEndpoint | ModbusTcpEndpoint), "these listen"
    if isinstance(endpoint, UnixEndpoint):
        return _connect(socket.AF_UNIX, endpoint.path, timeout_s, cancel)
    failure: OSError | None = None
    for family, _, _, _, address in _addresses(endpoint):
        try:
            return _connect(family, address, timeout_s, cancel)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{endpoint.host} has no address")


def _connect(family: int, address: object, timeout_s: float, cancel: StopSignal | None) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        code = sock.connect_ex(address)  # type: ignore[arg-type]  # typeshed: Any shape the family takes
        if code in IN_PROGRESS:
            _, done, failed = select.select((cancel,) if cancel else (), (sock,), (sock,), timeout_s)
            if not (done or failed):
                raise TimeoutError(errno.ETIMEDOUT, f"no answer within {timeout_s:g} s")
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        _refuse_self(sock)
        sock.setblocking(True)
    except BaseException:
        sock.close()
        raise
    return sock


def _refuse_self(sock: socket.socket) -> None:
    """Undo a connection to ourselves.

    Dialling a closed port in the ephemeral range long enough ends with the kernel choosing that very port for
    our own end, and TCP's simultaneous open joins the two. It would also keep the port from the emulator:
    hence the reset, which leaves no TIME_WAIT behind.
    """
    if is_tcp(sock) and sock.getsockname() == sock.getpeername():
        reset_on_close(sock)
        raise ConnectionRefusedError(errno.ECONNREFUSED, "connected to itself")


def reset_on_close(sock: socket.socket) -> None:
    """Have close() send a reset and forget the connection (SO_LINGER, on, 0 s)."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def listen(endpoint: Endpoint) -> tuple[Listener, Endpoint]:
    """A listener and the endpoint it really has (port 0 resolved).

    Raises
    ------
    LinkError
        When the port or path is taken or cannot be had.
    """
    assert not isinstance(endpoint, SerialEndpoint), "a serial port accepts no connections"
    try:
        if isinstance(endpoint, PtyEndpoint):
            from modbus.line.pseudoterminal import PseudoTerminal  # needs a POSIX system

            return PseudoTerminal(endpoint.path), endpoint
        if isinstance(endpoint, UnixEndpoint):
            return _listen_unix(endpoint), endpoint
        family, _, _, _, address = _addresses(endpoint)[0]
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":  # on Windows the option would let two processes share the port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(CALLERS if isinstance(endpoint, ModbusTcpEndpoint) else 1)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        busy = " (is another tracertwin or QEMU using it?)" if error.errno == errno.EADDRINUSE else ""
        raise LinkError(f"{endpoint}: cannot listen: {error.strerror or error}{busy}") from error
    return sock, dataclasses.replace(endpoint, port=sock.getsockname()[1])


def _listen_unix(endpoint: UnixEndpoint) -> socket.socket:
    _remove_stale(endpoint)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(endpoint.path)
        sock.listen(1)
    except BaseException:
        sock.close()
        raise
    return sock


def close_listener(listener: Listener, endpoint: Endpoint) -> None:
    """Let nobody else come, and leave no socket behind in the file system."""
    listener.close()
    if isinstance(endpoint, UnixEndpoint):
        with contextlib.suppress(OSError):
            os.unlink(endpoint.path)


def _remove_stale(endpoint: UnixEndpoint) -> None:
    """Remove the socket file of a process that is gone; anything else stays."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(endpoint.path).st_mode):
            raise LinkError(f"{endpoint}: cannot listen: something else has that name, and is not a socket")
        try:
            dial(endpoint, timeout_s=1.0).close()
        except ConnectionRefusedError:
            os.unlink(endpoint.path)


def _addresses(
    endpoint: TcpEndpoint | ModbusTcpEndpoint,
) -> list[tuple[int, int, int, str, tuple[object, ...]]]:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    return [(int(family), int(kind), proto, name, address) for family, kind, proto, name, address in found]
