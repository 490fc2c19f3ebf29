"""How batteries grow old: what wears them, what doesn't, and that counting by days counts the same."""

import io
import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from plant.base.clock import DAY_S
from plant.battery import ageing, naumann, rainflow, weighted_ah
from plant.battery import model as battery_model
from plant.battery.file import load_block
from plant.battery.wear import Hours, Life, Loss
from plant.kernel.events import WearPart
from plant.plant import Plant
from plant.report.summary import print_summary
from plant.report.trace import Trace
from plant.saving.state import continued, saved_state
from tests.plants import assert_closes, site

LIFE = Life(full_cycles=500.0, float_years=10.0)


def a_day(depth=0.3, top=1.0, t_c=25.0, v_v=13.5, rate_h=6, q_ah=113.0, frozen=0.0):
    """A day that takes `depth` out over some hours from `top` and puts it back after, hour by hour."""
    soc = np.full(24, top)
    out, into = np.zeros(24), np.zeros(24)
    soc[:rate_h] = top - depth * np.arange(1, rate_h + 1) / rate_h
    soc[rate_h : 2 * rate_h] = soc[rate_h - 1] + depth * np.arange(1, rate_h + 1) / rate_h
    out[:rate_h] = into[rate_h : 2 * rate_h] = depth * q_ah / rate_h
    ice = np.zeros(24)
    ice[3:5] = frozen
    return Hours(into, out, soc, np.full(24, t_c), np.full(24, v_v), ice)


def lived(law, days, model="agm", life=LIFE, **day):
    p = load_block(model)
    state = ageing.fresh(law)
    for _ in range(days):
        state = ageing.age_one_day(state, a_day(q_ah=p.full_capacity_ah, **day), p, life)
    return ageing.loss(state, life).q_loss


@pytest.mark.parametrize(
    ("law", "model"), [("weighted_ah", "agm"), ("rainflow", "gel"), ("naumann", "lifepo4")]
)
def test_a_new_battery_has_lost_nothing(law, model):
    assert ageing.loss(ageing.fresh(law), LIFE) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("law", "model"), [("weighted_ah", "agm"), ("rainflow", "gel"), ("naumann", "lifepo4")]
)
def test_deeper_and_warmer_days_wear_more(law, model):
    usual = lived(law, 200, model)
    assert lived(law, 200, model, depth=0.7) > 1.05 * usual
    assert lived(law, 200, model, t_c=40.0) > 1.1 * usual
    assert 0.0 < usual < 0.2


def test_a_battery_that_is_never_full_wears_faster_for_the_same_charge_taken():
    assert lived("weighted_ah", 100, top=0.85) > 1.2 * lived("weighted_ah", 100, top=1.0)


def test_half_of_it_a_day_lasts_about_as_long_as_the_data_sheet_says():
    """600 cycles of 50 % for an AGM: the weighted law gives the same order, the counting law the number less float."""
    p, life = load_block("agm"), Life(full_cycles=500.0, float_years=1e6)
    for law, least, most in (("weighted_ah", 450, 1100), ("rainflow", 600, 612)):
        state, days = ageing.fresh(law), 0
        while ageing.loss(state, life).q_loss < 0.2:
            state = ageing.age_one_day(state, a_day(depth=0.5), p, life)
            days += 1
        assert least < days < most


@pytest.mark.parametrize(
    ("found", "by_hand"),
    [(weighted_ah.soc_factor(0.5, 24.0, 1.0), 1.0 + 24.0 * (6.614e-5 + 0.5 * 3.307e-3)),
     (weighted_ah.soc_factor(1.0, 100.0, 2.0), 1.013228),
     (weighted_ah.current_factor(2.5, 10.0, 0.0), 2.0), (weighted_ah.current_factor(10.0, 10.0, 10.8), np.e),
     (weighted_ah.bad_charge(0.95), 1.0), (weighted_ah.bad_charge(0.975), 0.75), (weighted_ah.bad_charge(0.89), 0.0)],
)  # fmt: skip
def test_the_factors_of_the_paper_are_what_they_are_by_hand(found, by_hand):
    assert found == pytest.approx(by_hand, rel=1e-9)


@pytest.mark.parametrize(
    ("f_strat", "i_a", "v_cell_v", "t_c", "later"),
    [(0.0, 10.0, 2.0, 25.0, 0.5 / 30.0), (0.5, 0.0, 2.1, 20.0, 0.5 - 0.0072), (0.5, 0.0, 2.1, 30.0, 0.5 - 0.0144),
     (0.5, 0.0, 2.5, 25.0, 0.5 - 0.1 - 0.0072 * 2**0.5), (0.01, 0.0, 2.6, 25.0, 0.0)],
)  # fmt: skip
def test_an_hour_of_stratification_is_what_it_is_by_hand(f_strat, i_a, v_cell_v, t_c, later):
    """At SOC_min 0.5: I10 builds up, diffusion and gas take away, never below nothing."""
    p = load_block("flooded")
    after = weighted_ah.stratified(f_strat, 0.5, i_a, v_cell_v, t_c, p, LIFE)
    assert after == pytest.approx(later, abs=1e-12)


def test_an_hour_at_the_ten_hour_current_weighs_a_little_more_than_it_is():
    p = load_block("agm")
    hour = Hours(
        np.zeros(1), np.full(1, 10.4), np.full(1, 0.9), np.full(1, 25.0), np.full(1, 12.4), np.zeros(1)
    )
    state = ageing.age_one_day(ageing.fresh("weighted_ah"), hour, p, LIFE)
    assert state.memory.z_w == pytest.approx(0.1 * (1.0 + 6.614e-5 + 0.1 * 3.307e-3), rel=1e-9)


def test_gas_stirs_the_acid_of_a_vented_battery():
    still = lived("weighted_ah", 60, "flooded", depth=0.6, top=0.95, v_v=13.2)
    stirred = lived("weighted_ah", 60, "flooded", depth=0.6, top=0.95, v_v=14.9)
    assert still > 1.02 * stirred


def test_acid_held_in_a_mat_does_not_stratify():
    state = ageing.fresh("weighted_ah")
    for _ in range(30):
        state = ageing.age_one_day(state, a_day(depth=0.8, v_v=12.5), load_block("agm"), LIFE)
    assert state.memory.f_strat == 0.0


def test_charges_that_stop_at_95_percent_are_bad_ones_and_a_full_one_forgives_them():
    p, state = load_block("agm"), ageing.fresh("weighted_ah")
    for _ in range(3):
        state = ageing.age_one_day(state, a_day(top=0.95), p, LIFE)
    assert state.memory.n_bad == pytest.approx(2.0, abs=0.01)  # the third has not ended yet
    state = ageing.age_one_day(state, a_day(top=1.0), p, LIFE)
    assert state.memory.n_bad == 0.0
    assert state.memory.hours_since_full < 24.0


def test_each_freezing_takes_a_fifth_once():
    p = load_block("flooded")
    warm, cold = a_day(), a_day(frozen=1.0)
    state = ageing.fresh("rainflow")
    life = Life(cycles=1e9, float_years=1e9)
    for day in (cold, warm, cold):
        state = ageing.age_one_day(state, day, p, life)
    assert state.freezings == 2
    assert ageing.loss(state, life).q_loss == pytest.approx(1.0 - 0.8**2, abs=1e-6)


def test_lithium_loses_fast_at_first_and_then_slower():
    by_year = [lived("naumann", days, "lifepo4", t_c=25.0) for days in (365, 730)]
    assert by_year[1] == pytest.approx(np.sqrt(2.0) * by_year[0], rel=2e-3)


def test_virtual_time_does_not_depend_on_the_order_of_stress():
    hot, cool = (86400.0 * 100, 45.0, 0.9), (86400.0 * 300, 10.0, 0.3)
    one = naumann.rested_for(naumann.rested_for(naumann.fresh(), *hot), *cool)
    other = naumann.rested_for(naumann.rested_for(naumann.fresh(), *cool), *hot)
    assert naumann.loss(one, LIFE).q_loss == pytest.approx(naumann.loss(other, LIFE).q_loss, rel=1e-12)


def test_swings_of_one_size_close_as_soon_as_they_are_complete():
    closed, pending = rainflow.counted((), [0.0, 1.0, 0.0, 1.0, 0.0])
    assert closed == [rainflow.Cycle(1.0, 0.5)] * 3
    assert pending == (1.0, 0.0)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=80), st.integers(1, 79))
def test_cycles_counted_in_two_parts_are_the_cycles_counted_at_once(values, cut):
    series = [v / 100.0 for v in values]
    whole, rest = rainflow.counted((), series)
    first, pending = rainflow.counted((), series[:cut])
    second, pending = rainflow.counted(pending, series[cut:])
    assert first + second == whole
    assert pending == rest


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=80))
def test_cycles_add_up_to_the_way_the_charge_went(values):
    series = [v / 100.0 for v in values]
    closed, pending = rainflow.counted((), series)
    half_cycles = [rainflow.Cycle(abs(b - a), 0.5) for a, b in itertools.pairwise(pending)]
    way = sum(2 * c.depth * c.times for c in (*closed, *half_cycles))
    assert way == pytest.approx(sum(abs(b - a) for a, b in itertools.pairwise(series)))


def test_a_year_of_days_leaves_few_turning_points_pending():
    rng = np.random.default_rng(3)
    pending: tuple[float, ...] = ()
    for _ in range(365):
        _, pending = rainflow.counted(pending, rng.uniform(0.2, 1.0, 24).tolist())
    assert len(pending) < 30


@pytest.mark.parametrize(
    ("law", "model"), [("weighted_ah", "agm"), ("rainflow", "gel"), ("naumann", "lifepo4")]
)
def test_an_age_survives_being_written_down(law, model):
    state = ageing.fresh(law, 0.95)
    for _ in range(3):
        state = ageing.age_one_day(state, a_day(frozen=1.0), load_block(model), LIFE)
    again = ageing.from_plain(json.loads(json.dumps(ageing.as_plain(state))))
    assert again == state
    assert ageing.age_one_day(again, a_day(), load_block(model), LIFE) == ageing.age_one_day(
        state, a_day(), load_block(model), LIFE
    )


@pytest.mark.parametrize(
    ("law", "model"), [("weighted_ah", "agm"), ("rainflow", "gel"), ("naumann", "lifepo4")]
)
def test_a_day_without_use_is_harmless_to_the_arithmetic(law, model):
    nothing = Hours(*(np.zeros(24) for _ in range(3)), np.full(24, -30.0), np.zeros(24), np.zeros(24))
    state = ageing.age_one_day(ageing.fresh(law), nothing, load_block(model), LIFE)
    assert 0.0 <= ageing.loss(state, LIFE).q_loss < 1e-3


# --- replacement ----------------------------------------------------------------------------------------------------


def worn(**battery: object) -> Plant:
    """A cabin in July whose battery lasts some weeks: its law is told that the maker promises little."""
    there = site(battery={"ageing": "rainflow", **battery})
    return Plant.new(there, 1, 1_782_864_000, "sizing", 3600)


@pytest.fixture
def short_lived(monkeypatch) -> None:
    monkeypatch.setattr("plant.site.model.Battery.life", lambda _: Life(cycles=0.4, float_years=0.5))


def ages(p: Plant) -> ageing.AgeingState:
    age = p.remembered().age
    assert age is not None
    return age


@pytest.mark.usefixtures("short_lived")
def test_a_worn_battery_is_replaced_at_80_percent_at_the_end_of_a_day_and_counted():
    p, healths = worn(), []
    before = p.snapshot
    for _ in range(120):
        faded_wh = p.snapshot.e_faded_wh
        p.run(DAY_S, 3600)
        healths.append(p.health)
        assert p.snapshot.e_faded_wh >= faded_wh - 1e-6  # a new battery brings no energy
    moments = ages(p).replaced_utc_s
    assert len(moments) >= 2
    assert min(healths) > 0.8
    assert healths.count(1.0) == len(moments)
    assert all((t - p.start_utc_s) % DAY_S == (moments[0] - p.start_utc_s) % DAY_S for t in moments)
    assert_closes(p, before, battery=2e-3)  # hourly steps


@pytest.mark.usefixtures("short_lived")
@pytest.mark.parametrize(
    ("battery", "least"), [({"replace_at_health": 0.9}, 0.9), ({"replace_at_health": 0.5}, 0.5)]
)
def test_the_health_at_which_it_is_replaced_is_a_key(battery, least):
    p, healths = worn(**battery), []
    for _ in range(90):
        p.run(DAY_S, 3600)
        healths.append(p.health)
    assert len(ages(p).replaced_utc_s) >= 1
    assert min(healths) > least
    assert min(healths) < least + 0.05


@pytest.mark.usefixtures("short_lived")
@pytest.mark.parametrize(
    "battery",
    [{"replace_at_health": 0.0}, {"replace_at_health": None}, {"health": 0.7}],
    ids=["0", "none", "begins worn"],
)
def test_a_battery_that_is_kept_wears_on(battery):
    p = worn(**battery)
    p.run(90 * DAY_S, 3600)
    assert ages(p).replaced_utc_s == ()
    assert p.health < 0.75


@pytest.mark.parametrize(
    ("model", "soc"), [("agm", 0.6), ("flooded", 0.95), ("gel", 0.05), ("lifepo4", 0.5), ("lifepo4", 0.0)]
)
def test_a_new_battery_holds_the_energy_of_the_one_that_it_replaces(model, soc):
    new = load_block(model)
    old = ageing.aged(new, Loss(0.2, 0.25))
    x = battery_model.rested(soc, 12.0, old)
    after = ageing.taken_over(x, old, new)
    assert battery_model.stored_wh(after, new) == pytest.approx(
        battery_model.stored_wh(x, old), rel=1e-9, abs=1e-9
    )
    assert battery_model.soc(after, new) == pytest.approx(0.8 * soc, abs=0.02)
    assert after.t_c == 12.0


@pytest.mark.usefixtures("short_lived")
def test_replacements_survive_being_written_down_and_the_plant_goes_on_to_the_same_bits():
    p = worn()
    p.run(60 * DAY_S, 3600)
    assert ages(p).replaced_utc_s
    again = continued(p.site, json.loads(json.dumps(saved_state(p))))
    assert ages(again) == ages(p)
    np.testing.assert_array_equal(again.run(40 * DAY_S, 3600), p.run(40 * DAY_S, 3600))
    assert ages(again).replaced_utc_s == ages(p).replaced_utc_s


@pytest.mark.usefixtures("short_lived")
def test_the_summary_tells_how_often_and_when():
    p = worn()
    before = p.snapshot
    trace = Trace(p.run(60 * DAY_S, 3600), "UTC", p.events(), "")
    out = io.StringIO()
    print_summary(p, trace, before, Console(file=out, width=80, highlight=False, soft_wrap=True))
    count = len(ages(p).replaced_utc_s)
    assert f"the battery was replaced {count} time" in out.getvalue()
    assert out.getvalue().count("battery: worn out to new: a new one put in its place") == count
    told = [event for event in trace.events if event.machine is WearPart.BATTERY]
    assert [event.t_utc_s for event in told] == list(ages(p).replaced_utc_s)
    assert [event.t_utc_s for event in trace.events] == sorted(event.t_utc_s for event in trace.events)
