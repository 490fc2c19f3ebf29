"""Direct light of days: the daily law, and the beam of minutes scaled to it."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from plant.weather.diffuse import (
    CLEARNESS,
    HIGH_SUN,
    LEAST_BEAM_W_M2,
    LOW_SUN,
    diffuse_share,
    minute_share,
    scaled_to,
)
from plant.weather.sky import sky_block, sky_day
from tests.plants import site

JUNE = 20615  # 2026-06-11
minutes = arrays(float, 40, elements=st.floats(0.0, 900.0))


# the daily law


@pytest.mark.parametrize(
    ("noon_deg", "column"), [(8.0, LOW_SUN), (15.0, LOW_SUN), (40.0, HIGH_SUN), (66.0, HIGH_SUN)]
)
def test_the_law_is_the_measured_table(noon_deg, column):
    at = np.array(CLEARNESS)
    many = np.full(at.size, 1.0)
    assert diffuse_share(at, noon_deg * many, 0.78 * many, 0.13 * many) == pytest.approx(column)


def test_beyond_the_table_the_law_leads_to_the_cloudless_day():
    k = np.array([0.67, 0.72, 0.77, 0.80])
    many = np.ones(4)
    assert diffuse_share(k, 50.0 * many, 0.77 * many, 0.12 * many) == pytest.approx([0.24, 0.18, 0.12, 0.12])


@given(
    k=st.floats(0.0, 1.0),
    noon=st.floats(-1.0, 90.0),
    k_clear=st.floats(0.0, 1.0),
    clear_share=st.floats(0.05, 1.0),
)
def test_a_share_is_a_share(k, noon, k_clear, clear_share):
    (share,) = diffuse_share(*(np.array([value]) for value in (k, noon, k_clear, clear_share)))
    assert 0.0 <= share <= 1.0


def test_minutes_of_clear_air_have_the_clear_beam_and_dull_ones_none():
    assert [minute_share(k) for k in (0.0, 0.27, 1.0, 1.3)] == pytest.approx([0.0, 0.0, 1.0, 1.0], abs=1e-12)
    assert 0.03 < minute_share(0.6) < 0.05  # measured at Lyngby: 0.037 between 0.5 and 0.7
    assert 0.20 < minute_share(0.8) < 0.30  # 0.23 between 0.7 and 0.9


# the beam of a day


@given(beam=minutes, most=minutes, share=st.floats(0.0, 1.2))
@example(beam=np.array([0.0] + 39 * [5e-324]), most=np.ones(40), share=1.0)
@example(beam=np.full(40, 1e-12), most=np.full(40, 900.0), share=1.0)
def test_a_scaled_beam_sums_to_what_is_wanted_and_never_tops_what_can_be(beam, most, share):
    can_be = float(most[beam >= LEAST_BEAM_W_M2].sum())
    wanted = share * can_be
    scaled = scaled_to(beam, most, np.array([0, 40]), np.array([wanted]))
    assert np.all(scaled <= most)
    assert np.all(scaled >= 0.0)
    assert np.all(scaled[beam == 0.0] == 0.0)
    assert scaled.sum() == pytest.approx(min(wanted, can_be), rel=1e-9, abs=1e-9)


def test_where_nothing_is_capped_the_beam_is_scaled_as_a_whole():
    beam = np.array([100.0, 200.0, 0.0, 50.0])
    assert scaled_to(beam, np.full(4, 900.0), np.array([0, 4]), np.array([700.0])).tolist() == [
        200.0,
        400.0,
        0.0,
        100.0,
    ]


def test_each_day_is_scaled_by_itself():
    beam, most = np.array([1.0, 1.0, 1.0, 1.0, 1.0]), np.array([9.0, 9.0, 1.0, 1.0, 9.0])
    scaled = scaled_to(beam, most, np.array([0, 2, 2, 5]), np.array([6.0, 0.0, 8.0]))
    assert scaled.tolist() == [3.0, 3.0, 1.0, 1.0, 6.0]


# in the sky


@pytest.mark.parametrize("grid_s", [10, 60, 900])
@pytest.mark.parametrize("latitude", [0.0, 46.8, 65.0])
def test_global_light_is_beam_and_diffuse_and_the_beam_stays_below_the_suns(latitude, grid_s):
    for first in (JUNE, JUNE + 183):
        block = sky_block(site(location={"latitude_deg": latitude}), 4, first, 4, grid_s)
        up = block.sun.zenith_deg < 90.0
        level = block.dni_w_m2 * np.cos(np.radians(block.sun.zenith_deg))
        assert (block.dhi_w_m2 + level)[up] == pytest.approx(block.ghi_w_m2[up], rel=1e-9, abs=1e-9)
        assert np.all(block.dni_w_m2[~up] == 0.0)
        assert np.all(block.dni_w_m2 <= 0.86 * block.sun.dni_extra_w_m2[:, None])
        assert np.all(block.dhi_w_m2 >= 0.0)


def test_dull_days_in_winter_are_nearly_all_diffuse():
    """At a clearness of 0.3 to 0.4 from November to January a measured day is 77 % diffuse."""
    s = site(location={"latitude_deg": 55.79}, sky={"clearness": (0.3,) * 12})
    shares = []
    for year in range(2010, 2016):
        block = sky_block(s, 1, int(np.datetime64(f"{year}-11-10").astype(int)), 75, 60)
        cosine = np.maximum(np.cos(np.radians(block.sun.zenith_deg)), 0.0)
        k = block.ghi_w_m2.sum(axis=1) / (cosine * block.sun.dni_extra_w_m2[:, None]).sum(axis=1)
        middling = (k > 0.3) & (k < 0.4)
        shares += (block.dhi_w_m2.sum(axis=1) / block.ghi_w_m2.sum(axis=1))[middling].tolist()
    assert len(shares) > 40
    assert np.mean(shares) == pytest.approx(0.77, abs=0.04)


def test_a_days_direct_light_hardly_knows_the_grid():
    s = site()
    fine, coarse = (
        np.array([sky_day(s, 5, JUNE + 9 * k, grid).dni_w_m2[:-1].mean() for k in range(12)])
        for grid in (10, 60)
    )
    assert coarse == pytest.approx(fine, rel=0.01, abs=1.0)
