"""The Tracer: recorded conversations byte for byte, who is answered, and which exception a request earns."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.requests import ReadWords, WriteCoil, WriteWord, crc16
from modbus.device.interface import Shown
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, Difference, load_map
from plant.kernel.snapshot import Snapshot
from tests.snapshots import EPEVER_WORDS, NEW, NOON, UART2_WORDS, ZERO, Still

GOLDEN = Path(__file__).parent / "golden"
EPEVER = load_map("epever", TRACER_4210)
UART2 = load_map("uart2", TRACER_4210)
EPEVER_AT_NOON = Tracer(EPEVER, Still(NOON))
UART2_AT_NOON = Tracer(UART2, Still(NOON))


def read(address: int, count: int, unit: int = 1, function: int = 0x04) -> ReadWords:
    return ReadWords(unit, function, address, count)


def words_of(reply: bytes | None) -> list[int]:
    assert reply is not None
    assert crc16(reply) == 0
    assert reply[2] == len(reply) - 5
    return [int.from_bytes(reply[i : i + 2], "big") for i in range(3, len(reply) - 2, 2)]


# --- recorded conversations -----------------------------------------------------------------------


def conversation(name: str) -> Iterator[tuple[ReadWords, bytes]]:
    """Polls and replies of a transcript; every poll in them is an eight-byte read."""
    lines = [line for line in (GOLDEN / f"{name}.txt").read_text().splitlines() if not line.startswith("#")]
    for asked, told in zip(lines[::2], lines[1::2], strict=True):
        assert (asked[0], told[0]) == (">", "<")
        poll = bytes.fromhex(asked[2:])
        assert crc16(poll) == 0
        fields = [int.from_bytes(poll[i : i + 2], "big") for i in (2, 4)]
        yield ReadWords(poll[0], poll[1], *fields), bytes.fromhex(told[2:])


UART2_FLOAT = ZERO._replace(
    v_pv_v=18.44, i_pv_a=4.41, v_batt_v=13.5, v_load_v=13.4, i_load_a=2.0, p_load_w=26.8, t_probe_c=25.0,
    soc_controller=0.75, stage=4.0, generated_today_kwh=1.5, generated_total_kwh=120.0,
    consumed_today_kwh=0.8, consumed_total_kwh=85.0,
)  # fmt: skip
BN2215_NIGHT = ZERO._replace(
    v_pv_v=1.97, v_batt_v=12.96, v_load_v=12.95, load_on=1.0, t_probe_c=25.0, t_amb_c=25.0, t_heatsink_c=28.89,
    soc_controller=0.70, v_pv_max_today_v=2.04, v_pv_min_today_v=1.90, v_batt_max_today_v=12.98,
    v_batt_min_today_v=12.95, consumed_month_kwh=0.02, consumed_year_kwh=1.62, consumed_total_kwh=1.62,
    generated_month_kwh=0.11, generated_year_kwh=2.78, generated_total_kwh=2.78,
)  # fmt: skip
BN2215_LOAD_ON = ZERO._replace(
    v_batt_v=12.76, i_batt_a=-0.03, load_on=1.0, v_batt_max_today_v=12.76, v_batt_min_today_v=12.74,
    consumed_month_kwh=0.66, consumed_year_kwh=0.66, consumed_total_kwh=0.66,
    generated_month_kwh=1.03, generated_year_kwh=1.03, generated_total_kwh=1.03,
)  # fmt: skip
XTRA4415_BULK = ZERO._replace(
    v_pv_v=95.61, i_pv_a=2.27, p_pv_w=228.43, p_chg_w=288.12, i_chg_a=11.6, stage=1.0, t_probe_c=30.05,
    t_heatsink_c=40.91, soc_controller=0.39, v_pv_max_today_v=122.2, v_pv_min_today_v=0.76,
    v_batt_max_today_v=25.78, v_batt_min_today_v=23.59, consumed_total_kwh=0.06, generated_today_kwh=0.74,
    generated_month_kwh=2.27, generated_year_kwh=2.27, generated_total_kwh=12.54, v_batt_v=24.92,
    i_batt_a=19.33,
)  # fmt: skip
BN2215_RATINGS = {
    "pv_rated_v": 150.0, "pv_rated_a": 20.0, "pv_rated_w": 520.0, "charge_rated_a": 20.0,
    "charge_rated_w": 500.0, "load_rated_a": 20.0,
}  # fmt: skip
XTRA4415_RATINGS = {
    "pv_rated_v": 150.0, "pv_rated_w": 2080.0, "battery_rated_v": 48.0, "charge_rated_w": 2080.0,
    "system_v": 24.0,
}  # fmt: skip


# Registers that AN units work out of others, and these did not: the UART2 script made them up one by one; a BN and an
# XTRA were read register by register, from one moment to the next.
NOT_AS_RECORDED = {
    "uart2_poll_set": {0x3101, 0x310C, 0x310E},
    "epever_bn2215": {0x310C},
    "epever_xtra4415": {0x3101, 0x3102, 0x3106},
}


@pytest.mark.parametrize(
    ("name", "register_map", "snapshot", "ratings"),
    [
        ("uart2_poll_set", "uart2", UART2_FLOAT, {}),
        ("epever_bn2215", "epever", BN2215_NIGHT, BN2215_RATINGS),
        ("epever_bn2215_blocks", "epever", BN2215_LOAD_ON, BN2215_RATINGS),
        ("epever_xtra4415", "epever", XTRA4415_BULK, XTRA4415_RATINGS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_recorded_conversation_comes_out_byte_for_byte(name, register_map, snapshot, ratings):
    device = Tracer(load_map(register_map, {**TRACER_4210, **ratings}), Still(snapshot))
    polls = list(conversation(name))
    assert len(polls) >= 4
    different = {poll.address for poll, told in polls if device.answer(poll) != told}
    assert different == NOT_AS_RECORDED.get(name, set())


# --- any read -------------------------------------------------------------------------------------

ADDRESSES = st.one_of(
    st.sampled_from(sorted(UART2_WORDS)), st.integers(0x3000, 0x3400), st.integers(0, 0xFFFF)
)
COUNTS = st.one_of(st.integers(0, 30), st.integers(0, 0xFFFF))


@given(ADDRESSES, COUNTS)
def test_epever_gives_mapped_words_or_the_right_exception(address, count):
    reply = EPEVER_AT_NOON.answer(read(address, count))
    wanted = range(address, address + count)
    if not 1 <= count <= 125:
        assert reply == bytes.fromhex("01 84 03 03 01")
    elif all(a in EPEVER_WORDS for a in wanted):
        assert words_of(reply) == [EPEVER_WORDS[a] for a in wanted]
    else:
        assert reply == bytes.fromhex("01 84 02 C2 C1")  # recorded 58 times on a Tracer2215BN


@given(ADDRESSES, COUNTS)
def test_uart2_reads_zero_where_nothing_is_mapped(address, count):
    reply = UART2_AT_NOON.answer(read(address, count))
    if not 1 <= count <= 125:
        assert reply == bytes.fromhex("01 84 03 03 01")
    elif address + count > 0x10000:
        assert reply == bytes.fromhex("01 84 02 C2 C1")
    else:
        assert words_of(reply) == [UART2_WORDS.get(a, 0) for a in range(address, address + count)]


@pytest.mark.parametrize(("address", "count"), [(0xFFFF, 1), (0xFF83, 125)])
def test_uart2_answers_up_to_the_last_address(address, count):
    assert words_of(UART2_AT_NOON.answer(read(address, count))) == [0] * count


@pytest.mark.parametrize(("address", "count"), [(0xFFFF, 2), (0xFF84, 125)])
def test_uart2_refuses_what_lies_past_the_last_address(address, count):
    assert UART2_AT_NOON.answer(read(address, count)) == bytes.fromhex("01 84 02 C2 C1")


@given(st.lists(st.floats(), min_size=len(Snapshot._fields), max_size=len(Snapshot._fields)))
def test_a_plant_gone_mad_does_not_stop_the_replies(values):
    device = Tracer(UART2, Still(Snapshot(*values)))
    assert len(words_of(device.answer(read(0x3300, 31)))) == 31
    assert len(words_of(device.answer(read(0x3100, 20)))) == 20


def test_a_map_may_cut_blocks_at_the_first_hole(tmp_path):
    """As one AN client saw it: 27 registers asked from 0x3100, 19 got (zuzkins/ha-epever)."""
    path = tmp_path / "an.yaml"
    path.write_text("name: an\ntitle: t\nextends: epever\npartial: cut\nrows: []\n", encoding="utf-8")
    device = Tracer(load_map(str(path), TRACER_4210), Still(NOON))
    assert words_of(device.answer(read(0x3100, 27))) == [EPEVER_WORDS[a] for a in range(0x3100, 0x3114)]
    assert device.answer(read(0x3114, 3)) == bytes.fromhex("01 84 02 C2 C1")


class Kept(Still):
    """A device that shows the same record for as long as nothing changes, as a running plant does."""

    at = Shown(NOON, NEW)

    def shown(self) -> Shown:
        if self.at != (self.snapshot, self.settings):
            self.at = Shown(self.snapshot, self.settings)
        return self.at


def test_a_block_read_again_is_what_it_was_until_plant_or_settings_change():
    device = Kept(NOON)
    tracer = Tracer(UART2, device)
    first = words_of(tracer.answer(read(0x3104, 1)))
    assert words_of(tracer.answer(read(0x3104, 1))) == first
    device.snapshot = NOON._replace(v_batt_v=NOON.v_batt_v + 1.0)
    assert words_of(tracer.answer(read(0x3104, 1))) == [first[0] + 100]
    boost = ReadWords(1, 3, 0x9001, 1)
    before = words_of(tracer.answer(boost))
    device.settings = device.settings._replace(capacity_ah=device.settings.capacity_ah + 1)
    assert words_of(tracer.answer(boost)) == [before[0] + 1]


def test_a_block_read_again_by_another_unit_id_is_answered_by_that_one():
    tracer = Tracer(UART2, Kept(NOON))
    replies = [tracer.answer(read(0x3104, 1, unit)) for unit in (1, 7, 1)]
    assert [reply and reply[0] for reply in replies] == [1, 7, 1]
    assert all(reply and crc16(reply) == 0 for reply in replies)


# --- one instant ----------------------------------------------------------------------------------


class Restless(Still):
    """A device that shows another instant each time it is asked."""

    def shown(self) -> Shown:
        self.snapshot = ZERO if self.snapshot.i_batt_a else ZERO._replace(i_batt_a=-0.03)
        return super().shown()


@given(st.integers(0, 25))
def test_pairs_never_tear_inside_a_reply(start):
    """Read in two requests the pair did tear on a Tracer2215BN: 0000 and FFFF."""
    device = Tracer(EPEVER, Restless(ZERO))
    pairs = set()
    for _ in range(4):
        words = words_of(device.answer(read(0x3300 + start, 31 - start)))
        pairs.add(tuple(words[0x1B - start : 0x1D - start]))
    assert pairs == {(0, 0), (0xFFFD, 0xFFFF)}


def test_the_plant_is_asked_once_for_a_reply_and_not_for_a_refusal():
    plant = Still(NOON)
    device = Tracer(EPEVER, plant)
    device.answer(read(0x3300, 31))
    assert plant.asked == 1
    for refused in (read(0x3300, 0), read(0x3300, 32), read(0x3300, 1, unit=9), read(0x3300, 1, function=3)):
        device.answer(refused)
    assert plant.asked == 1


# --- who is answered ------------------------------------------------------------------------------


def units_answered(device: Tracer) -> list[int]:
    replies = [device.answer(read(0x3104, 1, unit)) for unit in range(256)]
    return [reply[0] for reply in replies if reply is not None]


def test_epever_answers_its_own_unit_only():
    assert units_answered(Tracer(EPEVER, Still(NOON), unit=17)) == [17]


def test_uart2_answers_every_unit_by_its_number():
    assert units_answered(Tracer(UART2, Still(NOON), unit=17)) == list(range(256))


def test_a_unit_without_power_is_silent_and_says_so_each_time_it_has_lost_it():
    """Nothing but its battery terminals feeds it; at night, with the battery disconnected, it is dead."""
    plant, told = Still(NOON), list[float]()
    device = Tracer(EPEVER, plant, needs_v=8.0, unpowered=told.append)
    written: list[int] = []
    requests = (
        read(0x3104, 1),
        ReadWords(1, 3, 0x9003, 12),
        WriteWord(1, 0x9001, 150),
        WriteCoil(0, 2, True),
    )
    for plant.snapshot in (NOON._replace(v_batt_v=7.9), NOON, ZERO):
        is_dark = plant.snapshot.v_batt_v < 8.0
        answers = [device.answer(request) for request in requests]
        assert [answer is None for answer in answers] == [is_dark, is_dark, is_dark, True]
        written.append(len(plant.done))
    assert told == [7.9, 0.0]
    assert written[0] == 0
    assert written[1] == written[2] > 0


@pytest.mark.parametrize("unit", [0, 248, -1])
def test_a_tracer_can_not_be_given_an_impossible_unit(unit):
    with pytest.raises(ValueError, match=r"unit: must lie in 1\.\.247"):
        Tracer(EPEVER, Still(NOON), unit)


# --- the warning ----------------------------------------------------------------------------------


def warnings_of(register_map, polls):
    told: list[Difference] = []
    device = Tracer(register_map, Still(NOON), warn_once=told.append)
    for poll in polls:
        device.answer(poll)
    return told


def test_first_read_that_a_real_tracer_answers_otherwise_is_told_once():
    polls = [read(0x3100, 16), read(0x3304, 2), read(0x32FE, 9), read(0x200C, 1), read(0x3200, 1)]
    (told,) = warnings_of(UART2, polls)
    assert (told.address, told.there) == (0x3300, "pv_voltage_max_today")


def test_nothing_is_told_where_the_map_is_the_published_one():
    assert warnings_of(EPEVER, [read(0x3200, 3), read(0x3300, 31), read(0x200C, 1)]) == []


# --- counters at their edges ---


@pytest.mark.parametrize(
    ("kwh", "low_word_first"),
    [
        (655.35, [0xFFFF, 0x0000]),
        (655.36, [0x0000, 0x0001]),
        (655.37, [0x0001, 0x0001]),
        (42_949_672.95, [0xFFFF, 0xFFFF]),
        (42_949_672.96, [0xFFFF, 0xFFFF]),  # holds there: a counter never goes back
        (1e12, [0xFFFF, 0xFFFF]),
    ],
)
@pytest.mark.parametrize("address", [0x3304, 0x3306, 0x3308, 0x330A, 0x330C, 0x330E, 0x3310, 0x3312])
def test_energy_counters_carry_into_the_high_word_and_hold_at_the_top(address, kwh, low_word_first):
    meters = {name: kwh for name in Snapshot._fields if name.endswith("_kwh")}
    device = Tracer(EPEVER, Still(ZERO._replace(**meters)))
    assert words_of(device.answer(read(address, 2))) == low_word_first
