"""Choosing: the cheapest design found without running all, the front, what would help, and the answer in words."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.site.costs import Costs
from tracertwin.sizing.choosing import search as searching
from tracertwin.sizing.choosing.judged import judged
from tracertwin.sizing.choosing.remedies import Remedy, ladder
from tracertwin.sizing.choosing.search import (
    Search,
    cheapest,
    front,
    least_enough,
    more_serves_more,
    nearest,
)
from tracertwin.sizing.choosing.targets import Target, met, targets_of, targets_text
from tracertwin.sizing.choosing.verdict import (
    money,
    outages_told,
    run_command,
    verdict,
    worst_told,
    years_to_tell,
)
from tracertwin.sizing.figures.intervals import Estimate, share_interval
from tracertwin.sizing.figures.monthly import NAMES, NEVER, MonthlyFigures
from tracertwin.sizing.sweep.designs import base_of
from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis
from tracertwin.sizing.sweep.years import WeatherYear

TARGETS = targets_of(lolp=0.01, lpsp=None, no_outage=None)


def fake(loss: float, cost: float):
    """As much of a judged design as choosing looks at."""
    metrics = {"lolp": Estimate(loss, loss, loss, 20), "lpsp": Estimate(loss, loss, loss, 20)}
    return SimpleNamespace(metrics=metrics, cost=cost)


# --- targets ---


def test_without_a_target_19_of_20_years_have_to_be_without_an_outage():
    assert targets_of(None, None, None) == (Target("no_outage", 0.95),)
    assert targets_text(targets_of(0.01, None, 0.9)) == "LOLP at most 1 % and no outage in 90 % of years"


def test_all_targets_have_to_be_met():
    targets = targets_of(0.01, 0.02, None)
    metrics = {"lolp": Estimate(0.005, 0, 0, 9), "lpsp": Estimate(0.03, 0, 0, 9)}
    assert not met(targets, metrics)
    assert met(targets[:1], metrics)
    assert targets[1].lacks(metrics) == pytest.approx(0.01)


# --- search ---


@st.composite
def grids(draw):
    """A grid of PV, battery and tilt: losses fall with both sizes; costs are what they are, at least a known sum."""
    sizes = (draw(st.integers(1, 6)), draw(st.integers(1, 7)), draw(st.integers(1, 3)))
    steps = [draw(st.lists(st.floats(0.0, 0.01), min_size=n, max_size=n)) for n in sizes]
    base = draw(st.floats(0.0, 0.05))
    loss, least, cost = {}, {}, {}
    for place in product(*map(range, sizes)):
        loss[place] = max(
            0.0, base - sum(steps[0][: place[0]]) - sum(steps[1][: place[1]]) + 10 * steps[2][place[2]]
        )
        least[place] = 100.0 + 37.0 * place[0] + 23.0 * place[1]
        cost[place] = least[place] + draw(st.integers(0, 60))
    return sizes, loss, least, cost


@settings(max_examples=150)
@given(grids())
def test_the_search_finds_the_cheapest_that_a_look_at_all_would(grid):
    sizes, loss, least, cost = grid
    keys = (PV, BATTERY, "array.tilt_deg")
    axes = [Axis(key, tuple(range(1, n + 1))) for key, n in zip(keys, sizes, strict=True)]
    places = list(product(*map(range, sizes)))
    designs = [SimpleNamespace(place=place) for place in places]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searching, "least_cost", lambda design: least[design.place])
        search = Search(axes, designs, TARGETS, lambda design: fake(loss[design.place], cost[design.place]))
        search.run()
        found = cheapest(search.judged.values(), TARGETS)
    enough = [place for place in places if loss[place] <= 0.01]
    if not enough:
        assert found is None
        assert nearest(search.judged.values(), TARGETS).metrics["lolp"].value == min(loss.values())
        return
    assert found.cost == min(cost[place] for place in enough)


GENERATOR = {
    "name": "generator", "current_a": 20, "voltage_v": 28.4, "start_below_soc": 0.4, "stop_above_soc": 0.95,
    "hours": [[17, 20]],
}  # fmt: skip


@pytest.mark.parametrize(
    ("charger", "holds"),
    [(GENERATOR, False), ({"name": "mains", "current_a": 20, "voltage_v": 28.4, "hours": [[17, 20]]}, True)],
    ids=["waits for a low charge", "runs in its hours"],
)
def test_more_serves_more_unless_a_charger_waits_for_a_low_charge(charger, holds):
    keys = {"battery.system_v": 24, "battery.chargers": [charger], "array.series": 2}
    assert more_serves_more(base_of("cabin", keys).design().site) is holds


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 90)), min_size=1, max_size=12))
def test_where_more_may_serve_less_the_search_still_finds_the_cheapest(rows):
    axes = [Axis(PV, tuple(range(1, len(rows) + 1)))]
    designs = [SimpleNamespace(place=place) for place in range(len(rows))]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(searching, "least_cost", lambda design: 100.0 + 10.0 * design.place)

        def judge(design):
            enough, more = rows[design.place]
            return fake(0.0 if enough else 0.2, 100.0 + 10.0 * design.place + more)

        search = Search(axes, designs, TARGETS, judge, ordered=False)
        search.run()
    costs = [100.0 + 10.0 * place + more for place, (enough, more) in enumerate(rows) if enough]
    best = cheapest(search.judged.values(), TARGETS)
    assert (best and best.cost) == min(costs, default=None)


@given(st.lists(st.booleans(), max_size=30))
def test_without_an_order_the_first_that_is_enough_is_found_all_the_same(enough):
    assert least_enough(len(enough), lambda k: enough[k], ordered=False) == (
        enough.index(True) if True in enough else None
    )


def test_a_search_runs_few_designs_of_a_large_grid(monkeypatch):
    """12 arrays and 20 batteries; one in four hundred would do for a look at all."""
    axes = [Axis(PV, tuple(range(1, 13))), Axis(BATTERY, tuple(range(1, 21)))]
    designs = [SimpleNamespace(pv=pv, ah=ah) for pv, ah in product(*(axis.values for axis in axes))]
    monkeypatch.setattr(searching, "least_cost", lambda design: 50.0 * design.pv + 20.0 * design.ah)
    search = Search(
        axes, designs, TARGETS,
        lambda design: fake(max(0.0, 0.2 - 0.012 * design.pv - 0.008 * design.ah), 50.0 * design.pv + 20.0 * design.ah),
    )  # fmt: skip
    search.run()
    best = cheapest(search.judged.values(), TARGETS)
    assert best is not None
    assert best.cost == min(
        50 * pv + 20 * ah
        for pv in range(1, 13)
        for ah in range(1, 21)
        if 0.2 - 0.012 * pv - 0.008 * ah <= 0.01 + 1e-12
    )
    assert len(search.judged) < 60


@given(number=st.integers(0, 40), first=st.integers(0, 45))
def test_the_first_that_is_enough_is_found_by_halving(number, first):
    asked = []

    def is_enough(k: int) -> bool:
        asked.append(k)
        return k >= first

    assert least_enough(number, is_enough) == (first if first < number else None)
    assert len(asked) <= 8


def test_the_front_has_what_nothing_beats_in_both():
    designs = [
        fake(0.1, 100),
        fake(0.05, 150),
        fake(0.05, 160),
        fake(0.06, 170),
        fake(0.0, 300),
        fake(0.0, 290),
    ]
    assert [(one.cost, one.metrics["lpsp"].value) for one in front(designs)] == [
        (100, 0.1),
        (150, 0.05),
        (290, 0.0),
    ]


@given(now=st.floats(1.0, 5000.0))
def test_remedies_are_tried_in_round_steps_of_about_a_twentieth(now):
    steps = ladder(now)
    assert now < steps[0] <= 1.08 * now
    assert 4.7 * now < steps[-1] <= 5.0 * now * (1.0 + 1e-6)
    apart = np.diff(steps)
    assert apart == pytest.approx(apart[0])
    assert f"{apart[0]:.10g}".replace(".", "").strip("0") in ("1", "2", "5")


# --- words ---

BASE = base_of("cabin", {})
DESIGN = BASE.design()


def years_with(outages: dict[int, tuple[int, float, float]], years: int = 4):
    """The cabin through some years, of which some have so many outages, hours and first moment."""
    table = np.zeros((years, 12, len(NAMES)))
    column = {name: table[:, :, place] for place, name in enumerate(NAMES)}
    column["first_outage_utc_s"][:] = NEVER
    column["hours"][:], column["days"][:] = 730.0, 30.4
    column["demand_wh"][:], column["e_pv_wh"][:], column["soc_h"][:] = 7000.0, 8000.0, 600.0
    column["cycled"][:], column["drained"][:, 11] = 5.0, 0.5
    for year, (number, hours, first_utc_s) in outages.items():
        column["outages"][year, 11], column["outage_h"][year, 11] = number, hours
        column["longest_outage_h"][year, 11], column["first_outage_utc_s"][year, 11] = hours, first_utc_s
        column["unserved_h"][year, 11], column["unserved_wh"][year, 11] = hours, 12.0 * hours
    return judged(DESIGN, tuple(WeatherYear(906, 2026 + k) for k in range(years)), MonthlyFigures(table))


CHRISTMAS = np.datetime64("2027-12-26T16:07", "s").astype(float)  # 17:07 in Zurich


def test_a_site_that_will_do_is_told_so():
    assert verdict(years_with({}), targets_of(None, None, None)).startswith("Yes: no outage in 4 years")


def test_a_yes_says_how_little_so_few_years_without_an_outage_prove():
    assert verdict(years_with({}), targets_of(None, None, None)) == (
        "Yes: no outage in 4 years; 4 years prove only that 40 % of years have none, 95 % takes 72 without"
    )
    assert verdict(years_with({}, years=1), targets_of(None, None, 1.0)) == (
        "Yes: no outage in 1 year; 1 year proves only that 3 % of years have none"
    )
    assert verdict(years_with({}, years=72), targets_of(None, None, None)) == "Yes: no outage in 72 years"
    assert share_interval(71, 71)[0] < 0.95 <= share_interval(72, 72)[0]


def test_the_year_of_the_first_outage_is_told_where_it_is_not_that_of_its_solar_year():
    """Solar years begin at solar midnight, which may be in the evening of the year before."""
    new_year = np.datetime64("2025-12-31T22:30", "s").astype(float)
    one = years_with({0: (1, 4.2, new_year), 1: (1, 3.0, CHRISTMAS)})
    assert outages_told(one).endswith("in the worst, 2026, 1 outage, 4.2 h, first 31 Dec 2025 23:30")


def test_a_site_that_will_not_do_is_told_when_and_how_often_and_what_would():
    one = years_with({1: (2, 36.0, CHRISTMAS), 3: (1, 5.0, CHRISTMAS + 2 * 365 * 86400)})
    dear = one.with_costs(replace_costs(other=85.0))
    told = verdict(one, targets_of(None, None, None), [Remedy("500 W", dear), Remedy("260 Ah", dear)])
    assert told == (
        "No: outages in 2 of 4 years; in the worst, 2027, 2 outages, 36 h, first 26 Dec 17:07; "
        "500 W (+85 EUR) or 260 Ah (+85 EUR) would do"
    )


def replace_costs(**changes: float) -> Costs:
    return DESIGN.site.costs.model_copy(update=changes)


def test_one_year_is_told_by_itself_and_without_help_nothing_is_promised():
    one = years_with({0: (1, 4.2, CHRISTMAS - 365 * 86400)}, years=1)
    assert outages_told(one) == "1 outage, 4.2 h, first 26 Dec 17:07"
    assert verdict(one, targets_of(None, None, None)).endswith(
        "; neither five times the array nor five times the battery alone would do"
    )


def test_a_loss_that_has_a_limit_is_told_with_it():
    one = years_with({1: (2, 365.0, CHRISTMAS)})
    assert verdict(one, targets_of(0.005, None, None)).startswith(
        "No: LOLP 1.0 % (0.0 to 3.1), more than 0.5 %; outages in"
    )
    assert verdict(one, targets_of(0.02, None, None)).startswith(
        "Yes: LOLP 1.0 % (0.0 to 3.1), within 2 %; outages in"
    )


def test_a_limit_below_what_the_years_can_tell_is_told_with_how_many_could():
    assert verdict(years_with({}), targets_of(0.001, None, None)) == (
        "Yes: LOLP 0 %, within 0.1 %; 4 years can't tell less than 0.5 %, to tell 0.1 % takes 9; no outage in 4 years"
    )
    assert [years_to_tell(share) for share in (0.01, 0.001, 0.0005, 0.0001)] == [1, 9, 17, 83]


def test_yes_and_no_never_have_the_same_figure():
    one = years_with({1: (2, 36.0, CHRISTMAS)})
    assert one.metrics["lolp"].value == 36.0 / 35040.0  # which 4 years can't tell from nothing
    told = [verdict(one, targets_of(limit, None, None)) for limit in (0.00103, 0.00102, 0.001027, 0.01)]
    assert [text.partition(";")[0] for text in told] == [
        "Yes: LOLP 0.1027 %, within 0.103 %",
        "No: LOLP 0.103 %, more than 0.102 %",
        "No: LOLP 0.103 %, more than 0.1027 %",
        "Yes: LOLP < 0.5 %, within 1 %",
    ]


def test_the_worst_year_comes_with_the_command_that_runs_it():
    one = years_with({1: (2, 36.0, CHRISTMAS)})
    assert worst_told(one) == "worst month December, worst year 2027 with seed 906"
    assert run_command(one, "my cabin.yaml", 900) == (
        "tracertwin run 'my cabin.yaml' --seed 906 --start 2025-10-03T01:00 --days 820 --fidelity sizing --step 15min"
    )


def test_money_is_told_in_whole_units():
    assert [money(1234.5, signed=True), money(-36.7, signed=True), money(803.4)] == ["+1,234", "-37", "803"]


def test_a_design_keeps_what_its_base_changes():
    own = replace(BASE, overrides={"battery.soc": 0.5})
    assert own.design([Axis(PV, (200.0,))], [200.0]).overrides["battery.soc"] == 0.5


def test_a_loss_that_the_years_do_tell_is_more_than_a_limit_they_could_not():
    one = years_with({1: (2, 365.0, CHRISTMAS)})
    assert verdict(one, targets_of(0.001, None, None)).startswith(
        "No: LOLP 1.0 % (0.0 to 3.1), more than 0.1 %;"
    )


def test_no_loss_at_all_may_be_asked_for():
    assert verdict(years_with({}), targets_of(0.0, None, None)) == (
        "Yes: LOLP 0 %, within 0 %; 4 years can't tell less than 0.5 %; no outage in 4 years"
    )
    assert verdict(years_with({1: (2, 365.0, CHRISTMAS)}), targets_of(0.0, 0.0, None)).startswith(
        "No: LOLP 1.0 %"
    )


def test_of_designs_that_are_dark_in_every_year_the_nearest_is_the_one_that_loses_least():
    worse = years_with(dict.fromkeys(range(4), (2, 400.0, CHRISTMAS)))
    better = years_with(dict.fromkeys(range(4), (1, 40.0, CHRISTMAS))).with_costs(replace_costs(other=500.0))
    assert nearest([worse, better], targets_of(None, None, None)) is better
