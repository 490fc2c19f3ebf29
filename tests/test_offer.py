"""What a simple array offers: at the maximum, at the edges of the tracker's window, throttled, in darkness."""

import math

import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.array.diode import Curve, curve_at, maximum_power, open_circuit_v
from plant.array.module import find_module
from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import converter_loss_w
from plant.power.offer import current_at, offer, throttled

STAGE = power_stage(ControllerModel.load("tracer4210n"), 12)
ZT155P = find_module("zytech_zt155p")


def points(g, t_c, series=1.0, parallel=1.0):
    c = curve_at(g, t_c, ZT155P, series, parallel, 0.05)
    v_oc = open_circuit_v(c)
    _, v, i = maximum_power(c, v_oc)
    return c, v_oc, v, v * i


@settings(max_examples=60, deadline=None)
@given(
    g=st.floats(0.05, 1300.0),
    t_c=st.floats(-30.0, 80.0),
    place=st.floats(0.0, 1.0),
    series=st.sampled_from([1.0, 3.0]),
)
def test_current_is_pvlibs(g, t_c, place, series):
    c, v_oc, _, _ = points(g, t_c, series, 2.0)
    theirs = pvlib.pvsystem.i_from_v(place * v_oc, c.i_l_a, c.i_0_a, c.r_s_ohm, c.r_sh_ohm, c.a_v)
    assert current_at(c, place * v_oc) == pytest.approx(max(float(theirs), 0.0), rel=1e-8, abs=1e-9 * c.i_l_a)


@settings(max_examples=60, deadline=None)
@given(
    g=st.floats(30.0, 1200.0),
    t_c=st.floats(-20.0, 70.0),
    share=st.floats(0.01, 0.99),
    v_batt=st.floats(10.0, 15.0),
    start=st.floats(0.5, 1.0),
)
def test_throttled_the_array_gives_just_what_is_taken(g, t_c, share, v_batt, start):
    """Wherever it is looked for from."""
    c, v_oc, v_mp, p_mp = points(g, t_c)
    o = offer(c, v_oc, v_mp, p_mp, v_batt, STAGE)
    i_out = share * (o.p_track_w - STAGE.k_c * v_oc) / (v_batt + 1.0)
    if i_out <= 0.0:
        return
    v = throttled(o, i_out, v_batt, STAGE, start * o.v_oc_v)
    assert v >= o.v_track_v
    assert v * current_at(c, v) == pytest.approx(v_batt * i_out + converter_loss_w(v, i_out, STAGE), rel=1e-9)


def test_the_tracker_stays_two_volts_above_the_battery_and_below_its_highest_voltage():
    hot = points(800.0, 75.0)  # maximum at 14.6 V
    assert offer(*hot, 13.8, STAGE).v_track_v == pytest.approx(13.8 + STAGE.above_v)
    high = points(800.0, 0.0, series=5.0)
    assert offer(*high, 13.8, STAGE).v_track_v == STAGE.v_max_v
    assert offer(*high, 13.8, STAGE).p_track_w < 0.995 * high[3]


def test_an_array_below_the_battery_gives_nothing():
    weak = points(0.5, 25.0)
    o = offer(*weak, 13.0, STAGE)
    assert (o.v_track_v, o.p_track_w) == (weak[1], 0.0)


@pytest.mark.parametrize("v_batt", [0.0, 12.0, math.nan])
def test_darkness_and_nonsense_offer_nothing(v_batt):
    o = offer(Curve(0.0, 1e-10, 1.0, 0.1, 100.0), 0.0, 0.0, 0.0, v_batt, STAGE)
    assert o.p_track_w == 0.0
    assert current_at(o.curve, 5.0) == 0.0
