"""Snow on modules: when it falls, how it slides as pvlib has it, that a day knows it alone, and what it costs."""

import re
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
import pvlib
import pytest
from pydantic import ValidationError

from plant.array import snow
from plant.array.model import array_days
from plant.array.snow import LONGEST_DAYS, snow_cover, snow_shadows
from plant.inputs import inputs_of
from plant.site.model import Site
from plant.weather.sky import plane_of_array, sky_block
from plant.weather.snowfall import snow_days
from tests.command import CABIN
from tests.plants import site
from tests.weatherfiles import ALTITUDE, LATITUDE, LONGITUDE, csv_file, year_of_light

NOVEMBER = int(np.datetime64("2025-11-01", "D").astype(int))
WINTER_DAYS = 120


@lru_cache(maxsize=16)
def snowy(tilt_deg: float = 23.0, precipitation_days: float = 11.0, t_c: float = -3.0) -> Site:
    return site(
        weather={"precipitation_days": precipitation_days, "temperature_c": t_c},
        array={"tilt_deg": tilt_deg, "losses": {"snow": "marion"}},
    )


def cover(s: Site, first_day: int = NOVEMBER, days: int = WINTER_DAYS, seed: int = 3) -> np.ndarray:
    return snow_cover(s.array.parts[0], s, seed, first_day, days)


# --- snowfall ---


def test_as_many_days_have_precipitation_as_the_site_says_and_those_below_one_degree_bring_snow():
    days = [one for seed in range(6) for one in snow_days(snowy(t_c=-30.0), seed, NOVEMBER, WINTER_DAYS)]
    assert sum(one.falls_at is not None for one in days) / len(days) == pytest.approx(11.0 / 30.2, abs=0.04)
    assert all(one.falls_at is None for one in snow_days(snowy(t_c=20.0), 3, NOVEMBER, WINTER_DAYS))
    near = [one for seed in range(6) for one in snow_days(snowy(t_c=1.0), seed, NOVEMBER, WINTER_DAYS)]
    cold = [one.sky.t_amb_c.mean() < 1.0 for one in near]
    falls = [one.falls_at is not None for one in near]
    assert 0.3 < np.mean(cold) < 0.7
    assert not any(fall and not chilly for fall, chilly in zip(falls, cold, strict=True))


def test_it_falls_on_the_dark_days():
    days = snow_days(snowy(t_c=-30.0), 3, NOVEMBER, WINTER_DAYS)
    light = {fell: [one.sky.ghi_w_m2.sum() / one.sky.sun.ghi_w_m2.sum() for one in days
                    if (one.falls_at is not None) is fell] for fell in (True, False)}  # fmt: skip
    assert np.mean(light[True]) < 0.7 * np.mean(light[False])


def test_months_have_the_days_of_their_own():
    s = snowy(t_c=-30.0, precipitation_days=(0.0, 31.0, *(0.0,) * 10))
    fell = {sum(one.falls_at is not None for one in snow_days(s, 3, first, 28))
            for first in (NOVEMBER, NOVEMBER + 61)}  # fmt: skip
    assert fell == {0}
    february = int(np.datetime64("2026-02-01", "D").astype(int))
    assert sum(one.falls_at is not None for one in snow_days(s, 3, february, 28)) == 28


# --- sliding ---


def test_it_slides_as_pvlib_s_coverage_nrel(monkeypatch):
    """The same falls, light and air through pvlib, minute by minute; melting, which it hasn't, is off."""
    monkeypatch.setattr(snow, "MELT_K_D", np.inf)
    s = snowy(t_c=-1.0)
    part = s.array.parts[0]
    ours = cover(s)
    days = snow_days(s, 3, NOVEMBER, WINTER_DAYS)
    times = pd.date_range(str(np.datetime64(NOVEMBER, "D")), periods=WINTER_DAYS * 1440, freq="1min")
    fallen, light, t_amb = np.zeros(times.size), np.zeros(times.size), np.zeros(times.size)
    for k, one in enumerate(days):
        here = slice(k * 1440, (k + 1) * 1440)
        if one.falls_at is not None:
            fallen[k * 1440 + one.falls_at] = 5.0
        parts = plane_of_array(one.sky, 23.0, part.azimuth_deg, 0.2)
        light[here] = (parts["beam"] + parts["sky"] + parts["ground"])[:-1]
        t_amb[here] = one.sky.t_amb_c[:-1]
    theirs = pvlib.snow.coverage_nrel(
        pd.Series(fallen, times), pd.Series(light, times), pd.Series(t_amb, times), 23.0
    ).to_numpy()
    began = int(np.flatnonzero(fallen)[0])  # what lay there before, pvlib doesn't know
    apart = np.abs(ours.ravel() - theirs)[began:]
    assert 0.1 < np.mean(theirs > 0.0) < 0.9
    assert apart.max() < 0.002  # a minute's slide: pvlib has none in the minute in which it falls


def test_a_steep_plane_is_rid_of_it_sooner_and_a_level_one_by_melting():
    shares = [np.mean(cover(snowy(tilt, t_c=-1.0)) > 0.0) for tilt in (0.0, 20.0, 45.0, 70.0)]
    assert shares == sorted(shares, reverse=True)
    assert shares[-1] < 0.75 * shares[0]
    spring = int(np.datetime64("2026-05-15", "D").astype(int))
    level = site(weather={"precipitation_days": 11.0}, array={"tilt_deg": 0.0, "losses": {"snow": "marion"}})
    assert not cover(level, spring, 60).any()


# --- keyed by the day ---


@pytest.mark.parametrize("t_c", [-25.0, -3.0, 0.5])
def test_any_day_alone_is_that_day_in_a_run(t_c):
    s = snowy(t_c=t_c, precipitation_days=2.0)
    whole = cover(s)
    assert whole.any()
    for k in (0, 1, 17, 29, 31, 45, 64, 99, WINTER_DAYS - 1):
        np.testing.assert_array_equal(cover(s, NOVEMBER + k, 1)[0], whole[k])
    np.testing.assert_array_equal(cover(s, NOVEMBER + 40, 50), whole[40:90])


def test_snow_that_is_too_old_is_gone():
    """Where nothing slides and nothing new falls, a day has no more than so many before it to look at."""
    s = snowy(t_c=-40.0, precipitation_days=(0.0,) * 11 + (1.0,))
    whole = cover(s, NOVEMBER, 110)
    assert whole[30:61].any()
    assert not whole[61 + LONGEST_DAYS + 1 :].any()


def test_the_seed_makes_it():
    s = snowy()
    assert np.array_equal(cover(s, seed=3), cover(s, seed=3))
    assert not np.array_equal(cover(s, seed=3), cover(s, seed=4))


# --- what it does to the array ---


def test_a_plane_with_any_snow_on_it_gives_nothing_and_a_free_one_all():
    s, bare = snowy(), site(weather={"temperature_c": -3.0}, array={"losses": {}})
    inputs, free = (inputs_of(each, 3, NOVEMBER + 30, 10, 60) for each in (s, bare))
    under = cover(s, NOVEMBER + 30, 10).ravel() > 0.0
    assert 0.1 < under.mean() < 0.9
    settled = under[1:] == under[:-1]  # a step sees the mean of its two ends
    lit = free.array.p_mp_w[:-1] > 1.0
    assert np.all(inputs.array.p_mp_w[:-1][under[:-1] & settled] == 0.0)
    np.testing.assert_allclose(
        inputs.array.p_mp_w[:-1][~under[:-1] & settled & lit],
        free.array.p_mp_w[:-1][~under[:-1] & settled & lit],
        rtol=1e-12,
    )
    np.testing.assert_array_equal(inputs.array.poa_w_m2, free.array.poa_w_m2)


def test_each_sub_array_has_its_own():
    module = "zytech_zt155p"
    parts = [{"module": module, "tilt_deg": 15.0, "losses": {"snow": "marion"}},
             {"module": module, "tilt_deg": 75.0, "losses": {"snow": "marion"}},
             {"module": module, "tilt_deg": 75.0}]  # fmt: skip
    s = site(weather={"precipitation_days": 11.0, "temperature_c": -1.0})
    s = Site.model_validate({**s.model_dump(), "array": {"sub_arrays": parts}})
    flat, steep, none = snow_shadows(s.array, s, 3, sky_block(s, 3, NOVEMBER, 60, 60))
    assert none is None
    assert flat.sum() > 1.2 * steep.sum() > 0.0


def test_a_sub_array_under_snow_takes_nothing_from_a_free_one():
    """But the little that its dark cells let through backwards."""
    upright, flat = ({"module": "zytech_zt155p", "tilt_deg": tilt} for tilt in (90.0, 5.0))
    s = site(weather={"precipitation_days": 11.0, "temperature_c": -1.0})
    alone, both = (
        Site.model_validate({**s.model_dump(), "array": {"sub_arrays": parts}})
        for parts in ([upright], [upright, flat | {"losses": {"snow": "marion"}}])
    )
    free, snowed = (inputs_of(each, 3, NOVEMBER + 30, 20, 900).array for each in (alone, both))
    covered = (free.p_mp_w > 20.0) & (snowed.g_lit_w_m2[1] < 0.01)
    assert covered.sum() > 50
    share = snowed.p_mp_w[covered] / free.p_mp_w[covered]
    assert share.min() > 0.97
    assert share.max() < 1.001


def test_all_of_the_light_taken_from_one_sub_array_leaves_the_other_ones():
    free: dict[str, object] = {"module": "zytech_zt155p", "tilt_deg": 40.0}
    taken = free | {"losses": {"snow": 1.0}}
    s = site()
    one, nearly, none = (
        Site.model_validate({**s.model_dump(), "array": {"sub_arrays": parts}})
        for parts in ([free, taken], [free, taken | {"losses": {"snow": 0.999999}}], [taken, taken])
    )
    wh = [inputs_of(each, 3, NOVEMBER, 5, 900).array.p_mp_w.sum() for each in (one, nearly, none)]
    assert wh[0] == pytest.approx(wh[1], rel=1e-3)
    assert wh[0] > 0.0 == wh[2]


def test_shares_by_hand_are_taken_month_by_month():
    shares = (0.5, *(0.0,) * 10, 1.0)
    s, bare = (site(array={"losses": each}) for each in ({"snow": shares}, {}))
    for month, left in ((1, 0.5), (6, 1.0), (12, 0.0)):
        day = date(2026, month, 10).toordinal() - date(1970, 1, 1).toordinal()
        taken, free = (
            np.asarray(array_days(each.array, sky_block(each, 3, day, 1, 60), 0.2, 60.0).i_l_a)
            for each in (s, bare)
        )
        assert taken.sum() == pytest.approx(left * free.sum(), rel=1e-6)


def test_a_weather_file_brings_snow_on_its_own_cold_days_and_ends_where_it_ends(tmp_path):
    light = year_of_light()
    path = csv_file(tmp_path / "light.csv", light.assign(t=light["t"] - 8.0)[: 24 * 40])
    s = site(
        location={"latitude_deg": LATITUDE, "longitude_deg": LONGITUDE, "altitude_m": ALTITUDE, "timezone": "UTC"},
        weather={"file": str(path), "temperature_c": None, "precipitation_days": 10.0},
        sky={"clearness": None}, array={"losses": {"snow": "marion"}},
    )  # fmt: skip
    january = int(np.datetime64("2023-01-01", "D").astype(int))
    whole = cover(s, january, 40)
    assert 0.1 < np.mean(whole > 0.0) < 1.0
    np.testing.assert_array_equal(cover(s, january + 37, 1)[0], whole[37])


# --- what is said ---


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ({"array": {"losses": {"snow": "marion"}}}, "losses.snow: marion needs weather.precipitation_days"),
        ({"array": {"losses": {"snow": "much"}}}, "'marion'"),
        ({"array": {"losses": {"snow": 1.5}}}, "less than or equal to 1"),
        ({"array": {"losses": {"snow": [0.1] * 4}}}, "must be 12 numbers, got 4"),
        ({"weather": {"precipitation_days": 40}}, "less than or equal to 31"),
    ],
)
def test_what_can_not_be_is_refused(records, says):
    with pytest.raises(ValidationError, match=re.escape(says)):
        site(**records)


def run(call, tmp_path, change: str, *arguments: str) -> str:
    text = CABIN.replace("    soiling: 0.03 ", f"    {change} ")
    path = tmp_path / "mine.yaml"
    path.write_text(
        text.replace("  wind_m_s: 1.4 ", "  wind_m_s: 1.4\n  precipitation_days: 11 "), encoding="utf-8"
    )
    code, out, _ = call("run", str(path), "--fidelity", "sizing", "--step", "1h", *arguments)
    assert code == 0
    return out


def test_the_summary_says_what_snow_and_dirt_took(call, tmp_path):
    winter = ("--start", "2026-01-01", "--days", "20")
    told = run(call, tmp_path, "snow: marion", *winter)
    assert 20.0 < float(re.search(r"lost to soiling 2\.0 %, snow (\S+) %", told)[1]) < 90.0
    assert "soiling 2.0 %, snow 30.0 %" in run(call, tmp_path, "snow: 0.3", *winter)
    dirty = f"soiling: [{', '.join(['0.1'] * 6 + ['0.2'] * 6)}]"
    assert "soiling 10.0 %, snow 0.0 %" in run(call, tmp_path, dirty, "--start", "2026-06-01", "--days", "5")


def test_where_it_could_lie_and_is_left_out_the_summary_says_so(call, tmp_path):
    left_out = "snow on the modules is not simulated unless the site sets losses.snow"
    assert left_out in run(call, tmp_path, "soiling: 0.02", "--start", "2026-01-01", "--days", "3")
    assert left_out not in run(call, tmp_path, "soiling: 0.02", "--start", "2026-07-01", "--days", "3")
    assert left_out not in run(call, tmp_path, "snow: 0.1", "--start", "2026-01-01", "--days", "3")


def test_the_ties_of_a_night_without_end_are_broken_by_chance():
    s = Site.model_validate({
        **snowy(t_c=-30.0).model_dump(), "location": {**snowy().location.model_dump(), "latitude_deg": 78.0},
        "sky": {"clearness": 0.3},
    })  # fmt: skip
    days = snow_days(s, 3, NOVEMBER + 20, 60)
    assert 0.2 < np.mean([one.falls_at is not None for one in days]) < 0.55
