"""The battery at work in the plant: what is held at its node during a step, who feeds it and who draws, every flow."""

import numpy as np

from plant.base.jit import inline_ir, inline_llvm
from plant.battery import model as battery
from plant.battery.cell import Losses, Source
from plant.battery.model import AtTemperature, Inner, State
from plant.controller.charger import (
    EQUALIZED_S,
    ChargerRun,
    InverterRun,
    LoadControl,
    LoadOutput,
    Machine,
    Production,
    Stage,
    Switch,
)  # fmt: skip
from plant.kernel.books import Books
from plant.kernel.state import Flows, Held, Parameters, PlantState
from plant.load.demand import Demand
from plant.power.converter import Limit, LoadDemand, Node, OperatingPoint, Port, node_of, with_powers
from plant.power.jointnode import solve_all, there
from plant.power.offer import Offer
from plant.power.posts import (
    NO_POSTS,
    AnyOutfit,
    AnyPosts,
    Asked,
    AtPosts,
    ChargerLine,
    ChargerOutfit,
    Posts,
    all_off,
    by_posts,
)
from plant.power.stage import PowerStage, derating


@inline_llvm
def operating_point(
    x: State, before: OperatingPoint, held: Held, w: AtTemperature, stage: PowerStage
) -> OperatingPoint:
    """The node at an instant, shortly after another one."""
    now = currents(battery.source_at(x, w), node_of(before), held, stage)
    return with_powers(now, before, held.offer, stage)


@inline_llvm
def currents(source: Source, before: Node, held: Held, stage: PowerStage) -> Node:
    """The node without its powers, with a battery that shows itself as `source`."""
    load = held.load if held.load_on else LoadDemand(0.0, 0.0, 0.0)
    return solve_all(
        source,
        held.port,
        held.v_target_v,
        held.charging,
        before,
        held.offer,
        load,
        held.limit,
        stage,
        held.posts,
    )


def _nothing_asked(demand: Demand, k: int, outfit: AnyOutfit) -> Asked:
    return Asked(outfit, 0.0, 0.0, 0.0, False, False)


@by_posts(elsewhere=_nothing_asked)
def asked_in(demand: Demand, k: int, outfit: AnyOutfit) -> Asked:
    """What is wanted at the battery's posts in step `k`."""
    may = demand.chargers[k]
    first = outfit.first.works and may % 2 == 1
    second = outfit.second.works and may >= 2
    return Asked(
        outfit, demand.inverter_w[k], demand.inverter_served_w[k], demand.inverter_drawn_w[k], first, second
    )


def _none_now(drawn_w: float, modes: np.ndarray, outfit: AnyOutfit) -> AnyPosts:
    return NO_POSTS


@by_posts(elsewhere=_none_now)
def posts_now(drawn_w: float, modes: np.ndarray, outfit: AnyOutfit) -> AnyPosts:
    """What is switched on at the battery's posts as the machines stand."""
    if modes[Machine.INVERTER] != InverterRun.ON:
        drawn_w = 0.0
    return Posts(
        drawn_w,
        _line(outfit.first, modes[Machine.CHARGER_1]),
        _line(outfit.second, modes[Machine.CHARGER_2]),
    )


@inline_ir
def _line(charger: ChargerOutfit, mode: int) -> ChargerLine:
    i_max_a = charger.line.i_max_a if mode != ChargerRun.OFF else 0.0
    v_max_v = charger.float_v if mode == ChargerRun.FLOAT else charger.line.v_max_v
    return ChargerLine(i_max_a, v_max_v, charger.line.droop_a_v)


@inline_ir
def _target_v(stage: int, owed_s: float, books: Books) -> float:
    """Voltage [V] that a stage holds; bulk heads for the one it will enter."""
    target_v = books.levels.boost_v
    if stage == Stage.FLOAT:
        target_v = books.levels.float_v
    elif stage == Stage.EQUALIZE or (stage == Stage.BULK and owed_s >= EQUALIZED_S):
        target_v = books.levels.equalize_v
    return float(target_v)


@inline_ir
def charges(modes: np.ndarray) -> bool:
    """Whether the converter works."""
    return bool(modes[Machine.CHARGE] != Stage.NONE) and bool(modes[Machine.PRODUCTION] == Production.READY)


@inline_ir
def hold(held: Held, memory: PlantState, books: Books) -> Held:
    """The held inputs as the machines now stand."""
    modes = books.modes
    stage = modes[Machine.CHARGE]
    called = modes[Machine.LOAD_CONTROL] == LoadControl.ON
    port = Port(
        held.port.cable_ohm,
        held.connected and modes[Machine.BMS_CHARGE] == Switch.CLOSED,
        held.connected and modes[Machine.BMS_DISCHARGE] == Switch.CLOSED,
    )
    load_on = called and modes[Machine.LOAD] == LoadOutput.ON
    return Held(
        held.offer, held.p_mp_w, held.load, held.t_room_c, _target_v(stage, memory.equalize_left_s, books),
        charges(modes), load_on, held.limit, port, held.connected, held.wanted_w, called,
        posts_now(held.asked.drawn_w, modes, held.asked.outfit), held.asked,
    )  # fmt: skip


@inline_ir
def given(
    p_mp_w: float, demand: Demand, k: int, t_room_c: float, offer: Offer, t_heatsink_c: float, par: Parameters
) -> Held:
    """The held inputs of step `k`, before the machines have their say.

    Parameters
    ----------
    p_mp_w : float
        What the array could give [W].
    demand : Demand
    k : int
    t_room_c : float
        Temperature around battery and controller [degC].
    offer : Offer
    t_heatsink_c : float
        Of the controller's heat sink [degC], which derates it.
    par : Parameters
    """
    left = derating(t_heatsink_c)
    load = LoadDemand(
        demand.power_w[k] + par.extra_w,
        demand.current_w[k] / par.nominal_v,
        demand.resistance_w[k] / par.nominal_v**2 + par.extra_a_v,
    )
    return Held(
        offer,
        p_mp_w,
        load,
        t_room_c,
        0.0,
        False,
        False,
        Limit(left * par.stage.i_max_a, left * par.stage.p_max_w),
        Port(par.batt_cable_ohm, True, True),
        par.connected,
        demand.power_w[k] + demand.current_w[k] + demand.resistance_w[k],
        False,
        all_off(par.outfit),
        asked_in(demand, k, par.outfit),
    )


@inline_ir
def flows(
    x: State, bus: OperatingPoint, inner: Inner, held: Held, w: AtTemperature, stage: PowerStage
) -> tuple[State, Flows]:
    """Time derivative of the battery's state, and every flow, at an instant whose node is known."""
    dx, loss = battery.rates_of(inner, x, bus.i_batt_a, held.t_room_c, w)
    return dx, flows_of(bus, loss, held, stage)


@inline_ir
def no_flows() -> Flows:
    """Nothing flows."""
    return Flows(
        0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    )


def _no_wiring(bus: OperatingPoint, flows: AtPosts, posts: AnyPosts) -> float:
    return 0.0


@by_posts(elsewhere=_no_wiring)
def _posts_wiring_w(bus: OperatingPoint, flows: AtPosts, posts: AnyPosts) -> float:
    return (flows.v_v - bus.v_batt_v) * flows.i_a


@inline_ir
def flows_of(bus: OperatingPoint, loss: Losses, held: Held, stage: PowerStage) -> Flows:
    """Every flow of an instant."""
    posts = there(bus, held.port, held.posts)
    wiring_w = (bus.v_batt_v - bus.v_cells_v) * bus.i_batt_a + _posts_wiring_w(bus, posts, held.posts)
    i_pv = bus.p_pv_w / bus.v_pv_v if stage.pv_wiring_ohm > 0.0 and bus.p_pv_w > 0.0 else 0.0
    return Flows(
        bus.p_pv_w,
        stage.pv_wiring_ohm * i_pv * i_pv,
        bus.p_converter_loss_w,
        bus.p_chg_w,
        wiring_w,
        bus.p_path_loss_w,
        bus.p_load_w,
        bus.p_own_w,
        bus.v_batt_v * (bus.i_batt_a - bus.i_posts_a),
        posts.inverter_w,
        posts.charger_1_w,
        posts.charger_2_w,
        loss.ohmic_w,
        loss.polarisation_w,
        loss.side_w,
        loss.diffusion_w,
        loss.hysteresis_w,
        loss.entropy_w,
        loss.i_side_a,
    )
