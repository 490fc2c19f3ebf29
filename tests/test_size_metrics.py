"""Metrics of a design: published and hand-worked examples, intervals against SciPy's, costs, and what is printed."""

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from plant.battery import ageing
from plant.battery.wear import Hours, Life
from plant.site.costs import Costs
from plant.site.model import load_site
from tests.weatheryears import made
from tracertwin.pages.sizing import PAGE, current
from tracertwin.sizing.figures.intervals import (
    KEY,
    RESAMPLES,
    Estimate,
    finest_share,
    interval,
    resampled_means,
    share_interval,
)
from tracertwin.sizing.figures.life import life_used
from tracertwin.sizing.figures.lifecycle import (
    annuity,
    beginning,
    cost_per_kwh,
    life_cycle_cost,
    replacements,
)
from tracertwin.sizing.figures.metrics import METRIC, METRICS, metrics_of, worst_month, worst_year
from tracertwin.sizing.figures.monthly import NAMES, MonthlyFigures, figures_of
from tracertwin.sizing.figures.outages import outages_of
from tracertwin.sizing.figures.plantsize import PlantSize, size_of
from tracertwin.sizing.figures.printing import formatted, formatted_value

SIZE = PlantSize(
    peak_w=200.0, controller_a=20.0, capacity_ah=100.0, blocks=1, lithium=False, empty_soc=0.1, usable_wh=1000.0,
    life_full_cycles=500.0, life_years=10.0, ages=False,
)  # fmt: skip
COSTS = Costs()
SAME = Costs(battery_life_years=8.0, upkeep_per_year=10.0)


def figures(years: int, seed: int = 1) -> MonthlyFigures:
    """Random figures of some years."""
    rng = np.random.default_rng(seed)
    table = rng.exponential(100.0, (years, 12, len(NAMES)))
    table[..., NAMES.index("demand_wh")] += table[..., NAMES.index("unserved_wh")]
    table[..., NAMES.index("hours")] = 730.0
    return MonthlyFigures(table)


# --- definitions ---


def test_the_loss_probabilities_of_an_example_worked_by_hand():
    """4 usable units, full; each step asks for 3, the sun gives 5, 1, 0, 0.5, 6: unmet are 0, 0, 1, 2.5, 0."""
    charge, unmet, unused = 4.0, [], []
    for sun in (5.0, 1.0, 0.0, 0.5, 6.0):
        charge += sun - 3.0
        unmet.append(max(0.0, -charge))
        unused.append(max(0.0, charge - 4.0))
        charge = min(4.0, max(0.0, charge))
    assert (unmet, sum(unused), charge) == ([0.0, 0.0, 1.0, 2.5, 0.0], 2.0, 3.0)
    hours = made(5, e_load_wh=3.0 - np.array(unmet), e_unserved_wh=unmet, e_untaken_full_wh=unused)
    metrics = metrics_of(MonthlyFigures(figures_of(hours).table[None]), SIZE, COSTS)
    assert metrics["lpsp"].value == pytest.approx(3.5 / 15.0)
    assert metrics["lolp"].value == pytest.approx(2 / 5)
    assert metrics["solar_fraction"].value == pytest.approx(1.0 - 3.5 / 15.0)
    assert metrics["spilled_kwh"].value == pytest.approx(0.002)
    assert metrics["outages"].value == 1
    assert outages_of(hours).length_h == pytest.approx([1 / 3 + 50 / 60])  # 20 minutes, then 50


def test_each_metric_follows_from_the_figures_of_its_formula():
    columns = {
        "hours": 8760.0, "days": 365.0, "demand_wh": 100e3, "unserved_wh": 2e3, "e_charger_1_wh": 8e3,
        "poa_wh_m2": 1500e3, "e_pv_wh": 180e3, "e_untaken_full_wh": 40e3, "e_untaken_limit_wh": 3e3, "soc_h": 7008.0,
        "cycled": 50.0, "charger_1_h": 30.0, "charger_2_h": 4.0, "charger_1_starts": 9.0, "fuel_l": 12.0,
        "days_full": 300.0, "days_empty": 5.0, "lost_wh": 30e3, "missed_wh": 2e3,
    }  # fmt: skip
    table = np.zeros((1, 12, len(NAMES)))
    for name, value in columns.items():
        table[0, 6, NAMES.index(name)] = value
    metrics = metrics_of(MonthlyFigures(table), SIZE, COSTS)
    wanted = {
        "lpsp": 0.02, "unserved_kwh": 2.0, "solar_fraction": 0.9, "autonomy_d": 3.65, "performance_ratio": 0.3,
        "specific_yield": 900.0, "spilled_kwh": 40.0, "clipped_kwh": 3.0, "mean_soc": 0.8, "cycles": 50.0,
        "battery_life_years": 5.0, "replacements": 3.0, "charger_h": 34.0, "charger_starts": 9.0, "fuel_l": 12.0,
        "pvgis_days_full": 300 / 365, "pvgis_days_empty": 5 / 365, "pvgis_lost_wh": 100.0, "pvgis_missed_wh": 400.0,
        "pvgis_delivered_wh": 98e3 / 365,
    }  # fmt: skip
    assert {name: metrics[name].value for name in wanted} == pytest.approx(wanted)


def test_every_metric_has_a_name_a_definition_and_one_way_to_be_worked_out():
    assert len(METRIC) == len(METRICS)
    for metric in METRICS:
        assert metric.label, metric.name
        assert metric.formula, metric.name
        assert metric.meaning, metric.name
        assert sum(map(bool, (metric.mean, metric.most, metric.share))) == 1, metric.name


@given(st.permutations(range(12)), st.permutations(range(5)))
def test_neither_the_order_of_months_nor_that_of_years_changes_a_metric(months, years):
    table = figures(5).table
    before = metrics_of(MonthlyFigures(table), SIZE, COSTS)
    after = metrics_of(MonthlyFigures(table[list(years)][:, list(months)]), SIZE, COSTS)
    for name, estimate in before.items():
        assert after[name].value == pytest.approx(estimate.value, rel=1e-12), name


def test_the_worst_year_and_month_are_those_that_served_least():
    table = np.zeros((3, 12, len(NAMES)))
    table[..., NAMES.index("demand_wh")] = 100.0
    table[1, 11, NAMES.index("unserved_wh")] = 5.0
    table[2, 0, NAMES.index("unserved_wh")] = 4.0
    assert (worst_year(MonthlyFigures(table)), worst_month(MonthlyFigures(table))) == (1, 11)


def test_of_years_that_served_all_the_worst_drained_the_battery_deepest():
    table = np.zeros((3, 12, len(NAMES)))
    table[2, 1, NAMES.index("drained")] = 0.4
    table[1, 0, NAMES.index("drained")] = 0.3
    assert (worst_year(MonthlyFigures(table)), worst_month(MonthlyFigures(table))) == (2, 1)


# --- intervals ---


def drawn() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=np.array(KEY, dtype=np.uint64)))


def test_the_interval_of_a_mean_is_scipy_s_with_the_same_draws():
    sample = np.random.default_rng(3).gamma(2.0, 5.0, 20)
    theirs = stats.bootstrap(
        (sample,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=drawn(), batch=RESAMPLES
    ).confidence_interval
    assert interval(resampled_means(sample[:, None])[1:, 0]) == pytest.approx(tuple(theirs), rel=1e-12)


def test_the_interval_of_the_loss_probability_is_scipy_s_of_a_ratio_of_sums():
    made_up = figures(15)
    unserved, demand = made_up.yearly("unserved_wh"), made_up.yearly("demand_wh")

    def share(years: np.ndarray, axis: int) -> np.ndarray:
        return unserved[years].sum(axis=axis) / demand[years].sum(axis=axis)

    theirs = stats.bootstrap(
        (np.arange(15),), share, n_resamples=RESAMPLES, method="percentile", rng=drawn(), batch=RESAMPLES
    ).confidence_interval
    ours = metrics_of(made_up, SIZE, COSTS)["lpsp"]
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), rel=1e-12)
    assert ours.low < ours.value < ours.high


@pytest.mark.parametrize(("times", "years"), [(0, 20), (20, 20), (7, 20), (1, 1)])
def test_the_interval_of_a_share_of_years_is_the_exact_one(times, years):
    theirs = stats.binomtest(times, years).proportion_ci(0.95, "exact")
    assert share_interval(times, years) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty_or_nearly():
    """Few years and skewed losses make the percentile interval a little short, as is known of it."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(300):
        low, high = interval(resampled_means(rng.gamma(2.0, 5.0, (20, 1)))[1:, 0])
        hits += low <= 10.0 <= high
    assert 0.88 <= hits / 300 <= 0.97


def test_designs_share_their_draws_so_that_a_better_one_is_better_in_each():
    table = figures(10).table
    better = table.copy()
    better[..., NAMES.index("unserved_wh")] *= 0.9
    one, other = (metrics_of(MonthlyFigures(each), SIZE, COSTS)["unserved_kwh"] for each in (table, better))
    assert (other.value, other.low, other.high) == pytest.approx(
        (0.9 * one.value, 0.9 * one.low, 0.9 * one.high)
    )


def test_one_year_has_no_interval():
    estimate = metrics_of(figures(1), SIZE, COSTS)["lpsp"]
    assert math.isnan(estimate.low)
    assert "(" not in formatted(estimate, "0..1")


# --- life ---


LIFE = Life(full_cycles=500.0, float_years=10.0)
SITES_OF_LAWS = {"weighted_ah": "cabin", "rainflow": "cabin", "naumann": "motorhome"}


def day(p: ageing.Parameters, depth: float = 0.3) -> Hours:
    """A day that takes a share of the capacity and gives it back."""
    ah = depth * ageing.battery.rated_ah(p) / 12.0
    half = np.repeat([1.0, 0.0], 12)
    soc = 1.0 - depth * np.concatenate([np.linspace(0.0, 1.0, 12), np.linspace(1.0, 0.0, 12)])
    full = np.full(24, 1.0)
    return Hours(ah * (1.0 - half), ah * half, soc, 20.0 * full, 2.1 * p.cells * full, 0.0 * full)


@pytest.mark.parametrize(("law", "name"), SITES_OF_LAWS.items())
def test_the_share_of_life_of_a_year_is_that_of_a_battery_that_lives_on_until_it_is_worn(law, name):
    """The law itself is run day by day until 80 % is left, whatever the shape of its decline."""
    p = load_site(name).battery.new()
    state = ageing.fresh(law)
    states = [state]
    while ageing.loss(state, LIFE).q_loss < 0.2:
        state = ageing.age_one_day(state, day(p), p, LIFE)
        states.append(state)
    assert len(states) > 2 * 365
    used = life_used(states[0], states[365], LIFE)
    assert 1.0 / used == pytest.approx((len(states) - 1) / 365.0, rel=0.01)


def test_a_battery_that_hardly_ages_lasts_a_hundred_years_and_no_longer():
    state = ageing.fresh("rainflow")
    assert life_used(state, state, LIFE) == 0.01


def test_a_frozen_battery_is_replaced_after_its_first_winter():
    state = ageing.fresh("rainflow")
    assert life_used(state, state._replace(freezings=1), LIFE) == pytest.approx(2.0, rel=0.01)


def test_life_without_a_law_is_cycles_and_years_together_unless_it_is_given():
    table = figures(4).table
    table[..., NAMES.index("cycled")] = 100.0 / 12.0
    by_file = metrics_of(MonthlyFigures(table), SIZE, COSTS)["battery_life_years"].value
    assert by_file == pytest.approx(1.0 / (100.0 / 500.0 + 1.0 / 10.0))
    assert metrics_of(MonthlyFigures(table), SIZE, SAME)["battery_life_years"].value == 8.0
    table[..., NAMES.index("life_used")] = 0.25 / 12.0
    by_law = metrics_of(MonthlyFigures(table), SIZE._replace(ages=True), COSTS)["battery_life_years"].value
    assert by_law == pytest.approx(4.0)


# --- cost ---


def test_the_life_cycle_cost_of_an_example_worked_by_hand():
    """200 Wp, 20 A, 100 Ah of AGM that lasts 8 years, 5 % over 20 years; 10 a year of upkeep, 5 l of fuel, 300 kWh.

    To build: 90 + 70 + 70 + 190 = 420. Batteries after 8 and 16 years: 190 (0.676839 + 0.458112) = 215.641. Yearly:
    19 x 12.462210 = 236.782. Together 872.423; of which 0.0802426 a year, 70.0055, over 300 kWh.
    """
    assert tuple(beginning(SIZE, SAME)) == pytest.approx((90.0, 70.0, 70.0, 190.0, 0.0))
    number, worth = replacements(np.array([8.0]), SAME)
    assert (number[0], worth[0]) == (2, pytest.approx(0.676839 + 0.458112, abs=1e-6))
    assert annuity(0.05, 20) == pytest.approx(12.462210, abs=1e-6)
    cost = life_cycle_cost(SIZE, SAME, np.array([8.0]), np.array([5.0]))
    assert cost[0] == pytest.approx(872.423, abs=1e-3)
    assert cost_per_kwh(cost, np.array([300.0]), SAME)[0] == pytest.approx(0.233352, abs=1e-6)


@pytest.mark.parametrize(("life", "bought"), [(4.0, 4), (5.0, 3), (20.0, 0), (19.9, 1), (40.0, 0)])
def test_no_battery_is_bought_when_the_time_is_up(life, bought):
    assert replacements(np.array([life]), COSTS)[0][0] == bought


@pytest.mark.parametrize("years", [20, 28, 30, 60])
@pytest.mark.parametrize("interest", [0.0, 0.05])
def test_batteries_are_counted_exactly_whatever_life_is_given(years, interest):
    """Lives of a tenth of a year and up, beside the counting of tenths: adding them up would be a purchase off."""
    costs = Costs(years=years, interest=interest)
    for tenths in range(1, 10 * years + 2):
        times = np.arange(tenths, 10 * years, tenths)
        number, worth = replacements(np.array([tenths / 10.0]), costs)
        assert number[0] == times.size
        assert worth[0] == pytest.approx(np.sum((1.0 + interest) ** (-times / 10.0)), rel=1e-12)


def test_without_interest_later_payments_weigh_as_much_as_early_ones():
    free = Costs(interest=0.0, battery_life_years=5.0, upkeep_per_year=7.0)
    cost = life_cycle_cost(SIZE, free, np.array([5.0]), np.zeros(1))
    assert cost[0] == pytest.approx(420.0 + 3 * 190.0 + 20 * 7.0)


def test_lithium_and_a_second_block_have_their_price():
    assert beginning(SIZE._replace(lithium=True), COSTS).battery == pytest.approx(300.0)
    assert beginning(SIZE._replace(blocks=2), COSTS).battery == pytest.approx(380.0)
    assert beginning(SIZE, Costs(battery_per_ah=2.5)).battery == pytest.approx(250.0)


def test_energy_that_is_not_served_makes_the_rest_dearer():
    table = figures(4).table
    worse = table.copy()
    worse[..., NAMES.index("unserved_wh")] *= 1.5
    cheap, dear = (metrics_of(MonthlyFigures(each), SIZE, SAME)["lcoe"] for each in (table, worse))
    assert dear.value > cheap.value


def test_prices_of_a_site_file_are_taken_and_the_rest_stays_at_its_default():
    site = load_site("cabin")
    assert site.costs == Costs()
    dear = type(site).model_validate({**site.model_dump(), "costs": {"currency": "CHF", "module_per_w": 1.0}})
    assert beginning(size_of(dear), dear.costs).modules == pytest.approx(size_of(site).peak_w)
    assert (
        formatted(Estimate(1234.0, 1200.0, 1300.0, 20), "money", dear.costs.currency)
        == "1,230 CHF (1,200 to 1,300)"
    )


# --- print ---


@pytest.mark.parametrize(
    ("estimate", "unit", "text"),
    [
        (Estimate(0.0551, 0.0453, 0.0662, 20, 5e-4), "0..1", "5.5 % (4.5 to 6.6)"),
        (Estimate(0.0, 0.0, 0.0, 20, 5e-4), "0..1", "< 0.05 %"),
        (Estimate(0.0004, 0.0, 0.001, 20, 5e-4), "0..1", "< 0.05 %"),
        (Estimate(123.4, 80.0, 160.0, 20), "h a year", "120 h a year (80 to 160)"),
        (Estimate(3.0, 3.0, 3.0, 20), "", "3"),
        (Estimate(0.0, 0.0, 0.0, 20), "l a year", "0 l a year"),
        (Estimate(726.185, 725.64, 726.84, 8), "money", "726 EUR (726 to 727)"),
        (Estimate(1.0, 0.83157, 1.0, 20), "0..1", "100 % (83 to 100)"),
        (Estimate(166.85, math.nan, math.nan, 8), "h", "167 h"),
        (Estimate(0.05432, math.nan, math.nan, 1, 0.01), "0..1", "5.4 %"),
        (Estimate(math.nan, math.nan, math.nan, 20), "Wh a day", "-"),
    ],
)  # fmt: skip
def test_nothing_is_printed_finer_than_the_years_tell(estimate, unit, text):
    assert formatted(estimate, unit) == text
    assert formatted_value(estimate, unit) == text.partition(" (")[0]


@pytest.mark.parametrize(("years", "share"), [(1, 0.01), (20, 0.0005), (100, 0.0001)])
def test_what_some_years_can_tell_is_a_day_that_the_rule_of_three_allows(years, share):
    """One lost day in a year that may come 3 / n times: 0.041 % in 20 years."""
    assert finest_share(years) == pytest.approx(share)


# --- page ---


def test_the_tables_of_the_page_are_those_of_the_code():
    page = PAGE.read_text(encoding="utf-8")
    assert current(page) == page, "run: python -m tracertwin.pages.sizing"


def test_the_page_says_what_so_many_years_can_tell():
    rows = re.findall(r"^\| (\d+) \| < ([\d.]+) % \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 4
    assert [float(shown) for _, shown in rows] == pytest.approx(
        [100.0 * finest_share(int(n)) for n, _ in rows]
    )
