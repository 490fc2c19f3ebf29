"""Two replies to one request: where they differ, register by register."""

from collections.abc import Iterator
from typing import Final

from modbus.codec.functions import TABLE_READ
from modbus.codec.replies import BadReply, BitsReply, WordsReply, decode_reply
from modbus.codec.requests import ReadBits, ReadWords, Request
from modbus.map.registers import RegisterMap

MOST: Final = 20  # lines


def differing(register_map: RegisterMap, request: Request, then: bytes, now: bytes) -> list[str]:
    """A line for each register that isn't the same; none where the replies can't be compared so."""
    if not isinstance(request, ReadBits | ReadWords):
        return []
    before, after = _values(request, then), _values(request, now)
    if len(before) != len(after):
        return []
    lines = list(_lines(register_map, request, before, after))
    return lines if len(lines) <= MOST else [*lines[:MOST], f"and {len(lines) - MOST} more"]


def _values(request: Request, frame: bytes) -> tuple[int, ...]:
    try:
        reply = decode_reply(request, frame)
    except BadReply:
        return ()
    if isinstance(reply, WordsReply):
        return reply.words
    return tuple(map(int, reply.bits)) if isinstance(reply, BitsReply) else ()


def _lines(
    register_map: RegisterMap,
    request: ReadBits | ReadWords,
    before: tuple[int, ...],
    after: tuple[int, ...],
) -> Iterator[str]:
    table = TABLE_READ[request.function]
    shown = register_map.answering(table)
    for address, (then, now) in enumerate(zip(before, after, strict=True), request.address):
        if then != now:
            yield f"0x{address:04X} {shown.label(table, address)}: {then:04X} then, {now:04X} now"
