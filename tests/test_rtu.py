"""Frames: requests and replies, there and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU, bit_message, mei_message, register_message

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.replies import (
    BadReply,
    BitsReply,
    EchoReply,
    ExceptionReply,
    IdentificationReply,
    LoginReply,
    Reply,
    SparseReply,
    UnitIdReply,
    WordsReply,
    decode_reply,
)
from modbus.codec.requests import (
    IdentifyDevice,
    Login,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    Unknown,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
    crc16,
    decode_request,
    request_size,
    seal,
)
from tests.frames import ANSWERED, GOLDEN, KNOWN, POLL, Exchange, byte, known_requests, requests, steady, word

# --- requests and replies, there and back -----------------------------------------------------------------


@steady
@given(requests)
def test_a_request_reads_as_it_was_written(request: Request) -> None:
    raw = request.encode()
    assert decode_request(raw) == request
    assert request_size(raw) == (None if isinstance(request, Unknown) else len(raw))
    assert crc16(raw) == 0
    assert raw[:2] == bytes((request.unit, request.function))


@steady
@given(known_requests)
def test_the_size_of_a_request_is_known_once_its_first_seven_bytes_are(request: Request) -> None:
    raw = request.encode()
    for known in range(len(raw)):
        size = request_size(raw[:known])
        assert size is not None
        assert known < size <= len(raw)
        assert size == len(raw) or known < 7


@pytest.mark.parametrize("exchange", GOLDEN, ids=lambda exchange: exchange.request[:6].hex(" "))
def test_frames_of_real_devices_read_and_write_the_same(exchange: Exchange) -> None:
    assert request_size(exchange.request) == len(exchange.request)
    request = decode_request(exchange.request)
    assert request.encode() == exchange.request
    reply = decode_reply(request, exchange.reply)
    assert (reply.encode() if reply else b"") == exchange.reply


def test_the_golden_transcript_has_every_recorded_function() -> None:
    assert {exchange.request[1] for exchange in GOLDEN} == set(KNOWN) - {0x06, 0x0F}  # never recorded
    assert {0x81, 0x82, 0x83, 0x84} < {exchange.reply[1] for exchange in ANSWERED}


@pytest.mark.parametrize(
    ("request_", "data", "reply"),
    [
        (POLL, "01 04 02 05 10 bb ac", WordsReply(1, 0x04, (1296,))),
        (ReadBits(1, 0x02, 0x200C, 1), "01 02 01 01 60 48", BitsReply(1, 0x02, (True,))),
        (ReadWords(1, 0x03, 0x3000, 1), "01 83 02 c0 f1", ExceptionReply(1, 0x03, 2)),
        (WriteCoil(1, 2, 0xFF00), "01 05 00 02 ff 00 2d fa", EchoReply(1, 0x05, 2, 0xFF00)),
        (WriteWords(1, 0x9013, (0, 0, 0)), "01 10 90 13 00 03 5c cd", EchoReply(1, 0x10, 0x9013, 3)),
        (UnitIdRequest(0xF8, 0xF8), "f8 45 03 82 a0", UnitIdReply(0xF8, 3)),
        (Login(1, b"user", b"000000"), "01 41 00 01 90 0c", LoginReply(1, 1)),
        (
            IdentifyDevice(1, 2),
            "01 2b 0e 02 01 00 00 01 03 10 30 30 30 32 32 30 31 33 30 31 32 30 30 30 34 35 7a 38",
            IdentificationReply(1, 2, ((3, b"0002201301200045"),)),
        ),
        (  # 3005 to 3008 and 300E exist
            ReadSparse(1, 0x3005, 10),
            "01 43 14 02 0f 07 d0 c3 50 00 00 00 02 07 d0 a8 c8",
            SparseReply(1, (2000, 50000, 0, 2, None, None, None, None, None, 2000)),
        ),
    ],
)
def test_recorded_replies_say_what_their_sources_say(request_: Request, data: str, reply: Reply) -> None:
    assert decode_reply(request_, bytes.fromhex(data)) == reply


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[Request, Reply]:
    """A request, and a reply that fits it."""
    request: Request = draw(known_requests)
    reply: Reply
    unit, function = request.unit, request.function
    match request:
        case ReadBits(address=address):
            reply = BitsReply(unit, function, tuple(draw(st.lists(st.booleans(), max_size=2000))))
            request = ReadBits(unit, function, address, len(reply.bits))
        case ReadWords(address=address):
            reply = WordsReply(unit, function, tuple(draw(st.lists(word, max_size=125))))
            request = ReadWords(unit, function, address, len(reply.words))
        case ReadSparse(address=address):
            reply = SparseReply(unit, tuple(draw(st.lists(st.none() | word, max_size=114))))
            request = ReadSparse(unit, address, len(reply.words))
        case WriteCoil() | WriteWord():
            reply = EchoReply(unit, function, request.address, request.value)
        case WriteCoils() | WriteWords():
            reply = EchoReply(unit, function, request.address, request.count)
        case IdentifyDevice(code=code):
            objects = draw(st.lists(st.tuples(byte, st.binary(max_size=40)), max_size=5))
            reply = IdentificationReply(unit, code, tuple(objects), draw(byte), draw(byte), draw(byte))
        case UnitIdRequest(unit_id=wanted):
            reply = UnitIdReply(unit, draw(byte) if wanted == 0xF8 else wanted)
        case _:
            reply = LoginReply(unit, draw(word))
    refused = draw(st.integers(0, 9)) == 0
    return request, ExceptionReply(unit, function, draw(byte)) if refused else reply


@steady
@given(exchanges())
def test_a_reply_reads_as_it_was_written_and_not_before_its_last_byte(
    exchange: tuple[Request, Reply],
) -> None:
    request, reply = exchange
    raw = reply.encode()
    assert [decode_reply(request, raw[:i]) for i in range(len(raw))] == [None] * len(raw)
    assert decode_reply(request, raw) == reply
    with pytest.raises(BadReply, match=f"length: expected {len(raw)} bytes, got {len(raw) + 1}"):
        decode_reply(request, raw + b"\0")


@steady
@given(exchanges(), st.data())
def test_a_reply_with_a_damaged_byte_is_never_accepted(
    exchange: tuple[Request, Reply], data: st.DataObject
) -> None:
    request, reply = exchange
    raw = bytearray(reply.encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        got = decode_reply(request, bytes(raw))
    except BadReply:
        got = None
    assert got is None


@steady
@given(requests, st.binary(max_size=300))
def test_whatever_comes_is_a_reply_or_a_bad_reply_or_too_short(request: Request, tail: bytes) -> None:
    got, refusal = None, "length: expected 1, got 0"
    try:
        got = decode_reply(request, bytes((request.unit, request.function)) + tail)
    except BadReply as error:
        refusal = str(error)
    assert re.fullmatch(".+: expected .+, got .+", refusal)
    assert got is None or got.encode()[:2] == bytes((request.unit, request.function))


@pytest.mark.parametrize(
    ("request_", "data", "message"),
    [
        (POLL, "02", "unit: expected 01, got 02"),
        (POLL, "01 03", "function: expected 04, got 03"),
        (POLL, "01 04 04", "byte count: expected 02, got 04"),
        (POLL, "01 04 02 05 10 bb ad", "CRC: expected bb ac, got bb ad"),
        (POLL, "01 04 02 05 10 bb ac 00", "length: expected 7 bytes, got 8"),
        (POLL, "01 84 02 c2 c2", "CRC: expected c2 c1, got c2 c2"),
        # rosswarren/epevermodbus issue 27: the adapter echoes the request
        (ReadWords(1, 0x04, 0x3100, 1), "01 04 31 00 00 01 3f 36", "byte count: expected 02, got 31"),
        (WriteCoil(1, 3, 0xFF00), "01 05 00 02 ff 00 2d fa", "echo: expected 00 03 ff 00, got 00 02 ff 00"),
        (
            WriteWords(1, 0x9013, (1,)),
            "01 10 90 13 00 03 5c cd",
            "echo: expected 90 13 00 01, got 90 13 00 03",
        ),
        (UnitIdRequest(0xF8, 2), "f8 45 01 03 61", "unit_id: expected 02, got 01"),
        (IdentifyDevice(1, 2), "01 2b 0e 01", "type and code: expected 0e 02, got 0e 01"),
        (IdentifyDevice(1, 1), "01 2b 0e 01 01 00 00 01 00 ff", "length: expected 256 bytes, got 267"),
        (ReadSparse(1, 0x3005, 10), "01 43 12", "twice the count: expected 14, got 12"),
        (ReadSparse(1, 0x3005, 10), "01 43 14 06 0f", "bitmap: expected 10 bits, got 11"),
        (Unknown(1, 0x07, b""), "01 07", "function: expected 87, got 07"),
    ],
)
def test_a_reply_that_can_never_be_right_is_refused_at_once(
    request_: Request, data: str, message: str
) -> None:
    with pytest.raises(BadReply) as caught:
        decode_reply(request_, bytes.fromhex(data))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (ReadWords(256, 0x04, 0, 1), "unit: must lie in 0..255, got 256"),
        (ReadWords(1, 0x10, 0, 1), "function: expected 03 or 04, got 10"),
        (ReadBits(1, 0x01, 70_000, 1), "address: must lie in 0..65535, got 70000"),
        (WriteWord(1, 0, -1), "value: must lie in 0..65535, got -1"),
        (WriteWords(1, 0, (0,) * 124), "values: must not exceed 123 registers, got 124"),
        (WriteCoils(1, 0, 1969, b""), "count: must lie in 0..1968, got 1969"),
        (WriteCoils(1, 0, 9, b"\0"), "data: 9 coils take 2 bytes, got 1"),
        (Login(1, b"", b"000000"), "user: must have 1 to 32 bytes, got 0"),
        (Login(1, b"user", b"0000"), "password: must have 6 bytes, got 4"),
        (Unknown(1, 0x04, b""), "function: must be one that is not known, in 01..7F, got 04"),
        (Unknown(1, 0x83, b""), "function: must be one that is not known, in 01..7F, got 83"),
        (Unknown(1, 0x07, bytes(253)), "frame: must not exceed 256 bytes, got 257"),
        (WordsReply(1, 0x04, (0x10000,)), "word: must lie in 0..65535, got 65536"),
        (WordsReply(1, 0x04, (0,) * 126), "frame: must not exceed 256 bytes, got 257"),
        (SparseReply(1, (0,) * 120), "frame: must not exceed 256 bytes, got 260"),
        (SparseReply(1, (None,) * 128), "twice the count: must lie in 0..255, got 256"),
    ],
)
def test_what_does_not_fit_is_not_encoded(frame: Request | Reply, message: str) -> None:
    with pytest.raises(ValueError, match="got") as caught:
        frame.encode()
    assert str(caught.value) == message


# --- against another implementation -----------------------------------------------------------------------


@steady
@given(st.binary(max_size=300))
def test_the_crc_is_that_of_pymodbus(data: bytes) -> None:
    assert crc16(data).to_bytes(2, "little") == FramerRTU.compute_CRC(data).to_bytes(2, "big")


REQUEST_PAIRS: list[tuple[Request, ModbusPDU]] = [
    (ReadBits(1, 1, 2, 9), bit_message.ReadCoilsRequest(dev_id=1, address=2, count=9)),
    (ReadBits(1, 2, 0x200C, 1), bit_message.ReadDiscreteInputsRequest(dev_id=1, address=0x200C, count=1)),
    (
        ReadWords(7, 3, 0x9000, 15),
        register_message.ReadHoldingRegistersRequest(dev_id=7, address=0x9000, count=15),
    ),
    (
        ReadWords(1, 4, 0x3104, 1),
        register_message.ReadInputRegistersRequest(dev_id=1, address=0x3104, count=1),
    ),
    (WriteCoil(1, 2, 0xFF00), bit_message.WriteSingleCoilRequest(dev_id=1, address=2, bits=[True])),
    (WriteWord(1, 9, 77), register_message.WriteSingleRegisterRequest(dev_id=1, address=9, registers=[77])),
    (
        WriteCoils(4, 3, 10, b"\x05\x02"),
        bit_message.WriteMultipleCoilsRequest(
            dev_id=4, address=3, bits=[bool(0x205 >> i & 1) for i in range(10)]
        ),
    ),
    (
        WriteWords(1, 0x9013, (0x3035, 0x1300, 0x0F06)),
        register_message.WriteMultipleRegistersRequest(
            dev_id=1, address=0x9013, registers=[0x3035, 0x1300, 0x0F06]
        ),
    ),
    (IdentifyDevice(1, 1, 0), mei_message.ReadDeviceInformationRequest(read_code=1, object_id=0, dev_id=1)),
]


@pytest.mark.parametrize(("ours", "theirs"), REQUEST_PAIRS, ids=lambda part: type(part).__name__)
def test_requests_have_the_bytes_that_pymodbus_sends(ours: Request, theirs: ModbusPDU) -> None:
    assert ours.encode() == FramerRTU(DecodePDU(True)).buildFrame(theirs)


def pymodbus_reads(reply: Reply) -> ModbusPDU:
    raw = reply.encode()
    used, pdu = FramerRTU(DecodePDU(False)).handleFrame(raw, reply.unit, 0)
    assert used == len(raw)
    assert pdu is not None
    return pdu


def test_replies_say_to_pymodbus_what_they_say_to_us() -> None:
    assert pymodbus_reads(WordsReply(1, 4, (1296, 65535))).registers == [1296, 65535]
    assert pymodbus_reads(BitsReply(1, 1, (True, False, True))).bits[:3] == [True, False, True]
    write = pymodbus_reads(EchoReply(1, 0x10, 0x9013, 3))
    assert (write.address, write.count) == (0x9013, 3)
    assert pymodbus_reads(EchoReply(1, 0x05, 2, 0xFF00)).bits == [True]
    refusal = pymodbus_reads(ExceptionReply(1, 4, 2))
    assert (refusal.function_code, refusal.exception_code) == (0x84, 2)
    identity = pymodbus_reads(
        IdentificationReply(1, 1, ((0, b"EPsolar Tech co., Ltd"), (1, b"Tracer2215BN")))
    )
    assert identity.information == {0: b"EPsolar Tech co., Ltd", 1: b"Tracer2215BN"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("function", [0x00, 0x04, 0x84, 0xFF])
def test_the_exception_to_any_function_has_its_highest_bit_set(function: int) -> None:
    body = bytes((1, function | 0x80, 1))
    assert ExceptionReply(1, function, 1).encode() == seal(body)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "exception 01, illegal function"),
        (2, "exception 02, illegal data address"),
        (3, "exception 03, illegal data value"),
        (4, "exception 04, server device failure"),
        (6, "exception 06, server device busy"),
        (11, "exception 0B, gateway target device failed to respond"),
        (200, "exception C8, not in the standard"),
    ],
)
def test_an_exception_has_the_standard_s_name(code: int, words: str) -> None:
    assert exception_phrase(code) == words
