"""What a day's clouds look like: edges, uniform days, and constants that a site may set."""

import numpy as np
import pytest
from pydantic import ValidationError

from plant.weather import clouds, sun
from plant.weather.clouds import LIMITS, CloudModel
from plant.weather.place import Location, Sky

JUNE, DECEMBER = 20615, 20807  # 2026-06-11, 2026-12-20
NORTH = Location(latitude_deg=55.8, longitude_deg=12.5, linke_turbidity=3.0)
CLEAR = {day: sun.clear_day(day, NORTH).ghi_w_m2 for day in (JUNE, DECEMBER)}


def minutes(seed: int, day: int, k_day: float) -> np.ndarray:
    """Clear-sky index, once a minute with the sun up."""
    index = clouds.clear_sky_index(seed, day, k_day, CLEAR[day], CloudModel())
    return index[CLEAR[day] > 20.0][::6]


def test_an_edge_leaps_from_shade_to_more_than_clear_sky():
    """The brightest air stands next to clouds, not far away from them."""
    beside, away, highest = [], [], []
    for seed in range(60):
        k = minutes(seed, JUNE, 0.7)
        leaps = np.flatnonzero(np.abs(np.diff(k)) > 0.4)
        if leaps.size == 0:
            continue
        distance = np.abs(np.arange(k.size)[:, None] - leaps - 0.5).min(axis=1)
        beside.append(k[(k > 0.9) & (distance < 2.0)])
        away.append(k[(k > 0.9) & (distance > 10.0)])
        highest.append(np.abs(np.diff(k)).max())
    assert len(highest) > 30
    assert np.median(np.concatenate(beside)) > 1.05
    assert np.median(np.concatenate(away)) == pytest.approx(1.0, abs=0.02)
    assert np.median(highest) > 0.6


def test_half_the_days_of_a_low_sun_are_one_thin_cloud_and_hardly_any_of_a_high_one():
    june, december = (
        np.array([minutes(seed, day, 0.6).std() for seed in range(200)]) for day in (JUNE, DECEMBER)
    )
    assert 0.4 < np.mean(december < 0.15) < 0.7
    assert np.mean(june < 0.15) < 0.08
    assert np.median(june) > 0.3


@pytest.mark.parametrize(("grid_s", "least"), [(60, 0.99), (300, 0.97), (900, 0.92)])
@pytest.mark.parametrize("k_day", [0.2, 0.6, 0.95])
@pytest.mark.parametrize("day", [JUNE, DECEMBER])
def test_a_day_is_the_same_kind_of_day_on_every_grid(grid_s, least, k_day, day):
    """All that differs is the shift that closes the day's sum, over fewer moments."""
    coarse = sun.clear_day(day, NORTH, grid_s).ghi_w_m2
    alike = []
    for seed in range(20):
        seen = clouds.clear_sky_index(seed, day, k_day, CLEAR[day], CloudModel())[:: grid_s // 10]
        made = clouds.clear_sky_index(seed, day, k_day, coarse, CloudModel(), grid_s)
        alike.append(np.corrcoef(seen[coarse > 0.0], made[coarse > 0.0])[0, 1])
    assert np.median(alike) > least


@pytest.mark.parametrize("end", [0, 1], ids=["lowest", "highest"])
@pytest.mark.parametrize("name", CloudModel._fields)
def test_a_days_sum_holds_with_any_constant_a_site_may_set(name, end):
    model = Sky(clouds={name: LIMITS[name][end]}).cloud_model()
    for day in (JUNE, DECEMBER):
        for k_day in (0.02, 0.2, 0.37, 0.6, 0.9, 1.03):
            k = clouds.clear_sky_index(3, day, k_day, CLEAR[day], model)
            assert np.all((k >= 0.0) & (k <= 1.61))
            assert float(k @ CLEAR[day] / CLEAR[day].sum()) == pytest.approx(k_day, rel=1e-9)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"fast_shar": 0.2}, r"unknown constant fast_shar \(did you mean fast_share\?\)"),
        ({"fast_share": 0.0}, r"fast_share must lie in 0.001..0.999, got 0"),
        ({"slow_s": float("nan")}, r"slow_s must lie in 60..1e\+06, got nan"),
    ],
)
def test_constants_that_cannot_be_are_refused(given, words):
    with pytest.raises(ValidationError, match=words):
        Sky(clouds=given)
