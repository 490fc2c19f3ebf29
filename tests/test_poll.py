"""What `tracertwin poll` asks and makes of the answers; that it finds a device is in test_cli."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.endpoint import LinkError
from modbus.poll import LARGEST_BLOCK, Device, Line, blocks, read_all, read_block
from modbus.registers import TRACER_4210, load_map
from modbus.replies import ExceptionReply, Reply, decode_reply
from modbus.rtu import ReadWords
from modbus.tracer import Tracer
from tests.snapshots import EPEVER_WORDS, NOON, UART2_WORDS, Still

MAPS = {name: load_map(name, TRACER_4210) for name in ("uart2", "epever")}
WORDS = {"uart2": UART2_WORDS, "epever": EPEVER_WORDS}


class Bench:
    """A Tracer at the made-up noon, lacking some addresses, with no line in between; keeps what it was asked."""

    def __init__(self, map_name: str, lacks: tuple[int, ...] = ()) -> None:
        self._tracer = Tracer(MAPS[map_name], Still(NOON))
        self._lacks = lacks
        self.asked: list[ReadWords] = []

    def ask(self, request: ReadWords, timeout_s: float, retries: int) -> Reply:
        self.asked.append(request)
        if any(request.address <= address < request.address + request.count for address in self._lacks):
            return ExceptionReply(1, 4, 2)
        reply = decode_reply(request, self._tracer.answer(request))
        assert reply is not None
        return reply


def device(bench: Bench) -> Device:
    return Device(bench, 1, 1.0, "the bench")


def words_of(lines: list[Line]) -> dict[int, int]:
    return {line.address + place: word for line in lines for place, word in enumerate(line.words or ())}


@pytest.mark.parametrize("name", MAPS)
def test_blocks_hold_every_row_once_whole_and_without_a_gap(name):
    rows = [row for row in MAPS[name].spec.rows if row.table == "input"]
    found = list(blocks(rows))
    assert [row for block in found for row in block] == rows
    for block in found:
        addresses = [address for row in block for address in row.addresses]
        assert addresses == list(range(addresses[0], addresses[0] + len(addresses)))
        assert len(addresses) <= LARGEST_BLOCK


@pytest.mark.parametrize("name", MAPS)
def test_reading_all_brings_the_words_written_by_hand(name):
    bench = Bench(name)
    found = words_of(list(read_all(device(bench), MAPS[name])))
    assert {address: found[address] for address in WORDS[name]} == WORDS[name]
    assert len(bench.asked) < len(MAPS[name].rows["input"]) / 3


def test_a_register_the_unit_lacks_costs_only_its_own_row():
    lines = list(read_all(device(Bench("epever", lacks=(0x300D,))), MAPS["epever"]))
    refused = [line for line in lines if line.words is None]
    assert [(line.address, line.value) for line in refused] == [
        (0x300D, "exception 02: illegal data address")
    ]
    assert len(lines) == len([row for row in MAPS["epever"].spec.rows if row.table == "input"])


def test_a_real_unit_shows_its_own_map_where_firmware_expects_another():
    """Reading `uart2` off a unit that speaks `epever`: 0x200C is refused, 0x3200 is another register."""
    lines = {line.address: line for line in read_all(device(Bench("epever")), MAPS["uart2"])}
    assert lines[0x200C].value == "exception 02: illegal data address"
    assert lines[0x3200].words == (EPEVER_WORDS[0x3200],)


@pytest.mark.parametrize(
    ("address", "name", "value", "unit"),
    [
        (0x3100, "pv_voltage", "36.42", "V"),
        (0x3102, "pv_power", "1186.83", "W"),
        (0x3110, "battery_temperature", "-7.25", "degC"),
        (0x331B, "battery_net_current", "-700.25", "A"),
        (0x3201, "charging_status", "D0=1, D1=1, D3-2=2, D8=0, D9=0, D15-14=0", ""),
        (0x3008, "charging_mode", "2", ""),
    ],
)
def test_values_have_the_decimals_sign_and_unit_of_their_row(address, name, value, unit):
    (line, *_) = read_block(device(Bench("epever")), MAPS["epever"], address, 2 if address != 0x3008 else 1)
    assert (line.name, line.value, line.unit) == (name, value, unit)


@given(st.integers(0x30F0, 0x3330), st.integers(1, 60))
def test_a_block_shows_every_word_once_wherever_it_is_cut(address, count):
    lines = list(read_block(device(Bench("uart2")), MAPS["uart2"], address, count))
    expected = {at: UART2_WORDS.get(at, 0) for at in range(address, address + count)}
    assert words_of(lines) == expected
    assert all(line.words is not None and 1 <= len(line.words) <= 2 for line in lines)


def test_half_of_a_pair_is_named_and_left_as_a_word():
    (line,) = read_block(device(Bench("epever")), MAPS["epever"], 0x3103, 1)
    assert line == Line(0x3103, "pv_power, high word", "1", "", (1,))


def test_a_damaged_reply_is_told_with_its_address():
    class Damaged(Bench):
        def ask(self, request: ReadWords, timeout_s: float, retries: int) -> Reply:
            decode_reply(request, bytes.fromhex("010406"))
            raise AssertionError

    with pytest.raises(LinkError, match="the bench: 0x3100: no good reply: byte count: expected 02, got 06"):
        list(read_block(device(Damaged("epever")), MAPS["epever"], 0x3100, 1))
