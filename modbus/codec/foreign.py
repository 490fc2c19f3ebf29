"""What is neither RTU nor Modbus/TCP and often meets such a line: Modbus ASCII, and HTTP."""

import re

# ":", pairs of hex digits, CR LF ("MODBUS over serial line specification and implementation guide V1.02", 2.5.2)
_ASCII_FRAME = re.compile(rb":((?:[0-9A-Fa-f]{2}){3,255})\r\n")
_HTTP_REQUEST = re.compile(rb"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \S+ HTTP/\d")
_SEVEN_BITS = bytes(byte & 0x7F for byte in range(256))


def holds_ascii_frame(data: bytes) -> bool:
    """Whether a whole frame of Modbus ASCII with a good LRC stands among bytes, of 8 bits or of 7 with their parity."""
    return any(
        sum(bytes.fromhex(frame[1].decode("ascii"))) % 0x100 == 0
        for frame in _ASCII_FRAME.finditer(data.translate(_SEVEN_BITS))
    )


def holds_http_request(data: bytes) -> bool:
    """Whether the first line of an HTTP request stands among bytes."""
    return _HTTP_REQUEST.search(data) is not None
