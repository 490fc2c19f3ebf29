"""How a run ended: every machine in a state that one should know of, since when and why; nothing when all is well.

The states are rows. Beside them stand two things that no machine of the controller knows: a battery too low for the
controller to work, and a charger that stays off with sun on the array.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from plant.base.clock import DAY_S, to_local
from plant.controller.charger import (
    Heat,
    LoadOutput,
    Machine,
    OverVoltage,
    Permit,
    PvVoltage,
    Switch,
    SystemVoltage,
)
from plant.controller.rules import BARS_CHARGE
from plant.kernel.books import EVENTS_KEPT
from plant.report.periods import sample_s

if TYPE_CHECKING:
    from plant.plant import Plant
    from plant.report.trace import Trace

NO_CHARGE_WH: Final = 0.1  # less than this doesn't count as charge
SUNNY_WH: Final = 1.0  # more than this is sun on the array
LARGE_TIMES: Final = 3.0  # an array that could have given so many times what was used is worth a word ...
OFF_SHARE: Final = 0.9  # of what the array could have given in a day, not taken because the charger was off
FROZEN_H: Final = 1.0  # of ice is worth a word
TOO_COLD: Final = "BMS: too cold to charge"
SERVED: Final = 0.999  # ... where the load had what it asked for


class EndState(NamedTuple):
    """A state of a machine that is told if a run ends in it."""

    machine: Machine
    state: IntEnum
    words: str
    waits: str = ""  # what ends it; told where nothing of the kind has come


NEEDS_CHARGE: Final = "charge"
END_STATES: Final = (
    EndState(Machine.BMS_DISCHARGE, Switch.OPEN, "BMS open for discharge", NEEDS_CHARGE),
    EndState(Machine.BMS_CHARGE, Switch.OPEN, "BMS open for charge"),
    EndState(Machine.PV_VOLTAGE, PvVoltage.HIGH, "charger off"),
    EndState(Machine.SYSTEM_VOLTAGE, SystemVoltage.WRONG, "charger and load off"),
    EndState(Machine.OVER_VOLTAGE, OverVoltage.TRIPPED, "charger off"),
    EndState(Machine.HEATSINK, Heat.HOT, "charger off"),
    EndState(Machine.BATTERY_HEAT, Heat.HOT, "charger and load off"),
    EndState(Machine.COLD_CHARGE, Permit.REFUSED, "charger off"),
    EndState(Machine.LOAD, LoadOutput.LOW_VOLTAGE, "load off"),
    EndState(Machine.LOAD, LoadOutput.LOW_CHARGE, "load off"),
    EndState(Machine.LOAD, LoadOutput.OVERLOAD, "load off"),
    EndState(Machine.LOAD, LoadOutput.SHORT, "load off"),
    EndState(Machine.LOAD, LoadOutput.BARRED, "load off"),
)


class Entered(NamedTuple):
    """When and why a machine came to the state it is in; without a time if it was so before anything is known."""

    t_utc_s: float | None
    reason: str


def unsolved(plants: "Iterable[Plant]") -> Iterator[str]:
    """A line for each plant with steps that could not be solved; whoever prints one ends with exit code 1."""
    for plant in plants:
        if plant.overrun_steps:
            yield f"{plant.overrun_steps} steps could not be solved: this is a bug, do not trust this run"


def ending_lines(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """What to know of the state a plant is in after a run, a line each; none when all is ordinary."""
    modes = plant.remembered().books[0].modes
    yield from _asleep(plant, trace)
    for row in END_STATES:
        if modes[row.machine] == row.state:
            entered = _entered(plant, row.machine)
            why = f" ({entered.reason})" if entered.reason else ""
            waits = _in_vain(trace, entered.t_utc_s) if row.waits == NEEDS_CHARGE else ""
            yield f"{row.words} {_since(plant, entered.t_utc_s)}{why}{waits}"
    if not any(modes[row.machine] == row.state for row in END_STATES if row.words.startswith("charger")):
        yield from _off_in_the_sun(plant, trace)


def large_array(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """A word where energy was left because the array is far larger than the load needs, which reads like a fault."""
    now = plant.snapshot
    used, served = now.e_pv_wh, now.e_load_wh + now.e_inverter_wh
    asked = served + now.e_unserved_wh + now.e_inverter_unserved_wh
    long = len(trace.rows) > 0 and now.t_utc_s - plant.start_utc_s >= 0.9 * DAY_S
    if not long or used <= 0.0 or served < SERVED * asked:
        return
    times, left = now.e_available_wh / used, now.e_available_wh - now.e_pv_wh
    if times >= LARGE_TIMES and now.e_untaken_full_wh > 0.5 * left:
        yield (
            f"the array could have given {times:.1f} times what was used: the battery is full, and the load needs "
            "no more. That is normal for an array made for darker weeks"
        )


def too_cold_to_charge(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """A word where the BMS of a cold battery cost most of the energy; of its events one may not see how much."""
    now = plant.snapshot
    refused = now.e_untaken_bms_wh
    cold = any(e.machine is Machine.BMS_CHARGE and e.reason == TOO_COLD for e in plant.events())
    if cold and refused > max(SUNNY_WH, 0.5 * now.e_available_wh) and len(trace.rows):
        yield (
            f"the battery was too cold to be charged ({trace['t_batt_c'].min():.0f} °C at its coldest): the BMS "
            f"refused {refused / now.e_available_wh:.0%} of the available PV energy. Keep it warmer, see inspect"
        )


def froze(trace: "Trace") -> Iterator[str]:
    """A word where the battery's acid froze: else it seems full to the charger, and empty to the load."""
    ice_h = float(np.sum(trace["frozen"])) * sample_s(trace) / 3600.0 if len(trace.rows) else 0.0
    if ice_h >= FROZEN_H:
        yield (
            f"there was ice in the battery for {ice_h:,.0f} h ({trace['t_batt_c'].min():.0f} °C at its coldest, "
            f"{trace['soc'].min():.0%} full at its emptiest): meanwhile it takes and gives little current, so it seems "
            "full, and to the load empty, long before it is. Keep it warmer, or fuller"
        )


def _entered(plant: "Plant", machine: Machine) -> Entered:
    for event in reversed(plant.events()):
        if event.machine is machine:
            return Entered(event.t_utc_s, event.reason.removeprefix("BMS: "))
    return Entered(None, "")


def _since(plant: "Plant", t_utc_s: float | None) -> str:
    zone = plant.site.location.timezone
    if t_utc_s is not None:
        return f"since {to_local(t_utc_s, zone):%Y-%m-%d %H:%M}"
    events = plant.events()
    if len(events) < EVENTS_KEPT:
        return "since the start"
    return f"since before {to_local(events[0].t_utc_s, zone):%Y-%m-%d %H:%M}"


def _gained(trace: "Trace", name: str, since_utc_s: float | None) -> float:
    """How much an energy has grown since a moment [Wh]; of a run's beginning at the earliest."""
    begins = -np.inf if since_utc_s is None else since_utc_s
    before = np.flatnonzero(trace["t_utc_s"] <= begins)
    return float(trace[name][-1] - (trace[name][before[-1]] if before.size else 0.0))


def _in_vain(trace: "Trace", since_utc_s: float | None) -> str:
    """What became of charge since a moment: whether something that only charge ends will end."""
    if _gained(trace, "e_chg_wh", since_utc_s) > NO_CHARGE_WH:
        return ""
    if _gained(trace, "e_available_wh", since_utc_s) > SUNNY_WH:
        return ": nothing wakes it, no charge has come from the sun since"
    return ": it waits for charge"


def _asleep(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """A battery too low for the controller to work."""
    awake_v = plant.equipment.stage.awake_v
    if plant.snapshot.v_batt_v >= awake_v:
        return
    awake = np.flatnonzero(trace["v_batt_v"] >= awake_v)
    begins = float(trace["t_utc_s"][awake[-1]]) if awake.size else None
    opened = _entered(plant, Machine.BMS_DISCHARGE).t_utc_s
    if begins is not None and opened is not None:  # a sample may lie long before it
        begins = max(begins, opened)
    yield f"controller without power {_since(plant, begins)} (battery below {awake_v:g} V)"


def _off_in_the_sun(plant: "Plant", trace: "Trace") -> Iterator[str]:
    """A charger that was off for whole days, counted back from the end, with sun on the array."""
    days, lost_wh = 0, 0.0
    while (untaken := _untaken_off(trace, days)) is not None:
        days, lost_wh = days + 1, lost_wh + untaken
    if not days:
        return
    begins = plant.t_utc_s - days * DAY_S
    why = "PV voltage not above the battery's"
    awake_v = plant.equipment.stage.awake_v
    if np.median(trace["v_batt_v"][trace["t_utc_s"] > begins]) < awake_v:
        why = f"battery below the {awake_v:g} V that start the controller"
    for event in plant.events():
        if event.machine is Machine.CHARGE and event.t_utc_s >= begins and event.reason in BARS_CHARGE:
            why = event.reason
    span = "the last day" if days == 1 else f"the last {days} days"
    yield f"charger off for {span} with sun on the array ({why}): {lost_wh:,.0f} Wh not taken"


def _untaken_off(trace: "Trace", days_back: int) -> float | None:
    """What the array could have given [Wh] in a day before the end, if the charger was off for nearly all of it."""
    ends = trace["t_utc_s"][-1] - days_back * DAY_S
    begins = ends - DAY_S
    if begins < trace["t_utc_s"][0] - sample_s(trace) - 1.0:
        return None
    refused = ("e_untaken_off_wh", "e_untaken_pv_high_wh", "e_untaken_cold_wh")
    off = sum(_gained(trace, name, begins) - _gained(trace, name, ends) for name in refused)
    available = _gained(trace, "e_available_wh", begins) - _gained(trace, "e_available_wh", ends)
    return off if available > SUNNY_WH and off > OFF_SHARE * available else None
