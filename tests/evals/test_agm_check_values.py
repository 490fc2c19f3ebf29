"""The AGM block against data sheets and against check values computed elsewhere.

Origin of the numbers: check values of the model computed before and apart from this code (scipy 1.17.1), and the
data sheet of the MAGNA MA12-100. All at a constant temperature, 25 degC unless named.
"""

import numpy as np
import pytest

from plant import leadacid as battery
from plant.leadacid import LeadAcid, State
from tests.plants import agm, isothermal, radau_battery


@pytest.fixture(scope="module")
def block() -> LeadAcid:
    return isothermal(agm())


def full(p: LeadAcid, t_c: float = 25.0) -> State:
    return battery.rested(1.0, t_c, p)


def terminal_v(node_v: float, i_a: float, p: LeadAcid, t_c: float = 25.0) -> float:
    return node_v + battery.ohmic_resistance(t_c, p) * i_a


def discharged(p: LeadAcid, i_a: float, cut_v: float, t_c: float = 25.0):
    """Constant-current discharge from full to a terminal voltage."""

    def empty(_t, y):
        return terminal_v(y[2], -i_a, p, t_c) - cut_v

    empty.terminal = True
    return radau_battery(p, full(p, t_c), -i_a, 60 * 3600, t_c, events=empty, tight=False)


def recharge(p: LeadAcid, start: State, i_max_a: float, v_set_v: float, hours: float, t_eval=None):
    """Constant current, then constant voltage."""

    def current(x):
        return min(i_max_a, (v_set_v - x.v_node_v) / battery.ohmic_resistance(x.t_c, p))

    return radau_battery(p, start, current, hours * 3600, t_eval=t_eval, tight=False)


@pytest.mark.parametrize(
    ("soc20", "volts"),
    [(1.0, 12.840), (0.9, 12.732), (0.8, 12.624), (0.7, 12.516), (0.6, 12.408), (0.5, 12.300), (0.4, 12.192),
     (0.3, 12.084), (0.2, 11.976), (0.1, 11.868), (0.0, 11.760)],
)  # fmt: skip
def test_rested_battery_shows_its_open_circuit_voltage(block, soc20, volts):
    assert battery.emf(battery.soc_from_soc20(soc20, block), 25.0, block) == pytest.approx(volts, abs=5e-4)


@pytest.mark.parametrize(
    ("i_a", "cut_v", "hours", "data_sheet_ah"),
    [(5.20, 10.80, 20.308, 104.0), (10.0, 10.80, 9.740, 100.0), (17.6, 10.50, 4.880, 88.0),
     (25.4, 10.50, 2.996, 76.2), (65.1, 9.60, 0.999, 65.1)],
)  # fmt: skip
def test_capacity_falls_with_current_as_in_the_data_sheet(block, i_a, cut_v, hours, data_sheet_ah):
    took_h = discharged(block, i_a, cut_v).t[-1] / 3600
    assert took_h == pytest.approx(hours, abs=2e-3)
    assert took_h * i_a == pytest.approx(data_sheet_ah, rel=0.03)


@pytest.mark.parametrize(
    ("i_a", "volts"),
    [(5.2, (12.708, 12.380, 12.083, 11.757, 11.507)), (10.0, (12.636, 12.234, 11.903, 11.542, 11.191)),
     (20.0, (12.518, 12.032, 11.611, 11.078, 9.906)), (100.0, (11.938, 11.339, 10.567))],
)  # fmt: skip
def test_terminal_voltage_sags_with_current_and_charge_removed(block, i_a, volts):
    removed = np.array([0.02, 0.25, 0.50, 0.75, 0.90][: len(volts)]) * block.c20_ah
    times = removed / i_a * 3600
    seen = radau_battery(block, full(block), -i_a, times[-1], t_eval=times, tight=False)
    shown = [terminal_v(v, -i_a, block) for v in seen.y[2]]
    assert shown == pytest.approx(volts, abs=5e-3)


@pytest.mark.parametrize(
    ("i_a", "volts"),
    [(10.0, (12.823, 13.226, 13.547, 13.763, 14.182, 16.787, 16.966)),
     (20.0, (13.086, 13.540, 13.912, 14.247, 17.095, 17.222, 17.343))],
)  # fmt: skip
def test_charging_voltage_rises_with_charge_returned(block, i_a, volts):
    start = battery.rested(battery.soc_from_soc20(0.0, block), 25.0, block)
    times = np.array([0.2, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2]) * block.c20_ah / i_a * 3600
    seen = radau_battery(block, start, i_a, times[-1], t_eval=times, tight=False)
    assert [terminal_v(v, i_a, block) for v in seen.y[2]] == pytest.approx(volts, abs=5e-3)


@pytest.mark.parametrize(
    ("i_max_a", "cc_ends_h", "returned_by_then", "h_95", "h_99", "i_16h", "i_24h", "ah_in_out"),
    [(10.0, 8.86, 0.914, 9.89, 12.37, 0.147, 0.092, 1.024), (20.0, 3.94, 0.812, 6.00, 8.52, 0.098, 0.091, 1.028)],
)  # fmt: skip
def test_recharge_tapers_at_constant_voltage(
    block, i_max_a, cc_ends_h, returned_by_then, h_95, h_99, i_16h, i_24h, ah_in_out
):
    empty = discharged(block, 10.0, 10.8)
    start = State(*empty.y[:, -1])
    assert battery.soc(start, block) == pytest.approx(0.142, abs=2e-3)
    missing_ah = (1.0 - battery.soc(start, block)) * block.q_ah
    hours = np.linspace(0.0, 24.0, 24 * 60 + 1)
    seen = recharge(block, start, i_max_a, 14.4, 24.0, t_eval=hours * 3600)
    current = np.minimum(i_max_a, (14.4 - seen.y[2]) / block.r0_ohm)
    returned = np.concatenate([[0.0], np.cumsum((current[1:] + current[:-1]) / 2 / 60)]) / missing_ah
    ends = int(np.argmax(current < i_max_a * (1 - 1e-9)))
    assert hours[ends] == pytest.approx(cc_ends_h, abs=0.03)
    assert returned[ends] == pytest.approx(returned_by_then, abs=3e-3)
    missing = block.q_ah - (seen.y[0] + seen.y[1])
    made_up = 1.0 - missing / missing[0]
    assert hours[int(np.argmax(made_up >= 0.95))] == pytest.approx(h_95, rel=0.01)
    assert hours[int(np.argmax(made_up >= 0.99))] == pytest.approx(h_99, rel=0.01)
    assert current[16 * 60] == pytest.approx(i_16h, abs=2e-3)
    assert current[-1] == pytest.approx(i_24h, abs=2e-3)
    assert returned[-1] == pytest.approx(ah_in_out, abs=2e-3)


@pytest.mark.parametrize(
    ("volts", "milliamps"),
    [(13.2, 10.1), (13.5, 17.4), (13.65, 23.0), (13.8, 30.2), (14.4, 90.8), (14.8, 189.0), (15.5, 678.0)],
)
def test_float_current_is_the_gassing_current(block, volts, milliamps):
    """Per 100 Ah, after long enough at a voltage that nothing else flows."""
    per_100ah = battery.scaled(block, 100.0 * block.c20_ah / block.cn_ah, 1)
    seen = recharge(per_100ah, full(per_100ah), 50.0, volts, 24 * 60)
    current = (volts - seen.y[2, -1]) / per_100ah.r0_ohm
    assert current * 1000 == pytest.approx(milliamps, rel=0.01)


@pytest.mark.parametrize(("t_c", "percent"), [(10.0, 1.28), (20.0, 2.36), (25.0, 3.19), (40.0, 7.72)])
def test_full_battery_discharges_itself_in_a_month(block, t_c, percent):
    seen = radau_battery(block, full(block, t_c), 0.0, 30 * 86400, t_c, tight=False)
    lost = 1.0 - (seen.y[0, -1] + seen.y[1, -1]) / block.q_ah
    assert 100 * lost == pytest.approx(percent, abs=0.02)


@pytest.mark.parametrize(
    ("i_a", "cut_v", "percents"),
    [(5.2, 10.8, (101.3, 91.8, 86.3, 80.5, 74.7)), (10.0, 10.8, (102.7, 89.7, 82.6, 75.5, 68.4)),
     (17.6, 10.5, (105.0, 87.3, 79.2, 71.8, 65.0))],
)  # fmt: skip
def test_capacity_follows_temperature(block, i_a, cut_v, percents):
    at_25 = discharged(block, i_a, cut_v).t[-1]
    shares = [discharged(block, i_a, cut_v, t_c).t[-1] / at_25 for t_c in (40.0, 10.0, 0.0, -10.0, -20.0)]
    assert [100 * share for share in shares] == pytest.approx(percents, abs=0.1)


def test_voltage_relaxes_for_days_after_absorption(block):
    empty = State(*discharged(block, 10.0, 10.8).y[:, -1])
    charged = State(*recharge(block, empty, 10.0, 14.4, 16.0).y[:, -1])
    times = np.array([60.0, 900.0, 3600.0, 5 * 3600.0, 86400.0, 30 * 86400.0])
    seen = radau_battery(block, charged, 0.0, times[-1], t_eval=times, tight=False)
    assert seen.y[2] == pytest.approx((14.39, 14.26, 13.97, 13.40, 12.84, 12.80), abs=0.011)


def test_voltage_recovers_after_a_discharge(block):
    start = State(*discharged(block, 10.0, 11.4).y[:, -1])
    times = np.array([0.0, 60.0, 600.0, 3600.0, 8 * 3600.0])
    seen = radau_battery(block, start, 0.0, times[-1], t_eval=times, tight=False)
    assert seen.y[2] == pytest.approx((11.45, 11.68, 11.79, 11.87, 11.95), abs=0.011)


def test_twice_the_capacity_carries_twice_the_current_at_the_same_voltage(block):
    big = battery.scaled(block, 2 * block.c20_ah, 1)
    small_end = radau_battery(block, full(block), -10.0, 4 * 3600.0, tight=False).y[2, -1]
    big_end = radau_battery(big, full(big), -20.0, 4 * 3600.0, tight=False).y[2, -1]
    assert big_end == pytest.approx(small_end, abs=1e-6)


def test_two_blocks_in_series_show_twice_the_voltage(block):
    pair = battery.scaled(block, block.c20_ah, 2)
    one = radau_battery(block, full(block), -10.0, 4 * 3600.0, tight=False).y[2, -1]
    two = radau_battery(pair, full(pair), -10.0, 4 * 3600.0, tight=False).y[2, -1]
    assert two == pytest.approx(2 * one, abs=1e-6)
    assert battery.ohmic_resistance(25.0, pair) == pytest.approx(2 * block.r0_ohm)
