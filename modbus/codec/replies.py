"""Modbus RTU replies: what a Tracer sends back, and what a master makes of the bytes it gets.

Knows the form of each reply. Knows no register and no line. A master hands over all bytes that came since its
request; the request tells what the reply must look like, so a wrong one is found at the first byte that
cannot be right.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from modbus.codec.requests import (
    ANY_UNIT,
    MAX_FRAME,
    IdentifyDevice,
    Login,
    Malformed,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
    bytes_for_bits,
    frame,
    number,
    one_of,
    seal,
)

EXCEPTION = 0x80  # set in the function code of an exception reply


class BadReply(ValueError):  # noqa: N818 - named for the bytes, which are at fault
    """Bytes that can never become the reply to the request."""


@dataclass(frozen=True, slots=True)
class WordsReply:
    """Registers, to 03 and 04; each 0..65535."""

    unit: int
    function: int
    words: tuple[int, ...]

    def encode(self) -> bytes:
        data = _words_to_bytes(self.words)
        function = one_of("function", self.function, (0x03, 0x04))
        return frame(self.unit, function, number("byte count", len(data), 1), data)


@dataclass(frozen=True, slots=True)
class BitsReply:
    """Coils or discrete inputs, to 01 and 02; the lowest address first."""

    unit: int
    function: int
    bits: tuple[bool, ...]

    def encode(self) -> bytes:
        function = one_of("function", self.function, (0x01, 0x02))
        data = _bits_to_int(self.bits).to_bytes(bytes_for_bits(len(self.bits)), "little")
        return frame(self.unit, function, number("byte count", len(data), 1), data)


@dataclass(frozen=True, slots=True)
class EchoReply:
    """A write was done: to 05 and 06 with the value written, to 0F and 10 with the count."""

    unit: int
    function: int
    address: int
    value: int

    def encode(self) -> bytes:
        function = one_of("function", self.function, (0x05, 0x06, 0x0F, 0x10))
        return frame(self.unit, function, number("address", self.address), number("value", self.value))


@dataclass(frozen=True, slots=True)
class IdentificationReply:
    """Device identification, to 2B/0E: `objects` are pairs of object id and text.

    `conformity` 01 (basic, by stream) is what recorded Tracers report, though they serve object 3 as well.
    """

    function: ClassVar[int] = 0x2B
    unit: int
    code: int
    objects: tuple[tuple[int, bytes], ...]
    conformity: int = 1
    more_follows: int = 0
    next_object: int = 0

    def encode(self) -> bytes:
        head = b"\x0e" + number("code", self.code, 1) + number("conformity", self.conformity, 1)
        head += number("more_follows", self.more_follows, 1) + number("next_object", self.next_object, 1)
        head += number("objects", len(self.objects), 1)
        for object_id, text in self.objects:
            head += number("object id", object_id, 1) + number("object length", len(text), 1) + text
        return frame(self.unit, self.function, head)


@dataclass(frozen=True, slots=True)
class SparseReply:
    """To vendor 43: one word for each address asked for, None where no register exists.

    On the wire: twice the count asked for (not the length of what follows), a bit for each address
    (big-endian, bit 0 is the first), then the registers that exist. Recorded from a Tracer2215BN and a
    Tracer3215BN.
    """

    function: ClassVar[int] = 0x43
    unit: int
    words: tuple[int | None, ...]

    def encode(self) -> bytes:
        exists = tuple(word is not None for word in self.words)
        bitmap = _bits_to_int(exists).to_bytes(bytes_for_bits(len(exists)), "big")
        data = _words_to_bytes(tuple(word for word in self.words if word is not None))
        length = number("twice the count", 2 * len(self.words), 1)
        return frame(self.unit, self.function, length, bitmap, data)


@dataclass(frozen=True, slots=True)
class UnitIdReply:
    """To vendor 45: the unit id that now holds; `unit` is the service address F8, as in the request."""

    function: ClassVar[int] = 0x45
    unit: int
    unit_id: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function, number("unit_id", self.unit_id, 1))


@dataclass(frozen=True, slots=True)
class LoginReply:
    """To vendor 41. ``00 01`` is the only result ever recorded."""

    function: ClassVar[int] = 0x41
    unit: int
    result: int = 1

    def encode(self) -> bytes:
        return frame(self.unit, self.function, number("result", self.result))


@dataclass(frozen=True, slots=True)
class ExceptionReply:
    """The request was refused: `code` 1 its function, 2 its address, 3 its value, 4 the device failed."""

    unit: int
    function: int
    code: int

    def encode(self) -> bytes:
        return frame(self.unit, self.function | EXCEPTION, number("code", self.code, 1))


Reply: TypeAlias = (
    WordsReply
    | BitsReply
    | EchoReply
    | IdentificationReply
    | SparseReply
    | UnitIdReply
    | LoginReply
    | ExceptionReply
)


def _words_to_bytes(words: tuple[int, ...]) -> bytes:
    try:
        return struct.pack(f">{len(words)}H", *words)
    except struct.error:
        return b"".join(number("word", word) for word in words)  # its ValueError says which does not fit


def _bits_to_int(bits: tuple[bool, ...]) -> int:
    return sum(1 << i for i, bit in enumerate(bits) if bit)


def _bytes_to_words(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(data) // 2}H", data)


def _int_to_bits(value: int, count: int) -> tuple[bool, ...]:
    return tuple(bool(value >> i & 1) for i in range(count))


def _expect(what: str, expected: int | bytes, got: int | bytes) -> None:
    if expected != got:
        raise BadReply(f"{what}: expected {_hex(expected)}, got {_hex(got)}")


def _hex(value: int | bytes) -> str:
    return value.hex(" ") if isinstance(value, bytes) else f"{value:02x}"


# --- what a master makes of the bytes -----------------------------------------------------------------------


def decode_reply(request: Request, data: bytes) -> Reply | None:
    """The reply to `request` that `data` holds; None when more bytes are needed.

    Parameters
    ----------
    request : Request
        What was sent.
    data : bytes
        All bytes that came since.

    Raises
    ------
    BadReply
        `data` can never become the reply: another unit or function, a byte count that does not fit the
        request, a wrong CRC, bytes behind the end, or a write acknowledged that was not asked for.
    """
    if data:
        _expect("unit", request.unit, data[0])
    if len(data) < 2:
        return None
    if data[1] == request.function | EXCEPTION:
        size: int | None = 5
    else:
        size = _size_of_good_reply(request, data)
    if size is None or len(data) < size <= MAX_FRAME:
        return None
    if size > MAX_FRAME or len(data) > size:
        raise BadReply(f"length: expected {min(size, MAX_FRAME)} bytes, got {max(size, len(data))}")
    _expect("CRC", seal(data[:-2])[-2:], data[-2:])
    if data[1] & EXCEPTION:
        return ExceptionReply(request.unit, request.function, data[2])
    return _FORMS[request.function].decode(request, data)


def _size_of_good_reply(request: Request, data: bytes) -> int | None:
    form = _FORMS.get(request.function)
    if form is None or isinstance(request, Malformed):  # nothing but its exception can be framed
        raise BadReply(f"function: expected {request.function | EXCEPTION:02x}, got {data[1]:02x}")
    _expect("function", request.function, data[1])
    return form.size if isinstance(form.size, int) else form.size(request, data)


def _counted_size(expected: int, data: bytes) -> int | None:
    """Size of a reply with its byte count in the third byte."""
    if len(data) < 3:
        return None
    _expect("byte count", expected, data[2])
    return 3 + expected + 2


def _bits_size(request: ReadBits, data: bytes) -> int | None:
    return _counted_size(bytes_for_bits(request.count), data)


def _words_size(request: ReadWords, data: bytes) -> int | None:
    return _counted_size(2 * request.count, data)


def _bits(request: ReadBits, data: bytes) -> BitsReply:
    bits = int.from_bytes(data[3:-2], "little")
    return BitsReply(request.unit, request.function, _int_to_bits(bits, request.count))


def _words(request: ReadWords, data: bytes) -> WordsReply:
    return WordsReply(request.unit, request.function, _bytes_to_words(data[3:-2]))


def _echo_of_value(request: WriteCoil | WriteWord, data: bytes) -> EchoReply:
    return _echo(EchoReply(request.unit, request.function, request.address, request.value), data)


def _echo_of_count(request: WriteCoils | WriteWords, data: bytes) -> EchoReply:
    return _echo(EchoReply(request.unit, request.function, request.address, request.count), data)


def _echo(expected: EchoReply, data: bytes) -> EchoReply:
    _expect("echo", expected.encode()[2:6], data[2:6])
    return expected


def _identification_size(request: IdentifyDevice, data: bytes) -> int | None:
    expected = bytes((0x0E, request.code))
    _expect("type and code", expected[: len(data) - 2], data[2:4])
    if len(data) < 8:
        return None
    end = 8
    for _ in range(data[7]):  # each object: id, length, text
        if len(data) < end + 2:
            return None if end + 2 <= MAX_FRAME else end + 2
        end += 2 + data[end + 1]
    return end + 2


def _identification(request: IdentifyDevice, data: bytes) -> IdentificationReply:
    objects, at = [], 8
    for _ in range(data[7]):
        end = at + 2 + data[at + 1]
        objects.append((data[at], data[at + 2 : end]))
        at = end
    return IdentificationReply(request.unit, data[3], tuple(objects), data[4], data[5], data[6])


def _sparse_size(request: ReadSparse, data: bytes) -> int | None:
    if len(data) < 3:
        return None
    _expect("twice the count", 2 * request.count, data[2])
    bitmap_end = 3 + bytes_for_bits(request.count)
    if len(data) < bitmap_end:
        return None
    exists = int.from_bytes(data[3:bitmap_end], "big")
    if exists >> request.count:
        raise BadReply(f"bitmap: expected {request.count} bits, got {exists.bit_length()}")
    return bitmap_end + 2 * exists.bit_count() + 2


def _sparse(request: ReadSparse, data: bytes) -> SparseReply:
    bitmap_end = 3 + bytes_for_bits(request.count)
    exists = _int_to_bits(int.from_bytes(data[3:bitmap_end], "big"), request.count)
    words = iter(_bytes_to_words(data[bitmap_end:-2]))
    return SparseReply(request.unit, tuple(next(words) if there else None for there in exists))


def _unit_id(request: UnitIdRequest, data: bytes) -> UnitIdReply:
    if request.unit_id != ANY_UNIT:
        _expect("unit_id", request.unit_id, data[2])
    return UnitIdReply(request.unit, data[2])


def _login(request: Login, data: bytes) -> LoginReply:
    return LoginReply(request.unit, int.from_bytes(data[2:4], "big"))


@dataclass(frozen=True, slots=True)
class _Form:
    """A good reply as the wire shows it. `decode` gets a frame of the right size with a good CRC."""

    size: int | Callable[[Any, bytes], int | None]  # of the whole frame; None: more bytes are needed to tell
    decode: Callable[[Any, bytes], Reply]


_FORMS = {
    0x01: _Form(_bits_size, _bits),
    0x02: _Form(_bits_size, _bits),
    0x03: _Form(_words_size, _words),
    0x04: _Form(_words_size, _words),
    0x05: _Form(8, _echo_of_value),
    0x06: _Form(8, _echo_of_value),
    0x0F: _Form(8, _echo_of_count),
    0x10: _Form(8, _echo_of_count),
    0x2B: _Form(_identification_size, _identification),
    0x41: _Form(6, _login),
    0x43: _Form(_sparse_size, _sparse),
    0x45: _Form(5, _unit_id),
}
