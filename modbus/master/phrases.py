"""Requests and replies as a person would say them."""

from typing import Final

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.functions import TABLE_READ
from modbus.codec.replies import (
    BadReply,
    BitsReply,
    ExceptionReply,
    IdentificationReply,
    Reply,
    SparseReply,
    WordsReply,
    decode_reply,
)
from modbus.codec.requests import (
    ANY_UNIT,
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
)

CHANGE_NOTHING: Final = (*TABLE_READ, 0x2B, 0x43)
NOUN: Final = {
    "coil": "coil",
    "discrete": "discrete input",
    "holding": "holding register",
    "input": "input register",
}


def phrase(request: Request) -> str:
    """``read 8 input registers from 0x3100 (unit 1)``."""
    is_read = request.function in CHANGE_NOTHING and not isinstance(request, Malformed)
    text = _of_read(request) if is_read else _of_other(request)
    return f"{text} (unit {request.unit})"


def _of_read(request: Request) -> str:
    match request:
        case ReadBits(_, function, address, count) | ReadWords(_, function, address, count):
            return f"read {_many(count, NOUN[TABLE_READ[function]])} from 0x{address:04X}"
        case ReadSparse(_, address, count):
            return f"read what exists of {_many(count, 'register')} from 0x{address:04X}"
        case IdentifyDevice(_, code, object_id):
            return f"identify, code {code}, object {object_id}"
    return f"function {request.function:02X}"


def _of_other(request: Request) -> str:
    match request:
        case WriteCoil(_, address, value):
            to = {0xFF00: "on", 0x0000: "off"}.get(value, f"to 0x{value:04X}")
            text = f"switch coil 0x{address:04X} {to}"
        case WriteCoils(_, address, count, _):
            text = f"switch {_many(count, 'coil')} from 0x{address:04X}"
        case WriteWord(_, address, value):
            text = f"write {value} to 0x{address:04X}"
        case WriteWords(_, address, values):
            text = f"write {', '.join(map(str, values)) or 'nothing'} from 0x{address:04X}"
        case Login(_, user, _):
            text = f"log in as {user.decode('ascii', 'replace')}"
        case Malformed(_, function, _):
            text = f"a frame with function {function:02X} that is not a request"
        case UnitIdRequest(_, unit_id):
            text = "ask for the unit id" if unit_id == ANY_UNIT else f"set the unit id to {unit_id}"
        case _:
            text = f"function {request.function:02X}"
    return text


def shape(request: Request, frame: bytes) -> str:
    """What a reply is like, whatever its values: ``8 registers``, ``silence``, an exception."""
    if not frame:
        return "silence"
    try:
        reply = decode_reply(request, frame)
    except BadReply as error:
        return f"no reply to this: {error}"
    return "a reply cut short" if reply is None else shape_of(reply)


def shape_of(reply: Reply) -> str:
    """The same of a reply that was understood."""
    match reply:
        case ExceptionReply(_, _, code):
            return exception_phrase(code)
        case WordsReply(_, _, words):
            return _many(len(words), "register")
        case BitsReply(_, _, bits):
            return _many(len(bits), "bit")
        case SparseReply(_, words):
            return f"{sum(word is not None for word in words)} of {_many(len(words), 'register')}"
        case IdentificationReply():
            return "objects " + " ".join(f"{number:02X}" for number, _ in reply.objects)
    return "done"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
