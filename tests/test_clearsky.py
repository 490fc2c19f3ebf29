"""The cloudless sky beside pvlib's, whose formulas it has."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pvlib import atmosphere, clearsky, irradiance, spa

from plant.site.model import load_site
from plant.weather.clearsky import (
    REFRACTION_AT_HORIZON_DEG,
    STANDARD_TEMPERATURE_C,
    TWILIGHT_AT_HORIZON_W_M2,
    extra_w_m2,
    ineichen,
    refract,
    standard_pressure_pa,
    twilight_w_m2,
)
from plant.weather.extraterrestrial import monthly_h0_kwh_m2_day
from plant.weather.sun import EPOCH, clear_block, linke_turbidity

altitudes = st.floats(-430.0, 9000.0)
LOCATION = load_site("cabin").location
ZENITH_DEG = np.linspace(0.0, 180.0, 7203).reshape(3, -1)


@given(altitudes)
def test_pressure_is_pvlibs(altitude_m):
    assert standard_pressure_pa(altitude_m) == pytest.approx(atmosphere.alt2pres(altitude_m), rel=1e-14)


def test_light_above_the_air_is_pvlibs():
    days = np.arange(1, 367)
    theirs = irradiance.get_extra_radiation(days, solar_constant=1366.1)
    np.testing.assert_allclose(extra_w_m2(days), theirs, rtol=1e-14)


@given(altitudes)
def test_refraction_is_that_of_spa(altitude_m):
    pressure = standard_pressure_pa(altitude_m)
    seen = ZENITH_DEG.copy()
    refract(seen, pressure)
    bent = spa.atmospheric_refraction_correction(
        pressure / 100.0, STANDARD_TEMPERATURE_C, 90.0 - ZENITH_DEG, REFRACTION_AT_HORIZON_DEG
    )
    np.testing.assert_allclose(seen, ZENITH_DEG - bent, rtol=0.0, atol=1e-12)


@given(altitudes, st.floats(1.0, 12.0), st.floats(1320.0, 1420.0))
def test_a_cloudless_sky_is_pvlibs(altitude_m, turbidity, extra):
    up = ZENITH_DEG < 90.0
    pressure = standard_pressure_pa(altitude_m)
    ours = ineichen(ZENITH_DEG, np.full(3, extra), np.full(3, turbidity), altitude_m, pressure)
    relative = atmosphere.get_relative_airmass(ZENITH_DEG[up])
    absolute = atmosphere.get_absolute_airmass(relative, pressure)
    theirs = clearsky.ineichen(ZENITH_DEG[up], absolute, turbidity, altitude_m, extra)
    for mine, yours in zip(ours, (relative, theirs["ghi"], theirs["dni"]), strict=True):
        np.testing.assert_allclose(mine[up], yours, rtol=1e-11, atol=1e-12)
    assert np.isnan(ours[0][~up]).all()
    assert ours[1][~up].max() == ours[2][~up].max() == 0.0


def test_twilight_fades_by_ten_every_three_degrees_and_ends_at_twelve():
    zenith = np.array([[80.0, 90.0, 93.0, 96.0, 101.9, 102.1]])
    light = twilight_w_m2(zenith, np.array([[200.0, 0.0, 0.0, 0.0, 0.0, 0.0]]))[0]
    at_horizon = TWILIGHT_AT_HORIZON_W_M2
    assert light.tolist() == pytest.approx(
        [0.0, at_horizon, at_horizon / 10, at_horizon / 100, at_horizon * 10 ** (-11.9 / 3), 0.0]
    )


def test_a_day_of_a_place_is_that_of_pvlibs_location():
    import pandas as pd
    from pvlib.location import Location

    clear = clear_block(20_000, 1, LOCATION, 600).day(0)
    moments = pd.to_datetime(clear.start_utc_s + np.arange(145) * 600, unit="s", utc=True)
    place = Location(LOCATION.latitude_deg, LOCATION.longitude_deg, altitude=LOCATION.altitude_m)
    position = place.get_solarposition(moments, temperature=12.0)
    turbidity = float(linke_turbidity(20_000, 1, LOCATION)[0])
    theirs = place.get_clearsky(moments, solar_position=position, linke_turbidity=turbidity)
    up = clear.ghi_w_m2 > 20.0
    # their sun is SPA's at each moment, ours within 2e-4 deg of it
    np.testing.assert_allclose(clear.ghi_w_m2[up], theirs["ghi"].to_numpy()[up], rtol=2e-4)


@pytest.mark.parametrize("latitude_deg", [-62.0, -35.0, 0.0, 47.0, 62.0, 65.0, 69.65])
def test_days_have_the_sun_above_the_air_that_their_month_has(latitude_deg):
    """Without refraction, which lifts a low sun: light that is asked for as a share of it would be too bright."""
    there = LOCATION.model_copy(update={"latitude_deg": latitude_deg})
    clear = clear_block((date(2022, 1, 1) - EPOCH).days, 365, there)
    daily = 0.024 * clear.dni_extra_w_m2 * clear.mean_height
    h0 = np.array(monthly_h0_kwh_m2_day(latitude_deg))
    months = [
        month.mean() for month in np.split(daily, np.cumsum((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30)))
    ]
    light = h0 >= 0.2
    assert np.array(months)[light] == pytest.approx(h0[light], rel=0.004)
