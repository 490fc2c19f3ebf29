"""The one kernel: tracker, converter, charge stages, battery, load and meters, one grid step after another.

A step holds sun and demand, integrates the battery with RK4 and places every event (a set-point crossed, a timer
run out, a change between tracking and constant voltage) within it to a millisecond: no sub-step straddles one.
Live line and batch run both call `run_steps`.
"""

import numpy as np

from plant import battery
from plant.arrayday import AnyDay
from plant.battery import Parameters as Chemistry
from plant.battery import State
from plant.cell import rk4_mean
from plant.charger import LoadOutput, Machine, SetPoints, Stage, compensated
from plant.clock import STEP_S
from plant.controller import PowerStage
from plant.converter import Bus, Regime, solve
from plant.jit import inlined, kernel
from plant.machines import RESTARTS_CHARGE, fire, seconds_until_due, tick, truth
from plant.offer import nothing_of, offered
from plant.show import snapshot
from plant.snapshot import Snapshot
from plant.state import Books, Flows, Held, Memory, Parameters

EVENT_S = 1e-3  # events are located to this
MAX_SUBSTEPS = 1000  # a step of the grid has a handful; more is a bug, and is counted
FLOAT_V, BOOST_V, EQUALIZE_V, BOOST_S = (
    SetPoints._fields.index(name) for name in ("float_v", "boost_v", "equalize_v", "boost_s")
)
HEATSINK_LOAD_OHM = 0.0115  # heat of the load switch on the heat sink [guess]


@inlined
def look(x: State, held: Held, p: Chemistry, stage: PowerStage) -> Bus:
    """The battery node at an instant."""
    demand = held.demand_w if held.load_on else 0.0
    return solve(battery.source(x, p), held.v_target_v, held.charging, held.offer, demand, stage)


@inlined
def flows(x: State, held: Held, p: Chemistry, stage: PowerStage) -> tuple[State, Flows]:
    """Time derivative of the battery's state in the plant, and every flow of power."""
    bus = look(x, held, p, stage)
    dx, loss = battery.rates(x, bus.i_batt_a, held.t_room_c, p)
    return dx, Flows(
        held.p_mp_w,
        bus.p_pv_w,
        bus.p_converter_loss_w,
        bus.p_chg_w,
        bus.p_path_loss_w,
        bus.p_load_w,
        bus.p_own_w,
        bus.v_batt_v * bus.i_batt_a,
        held.demand_w - bus.p_load_w,
        loss.ohmic_w,
        loss.polarisation_w,
        loss.side_w,
        loss.diffusion_w,
        loss.hysteresis_w,
        loss.entropy_w,
        loss.i_side_a,
    )


@kernel
def rk4(x: State, h: float, held: Held, p: Chemistry, stage: PowerStage) -> tuple[State, Flows]:
    """One classical Runge-Kutta step of the battery in the plant, and the mean of every flow over it."""
    k1, f1 = flows(x, held, p, stage)
    k2, f2 = flows(battery.moved(x, 0.5 * h, k1, p), held, p, stage)
    k3, f3 = flows(battery.moved(x, 0.5 * h, k2, p), held, p, stage)
    k4, f4 = flows(battery.moved(x, h, k3, p), held, p, stage)
    slope = battery.mean_slope(k1, k2, k3, k4, p)
    return battery.moved(x, h, slope, p), Flows(
        held.p_mp_w,
        rk4_mean(f1.pv, f2.pv, f3.pv, f4.pv),
        rk4_mean(f1.converter_loss, f2.converter_loss, f3.converter_loss, f4.converter_loss),
        rk4_mean(f1.chg, f2.chg, f3.chg, f4.chg),
        rk4_mean(f1.path_loss, f2.path_loss, f3.path_loss, f4.path_loss),
        rk4_mean(f1.load, f2.load, f3.load, f4.load),
        rk4_mean(f1.own, f2.own, f3.own, f4.own),
        rk4_mean(f1.batt, f2.batt, f3.batt, f4.batt),
        rk4_mean(f1.unserved, f2.unserved, f3.unserved, f4.unserved),
        rk4_mean(f1.ohmic, f2.ohmic, f3.ohmic, f4.ohmic),
        rk4_mean(f1.polarisation, f2.polarisation, f3.polarisation, f4.polarisation),
        rk4_mean(f1.side, f2.side, f3.side, f4.side),
        rk4_mean(f1.diffusion, f2.diffusion, f3.diffusion, f4.diffusion),
        rk4_mean(f1.hysteresis, f2.hysteresis, f3.hysteresis, f4.hysteresis),
        rk4_mean(f1.entropy, f2.entropy, f3.entropy, f4.entropy),
        rk4_mean(f1.i_side, f2.i_side, f3.i_side, f4.i_side),
    )


@inlined
def _book(account: np.ndarray, carry: np.ndarray, h: float, mean: Flows) -> None:
    """Add a sub-step's flows to the account, with Kahan's carry so that years don't round away."""
    for j in range(len(mean)):
        term = h / 3600.0 * mean[j] - carry[j]
        total = account[j] + term
        carry[j] = (total - account[j]) - term
        account[j] = total


@inlined
def _target_v(stage: int, owed_s: float, levels: np.ndarray) -> float:
    """Voltage [V] that a stage holds; bulk heads for the one it will enter."""
    level = BOOST_V
    if stage == Stage.FLOAT:
        level = FLOAT_V
    elif stage == Stage.EQUALIZE or (stage == Stage.BULK and owed_s >= 0.5):
        level = EQUALIZE_V
    return float(levels[level])


@inlined
def _hold(held: Held, modes: np.ndarray, memory: Memory, levels: np.ndarray) -> Held:
    """The held inputs as the machines now stand."""
    stage = modes[Machine.CHARGE]
    target = _target_v(stage, memory.equalize_left_s, levels)
    return Held(
        held.offer,
        held.p_mp_w,
        held.demand_w,
        held.t_room_c,
        target,
        stage != Stage.NONE,
        modes[Machine.LOAD] == LoadOutput.ON,
    )


@inlined
def _longest_step_s(
    memory: Memory, bus: Bus, stage: int, until_due_s: float, boost_s: float, p: Chemistry
) -> float:
    """How far [s] the battery may be integrated in one stride, and no timer run out before."""
    h = min(battery.step_limit_s(memory.x, bus.i_batt_a, p), max(until_due_s, EVENT_S))
    if _serves_time(bus, stage):
        if stage == Stage.BOOST and boost_s > memory.held_s:
            h = min(h, boost_s - memory.held_s)
        if stage == Stage.EQUALIZE and memory.equalize_left_s > 0.5:
            h = min(h, memory.equalize_left_s - 0.5 + 1e-6)
    return h


@inlined
def _serves_time(bus: Bus, stage: int) -> bool:
    """Whether the battery is being held at the voltage of a timed stage."""
    timed = stage in (Stage.BOOST, Stage.EQUALIZE)
    return timed and bus.regime == Regime.CONSTANT_VOLTAGE and bus.i_chg_a > 0.0


@kernel
def _stride(
    h: float, met: int, memory: Memory, held: Held, p: Chemistry, stage: PowerStage, books: Books
) -> tuple[float, State, Flows, Bus]:
    """Integrate over `h` seconds, or to just past the first event before that."""
    modes, levels, scratch = books.modes, books.levels, books.quantities
    x, mean = rk4(memory.x, h, held, p, stage)
    while h > EVENT_S and not battery.possible(x, p):  # a stage fell over an edge that no limit foresaw
        h *= 0.25
        x, mean = rk4(memory.x, h, held, p, stage)
    bus = look(x, held, p, stage)
    if h > EVENT_S and truth(bus, held, memory, modes, levels, scratch) != met:
        early = 0.0
        while h - early > EVENT_S:
            middle = 0.5 * (early + h)
            x_m, mean_m = rk4(memory.x, middle, held, p, stage)
            bus_m = look(x_m, held, p, stage)
            if battery.possible(x_m, p) and truth(bus_m, held, memory, modes, levels, scratch) == met:
                early = middle
            else:
                h, x, mean, bus = middle, x_m, mean_m, bus_m
    return h, x, mean, bus


@kernel
def grid_step(
    memory: Memory,
    held: Held,
    p: Chemistry,
    stage: PowerStage,
    books: Books,
    t_utc_s: float,
    dt_s: float,
) -> tuple[Memory, Held, Bus]:
    """Move the plant by one step of the grid, event by event.

    Parameters
    ----------
    memory : Memory
    held : Held
        Sun, demand and room of this step.
    p, stage : Parameters, PowerStage
    books : Books
        Written into. `levels` holds the set-points at this step's battery temperature.
    t_utc_s, dt_s : float
        Beginning and length of the step [s].

    Returns
    -------
    Memory, Held, Bus
        The plant at the end of the step.
    """
    modes, timers, levels, scratch = books.modes, books.timers, books.levels, books.quantities
    left = dt_s
    bus = look(memory.x, held, p, stage)
    met = truth(bus, held, memory, modes, levels, scratch)
    for _ in range(MAX_SUBSTEPS):
        until_due = seconds_until_due(met, timers, levels)
        for _settle in range(8):
            if until_due > 1e-9:
                break
            fired = fire(met, books, t_utc_s + dt_s - left)
            held_s = 0.0 if RESTARTS_CHARGE[fired] == 1 else memory.held_s
            memory = Memory(memory.x, held_s, memory.equalize_left_s, memory.t_heatsink_c, memory.v_batt_v)
            held = _hold(held, modes, memory, levels)
            bus = look(memory.x, held, p, stage)
            met = truth(bus, held, memory, modes, levels, scratch)
            until_due = seconds_until_due(met, timers, levels)
        if left <= 1e-9:
            return memory, held, bus
        charge = modes[Machine.CHARGE]
        serves = _serves_time(bus, charge)
        h = min(left, _longest_step_s(memory, bus, charge, until_due, levels[BOOST_S], p))
        h, x, mean, bus = _stride(h, met, memory, held, p, stage, books)
        _book(books.account, books.carry, h, mean)
        tick(h, met, timers)
        held_s = memory.held_s + h if serves and charge == Stage.BOOST else memory.held_s
        owed_s = memory.equalize_left_s
        if serves and charge == Stage.EQUALIZE:
            owed_s = max(0.0, owed_s - h)
        memory = Memory(x, held_s, owed_s, memory.t_heatsink_c, bus.v_batt_v)
        met = truth(bus, held, memory, modes, levels, scratch)
        left -= h
    books.counts[1] += 1
    return memory, held, bus


@kernel
def run_steps(
    memory: Memory, books: Books, par: Parameters,
    day: AnyDay, demand_w: np.ndarray, t_room_c: np.ndarray,
    first: int, count: int, day_start_s: float, device_offset_s: float, sample_every: int, out: np.ndarray,
) -> tuple[Memory, Snapshot]:  # fmt: skip
    """Run steps of one solar day.

    Parameters
    ----------
    memory, books, par : Memory, Books, Parameters
        The plant. `books` is written into.
    day : AnyDay
    demand_w, t_room_c : (17280,) array
        What the load asks for, and the temperature around battery and controller.
    first, count : int
        Steps of this day to run, at least one.
    day_start_s : float
        UTC second of the day's step 0.
    device_offset_s : float
        What the controller's clock shows ahead of UTC.
    sample_every : int
        A row of `out` after every so many steps, counted from the day's beginning; 0 for none.
    out : (n, fields) array
        Rows of `Snapshot`, filled from the top.

    Returns
    -------
    Memory, Snapshot
        The plant after the last step.
    """
    row = 0
    ext = books.extremes
    stage = par.stage
    warm = 1.0 - np.exp(-STEP_S / (stage.heatsink_k_w * stage.heatsink_j_k))
    bus = Bus(0.0, 0.0, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    held = Held(nothing_of(day), 0.0, 0.0, 0.0, 0.0, False, False)
    k = first
    for k in range(first, first + count):
        s = compensated(par.setpoints, memory.x.t_c)
        for j in range(len(s)):
            books.levels[j] = s[j]
        offer = offered(day, k, memory.v_batt_v, stage)
        held = Held(offer, day.p_mp_w[k], demand_w[k], t_room_c[k], 0.0, False, False)
        held = _hold(held, books.modes, memory, books.levels)
        t = day_start_s + k * STEP_S
        memory, held, bus = grid_step(memory, held, par.battery, stage, books, t, float(STEP_S))
        heat = bus.p_converter_loss_w + HEATSINK_LOAD_OHM * bus.i_load_a * bus.i_load_a
        steady = t_room_c[k] + heat * stage.heatsink_k_w
        t_heatsink = memory.t_heatsink_c + warm * (steady - memory.t_heatsink_c)
        memory = Memory(memory.x, memory.held_s, memory.equalize_left_s, t_heatsink, bus.v_batt_v)
        ext[0] = max(ext[0], bus.v_pv_v)
        ext[1] = min(ext[1], bus.v_pv_v)
        ext[2] = max(ext[2], bus.v_batt_v)
        ext[3] = min(ext[3], bus.v_batt_v)
        if sample_every > 0 and (k + 1) % sample_every == 0:
            shown = snapshot(memory, held, bus, day, k, par, books, t + STEP_S, device_offset_s)
            for j in range(len(shown)):
                out[row, j] = shown[j]
            row += 1
    t_end = day_start_s + (first + count) * STEP_S
    return memory, snapshot(memory, held, bus, day, k, par, books, t_end, device_offset_s)
