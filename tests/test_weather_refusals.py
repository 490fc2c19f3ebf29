"""Weather files that can't be used are refused for the reason that is theirs, and never run as darkness."""

import errno
import gzip
import re
import tempfile
import zipfile

import numpy as np
import pytest

from plant.base.problems import ProblemsError
from plant.weather.measured.stations import as_one_day
from plant.weather.place import Location
from tests import weatherfiles as files
from tests.test_weather_formats import cams_file, june, ready
from tests.test_weatherfile import wrong

NO_LIGHT = "ghi_w_m2 has no value at all"
AIR = {"temperature_c": [10.0] * 12}


def of_june():
    return files.year_of_light().loc["2023-06-01":"2023-06-30"].copy()


@pytest.mark.parametrize("fill", ["none", "neighbours", "clear_sky_index"])
@pytest.mark.parametrize(("hours", "when"), [(24, ""), (20, " while the sun is up")])
def test_a_file_without_any_light_is_no_darkness(fill, hours, when, tmp_path):
    """Whatever fills holes: there is nothing to fill from, and no other fill is recommended."""
    light = of_june()[["ghi"]]
    light[(light.index.hour >= 24 - hours)] = np.nan
    told = wrong(files.csv_file(tmp_path / "dark.csv", light, {"ghi": "ghi_w_m2"}), fill=fill, **AIR)
    assert NO_LIGHT + when in told
    assert "weather.fill" not in told


@pytest.mark.parametrize("writer", [files.csv_file, files.epw_file, files.tmy3_file, files.nsrdb_file])
def test_no_format_runs_without_light(writer, tmp_path):
    light = files.year_of_light().copy()
    light[["ghi", "dni", "dhi"]] = -9999.0 if writer is not files.epw_file else 9999.0
    assert NO_LIGHT in wrong(writer(tmp_path / "dark.txt", light))


@pytest.mark.parametrize("times", [0.0, 0.001], ids=["dead sensor", "kW/m2"])
def test_a_dark_week_of_a_file_is_no_weather(times, tmp_path):
    """Neither is it filled unasked: with `cap` it is a hole like any other."""
    light = of_june()[["ghi"]]
    light.loc["2023-06-10":"2023-06-16"] *= times
    path = files.csv_file(tmp_path / "dead.csv", light, {"ghi": "ghi_w_m2"})
    told = wrong(path, **AIR)
    assert "2023-06-10 " in told
    assert "less than 0.5 % of the light above the air" in told
    assert re.search(r"1\d\d rows of 720 can't be true \(June\); weather.on_impossible: cap", told)
    assert "is missing for 1" in wrong(path, on_impossible="cap", **AIR)
    notes = ready(path, on_impossible="cap", fill="neighbours", **AIR).notes
    assert any("with the same hours of the days around" in note for note in notes)


def test_the_dullest_day_is_weather_and_so_is_polar_twilight(tmp_path):
    """Two per cent of the light above the air; and any share of what is next to nothing there."""
    light = of_june()[["ghi"]]
    light.loc["2023-06-10"] *= 0.025
    assert ready(files.csv_file(tmp_path / "dull.csv", light, {"ghi": "ghi_w_m2"}), **AIR)
    arctic = Location(latitude_deg=67.0, longitude_deg=8.0)
    winter = files.year_of_light().loc["2023-12-01":"2023-12-31", ["ghi"]] * 0.0
    winter.loc["2023-12-15 12:00"] = 3.0
    assert ready(files.csv_file(tmp_path / "twilight.csv", winter, {"ghi": "ghi_w_m2"}), arctic, **AIR)


def test_direct_light_known_by_night_only_is_worked_out(tmp_path):
    light = of_june()
    light.loc[light["ghi"] > 0.0, ["dni", "dhi"]] = np.nan
    series = ready(files.csv_file(tmp_path / "nights.csv", light)).series
    assert {"dni_w_m2", "dhi_w_m2"}.isdisjoint(series.columns)


@pytest.mark.parametrize("fill", ["none", "neighbours", "clear_sky_index"])
def test_an_empty_column_of_air_is_none(fill, tmp_path):
    light = of_june()
    light[["t", "wind"]] = np.nan
    path = files.csv_file(tmp_path / "empty.csv", light)
    assert set(ready(path, fill=fill, **AIR).series.columns) == {"ghi_w_m2", "dni_w_m2", "dhi_w_m2"}
    assert "give weather.temperature_c as monthly means" in wrong(path, fill=fill)


def test_air_in_another_unit_cut_away_leaves_nothing_to_fill_from(tmp_path):
    light = of_june()
    light["t"] += 273.15
    path = files.csv_file(tmp_path / "kelvin.csv", light)
    assert "t_amb_c has no value that can be used" in wrong(path, fill="neighbours", on_impossible="cap")


def test_the_clear_sky_service_of_cams_is_told_apart(tmp_path):
    cams_file(tmp_path / "mcclear.csv")
    path = tmp_path / "mcclear.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next(n for n, line in enumerate(lines) if line.startswith("# Observation"))
    lines[head] = "# Observation period;TOA;Clear sky GHI;Clear sky BHI;Clear sky DHI;Clear sky BNI"
    lines[head + 1 :] = [";".join(line.split(";")[:6]) for line in lines[head + 1 :]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    told = wrong(path, **AIR)
    assert told.startswith(f"{path}:{head + 1}: holds clear-sky light only (McClear); download the all-sky")


@pytest.mark.parametrize("writer", [files.csv_file, files.tmy3_file, files.nsrdb_file])
@pytest.mark.filterwarnings("error")
def test_an_infinite_value_is_no_number(writer, tmp_path):
    light = of_june() if writer is files.csv_file else files.year_of_light().copy()
    light.iloc[12, 0] = np.inf
    assert "must be a number, got" in wrong(writer(tmp_path / "inf.txt", light))


def test_a_full_temporary_disk_is_not_the_files_fault(tmp_path, monkeypatch):
    path = files.solaranywhere_file(tmp_path / "sa.csv", files.year_of_light())

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("plant.weather.measured.table.NamedTemporaryFile", full)
    assert wrong(path) == (
        f"{tempfile.gettempdir()}: a copy of sa.csv could not be written there: No space left on device; "
        "free some space, or set TMPDIR"
    )


def test_holes_in_diffuse_light_alone_are_filled_too(tmp_path):
    light = of_june()
    light.loc["2023-06-11 10:00":"2023-06-11 12:00", ["dni", "dhi"]] = np.nan
    columns = ready(files.csv_file(tmp_path / "diffuse.csv", light)).series.columns
    assert not any(np.isnan(columns[name]).any() for name in ("dni_w_m2", "dhi_w_m2"))


# leap days


@pytest.mark.parametrize("repeat", [None, True])
def test_a_leap_year_without_its_29_february_repeats_the_28th(repeat, tmp_path):
    light = files.year_of_light()
    leap = light.set_axis(light.index.map(lambda stamp: stamp.replace(year=2024)))
    path = files.csv_file(tmp_path / "leap.csv", leap)
    file = ready(path, repeat=repeat)
    assert file.notes == ("29 February, which the file leaves out, filled with the 28th",)
    series = file.series
    assert series.size == 366 * 24
    days = series.columns["ghi_w_m2"].reshape(366, 24)
    assert (days[59] == days[58]).all()
    assert days[60] == pytest.approx(light.loc["2023-03-01", "ghi"].to_numpy())
    without_march = leap.drop(leap.loc["2024-03-01"].index)
    assert "ghi_w_m2 is missing for" in wrong(files.csv_file(tmp_path / "two_days.csv", without_march))


# files as they come


def test_a_file_compressed_by_gzip_is_read_and_an_archive_is_named(tmp_path):
    plain = june(tmp_path / "june.csv")
    packed = tmp_path / "june.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    light = [ready(path).series.columns["ghi_w_m2"] for path in (plain, packed)]
    assert (light[0] == light[1]).all()
    packed.write_bytes(packed.read_bytes()[:-300])
    assert "is compressed by gzip, and cut off or damaged" in wrong(packed)
    with zipfile.ZipFile(tmp_path / "june.zip", "w") as archive:
        archive.write(plain)
    assert "is a zip archive; unpack it" in wrong(tmp_path / "june.zip")


def test_sam_in_capitals_is_not_taken_for_epw(tmp_path):
    light = files.year_of_light()
    text = files.nsrdb_file(tmp_path / "sam.csv", light).read_text(encoding="utf-8").split("\n", 3)
    text[0] = text[0].upper().replace("SOURCE", "LOCATION")
    text[2] = text[2].upper()
    (tmp_path / "upper.csv").write_text("\n".join(text), encoding="utf-8")
    assert ready(tmp_path / "upper.csv").series.columns["ghi_w_m2"] == pytest.approx(light["ghi"].to_numpy())


def test_a_first_whole_day_is_told_only_if_the_file_has_it(tmp_path):
    hours = files.year_of_light().loc["2023-06-11 01:00":"2023-06-12 20:00"]
    file = ready(files.csv_file(tmp_path / "short.csv", hours))
    with pytest.raises(ProblemsError) as told:
        file.check_run(file.span_utc_s[0] - 60.0, file.span_utc_s[1])
    assert "first whole day" not in str(told.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("time,ghi_w_m2\n2024-06-01T00:00,0,0\n2024-06-01T01:00,0,5\n", "odd.csv:2: the row has 3 values, others have 2"),
     ("time,ghi_w_m2\n", "odd.csv:1: holds no rows below its header"),
     ("time,ghi_w_m2\n,\n", "odd.csv:1: holds no rows below its header"),
     ('{"message":"Not over the sea.","status":400}', "holds no data but what PVGIS answered: 'Not over the sea.'")],
)  # fmt: skip
def test_a_file_that_is_not_what_was_meant_says_so(text, words, tmp_path):
    (tmp_path / "odd.csv").write_text(text, encoding="utf-8")
    assert words in wrong(tmp_path / "odd.csv", **AIR)


@pytest.mark.parametrize("head_too", [False, True])
def test_a_separator_at_the_end_of_each_row_is_passed_over(head_too, tmp_path):
    plain = june(tmp_path / "june.csv")
    mark, head, *rows = plain.read_text(encoding="utf-8").splitlines()
    odd = tmp_path / "odd.csv"
    odd.write_text("\n".join([mark, head + "," * head_too, *(row + "," for row in rows)]) + "\n")
    wanted, got = (ready(path).series.columns for path in (plain, odd))
    assert all((got[name] == wanted[name]).all() for name in wanted)


def test_empty_last_columns_without_a_final_newline_are_not_cut_off(tmp_path):
    light = of_june()[["ghi", "t", "wind"]]
    light[["t", "wind"]] = np.nan
    path = files.csv_file(tmp_path / "e.csv", light, {"ghi": "ghi_w_m2", "t": "t_amb_c", "wind": "wind_m_s"})
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n"), encoding="utf-8")
    assert ready(path, **AIR).series.size == 720


def test_an_epw_may_name_its_place_with_a_comma_and_has_no_hour_0(tmp_path):
    light = files.year_of_light()
    plain = files.epw_file(tmp_path / "plain.epw", light).read_text(encoding="utf-8")
    odd = tmp_path / "odd.epw"
    odd.write_text(plain.replace("LOCATION,Somewhere", 'LOCATION,"Turin, Po"'), encoding="utf-8")
    assert ready(odd).series.columns["ghi_w_m2"] == pytest.approx(light["ghi"].to_numpy())
    odd.write_text(plain.replace("\n2023,1,1,1,", "\n2023,1,1,0,"), encoding="utf-8")
    assert "odd.epw:9: no such date and hour: " in wrong(odd)
    assert "hour 0; hours are 1 to 24 in this format" in wrong(odd)


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize(
    "writer", [files.epw_file, files.tmy3_file, files.nsrdb_file, files.solaranywhere_file]
)
def test_other_separators_than_the_formats_are_named(writer, separator, tmp_path):
    path = writer(tmp_path / "odd.txt", files.year_of_light())
    path.write_text(path.read_text(encoding="utf-8").replace(",", separator), encoding="utf-8")
    named = "tabs" if separator == "\t" else "';'"
    assert (
        f"its separators are {named}, {writer.__name__.split('_')[0].replace('nsrdb', 'sam')} has ','"
        in wrong(path)
    )


def test_pvgis_is_json_whatever_its_name(tmp_path):
    path = files.pvgis_hourly_json(tmp_path / "hourly.csv", files.moments_of_light(10).loc["2023-06"])
    assert ready(path).series.instant


def test_surfrad_days_put_behind_one_another_are_one_file():
    station = ["Highvalley", "  37.70  105.92 2317 m version 1"]
    day = [*station, "2016 1 1", "2016 1 1", *station, "2016 1 2", "", *station, "2016 1 3", ""]
    assert (
        as_one_day("\n".join(day)).split()
        == " ".join([*station, "2016 1 1", "2016 1 1", "2016 1 2", "2016 1 3"]).split()
    )
    assert len(as_one_day("\n".join(day)).split("\n")) == len(day)
