"""Long steps for sizing beside the full model: the same account, the same year in pieces, and age."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.base.clock import DAY_S
from plant.plant import Plant
from tests.plants import assert_closes, site, utc

START = "2026-03-01T00:00"


def sizing(step_s: int = 60, seed: int = 1, **changes) -> Plant:
    return Plant.new(site(**changes), seed, utc(START), fidelity="sizing", step_s=step_s)


@settings(max_examples=12, deadline=None)
@given(
    model=st.sampled_from(["agm", "flooded", "gel"]), capacity=st.floats(5.0, 1000.0), soc=st.floats(0.0, 1.0),
    parallel=st.integers(1, 12), load=st.floats(0.0, 500.0), room=st.floats(-20.0, 50.0),
    step=st.sampled_from([60, 300, 3600]), cable=st.floats(0.0, 0.05), seed=st.integers(0, 999),
    mix=st.sampled_from([{"power": 1.0}, {"power": 0.4, "current": 0.3, "resistance": 0.3}]),
)  # fmt: skip
def test_no_sized_plant_loses_energy(model, capacity, soc, parallel, load, room, step, cable, seed, mix):
    p = sizing(
        step, seed, array={"parallel": parallel}, load={"hourly_w": (load,) * 24, "mix": mix},
        battery={"model": model, "capacity_ah": capacity, "soc": soc, "room_c": room, "cable_ohm": cable},
    )  # fmt: skip
    since = p.advance_to(p.t_utc_s + step)
    rows = p.run(5 * DAY_S, 3600)
    assert np.all(np.isfinite(rows))
    assert_closes(p, since, battery=1e-9)


def test_a_month_of_minutes_is_the_month_of_the_full_model():
    quick, full = sizing(), Plant.new(site(), 1, utc(START))
    for p in (quick, full):
        p.advance_to(p.t_utc_s + 30 * DAY_S)
    a, b = quick.snapshot, full.snapshot
    assert a.e_available_wh == pytest.approx(b.e_available_wh, rel=0.002)
    assert a.e_pv_wh == pytest.approx(b.e_pv_wh, rel=0.005)
    assert a.e_load_wh == pytest.approx(b.e_load_wh, rel=0.005)
    assert a.soc == pytest.approx(b.soc, abs=0.005)


def test_what_a_long_step_makes_of_an_array_twice_the_rating_is_what_the_page_says():
    """A dull month in which the battery is never full: clouds come and go within a step, and the rating cuts less."""
    changes = {
        "sky": {"clearness": (0.25,) * 12},
        "array": {"module": "zytech_zt155p", "series": 2, "parallel": 4, "tilt_deg": 40.0},
        "battery": {"capacity_ah": 1000.0, "soc": 0.5, "room_c": 20.0},
        "load": {"hourly_w": (90.0,) * 24},
    }
    runs = [
        Plant.new(site(**changes), 1, utc(START)),
        *(sizing(step_s, **changes) for step_s in (60, 900, 1800)),
    ]
    for p in runs:
        p.advance_to(p.t_utc_s + 30 * DAY_S)
    full, *long = (p.snapshot for p in runs)
    assert full.e_untaken_full_wh == 0.0
    assert full.e_untaken_limit_wh > 0.1 * full.e_available_wh
    off = [100.0 * (quick.e_pv_wh / full.e_pv_wh - 1.0) for quick in long]
    assert off == pytest.approx([0.7, 4.0, 5.5], abs=1.0)


@settings(max_examples=6, deadline=None)
@given(pauses=st.lists(st.integers(1, 20 * 24), min_size=1, max_size=8))
def test_a_run_in_pieces_is_the_run_in_one_go(pauses):
    """Over blocks of days, with age and with what breaks meanwhile."""
    upsets = (
        {"name": "battery_high_resistance", "after": "30h", "lasts": "100h"},
        {"name": "battery_aged", "after": "3d", "values": {"capacity_lost": 0.1}},
    )
    changes = {"battery": {"ageing": "weighted_ah"}, "upsets": upsets}
    pieces, whole = sizing(3600, **changes), sizing(3600, **changes)
    for hours in pauses:
        pieces.advance_to(pieces.t_utc_s + hours * 3600)
    assert whole.advance_to(pieces.t_utc_s) == pieces.snapshot
    assert whole.health == pieces.health
    assert whole.events() == pieces.events()


def test_a_year_takes_capacity_from_a_battery_and_the_account_still_closes():
    p = sizing(3600, battery={"ageing": "weighted_ah", "soc": 0.6})
    since = p.advance_to(p.t_utc_s + 3600)
    healths = []
    for _ in range(12):
        p.advance_to(p.t_utc_s + 30 * DAY_S)
        healths.append(p.health)
    assert np.all(np.diff(healths) < 0.0)
    assert 0.8 < healths[-1] < 0.995
    assert p.snapshot.e_faded_wh > 0.0
    assert_closes(p, since, battery=1e-9)
