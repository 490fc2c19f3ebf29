"""Events within steps of a quarter of an hour and more: a set-point crossed, a timer run out, dawn and dusk."""

import pytest

from plant.constants import EVENT_SHARE
from plant.controller.charger import Machine
from plant.plant import Plant
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
