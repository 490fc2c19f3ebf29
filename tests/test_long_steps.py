"""Events within steps of a quarter of an hour and more: a set-point crossed, a timer run out, dawn and dusk."""

import numpy as np
import pytest

from plant.constants import EVENT_SHARE
from plant.controller.charger import Machine
from plant.plant import Plant
from plant.report.trace import Trace
from plant.site.model import Site
from tests.plants import site

DAY = 86400
JANUARY = 1_767_222_000
DWELL_S = 600  # of dawn and dusk


def run(there: Site, step_s: int, days: int) -> Plant:
    p = Plant.new(there, 1, JANUARY, "sizing", step_s)
    p.advance_to(JANUARY + days * DAY)
    return p


@pytest.mark.parametrize("step_s", [900, 3600])
def test_dawn_and_dusk_come_with_the_first_moment_of_a_step(step_s):
    moments = [e.t_utc_s for e in run(site(), step_s, 20).events() if e.machine is Machine.DAYLIGHT]
    late_s = [(moment - DWELL_S) % step_s for moment in moments]
    assert len(late_s) >= 39
    assert late_s.count(0.0) >= 20  # of others the voltage under the sun decides, which moves
    assert max(late_s) <= step_s * EVENT_SHARE


def test_by_the_hour_as_much_goes_unserved_as_with_events_placed_to_the_second(monkeypatch):
    there = site(battery={"capacity_ah": 50.0, "soc": 0.5})
    usual = run(there, 3600, 120)
    monkeypatch.setattr("plant.constants.EVENT_SHARE", 0.0)
    exact = run(there, 3600, 120)
    assert exact.snapshot.e_unserved_wh > 1000.0
    assert usual.snapshot.e_unserved_wh == pytest.approx(exact.snapshot.e_unserved_wh, rel=2e-3)


@pytest.mark.parametrize("step_s", [1800, 3600])
def test_a_kettle_that_empties_lithium_ends_at_its_protection_in_long_steps_too(step_s):
    """Across the collapse a step found no current, or took the cells below 0 V, and the plant never woke again."""
    hourly_w = [0.0] * 24
    hourly_w[7], hourly_w[18] = 2500.0, 1200.0
    house = {"inverter": {"rated_w": 3000.0, "idle_w": 15.0}, "demand": {"hourly_w": tuple(hourly_w)}}
    there = site(
        array={"series": 2, "parallel": 5, "tilt_deg": 35.0},
        location={"latitude_deg": 34.0, "longitude_deg": 18.0, "timezone": "UTC"},
        controller={"battery_type": "lifepo4_8s", "compensation_mv_k_cell": 0.0},
        battery={"model": "lifepo4", "capacity_ah": 100.0, "system_v": 24, "soc": 0.7, "loads": (house,)},
        load={"scale": 0.0},
    )
    days = 12
    full = Plant.new(there, 1, JANUARY, "detailed", 5)
    full.advance_to(JANUARY + days * DAY)
    p = Plant.new(there, 1, JANUARY, "sizing", step_s)
    trace = Trace(p.run(days * DAY, step_s), "UTC")
    assert full.snapshot.e_inverter_unserved_wh > 0.1 * full.snapshot.e_inverter_wh
    assert p.snapshot.e_inverter_wh == pytest.approx(full.snapshot.e_inverter_wh, rel=0.04)
    assert trace["v_batt_v"].min() > 20.0
    assert trace["soc"].min() > 0.0
    assert np.diff(trace["e_polarisation_wh"]).min() > -0.1
    assert p.snapshot.e_ohmic_wh == pytest.approx(full.snapshot.e_ohmic_wh, rel=0.15)
