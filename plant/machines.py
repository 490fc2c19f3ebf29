"""Runs the table of rules: which conditions hold, which rule is due, how the timers go on.

`charger.RULES` says what the controller does; this is the little machine that reads it, in compiled code.
"""

import numpy as np

from plant.charger import RULES, Machine, Quantities, compile_rules
from plant.converter import Bus
from plant.jit import inlined, kernel
from plant.state import Books, Held, Memory

# The rules as global arrays: compiled in as constants. (An array handed from call to call costs the compiled code
# an atomic count up and down each time; so do the arrays of `Books`, which is why only who writes takes it.)
MACHINE, FROM, TO, QUANTITY, AT_LEAST, SETPOINT, DWELL, RESTARTS_CHARGE = compile_rules(RULES)
RULE_COUNT = len(RULES)
V_BATT, V_PV, V_PV_ABOVE_BATTERY, HELD, EQUALIZE_LEFT, OVER_VOLTAGE, LOAD_COLLAPSED = range(
    len(Quantities._fields)
)


@inlined
def truth(
    bus: Bus, held: Held, memory: Memory, modes: np.ndarray, levels: np.ndarray, quantities: np.ndarray
) -> int:
    """Which rules' conditions hold (bit of each row) and who decides the current (bits above).

    When it changes between two instants, something happened between them.
    """
    quantities[V_BATT] = bus.v_batt_v
    quantities[V_PV] = bus.v_pv_v
    quantities[V_PV_ABOVE_BATTERY] = held.offer.v_oc_v - bus.v_batt_v
    quantities[HELD] = memory.held_s
    quantities[EQUALIZE_LEFT] = memory.equalize_left_s
    quantities[OVER_VOLTAGE] = float(modes[Machine.OVER_VOLTAGE])
    collapsed = held.load_on and held.demand_w > 0.0 and bus.i_load_a == 0.0
    quantities[LOAD_COLLAPSED] = 1.0 if collapsed else 0.0
    bits = (bus.regime.value * 2 + (1 if bus.i_chg_a > 0.0 else 0)) << RULE_COUNT
    for rule in range(RULE_COUNT):
        if modes[MACHINE[rule]] == FROM[rule]:
            met = True
            for column in range(2):
                name = QUANTITY[rule, column]
                if name >= 0:
                    above = quantities[name] >= levels[SETPOINT[rule, column]]
                    met = met and above == (AT_LEAST[rule, column] == 1)
            if met:
                bits |= 1 << rule
    return bits


@kernel
def fire(truth: int, books: Books, t_utc_s: float) -> int:
    """Carry out the first rule that is due. Returns its row, or -1."""
    for rule in range(RULE_COUNT):
        if truth >> rule & 1 and books.timers[rule] >= books.levels[DWELL[rule]] - 1e-9:
            machine = MACHINE[rule]
            books.modes[machine] = TO[rule]
            for other in range(RULE_COUNT):
                if MACHINE[other] == machine:
                    books.timers[other] = 0.0
            slot = books.counts[0] % books.events.shape[0]
            books.events[slot, 0] = t_utc_s
            books.events[slot, 1] = rule
            books.counts[0] += 1
            return rule
    return -1


@inlined
def seconds_until_due(truth: int, timers: np.ndarray, levels: np.ndarray) -> float:
    """Seconds until the next timer runs out, if nothing changes; 0 when one has."""
    soonest = 1e9
    for rule in range(RULE_COUNT):
        if truth >> rule & 1:
            soonest = min(soonest, levels[DWELL[rule]] - timers[rule])
    return soonest


@inlined
def tick(h: float, truth: int, timers: np.ndarray) -> None:
    """Let the timers of the rules whose conditions held run on; the others start again."""
    for rule in range(RULE_COUNT):
        timers[rule] = timers[rule] + h if truth >> rule & 1 else 0.0
