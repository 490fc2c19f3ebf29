"""The node where charger, load and battery meet, beside the same circuit solved by bisection in this file.

The circuit is written down here a second time, from the laws of its parts; scipy finds its highest solution.
"""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from plant.battery.cell import Source
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import BODY_DIODE_V, Limit, LoadDemand, OperatingPoint, Port, Regime
from plant.power.stage import PowerStage, derating
from tests.plants import NO_SUN, solved

STAGE = power_stage(ControllerModel.load("tracer4210n"), 12)
FULL = Limit(STAGE.i_max_a, STAGE.p_max_w)
OPEN_WIDE = 1e3  # a target that no battery reaches
NOTHING = LoadDemand(0.0, 0.0, 0.0)


def node(
    source, load=NOTHING, sun_w=0.0, *, cable=0.0, target=OPEN_WIDE, limit=FULL, **port
) -> OperatingPoint:
    """The node as the plant has it: a source of constant power at 18 V, or no sun."""
    offer = NO_SUN._replace(p_track_w=sun_w, v_track_v=18.0, v_oc_v=22.0) if sun_w else NO_SUN
    way = Port(cable, port.get("charge", True), port.get("discharge", True))
    return solved(source, way, target, sun_w > 0.0, offer, load, limit, STAGE)


def charger_a(v: float, sun_w: float, limit: Limit, s: PowerStage) -> float:
    """``P = v i + k_c v_pv + k_s v_pv i + r i^2``, by bisection; no more than the ratings."""
    if sun_w <= s.k_c * 18.0:
        return 0.0
    i = brentq(lambda i: v * i + (s.k_c + s.k_s * i) * 18.0 + s.r_eq * i * i - sun_w, 0.0, sun_w, xtol=1e-13)
    return min(i, limit.p_max_w / v, limit.i_max_a)


def load_a(v: float, load: LoadDemand, s: PowerStage) -> float:
    """Current that makes power, current and conductance at the load's own voltage, the higher of two; nan for none."""
    r = s.path_ohm

    def excess(v_l: float) -> float:
        return v_l - v + r * (load.p_w / v_l + load.i_a + load.g_a_v * v_l)

    lowest = max(math.sqrt(r * load.p_w / (1.0 + r * load.g_a_v)), 1e-9)
    if lowest >= v or excess(lowest) > 0.0:
        return math.nan
    return (v - brentq(excess, lowest, v, xtol=1e-14)) / r


def expected_v(source: Source, load: LoadDemand, sun_w: float, cable: float, limit: Limit) -> float:
    """Highest voltage of the node at which the currents add up; nan for none."""

    def excess(v: float) -> float:
        ohm = cable + (source.r_charge_ohm if v > source.v_node_v else source.r_discharge_ohm)
        taken = load_a(v, load, STAGE) + STAGE.own_w / v
        return (v - source.v_node_v) / ohm - (charger_a(v, sun_w, limit, STAGE) - taken)

    grid = np.linspace(source.v_node_v + 60.0, 0.3 * source.v_node_v, 800)
    values = [excess(v) for v in grid]
    for high, low, above, below in zip(grid, grid[1:], values, values[1:], strict=False):
        if above > 0.0 >= below:
            return float(brentq(excess, low, high, xtol=1e-13))
    return math.nan


sources = st.builds(Source, st.floats(10.0, 15.0), st.floats(2e-3, 0.3), st.floats(2e-3, 0.3))
loads = st.builds(LoadDemand, st.floats(0.0, 250.0), st.floats(0.0, 20.0), st.floats(0.0, 1.5))


@settings(max_examples=150, deadline=None)
@given(
    source=sources,
    load=loads,
    sun_w=st.floats(0.0, 900.0),
    cable=st.floats(0.0, 0.05),
    left=st.floats(0.3, 1.0),
)
def test_the_node_stands_where_all_currents_add_up(source, load, sun_w, cable, left):
    """Any mix of loads, either side of the battery, any cable, any derating: same voltage as by bisection."""
    assume(bearable(source, load, cable))
    limit = Limit(left * STAGE.i_max_a, left * STAGE.p_max_w)
    want = expected_v(source, load, sun_w, cable, limit)
    bus = node(source, load, sun_w, cable=cable, limit=limit)
    assert bus.v_batt_v == pytest.approx(want, rel=1e-9)
    assert bus.i_load_a == pytest.approx(load_a(want, load, STAGE), rel=1e-8, abs=1e-12)
    assert bus.i_chg_a == pytest.approx(charger_a(want, sun_w, limit, STAGE), rel=1e-8, abs=1e-12)
    assert bus.v_cells_v == pytest.approx(bus.v_batt_v - cable * bus.i_batt_a, rel=1e-12)


def bearable(source: Source, load: LoadDemand, cable: float = 0.0) -> bool:
    """Whether the battery alone carries the load with a tenth to spare; nearer to collapse the plant gives up."""
    ohm = source.r_discharge_ohm + cable + STAGE.path_ohm
    left_v = source.v_node_v - ohm * load.i_a
    return left_v > 0.0 and left_v**2 > 1.1 * 4.0 * (1.0 + ohm * load.g_a_v) * ohm * load.p_w


@settings(max_examples=150, deadline=None)
@example(source=Source(12.0, 0.3, 0.3), load=LoadDemand(200.0, 5.0, 0.0), sun_w=0.0)
@example(source=Source(12.5, 0.005, 0.005), load=LoadDemand(100.0, 0.0, 50.0), sun_w=0.0)
@given(
    source=sources,
    load=st.builds(LoadDemand, st.floats(0.0, 3e4), st.floats(0.0, 3e3), st.floats(0.0, 300.0)),
    sun_w=st.floats(0.0, 900.0),
)
def test_a_load_beyond_all_reason_makes_no_nonsense(source, load, sun_w):
    """No nan, no negative current, and the account of the instant closes."""
    bus = node(source, load, sun_w)
    assert np.all(np.isfinite(bus))
    assert bus.i_load_a >= 0.0
    assert bus.v_batt_v > 0.0
    p_batt = bus.v_batt_v * bus.i_batt_a
    scale = 1e-9 * (1.0 + abs(p_batt) + bus.p_chg_w)
    assert bus.p_chg_w == pytest.approx(bus.p_load_w + bus.p_path_loss_w + bus.p_own_w + p_batt, abs=scale)
    assert bus.p_pv_w == pytest.approx(bus.p_chg_w + bus.p_converter_loss_w, abs=scale)


@settings(max_examples=80, deadline=None)
@given(source=sources, load=loads, sun_w=st.floats(50.0, 500.0), below=st.floats(1e-3, 1.0))
def test_a_battery_held_at_its_voltage_takes_what_its_resistance_lets_in(source, load, sun_w, below):
    free = node(source, load, sun_w)
    target = free.v_batt_v - below
    assume(bearable(source, load) and free.i_chg_a > 0.0 and target > source.v_node_v)
    bus = node(source, load, sun_w, target=target)
    assert bus.regime == Regime.CONSTANT_VOLTAGE
    assert bus.v_batt_v == target
    assert bus.i_batt_a == pytest.approx((target - source.v_node_v) / source.r_charge_ohm, rel=1e-9)
    assert bus.i_chg_a < free.i_chg_a


def test_charge_and_discharge_meet_their_own_resistance():
    source = Source(13.0, 0.1, 0.02)
    charged, drained = node(source, sun_w=100.0), node(source, LoadDemand(50.0, 0.0, 0.0))
    assert (charged.v_batt_v - 13.0) / charged.i_batt_a == pytest.approx(0.1)
    assert (drained.v_batt_v - 13.0) / drained.i_batt_a == pytest.approx(0.02)


def test_no_voltage_can_carry_too_much_power_but_any_carries_a_resistor():
    weak = Source(12.0, 0.3, 0.3)  # 12^2 / (4 x 0.31) = 116 W at most
    assert node(weak, LoadDemand(90.0, 0.0, 0.0)).i_load_a > 0.0
    assert node(weak, LoadDemand(130.0, 0.0, 0.0)).i_load_a == 0.0
    assert node(weak, LoadDemand(0.0, 0.0, 20.0)).i_load_a > 20.0


@pytest.mark.parametrize(
    ("t_c", "left"),
    [(25.0, 1.0), (80.9, 1.0), (81.0, 0.95), (82.5, 0.9), (83.0, 0.8), (84.0, 0.6), (90.0, 0.6)],
)
def test_the_rating_falls_as_the_manual_says(t_c, left):
    assert derating(t_c) == left
    limit = Limit(left * STAGE.i_max_a, left * STAGE.p_max_w)
    bus = node(Source(12.0, 0.01, 0.01), sun_w=900.0, limit=limit)
    assert bus.regime == Regime.LIMITED
    assert bus.i_chg_a == pytest.approx(min(40.0 * left, 520.0 * left / bus.v_batt_v), rel=1e-9)


# a battery whose protection has cut one way or both


def test_a_barred_charge_still_lets_the_load_draw_through_the_diode():
    source = Source(13.0, 0.01, 0.01)
    bus = node(source, LoadDemand(40.0, 0.0, 0.0), charge=False)
    assert bus.i_batt_a < 0.0
    assert bus.v_batt_v == pytest.approx(13.0 - BODY_DIODE_V + 0.01 * bus.i_batt_a)
    assert bus.v_cells_v == pytest.approx(bus.v_batt_v + BODY_DIODE_V)


def test_a_barred_discharge_still_takes_charge_through_the_diode():
    bus = node(Source(11.0, 0.01, 0.01), sun_w=100.0, discharge=False)
    assert bus.i_batt_a > 0.0
    assert bus.v_batt_v == pytest.approx(11.0 + BODY_DIODE_V + 0.01 * bus.i_batt_a)


def test_a_barred_charge_leaves_the_converter_holding_load_and_target():
    bus = node(Source(13.0, 0.01, 0.01), LoadDemand(40.0, 0.0, 0.0), 100.0, target=14.4, charge=False)
    assert (bus.v_batt_v, bus.i_batt_a) == (14.4, 0.0)
    assert bus.p_chg_w == pytest.approx(bus.p_load_w + bus.p_path_loss_w + STAGE.own_w)


@settings(max_examples=60, deadline=None)
@given(source=sources, load=loads, sun_w=st.floats(0.0, 500.0))
def test_without_a_battery_there_is_sun_or_darkness(source, load, sun_w):
    bus = node(source, load, sun_w, target=14.4, charge=False, discharge=False)
    assert np.all(np.isfinite(bus))
    assert bus.i_batt_a == 0.0
    assume(bearable(source, load))
    needed = load_a(14.4, load, STAGE) + STAGE.own_w / 14.4
    can = charger_a(14.4, sun_w, FULL, STAGE)
    assume(not math.isclose(needed, can, rel_tol=1e-9))
    if can > needed:
        assert bus.v_batt_v == 14.4
    elif bus.v_batt_v > 0.0:  # as far as it lifts the node, if that is enough for the controller
        v = bus.v_batt_v
        assert STAGE.awake_v <= v < 14.4
        assert bus.i_chg_a == pytest.approx(charger_a(v, sun_w, FULL, STAGE), rel=1e-6)
        assert bus.i_chg_a == pytest.approx(load_a(v, load, STAGE) + STAGE.own_w / v, rel=1e-6)


def test_a_battery_too_low_to_wake_the_controller_leaves_all_dark():
    bus = node(Source(7.5, 0.01, 0.01), LoadDemand(40.0, 0.0, 0.0), 100.0)
    assert (bus.i_chg_a, bus.i_load_a, bus.i_batt_a, bus.p_own_w) == (0.0, 0.0, 0.0, 0.0)
