"""A lithium plant in long steps: the same account, and age."""

import numpy as np
import pytest

from plant.base.clock import DAY_S
from plant.plant import Plant
from tests.plants import assert_closes, site, utc

START = "2026-03-01T00:00"


def sizing(step_s: int, **battery) -> Plant:
    changes = {"battery": {"model": "lifepo4", "soc": 0.6, **battery}, "array": {"parallel": 2}}
    return Plant.new(site(**changes), 1, utc(START), fidelity="sizing", step_s=step_s)


@pytest.mark.parametrize("step_s", [60, 600, 3600])
@pytest.mark.parametrize("room_c", [-10.0, 25.0, 40.0])
def test_no_lithium_plant_loses_energy(step_s, room_c):
    p = sizing(step_s, room_c=room_c)
    since = p.advance_to(p.t_utc_s + step_s)
    rows = p.run(20 * DAY_S, 3600)
    assert np.all(np.isfinite(rows))
    assert_closes(p, since, battery=1e-9)


def test_a_year_takes_capacity_and_warmth_takes_more_of_it():
    left = {}
    for room_c in (15.0, 40.0):
        p = sizing(3600, ageing="naumann", room_c=room_c)
        since = p.advance_to(p.t_utc_s + 3600)
        p.advance_to(p.t_utc_s + 365 * DAY_S)
        left[room_c] = p.health
        assert p.snapshot.e_faded_wh > 0.0
        assert_closes(p, since, battery=1e-9)
    assert 0.8 < left[40.0] < left[15.0] < 0.999
