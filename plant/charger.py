"""The controller's decisions as one table: charge stages, load output, warnings, day and night.

A rule moves one machine from a state to another when its conditions have held for its dwell. Conditions compare a
quantity of the instant with a set-point, by name; nothing here knows how they come about. The log, the docs
(``python -m plant.charger``) and the compiled kernel all read the same rows.

Sources: Tracer-A manual (MAN_A), XTRA N manual (MAN_XTRA), vendor protocol V2.6 (V26). What none of them
tells is marked as a guess.
"""

import math
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from plant.jit import kernel
from plant.problems import did_you_mean


class Machine(IntEnum):
    """The independent state machines of the controller."""

    CHARGE = 0
    LOAD = 1
    OVER_VOLTAGE = 2
    WARNING = 3
    DAYLIGHT = 4
    HEATSINK = 5
    BATTERY_HEAT = 6
    BMS_CHARGE = 7
    BMS_DISCHARGE = 8


class Stage(IntEnum):
    """Charge stages."""

    NONE = 0
    BULK = 1
    BOOST = 2
    EQUALIZE = 3
    FLOAT = 4


class LoadOutput(IntEnum):
    """The load switch."""

    ON = 0
    LOW_VOLTAGE = 1
    OVERLOAD = 2
    SHORT = 3


class OverVoltage(IntEnum):
    """The over-voltage disconnect."""

    NORMAL = 0
    TRIPPED = 1


class Warning(IntEnum):
    """The under-voltage warning."""

    NORMAL = 0
    UNDER = 1


class Daylight(IntEnum):
    """What the controller takes the time of day for."""

    DAY = 0
    NIGHT = 1


class Heat(IntEnum):
    """The controller's heat sink, or the battery at its probe."""

    NORMAL = 0
    HOT = 1


class Switch(IntEnum):
    """A switch of the battery's own protection (BMS), one for each way of the current."""

    CLOSED = 0
    OPEN = 1


class BatteryStatus(IntEnum):
    """The controller's word on the battery, worst first told; vendor code of register 0x3200 D3-0."""

    NORMAL = 0
    OVER_VOLTAGE = 1
    UNDER_VOLTAGE = 2
    LOW_VOLTAGE_DISCONNECT = 3


STATES: Mapping[Machine, type[IntEnum]] = {
    Machine.CHARGE: Stage,
    Machine.LOAD: LoadOutput,
    Machine.OVER_VOLTAGE: OverVoltage,
    Machine.WARNING: Warning,
    Machine.DAYLIGHT: Daylight,
    Machine.HEATSINK: Heat,
    Machine.BATTERY_HEAT: Heat,
    Machine.BMS_CHARGE: Switch,
    Machine.BMS_DISCHARGE: Switch,
}


class Quantities(NamedTuple):
    """What rules may look at, at one instant."""

    v_batt_v: float
    v_pv_v: float
    v_pv_above_battery_v: float  # open-circuit voltage of the array minus battery voltage
    held_s: float  # time at constant voltage in this charge, over interruptions
    equalize_left_s: float  # equalizing still owed
    over_voltage: float  # state of that machine
    load_collapsed: float  # 1 when the load is on and no voltage can carry its power
    load_share: float  # load current over its rating
    t_heatsink_c: float
    t_probe_c: float  # battery temperature as the controller reads it
    heatsink_hot: float  # states of those machines
    battery_hot: float
    charge_barred: float  # 1 when any of the three forbids charging
    v_cells_v: float  # at the battery's own terminals, behind cable and protection
    t_batt_c: float
    i_batt_a: float
    i_discharge_a: float


class SetPoints(NamedTuple):
    """What quantities are compared with, and how long conditions must hold. Volts of the whole battery."""

    over_voltage_disconnect_v: float
    charging_limit_v: float
    over_voltage_reconnect_v: float
    equalize_v: float
    boost_v: float
    float_v: float
    boost_reconnect_v: float
    low_voltage_reconnect_v: float
    under_voltage_recover_v: float
    under_voltage_warning_v: float
    low_voltage_disconnect_v: float
    discharging_limit_v: float
    compensation_v_k: float  # of the whole battery; lowers the charge voltages above 25 degC
    boost_s: float
    equalize_s: float
    night_v: float
    day_v: float
    night_s: float = 600.0
    day_s: float = 600.0
    reconnect_s: float = 30.0  # guess: "for a while" (MAN_A); 10..60 s
    disconnect_s: float = 5.0  # guess: short dips don't cut the load
    restore_s: float = 5.0  # guess
    start_above_v: float = 2.0  # lower end of the tracking window (MAN_A, MAN_TRIRON, MAN_XTRA)
    stop_above_v: float = 1.0  # guess: hysteresis of the above
    stop_s: float = 10.0  # guess
    heatsink_hot_c: float = 85.0  # registers 0x9019, 0x901A
    heatsink_cool_c: float = 75.0
    battery_hot_c: float = 65.0  # 0x9017
    battery_cool_c: float = 55.0
    overload_1: float = 1.02  # shares of the rated load current, and how long each is borne (MAN_XTRA)
    overload_2: float = 1.05
    overload_3: float = 1.25
    overload_4: float = 1.35
    overload_5: float = 1.5
    overload_1_s: float = 50.0
    overload_2_s: float = 30.0
    overload_3_s: float = 10.0
    overload_4_s: float = 2.0
    short: float = 4.0
    retry_s: float = 25.0  # longest of the five retries; the shorter ones are not told apart here
    bms_over_v: float = math.inf  # of the battery's own protection; open wide where there is none
    bms_over_release_v: float = math.inf
    bms_under_v: float = -math.inf
    bms_under_release_v: float = -math.inf
    bms_charge_cold_c: float = -math.inf
    bms_charge_cold_release_c: float = -math.inf
    bms_charge_hot_c: float = math.inf
    bms_charge_hot_release_c: float = math.inf
    bms_discharge_cold_c: float = -math.inf
    bms_discharge_hot_c: float = math.inf
    bms_over_a: float = math.inf
    bms_delay_s: float = 0.0
    bms_over_s: float = 0.0
    none: float = 0.0
    half: float = 0.5

    @staticmethod
    def user_voltages() -> tuple[str, ...]:
        """Names of the twelve voltages of registers 0x9003..0x900E, in their order."""
        return SetPoints._fields[:12]


class When(NamedTuple):
    """A quantity compared with a set-point."""

    quantity: str
    is_: str  # ">=" or "<"
    setpoint: str


class Rule(NamedTuple):
    """One transition."""

    machine: Machine
    from_: IntEnum
    to: IntEnum
    reason: str
    when: tuple[When, ...]
    for_: str = "none"  # set-point that says how long the conditions must hold
    restarts_charge: bool = False  # forget the time held at constant voltage


_PV_GONE = When("v_pv_above_battery_v", "<", "stop_above_v")
_BARRED = (
    ("battery over-voltage", When("over_voltage", ">=", "half")),
    ("heat sink too hot", When("heatsink_hot", ">=", "half")),
    ("battery too hot", When("battery_hot", ">=", "half")),
)
_OWED = When("equalize_left_s", ">=", "half")
_NOT_OWED = When("equalize_left_s", "<", "half")
_CHARGING = (Stage.BULK, Stage.BOOST, Stage.EQUALIZE, Stage.FLOAT)

RULES: tuple[Rule, ...] = (
    # A trip comes first: it beats whatever else the same instant would do.
    *(
        Rule(Machine.CHARGE, stage, Stage.NONE, reason, (barred,))
        for reason, barred in _BARRED
        for stage in _CHARGING
    ),
    *(
        Rule(Machine.CHARGE, stage, Stage.NONE, "PV voltage too low", (_PV_GONE,), "stop_s")
        for stage in _CHARGING
    ),
    Rule(
        Machine.CHARGE, Stage.NONE, Stage.BULK, "PV voltage above battery",
        (When("v_pv_above_battery_v", ">=", "start_above_v"), When("charge_barred", "<", "half")),
    ),
    Rule(
        Machine.CHARGE, Stage.BULK, Stage.EQUALIZE, "equalize voltage reached",
        (When("v_batt_v", ">=", "equalize_v"), _OWED),
    ),
    Rule(
        Machine.CHARGE, Stage.BULK, Stage.BOOST, "boost voltage reached",
        (When("v_batt_v", ">=", "boost_v"), _NOT_OWED),
    ),
    Rule(Machine.CHARGE, Stage.BOOST, Stage.FLOAT, "boost time served", (When("held_s", ">=", "boost_s"),)),
    Rule(Machine.CHARGE, Stage.EQUALIZE, Stage.FLOAT, "equalize time served", (_NOT_OWED,)),
    Rule(
        Machine.CHARGE, Stage.FLOAT, Stage.BULK, "battery pulled below boost reconnect",
        (When("v_batt_v", "<", "boost_reconnect_v"),), "reconnect_s", restarts_charge=True,
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.SHORT, "load short circuit",
        (When("load_share", ">=", "short"),),
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_VOLTAGE, "load voltage collapsed",
        (When("load_collapsed", ">=", "half"),),
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_VOLTAGE, "low-voltage disconnect",
        (When("v_batt_v", "<", "low_voltage_disconnect_v"),), "disconnect_s",
    ),
    Rule(
        Machine.LOAD, LoadOutput.LOW_VOLTAGE, LoadOutput.ON, "low-voltage reconnect",
        (When("v_batt_v", ">=", "low_voltage_reconnect_v"),), "restore_s",
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.OVERLOAD, "load overload",
        (When("load_share", ">=", "overload_5"),),  # at once (guess: the manuals' table ends at 1.5)
    ),
    *(
        Rule(
            Machine.LOAD, LoadOutput.ON, LoadOutput.OVERLOAD, "load overload",
            (When("load_share", ">=", f"overload_{step}"),), f"overload_{step}_s",
        )
        for step in (4, 3, 2, 1)
    ),
    *(
        Rule(Machine.LOAD, tripped, LoadOutput.ON, "load retried", (), "retry_s")
        for tripped in (LoadOutput.SHORT, LoadOutput.OVERLOAD)
    ),
    Rule(
        Machine.OVER_VOLTAGE, OverVoltage.NORMAL, OverVoltage.TRIPPED, "over-voltage disconnect",
        (When("v_batt_v", ">=", "over_voltage_disconnect_v"),),
    ),
    Rule(
        Machine.OVER_VOLTAGE, OverVoltage.TRIPPED, OverVoltage.NORMAL, "over-voltage reconnect",
        (When("v_batt_v", "<", "over_voltage_reconnect_v"),),
    ),
    Rule(
        Machine.WARNING, Warning.NORMAL, Warning.UNDER, "under-voltage warning",
        (When("v_batt_v", "<", "under_voltage_warning_v"),),
    ),
    Rule(
        Machine.WARNING, Warning.UNDER, Warning.NORMAL, "under-voltage warning recovered",
        (When("v_batt_v", ">=", "under_voltage_recover_v"),),
    ),
    # A new night ends the charge: next morning begins in bulk (guess; matches 0x000B each morning in logs).
    Rule(
        Machine.DAYLIGHT, Daylight.DAY, Daylight.NIGHT, "dusk",
        (When("v_pv_v", "<", "night_v"),), "night_s", restarts_charge=True,
    ),
    Rule(
        Machine.DAYLIGHT, Daylight.NIGHT, Daylight.DAY, "dawn",
        (When("v_pv_v", ">=", "day_v"),), "day_s",
    ),
    Rule(
        Machine.HEATSINK, Heat.NORMAL, Heat.HOT, "heat sink too hot",
        (When("t_heatsink_c", ">=", "heatsink_hot_c"),),
    ),
    Rule(
        Machine.HEATSINK, Heat.HOT, Heat.NORMAL, "heat sink cooled",
        (When("t_heatsink_c", "<", "heatsink_cool_c"),),
    ),
    Rule(
        Machine.BATTERY_HEAT, Heat.NORMAL, Heat.HOT, "battery too hot",
        (When("t_probe_c", ">=", "battery_hot_c"),),
    ),
    Rule(
        Machine.BATTERY_HEAT, Heat.HOT, Heat.NORMAL, "battery cooled",
        (When("t_probe_c", "<", "battery_cool_c"),),
    ),
    # The battery's own protection, not the controller's; absent in lead-acid.
    *(
        Rule(Machine.BMS_CHARGE, Switch.CLOSED, Switch.OPEN, f"BMS: {reason}", (when,), delay)
        for reason, when, delay in (
            ("over-charge", When("v_cells_v", ">=", "bms_over_v"), "bms_delay_s"),
            ("too cold to charge", When("t_batt_c", "<", "bms_charge_cold_c"), "bms_delay_s"),
            ("too hot to charge", When("t_batt_c", ">=", "bms_charge_hot_c"), "bms_delay_s"),
            ("charge over-current", When("i_batt_a", ">=", "bms_over_a"), "bms_over_s"),
        )
    ),
    Rule(
        Machine.BMS_CHARGE, Switch.OPEN, Switch.CLOSED, "BMS: charging allowed again",
        (When("v_cells_v", "<", "bms_over_release_v"), When("t_batt_c", ">=", "bms_charge_cold_release_c"),
         When("t_batt_c", "<", "bms_charge_hot_release_c")), "bms_delay_s",
    ),
    *(
        Rule(Machine.BMS_DISCHARGE, Switch.CLOSED, Switch.OPEN, f"BMS: {reason}", (when,), delay)
        for reason, when, delay in (
            ("over-discharge", When("v_cells_v", "<", "bms_under_v"), "bms_delay_s"),
            ("too cold to discharge", When("t_batt_c", "<", "bms_discharge_cold_c"), "bms_delay_s"),
            ("too hot to discharge", When("t_batt_c", ">=", "bms_discharge_hot_c"), "bms_delay_s"),
            ("discharge over-current", When("i_discharge_a", ">=", "bms_over_a"), "bms_over_s"),
        )
    ),
    Rule(
        Machine.BMS_DISCHARGE, Switch.OPEN, Switch.CLOSED, "BMS: discharging allowed again",
        (When("v_cells_v", ">=", "bms_under_release_v"), When("t_batt_c", ">=", "bms_discharge_cold_c"),
         When("t_batt_c", "<", "bms_discharge_hot_c")), "bms_delay_s",
    ),
)  # fmt: skip


_EQUALIZE, _FLOAT, _LIMIT = (
    SetPoints._fields.index(name) for name in ("equalize_v", "float_v", "charging_limit_v")
)
_SLOPE = SetPoints._fields.index("compensation_v_k")


@kernel
def compensate(setpoints: np.ndarray, t_batt_c: float, levels: np.ndarray) -> None:
    """Set-points at a battery temperature: equalize, boost and float move, and none passes the charging limit.

    Which voltages are compensated MAN_A doesn't say; these three are what all families name.

    Parameters
    ----------
    setpoints : (n,) array
        `SetPoints` at 25 degC.
    t_batt_c : float
    levels : (n,) array
        Written into.
    """
    for j in range(setpoints.size):  # one by one: a slice costs the compiler seconds
        levels[j] = setpoints[j]
    for j in range(_EQUALIZE, _FLOAT + 1):
        levels[j] = min(setpoints[j] + setpoints[_SLOPE] * (25.0 - t_batt_c), setpoints[_LIMIT])


def markdown() -> str:
    """The rules as a page of the docs."""
    lines = [
        "# The controller's rules",
        "",
        "Made from `plant/charger.py` by `python -m plant.charger`; don't edit by hand.",
        "",
    ]
    for machine in Machine:
        states = ", ".join(state.name.lower() for state in STATES[machine])
        lines += [f"## {machine.name.lower().replace('_', ' ')}", "", f"States: {states}.", ""]
        lines += ["| from | to | reason | when | for |", "|---|---|---|---|---|"]
        for rule in RULES:
            if rule.machine is machine:
                when = " and ".join(f"`{w.quantity} {w.is_} {w.setpoint}`" for w in rule.when) or "always"
                dwell = f"`{rule.for_}`" if rule.for_ != "none" else "at once"
                row = (rule.from_.name.lower(), rule.to.name.lower(), rule.reason, when, dwell)
                lines.append("| " + " | ".join(row) + " |")
        lines.append("")
    return "\n".join(lines)


class CompiledRules(NamedTuple):
    """`RULES` as integer columns for the kernel; -1 marks a condition that isn't there."""

    machine: np.ndarray
    from_: np.ndarray
    to: np.ndarray
    quantity: np.ndarray  # (rules, 3)
    at_least: np.ndarray  # (rules, 3): 1 for >=, 0 for <
    setpoint: np.ndarray  # (rules, 3)
    dwell: np.ndarray
    restarts_charge: np.ndarray


def compile_rules(rules: Sequence[Rule]) -> CompiledRules:
    """Look every name up once.

    Raises
    ------
    ValueError
        When a rule names a quantity or set-point that there isn't.
    """

    def index(fields: tuple[str, ...], name: str) -> int:
        if name not in fields:
            raise ValueError(f"{name}: no such name{did_you_mean(name, fields)}")
        return fields.index(name)

    width = 3
    shape = (len(rules), width)
    quantity, at_least, setpoint = np.full(shape, -1), np.zeros(shape, int), np.zeros(shape, int)
    for row, rule in enumerate(rules):
        if len(rule.when) > width or any(w.is_ not in {">=", "<"} for w in rule.when):
            raise ValueError(f"rule {rule.reason!r}: at most {width} conditions, with >= or <")
        for column, when in enumerate(rule.when):
            quantity[row, column] = index(Quantities._fields, when.quantity)
            at_least[row, column] = when.is_ == ">="
            setpoint[row, column] = index(SetPoints._fields, when.setpoint)
    return CompiledRules(
        np.array([int(rule.machine) for rule in rules]),
        np.array([int(rule.from_) for rule in rules]),
        np.array([int(rule.to) for rule in rules]),
        quantity,
        at_least,
        setpoint,
        np.array([index(SetPoints._fields, rule.for_) for rule in rules]),
        np.array([int(rule.restarts_charge) for rule in rules]),
    )


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/stages.md").write_text(markdown(), encoding="utf-8")
