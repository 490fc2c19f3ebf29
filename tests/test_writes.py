"""What a client may set: rules as recorded and documented, and that no sequence of writes gets round them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modbus.codec.replies import BitsReply, EchoReply, ExceptionReply, Reply, WordsReply, decode_reply
from modbus.codec.requests import ReadBits, ReadWords, WriteCoil, WriteCoils, WriteWord, WriteWords
from modbus.device.model import load_model
from modbus.device.tracer import Tracer
from modbus.map.forms import PackedForm, ScaledForm
from modbus.map.registers import TRACER_4210, load_map
from modbus.map.rows import DurationRow, SettingRow
from plant.controller.compatibility import conflicts
from plant.controller.settings import BATTERY_TYPES, VOLTAGES, Settings, factory
from tests.snapshots import NEW, ZERO, Still

EPEVER = load_map("epever", TRACER_4210)
EPEVER_24 = load_map("epever", {**TRACER_4210, "system_v": 24.0})
USER = NEW._replace(battery_type=0, system_code=1)
SEALED_VOLTS = (1600, 1500, 1500, 1460, 1440, 1380, 1320, 1260, 1220, 1200, 1110, 1060)
# An AN of 20 A, as dumped.
OTHER_VOLTS = (1470, 1440, 1460, 1440, 1440, 1360, 1330, 1200, 1200, 1150, 1100, 1100)
NOON_2031 = datetime(2031, 2, 28, 12, 34, 56, tzinfo=UTC).timestamp()


class Bench:
    """A Tracer on a plant that stands still, and a master beside it."""

    def __init__(self, settings: Settings = NEW, register_map=EPEVER, **how) -> None:
        self.plant = Still(ZERO._replace(generated_total_kwh=3.0, generated_today_kwh=1.0), settings)
        self.tracer = Tracer(register_map, self.plant, **how)

    @property
    def settings(self) -> Settings:
        return self.plant.settings

    def ask(self, request) -> Reply:
        frame = self.tracer.answer(request)
        assert frame is not None
        reply = decode_reply(request, frame)
        assert reply is not None
        return reply

    def write(self, address: int, *words: int) -> int:
        """Exception code of a write, 0 when it was taken; a single word goes by both functions."""
        before = self.plant.shown()
        reply = self.ask(WriteWords(1, address, words))
        if len(words) == 1:
            after = self.plant.shown()
            self.plant.snapshot, self.plant.settings = before
            assert type(reply) is type(self.ask(WriteWord(1, address, words[0])))
            assert self.plant.shown() == after
        return reply.code if isinstance(reply, ExceptionReply) else 0

    def coil(self, address: int, value: int) -> int:
        reply = self.ask(WriteCoil(1, address, value))
        return reply.code if isinstance(reply, ExceptionReply) else 0

    def read(self, address: int, count: int = 1) -> tuple[int, ...]:
        reply = self.ask(ReadWords(1, 3, address, count))
        assert isinstance(reply, WordsReply)
        return reply.words

    def bit(self, address: int) -> bool:
        reply = self.ask(ReadBits(1, 1, address, 1))
        assert isinstance(reply, BitsReply)
        return reply.bits[0]


# --- the twelve voltages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", range(0x9003, 0x900F))
def test_one_of_the_twelve_voltages_written_alone_is_a_device_failure(address):
    """Exception 04 (kasbert/epsolar-tracer issue 28)."""
    bench = Bench(USER)
    assert bench.write(address, 1440) == 4
    assert bench.settings == USER


@pytest.mark.parametrize(
    ("first", "count"), [(0x9003, 11), (0x9004, 11), (0x9000, 14), (0x9005, 3), (0x9002, 2)]
)
def test_eleven_of_them_are_no_better(first, count):
    bench = Bench(USER)
    assert bench.write(first, *[1200] * count) == 4
    assert bench.settings == USER


def test_all_twelve_in_one_frame_are_taken_with_type_user():
    bench = Bench(USER)
    assert bench.write(0x9003, *OTHER_VOLTS) == 0
    assert bench.read(0x9003, 12) == OTHER_VOLTS


def test_fifteen_registers_from_the_type_on_are_taken_when_the_type_is_user():
    bench = Bench(NEW._replace(system_code=1))
    assert bench.write(0x9000, 0, 40, 0, *OTHER_VOLTS) == 0
    assert bench.read(0x9000, 15) == (0, 40, 0, *OTHER_VOLTS)


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_a_preset_type_keeps_its_voltages(kind):
    bench = Bench(factory(kind, 12))
    before = bench.settings
    assert bench.write(0x9003, *SEALED_VOLTS) == 4
    assert bench.write(0x9000, kind, 200, 300, *SEALED_VOLTS) == 4
    assert bench.settings == before


@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize(
    ("address", "word"), [(0x9070, 1), (0x9001, 77), (0x9002, 500), (0x906B, 60), (0x906C, 90)]
)
def test_a_preset_type_lets_its_five_parameters_be_set_and_gel_four(kind, address, word):
    bench = Bench(factory(kind, 12))
    refused = kind == 2 and address == 0x906B
    before = bench.read(address)
    assert bench.write(address, word) == (4 if refused else 0)
    assert bench.read(address) == (before if refused else (word,))


def test_voltages_outside_nine_to_seventeen_are_refused_and_twice_that_at_24_v():
    bench = Bench(USER)
    assert bench.write(0x9003, 1701, *OTHER_VOLTS[1:]) == 3
    assert bench.write(0x9003, *OTHER_VOLTS[:-1], 899) == 3
    assert bench.write(0x9003, 1700, *OTHER_VOLTS[1:]) == 0
    assert bench.write(0x9003, *[2 * volt for volt in OTHER_VOLTS]) == 3
    twice = Bench(factory(0, 24), EPEVER_24)
    assert twice.write(0x9003, *[2 * volt for volt in OTHER_VOLTS]) == 0
    assert twice.write(0x9003, *OTHER_VOLTS) == 3


# higher, lower, whether they may be equal; places in the block. Vendor protocol V2.6, manuals of Tracer-A and XTRA N.
ORDER = [
    (0, 1, False), (0, 2, False), (1, 3, True), (3, 4, True), (4, 5, True), (5, 6, False), (6, 7, False),
    (7, 10, False), (8, 9, False), (9, 11, True), (10, 11, True),
]  # fmt: skip


def spaced(higher: int, lower: int, apart: int) -> list[int]:
    """A set of voltages in order but for two, which stand so far apart [0.01 V]."""
    volts = [1650, 1600, 1500, 1550, 1500, 1400, 1350, 1300, 1250, 1200, 1200, 1000]
    volts[lower] = volts[higher] - apart
    return volts


@pytest.mark.parametrize(("higher", "lower", "equal_is_good"), ORDER)
def test_reversed_voltages_are_refused_and_equal_ones_where_the_manuals_allow_them(
    higher, lower, equal_is_good
):
    bench = Bench(USER)
    assert bench.write(0x9003, *spaced(higher, lower, 1)) == 0
    bench = Bench(USER)
    assert bench.write(0x9003, *spaced(higher, lower, -1)) == 4
    assert bench.settings == USER
    assert bench.write(0x9003, *spaced(higher, lower, 0)) == (0 if equal_is_good else 4)


# --- battery type and system voltage ------------------------------------------------------------------------------


@pytest.mark.parametrize("row", [row for row in BATTERY_TYPES if row.code != 0], ids=lambda row: row.name)
def test_a_type_brings_its_voltages_and_lithium_has_no_compensation(row):
    code = (row.system_v or 12) // 12
    bench = Bench(NEW._replace(battery_type=0, system_code=code))
    assert bench.write(0x9000, row.code) == 0
    assert bench.read(0x9003, 12) == tuple(round(100 * volt) for volt in row.volts)
    assert bench.read(0x9002) == ((0,) if row.lithium else (300,))
    assert bench.write(0x9002, 100) == (4 if row.lithium else 0)


@pytest.mark.parametrize("row", BATTERY_TYPES, ids=lambda row: row.name)
def test_a_new_unit_of_any_type_obeys_the_rules_itself(row):
    """LiNCM breaks the documents' own order in print; what is printed has to be possible."""
    for system_v in (row.system_v,) if row.system_v else (12, 24):
        assert list(conflicts(factory(row.code, system_v), system_v)) == []


@pytest.mark.parametrize(
    ("higher", "lower"), [("charging_limit_v", "over_voltage_reconnect_v"), ("boost_v", "equalize_v")]
)
def test_lithium_may_not_have_what_lead_may(higher, lower):
    """OVR = CL and EQ = BST with lithium (manual of XTRA N); in print LiNCM has OVR below CL."""
    for code, good in ((0, True), (4, False)):
        volts = {
            "charging_limit_v": 14.6,
            "over_voltage_reconnect_v": 14.6,
            "equalize_v": 14.5,
            "boost_v": 14.5,
        }
        settings = factory(code, 12)._replace(**volts)
        assert list(conflicts(settings, 12)) == []
        reversed_ = settings._replace(**{higher: volts[lower] - 0.01})
        assert (list(conflicts(reversed_, 12)) == []) is good


def test_the_user_type_keeps_the_voltages_that_are_there():
    bench = Bench(factory(3, 12)._replace(system_code=1))
    before = bench.read(0x9003, 12)
    assert bench.write(0x9000, 0) == 0
    assert bench.read(0x9003, 12) == before


def test_set_up_programs_set_type_user_without_a_word_on_the_system_voltage():
    """They never touch 0x9067, and their owners report success; no recording shows a refusal."""
    bench = Bench(NEW)
    assert bench.read(0x9067) == (0,)
    assert bench.write(0x9000, 0) == 0
    assert bench.write(0x9003, *OTHER_VOLTS) == 0
    assert (bench.read(0x9000), bench.read(0x9067)) == ((0,), (0,))
    assert bench.write(0x9067, 1) == 0
    assert bench.write(0x9067, 0) == 0
    assert bench.write(0x9000, 0, 40, 0, *SEALED_VOLTS) == 0


def test_lithium_goes_with_no_automatic_system_voltage_all_the_same():
    assert Bench(NEW).write(0x9000, 4) == 4


COOKBOOK = (1500, 1420, 1420, 1471, 1470, 1360, 1320, 1220, 1200, 1210, 1210, 1210)  # CL < EQ, UVW > UVWR
LITHIUM = (1500, 1460, 1360, 1400, 1430, 1380, 1330, 1240, 1200, 1160, 1080, 1120)  # EQ < BST, LVD < DL


@pytest.mark.parametrize("volts", [COOKBOOK, LITHIUM])
def test_a_site_may_say_that_its_unit_takes_the_twelve_voltages_in_any_order(volts):
    """As owners report of their 4210N and AN units; as documented it is refused."""
    assert Bench(USER).write(0x9003, *volts) == 4
    bench = Bench(USER, any_order=True)
    assert bench.write(0x9003, *volts) == 0
    assert bench.read(0x9003, 12) == volts
    assert bench.write(0x9003, 1800, *volts[1:]) == 3  # limits hold


def test_the_vendors_rule_on_user_and_automatic_is_a_key_of_the_model():
    strict = load_model("tracer4210n").model_copy(update={"user_with_auto": False})
    bench = Bench(NEW, model=strict)
    assert bench.write(0x9000, 0) == 4
    assert bench.write(0x9067, 1) == 0
    assert bench.write(0x9000, 0) == 0
    assert bench.write(0x9067, 0) == 4
    assert (bench.read(0x9000), bench.read(0x9067)) == ((0,), (1,))


def test_lithium_needs_its_own_system_voltage():
    bench = Bench(NEW)
    assert bench.write(0x9000, 4) == 4  # automatic
    bench.write(0x9067, 1)
    assert bench.write(0x9000, 5) == 4  # 8 cells are for 24 V
    assert bench.write(0x9000, 4) == 0
    assert bench.write(0x9067, 2) == 4
    assert bench.settings.battery_type == 4


@pytest.mark.parametrize("code", [6, 7, 11, 12, 13, 0xFFFF])
def test_types_for_36_and_48_v_and_none_are_refused(code):
    bench = Bench(USER)
    assert bench.write(0x9000, code) == 3
    assert bench.settings == USER


def test_another_system_voltage_takes_the_voltages_with_it():
    bench = Bench(USER)
    assert bench.write(0x9067, 2) == 0
    assert bench.read(0x9003, 12) == tuple(2 * volt for volt in SEALED_VOLTS)
    assert bench.write(0x9067, 3) == 3


# --- the other rules ----------------------------------------------------------------------------------------------


def test_percentages_are_for_soc_mode():
    bench = Bench()
    assert (bench.write(0x906D, 40, 90), bench.write(0x906D, 40), bench.write(0x906E, 90)) == (4, 4, 4)
    bench.write(0x9070, 1)
    assert bench.write(0x906D, 40, 90) == 0
    assert bench.read(0x906D, 2) == (40, 90)


def test_the_clock_is_set_by_its_three_registers_in_one_frame():
    bench = Bench()
    words = (34 << 8 | 56, 28 << 8 | 12, 31 << 8 | 2)
    for first, part in ((0x9013, words[:1]), (0x9013, words[:2]), (0x9014, words[1:]), (0x9015, words[2:])):
        assert bench.write(first, *part) == 4
    assert bench.plant.snapshot.t_device_s == 0.0
    assert bench.write(0x9013, *words) == 0
    assert bench.plant.snapshot.t_device_s == NOON_2031
    assert bench.read(0x9013, 3) == words
    assert bench.settings == NEW


@pytest.mark.parametrize(
    "words",
    [
        (0, 29 << 8, 31 << 8 | 2),  # no leap year
        (60 << 8, 1 << 8, 31 << 8 | 2),
        (60, 1 << 8, 31 << 8 | 2),
        (0, 1 << 8 | 24, 31 << 8 | 2),
        (0, 1 << 8, 31 << 8 | 13),
        (0, 0, 0),
        (0xFFFF, 0xFFFF, 0xFFFF),
    ],
)
def test_a_date_that_does_not_exist_is_refused(words):
    bench = Bench()
    assert bench.write(0x9013, *words) == 3
    assert bench.plant.snapshot.t_device_s == 0.0


def test_durations_are_hours_and_minutes():
    bench = Bench()
    assert bench.write(0x903D, 2, 0x0200, 0x013B) == 0  # the document's example, with 1:59
    assert (bench.settings.timer1_min, bench.settings.timer2_min) == (120, 119)
    assert bench.write(0x903E, 0x003C) == 3  # 0:60
    assert bench.write(0x9065, 0x1801) == 3  # 24:01


@pytest.mark.parametrize("address", [0x8FFF, 0x900F, 0x9012, 0x9066, 0x9071, 0x3100, 0xFFFF])
def test_writing_where_nothing_is_gets_exception_02(address):
    assert Bench().write(address, 1) == 2


def test_a_write_that_runs_over_a_hole_changes_nothing():
    bench = Bench()
    assert bench.write(0x9010, 0, 0, 0) == 2
    assert bench.write(0x9070, 1, 0) == 2
    assert bench.settings == NEW


def test_registers_nobody_documents_are_read_only():
    assert [Bench().write(address, 1) for address in (0x906F, 0x9090, 0x9097)] == [2, 2, 2]


def test_writing_no_register_is_refused():
    bench = Bench()
    assert bench.ask(WriteWords(1, 0x9001, ())) == ExceptionReply(1, 0x10, 3)


def test_an_acknowledged_write_echoes_its_address_with_value_or_count():
    bench = Bench()
    assert bench.ask(WriteWord(1, 0x9019, 8400)) == EchoReply(1, 0x06, 0x9019, 8400)
    assert bench.ask(WriteWords(1, 0x9017, (6500, 0xF060, 8500, 7500))) == EchoReply(1, 0x10, 0x9017, 4)
    assert (bench.settings.battery_cold_c, bench.settings.device_hot_c) == (-40.0, 85.0)


# --- coils --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [0, 2, 3, 5, 6])
@pytest.mark.parametrize(("value", "bit"), [(0xFF00, True), (0x0000, False)])
def test_a_coil_is_read_back_as_written(address, value, bit):
    bench = Bench()
    assert bench.coil(address, value) == 0
    assert bench.bit(address) is bit


@pytest.mark.parametrize("address", [1, 7, 0x12, 0x15, 0x2000, 0x200C, 0x9000])
def test_other_coils_do_not_exist(address):
    bench = Bench()
    assert bench.coil(address, 0xFF00) == 2
    assert bench.ask(ReadBits(1, 1, address, 1)) == ExceptionReply(1, 1, 2)


def test_coil_4_is_only_there_to_be_read_over():
    bench = Bench()
    assert bench.coil(4, 0xFF00) == 2
    reply = bench.ask(ReadBits(1, 1, 2, 4))
    assert isinstance(reply, BitsReply)
    assert reply.bits == (True, False, False, False)


@pytest.mark.parametrize("value", [1, 0x00FF, 0xFFFF, 0xFF01])
def test_a_coil_takes_ff00_and_0000_only(value):
    bench = Bench()
    assert bench.coil(2, value) == 3
    assert bench.settings == NEW


def test_restore_defaults_and_clear_energy_do_so_when_switched_on():
    bench = Bench(USER._replace(capacity_ah=5))
    assert (bench.coil(0x13, 0), bench.coil(0x14, 0)) == (0, 0)
    assert bench.plant.done == []
    assert (bench.coil(0x13, 0xFF00), bench.coil(0x14, 0xFF00)) == (0, 0)
    assert bench.plant.done == ["restore_defaults", "clear_energy"]
    assert bench.settings == NEW
    for address in (0x13, 0x14):  # they can't be read
        assert bench.ask(ReadBits(1, 1, address, 1)) == ExceptionReply(1, 1, 2)


def test_writing_several_coils_at_once_does_not_exist():
    assert Bench().ask(WriteCoils(1, 2, 1, b"\x01")) == ExceptionReply(1, 0x0F, 1)


# --- broadcasts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["epever", "uart2"])
def test_broadcast_writes_are_done_in_silence(name):
    bench = Bench(register_map=load_map(name, TRACER_4210))
    assert bench.tracer.answer(WriteWord(0, 0x9001, 77)) is None
    assert bench.tracer.answer(WriteWords(0, 0x906C, (33,))) is None
    assert bench.tracer.answer(WriteCoil(0, 2, 0)) is None
    assert bench.tracer.answer(WriteWord(0, 0x9000, 9999)) is None
    assert bench.settings == NEW._replace(capacity_ah=77, boost_min=33, load_on=0)


# --- any sequence of writes ---------------------------------------------------------------------------------------

ROWS = EPEVER.rows["holding"]
VOLTS = st.lists(st.integers(900, 1700), min_size=12, max_size=12)


def plausible(address: int) -> st.SearchStrategy[int]:
    """Words that a row may take, and a few that it may not."""
    row = ROWS[address]
    if isinstance(row, SettingRow) and row.values:
        return st.sampled_from([*row.values, 99])
    if isinstance(row, PackedForm):
        return st.builds(lambda high, low: high << 8 | low, st.integers(0, 24), st.integers(0, 60))
    assert isinstance(row, ScaledForm)
    low, high = (isinstance(row, SettingRow) and row.limits) or (0, 0)
    numbers = st.integers(round(low * row.scale) - 1, round(high * row.scale) + 1)
    return numbers.map(lambda number: number & 0xFFFF)


def blocks(address: int, count: int) -> st.SearchStrategy[WriteWords]:
    addresses = [place for place in range(address, address + count) if place in ROWS]
    return st.builds(
        lambda words: WriteWords(1, address, words), st.tuples(*[plausible(place) for place in addresses])
    )


writes = st.one_of(
    st.sampled_from(sorted(ROWS)).flatmap(lambda address: blocks(address, 1)),
    st.builds(blocks, st.sampled_from(sorted(ROWS)), st.integers(1, 6)).flatmap(lambda block: block),
    st.sampled_from([0, 1, 2, 3, 4, 8, 5]).map(lambda code: WriteWords(1, 0x9000, (code,))),
    st.sampled_from([0, 1, 2]).map(lambda code: WriteWords(1, 0x9067, (code,))),
    VOLTS.map(lambda volts: WriteWords(1, 0x9003, tuple(sorted(volts, reverse=True)))),
    VOLTS.map(lambda volts: WriteWords(1, 0x9003, tuple(sorted(2 * volt for volt in volts)[::-1]))),
    VOLTS.map(lambda volts: WriteWords(1, 0x9003, tuple(volts))),
    st.builds(
        lambda code, volts: WriteWords(1, 0x9000, (code, 100, 300, *sorted(volts, reverse=True))),
        st.integers(0, 3), VOLTS,
    ),
    st.builds(
        WriteCoil, st.just(1), st.sampled_from([0, 1, 2, 3, 4, 5, 6, 0x13, 0x14]), st.sampled_from([0, 0xFF00, 7])
    ),
    st.builds(WriteWords, st.just(1), st.integers(0, 0xFFFF), st.lists(st.integers(0, 0xFFFF), max_size=20).map(tuple)),
)  # fmt: skip


def check_taken(bench: Bench, request, before: Settings, reply: Reply) -> None:
    if isinstance(reply, ExceptionReply):
        assert bench.settings == before
        assert reply.code in (2, 3, 4)
    elif isinstance(request, WriteWords):
        assert bench.read(request.address, len(request.values)) == request.values
    elif request.address not in (0x13, 0x14):
        assert bench.bit(request.address) is (request.value == 0xFF00)


@pytest.mark.parametrize("system_v", [12, 24])
@given(requests=st.lists(writes, min_size=1, max_size=12))
def test_no_sequence_of_writes_gets_round_the_rules(system_v, requests):
    """Set-points stay in order and in their limits, a refused write changes nothing, a taken one is read back."""
    bench = Bench(factory(1, system_v), EPEVER if system_v == 12 else EPEVER_24)
    bench.plant.new = bench.settings
    for request in requests:
        before = bench.settings
        check_taken(bench, request, before, bench.ask(request))
        assert list(conflicts(bench.settings, system_v)) == []
        volts = [getattr(bench.settings, name) for name in VOLTAGES]
        assert all(9.0 <= volt <= 2 * 17.0 for volt in volts)
        for row in {id(row): row for row in ROWS.values()}.values():
            if not isinstance(row, SettingRow | DurationRow) or row.setting in {"night_v", "day_v"}:
                continue
            if row.limits and not row.limits_grow:
                assert row.limits[0] <= getattr(bench.settings, row.setting) <= row.limits[1]


@given(VOLTS)
def test_the_order_of_the_documents_decides_whether_twelve_voltages_are_taken(volts):
    bench = Bench(USER)
    good = all(volts[a] > volts[b] or (equal and volts[a] == volts[b]) for a, b, equal in ORDER)
    assert bench.write(0x9003, *volts) == (0 if good else 4)
