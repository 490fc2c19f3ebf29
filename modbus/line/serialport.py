"""A serial port as a stream: 8 data bits, no parity, 1 stop bit, as a Tracer's is.

Knows pyserial. On POSIX a port has a descriptor to wait on. Ports over RFC 2217 and those of Windows have none;
two threads carry their bytes to and from a socket, which has.
"""

import contextlib
import errno
import os
import socket
import threading
from typing import Final

import serial

from modbus.line.stream import Stream, TerminalStream

READ_S: Final = 0.2  # how long a read of a port without a descriptor waits before it looks whether it is over


def open_port(device: str, baud: int) -> Stream:
    """An open port that nobody else holds.

    Parameters
    ----------
    device : str
        ``/dev/ttyUSB0``, ``COM3`` or a URL of pyserial.
    baud : int
        [bit/s]

    Raises
    ------
    OSError
        As the system reports it; ``FileNotFoundError`` when no such port is plugged in.
    """
    try:
        port = serial.serial_for_url(device, baudrate=baud, timeout=READ_S, exclusive=True)
    except serial.SerialException as error:
        raise _reason(error) from error
    except ValueError as error:  # a baud rate the driver can't do, a URL pyserial doesn't know
        raise OSError(errno.EINVAL, str(error)) from error
    with contextlib.suppress(OSError):  # io.UnsupportedOperation is one
        if os.name == "posix":
            return TerminalStream(port.fileno(), port.close)
    return _carried(port)


def _reason(error: serial.SerialException) -> OSError:
    """The system's own error; pyserial wraps it into a sentence that names the port once more."""
    cause = error if error.errno else error.__context__
    number = cause.errno if isinstance(cause, OSError) else next(iter(getattr(cause, "args", ())), None)
    if not isinstance(number, int):  # termios.error is no OSError
        return OSError(errno.EIO, str(error))
    if number in (errno.EAGAIN, errno.EBUSY):
        return OSError(errno.EBUSY, "another program is using the port")
    if number == errno.ENOTTY:
        return OSError(errno.ENOTTY, "it is not a serial port")
    if number == errno.EACCES:
        return OSError(errno.EACCES, "permission denied (is your user in the port's group, often dialout?)")
    return OSError(number, os.strerror(number) if number > 0 else getattr(cause, "strerror", str(error)))


def _carried(port: serial.SerialBase) -> socket.socket:
    """The port at the other end of a socket; closing the socket closes the port."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=_to_socket, args=(port, theirs), name="from port", daemon=True).start()
    threading.Thread(target=_to_port, args=(theirs, port), name="to port", daemon=True).start()
    return ours


def _to_socket(port: serial.SerialBase, wire: socket.socket) -> None:
    with contextlib.suppress(OSError), wire:
        try:
            while True:
                data = port.read(1)
                data += port.read(port.in_waiting)
                if data:
                    wire.sendall(data)
        finally:
            wire.shutdown(socket.SHUT_RDWR)  # close() alone ends nothing while the other thread waits on it


def _to_port(wire: socket.socket, port: serial.SerialBase) -> None:
    with contextlib.suppress(OSError), contextlib.closing(port):
        while data := wire.recv(4096):
            port.write(data)
