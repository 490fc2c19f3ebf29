"""The node of a battery with inverter and chargers at its posts, beside the same circuit solved by bisection here."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from plant.battery.cell import Source
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import (
    BODY_DIODE_V,
    Limit,
    LoadDemand,
    Port,
    Regime,
    at_first,
    node_of,
    with_powers,
)
from plant.power.jointnode import solve_joint, there
from plant.power.posts import CHARGER_OFF, ChargerLine, Posts
from tests.plants import NO_SUN, solved
from tests.test_node import charger_a, load_a

STAGE = power_stage(ControllerModel.load("tracer4210n"), 12)
FULL = Limit(STAGE.i_max_a, STAGE.p_max_w)
OPEN_WIDE = 1e3
NOTHING = LoadDemand(0.0, 0.0, 0.0)
DROOP_V = 0.05


def charger(i_max_a: float, v_max_v: float) -> ChargerLine:
    return ChargerLine(i_max_a, v_max_v, i_max_a / DROOP_V)


def posts(inverter_w: float = 0.0, *chargers: ChargerLine) -> Posts:
    return Posts(inverter_w, *(*chargers, CHARGER_OFF, CHARGER_OFF)[:2])


def node(
    source,
    at: Posts,
    load=NOTHING,
    sun_w=0.0,
    *,
    cable=0.0,
    target=OPEN_WIDE,
    limit=FULL,
    before=None,
    **port,
) -> SimpleNamespace:
    """As the plant has it: a source of constant power at 18 V, or no sun."""
    offer = NO_SUN._replace(p_track_w=sun_w, v_track_v=18.0, v_oc_v=22.0) if sun_w else NO_SUN
    way = Port(cable, port.get("charge", True), port.get("discharge", True))
    before = before or at_first(0.0, 0.0)
    now = solve_joint(source, way, at, target, sun_w > 0.0, node_of(before), offer, load, limit, STAGE)
    bus = with_powers(now, before, offer, STAGE)
    return SimpleNamespace(**bus._asdict(), bus=bus, posts=there(bus, way, at))


def line_a(v: float, line: ChargerLine) -> float:
    return min(line.i_max_a, max(0.0, (line.v_max_v - v) / DROOP_V * line.i_max_a))


def more_a(v: float, at: Posts) -> float:
    return line_a(v, at.first) + line_a(v, at.second) - at.inverter_w / v


def expected(source: Source, at: Posts, load: LoadDemand, sun_w: float, cable: float) -> tuple[float, float]:
    """Highest voltage of the posts at which all currents add up, and the controller's own current into them."""

    def controller_a(v: float) -> float:
        return charger_a(v, sun_w, FULL, STAGE) - load_a(v, load, STAGE) - STAGE.own_w / v

    def too_high(v: float) -> float:
        v_posts = v - cable * controller_a(v)
        i = controller_a(v) + more_a(v_posts, at)
        ohm = source.r_charge_ohm if i > 0.0 else source.r_discharge_ohm
        return v_posts - source.v_node_v - ohm * i

    grid = np.linspace(source.v_node_v + 20.0, 0.6 * source.v_node_v, 80)
    values = [too_high(v) for v in grid]
    for above, below, v1, v0 in zip(values, values[1:], grid, grid[1:], strict=False):
        if above > 0.0 >= below:
            v = float(brentq(too_high, v0, v1, xtol=1e-13))
            return v - cable * controller_a(v), controller_a(v)
    return math.nan, math.nan


sources = st.builds(Source, st.floats(11.0, 14.5), st.floats(2e-3, 0.05), st.floats(2e-3, 0.05))
loads = st.builds(LoadDemand, st.floats(0.0, 100.0), st.floats(0.0, 5.0), st.floats(0.0, 0.5))
lines = st.builds(charger, st.floats(1.0, 100.0), st.floats(11.5, 15.5))


@settings(max_examples=60, deadline=None)
@example(Source(12.0, 0.02, 0.02), 0.0, [charger(60.0, 12.6)], NOTHING, 0.0, 0.0)  # either side of its corner
@example(
    Source(14.0, 0.03125, 0.03125), 0.0, [charger(45.0, 15.5)], NOTHING, 291.0, 0.03
)  # 16 V at the terminals
@given(
    source=sources, inverter_w=st.floats(0.0, 500.0), chargers=st.lists(lines, max_size=2), load=loads,
    sun_w=st.floats(0.0, 600.0), cable=st.sampled_from([0.0, 0.004, 0.03]),
)  # fmt: skip
def test_the_posts_stand_where_all_currents_add_up(source, inverter_w, chargers, load, sun_w, cable):
    assume(source.v_node_v**2 > 6.0 * source.r_discharge_ohm * (inverter_w + load.p_w + 200.0))
    assume(
        (source.v_node_v - 3.0) ** 2 > 6.0 * (cable + STAGE.path_ohm) * (load.p_w + 12.0 * load.i_a + 100.0)
    )
    at = posts(inverter_w, *chargers)
    want, i_controller = expected(source, at, load, sun_w, cable)
    assume(not want + cable * i_controller > 18.0 - STAGE.above_v)  # the tracker may stay at its 18 V
    bus = node(source, at, load, sun_w, cable=cable)
    assert bus.posts.v_v == pytest.approx(want, rel=1e-9)
    assert bus.i_batt_a - bus.posts.i_a == pytest.approx(i_controller, rel=1e-6, abs=1e-6)
    assert bus.v_batt_v == pytest.approx(want + cable * i_controller, rel=1e-8)
    assert bus.posts.inverter_w == pytest.approx(inverter_w, abs=1e-12)
    assert_adds_up(bus)


def assert_adds_up(bus: SimpleNamespace) -> None:
    """What the controller gives reaches the posts, and what comes together there the battery."""
    at, i_ctl = bus.posts, bus.i_batt_a - bus.posts.i_a
    scale = 1e-9 * (1.0 + at.inverter_w + at.charger_1_w + at.charger_2_w + bus.p_chg_w)
    given_w = bus.p_load_w + bus.p_path_loss_w + bus.p_own_w + bus.v_batt_v * i_ctl
    assert bus.p_chg_w == pytest.approx(given_w, abs=scale)
    assert at.v_v * at.i_a == pytest.approx(at.charger_1_w + at.charger_2_w - at.inverter_w, abs=scale)


@settings(max_examples=60, deadline=None)
@given(
    source=sources, inverter_w=st.floats(0.0, 400.0), chargers=st.lists(lines, max_size=2), load=loads,
    sun_w=st.floats(50.0, 600.0), cable=st.sampled_from([0.0, 0.01]), target=st.floats(12.0, 15.0),
)  # fmt: skip
def test_the_controller_never_charges_above_its_target(
    source, inverter_w, chargers, load, sun_w, cable, target
):
    """And while it holds it, the battery's current is what its resistance lets in at the posts."""
    assume(source.v_node_v**2 > 6.0 * source.r_discharge_ohm * (inverter_w + load.p_w + 200.0))
    bus = node(source, posts(inverter_w, *chargers), load, sun_w, cable=cable, target=target)
    assert_adds_up(bus)
    if bus.i_chg_a > 0.0:
        assert bus.v_batt_v <= target * (1.0 + 1e-12)
    ohm = source.r_charge_ohm if bus.posts.v_v > source.v_node_v else source.r_discharge_ohm
    assert bus.i_batt_a == pytest.approx((bus.posts.v_v - source.v_node_v) / ohm, rel=1e-6, abs=1e-6)
    if bus.regime == Regime.CONSTANT_VOLTAGE and bus.i_chg_a > 0.0:
        assert bus.v_batt_v == target


@settings(max_examples=60, deadline=None)
@given(source=sources, load=loads, sun_w=st.floats(0.0, 600.0), target=st.floats(12.0, 15.0))
def test_with_nothing_switched_on_it_is_the_node_of_the_controller_alone(source, load, sun_w, target):
    offer = NO_SUN._replace(p_track_w=sun_w, v_track_v=18.0, v_oc_v=22.0) if sun_w else NO_SUN
    alone = solved(source, Port(0.004, True, True), target, sun_w > 0.0, offer, load, FULL, STAGE)
    bus = node(source, posts(), load, sun_w, cable=0.004, target=target)
    for name in ("v_batt_v", "v_cells_v", "i_batt_a", "i_chg_a", "i_load_a", "p_pv_w"):
        assert getattr(bus, name) == pytest.approx(getattr(alone, name), rel=1e-7, abs=1e-7), name
    assert bus.slope_a_v == pytest.approx(alone.slope_a_v, rel=1e-3, abs=1e-4)  # of its last but one round
    assert bus.regime == alone.regime


@settings(max_examples=60, deadline=None)
@given(
    source=sources, inverter_w=st.floats(0.0, 400.0), chargers=st.lists(lines, max_size=2),
    sun_w=st.floats(0.0, 600.0), target=st.floats(12.5, 15.0), cable=st.sampled_from([0.0, 0.01]),
)  # fmt: skip
def test_the_slopes_are_those_of_the_currents(source, inverter_w, chargers, sun_w, target, cable):
    """What the electrode's voltage does to the battery's current and the terminals, by a small difference."""
    assume(source.v_node_v**2 > 6.0 * source.r_discharge_ohm * (inverter_w + 200.0))
    at, dv = posts(inverter_w, *chargers), 1e-6
    here = node(source, at, sun_w=sun_w, cable=cable, target=target)
    beside = [
        node(source._replace(v_node_v=source.v_node_v + d), at, sun_w=sun_w, cable=cable, target=target)
        for d in (-dv, dv)
    ]
    bends = {(b.regime, b.posts.regulating, b.i_batt_a > 0.0, b.posts.i_a > 0.0) for b in (here, *beside)}
    steep = [(b.i_batt_a - here.i_batt_a) / d for b, d in zip(beside, (-dv, dv), strict=True)]
    assume(len(bends) == 1 and math.isclose(*steep, rel_tol=1e-3, abs_tol=1e-3))
    assert here.slope_a_v == pytest.approx(min(steep[0], 0.0), rel=2e-3, abs=2e-3)


def test_what_is_known_from_before_changes_nothing():
    source, at = Source(12.2, 0.01, 0.01), posts(300.0, charger(40.0, 14.4))
    first = node(source, at, LoadDemand(20.0, 0.0, 0.0), 200.0, cable=0.005)
    for before in (first.bus, node(source, posts(), sun_w=500.0).bus, at_first(14.0, 13.0)):
        again = node(source, at, LoadDemand(20.0, 0.0, 0.0), 200.0, cable=0.005, before=before)
        assert again.posts.v_v == pytest.approx(first.posts.v_v, rel=1e-11)


# what can't be carried, and who carries it then


def test_an_inverter_that_no_voltage_carries_draws_nothing_and_the_load_goes_on():
    weak = Source(12.0, 0.1, 0.1)  # 12^2 / 0.4 = 360 W at most
    bus = node(weak, posts(400.0), LoadDemand(30.0, 0.0, 0.0))
    assert (bus.posts.inverter_w, bus.posts.i_a) == (0.0, 0.0)
    assert bus.p_load_w == pytest.approx(30.0)
    assert node(weak, posts(280.0), LoadDemand(30.0, 0.0, 0.0)).posts.inverter_w == 280.0


def test_a_load_that_the_battery_bears_only_without_the_inverter_drops_out():
    """The controller's load behind a bad cable is the weaker of the two."""
    weak = Source(12.0, 0.05, 0.05)
    assert node(weak, posts(0.0), LoadDemand(250.0, 0.0, 0.0), cable=0.05).i_load_a > 0.0
    bus = node(weak, posts(400.0), LoadDemand(250.0, 0.0, 0.0), cable=0.05)
    assert bus.posts.inverter_w == 400.0
    assert bus.p_load_w < 1.0


def test_a_battery_too_low_for_the_controller_is_charged_all_the_same():
    bus = node(Source(6.0, 0.02, 0.02), posts(50.0, charger(20.0, 14.4)), LoadDemand(40.0, 0.0, 0.0), 100.0)
    assert bus.i_batt_a == pytest.approx(20.0)
    assert bus.posts.charger_1_w == pytest.approx(20.0 * bus.posts.v_v)
    assert (bus.i_chg_a, bus.i_load_a, bus.p_own_w, bus.posts.inverter_w) == (0.0, 0.0, 0.0, 0.0)
    dark = node(Source(6.0, 0.02, 0.02), posts(50.0), LoadDemand(40.0, 0.0, 0.0), 100.0)
    assert (dark.i_batt_a, dark.posts.inverter_w) == (0.0, 0.0)


def test_a_barred_charge_still_feeds_the_inverter_through_the_diode():
    source = Source(13.0, 0.01, 0.01)
    bus = node(source, posts(200.0), charge=False)
    assert bus.i_batt_a == pytest.approx(-(200.0 / bus.posts.v_v + STAGE.own_w / bus.v_batt_v), rel=1e-9)
    assert bus.posts.v_v == pytest.approx(13.0 - BODY_DIODE_V + 0.01 * bus.i_batt_a)
    assert bus.v_cells_v == pytest.approx(bus.posts.v_v + BODY_DIODE_V)


def test_a_barred_discharge_is_ended_by_a_charger_through_the_diode():
    bus = node(Source(11.0, 0.01, 0.01), posts(100.0, charger(30.0, 14.4)), discharge=False)
    assert bus.i_batt_a > 0.0
    assert bus.posts.v_v == pytest.approx(11.0 + BODY_DIODE_V + 0.01 * bus.i_batt_a)


@pytest.mark.parametrize("sun_w", [0.0, 300.0])
def test_without_a_battery_the_charger_holds_the_posts_below_its_voltage(sun_w):
    at = posts(200.0, charger(30.0, 14.4), charger(10.0, 13.8))
    bus = node(Source(12.0, 0.01, 0.01), at, sun_w=sun_w, target=14.0, charge=False, discharge=False)
    assert bus.i_batt_a == 0.0
    assert 14.35 < bus.posts.v_v < 14.4
    assert bus.posts.charger_1_w == pytest.approx(200.0 + STAGE.own_w, rel=1e-6)
    assert (bus.posts.charger_2_w, bus.i_chg_a) == (0.0, 0.0)
    assert_adds_up(bus)


def test_without_a_battery_an_inverter_too_large_for_the_charger_goes_dark_alone():
    at = posts(600.0, charger(30.0, 14.4))
    bus = node(Source(12.0, 0.01, 0.01), at, charge=False, discharge=False)
    assert bus.posts.inverter_w == 0.0
    assert bus.posts.v_v == pytest.approx(14.4, abs=0.01)


def test_without_battery_and_charger_the_sun_carries_the_inverter_or_nothing_does():
    source = Source(12.0, 0.01, 0.01)
    bus = node(source, posts(100.0), sun_w=200.0, target=14.4, cable=0.01, charge=False, discharge=False)
    assert (bus.v_batt_v, bus.regime, bus.posts.inverter_w) == (14.4, Regime.CONSTANT_VOLTAGE, 100.0)
    assert bus.posts.v_v == pytest.approx(14.4 - 0.01 * 100.0 / bus.posts.v_v)
    assert_adds_up(bus)
    weaker = node(source, posts(100.0), sun_w=60.0, target=14.4, charge=False, discharge=False)
    assert (weaker.v_batt_v, weaker.posts.inverter_w) == (14.4, 0.0)
    dark = node(source, posts(100.0), charge=False, discharge=False)
    assert (dark.v_batt_v, dark.posts.v_v, dark.posts.inverter_w) == (0.0, 0.0, 0.0)


@settings(max_examples=60, deadline=None)
# A load's current alone takes the controller below the voltage that starts it; the charger stays on.
@example(
    Source(8.0, 0.5, 0.5), 0.0, [charger(21.0, 10.0)], LoadDemand(0.0, 20.0, 0.0), 0.0, 0.25, False, False
)
@given(
    source=st.builds(Source, st.floats(0.01, 18.0), st.floats(1e-3, 0.5), st.floats(1e-3, 0.5)),
    inverter_w=st.floats(0.0, 1e4),
    chargers=st.lists(st.builds(charger, st.floats(0.1, 300.0), st.floats(10.0, 17.0)), max_size=2),
    load=st.builds(LoadDemand, st.floats(0.0, 3e3), st.floats(0.0, 300.0), st.floats(0.0, 30.0)),
    sun_w=st.floats(0.0, 900.0), cable=st.floats(0.0, 0.3), charge=st.booleans(), discharge=st.booleans(),
)  # fmt: skip
def test_nothing_beyond_all_reason_makes_nonsense(
    source, inverter_w, chargers, load, sun_w, cable, charge, discharge
):
    bus = node(
        source, posts(inverter_w, *chargers), load, sun_w, cable=cable, target=14.4, charge=charge, discharge=discharge
    )  # fmt: skip
    assert np.all(np.isfinite([*bus.bus, *bus.posts]))
    assert min(bus.v_batt_v, bus.posts.v_v, bus.i_chg_a, bus.i_load_a) >= 0.0
    assert min(bus.posts.charger_1_w, bus.posts.charger_2_w) >= 0.0
    assert bus.posts.inverter_w in {0.0, inverter_w}
    assert bus.slope_a_v <= 0.0
    assert_adds_up(bus)
    if not charge:
        assert bus.i_batt_a <= 0.0
    if not discharge:
        assert bus.i_batt_a >= 0.0
