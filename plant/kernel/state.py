"""What a plant consists of while it runs: its constants, what it remembers, what is held during a step, its books."""

from typing import NamedTuple

import numpy as np

from plant.battery import model as battery
from plant.controller.charger import Machine, Quantities, SetPoints
from plant.controller.converter import Limit, LoadDemand, Port
from plant.controller.loadcontrol import Program
from plant.controller.offer import Offer
from plant.controller.rules import RULES
from plant.controller.stage import PowerStage
from plant.controller.tracker import Tracker, TrackerSettings
from plant.controller.tracking import Steady

EVENTS_KEPT = 4096
EMPTY_EXTREMES = (-np.inf, np.inf, -np.inf, np.inf)


class Flows(NamedTuple):
    """Power of every flow [W], and the current of side reactions [A]; a sub-step's means."""

    pv: float
    pv_wiring: float
    converter_loss: float
    chg: float
    batt_wiring: float
    path_loss: float
    load: float
    own: float
    batt: float
    ohmic: float
    polarisation: float
    side: float
    diffusion: float
    hysteresis: float
    entropy: float
    i_side: float


# The account: integral of each flow, then what the array could have given and why it was not taken (by the
# regime: charger off, tracker beside the point, battery held at its voltage, rating reached), what the load
# asked for in vain, and what was in store in capacity that age or a fault has taken.
(
    PV, PV_WIRING, CONVERTER_LOSS, CHG, BATT_WIRING, PATH_LOSS, LOAD, OWN, BATT,
    OHMIC, POLARISATION, SIDE, DIFFUSION, HYSTERESIS, ENTROPY, I_SIDE,
    AVAILABLE, UNTAKEN_OFF, MISSED, UNTAKEN_FULL, UNTAKEN_LIMIT, UNSERVED, FADED,
) = range(len(Flows._fields) + 7)  # fmt: skip
ACCOUNTS = FADED + 1


class Held(NamedTuple):
    """What doesn't change during one step, or until the next transition."""

    offer: Offer
    p_mp_w: float
    load: LoadDemand
    t_room_c: float
    v_target_v: float
    charging: bool
    load_on: bool
    limit: Limit
    port: Port
    connected: bool  # the battery
    wanted_w: float  # what the load asks for at nominal voltage, faults left out
    called: bool  # whether the load's mode calls for it


class PlantState(NamedTuple):
    """What the plant remembers beside the battery and the states of the machines."""

    x: battery.State
    held_s: float
    equalize_left_s: float
    t_heatsink_c: float
    v_batt_v: float  # at the controller's terminals, as the tracker last saw it
    t_probe_c: float  # battery temperature as the controller last took it up
    t_warm_c: float  # battery temperature that its parameters were last worked out for
    regime: int  # at the end of the last step
    tracker: Tracker | Steady


class Books(NamedTuple):
    """Arrays that `run_steps` writes into: few and flat, for an array costs compiled code at every call."""

    modes: np.ndarray  # (machines,) state of each machine
    numbers: np.ndarray  # everything else, see `PARTS`


# What stands where in `Books.numbers`.
PARTS = {
    "since": len(RULES),  # when each rule's conditions began to hold [UTC s]; inf while they don't
    "due": 1,  # when the next of them is due [UTC s]
    "lower": len(Quantities._fields),  # nothing changes while each quantity stays in [lower, upper)
    "upper": len(Quantities._fields),
    "quantities": len(Quantities._fields),  # `charger.Quantities` of this instant
    "levels": len(SetPoints._fields),  # `charger.SetPoints` at the probe's temperature
    "program": len(Program._fields),  # `loadcontrol.Program`
    "clock": 3,  # the unit's: ahead of UTC at a moment [s], that moment [UTC s], and what it gains [s/s]
    "night": 3,  # when it began [UTC s], 1 if the unit saw it begin, how long nights last as learned [s]
    "tries": 2,  # of a load that tripped: retries so far, when the last one was [UTC s]
    "account": ACCOUNTS,  # integrals since the start, whole days [Wh; side reactions: Ah]
    "carry": ACCOUNTS,  # what rounding left out of them
    "today": ACCOUNTS,  # integrals of the day at hand
    "offset": 8,  # account of charge, then of load, at the last midnight, month, year, reset [Wh]
    "extremes": 4,  # max and min of PV voltage, max and min of battery voltage, today [V]
    "hours": 6 * 24,  # of the solar day, as `wear.Hours`
    "overruns": 1,  # steps that ran out of sub-steps
    "event_count": 1,
    "events": 2 * EVENTS_KEPT,  # time and rule of each transition, the newest overwriting the oldest
}
_ENDS = np.cumsum(list(PARTS.values())).tolist()
(
    SINCE, DUE, LOWER, UPPER, QUANTITIES, LEVELS, PROGRAM, CLOCK, NIGHT, TRIES, ACCOUNT, CARRY, TODAY, OFFSET,
    EXTREMES, HOURS, OVERRUNS, EVENT_COUNT, EVENTS,
) = (end - size for end, size in zip(_ENDS, PARTS.values(), strict=True))  # fmt: skip
_PLACES = {name: slice(end - size, end) for end, (name, size) in zip(_ENDS, PARTS.items(), strict=True)}


class Detailed(NamedTuple):
    """The full ODE of the battery, by RK4 on a grid of 5 s."""

    step_s: float
    event_s: float = 0.05  # transitions are placed to this


class QuasiStatic(NamedTuple):
    """The battery's electrode at rest with its current at every instant: steps of 1 min to 1 h, for sizing."""

    step_s: float
    event_s: float = 1.0


class Parameters(NamedTuple):
    """The plant's constants."""

    battery: battery.Parameters
    stage: PowerStage
    method: Detailed | QuasiStatic
    tracker: TrackerSettings | Steady
    setpoints: np.ndarray  # `charger.SetPoints` at 25 degC
    batt_cable_ohm: float
    nominal_v: float  # what the load's power is stated at
    connected: bool  # the battery
    extra_w: float  # load beside the one asked for
    extra_s: float
    probe_c: float  # what a broken probe has the controller read; nan when it works
    ages: bool  # whether the day's log for `ageing` is kept


def part(books: Books, name: str) -> np.ndarray:
    """View of one of the `PARTS`."""
    return books.numbers[_PLACES[name]]


def empty_books() -> Books:
    """Books of a plant that hasn't begun."""
    books = Books(np.zeros(len(Machine), dtype=np.int64), np.zeros(_ENDS[-1]))
    for name, value in (("since", np.inf), ("due", np.inf), ("lower", np.inf), ("upper", -np.inf)):
        part(books, name)[:] = value
    part(books, "program")[:] = Program()
    part(books, "extremes")[:] = EMPTY_EXTREMES
    return books
