"""Runs the table of rules: which conditions hold, which rule is due, and how long nothing can change.

`rules.RULES` says what the controller does; this is the little machine that reads it, in compiled code. All rules
are looked at only when something may have changed: until then every quantity stays between the set-points next to it.
"""

import numpy as np

from plant.base.clock import DAY_S
from plant.base.jit import inline_ir, kernel
from plant.controller.charger import BARS_CHARGE, STATE_OF, WATCHED, Daylight, Machine, Quantities, SetPoints
from plant.controller.converter import OperatingPoint
from plant.controller.loadcontrol import Program, call
from plant.controller.rules import RULES, Effect, compile_rules
from plant.kernel.state import (
    CLOCK,
    DUE,
    EVENT_COUNT,
    EVENTS,
    EVENTS_KEPT,
    LEVELS,
    LOWER,
    NIGHT,
    PROGRAM,
    SINCE,
    TRIES,
    UPPER,
    Books,
    Held,
    PlantState,
)  # fmt: skip
from plant.kernel.state import QUANTITIES as NOW

# The rules as global arrays: compiled in as constants.
MACHINE, FROM, TO, QUANTITY, AT_LEAST, SETPOINT, DWELL, RESTARTS_CHARGE, EFFECT = compile_rules(RULES)
RULE_COUNT, CONDITIONS = QUANTITY.shape
# Rules by machine and state: those of state s of machine m are LEAVING[FIRST[m, s] : FIRST[m, s + 1]].
MOST_STATES = int(max(FROM.max(), TO.max())) + 1
LEAVING = np.lexsort((np.arange(RULE_COUNT), FROM, MACHINE))
FIRST = np.searchsorted(
    (MOST_STATES * MACHINE + FROM)[LEAVING],
    MOST_STATES * np.arange(len(Machine))[:, None] + np.arange(MOST_STATES + 1),
)
QUANTITIES = len(Quantities._fields)
LATE_S = 1e-6  # a timer this close to its end has run out; a double holds UTC seconds to 2e-7

STATES = np.array([int(machine) for machine in STATE_OF.values()])
BARRED_BY = np.array([int(machine) for machine in BARS_CHARGE])
RETRIES_FORGOTTEN, LONG_NIGHT = (
    LEVELS + SetPoints._fields.index(name) for name in ("retries_forgotten_s", "long_night_s")
)

# Where each quantity stands in `Books.numbers`. Each is written by itself: a tuple in a loop costs the compiled code a
# jump an element.
(
    V_BATT, V_PV, V_PV_ABOVE_BATTERY, V_OC, HELD_S, EQUALIZE_LEFT, LOAD_COLLAPSED, LOAD_SHARE, T_HEATSINK,
    T_PROBE, V_CELLS, T_BATT, I_BATT, I_DISCHARGE,
) = range(NOW, NOW + WATCHED)  # fmt: skip
STATE = NOW + WATCHED
CHARGE_BARRED, LOAD_CALLED, RETRIES = (
    NOW + Quantities._fields.index(name) for name in ("charge_barred", "load_called", "retries")
)


@inline_ir
def update_quantities(
    bus: OperatingPoint, held: Held, memory: PlantState, load_rated_a: float, numbers: np.ndarray
) -> None:
    """Write down those `Quantities` of this instant that move by themselves."""
    load = held.load
    asked = load.p_w + load.i_a + load.g_s > 0.0
    carried = (
        bus.i_load_a > 0.0 and bus.p_load_w > 0.999 * load.p_w
    )  # a load may draw its current, not its power
    numbers[V_BATT] = bus.v_batt_v
    numbers[V_PV] = bus.v_pv_v
    numbers[V_PV_ABOVE_BATTERY] = held.offer.v_oc_v - bus.v_batt_v
    numbers[V_OC] = held.offer.v_oc_v
    numbers[HELD_S] = memory.held_s
    numbers[EQUALIZE_LEFT] = memory.equalize_left_s
    numbers[LOAD_COLLAPSED] = 1.0 if held.load_on and asked and not carried else 0.0
    numbers[LOAD_SHARE] = bus.i_load_a / load_rated_a
    numbers[T_HEATSINK] = memory.t_heatsink_c
    numbers[T_PROBE] = memory.t_probe_c
    numbers[V_CELLS] = bus.v_cells_v
    numbers[T_BATT] = memory.x.t_c
    numbers[I_BATT] = bus.i_batt_a
    numbers[I_DISCHARGE] = -bus.i_batt_a


@inline_ir
def unchanged(numbers: np.ndarray) -> bool:
    """Whether every watched quantity is still where no rule's condition can have changed; false for nan."""
    same = True
    for j in range(WATCHED):
        same &= (numbers[LOWER + j] <= numbers[NOW + j]) & (numbers[NOW + j] < numbers[UPPER + j])  # no jumps
    return same


@kernel
def device_s(numbers: np.ndarray, t_utc_s: float) -> float:
    """What the unit's clock shows at a moment [s]."""
    return float(t_utc_s + (numbers[CLOCK] + numbers[CLOCK + 2] * (t_utc_s - numbers[CLOCK + 1])))


@kernel
def _work_out(books: Books, t_utc_s: float) -> float:
    """Write down the other quantities. Returns how long [s] the load's mode leaves its answer at that by itself."""
    modes, n = books.modes, books.numbers
    for j in range(STATES.size):
        n[STATE + j] = modes[STATES[j]]
    barred = 0
    for machine in BARRED_BY:
        barred += modes[machine]
    n[CHARGE_BARRED] = 1.0 if barred > 0 else 0.0
    p = PROGRAM
    program = Program(
        n[p], n[p + 1], n[p + 2], n[p + 3], n[p + 4], n[p + 5], n[p + 6], n[p + 7], n[p + 8], n[p + 9], n[p + 10]
    )  # fmt: skip
    t = t_utc_s + LATE_S
    night = modes[Machine.DAYLIGHT] == Daylight.NIGHT
    called = call(program, night, t - n[NIGHT], n[NIGHT + 2], device_s(n, t) % DAY_S)
    n[LOAD_CALLED] = 1.0 if called.on else 0.0
    n[RETRIES] = n[TRIES]
    return called.wait_s + LATE_S


@kernel
def examine(books: Books, t_utc_s: float) -> None:
    """Look at all rules anew: which hold and since when, when the next is due, and how far each quantity may go."""
    numbers = books.numbers
    due = t_utc_s + _work_out(books, t_utc_s)
    for name in range(QUANTITIES):
        numbers[LOWER + name] = -np.inf
        numbers[UPPER + name] = np.inf
    for machine in range(FIRST.shape[0]):
        state = books.modes[machine]
        for place in range(FIRST[machine, state], FIRST[machine, state + 1]):
            rule = LEAVING[place]
            met = True
            for column in range(CONDITIONS):
                name = QUANTITY[rule, column]
                if name < 0:
                    break
                level = numbers[LEVELS + SETPOINT[rule, column]]
                above = numbers[NOW + name] >= level
                if above:
                    numbers[LOWER + name] = max(numbers[LOWER + name], level)
                else:
                    numbers[UPPER + name] = min(numbers[UPPER + name], level)
                met &= above == (AT_LEAST[rule, column] == 1)
            if met:
                numbers[SINCE + rule] = min(numbers[SINCE + rule], t_utc_s)
                due = min(due, numbers[SINCE + rule] + numbers[LEVELS + DWELL[rule]])
            else:
                numbers[SINCE + rule] = np.inf
    numbers[DUE] = due


@kernel
def forget(books: Books) -> None:
    """Have the next look examine all rules: modes or set-points have changed."""
    books.numbers[LOWER] = np.inf


@inline_ir
def forgotten(numbers: np.ndarray) -> bool:
    """Whether `forget` has been called since the last look, or there was none."""
    return bool(numbers[LOWER] == np.inf)


@kernel
def _remember(numbers: np.ndarray, effect: int, t_utc_s: float) -> None:
    """What a transition leaves behind, see `rules.Effect`."""
    if effect == Effect.DUSK:
        numbers[NIGHT] = t_utc_s
        numbers[NIGHT + 1] = 1.0
    elif effect == Effect.DAWN:
        length_s = t_utc_s - numbers[NIGHT]
        if numbers[NIGHT + 1] == 1.0:  # a night that the unit was switched on in teaches it nothing (guess)
            numbers[NIGHT + 2] = length_s
        if length_s >= numbers[LONG_NIGHT]:
            numbers[TRIES] = 0.0
    elif effect == Effect.TRIPS:
        if t_utc_s - numbers[TRIES + 1] >= numbers[RETRIES_FORGOTTEN]:
            numbers[TRIES] = 0.0
    elif effect == Effect.RETRIES:
        numbers[TRIES] += 1.0
        numbers[TRIES + 1] = t_utc_s
    elif effect == Effect.FORGETS:
        numbers[TRIES] = 0.0


@kernel
def fire(books: Books, t_utc_s: float) -> int:
    """Carry out the first rule that is due. Returns its row, or -1."""
    numbers = books.numbers
    for rule in range(RULE_COUNT):
        if numbers[SINCE + rule] + numbers[LEVELS + DWELL[rule]] <= t_utc_s + LATE_S:
            machine = MACHINE[rule]
            books.modes[machine] = TO[rule]
            for other in range(RULE_COUNT):
                if MACHINE[other] == machine:
                    numbers[SINCE + other] = np.inf
            slot = EVENTS + 2 * (int(numbers[EVENT_COUNT]) % EVENTS_KEPT)
            numbers[slot] = t_utc_s
            numbers[slot + 1] = rule
            numbers[EVENT_COUNT] += 1
            _remember(numbers, EFFECT[rule], t_utc_s)
            forget(books)
            return rule
    return -1
