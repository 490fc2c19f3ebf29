"""Modbus RTU requests: what each says, how long it is, and its check sum.

Knows frames one at a time. Which bytes of a stream are a frame is for `modbus.codec.parser` to find; which unit is
meant, and whether it may ask what it asks, is for `modbus.device.tracer` to say. Replies: `modbus.codec.replies`.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

MAX_FRAME = 256  # "MODBUS over serial line specification and implementation guide V1.02", 2.5.1
MAX_WRITE_WORDS = 123  # "MODBUS application protocol specification V1.1b3", 6.12
MAX_WRITE_COILS = 1968  # same, 6.11
BROADCAST = 0  # address of all units at once
LAST_UNIT = 247  # 248..255 are reserved: specification of the serial line, 2.2
ANY_UNIT = 0xF8  # service address of vendor function 45 (V26 protocol document)
ALL_WRITES = (0x05, 0x06, 0x0F, 0x10)
PASSWORD_BYTES = 6


def _crc_of_byte(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0xA001 if byte & 1 else 0)
    return byte


_CRC_TABLE = tuple(map(_crc_of_byte, range(256)))


def crc16(data: bytes | bytearray, start: int = 0xFFFF) -> int:
    """CRC-16/MODBUS of `data`; 0 when `data` ends with its own CRC, low byte first.

    Parameters
    ----------
    data : bytes
    start : int
        The CRC of what came before, to go on from there.
    """
    crc = start
    for byte in data:
        crc = crc >> 8 ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def seal(body: bytes) -> bytes:
    """`body` with its CRC behind it, low byte first. ValueError when that is longer than a frame may be."""
    if len(body) + 2 > MAX_FRAME:
        raise ValueError(f"frame: must not exceed {MAX_FRAME} bytes, got {len(body) + 2}")
    return body + crc16(body).to_bytes(2, "little")


def number(name: str, value: int, size: int = 2) -> bytes:
    """`value` in `size` bytes, high byte first; ValueError naming the thing when it does not fit."""
    try:
        return value.to_bytes(size, "big")
    except OverflowError:
        raise ValueError(f"{name}: must lie in 0..{(1 << 8 * size) - 1}, got {value}") from None


def one_of(name: str, value: int, allowed: tuple[int, ...]) -> int:
    """`value`; ValueError naming the thing when it is not among `allowed`."""
    if value not in allowed:
        raise ValueError(f"{name}: expected {' or '.join(f'{a:02X}' for a in allowed)}, got {value:02X}")
    return value


def frame(unit: int, function: int, *parts: bytes) -> bytes:
    """A whole frame: unit, function, parts, CRC."""
    return seal(number("unit", unit, 1) + number("function", function, 1) + b"".join(parts))


# --- requests ---------------------------------------------------------------------------------------------
# Contents may be illegal (count 0, coil value 0x1234): such requests are heard, and answered by an exception.


@dataclass(frozen=True, slots=True)
class ReadBits:
    """Read coils (01) or discrete inputs (02)."""

    unit: int
    function: int
    address: int
    count: int

    def encode(self) -> bytes:
        function = one_of("function", self.function, (0x01, 0x02))
        return frame(self.unit, function, number("address", self.address), number("count", self.count))


@dataclass(frozen=True, slots=True)
class ReadWords:
    """Read holding registers (03) or input registers (04)."""

    unit: int
    function: int
    address: int
    count: int

    def encode(self) -> bytes:
        function = one_of("function", self.function, (0x03, 0x04))
        return frame(self.unit, function, number("address", self.address), number("count", self.count))


@dataclass(frozen=True, slots=True)
class WriteCoil:
    """Write one coil; `value` as on the wire: 0xFF00 on, 0x0000 off."""

    function: ClassVar[int] = 0x05
    unit: int
    address: int
    value: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function, number("address", self.address), number("value", self.value))


@dataclass(frozen=True, slots=True)
class WriteWord:
    """Write one holding register."""

    function: ClassVar[int] = 0x06
    unit: int
    address: int
    value: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function, number("address", self.address), number("value", self.value))


@dataclass(frozen=True, slots=True)
class WriteCoils:
    """Write `count` coils; `data` holds eight a byte, the lowest address in bit 0 of the first byte."""

    function: ClassVar[int] = 0x0F
    unit: int
    address: int
    count: int
    data: bytes

    def encode(self) -> bytes:
        if not 0 <= self.count <= MAX_WRITE_COILS:
            raise ValueError(f"count: must lie in 0..{MAX_WRITE_COILS}, got {self.count}")
        if len(self.data) != bytes_for_bits(self.count):
            wanted = bytes_for_bits(self.count)
            raise ValueError(f"data: {self.count} coils take {wanted} bytes, got {len(self.data)}")
        head = number("address", self.address) + number("count", self.count)
        return frame(self.unit, self.function, head, number("byte count", len(self.data), 1), self.data)


@dataclass(frozen=True, slots=True)
class WriteWords:
    """Write consecutive holding registers."""

    function: ClassVar[int] = 0x10
    unit: int
    address: int
    values: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.values)

    def encode(self) -> bytes:
        if self.count > MAX_WRITE_WORDS:
            raise ValueError(f"values: must not exceed {MAX_WRITE_WORDS} registers, got {self.count}")
        head = number("address", self.address) + number("count", self.count)
        data = b"".join(number("value", value) for value in self.values)
        return frame(self.unit, self.function, head, number("byte count", len(data), 1), data)


@dataclass(frozen=True, slots=True)
class IdentifyDevice:
    """Read device identification (2B, MEI type 0E): `code` 1 basic, 2 regular, 3 extended, 4 one object."""

    function: ClassVar[int] = 0x2B
    unit: int
    code: int
    object_id: int = 0

    def encode(self) -> bytes:
        what = number("code", self.code, 1) + number("object_id", self.object_id, 1)
        return frame(self.unit, self.function, b"\x0e", what)


@dataclass(frozen=True, slots=True)
class Login:
    """Vendor function 41, ``id 41 00 04 "user" "000000"``.

    Seen once, from an MT50-style master (stegthom/EpsolarTracerClient). Guess: ``00 04`` is the length of the
    name, and the password always has six characters. No normal client needs this function.
    """

    function: ClassVar[int] = 0x41
    unit: int
    user: bytes
    password: bytes

    def encode(self) -> bytes:
        if not 1 <= len(self.user) <= 32:
            raise ValueError(f"user: must have 1 to 32 bytes, got {len(self.user)}")
        if len(self.password) != PASSWORD_BYTES:
            raise ValueError(f"password: must have {PASSWORD_BYTES} bytes, got {len(self.password)}")
        return frame(self.unit, self.function, number("user", len(self.user)), self.user, self.password)


@dataclass(frozen=True, slots=True)
class ReadSparse:
    """Vendor function 43, "read discontinuous registers": those of `count` addresses that exist."""

    function: ClassVar[int] = 0x43
    unit: int
    address: int
    count: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function, number("address", self.address), number("count", self.count))


@dataclass(frozen=True, slots=True)
class UnitIdRequest:
    """Vendor function 45: tell the unit id (`unit_id` is 0xF8) or take a new one; `unit` is 0xF8."""

    function: ClassVar[int] = 0x45
    unit: int
    unit_id: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function, b"\0\x01\x01", number("unit_id", self.unit_id, 1))


@dataclass(frozen=True, slots=True)
class Unknown:
    """The CRC is good and the function is none of the above: to be answered by exception 01."""

    unit: int
    function: int
    data: bytes

    def encode(self) -> bytes:
        if not is_unknown(self.function):
            raise ValueError(f"function: must be one that is not known, in 01..7F, got {self.function:02X}")
        return frame(self.unit, self.function, self.data)


@dataclass(frozen=True, slots=True)
class Malformed:
    """The CRC is good, but no request of that function has such a form: a length or byte count that makes no sense, or
    a function that is none (00, or that of an exception reply). Only the silence around it tells it from junk.
    """

    unit: int
    function: int
    data: bytes

    def encode(self) -> bytes:
        return frame(self.unit, self.function, self.data)


Request: TypeAlias = (
    ReadBits
    | ReadWords
    | WriteCoil
    | WriteWord
    | WriteCoils
    | WriteWords
    | IdentifyDevice
    | Login
    | ReadSparse
    | UnitIdRequest
    | Unknown
    | Malformed
)


# --- how long a request is, and what it says -----------------------------------------------------------


def bytes_for_bits(count: int) -> int:
    """Bytes that `count` bits take on the wire."""
    return (count + 7) // 8


def _coils_size(head: bytes) -> int | None:
    if len(head) < 7:
        return 7
    count = int.from_bytes(head[4:6], "big")
    return 9 + head[6] if count <= MAX_WRITE_COILS and head[6] == bytes_for_bits(count) else None


def _words_size(head: bytes) -> int | None:
    if len(head) < 7:
        return 7
    count = int.from_bytes(head[4:6], "big")
    return 9 + head[6] if count <= MAX_WRITE_WORDS and head[6] == 2 * count else None


def _login_size(head: bytes) -> int | None:
    if len(head) < 4:
        return 4
    return 4 + head[3] + PASSWORD_BYTES + 2 if 1 <= head[3] <= 32 else None


_read = struct.Struct(">BBHH").unpack_from  # unit, function, address, count
_write = struct.Struct(">BxHH").unpack_from  # unit, address, count or value


def _write_coils(raw: bytes) -> WriteCoils:
    unit, address, count = _write(raw)
    return WriteCoils(unit, address, count, raw[7:-2])


def _write_words(raw: bytes) -> WriteWords:
    unit, address, count = _write(raw)
    return WriteWords(unit, address, struct.unpack_from(f">{count}H", raw, 7))


@dataclass(frozen=True, slots=True)
class _Shape:
    """A request as the wire shows it: a new function code is one row below."""

    size: int | Callable[[bytes], int | None]  # of the whole frame, CRC included; see `request_size`
    decode: Callable[[bytes], Request]
    fixed: bytes = b""  # what must follow the function code


_SHAPES = {
    0x01: _Shape(8, lambda raw: ReadBits(*_read(raw))),
    0x02: _Shape(8, lambda raw: ReadBits(*_read(raw))),
    0x03: _Shape(8, lambda raw: ReadWords(*_read(raw))),
    0x04: _Shape(8, lambda raw: ReadWords(*_read(raw))),
    0x05: _Shape(8, lambda raw: WriteCoil(*_write(raw))),
    0x06: _Shape(8, lambda raw: WriteWord(*_write(raw))),
    0x0F: _Shape(_coils_size, _write_coils),
    0x10: _Shape(_words_size, _write_words),
    0x2B: _Shape(7, lambda raw: IdentifyDevice(raw[0], raw[3], raw[4]), fixed=b"\x0e"),
    0x41: _Shape(_login_size, lambda raw: Login(raw[0], raw[4:-8], raw[-8:-2]), fixed=b"\0"),
    0x43: _Shape(8, lambda raw: ReadSparse(*_write(raw))),
    0x45: _Shape(8, lambda raw: UnitIdRequest(raw[0], raw[5]), fixed=b"\0\x01\x01"),
}


def request_size(head: bytes) -> int | None:
    """Bytes in the request that begins with `head`, as far as `head` tells.

    More than ``len(head)`` means: that many are needed to go on. None: no known request begins so.
    """
    if len(head) < 2:
        return 2
    shape = _SHAPES.get(head[1])
    if shape is None or not shape.fixed.startswith(head[2 : 2 + len(shape.fixed)]):
        return None
    return shape.size if isinstance(shape.size, int) else shape.size(head)


def is_unknown(function: int) -> bool:
    """Whether this is the function of an `Unknown` request; from 0x80 on are those of exception replies."""
    return function not in _SHAPES and 0 < function < 0x80


def decode_request(raw: bytes) -> Request:
    """What a whole frame of at least four bytes asks; the CRC is not looked at again."""
    if request_size(raw) == len(raw):
        return _SHAPES[raw[1]].decode(raw)
    return (Unknown if is_unknown(raw[1]) else Malformed)(raw[0], raw[1], raw[2:-2])
