"""Weather files that can't be used are refused for the reason that is theirs, and never run as darkness."""

import errno
import tempfile

import numpy as np
import pytest

from tests import weatherfiles as files
from tests.test_weather_formats import cams_file, ready
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
