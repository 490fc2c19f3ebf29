"""The one kernel: tracker, converter, charge stages, battery, load and meters, one grid step after another.

A step holds sun and demand, moves the battery (`rungekutta.rk4` in full, `quasistatic.settle` for sizing) and places
every event (a set-point crossed, a timer run out, a change between tracking and constant voltage) within it: no
sub-step straddles one. Live line, batch run and sizing all call `run_steps`.
"""

from typing import Any

import numpy as np
from numba.extending import overload

from plant.array.day import AnyDay
from plant.base.jit import inline_ir, inline_llvm, kernel_without_refcounts
from plant.battery import leadacid
from plant.battery import model as battery
from plant.battery.model import AtTemperature, State
from plant.controller.charger import (
    LoadControl,
    LoadOutput,
    Machine,
    Production,
    SetPoints,
    Stage,
    Switch,
    compensate,
)  # fmt: skip
from plant.controller.converter import Limit, LoadDemand, OperatingPoint, Port, Regime, at_first
from plant.controller.offer import Offer, nothing_of
from plant.controller.stage import PowerStage, derating
from plant.controller.tracking import step_of_tracker
from plant.kernel.machines import (
    EQUALIZE_LEFT,
    HELD_S,
    RESTARTS_CHARGE,
    examine,
    fire,
    forget,
    forgotten,
    unchanged,
    update_quantities,
)  # fmt: skip
from plant.kernel.node import operating_point
from plant.kernel.quasistatic import settle, settle_lithium
from plant.kernel.rungekutta import rk4
from plant.kernel.show import snapshot
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import (
    ACCOUNT,
    ACCOUNTS,
    AVAILABLE,
    BATT,
    BATT_WIRING,
    CARRY,
    CHG,
    CONVERTER_LOSS,
    DIFFUSION,
    DUE,
    ENTROPY,
    EXTREMES,
    HOURS,
    HYSTERESIS,
    I_SIDE,
    LEVELS,
    LOAD,
    OHMIC,
    OVERRUNS,
    OWN,
    PATH_LOSS,
    POLARISATION,
    PV,
    PV_WIRING,
    SIDE,
    TODAY,
    UNSERVED,
    UNTAKEN_OFF,
    Books,
    Detailed,
    Flows,
    Held,
    Parameters,
    PlantState,
)  # fmt: skip
from plant.load.demand import Demand

HOURS_A_DAY = 24
LONG_STEP_S = 60.0
MAX_SUBSTEPS = 1000  # a step of the grid has a handful; more is a bug, and is counted
WARM_STEP_C = 0.01  # how far the battery's temperature may drift from that of its warmed parameters
PROBE_STEP_C = 0.05  # the controller takes up the battery's temperature when it has moved by this (guess)
FLOAT_V, BOOST_V, EQUALIZE_V, BOOST_S, HOLD_MOST_S = (
    LEVELS + SetPoints._fields.index(name)
    for name in ("float_v", "boost_v", "equalize_v", "boost_s", "hold_most_s")
)
HEATSINK_LOAD_OHM = 0.0115  # heat of the load switch on the heat sink [guess]


def _integrator(method: type, warm: type) -> Any:
    if method is Detailed:
        return rk4
    return settle if warm is leadacid.LeadAcidAtTemperature else settle_lithium


def move(
    x: State, now: OperatingPoint, h: float, held: Held, w: AtTemperature, stage: PowerStage, method: Any
) -> tuple[float, State, Flows, OperatingPoint]:
    """By the integrator of method and chemistry: how far [s] it went, at most `h`; battery, mean flows, node then."""
    moved: tuple[float, State, Flows, OperatingPoint] = _integrator(type(method), type(w))(
        x, now, h, held, w, stage
    )
    return moved


@overload(move, strict=False, inline="always", jit_options={"error_model": "numpy"})
def _move(*types: Any) -> Any:
    integrator = _integrator(types[-1].instance_class, types[4].instance_class)
    return lambda x, now, h, held, w, stage, method: integrator(x, now, h, held, w, stage)


@inline_ir
def _book(numbers: np.ndarray, h: float, mean: Flows, bus: OperatingPoint, held: Held) -> None:
    """Add a sub-step's flows to the day's account; what the array gave no one goes to the reason."""
    hours = h / 3600.0
    numbers[TODAY + PV] += hours * mean.pv
    numbers[TODAY + PV_WIRING] += hours * mean.pv_wiring
    numbers[TODAY + CONVERTER_LOSS] += hours * mean.converter_loss
    numbers[TODAY + CHG] += hours * mean.chg
    numbers[TODAY + BATT_WIRING] += hours * mean.batt_wiring
    numbers[TODAY + PATH_LOSS] += hours * mean.path_loss
    numbers[TODAY + LOAD] += hours * mean.load
    numbers[TODAY + OWN] += hours * mean.own
    numbers[TODAY + BATT] += hours * mean.batt
    numbers[TODAY + OHMIC] += hours * mean.ohmic
    numbers[TODAY + POLARISATION] += hours * mean.polarisation
    numbers[TODAY + SIDE] += hours * mean.side
    numbers[TODAY + DIFFUSION] += hours * mean.diffusion
    numbers[TODAY + HYSTERESIS] += hours * mean.hysteresis
    numbers[TODAY + ENTROPY] += hours * mean.entropy
    numbers[TODAY + I_SIDE] += hours * mean.i_side
    numbers[TODAY + AVAILABLE] += hours * held.p_mp_w
    numbers[TODAY + UNTAKEN_OFF + bus.regime.value] += hours * (held.p_mp_w - mean.pv)
    if bus.i_load_a == 0.0 and held.called:
        numbers[TODAY + UNSERVED] += hours * held.wanted_w


@inline_ir
def _fold(books: Books) -> None:
    """End of a day: its account into that of the run, with Kahan's carry so that years don't round away."""
    n = books.numbers
    for j in range(ACCOUNTS):
        term = n[TODAY + j] - n[CARRY + j]
        total = n[ACCOUNT + j] + term
        n[CARRY + j] = (total - n[ACCOUNT + j]) - term
        n[ACCOUNT + j] = total
        n[TODAY + j] = 0.0


@inline_ir
def _target_v(stage: int, owed_s: float, numbers: np.ndarray) -> float:
    """Voltage [V] that a stage holds; bulk heads for the one it will enter."""
    level = BOOST_V
    if stage == Stage.FLOAT:
        level = FLOAT_V
    elif stage == Stage.EQUALIZE or (stage == Stage.BULK and owed_s >= 0.5):
        level = EQUALIZE_V
    return float(numbers[level])


@inline_ir
def _charges(modes: np.ndarray) -> bool:
    """Whether the converter works."""
    return bool(modes[Machine.CHARGE] != Stage.NONE) and bool(modes[Machine.PRODUCTION] == Production.READY)


@inline_ir
def _hold(held: Held, memory: PlantState, modes: np.ndarray, numbers: np.ndarray) -> Held:
    """The held inputs as the machines now stand."""
    stage = modes[Machine.CHARGE]
    called = modes[Machine.LOAD_CONTROL] == LoadControl.ON
    port = Port(
        held.port.cable_ohm,
        held.connected and modes[Machine.BMS_CHARGE] == Switch.CLOSED,
        held.connected and modes[Machine.BMS_DISCHARGE] == Switch.CLOSED,
    )
    return Held(
        held.offer,
        held.p_mp_w,
        held.load,
        held.t_room_c,
        _target_v(stage, memory.equalize_left_s, numbers),
        _charges(modes),
        called and modes[Machine.LOAD] == LoadOutput.ON,
        held.limit,
        port,
        held.connected,
        held.wanted_w,
        called,
    )


@inline_ir
def _given(
    p_mp_w: float, demand: Demand, k: int, t_room_c: float, offer: Offer, t_heatsink_c: float, par: Parameters
) -> Held:
    """The held inputs of step `k`, before the machines have their say."""
    left = derating(t_heatsink_c)
    load = LoadDemand(
        demand.power_w[k] + par.extra_w,
        demand.current_w[k] / par.nominal_v,
        demand.resistance_w[k] / par.nominal_v**2 + par.extra_s,
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
    )


@inline_ir
def _until_served_s(memory: PlantState, stage: int, boost_s: float, most_s: float) -> float:
    """Time [s] at constant voltage that a timed stage still owes."""
    if stage == Stage.BOOST and boost_s > memory.held_s:
        return min(boost_s, most_s) - memory.held_s
    if stage == Stage.EQUALIZE and memory.equalize_left_s > 0.5:
        return min(memory.equalize_left_s - 0.5 + 1e-6, most_s - memory.held_s)
    return np.inf


@inline_ir
def _serves_time(bus: OperatingPoint, stage: int) -> bool:
    """Whether the battery is being held at the voltage of a timed stage."""
    timed = stage in (Stage.BOOST, Stage.EQUALIZE)
    return timed and bus.regime == Regime.CONSTANT_VOLTAGE and bus.i_chg_a > 0.0


@inline_ir
def _after(m: PlantState, x: State, held_s: float, owed_s: float, bus: OperatingPoint) -> PlantState:
    """The memory after a sub-step or a transition."""
    return PlantState(
        x, held_s, owed_s, m.t_heatsink_c, bus.v_batt_v, m.t_probe_c, m.t_warm_c, bus.regime.value, m.tracker
    )


@inline_llvm
def _same(
    now: OperatingPoint,
    then: OperatingPoint,
    held: Held,
    memory: PlantState,
    stage: PowerStage,
    method: Any,
    numbers: np.ndarray,
) -> bool:
    """Whether nothing happened on the way from one instant to another."""
    update_quantities(then, held, memory, stage.load_rated_a, numbers)
    undecided = method.event_s < 1.0 and then.regime != now.regime
    return not undecided and unchanged(numbers)


@inline_ir
def _stride(
    h: float,
    now: OperatingPoint,
    memory: PlantState,
    held: Held,
    w: AtTemperature,
    stage: PowerStage,
    method: Any,
    numbers: np.ndarray,
) -> tuple[float, State, Flows, OperatingPoint]:
    """Move by at most `h` seconds, and to just past the first event before that."""
    early, late = 0.0, np.inf  # the event lies between
    while True:
        h, x, mean, bus = move(memory.x, now, h, held, w, stage, method)
        same = _same(now, bus, held, memory, stage, method, numbers)
        if h - early <= method.event_s or (same and late == np.inf and battery.possible(x, w.p)):
            return h, x, mean, bus
        if not battery.possible(x, w.p):  # over an edge that no limit foresaw
            h = early + 0.25 * (h - early)
            continue
        if same:
            early = h
        else:
            late = h
        h = late if late - early <= method.event_s else 0.5 * (early + late)


@inline_ir
def grid_step(
    memory: PlantState,
    held: Held,
    w: AtTemperature,
    stage: PowerStage,
    method: Any,
    books: Books,
    t_utc_s: float,
    dt_s: float,
) -> tuple[PlantState, Held, OperatingPoint]:
    """Move the plant by one step of the grid, event by event.

    Parameters
    ----------
    memory : PlantState
    held : Held
        Sun, demand and room of this step.
    w, stage, method : AtTemperature, PowerStage, Detailed or QuasiStatic
    books : Books
        Written into. `levels` holds the set-points at the probe's temperature.
    t_utc_s, dt_s : float
        Beginning and length of the step [s].

    Returns
    -------
    PlantState, Held, OperatingPoint
        The plant at the end of the step.
    """
    modes, numbers = books.modes, books.numbers
    left = dt_s
    source = battery.source_at(memory.x, w)
    bus = at_first(memory.v_batt_v, source.v_node_v, held.port.cable_ohm + source.r_discharge_ohm)
    # A step of a minute finds on its way what the new sun and load bring about; looking first would cost a tenth of it.
    changed = dt_s < LONG_STEP_S or forgotten(numbers)
    for _ in range(MAX_SUBSTEPS):
        t = t_utc_s + dt_s - left
        for _settle in range(8):
            if changed:
                bus = operating_point(memory.x, bus, held, w, stage)
                update_quantities(bus, held, memory, stage.load_rated_a, numbers)
                changed = False
            if numbers[DUE] <= t + 1e-6 or not unchanged(numbers):
                examine(books, t)
            if numbers[DUE] > t + 1e-6:
                break
            fired = fire(books, t)
            if fired < 0:
                break
            held_s = 0.0 if RESTARTS_CHARGE[fired] == 1 else memory.held_s
            memory = _after(memory, memory.x, held_s, memory.equalize_left_s, bus)
            held = _hold(held, memory, modes, numbers)
            changed = True
        if left <= 1e-9:
            return memory, held, bus
        charge = modes[Machine.CHARGE]
        served_in = _until_served_s(memory, charge, numbers[BOOST_S], numbers[HOLD_MOST_S])
        if not _serves_time(bus, charge):  # no stride brings its end nearer: don't make a thousand short ones
            served_in = max(served_in, 0.01 * dt_s)
        h = min(left, max(min(numbers[DUE] - t, served_in), 1e-3))
        h, x, mean, bus = _stride(h, bus, memory, held, w, stage, method, numbers)
        _book(numbers, h, mean, bus, held)
        served_s = h if _serves_time(bus, charge) else 0.0
        held_s = memory.held_s + served_s
        owed_s = (
            max(0.0, memory.equalize_left_s - served_s)
            if charge == Stage.EQUALIZE
            else memory.equalize_left_s
        )
        memory = _after(memory, x, held_s, owed_s, bus)
        numbers[HELD_S], numbers[EQUALIZE_LEFT] = held_s, owed_s  # the stride has observed the rest
        left -= h
    numbers[OVERRUNS] += 1.0
    return memory, held, bus


@inline_ir
def _log_hour(
    n: np.ndarray, hour: int, begins: bool, hours: float, x: State, bus: OperatingPoint, p: battery.Parameters
) -> None:
    """Keep the day's log (`wear.Hours`) over a step of so many `hours`, in the row that begins at `hour`."""
    if begins:
        for j in range(6):
            n[hour + j] = 0.0
    n[hour] += hours * max(bus.i_batt_a, 0.0)
    n[hour + 1] -= hours * min(bus.i_batt_a, 0.0)
    n[hour + 2] = battery.soc(x, p)
    n[hour + 3] += hours * x.t_c
    n[hour + 4] += hours * bus.v_cells_v
    n[hour + 5] = max(n[hour + 5], 1.0 if battery.frozen(x, p) else 0.0)


@inline_ir
def _read_probe(memory: PlantState, setpoints: np.ndarray, probe_c: float, books: Books) -> PlantState:
    """The controller takes up the battery's temperature, and moves its set-points with it."""
    t_c = memory.x.t_c if np.isnan(probe_c) else probe_c
    if abs(t_c - memory.t_probe_c) < PROBE_STEP_C:
        return memory
    compensate(setpoints, t_c, books.numbers[LEVELS : LEVELS + setpoints.size])
    forget(books)
    return PlantState(
        memory.x, memory.held_s, memory.equalize_left_s, memory.t_heatsink_c, memory.v_batt_v, t_c,
        memory.t_warm_c, memory.regime, memory.tracker,
    )  # fmt: skip


@kernel_without_refcounts
def run_steps(
    memory: PlantState, books: Books, par: Parameters, day: AnyDay, demand: Demand, t_room_c: np.ndarray,
    first: int, count: int, day_start_s: float, sample_every: int, out: np.ndarray,
) -> tuple[PlantState, Snapshot]:  # fmt: skip
    """Run steps of one or several solar days.

    Parameters
    ----------
    memory, books, par : PlantState, Books, Parameters
        The plant. `books` is written into.
    day : ArrayDay or CompositeDay
        Of (n,) steps from a solar midnight on.
    demand : Demand
        What the load asks for, (n,) each.
    t_room_c : (n,) array
        Temperature around battery and controller.
    first, count : int
        Steps of these to run, at least one.
    day_start_s : float
        UTC second of step 0.
    sample_every : int
        A row of `out` after every so many steps, counted from the day's beginning; 0 for none.
    out : (n, fields) array
        Rows of `Snapshot`, filled from the top.

    Returns
    -------
    PlantState, Snapshot
        The plant after the last step.
    """
    row = 0
    modes, n, stage, step_s = books.modes, books.numbers, par.stage, par.method.step_s
    an_hour = int(3600 / step_s)
    # counted along: a remainder at every step costs as much as an exponential
    hour, in_hour = first // an_hour % HOURS_A_DAY, first % an_hour
    to_sample = sample_every - first % sample_every if sample_every > 0 else 0
    warm = 1.0 - np.exp(-step_s / (stage.heatsink_k_w * stage.heatsink_j_k))
    bus = at_first(0.0, 0.0)
    held = _given(0.0, demand, first, 0.0, nothing_of(day), 0.0, par)
    w_c = memory.t_warm_c
    w = battery.at_temperature(w_c, par.battery)
    k = first
    for k in range(first, first + count):
        memory = _read_probe(memory, par.setpoints, par.probe_c, books)
        if not abs(memory.x.t_c - w_c) < WARM_STEP_C:
            w_c = memory.x.t_c
            w = battery.at_temperature(w_c, par.battery)
        tracker, offer = step_of_tracker(
            par.tracker, memory.tracker, day, k, memory.v_batt_v,
            _charges(modes), memory.regime, step_s, stage,
        )  # fmt: skip
        held = _given(day.p_mp_w[k], demand, k, t_room_c[k], offer, memory.t_heatsink_c, par)
        held = _hold(held, memory, modes, n)
        t = day_start_s + k * step_s
        memory, held, bus = grid_step(memory, held, w, stage, par.method, books, t, step_s)
        heat = bus.p_converter_loss_w + HEATSINK_LOAD_OHM * bus.i_load_a * bus.i_load_a
        steady = t_room_c[k] + heat * stage.heatsink_k_w
        t_heatsink = memory.t_heatsink_c + warm * (steady - memory.t_heatsink_c)
        memory = PlantState(
            memory.x, memory.held_s, memory.equalize_left_s, t_heatsink, bus.v_batt_v, memory.t_probe_c,
            w_c, bus.regime.value, tracker,
        )  # fmt: skip
        n[EXTREMES + 0] = max(n[EXTREMES + 0], bus.v_pv_v)
        n[EXTREMES + 1] = min(n[EXTREMES + 1], bus.v_pv_v)
        n[EXTREMES + 2] = max(n[EXTREMES + 2], bus.v_batt_v)
        n[EXTREMES + 3] = min(n[EXTREMES + 3], bus.v_batt_v)
        if par.ages:
            _log_hour(n, HOURS + 6 * hour, in_hour == 0, 1.0 / an_hour, memory.x, bus, par.battery)
        in_hour += 1
        if in_hour == an_hour:
            in_hour = 0
            hour += 1
        if hour == HOURS_A_DAY:
            hour = 0
            _fold(books)
        to_sample -= 1
        sampled = to_sample == 0
        if sampled:
            to_sample = sample_every
        if sampled or k == first + count - 1:
            shown = snapshot(memory, held, bus, day, k, par, books, t + step_s)
        if sampled:
            for j in range(len(shown)):
                out[row, j] = shown[j]
            row += 1
    return memory, shown
