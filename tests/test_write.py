"""`tracertwin write`: names, units and addresses become words, blocks go whole, and the device's answer is told."""

import json
import signal
import subprocess
from datetime import datetime
from subprocess import PIPE

import pytest

from modbus.codec.replies import Reply, decode_reply
from modbus.codec.requests import ReadWords, Request, WriteCoil, WriteWords
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.assignments import assignment, writable
from modbus.master.write import Writer, in_order
from tests.command import COMMAND, ROOT
from tests.journals import rig, running
from tests.snapshots import NEW, ZERO, Still

EPEVER = load_map("epever", TRACER_4210)
USER = NEW._replace(battery_type=0, system_code=1)
NOW = datetime(2026, 11, 28, 19, 42, 36)


class Bench:
    """A Tracer on a plant that stands still; keeps what it was asked."""

    def __init__(self, settings=USER) -> None:
        self.plant = Still(ZERO, settings)
        self._tracer = Tracer(EPEVER, self.plant)
        self.asked: list[Request] = []

    def ask(self, request: Request, timeout_s: float = 1.0, retries: int = 0) -> Reply:
        self.asked.append(request)
        reply = decode_reply(request, self._tracer.answer(request))
        assert reply is not None
        return reply

    def write(self, *texts: str):
        wanted = [assignment(text, EPEVER, NOW) for text in texts]
        return list(Writer(self, EPEVER, 1, 1.0).write(wanted))

    def written(self) -> list[Request]:
        return [request for request in self.asked if request.function in (5, 6, 16)]


def words(text: str) -> tuple[str, int, tuple[int, ...]]:
    what = assignment(text, EPEVER, NOW)
    return what.table, what.address, what.words


@pytest.mark.parametrize(
    ("text", "table", "address", "word"),
    [
        ("0x9003=14.4", "holding", 0x9003, 1440),
        ("over_voltage_disconnect=16", "holding", 0x9003, 1600),
        ("over_voltage_disconnect_v = 16.004 V", "holding", 0x9003, 1600),
        ("battery_capacity=200", "holding", 0x9001, 200),
        ("capacity_ah=200Ah", "holding", 0x9001, 200),
        ("36865=200", "holding", 0x9001, 200),
        ("battery_type=user", "holding", 0x9000, 0),
        ("battery_type=2", "holding", 0x9000, 2),
        ("load_mode=light", "holding", 0x903D, 1),  # not "light and timer"
        ("load_mode=light and timer", "holding", 0x903D, 2),
        ("system_code=12V", "holding", 0x9067, 1),
        ("0x906A=0x1", "holding", 0x906A, 1),
        ("boost_voltage=0x5A0", "holding", 0x9007, 1440),  # the word itself
        ("09001=5", "holding", 9001, 5),
        ("0x0002=on", "coil", 2, 1),
        ("load_manual_on_off=off", "coil", 2, 0),
        ("load_on=true", "coil", 2, 1),
        ("restore_defaults=1", "coil", 0x13, 1),
        ("0x8000=0xFFFF", "holding", 0x8000, 0xFFFF),
    ],
)
def test_a_name_or_an_address_with_or_without_a_unit_is_a_word(text, table, address, word):
    assert words(text) == (table, address, (word,))


@pytest.mark.parametrize(
    ("value", "word"), [("2:30", 0x021E), ("150", 0x021E), ("150min", 0x021E), ("2.5h", 0x021E), ("0:05", 5)]
)
def test_a_duration_is_hours_and_minutes(value, word):
    assert words(f"light_on_timer1={value}") == ("holding", EPEVER_NAMES["light_on_timer1"], (word,))


EPEVER_NAMES = {row.name: row.address for row in EPEVER.spec.rows}


@pytest.mark.parametrize("text", ["clock=now", "clock=2026-11-28T19:42:36"])
def test_the_clock_is_three_words_at_once(text):
    assert words(text) == ("holding", 0x9013, (0x2A24, 0x1C13, 0x1A0B))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("boost", "write NAME=VALUE, e.g. boost_voltage=14.4V"),
        ("boost_voltage=", "write NAME=VALUE"),
        ("boost_voltag=14", r"did you mean boost_voltage\?"),
        ("pv_voltage=14", "pv_voltage can only be read"),
        ("boost_voltage=14A", "boost_charging_voltage is in V|boost_voltage is in V"),
        ("boost_voltage=high", "expected a number in V"),
        ("boost_voltage=700", "a register holds 0 to 655.35 V"),
        ("boost_voltage=0x5A0V", "the word itself, 0 to 0xFFFF, without a unit"),
        ("boost_voltage=0x12345", "the word itself, 0 to 0xFFFF, without a unit"),
        ("battery_type=nickel", "expected a number; it knows 0 "),
        ("load_on=2", "a coil is on or off"),
        ("0x10000=1", "there is no setting"),
        ("99999=1", "an address is 0 to 0xFFFF"),
        ("0x8000=14.4V", "write the word itself"),
        ("0x9013=1", "written together: clock="),
        ("clock=noon", "clock=noon: "),
        ("clock=1990-06-21T12:00", "the clock takes the years 2000 to 2100"),
        ("light_on_timer1=2:75", "light_on_timer1=2:75: "),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_written(text, says):
    with pytest.raises(ValueError, match=says):
        assignment(text, EPEVER, NOW)


def test_every_row_that_can_be_written_is_known_by_its_name():
    names = {row.name for row in EPEVER.spec.rows if row.written != "no"} - {
        "rtc_minute_second",
        "rtc_day_hour",
        "rtc_year_month",
    }
    assert names <= set(writable(EPEVER))


# --- what is sent -------------------------------------------------------------------------------------------------


def test_one_of_the_twelve_voltages_is_written_with_the_others_as_they_are():
    bench = Bench()
    (result,) = bench.write("boost_reconnect_v=13.1")
    assert result.is_kept
    assert bench.plant.settings == USER._replace(boost_reconnect_v=13.1)
    before, written = bench.asked[:2]
    assert before == ReadWords(1, 3, 0x9003, 12)
    assert isinstance(written, WriteWords)
    assert (written.address, written.count) == (0x9003, 12)


def test_neighbours_of_a_block_go_in_one_frame_and_others_in_their_order():
    bench = Bench()
    results = bench.write("capacity_ah=120", "boost_v=14.5", "float_v=13.7", "load_on=off", "clock=now")
    assert all(result.is_kept for result in results)
    assert [(request.function, request.address) for request in bench.written()] == [
        (16, 0x9001),
        (16, 0x9003),
        (5, 0x0002),
        (16, 0x9013),
    ]
    assert bench.written()[2] == WriteCoil(1, 2, 0)
    assert (bench.plant.settings.boost_v, bench.plant.settings.float_v) == (14.5, 13.7)


def test_what_is_refused_has_the_exception_in_words_and_ends_it():
    bench = Bench()
    kept, refused, left = bench.write("capacity_ah=120", "charging_limit_v=9", "load_on=off")
    assert kept.is_kept
    assert (refused.exception, refused.why) == (4, "exception 04, server device failure")
    assert left.exception is None
    assert left.why == "not written, as the one before was refused"
    assert not refused.is_kept
    assert not left.is_kept
    assert left.now == (1,)
    assert bench.plant.settings == USER._replace(capacity_ah=120)


def test_a_device_that_acknowledges_and_keeps_the_old_value_is_found_out():
    bench = Bench()
    bench.plant.configure = lambda settings: None
    (result,) = bench.write("capacity_ah=120")
    assert result.exception is None
    assert not result.is_kept
    assert result.now == (200,)


def test_an_action_is_done_and_not_read_back():
    bench = Bench(USER._replace(capacity_ah=77))
    (result,) = bench.write("restore_defaults=1")
    assert result.is_kept
    assert result.now is None


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ("battery_type=lifepo4_4s system_code=12V", "system_code battery_type"),
        ("boost_voltage=14.4V float_v=13.7V battery_type=user", "battery_type boost_voltage float_v"),
        ("charge_pct=90 capacity_ah=80 management_mode=SOC", "management_mode charge_pct capacity_ah"),
        ("boost_voltage=14.4V battery_type=gel", "boost_voltage battery_type"),  # which doesn't help
        ("battery_type=gel system_code=12V", "battery_type system_code"),
        ("clock=now load_on=on 0x9001=90", "clock load_on 0x9001"),
    ],
)  # fmt: skip
def test_what_another_needs_is_written_before_it(given, order):
    found = in_order([assignment(text, EPEVER, NOW) for text in given.split()])
    assert [what.text.partition("=")[0] for what in found] == order.split()


def test_the_command_writes_what_is_needed_first(call, tmp_path):
    with running(rig(tmp_path / "run.jsonl", polled_s=0.0)):
        link = f"unix:{tmp_path / 'run.0'}"
        assert call("write", link, "battery_type=lifepo4_4s", "system_code=12V")[0] == 0
        assert call("write", link, "boost_voltage=14.4V", "battery_type=user")[0] == 0


# --- the command --------------------------------------------------------------------------------------------------


def test_the_command_writes_reads_back_and_prints(call, tmp_path):
    with running(rig(tmp_path / "run.jsonl", polled_s=0.0)):
        link = f"unix:{tmp_path / 'run.0'}"
        code, out, _ = call("write", link, "capacity_ah=120", "clock=2026-06-21T12:00")
        assert code == 0
        assert "120 Ah" in out
        assert "2026-06-21T12:00:00" in out
        code, out, _ = call("write", link, "0x9001=0")
        assert code == 1
        assert "exception 03, illegal data value" in out
        code, out, _ = call("write", link, "load_on=off", "--json")
        assert code == 0
        assert json.loads(out)["written"][0] == {
            "table": "coil", "address": 2, "name": "load_manual_on_off", "given": "load_on=off", "words": [0],
            "reads": [0], "kept": True,
        }  # fmt: skip


def test_the_command_s_wrong_usage_is_2_and_nobody_there_is_3(call, tmp_path):
    assert call("write", f"unix:{tmp_path / 'none'}", "capacity_ah=120")[0] == 3
    code, _, err = call("write", f"unix:{tmp_path / 'none'}", "capacity=120", "boost_voltage=14A")
    assert code == 2
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize(
    "arguments", ["poll {link}", "write {link} capacity_ah=120", "replay {journal} --as-master {link}"]
)
def test_ctrl_c_before_anybody_has_dialled_is_no_success(tmp_path, arguments):
    with running(rig(tmp_path / "run.jsonl", polled_s=0.0)):
        pass
    words = arguments.format(link="listen:127.0.0.1:0", journal=tmp_path / "run.jsonl").split()
    with subprocess.Popen([*COMMAND, *words], cwd=ROOT, stdout=PIPE, stderr=PIPE, text=True) as waiting:
        assert "waiting for a device to dial" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        out, _ = waiting.communicate(timeout=30.0)
    assert (waiting.returncode, out) == (130, "")


def test_poll_s_exit_code_is_1_for_an_exception_at_an_address_it_was_given(call, tmp_path):
    with running(rig(tmp_path / "run.jsonl", polled_s=0.0)):
        link = f"unix:{tmp_path / 'run.0'}"
        for as_json in ((), ("--json",)):
            assert call("poll", link, "0x3115", *as_json)[0] == 1
            assert call("poll", link, "0x3100", "8", *as_json)[0] == 0
        assert call("poll", link, "0x3114", "4")[0] == 1
        assert call("poll", link, "0x9000", "--table", "coil")[0] == 1
        assert call("poll", link)[0] == 0
        assert call("poll", link, "0xZZ")[0] == 2
        assert call("poll", link, "0x3100", "--unit", "9", "--timeout", "50ms")[0] == 3
    assert call("poll", link, "0x3100")[0] == 3
