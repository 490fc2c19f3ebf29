"""Modbus/TCP: the same requests and replies in another envelope.

"MODBUS messaging on TCP/IP implementation guide V1.0b", 3.1.3: a transaction number that the reply repeats, a
protocol number that is 0, the count of bytes that follow, the unit id, the rest of the frame; no check sum, since TCP
has its own. Inside this program frames are those of RTU: an envelope is taken off where bytes come in, and put on
when a reply leaves.
"""

import struct
from collections.abc import Sequence
from typing import Final

from modbus.codec.requests import crc16, request_size, seal

PREFIX: Final = 6  # bytes before the unit id
LONGEST: Final = 254  # bytes from the unit id on: those of an RTU frame without its CRC
SHORTEST_RTU: Final = 4

_prefix = struct.Struct(">HHH")  # transaction, protocol, length


def envelope(transaction: int, frame: bytes) -> bytes:
    """An RTU frame as Modbus/TCP has it."""
    return _prefix.pack(transaction, 0, len(frame) - 2) + frame[:-2]


def opened(data: bytes) -> tuple[int, bytes, int] | None:
    """Transaction, RTU frame and size of the Modbus/TCP frame that `data` begins with; None: more bytes are needed.

    Raises
    ------
    ValueError
        No frame begins so.
    """
    size = frame_size(data)
    if size is None:
        raise ValueError(f"no Modbus/TCP frame begins {data[:8].hex(' ')}")
    if len(data) < size:
        return None
    return int.from_bytes(data[:2], "big"), seal(data[PREFIX:size]), size


def enveloped(transaction: int, frame: bytes, pieces: Sequence[bytes]) -> list[bytes]:
    """What leaves over TCP where pieces would leave on a line of RTU.

    Parameters
    ----------
    transaction : int
        Of the request.
    frame : bytes
        What the device said.
    pieces : sequence of bytes
        What is made of it: whole RTU frames, this one or others, one after the other and cut anywhere; the last may
        break off.

    Returns
    -------
    list of bytes
        As many, some of them empty: a CRC doesn't leave.
    """
    stream, at = b"".join(pieces), 0
    shown: list[bytes] = []  # what each byte of the stream becomes
    while at < len(stream):
        whole = _frame_at(stream[at:], frame)
        length = len(whole or frame) - 2
        body = (whole or stream[at:])[:length]
        shown.append(_prefix.pack(transaction, 0, length) + body[:1])
        shown += [body[place : place + 1] for place in range(1, len(body))]
        used = len(whole or stream[at:])
        shown += [b""] * (used - len(body))
        at += used
    out, at = [], 0
    for piece in pieces:
        out.append(b"".join(shown[at : at + len(piece)]))
        at += len(piece)
    return out


def _frame_at(stream: bytes, frame: bytes) -> bytes | None:
    """The RTU frame that a stream begins with: this one, or the shortest with a good CRC; None if it breaks off."""
    if frame and stream.startswith(frame):
        return frame
    if frame.startswith(stream):
        return None
    sizes = range(SHORTEST_RTU, len(stream) + 1)
    return next((stream[:size] for size in sizes if crc16(stream[:size]) == 0), None)


def begins_request(data: bytes) -> bool:
    """Whether `data` begins with a Modbus/TCP request: what a client sends that was told the wrong protocol."""
    size = frame_size(data)
    if size is None or len(data) < size:
        return False
    return fits(data[PREFIX:size], size - PREFIX) or len(data) == size


def frame_size(head: bytes) -> int | None:
    """Bytes in the frame that begins with `head`; None if none does. More than there are: as many are needed."""
    if head[2:4] != b"\0\0"[: len(head[2:4])]:
        return None
    if len(head) < PREFIX:
        return None if len(head) == PREFIX - 1 and head[4] else PREFIX + 2
    length = int.from_bytes(head[4:6], "big")
    return PREFIX + length if 2 <= length <= LONGEST else None


def fits(body: bytes, length: int) -> bool:
    """Whether a known request that is so long in its envelope begins, or is, as `body`: unit id, function and so on."""
    size = request_size(body)
    return size is not None and (size == length + 2 if len(body) >= length else size <= length + 2)


def begins_rtu(data: bytes) -> bool:
    """Whether `data` begins with a request of RTU."""
    size = request_size(data)
    return size is not None and SHORTEST_RTU <= size <= len(data) and crc16(data[:size]) == 0
