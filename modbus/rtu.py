"""Modbus RTU requests: bytes and a time in, requests or junk out.

Knows frames, check sums and how long each request is. Knows no socket, no clock and no register; which unit
is meant, and whether it may ask what it asks, is for `modbus.tracer` to say. Replies: `modbus.replies`.

A line under an emulator has no silence between frames that could be trusted: with QEMU's default socket (no
``nodelay=on``, qemu/qemu chardev/char-socket.c) the first byte of a request comes alone and the rest 40 to
48 ms later. So a request is where its length and its CRC say it is. Ways the line goes wrong, each with a
test: bytes one at a time, two requests at once, rubbish before, between and after, a request cut off in the
middle, a long request whose payload contains a short one, replies of other devices on the same RS-485 pair.

What length and CRC cannot tell apart:

- The reply to 05 and 06 *is* the request. An adapter that echoes what we send makes the Tracer write again.
- Replies of other devices that have eight bytes: 01 and 02 with 17 to 24 bits, vendor 43 with one register.
- Replies of other devices to functions that are not known here look like requests with that function.
- A CRC has 16 bits: of noise in the form of a request, one in 65536 is taken for one. A request with unknown
  function may be of any length, so one burst of noise in 65536 becomes one at each of up to 253 lengths.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

MAX_FRAME = 256  # "MODBUS over serial line specification and implementation guide V1.02", 2.5.1
MAX_WRITE_WORDS = 123  # "MODBUS application protocol specification V1.1b3", 6.12
MAX_WRITE_COILS = 1968  # same, 6.11
ANY_UNIT = 0xF8  # service address of vendor function 45 (V26 protocol document)
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
    if not 0 <= value < 1 << 8 * size:
        raise ValueError(f"{name}: must lie in 0..{(1 << 8 * size) - 1}, got {value}")
    return value.to_bytes(size, "big")


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
class UnitId:
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
        if self.function in _SHAPES or not 0 < self.function < 0x80:
            raise ValueError(f"function: must be one that is not known, in 01..7F, got {self.function:02X}")
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
    | UnitId
    | Unknown
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


def _pair(raw: bytes) -> tuple[int, int]:
    """Address and count, or address and value."""
    return int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[4:6], "big")


def _write_words(raw: bytes) -> WriteWords:
    return WriteWords(raw[0], _pair(raw)[0], struct.unpack(f">{raw[6] // 2}H", raw[7:-2]))


@dataclass(frozen=True, slots=True)
class _Shape:
    """A request as the wire shows it: a new function code is one row below."""

    size: int | Callable[[bytes], int | None]  # of the whole frame, CRC included; see `request_size`
    decode: Callable[[bytes], Request]
    fixed: bytes = b""  # what must follow the function code


_SHAPES = {
    0x01: _Shape(8, lambda raw: ReadBits(raw[0], raw[1], *_pair(raw))),
    0x02: _Shape(8, lambda raw: ReadBits(raw[0], raw[1], *_pair(raw))),
    0x03: _Shape(8, lambda raw: ReadWords(raw[0], raw[1], *_pair(raw))),
    0x04: _Shape(8, lambda raw: ReadWords(raw[0], raw[1], *_pair(raw))),
    0x05: _Shape(8, lambda raw: WriteCoil(raw[0], *_pair(raw))),
    0x06: _Shape(8, lambda raw: WriteWord(raw[0], *_pair(raw))),
    0x0F: _Shape(_coils_size, lambda raw: WriteCoils(raw[0], *_pair(raw), raw[7:-2])),
    0x10: _Shape(_words_size, _write_words),
    0x2B: _Shape(7, lambda raw: IdentifyDevice(raw[0], raw[3], raw[4]), fixed=b"\x0e"),
    0x41: _Shape(_login_size, lambda raw: Login(raw[0], raw[4:-8], raw[-8:-2]), fixed=b"\0"),
    0x43: _Shape(8, lambda raw: ReadSparse(raw[0], *_pair(raw))),
    0x45: _Shape(8, lambda raw: UnitId(raw[0], raw[5]), fixed=b"\0\x01\x01"),
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


# --- the parser --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Received:
    """A request: what it says, its bytes, and when the last of them came."""

    request: Request
    raw: bytes
    at_s: float


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that are no request, at most 256 of them, and why the first of them begins none."""

    data: bytes
    why: str


class RequestParser:
    """Cuts a stream of bytes into requests and junk; every byte comes out in exactly one event.

    Each position in turn is asked whether a request starts there: no, by its form or its CRC (slide one
    byte); yes; or not to be told yet, and then the parser waits. Waiting for a request of fixed length, or
    for the seven bytes that show the form of a long one, is over before a good request behind is complete.
    Only a long request that is plausible (the byte count of a write fits its count of registers) delays those
    behind it, until it is complete or the line has been quiet for `hold_s`. That is what keeps a short
    request inside the payload of a long one from being heard.

    `feed` never gives up: what it returns depends on the bytes alone, not on how they are cut or when they
    come, since bytes that wait in a socket while the host stalls are not silence. `flush` gives up.

    A request with an unknown function has no length. It is looked for only behind a frame or behind quiet,
    and ends where its CRC first fits. A known request that starts inside it goes before it, so it waits until
    none can: it comes at once as a rule, after `hold_s` if its tail looks like the head of something. Its
    last byte is not looked at in this way, since any byte may be the unit of another request; so noise that
    passes for an unknown request (one burst in 65536) can cost the good request behind it its first byte.

    Parameters
    ----------
    hold_s : float
        Quiet on the line after which an unfinished request is given up [s]. With the pieces of a request 40
        to 48 ms apart (see above), holds of 2, 5 and 20 ms lost 15 of 30 polls, 100 ms none.

    Notes
    -----
    Between calls at most 510 bytes are held: 255 that start nothing, and 255 of an unfinished frame.
    """

    def __init__(self, hold_s: float = 0.1) -> None:
        self._hold_s = hold_s
        self._held = bytearray()
        self._arrived_s: list[float] = []  # one for each byte held
        self._at = 0  # held[:_at] start no known request
        self._crc: int | None = 0xFFFF  # of held[:_at]; None when no frame can begin at held[0]

    @property
    def deadline_s(self) -> float | None:
        """When to call `flush` if nothing comes before; None when nothing is held."""
        return self._arrived_s[-1] + self._hold_s if self._held else None

    def feed(self, data: bytes, now_s: float) -> list[Received | Junk]:
        """What `data`, arrived at `now_s` on any clock, makes known."""
        events: list[Received | Junk] = []
        for begin in range(0, len(data), MAX_FRAME):  # in slices: the buffer stays small whatever comes
            piece = data[begin : begin + MAX_FRAME]
            self._held += piece
            self._arrived_s += [now_s] * len(piece)
            self._resolve(events, quiet=False)
        return events

    def flush(self, now_s: float) -> list[Received | Junk]:
        """What becomes known because the line has been quiet until `now_s`; nothing before `deadline_s`."""
        events: list[Received | Junk] = []
        if self.deadline_s is not None and now_s >= self.deadline_s:
            self._resolve(events, quiet=True)
            self._drop_as_junk(len(self._held), events, clean=True)
        return events

    def _resolve(self, events: list[Received | Junk], quiet: bool) -> None:
        """Decide position after position, until more bytes are needed and may still come."""
        held = self._held
        while self._at < len(held):
            if self._ends_unknown():
                self._deliver(self._at + 1, events)
                continue
            size = request_size(bytes(held[self._at : self._at + 7]))
            end = self._at + (size or 0)
            if size and end > len(held):
                if not quiet:
                    return
            elif size and crc16(held[self._at : end]) == 0:
                self._drop_as_junk(self._at, events, clean=True)
                self._deliver(size, events)
                continue
            self._slide()
            if self._at == MAX_FRAME:
                self._drop_as_junk(MAX_FRAME, events, clean=False)

    def _ends_unknown(self) -> bool:
        """Whether the bytes up to and with the present one are a request with an unknown function."""
        if self._crc is None or self._at < 3 or crc16(self._held[self._at : self._at + 1], self._crc) != 0:
            return False
        return self._held[1] not in _SHAPES and 0 < self._held[1] < 0x80  # from 0x80 on: exception replies

    def _slide(self) -> None:
        """No known request starts at the present position."""
        if self._crc is not None:
            self._crc = crc16(self._held[self._at : self._at + 1], self._crc)
        self._at += 1

    def _deliver(self, size: int, events: list[Received | Junk]) -> None:
        """The first `size` bytes are a request."""
        raw = bytes(self._held[:size])
        shape = _SHAPES.get(raw[1])
        request = shape.decode(raw) if shape else Unknown(raw[0], raw[1], raw[2:-2])
        events.append(Received(request, raw, self._arrived_s[size - 1]))
        self._begin_anew(size, clean=True)

    def _drop_as_junk(self, size: int, events: list[Received | Junk], clean: bool) -> None:
        """The first `size` bytes are junk; `clean`: a frame may begin behind them."""
        if size:
            data = bytes(self._held[:size])
            events.append(Junk(data, _why_junk(data)))
        self._begin_anew(size, clean)

    def _begin_anew(self, used: int, clean: bool) -> None:
        del self._held[:used], self._arrived_s[:used]
        self._at = 0
        self._crc = 0xFFFF if clean else None


def _why_junk(data: bytes) -> str:
    size = request_size(data)
    if size is None:
        return "no request begins so"
    if size > len(data):
        return f"cut off: expected {size} bytes or more, got {len(data)}"
    expected, got = seal(data[: size - 2])[-2:], data[size - 2 : size]
    return f"bad CRC: expected {expected.hex(' ')}, got {got.hex(' ')}"
