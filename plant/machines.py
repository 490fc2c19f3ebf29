"""Runs the table of rules: which conditions hold, which rule is due, and how long nothing can change.

`charger.RULES` says what the controller does; this is the little machine that reads it, in compiled code. All rules
are looked at only when something may have changed: until then every quantity stays between the set-points next to it.
"""

import numpy as np

from plant.charger import RULES, Machine, Quantities, compile_rules
from plant.converter import Bus
from plant.jit import kernel, woven
from plant.state import (
    DUE,
    EVENT_COUNT,
    EVENTS,
    EVENTS_KEPT,
    LEVELS,
    LOWER,
    SINCE,
    UPPER,
    Books,
    Held,
    Memory,
)  # fmt: skip
from plant.state import QUANTITIES as NOW

# The rules as global arrays: compiled in as constants.
MACHINE, FROM, TO, QUANTITY, AT_LEAST, SETPOINT, DWELL, RESTARTS_CHARGE = compile_rules(RULES)
RULE_COUNT, CONDITIONS = QUANTITY.shape
QUANTITIES = len(Quantities._fields)
LATE_S = 1e-6  # a timer this close to its end has run out; a double holds UTC seconds to 2e-7


# Where each quantity stands in `Books.numbers`. Each is written by itself: a tuple in a loop costs the compiled code a
# jump an element.
(
    V_BATT, V_PV, V_PV_ABOVE_BATTERY, HELD_S, EQUALIZE_LEFT, OVER_VOLTAGE, LOAD_COLLAPSED, LOAD_SHARE, T_HEATSINK,
    T_PROBE, HEATSINK_HOT, BATTERY_HOT, CHARGE_BARRED, V_CELLS, T_BATT, I_BATT, I_DISCHARGE,
) = range(NOW, NOW + QUANTITIES)  # fmt: skip


@woven
def observe(
    bus: Bus, held: Held, memory: Memory, load_rated_a: float, modes: np.ndarray, numbers: np.ndarray
) -> None:
    """Write down the `Quantities` of this instant."""
    over, hot, battery_hot = modes[Machine.OVER_VOLTAGE], modes[Machine.HEATSINK], modes[Machine.BATTERY_HEAT]
    load = held.load
    asked = load.p_w + load.i_a + load.g_s > 0.0
    carried = (
        bus.i_load_a > 0.0 and bus.p_load_w > 0.999 * load.p_w
    )  # a load may draw its current, not its power
    numbers[V_BATT] = bus.v_batt_v
    numbers[V_PV] = bus.v_pv_v
    numbers[V_PV_ABOVE_BATTERY] = held.offer.v_oc_v - bus.v_batt_v
    numbers[HELD_S] = memory.held_s
    numbers[EQUALIZE_LEFT] = memory.equalize_left_s
    numbers[OVER_VOLTAGE] = over
    numbers[LOAD_COLLAPSED] = 1.0 if held.load_on and asked and not carried else 0.0
    numbers[LOAD_SHARE] = bus.i_load_a / load_rated_a
    numbers[T_HEATSINK] = memory.t_heatsink_c
    numbers[T_PROBE] = memory.t_probe_c
    numbers[HEATSINK_HOT] = hot
    numbers[BATTERY_HOT] = battery_hot
    numbers[CHARGE_BARRED] = 1.0 if over + hot + battery_hot > 0 else 0.0
    numbers[V_CELLS] = bus.v_cells_v
    numbers[T_BATT] = memory.x.t_c
    numbers[I_BATT] = bus.i_batt_a
    numbers[I_DISCHARGE] = -bus.i_batt_a


@woven
def unchanged(numbers: np.ndarray) -> bool:
    """Whether every quantity is still where no rule's condition can have changed; false for nan."""
    same = True
    for j in range(QUANTITIES):
        same &= (numbers[LOWER + j] <= numbers[NOW + j]) & (numbers[NOW + j] < numbers[UPPER + j])  # no jumps
    return same


@kernel
def examine(books: Books, t_utc_s: float) -> None:
    """Look at all rules anew: which hold and since when, when the next is due, and how far each quantity may go."""
    numbers = books.numbers
    for name in range(QUANTITIES):
        numbers[LOWER + name] = -np.inf
        numbers[UPPER + name] = np.inf
    due = np.inf
    for rule in range(RULE_COUNT):
        met = books.modes[MACHINE[rule]] == FROM[rule]
        if met:
            for column in range(CONDITIONS):
                name = QUANTITY[rule, column]
                if name >= 0:
                    level = numbers[LEVELS + SETPOINT[rule, column]]
                    above = numbers[NOW + name] >= level
                    if above:
                        numbers[LOWER + name] = max(numbers[LOWER + name], level)
                    else:
                        numbers[UPPER + name] = min(numbers[UPPER + name], level)
                    met = met and above == (AT_LEAST[rule, column] == 1)
        if not met:
            numbers[SINCE + rule] = np.inf
            continue
        numbers[SINCE + rule] = min(numbers[SINCE + rule], t_utc_s)
        due = min(due, numbers[SINCE + rule] + numbers[LEVELS + DWELL[rule]])
    numbers[DUE] = due


@kernel
def forget(books: Books) -> None:
    """Have the next look examine all rules: modes or set-points have changed."""
    books.numbers[LOWER] = np.inf


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
            forget(books)
            return rule
    return -1
