"""A battery that is flat stays there: charge and voltage never fall below nothing, whatever the dark does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.battery import model as battery
from plant.battery.file import load_block
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.report.account import account, missing_wh, moved_wh
from tests.plants import column, site, utc
from validation.batteries import bath, last, run
from validation.battery_steps import grid_step

DAY = 86400
YEAR_S = 365.0 * DAY
MODELS = ("agm", "flooded", "gel", "lifepo4", "lifepo4_victron")
SVALBARD = {
    "latitude_deg": 78.2,
    "longitude_deg": 15.6,
    "altitude_m": 20.0,
    "timezone": "Arctic/Longyearbyen",
}


def polar_night(
    model: str, fidelity: str = "sizing", step_s: int | None = None, load_w: float = 1.0, **bank
) -> Plant:
    """A plant that has no sun from the middle of November to the end of January."""
    there = site(
        location=SVALBARD, sky={"clearness": None, "albedo": 0.2}, weather={"temperature_c": (15.0,) * 12},
        array={"tilt_deg": 60.0}, load={"hourly_w": (load_w,) * 24},
        battery={"model": model, "capacity_ah": 20.0, "soc": 0.05, "room_c": 25.0, **bank},
        controller={"battery_type": "lifepo4_4s" if model.startswith("life") else "sealed"},
    )  # fmt: skip
    return Plant.new(there, seed=1, start_utc_s=utc("2026-11-20T00:00"), fidelity=fidelity, step_s=step_s)


def closes(before: Snapshot, after: Snapshot) -> float:
    """Share of the energy moved that the account doesn't have."""
    flows = account(before, after)
    return abs(missing_wh(flows)) / max(moved_wh(flows), 1e-9)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("fidelity", "step_s", "days"), [("detailed", None, 12), ("sizing", 60, 60), ("sizing", 3600, 60)]
)
def test_two_months_of_darkness_leave_nothing_and_no_less(model, fidelity, step_s, days):
    p = polar_night(model, fidelity, step_s)
    before = p.snapshot
    rows = p.run(days * DAY, 3600)
    for name in ("soc", "v_batt_v", "v_cells_v"):
        assert column(rows, name).min() >= 0.0
    assert p.snapshot.soc < 0.02
    assert p.snapshot.i_load_a == 0.0
    assert p.overrun_steps == 0
    assert closes(before, p.snapshot) < 1e-6


@pytest.mark.parametrize("model", ["agm", "lifepo4"])
def test_the_controller_draws_nothing_from_a_battery_that_cannot_feed_it(model):
    """Its own use ended the day that the battery did: 20 Ah hold some 250 Wh."""
    p = polar_night(model, soc=0.5)
    p.run(60 * DAY, DAY)
    own_wh = p.snapshot.e_own_wh
    p.run(10 * DAY, DAY)
    assert p.snapshot.e_own_wh - own_wh < 0.5
    assert own_wh < 130.0


def test_a_battery_that_fed_the_controller_alone_through_the_winter_is_charged_in_spring():
    """Its own use of 0.17 W takes 300 of 500 Wh."""
    p = polar_night("agm", capacity_ah=100.0, soc=0.4, load_w=0.0)
    p.run(75 * DAY, DAY)
    assert 0.05 < p.snapshot.soc < 0.25
    rows = p.run(60 * DAY, 3600)
    assert column(rows, "soc").max() > 0.9


def test_a_battery_that_something_at_its_posts_has_drained_far_below_8_v_stays_flat_when_the_sun_comes_back():
    """No unit of the family works below 8 V, and what the array could give never gets past it.

    One that only the controller drained stands at 8 V to a millivolt, and may or may not start with the sun.
    """
    p = polar_night("agm", loads=({"demand": {"hourly_w": (1.0,) * 24}},))
    p.run(75 * DAY, DAY)
    rows = p.run(60 * DAY, 3600)
    assert column(rows, "p_mp_w").max() > 50.0
    assert column(rows, "soc").max() < 1e-3
    assert np.all(column(rows, "p_pv_w") == 0.0)


@pytest.mark.parametrize("model", MODELS)
def test_self_discharge_ends_at_empty(model):
    """A forgotten battery: ten years on a shelf in the heat."""
    p = bath(model)
    x = last(p, run(p, battery.rested(0.02, 40.0, p), 0.0, 0.5 * YEAR_S, 40.0))
    before = battery.soc(x, p)
    x = last(p, run(p, x, 0.0, 10.0 * YEAR_S, 40.0))
    assert battery.possible(x, p)
    assert 0.0 <= battery.soc(x, p) <= before < 0.02
    assert battery.source(x, p).v_node_v >= 0.0


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=15, deadline=None)
@given(
    soc=st.floats(0.0, 1.0),
    t_c=st.floats(-40.0, 60.0),
    c_rates=st.lists(st.floats(-0.5, 0.3), min_size=1, max_size=4),
)
def test_no_current_takes_more_than_there_is(model, soc, t_c, c_rates):
    """Held at constant power by whatever drains it until its terminals are below 6 V a 12 V block."""
    p = load_block(model)
    x = battery.rested(soc, t_c, p)
    seen = battery.source(x, p)
    for c_rate in c_rates:
        for _ in range(400):
            i_a = c_rate * battery.rated_ah(p)
            if i_a < 0.0 and seen.v_node_v + seen.r_discharge_ohm * i_a < 6.0:
                i_a = 0.0
            if i_a > 0.0 and seen.v_node_v + seen.r_charge_ohm * i_a > 15.0:
                i_a = 0.0
            x = grid_step(x, i_a, t_c, p, 5.0)[0]
            seen = battery.source(x, p)
            assert battery.possible(x, p)
            assert 0.0 <= battery.soc(x, p) <= 1.0
            assert seen.v_node_v >= 0.0


@settings(max_examples=12, deadline=None)
@given(
    model=st.sampled_from(MODELS),
    t_c=st.floats(-40.0, 60.0),
    capacity_ah=st.sampled_from([5.0, 20.0, 100.0]),
    load_w=st.sampled_from([0.0, 1.0, 20.0]),
    soc=st.floats(0.0, 0.3),
    step_s=st.sampled_from([60, 900, 3600]),
)
def test_any_plant_in_the_dark_keeps_its_account_and_its_limits(model, t_c, capacity_ah, load_w, soc, step_s):
    p = polar_night(model, "sizing", step_s, load_w, capacity_ah=capacity_ah, soc=soc, room_c=t_c)
    before = p.snapshot
    rows = p.run(30 * DAY, 3600)
    assert np.all((column(rows, "soc") >= 0.0) & (column(rows, "soc") <= 1.0))
    assert np.all(column(rows, "v_batt_v") >= 0.0)
    assert p.overrun_steps == 0
    assert closes(before, p.snapshot) < 1e-6
