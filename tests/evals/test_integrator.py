"""The kernel's RK4 with located events against scipy's Radau at rtol 1e-10."""

import numpy as np
import pytest

from plant.battery import leadacid as battery
from plant.battery.acid import LeadAcidState
from plant.controller.charger import Machine, Stage
from tests.plants import (
    account,
    agm,
    books,
    held,
    isothermal,
    memory,
    parameters,
    radau_plant,
    rk4_step,
    step,
)

SEGMENT_S = 3600


def test_half_a_day_of_switching_current_stays_within_a_millivolt_of_radau():
    """Load and charger of up to 150 W jump every hour: -12 to +11 A at 104 Ah."""
    rng = np.random.default_rng(5)
    p = agm()
    par = parameters(p)
    open_books = books(par)
    now = memory(battery.rested(0.6, 25.0, p))
    exact = np.array(now.x)
    worst_v, worst_soc = 0.0, 0.0
    for _segment in range(12):
        power = rng.uniform(-150.0, 140.0)
        inputs = held(demand_w=-power) if power < 0 else held(p_pv_w=power)
        open_books = books(par)
        open_books[0].modes[Machine.CHARGE] = Stage.BULK if power > 0 else Stage.NONE
        solution = radau_plant(LeadAcidState(*exact), SEGMENT_S, inputs, par)
        exact = solution.y[:, -1]
        for k in range(SEGMENT_S // 5):
            now = step(now, inputs, par, open_books, 5.0 * k)
        worst_v = max(worst_v, abs(now.x.v_node_v - exact[2]))
        worst_soc = max(worst_soc, abs(now.x.q1_ah + now.x.q2_ah - exact[0] - exact[1]) / p.full_capacity_ah)
    assert worst_v < 1e-3
    assert worst_soc < 1e-4


@pytest.mark.parametrize(
    ("from_w", "to_w"), [(-150.0, 140.0), (140.0, -150.0), (-600.0, 500.0), (500.0, -600.0)]
)
def test_every_grid_point_after_a_jump_is_within_a_millivolt(from_w, to_w):
    """The first seconds after a jump of the current are the hardest: 5 s grid, up to half the capacity an hour."""
    p = agm()
    par = parameters(p)
    open_books = books(par)
    now = memory(battery.rested(0.6, 25.0, p))
    for power in (from_w, to_w):
        inputs = held(demand_w=-power) if power < 0 else held(p_pv_w=power)
        open_books = books(par)
        open_books[0].modes[Machine.CHARGE] = Stage.BULK if power > 0 else Stage.NONE
        exact = radau_plant(now.x, 60.0, inputs, par, t_eval=np.arange(5.0, 61.0, 5.0)).y[2]
        for k in range(12):
            now = step(now, inputs, par, open_books, 5.0 * k)
            assert abs(now.x.v_node_v - exact[k]) < 1e-3


def test_constant_voltage_charging_follows_radau():
    """Held at 14.4 V the current is set by the electrode itself: the stiffest a charger makes it."""
    p = agm()
    par = parameters(p)
    open_books = books(par)
    open_books[0].modes[Machine.CHARGE] = Stage.BOOST
    inputs = held(p_pv_w=200.0, target_v=14.4)
    now = memory(battery.rested(0.85, 25.0, p))
    exact = radau_plant(now.x, 6 * 3600.0, inputs, par).y[:, -1]
    for k in range(6 * 720):
        now = now._replace(held_s=0.0)
        now = step(now, inputs, par, open_books, 5.0 * k)
    assert now.x.v_node_v == pytest.approx(exact[2], abs=1e-3)
    assert now.x.q1_ah + now.x.q2_ah == pytest.approx(exact[0] + exact[1], abs=1e-4 * p.full_capacity_ah)


def test_halving_the_step_shows_fourth_order():
    """In a bath: the parameters of a step are those of its beginning's temperature, which is of first order."""
    p = isothermal(agm())
    par = parameters(p)
    inputs = held(p_pv_w=120.0)
    start = battery.rested(0.6, 25.0, p)
    for _ in range(200):  # past the jump, where the solution is smooth
        start = rk4_step(start, 1.0, inputs, par)
    exact = radau_plant(start, 64.0, inputs, par).y[2, -1]
    errors = []
    for step_s in (8.0, 4.0, 2.0):
        x = start
        for _ in range(int(64.0 / step_s)):
            x = rk4_step(x, step_s, inputs, par)
        errors.append(abs(x.v_node_v - exact))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 3.5)
    assert np.all(orders < 5.5)


@pytest.mark.parametrize("net_w", [-200.0, -40.0, 60.0, 180.0])
def test_energy_inside_the_battery_closes_by_independent_quadratures(net_w):
    """Terminal energy = what is stored more + every loss by its own integral, to 1e-6, temperature free."""
    p = agm()
    par = parameters(p)
    open_books = books(par)
    open_books[0].modes[Machine.CHARGE] = Stage.BULK if net_w > 0 else Stage.NONE
    inputs = held(demand_w=-net_w) if net_w < 0 else held(p_pv_w=net_w)
    now = memory(battery.rested(0.6, 25.0, p))
    before = battery.stored_wh(now.x, p)
    for k in range(720):
        now = step(now, inputs, par, open_books, 5.0 * k)
    e = account(open_books)
    more = battery.stored_wh(now.x, p) - before
    losses = e["ohmic"] + e["polarisation"] + e["side"] + e["diffusion"]
    assert more + losses - e["entropy"] == pytest.approx(e["batt"], rel=1e-6)
    assert now.x.t_c > 25.0  # it did warm


def test_plain_python_and_compiled_kernel_agree():
    """The same function runs without the compiler, for reading and debugging."""
    p = agm()
    x = LeadAcidState(40.0, 50.0, 12.5, 0.1, 22.0)
    plain, plain_losses = battery.rates.py_func(x, -7.0, 20.0, p)
    fast, fast_losses = battery.rates(x, -7.0, 20.0, p)
    assert tuple(fast) == pytest.approx(tuple(plain), rel=1e-12)
    assert tuple(fast_losses) == pytest.approx(tuple(plain_losses), rel=1e-12)
