"""Weather files as people have them: odd bytes and headers, cut-off downloads, loggers' clocks, services' formats."""

import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from plant.base.problems import ProblemsError
from plant.plant import Plant
from plant.site.model import load_site
from plant.weather.measured.days import file_sky
from plant.weather.measured.oddrows import odd_row
from plant.weather.measured.table import of_width
from plant.weather.place import Location
from plant.weather.sky import plane_of_array, sky_block, sky_day
from tests import weatherfiles as files
from tests.test_weatherfile import HERE, JUNE, PLACE, site_of, wrong
from tracertwin.cli.runoptions import check_weather

FIELD = Path(__file__).parents[2] / "shared" / "field" / "inputs"
JUNE_DAYS = slice("2023-06-01", "2023-06-30")


def ready(path, location=HERE, **weather):
    return file_sky(site_of(path, **weather).weather, location)


def june(path) -> Path:
    return files.csv_file(path, files.year_of_light().loc[JUNE_DAYS])


# bytes


@pytest.mark.parametrize(
    "writer", [files.epw_file, files.tmy3_file, files.nsrdb_file, files.solaranywhere_file]
)
@pytest.mark.parametrize("byte", [b"\xfc", b"\xae", b"\x81", b"\xc3\xbc", b"\xff\xfe"])
def test_any_byte_may_stand_in_a_header(writer, byte, tmp_path):
    plain = writer(tmp_path / "plain.txt", files.year_of_light())
    head, _, rest = plain.read_bytes().partition(b"\n")
    words = {
        b"LOCATION": b"Somewhere",
        b"999999,": b"SOMEWHERE",
        b"Source,": b"Country",
        b"0,Somewh": b"Somewhere",
    }
    word = next(word for start, word in words.items() if head.startswith(start))
    odd = tmp_path / "odd.txt"
    odd.write_bytes(head.replace(word, b"M" + byte + b"nch") + b"\n" + rest)
    assert ready(odd).series.columns["ghi_w_m2"] == pytest.approx(ready(plain).series.columns["ghi_w_m2"])


WRITERS = {
    "csv": june, "epw": lambda path: files.epw_file(path, files.year_of_light()),
    "tmy3": lambda path: files.tmy3_file(path, files.year_of_light()),
    "sam": lambda path: files.nsrdb_file(path, files.year_of_light()),
    "solaranywhere": lambda path: files.solaranywhere_file(path, files.year_of_light()),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_may_be_in_any_encoding(kind, encoding, tmp_path):
    """As a spreadsheet or a shell of Windows saves it."""
    plain, odd = WRITERS[kind](tmp_path / "plain.txt"), tmp_path / "odd.txt"
    odd.write_bytes(plain.read_text(encoding="utf-8").removeprefix("# a logger's file\n").encode(encoding))
    assert ready(odd).series.columns["ghi_w_m2"] == pytest.approx(ready(plain).series.columns["ghi_w_m2"])


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_lines_may_end_as_on_other_systems(kind, ends, tmp_path):
    plain, odd = WRITERS[kind](tmp_path / "plain.txt"), tmp_path / "odd.txt"
    odd.write_bytes(plain.read_bytes().replace(b"\r", b"").replace(b"\n", ends.encode()) + 2 * ends.encode())
    assert ready(odd).series.columns["ghi_w_m2"] == pytest.approx(ready(plain).series.columns["ghi_w_m2"])


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path):
    plain = june(tmp_path / "plain.csv")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().partition(b"\n")[2])
    assert ready(tmp_path / "bom.csv").series.size == 720


# rows that are cut off


@pytest.mark.parametrize(
    "writer", [files.epw_file, files.tmy3_file, files.nsrdb_file, files.solaranywhere_file]
)
@pytest.mark.parametrize("left", [0.3, 0.6])
def test_a_download_that_broke_off_is_refused_with_its_line(writer, left, tmp_path):
    whole = writer(tmp_path / "cut.txt", files.year_of_light()).read_text(encoding="utf-8")
    lines = whole.splitlines()[:2000]
    lines[-1] = lines[-1][: int(left * len(lines[-1]))]
    (tmp_path / "cut.txt").write_text("\n".join(lines), encoding="utf-8")
    told = wrong(tmp_path / "cut.txt")
    assert "cut.txt:2000: the row is cut off" in told
    assert "Error" not in told


def test_json_that_broke_off_is_refused_with_its_line(tmp_path):
    path = files.pvgis_hourly_json(tmp_path / "h.json", files.moments_of_light(10).loc["2023-06"])
    path.write_text(path.read_text(encoding="utf-8")[:5000], encoding="utf-8")
    assert "h.json:1: the file is cut off here" in wrong(path)


# SAM CSV in its forms


def sam_file(path: Path, head: str, names: dict[str, str], minute: int | None = None) -> Path:
    """A SAM CSV of June with columns named so: our field -> heading."""
    light = files.year_of_light().loc[JUNE_DAYS]
    rows = pd.DataFrame({"Year": light.index.year, "Month": light.index.month, "Day": light.index.day})
    rows["Hour"] = light.index.hour
    if minute is not None:
        rows["Minute"] = minute
    for ours, heading in names.items():
        rows[heading] = light[ours].to_numpy()
    path.write_text(head + rows.to_csv(index=False), encoding="utf-8")
    return path


NSRDB_HEAD = (
    "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation\n"
    f"Measured,1,X,-,-,{files.LATITUDE},{files.LONGITUDE},{files.ZONE_H},250\n"
)
OWN_HEAD = (
    "Location,City,Region,Country,Latitude,Longitude,Time Zone,Elevation,Source\n"
    f"9,X,-,-,{files.LATITUDE},{files.LONGITUDE},{files.ZONE_H}.0,250,made\n"
)
POWER_HEAD = (
    f"Source,Latitude,Longitude,Time Zone,Elevation\nNASA/POWER,{files.LATITUDE},{files.LONGITUDE},1.0,250\n"
)


@pytest.mark.parametrize(
    ("head", "names", "minute"),
    [(NSRDB_HEAD, {"ghi": "GHI", "dni": "DNI", "dhi": "DHI", "t": "Tdry", "wind": "Wspd"}, None),
     (NSRDB_HEAD, {"ghi": "GHI", "dni": "DNI", "dhi": "DHI", "t": "Temperature", "wind": "Wind Speed"}, 30),
     (POWER_HEAD, {"ghi": "ghi", "dni": "dni", "dhi": "dhi", "t": "tdry", "wind": "wspd"}, None),
     (OWN_HEAD, {"ghi": "Global (W/m2)", "dni": "Beam", "dhi": "Diffuse", "t": "Dry Bulb", "wind": "Wspd"}, None)],
)  # fmt: skip
def test_sam_csv_in_every_form_gives_back_its_hours(head, names, minute, tmp_path):
    series = ready(sam_file(tmp_path / "sam.csv", head, names, minute)).series
    light = files.year_of_light().loc[JUNE_DAYS]
    assert series.start_utc_s + series.utc_offset_s == light.index[0].timestamp() + 3600
    for ours, column in (("ghi", "ghi_w_m2"), ("t", "t_amb_c"), ("wind", "wind_m_s")):
        assert series.columns[column] == pytest.approx(light[ours].to_numpy())


def test_beam_and_diffuse_alone_make_the_global_light(tmp_path):
    """GHI is beam times the cosine of the sun's zenith, at the middle of the sunlit part of the hour, and diffuse."""
    path = sam_file(
        tmp_path / "b.csv", OWN_HEAD, {"dni": "Beam", "dhi": "Diffuse", "t": "Tdry", "wind": "Wspd"}
    )
    found = ready(path).series.columns["ghi_w_m2"]
    light = files.year_of_light().loc[JUNE_DAYS]
    middles = light.index + pd.Timedelta("30min")
    sun = pvlib.solarposition.get_solarposition(middles, files.LATITUDE, files.LONGITUDE, files.ALTITUDE)
    expected = light["dni"] * np.cos(np.radians(sun["zenith"].to_numpy())) + light["dhi"]
    high = sun["elevation"].to_numpy() > 10.0
    assert found[high] == pytest.approx(expected.to_numpy()[high], rel=0.01)
    assert found.sum() == pytest.approx(light["ghi"].sum(), rel=0.01)


SIX_NAMES = "Year,Month,Day,Hour,Minute,GHI"
TWO_DAYS = "".join(
    f"2023,6,{day},{hour},30,{max(0, 300 - 60 * abs(hour - 11))}\n" for day in (1, 2) for hour in range(24)
)
MORE_THAN_NEEDED = {
    "nothing more": f"{NSRDB_HEAD}{SIX_NAMES}\n{TWO_DAYS}",
    "a row of units": f"{NSRDB_HEAD}{SIX_NAMES}\nyr,mo,d,h,min,W/m2\n{TWO_DAYS}",
    "units in the names": f"{NSRDB_HEAD}{SIX_NAMES} (W/m2)\n{TWO_DAYS}",
    "a column of no use": f"{NSRDB_HEAD}{SIX_NAMES},State\n" + TWO_DAYS.replace("\n", ",dry\n"),
    "empty rows at the end": f"{NSRDB_HEAD}{SIX_NAMES}\n{TWO_DAYS},,,,,\n\n\n",
    "a name with a comma": NSRDB_HEAD.replace("1,X", '1,"X, over there"') + f"{SIX_NAMES}\n{TWO_DAYS}",
}


@pytest.mark.parametrize("more", MORE_THAN_NEEDED)
def test_sam_csv_may_have_more_than_it_needs(more, tmp_path):
    (tmp_path / "sam.csv").write_text(MORE_THAN_NEEDED[more], encoding="utf-8")
    series = ready(tmp_path / "sam.csv", temperature_c=10.0).series
    assert series.size == 48
    assert series.columns["ghi_w_m2"][[10, 11, 35]].tolist() == [240.0, 300.0, 300.0]


def test_a_row_of_units_does_not_move_the_lines_of_what_is_wrong(tmp_path):
    text = MORE_THAN_NEEDED["a row of units"].replace("2023,6,2,5,30,", "2023,6,32,5,30,")
    (tmp_path / "sam.csv").write_text(text, encoding="utf-8")
    line = text.splitlines().index("2023,6,32,5,30,0") + 1
    assert f"sam.csv:{line}: no such date and hour: year 2023, month 6, day 32" in wrong(
        tmp_path / "sam.csv", temperature_c=10.0
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [(NSRDB_HEAD.replace("Time Zone", "Zone"), "not recognised"),
     (NSRDB_HEAD.replace(f"{files.LATITUDE}", "north"), "sam.csv:2: latitude: must be a number, got 'north'"),
     (NSRDB_HEAD + "Year,Month,Day,Hour,Tdry\n2023,1,1,0,5\n2023,1,1,1,5\n", "neither GHI nor both DNI and DHI"),
     (NSRDB_HEAD + "Year,Month,Day,Hour,GHI\n2023,1,1,0,5\n2023,1,x,1,5\n", "sam.csv:5: day: must be a number, got"),
     (NSRDB_HEAD + "Year,Month,Day,Hour,GHI\n2023,1,1,0,5\n2023,1,1,1,?\n", "sam.csv:5: ghi: must be a number, got")],
)  # fmt: skip
def test_a_wrong_sam_csv_says_where(text, words, tmp_path):
    if "Year" not in text:
        text += "Year,Month,Day,Hour,GHI\n2023,1,1,0,0\n2023,1,1,1,0\n"
    (tmp_path / "sam.csv").write_text(text, encoding="utf-8")
    assert words in wrong(tmp_path / "sam.csv", temperature_c=10.0)


# PVGIS's EPW


def test_rows_of_pvgis_epw_are_utc_whatever_zone_the_file_names(tmp_path):
    """PVGIS 5.3 names the place's zone and still writes the rows of its CSV, which are UTC."""
    moments = files.moments_of_light(0)
    minute = 11  # of the CSV's offset of 0.1761 h
    light = files.moments_of_light(minute).set_axis(moments.index)
    path = files.epw_file(tmp_path / "pvgis.epw", light)
    text = path.read_text(encoding="utf-8").replace(
        "COMMENTS 2,none", "COMMENTS 2,Irradiance Time Offset (h): -0.8167"
    )
    path.write_text(text, encoding="utf-8")
    series = ready(path).series
    assert (series.utc_offset_s, series.instant) == (0, True)
    assert series.start_utc_s % 3600 == pytest.approx(60 * minute, abs=1)
    sky = sky_day(site_of(path), 1, JUNE, 60)
    truth = files.moments_of_light(minute).loc["2023-06-11"].iloc[6:18]
    at = [h * 60 + minute + 60 for h in range(6, 18)]
    assert sky.ghi_w_m2[at] == pytest.approx(truth["ghi"].to_numpy(), rel=5e-3)


@pytest.mark.parametrize(
    "note",
    ["irradiance time offset (h): -0.8167", "IRRADIANCE TIME OFFSET (H):-0.8167",
     "Irradiance  Time Offset ( h ) : -0.8167", '"Irradiance Time Offset (h): -0.8167",and more: 3'],
)  # fmt: skip
def test_pvgis_offset_is_known_in_any_letters_and_spaces(note, tmp_path):
    path = files.epw_file(tmp_path / "pvgis.epw", files.moments_of_light(0))
    text = path.read_text(encoding="utf-8").replace("COMMENTS 2,none", f"COMMENTS 2,{note}")
    path.write_text(text, encoding="utf-8")
    series = ready(path).series
    assert (series.utc_offset_s, series.instant) == (0, True)


def test_a_pvgis_offset_that_is_no_number_is_refused_with_its_line(tmp_path):
    path = files.epw_file(tmp_path / "pvgis.epw", files.moments_of_light(0))
    note = "COMMENTS 2,Irradiance Time Offset (h): none"
    path.write_text(path.read_text(encoding="utf-8").replace("COMMENTS 2,none", note), encoding="utf-8")
    assert "pvgis.epw:7: irradiance time offset must be a number of hours, got 'none'" in wrong(path)


@pytest.mark.parametrize(
    ("mount", "words"),
    [("two_axis", "a two-axis mount"), ("vertical_axis", "turns about a vertical axis"),
     ("inclined_axis", "turns about an inclined axis")],
)  # fmt: skip
def test_pvgis_light_on_a_mount_that_turns_is_refused_by_its_name(mount, words, tmp_path):
    path = files.pvgis_hourly_json(tmp_path / "h.json", files.moments_of_light(10).loc["2023-06"])
    path.write_text(path.read_text(encoding="utf-8").replace('"fixed"', f'"{mount}"'), encoding="utf-8")
    assert words in wrong(path)


# services


def cams_file(path: Path, time_reference: str = "# Time reference: Universal time (UT)") -> pd.DataFrame:
    """June in quarters of an hour as CAMS writes it; returns what it holds."""
    light = files.year_of_light().loc[JUNE_DAYS].tz_convert("UTC")
    quarters = light.loc[light.index.repeat(4)]
    begins = pd.date_range(light.index[0], periods=len(quarters), freq="15min")
    head = [
        "# Coding: utf-8", f"# Latitude (positive North, ISO 19115): {files.LATITUDE}",
        f"# Longitude (positive East, ISO 19115): {files.LONGITUDE}", "# Altitude (m): 250.00",
        time_reference,
        "# Summarization (integration) period: 0 year 0 month 0 day 0 h 15 min 0 s", "# noValue: nan",
        "# Observation period;TOA;Clear sky GHI;Clear sky BHI;Clear sky DHI;Clear sky BNI;GHI;BHI;DHI;BNI;Reliability",
    ]  # fmt: skip
    rows = [
        f"{b:%Y-%m-%dT%H:%M:%S}.0/{b + pd.Timedelta('15min'):%Y-%m-%dT%H:%M:%S}.0;0;0;0;0;0;"
        f"{r.ghi / 4};{(r.ghi - r.dhi) / 4};{r.dhi / 4};{r.dni / 4};1.0"
        for b, r in zip(begins, quarters.itertuples(), strict=True)
    ]
    path.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")
    return quarters


def test_cams_energies_are_divided_by_the_length_of_their_intervals(tmp_path):
    quarters = cams_file(tmp_path / "cams.csv")
    series = ready(tmp_path / "cams.csv", temperature_c=15.0).series
    assert (series.step_s, series.utc_offset_s) == (900, 0)
    assert series.columns["ghi_w_m2"] == pytest.approx(quarters["ghi"].to_numpy(), abs=1e-9)
    assert series.columns["dhi_w_m2"] == pytest.approx(quarters["dhi"].to_numpy(), abs=1e-9)


@pytest.mark.parametrize(
    "line", ["# Time reference: True solar time (TST)", "# TIME REFERENCE : true solar time (TST)"]
)
def test_cams_in_true_solar_time_is_refused_by_its_name(line, tmp_path):
    cams_file(tmp_path / "cams.csv", line)
    told = wrong(tmp_path / "cams.csv", temperature_c=15.0).lower()
    assert "cams.csv:5: its times are in true solar time (tst)" in told
    assert "universal time (ut)" in told


@pytest.mark.parametrize("line", ["# Time reference: UT", "# time reference: UNIVERSAL TIME", "# Site: hut"])
def test_cams_in_universal_time_may_say_so_in_other_letters_or_not_at_all(line, tmp_path):
    cams_file(tmp_path / "cams.csv", line)
    assert ready(tmp_path / "cams.csv", temperature_c=15.0).series.utc_offset_s == 0


def test_surfrad_minutes_are_stamped_with_their_end_and_west_has_no_sign(tmp_path):
    path = Path(pvlib.__file__).parent / "data" / "surfrad-slv16001.dat"
    if not path.exists():
        path = FIELD / "w10_surfrad.dat"
    if not path.exists():
        pytest.skip("no SURFRAD file: neither pvlib's test data nor the field inputs are here")
    place = Location(latitude_deg=37.7, longitude_deg=-105.92, altitude_m=2317.0, timezone="UTC")
    s = site_of(path, place.model_dump(), temperature_c=0.0, fill="clear_sky_index")
    sky = file_sky(s.weather, place)
    assert (sky.series.step_s, sky.series.utc_offset_s) == (60, 0)
    assert not any("deg from the site" in note for note in sky.notes)
    raw, _ = pvlib.iotools.read_surfrad(path)
    assert sky.series.start_utc_s == int(raw.index[0].timestamp()) - 60
    known = raw["ghi"].notna().to_numpy()
    assert sky.series.columns["ghi_w_m2"][: len(raw)][known] == pytest.approx(
        np.maximum(raw["ghi"][known], 0.0)
    )


BSRN_HEAD = f"""*U0001
 21  6 2023  1
*C0004
 -1 -1 -1
 11 12
an address
 000                 000
 000            someone@somewhere
 {files.LATITUDE + 90.0:7.3f} {files.LONGITUDE + 180.0:7.3f} {files.ALTITUDE:4.0f} -1
 -1 -1 -1
 -1 -1
*C0100
"""


def test_bsrn_minutes_are_stamped_with_their_start(tmp_path):
    """The light of 11 June 2023, each hour's mean in each of its minutes; -999 is missing."""
    light = files.year_of_light().tz_convert("UTC").loc["2023-06-11"]
    lines = []
    for minute in range(1440):
        hour = light.iloc[minute // 60]
        ghi = -999.0 if minute == 600 else hour.ghi
        lines.append(f" 11 {minute:4d}  {ghi:6.0f} -99.9 -999 -999 {hour.dni:6.0f} -99.9 -999 -999")
        lines.append(
            f"          {hour.dhi:6.0f} -99.9 -999 -999 {300:6.0f} -99.9 -999 -999 {hour.t:8.1f} {50:5.1f} {970:4d}"
        )
    (tmp_path / "b.dat").write_text(BSRN_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    sky = ready(tmp_path / "b.dat")
    assert (sky.series.step_s, sky.series.utc_offset_s, sky.series.size) == (60, 0, 1440)
    assert not any("deg from the site" in note for note in sky.notes)
    hours = sky.series.columns["ghi_w_m2"].reshape(24, 60)
    assert hours[:, 30] == pytest.approx(light["ghi"].round().to_numpy())
    assert sky.series.columns["t_amb_c"][630] == pytest.approx(light["t"].iloc[10], abs=0.05)


def test_bsrn_that_is_no_such_file_is_refused_in_words(tmp_path):
    (tmp_path / "b.dat").write_text("*U0001\n 21  1 2016  1\n", encoding="utf-8")
    told = wrong(tmp_path / "b.dat", temperature_c=0.0)
    assert "can't be read as bsrn" in told
    assert not PYTHON.search(told)


def logger(
    path: Path, form: str = "%Y-%m-%dT%H:%M+01:00", zone: str | None = None, factor: float = 1.0
) -> Path:
    """A year of a logger, hour by hour, by a clock of its own."""
    light = files.year_of_light() if zone is None else files.year_of_light().tz_convert(zone)
    rows = "".join(f"{t.strftime(form)},{factor * g:g}\n" for t, g in light["ghi"].items())
    path.write_text("time,ghi_w_m2\n" + rows, encoding="utf-8")
    return path


def test_a_clock_with_summer_time_and_no_offsets_is_told_by_its_months(tmp_path):
    """The hour that comes twice is night; no one zone would fit."""
    path = logger(tmp_path / "logger.csv", "%Y-%m-%dT%H:%M", "Europe/Rome")
    lines = list(dict.fromkeys(path.read_text(encoding="utf-8").splitlines(True)))
    path.write_text("".join(lines), encoding="utf-8")
    told = wrong(path, temperature_c=10.0, utc_offset_h=1.0)
    assert (
        "does not fit the sun over the site in all months: noon stands as the sun's in January, February,"
        in told
    )
    assert re.search(r"1 h after it in (March, )?April, May, June, July, August, September", told)
    assert "A clock with summer time?" in told
    told = wrong(path, temperature_c=10.0, utc_offset_h=2.0)
    assert "the clock may be wrong in some months, their noon differs from the sun's: " in told
    assert ready(logger(path, "%Y-%m-%dT%H:%M%z", "Europe/Rome"), temperature_c=10.0).series.size == 8760


@pytest.mark.parametrize("factor", [1e-3, 3.6e-3])
def test_light_in_another_unit_is_no_dark_year(factor, tmp_path):
    told = wrong(logger(tmp_path / "logger.csv", factor=factor), temperature_c=10.0)
    assert re.search(
        r"its brightest row has ghi_w_m2 [0-4]\.\d+, and the sun sends up to 1,\d+ W/m2 there", told
    )


@pytest.mark.parametrize("form", ["%Y-%m-%d %H:%M:%S+01", "%Y-%m-%dT%H:%M+0100"])
def test_an_offset_may_be_hours_only(form, tmp_path):
    assert ready(logger(tmp_path / "logger.csv", form), temperature_c=10.0).series.utc_offset_s == 3600


def test_the_hour_24_is_refused_with_the_midnight_it_means(tmp_path):
    (tmp_path / "logger.csv").write_text(
        "time,ghi_w_m2\n2023-02-28T23:00,0\n2023-02-28T24:00,0\n2023-03-01 24:00Z,0\n", encoding="utf-8"
    )
    told = wrong(tmp_path / "logger.csv", temperature_c=10.0)
    assert "logger.csv:3: time: '2023-02-28T24:00' is not a valid time; write 2023-03-01T00:00" in told
    assert "logger.csv:4: time: '2023-03-01 24:00Z' is not a valid time; write 2023-03-02T00:00" in told


def test_rows_may_run_backwards_and_a_spreadsheet_s_empty_rows_are_none(tmp_path):
    path = june(tmp_path / "plain.csv")
    note, head, *rows = path.read_text(encoding="utf-8").splitlines()
    assert note.startswith("#")
    (tmp_path / "odd.csv").write_text(
        "\n".join([head.upper(), *rows[::-1], ",,,,,", '"",', ""]), encoding="utf-8"
    )
    a, b = (ready(tmp_path / name).series for name in ("plain.csv", "odd.csv"))
    assert (a.start_utc_s, a.size) == (b.start_utc_s, b.size)
    np.testing.assert_array_equal(a.columns["ghi_w_m2"], b.columns["ghi_w_m2"])


# rows that stumble a reader

PYTHON = re.compile(
    r"Error|codec|literal|dtype|str'|int'|pandas|format=|unconverted|tokeniz|position|it lacks|index "
)


def spoilt(text: str, line: int, column: int, value: str, separator: str = ",") -> str:
    """A text with another value in a line and a column, both counted from 1."""
    rows = text.split("\n")
    values = rows[line - 1].split(separator)
    values[column - 1] = value
    rows[line - 1] = separator.join(values)
    return "\n".join(rows)


@pytest.mark.parametrize("value", ["1,5", "x", "#REF!", "\xff", "N/A?", "-"])
@pytest.mark.parametrize(("kind", "column"), [("epw", 14), ("tmy3", 5), ("sam", 7), ("solaranywhere", 4)])
def test_a_value_that_is_no_number_is_told_by_its_line(kind, column, value, tmp_path):
    text = WRITERS[kind](tmp_path / "plain.txt").read_text(encoding="utf-8").replace("\r\n", "\n")
    (tmp_path / "odd.txt").write_text(spoilt(text, 300, column, value), encoding="utf-8")
    told = wrong(tmp_path / "odd.txt")
    assert "odd.txt:300: " in told
    assert not PYTHON.search(told)
    assert ("others have" if "," in value else repr(value)) in told


@pytest.mark.parametrize(
    ("kind", "column", "value"),
    [("epw", 1, "x"), ("epw", 2, "13"), ("epw", 2, "0"), ("epw", 3, "32"), ("epw", 4, "0"), ("epw", 4, "25"),
     ("epw", 4, "1.5"), ("epw", 3, "inf"), ("epw", 2, ""),
     ("sam", 2, "13"), ("sam", 3, "30"), ("sam", 4, "24"), ("sam", 4, "-5"), ("sam", 5, "60"), ("sam", 3, "1e400"),
     ("tmy3", 1, "1.2.88"), ("tmy3", 2, "noon")],
)  # fmt: skip
def test_a_date_or_hour_that_is_none_is_told_by_its_line(kind, column, value, tmp_path):
    """A row that fell on another day instead would be silence about a hole and a row given twice."""
    text = WRITERS[kind](tmp_path / "plain.txt").read_text(encoding="utf-8").replace("\r\n", "\n")
    february = 31 * 24 + 20
    (tmp_path / "odd.txt").write_text(spoilt(text, february, column, value), encoding="utf-8")
    told = wrong(tmp_path / "odd.txt")
    assert f"odd.txt:{february}: " in told
    assert not PYTHON.search(told)


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("lines", [0, 1, 2, 3, 5, 8])
def test_a_file_without_rows_is_refused_in_words(kind, lines, tmp_path):
    text = WRITERS[kind](tmp_path / "plain.txt").read_text(encoding="utf-8")
    heads = {"epw": 8, "sam": 3, "tmy3": 2, "solaranywhere": 2, "csv": 2}
    short = "".join(text.splitlines(True)[: min(lines, heads[kind])])
    (tmp_path / "short.txt").write_text(short, encoding="utf-8")
    told = wrong(tmp_path / "short.txt")
    assert not PYTHON.search(told)
    assert lines or "is empty" in told


def test_the_odd_row_is_the_first_unlike_the_others():
    rows = [f"2023-01-{d:02d}T00:00;{d}.5;;ok" for d in range(1, 29)]
    head = ["Made by a logger", "time;a;b;state"]

    def odd(row: int, text: str) -> tuple[int, str] | None:
        return odd_row("\n".join([*head, *rows[:row], text, *rows[row + 1 :], "", "notes at the end"]))

    assert odd(0, rows[0]) is None
    assert odd(7, "2023-01-08T00:00;8.5;;ok;") == (10, of_width(5, 4))
    assert odd(7, "2023-01-08T00:00;8.5") == (10, of_width(2, 4))
    assert odd(7, "2023-01-08T00:00;8x5;;ok") == (10, "a: must be a number, got '8x5'")
    assert odd(7, "2023-1-8;8.5;;ok") == (10, "time: is not written as in the other rows, got '2023-1-8'")
    assert odd(7, "2023-01-08T00:00;;7;ok") is None
    assert odd_row("") is None


# clocks and dates of plain CSV


@pytest.mark.parametrize(
    ("form", "rewritten"),
    [("%d/%m/%Y %H:%M", "2023-06-01T00:00"), ("%m/%d/%Y %H:%M", "2023-06-01T00:00"),
     ("%d.%m.%Y %H:%M", "2023-06-01T00:00"), ("%d-%m-%Y %H:%M", "2023-06-01T00:00"),
     ("%d.%m.%Y %H:%M:%S", "2023-06-01T00:00:00"), ("%m/%d/%Y %I:%M:%S %p", "2023-06-01T00:00:00"),
     ("%d/%m/%Y %I:%M %p", "2023-06-01T00:00"), ("%-d/%-m/%Y %-H:%M", "2023-06-01T00:00"),
     ("%Y/%m/%d %H:%M", "2023-06-01T00:00"), ("%Y.%m.%d %H:%M:%S", "2023-06-01T00:00:00"),
     ("%Y-%-m-%-d %-H:%M", "2023-06-01T00:00"), ("%d/%m/%Y", "2023-06-01T00:00"),
     ("%d/%m/%y %H:%M", "year-month-day"), ("%Y%m%d%H%M", "year-month-day"), ("%d %B %Y", "year-month-day"),
     ("%Y/%d/%m %H:%M", "2023-01-06T00:00")],
)  # fmt: skip
def test_times_that_are_not_iso_are_refused_with_what_to_write(form, rewritten, tmp_path):
    light = files.year_of_light().loc[JUNE_DAYS]
    rows = "".join(f"{t.strftime(form)},{g}\n" for t, g in light["ghi"].items())
    (tmp_path / "logger.csv").write_text("time,ghi_w_m2\n" + rows, encoding="utf-8")
    told = wrong(tmp_path / "logger.csv", temperature_c=10.0)
    assert "logger.csv:2: time:" in told
    assert f"is not an ISO time; write {rewritten}" in told
    assert "; nor are 719 more rows" in told


def test_an_hour_after_noon_is_told_on_the_clock_of_24_hours(tmp_path):
    rows = "2023-06-13T12:00,0\n06/13/2023 01:30 PM,0\n06/13/2023 12:30 AM,0\n06/13/2023 12:30 PM,0\n"
    for row, told in ((1, "13:30"), (2, "00:30"), (3, "12:30")):
        kept = "".join(line for k, line in enumerate(rows.splitlines(True)) if k in (0, row))
        (tmp_path / "logger.csv").write_text("time,ghi_w_m2\n" + kept, encoding="utf-8")
        assert (
            f"logger.csv:3: time: {rows.splitlines()[row].partition(',')[0]!r} is not an ISO time; "
            f"write 2023-06-13T{told}" in wrong(tmp_path / "logger.csv", temperature_c=10.0)
        )


@pytest.mark.parametrize(("separator", "point"), [(";", ","), (";", "."), ("\t", ","), ("\t", ".")])
def test_a_csv_as_spreadsheets_write_it_is_read(separator, point, tmp_path):
    plain = june(tmp_path / "plain.csv")
    text = plain.read_text(encoding="utf-8")
    other = text.replace(",", separator).replace(".", point)
    (tmp_path / "other.csv").write_text(other, encoding="utf-8")
    a, b = (ready(tmp_path / name).series.columns for name in ("plain.csv", "other.csv"))
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])


def test_a_date_that_could_be_either_way_is_refused_without_a_guess(tmp_path):
    rows = "".join(f"0{d}/06/2023 {h:02d}:00,0\n" for d in range(1, 4) for h in range(24))
    (tmp_path / "logger.csv").write_text("time,ghi_w_m2\n" + rows, encoding="utf-8")
    assert "write year-month-day" in wrong(tmp_path / "logger.csv", temperature_c=10.0)


def test_a_file_from_local_midnight_runs_from_its_first_day(tmp_path):
    """West of its zone's meridian the sun's day begins after the civil one: the file begins in the sun's day before."""
    light = files.year_of_light().loc["2023-06-01":"2023-06-07"]
    path = files.csv_file(tmp_path / "local.csv", light.tz_localize(None).tz_localize("Etc/GMT-2"))
    place = PLACE | {"timezone": "Etc/GMT-2", "longitude_deg": 18.0}
    s = site_of(path, place)
    begin = int(pd.Timestamp("2023-06-01T00:00+02:00").timestamp())
    check_weather(s, begin, begin + 7 * 86400)
    with pytest.raises(
        ProblemsError,
        match=r"holds 2023-06-01 00:00 to 2023-06-08 00:00 \(UTC\+2\), and the run begins at 2023-05-31 23:00",
    ):
        check_weather(s, begin - 3600, begin + 86400)
    with pytest.raises(ProblemsError, match="and the run ends at 2023-06-08 01:00"):
        check_weather(s, begin, begin + 7 * 86400 + 3600)


# false rows and holes


def test_one_false_row_is_told_with_its_month_and_what_goes_on(tmp_path):
    light = files.year_of_light().copy()
    light.loc["2023-04-11 22:00+01:00", "ghi"] = 69.0
    path = files.csv_file(tmp_path / "false.csv", light)
    told = wrong(path)
    assert "2023-04-11 22:00: ghi_w_m2 69 exceeds the irradiance at the top of the atmosphere" in told
    assert "1 row of 8760 can't be true (April)" in told
    assert "weather.on_impossible: cap" in told
    mended = ready(path, on_impossible="cap")
    assert mended.notes == ("1 row with impossible values cut to what is possible",)
    row = 24 * (31 + 28 + 31 + 10) + 22
    assert mended.series.columns["ghi_w_m2"][row] == 0.0


def test_months_of_a_typical_year_with_another_clock_are_named(tmp_path):
    light = files.year_of_light().copy()
    for month in (4, 9):
        at = light.index.month == month
        light.loc[at] = light[at].shift(2).fillna(0.0)
    told = " ".join(ready(files.csv_file(tmp_path / "clock.csv", light), on_impossible="cap").notes)
    assert re.search(r"April (1\.9|2\.0|2\.1) h after, September (1\.9|2\.0|2\.1) h after", told)
    assert "May" not in told


def test_a_year_with_one_clock_has_no_month_that_is_off(tmp_path):
    assert ready(files.csv_file(tmp_path / "sound.csv", files.year_of_light())).notes == ()


@pytest.mark.parametrize("name", ["723170TYA.CSV", "703165TY.csv"])
def test_published_years_have_no_month_that_is_off(name):
    path = Path(pvlib.__file__).parent / "data" / name
    _, meta = pvlib.iotools.read_tmy3(path, coerce_year=2001)
    place = Location(
        latitude_deg=meta["latitude"], longitude_deg=meta["longitude"], altitude_m=meta["altitude"]
    )
    s = site_of(path, place.model_dump())
    assert not any("noon" in note for note in file_sky(s.weather, place).notes)


def test_a_long_hole_is_filled_with_the_same_hours_of_the_days_around_and_counted(tmp_path):
    light = files.year_of_light().loc[JUNE_DAYS].copy()
    hole = slice("2023-06-10 10:00", "2023-06-11 15:00")
    truth = light.copy()
    light.loc[hole, ["ghi", "dni", "dhi", "t"]] = np.nan
    path = files.csv_file(tmp_path / "hole.csv", light)
    assert "weather.fill: neighbours" in wrong(path)
    filled = ready(path, fill="neighbours")
    assert any("filled with the same hours of the days around" in note for note in filled.notes)
    assert any("30 h without temperature filled" in note for note in filled.notes)
    noon = int((light.index == "2023-06-10 12:00+01:00").argmax())
    around = (truth["ghi"].iloc[noon - 24] + truth["ghi"].iloc[noon + 48]) / 2.0
    assert filled.series.columns["ghi_w_m2"][noon] == pytest.approx(around)
    by_index = ready(path, fill="clear_sky_index")
    assert any(
        "h without irradiance filled at the clear-sky index around them" in note for note in by_index.notes
    )
    assert not np.isnan(by_index.series.columns["ghi_w_m2"]).any()


# low sun


@pytest.mark.parametrize("latitude", [60.0, 65.0, 69.0])
def test_light_of_a_low_sun_is_kept(latitude, tmp_path):
    """Hours of December with the sun between 0 and 6 deg, at more than a cloudless sky would give."""
    place = PLACE | {"latitude_deg": latitude, "longitude_deg": 15.0}
    here = Location(**place)
    hours = pd.date_range("2022-11-01", "2022-12-31", freq="h", inclusive="left", tz="Etc/GMT-1")
    fine = pd.date_range(hours[0], periods=60 * len(hours), freq="min") + pd.Timedelta("30s")
    sun = pvlib.solarposition.get_solarposition(fine, latitude, 15.0)
    extra = pvlib.irradiance.get_extra_radiation(fine) * np.maximum(np.cos(np.radians(sun["zenith"])), 0.0)
    ghi = 0.6 * extra.groupby(fine.floor("h")).mean()
    light = pd.DataFrame({"ghi": ghi.to_numpy(), "t": -10.0, "wind": 2.0}, index=hours)
    names = {"ghi": "ghi_w_m2", "t": "t_amb_c", "wind": "wind_m_s"}
    path = files.csv_file(tmp_path / "low.csv", light, names)
    assert not any("below the horizon" in note for note in file_sky(site_of(path, place).weather, here).notes)
    first = int(np.datetime64("2022-11-02", "D").astype(int))
    block = sky_block(site_of(path, place), 1, first, 58, 60)
    up = block.sun.zenith_deg[:, :-1] < 90.0
    made = np.where(up, block.ghi_w_m2[:, :-1], 0.0).sum() / 60.0
    assert made == pytest.approx(light.loc["2022-11-02":"2022-12-29", "ghi"].sum(), rel=5e-3)


@pytest.mark.parametrize("latitude", [45.0, 65.0])
def test_monthly_sums_in_a_tilted_plane_are_plain_pvlibs(latitude, tmp_path):
    """The same hours through pvlib alone: sun at the middle of the hour, Perez, albedo 0.2."""
    place = PLACE | {"latitude_deg": latitude, "longitude_deg": 15.0}
    spot = pvlib.location.Location(latitude, 15.0, altitude=files.ALTITUDE, tz="Etc/GMT-1")
    fine = pd.date_range(
        "2022-01-01", "2023-01-01", freq="2min", inclusive="left", tz=spot.tz
    ) + pd.Timedelta("1min")
    clear = spot.get_clearsky(fine, linke_turbidity=3.0).groupby(fine.floor("h")).mean()
    n = np.arange(len(clear))
    clouds = 0.55 + 0.4 * np.sin(n / 37.0)
    direct = np.clip(1.3 * clouds - 0.3, 0.0, 1.0)
    level = (clear["ghi"] - clear["dhi"]) * direct
    light = pd.DataFrame(
        {
            "ghi": level + clear["dhi"],
            "dni": clear["dni"] * direct,
            "dhi": clear["dhi"],
            "t": 5.0,
            "wind": 2.0,
        }
    )
    path = files.csv_file(tmp_path / "tilted.csv", light)
    first = int(np.datetime64("2022-02-01", "D").astype(int))
    block = sky_block(site_of(path, place), 1, first, 28, 60)
    parts = plane_of_array(block, 60.0, 180.0, 0.2)
    made = sum(parts[name][:, :-1].sum() for name in ("beam", "sky", "ground")) / 60.0
    hours = light.loc["2022-02-01":"2022-02-28"]
    middles = hours.index + pd.Timedelta("30min")
    sun = spot.get_solarposition(middles)
    theirs = pvlib.irradiance.get_total_irradiance(
        60.0, 180.0, sun["apparent_zenith"].to_numpy(), sun["azimuth"].to_numpy(), hours["dni"].to_numpy(),
        hours["ghi"].to_numpy(), hours["dhi"].to_numpy(), dni_extra=pvlib.irradiance.get_extra_radiation(middles),
        airmass=pvlib.atmosphere.get_relative_airmass(sun["apparent_zenith"]).to_numpy(), albedo=0.2, model="perez",
    )["poa_global"]  # fmt: skip
    assert made == pytest.approx(np.nansum(theirs), rel=0.02)


# the inputs that users sent, as they are


def field(name: str) -> Path:
    if not FIELD.is_dir():
        pytest.skip(f"the field inputs are not beside this checkout: {FIELD}")
    return FIELD / f"{name}.yaml"


@pytest.mark.parametrize(
    "name",
    ["w01_pvgis_epw", "w02_epw_latin1", "w03_tmy3_reg", "w04_sam", "w05a_sam_beam_diffuse", "w05b_power",
     "w07_polar_december", "w10b_cams", "w11b_first_day", "w12_half_hours"],
)  # fmt: skip
def test_files_that_users_sent_are_read(name):
    s = load_site(str(field(name)))
    sky = file_sky(s.weather, s.location)
    assert math.isfinite(sky.series.columns["ghi_w_m2"].sum())
    assert not any("left out" in note for note in sky.notes)


@pytest.mark.parametrize(
    ("name", "words"),
    [("w06_one_bad_row", "w06_one_bad_row.epw:51: 1991-04-11 18:00"), ("w06_one_bad_row", "on_impossible: cap"),
     ("w09a_truncated", "w09_truncated.csv:100: the row is cut off"), ("w09b_hole", "weather.fill: neighbours"),
     ("w10c_two_axis", "a two-axis mount"), ("w11a_dayfirst_year", "w11_dayfirst_year.csv:2: time: '01/01/2023 00:00'"),
     ("w11c_dayfirst_weeks", "write 2023-01-01T00:00")],
)  # fmt: skip
def test_files_that_users_sent_are_refused_for_the_right_reason(name, words):
    s = load_site(str(field(name)))
    with pytest.raises(ProblemsError) as told:
        file_sky(s.weather, s.location)
    assert words in str(told.value)
    assert "Error" not in str(told.value)


def test_the_polar_december_keeps_all_its_light():
    s = load_site(str(field("w07_polar_december")))
    first = int(np.datetime64("2018-12-01", "D").astype(int))
    block = sky_block(s, 1, first, 30, 60)
    up = block.sun.zenith_deg[:, :-1] < 90.0
    series = file_sky(s.weather, s.location).series
    row = (block.start_utc_s - series.start_utc_s) // series.step_s
    given = series.columns["ghi_w_m2"][row : row + 30 * 24].sum()
    assert np.where(up, block.ghi_w_m2[:, :-1], 0.0).sum() / 60.0 == pytest.approx(given, rel=1e-6)
    assert given > 1800.0


def test_a_plant_stands_still_where_its_file_ends_in_the_middle_of_a_day(tmp_path):
    light = files.year_of_light().loc["2023-06-01":"2023-06-03 14:00"]
    s = site_of(files.csv_file(tmp_path / "short.csv", light))
    begin = int(pd.Timestamp("2023-06-02T00:00+01:00").timestamp())
    made = Plant.new(s, 1, begin)
    with pytest.raises(ProblemsError, match=r"holds 2023-06-01 00:00 to 2023-06-03 15:00 \(UTC\+1\)"):
        made.advance_to(begin + 3 * 86400)
    assert made.t_utc_s == begin + 86400 + 15 * 3600
    with pytest.raises(ProblemsError, match="and the run begins at 2023-05-31 22:00"):
        Plant.new(s, 1, begin - 26 * 3600)
