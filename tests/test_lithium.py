"""What is special about LiFePO4: a flat voltage, hysteresis, cold, and two steep ends."""

import math

import numpy as np
import pytest

from plant.battery import lithium
from plant.battery import model as battery
from plant.battery.file import load_block
from plant.battery.lithium import LithiumState
from validation.batteries import bath, last, run, terminal_v


@pytest.fixture(scope="module")
def pack():
    return bath("lifepo4")


def at_rest(p, s, t_c=25.0):
    return battery.rested(s, t_c, p)


def test_voltage_is_flat_in_the_middle_and_steep_at_the_ends(pack):
    volts = [battery.source(at_rest(pack, s), pack).v_node_v for s in (0.0, 0.1, 0.3, 0.7, 0.95, 1.0)]
    assert volts[3] - volts[2] < 0.2
    assert volts[1] - volts[0] > 3.0
    assert volts[5] - volts[4] > 0.7


def test_voltage_has_no_jump_anywhere(pack):
    s = np.linspace(0.0, 1.05, 20001)
    volts = np.array([lithium.ocv(v) for v in s])
    assert np.all(np.diff(volts) > 0.0)
    assert np.max(np.diff(volts)) < 110.0 * (s[1] - s[0])


def test_below_empty_the_voltage_falls_to_nothing_within_a_thousandth_and_never_below(pack):
    s = np.linspace(-0.01, 0.0, 200)
    volts = np.array([lithium.ocv(v) for v in s])
    assert np.all(volts[s <= -lithium.FOOT] == 0.0)
    assert np.all(np.diff(volts[s > -lithium.FOOT]) > 0.0)
    assert lithium.ocv(0.0) == pytest.approx(lithium.ocv(1e-9), abs=1e-5)


def test_charged_and_discharged_to_the_same_charge_it_rests_at_different_voltages(pack):
    """Half a volt-hundredth a cell: the hysteresis of the table, both ways."""
    up = last(pack, run(pack, run_down(pack), 20.0, 0.3 * 18000.0 / pack.coulombic_efficiency))
    down = last(pack, run(pack, LithiumState(0.8, 1.0, 0.0, 0.0, 25.0), -20.0, (0.8 - up.s) * 18000.0))
    rested = [last(pack, run(pack, x, 0.0, 6 * 3600.0)) for x in (up, down)]
    volts = [terminal_v(x, 0.0, pack) for x in rested]
    assert rested[0].s == pytest.approx(rested[1].s, abs=1e-4)
    assert volts[0] - volts[1] == pytest.approx(2 * 4 * lithium.hysteresis_v(up.s), rel=0.02)


def run_down(p):
    return LithiumState(0.2, -1.0, 0.0, 0.0, 25.0)


def test_a_reversal_crosses_the_loop_within_a_few_percent_of_the_charge(pack):
    x = last(pack, run(pack, LithiumState(0.5, -1.0, 0.0, 0.0, 25.0), 10.0, 0.05 * 36000.0))
    assert x.s == pytest.approx(0.55, abs=1e-3)
    assert x.h == pytest.approx(1.0 - 2.0 * np.exp(-2.0), abs=1e-3)


def test_cold_locks_charge_away_and_warmth_gives_it_back(pack):
    cold, warm = at_rest(pack, 0.15, -10.0), at_rest(pack, 0.15, 25.0)
    r_cold = battery.source(cold, pack).r_discharge_ohm
    assert r_cold > 20 * battery.source(warm, pack).r_discharge_ohm
    assert battery.source(cold, pack).r_charge_ohm < 0.02


def test_resistance_falls_with_warmth_as_measured(pack):
    """R(10)/R(25) is about 1.4, R(40)/R(25) about 0.79."""
    assert lithium.cold(10.0, pack) == pytest.approx(1.4, abs=0.03)
    assert lithium.cold(40.0, pack) == pytest.approx(0.79, abs=0.01)


def test_a_full_pack_at_rest_loses_three_percent_a_month(pack):
    x = last(pack, run(pack, at_rest(pack, 1.0), 0.0, 30 * 86400.0))
    assert 1.0 - x.s == pytest.approx(0.0288, abs=1e-4)


def test_overfull_is_reported_as_full_and_stays_in_the_state(pack):
    x = at_rest(pack, 1.01)
    assert battery.soc(x, pack) == 1.0
    assert battery.source(x, pack).v_node_v == pytest.approx(4 * (3.5305 + 0.27))


def test_a_cycle_loses_to_hysteresis_even_at_a_tiny_current():
    """The loop has an area: 1 A out and back over 10 % of the charge."""
    p = bath("lifepo4")
    x, lost = LithiumState(0.6, 1.0, 0.0, 0.0, 25.0), 0.0
    for i_a in (-1.0, 1.0):
        solution = run(p, x, i_a, 36000.0)
        t = np.linspace(0.0, 36000.0, 2001)
        watts = [battery.rates(LithiumState(*y), i_a, 25.0, p)[1].hysteresis_w for y in solution.sol(t).T]
        lost += np.trapezoid(watts, t) / 3600.0
        x = last(p, solution)
    width_v = 4 * lithium.hysteresis_v(0.55)
    assert 0.5 * 2 * width_v * 10.0 < lost < 2 * width_v * 10.0


def test_a_working_pack_warms():
    p = load_block("lifepo4")
    x = last(p, run(p, battery.rested(0.9, 25.0, p), -100.0, 1800.0))
    assert 25.5 < x.t_c < 40.0


@pytest.mark.parametrize(
    "bad",
    [
        LithiumState(float("nan"), 0, 0, 0, 25.0),
        LithiumState(0.5, 2.0, 0, 0, 25.0),
        LithiumState(1.5, 0, 0, 0, 25.0),
        *(at_rest(load_block("lifepo4"), 0.5)._replace(**{name: math.nan}) for name in LithiumState._fields),
    ],
)
def test_an_impossible_state_is_told(pack, bad):
    assert not battery.possible(bad, pack)
    assert battery.possible(at_rest(pack, 0.5), pack)


@pytest.mark.parametrize(("volts", "s"), [(14.4, 0.999), (9.6, 0.004)])
def test_held_at_a_voltage_at_either_end_fourth_order_keeps_up(pack, volts, s):
    """The stiffest that a charger or a heavy drain makes it: RK4 within the step limit is within 1 mV of Radau."""

    def current(x):
        seen = battery.source(x, pack)
        over = volts - seen.v_node_v
        return over / (seen.r_charge_ohm if over > 0.0 else seen.r_discharge_ohm)

    x = at_rest(pack, s)
    exact = last(pack, run(pack, x, current, 600.0))
    for _ in range(120):
        x = rk4_grid(pack, x, current)
    assert x.s == pytest.approx(exact.s, abs=1e-5)
    assert battery.source(x, pack).v_node_v == pytest.approx(battery.source(exact, pack).v_node_v, abs=1e-3)


def rk4_grid(p, x, current):
    left = 5.0
    while left > 1e-9:
        h = min(left, battery.step_limit_s(x, current(x), p))
        slope, at = battery.no_slope(p), x
        for reach, weight in ((0.5, 1.0), (0.5, 2.0), (1.0, 2.0), (0.0, 1.0)):
            dx, _ = battery.rates(at, current(at), 25.0, p)
            slope = battery.moved(slope, weight / 6.0, dx, p)
            at = battery.moved(x, reach * h, dx, p)
        x = battery.moved(x, h, slope, p)
        left -= h
    return x
