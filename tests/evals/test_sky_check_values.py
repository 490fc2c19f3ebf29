"""Sun and clear sky against values computed with pvlib elsewhere: pvlib 0.16.1, Linke turbidity 3.

How clouds come and go within a day is compared in `validation/clouds.py`, how bright days are in `validation/sky.py`
and `validation/skydays.py`.
"""

import numpy as np
import pandas as pd
import pvlib
import pytest

from plant.base.clock import SKY_S
from plant.weather import clouds, sun
from plant.weather.clouds import CloudModel
from plant.weather.place import Location
from plant.weather.sky import plane_of_array, sky_day
from tests.plants import site

PLACES = [
    # latitude, longitude, altitude, day, UTC of noon, zenith, GHI, DNI, DHI, GHI of the day, tilt, POA noon, POA day
    (46.815, 6.944, 491.0, "2024-06-21", "11:34", 23.372, 945.2, 919.7, 100.9, 8480, 47, 976.9, 7487),
    (14.7, -17.4, 20.0, "2024-01-15", "13:19", 35.843, 861.9, 937.0, 102.4, 5823, 15, 992.8, 6944),
    (40.4, -3.7, 650.0, "2024-12-21", "12:13", 63.809, 423.4, 815.7, 63.4, 2261, 40, 851.9, 5031),
]
JUNE = int(np.datetime64("2016-06-01", "D").astype(int))
PAYERNE = Location(latitude_deg=46.815, longitude_deg=6.944, altitude_m=491.0)


def clear_site(latitude, longitude, altitude):
    return site(
        location={
            "latitude_deg": latitude, "longitude_deg": longitude, "altitude_m": altitude, "timezone": "UTC",
            "linke_turbidity": 3.0,
        },
        sky={"clearness": None, "albedo": 0.2},
    )  # fmt: skip


@pytest.mark.parametrize("row", PLACES, ids=lambda row: f"{row[0]}N")
def test_clear_day_is_pvlibs(row):
    lat, lon, alt, date, noon, zenith, ghi, dni, dhi, ghi_day, tilt, poa_noon, poa_day = row
    day = int(np.datetime64(date, "D").astype(int))
    sky = sky_day(clear_site(lat, lon, alt), seed=1, day=day)
    moment = np.datetime64(f"{date}T{noon}", "s").astype(int)
    k = int(moment - sky.start_utc_s) // SKY_S
    assert sky.sun.zenith_deg[k] == pytest.approx(zenith, abs=2e-3)
    assert sky.ghi_w_m2[k] == pytest.approx(ghi, rel=1e-3)
    assert sky.dni_w_m2[k] == pytest.approx(dni, rel=1e-3)
    assert sky.dhi_w_m2[k] == pytest.approx(dhi, rel=1e-3)
    clear_only = sky.sun.ghi_w_m2[:-1].mean() * 24.0
    assert clear_only == pytest.approx(ghi_day, rel=1e-3)
    part = plane_of_array(sky, tilt, 180.0, 0.2)
    poa = part["beam"] + part["sky"] + part["ground"]
    assert poa[k] == pytest.approx(poa_noon, rel=1e-3)
    assert poa[:-1].mean() * 24.0 == pytest.approx(poa_day, rel=2e-3)


def test_solar_position_between_the_nodes_is_pvlibs():
    day = int(np.datetime64("2026-03-12", "D").astype(int))
    ours = sun.clear_day(day, PAYERNE)
    times = pd.to_datetime(ours.start_utc_s + np.arange(0, 86401, 10), unit="s", utc=True)
    exact = pvlib.solarposition.get_solarposition(times, 46.815, 6.944, altitude=491.0, delta_t=69.0)
    assert np.abs(exact["apparent_zenith"].to_numpy() - ours.zenith_deg).max() < 1e-3
    assert np.abs(exact["azimuth"].to_numpy() - ours.azimuth_deg).max() < 1e-3


def test_dusk_fades_out_instead_of_switching_off():
    """Night thresholds of the controller are crossed some minutes after sunset, at about 0.1 W/m2."""
    sky = sky_day(clear_site(46.8, 9.8, 1590.0), 1, 20524)
    elevation = sky.sun.elevation_deg
    at = {
        degrees: int(np.argmin(np.abs(elevation[4320:] - degrees))) + 4320
        for degrees in (-1.0, -4.0, -11.0, -13.0)
    }
    assert sky.ghi_w_m2[at[-1.0]] == pytest.approx(3.3 * 10 ** (-1 / 3), rel=0.02)
    assert sky.ghi_w_m2[at[-4.0]] == pytest.approx(3.3 * 10 ** (-4 / 3), rel=0.02)
    assert 0.0 < sky.ghi_w_m2[at[-11.0]] < 1e-3
    assert sky.ghi_w_m2[at[-13.0]] == 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("k_day", [0.08, 0.36, 0.63, 0.94, 1.03])
def test_a_days_energy_is_its_daily_index_whatever_the_seed(seed, k_day):
    clear = sun.clear_day(JUNE, PAYERNE).ghi_w_m2
    k = clouds.clear_sky_index(seed, JUNE, k_day, clear, CloudModel())
    assert float((k * clear).sum() / clear.sum()) == pytest.approx(k_day, rel=1e-12)


@pytest.mark.parametrize("longitude", [-180.0, -97.0, -7.4, 0.0, 7.6, 60.0, 142.0, 180.0])
def test_daylight_lies_in_the_middle_of_a_solar_day(longitude):
    """Days follow one another without gap, and each has its noon within an hour of its middle."""
    place = Location(latitude_deg=30.0, longitude_deg=longitude, linke_turbidity=3.0)
    today, tomorrow = sun.clear_day(JUNE, place), sun.clear_day(JUNE + 1, place)
    assert tomorrow.start_utc_s - today.start_utc_s == 86400
    assert sun.day_of(today.start_utc_s, longitude) == JUNE
    assert sun.day_of(today.start_utc_s - 1, longitude) == JUNE - 1
    noon_h = np.argmin(today.zenith_deg) * SKY_S / 3600.0
    assert noon_h == pytest.approx(12.0, abs=0.6)
