"""Sun and clouds against values computed with pvlib elsewhere, and against a measured month.

Clear-sky rows: pvlib 0.16.1, Linke turbidity 3. Cloud statistics: BSRN Payerne, June 2016, 24,095 one-minute
values; the accept bands lie around the figures of the model's own first implementation.
"""

import numpy as np
import pandas as pd
import pvlib
import pytest

from plant import clouds, sun
from plant.clock import SKY_S
from plant.clouds import CloudModel
from plant.site_sky import Location
from plant.sky import plane_of_array, sky_day
from tests.plants import site

PLACES = [
    # latitude, longitude, altitude, day, UTC of noon, zenith, GHI, DNI, DHI, GHI of the day, tilt, POA noon, POA day
    (46.815, 6.944, 491.0, "2024-06-21", "11:34", 23.372, 945.2, 919.7, 100.9, 8480, 47, 976.9, 7487),
    (14.7, -17.4, 20.0, "2024-01-15", "13:19", 35.843, 861.9, 937.0, 102.4, 5823, 15, 992.8, 6944),
    (40.4, -3.7, 650.0, "2024-12-21", "12:13", 63.809, 423.4, 815.7, 63.4, 2261, 40, 851.9, 5031),
]
DAILY_INDEX = [
    0.63, 0.29, 0.35, 0.48, 0.63, 0.86, 0.63, 0.39, 0.77, 0.94, 0.37, 0.36, 0.36, 0.36, 0.76,
    0.30, 0.74, 0.67, 0.61, 0.88, 0.38, 0.96, 1.01, 0.97, 0.52, 0.80, 1.01, 0.99, 0.93, 0.48,
]  # fmt: skip
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


@pytest.mark.parametrize(
    ("k_mean", "gamma", "low", "middle", "high"),
    [(0.30, -2.100, 0.087, 0.270, 0.572), (0.40, 0.182, 0.123, 0.403, 0.671), (0.50, 2.314, 0.202, 0.541, 0.728),
     (0.60, 4.575, 0.346, 0.647, 0.769), (0.70, 8.517, 0.549, 0.737, 0.806)],
)  # fmt: skip
def test_daily_clearness_follows_bendt(k_mean, gamma, low, middle, high):
    assert clouds.bendt_gamma(k_mean)[0] == pytest.approx(gamma, abs=1e-3)
    seen = [clouds.clearness_quantile(u, k_mean) for u in (0.1, 0.5, 0.9)]
    assert seen == pytest.approx([low, middle, high], abs=1e-3)
    u = (np.arange(2000) + 0.5) / 2000
    assert np.mean([clouds.clearness_quantile(v, k_mean) for v in u]) == pytest.approx(k_mean, abs=3e-3)


@pytest.fixture(scope="module")
def june():
    """One-minute clear-sky indices of the measured month's 30 daily indices, ten seeds."""
    model = CloudModel()
    days = [sun.clear_day(JUNE + i, PAYERNE) for i in range(30)]
    index, ghi, vi = [], [], []
    for seed in range(10):
        for i, clear in enumerate(days):
            k = clouds.clear_sky_index(seed, JUNE + i, DAILY_INDEX[i], clear.ghi_w_m2, model)
            minutes = [
                values[:-1].reshape(-1, 6).mean(axis=1)
                for values in (k * clear.ghi_w_m2, clear.ghi_w_m2, clear.elevation_deg)
            ]
            up = minutes[2] > 10.0
            seen, cloudless = minutes[0][up], minutes[1][up]
            index.append(seen / cloudless)
            ghi.append(seen)
            length = np.hypot(np.diff(seen), 1.0).sum() / np.hypot(np.diff(cloudless), 1.0).sum()
            vi.append((DAILY_INDEX[i], length))
    return index, ghi, np.array(vi)


def test_cloudy_minutes_have_the_measured_distribution(june):
    k = np.concatenate(june[0])
    assert k.mean() == pytest.approx(0.647, abs=0.03)
    assert k.std() == pytest.approx(0.367, abs=0.04)
    quantiles = np.quantile(k, [0.05, 0.25, 0.50, 0.75, 0.95])
    assert quantiles == pytest.approx([0.152, 0.311, 0.538, 1.004, 1.139], abs=0.05)
    assert np.quantile(k, 0.99) == pytest.approx(1.354, abs=0.15)
    density, edges = np.histogram(k, np.arange(0.0, 1.41, 0.05), density=True)
    middles = (edges[1:] + edges[:-1]) / 2
    dark = density[(middles > 0.2) & (middles < 0.5)].max()
    bright = density[(middles > 0.95) & (middles < 1.1)].max()
    valley = density[(middles > 0.65) & (middles < 0.9)].min()
    assert valley < 0.5 * min(dark, bright)
    assert density.argmax() == np.flatnonzero(density == max(dark, bright))[0]


def test_cloudy_minutes_change_as_fast_as_measured(june):
    change = np.concatenate([np.abs(np.diff(k)) for k in june[0]])
    q50, q90, q95, q99, q999 = np.quantile(change, [0.5, 0.9, 0.95, 0.99, 0.999])
    assert 0.0159 / 2 < q50 < 0.0159 * 2
    assert q90 == pytest.approx(0.101, rel=0.40)
    assert q95 == pytest.approx(0.194, rel=0.30)
    assert q99 == pytest.approx(0.409, rel=0.25)
    assert q999 == pytest.approx(0.570, rel=0.30)
    assert 0.12 < np.mean(change > 0.05) < 0.25
    assert 0.07 < np.mean(change > 0.1) < 0.13
    assert 0.02 < np.mean(change > 0.3) < 0.04
    assert np.mean(change > 0.5) < 0.015
    ramps = np.concatenate([np.abs(np.diff(g)) for g in june[1]])
    assert np.quantile(ramps, [0.95, 0.99, 0.999]) == pytest.approx([134, 367, 631], rel=0.35)


def test_cloudy_minutes_remember_as_long_as_measured(june):
    k = np.concatenate(june[0])
    mean, variance = k.mean(), k.var()

    def correlation(lag):
        products = [(day[lag:] - mean) * (day[:-lag] - mean) for day in june[0]]
        return np.concatenate(products).mean() / variance

    assert correlation(1) == pytest.approx(0.972, abs=0.015)
    assert [correlation(lag) for lag in (5, 15, 60, 120)] == pytest.approx(
        [0.823, 0.680, 0.542, 0.463], abs=0.06
    )


def test_broken_days_vary_most(june):
    vi = june[2]
    assert np.quantile(vi[:, 1], [0.1, 0.5, 0.9]) == pytest.approx([3.81, 8.65, 21.5], rel=0.35)
    dull, broken, clear = (
        np.median(vi[(vi[:, 0] >= low) & (vi[:, 0] < high), 1])
        for low, high in ((0.0, 0.45), (0.45, 0.851), (0.851, 2.0))
    )
    assert broken >= 1.6 * dull
    assert broken >= 1.6 * clear


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
