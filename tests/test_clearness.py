"""Daily clearness: its distribution, its memory, and months as asked for."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.base.chance import RandomStream, varying_ar1
from plant.base.problems import AtKeyError
from plant.site.model import load_site
from plant.weather.clearness import (
    FROM_SLOW,
    chain,
    daily_clearness,
    lag_one,
    noon_elevation_deg,
    quantile,
    spread,
)  # fmt: skip
from plant.weather.extraterrestrial import clearness_of, monthly_h0_kwh_m2_day
from plant.weather.place import Location, Place, Sky, Weather
from plant.weather.sky import seasonal_clearness, sky_block, sky_day
from plant.weather.sun import seasonal_values

YEAR = int(np.datetime64("2026-01-01", "D").astype(int))
LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIELD = Path(__file__).parent / "data" / "field"
TROMSO = (0.04, 0.42, 1.6, 3.5, 4.7, 4.9, 4.4, 3.0, 1.7, 0.63, 0.1, 0.0)
means = st.floats(0.02, 0.75)
latitudes = st.floats(-90.0, 90.0)
noons = st.floats(-10.0, 90.0)


def place(latitude_deg: float, **sky) -> Place:
    return Place(
        location=Location(latitude_deg=latitude_deg, longitude_deg=5.0, linke_turbidity=3.0),
        sky=Sky(**sky), weather=Weather(temperature_c=(5.0,) * 12),
    )  # fmt: skip


# the distribution


@given(k_mean=means, latitude=latitudes, noon=noons)
def test_the_mean_of_days_is_the_months(k_mean, latitude, noon):
    """Over equal shares of probability, finer towards both ends, where a dark month's distribution is steep."""
    edges = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 6001))
    middles, widths = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    days = quantile(middles, np.full(middles.size, k_mean), latitude, noon)
    assert float(days @ widths) == pytest.approx(k_mean, abs=1e-5)


@given(k_mean=means, latitude=latitudes, noon=noons)
def test_days_lie_between_darkness_and_a_clear_sky_and_rise_with_their_probability(k_mean, latitude, noon):
    days = quantile(np.linspace(0.0, 1.0, 501), np.full(501, k_mean), latitude, noon)
    assert days[0] >= 0.0
    assert days[-1] <= 0.85
    assert np.all(np.diff(days) >= 0.0)
    assert days[0] < k_mean < days[-1]


@pytest.mark.parametrize("k_mean", [0.3, 0.45, 0.6, 0.7])
@pytest.mark.parametrize("latitude", [3.0, 20.0, -52.0])
def test_days_spread_as_the_law_says(k_mean, latitude):
    days = quantile((np.arange(20000) + 0.5) / 20000, np.full(20000, k_mean), latitude)
    assert days.std() == pytest.approx(float(spread(np.array(k_mean), latitude)), rel=2e-3)


def test_the_tropics_have_days_more_alike():
    tropics, beyond = (float(spread(np.array(0.5), latitude)) for latitude in (-10.0, -40.0))
    assert tropics == pytest.approx(0.116, abs=0.001)
    assert beyond == pytest.approx(0.170, abs=0.001)


def test_the_tropics_end_between_16_and_26_degrees_of_latitude():
    """On either side nothing changes with the latitude, and half-way the days are half-way."""
    narrow, wide = (float(spread(np.array(0.5), latitude)) for latitude in (0.0, 60.0))
    assert [float(spread(np.array(0.5), latitude)) for latitude in (16.0, -21.0, 26.0)] == pytest.approx(
        [narrow, (narrow + wide) / 2.0, wide]
    )


def test_a_low_sun_makes_no_bright_days():
    """Sotkamo (64 N) in November: mean 0.24, and 19 days in 20 below 0.41."""
    november = int(np.datetime64("2026-11-15", "D").astype(int))
    noon = float(noon_elevation_deg(np.array(november), 64.1))
    assert noon == pytest.approx(7.5, abs=0.5)
    brightest = [quantile(np.array(1.0), np.array(0.24), 64.1, deg) for deg in (3.0, noon, 15.0, 40.0)]
    assert brightest == pytest.approx([0.28, 0.54, 0.6692, 0.6692], abs=0.01)


@pytest.mark.parametrize("day", ["2026-03-20", "2026-06-21", "2026-09-23", "2026-12-21"])
def test_the_height_of_the_noon_sun_is_the_suns(day):
    number = int(np.datetime64(day, "D").astype(int))
    for latitude in (-70.0, -20.0, 0.0, 48.0):
        highest = 90.0 - sky_day(place(latitude), 1, number, 60).sun.zenith_deg.min()
        assert float(noon_elevation_deg(np.array(number), latitude)) == pytest.approx(highest, abs=0.2)


# the chain


@given(
    seed=st.integers(0, 2**62), first=st.integers(-5000, 30000), before=st.integers(0, 40), k=means,
    more=st.integers(1, 9),
)  # fmt: skip
@settings(deadline=None, max_examples=25)
def test_a_day_is_the_same_bits_alone_and_in_a_row(seed, first, before, k, more):
    wave = k * (1.0 + 0.03 * np.sin(np.arange(first - before, first + more) / 58.0))
    whole = daily_clearness(seed, first - before, wave, lag_one(wave), 50.0)
    alone = daily_clearness(seed, first, wave[before : before + 1], lag_one(wave)[before : before + 1], 50.0)
    assert whole[before : before + 1].tobytes() == alone.tobytes()


@pytest.mark.parametrize("rho", [FROM_SLOW, 0.36, 0.60, 0.75])
def test_the_chain_is_standard_and_remembers_as_asked(rho):
    z = chain(5, 0, np.full(20000, rho))
    assert z.mean() == pytest.approx(0.0, abs=0.05)
    assert z.std() == pytest.approx(1.0, abs=0.03)
    assert np.corrcoef(z[1:], z[:-1])[0, 1] == pytest.approx(rho, abs=0.025)


def test_the_chain_remembers_longer_than_its_first_day_says():
    z = chain(2, 0, np.full(20000, 0.30))
    assert np.corrcoef(z[5:], z[:-5])[0, 1] > 0.05 > 5 * 0.30**5


def test_memory_that_changes_by_day_keeps_the_variance():
    phis = np.tile([0.1, 0.7], 10000)
    x = varying_ar1(1, RandomStream.CLEARNESS, 0, phis, 0.73)
    assert [x[::2].std(), x[1::2].std()] == pytest.approx([1.0, 1.0], abs=0.03)


def test_clear_seasons_remember_longer():
    assert lag_one(np.array([0.02, 0.3, 0.5, 0.75])) == pytest.approx([0.25, 0.25, 0.386, 0.571])


# the months


@given(
    st.lists(st.floats(0.25, 0.65), min_size=12, max_size=12),
    st.floats(0.0, 1.0),
)
def test_days_of_a_month_have_the_mean_that_was_asked_for(values, evenness):
    """Where the neighbours leave room for it."""
    asked = tuple(0.45 + (value - 0.45) * 0.4 * evenness for value in values)
    days = seasonal_values(asked, YEAR, 365, 0.02, 0.75)
    months = np.split(days, np.cumsum(LENGTHS)[:-1])
    assert [month.mean() for month in months] == pytest.approx(asked, abs=2e-4)


ULAANBAATAR_C = (-21.6, -16.6, -7.4, 2.0, 10.1, 15.7, 18.2, 16.0, 9.6, 0.5, -11.9, -19.0)


def test_made_months_have_the_temperature_that_was_asked_for():
    """A continental January, 1 K too warm while the middle of a month had its mean."""
    air = Weather(temperature_c=ULAANBAATAR_C)
    there = Place(location=Location(latitude_deg=47.9, longitude_deg=106.9), weather=air)
    days = sky_block(there, 3, YEAR, 365, 3600).t_amb_c[:, :-1].mean(axis=1)
    made = [month.mean() for month in np.split(days, np.cumsum(LENGTHS)[:-1])]
    assert made == pytest.approx(ULAANBAATAR_C, abs=0.05)


def test_made_months_have_the_wind_that_was_asked_for():
    asked = (2.0, 2.0, 2.0, 6.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0)
    there = Place(
        location=Location(latitude_deg=47.9, longitude_deg=106.9),
        weather=Weather(temperature_c=(10.0,) * 12, wind_m_s=asked),
    )
    first = YEAR + sum(LENGTHS[:3])
    aprils = [sky_block(there, seed, first, 30, 3600).wind_m_s[:, :-1].mean() for seed in range(40)]
    assert np.mean(aprils) == pytest.approx(6.0, abs=0.3)


def monthly_sums(there: Place, years: int) -> np.ndarray:
    """Irradiation that is made [kWh/m2 a day], (years, 12)."""
    sums = []
    for year in range(2001, 2001 + years):
        first = int(np.datetime64(f"{year}-01-01", "D").astype(int))
        ends = [
            int(np.datetime64(f"{year}-{month:02d}-01", "D").astype(int)) - first for month in range(2, 13)
        ]
        days = sky_block(there, 3, first, 365, 900).ghi_w_m2[:, :-1].mean(axis=1) * 0.024
        sums.append([month.mean() for month in np.split(days, ends)])
    return np.array(sums)


def test_made_months_have_the_irradiation_that_was_asked_for():
    """Field row P18: monthly means of northern Europe, December at a clearness of 0.26."""
    found = load_site(str(FIELD / "p18_december_ghi.yaml"))
    made = monthly_sums(Place(location=found.location, sky=found.sky, weather=found.weather), 12)
    asked = np.array(found.sky.ghi_kwh_m2_day)
    assert clearness_of(found.sky.ghi_kwh_m2_day, 52.3)[11] == pytest.approx(0.26, abs=0.005)
    uncertain = made.std(axis=0, ddof=1) / np.sqrt(12)
    assert np.all(np.abs(made.mean(axis=0) - asked) < 3.0 * uncertain)
    assert made.mean() == pytest.approx(asked.mean(), rel=0.02)


def test_a_month_without_sun_may_have_no_light():
    """Field row P19: Tromso."""
    found = load_site(str(FIELD / "p19_polar_ghi.yaml"))
    made = monthly_sums(Place(location=found.location, sky=found.sky, weather=found.weather), 4).mean(axis=0)
    assert made[11] < 0.005  # twilight
    assert made[5] == pytest.approx(4.9, rel=0.1)


def test_what_a_table_rounds_to_nothing_is_taken_where_there_is_next_to_nothing():
    """At the circle 0.201 kWh/m2 a day fall above January's air: 0.004 would do, and is printed as 0."""
    given_kwh = [0.0, *TROMSO[1:]]
    least = clearness_of(tuple(given_kwh), 66.6)[0]
    assert least == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("month", "value", "words"),
    [
        (5, 0.0, r"June's 0 is 0.00 of the 11.67 above the atmosphere; must be 0.02..0.75, so 0.23..8.75"),
        (11, 0.3, r"December's 0.3 is over the 0.00 above the atmosphere; must be 0.00..0.20"),
        (0, 0.21, r"January's 0.21 is over the 0.0\d above the atmosphere"),
        (3, 6.0, r"April's 6 is 0.9\d of the"),
    ],
)
def test_irradiation_that_cannot_be_is_refused(month, value, words):
    given_kwh = list(TROMSO)
    given_kwh[month] = value
    with pytest.raises(AtKeyError, match=words) as told:
        clearness_of(tuple(given_kwh), 69.65)
    assert told.value.path == ("sky", "ghi_kwh_m2_day")  # a loader finds its line


def test_at_the_edge_of_the_polar_night_any_little_light_is_taken():
    assert monthly_h0_kwh_m2_day(69.65)[0] < 0.2
    for little in (0.0, 0.04, 0.2):
        clearness = clearness_of((little, *TROMSO[1:]), 69.65)
        assert 0.02 <= clearness[0] <= 0.75


@pytest.mark.parametrize("k_mean", [0.02, 0.1, 0.19, 0.75])
def test_the_darkest_and_the_brightest_months_make_days(k_mean):
    there = place(52.0, clearness=(k_mean,) * 12)
    block = sky_block(there, 1, YEAR, 64, 900)
    assert np.all(np.isfinite(block.ghi_w_m2 + block.dni_w_m2 + block.dhi_w_m2 + block.t_amb_c))
    afternoon, dawn = (block.t_amb_c[:, round(hour * 4)].mean() for hour in (15.0, 5.75))
    assert afternoon > dawn


@pytest.mark.parametrize("given_k", [0.0, 0.01, 0.76])
def test_a_clearness_that_no_month_has_is_refused(given_k):
    with pytest.raises(ValidationError):
        Sky(clearness=(given_k,) * 12)


def test_memory_may_be_set_by_month():
    asked = (0.25,) * 6 + (0.75,) * 6
    there = place(45.0, clearness=(0.45,) * 12, day_to_day=asked)
    lags = {}
    for month in (3, 9):
        pairs = []
        for year in range(1990, 2030):
            start = int(np.datetime64(f"{year}-{month:02d}-05").astype(int))
            days = sky_block(there, 7, start, 20, 3600)
            pairs += list(pairwise(days.ghi_w_m2.sum(axis=1) / days.sun.ghi_w_m2.sum(axis=1)))
        lags[month] = np.corrcoef(np.array(pairs).T)[0, 1]
    assert lags[3] == pytest.approx(0.25, abs=0.09)
    assert lags[9] == pytest.approx(0.75, abs=0.09)
    with pytest.raises(ValidationError):
        Sky(day_to_day=0.1)


def test_a_site_without_clouds_has_no_clearness():
    assert seasonal_clearness(place(45.0), YEAR, 3) is None
