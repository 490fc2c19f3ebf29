"""Names of serial ports, as users write them, and what stands at such a name."""

import contextlib
import os
import re
import stat

from modbus.codec.uart import HIGHEST_BAUD, LOWEST_BAUD

BAUD_RANGE = f"baud rate must be a number in {LOWEST_BAUD}..{HIGHEST_BAUD}"
# Paths of devices may hold colons anywhere.
DEVICE = re.compile(r"(?P<device>[^\0]+?)(?::(?P<baud>\d+))?")
_BY_PATH = "/dev/serial/"  # udev's names there have colons of their own


def names_a_terminal(text: str) -> bool:
    """Whether a bare text is the name of a serial port, perhaps one that isn't plugged in, or leads to a terminal."""
    device = DEVICE.fullmatch(text)
    if device is None or "://" in text:
        return False
    if re.match(r"/dev/(tty|cu|pts/|serial/)|COM\d+\b", text):
        return True
    with contextlib.suppress(OSError, ValueError):
        return stat.S_ISCHR(os.stat(device["device"]).st_mode)
    return False


def names_a_socket(text: str) -> bool:
    """Whether a bare text is the path of a unix socket that is there."""
    with contextlib.suppress(OSError, ValueError):
        return stat.S_ISSOCK(os.stat(text).st_mode)
    return False


def no_port(device: str) -> str:
    """Why a device's name can be that of no port, in words; empty if it can, even of one that isn't there yet."""
    try:
        mode = os.stat(device).st_mode
    except (OSError, ValueError):
        port, colon, rate = device.rpartition(":")
        if colon and not port.startswith(_BY_PATH) and names_a_terminal(port):
            return f"{BAUD_RANGE}, got {rate!r}"
        return ""
    if stat.S_ISSOCK(mode):
        return f"{device} is a socket, not a serial port; write unix:{device}"
    kind = "a folder" if stat.S_ISDIR(mode) else "a file"
    return "" if stat.S_ISCHR(mode) else f"{device} is {kind}, not a serial port"
