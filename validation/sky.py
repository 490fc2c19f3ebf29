"""Sun, clear sky, planes, daily clearness and air, beside pvlib's figures and published tables."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from plant.site.model import Site, load_site
from plant.weather import air as weather
from plant.weather import clouds, sun
from plant.weather.clearness import chain, quantile
from plant.weather.clouds import CloudModel
from plant.weather.decomposition import beam_of_global
from plant.weather.horizon import open_sky
from plant.weather.sky import SkyDay, plane_of_array, sky_day
from plant.weather.sunmeans import SunMeans
from validation.check import Check

PVLIB = "pvlib 0.16.1"
BY_MONTH = "measured, months of 17 places by their clearness"
PLACES = (
    # name, latitude, longitude, altitude, day, UTC of noon, tilt; zenith, GHI, DNI, DHI, GHI of the day,
    # then in the plane at noon and over the day: Perez, Hay & Davies
    ("Payerne 21 June", 46.815, 6.944, 491.0, "2024-06-21", "11:34", 47.0,
     23.372, 945.2, 919.7, 100.9, 8480.0, 976.9, 7487.0, 968.6, 7322.0),
    ("Dakar 15 January", 14.7, -17.4, 20.0, "2024-01-15", "13:19", 15.0,
     35.843, 861.9, 937.0, 102.4, 5823.0, 992.8, 6944.0, 990.7, 6912.0),
    ("Madrid 21 December", 40.4, -3.7, 650.0, "2024-12-21", "12:13", 40.0,
     63.809, 423.4, 815.7, 63.4, 2261.0, 851.9, 5031.0, 855.8, 4986.0),
)  # fmt: skip
CLEARNESS = (
    # mean of the month, latitude of most such months; sd and 5, 50, 95 % of their days
    (0.28, 50.0, 0.165, 0.07, 0.25, 0.58),
    (0.32, 50.0, 0.168, 0.09, 0.29, 0.61),
    (0.37, 50.0, 0.174, 0.11, 0.36, 0.65),
    (0.43, 45.0, 0.159, 0.16, 0.44, 0.67),
    (0.48, 45.0, 0.157, 0.21, 0.50, 0.69),
    (0.53, 45.0, 0.158, 0.23, 0.57, 0.71),
    (0.58, 40.0, 0.144, 0.28, 0.62, 0.74),
    (0.62, 20.0, 0.106, 0.38, 0.65, 0.73),
    (0.68, 33.0, 0.094, 0.49, 0.71, 0.78),
)
CLEARNESS_TOLERANCE = {"sd": 0.025, "5 %": 0.05, "50 %": 0.05, "95 %": 0.05}
COLOURS = ["#1f5a8a", "#d98a00", "#4a8f5c", "#8a8a8a"]


def checks() -> Iterator[Check]:
    """Every row of this topic."""
    yield from _clear_skies()
    yield from _split()
    yield from _daily_clearness()
    yield from _air()
    yield from _horizons()


def place(latitude_deg: float, longitude_deg: float, altitude_m: float, transposition: str = "perez") -> Site:
    """The cabin moved to a place with a turbidity of 3 and no clouds."""
    data = load_site("cabin").model_dump()
    data["location"] |= {
        "latitude_deg": latitude_deg, "longitude_deg": longitude_deg, "altitude_m": altitude_m,
        "timezone": "UTC", "linke_turbidity": 3.0,
    }  # fmt: skip
    data["sky"] |= {"clearness": None, "transposition": transposition}
    return Site.model_validate(data)


def _clear_skies() -> Iterator[Check]:
    for name, latitude, longitude, altitude, date, noon, tilt, zenith, *light in PLACES:
        day = int(np.datetime64(date, "D").astype(int))
        sky = sky_day(place(latitude, longitude, altitude), 1, day)
        k = int(np.datetime64(f"{date}T{noon}", "s").astype(int) - sky.start_utc_s) // sky.grid_s
        ours = [sky.ghi_w_m2[k], sky.dni_w_m2[k], sky.dhi_w_m2[k], sky.sun.ghi_w_m2[:-1].mean() * 24.0]
        names = ["noon GHI", "noon DNI", "noon DHI", "day GHI"]
        for model in ("perez", "haydavies"):
            one = sky_day(place(latitude, longitude, altitude, model), 1, day)
            parts = plane_of_array(one, tilt, 180.0, 0.2)
            whole = parts["beam"] + parts["sky"] + parts["ground"]
            ours += [whole[k], whole[:-1].mean() * 24.0]
            names += [f"noon in the plane, {model}", f"day in the plane, {model}"]
        yield Check(what=f"{name}: zenith", value=float(sky.sun.zenith_deg[k]), reference=zenith, tolerance=2e-3,
                    unit="deg", source=PVLIB)  # fmt: skip
        for what, value, reference in zip(names, ours, light, strict=True):
            over_day = what.startswith("day")
            yield Check(
                what=f"{name}: {what}", value=float(value), reference=reference,
                tolerance=(2e-3 if over_day else 1e-3) * reference, unit="Wh/m2" if over_day else "W/m2", source=PVLIB,
            )  # fmt: skip


def _split() -> Iterator[Check]:
    """Erbs at zenith 30 deg on 21 June."""
    noon = np.array([np.datetime64("2021-06-21T12:00", "s").astype(np.int64)])
    cosine = np.cos(np.radians(np.array([30.0])))
    one = np.ones(1)
    for ghi, dni in ((800.0, 697.0), (400.0, 44.0)):
        at = SunMeans(one, one, cosine, one, cosine)
        beam = beam_of_global("erbs", np.array([ghi]), at, noon, 0.0)
        yield Check(what=f"Erbs: DNI of {ghi:.0f} W/m2 at zenith 30 deg", value=float(beam[0] / cosine[0]),
                    reference=dni, tolerance=0.5, unit="W/m2", source="pvlib erbs")  # fmt: skip


def _daily_clearness() -> Iterator[Check]:
    """The distribution by the month's mean; `skydays` has the places themselves."""
    u = (np.arange(4000) + 0.5) / 4000
    for k_mean, latitude, *measured in CLEARNESS:
        drawn = quantile(u, np.full(u.size, k_mean), latitude)
        yield Check(what=f"daily clearness, month {k_mean}: mean", value=float(drawn.mean()), reference=k_mean,
                    tolerance=2e-4, source="closed form")  # fmt: skip
        ours = (drawn.std(), *np.quantile(drawn, (0.05, 0.5, 0.95)))
        for (name, tolerance), value, theirs in zip(CLEARNESS_TOLERANCE.items(), ours, measured, strict=True):
            yield Check(what=f"daily clearness, month {k_mean}: {name}", value=float(value), reference=theirs,
                        tolerance=tolerance, source=BY_MONTH)  # fmt: skip
    days = 6000
    z = chain(1, 0, np.full(days, 0.36))
    for lag, reference in ((1, 0.36), (2, 0.20), (3, 0.13), (5, 0.08)):
        value = np.corrcoef(z[lag:], z[:-lag])[0, 1]
        yield Check(what=f"chain of days: correlation after {lag} d", value=float(value), reference=reference,
                    tolerance=0.03, source="measured, mean of 17 places", note=f"{days} days")  # fmt: skip


def _air() -> Iterator[Check]:
    hours = np.arange(0.0, 24.0, 1.0 / 60.0)
    shape = weather.erbs_shape(hours)
    rows = (
        ("highest", shape.max(), 0.525, 0.001, ""), ("at", hours[shape.argmax()], 15.25, 0.125, "h"),
        ("lowest", shape.min(), -0.454, 0.001, ""), ("at dawn", hours[shape.argmin()], 5.75, 0.125, "h"),
        ("mean", shape.mean(), 0.0, 1e-6, ""),
    )  # fmt: skip
    for name, value, reference, tolerance, unit in rows:
        yield Check(what=f"temperature's day: {name}", value=float(value), reference=reference, tolerance=tolerance,
                    unit=unit, source="Erbs 1983", note="hours told in quarters")  # fmt: skip
    days = 1500
    wind = weather.wind(2, 0, np.full(days + 1, 5.0), 3600)[:, :-1].ravel()
    still = wind / (1.0 + 0.25 * np.cos(2.0 * np.pi * (np.arange(wind.size) % 24 - 15) / 24))
    rest = still - still.mean()
    values = (
        ("mean", wind.mean(), 5.0, 0.15, "m/s"),
        ("sd over mean, Weibull k = 2", still.std() / still.mean(), 0.5227, 0.02, ""),
        ("correlation after 1 h", (rest[1:] * rest[:-1]).mean() / (rest**2).mean(), 0.85, 0.02, ""),
    )
    for name, value, reference, tolerance, unit in values:
        yield Check(what=f"wind: {name}", value=float(value), reference=reference, tolerance=tolerance, unit=unit,
                    source="HOMER's defaults", note=f"{days} days")  # fmt: skip


def _horizons() -> Iterator[Check]:
    """A ring of even elevation has closed forms: cos^2 h flat, 1/2 - (h + sin h cos h)/pi upright."""
    for h_deg in (10.0, 30.0):
        ring, h = ((0.0, h_deg), (180.0, h_deg)), np.radians(h_deg)
        upright = 0.5 - (h + np.sin(h) * np.cos(h)) / np.pi
        for name, tilt, reference in (("flat", 0.0, np.cos(h) ** 2), ("upright", 90.0, upright)):
            yield Check(what=f"sky over a ring of {h_deg:.0f} deg, {name} plane", value=open_sky(ring, tilt, 180.0),
                        reference=float(reference), tolerance=1e-5, source="closed form")  # fmt: skip


def figures() -> Iterator[tuple[str, alt.Chart]]:
    """Pictures of this topic, by file name."""
    yield "sky_clear_day", _clear_day()
    yield "sky_three_days", _three_days()
    yield "sky_clearness", _clearness()
    yield "sky_temperature", _temperature()


def _hours(sky: SkyDay) -> np.ndarray:
    return np.arange(sky.ghi_w_m2.size) * sky.grid_s / 3600.0


def _lines(columns: dict[str, np.ndarray], hours: np.ndarray) -> pd.DataFrame:
    wide = pd.DataFrame({"hour": hours} | columns)
    return wide.melt("hour", var_name="of", value_name="value")


def _chart(
    data: pd.DataFrame, title: str, y: str, order: list[str], domain: tuple[float, float]
) -> alt.Chart:
    ticks = alt.Axis(values=list(range(0, 25, 3)))
    return (
        alt.Chart(data, title=title, width=560, height=240)
        .mark_line(clip=True)
        .encode(
            alt.X("hour:Q", title="hour of the solar zone", scale=alt.Scale(domain=domain), axis=ticks),
            alt.Y("value:Q", title=y),
            alt.Color("of:N", title=None, sort=order, scale=alt.Scale(domain=order, range=COLOURS[: len(order)])),
        )
    )  # fmt: skip


def _clear_day() -> alt.Chart:
    """A clear day in June: on the level, and in a plane of 47 deg to the south."""
    sky = sky_day(place(46.815, 6.944, 491.0), 1, int(np.datetime64("2024-06-21", "D").astype(int)), 120)
    parts = plane_of_array(sky, 47.0, 180.0, 0.2)
    whole = parts["beam"] + parts["sky"] + parts["ground"]
    columns = {
        "global": sky.ghi_w_m2, "direct normal": sky.dni_w_m2, "in the plane": whole, "diffuse": sky.dhi_w_m2,
    }  # fmt: skip
    return _chart(
        _lines(columns, _hours(sky)), "A clear day at Payerne, 21 June", "W/m²", list(columns), (3, 21)
    )


def _three_days() -> alt.Chart:
    """What the cloud model makes of a clear, a broken and a dull day, one after another."""
    site = place(46.815, 6.944, 491.0)
    first = int(np.datetime64("2016-06-10", "D").astype(int))
    parts = []
    for k, (name, k_day) in enumerate(
        (("clear, index 1.00", 1.0), ("broken, 0.63", 0.63), ("dull, 0.30", 0.30))
    ):
        clear = sun.clear_day(first + k, site.location)
        ghi = clouds.clear_sky_index(7, first + k, k_day, clear.ghi_w_m2, CloudModel()) * clear.ghi_w_m2
        hours = 24.0 * k + np.arange(ghi.size) / 360.0
        parts.append(pd.DataFrame({"hour": hours[::6], "value": ghi[::6], "of": name}))
    data = pd.concat(parts)
    order = list(data["of"].unique())
    noons, shades = list(range(0, 73, 12)), [COLOURS[1], COLOURS[0], COLOURS[3]]
    return (
        alt.Chart(data, title="Three days of the cloud model, every minute", width=560, height=240)
        .mark_line(strokeWidth=1)
        .encode(
            alt.X("hour:Q", title="hour", scale=alt.Scale(domain=(0, 72)), axis=alt.Axis(values=noons)),
            alt.Y("value:Q", title="global, W/m²"),
            alt.Color("of:N", title=None, sort=order, scale=alt.Scale(domain=order, range=shades)),
        )
    )  # fmt: skip


def _clearness() -> alt.Chart:
    """How daily clearness is spread in months of different means."""
    u = np.linspace(0.0, 1.0, 201)
    rows = [
        {"share": share * 100.0, "value": value, "of": f"{k_mean:.1f}"}
        for k_mean in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
        for share, value in zip(u, quantile(u, np.full(u.size, k_mean), 45.0), strict=True)
    ]
    return (
        alt.Chart(
            pd.DataFrame(rows),
            title="Daily clearness in months of mean 0.1 to 0.7, 45 deg",
            width=560,
            height=240,
        )
        .mark_line()
        .encode(
            alt.X("value:Q", title="daily clearness index", axis=alt.Axis(tickCount=10)),
            alt.Y("share:Q", title="days below, %"),
            alt.Color("of:N", title="month's mean", scale=alt.Scale(scheme="viridis")),
            order="share:Q",
        )
    )


def _temperature() -> alt.Chart:
    """The daily curve of the air for a swing of 10 K."""
    means = weather.DayMeans(np.full(3, 15.0), np.full(3, 10.0))
    day = weather.temperature(means, 300)[0]
    data = _lines({"air": day}, np.arange(day.size) / 12.0)
    chart = _chart(data, "Air of a day of mean 15 °C and swing 10 K", "°C", ["air"], (0, 24))
    return chart.encode(
        alt.Y("value:Q", title="°C", scale=alt.Scale(zero=False)), alt.Color("of:N", legend=None)
    )
