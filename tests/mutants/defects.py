"""The defects: each a piece of text in a file, what stands there instead, and the scenarios that are tried first.

A defect is what somebody might really write: a wrong number, sign, unit, order or comparison.
"""

from typing import Final, NamedTuple


class Defect(NamedTuple):
    """A row of the list.

    Attributes
    ----------
    name : str
        What is wrong, for people.
    file : str
        From the clone's root.
    old, new : str
        The text, which occurs once, and what replaces it.
    tried : tuple of str
        Scenarios under ``config/scenarios`` that are likely to find it, the shortest first.
    """

    name: str
    file: str
    old: str
    new: str
    tried: tuple[str, ...]


SETTINGS, SETPOINTS, CLOCK = (f"plant/controller/{name}.py" for name in ("settings", "setpoints", "clock"))
CHARGER, RULES = "plant/controller/charger.py", "plant/controller/rules.py"
TRACER, MAP = "config/controllers/tracer4210n.yaml", "config/registers/epever.yaml"
FAULTS, STRIKING, CLIENT = (
    "modbus/line/faults/kinds.py",
    "modbus/line/faults/striking.py",
    "tracertwin/checking/client.py",
)
FACTORY, FOLLOW = "charge_cycles/factory_settings", "charge_cycles/registers_follow"
SEALED: Final = '1, "sealed", (16.0, 15.0, 15.0, 14.6, 14.4, 13.8, 13.2, 12.6, 12.2, 12.0, 11.1, 10.6)'


def _sealed(number: str, other: str) -> tuple[str, str, str]:
    return SETTINGS, SEALED, SEALED.replace(number, other, 1)


DEFECTS: Final = (
    # --- set-points of the battery types ---
    Defect("boost of sealed is 14.2 V", *_sealed("14.4", "14.2"), (FACTORY,)),
    Defect("float of sealed is 13.5 V", *_sealed("13.8", "13.5"), (FACTORY,)),
    Defect("boost reconnect of sealed is 13.0 V", *_sealed("13.2", "13.0"), (FACTORY,)),
    Defect("load reconnect of sealed is 12.8 V", *_sealed("12.6", "12.8"), (FACTORY,)),
    Defect("load disconnect of sealed is 10.8 V", *_sealed("11.1", "10.8"), (FACTORY,)),
    Defect("equalize of flooded is 15.3 V", SETTINGS, '3, "flooded", (16.0, 15.0, 15.0, 14.8,',
           '3, "flooded", (16.0, 15.5, 15.0, 15.3,', ("charge_cycles/equalize_on_the_28th",)),
    Defect("boost lasts 100 min for 120", SETPOINTS, "settings.boost_min * 60.0", "settings.boost_min * 50.0",
           ("iec62509/04_regimes",)),
    Defect("equalize lasts half its time", SETPOINTS, "settings.equalize_min * 60.0", "settings.equalize_min * 30.0",
           ("iec62509/02_equalize",)),
    Defect("a stop at 95 degC", SETTINGS, "device_hot_c: float = 85.0", "device_hot_c: float = 95.0", (FACTORY,)),
    # --- temperature compensation ---
    Defect("compensation counts five cells", SETPOINTS,
           "compensation_v_k=settings.compensation_mv_k_cell * 1e-3 * 6", "compensation_v_k=settings.compensation_mv_k_cell * 1e-3 * 5",
           ("iec62509/03_compensation_00c",)),
    Defect("compensation has the other sign", SETPOINTS, "compensation_v_k=settings", "compensation_v_k=-settings",
           ("iec62509/03_compensation_10c",)),
    Defect("compensation about 20 degC", CHARGER, "setpoints[_SLOPE] * (25.0 - t_batt_c)",
           "setpoints[_SLOPE] * (20.0 - t_batt_c)", ("iec62509/03_compensation_25c",)),
    Defect("float is not compensated", CHARGER, "range(_EQUALIZE, _FLOAT + 1)", "range(_EQUALIZE, _FLOAT)",
           ("iec62509/03_compensation_float",)),
    Defect("the charging limit doesn't hold for compensated voltages", CHARGER,
           "(25.0 - t_batt_c), setpoints[_LIMIT])", "(25.0 - t_batt_c), 99.0)",
           ("iec62509/03_compensation_limit",)),
    Defect("the load's disconnect is compensated", CHARGER, "    whole = setpoints[_FLOAT] - setpoints[_LOW]",
           "    levels[_LOW] += setpoints[_SLOPE] * (25.0 - t_batt_c)\n    whole = setpoints[_FLOAT] - setpoints[_LOW]",
           ("iec62509/03_disconnect_in_the_cold",)),
    Defect("a lost probe counts as 0 degC", "plant/site/upsets.py", "PROBE_MISSING_C: Final = 25.0",
           "PROBE_MISSING_C: Final = 0.0", ("iec62509/03_probe_lost",)),
    # --- stages and delays ---
    Defect("float waits ten minutes below reconnect", CHARGER, "reconnect_s: float = 30.0", "reconnect_s: float = 600.0",
           ("iec62509/04_regimes",)),
    Defect("after boost comes bulk", RULES, 'Stage.BOOST, Stage.FLOAT, "boost time served"',
           'Stage.BOOST, Stage.BULK, "boost time served"', ("iec62509/02_set_points",)),
    Defect("float ends at the float voltage", RULES, 'When("v_batt_v", "<", "boost_reconnect_v"), for_="reconnect_s"',
           'When("v_batt_v", "<", "float_v"), for_="reconnect_s"', ("iec62509/04_regimes", "charge_cycles/clear_summer_day")),
    Defect("equalize on the 27th", CLOCK, "EQUALIZE_DAY = 28", "EQUALIZE_DAY = 27",
           ("charge_cycles/equalize_on_the_28th",)),
    Defect("charging goes on five minutes into the dark", CHARGER, "stop_s: float = 10.0", "stop_s: float = 300.0",
           ("iec62509/04_regimes",)),
    # --- load ---
    Defect("disconnect waits a minute", CHARGER, "disconnect_s: float = 5.0", "disconnect_s: float = 60.0",
           ("iec62509/05_disconnect_100",)),
    Defect("reconnect at the warning's recovery", RULES,
           'Machine.LOAD, LoadOutput.LOW_VOLTAGE, LoadOutput.ON, "low-voltage reconnect",\n        When("v_batt_v", ">=", "low_voltage_reconnect_v")',
           'Machine.LOAD, LoadOutput.LOW_VOLTAGE, LoadOutput.ON, "low-voltage reconnect",\n        When("v_batt_v", ">=", "under_voltage_recover_v")',
           ("iec62509/06_reconnect",)),
    Defect("the warning comes with the disconnect", RULES, 'When("v_batt_v", "<", "under_voltage_warning_v")',
           'When("v_batt_v", "<", "low_voltage_disconnect_v")', ("iec62509/07_warning_first",)),
    Defect("a short counts from forty times the rating", RULES, "SHORT: Final = 4.0", "SHORT: Final = 40.0",
           ("iec62509/12_short",)),
    Defect("1.25 times the load is borne for 100 s", RULES, "(1.25, 10.0)", "(1.25, 100.0)", ("iec62509/12_overload_125",)),
    Defect("1.05 times the load is borne for 3 s", RULES, "(1.05, 30.0)", "(1.05, 3.0)", ("iec62509/12_overload_110",)),
    Defect("overload counts from 1.04 times", RULES, "(1.02, 50.0)", "(1.04, 50.0)", ("iec62509/12_overload_103",)),
    Defect("retries are 5 s apart", RULES, "(5.0, 10.0, 15.0, 20.0, 25.0)", "(5.0, 5.0, 5.0, 5.0, 5.0)", ("iec62509/12_short",)),
    Defect("four retries", RULES, "(5.0, 10.0, 15.0, 20.0, 25.0)", "(5.0, 10.0, 15.0, 20.0)", ("iec62509/12_short",)),
    # --- protections ---
    Defect("no derating below 89 degC", "plant/power/stage.py", "DERATE_FROM_C = 81.0", "DERATE_FROM_C = 89.0",
           ("iec62509/13_thermal_blocked",)),
    Defect("production five minutes after a heat trip", CHARGER, "reacquire_s: float = 45.0", "reacquire_s: float = 300.0",
           ("iec62509/13_thermal_blocked",)),
    Defect("a 12 V system takes 24 V batteries", SETPOINTS, "SYSTEM_RANGE_V: Final = (8.0, 18.0)",
           "SYSTEM_RANGE_V: Final = (8.0, 38.0)", ("iec62509/16_wrong_system_voltage",)),
    Defect("twice the PV voltage is borne", SETPOINTS, "pv_high_v=pv_rated_v", "pv_high_v=2.0 * pv_rated_v",
           ("iec62509/16_pv_over_voltage",)),
    Defect("PV over-voltage ends at 60 %", SETPOINTS, "PV_RELEASE: Final = 0.92", "PV_RELEASE: Final = 0.60",
           ("iec62509/16_pv_over_voltage",)),
    # --- converter, own use, ratings ---
    Defect("losses by current doubled", TRACER, "k_s_w_va: 0.002873", "k_s_w_va: 0.005746", ("iec62509/09_efficiency_12v",)),
    Defect("losses by the current's square doubled", TRACER, "r_eq_ohm: 0.01320", "r_eq_ohm: 0.02640", ("iec62509/09_efficiency_12v",)),
    Defect("the tracker loses a tenth", TRACER, "tracking_efficiency: 0.995", "tracking_efficiency: 0.895", ("iec62509/09_efficiency_12v",)),
    Defect("own use doubled", TRACER, "own_w_12v: 0.17 ", "own_w_12v: 0.34 ", ("iec62509/08_standby",)),
    Defect("twice the drop to the load", TRACER, "load_path_ohm: 0.0045", "load_path_ohm: 0.0090", ("iec62509/10_voltage_drop",)),
    Defect("a rating of 45 A", TRACER, "charge_rated_a: 40", "charge_rated_a: 45", (FACTORY,)),
    # --- gauge, meters, clock ---
    Defect("the gauge ends at boost", "plant/kernel/show.py", "(float_v - low_v)\n", "(1.05 * float_v - low_v)\n", ("iec62509/02_set_points",)),
    Defect("the gauge begins a volt lower", "plant/kernel/show.py", "share = (v_batt_v - low_v)", "share = (v_batt_v - low_v + 1.0)",
           ("iec62509/05_disconnect_100",)),
    Defect("meters of the day never restart", CLOCK, "return int(before != after)", "return 0", ("charge_cycles/midnight",)),
    Defect("meters of the month never restart", CLOCK, "        return 2\n", "        return 1\n", ("charge_cycles/midnight_and_month",)),
    Defect("midnight at one o'clock", CLOCK, "+ ROUNDING_S) // DAY_S + 1.0) * DAY_S", "+ ROUNDING_S) // DAY_S + 1.0) * DAY_S + 3600.0",
           ("charge_cycles/midnight",)),
    Defect("extremes are kept over midnight", "plant/kernel/meters.py", '    books_array["extremes"] = EMPTY_EXTREMES\n', "", ("charge_cycles/midnight",)),
    Defect("consumption of the day counts the charge", "plant/kernel/meters.py", '_begin(books_array, "consumed", "load"',
           '_begin(books_array, "consumed", "chg"', ("charge_cycles/midnight",)),
    # --- registers: scale, sign, what is shown ---
    Defect("0x3104 x 1000", MAP, "name: battery_charge_voltage, quantity: v_batt_v, unit: V, scale: 100", "name: battery_charge_voltage, quantity: v_batt_v, unit: V, scale: 1000", (FACTORY,)),
    Defect("0x3105 x 10", MAP, "name: battery_charge_current, quantity: i_chg_a, unit: A, scale: 100", "name: battery_charge_current, quantity: i_chg_a, unit: A, scale: 10", (FOLLOW,)),
    Defect("0x3104 shows the array's voltage", MAP, "name: battery_charge_voltage, quantity: v_batt_v", "name: battery_charge_voltage, quantity: v_pv_v", (FACTORY,)),
    Defect("0x3110 has no sign", MAP, "quantity: t_batt_c, unit: degC, scale: 100,\n     signed: true,\n     meaning: battery temperature, source: [V23, V25, V26], seen: [BN, A, AN, XTRA],",
           "quantity: t_batt_c, unit: degC, scale: 100,\n     meaning: battery temperature, source: [V23, V25, V26], seen: [BN, A, AN, XTRA],", (FOLLOW,)),
    Defect("0x330C shows the total", MAP, "name: energy_generated_today, quantity: generated_today_kwh", "name: energy_generated_today, quantity: generated_total_kwh", ("charge_cycles/midnight_and_month",)),
    Defect("0x3302 shows the least voltage", MAP, "quantity: v_batt_max_today_v", "quantity: v_batt_min_today_v", (FOLLOW,)),
    Defect("bulk shows as float", MAP, "codes: {0: 0, 1: 2, 2: 2, 3: 3, 4: 1}", "codes: {0: 0, 1: 1, 2: 2, 3: 3, 4: 1}", (FOLLOW,)),
    Defect("a short sets the bit of over-current", MAP, '{bits: "8", quantity: load_state, codes: {3: 1}', '{bits: "8", quantity: load_state, codes: {2: 1}', ("iec62509/12_short",)),
    Defect("0x9007 in tenths of a volt", MAP, "name: boost_voltage, setting: boost_v, unit: V, scale: 100", "name: boost_voltage, setting: boost_v, unit: V, scale: 10", (FACTORY,)),
    Defect("32-bit registers have their high word first", "modbus/map/forms.py", "return [lambda s, t: number(s, t) & 0xFFFF, lambda s, t: number(s, t) >> 16 & 0xFFFF]", "return [lambda s, t: number(s, t) >> 16 & 0xFFFF, lambda s, t: number(s, t) & 0xFFFF]", (FOLLOW,)),
    # --- the line ---
    Defect("faults strike three times as often", STRIKING, "float(chance.random()) < one.fault.probability", "float(chance.random()) < 3.0 * one.fault.probability", ("line/late_replies", "line/lost_replies", "line/no_replies")),
    Defect("faults never strike", STRIKING, "float(chance.random()) < one.fault.probability", "float(chance.random()) < 0.0", ("line/no_replies",)),
    Defect("faults can't be cleared", STRIKING, 'if name not in ("all", a.fault.row.name))', 'if name not in ("none", "none"))', ("line/no_replies",)),
    Defect("crc leaves the check sum right", FAULTS, "return data[:-2] + end", "return data", ("line/wrong_crc",)),
    Defect("a late reply is in time", FAULTS, "by_s: Seconds = 1.5", "by_s: Seconds = 0.15", ("line/late_replies",)),
    Defect("a slow reply is too late", FAULTS, "by_s: Seconds = 0.2)", "by_s: Seconds = 0.35)", ("line/slow_replies",)),
    Defect("dead devices carry out writes", FAULTS, "lasts_s=20.0, deaf=True", "lasts_s=20.0, deaf=False", ("line/dead_device",)),
    Defect("a client takes frames with a wrong CRC", "modbus/codec/replies.py", '    _expect("CRC", seal(data[:-2])[-2:], data[-2:])\n', "", ("line/wrong_crc",)),
    # --- weather ---
    Defect("a fifth of a clear sky's light is lost", "plant/weather/sky.py", "index = np.ones_like(clear.ghi_w_m2)", "index = 0.8 * np.ones_like(clear.ghi_w_m2)", ("sky/clear_noon_alps",)),
    Defect("a cloud takes its share twice", "plant/inputs.py", "getattr(sky, name) * light for", "getattr(sky, name) * light * light for", ("iec62509/09_efficiency_12v",)),
    Defect("numbers of two words lose their sign", "modbus/map/scaling.py", "if number > bounds(len(words), signed)[1] else number", "if number < 0 else number", (FOLLOW,)),
    Defect("the client waits ten times as long", CLIENT, "self._wait(timeout_s or self._timeout_s)", "self._wait(10.0 * (timeout_s or self._timeout_s))", ("line/no_replies",)),
    Defect("the client asks once more than told", CLIENT, "for _ in range(retries + 1)", "for _ in range(retries + 2)", ("line/no_replies",)),
)  # fmt: skip

SURVIVE: Final[dict[str, str]] = {}  # defects that no scenario can find, and why
