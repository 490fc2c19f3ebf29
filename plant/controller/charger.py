"""What the controller's decisions are made of: machines and their states, quantities, set-points.

The decisions themselves are the rows of `rules.RULES`.

Sources: Tracer-A manual (MAN_A), XTRA N manual (MAN_XTRA), vendor protocol V2.6 (V26). What none of them
tells is marked as a guess.
"""

import math
from collections.abc import Mapping
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from plant.base.jit import kernel


class Machine(IntEnum):
    """The independent state machines of the controller, and of what hangs on the battery's posts."""

    CHARGE = 0
    LOAD = 1
    OVER_VOLTAGE = 2
    WARNING = 3
    DAYLIGHT = 4
    HEATSINK = 5
    BATTERY_HEAT = 6
    BMS_CHARGE = 7
    BMS_DISCHARGE = 8
    LOAD_CONTROL = 9
    PRODUCTION = 10
    BATTERY_COLD = 11
    COLD_CHARGE = 12
    COLD_DISCHARGE = 13
    CHARGE_PERCENT = 14
    SYSTEM_VOLTAGE = 15
    PV_VOLTAGE = 16
    INVERTER = 17  # these three stand at the battery, whatever the controller does
    CHARGER_1 = 18
    CHARGER_2 = 19


class Stage(IntEnum):
    """Charge stages."""

    NONE = 0
    BULK = 1
    BOOST = 2
    EQUALIZE = 3
    FLOAT = 4


class LoadOutput(IntEnum):
    """What the protections make of the load output; the load is on when its mode calls for it, too."""

    ON = 0
    LOW_VOLTAGE = 1
    OVERLOAD = 2
    SHORT = 3
    BARRED = 4
    LOW_CHARGE = 5


class LoadControl(IntEnum):
    """Whether the load's mode (0x903D) calls for it."""

    ON = 0
    OFF = 1


class Production(IntEnum):
    """Whether the converter delivers while a stage is on: after a heat trip it waits a while."""

    READY = 0
    WAITING = 1


class OverVoltage(IntEnum):
    """The over-voltage disconnect."""

    NORMAL = 0
    TRIPPED = 1


class UnderVoltageWarning(IntEnum):
    """The under-voltage warning."""

    NORMAL = 0
    UNDER = 1


class Daylight(IntEnum):
    """Day or night, as the controller sees it."""

    DAY = 0
    NIGHT = 1


class BatteryHeat(IntEnum):
    """The battery at its probe, as the controller reports it."""

    NORMAL = 0
    TOO_HOT = 1
    TOO_COLD = 2


class Heat(IntEnum):
    """The controller's heat sink, or the battery at its probe."""

    NORMAL = 0
    HOT = 1


class Cold(IntEnum):
    """The battery at its probe."""

    NORMAL = 0
    COLD = 1


class Permit(IntEnum):
    """Whether a limit in the settings lets current through."""

    GIVEN = 0
    REFUSED = 1


class SystemVoltage(IntEnum):
    """Whether the battery has the system voltage that is set."""

    RIGHT = 0
    WRONG = 1


class PvVoltage(IntEnum):
    """The voltage at the PV terminals against the unit's rating."""

    NORMAL = 0
    HIGH = 1


class Switch(IntEnum):
    """A switch of the battery's own protection (BMS), one for each way of the current."""

    CLOSED = 0
    OPEN = 1


class InverterRun(IntEnum):
    """The inverter at the battery."""

    ON = 0
    LOW_BATTERY = 1
    OVERLOAD = 2


class ChargerRun(IntEnum):
    """A charger at the battery; one that has started runs for a while whatever happens."""

    OFF = 0
    STARTED = 1
    CHARGE = 2
    FLOAT = 3


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
    Machine.WARNING: UnderVoltageWarning,
    Machine.DAYLIGHT: Daylight,
    Machine.HEATSINK: Heat,
    Machine.BATTERY_HEAT: Heat,
    Machine.BMS_CHARGE: Switch,
    Machine.BMS_DISCHARGE: Switch,
    Machine.LOAD_CONTROL: LoadControl,
    Machine.PRODUCTION: Production,
    Machine.BATTERY_COLD: Cold,
    Machine.COLD_CHARGE: Permit,
    Machine.COLD_DISCHARGE: Permit,
    Machine.CHARGE_PERCENT: Permit,
    Machine.SYSTEM_VOLTAGE: SystemVoltage,
    Machine.PV_VOLTAGE: PvVoltage,
    Machine.INVERTER: InverterRun,
    Machine.CHARGER_1: ChargerRun,
    Machine.CHARGER_2: ChargerRun,
}


class Quantities(NamedTuple):
    """What rules may look at beside the states of machines, at one instant."""

    # These move by themselves, and are looked at all the time.
    v_batt_v: float
    v_pv_v: float
    v_pv_above_battery_v: float  # open-circuit voltage of the array minus battery voltage
    v_oc_v: float  # open-circuit voltage of the array, as the unit meets it in its sweeps
    # Elapsed boost time; where its timer doesn't restart, and when equalizing, only the time at the voltage.
    held_s: float
    equalize_left_s: float  # equalizing still owed
    load_collapsed: float  # 1 when the load is on and no voltage can carry its power
    load_share: float  # load current over its rating
    t_heatsink_c: float
    t_probe_c: float  # battery temperature as the controller reads it
    v_cells_v: float  # at the battery's own terminals, behind cable and protection
    t_batt_c: float
    i_batt_a: float
    i_discharge_a: float
    v_posts_v: float  # of the battery's posts, where inverter and chargers stand
    soc: float  # as a battery monitor there counts it: the true one
    inverter_share: float  # what its loads ask for, over its rating
    inverter_collapsed: float  # 1 when it is on and no voltage can carry its power
    charger_1_allowed: float  # 1 while a charger works and it is one of its hours
    charger_2_allowed: float

    # These change with a transition or at a moment known before, and are worked out anew then.
    load_called: float  # 1 when the load's mode calls for it
    retries: float  # of a load that tripped, so far


# So many of the quantities move by themselves: without the battery's posts, and with them.
WATCHED: Final = Quantities._fields.index("v_posts_v")
WATCHED_AT_POSTS: Final = Quantities._fields.index("load_called")
# Quantities that are 0 or 1.
FLAGS: Final = (
    "load_collapsed",
    "inverter_collapsed",
    "charger_1_allowed",
    "charger_2_allowed",
    "load_called",
)
COUNTS: Final = ("retries",)
EQUALIZED_S: Final = 0.5  # equalizing is over once less than this is owed


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
    reconnect_s: float = 30.0  # below a reconnect voltage; guess: "for a while" (MAN_A); 10..60 s
    disconnect_s: float = 5.0  # guess: short dips don't cut the load
    restore_s: float = 240.0  # guess; shorter, a charger alone at the terminals has the load flap
    start_above_v: float = 2.0  # lower end of the tracking window (MAN_A, MAN_TRIRON, MAN_XTRA)
    stop_above_v: float = 1.0  # guess: hysteresis of the above
    stop_s: float = 10.0  # guess
    hold_most_s: float = 10800.0  # at constant voltage in one charge, whatever the durations say (MAN_A)
    boost_kept_s: float = math.inf  # boost's time so far is kept if below this; else it begins anew ...
    boost_away_s: float = math.inf  # ... after so long below its voltage ...
    boost_restart_v: float = -math.inf  # ... or below this
    heatsink_hot_c: float = 85.0  # registers 0x9019, 0x901A
    heatsink_cool_c: float = 75.0
    heatsink_look_s: float = 10.0  # the unit compares about so often (AN20)
    reacquire_s: float = 45.0  # from its release to production: 30..60 s (AN20)
    battery_hot_c: float = 65.0  # 0x9017
    battery_cool_c: float = 55.0
    battery_cold_c: float = -40.0  # 0x9018: a warning (guess: nothing stops)
    battery_warmer_c: float = -38.0  # guess
    cold_charge_c: float = -math.inf  # 0x9010 and 0x9011, where the type and 0x9107 ask for them
    cold_charge_release_c: float = -math.inf
    cold_discharge_c: float = -math.inf
    cold_discharge_release_c: float = -math.inf
    charge_percent_v: float = math.inf  # in SOC mode: where the gauge shows 0x906E, 0x906D
    charge_percent_release_v: float = math.inf
    discharge_percent_v: float = -math.inf
    discharge_percent_release_v: float = -math.inf
    percent_s: float = 120.0  # guess: a gauge of voltage isn't followed through dips
    system_low_v: float = -math.inf  # a battery of the voltage that is set lies between these
    system_high_v: float = math.inf
    system_s: float = 5.0  # guess
    lowest_v: float = 8.0  # below it no unit works (N family)
    pv_high_v: float = math.inf  # rated voltage of the array; that at the terminals counts ...
    pv_open_high_v: float = math.inf  # ... and so far above it the open circuit that a sweep comes by
    pv_high_release_v: float = math.inf
    # Guess: a load that stayed on so long begins with its first retry again.
    retries_forgotten_s: float = 300.0
    long_night_s: float = 10800.0  # longer nights have it begin again at dawn (MAN_XTRA)
    bms_over_v: float = math.inf  # of the battery's own protection; open wide where there is none
    bms_over_release_v: float = math.inf
    bms_under_v: float = -math.inf
    bms_under_release_v: float = -math.inf
    bms_charge_cold_c: float = -math.inf
    bms_charge_cold_release_c: float = -math.inf
    bms_charge_hot_c: float = math.inf
    bms_charge_hot_release_c: float = math.inf
    bms_discharge_cold_c: float = -math.inf
    bms_discharge_cold_release_c: float = -math.inf
    bms_discharge_hot_c: float = math.inf
    bms_discharge_hot_release_c: float = math.inf
    bms_over_a: float = math.inf
    bms_delay_s: float = 0.0
    bms_over_s: float = 0.0
    bms_release_s: float = 0.0
    inverter_cut_off_v: float = -math.inf  # of inverter and chargers at the battery; as if there were none
    inverter_cut_off_s: float = 0.0
    inverter_restart_v: float = -math.inf
    inverter_restart_s: float = 0.0
    inverter_surge_share: float = math.inf
    inverter_surge_s: float = 0.0
    charger_1_start_v: float = -math.inf
    charger_1_start_soc: float = -math.inf
    charger_1_start_s: float = 0.0
    charger_1_stop_v: float = math.inf
    charger_1_stop_soc: float = math.inf
    charger_1_stop_s: float = 0.0
    charger_1_least_s: float = 0.0
    charger_1_absorbed_v: float = math.inf
    charger_1_absorption_s: float = math.inf
    charger_1_again_v: float = -math.inf
    charger_2_start_v: float = -math.inf
    charger_2_start_soc: float = -math.inf
    charger_2_start_s: float = 0.0
    charger_2_stop_v: float = math.inf
    charger_2_stop_soc: float = math.inf
    charger_2_stop_s: float = 0.0
    charger_2_least_s: float = 0.0
    charger_2_absorbed_v: float = math.inf
    charger_2_absorption_s: float = math.inf
    charger_2_again_v: float = -math.inf

    @staticmethod
    def user_voltages() -> tuple[str, ...]:
        """Names of the twelve voltages of registers 0x9003..0x900E, in their order."""
        return SetPoints._fields[:12]


_EQUALIZE, _FLOAT, _LIMIT = (
    SetPoints._fields.index(name) for name in ("equalize_v", "float_v", "charging_limit_v")
)
_SLOPE = SetPoints._fields.index("compensation_v_k")
_LOW = SetPoints._fields.index("low_voltage_disconnect_v")
_PERCENTS = SetPoints._fields.index("charge_percent_v")
_PERCENTS_END = SetPoints._fields.index("discharge_percent_release_v") + 1


@kernel
def compensate(setpoints: np.ndarray, t_batt_c: float, levels: np.ndarray) -> None:
    """Set-points at a battery temperature: equalize, boost and float move, and none passes the charging limit.

    Which voltages are compensated MAN_A doesn't say; these three are what all families name. The voltages of SOC mode's
    percentages move with the gauge, whose upper end is the float voltage.

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
    whole = setpoints[_FLOAT] - setpoints[_LOW]
    for j in range(_PERCENTS, _PERCENTS_END):
        if math.isfinite(setpoints[j]) and whole > 0.0:
            share = (setpoints[j] - setpoints[_LOW]) / whole
            levels[j] += share * (levels[_FLOAT] - setpoints[_FLOAT])
