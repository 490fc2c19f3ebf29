"""The controller's decisions as one table: charge stages, load output, warnings, day and night, protections.

A rule moves one machine from a state to another when its conditions have held for its dwell. Conditions compare a
quantity of the instant with a set-point, by name; nothing here knows how they come about. The log, the docs
(``python -m plant.controller.rules``) and the compiled kernel all read the same rows.

Sources: Tracer-A manual (MAN_A), XTRA N manual (MAN_XTRA), vendor protocol V2.6 (V26), a probed 20 A AN unit (AN20).
What none of them tells is marked as a guess.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from plant.base.problems import did_you_mean
from plant.controller.charger import (
    STATES,
    Cold,
    Daylight,
    Heat,
    LoadControl,
    LoadOutput,
    Machine,
    OverVoltage,
    Permit,
    Production,
    PvVoltage,
    Quantities,
    SetPoints,
    Stage,
    Switch,
    SystemVoltage,
    Warning,
)


class Effect(IntEnum):
    """What a transition leaves in the unit's memory, beside the state."""

    NOTHING = 0
    DUSK = 1
    DAWN = 2
    TRIPS = 3
    RETRIES = 4
    FORGETS = 5


TOLD = {
    Effect.NOTHING: "",
    Effect.DUSK: "a night begins",
    Effect.DAWN: "the night's length is learned; after `long_night_s` retries are forgotten",
    Effect.TRIPS: "retries longer ago than `retries_forgotten_s` are forgotten",
    Effect.RETRIES: "one more retry",
    Effect.FORGETS: "retries are forgotten",
}


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
    effect: Effect = Effect.NOTHING


_PV_GONE = When("v_pv_above_battery_v", "<", "stop_above_v")
_BARRED = (
    ("battery over-voltage", When("over_voltage", ">=", "half")),
    ("heat sink too hot", When("heatsink_hot", ">=", "half")),
    ("battery too hot", When("battery_hot", ">=", "half")),
    ("battery too cold to charge", When("too_cold_to_charge", ">=", "half")),
    ("wrong system voltage", When("wrong_voltage", ">=", "half")),
    ("PV voltage too high", When("pv_too_high", ">=", "half")),
    ("charge percentage reached", When("percent_reached", ">=", "half")),
)
_NO_LOAD = (
    ("battery too hot", "battery_hot"),  # the manuals have the battery "stop": taken for both ways (guess)
    ("battery too cold to discharge", "too_cold_to_discharge"),
    ("wrong system voltage", "wrong_voltage"),
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
    *(
        Rule(
            Machine.CHARGE, stage, Stage.FLOAT, "longest time at constant voltage",
            (When("held_s", ">=", "hold_most_s"),),
        )
        for stage in (Stage.BOOST, Stage.EQUALIZE)
    ),
    Rule(
        Machine.CHARGE, Stage.FLOAT, Stage.BULK, "battery pulled below boost reconnect",
        (When("v_batt_v", "<", "boost_reconnect_v"),), "reconnect_s", restarts_charge=True,
    ),
    *(
        Rule(Machine.LOAD, LoadOutput.ON, LoadOutput.BARRED, reason, (When(barred, ">=", "half"),))
        for reason, barred in _NO_LOAD
    ),
    Rule(
        Machine.LOAD, LoadOutput.BARRED, LoadOutput.ON, "load allowed again",
        tuple(When(barred, "<", "half") for _, barred in _NO_LOAD),
    ),
    # Before those of the output: a load that trips and is switched off at the same instant stays off.
    Rule(
        Machine.LOAD_CONTROL, LoadControl.ON, LoadControl.OFF, "load not called for",
        (When("load_called", "<", "half"),),
    ),
    Rule(
        Machine.LOAD_CONTROL, LoadControl.OFF, LoadControl.ON, "load called for",
        (When("load_called", ">=", "half"),),
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.SHORT, "load short circuit",
        (When("load_share", ">=", "short"),), effect=Effect.TRIPS,
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
        Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_CHARGE, "discharge percentage reached",
        (When("v_batt_v", "<", "discharge_percent_v"),), "percent_s",
    ),
    Rule(
        Machine.LOAD, LoadOutput.LOW_CHARGE, LoadOutput.ON, "above the discharge percentage again",
        (When("v_batt_v", ">=", "discharge_percent_release_v"),), "percent_s",
    ),
    Rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.OVERLOAD, "load overload",
        (When("load_share", ">=", "overload_5"),),  # at once (guess: the manuals' table ends at 1.5)
        effect=Effect.TRIPS,
    ),
    *(
        Rule(
            Machine.LOAD, LoadOutput.ON, LoadOutput.OVERLOAD, "load overload",
            (When("load_share", ">=", f"overload_{step}"),), f"overload_{step}_s", effect=Effect.TRIPS,
        )
        for step in (4, 3, 2, 1)
    ),
    # Who switches the load off has it begin anew; a long night does, too (see dawn).
    *(
        Rule(
            Machine.LOAD, tripped, LoadOutput.ON, "load switched off", (When("load_called", "<", "half"),),
            effect=Effect.FORGETS,
        )
        for tripped in (LoadOutput.SHORT, LoadOutput.OVERLOAD)
    ),
    *(
        Rule(
            Machine.LOAD, tripped, LoadOutput.ON, f"load retry {number}",
            (When("retries", ">=", f"tried_{number - 1}" if number > 1 else "none"),
             When("retries", "<", f"tried_{number}")), f"retry_{number}_s", effect=Effect.RETRIES,
        )
        for tripped in (LoadOutput.SHORT, LoadOutput.OVERLOAD)
        for number in (1, 2, 3, 4, 5)
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
        (When("v_pv_v", "<", "night_v"),), "night_s", restarts_charge=True, effect=Effect.DUSK,
    ),
    Rule(
        Machine.DAYLIGHT, Daylight.NIGHT, Daylight.DAY, "dawn",
        (When("v_pv_v", ">=", "day_v"),), "day_s", effect=Effect.DAWN,
    ),
    Rule(
        Machine.HEATSINK, Heat.NORMAL, Heat.HOT, "heat sink too hot",
        (When("t_heatsink_c", ">=", "heatsink_hot_c"),), "heatsink_look_s",
    ),
    Rule(
        Machine.HEATSINK, Heat.HOT, Heat.NORMAL, "heat sink cooled",
        (When("t_heatsink_c", "<", "heatsink_cool_c"),),
    ),
    # The stage is back at once, the current later, with a sweep (AN20).
    Rule(
        Machine.PRODUCTION, Production.READY, Production.WAITING, "heat sink too hot",
        (When("heatsink_hot", ">=", "half"),),
    ),
    Rule(
        Machine.PRODUCTION, Production.WAITING, Production.READY, "production resumed",
        (When("heatsink_hot", "<", "half"),), "reacquire_s",
    ),
    Rule(
        Machine.BATTERY_HEAT, Heat.NORMAL, Heat.HOT, "battery too hot",
        (When("t_probe_c", ">=", "battery_hot_c"),),
    ),
    Rule(
        Machine.BATTERY_HEAT, Heat.HOT, Heat.NORMAL, "battery cooled",
        (When("t_probe_c", "<", "battery_cool_c"),),
    ),
    *(
        Rule(machine, normal, cold, reason, (When("t_probe_c", "<", f"{limit}_c"),))
        for machine, normal, cold, reason, limit in (
            (Machine.BATTERY_COLD, Cold.NORMAL, Cold.COLD, "battery cold", "battery_cold"),
            (Machine.COLD_CHARGE, Permit.GIVEN, Permit.REFUSED, "battery too cold to charge", "cold_charge"),
            (Machine.COLD_DISCHARGE, Permit.GIVEN, Permit.REFUSED, "battery too cold to discharge",
             "cold_discharge"),
        )
    ),
    *(
        Rule(machine, cold, normal, "battery warmer", (When("t_probe_c", ">=", release),))
        for machine, cold, normal, release in (
            (Machine.BATTERY_COLD, Cold.COLD, Cold.NORMAL, "battery_warmer_c"),
            (Machine.COLD_CHARGE, Permit.REFUSED, Permit.GIVEN, "cold_charge_release_c"),
            (Machine.COLD_DISCHARGE, Permit.REFUSED, Permit.GIVEN, "cold_discharge_release_c"),
        )
    ),
    Rule(
        Machine.CHARGE_PERCENT, Permit.GIVEN, Permit.REFUSED, "charge percentage reached",
        (When("v_batt_v", ">=", "charge_percent_v"),), "percent_s",
    ),
    Rule(
        Machine.CHARGE_PERCENT, Permit.REFUSED, Permit.GIVEN, "below the charge percentage again",
        (When("v_batt_v", "<", "charge_percent_release_v"),), "percent_s",
    ),
    Rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.RIGHT, SystemVoltage.WRONG, "battery of a higher voltage",
        (When("v_batt_v", ">=", "system_high_v"),), "system_s",
    ),
    Rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.RIGHT, SystemVoltage.WRONG, "battery of a lower voltage",
        (When("v_batt_v", "<", "system_low_v"), When("v_batt_v", ">=", "lowest_v")), "system_s",
    ),
    Rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.WRONG, SystemVoltage.RIGHT, "battery of the voltage that is set",
        (When("v_batt_v", ">=", "system_low_v"), When("v_batt_v", "<", "system_high_v")), "system_s",
    ),
    Rule(
        Machine.PV_VOLTAGE, PvVoltage.NORMAL, PvVoltage.HIGH, "PV voltage too high",
        (When("v_oc_v", ">=", "pv_high_v"),),
    ),
    Rule(
        Machine.PV_VOLTAGE, PvVoltage.HIGH, PvVoltage.NORMAL, "PV voltage within its rating",
        (When("v_oc_v", "<", "pv_high_release_v"),),
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


def markdown() -> str:
    """The rules as a page of the docs."""
    lines = [
        "# The controller's rules",
        "",
        "Made from `plant/controller/rules.py` by `python -m plant.controller.rules`; don't edit by hand.",
        "",
    ]
    for machine in Machine:
        states = ", ".join(state.name.lower() for state in STATES[machine])
        lines += [f"## {machine.name.lower().replace('_', ' ')}", "", f"States: {states}.", ""]
        lines += ["| from | to | reason | when | for | and |", "|---|---|---|---|---|---|"]
        for rule in RULES:
            if rule.machine is machine:
                when = " and ".join(f"`{w.quantity} {w.is_} {w.setpoint}`" for w in rule.when) or "always"
                dwell = f"`{rule.for_}`" if rule.for_ != "none" else "at once"
                also = "; ".join(
                    filter(None, ("the charge begins anew" * rule.restarts_charge, TOLD[rule.effect]))
                )
                row = (rule.from_.name.lower(), rule.to.name.lower(), rule.reason, when, dwell, also)
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
    effect: np.ndarray


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
        np.array([int(rule.effect) for rule in rules]),
    )


if __name__ == "__main__":
    from pathlib import Path

    Path("docs/stages.md").write_text(markdown(), encoding="utf-8")
