"""What a plant consists of while it runs: its constants, what it remembers, what is held during a step, its flows."""

from typing import NamedTuple

import numpy as np

from plant.battery import model as battery
from plant.power.converter import Limit, LoadDemand, Port
from plant.power.offer import Offer
from plant.power.posts import NO_OUTFIT, NO_POSTS, NOTHING_ASKED, AnyOutfit, AnyPosts, Asked
from plant.power.stage import PowerStage
from plant.power.tracker import Tracker, TrackerSettings
from plant.power.tracking import Steady


class Flows(NamedTuple):
    """Power of every flow [W], and the current of side reactions [A]; a sub-step's means. See `flowtable.FLOWS`."""

    pv: float
    pv_wiring: float
    converter_loss: float
    chg: float
    batt_wiring: float
    path_loss: float
    load: float
    own: float
    batt: float
    inverter_dc: float
    charger_1: float
    charger_2: float
    ohmic: float
    polarisation: float
    side: float
    diffusion: float
    hysteresis: float
    entropy: float
    i_side: float


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
    posts: AnyPosts = NO_POSTS  # what is switched on at the battery's posts
    asked: Asked = NOTHING_ASKED  # of what hangs there


class PlantState(NamedTuple):
    """What the plant remembers beside the battery and the states of the machines."""

    x: battery.State
    held_s: float
    equalize_left_s: float
    t_heatsink_c: float
    v_batt_v: float  # at the controller's terminals, as the tracker last saw it
    t_probe_c: float  # battery temperature as the controller last took it up
    probe_read: bool  # false: it takes it up anew, and its set-points with it
    t_warm_c: float  # battery temperature that its parameters were last worked out for
    regime: int  # at the end of the last step
    tracker: Tracker | Steady
    conduction: int = 0  # `dimlight.Conduction` in the last step


class Detailed(NamedTuple):
    """The full ODE of the battery, by RK4 on a grid of 5 s."""

    step_s: float
    event_s: float = 0.05  # transitions are placed to this
    # The controller takes up the battery's temperature when it has moved by this (guess).
    probe_step_c: float = 0.05
    is_full: bool = True


class QuasiStatic(NamedTuple):
    """The battery's electrode at rest with its current at every instant: steps of 1 min to 1 h, for sizing."""

    step_s: float
    event_s: float = 1.0  # transitions are placed to this; of longer steps to `EVENT_SHARE`
    probe_step_c: float = 0.25  # coarser: set-points move by 4.5 mV at 12 V then, half of what registers show
    is_full: bool = False


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
    extra_a_v: float
    probe_broken: bool
    probe_c: float  # what a broken probe has the controller read
    ages: bool  # whether the day's log for `ageing` is kept
    outfit: AnyOutfit = NO_OUTFIT  # what hangs on the battery's posts
