"""The sky in blocks and on coarse grids, in tilted planes and behind hills."""

import numpy as np
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.base.chance import RandomStream, generator
from plant.weather import clouds, sun
from plant.weather.cloudpath import CloudTimes, normal_path
from plant.weather.clouds import CloudModel
from plant.weather.extraterrestrial import monthly_h0_kwh_m2_day
from plant.weather.horizon import elevation_deg, open_sky
from plant.weather.place import Location, Sky, Weather, check_sources
from plant.weather.sky import plane_of_array, sky_block, sky_day
from plant.weather.transposition import HAY_DAVIES, PEREZ, plane_over, sun_seen, transpose
from tests.plants import site

JUNE = 20615  # 2026-06-11
ARRAYS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "t_amb_c", "wind_m_s", "clear_sky_index")
RING = tuple((float(azimuth), 20.0) for azimuth in range(0, 360, 90))


# blocks


@settings(max_examples=8, deadline=None)
@given(
    first=st.integers(19000, 23000), before=st.integers(0, 5), days=st.integers(1, 4), seed=st.integers(0, 2**62),
    grid_s=st.sampled_from([10, 60, 900]), latitude=st.sampled_from([46.8, -33.0, 71.0]),
)  # fmt: skip
def test_a_day_is_the_same_bits_alone_and_in_any_block(first, before, days, seed, grid_s, latitude):
    s = site(location={"latitude_deg": latitude})
    alone = sky_day(s, seed, first, grid_s)
    in_block = sky_block(s, seed, first - before, before + days, grid_s).day(before)
    assert in_block.start_utc_s == alone.start_utc_s
    for name in ARRAYS:
        assert getattr(in_block, name).tobytes() == getattr(alone, name).tobytes()
    for name in ("zenith_deg", "azimuth_deg", "airmass", "ghi_w_m2", "dni_w_m2"):
        assert getattr(in_block.sun, name).tobytes() == getattr(alone.sun, name).tobytes()


def test_a_plane_takes_a_block_as_it_takes_its_days():
    block = sky_block(site(), 3, JUNE, 3, 60)
    whole = plane_of_array(block, 40.0, 200.0, 0.2)
    for k in range(3):
        for name, values in plane_of_array(block.day(k), 40.0, 200.0, 0.2).items():
            assert values.tobytes() == whole[name][k].tobytes()


@settings(max_examples=12, deadline=None)
@given(
    latitude=st.floats(-89.9, 89.9), longitude=st.floats(-180.0, 180.0), altitude=st.floats(-400.0, 5000.0),
    day=st.integers(-3000, 40000),
)  # fmt: skip
def test_the_sun_stands_where_spa_says_at_any_place_and_day(latitude, longitude, altitude, day):
    place = Location(latitude_deg=latitude, longitude_deg=longitude, altitude_m=altitude, linke_turbidity=3.0)
    ours = sun.clear_day(day, place, 600)
    unix = ours.start_utc_s + np.arange(0.0, 86401.0, 600.0)
    pressure = pvlib.atmosphere.alt2pres(altitude) / 100.0
    zenith, _, _, _, azimuth, _ = pvlib.spa.solar_position(
        unix, latitude, longitude, altitude, pressure, 12.0, 69.0, 0.5667, numthreads=1
    )
    # pvlib's refraction ends in a step just below -0.8 deg; nothing shines there
    away = np.abs(zenith - 90.85) > 0.6
    assert np.abs(zenith - ours.zenith_deg)[away].max() < 2e-4
    apart = np.abs((azimuth - ours.azimuth_deg + 180.0) % 360.0 - 180.0) * np.sin(np.radians(zenith))
    assert apart.max() < 2e-4


# clouds on a coarse grid


@pytest.mark.parametrize("grid_s", [60, 300, 600, 900, 3600])
def test_a_coarse_grid_shows_the_clouds_of_the_fine_one(grid_s):
    """Every n-th value of the Gaussian process, exactly."""
    pace = CloudTimes(6900.0, 130.0, 0.6)
    every = grid_s // 10
    fine = normal_path(4, JUNE, pace, generator(4, RandomStream.CLOUDS, JUNE), 0, 8640, 10)
    coarse = normal_path(4, JUNE, pace, generator(4, RandomStream.CLOUDS, JUNE), 0, 8640 // every, grid_s)
    assert fine[::every].tobytes() == coarse.tobytes()


@pytest.mark.parametrize(("share", "tau_s"), [(0.0, 6900.0), (1.0, 210.0), (1.0, 12.0)])
def test_the_bridged_process_is_the_one_that_steps_of_10_s_would_give(share, tau_s):
    """Its innovations at 10 s are white, of unit variance, within a minute as across its ends."""
    pace = CloudTimes(6900.0, tau_s, share)
    paths = np.array(
        [normal_path(3, d, pace, generator(3, RandomStream.CLOUDS, d), 0, 8640, 10) for d in range(150)]
    )
    r = np.exp(-10.0 / tau_s)
    shocks = (paths[:, 1:] - r * paths[:, :-1]) / np.sqrt(1.0 - r * r)
    assert paths.var() == pytest.approx(1.0, abs=0.05 if share else 0.25)
    assert [shocks[:, phase::6].var() for phase in range(6)] == pytest.approx([1.0] * 6, abs=0.02)
    assert [np.mean(shocks[:, lag:] * shocks[:, :-lag]) for lag in range(1, 13)] == pytest.approx(
        [0.0] * 12, abs=0.006
    )


@pytest.mark.parametrize("grid_s", [10, 60])
def test_a_stretch_of_a_day_is_cut_out_of_the_whole(grid_s):
    """At the nodes; what lies between them is drawn from the stretch's first node on."""
    pace, points, a_node = CloudTimes(6900.0, 700.0, 0.4), 86400 // grid_s, 60 // grid_s
    whole = normal_path(4, JUNE, pace, generator(4, RandomStream.CLOUDS, JUNE), 0, points, grid_s)
    for first, last in ((0, 7), (1111, 1117), (1110, 1116), (points - 3, points)):
        part = normal_path(4, JUNE, pace, generator(4, RandomStream.CLOUDS, JUNE), first, last, grid_s)
        assert part.size == last - first + 1
        nodes = np.arange(-first % a_node, part.size, a_node)
        assert part[nodes].tobytes() == whole[first + nodes].tobytes()


def test_hours_hardly_know_the_grid_and_days_not_at_all():
    s = site()
    fine, coarse = (
        np.array(
            [sky_day(s, 5, JUNE + 9 * k, grid).ghi_w_m2[:-1].reshape(24, -1).mean(axis=1) for k in range(30)]
        )
        for grid in (10, 60)
    )
    # Twilight and the clear day's own grid.
    assert fine.sum(axis=1) == pytest.approx(coarse.sum(axis=1), rel=2e-4)
    # some 400 W/m2 at a time, a few times an hour, at moments that values a minute apart know to half a minute
    assert np.sqrt(np.mean((fine - coarse)[fine > 5.0] ** 2)) < 6.0


@pytest.mark.parametrize("grid_s", [10, 60, 900])
@pytest.mark.parametrize("k_day", [0.08, 0.363, 0.637, 0.94, 1.03])
def test_the_days_sum_is_exact_on_every_grid(grid_s, k_day):
    clear = sun.clear_day(JUNE, site().location, grid_s).ghi_w_m2
    k = clouds.clear_sky_index(2, JUNE, k_day, clear, CloudModel(), grid_s)
    assert float(k @ clear / clear.sum()) == pytest.approx(k_day, rel=1e-12)


def test_a_grid_that_misses_the_nodes_is_refused():
    with pytest.raises(ValueError, match="every multiple of 60 s, not 90 s"):
        sky_day(site(), 1, JUNE, 90)


# tilted planes


@pytest.mark.parametrize(("model", "name"), [(PEREZ, "perez"), (HAY_DAVIES, "haydavies")])
@pytest.mark.parametrize(("tilt", "azimuth"), [(0.0, 180.0), (35.0, 150.0), (60.0, 300.0), (90.0, 0.0)])
def test_without_a_horizon_the_parts_are_pvlibs(model, name, tilt, azimuth):
    rng = np.random.default_rng(5)
    zenith, towards = rng.uniform(0.0, 89.9, (4, 500)), rng.uniform(0.0, 360.0, (4, 500))
    dni, dhi = (
        rng.uniform(0.0, 1000.0, (4, 500)) * (rng.random((4, 500)) > 0.2),
        rng.uniform(1.0, 500.0, (4, 500)),
    )
    ghi = dni * np.cos(np.radians(zenith)) + dhi
    extra, mass = rng.uniform(1320.0, 1410.0, 4), pvlib.atmosphere.get_relative_airmass(zenith)
    plane, skyline = plane_over((), tilt, azimuth, 0.25)
    seen = sun_seen(zenith, towards, skyline)
    aoi, beam, sky, ground = transpose(zenith, towards, mass, ghi, dni, dhi, extra, plane, seen, model)
    arguments = (tilt, azimuth, dhi, dni, extra[:, None], zenith, towards)
    theirs = (
        pvlib.irradiance.perez(*arguments, mass)
        if name == "perez"
        else pvlib.irradiance.haydavies(*arguments)
    )
    assert aoi == pytest.approx(pvlib.irradiance.aoi(tilt, azimuth, zenith, towards), rel=1e-7, abs=1e-6)
    assert beam == pytest.approx(
        pvlib.irradiance.beam_component(tilt, azimuth, zenith, towards, dni), rel=1e-7, abs=1e-7
    )
    assert sky == pytest.approx(theirs, rel=1e-7, abs=1e-7)
    assert ground == pytest.approx(pvlib.irradiance.get_ground_diffuse(tilt, ghi, 0.25), rel=1e-9)


def test_the_site_chooses_its_transposition():
    perez, hay = (
        plane_of_array(sky_day(site(sky={"transposition": name}), 3, JUNE), 45.0, 180.0, 0.2)["sky"]
        for name in ("perez", "haydavies")
    )
    assert 0.002 < np.abs(perez.sum() / hay.sum() - 1.0) < 0.2


# horizon


def test_the_horizon_runs_straight_between_its_points_and_closes_round_north():
    profile = ((350.0, 10.0), (90.0, 20.0), (180.0, 0.0))
    seen = elevation_deg(profile, np.array([350.0, 0.0, 40.0, 90.0, 135.0, 265.0]))
    assert seen == pytest.approx([10.0, 11.0, 15.0, 20.0, 10.0, 5.0])


@pytest.mark.parametrize("tilt", [0.0, 20.0, 60.0, 90.0])
def test_an_open_sky_is_half_of_one_plus_cosine(tilt):
    assert open_sky((), tilt, 123.0) == pytest.approx((1.0 + np.cos(np.radians(tilt))) / 2.0, abs=1e-6)


def test_a_ring_of_hills_leaves_cosine_squared_of_a_flat_planes_sky():
    assert open_sky(RING, 0.0, 0.0) == pytest.approx(np.cos(np.radians(20.0)) ** 2, abs=1e-9)


def test_a_wall_behind_a_vertical_plane_hides_nothing_and_one_before_it_all_below_its_top():
    """A vertical plane before an endless ring of elevation h keeps 1/2 - (h + sin h cos h) / pi of the dome."""
    behind = ((91.0, 0.0), (92.0, 80.0), (268.0, 80.0), (269.0, 0.0))
    assert open_sky(behind, 90.0, 0.0) == pytest.approx(0.5, abs=2e-3)
    h = np.radians(20.0)
    left = 0.5 - (h + np.sin(h) * np.cos(h)) / np.pi
    assert open_sky(RING, 90.0, 0.0) == pytest.approx(left, abs=1e-6)


def test_behind_the_hill_there_is_neither_beam_nor_the_light_around_the_sun():
    hill = [[60.0, 0.0], [80.0, 25.0], [120.0, 25.0], [140.0, 0.0]]
    bare, hilly = (
        sky_day(site(sky={"clearness": None}, location={"horizon": h}), 1, JUNE) for h in ([], hill)
    )
    assert bare.ghi_w_m2.tobytes() == hilly.ghi_w_m2.tobytes()  # of the open sky
    free, hidden = (plane_of_array(sky, 30.0, 120.0, 0.2) for sky in (bare, hilly))
    behind = (bare.sun.elevation_deg > 3.0) & (
        bare.sun.elevation_deg < elevation_deg(hilly.horizon, bare.sun.azimuth_deg) - 0.1
    )
    over = bare.sun.elevation_deg > elevation_deg(hilly.horizon, bare.sun.azimuth_deg) + 0.1
    assert behind.sum() > 200
    assert np.all(hidden["beam"][behind] == 0.0)
    assert np.all(free["beam"][behind] > 0.0)
    assert hidden["beam"][over].tobytes() == free["beam"][over].tobytes()
    assert np.all(hidden["sky"][behind] < 0.75 * free["sky"][behind])
    share = open_sky(hilly.horizon, 30.0, 120.0) / open_sky((), 30.0, 120.0)
    assert 0.9 < share < 1.0
    noon = over & (bare.sun.elevation_deg > 50.0)
    assert np.all(hidden["sky"][noon] < free["sky"][noon])
    assert np.all(hidden["sky"][noon] > share * free["sky"][noon])


@pytest.mark.parametrize(
    ("horizon", "words"),
    [
        ([[0, 5], [360, 6]], "is given twice"),
        ([[0, 95]], "less than 90"),
        ([[-5, 3]], "greater than or equal to 0"),
    ],
)
def test_a_horizon_that_cannot_be_is_refused(horizon, words):
    with pytest.raises(ValidationError, match=words):
        site(location={"horizon": horizon})


# monthly irradiation


@pytest.mark.parametrize("latitude", [-45.0, 0.0, 14.7, 46.8, 62.0])
def test_light_above_the_air_is_what_spa_integrates_to(latitude):
    place = Location(latitude_deg=latitude, longitude_deg=0.0, linke_turbidity=3.0)
    first = int(np.datetime64("2022-01-01", "D").astype(int))
    daily = []
    for day in range(first, first + 365, 73):
        unix = sun.day_start_utc_s(day, 0.0) + np.arange(0.0, 73 * 86400.0, 600.0)
        zenith = pvlib.spa.solar_position(
            unix, latitude, 0.0, 0.0, 1013.25, 12.0, 69.0, 0.5667, numthreads=1
        )[1]
        level = np.maximum(np.cos(np.radians(zenith)), 0.0).reshape(73, -1).mean(axis=1) * 24.0
        daily.append(
            level
            * pvlib.irradiance.get_extra_radiation(
                np.arange(day, day + 73) - first + 1, solar_constant=1366.1
            )
        )
    months = np.split(
        np.concatenate(daily) / 1000.0, np.cumsum([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30])[:]
    )
    theirs = [month.mean() for month in months]
    assert monthly_h0_kwh_m2_day(place.latitude_deg) == pytest.approx(theirs, rel=0.004, abs=0.01)


def test_monthly_irradiation_says_the_same_as_its_clearness():
    h0 = monthly_h0_kwh_m2_day(46.8)
    by_ghi = site(sky={"clearness": None, "ghi_kwh_m2_day": [0.5 * h for h in h0]})
    by_clearness = site(sky={"clearness": 0.5})
    assert sky_day(by_ghi, 3, JUNE, 60).ghi_w_m2 == pytest.approx(
        sky_day(by_clearness, 3, JUNE, 60).ghi_w_m2, rel=1e-9
    )


def test_monthly_irradiation_that_cannot_be_names_the_month():
    place = site().location
    h0 = monthly_h0_kwh_m2_day(place.latitude_deg)
    given_months = [0.5 * h for h in h0]
    given_months[10] = 0.02
    with pytest.raises(ValueError, match=r"November's 0.02 is 0.01 of the \d.\d\d above the atmosphere"):
        Sky(ghi_kwh_m2_day=given_months).monthly_clearness(place)


def test_only_one_source_says_how_bright_it_is(tmp_path):
    with pytest.raises(ValidationError, match="keep one of them"):
        Sky(clearness=0.5, ghi_kwh_m2_day=3.0)
    (tmp_path / "w.csv").write_text("time,ghi_w_m2\n", encoding="utf-8")
    with pytest.raises(ValueError, match="remove one of them"):
        check_sources(site().location, Sky(clearness=0.5), Weather(file=str(tmp_path / "w.csv")))
    with pytest.raises(ValidationError, match="temperature_c is missing"):
        Weather()
