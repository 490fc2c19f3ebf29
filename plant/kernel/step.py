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
from plant.battery import model as battery
from plant.battery.acid import LeadAcidAtTemperature
from plant.battery.model import AtTemperature, State
from plant.controller.charger import (
    EQUALIZED_S,
    Machine,
    SetPoints,
    Stage,
    compensate,
)  # fmt: skip
from plant.controller.midnights import Midnights
from plant.kernel.booking import book, fold, log_hour, note_extremes
from plant.kernel.books import HOURS_A_DAY, Books, BooksArray
from plant.kernel.machines import RESTARTS_CHARGE, examine, fire, sun_changes, unchanged, update_quantities
from plant.kernel.meters import begin_periods_compiled
from plant.kernel.node import charges, given, hold, operating_point
from plant.kernel.quasistatic import settle, settle_lithium
from plant.kernel.rungekutta import rk4
from plant.kernel.show import snapshot
from plant.kernel.snapshot import Snapshot
from plant.kernel.state import Detailed, Flows, Held, Parameters, PlantState
from plant.load.demand import Demand
from plant.power.converter import OperatingPoint, Regime, at_first
from plant.power.dimlight import dim_light
from plant.power.jointnode import there
from plant.power.offer import nothing_of
from plant.power.posts import anything
from plant.power.stage import PowerStage
from plant.power.tracking import at_rest, step_of_tracker

LONG_STEP_S = 60.0
MAX_SUBSTEPS = 1000  # a step of the grid has a handful; more is a bug, and is counted
WARM_STEP_C = 0.01  # how far the battery's temperature may drift from that of its warmed parameters
EQUALIZE_S = SetPoints._fields.index("equalize_s")
HEATSINK_LOAD_OHM = 0.0115  # heat of the load switch on the heat sink [guess]


def _integrator(method: type, warm: type) -> Any:
    if method is Detailed:
        return rk4
    return settle if warm is LeadAcidAtTemperature else settle_lithium


def move(
    x: State, now: OperatingPoint, h: float, held: Held, w: AtTemperature, stage: PowerStage, method: Any
) -> tuple[float, State, Flows, OperatingPoint]:
    """By the integrator of method and chemistry: how far [s] it went, at most `h`; battery, mean flows, node then."""
    moved: tuple[float, State, Flows, OperatingPoint] = _integrator(type(method), type(w))(
        x, now, h, held, w, stage
    )
    return moved


@overload(move, strict=False, jit_options={"error_model": "numpy", "forceinline": True})
def _move(*types: Any) -> Any:
    integrator = _integrator(types[-1].instance_class, types[4].instance_class)
    return lambda x, now, h, held, w, stage, method: integrator(x, now, h, held, w, stage)


@inline_ir
def _until_served_s(memory: PlantState, stage: int, boost_s: float, most_s: float) -> float:
    """Time [s] at constant voltage that a timed stage still owes."""
    if stage == Stage.BOOST and boost_s > memory.held_s:
        return min(boost_s, most_s) - memory.held_s
    if stage == Stage.EQUALIZE and memory.equalize_left_s > EQUALIZED_S:
        return min(memory.equalize_left_s - EQUALIZED_S + 1e-6, most_s - memory.held_s)
    return np.inf


@inline_ir
def _serves_time(bus: OperatingPoint, stage: int, away_s: float) -> bool:
    """Whether the time of a timed stage runs: at its voltage; a boost timer that restarts runs through dips, too."""
    if stage == Stage.BOOST and away_s < np.inf:
        return True
    timed = stage in (Stage.BOOST, Stage.EQUALIZE)
    return timed and bus.regime == Regime.CONSTANT_VOLTAGE and bus.i_chg_a > 0.0


@inline_ir
def _after(m: PlantState, x: State, held_s: float, owed_s: float, bus: OperatingPoint) -> PlantState:
    """The memory after a sub-step or a transition."""
    return PlantState(
        x=x,
        held_s=held_s,
        equalize_left_s=owed_s,
        t_heatsink_c=m.t_heatsink_c,
        v_batt_v=bus.v_batt_v,
        t_probe_c=m.t_probe_c,
        probe_read=m.probe_read,
        t_warm_c=m.t_warm_c,
        regime=bus.regime.value,
        tracker=m.tracker,
        conduction=m.conduction,
    )


@inline_llvm
def _same(
    now: OperatingPoint, then: OperatingPoint, held: Held, memory: PlantState, x: State, p: battery.Parameters,
    stage: PowerStage, method: Any, books: Books,
) -> bool:  # fmt: skip
    """Whether nothing happened on the way from one instant to another, with the battery in state `x`."""
    update_quantities(then, held, memory, x, p, stage.load_rated_a, books)
    undecided = method.is_full and then.regime != now.regime
    if method.is_full:
        undecided |= (
            there(then, held.port, held.posts).regulating != there(now, held.port, held.posts).regulating
        )
    return not undecided and unchanged(books, anything(held.posts))


@inline_ir
def _stride(
    h: float,
    now: OperatingPoint,
    memory: PlantState,
    held: Held,
    w: AtTemperature,
    stage: PowerStage,
    method: Any,
    books: Books,
) -> tuple[float, State, Flows, OperatingPoint]:
    """Move by at most `h` seconds, and to just past the first event before that."""
    early, late = 0.0, np.inf  # the event lies between
    while True:
        asked_s = h
        h, x, mean, bus = move(memory.x, now, asked_s, held, w, stage, method)
        same = _same(now, bus, held, memory, x, w.p, stage, method, books)
        possible = battery.possible(x, w.p)
        if same and possible:
            # RK4 takes what flows after a leap for part of the step: it may as well end just before.
            if late == np.inf or h < asked_s or (method.is_full and h - early <= method.event_s):
                return h, x, mean, bus
            early = h
        elif h - early <= method.event_s:
            return h, x, mean, bus
        elif possible:
            late = h
        else:  # over an edge that no limit foresaw
            h = early + 0.25 * (h - early)
            continue
        h = late if late - early <= method.event_s else 0.5 * (early + late)


@inline_ir
def grid_step(
    memory: PlantState,
    held: Held,
    w: AtTemperature,
    stage: PowerStage,
    method: Any,
    books_array: BooksArray,
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
    books_array : (1,) array of `BOOKS`
        Written into. `levels` holds the set-points at the probe's temperature.
    t_utc_s, dt_s : float
        Beginning and length of the step [s].

    Returns
    -------
    PlantState, Held, OperatingPoint
        The plant at the end of the step.
    """
    books = books_array[0]
    modes, levels = books.modes, books.levels
    left = dt_s
    source = battery.source_at(memory.x, w)
    bus = at_first(memory.v_batt_v, source.v_node_v, held.port.cable_ohm + source.r_discharge_ohm)
    # A step of a minute finds on its way what else is new; looking first would cost a tenth of it.
    changed = dt_s < LONG_STEP_S or books.must_examine
    changed |= sun_changes(books, held.offer.v_oc_v, memory.v_batt_v)
    for _ in range(MAX_SUBSTEPS):
        t = t_utc_s + dt_s - left
        for _settle in range(8):
            if changed:
                bus = operating_point(memory.x, bus, held, w, stage)
                update_quantities(bus, held, memory, memory.x, w.p, stage.load_rated_a, books)
                changed = False
            if books.due <= t + 1e-6 or not unchanged(books, anything(held.posts)):
                examine(books, t, anything(held.posts))
            if books.due > t + 1e-6:
                break
            fired = fire(books, t, anything(held.posts))
            if fired < 0:
                break
            held_s = 0.0 if RESTARTS_CHARGE[fired] == 1 else memory.held_s
            memory = _after(memory, memory.x, held_s, memory.equalize_left_s, bus)
            held = hold(held, memory, books)
            changed = True
        if left <= 1e-9:
            return memory, held, bus
        charge = modes[Machine.CHARGE]
        served_in = _until_served_s(memory, charge, levels.boost_s, levels.hold_most_s)
        # Where no stride brings its end nearer: don't make a thousand short ones.
        if not _serves_time(bus, charge, levels.boost_away_s):
            served_in = max(served_in, 0.01 * dt_s)
        h = min(left, max(min(books.due - t, served_in), 1e-3))
        h, x, mean, bus = _stride(h, bus, memory, held, w, stage, method, books)
        book(books, h, mean, bus, held)
        served_s = h if _serves_time(bus, charge, levels.boost_away_s) else 0.0
        held_s = memory.held_s + served_s
        owed_s = (
            max(0.0, memory.equalize_left_s - served_s)
            if charge == Stage.EQUALIZE
            else memory.equalize_left_s
        )
        memory = _after(memory, x, held_s, owed_s, bus)
        # The stride has written down the other quantities.
        books.quantities.held_s = held_s
        books.quantities.equalize_left_s = owed_s
        left -= h
    books.overruns += 1
    return memory, held, bus


@inline_ir
def _read_probe(memory: PlantState, par: Parameters, books: Books) -> PlantState:
    """The controller takes up the battery's temperature, and moves its set-points with it."""
    t_c, step_c = par.probe_c if par.probe_broken else memory.x.t_c, par.method.probe_step_c
    if not par.method.is_full:  # on a grid, so that long runs don't remember when it was last taken up
        t_c = step_c * np.floor(t_c / step_c + 0.5)
    if memory.probe_read and abs(t_c - memory.t_probe_c) < step_c:
        return memory
    compensate(par.setpoints, t_c, books.levels.row)
    books.must_examine = True
    return PlantState(
        x=memory.x,
        held_s=memory.held_s,
        equalize_left_s=memory.equalize_left_s,
        t_heatsink_c=memory.t_heatsink_c,
        v_batt_v=memory.v_batt_v,
        t_probe_c=t_c,
        probe_read=True,
        t_warm_c=memory.t_warm_c,
        regime=memory.regime,
        tracker=memory.tracker,
        conduction=memory.conduction,
    )


@inline_ir
def _begin_day(m: PlantState, midnights: Midnights, number: int, par: Parameters, books: Books) -> PlantState:
    """The controller's clock shows another day: meters start again, and equalizing may fall due."""
    begin_periods_compiled(books, midnights.periods[number])
    equalize_s = par.setpoints[EQUALIZE_S] if midnights.equalizes[number] else m.equalize_left_s
    return PlantState(
        x=m.x,
        held_s=m.held_s,
        equalize_left_s=equalize_s,
        t_heatsink_c=m.t_heatsink_c,
        v_batt_v=m.v_batt_v,
        t_probe_c=m.t_probe_c,
        probe_read=m.probe_read,
        t_warm_c=m.t_warm_c,
        regime=m.regime,
        tracker=m.tracker,
        conduction=m.conduction,
    )


@kernel_without_refcounts
def run_steps(
    memory: PlantState, books_array: BooksArray, par: Parameters, day: AnyDay, demand: Demand, t_room_c: np.ndarray,
    first: int, count: int, day_start_s: float, midnights: Midnights,
    sample_every: int, columns: np.ndarray, out: np.ndarray, sample: int,
) -> tuple[PlantState, Snapshot]:  # fmt: skip
    """Run steps of one or several solar days.

    Parameters
    ----------
    memory, par : PlantState, Parameters
        The plant.
    books_array : (1,) array of `BOOKS`
        Written into.
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
    midnights : Midnights
        Of the controller's clock during these steps, the one at their end included.
    sample_every : int
        A sample after every so many steps, counted from the day's beginning; 0 for none.
    columns : (m,) array
        Which fields of `Snapshot` a sample has, by place.
    out : (m, n) array
        Samples, one beside another: whoever reads them reads field by field.
    sample : int
        Where the first one goes.

    Returns
    -------
    PlantState, Snapshot
        The plant after the last step.
    """
    k, midnight = first, 0
    books, stage, step_s = books_array[0], par.stage, par.method.step_s
    an_hour = int(3600 / step_s)
    # counted along: a remainder at every step costs as much as an exponential
    hour, in_hour = first // an_hour % HOURS_A_DAY, first % an_hour
    to_sample = sample_every - first % sample_every if sample_every > 0 else 0
    warm = 1.0 - np.exp(-step_s / (stage.heatsink_k_w * stage.heatsink_j_k))
    bus = at_first(0.0, 0.0)
    held = given(0.0, demand, first, 0.0, nothing_of(day), 0.0, par)
    w_c = memory.t_warm_c
    w = battery.at_temperature(w_c, par.battery)
    for k in range(first, first + count):
        memory = _read_probe(memory, par, books)
        if not abs(memory.x.t_c - w_c) < WARM_STEP_C:
            w_c = memory.x.t_c
            w = battery.at_temperature(w_c, par.battery)
        conduction, offer = dim_light(memory.conduction, day, k, memory.v_batt_v, step_s, stage)
        if offer.passes:
            tracker = at_rest(par.tracker, memory.tracker)
        else:
            tracker, offer = step_of_tracker(
                par.tracker, memory.tracker, day, k, memory.v_batt_v,
                charges(books.modes), memory.regime, step_s, stage,
            )  # fmt: skip
        held = given(day.p_mp_w[k], demand, k, t_room_c[k], offer, memory.t_heatsink_c, par)
        held = hold(held, memory, books)
        t = day_start_s + k * step_s
        memory, held, bus = grid_step(memory, held, w, stage, par.method, books_array, t, step_s)
        heat = bus.p_converter_loss_w + HEATSINK_LOAD_OHM * bus.i_load_a * bus.i_load_a
        steady = t_room_c[k] + heat * stage.heatsink_k_w
        t_heatsink = memory.t_heatsink_c + warm * (steady - memory.t_heatsink_c)
        memory = PlantState(
            x=memory.x,
            held_s=memory.held_s,
            equalize_left_s=memory.equalize_left_s,
            t_heatsink_c=t_heatsink,
            v_batt_v=bus.v_batt_v,
            t_probe_c=memory.t_probe_c,
            probe_read=memory.probe_read,
            t_warm_c=w_c,
            regime=bus.regime.value,
            tracker=tracker,
            conduction=conduction,
        )
        note_extremes(books, bus.v_pv_v, bus.v_batt_v, stage.awake_v)
        if par.ages:
            log_hour(books, hour, in_hour == 0, 1.0 / an_hour, memory.x, bus, par.battery)
        in_hour += 1
        if in_hour == an_hour:
            in_hour = 0
            hour += 1
        if hour == HOURS_A_DAY:
            hour = 0
            fold(books)
        to_sample -= 1
        sampled = to_sample == 0
        if sampled:
            to_sample = sample_every
        if sampled or k == first + count - 1:
            shown = snapshot(memory, held, bus, day, k, par, books, t + step_s)
        if sampled:
            for j in range(columns.size):
                out[j, sample] = shown[columns[j]]
            sample += 1
        if midnight < midnights.steps.size and k + 1 - first == midnights.steps[midnight]:
            memory = _begin_day(memory, midnights, midnight, par, books)
            midnight += 1
    return memory, shown
