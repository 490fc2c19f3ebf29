"""What `tracertwin poll` asks and makes of the answers; that it finds a device is in test_cli."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.functions import READ_FUNCTION
from modbus.codec.replies import ExceptionReply, Reply, WordsReply, decode_reply
from modbus.codec.requests import Request
from modbus.device.tracer import Tracer
from modbus.line.endpoint import LinkError
from modbus.map.bitfield import named_codes
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.client import NoReplyError
from modbus.master.poll import LARGEST_BLOCK, PolledDevice, Question, Reading, blocks, question, read
from tests.snapshots import EPEVER_WORDS, NOON, UART2_WORDS, Still
from tracertwin.cli.tables.polltable import print_json, print_table

MAPS = {name: load_map(name, TRACER_4210) for name in ("uart2", "epever")}
WORDS = {"uart2": UART2_WORDS, "epever": EPEVER_WORDS}
EPEVER = MAPS["epever"]


class Bench:
    """A Tracer at the made-up noon with no line in between; keeps what it was asked.

    It may lack some addresses, and be silent to some functions.
    """

    def __init__(self, map_name: str = "epever", lacks: tuple[int, ...] = (), deaf: tuple[int, ...] = ()):
        self._tracer = Tracer(MAPS[map_name], Still(NOON))
        self._lacks = lacks
        self._deaf = deaf
        self.asked: list[Request] = []

    def ask(self, request: Request, timeout_s: float, retries: int) -> Reply:
        self.asked.append(request)
        if request.function in self._deaf:
            raise NoReplyError("silence")
        if any(request.address <= address < request.address + request.count for address in self._lacks):
            return ExceptionReply(1, request.function, 2)
        reply = decode_reply(request, self._tracer.answer(request))
        assert reply is not None
        return reply


def polled(bench: Bench, map_name: str = "epever", **question: object) -> list[Reading]:
    return list(read(PolledDevice(bench, 1, 1.0, "the bench"), MAPS[map_name], Question(**question)))


def at(address: int, count: int = 1, table: str = "input") -> Reading:
    return polled(Bench(), address=address, count=count, table=table)[0]


def words_of(lines: list[Reading]) -> dict[int, int]:
    return {line.address + place: word for line in lines for place, word in enumerate(line.words or ())}


# --- what is asked ---


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("table", READ_FUNCTION)
def test_blocks_hold_every_row_once_whole_and_without_a_gap(name, table):
    rows = [row for row in MAPS[name].spec.rows if row.table == table]
    found = list(blocks(rows))
    assert [row for block in found for row in block] == rows
    for block in found:
        addresses = [address for row in block for address in row.addresses]
        assert addresses == list(range(addresses[0], addresses[0] + len(addresses)))
        assert len(addresses) <= LARGEST_BLOCK


@pytest.mark.parametrize("name", MAPS)
def test_reading_all_brings_the_words_written_by_hand(name):
    bench = Bench(name)
    found = words_of(polled(bench, name, table="input"))
    assert {address: found[address] for address in WORDS[name]} == WORDS[name]
    assert len(bench.asked) < len(MAPS[name].rows["input"]) / 3


def test_all_tables_are_read_each_by_its_function_and_what_can_only_be_written_is_left_out():
    bench = Bench()
    lines = polled(bench)
    readable = [(row.table, row.address) for row in EPEVER.spec.rows if row.origin.key != "action"]
    assert sorted((line.table, line.address) for line in lines) == sorted(readable)
    assert all(line.exception is None for line in lines)
    assert {request.function for request in bench.asked} == {1, 2, 3, 4}


def test_one_table_can_be_read_alone():
    bench = Bench()
    assert {line.table for line in polled(bench, table="discrete")} == {"discrete"}
    assert {request.function for request in bench.asked} == {2}


@pytest.mark.parametrize(
    ("where", "count", "table", "asked"),
    [
        ("0x9000", 15, None, (0x9000, 15, "holding")),
        ("0x2000", None, None, (0x2000, 1, "discrete")),
        ("0x0002", None, None, (2, 1, "coil")),
        ("0x9000", None, "coil", (0x9000, 1, "coil")),
        ("0x8000", None, None, (0x8000, 1, "input")),  # where the map has nothing
        ("12544", 8, None, (0x3100, 8, "input")),
        ("battery_voltage", None, None, (0x331A, 1, "input")),
        ("boost_voltage", None, None, (0x9007, 1, "holding")),
        ("boost_v", None, None, (0x9007, 1, "holding")),  # the setting that it holds
        ("load_manual_on_off", None, None, (2, 1, "coil")),
        ("0x331B", None, None, (0x331B, 2, "input")),
        ("0x331B", 1, None, (0x331B, 1, "input")),
        ("0x331C", None, None, (0x331C, 1, "input")),  # its high word
        ("battery_net_current", None, None, (0x331B, 2, "input")),
    ],
)
def test_the_map_says_in_which_table_an_address_or_a_name_is_and_how_long_it_is(where, count, table, asked):
    found = question(where, count, table, EPEVER)
    assert (found.address, found.count, found.table) == asked


def test_an_address_in_two_tables_is_an_input_register():
    assert question("0x200C", None, None, MAPS["uart2"]).table == "input"
    assert question("0x200C", None, None, EPEVER).table == "discrete"


# --- what is refused ---


@pytest.mark.parametrize(("table", "address"), [("input", 0x300E), ("holding", 0x9005), ("coil", 0x0003)])
def test_a_register_the_unit_lacks_costs_only_its_own_row(table, address):
    lines = polled(Bench(lacks=(address,)), table=table)
    refused = [line for line in lines if line.words is None]
    assert [(line.address, line.exception, line.meaning) for line in refused] == [
        (address, 2, ("illegal data address",))
    ]
    assert len(lines) == len(
        [row for row in EPEVER.spec.rows if row.table == table and row.origin.key != "action"]
    )


def test_a_real_unit_shows_its_own_map_where_firmware_expects_another():
    """Reading `uart2` off a unit that speaks `epever`: 0x200C is refused, 0x3200 is another register."""
    lines = {line.address: line for line in polled(Bench("epever"), "uart2", table="input")}
    assert lines[0x200C].exception == 2
    assert lines[0x3200].words == (EPEVER_WORDS[0x3200],)


def test_a_unit_that_is_silent_to_a_function_is_asked_once_and_the_rest_is_read():
    bench = Bench(deaf=(3,))
    lines = polled(bench)
    assert {line.exception for line in lines if line.table == "holding"} == {0}
    assert all(line.exception is None for line in lines if line.table != "holding")
    assert [request.function for request in bench.asked].count(3) == 1


def test_a_unit_that_never_answers_is_an_error():
    with pytest.raises(NoReplyError):
        polled(Bench(deaf=(1, 2, 3, 4)))


def test_a_damaged_reply_is_told_with_its_address():
    class Damaged(Bench):
        def ask(self, request: Request, timeout_s: float, retries: int) -> Reply:
            decode_reply(request, bytes.fromhex("010406"))
            raise AssertionError

    with pytest.raises(LinkError, match=r"the bench: 0x3100: no good reply: byte count: expected 02, got 06"):
        polled(Damaged(), address=0x3100)


# --- what it means ---


@pytest.mark.parametrize(
    ("address", "name", "text", "value", "unit"),
    [
        (0x3100, "pv_voltage", "36.42", 36.42, "V"),
        (0x3102, "pv_power", "1152.87", 1152.87, "W"),
        (0x3110, "battery_temperature", "-7.25", -7.25, "degC"),
        (0x331B, "battery_net_current", "-700.25", -700.25, "A"),
        (0x3008, "charging_mode", "2", 2, ""),
    ],
)
def test_values_have_the_decimals_sign_and_unit_of_their_row(address, name, text, value, unit):
    line = at(address, 2 if address != 0x3008 else 1)
    assert (line.name, line.text, line.value, line.unit) == (name, text, value, unit)


@pytest.mark.parametrize(
    ("table", "address", "meaning"),
    [
        ("input", 0x3008, ["MPPT"]),
        # D8, D9: faults that are not set; the word is 000B
        ("input", 0x3201, ["D0 running", "D1 charge current flows", "D3-2 boost", "D15-14 normal"]),
        ("holding", 0x9000, ["sealed"]),
        ("holding", 0x903E, ["1:00"]),
        ("coil", 0x0002, ["on"]),
        ("discrete", 0x200C, ["day"]),
    ],
)
def test_codes_and_bits_are_told_in_words(table, address, meaning):
    assert list(at(address, table=table).meaning) == meaning


def test_codes_are_found_in_the_words_of_a_row_and_other_numbers_are_not():
    assert named_codes("0 normal, 1 over-voltage; 2 since V26") == {0: "normal", 1: "over-voltage"}
    assert named_codes("load rated at 25 degC, 40 A") == {40: "A"}  # hence a row with a unit has no codes
    assert at(0x3104).meaning == ()


def test_a_word_that_is_no_hours_and_minutes_is_shown_as_it_came_and_why():
    class Worn(Bench):
        def ask(self, request: Request, timeout_s: float, retries: int) -> Reply:
            return WordsReply(1, 3, (0x00FF,))

    (line,) = polled(Worn(), address=0x9065, table="holding")
    assert (line.words, line.text, line.value) == ((0x00FF,), "", None)
    assert line.meaning == ("0x00FF: minutes must lie in 0..59, got 255",)


@given(st.integers(0x30F0, 0x3330), st.integers(1, 60))
def test_a_block_shows_every_word_once_wherever_it_is_cut(address, count):
    lines = polled(Bench("uart2"), "uart2", address=address, count=count)
    expected = {at: UART2_WORDS.get(at, 0) for at in range(address, address + count)}
    assert words_of(lines) == expected
    assert all(line.words is not None and 1 <= len(line.words) <= 2 for line in lines)


def test_half_of_a_pair_is_named_and_left_as_a_word():
    assert polled(Bench(), address=0x3103) == [
        Reading("input", 0x3103, "pv_power, high word", (1,), "1", 1),
    ]


# --- how it is told ---


def test_a_script_gets_one_object_with_a_number_or_an_exception_for_each_row(capsys):
    lines = polled(Bench(lacks=(0x9001,)))
    print_json(lines, link="the bench", unit=1)
    told = json.loads(capsys.readouterr().out)
    assert (told["link"], told["unit"], len(told["registers"])) == ("the bench", 1, len(lines))
    by_place = {(line["table"], line["address"]): line for line in told["registers"]}
    assert by_place["input", 0x3110] == {
        "table": "input", "address": 0x3110, "name": "battery_temperature", "value": -7.25, "unit": "degC",
        "words": [0x10000 - 725], "meaning": [],
    }  # fmt: skip
    assert by_place["holding", 0x9001] == {
        "table": "holding", "address": 0x9001, "name": "battery_capacity", "exception": 2,
        "meaning": ["illegal data address"],
    }  # fmt: skip
    assert all(isinstance(line["value"], int | float) for line in told["registers"] if "value" in line)


def table_of(lines: list[Reading], columns: int, capsys, monkeypatch) -> list[str]:
    """The table's lines, each with single blanks."""
    monkeypatch.setenv("COLUMNS", str(columns))
    print_table(lines)
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= columns
    assert "…" not in out
    return [" ".join(line.split()) for line in out.splitlines()]


def test_people_get_a_table_with_a_heading_for_each_of_the_devices_tables(capsys, monkeypatch):
    rows = table_of(polled(Bench(lacks=(0x9001,))), 100, capsys, monkeypatch)
    assert [row[-3:-1] for row in rows if row.endswith(")")] == ["04", "03", "01", "02"]
    assert "0x3110 battery_temperature -7.25 degC FD2B" in rows
    assert "0x200C night 0 day" in rows
    assert "0x9001 battery_capacity exception 02, illegal" in rows  # the rest below it


def test_on_80_columns_words_make_room_for_meanings(capsys, monkeypatch):
    rows = table_of(polled(Bench()), 80, capsys, monkeypatch)
    assert "0x3110 battery_temperature -7.25 degC" in rows
    assert "0x9014 rtc_day_hour day 1, hour 0" in rows
