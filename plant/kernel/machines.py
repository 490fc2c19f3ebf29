"""Runs the table of rules: which conditions hold, which rule is due, and how long nothing can change.

`rules.RULES` says what the controller does; this is the little machine that reads it, in compiled code. All rules
are looked at only when something may have changed: until then every quantity stays between the set-points next to it.
"""

import numpy as np

from plant.base.clock import DAY_S
from plant.base.jit import inline_ir, kernel
from plant.battery import model as battery
from plant.controller.charger import WATCHED, WATCHED_AT_POSTS, Daylight, Machine, Quantities
from plant.controller.clock import shown_s_compiled
from plant.controller.loadcontrol import call
from plant.controller.postsrules import POSTS_RULES
from plant.controller.rows import Effect
from plant.controller.rules import RULES
from plant.kernel.books import EVENTS_KEPT, Books
from plant.kernel.columns import QUANTITIES, compile_rules
from plant.kernel.state import Held, PlantState
from plant.power.converter import OperatingPoint
from plant.power.jointnode import there
from plant.power.posts import AnyPosts, by_posts

# The rules as global arrays: compiled in as constants.
(
    MACHINE, TO, DWELL, DWELL_S, RESTARTS_CHARGE, EFFECT, LEAVING, FIRST_LEAVING, FIRST_CONDITION, SUBJECT, SETPOINT,
    NUMBER, HOLDS,
) = compile_rules(RULES)  # fmt: skip
RULE_COUNT = len(RULES)
# Machines and rules of the battery's posts are the last of all: where nothing hangs there, none is looked at.
WITHOUT_POSTS = RULE_COUNT - len(POSTS_RULES)
MACHINES_WITHOUT_POSTS = int(Machine.INVERTER)
V_OC, V_ABOVE = (Quantities._fields.index(name) for name in ("v_oc_v", "v_pv_above_battery_v"))
LATE_S = 1e-6  # a timer this close to its end has run out; a double holds UTC seconds to 2e-7


def _no_posts(
    bus: OperatingPoint, held: Held, x: battery.State, p: battery.Parameters, books: Books, posts: AnyPosts
) -> None:
    pass


@by_posts(elsewhere=_no_posts)
def _update_posts(
    bus: OperatingPoint, held: Held, x: battery.State, p: battery.Parameters, books: Books, posts: AnyPosts
) -> None:
    """`update_quantities` for what hangs on the battery's posts."""
    now, asked = books.quantities, held.asked
    flows = there(bus, held.port, posts)
    now.v_posts_v = flows.v_v
    now.soc = battery.soc(x, p)
    now.inverter_share = asked.demand_w / asked.outfit.rated_w
    now.inverter_collapsed = 1.0 if flows.inverter_w < posts.inverter_w else 0.0
    now.charger_1_allowed = 1.0 if asked.first else 0.0
    now.charger_2_allowed = 1.0 if asked.second else 0.0


@inline_ir
def update_quantities(
    bus: OperatingPoint,
    held: Held,
    memory: PlantState,
    x: battery.State,
    p: battery.Parameters,
    load_rated_a: float,
    books: Books,
) -> None:
    """Write down those `Quantities` of this instant that move by themselves; the battery is in state `x` by then."""
    now, load = books.quantities, held.load
    asked = load.p_w + load.i_a + load.g_a_v > 0.0
    # Both, for a load may get its current and yet not its power.
    carried = bus.i_load_a > 0.0 and bus.p_load_w > 0.999 * load.p_w
    now.v_batt_v = bus.v_batt_v
    now.v_pv_v = bus.v_pv_v
    now.v_pv_above_battery_v = held.offer.v_oc_v - bus.v_batt_v
    now.v_oc_v = held.offer.v_oc_v
    now.held_s = memory.held_s
    now.equalize_left_s = memory.equalize_left_s
    now.load_collapsed = 1.0 if held.load_on and asked and not carried else 0.0
    now.load_share = bus.i_load_a / load_rated_a
    now.t_heatsink_c = memory.t_heatsink_c
    now.t_probe_c = memory.t_probe_c
    now.v_cells_v = bus.v_cells_v
    now.t_batt_c = memory.x.t_c
    now.i_batt_a = bus.i_batt_a
    now.i_discharge_a = -bus.i_batt_a
    _update_posts(bus, held, x, p, books, held.posts)


@inline_ir
def sun_changes(books: Books, v_oc_v: float, v_batt_v: float) -> bool:
    """Whether a step's sun has taken the array across a set-point before anything moves."""
    above_v = v_oc_v - v_batt_v
    same = books.lower[V_OC] <= v_oc_v < books.upper[V_OC]
    return not same or not books.lower[V_ABOVE] <= above_v < books.upper[V_ABOVE]


@inline_ir
def unchanged(books: Books, at_posts: bool) -> bool:
    """Whether every watched quantity is still where no rule's condition can have changed; false for nan.

    Those of the battery's posts need no look where nothing hangs there.
    """
    now, same = books.quantities.row, not books.must_examine
    for j in range(WATCHED_AT_POSTS if at_posts else WATCHED):
        same &= (books.lower[j] <= now[j]) & (now[j] < books.upper[j])  # no jumps
    return same


@kernel
def device_s(books: Books, t_utc_s: float) -> float:
    """What the unit's clock shows at a moment [s]."""
    clock = books.clock
    return float(shown_s_compiled(t_utc_s, clock.ahead_s, clock.set_utc_s, clock.gains))


@kernel
def _work_out(books: Books, t_utc_s: float) -> float:
    """Write down the other quantities. Returns how long [s] the load's mode leaves its answer at that by itself."""
    modes, now = books.modes, books.quantities
    t = t_utc_s + LATE_S
    is_night = modes[Machine.DAYLIGHT] == Daylight.NIGHT
    night = books.night
    called = call(books.program, is_night, t - night.began_utc_s, night.length_s, device_s(books, t) % DAY_S)
    now.load_called = 1.0 if called.on else 0.0
    now.retries = books.tries.count
    return called.wait_s + LATE_S


@inline_ir
def _holds(books: Books, condition: int) -> bool:
    """Whether a condition holds; one about a quantity narrows the range in which that changes nothing."""
    subject = SUBJECT[condition]
    if subject >= QUANTITIES:
        same = books.modes[subject - QUANTITIES] == NUMBER[condition]
        return bool(same == HOLDS[condition])
    place = SETPOINT[condition]
    level = books.levels.row[place] if place >= 0 else NUMBER[condition]
    above = books.quantities.row[subject] >= level
    if above:
        books.lower[subject] = max(books.lower[subject], level)
    else:
        books.upper[subject] = min(books.upper[subject], level)
    return bool(above == HOLDS[condition])


@inline_ir
def _due_s(books: Books, rule: int) -> float:
    """When a rule is due if its conditions go on to hold [UTC s]; inf while they don't hold."""
    place = DWELL[rule]
    return float(books.since[rule] + (books.levels.row[place] if place >= 0 else DWELL_S[rule]))


@kernel
def examine(books: Books, t_utc_s: float, at_posts: bool) -> None:
    """Look at all rules anew: which hold and since when, when the next is due, and how far each quantity may go."""
    due = t_utc_s + _work_out(books, t_utc_s)
    since = books.since
    for name in range(QUANTITIES):
        books.lower[name] = -np.inf
        books.upper[name] = np.inf
    for machine in range(FIRST_LEAVING.shape[0] if at_posts else MACHINES_WITHOUT_POSTS):
        state = books.modes[machine]
        for place in range(FIRST_LEAVING[machine, state], FIRST_LEAVING[machine, state + 1]):
            rule = LEAVING[place]
            met = True
            for condition in range(FIRST_CONDITION[rule], FIRST_CONDITION[rule + 1]):
                if not _holds(books, condition):  # until it does, what else the rule asks for changes nothing
                    met = False
                    break
            if met:
                since[rule] = min(since[rule], t_utc_s)
                due = min(due, _due_s(books, rule))
            else:
                since[rule] = np.inf
    books.due = due
    books.must_examine = False


@kernel
def _remember(books: Books, effect: int, t_utc_s: float) -> None:
    """What a transition leaves behind, see `plant.controller.rows.Effect`."""
    night, tries = books.night, books.tries
    if effect == Effect.DUSK:
        night.began_utc_s = t_utc_s
        night.seen_to_begin = True
    elif effect == Effect.DAWN:
        length_s = t_utc_s - night.began_utc_s
        if night.seen_to_begin:  # a night that the unit was switched on in teaches it nothing (guess)
            night.length_s = length_s
        if length_s >= books.levels.long_night_s:
            tries.count = 0
    elif effect == Effect.TRIPS:
        if t_utc_s - tries.last_utc_s >= books.levels.retries_forgotten_s:
            tries.count = 0
    elif effect == Effect.RETRIES:
        tries.count += 1
        tries.last_utc_s = t_utc_s
    elif effect == Effect.FORGETS:
        tries.count = 0
    elif effect == Effect.STARTS_1:
        books.today.charger_1_starts += 1.0
    elif effect == Effect.STARTS_2:
        books.today.charger_2_starts += 1.0


@kernel
def fire(books: Books, t_utc_s: float, at_posts: bool) -> int:
    """Carry out the first rule that is due. Returns its row, or -1."""
    count = RULE_COUNT if at_posts else WITHOUT_POSTS
    for rule in range(count):
        if _due_s(books, rule) <= t_utc_s + LATE_S:
            machine = MACHINE[rule]
            event = books.events[books.event_count % EVENTS_KEPT]
            event.t_utc_s = t_utc_s
            event.rule = rule
            event.from_state = books.modes[machine]
            books.event_count += 1
            books.modes[machine] = TO[rule]
            for other in range(count):
                if MACHINE[other] == machine:
                    books.since[other] = np.inf
            _remember(books, EFFECT[rule], t_utc_s)
            books.must_examine = True
            return rule
    return -1
