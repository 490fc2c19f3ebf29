"""The controller's decisions as rows: charge stages, load output, warnings, day and night, protections.

A rule moves one machine to a state when its conditions have held for long enough. Conditions compare a quantity of the
instant with a set-point, or name a state of another machine; nothing here knows how they come about. The order counts:
of several rules that are due at the same instant the first goes first, and the others are looked at again after it.
Log, docs (`docs/stages.md`) and compiled kernel all read these rows.

Sources: Tracer-A manual (MAN_A), TRIRON N and XTRA N manuals (MAN_TRIRON, MAN_XTRA), vendor protocol V2.6 (V26), a
probed 20 A AN unit (AN20). What none of them tells is marked as a guess.
"""

from typing import Final

from plant.controller.charger import (
    EQUALIZED_S,
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
    Stage,
    Switch,
    SystemVoltage,
    UnderVoltageWarning,
)
from plant.controller.postsrules import POSTS_RULES
from plant.controller.rows import AT_ONCE, Effect, Is, IsNot, Rule, When, rule

# --- Charge: what ends it, and what begins it ---------------------------------------------------------------------
# A trip comes first: it beats whatever else the same instant would do. While one lasts, no charge begins.

CHARGING: Final = (Stage.BULK, Stage.BOOST, Stage.EQUALIZE, Stage.FLOAT)
BARS_CHARGE: Final = {
    "battery over-voltage": (Machine.OVER_VOLTAGE, OverVoltage.TRIPPED),
    "heat sink too hot": (Machine.HEATSINK, Heat.HOT),
    "battery too hot": (Machine.BATTERY_HEAT, Heat.HOT),
    "battery too cold to charge": (Machine.COLD_CHARGE, Permit.REFUSED),
    "wrong system voltage": (Machine.SYSTEM_VOLTAGE, SystemVoltage.WRONG),
    "PV voltage too high": (Machine.PV_VOLTAGE, PvVoltage.HIGH),
    "charge percentage reached": (Machine.CHARGE_PERCENT, Permit.REFUSED),
}

_CHARGE_ENDS_AND_BEGINS = (
    *(rule(Machine.CHARGE, CHARGING, Stage.NONE, reason, Is(*bar)) for reason, bar in BARS_CHARGE.items()),
    rule(
        Machine.CHARGE, CHARGING, Stage.NONE, "PV voltage too low",
        When("v_pv_above_battery_v", "<", "stop_above_v"), for_="stop_s",
    ),
    rule(
        Machine.CHARGE, Stage.NONE, Stage.BULK, "PV voltage above battery",
        When("v_pv_above_battery_v", ">=", "start_above_v"), *(IsNot(*bar) for bar in BARS_CHARGE.values()),
    ),
)  # fmt: skip

# --- Charge: its stages [MAN_A] -----------------------------------------------------------------------------------
# Boost's time runs on through dips, and begins anew after ten minutes off its voltage or below the reconnect voltage
# (weak: two days of two AN units); or time at its voltage adds up (MAN_A). Set-points `boost_...` tell which.
# Equalizing is owed from the 28th of each month on until its time has been served; never in the same charge as boost.

OWED: Final = When("equalize_left_s", ">=", EQUALIZED_S)
SERVED: Final = When("equalize_left_s", "<", EQUALIZED_S)
AT_BOOST, BELOW_BOOST = When("v_batt_v", ">=", "boost_v"), When("v_batt_v", "<", "boost_v")
AT_EQUALIZE, BELOW_RESTART = When("v_batt_v", ">=", "equalize_v"), When("v_batt_v", "<", "boost_restart_v")
GOES_ON, ANEW = When("held_s", "<", "boost_kept_s"), When("held_s", ">=", "boost_kept_s")

_STAGES = (
    rule(Machine.CHARGE, Stage.BULK, Stage.EQUALIZE, "equalize voltage reached", AT_EQUALIZE, OWED),
    rule(Machine.CHARGE, Stage.BULK, Stage.BOOST, "boost voltage reached", AT_BOOST, SERVED, GOES_ON),
    rule(
        Machine.CHARGE, Stage.BULK, Stage.BOOST, "boost voltage reached, its time begins", AT_BOOST, SERVED, ANEW,
        restarts_charge=True,
    ),
    rule(Machine.CHARGE, Stage.BOOST, Stage.FLOAT, "boost time served", When("held_s", ">=", "boost_s")),
    rule(Machine.CHARGE, Stage.BOOST, Stage.BULK, "long below boost", BELOW_BOOST, for_="boost_away_s"),
    rule(Machine.CHARGE, Stage.BOOST, Stage.BULK, "pulled below reconnect", BELOW_RESTART, for_="reconnect_s"),
    rule(Machine.CHARGE, Stage.EQUALIZE, Stage.FLOAT, "equalize time served", SERVED),
    rule(
        Machine.CHARGE, (Stage.BOOST, Stage.EQUALIZE), Stage.FLOAT, "longest time at constant voltage",
        When("held_s", ">=", "hold_most_s"),
    ),
    rule(
        Machine.CHARGE, Stage.FLOAT, Stage.BULK, "battery pulled below boost reconnect",
        When("v_batt_v", "<", "boost_reconnect_v"), for_="reconnect_s", restarts_charge=True,
    ),
)  # fmt: skip

# --- Load: what bars it, and its mode [MAN_XTRA; register 0x903D, V26] --------------------------------------------
# The mode's rows stand before those of the output: a load that trips and is switched off at the same instant stays off.

BARS_LOAD: Final = {
    "battery too hot": (Machine.BATTERY_HEAT, Heat.HOT),  # manuals: the battery "stops"; both ways is a guess
    "battery too cold to discharge": (Machine.COLD_DISCHARGE, Permit.REFUSED),
    "wrong system voltage": (Machine.SYSTEM_VOLTAGE, SystemVoltage.WRONG),
}

_LOAD_ALLOWED = (
    *(
        rule(Machine.LOAD, LoadOutput.ON, LoadOutput.BARRED, reason, Is(*bar))
        for reason, bar in BARS_LOAD.items()
    ),
    rule(
        Machine.LOAD, LoadOutput.BARRED, LoadOutput.ON, "load allowed again",
        *(IsNot(*bar) for bar in BARS_LOAD.values()),
    ),
    rule(Machine.LOAD_CONTROL, LoadControl.ON, LoadControl.OFF, "load not called for", IsNot("load_called")),
    rule(Machine.LOAD_CONTROL, LoadControl.OFF, LoadControl.ON, "load called for", Is("load_called")),
)  # fmt: skip

# --- Load: what trips it, and how it comes back [MAN_TRIRON, MAN_XTRA] --------------------------------------------
# After the fifth retry the load stays off until somebody switches it off, or a long night is over (see `Effect.DAWN`).

SHORT: Final = 4.0  # times the rated load current
OVERLOADS: Final = (  # times the rated load current, and how long they are borne [s]
    (1.5, AT_ONCE),  # guess: here the manuals' table ends
    (1.35, 2.0),
    (1.25, 10.0),
    (1.05, 30.0),
    (1.02, 50.0),
)
RETRIES_S: Final = (5.0, 10.0, 15.0, 20.0, 25.0)  # from a trip to the retry
TRIPPED: Final = (LoadOutput.SHORT, LoadOutput.OVERLOAD)

_LOAD_TRIPS = (
    rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.SHORT, "load short circuit",
        When("load_share", ">=", SHORT), effect=Effect.TRIPS,
    ),
    rule(Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_VOLTAGE, "load voltage collapsed", Is("load_collapsed")),
    rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_VOLTAGE, "low-voltage disconnect",
        When("v_batt_v", "<", "low_voltage_disconnect_v"), for_="disconnect_s",
    ),
    rule(
        Machine.LOAD, LoadOutput.LOW_VOLTAGE, LoadOutput.ON, "low-voltage reconnect",
        When("v_batt_v", ">=", "low_voltage_reconnect_v"), for_="restore_s",
    ),
    rule(
        Machine.LOAD, LoadOutput.ON, LoadOutput.LOW_CHARGE, "discharge percentage reached",
        When("v_batt_v", "<", "discharge_percent_v"), for_="percent_s",
    ),
    rule(
        Machine.LOAD, LoadOutput.LOW_CHARGE, LoadOutput.ON, "above the discharge percentage again",
        When("v_batt_v", ">=", "discharge_percent_release_v"), for_="percent_s",
    ),
    *(
        rule(
            Machine.LOAD, LoadOutput.ON, LoadOutput.OVERLOAD, "load overload",
            When("load_share", ">=", share), for_=borne_s, effect=Effect.TRIPS,
        )
        for share, borne_s in OVERLOADS
    ),
    rule(
        Machine.LOAD, TRIPPED, LoadOutput.ON, "load switched off",
        IsNot("load_called"), effect=Effect.FORGETS,
    ),
    *(
        rule(
            Machine.LOAD, TRIPPED, LoadOutput.ON, f"load retry {tried + 1}",
            Is("retries", tried), for_=wait_s, effect=Effect.RETRIES,
        )
        for tried, wait_s in enumerate(RETRIES_S)
    ),
)  # fmt: skip

# --- What the battery's voltage says [registers 0x9003 to 0x900E, V26] --------------------------------------------

_VOLTAGE = (
    rule(
        Machine.OVER_VOLTAGE, OverVoltage.NORMAL, OverVoltage.TRIPPED, "over-voltage disconnect",
        When("v_batt_v", ">=", "over_voltage_disconnect_v"),
    ),
    rule(
        Machine.OVER_VOLTAGE, OverVoltage.TRIPPED, OverVoltage.NORMAL, "over-voltage reconnect",
        When("v_batt_v", "<", "over_voltage_reconnect_v"),
    ),
    rule(
        Machine.WARNING, UnderVoltageWarning.NORMAL, UnderVoltageWarning.UNDER, "under-voltage warning",
        When("v_batt_v", "<", "under_voltage_warning_v"),
    ),
    rule(
        Machine.WARNING, UnderVoltageWarning.UNDER, UnderVoltageWarning.NORMAL, "under-voltage warning recovered",
        When("v_batt_v", ">=", "under_voltage_recover_v"),
    ),
)  # fmt: skip

# --- Day and night [V26] ------------------------------------------------------------------------------------------
# A new night ends the charge: next morning begins in bulk (guess; matches 0x000B each morning in logs).

_DAYLIGHT = (
    rule(
        Machine.DAYLIGHT, Daylight.DAY, Daylight.NIGHT, "dusk",
        When("v_pv_v", "<", "night_v"), for_="night_s", restarts_charge=True, effect=Effect.DUSK,
    ),
    rule(
        Machine.DAYLIGHT, Daylight.NIGHT, Daylight.DAY, "dawn",
        When("v_pv_v", ">=", "day_v"), for_="day_s", effect=Effect.DAWN,
    ),
)  # fmt: skip

# --- Temperatures [AN20: heat sink; registers 0x9017, 0x9018, V26; MAN_XTRA: lithium in the cold] -----------------
# After a heat trip the stage is back at once, the current later, with a sweep (AN20).

_TEMPERATURES = (
    rule(
        Machine.HEATSINK, Heat.NORMAL, Heat.HOT, "heat sink too hot",
        When("t_heatsink_c", ">=", "heatsink_hot_c"), for_="heatsink_look_s",
    ),
    rule(
        Machine.HEATSINK, Heat.HOT, Heat.NORMAL, "heat sink cooled",
        When("t_heatsink_c", "<", "heatsink_cool_c"),
    ),
    rule(
        Machine.PRODUCTION, Production.READY, Production.WAITING, "heat sink too hot",
        Is(Machine.HEATSINK, Heat.HOT),
    ),
    rule(
        Machine.PRODUCTION, Production.WAITING, Production.READY, "production resumed",
        IsNot(Machine.HEATSINK, Heat.HOT), for_="reacquire_s",
    ),
    rule(
        Machine.BATTERY_HEAT, Heat.NORMAL, Heat.HOT, "battery too hot",
        When("t_probe_c", ">=", "battery_hot_c"),
    ),
    rule(
        Machine.BATTERY_HEAT, Heat.HOT, Heat.NORMAL, "battery cooled",
        When("t_probe_c", "<", "battery_cool_c"),
    ),
    rule(
        Machine.BATTERY_COLD, Cold.NORMAL, Cold.COLD, "battery cold",
        When("t_probe_c", "<", "battery_cold_c"),
    ),
    rule(
        Machine.COLD_CHARGE, Permit.GIVEN, Permit.REFUSED, "battery too cold to charge",
        When("t_probe_c", "<", "cold_charge_c"),
    ),
    rule(
        Machine.COLD_DISCHARGE, Permit.GIVEN, Permit.REFUSED, "battery too cold to discharge",
        When("t_probe_c", "<", "cold_discharge_c"),
    ),
    rule(
        Machine.BATTERY_COLD, Cold.COLD, Cold.NORMAL, "battery warmer",
        When("t_probe_c", ">=", "battery_warmer_c"),
    ),
    rule(
        Machine.COLD_CHARGE, Permit.REFUSED, Permit.GIVEN, "battery warmer",
        When("t_probe_c", ">=", "cold_charge_release_c"),
    ),
    rule(
        Machine.COLD_DISCHARGE, Permit.REFUSED, Permit.GIVEN, "battery warmer",
        When("t_probe_c", ">=", "cold_discharge_release_c"),
    ),
)  # fmt: skip

# --- SOC mode: the voltages at which the unit's gauge shows its percentages [registers 0x906D, 0x906E, V26] -------

_CHARGE_PERCENT = (
    rule(
        Machine.CHARGE_PERCENT, Permit.GIVEN, Permit.REFUSED, "charge percentage reached",
        When("v_batt_v", ">=", "charge_percent_v"), for_="percent_s",
    ),
    rule(
        Machine.CHARGE_PERCENT, Permit.REFUSED, Permit.GIVEN, "below the charge percentage again",
        When("v_batt_v", "<", "charge_percent_release_v"), for_="percent_s",
    ),
)  # fmt: skip

# --- Wiring: battery of another system, array above its rating [MAN_XTRA; Tracer-BN manual] -----------------------

_WIRING = (
    rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.RIGHT, SystemVoltage.WRONG, "battery of a higher voltage",
        When("v_batt_v", ">=", "system_high_v"), for_="system_s",
    ),
    rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.RIGHT, SystemVoltage.WRONG, "battery of a lower voltage",
        When("v_batt_v", "<", "system_low_v"), When("v_batt_v", ">=", "lowest_v"), for_="system_s",
    ),
    rule(
        Machine.SYSTEM_VOLTAGE, SystemVoltage.WRONG, SystemVoltage.RIGHT, "battery of the voltage that is set",
        When("v_batt_v", ">=", "system_low_v"), When("v_batt_v", "<", "system_high_v"), for_="system_s",
    ),
    *(
        rule(Machine.PV_VOLTAGE, PvVoltage.NORMAL, PvVoltage.HIGH, f"{which}PV voltage too high", When(*at_least))
        for which, *at_least in (("", "v_pv_v", ">=", "pv_high_v"), ("open-circuit ", "v_oc_v", ">=", "pv_open_high_v"))
    ),
    rule(
        Machine.PV_VOLTAGE, PvVoltage.HIGH, PvVoltage.NORMAL, "PV voltage within its rating",
        When("v_oc_v", "<", "pv_high_release_v"),  # an array that has been let go of stands open
    ),
)  # fmt: skip

# --- The battery's own protection (BMS), not the controller's; absent in lead-acid [plant.battery.bms] ------------

_BMS = (
    *(
        rule(Machine.BMS_CHARGE, Switch.CLOSED, Switch.OPEN, f"BMS: {reason}", when, for_=delay)
        for reason, when, delay in (
            ("over-charge", When("v_cells_v", ">=", "bms_over_v"), "bms_delay_s"),
            ("too cold to charge", When("t_batt_c", "<", "bms_charge_cold_c"), "bms_delay_s"),
            ("too hot to charge", When("t_batt_c", ">=", "bms_charge_hot_c"), "bms_delay_s"),
            ("charge over-current", When("i_batt_a", ">=", "bms_over_a"), "bms_over_s"),
        )
    ),
    rule(
        Machine.BMS_CHARGE, Switch.OPEN, Switch.CLOSED, "BMS: charging allowed again",
        When("v_cells_v", "<", "bms_over_release_v"), When("t_batt_c", ">=", "bms_charge_cold_release_c"),
        When("t_batt_c", "<", "bms_charge_hot_release_c"), for_="bms_release_s",
    ),
    *(
        rule(Machine.BMS_DISCHARGE, Switch.CLOSED, Switch.OPEN, f"BMS: {reason}", when, for_=delay)
        for reason, when, delay in (
            ("over-discharge", When("v_cells_v", "<", "bms_under_v"), "bms_delay_s"),
            ("too cold to discharge", When("t_batt_c", "<", "bms_discharge_cold_c"), "bms_delay_s"),
            ("too hot to discharge", When("t_batt_c", ">=", "bms_discharge_hot_c"), "bms_delay_s"),
            ("discharge over-current", When("i_discharge_a", ">=", "bms_over_a"), "bms_over_s"),
        )
    ),
    rule(
        Machine.BMS_DISCHARGE, Switch.OPEN, Switch.CLOSED, "BMS: discharging allowed again",
        When("v_cells_v", ">=", "bms_under_release_v"), When("t_batt_c", ">=", "bms_discharge_cold_release_c"),
        When("t_batt_c", "<", "bms_discharge_hot_release_c"), for_="bms_release_s",
    ),
)  # fmt: skip

RULES: Final[tuple[Rule, ...]] = (
    *_CHARGE_ENDS_AND_BEGINS, *_STAGES, *_LOAD_ALLOWED, *_LOAD_TRIPS, *_VOLTAGE, *_DAYLIGHT, *_TEMPERATURES,
    *_CHARGE_PERCENT, *_WIRING, *_BMS, *POSTS_RULES,
)  # fmt: skip
