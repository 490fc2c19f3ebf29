"""Weather files: every format says the same of the same weather, and what can't be true is refused in plain words."""

from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pvlib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from plant.base.problems import ProblemsError
from plant.weather import sun
from plant.weather.measured.days import file_sky
from plant.weather.measured.resample import edges_of, light_of_means
from plant.weather.place import Location, Weather
from plant.weather.sky import sky_block, sky_day
from plant.weather.sunmeans import sun_means
from tests import weatherfiles as files
from tests.plants import site

PLACE = {
    "latitude_deg": files.LATITUDE, "longitude_deg": files.LONGITUDE, "altitude_m": files.ALTITUDE,
    "timezone": "UTC", "linke_turbidity": 3.0,
}  # fmt: skip
HERE = Location(**PLACE)
TYPICAL = dict.fromkeys(range(1, 13), 2005) | {2: 2009, 7: 2011, 12: 1998}
JUNE, JULY = (int(np.datetime64(day, "D").astype(int)) for day in ("2023-06-11", "2023-07-02"))


def site_of(path, location=PLACE, **weather):
    return site(
        location=location,
        sky={"clearness": None},
        weather={"file": str(path), "temperature_c": None, **weather},
    )


def hours_of(sky):
    """Means of GHI, DNI and DHI over a day's hours while the sun is up, and which hours are all in light."""
    up = sky.sun.zenith_deg[:-1] < 90.0
    per = 3600 // sky.grid_s
    light = [
        np.where(up, v[:-1], 0.0).reshape(24, per).mean(axis=1)
        for v in (sky.ghi_w_m2, sky.dni_w_m2, sky.dhi_w_m2)
    ]
    return light, up.reshape(24, per).all(axis=1)


def wrong(path, location=PLACE, **weather):
    s = site_of(path, location, **weather)
    with pytest.raises(ProblemsError) as told:
        file_sky(s.weather, s.location)
    return str(told.value)


WRITERS = {
    "csv": files.csv_file,
    "epw": files.epw_file,
    "tmy3": files.tmy3_file,
    "sam": files.nsrdb_file,
    "solaranywhere": files.solaranywhere_file,
}


def test_every_format_that_a_site_may_name_is_tested():
    """PVGIS has several forms, each with a test of its own below; services' formats are in test_weather_formats."""
    named = get_args(Weather.model_fields["format"].annotation)
    assert set(named) == {"auto", "pvgis", "cams", "surfrad", "bsrn", *WRITERS}


@pytest.fixture(scope="module", params=list(WRITERS))
def hourly(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("weather") / f"{request.param}.txt"
    return request.param, WRITERS[request.param](path, files.year_of_light())


@pytest.mark.parametrize("grid_s", [10, 60])
def test_every_hourly_format_gives_back_the_hours_it_was_written_from(hourly, grid_s):
    """The formats stamp the same hour with its start, middle or end."""
    _, path = hourly
    sky = sky_day(site_of(path), 1, JUNE, grid_s)
    assert sky.start_utc_s == JUNE * 86400 - 3600  # the solar day is the file's day
    (ghi, dni, dhi), lit = hours_of(sky)
    truth = files.year_of_light().loc["2023-06-11"]
    assert lit.sum() >= 14
    assert ghi[lit] == pytest.approx(truth["ghi"].to_numpy()[lit], rel=1e-9)
    assert dhi[lit] == pytest.approx(truth["dhi"].to_numpy()[lit], rel=1e-3, abs=1.0)
    assert dni[lit] == pytest.approx(truth["dni"].to_numpy()[lit], rel=0.02, abs=3.0)
    middles = slice(1800 // grid_s, None, 3600 // grid_s)
    assert sky.t_amb_c[middles] == pytest.approx(truth["t"].to_numpy(), abs=1e-9)
    assert sky.wind_m_s[middles] == pytest.approx(truth["wind"].to_numpy(), abs=1e-9)


def test_format_is_seen_from_the_file(hourly):
    kind, path = hourly
    seen, told = (file_sky(site_of(path, format=f).weather, HERE).series for f in ("auto", kind))
    assert seen.columns["ghi_w_m2"].tobytes() == told.columns["ghi_w_m2"].tobytes()


@pytest.mark.parametrize("name", ["723170TYA.CSV", "703165TY.csv"])
def test_a_published_typical_year_keeps_its_energy(name):
    """NREL's TMY3 of Greensboro and of Sand Point, as pvlib ships them."""
    path = Path(pvlib.__file__).parent / "data" / name
    data, meta = pvlib.iotools.read_tmy3(path, coerce_year=2001)
    place = PLACE | {
        "latitude_deg": meta["latitude"], "longitude_deg": meta["longitude"], "altitude_m": meta["altitude"],
        "linke_turbidity": "climatology",
    }  # fmt: skip
    s = site_of(path, place)
    first = int(np.datetime64("2026-01-01", "D").astype(int))
    got = []
    for day in range(first, first + 365, 73):
        block = sky_block(s, 1, day, 73, 60)
        up = block.sun.zenith_deg < 90.0
        got.append(
            [np.where(up, v, 0.0)[:, :-1].mean() for v in (block.ghi_w_m2, block.dni_w_m2, block.dhi_w_m2)]
        )
    mean = np.mean(got, axis=0)
    assert mean[0] == pytest.approx(data["ghi"].mean(), rel=2e-3)
    assert mean[1] == pytest.approx(data["dni"].mean(), rel=0.02)
    assert mean[2] == pytest.approx(data["dhi"].mean(), rel=3e-3)


def test_pvgis_moments_are_met_at_the_moment(tmp_path):
    """A typical year with its light 12 minutes past the hour, and an hourly series at 10 past."""
    typical = files.pvgis_tmy_csv(tmp_path / "tmy.csv", files.moments_of_light(12), 0.2)
    hourly = files.pvgis_hourly_json(tmp_path / "hourly.json", files.moments_of_light(10).loc["2023-06"])
    for path, minute in ((typical, 12), (hourly, 10)):
        sky = sky_day(site_of(path), 1, JUNE, 60)
        # UTC hours on the UTC+1 solar day.
        at = [int(((h * 3600 + minute * 60) - 0) // 60) + 60 for h in range(5, 18)]
        truth = files.moments_of_light(minute).loc["2023-06-11"].iloc[5:18]
        assert sky.ghi_w_m2[at] == pytest.approx(truth["ghi"].to_numpy(), rel=2e-3)
        assert sky.dni_w_m2[at] == pytest.approx(truth["dni"].to_numpy(), rel=5e-3)
        assert np.all(sky.t_amb_c == 11.0)


def test_pvgis_of_a_tilted_plane_is_refused(tmp_path):
    path = files.pvgis_hourly_json(
        tmp_path / "tilted.json", files.moments_of_light(10).loc["2023-06"], slope=35.0
    )
    assert "on a plane tilted by 35 deg; request a fixed mount with slope 0" in wrong(path)


@pytest.mark.parametrize("writer", [files.epw_file, files.tmy3_file, files.nsrdb_file])
def test_typical_years_repeat_and_leap_days_repeat_the_28th(writer, tmp_path):
    path = writer(tmp_path / "typical.txt", files.year_of_light(), TYPICAL)
    s = site_of(path)
    means = {}
    for day in ("2024-02-28", "2024-02-29", "2024-03-01", "2031-02-28"):
        sky = sky_day(s, 1, int(np.datetime64(day, "D").astype(int)), 60)
        (means[day], _, _), lit = hours_of(sky)
        means[day] = means[day][lit]
    truth = files.year_of_light()["ghi"]
    assert means["2024-02-28"] == pytest.approx(truth.loc["2023-02-28"].to_numpy()[lit], rel=1e-9)
    assert means["2024-02-29"] == pytest.approx(means["2024-02-28"], rel=1e-9)
    assert means["2031-02-28"] == pytest.approx(means["2024-02-28"], rel=1e-9)
    assert means["2024-03-01"] == pytest.approx(truth.loc["2023-03-01"].to_numpy()[lit], rel=1e-9)


def test_rows_of_a_leap_day_in_a_typical_year_are_left_out_and_counted(tmp_path):
    light = files.year_of_light()
    leap = light.loc["2023-02-28"].set_axis(
        light.loc["2023-02-28"].index + pd.Timedelta("365D") + pd.Timedelta("1D")
    )
    assert str(leap.index[0].date()) == "2024-02-29"
    whole = pd.concat([light.loc[:"2023-02-28"], leap, light.loc["2023-03-01":]])
    path = files.epw_file(tmp_path / "leap.epw", whole, TYPICAL | {2: 2008})
    notes = file_sky(site_of(path).weather, HERE).notes
    assert notes == ("24 rows of a 29 February left out; leap years repeat the 28th",)


def test_a_real_year_stands_for_itself_alone_unless_told_to_repeat(tmp_path):
    path = files.csv_file(tmp_path / "real.csv", files.year_of_light())
    later = int(np.datetime64("2026-06-11", "D").astype(int))
    with pytest.raises(
        ProblemsError,
        match=r"2023-01-01 00:00 to 2024-01-01 00:00 \(UTC\+1\) and nothing for 2026-06-11.*repeat: true",
    ):
        sky_day(site_of(path), 1, later)
    again, own = (sky_day(site_of(path, repeat=True), 1, day, 60) for day in (later, JUNE))
    assert hours_of(again)[0][0][hours_of(again)[1]] == pytest.approx(
        hours_of(own)[0][0][hours_of(own)[1]], rel=1e-9
    )
    assert again.t_amb_c == pytest.approx(own.t_amb_c, abs=1e-12)


def test_half_a_year_does_not_repeat(tmp_path):
    path = files.csv_file(tmp_path / "half.csv", files.year_of_light().loc[:"2023-06-30"])
    assert "181 days; a year that repeats must be whole" in wrong(path, repeat=True)


@pytest.mark.parametrize("shift_h", [-9, -3, -1, 1, 2, 5.5, 8])
def test_a_clock_that_does_not_fit_the_sun_is_refused_with_the_zone_that_would(shift_h, tmp_path):
    path = files.csv_file(tmp_path / "year.csv", files.year_of_light().tz_localize(None))
    true = files.ZONE_H
    assert f"set weather.utc_offset_h: {true:g}" in wrong(path, utc_offset_h=float(true - shift_h))
    file_sky(site_of(path, utc_offset_h=float(true)).weather, HERE)


def test_a_single_week_by_a_wrong_clock_is_seen_by_its_light_at_night(tmp_path):
    path = files.csv_file(tmp_path / "week.csv", files.year_of_light().loc["2023-06-01":"2023-06-07"])
    assert "of its light falls at night" in wrong(path, utc_offset_h=7.0)


def test_a_site_elsewhere_is_told_of_the_distance(tmp_path):
    path = files.epw_file(tmp_path / "far.epw", files.year_of_light())
    notes = file_sky(site_of(path).weather, HERE.model_copy(update={"latitude_deg": 46.5})).notes
    assert any("the file is for 45, 8, 1.5 deg from the site" in note for note in notes)


# holes, repeats and values that can't be


def test_short_holes_are_filled_by_the_index_around_them_and_counted(tmp_path):
    light = files.year_of_light().copy()
    truth = light.loc["2023-07-02", "ghi"].to_numpy()
    hole = light.index[(light.index >= "2023-07-02 11:00+01:00") & (light.index < "2023-07-02 14:00+01:00")]
    light.loc[hole, ["ghi", "dni", "dhi"]] = np.nan
    light.loc[hole[:2], "t"] = np.nan
    ready = file_sky(site_of(files.csv_file(tmp_path / "hole.csv", light)).weather, HERE)
    assert ready.notes == (
        "3 h without irradiance filled at the clear-sky index around them",
        "2 h without temperature filled",
    )
    sky = sky_day(site_of(tmp_path / "hole.csv"), 1, JULY)
    ghi = hours_of(sky)[0][0]
    clear = sky.sun.ghi_w_m2[:-1].reshape(24, 360).mean(axis=1)
    share = truth[[10, 14]] / clear[[10, 14]]
    assert ghi[11:14] / clear[11:14] == pytest.approx(np.interp([1, 2, 3], [0, 4], share), rel=1e-3)


def test_rows_left_out_are_a_hole_too_and_nights_count_for_nothing(tmp_path):
    light = files.year_of_light()
    without = light.drop(light.loc["2023-07-02 20:00":"2023-07-03 05:00"].index)
    ready = file_sky(site_of(files.csv_file(tmp_path / "night.csv", without[["ghi"]], {"ghi": "ghi_w_m2"}),
                             temperature_c=[10.0] * 12).weather, HERE)  # fmt: skip
    assert ready.series.size == 8760
    assert all("irradiance" in note for note in ready.notes)


def test_long_holes_are_refused_with_their_beginning(tmp_path):
    light = files.year_of_light().copy()
    light.loc["2023-07-02 10:00":"2023-07-02 14:00", "ghi"] = np.nan
    told = wrong(files.csv_file(tmp_path / "long.csv", light))
    assert "ghi_w_m2 is missing for 5 h from 2023-07-02 10:00" in told


def test_rows_twice_alike_are_taken_once_and_rows_that_differ_are_refused_by_line(tmp_path):
    light = files.year_of_light().loc["2023-06-01":"2023-06-30"]
    twice = pd.concat([light.iloc[:300], light.iloc[299:300], light.iloc[300:]])
    ready = file_sky(site_of(files.csv_file(tmp_path / "twice.csv", twice)).weather, HERE)
    assert ready.notes == ("1 row given twice, with the same values, used once",)
    assert ready.series.size == light.shape[0]
    twice = twice.copy()
    twice.iloc[300, 0] += 5.0
    told = wrong(files.csv_file(tmp_path / "differ.csv", twice))
    assert (
        "differ.csv:303: 2023-06-13 11:00 is given twice (first on line 302) with different ghi_w_m2" in told
    )


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("ghi", 1700.0, "exceeds the irradiance"), ("ghi", -40.0, "below -20"), ("t", 80.0, "outside -90..65"),
     ("wind", -1.0, "outside 0..100"), ("dni", 2000.0, "outside -20..1500")],
)  # fmt: skip
def test_values_that_cannot_be_are_told_with_their_line(column, value, words, tmp_path):
    light = files.year_of_light().loc["2023-06-01":"2023-06-30"].copy()
    light.iloc[36, light.columns.get_loc(column)] = value
    told = wrong(files.csv_file(tmp_path / "bad.csv", light))
    assert "bad.csv:39: 2023-06-02 12:00" in told
    assert words in told


def test_a_pyranometers_night_offset_is_nothing(tmp_path):
    light = files.year_of_light().loc["2023-06-01":"2023-06-30"].copy()
    light.loc[light["ghi"] == 0.0, "ghi"] = -3.0
    ready = file_sky(site_of(files.csv_file(tmp_path / "offset.csv", light)).weather, HERE)
    assert "rows with irradiance below 0 set to 0" in ready.notes[0]
    assert ready.series.columns["ghi_w_m2"].min() == 0.0


# plain CSV


@pytest.mark.parametrize(
    ("text", "words"),
    [("time,ghi\n2024-01-01T00:00,0\n", "not recognised"),
     ("time,ghi_w_m2,dni_wm2\n2024-01-01T00:00,0,0\n", "odd.csv:1: dni_wm2: unknown column (did you mean dni_w_m2?)"),
     ("when,ghi_w_m2\n2024-01-01T00:00,0\n", "odd.csv:1: time: missing"),
     ("# x\ntime,ghi_w_m2\n2024-01-01T00:00,0\n2024-01-01T01:00,many\n", "odd.csv:4: ghi_w_m2: must be a number"),
     ("time,ghi_w_m2\n2024-01-01T00:00,0\nyesterday,0\n", "odd.csv:3: time: 'yesterday' is not an ISO time; write"),
     ("time,ghi_w_m2\n2024-01-01T00:00,0\n2024-01-01T01:00Z,0\n", "some times have a zone and some have none"),
     ("time,ghi_w_m2\n2024-01-01T00:00,0\n2024-01-01T03:00,0\n", "1 h at most"),
     ("time,ghi_w_m2\n2024-01-01T00:00,0\n", "fewer than two rows"),
     ("LOCATION,x\n", "can't be read as epw")],
)  # fmt: skip
def test_files_that_cannot_be_read_say_where_and_why(text, words, tmp_path):
    (tmp_path / "odd.csv").write_text(text, encoding="utf-8")
    assert words in wrong(tmp_path / "odd.csv", temperature_c=[10.0] * 12)


def test_what_a_file_lacks_comes_from_the_monthly_means(tmp_path):
    path = files.csv_file(tmp_path / "ghi.csv", files.year_of_light(), {"ghi": "ghi_w_m2"})
    assert "give weather.temperature_c as monthly means" in wrong(path)
    sky = sky_day(site_of(path, temperature_c=[14.0] * 12, temperature_swing_c=0.0), 1, JUNE)
    assert sky.t_amb_c == pytest.approx(14.0)
    assert sky.wind_m_s.min() >= 0.3


@pytest.mark.parametrize(("method", "rms"), [("dirint", 60.0), ("erbs", 90.0), ("heliosat", 40.0)])
def test_direct_light_of_a_file_with_global_only(method, rms, tmp_path):
    """Close to the DNI that the file's maker knew; his law is Heliosat's."""
    path = files.csv_file(tmp_path / "ghi.csv", files.year_of_light(), {"ghi": "ghi_w_m2", "t": "t_amb_c"})
    block = sky_block(site_of(path, decomposition=method), 1, JUNE, 20, 60)
    dni = block.dni_w_m2[:, :-1].reshape(-1, 60).mean(axis=1)
    truth = files.year_of_light()["dni"].loc["2023-06-11":"2023-06-30"].to_numpy()
    assert np.sqrt(np.mean((dni - truth)[truth > 0.0] ** 2)) < rms
    closed = block.dni_w_m2 * np.maximum(np.cos(np.radians(block.sun.zenith_deg)), 0.0) + block.dhi_w_m2
    assert closed == pytest.approx(block.ghi_w_m2, abs=1e-6)


def test_a_filled_minute_is_told_in_minutes(tmp_path):
    light = files.year_of_light().loc["2023-07-01":"2023-07-03"]
    minutes = light.resample("1min").ffill()
    minutes.loc[minutes.index[1440 + 720], ["ghi", "dni", "dhi"]] = np.nan
    minutes.loc[minutes.index[700:720], "t"] = np.nan
    path = files.csv_file(tmp_path / "minutes.csv", minutes)
    assert file_sky(site_of(path).weather, HERE).notes == (
        "1 min without irradiance filled at the clear-sky index around them",
        "20 min without temperature filled",
    )


def test_a_files_path_is_counted_from_the_site_files_folder(tmp_path):
    files.csv_file(tmp_path / "here.csv", files.year_of_light())
    found = Weather.model_validate({"file": "here.csv"}, context={"folder": tmp_path})
    assert found.file == str(tmp_path / "here.csv")
    with pytest.raises(ValidationError, match="no such file"):
        Weather.model_validate({"file": "gone.csv"}, context={"folder": tmp_path})
    (tmp_path / "years").mkdir()
    with pytest.raises(ValidationError, match=r"is a folder, not a file: .*years"):
        Weather.model_validate({"file": "years"}, context={"folder": tmp_path})


# resampling


@settings(max_examples=60, deadline=None)
@given(
    latitude=st.floats(-65.0, 65.0), day=st.integers(19000, 21000), step_s=st.sampled_from([600, 900, 1800, 3600]),
    grid_s=st.sampled_from([10, 60]), data=st.data(),
)  # fmt: skip
def test_every_interval_keeps_its_mean_and_nothing_shines_at_night(latitude, day, step_s, grid_s, data):
    place = Location(latitude_deg=latitude, longitude_deg=0.0, linke_turbidity=3.0)
    size = 86400 // step_s
    index = np.array(data.draw(st.lists(st.floats(0.0, 1.4), min_size=size, max_size=size)))
    means = sun_means(place, day * 86400, step_s, size, False)
    clear = sun.clear_day(day, place, grid_s).ghi_w_m2
    per = step_s // grid_s
    mean = index * clear[:-1].reshape(size, per).mean(axis=1)
    row = np.arange(clear.size) // per
    share = np.arange(clear.size) % per / per
    above = sun.clear_day(day, place, grid_s)
    extra = np.maximum(np.cos(np.radians(above.zenith_deg)), 0.0) * above.dni_extra_w_m2
    light = light_of_means(
        edges_of(mean, means.ghi_w_m2, means.extra_w_m2, False, False),
        clear[None, :],
        extra[None, :],
        row[None, :],
        share[None, :],
    )[0]
    assert light[:-1].reshape(size, per).mean(axis=1) == pytest.approx(mean, rel=1e-9, abs=1e-9)
    assert np.all(light >= 0.0)
    assert np.all(light[extra == 0.0] == 0.0)
    assert np.all(light <= np.maximum(1.5 * 1.4 * max(clear.max(), 1e-9), extra))


# what a stamp and a clock mean, when the site says so


def test_the_site_says_what_a_stamp_means_when_the_format_does_not_know(tmp_path):
    light = files.year_of_light()
    path = files.csv_file(tmp_path / "ends.csv", light.set_axis(light.index + pd.Timedelta("1h")))
    sky = sky_day(site_of(path, stamp="end"), 1, JUNE, 60)
    (ghi, _, _), lit = hours_of(sky)
    assert ghi[lit] == pytest.approx(light.loc["2023-06-11", "ghi"].to_numpy()[lit], rel=1e-9)


def test_a_clock_with_summer_time_is_read_by_the_offsets_it_writes(tmp_path):
    light = files.year_of_light()
    path = files.csv_file(tmp_path / "summer.csv", light.tz_convert("Europe/Rome"))
    assert "+02:00" in path.read_text(encoding="utf-8")
    ready = file_sky(site_of(path).weather, HERE).series
    assert ready.utc_offset_s == 3600
    assert ready.columns["ghi_w_m2"] == pytest.approx(light["ghi"].to_numpy())


def test_direct_light_by_dirint_is_pvlibs_on_the_files_own_hours(tmp_path):
    light = files.year_of_light()
    path = files.csv_file(tmp_path / "ghi.csv", light, {"ghi": "ghi_w_m2", "t": "t_amb_c"})
    block = sky_block(site_of(path), 1, JUNE, 20, 60)
    dni = block.dni_w_m2[:, :-1].reshape(-1, 60).mean(axis=1)
    hours = light.loc["2023-06-11":"2023-06-30", "ghi"]
    middles = hours.index + pd.Timedelta("30min")
    sun_there = pvlib.solarposition.get_solarposition(
        middles, files.LATITUDE, files.LONGITUDE, files.ALTITUDE
    )
    theirs = pvlib.irradiance.dirint(
        hours.set_axis(middles), sun_there["zenith"], middles, pvlib.atmosphere.alt2pres(files.ALTITUDE)
    )
    high = sun_there["elevation"].to_numpy() > 15.0
    apart = np.abs(dni - theirs.to_numpy())[high]
    assert dni[high].mean() == pytest.approx(theirs.to_numpy()[high].mean(), rel=0.01)
    # DIRINT is a table of bins: a zenith 0.1 deg off may fall into the next.
    assert np.mean(apart < 15.0) > 0.9


@pytest.mark.parametrize(
    ("line", "left", "width"),
    [
        (-1, "2023-12-31T23:00:00+01:00", 1),
        (-1, "2023-12-31T23:00:00+01:00,", 1),
        (4000, "2023-06-16T14:00:00+01:00,7", 2),
    ],
)
def test_a_row_of_plain_csv_that_was_cut_off_is_told_with_its_line(tmp_path, line, left, width):
    path = files.csv_file(tmp_path / "year.csv", files.year_of_light())
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[line] = left
    path.write_text("\n".join(lines), encoding="utf-8")
    number = line % len(lines) + 1
    assert wrong(path).startswith(
        f"{path}:{number}: the row is cut off: {width} of 6 values; download the file"
    )
