"""A refused write says why: in words on stderr, in the journal, in the counts and to `tell ... refusals`."""

import json

import pytest

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.parser import Received, RequestParser
from modbus.codec.requests import WriteCoil, WriteCoils, WriteWord, WriteWords, seal
from modbus.device.tracer import Tracer, WriteRefusal
from modbus.map.registers import TRACER_4210, load_map
from tests.plants import plant
from tests.snapshots import NEW, ZERO, Still
from tracertwin.assembly.options import Options
from tracertwin.assembly.refusals import AGAIN_S, MOST_IN_A_TIME, MOST_KEPT, Refusals
from tracertwin.journal.entries import Exchange
from tracertwin.journal.file import JournalFile
from tracertwin.rig.serving import Rig

EPEVER = load_map("epever", TRACER_4210)
USER = NEW._replace(battery_type=0, system_code=1)
VOLTS = (1600, 1500, 1500, 1480, 1460, 1380, 1320, 1260, 1220, 1200, 1110, 1060)


def volts(**changed: int) -> tuple[int, ...]:
    places = dict(
        zip(
            ("ovd", "cl", "ovr", "eq", "bst", "flt", "br", "lvr", "uvwr", "uvw", "lvd", "dl"),
            VOLTS,
            strict=True,
        )
    )
    return tuple((places | changed).values())


def refusals_of(request, settings=USER) -> list[str]:
    told: list[WriteRefusal] = []
    Tracer(EPEVER, Still(ZERO, settings), refused=told.append).answer(request)
    return list(map(str, told))


@pytest.mark.parametrize(
    ("request_", "what", "code", "why"),
    [
        (
            WriteWords(1, 0x9003, volts(cl=1420, eq=1471, bst=1400)),
            "FC16 0x9003 x 12", 4, "charging_limit_v 14.20 V is below equalize_v 14.71 V",
        ),
        (
            WriteWords(1, 0x9003, volts(uvw=1210, uvwr=1200)),
            "FC16 0x9003 x 12", 4, "under_voltage_recover_v 12.00 V is below under_voltage_warning_v 12.10 V",
        ),
        (
            WriteWords(1, 0x9003, volts(eq=1360, bst=1400, lvd=1080, dl=1120)),
            "FC16 0x9003 x 12", 4, "equalize_v 13.60 V is below boost_v 14.00 V; "
            "low_voltage_disconnect_v 10.80 V is below discharging_limit_v 11.20 V",
        ),
        (
            WriteWords(1, 0x9009, (1330,)),
            "FC16 0x9009 x 1", 4, "boost_reconnect_voltage (0x9009) is written in one frame with all of "
            "0x9003..0x900E",
        ),
        (
            WriteWord(1, 0x9070, 2),
            "FC6 0x9070", 3, "management_mode 2 is none of 0, 1",
        ),
        (WriteWord(1, 0x9001, 0), "FC6 0x9001", 3, "capacity_ah 0 Ah is outside 1..9999 Ah"),
        (WriteWord(1, 0x9000, 99), "FC6 0x9000", 3, "there is no battery type 99"),
        (WriteWord(1, 0x9067, 99), "FC6 0x9067", 3, "there is no system voltage 99"),
        (WriteWord(1, 0x9012, 0), "FC6 0x9012", 2, "there is no holding register 0x9012"),
        (WriteWords(1, 0x9013, (0, 0, 0)), "FC16 0x9013 x 3", 3, "not a valid time: month must be in 1..12"),
        (
            WriteWords(1, 0x9013, (0, 0)),
            "FC16 0x9013 x 2", 4, "rtc_day_hour (0x9014) is written in one frame with all of 0x9013..0x9015",
        ),
        (WriteCoil(1, 0x0777, 0xFF00), "FC5 0x0777", 2, "there is no coil 0x0777"),
        (WriteCoil(1, 0x0002, 1), "FC5 0x0002", 3, "a coil takes FF00 or 0000, not 0001"),
        (WriteCoil(1, 0x0004, 0), "FC5 0x0004", 2, "no_coil_4 (0x0004) can only be read"),
        (WriteCoils(1, 2, 2, b"\3"), "FC15 0x0002 x 2", 1, "there is no function 0F"),
        (WriteWords(1, 0x9001, ()), "FC16 0x9001 x 0", 3, "it names no register"),
        (
            WriteWord(1, 0x906D, 30),
            "FC6 0x906D", 4, "discharge_percentage can be written only with management_mode SOC (1); "
            "it is voltage (0)",
        ),
    ],
)  # fmt: skip
def test_a_refused_write_says_which_rule_refused_it_and_with_which_numbers(request_, what, code, why):
    (told,) = refusals_of(request_)
    assert told == f"{what} refused with {exception_phrase(code)}: {why}"


def test_the_twelve_voltages_of_another_type_say_which_type_is_needed():
    (told,) = refusals_of(WriteWords(1, 0x9003, tuple(word + 1 for word in VOLTS)), NEW)
    needed = "can be written only with battery_type user (0); it is sealed (1)"
    assert told.endswith(f"over_voltage_disconnect and the others of its frame {needed}")


def test_of_a_frame_that_is_written_whole_the_reason_names_what_was_to_be_changed():
    now = tuple(round(100 * getattr(NEW, EPEVER.rows["holding"][at].setting)) for at in range(0x9003, 0x900F))
    changed = (*now[:4], now[4] + 5, *now[5:])
    (told,) = refusals_of(WriteWords(1, 0x9003, changed), NEW)
    assert told.endswith(
        "server device failure: boost_voltage can be written only with battery_type user (0); it is sealed (1)"
    )


def test_reads_and_good_writes_are_no_refusals():
    for frame in ("01 04 00 00 00 01", "01 03 90 00 00 7d", "01 06 90 01 00 c8", "01 43 40 00 00 10"):
        (event,) = RequestParser().feed(seal(bytes.fromhex(frame)), 0.0)
        assert isinstance(event, Received)
        assert refusals_of(event.request) == []


def test_a_broadcast_write_that_nobody_answers_says_why_too():
    assert refusals_of(WriteWord(0, 0x9012, 0)) == [
        "FC6 0x9012 refused with exception 02, illegal data address: there is no holding register 0x9012"
    ]


# --- how often -----------------------------------------------------------------------------------------------------


def refusal(why: str, rule: str = "", unit: int = 1) -> WriteRefusal:
    return WriteRefusal(unit, "FC6 0x9001", 3, why, rule or why)


def test_a_reason_is_told_once_a_minute_whatever_its_numbers_and_counted_each_time():
    said: list[str] = []
    now = [0.0]
    refusals = Refusals(said.append, lambda: now[0])
    for number in range(5):
        now[0] = 10.0 * number
        refusals.note(refusal(f"capacity_ah {number}", "capacity_ah"))
    refusals.note(refusal("another"))
    refusals.note(refusal("another", unit=2))
    assert said == [
        "unit 1: FC6 0x9001 refused with exception 03, illegal data value: capacity_ah 0",
        "unit 1: FC6 0x9001 refused with exception 03, illegal data value: another",
        "unit 2: FC6 0x9001 refused with exception 03, illegal data value: another",
    ]
    now[0] = AGAIN_S
    refusals.note(refusal("capacity_ah 0", "capacity_ah"))
    assert len(said) == 4
    assert [(row["why"], row["count"]) for row in refusals.rows()][-1] == ("capacity_ah 0", 2)


@pytest.mark.parametrize(
    ("requests", "told"),
    [
        ((WriteWord(1, 0x9000, 99), WriteWord(1, 0x9000, 98), WriteWord(1, 0x9067, 99)),
         ["battery type 99", "system voltage 99"]),
        ((WriteWords(1, 0x9013, (0, 0x0100, 0)), WriteWords(1, 0x9013, (0x3D, 0x0101, 0x1A01)),
          WriteWords(1, 0x9013, (0x3E, 0x0101, 0x1A01))),
         ["month must be in 1..12", "second must be in 0..59"]),
        ((WriteWord(1, 0x9003, 1600), WriteWord(1, 0x9003, 1590), WriteWord(1, 0x9009, 1330)),
         ["over_voltage_disconnect (0x9003)", "boost_reconnect_voltage (0x9009)"]),
    ],
    ids=["codes", "clock", "one frame"],
)  # fmt: skip
def test_each_register_and_each_cause_has_a_line_of_its_own(requests, told):
    said: list[str] = []
    refusals = Refusals(said.append, lambda: 0.0)
    tracer = Tracer(EPEVER, Still(ZERO, USER), refused=refusals.note)
    for request in requests:
        tracer.answer(request)
    assert len(said) == len(told)
    assert all(words in line for words, line in zip(told, said, strict=True)), said


def test_a_client_that_tries_every_address_fills_neither_the_terminal_nor_memory():
    said: list[str] = []
    refusals = Refusals(said.append, lambda: 0.0)
    for number in range(3 * MOST_KEPT):
        refusals.note(refusal(f"there is no holding register {number}"))
    assert len(said) == MOST_IN_A_TIME + 1
    assert said[-1] == "more writes are refused; they are not told for 60 s, tell refusals has all"
    assert len(refusals.rows()) == MOST_KEPT
    assert refusals.rows()[-1]["why"].endswith(str(3 * MOST_KEPT - 1))


# --- where it is told ----------------------------------------------------------------------------------------------


def test_the_reason_stands_on_stderr_in_the_journal_in_the_counts_and_is_told(tmp_path):
    said: list[str] = []
    journal, stats = tmp_path / "run.jsonl", tmp_path / "stats.json"
    options = Options(map_name="epever", polled_s=10.0, record=journal, stats=stats)
    with Rig([plant()], options, said.append) as rig:
        rig.answers[0](WriteWord(1, 0x9001, 0))
        rig.answers[0](WriteWord(1, 0x9001, 100))
        told = json.loads(rig.do("refusals"))
        rig.end()
        rig.run()
        rig.tell()
    why = "capacity_ah 0 Ah is outside 1..9999 Ah"
    assert f"unit 1: FC6 0x9001 refused with exception 03, illegal data value: {why}" in said
    expected = [
        {
            "unit": 1,
            "write": "FC6 0x9001",
            "exception": 3,
            "meaning": "illegal data value",
            "why": why,
            "count": 1,
        }
    ]
    assert told == expected
    assert json.loads(stats.read_text())["refusals"] == expected
    exchanges = [
        entry.what for _, entry in JournalFile(journal).entries() if isinstance(entry.what, Exchange)
    ]
    assert [exchange.refused for exchange in exchanges] == [why, ""]
