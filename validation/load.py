"""Loads beside household classes, another generator of appliance profiles, queueing theory and the sun."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from plant.base.clock import DAY_S
from plant.inputs import inputs_of
from plant.load.day import demand_day
from plant.load.model import Load
from plant.site.model import Site, load_site
from validation.check import Check

DAY = 20502  # 2026-02-18, a Wednesday
MONDAY = DAY + 5
DAYS = 200
LIGHT = np.zeros(96)  # for loads that don't look

ESMAP_WH_DAY = {1: 12.0, 2: 200.0, 3: 1000.0, 4: 3400.0, 5: 8200.0}
ESMAP_SOURCE = "ESMAP, Beyond Connections, 2015"

# RAMP 0.5.2 (Lombardi et al. 2019) over 365 days from the same lists, each unit an appliance of its own and windows
# without variation: mean of the daily peaks [W], and for tier 3 the mean power in each hour [W]. RAMP's
# refrigerator was given no duty cycle: it runs in few long spells, and less at night.
RAMP_PEAK_W = {1: 2.45, 2: 44.08, 3: 160.85, 4: 677.07, 5: 2153.78}
RAMP_TIER_3_W = (
    3.0, 5.9, 7.7, 9.7, 11.2, 18.7, 32.6, 13.2, 19.5, 19.2, 32.2, 42.5,
    63.8, 70.9, 50.3, 49.3, 39.3, 27.7, 70.5, 92.8, 105.3, 103.0, 81.1, 27.2,
)  # fmt: skip
RAMP_SOURCE = "RAMP 0.5.2, the same lists"


def one(given: dict[str, Any]) -> Load:
    """A load of one part."""
    return Load.model_validate({"items": [{"name": "part", **given}]})


def minutes_of(load: Load, days: int, step_s: int = 60) -> np.ndarray:
    """Power [W] by civil day and step, in a place whose clocks show UTC."""
    return np.array(
        [demand_day(load, 1, DAY + i, (DAY + i) * DAY_S, "UTC", LIGHT, step_s).power_w for i in range(days)]
    )


def checks() -> Iterator[Check]:
    """Household energy and peaks, bursts, noise, and when lamps switch."""
    yield from _households()
    yield from _chance()
    yield from _lamps()


def _households() -> Iterator[Check]:
    for tier, wh_day in ESMAP_WH_DAY.items():
        watts = minutes_of(one({"kind": "appliances", "model": f"household_{tier}"}), DAYS)
        yield Check(
            what=f"household of tier {tier}: energy of a day, mean of {DAYS}", value=watts.mean() * 24,
            reference=wh_day, tolerance=0.03 * wh_day, unit="Wh", source=ESMAP_SOURCE,
        )  # fmt: skip
        # two appliances of 1.5 W make the peak of tier 1: it counts how often both are on, not how much
        yield Check(
            what=f"household of tier {tier}: peak of a day, mean of {DAYS}", value=watts.max(axis=1).mean(),
            reference=RAMP_PEAK_W[tier], tolerance=(0.15 if tier == 1 else 0.05) * RAMP_PEAK_W[tier], unit="W",
            source=RAMP_SOURCE,
        )  # fmt: skip
    hourly = minutes_of(one({"kind": "appliances", "model": "household_3"}), DAYS, 3600).mean(axis=0)
    for what, first, last in (("morning", 5, 11), ("midday", 11, 17), ("evening", 17, 23)):
        yield Check(
            what=f"household of tier 3: energy of the {what}, {first} to {last} h", value=hourly[first:last].sum(),
            reference=sum(RAMP_TIER_3_W[first:last]), tolerance=20.0, unit="Wh", source=RAMP_SOURCE,
        )  # fmt: skip


def _chance() -> Iterator[Check]:
    rate_h, mean_s = 60.0, 6.0
    radio = minutes_of(one({"kind": "telecom", "base_w": 10.0, "bursts_per_hour": rate_h}), DAYS)
    yield Check(
        what="radio, 60 bursts an hour of 2 to 10 s: share of time sending", value=(radio.mean() / 10.0 - 1.0) / 2.0,
        reference=1.0 - np.exp(-rate_h / 3600.0 * mean_s), tolerance=0.001, source="busy share of the M/G/inf queue",
    )  # fmt: skip
    sigma = 0.3
    noisy = minutes_of(Load(hourly_w=(100.0,) * 24, noise=sigma), DAYS, 3600)
    yield Check(
        what="profile with noise 0.3: mean over its nominal value", value=noisy.mean() / 100.0, reference=1.0,
        tolerance=0.015, source="log-normal with mean 1",
    )  # fmt: skip
    yield Check(
        what="profile with noise 0.3: spread of the hours over their mean", value=noisy.std() / noisy.mean(),
        reference=np.sqrt(np.expm1(sigma**2)), tolerance=0.015, source="log-normal with mean 1",
    )  # fmt: skip


def _lamps() -> Iterator[Check]:
    """A clear day at the cabin: the light falls tenfold every 3 degrees, so each level is an elevation of the sun."""
    import pandas as pd
    import pvlib

    cabin = _clear(load_site("cabin"))
    inputs = inputs_of(cabin, 1, DAY)
    lamp = one({"kind": "lighting", "power_w": 10.0})
    asked = demand_day(lamp, 1, DAY, inputs.start_utc_s, "UTC", inputs.array.ghi_w_m2).power_w
    on = np.flatnonzero(asked == 0.0)
    moments = pd.to_datetime(inputs.start_utc_s + np.arange(0, DAY_S, 5), unit="s", utc=True)
    place = cabin.location
    sun = pvlib.solarposition.get_solarposition(
        moments, place.latitude_deg, place.longitude_deg, place.altitude_m, temperature=12.0
    )
    elevation = sun["apparent_elevation"].to_numpy()
    dawn, dusk = (3.0 * np.log10(level / 3.3) for level in (0.4, 0.15))
    up = np.flatnonzero(elevation > dawn)[0] / 720 + 1 / 6
    down = np.flatnonzero(elevation > dusk)[-1] / 720 + 1 / 6
    source = "pvlib 0.16.1, sun's elevation with 0.15 and 0.4 W/m2 of twilight"
    for what, value, reference in (("off at dawn", on[0] / 720, up), ("on at dusk", on[-1] / 720, down)):
        yield Check(
            what=f"lamp {what} on a clear day, after the delay of 10 min", value=value, reference=reference,
            tolerance=1 / 60, unit="h", source=source,
        )  # fmt: skip


def _clear(site: Site) -> Site:
    data = site.model_dump()
    data["sky"]["clearness"] = None
    return Site.model_validate(data)


WEEK: dict[str, dict[str, Any]] = {
    "profile, noise 0.2": {
        "kind": "profile", "noise": 0.2,
        "hourly_w": [5, 5, 5, 5, 5, 5, 10, 15, 12, 8, 8, 10, 20, 12, 8, 8, 10, 25, 40, 45, 40, 25, 10, 5],
        "weekend_w": [5, 5, 5, 5, 5, 5, 5, 10, 20, 25, 20, 25, 30, 20, 15, 15, 20, 35, 45, 50, 50, 40, 25, 10],
    },
    "household_3": {"kind": "appliances", "model": "household_3"},
    "school": {"kind": "appliances", "model": "school"},
    "weekend_cabin": {"kind": "appliances", "model": "weekend_cabin"},
    "telecom": {"kind": "telecom", "base_w": 12.0, "bursts_per_hour": 20.0},
    "camera": {"kind": "camera"},
    "lighting, dusk to dawn": {"kind": "lighting", "power_w": 20.0},
    "lighting, 4 h and 1.5 h": {
        "kind": "lighting", "power_w": 20.0, "after_dusk_h": 4.0, "before_dawn_h": 1.5,
    },
}  # fmt: skip


def figures() -> Iterator[tuple[str, Any]]:
    """A week of each kind, and the hours of a household's mean day."""
    yield "load_week", _week()
    yield "load_household_hours", _household_hours()


def _week() -> Any:
    import altair as alt
    import pandas as pd

    cabin = load_site("cabin")
    step_s, rows = 1200, []
    for day in range(MONDAY, MONDAY + 7):
        inputs = inputs_of(cabin, 1, day)
        for name, given in WEEK.items():
            asked = demand_day(
                one(given), 1, day, inputs.start_utc_s, cabin.location.timezone, inputs.array.ghi_w_m2, step_s
            )
            rows += [
                {
                    "load": name,
                    "day": (inputs.start_utc_s + k * step_s - MONDAY * DAY_S + 3600) / DAY_S,
                    "watts": w,
                }
                for k, w in enumerate(asked.power_w.round(2))
            ]
    names = "['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']"
    axis = alt.Axis(
        values=list(range(8)), labelExpr=f"datum.value < 7 ? {names}[datum.value] : ''", labelOffset=52
    )
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(interpolate="step-after", strokeWidth=1, color="#3a6ea5")
        .encode(
            x=alt.X("day:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, 7])),
            y=alt.Y("watts:Q", title="W", axis=alt.Axis(tickCount=3)),
        )
        .properties(width=730, height=62)
        .facet(row=alt.Row("load:N", title=None, sort=None, header=_HEADER), spacing=8)
        .resolve_scale(y="independent")
    )


_HEADER = {
    "labelAngle": 0,
    "labelOrient": "top",
    "labelAnchor": "start",
    "labelPadding": 1,
    "labelFontWeight": "bold",
}


def _household_hours() -> Any:
    import altair as alt
    import pandas as pd

    ours = minutes_of(one({"kind": "appliances", "model": "household_3"}), DAYS, 3600).mean(axis=0)
    rows = [{"hour": h, "watts": float(ours[h % 24]), "by": "TracerTwin"} for h in range(25)]
    rows += [{"hour": h + 0.5, "watts": RAMP_TIER_3_W[h], "by": "RAMP"} for h in range(24)]
    frame = pd.DataFrame(rows)
    colour = alt.Color(
        "by:N", title=None, scale=alt.Scale(domain=["TracerTwin", "RAMP"], range=["#3a6ea5", "#d1603d"])
    )
    base = alt.Chart(frame).encode(
        x=alt.X(
            "hour:Q", title="hour of the day", scale=alt.Scale(domain=[0, 24]), axis=alt.Axis(tickCount=12)
        ),
        y=alt.Y("watts:Q", title="mean power [W]"),
        color=colour,
    )
    line = base.transform_filter("datum.by == 'TracerTwin'").mark_line(interpolate="step-after")
    points = base.transform_filter("datum.by == 'RAMP'").mark_point(filled=True, size=45)
    return alt.layer(line, points).properties(width=620, height=230)
