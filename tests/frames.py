"""Requests of every kind, made up by hypothesis, and the frames that real devices were seen to exchange."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from modbus.codec.requests import (
    IdentifyDevice,
    Login,
    ReadBits,
    ReadSparse,
    ReadWords,
    UnitIdRequest,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
    crc16,
)

steady = settings(derandomize=True, deadline=None, max_examples=150)

POLL = ReadWords(1, 0x04, 0x3104, 1)
POLL_BYTES = bytes.fromhex("01 04 31 04 00 01 7e f7")
KNOWN = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0F, 0x10, 0x2B, 0x41, 0x43, 0x45)


class Exchange(NamedTuple):
    """A request of the golden transcript and its reply, empty when none was published."""

    request: bytes
    reply: bytes


def golden() -> Iterator[Exchange]:
    lines = Path(__file__).with_name("golden").joinpath("rtu_frames.txt").read_text().splitlines()
    frames = [line for line in lines if line[:1] in ("<", ">")]
    for line, after in zip(frames, [*frames[1:], ""], strict=True):
        if line.startswith(">"):
            yield Exchange(bytes.fromhex(line[1:]), bytes.fromhex(after[1:] if after[:1] == "<" else ""))


GOLDEN = tuple(golden())
ANSWERED = tuple(exchange for exchange in GOLDEN if exchange.reply)

byte = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFF)
addressed = {"unit": byte, "address": word}


@st.composite
def write_coils(draw: st.DrawFn) -> WriteCoils:
    count = draw(st.integers(0, 1968))
    size = (count + 7) // 8
    return WriteCoils(draw(byte), draw(word), count, draw(st.binary(min_size=size, max_size=size)))


known_requests = st.one_of(
    st.builds(ReadBits, **addressed, function=st.sampled_from((1, 2)), count=word),
    st.builds(ReadWords, **addressed, function=st.sampled_from((3, 4)), count=word),
    st.builds(WriteCoil, **addressed, value=word),
    st.builds(WriteWord, **addressed, value=word),
    write_coils(),
    st.builds(WriteWords, **addressed, values=st.lists(word, max_size=123).map(tuple)),
    st.builds(IdentifyDevice, unit=byte, code=byte, object_id=byte),
    st.builds(
        Login, unit=byte, user=st.binary(min_size=1, max_size=32), password=st.binary(min_size=6, max_size=6)
    ),
    st.builds(ReadSparse, **addressed, count=word),
    st.builds(UnitIdRequest, unit=byte, unit_id=byte),
)


def fits_early(raw: bytes) -> bool:
    """Whether the CRC fits before the end, by a chance of one in 65536 for each byte."""
    return any(crc16(raw[:size]) == 0 for size in range(4, len(raw)))


unknown_requests = st.builds(
    Unknown,
    unit=byte,
    function=st.integers(0x01, 0x7F).filter(lambda function: function not in KNOWN),
    data=st.binary(max_size=252),
).filter(lambda request: not fits_early(request.encode()))
requests = known_requests | unknown_requests
