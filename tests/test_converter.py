"""The power stage: limits, and the node where currents add up. Its losses are in evals/test_converter_chart.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.array.diode import curve_at, diode_voltage_at, maximum_power_vd, open_circuit_v, point
from plant.array.module import find_module
from plant.battery.cell import Source
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import Limit, LoadDemand, Port, Regime, converter_loss_w, output_current_a
from plant.power.offer import offer
from tests.plants import solved

MODEL = ControllerModel.load("tracer4210n")
STAGE = power_stage(MODEL, 12)
MODULE = find_module("zytech_zt155p")


def node(v_node, target, charging, o, load_w):
    limit = Limit(STAGE.i_max_a, STAGE.p_max_w)
    source, port = Source(v_node, 0.005, 0.005), Port(0.0, True, True)
    return solved(source, port, target, charging, o, LoadDemand(load_w, 0.0, 0.0), limit, STAGE)


def an_offer(g: float = 800.0, t_c: float = 25.0, v_batt: float = 12.5, parallel: float = 1.0):
    c = curve_at(g, t_c, MODULE, 1.0, parallel, 0.05)
    v_oc = open_circuit_v(c)
    v_mp, i_mp = point(maximum_power_vd(c, v_oc), c)
    return offer(c, v_oc, v_mp, v_mp * i_mp, v_batt, STAGE), v_mp * i_mp


@given(p=st.floats(0.0, 1500.0), v_pv=st.floats(10.0, 90.0), v_batt=st.floats(9.0, 32.0))
def test_output_current_balances_the_power(p, v_pv, v_batt):
    i, _ = output_current_a(p, v_pv, v_batt, STAGE)
    assert i >= 0.0
    if i > 0.0:
        assert v_batt * i + converter_loss_w(v_pv, i, STAGE) == pytest.approx(p, rel=1e-12)
    else:
        assert p <= STAGE.k_c * v_pv


@settings(max_examples=200, deadline=None)
@given(
    g=st.floats(0.0, 1300.0), v_node=st.floats(10.5, 14.6), target=st.floats(13.0, 15.0), load=st.floats(0.0, 480.0),
    charging=st.booleans(), parallel=st.sampled_from([1.0, 2.0, 5.0]),
)  # fmt: skip
def test_node_adds_up(g, v_node, target, load, charging, parallel):
    """Energy closes at the bus, no limit is passed, and the array's point lies on its curve."""
    o, p_mp = an_offer(g, 25.0, v_node, parallel)
    bus = node(v_node, target, charging, o, load)
    scale = bus.p_pv_w + load + 1.0
    assert bus.p_pv_w == pytest.approx(bus.p_chg_w + bus.p_converter_loss_w, abs=1e-9 * scale)
    out = bus.p_load_w + bus.p_path_loss_w + bus.p_own_w + bus.v_batt_v * bus.i_batt_a
    assert bus.p_chg_w == pytest.approx(out, abs=1e-9 * scale)
    assert bus.v_batt_v == pytest.approx(v_node + 0.005 * bus.i_batt_a, abs=1e-9)
    assert bus.p_load_w == pytest.approx(load, rel=1e-9, abs=1e-12)
    assert 0.0 <= bus.i_chg_a <= STAGE.i_max_a * (1 + 1e-12)
    assert bus.p_chg_w <= STAGE.p_max_w * (1 + 1e-9)
    assert bus.p_pv_w <= p_mp * (1 + 1e-9)
    if charging and bus.i_chg_a > 0.0:
        assert bus.v_batt_v <= target + 1e-9
        assert bus.v_pv_v >= o.v_track_v - 1e-9
        if bus.regime != Regime.TRACKING:
            vd = diode_voltage_at(bus.v_pv_v, o.curve, o.v_oc_v)
            assert bus.v_pv_v * point(vd, o.curve)[1] == pytest.approx(bus.p_pv_w, rel=1e-7)
    else:
        assert bus.p_pv_w == 0.0


def test_tracker_takes_its_share_of_the_maximum():
    o, p_mp = an_offer(800.0)
    bus = node(12.5, 14.4, True, o, 20.0)
    assert bus.regime == Regime.TRACKING
    assert bus.p_pv_w == pytest.approx(0.995 * p_mp)


def test_constant_voltage_moves_the_array_right_of_its_maximum():
    o, p_mp = an_offer(800.0, v_batt=14.3)
    bus = node(14.385, 14.4, True, o, 20.0)
    assert bus.regime == Regime.CONSTANT_VOLTAGE
    assert bus.v_batt_v == 14.4
    assert bus.p_pv_w < 0.9 * p_mp
    assert o.v_track_v < bus.v_pv_v < o.v_oc_v


def test_big_array_is_clipped_at_rated_current():
    o, p_mp = an_offer(1000.0, parallel=6.0)
    bus = node(12.0, 14.4, True, o, 0.0)
    assert bus.regime == Regime.LIMITED
    assert bus.i_chg_a == pytest.approx(40.0)
    assert bus.p_pv_w < p_mp
    assert bus.v_pv_v > o.v_track_v


def test_hot_module_is_held_at_the_edge_of_the_tracking_window():
    """36 hot cells have their maximum below battery + 2 V; the tracker can't go there."""
    o, p_mp = an_offer(1000.0, t_c=70.0, v_batt=14.4)
    assert o.v_track_v == pytest.approx(16.4)
    assert o.p_track_w < 0.995 * p_mp


def test_battery_above_the_target_gets_no_current():
    o, _ = an_offer(800.0, v_batt=14.3)
    bus = node(14.3, 13.8, True, o, 24.0)
    assert bus.i_chg_a == 0.0
    assert bus.v_pv_v == o.v_oc_v
    assert bus.i_batt_a < 0.0


def test_a_load_no_voltage_can_carry_gets_nothing():
    """V^2 < 4 r P has no solution; the answer is a dead load, never a complex number."""
    o, _ = an_offer(0.0)
    bus = node(11.0, 14.4, False, o, 1e5)
    assert bus.i_load_a == 0.0
    assert np.isfinite(bus.v_batt_v)
