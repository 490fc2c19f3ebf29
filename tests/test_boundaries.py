"""Every quantity under its own name wherever it leaves the plant: snapshot, registers, files, JSON."""

import csv
import json
import math
import sqlite3
from contextlib import closing
from functools import cache
from itertools import combinations
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from modbus.codec.replies import BitsReply, Reply, WordsReply, decode_reply
from modbus.codec.requests import ReadBits, ReadWords, Request
from modbus.device.tracer import Tracer
from modbus.map.registers import RegisterMap, load_map
from modbus.master.poll import PolledDevice, read_all
from plant.kernel.snapshot import QUANTITIES, Snapshot
from plant.report.trace import Trace
from tests.boundaries import (
    AHEAD_S,
    BOUNDARIES,
    DAY_UTC_S,
    MOMENT_LOCAL,
    MOMENT_UTC_S,
    STAGE_CODES,
    Boundary,
    Lived,
    Register,
    lived,
)
from tests.plants import AT_THE_BATTERY, ENERGIES_AT_THE_BATTERY
from tests.snapshots import Still
from tests.test_statefile import begun, entry, read
from tracertwin.assembly import commands
from tracertwin.cli.tables.polltable import print_json
from tracertwin.memory.file import StateFile
from tracertwin.memory.history import print_history

ZONE = "Asia/Kathmandu"
FIELDS = Snapshot._fields
STORED = tuple(row for row in BOUNDARIES if row.stored)
SHOWN = [(row, register) for row in BOUNDARIES for register in row.registers]
# Meters since midnight and what the total grew by since; the probe, which takes up the battery's temperature in steps.
SAME = {
    frozenset(("generated_today_kwh", "generated_total_kwh")),
    frozenset(("consumed_today_kwh", "consumed_total_kwh")),
    frozenset(("t_probe_c", "t_batt_c")),
}
# Nothing of that kind happened on this day; the golden day and the tests of the protections have them.
NOTHING = {
    "night", "battery_status", "battery_heat", "heatsink_hot", "wrong_voltage", "pv_too_high", "frozen", "load_state",
    "e_hysteresis_wh", "e_faded_wh", "e_untaken_bms_wh", "e_untaken_cold_wh", "e_untaken_pv_high_wh",
    *AT_THE_BATTERY, *ENERGIES_AT_THE_BATTERY,
}  # fmt: skip
# What follows from several quantities, or from one by more than a scale; `snapshots.EPEVER_WORDS` and the tests of
# facts, clock and quantities have them. Table, address and, of a field of bits, its lowest.
FOLLOWING = {
    ("input", 0x311A, 0), ("input", 0x3314, 0),
    ("input", 0x3201, 1), ("input", 0x3201, 8), ("input", 0x3201, 9), ("input", 0x3201, 14),
    ("input", 0x3202, 10), ("input", 0x3202, 11), ("input", 0x3202, 12),
    ("holding", 0x9013, 0), ("holding", 0x9014, 0), ("holding", 0x9015, 0),
    ("input", 0x200C, 3),
}  # fmt: skip


@pytest.fixture(scope="module")
def day() -> Lived:
    return lived()


def assert_is(row: Boundary, now: float, before: float) -> None:
    """That a place shows a quantity; of an account what it grew by since midnight."""
    found = now - before if row.is_account else now
    assert found == pytest.approx(row.wanted(), rel=row.rel, abs=row.abs), row.name


# --- the table ---


def test_every_quantity_has_a_row_in_their_order():
    assert tuple(row.name for row in BOUNDARIES) == FIELDS


def test_no_two_quantities_could_be_taken_for_one_another(day):
    values = {row.name: row.wanted() for row in BOUNDARIES}
    assert {name for name, value in values.items() if value == 0.0} == NOTHING
    alike = [
        {a.name, b.name}
        for a, b in combinations(BOUNDARIES, 2)
        if not {a.name, b.name} & NOTHING
        and abs(values[a.name] - values[b.name]) <= max(a.abs + a.rel * abs(values[a.name]), b.abs)
    ]
    # Few numbers, and 1 for all of them.
    flags = {"regime", "load_on", "load_called", "load_retries", "stage"}
    assert {frozenset(pair) for pair in alike if not pair <= flags} == SAME


# --- the plant itself ---


@pytest.mark.parametrize("row", BOUNDARIES, ids=lambda row: row.name)
def test_the_snapshot_has_the_quantity(day, row):
    assert_is(row, getattr(day.now, row.name), getattr(day.since["day"], row.name))


# --- files ---


@pytest.fixture(scope="module")
def trace(day) -> Trace:
    return Trace(np.array([day.since["day"], day.now]), ZONE)


@pytest.fixture(scope="module")
def csv_rows(trace, tmp_path_factory) -> list[dict[str, str]]:
    path = tmp_path_factory.mktemp("boundaries") / "run.csv"
    trace.write(path)
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", BOUNDARIES, ids=lambda row: row.name)
def test_the_csv_has_the_quantity_under_its_name(day, csv_rows, row):
    before, now = (float(line[row.name]) for line in csv_rows)
    assert_is(row, now, before)


def test_the_csv_has_every_quantity_once_behind_the_civil_time(csv_rows):
    assert list(csv_rows[0]) == ["time", *FIELDS]
    assert [line["time"] for line in csv_rows] == ["2026-02-02 00:00:00", MOMENT_LOCAL]


@pytest.mark.parametrize("row", BOUNDARIES, ids=lambda row: row.name)
def test_the_frame_has_the_quantity_under_its_name(day, trace, row):
    before, now = trace.frame()[row.name]
    assert_is(row, now, before)
    assert trace[row.name].tolist() == [before, now]


def test_a_parquet_file_is_the_csv_file(trace, csv_rows, tmp_path):
    pytest.importorskip("pyarrow")
    import pandas as pd

    trace.write(tmp_path / "run.parquet")
    frame = pd.read_parquet(tmp_path / "run.parquet")
    assert list(frame.columns) == list(csv_rows[0])
    assert [str(moment) for moment in frame["time"]] == [line["time"] for line in csv_rows]
    for name in FIELDS:
        assert frame[name].tolist() == [float(line[name]) for line in csv_rows], name


@pytest.fixture(scope="module")
def state_file(day, tmp_path_factory) -> Path:
    """A state file with every minute of today, from midnight on."""
    path = tmp_path_factory.mktemp("boundaries") / "state.db"
    rows = np.array([day.since["day"], *np.array(list(day.rows.values())).T[11::12]])
    with closing(StateFile.opened(path)) as file:
        begun(file, day.plant)
        file.write([entry(day.plant, rows)])
    return path


def stored_rows(path: Path, table: str, order: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table} ORDER BY {order}")]


def number_of(row: Boundary, cell: str | float) -> float:
    """A stage stands there by its name."""
    return (
        ("none", "bulk", "boost", "equalize", "float").index(str(cell))
        if row.name == "stage"
        else float(cell)
    )


@pytest.mark.parametrize("row", STORED, ids=lambda row: row.stored)
def test_the_state_file_has_the_quantity(day, state_file, row):
    first, *_, last = stored_rows(state_file, "samples", "t_utc_s")
    assert_is(row, number_of(row, last[row.stored]), number_of(row, first[row.stored]))


def test_the_state_file_has_these_columns_and_both_times(state_file):
    first, *_, last = stored_rows(state_file, "samples", "t_utc_s")
    assert set(first) == {"controller", "t_utc_s", "time", *(row.stored for row in STORED)}
    assert (first["t_utc_s"], first["time"]) == (DAY_UTC_S, "2026-02-02 00:00:00")
    assert (last["t_utc_s"], last["time"]) == (MOMENT_UTC_S, MOMENT_LOCAL)


@pytest.mark.parametrize("row", STORED, ids=lambda row: row.stored)
def test_the_history_s_csv_has_the_quantity(day, state_file, tmp_path, row):
    print_history(state_file, None, None, tmp_path / "samples.csv")
    with (tmp_path / "samples.csv").open(encoding="utf-8") as file:
        first, *_, last = csv.DictReader(file)
    assert (last["t_utc_s"], last["time"]) == (str(MOMENT_UTC_S), MOMENT_LOCAL)
    assert_is(row, number_of(row, last[row.stored]), number_of(row, first[row.stored]))


def test_the_history_s_days_are_civil_days_of_the_site(day, state_file):
    """The sample at midnight closes the day before; today's row is of the samples after it."""
    *_, yesterday, today = stored_rows(state_file, "days", "day")
    assert (yesterday["day"], yesterday["samples"]) == ("2026-02-01", 1)
    minutes = (MOMENT_UTC_S - DAY_UTC_S) // 60
    assert (today["day"], today["samples"]) == ("2026-02-02", minutes)
    each = {name: values[11::12] for name, values in day.rows.items()}
    since = day.since["day"]
    for column, wanted in {
        "poa_kwh_m2": each["poa_w_m2"].sum() / 60e3,
        "e_available_wh": day.now.e_available_wh - since.e_available_wh,
        "e_pv_wh": day.now.e_pv_wh - since.e_pv_wh,
        "e_chg_wh": day.now.e_chg_wh - since.e_chg_wh,
        "e_load_wh": day.now.e_load_wh - since.e_load_wh,
        "e_unserved_wh": day.now.e_unserved_wh - since.e_unserved_wh,
        "v_batt_min_v": each["v_batt_v"].min(),
        "v_batt_max_v": each["v_batt_v"].max(),
        "soc_min": each["soc"].min(),
        "soc_max": each["soc"].max(),
        "load_on_h": each["load_on"].sum() / 60.0,
        **{
            f"stage_{stage}_h": (each["stage"] == code).sum() / 60.0
            for code, stage in enumerate(("none", "bulk", "boost", "equalize", "float"))
        },
    }.items():
        assert today[column] == pytest.approx(wanted, rel=1e-9, abs=1e-9), column


# --- the wire ---


@cache
def map_of(name: str) -> RegisterMap:
    return load_map(name, lived().site.controller.parameters().ratings(12))


def asked(day: Lived, map_name: str, request: Request) -> Reply | None:
    tracer = Tracer(map_of(map_name), Still(day.now, day.plant.settings))
    return decode_reply(request, tracer.answer(request) or b"")


def words_at(day: Lived, register: Register) -> tuple[int, ...]:
    function = {"input": 4, "holding": 3, "discrete": 2, "coil": 1}[register.table]
    if function < 3:
        bits = asked(day, register.map_name, ReadBits(1, function, register.address, 1))
        assert isinstance(bits, BitsReply)
        return tuple(map(int, bits.bits))
    words = asked(day, register.map_name, ReadWords(1, function, register.address, register.words))
    assert isinstance(words, WordsReply)
    return words.words


def name_of(value: object) -> str:
    if isinstance(value, Register):
        return f"{value.map_name}-{value.table}-{value.address:04x}"
    return value.name if isinstance(value, Boundary) else ""


@pytest.mark.parametrize(("row", "register"), SHOWN, ids=name_of)
def test_the_register_shows_the_quantity(day, row, register):
    """Meters since the start hold what was before midnight as well; that part is taken from the snapshot."""
    before = getattr(day.since["day"], row.name) if row.is_account else 0.0
    wanted = register.shown(row.wanted() + before)
    found = register.number(words_at(day, register))
    half = 0.5 * register.step if register.step < 1 else 0.0  # of what is cut off, at most a step
    middle = wanted - math.copysign(half, wanted)
    assert found == pytest.approx(middle, abs=row.abs + abs(row.rel * wanted) + 1.001 * half)


def test_the_gauge_shows_whole_per_cent_cut_off(day):
    (word,) = words_at(day, Register("epever", "input", 0x311A))
    assert word == int(100 * (day.terminal_v() - 11.1) / (day.float_v() - 11.1)) == 70
    nearly = Tracer(map_of("epever"), Still(day.now._replace(soc_controller=0.6299)))
    request = ReadWords(1, 4, 0x311A, 1)
    assert decode_reply(request, nearly.answer(request) or b"") == WordsReply(1, 4, (62,))


@pytest.mark.parametrize(("map_name", "address"), [("epever", 0x3201), ("uart2", 0x3200)])
@pytest.mark.parametrize(("stage", "code"), list(enumerate(STAGE_CODES)))
def test_each_stage_has_its_code_in_bits_3_and_2(day, map_name, address, stage, code):
    request = ReadWords(1, 4, address, 1)
    tracer = Tracer(map_of(map_name), Still(day.now._replace(stage=float(stage))))
    reply = decode_reply(request, tracer.answer(request) or b"")
    assert isinstance(reply, WordsReply)
    assert reply.words[0] >> 2 & 3 == code


def test_the_clock_shows_the_controller_s_civil_time_not_utc(day):
    """3.5 s ahead of 15:07:00 by then."""
    words = asked(day, "epever", ReadWords(1, 3, 0x9013, 3))
    assert isinstance(words, WordsReply)
    assert words.words == (0x0703, 0x020F, 0x1A02)


@pytest.mark.parametrize(("name", "besides"), [("epever", None), ("uart2", "epever")])
def test_every_row_of_the_maps_that_shows_a_quantity_is_in_the_table(day, name, besides):
    """Rows that a map has from the one below it are that one's."""
    below = map_of(besides).spec.rows if besides else ()
    places = set()
    for row in map_of(name).spec.rows:
        if row not in below:
            fields = [part for part in getattr(row, "bits", None) or () if getattr(part, "quantity", None)]
            places |= {(row.table, row.address, part.bits[1]) for part in fields}
            places |= {(row.table, row.address, 0)} if getattr(row, "quantity", None) else set()
    assert places
    assert places - FOLLOWING <= {(r.table, r.address, r.bits[0]) for _, r in SHOWN if r.map_name == name}


class ThroughNoWire:
    """A master whose device is at hand."""

    def __init__(self, day: Lived, map_name: str) -> None:
        self._day, self._map_name = day, map_name

    def ask(self, request: Request, *_: object) -> Reply | None:
        return asked(self._day, self._map_name, request)


def test_poll_s_json_has_values_in_the_units_it_names(day, capsys):
    device = PolledDevice(ThroughNoWire(day, "epever"), 1, 1.0, "here")  # type: ignore[arg-type]
    print_json(list(read_all(device, map_of("epever"), "input")), device="here")
    told = {line["address"]: line for line in json.loads(capsys.readouterr().out)["registers"]}
    units = {"_v": "V", "_a": "A", "_w": "W", "_c": "degC", "_kwh": "kWh"}
    for row, register in SHOWN:
        if register.map_name == "epever" and register.table == "input" and register.bits == (0, 16):
            line = told[register.address]
            wanted = register.shown(
                row.wanted() + (getattr(day.since["day"], row.name) if row.is_account else 0.0)
            )
            sign = -1 if register.turned else 1
            middle = wanted - math.copysign(0.005, wanted)
            within = row.abs + abs(row.rel * wanted) + 0.00501
            assert sign * line["value"] == pytest.approx(middle, abs=within), row.name
            assert line["unit"] == units["_" + row.name.rpartition("_")[2]]
            assert len(line["words"]) == register.words
    assert "D3-2 boost" in told[0x3201]["meaning"]


def test_tell_show_has_every_quantity_under_its_name(day):
    unit = SimpleNamespace(live=SimpleNamespace(plant=day.plant), tracer=SimpleNamespace(unit=1))
    rig = SimpleNamespace(units=[unit])
    told = json.loads(commands.do(rig, "show"))  # type: ignore[arg-type]
    assert list(told) == list(FIELDS)
    for row in BOUNDARIES:
        codes = QUANTITIES[row.name].codes
        value = told[row.name] if codes is None else float(codes[told[row.name].upper()])
        assert_is(row, value, getattr(day.since["day"], row.name))


def test_the_state_file_s_view_of_now_has_every_quantity_under_its_name(day, state_file):
    told = dict(read(state_file, "SELECT quantity, value FROM now"))
    assert set(told) == set(FIELDS)
    for row in BOUNDARIES:
        assert_is(row, told[row.name], getattr(day.since["day"], row.name))


def test_the_site_s_clock_is_not_utc(day):
    assert AHEAD_S == 20_700
    assert day.site.location.timezone == ZONE
