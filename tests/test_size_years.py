"""Weather years: which there are, a warm-up that forgets the initial charge, the same days for every design."""

from datetime import UTC, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from plant.base.problems import ProblemsError
from plant.plant import Plant
from plant.site.model import Site
from plant.weather import sun
from tests import weatherfiles as files
from tests.plants import site
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.figures.hours import COLUMNS, hours_of
from tracertwin.sizing.figures.monthly import MonthlyFigures, figures_of
from tracertwin.sizing.figures.plantsize import size_of
from tracertwin.sizing.sweep.evaluating import run_years, tables_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.years import WeatherYear, blocks_of, repeating, span_of, spans_of, weather_years

HOUR = 3600
YEAR = WeatherYear(906, 2026)


@pytest.fixture(scope="module")
def days() -> SharedDays:
    return SharedDays(KeptSkies())


def figures_of_year(there: Site, when: WeatherYear, step_s: int, days: SharedDays) -> MonthlyFigures:
    """Of a year that has a run of its own."""
    return MonthlyFigures(tables_of(there, [when], step_s, days)[0])


def measured(tmp_path, data: pd.DataFrame | None = None, **weather) -> Site:
    """A site with a year of measured weather, or with what is given."""
    path = files.csv_file(tmp_path / "year.csv", files.year_of_light() if data is None else data)
    place = {"latitude_deg": files.LATITUDE, "longitude_deg": files.LONGITUDE, "altitude_m": files.ALTITUDE}
    return site(
        location={**place, "linke_turbidity": 3.0},
        sky={"clearness": None},
        weather={"file": str(path), "utc_offset_h": files.ZONE_H, "temperature_c": None, **weather},
    )


# --- which years ---


def test_made_years_follow_one_another_from_that_of_the_start_for_each_seed():
    assert weather_years(site(), 3, ()) == tuple(WeatherYear(906, year) for year in (2026, 2027, 2028))
    assert [when.seed for when in weather_years(site(), 2, (7, 8))] == [7, 7, 8, 8]
    assert len(weather_years(site(), None, ())) == 20


def test_seeds_do_not_count_the_years_of_a_file_again(tmp_path):
    there = repeating(measured(tmp_path))
    assert weather_years(there, None, (7,)) == (WeatherYear(7, 2023),)
    with pytest.raises(ProblemsError, match=r"--seeds: the weather of a file is the same for every seed"):
        weather_years(there, None, (1, 2))


def test_years_that_follow_one_another_share_a_run_of_at_most_five():
    years = [WeatherYear(1, 2026 + k) for k in range(7)] + [WeatherYear(1, 2040), WeatherYear(2, 2041)]
    assert [[when.year for when in block] for block in blocks_of(years)] == [
        [2026, 2027, 2028, 2029, 2030], [2031, 2032], [2040], [2041],
    ]  # fmt: skip
    spans = spans_of(years[:3], 9.84)
    assert [span.days for span in spans] == [90 + 365, 365, 366]
    assert all(
        after.begins_utc_s == after.year_utc_s == before.ends_utc_s for before, after in pairwise(spans)
    )


def test_a_year_is_that_of_the_place_s_solar_time_after_90_days_of_warm_up():
    span = span_of(2028, 9.84)
    assert datetime.fromtimestamp(span.year_utc_s, UTC) == datetime(2027, 12, 31, 23, tzinfo=UTC)
    assert (span.ends_utc_s - span.year_utc_s) / 86400 == 366
    assert (span.year_utc_s - span.begins_utc_s) / 86400 == 90
    assert sun.date_of(span.first_day).isoformat() == "2027-10-03"
    assert span.days == 366 + 90


def test_the_one_year_of_a_file_warms_up_on_its_own_end(tmp_path, days):
    there = repeating(measured(tmp_path))
    assert weather_years(there, None, ()) == (WeatherYear(906, 2023),)
    figures = figures_of_year(there, WeatherYear(906, 2023), HOUR, days)
    light = files.year_of_light()["ghi"].sum()
    assert figures.yearly("hours") == 8760
    assert figures.yearly("poa_wh_m2") == pytest.approx(1.1 * light, rel=0.1)  # tilted by 23 deg


@pytest.mark.parametrize("repeat", [None, False])
def test_the_years_of_a_long_file_follow_one_another_in_one_run(tmp_path, days, repeat):
    """Three years, of which the first has a warm-up only where the file begins anew after the last."""
    one = files.year_of_light()
    three = pd.concat(
        [one.set_axis(one.index - pd.DateOffset(years=ago)) * (1.0 - 0.1 * ago) for ago in (2, 1, 0)]
    )
    there = measured(tmp_path, three, repeat=repeat)
    years = weather_years(repeating(there), None, ())
    assert [when.year for when in years] == ([2021, 2022, 2023] if repeat is None else [2022, 2023])
    found = tables_of(repeating(there), years, HOUR, days)
    assert np.array_equal(found, plainly_run(repeating(there), list(years), files.LONGITUDE))
    of_light = MonthlyFigures(found).yearly("poa_wh_m2")
    assert of_light / of_light[-1] == pytest.approx([0.8, 0.9, 1.0][-len(years) :], rel=0.02)


def test_a_file_that_does_not_repeat_has_the_years_with_a_warm_up_in_it(tmp_path):
    there = repeating(measured(tmp_path, repeat=False))
    with pytest.raises(
        ProblemsError, match=r"no whole calendar year with 90 days before it; set weather\.repeat"
    ):
        weather_years(there, None, ())


def test_more_years_than_a_file_has_are_refused(tmp_path):
    with pytest.raises(
        ProblemsError, match=r"--years: the weather file has 1 whole year \(2023 to 2023\), got 5"
    ):
        weather_years(repeating(measured(tmp_path)), 5, ())


# --- what a year comes to ---


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_initial_charge_does_not_matter(days, parallel):
    """Half of the years to a hundred thousandth of the demand; in a few an event comes a moment earlier or later."""
    off = []
    for seed in range(1, 9):
        empty, full = (
            figures_of_year(
                site(battery={"soc": soc}, array={"parallel": parallel}), WeatherYear(seed, 2026), HOUR, days
            )
            for soc in (0.15, 1.0)
        )
        of_wh = full.yearly("demand_wh")
        off.append(
            max(abs(empty.yearly(name) - full.yearly(name)) / of_wh for name in ("e_pv_wh", "unserved_wh"))
        )
    assert np.median(off) < 1e-5
    assert np.max(off) < 5e-4


def plainly_run(there: Site, years: list[WeatherYear], longitude_deg: float = 9.84) -> list[np.ndarray]:
    """Tables of years that one plain run goes through."""
    plant = Plant.new(
        there, years[0].seed, span_of(years[0].year, longitude_deg).begins_utc_s, "sizing", HOUR, KeptSkies()
    )
    tables = []
    for when in years:
        span = span_of(when.year, longitude_deg)
        plant.advance_to(span.year_utc_s)
        first = np.array(plant.snapshot)
        rows = np.vstack([first, plant.run(span.ends_utc_s - span.year_utc_s, HOUR)])
        tables.append(figures_of(hours_of(rows[:, COLUMNS]), size_of(there).empty_soc).table)
    return tables


def test_years_are_those_of_a_plain_run_to_the_bit(days):
    """With days that other designs share, and blocks of its own making."""
    years = [WeatherYear(906, 2026 + k) for k in range(3)]
    assert np.array_equal(tables_of(site(), years, HOUR, days), plainly_run(site(), years))


def test_a_battery_that_autumn_does_not_fill_goes_into_a_year_as_it_came_out_of_the_one_before(days):
    large = site(battery={"capacity_ah": 800.0, "soc": 1.0})
    first, second = (
        one.hours for one in run_years(large, [WeatherYear(906, 2026 + k) for k in range(2)], HOUR, days)
    )
    (alone,) = (one.hours for one in run_years(large, [WeatherYear(906, 2027)], HOUR, days))
    assert second.soc[0] == pytest.approx(first.soc[-1], abs=0.002)
    assert alone.soc[0] > first.soc[-1] + 0.03  # 90 days before, it was full


@pytest.mark.parametrize(
    "changing",
    [
        {"battery": {"ageing": "weighted_ah", "capacity_ah": 30.0}},
        {"upsets": [{"name": "string_open", "after": "120d"}]},
    ],
    ids=["ages", "breaks"],
)
def test_a_site_that_a_year_leaves_another_one_begins_each_year_anew(days, changing):
    there = site(**changing)
    years = [WeatherYear(906, 2026), WeatherYear(906, 2027)]
    alone = [figures_of_year(there, when, HOUR, days).table for when in years]
    assert np.array_equal(tables_of(there, years, HOUR, days), alone)


def test_steps_that_could_not_be_solved_are_told_in_the_year_in_which_they_came(days, monkeypatch):
    counted = iter([1, 3, 3, 8])  # before and after each year
    monkeypatch.setattr(Plant, "overrun_steps", property(lambda _: next(counted)))
    run = run_years(site(), [WeatherYear(906, 2026), WeatherYear(906, 2027)], HOUR, days)
    assert [year.unsolved for year in run] == [2, 5]


def test_the_irradiation_of_an_hour_is_the_mean_of_its_steps(days):
    hourly, quarterly = (figures_of_year(site(), YEAR, step_s, days) for step_s in (HOUR, 900))
    assert quarterly.yearly("poa_wh_m2") == pytest.approx(hourly.yearly("poa_wh_m2"), rel=1e-3)


def test_designs_share_days_where_they_are_alike_and_only_there(days):
    made = SharedDays(KeptSkies())
    span = span_of(2026, 9.84)
    around = (906, span.first_day, 10, HOUR)
    one = made.inputs(site(), *around)
    larger = made.inputs(site(battery={"capacity_ah": 300.0}), *around)
    assert larger.array is one.array
    assert larger.demand is one.demand
    tilted = made.inputs(site(array={"tilt_deg": 60.0}), *around)
    assert tilted.array is not one.array
    assert tilted.demand is one.demand
    busier = made.inputs(site(load={"scale": 2.0}), *around)
    assert busier.array is one.array
    assert busier.demand.power_w == pytest.approx(2.0 * one.demand.power_w)
    assert made.inputs(site(), 907, *around[1:]).array is not one.array
    duller = made.inputs(site(sky={"irradiance_scale": 0.9}), *around)
    assert duller.array.ghi_w_m2 == pytest.approx(0.9 * one.array.ghi_w_m2)


def test_a_battery_that_ages_is_not_replaced_in_the_year_and_tells_what_it_takes(days):
    worn = site(battery={"ageing": "weighted_ah", "capacity_ah": 30.0, "health": 0.81})
    used = figures_of_year(worn, YEAR, HOUR, days).yearly("life_used")
    assert 0.05 < used < 2.0


def test_a_design_in_steps_of_5_s_has_the_figures_that_half_an_hour_gives_it(days):
    """A cabin that is short in winter: energies within 1 %, what is missing within 5 %."""
    there, span = site(battery={"capacity_ah": 60.0}), span_of(2026, 9.84)
    plant = Plant.new(there, 906, span.begins_utc_s)
    plant.advance_to(span.year_utc_s)
    first = np.array(plant.snapshot)
    rows = np.vstack([first, plant.run(span.ends_utc_s - span.year_utc_s, HOUR)])
    detailed = figures_of(hours_of(rows[:, COLUMNS]), size_of(there).empty_soc)
    sized = figures_of_year(there, YEAR, 1800, days)
    assert detailed.yearly("unserved_h") > 100.0
    for figure, pct in (("e_pv_wh", 1.0), ("e_load_wh", 1.0), ("unserved_wh", 5.0), ("unserved_h", 5.0)):
        assert sized.yearly(figure) == pytest.approx(detailed.yearly(figure), rel=0.01 * pct)
