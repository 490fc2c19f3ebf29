"""Every register that the gathered facts know: its table, address, width, sign and scale, and the word it sends.

The facts are in `golden/tracer_registers.yaml`, written from documents and recordings; what a register should read is
worked out here from the plant's state by hand. Nothing of config/registers is used but through the line.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from modbus.codec.replies import BitsReply, ExceptionReply, SparseReply, WordsReply, decode_reply
from modbus.codec.requests import ReadBits, ReadSparse, ReadWords
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, load_map
from modbus.map.rows import DurationRow, SettingRow
from plant.controller.settings import BATTERY_TYPES, VOLTAGES, Settings, factory
from tests.snapshots import NEW, ZERO, Still

FACTS = yaml.safe_load(
    Path(__file__).with_name("golden").joinpath("tracer_registers.yaml").read_text(encoding="utf-8")
)
EPEVER = load_map("epever", TRACER_4210)

STATE = ZERO._replace(
    t_device_s=datetime(2031, 12, 24, 17, 58, 9, tzinfo=UTC).timestamp(),
    v_pv_v=71.25, i_pv_a=13.07, p_pv_w=931.24, v_batt_v=14.18, i_chg_a=39.98, p_chg_w=66666.66, stage=3.0,
    v_load_v=14.02, i_load_a=28.5, p_load_w=399.57, t_batt_c=-3.25, t_probe_c=-3.25, t_heatsink_c=61.5,
    t_amb_c=-11.0, soc_controller=0.669, battery_status=1.0, battery_heat=2.0, wrong_voltage=1.0, heatsink_hot=1.0,
    night=1.0, load_on=1.0, load_share=0.7125, i_batt_a=-1.21,
    v_pv_max_today_v=98.76, v_pv_min_today_v=0.12, v_batt_max_today_v=14.44, v_batt_min_today_v=11.98,
    consumed_today_kwh=0.29, consumed_month_kwh=8.1, consumed_year_kwh=77.77, consumed_total_kwh=655.36,
    generated_today_kwh=1.01, generated_month_kwh=30.3, generated_year_kwh=699.99, generated_total_kwh=1044.52,
)  # fmt: skip
SHOWN: dict[str, float] = {  # in the unit of the facts
    "pv_rated_voltage": 100.0, "pv_rated_current": 40.0, "pv_rated_power": 1040.0, "battery_rated_voltage": 24.0,
    "charge_rated_current": 40.0, "charge_rated_power": 1040.0, "charging_mode": 2, "load_rated_voltage": 24.0,
    "load_rated_current": 40.0, "load_rated_power": 1040.0, "pv_voltage": 71.25,
    "pv_current": 7.95, "pv_power": 566.91,  # the charge power, and that over the PV voltage; cut off
    "battery_charge_voltage": 14.18, "battery_charge_current": 39.98,
    "battery_charge_power": 566.91, "battery_discharge_voltage": 14.18, "battery_discharge_current": 28.5,
    "battery_discharge_power": 404.13, "load_voltage": 14.18, "load_current": 28.5, "load_power": 404.13,
    "battery_temperature": -3.25, "device_temperature": 61.5, "power_component_temperature": 61.5,
    "ambient_temperature": -11.0, "battery_soc": 66, "remote_battery_temperature": -3.25,
    "system_rated_voltage": 12.0,
    "battery_status": 0x8021,  # wrong voltage, too cold, over-voltage
    "charging_status": 0x000F,  # running, producing, equalizing
    "discharging_status": 0x2001,  # rated load, on
    "pv_voltage_max_today": 98.76, "pv_voltage_min_today": 0.12, "battery_voltage_max_today": 14.44,
    "battery_voltage_min_today": 11.98, "energy_consumed_today": 0.29, "energy_consumed_month": 8.1,
    "energy_consumed_year": 77.77, "energy_consumed_total": 655.36, "energy_generated_today": 1.01,
    "energy_generated_month": 30.3, "energy_generated_year": 699.99, "energy_generated_total": 1044.52,
    "co2_reduction": 1.04,  # 1044.52 kWh x 0.997 kg = 1.0414 t, cut off
    "undocumented_3316": 0.0, "undocumented_3318": 1.21, "battery_voltage": 14.18, "battery_net_current": -1.21,
    "battery_temperature_stat": -3.25, "ambient_temperature_stat": -3.25,
}  # fmt: skip

SET = Settings(
    battery_type=3, capacity_ah=345, compensation_mv_k_cell=4.56, over_voltage_disconnect_v=16.11,
    charging_limit_v=15.22, over_voltage_reconnect_v=15.01, equalize_v=14.93, boost_v=14.52, float_v=13.74,
    boost_reconnect_v=13.05, low_voltage_reconnect_v=12.46, under_voltage_recover_v=12.27,
    under_voltage_warning_v=12.08, low_voltage_disconnect_v=11.39, discharging_limit_v=10.71, night_v=5.23,
    day_v=6.34, boost_min=111, equalize_min=99, system_code=1, low_temperature_charge_c=-12.34,
    low_temperature_discharge_c=5.67, equalize_cycle_d=29, battery_hot_c=64.32, battery_cold_c=-38.5,
    device_hot_c=84.21, device_cool_c=73.29, component_hot_c=86.1, component_cool_c=72.9, line_mohm=7.89,
    night_min=11, day_min=13, load_mode=2, timer1_min=185, timer2_min=61, on1_second=1, on1_minute=2, on1_hour=3,
    off1_second=4, off1_minute=5, off1_hour=6, on2_second=7, on2_minute=8, on2_hour=9, off2_second=10,
    off2_minute=12, off2_hour=14, backlight_s=321, night_length_min=833, timing_choice=1, load_at_power_up=0,
    discharge_pct=31, charge_pct=97, management_mode=1, lithium_protection=0x0300, charging_on=0, load_on=1,
    load_default=1, load_test=0, load_forced=1,
)  # fmt: skip
KEPT: dict[str, float] = {
    "battery_type": 3, "battery_capacity": 345, "temperature_compensation": 4.56, "over_voltage_disconnect": 16.11,
    "charging_limit_voltage": 15.22, "over_voltage_reconnect": 15.01, "equalize_voltage": 14.93,
    "boost_voltage": 14.52, "float_voltage": 13.74, "boost_reconnect_voltage": 13.05, "low_voltage_reconnect": 12.46,
    "under_voltage_warning_recover": 12.27, "under_voltage_warning": 12.08, "low_voltage_disconnect": 11.39,
    "discharging_limit_voltage": 10.71, "low_temperature_charge_limit": -12.34,
    "low_temperature_discharge_limit": 5.67,
    "rtc_minute_second": 58 * 256 + 9, "rtc_day_hour": 24 * 256 + 17, "rtc_year_month": 31 * 256 + 12,
    "equalize_cycle": 29, "battery_temp_warning_upper": 64.32, "battery_temp_warning_lower": -38.5,
    "device_temp_upper": 84.21, "device_temp_recover": 73.29, "power_component_temp_upper": 86.1,
    "power_component_temp_recover": 72.9, "line_impedance": 7.89, "night_threshold_voltage": 5.23, "night_delay": 11,
    "day_threshold_voltage": 6.34, "day_delay": 13, "load_mode": 2,
    "light_on_timer1": 3 * 256 + 5, "light_on_timer2": 1 * 256 + 1,  # 3:05 and 1:01
    "on1_second": 1, "on1_minute": 2, "on1_hour": 3, "off1_second": 4, "off1_minute": 5, "off1_hour": 6,
    "on2_second": 7, "on2_minute": 8, "on2_hour": 9, "off2_second": 10, "off2_minute": 12, "off2_hour": 14,
    "backlight_time": 321, "night_length": 13 * 256 + 53,  # 833 min
    "battery_rated_voltage_code": 1, "timing_choice": 1, "default_load_state_manual": 0, "equalize_duration": 99,
    "boost_duration": 111, "discharge_percentage": 31, "charge_percentage": 97, "undocumented_906F": 100,
    "management_mode": 1, "lithium_protection": 0x0300,
}  # fmt: skip
COILS = {
    "charging_on_off": 0, "load_manual_on_off": 1, "load_default_on_off": 1, "load_test_mode": 0,
    "load_force_on_off": 1,
}  # fmt: skip
BITS = {"over_temperature_inside": 1, "night": 1}

NOT_MAPPED = {  # what the facts know and a 4210AN is taken not to have; the reasons are in config/registers
    "output_mode_manual_auto", "undocumented_3170", "main_power_config", "undocumented_90BD", "passwords_9100_9105",
}  # fmt: skip
WRITE_ONLY = {"restore_defaults", "clear_energy_statistics"}
FUNCTION_OF = {"coils": 1, "discrete_inputs": 2, "holding_registers": 3, "input_registers": 4}
EVERY = [(section, fact) for section in FUNCTION_OF for fact in FACTS[section]]


def tracer() -> Tracer:
    return Tracer(EPEVER, Still(STATE, SET))


def ask(request):
    reply = tracer().answer(request)
    assert reply is not None
    return decode_reply(request, reply)


def addresses(fact: dict) -> range:
    size = fact.get("count", 2 if fact.get("width") == 32 else 1)
    return range(fact["addr"], fact["addr"] + size)


def read(section: str, fact: dict) -> float:
    """What a master that knows the facts makes of the register."""
    function, size = FUNCTION_OF[section], len(addresses(fact))
    if function in (1, 2):
        reply = ask(ReadBits(1, function, fact["addr"], 1))
        assert isinstance(reply, BitsReply)
        return int(reply.bits[0])
    reply = ask(ReadWords(1, function, fact["addr"], size))
    assert isinstance(reply, WordsReply)
    raw = sum(word << 16 * place for place, word in enumerate(reply.words))
    if fact.get("signed") and raw >> (16 * size - 1):
        raw -= 1 << 16 * size
    return raw / fact.get("div", 1)


KNOWN = {"coils": COILS, "discrete_inputs": BITS, "input_registers": SHOWN, "holding_registers": KEPT}
READ = [(s, f) for s, f in EVERY if f["name"] not in NOT_MAPPED | WRITE_ONLY | {"undocumented_9090_9097"}]


@pytest.mark.parametrize(
    ("section", "fact"), READ, ids=lambda value: value["name"] if isinstance(value, dict) else ""
)
def test_register_reads_what_the_facts_say_of_the_plants_state(section, fact):
    assert read(section, fact) == KNOWN[section][fact["name"]]


# What a status register or a discrete input shows of one condition, all else being in order and the load off; by the
# bit fields of the vendor's documents V2.3, V2.5 and V2.6.
STATUS = [
    ({}, 0x0000, 0x0001, 0x0000, (0, 0)),
    ({"battery_status": 1.0}, 0x0001, 0x0001, 0x0000, (0, 0)),
    ({"battery_status": 2.0}, 0x0002, 0x0001, 0x0000, (0, 0)),
    ({"battery_status": 3.0, "load_state": 1.0}, 0x0003, 0x0001, 0x0000, (0, 0)),
    ({"battery_heat": 1.0}, 0x0010, 0x0001, 0x0000, (0, 0)),
    ({"battery_heat": 2.0}, 0x0020, 0x0001, 0x0000, (0, 0)),
    ({"wrong_voltage": 1.0}, 0x8000, 0x0001, 0x0000, (0, 0)),
    ({"heatsink_hot": 1.0}, 0x0000, 0x0001, 0x0000, (1, 0)),
    ({"night": 1.0}, 0x0000, 0x0001, 0x0000, (0, 1)),
    ({"pv_too_high": 1.0}, 0x0000, 0x8001, 0x0000, (0, 0)),
    ({"stage": 1.0, "i_chg_a": 0.01}, 0x0000, 0x000B, 0x0000, (0, 0)),
    ({"stage": 4.0}, 0x0000, 0x0005, 0x0000, (0, 0)),
    ({"load_state": 2.0}, 0x0000, 0x0201, 0x3002, (0, 0)),  # overload, tripped
    ({"load_state": 3.0}, 0x0000, 0x0101, 0x0802, (0, 0)),  # short circuit
    ({"load_state": 4.0}, 0x0000, 0x0001, 0x0400, (0, 0)),  # barred
    ({"load_on": 1.0, "load_share": 0.1}, 0x0000, 0x0001, 0x0001, (0, 0)),
    ({"load_on": 1.0, "load_share": 0.5}, 0x0000, 0x0001, 0x1001, (0, 0)),
    ({"load_on": 1.0, "load_share": 1.0}, 0x0000, 0x0001, 0x2001, (0, 0)),
    ({"load_on": 1.0, "load_share": 1.1}, 0x0000, 0x0001, 0x3001, (0, 0)),
]


@pytest.mark.parametrize(("condition", "battery", "charging", "discharging", "discretes"), STATUS)
def test_one_condition_sets_its_bits_and_no_others(condition, battery, charging, discharging, discretes):
    device = Tracer(EPEVER, Still(ZERO._replace(**condition), NEW))
    status, *flags = (
        decode_reply(request, device.answer(request))
        for request in (ReadWords(1, 4, 0x3200, 3), ReadBits(1, 2, 0x2000, 1), ReadBits(1, 2, 0x200C, 1))
    )
    assert status.words == (battery, charging, discharging)
    assert tuple(int(flag.bits[0]) for flag in flags) == discretes


def test_undocumented_block_of_an_units_reads_as_recorded():
    (fact,) = [fact for _, fact in EVERY if fact["name"] == "undocumented_9090_9097"]
    assert ask(ReadWords(1, 3, 0x9090, 8)).words == tuple(fact["values_seen"])


def test_registers_left_out_are_refused_in_every_function():
    for _, fact in (item for item in EVERY if item[1]["name"] in NOT_MAPPED):
        for function in (1, 2):
            assert ask(ReadBits(1, function, fact["addr"], 1)) == ExceptionReply(1, function, 2)
        for function in (3, 4):
            assert ask(ReadWords(1, function, fact["addr"], 1)) == ExceptionReply(1, function, 2)


@pytest.mark.parametrize("section", FUNCTION_OF)
def test_a_table_has_the_addresses_of_the_facts_and_no_others(section):
    function = FUNCTION_OF[section]
    wanted = {
        a for s, f in EVERY if s == section and f["name"] not in NOT_MAPPED | WRITE_ONLY for a in addresses(f)
    }
    if section == "coils":
        wanted.add(4)  # reads 0, since a client reads over it
    near = {a + by for a in {*wanted, *(a for _, f in EVERY for a in addresses(f))} for by in (-1, 0, 1)}
    kind = ReadBits if function < 3 else ReadWords
    there = {
        address
        for address in near
        if 0 <= address <= 0xFFFF and not isinstance(ask(kind(1, function, address, 1)), ExceptionReply)
    }
    assert there == wanted


def test_sparse_reads_find_all_that_a_bn_has():
    """Bitmaps of a Tracer2215BN and 3215BN; an AN is taken to have the five registers of its own document besides."""
    bn = set()
    for span in FACTS["bitmap_bn"]:
        first, _, last = str(span).partition("-")
        bn |= set(range(int(first, 16), int(last or first, 16) + 1))
    for first, count in ((0x3000, 118), (0x3100, 118), (0x3200, 118), (0x3300, 118), (0x9000, 118)):
        reply = ask(ReadSparse(1, first, count))
        assert isinstance(reply, SparseReply)
        found = {first + place for place, word in enumerate(reply.words) if word is not None}
        assert found - bn <= {0x300D, 0x300F, 0x3010, 0x9010, 0x9011}
        assert bn & set(range(first, first + count)) <= found


# --- what a new unit holds, and what may be written ---------------------------------------------------------------

DEFAULTS = [f for f in FACTS["holding_registers"] if "default" in f and f["name"] != "undocumented_906F"]


@pytest.mark.parametrize("fact", DEFAULTS, ids=lambda fact: fact["name"])
def test_new_unit_holds_the_published_default(fact):
    request = ReadWords(1, 3, fact["addr"], 1)
    reply = decode_reply(request, Tracer(EPEVER, Still(ZERO, NEW)).answer(request))
    assert isinstance(reply, WordsReply)
    (word,) = reply.words
    wanted = fact["default"]
    if "encoding" in fact:
        hours, minutes = str(wanted).split(":")
        assert word == int(hours) * 256 + int(minutes)
    else:
        signed = word - 0x10000 if fact.get("signed") and word > 0x7FFF else word
        assert signed / fact["div"] == wanted


@pytest.mark.parametrize("name", sorted(FACTS["setpoint_defaults"]))
def test_battery_types_bring_the_published_voltages(name):
    volts = FACTS["setpoint_defaults"][name]
    codes = {kind: code for code, kind in FACTS["battery_types"].items()}
    code = codes[name.removesuffix("_12V")]
    known = {row.code: row for row in BATTERY_TYPES}
    if code not in known:
        assert volts[0] > 2 * 17  # for 36 and 48 V
        return
    settings = factory(code, known[code].system_v or 12)
    ours = [getattr(settings, voltage) for voltage in VOLTAGES]
    assert [b if a is None else a for a, b in zip(volts, ours, strict=True)] == ours


@pytest.mark.parametrize("fact", FACTS["holding_registers"], ids=lambda fact: fact["name"])
def test_write_rule_and_limits_are_those_of_the_facts(fact):
    row = EPEVER.rows["holding"].get(fact["addr"])
    if fact["name"] in NOT_MAPPED:
        assert row is None
        return
    assert row is not None
    assert row.written == fact.get("write", "no")
    if "range" in fact:
        assert isinstance(row, SettingRow | DurationRow)
        assert row.limits == tuple(fact["range"])
