"""What a plant consists of while it runs: its constants, what it remembers, what is held during a step, its books."""

from typing import NamedTuple

import numpy as np

from plant import battery
from plant.charger import RULES, Machine, Quantities, SetPoints
from plant.controller import PowerStage
from plant.offer import Offer

EVENTS_KEPT = 4096


class Flows(NamedTuple):
    """Power of every flow [W], and the current of side reactions [A]; their integrals are the account."""

    available: float
    pv: float
    converter_loss: float
    chg: float
    path_loss: float
    load: float
    own: float
    batt: float
    unserved: float
    ohmic: float
    polarisation: float
    side: float
    diffusion: float
    hysteresis: float
    entropy: float
    i_side: float


# Where each flow stands in the account.
(
    AVAILABLE, PV, CONVERTER_LOSS, CHG, PATH_LOSS, LOAD, OWN, BATT, UNSERVED,
    OHMIC, POLARISATION, SIDE, DIFFUSION, HYSTERESIS, ENTROPY, I_SIDE,
) = range(len(Flows._fields))  # fmt: skip


class Held(NamedTuple):
    """What doesn't change during one step."""

    offer: Offer
    p_mp_w: float
    demand_w: float
    t_room_c: float
    v_target_v: float
    charging: bool
    load_on: bool


class Memory(NamedTuple):
    """What the plant remembers beside the battery and the states of the machines."""

    x: battery.State
    held_s: float
    equalize_left_s: float
    t_heatsink_c: float
    v_batt_v: float  # at the terminals, as the tracker last saw it


class Books(NamedTuple):
    """Arrays that `run_steps` writes into."""

    modes: np.ndarray  # (machines,) state of each machine
    timers: np.ndarray  # (rules,) how long each rule's conditions have held [s]
    account: np.ndarray  # (flows,) integral of each flow since the start [Wh; side reactions: Ah]
    carry: np.ndarray  # (flows,) what rounding left out of it
    offset: np.ndarray  # (2, 4) account of charge and of load at the last midnight, month, year, reset [Wh]
    extremes: np.ndarray  # (4,) max and min of PV voltage, max and min of battery voltage, today [V]
    events: np.ndarray  # (n, 2) time and rule of each transition, the newest overwriting the oldest
    counts: np.ndarray  # (2,) transitions so far, steps that ran out of sub-steps
    quantities: np.ndarray  # (quantities,) scratch: `charger.Quantities` of this instant
    levels: np.ndarray  # (set-points,) scratch: `charger.SetPoints` of this step


class Parameters(NamedTuple):
    """The plant's constants."""

    battery: battery.Parameters
    stage: PowerStage
    setpoints: SetPoints
    r_s_ohm: float  # of the array with its wiring


def empty_books() -> Books:
    """Books of a plant that hasn't begun."""
    flows = len(Flows._fields)
    return Books(
        modes=np.zeros(len(Machine), dtype=np.int64),
        timers=np.zeros(len(RULES)),
        account=np.zeros(flows),
        carry=np.zeros(flows),
        offset=np.zeros((2, 4)),
        extremes=np.array([-np.inf, np.inf, -np.inf, np.inf]),
        events=np.zeros((EVENTS_KEPT, 2)),
        counts=np.zeros(2, dtype=np.int64),
        quantities=np.zeros(len(Quantities._fields)),
        levels=np.zeros(len(SetPoints._fields)),
    )
