"""The one kernel: tracker, converter, charge stages, battery, load and meters, one grid step after another.

A step holds sun and demand, integrates the battery with RK4 and places every event (a set-point crossed, a timer run out, a
change between tracking and constant voltage) within it to a millisecond: no sub-step straddles one. Live line, batch run,
scenario and sweep all call `run_steps`.
"""

from typing import NamedTuple

import numpy as np

from plant import battery
from plant.array import ArrayDay
from plant.battery import LeadAcid, State
from plant.charger import CompiledRules, SetPoints, compensated
from plant.clock import STEP_S
from plant.converter import Bus, Offer, PowerStage, offer, solve
from plant.diode import Curve
from plant.jit import kernel
from plant.snapshot import Snapshot

EVENT_S = 1e-3  # events are located to this
MAX_SUBSTEPS = 1000  # a step of the grid has a handful; more is a bug, and is counted
HEATSINK_LOAD_OHM = 0.0115  # heat of the load switch on the heat sink [guess]


class Flows(NamedTuple):
    """Power of every flow [W], and the gassing current [A]; their integrals are the account."""

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
    gas: float
    diffusion: float
    entropy: float
    i_gas: float


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

    x: State
    held_s: float
    equalize_left_s: float
    t_heatsink_c: float


class Books(NamedTuple):
    """Arrays that `run_steps` writes into."""

    modes: np.ndarray  # (machines,) state of each machine
    timers: np.ndarray  # (rules,) how long each rule's conditions have held [s]
    account: np.ndarray  # (flows,) integral of each flow since the start [Wh; gas: Ah]
    carry: np.ndarray  # (flows,) what rounding left out of it
    offset: np.ndarray  # (8,) account of charge, then load, at the last midnight, month, year, reset [Wh]
    extremes: np.ndarray  # (4,) max and min of PV voltage, max and min of battery voltage, today [V]
    events: np.ndarray  # (n, 2) time and rule of each transition, the newest overwriting the oldest
    counts: np.ndarray  # (2,) transitions so far, steps that ran out of sub-steps
    quantities: np.ndarray  # (quantities,) scratch: `charger.Quantities` of this instant
    levels: np.ndarray  # (set-points,) scratch: `charger.SetPoints` of this step


class Parameters(NamedTuple):
    """The plant's constants."""

    battery: LeadAcid
    stage: PowerStage
    setpoints: SetPoints
    rules: CompiledRules
    r_s_ohm: float  # of the array with its wiring


@kernel
def _look(x: State, held: Held, par: Parameters) -> Bus:
    r0 = battery.ohmic_resistance(x.t_c, par.battery)
    demand = held.demand_w if held.load_on else 0.0
    return solve(x.v_node_v, r0, held.v_target_v, held.charging, held.offer, demand, par.stage)


@kernel
def flows(x: State, held: Held, par: Parameters) -> tuple[State, Flows]:
    """Time derivative of the battery's state in the plant, and every flow of power."""
    bus = _look(x, held, par)
    dx, loss = battery.rates(x, bus.i_batt_a, held.t_room_c, par.battery)
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
        loss.gas_w,
        loss.diffusion_w,
        loss.entropy_w,
        loss.i_gas_a,
    )


@kernel
def _moved(x: State, h: float, dx: State) -> State:
    return State(
        x.q1_ah + h * dx.q1_ah,
        x.q2_ah + h * dx.q2_ah,
        x.v_node_v + h * dx.v_node_v,
        x.t_c + h * dx.t_c,
    )


@kernel
def rk4(x: State, h: float, held: Held, par: Parameters) -> tuple[State, Flows, Flows, Flows, Flows]:
    """One classical Runge-Kutta step of the battery in the plant, and the flows at its four stages."""
    k1, f1 = flows(x, held, par)
    k2, f2 = flows(_moved(x, 0.5 * h, k1), held, par)
    k3, f3 = flows(_moved(x, 0.5 * h, k2), held, par)
    k4, f4 = flows(_moved(x, h, k3), held, par)
    s = h / 6.0
    return (
        State(
            x.q1_ah + s * (k1.q1_ah + 2.0 * (k2.q1_ah + k3.q1_ah) + k4.q1_ah),
            x.q2_ah + s * (k1.q2_ah + 2.0 * (k2.q2_ah + k3.q2_ah) + k4.q2_ah),
            x.v_node_v + s * (k1.v_node_v + 2.0 * (k2.v_node_v + k3.v_node_v) + k4.v_node_v),
            x.t_c + s * (k1.t_c + 2.0 * (k2.t_c + k3.t_c) + k4.t_c),
        ),
        f1,
        f2,
        f3,
        f4,
    )


@kernel
def _book(books: Books, h: float, f1: Flows, f2: Flows, f3: Flows, f4: Flows) -> None:
    """Add a sub-step's flows to the account, with Kahan's carry so that years don't round away."""
    for j in range(len(f1)):
        term = h / 21600.0 * (f1[j] + 2.0 * (f2[j] + f3[j]) + f4[j]) - books.carry[j]
        total = books.account[j] + term
        books.carry[j] = (total - books.account[j]) - term
        books.account[j] = total


@kernel
def _truth(bus: Bus, held: Held, memory: Memory, par: Parameters, books: Books) -> int:
    """Which rules' conditions hold (bit of each row) and who decides the current (bits above).

    When it changes between two instants, something happened between them.
    """
    q, s, rules = books.quantities, books.levels, par.rules
    q[0] = bus.v_batt_v
    q[1] = bus.v_pv_v
    q[2] = held.offer.v_oc_v - bus.v_batt_v
    q[3] = memory.held_s
    q[4] = memory.equalize_left_s
    q[5] = float(books.modes[2])
    count = rules.machine.size
    bits = (int(bus.regime) * 2 + (1 if bus.i_chg_a > 0.0 else 0)) << count
    for rule in range(count):
        if books.modes[rules.machine[rule]] == rules.from_[rule]:
            met = True
            for column in range(2):
                name = rules.quantity[rule, column]
                if name >= 0:
                    above = q[name] >= s[rules.setpoint[rule, column]]
                    met = met and above == (rules.at_least[rule, column] == 1)
            if met:
                bits |= 1 << rule
    return bits


@kernel
def _fire(truth: int, rules: CompiledRules, books: Books, t_utc_s: float) -> int:
    """Carry out the first rule that is due. Returns its row, or -1."""
    for rule in range(rules.machine.size):
        if truth >> rule & 1 and books.timers[rule] >= books.levels[rules.dwell[rule]] - 1e-9:
            machine = rules.machine[rule]
            books.modes[machine] = rules.to[rule]
            for other in range(rules.machine.size):
                if rules.machine[other] == machine:
                    books.timers[other] = 0.0
            slot = books.counts[0] % books.events.shape[0]
            books.events[slot, 0] = t_utc_s
            books.events[slot, 1] = rule
            books.counts[0] += 1
            return rule
    return -1


@kernel
def _until_due(truth: int, rules: CompiledRules, books: Books) -> float:
    """Seconds until the next timer runs out, if nothing changes."""
    soonest = 1e9
    for rule in range(rules.machine.size):
        if truth >> rule & 1:
            soonest = min(soonest, books.levels[rules.dwell[rule]] - books.timers[rule])
    return max(soonest, 1e-9)


@kernel
def _tick(h: float, truth: int, rules: CompiledRules, books: Books) -> None:
    """Let the timers of the rules whose conditions held run on; the others start again."""
    for rule in range(rules.machine.size):
        books.timers[rule] = books.timers[rule] + h if truth >> rule & 1 else 0.0


@kernel
def _target_v(stage: int, owed_s: float, s: SetPoints) -> float:
    """Voltage [V] that a stage holds; bulk heads for the one it will enter."""
    if stage == 4:
        return s.float_v
    if stage == 3 or (stage == 1 and owed_s >= 0.5):
        return s.equalize_v
    return s.boost_v


@kernel
def _hold(held: Held, books: Books, memory: Memory, s: SetPoints) -> Held:
    """The held inputs as the machines now stand."""
    stage = books.modes[0]
    target = _target_v(stage, memory.equalize_left_s, s)
    return Held(
        held.offer, held.p_mp_w, held.demand_w, held.t_room_c, target, stage != 0, books.modes[1] == 0
    )


@kernel
def grid_step(memory: Memory, held: Held, s: SetPoints, par: Parameters, books: Books, t_utc_s: float, dt_s: float) -> tuple[Memory, Held, Bus]:  # fmt: skip
    """Move the plant by one step of the grid, event by event.

    Parameters
    ----------
    memory : Memory
    held : Held
        Sun, demand and room of this step.
    s : SetPoints
        At this step's battery temperature.
    par : Parameters
    books : Books
        Written into.
    t_utc_s, dt_s : float
        Beginning and length of the step [s].

    Returns
    -------
    Memory, Held, Bus
        The plant at the end of the step.
    """
    rules = par.rules
    left = dt_s
    bus = _look(memory.x, held, par)
    truth = _truth(bus, held, memory, par, books)
    for _ in range(MAX_SUBSTEPS):
        for _settle in range(8):
            fired = _fire(truth, rules, books, t_utc_s + dt_s - left)
            if fired < 0:
                break
            if rules.restarts_charge[fired] == 1:
                memory = Memory(memory.x, 0.0, memory.equalize_left_s, memory.t_heatsink_c)
            held = _hold(held, books, memory, s)
            bus = _look(memory.x, held, par)
            truth = _truth(bus, held, memory, par, books)
        if left <= 1e-9:
            return memory, held, bus
        smooth = battery.step_limit_s(memory.x, bus.i_batt_a, par.battery)
        h = min(left, smooth, _until_due(truth, rules, books))
        stage = books.modes[0]
        holding = bus.regime == 2.0 and bus.i_chg_a > 0.0
        if holding and stage == 2 and s.boost_s > memory.held_s:
            h = min(h, s.boost_s - memory.held_s)
        if holding and stage == 3 and memory.equalize_left_s > 0.5:
            h = min(h, memory.equalize_left_s - 0.5 + 1e-6)
        x, f1, f2, f3, f4 = rk4(memory.x, h, held, par)
        bus = _look(x, held, par)
        if h > EVENT_S and _truth(bus, held, memory, par, books) != truth:
            early = 0.0
            while h - early > EVENT_S:
                middle = 0.5 * (early + h)
                xm, g1, g2, g3, g4 = rk4(memory.x, middle, held, par)
                bus_m = _look(xm, held, par)
                if _truth(bus_m, held, memory, par, books) == truth:
                    early = middle
                else:
                    h, x, f1, f2, f3, f4, bus = middle, xm, g1, g2, g3, g4, bus_m
        _book(books, h, f1, f2, f3, f4)
        _tick(h, truth, rules, books)
        held_s, owed_s = memory.held_s, memory.equalize_left_s
        if holding and stage == 2:
            held_s += h
        if holding and stage == 3:
            owed_s = max(0.0, owed_s - h)
        memory = Memory(x, held_s, owed_s, memory.t_heatsink_c)
        truth = _truth(bus, held, memory, par, books)
        left -= h
    books.counts[1] += 1
    return memory, held, bus


@kernel
def _gauge(v_batt_v: float, s: SetPoints) -> float:
    """State of charge as N-family controllers show it: linear in the voltage between LVD and float.

    Fits the three recorded AN units: ``trunc(100 (V - LVD) / (FLT - LVD))``, clamped.
    """
    share = (v_batt_v - s.low_voltage_disconnect_v) / (s.float_v - s.low_voltage_disconnect_v)
    return max(0.0, min(1.0, share))


@kernel
def _battery_status(books: Books) -> float:
    if books.modes[2] == 1:
        return 1.0
    if books.modes[1] == 1:
        return 3.0
    return 2.0 if books.modes[3] == 1 else 0.0


@kernel
def _snapshot(memory: Memory, held: Held, bus: Bus, day: ArrayDay, k: int, par: Parameters, books: Books, t_utc_s: float, device_offset_s: float) -> Snapshot:  # fmt: skip
    x, e, off = memory.x, books.account, books.offset
    i_pv = bus.p_pv_w / bus.v_pv_v if bus.p_pv_w > 0.0 else 0.0
    regime = bus.regime if bus.i_chg_a > 0.0 else 0.0
    load_on = 1.0 if held.load_on else 0.0
    v_load = load_on * (bus.v_batt_v - par.stage.path_ohm * bus.i_load_a)
    return Snapshot(
        t_utc_s,
        t_utc_s + device_offset_s,
        day.ghi_w_m2[k],
        day.poa_w_m2[k],
        day.t_amb_c[k],
        day.wind_m_s[k],
        day.t_cell_c[k],
        day.v_oc_v[k],
        day.p_mp_w[k],
        bus.v_pv_v,
        i_pv,
        bus.p_pv_w,
        float(books.modes[0]),
        regime,
        bus.i_chg_a,
        bus.p_chg_w,
        held.v_target_v,
        memory.t_heatsink_c,
        float(books.modes[4]),
        _battery_status(books),
        bus.v_batt_v,
        bus.i_batt_a,
        battery.soc(x, par.battery),
        _gauge(bus.v_batt_v, par.setpoints),
        x.t_c,
        load_on,
        v_load,
        bus.i_load_a,
        bus.p_load_w,
        (e[3] - off[0]) / 1000.0,
        (e[3] - off[1]) / 1000.0,
        (e[3] - off[2]) / 1000.0,
        (e[3] - off[3]) / 1000.0,
        (e[5] - off[4]) / 1000.0,
        (e[5] - off[5]) / 1000.0,
        (e[5] - off[6]) / 1000.0,
        (e[5] - off[7]) / 1000.0,
        books.extremes[0],
        books.extremes[1],
        books.extremes[2],
        books.extremes[3],
        e[0],
        e[1],
        e[2],
        e[3],
        e[4],
        e[5],
        e[6],
        e[7],
        e[8],
        e[9],
        e[10],
        e[11],
        e[12],
        e[13],
        battery.stored_wh(x, par.battery),
    )


@kernel
def run_steps(
    memory: Memory, books: Books, par: Parameters,
    day: ArrayDay, demand_w: np.ndarray, t_room_c: np.ndarray,
    first: int, count: int, day_start_s: float, device_offset_s: float, sample_every: int, out: np.ndarray,
) -> tuple[Memory, Snapshot]:  # fmt: skip
    """Run steps of one solar day.

    Parameters
    ----------
    memory, books, par : Memory, Books, Parameters
        The plant. `books` is written into.
    day : ArrayDay
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
    bus = Bus(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    held = Held(Offer(Curve(0.0, 0.0, 0.0, 0.0, 0.0), 0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, False, False)
    k = first
    v_batt = memory.x.v_node_v
    for k in range(first, first + count):
        s = compensated(par.setpoints, memory.x.t_c)
        for j in range(len(s)):
            books.levels[j] = s[j]
        curve = Curve(day.i_l_a[k], day.i_0_a[k], day.a_v[k], par.r_s_ohm, day.r_sh_ohm[k])
        offered = offer(curve, day.v_oc_v[k], day.v_mp_v[k], day.p_mp_w[k], v_batt, stage)
        held = Held(offered, day.p_mp_w[k], demand_w[k], t_room_c[k], 0.0, False, False)
        held = _hold(held, books, memory, s)
        t = day_start_s + k * STEP_S
        memory, held, bus = grid_step(memory, held, s, par, books, t, float(STEP_S))
        v_batt = bus.v_batt_v
        heat = bus.p_converter_loss_w + HEATSINK_LOAD_OHM * bus.i_load_a * bus.i_load_a
        steady = t_room_c[k] + heat * stage.heatsink_k_w
        t_heatsink = memory.t_heatsink_c + warm * (steady - memory.t_heatsink_c)
        memory = Memory(memory.x, memory.held_s, memory.equalize_left_s, t_heatsink)
        ext[0] = max(ext[0], bus.v_pv_v)
        ext[1] = min(ext[1], bus.v_pv_v)
        ext[2] = max(ext[2], bus.v_batt_v)
        ext[3] = min(ext[3], bus.v_batt_v)
        if sample_every > 0 and (k + 1) % sample_every == 0:
            shown = _snapshot(memory, held, bus, day, k, par, books, t + STEP_S, device_offset_s)
            for j in range(len(shown)):
                out[row, j] = shown[j]
            row += 1
    t_end = day_start_s + (first + count) * STEP_S
    return memory, _snapshot(memory, held, bus, day, k, par, books, t_end, device_offset_s)
