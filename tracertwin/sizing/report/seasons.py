"""Charts of the chosen design over the year: monthly balance, charge, its worst two weeks."""

from typing import Any, Final, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from plant.base.clock import to_local
from tracertwin.sizing.figures.hours import YearHours
from tracertwin.sizing.figures.metrics import worst_year
from tracertwin.sizing.figures.outages import ROUNDING_WH
from tracertwin.sizing.report.look import (
    CHARGE,
    CHARGERS,
    HEIGHT,
    INK,
    SERVED,
    SUN,
    UNSERVED,
    finished,
    sized,
)
from tracertwin.sizing.report.study import Study

SHORT_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
PERCENTILES: Final = (0.0, 10.0, 50.0, 90.0, 100.0)
WEEKS_H: Final = 14 * 24
DAY_H, YEAR_D = 24, 365
HOUR: Final = pd.Timedelta(hours=1)
LOST_SHOWN: Final = 0.0005  # of a month's demand: less is not written above its bar


def monthly_balance(study: Study) -> Any:
    """What a mean day of each month asks for, who serves it, and what the array could give."""
    figures = study.chosen.figures
    days = figures["days"].sum(axis=0)

    def a_day(name: str) -> np.ndarray:
        return np.asarray(figures[name].sum(axis=0) / days)

    chargers = a_day("e_charger_1_wh") + a_day("e_charger_2_wh")
    served = a_day("demand_wh") - a_day("unserved_wh")
    parts = {
        "served by the sun": (np.maximum(served - chargers, 0.0), SERVED),
        "served by chargers": (np.minimum(chargers, served), CHARGERS),
        "not served": (a_day("unserved_wh"), UNSERVED),
    }
    some = "served by the sun"
    parts = {label: part for label, part in parts.items() if label == some or part[0].max() > ROUNDING_WH}
    unit, per = ("kWh", 1e3) if a_day("e_available_wh").max() >= 2e3 else ("Wh", 1.0)
    rows = []
    below = np.zeros(12)
    for label, (values, _) in parts.items():
        rows += [
            {"month": month, "what": label, "low": low / per, "high": (low + value) / per}
            for month, low, value in zip(SHORT_MONTHS, below, values, strict=True)
        ]
        below = below + values
    scale = alt.Scale(domain=list(parts), range=[colour for _, colour in parts.values()])
    x = alt.X("month:O", sort=list(SHORT_MONTHS), title=None, axis=alt.Axis(labelAngle=0))
    bars = (
        alt.Chart(pd.DataFrame(rows).round(4))
        .mark_bar(stroke="#ffffff", strokeWidth=0.5)
        .encode(
            x=x, y=alt.Y("low:Q", title=f"[{unit} a day]"), y2="high:Q",
            color=alt.Color("what:N", title=None, scale=scale, sort=None),
        )
    )  # fmt: skip
    asked = a_day("demand_wh")
    lost = np.divide(a_day("unserved_wh"), asked, out=np.zeros(12), where=asked > 0.0)
    words = [f"{100.0 * share:.1f}" if share >= LOST_SHOWN else "" for share in lost]
    above = pd.DataFrame({"month": SHORT_MONTHS, "top": below / per, "text": words}).round(4)
    texts = (
        alt.Chart(above).mark_text(dy=-7, fontSize=9, color=UNSERVED).encode(x=x, y="top:Q", text="text:N")
    )
    offered = pd.DataFrame({"month": SHORT_MONTHS, "offered": (a_day("e_available_wh") / per).round(4)})
    marks = alt.Chart(offered.assign(what="PV energy available")).encode(x=x, y="offered:Q")
    shape = alt.Shape("what:N", title=None, scale=alt.Scale(range=["circle"]))
    return finished(
        sized(
            alt.layer(
                bars, texts, marks.mark_line(color=SUN, strokeWidth=2),
                marks.mark_point(color=SUN, size=45, filled=True).encode(shape=shape),
            ).resolve_scale(color="independent", shape="independent")
        )
    )  # fmt: skip


def charge_fan(study: Study) -> Any:
    """Lowest charge of each day: the range of all years, four fifths of them, and the middle one."""
    lowest = np.array([_daily_least(hours) for hours in study.hours])
    levels = np.percentile(100.0 * lowest, PERCENTILES, axis=0).round(2)
    dates = pd.date_range("2023-01-01", periods=YEAR_D)
    frame = pd.DataFrame(dict(zip(("least", "low", "middle", "high", "most"), levels, strict=True))).assign(
        day=dates
    )
    x = alt.X("day:T", title=None, axis=alt.Axis(format="%b", tickCount="month"))
    base = alt.Chart(frame).encode(x=x)
    title = "lowest charge of the day [%]"
    y_scale = alt.Scale(domain=[0.0, 100.0])
    many = len(study.hours) > 1
    layers = [
        base.mark_area(color=CHARGE, opacity=0.18).encode(y=alt.Y("least:Q", title=title, scale=y_scale), y2="most:Q"),
        base.mark_area(color=CHARGE, opacity=0.32).encode(y="low:Q", y2="high:Q"),
    ] if many else []  # fmt: skip
    layers.append(
        base.mark_line(color=CHARGE, strokeWidth=1.6).encode(y=alt.Y("middle:Q", title=title, scale=y_scale))
    )
    layers.append(_cut_off(study))
    return finished(sized(alt.layer(*layers)))


def _daily_least(hours: YearHours) -> np.ndarray:
    """Of the first 365 days."""
    return np.asarray(hours.soc[: YEAR_D * DAY_H].reshape(YEAR_D, DAY_H).min(axis=1))


def _cut_off(study: Study) -> Any:
    """Where the load is disconnected."""
    frame = pd.DataFrame({"empty": [100.0 * study.chosen.size.empty_soc], "text": ["load disconnected"]})
    rule = alt.Chart(frame).encode(y="empty:Q")
    text = rule.mark_text(align="left", dx=4, dy=-6, fontSize=10).encode(text="text:N", x=alt.value(0))
    return alt.layer(rule.mark_rule(strokeDash=[5, 4], color=INK), text)


class Weeks(NamedTuple):
    """The worst two weeks."""

    place: int  # of the year
    first_hour: int
    unserved_wh: float


def worst_weeks(study: Study) -> Weeks:
    """The two weeks of the worst year in which most was not served; else those about its lowest charge."""
    place = worst_year(study.chosen.figures)
    hours = study.hours[place]
    sums = np.cumsum(np.append(0.0, hours.unserved_wh))
    within = (sums[WEEKS_H:] - sums[:-WEEKS_H])[::DAY_H]
    most = within.max()
    day = (
        int(np.argmax(within > most - ROUNDING_WH))
        if most > ROUNDING_WH
        else _about_lowest(hours, within.size)
    )
    return Weeks(place, day * DAY_H, float(within[day]))


def _about_lowest(hours: YearHours, days: int) -> int:
    """Ten days before the lowest charge, as far as two weeks fit in."""
    return min(max(int(np.argmin(hours.soc)) // DAY_H - 10, 0), days - 1)


def worst_weeks_panels(study: Study) -> Any:
    """Power by the hour and charge over these weeks."""
    weeks = worst_weeks(study)
    hours = study.hours[weeks.place]
    span = slice(weeks.first_hour, weeks.first_hour + WEEKS_H)
    zone = study.site.location.timezone
    times = pd.to_datetime([to_local(float(t_utc_s), zone) for t_utc_s in hours.t_utc_s[span]])
    frame = pd.DataFrame(
        {
            "from": times, "to": times + HOUR, "offered": hours["e_available_wh"][span],
            "served": (hours.demand_wh - hours.unserved_wh)[span], "demand": hours.demand_wh[span],
            "unserved": hours.unserved_wh[span], "soc": 100.0 * hours.soc[span], "zero": 0.0,
        }
    )  # fmt: skip
    numbers = list(frame.columns.drop(["from", "to"]))
    frame[numbers] = frame[numbers].round(2)
    days = alt.Axis(format="%d %b", tickCount="day", labelFlush=False)
    span_of_both = alt.Scale(domain=[times[0].isoformat(), (times[-1] + HOUR).isoformat()])
    x = alt.X("from:T", title=None, axis=days, scale=span_of_both)
    base = alt.Chart(frame).encode(x=x, x2="to:T")
    domain = ["PV available", "load served", "not served"]
    colour = alt.Scale(domain=domain, range=["#f6d48a", SERVED, UNSERVED])
    y = alt.Y("zero:Q", title="power, means of an hour [W]")

    def rects(low: str, high: str, what: str, data: str | None = None) -> Any:
        chosen = base.transform_filter(data) if data else base
        return chosen.transform_calculate(what=f"'{what}'").mark_rect().encode(
            y=y if low == "zero" else alt.Y(f"{low}:Q"), y2=f"{high}:Q",
            color=alt.Color("what:N", title=None, scale=colour),
        )  # fmt: skip

    power = alt.layer(
        rects("zero", "offered", domain[0]),
        rects("zero", "served", domain[1]),
        rects("served", "demand", domain[2], "datum.unserved > 0"),
    )
    line = alt.Chart(frame).encode(x=alt.X("to:T", title=None, axis=days, scale=span_of_both))
    charge = line.mark_line(color=CHARGE, strokeWidth=1.8).encode(
        y=alt.Y("soc:Q", title="state of charge [%]", scale=alt.Scale(domain=[0.0, 100.0]))
    )
    panels = (sized(power), sized(alt.layer(charge, _cut_off(study)), HEIGHT - 60))
    return finished(alt.vconcat(*panels, spacing=12))
