"""Who a Tracer says it is, whom it answers, and that no request leaves it without the right kind of answer."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given

from modbus.codec.replies import (
    BitsReply,
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
)
from modbus.device.model import Model, load_model
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from plant.base.configs import config_dir
from plant.base.problems import ProblemsError
from tests.frames import requests, steady
from tests.snapshots import EPEVER_WORDS, NOON, Still

EPEVER = load_map("epever", TRACER_4210)
UART2 = load_map("uart2", TRACER_4210)
MODEL = load_model("tracer4210n")
MODELS = sorted((config_dir() / "controllers").glob("*.yaml"))


def tracer(register_map=EPEVER, unit: int = 1, **changes) -> Tracer:
    return Tracer(register_map, Still(NOON), unit, Model.model_validate({**MODEL.model_dump(), **changes}))


def ask(device: Tracer, request: Request) -> Reply:
    frame = device.answer(request)
    assert frame is not None
    reply = decode_reply(request, frame)
    assert reply is not None
    return reply


# --- name and number ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_controller_has_a_name_that_fits_a_frame_and_a_serial_number_of_sixteen_digits(path):
    device = Tracer(EPEVER, Still(NOON), 7, load_model(path.stem))
    basic = ask(device, IdentifyDevice(7, 1))
    regular = ask(device, IdentifyDevice(7, 2))
    assert isinstance(basic, IdentificationReply)
    assert isinstance(regular, IdentificationReply)
    assert [number for number, _ in basic.objects] == [0, 1, 2]
    ((number, serial),) = regular.objects
    assert (number, len(serial), serial.isdigit()) == (3, 16, True)
    assert {basic.conformity, regular.conformity} == {1}
    assert {basic.more_follows, basic.next_object} == {0}


def test_a_4210an_calls_itself_as_its_sibling_3210an_does():
    reply = ask(tracer(), IdentifyDevice(1, 1))
    assert isinstance(reply, IdentificationReply)
    assert reply.objects == ((0, b"EPsolar Tech co., Ltd"), (1, b"TriRon4210"), (2, b"V01.56+V01.22"))


def test_an_identification_may_begin_in_the_middle_and_starts_over_at_an_object_that_is_not_there():
    def begin_at(number: int) -> list[int]:
        reply = ask(tracer(), IdentifyDevice(1, 1, number))
        assert isinstance(reply, IdentificationReply)
        return [found for found, _ in reply.objects]

    assert [begin_at(number) for number in (0, 1, 2, 3, 0x80)] == [
        [0, 1, 2],
        [1, 2],
        [2],
        [0, 1, 2],
        [0, 1, 2],
    ]


def test_single_objects_are_not_served():
    assert ask(tracer(), IdentifyDevice(1, 4)) == ExceptionReply(1, 0x2B, 3)


def test_several_units_of_one_line_have_serial_numbers_of_their_own():
    serials = [ask(tracer(unit=unit), IdentifyDevice(unit, 2)).objects[0][1] for unit in (1, 2, 247)]
    assert len(set(serials)) == 3


def test_login_takes_the_recorded_name_and_password_only():
    assert ask(tracer(), Login(1, b"user", b"000000")) == LoginReply(1, 1)
    assert ask(tracer(), Login(1, b"user", b"111111")) == ExceptionReply(1, 0x41, 3)
    assert ask(tracer(), Login(1, b"root", b"000000")) == ExceptionReply(1, 0x41, 3)


# --- unit ids -----------------------------------------------------------------------------------------------------


def test_the_service_address_tells_the_unit_id():
    assert ask(tracer(unit=3), UnitIdRequest(0xF8, 0xF8)) == UnitIdReply(0xF8, 3)
    assert ask(tracer(UART2, unit=3), UnitIdRequest(0xF8, 0xF8)) == UnitIdReply(0xF8, 3)


def test_a_new_unit_id_holds_after_a_power_cycle():
    device = tracer(unit=3)
    assert ask(device, UnitIdRequest(0xF8, 2)) == UnitIdReply(0xF8, 2)
    assert ask(device, UnitIdRequest(0xF8, 0xF8)) == UnitIdReply(0xF8, 2)
    read = [ReadWords(unit, 4, 0x3104, 1) for unit in (3, 2)]
    assert [device.answer(request) is not None for request in read] == [True, False]
    device.power_cycle()
    assert [device.answer(request) is not None for request in read] == [False, True]
    assert device.unit == 2


def test_a_model_may_take_a_new_unit_id_at_once():
    device = tracer(unit=3, new_id="at_once")
    ask(device, UnitIdRequest(0xF8, 2))
    assert device.unit == 2


@pytest.mark.parametrize("unit", [0, 249, 255])
def test_an_impossible_unit_id_is_not_taken_and_not_answered(unit):
    device = tracer(unit=3, new_id="at_once")
    assert device.answer(UnitIdRequest(0xF8, unit)) is None
    assert device.unit == 3


def test_the_service_address_is_for_unit_ids_only():
    for request in (ReadWords(0xF8, 4, 0x3104, 1), IdentifyDevice(0xF8, 1), ReadBits(0xF8, 1, 2, 1)):
        assert tracer().answer(request) is None
    assert tracer().answer(UnitIdRequest(1, 0xF8)) == ExceptionReply(1, 0x45, 1).encode()


# --- how much at once ---------------------------------------------------------------------------------------------


def test_a_small_model_refuses_long_blocks_with_its_own_exception():
    small = load_model("tracer4210a")
    device = Tracer(EPEVER, Still(NOON), 1, small)
    assert isinstance(ask(device, ReadWords(1, 4, 0x3300, 20)), WordsReply)
    assert ask(device, ReadWords(1, 4, 0x3300, 21)) == ExceptionReply(1, 4, 2)
    assert isinstance(ask(tracer(), ReadWords(1, 4, 0x3300, 31)), WordsReply)


def test_uart2_reads_as_the_old_script_did_on_a_small_model_too():
    device = Tracer(UART2, Still(NOON), 1, load_model("tracer4210a"))
    assert isinstance(ask(device, ReadWords(1, 4, 0x3300, 125)), WordsReply)


@pytest.mark.parametrize(("function", "first"), [(1, 2), (2, 0x2000), (3, 0x9000), (4, 0x3100)])
@pytest.mark.parametrize("count", [0, 2001, 0xFFFF])
def test_counts_that_no_frame_holds_are_refused(function, first, count):
    kind = ReadBits if function < 3 else ReadWords
    assert ask(tracer(), kind(1, function, first, count)) == ExceptionReply(1, function, 3)


@pytest.mark.parametrize(("count", "code"), [(0, 3), (119, 3), (118, None)])
def test_a_sparse_read_of_118_registers_is_the_longest(count, code):
    reply = ask(tracer(), ReadSparse(1, 0x9000, count))
    assert (reply.code if isinstance(reply, ExceptionReply) else None) == code


def test_a_model_file_with_mistakes_is_told_all_of_them(tmp_path):
    text = MODELS[0].read_text(encoding="utf-8").replace("too_large: 3", "too_larg: 5")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("words: 125", "words: 126"), encoding="utf-8")
    with pytest.raises(ProblemsError) as caught:
        load_model(str(path))
    told = [str(problem).partition(": ")[2] for problem in caught.value.problems]
    assert sorted(told) == [
        "line.largest.words: input should be less than or equal to 125, got 126",
        "line.too_larg: unknown key (did you mean too_large?)",
        "line.too_large: missing",
    ]


def test_a_controller_without_a_line_section_is_told_so(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(Path(MODELS[0]).read_text(encoding="utf-8").partition("line:")[0], encoding="utf-8")
    with pytest.raises(ProblemsError, match="line: missing"):
        load_model(str(path))


# --- discontinuous reads ------------------------------------------------------------------------------------------


def test_a_sparse_read_brings_existing_registers_and_says_which_they_are():
    reply = ask(tracer(), ReadSparse(1, 0x3100, 0x1B))
    assert isinstance(reply, SparseReply)
    assert reply.words == tuple(EPEVER_WORDS.get(address) for address in range(0x3100, 0x311B))
    # Recorded.
    assert tracer().answer(ReadSparse(1, 0x3100, 0x1B))[:7] == bytes.fromhex("01 43 36 04 0f ff ff")


def test_a_sparse_read_where_nothing_is_gets_exception_02():
    assert ask(tracer(), ReadSparse(1, 0x4000, 20)) == ExceptionReply(1, 0x43, 2)
    assert ask(tracer(), ReadSparse(1, 0xFFF0, 100)) == ExceptionReply(1, 0x43, 2)


def test_a_word_that_is_0_still_exists_to_a_sparse_read():
    reply = ask(tracer(), ReadSparse(1, 0x3316, 1))
    assert isinstance(reply, SparseReply)
    assert reply.words == (0,)


# --- uart2 --------------------------------------------------------------------------------------------------------


def test_uart2_shows_all_but_function_04_as_a_real_tracer_does():
    ours, real = tracer(UART2), tracer(EPEVER)
    for request in (
        ReadBits(1, 2, 0x200C, 1), ReadBits(1, 1, 2, 4), ReadWords(1, 3, 0x9000, 15), ReadWords(1, 3, 0x3200, 1),
        ReadSparse(1, 0x3200, 4), ReadSparse(1, 0x3300, 31), ReadSparse(1, 0x2000, 20), IdentifyDevice(1, 1),
        ReadWords(1, 3, 0x4000, 1), ReadBits(1, 2, 0x2001, 1), WriteCoils(1, 2, 1, b"\1"),
    ):  # fmt: skip
        assert ours.answer(request) == real.answer(request), request


def test_uart2_answers_writes_and_other_tables_at_any_unit_id_but_not_at_the_broadcast():
    device = tracer(UART2)
    answered = [unit for unit in range(256) if device.answer(ReadWords(unit, 3, 0x9000, 1)) is not None]
    assert answered == list(range(1, 248))


# --- any request --------------------------------------------------------------------------------------------------


def reads_well(request: Request, frame: bytes) -> bool:
    """Whether the frame is what the request's master waits for."""
    assert crc16(frame) == 0
    assert len(frame) <= 256
    if isinstance(request, Unknown):
        return frame[:3] == bytes((request.unit, request.function | 0x80, 1))
    reply = decode_reply(request, frame)
    if isinstance(reply, ExceptionReply):
        return reply.code in (1, 2, 3, 4)
    return reply is not None


@steady
@given(requests)
def test_any_request_gets_a_reply_an_exception_or_silence_as_its_unit_says(request_):
    device = Tracer(EPEVER, Still(NOON), 17)
    frame = device.answer(request_)
    for_us = request_.unit == 17
    if request_.unit == 0xF8 and request_.function == 0x45:
        for_us = 1 <= request_.unit_id <= 247 or request_.unit_id == 0xF8
    assert (frame is not None) == for_us
    assert frame is None or reads_well(request_, frame)


@pytest.mark.parametrize("name", ["epever", "uart2"])
@steady
@given(requests)
def test_any_request_for_the_unit_gets_an_answer_that_its_master_understands(name, request_):
    device = Tracer(EPEVER if name == "epever" else UART2, Still(NOON), 1)
    fields = {key: getattr(request_, key) for key in request_.__slots__}
    mine = type(request_)(**{**fields, "unit": 1})
    frame = device.answer(mine)
    assert frame is not None
    assert reads_well(mine, frame)


def test_functions_that_exist_are_those_of_the_documents_and_recordings():
    found = Counter()
    for function in range(1, 0x80):
        frame = tracer().answer(probe(function))
        assert frame is not None
        found[function] = frame[1] & 0x80 and frame[2] == 1
    assert [function for function, missing in found.items() if not missing] == [
        1, 2, 3, 4, 5, 6, 0x10, 0x2B, 0x41, 0x43,
    ]  # fmt: skip


def probe(function: int) -> Request:
    known = {
        1: ReadBits(1, 1, 2, 1), 2: ReadBits(1, 2, 0x2000, 1), 3: ReadWords(1, 3, 0x9000, 1),
        4: ReadWords(1, 4, 0x3100, 1), 0x2B: IdentifyDevice(1, 1), 0x41: Login(1, b"user", b"000000"),
        0x43: ReadSparse(1, 0x3100, 1), 0x0F: WriteCoils(1, 2, 1, b"\1"),
    }  # fmt: skip
    known |= {5: WriteCoil(1, 2, 0), 6: WriteWord(1, 0x9001, 1), 0x10: WriteWords(1, 0x9001, (1,))}
    known |= {0x45: UnitIdRequest(1, 0xF8)}
    return known.get(function, Unknown(1, function, b""))


def test_a_bit_reply_holds_eight_bits_a_byte_lowest_address_first():
    reply = ask(tracer(), ReadBits(1, 1, 2, 4))
    assert isinstance(reply, BitsReply)
    assert tracer().answer(ReadBits(1, 1, 2, 4))[2:4] == bytes((1, 0b0001))


# --- registers that not every model has ------------------------------------------------------------------------------

FC43_OF_A = "3f fc e0 00 00 03 ff f8 7f ff"  # the end of the bitmap that a BN sends for 0x9000 x 0x76


@pytest.mark.parametrize("name", ["tracer4210a", "tracer4210n"])
def test_an_a_unit_lacks_what_only_documents_of_the_n_family_have(name):
    """One answer more would shift every field of a client that decodes function 43 by position."""
    model = load_model(name)
    register_map = load_map("epever", TRACER_4210, model.optional)
    device = Tracer(register_map, Still(NOON), model=model)
    reply = device.answer(ReadSparse(1, 0x9000, 0x76))
    assert reply is not None
    bitmap = bytes(reply[3 : 3 + 15]).hex(" ")
    assert bitmap.endswith(FC43_OF_A) == (name == "tracer4210a")
    refused = [
        address
        for function, address in (
            (3, 0x9010),
            (3, 0x9011),
            (3, 0x9107),
            (4, 0x300D),
            (4, 0x300F),
            (4, 0x3010),
        )
        if ask(device, ReadWords(1, function, address, 1)) == ExceptionReply(1, function, 2)
    ]
    assert len(refused) == (6 if name == "tracer4210a" else 0)


def test_every_model_names_first_addresses_of_optional_rows_only():
    optional = {row.address for row in EPEVER.spec.rows if row.optional}
    for path in sorted((config_dir() / "controllers").glob("*.yaml")):
        assert set(load_model(path.stem).optional) <= optional
