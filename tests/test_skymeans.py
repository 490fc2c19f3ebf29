"""The sky as means over long steps: the fine path's light, air and planes; the same alone and in any span."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plant.base.problems import ProblemsError
from plant.inputs import inputs_of
from plant.plant import Plant
from plant.weather import sun
from plant.weather.place import Location, Place, Sky, Weather
from plant.weather.sky import plane_of_array, sky_block
from plant.weather.steps.making import sky_means
from plant.weather.steps.means import SkyMeans, means_in_plane
from plant.weather.steps.suns import step_means
from tests import weatherfiles as files
from tests.plants import site
from tests.test_weatherfile import site_of

YEAR = 20454  # 2026-01-01
DAYS = 365
COLUMNS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2", "around_w_m2", "even_w_m2", "band_w_m2", "t_amb_c", "wind_m_s")
PLANES = ((0.0, 180.0), (30.0, 180.0), (60.0, 180.0), (90.0, 180.0), (30.0, 90.0), (40.0, 270.0))
HILLS = ((60.0, 0.0), (90.0, 15.0), (150.0, 20.0), (200.0, 8.0), (270.0, 18.0), (300.0, 0.0))


def place(latitude: float, *clearness: float, **location: object) -> Place:
    return Place(
        location=Location(latitude_deg=latitude, longitude_deg=8.5, **location),
        sky=Sky(clearness=clearness),
        weather=Weather(temperature_c=(10.0,) * 12),
    )


TEMPERATE = (0.36, 0.41, 0.44, 0.46, 0.47, 0.49, 0.52, 0.51, 0.48, 0.42, 0.35, 0.32)
CLIMATES = {
    "temperate": place(47.0, *TEMPERATE, altitude_m=500.0),
    "Sahel": place(13.5, 0.62, 0.64, 0.63, 0.61, 0.59, 0.58, 0.54, 0.51, 0.57, 0.62, 0.64, 0.61),
    "60 N": place(60.0, 0.25, 0.34, 0.44, 0.48, 0.52, 0.50, 0.49, 0.46, 0.42, 0.32, 0.24, 0.20),
    "monsoon": place(19.0, 0.62, 0.64, 0.63, 0.61, 0.58, 0.42, 0.32, 0.33, 0.43, 0.55, 0.60, 0.60),
    "hills": place(47.0, *TEMPERATE, altitude_m=500.0, horizon=HILLS),
}


class FineYear:
    """A year of a place's fine path, points 60 s apart, as means over steps."""

    def __init__(self, there: Place, seed: int = 3) -> None:
        self.place, self.seed = there, seed
        self._blocks = [sky_block(there, seed, YEAR + k, min(32, DAYS - k), 60) for k in range(0, DAYS, 32)]

    def means(self, step_s: int, points_of) -> np.ndarray:
        return np.concatenate([step_means(points_of(block), step_s // 60) for block in self._blocks])

    @cache  # noqa: B019  one at a time is alive
    def month_in_plane(self, tilt: float, azimuth: float) -> np.ndarray:
        def whole(block):
            parts = plane_of_array(block, tilt, azimuth, 0.2)
            return parts["beam"] + parts["sky"] + parts["ground"]

        return by_month(self.means(3600, whole)) * 3600


@pytest.fixture(scope="module", params=CLIMATES)
def fine(request) -> FineYear:
    return FineYear(CLIMATES[request.param])


def level_beam(block) -> np.ndarray:
    return block.ghi_w_m2 - block.dhi_w_m2


def by_month(values: np.ndarray) -> np.ndarray:
    month = (np.arange(YEAR, YEAR + DAYS).astype("datetime64[D]").astype("datetime64[M]").astype(int)) % 12
    return np.bincount(month, values.sum(axis=1))


# the light of the fine path


@pytest.mark.parametrize("step_s", [900, 3600])
def test_steps_have_the_means_of_the_fine_path_and_days_its_sums(fine, step_s):
    made = sky_means(fine.place, fine.seed, YEAR, DAYS, step_s)
    for ours, points_of in ((made.ghi_w_m2, lambda b: b.ghi_w_m2), (made.beam_w_m2, level_beam)):
        theirs = fine.means(step_s, points_of)
        assert ours.sum(axis=1) == pytest.approx(theirs.sum(axis=1), rel=1e-9, abs=1e-9)
        assert np.abs(ours - theirs).max() < 1e-4  # single precision
    assert np.abs(made.t_amb_c - fine.means(step_s, lambda b: b.t_amb_c)).max() < 0.01
    assert np.abs(made.wind_m_s - fine.means(step_s, lambda b: b.wind_m_s)).max() < 0.05  # at its floor


def test_hours_have_the_statistics_of_the_fine_path(fine):
    """Mean, spread, memory and distribution of the hourly index, and the diffuse share: they are its hours."""
    made = sky_means(fine.place, fine.seed, YEAR, DAYS)
    clear, light, diffuse = (
        fine.means(3600, points_of)
        for points_of in (lambda b: b.sun.ghi_w_m2, lambda b: b.ghi_w_m2, lambda b: b.dhi_w_m2)
    )
    bright = clear > 100.0
    both = bright[:, 1:] & bright[:, :-1]
    ours, theirs = (values / np.maximum(clear, 1.0) for values in (made.ghi_w_m2, light))
    of_all = np.linspace(0.0, 1.0, 21)
    for figures in (
        lambda k: k[bright].mean(), lambda k: k[bright].std(),
        lambda k: np.corrcoef(k[:, 1:][both], k[:, :-1][both])[0, 1], lambda k: np.quantile(k[bright], of_all),
    ):  # fmt: skip
        assert figures(ours) == pytest.approx(figures(theirs), rel=1e-6)
    assert made.dhi_w_m2.sum() / made.ghi_w_m2.sum() == pytest.approx(diffuse.sum() / light.sum(), rel=1e-6)


def test_the_index_is_that_over_a_cloudless_sky():
    clear = Place(location=CLIMATES["60 N"].location, weather=Weather(temperature_c=(10.0,) * 12))
    made = sky_means(clear, 1, YEAR, DAYS)
    bright = made.sun.clear_ghi_w_m2 > 50.0
    assert made.clear_sky_index[bright] == pytest.approx(np.ones(bright.sum()), abs=0.02)
    assert np.all(made.clear_sky_index[made.sun.clear_ghi_w_m2 == 0.0] == 1.0)


# planes


@pytest.mark.parametrize("step_s", [900, 3600])
def test_a_month_in_a_plane_is_the_fine_paths_to_a_percent(fine, step_s):
    made = sky_means(fine.place, fine.seed, YEAR, DAYS, step_s)
    for tilt, azimuth in PLANES:
        parts = means_in_plane(made, tilt, azimuth, 0.2)
        ours = by_month(parts["beam"] + parts["sky"] + parts["ground"]) * step_s
        assert ours == pytest.approx(fine.month_in_plane(tilt, azimuth), rel=0.01)


def test_hay_and_davies_is_split_as_well():
    there = CLIMATES["temperate"]
    other = there.model_copy(update={"sky": Sky(clearness=TEMPERATE, transposition="haydavies")})
    made = sky_means(other, 3, YEAR, DAYS)
    parts = means_in_plane(made, 60.0, 180.0, 0.2)
    ours = by_month(parts["beam"] + parts["sky"] + parts["ground"]) * 3600
    assert ours == pytest.approx(FineYear(other).month_in_plane(60.0, 180.0), rel=0.01)
    assert np.all(made.band_w_m2 == 0.0)


def test_flat_on_the_ground_a_plane_has_the_global_light():
    made = sky_means(CLIMATES["Sahel"], 3, YEAR, 60)
    parts = means_in_plane(made, 0.0, 180.0, 0.2)
    assert np.all(parts["ground"] == 0.0)
    assert (parts["beam"] + parts["sky"]).sum() == pytest.approx(made.ghi_w_m2.sum(), rel=1e-3)


def test_global_light_is_beam_and_diffuse_under_the_steps_sun():
    made = sky_means(CLIMATES["60 N"], 3, YEAR, DAYS)
    up = made.sun.zenith_deg < 89.5
    height = np.cos(np.radians(made.sun.zenith_deg))
    assert (made.dni_w_m2 * height + made.dhi_w_m2)[up] == pytest.approx(made.ghi_w_m2[up], rel=1e-9)
    assert np.all(made.dhi_w_m2 >= 0.0)
    assert made.dni_w_m2.max() < 1100.0


# alone and in any span


@settings(max_examples=8, deadline=None)
@given(
    first=st.integers(19000, 23000), before=st.integers(0, 40), days=st.integers(1, 4), seed=st.integers(0, 2**62),
    step_s=st.sampled_from([900, 1200, 1800, 3600]), latitude=st.sampled_from([46.8, -33.0, 71.0]),
)  # fmt: skip
def test_a_day_is_the_same_bits_alone_and_in_any_span(first, before, days, seed, step_s, latitude):
    there = place(latitude, *TEMPERATE)
    alone = sky_means(there, seed, first, 1, step_s)
    found = sky_means(there, seed, first - before, before + days, step_s).span(before, 1)
    assert same(alone, found)
    assert found.start_utc_s == sun.day_start_utc_s(first, there.location.longitude_deg)


def same(one: SkyMeans, other: SkyMeans) -> bool:
    suns = ("zenith_deg", "azimuth_deg", "airmass", "dni_extra_w_m2", "clear_ghi_w_m2")
    return (one.first_day, one.start_utc_s, one.step_s) == (
        other.first_day,
        other.start_utc_s,
        other.step_s,
    ) and all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes()
        for a, b, names in ((one, other, COLUMNS), (one.sun, other.sun, suns))
        for name in names
    )


def test_a_seed_is_a_sky_of_its_own():
    there = CLIMATES["temperate"]
    assert same(sky_means(there, 5, YEAR, 3), sky_means(there, 5, YEAR, 3))
    assert not same(sky_means(there, 5, YEAR, 3), sky_means(there, 6, YEAR, 3))


@pytest.mark.parametrize("step_s", [60, 600, 1000, 7000])
def test_a_step_that_is_short_or_fits_no_day_is_refused(step_s):
    with pytest.raises(ValueError, match=f"steps must be .* got {step_s} s"):
        sky_means(CLIMATES["Sahel"], 1, YEAR, 1, step_s)


def test_in_the_polar_night_there_is_no_light_and_under_the_midnight_sun_all_day():
    there = place(71.0, *TEMPERATE)
    winter, summer = sky_means(there, 1, YEAR, 5), sky_means(there, 1, YEAR + 170, 5)
    assert winter.beam_w_m2.max() == 0.0
    assert winter.ghi_w_m2.max() < 3.0  # twilight
    assert summer.ghi_w_m2.min() > 0.0


# weather files, and what hangs on a sky


def test_a_weather_file_gives_its_own_hours(tmp_path):
    light = files.year_of_light()
    there = site_of(files.csv_file(tmp_path / "year.csv", light))
    first = int(np.datetime64("2023-06-11", "D").astype(int))
    made, fine = sky_means(there, 1, first, 10), sky_block(there, 1, first, 10, 60)
    assert made.ghi_w_m2.sum(axis=1) == pytest.approx(step_means(fine.ghi_w_m2, 60).sum(axis=1), rel=1e-9)
    assert made.t_amb_c == pytest.approx(step_means(fine.t_amb_c, 60), abs=1e-4)
    assert made.known_utc_s == fine.known_utc_s
    with pytest.raises(ProblemsError, match="nothing for"):
        sky_means(there, 1, first + 1000, 1)


@pytest.mark.parametrize("step_s", [900, 3600])
def test_a_sizing_run_of_long_steps_takes_its_sky_from_there(step_s):
    asked = []

    def skies(*arguments) -> SkyMeans:
        asked.append(arguments[1:])
        return sky_means(*arguments)

    plant = Plant.new(site(), 7, fidelity="sizing", step_s=step_s, skies=skies)
    plant.advance_to(plant.t_utc_s + 86400)
    assert asked
    assert {(seed, step) for seed, _first, _days, step in asked} == {(7, step_s)}
    finer = Plant.new(site(), 7, fidelity="sizing", step_s=600, skies=skies)
    before = len(asked)
    finer.advance_to(finer.t_utc_s + 86400)
    assert len(asked) == before


@pytest.mark.parametrize("step_s", [900, 3600])
def test_an_array_that_is_tilted_by_the_month_is_so_in_long_steps_too(step_s):
    tilts = [10.0 + 5.0 * month for month in range(12)]
    there = site(array={"tilt_deg": tilts})
    light = [
        inputs_of(there, 1, YEAR, 60, step).array.poa_w_m2.reshape(60, -1).sum(axis=1) * step
        for step in (60, step_s)
    ]
    assert light[1].sum() == pytest.approx(light[0].sum(), rel=0.005)
    flat = inputs_of(site(array={"tilt_deg": 10.0}), 1, YEAR, 60, step_s).array.poa_w_m2.reshape(60, -1)
    assert flat[:31].sum() * step_s == pytest.approx(light[1][:31].sum(), rel=1e-12)
    assert flat[31:].sum() * step_s != pytest.approx(light[1][31:].sum(), rel=1e-3)
