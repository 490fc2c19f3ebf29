"""The node of a battery on which more hangs than the controller: `converter.solve` with two voltages instead of one.

The controller stands behind its cable, inverter and chargers at the battery's posts, outside its protection. So
``v = v_posts + cable i_controller`` and ``v_posts = v_node + r (i_controller(v) + i_posts(v_posts))``: the controller
meets the others nowhere but in the voltage.
"""

import math

from plant.base.jit import inline_ir, inline_llvm, kernel
from plant.battery.cell import Source
from plant.power.converter import (
    BODY_DIODE_V,
    BROWN_OUT,
    Balance,
    Limit,
    LoadDemand,
    Node,
    OperatingPoint,
    Port,
    Regime,
    balance,
    free_regime,
    load_current_a,
    solve,
)  # fmt: skip
from plant.power.offer import Offer, at_node
from plant.power.posts import (
    AnyPosts,
    AtPosts,
    ChargerLine,
    Posts,
    at_posts,
    by_posts,
    nothing_there,
    posts_current_a,
)  # fmt: skip
from plant.power.stage import PowerStage

SETTLED = 1e-12  # of the voltage
ROUNDS = 60  # a handful, or some twenty where a charger's corner has to be bracketed


@inline_ir
def _without_inverter(posts: Posts) -> Posts:
    return Posts(0.0, posts.first, posts.second)


@inline_llvm
def _controller(
    v: float, alive: bool, charging: bool, o: Offer, load: LoadDemand, limit: Limit, s: PowerStage
) -> Balance:
    """The controller's currents; none below the voltage that starts it."""
    if alive:
        return balance(v, charging, at_node(o, v, s), load, limit, s)
    return Balance(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


@kernel
def _settled(
    source: Source, cable_ohm: float, alive: bool, charging: bool, v_guess_v: float,
    o: Offer, load: LoadDemand, limit: Limit, posts: Posts, s: PowerStage,
) -> tuple[float, float, Balance, float, float]:  # fmt: skip
    """Terminals' and posts' voltage, the controller's currents, and by how much both voltage and current follow.

    Newton between two bounds that close in: a charger that comes to its voltage bends its line sharply.

    Returns
    -------
    v, v_posts : float
    now : Balance
    gain, slope : float
        ``dv/dv_node`` and ``di_batt/dv_node``.
    """
    # Power that can be carried at all is carried above half of what the load's current and conductance leave.
    r_all = source.r_discharge_ohm + cable_ohm + s.path_ohm
    low = 0.5 * (source.v_node_v - r_all * load.i_a) / (1.0 + r_all * load.g_a_v)
    most_a = limit.i_max_a + posts.first.i_max_a + posts.second.i_max_a
    high = source.v_node_v + (source.r_charge_ohm + source.r_discharge_ohm + cable_ohm) * most_a + 1.0
    v = min(max(v_guess_v, low), high)
    for _ in range(ROUNDS):
        now = _controller(v, alive, charging, o, load, limit, s)
        v_posts = v - cable_ohm * now.i_net_a
        i_more, more_slope = posts_current_a(v_posts, posts)
        i_batt = now.i_net_a + i_more
        r = source.r_charge_ohm if i_batt > 0.0 else source.r_discharge_ohm
        excess = source.v_node_v + r * i_batt - v_posts
        posts_per_v = 1.0 - cable_ohm * now.slope_a_v
        batt_slope = now.slope_a_v + more_slope * posts_per_v
        gain = 1.0 / (posts_per_v - r * batt_slope)
        if excess > 0.0:
            low = v
        else:
            high = v
        new = v + excess * gain
        if abs(new - v) < SETTLED * v:
            break
        if not low < new < high:
            new = 0.5 * (low + high)
        v = new
    return v, v_posts, now, gain, batt_slope * gain


@inline_llvm
def _held_posts_v(source: Source, cable_ohm: float, v_target_v: float, posts: Posts) -> tuple[float, float]:
    """Voltage of the posts while the controller holds its own terminals at a voltage; what it does per volt of it.

    ``(v_target - v_posts) / cable = (v_posts - v_node) / r - i_posts(v_posts)``.
    """
    if cable_ohm <= 0.0:
        return v_target_v, 0.0
    v, low, high = v_target_v, 0.0, v_target_v + source.v_node_v + 100.0 * cable_ohm
    per_node = 0.0
    for _ in range(ROUNDS):
        r = source.r_charge_ohm if v > source.v_node_v else source.r_discharge_ohm
        i_more, more_slope = posts_current_a(v, posts)
        too_much = (v - source.v_node_v) / r - i_more - (v_target_v - v) / cable_ohm
        steep = 1.0 / r - more_slope + 1.0 / cable_ohm
        per_node = 1.0 / (r * steep)
        if too_much < 0.0:
            low = v
        else:
            high = v
        new = v - too_much / steep
        if abs(new - v) < SETTLED * v:
            break
        if not low < new < high:
            new = 0.5 * (low + high)
        v = new
    return v, per_node


@kernel
def _joined(
    source: Source, cable_ohm: float, drop_v: float, alive: bool, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, posts: Posts, s: PowerStage,
) -> Node:  # fmt: skip
    """The node with a source that takes and gives; a diode's drop is in the source."""
    moved = source.v_node_v - (before.v_batt_v - before.above_node_v)
    v_guess = source.v_node_v + before.above_node_v + before.above_per_v * moved
    v, v_posts, now, gain, slope = _settled(
        source, cable_ohm, alive, charging, v_guess, o, load, limit, posts, s
    )
    i_chg, i_load = now.i_chg_a, now.i_load_a
    regime = free_regime(charging, i_chg, v, o, limit)
    if regime != Regime.OFF and v > v_target_v:
        regime = Regime.CONSTANT_VOLTAGE
        v = v_target_v
        v_posts, per_node = _held_posts_v(source, cable_ohm, v, posts)
        r = source.r_charge_ohm if v_posts > source.v_node_v else source.r_discharge_ohm
        i_load, _slope = load_current_a(load, v, s)
        i_more, _slope = posts_current_a(v_posts, posts)
        i_chg = (v_posts - source.v_node_v) / r - i_more + i_load + s.own_w / v
        gain, slope = 0.0, (per_node - 1.0) / r
        if i_chg <= 0.0:  # the others hold the battery above the target
            v, v_posts, now, gain, slope = _settled(
                source, cable_ohm, alive, False, v, o, load, limit, posts, s
            )
            i_chg, i_load = 0.0, now.i_load_a
    i_posts = posts_current_a(v_posts, posts)[0]
    own = s.own_w / v if alive else 0.0
    i_batt = i_chg - i_load - own + i_posts
    return Node(
        v, v_posts - drop_v, i_batt, i_chg, i_load, regime, v - source.v_node_v, gain - 1.0, min(slope, 0.0), i_posts
    )  # fmt: skip


@inline_llvm
def _bears_inverter(source: Source, load: LoadDemand, posts: Posts) -> bool:
    """Whether a source carries the inverter's power beside the load, with a little to spare."""
    left = source.v_node_v - source.r_discharge_ohm * (load.i_a + load.p_w / source.v_node_v)
    most_w = left * left / (4.0 * BROWN_OUT * source.r_discharge_ohm)
    return left > 0.0 and posts.inverter_w <= most_w


@inline_llvm
def _borne(source: Source, cable_ohm: float, load: LoadDemand, posts: Posts, s: PowerStage) -> LoadDemand:
    """What of a load a source carries beside the inverter: all, all but its power, or none.

    None where its current and conductance alone would take the controller below the voltage that starts it.
    """
    root = source.v_node_v * source.v_node_v - 4.0 * source.r_discharge_ohm * posts.inverter_w
    v = 0.5 * (source.v_node_v + math.sqrt(max(root, 0.0)))
    r = source.r_discharge_ohm + cable_ohm + s.path_ohm
    room, a = v - r * load.i_a, 1.0 + r * load.g_a_v
    if room < s.awake_v * a:
        return LoadDemand(0.0, 0.0, 0.0)
    if room * room < BROWN_OUT * 4.0 * a * r * load.p_w:
        return LoadDemand(0.0, load.i_a, load.g_a_v)
    return load


@kernel
def solve_joint(
    source: Source, port: Port, posts: Posts, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, s: PowerStage,
) -> Node:  # fmt: skip
    """`converter.solve` with something at the posts: else the same arguments, and the same result.

    An inverter whose power no voltage can carry draws nothing: `AtPosts.inverter_w` is 0 then. A charger goes on where
    the battery is too low to start the controller.
    """
    alive = source.v_node_v >= s.awake_v
    if not alive:
        charging, load, posts = False, LoadDemand(0.0, 0.0, 0.0), _without_inverter(posts)
        if posts.first.i_max_a + posts.second.i_max_a <= 0.0:
            v = source.v_node_v
            return Node(v, v, 0.0, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0)
    if not (port.charge and port.discharge):
        return _guarded(source, port, alive, v_target_v, charging, before, o, load, limit, posts, s)
    return _carried(
        source, port.cable_ohm, 0.0, alive, v_target_v, charging, before, o, load, limit, posts, s
    )


@inline_ir
def _carried(
    source: Source, cable_ohm: float, drop_v: float, alive: bool, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, posts: Posts, s: PowerStage,
) -> Node:  # fmt: skip
    """`_joined` with those loads only that the source can carry."""
    if not _bears_inverter(source, load, posts):
        posts = _without_inverter(posts)
    load = _borne(source, cable_ohm, load, posts, s)
    return _joined(source, cable_ohm, drop_v, alive, v_target_v, charging, before, o, load, limit, posts, s)


@kernel
def _guarded(
    source: Source, port: Port, alive: bool, v_target_v: float, charging: bool, before: Node,
    o: Offer, load: LoadDemand, limit: Limit, posts: Posts, s: PowerStage,
) -> Node:  # fmt: skip
    """With a battery whose protection has cut one way or both: as `converter._guarded`.

    Where the battery is cut off, the charger of the higher voltage holds the posts while its current does, else the
    controller, else the controller without the inverter.
    """
    v0 = max(source.v_node_v, 1e-3)
    now = _controller(v0, alive, charging, o, load, limit, s)
    surplus = now.i_net_a + posts_current_a(v0, posts)[0] > 0.0
    if (surplus and port.charge) or (not surplus and port.discharge):
        drop = BODY_DIODE_V if surplus else -BODY_DIODE_V
        behind = Source(source.v_node_v + drop, source.r_charge_ohm, source.r_discharge_ohm)
        node = _carried(
            behind, port.cable_ohm, drop, alive, v_target_v, charging, before, o, load, limit, posts, s
        )
        if (node.i_batt_a > 0.0) == surplus:
            return node
    for _ in range(2):
        v, v_posts, i_chg, i_load, regime = _held_by_charger(
            port, v_target_v, charging, before, o, load, limit, posts, s
        )
        if v <= 0.0 and charging:
            v, v_posts, i_chg, i_load = _held_by_controller(port, v_target_v, o, load, limit, posts, s)
            regime = Regime.CONSTANT_VOLTAGE
        if v > 0.0:
            i_posts = posts_current_a(v_posts, posts)[0]
            return Node(v, source.v_node_v, 0.0, i_chg, i_load, regime, 0.0, 0.0, 0.0, i_posts)
        posts = _without_inverter(posts)
    return Node(0.0, source.v_node_v, 0.0, 0.0, 0.0, Regime.OFF, 0.0, 0.0, 0.0, 0.0)


@inline_llvm
def _held_by_charger(
    port: Port, v_target_v: float, charging: bool, before: Node, o: Offer, load: LoadDemand, limit: Limit,
    posts: Posts, s: PowerStage,
) -> tuple[float, float, float, float, Regime]:  # fmt: skip
    """Voltages, charge and load current, regime where a charger stands in for the battery; 0 V if none can."""
    first_holds = posts.first.i_max_a > 0.0 and (
        posts.second.i_max_a <= 0.0 or posts.first.v_max_v >= posts.second.v_max_v
    )
    line = posts.first if first_holds else posts.second
    off = ChargerLine(0.0, 0.0, 0.0)
    if line.i_max_a > 0.0:
        others = Posts(
            posts.inverter_w, off if first_holds else posts.first, posts.second if first_holds else off
        )
        stands_in = Source(line.v_max_v, 1.0 / line.droop_a_v, 1.0 / line.droop_a_v)
        load = _borne(stands_in, port.cable_ohm, load, others, s)
        node = _joined(
            stands_in, port.cable_ohm, 0.0, True, v_target_v, charging, before, o, load, limit, others, s
        )
        if 0.0 <= -node.i_batt_a <= line.i_max_a:
            v_posts = node.v_batt_v - port.cable_ohm * (node.i_batt_a - node.i_posts_a)
            return node.v_batt_v, v_posts, node.i_chg_a, node.i_load_a, node.regime
    return 0.0, 0.0, 0.0, 0.0, Regime.OFF


@inline_llvm
def _held_by_controller(
    port: Port, v_target_v: float, o: Offer, load: LoadDemand, limit: Limit, posts: Posts, s: PowerStage
) -> tuple[float, float, float, float]:
    """Voltages, charge and load current where the controller carries all by itself; voltages of 0 if it can't."""
    v_posts = v_target_v
    for _ in range(ROUNDS):
        i_more, more_slope = posts_current_a(v_posts, posts)
        step = (v_target_v + port.cable_ohm * i_more - v_posts) / (1.0 - port.cable_ohm * more_slope)
        v_posts = max(v_posts + step, 0.5 * v_target_v)
        if abs(step) < SETTLED * v_target_v:
            break
    i_more = posts_current_a(v_posts, posts)[0]
    alone = balance(v_target_v, True, at_node(o, v_target_v, s), load, limit, s)
    i_chg = alone.i_load_a + s.own_w / v_target_v - i_more
    if i_chg > 0.0 and alone.i_net_a + i_more >= 0.0 and v_posts > 0.5 * v_target_v:
        return v_target_v, v_posts, i_chg, alone.i_load_a
    return 0.0, 0.0, 0.0, 0.0


@inline_llvm
def _posts_v(bus: OperatingPoint, port: Port) -> float:
    return bus.v_batt_v - port.cable_ohm * (bus.i_batt_a - bus.i_posts_a)


def _none_there(bus: OperatingPoint, port: Port, posts: AnyPosts) -> AtPosts:
    return nothing_there(_posts_v(bus, port))


@by_posts(elsewhere=_none_there)
def there(bus: OperatingPoint, port: Port, posts: AnyPosts) -> AtPosts:
    """What flows at the battery's posts with the bus as it is."""
    v_posts = _posts_v(bus, port)
    if v_posts <= 0.0:
        return nothing_there(v_posts)
    return at_posts(v_posts, bus.i_posts_a, posts)


def _alone(
    source: Source, port: Port, v_target_v: float, charging: bool, before: Node, o: Offer, load: LoadDemand,
    limit: Limit, s: PowerStage, posts: AnyPosts,
) -> Node:  # fmt: skip
    return solve(source, port, v_target_v, charging, before, o, load, limit, s)


@by_posts(elsewhere=_alone)
def solve_all(
    source: Source, port: Port, v_target_v: float, charging: bool, before: Node, o: Offer, load: LoadDemand,
    limit: Limit, s: PowerStage, posts: Posts,
) -> Node:  # fmt: skip
    """All currents at the battery: `converter.solve` where nothing hangs at its posts, else `solve_joint`."""
    return solve_joint(source, port, posts, v_target_v, charging, before, o, load, limit, s)
