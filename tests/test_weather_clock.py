"""The clock of a weather file's rows beside the sun's: zones, single months, summer time, and nights without a noon."""

import numpy as np
import pandas as pd
import pytest

from plant.weather.measured.summertime import clock_change
from plant.weather.place import Location
from tests import weatherfiles as files
from tests.test_weather_formats import ready
from tests.test_weatherfile import PLACE, wrong

AIR = {"temperature_c": [10.0] * 12}


def without_zone(path, light):
    return files.csv_file(path, light.tz_localize(None), {"ghi": "ghi_w_m2"})


def with_months_late(path, months, hours):
    """A year in UTC+1 with some months of another clock."""
    light = files.year_of_light()[["ghi"]].copy()
    for month in months:
        at = light.index.month == month
        light.loc[at, "ghi"] = np.roll(light.loc[at, "ghi"].to_numpy(), hours)
    return without_zone(path, light)


def clear_sky(latitude, longitude, zone, first, last):
    """Hours of a cloudless sky, by a clock."""
    from pvlib.location import Location as Place

    hours = pd.date_range(first, last, freq="h", tz="UTC", inclusive="left")
    light = Place(latitude, longitude).get_clearsky(hours + pd.Timedelta("30min"), linke_turbidity=3.0)
    return light[["ghi"]].set_axis(hours.tz_convert(zone))


def place(latitude, longitude, zone):
    return PLACE | {"latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": 0.0, "timezone": zone}


@pytest.mark.parametrize(("months", "hours"), [((5, 6, 7, 8), 2), ((1, 2), 5)])
def test_a_few_months_off_are_named_and_no_zone_is_recommended(months, hours, tmp_path):
    """Another zone would put the months wrong that agree with the sun."""
    path = with_months_late(tmp_path / "months.csv", months, hours)
    told = wrong(path, utc_offset_h=1.0, **AIR)
    assert "set weather.utc_offset_h" not in told
    assert f"does not fit the sun over the site in {'May' if 5 in months else 'January'} (noon" in told
    assert f"in the other {12 - len(months)} months it does" in told


def test_a_few_months_off_may_be_used_as_they_are(tmp_path):
    path = with_months_late(tmp_path / "months.csv", (1, 2), 5)
    notes = ready(path, utc_offset_h=1.0, on_impossible="cap", **AIR).notes
    assert any("rows with impossible values cut" in note for note in notes)
    assert any("noon differs from the sun's: January" in note for note in notes)
    assert "would fit" in wrong(path, utc_offset_h=4.0, on_impossible="cap", **AIR)


MADRID = place(40.0, 0.0, "Europe/Madrid")


@pytest.mark.parametrize("offset_h", [1.0, 2.0])
@pytest.mark.parametrize(
    ("first", "last", "what"),
    [("2023-03-01", "2023-04-24", "2023-03-26 02:00 to 03:00 is missing"),
     ("2023-10-01", "2023-11-25", "2023-10-29 02:00 to 03:00 is there twice")],
)  # fmt: skip
def test_summer_time_is_told_by_the_hour_that_is_missing_or_there_twice(
    offset_h, first, last, what, tmp_path
):
    """Whichever of its two offsets the site says, and whatever is to be done about impossible rows."""
    path = without_zone(tmp_path / "wall.csv", clear_sky(40.0, 0.0, "Europe/Madrid", first, last))
    told = wrong(path, MADRID, utc_offset_h=offset_h, on_impossible="cap", **AIR)
    assert f"its clock keeps summer time: {what}, as the clocks in Europe/Madrid change then" in told


def test_a_row_lost_in_the_hour_of_the_change_is_no_summer_time(tmp_path):
    light = clear_sky(40.0, 0.0, "Etc/GMT-1", "2023-03-01", "2023-04-24")
    path = without_zone(
        tmp_path / "lost.csv", light.drop(light.index[light.index == "2023-03-26 02:00+01:00"])
    )
    assert ready(path, Location(**MADRID), utc_offset_h=1.0, **AIR).notes == ()


@pytest.mark.parametrize("step", [600, 1800, 3600])
def test_a_zone_without_changes_or_rows_that_run_through_have_none(step):
    day = int(np.datetime64("2023-03-20").astype("datetime64[s]").astype(int))
    through = np.arange(day, day + 10 * 86400, step)
    assert clock_change(through, step, "Europe/Madrid") is None
    gap = day + 6 * 86400 + 7200
    wall = through[(through < gap) | (through >= gap + 3600)]
    assert clock_change(wall, step, "UTC") is None
    assert clock_change(wall, step, "Europe/Madrid").later_h == 1.0
    assert clock_change(np.sort(np.append(wall, gap)), step, "Europe/Madrid") is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "zone", "right"),
    [(28.0, 85.0, "Asia/Kathmandu", 5.75), (-21.0, -175.0, "Pacific/Tongatapu", 13.0), (20.0, 77.0, "UTC", 5.5),
     (20.0, 77.0, "Asia/Kolkata", 5.5)],
)  # fmt: skip
def test_the_zone_that_would_fit_is_the_sites_where_the_sun_allows_it(
    latitude, longitude, zone, right, tmp_path
):
    clock_of_rows = "Asia/Kolkata" if zone == "UTC" else zone
    path = without_zone(
        tmp_path / "wall.csv", clear_sky(latitude, longitude, clock_of_rows, "2023-01-01", "2023-02-20")
    )
    assert f"set weather.utc_offset_h: {right:g}," in wrong(path, place(latitude, longitude, zone), **AIR)


def test_the_glow_of_a_polar_night_has_no_noon_to_judge(tmp_path):
    hours = pd.date_range("2023-12-01", "2023-12-31", freq="h", inclusive="left")
    light = pd.DataFrame({"ghi": np.where(abs(hours.hour - 11) <= 1, 4.0, 0.0)}, index=hours)
    path = files.csv_file(tmp_path / "glow.csv", light, {"ghi": "ghi_w_m2"})
    ready(path, Location(**place(69.0, 20.0, "UTC")), **AIR)
    light["ghi"] *= 100.0
    bright = files.csv_file(tmp_path / "bright.csv", light, {"ghi": "ghi_w_m2"})
    assert "exceeds the irradiance at the top of the atmosphere" in wrong(
        bright, place(69.0, 20.0, "UTC"), **AIR
    )
