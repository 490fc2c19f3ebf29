"""Pictures of a measured month of clouds beside the model's."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from validation.payerne import MinuteDay

Months = Mapping[str, Sequence[MinuteDay]]
COLOURS = {"measured": "#30343b", "model": "#d1603d"}
WIDTH, HEIGHT = 560, 260
WEEK_FROM_DAY = 4  # of the month: broken, clear and dull days in one week
WEEK_DAYS = 7
WEEK_MEAN_MIN = 3


def _colour() -> Any:
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    return alt.Color("month:N", title=None, scale=scale, sort=None, legend=alt.Legend(orient="top"))


def histogram(months: Months) -> Any:
    """Density of the clear-sky index of minutes."""
    edges = np.linspace(0.0, 1.5, 76)
    rows = [
        {"month": name, "index": float(low), "density": float(value)}
        for name, days in months.items()
        for low, value in zip(
            edges,
            np.histogram(np.concatenate([day.index for day in days]), edges, density=True)[0],
            strict=False,
        )
    ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(interpolate="step-after", strokeWidth=1.6)
        .encode(
            x=alt.X("index:Q", title="clear-sky index of a minute", scale=alt.Scale(domain=[0, 1.5])),
            y=alt.Y("density:Q", title="density"),
            color=_colour(),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def week(months: Months) -> Any:
    """Irradiance of the same week: equal daily sums, clouds of its own."""
    rows = []
    for name, days in months.items():
        for day in days[WEEK_FROM_DAY : WEEK_FROM_DAY + WEEK_DAYS]:
            rows += _week_rows(name, day)
    frame = pd.DataFrame(rows)
    base = alt.Chart(frame).encode(
        x=alt.X("time:T", title=None, axis=alt.Axis(format="%d %b", tickCount="day"))
    )
    y = alt.Scale(domain=[0, 1400])
    colours = COLOURS | {"clear sky": "#f2b134"}
    scale = alt.Scale(domain=list(colours), range=list(colours.values()))
    colour = alt.Color("month:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
    clear = base.mark_line(strokeWidth=1.2).encode(
        y=alt.Y("clear:Q", scale=y), detail="date:N", color=alt.ColorDatum("clear sky")
    )
    seen = base.mark_line(strokeWidth=0.8).encode(
        y=alt.Y("ghi:Q", title="GHI [W/m²]", scale=y), detail="date:N", color=colour
    )
    row = alt.Row("month:N", title=None, sort=list(COLOURS), header=alt.Header(labels=False))
    return alt.layer(clear, seen).properties(width=820, height=170).facet(row=row, spacing=8)


def _week_rows(name: str, day: MinuteDay) -> list[dict[str, Any]]:
    size = day.index.size // WEEK_MEAN_MIN * WEEK_MEAN_MIN
    t, ghi, clear = (
        values[:size].reshape(-1, WEEK_MEAN_MIN).mean(axis=1)
        for values in (day.t_utc_s, day.ghi_w_m2, day.clear_ghi_w_m2)
    )
    times = pd.to_datetime(np.round(t), unit="s")
    return [
        {
            "month": name,
            "date": f"{times[0]:%d}",
            "time": at,
            "ghi": round(float(g)),
            "clear": round(float(c)),
        }
        for at, g, c in zip(times, ghi, clear, strict=True)
    ]


def _shares_above(parts: list[np.ndarray], limits: np.ndarray) -> list[tuple[float, float]]:
    """Each limit, and the share of all values above it; without those that less than one value is above."""
    values = np.sort(np.concatenate(parts))
    shares = 1.0 - np.searchsorted(values, limits, side="right") / values.size
    return [(limit, share) for limit, share in zip(limits, shares, strict=True) if share * values.size >= 1.0]


def ramps(months: Months) -> Any:
    """How often irradiance changes by more than so much within a minute."""
    limits = np.arange(0.0, 901.0, 10.0)
    rows = []
    for name, days in months.items():
        change = [np.abs(np.diff(day.ghi_w_m2)) for day in days]
        rows += [
            {"month": name, "ramp": float(limit), "share": 100.0 * float(value)}
            for limit, value in _shares_above(change, limits)
            if value >= 1e-5
        ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("ramp:Q", title="change of GHI within a minute [W/m²]"),
            y=alt.Y(
                "share:Q",
                title="share of minutes that change more [%]",
                scale=alt.Scale(type="log", domain=[0.001, 100], clamp=True),
            ),
            color=_colour(),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def leaps(seasons: Mapping[str, Months]) -> Any:
    """How often the index changes by more than so much within a minute, season by season."""
    limits = np.arange(0.0, 1.21, 0.02)
    rows = []
    for season, months in seasons.items():
        for name, days in months.items():
            change = [np.abs(np.diff(day.index)) for day in days]
            rows += [
                {"season": season, "month": name, "change": float(limit), "share": 100.0 * float(value)}
                for limit, value in _shares_above(change, limits)
            ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("change:Q", title="change of the clear-sky index, more than"),
            y=alt.Y(
                "share:Q",
                title="share of minutes [%]",
                scale=alt.Scale(type="log", domain=[0.01, 100], clamp=True),
            ),
            color=_colour(),
        )
        .properties(width=WIDTH // 2, height=HEIGHT // 2 + 20)
        .facet(alt.Facet("season:N", title=None, sort=list(seasons)), columns=2)
    )


def memory(months: Months) -> Any:
    """Autocorrelation of the clear-sky index."""
    from validation.clouds import autocorrelation

    lags = [1, 2, 3, 4, 5, 7, 10, *range(15, 181, 5)]
    rows = [{"month": name, "lag": 0, "correlation": 1.0} for name in months]
    rows += [
        {"month": name, "lag": lag, "correlation": autocorrelation(days, lag)}
        for name, days in months.items()
        for lag in lags
    ]
    return (
        alt.Chart(pd.DataFrame(rows))
        .mark_line(strokeWidth=1.6)
        .encode(
            x=alt.X("lag:Q", title="minutes apart", axis=alt.Axis(values=list(range(0, 181, 30)))),
            y=alt.Y(
                "correlation:Q",
                title="autocorrelation of the clear-sky index",
                scale=alt.Scale(domain=[0, 1]),
            ),
            color=_colour(),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
