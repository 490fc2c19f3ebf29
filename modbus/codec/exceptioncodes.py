"""What the exceptions of Modbus are called, for people: one table for all that print one."""

from types import MappingProxyType
from typing import Final

# "MODBUS application protocol specification V1.1b3", 7. Older editions, and many programs, say slave for server.
NAMES: Final = MappingProxyType(
    {
        0x01: "illegal function",
        0x02: "illegal data address",
        0x03: "illegal data value",
        0x04: "server device failure",
        0x05: "acknowledge",
        0x06: "server device busy",
        0x08: "memory parity error",
        0x0A: "gateway path unavailable",
        0x0B: "gateway target device failed to respond",
    }
)


def exception_name(code: int) -> str:
    """``illegal data address``."""
    return NAMES.get(code, "not in the standard")


def exception_phrase(code: int) -> str:
    """``exception 02, illegal data address``; the code in hex, as the standard and the frame have it."""
    return f"exception {code:02X}, {exception_name(code)}"
