"""The picture of a long run: what became of the sun day by day, what the load got, how full the battery was."""

from typing import TYPE_CHECKING, Any

import altair as alt

from plant.clock import DAY_S
from plant.periods import Period, by_period
from plant.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 820, 170
FROM_DAYS = 10  # longer runs than this are drawn by the day
MOST_DAILY, MOST_MONTHLY = 750, 750 * 30
SUN = {
    "e_pv_wh": ("taken", "#f2b134"),
    "e_untaken_full_wh": ("battery full", "#cfd8dc"),
    "e_untaken_limit_wh": ("rating reached", "#b08bb8"),
    "e_untaken_off_wh": ("charger off", "#8d99a6"),
    "e_missed_wh": ("tracker missed", "#d1603d"),
}
LOAD = {"e_load_wh": ("served", "#3a6ea5"), "e_unserved_wh": ("not served", "#c62828")}


def is_long(trace: Trace) -> bool:
    """Whether a run is drawn by the day."""
    return len(trace.rows) > 1 and float(trace["t_utc_s"][-1] - trace["t_utc_s"][0]) > FROM_DAYS * DAY_S


def long_panels(trace: Trace) -> list[Any]:
    """Bars of what the array could give and of the load, bands of charge and voltage; by day, month or year."""
    days = float(trace["t_utc_s"][-1] - trace["t_utc_s"][0]) / DAY_S
    period: Period = "day" if days <= MOST_DAILY else "month" if days <= MOST_MONTHLY else "year"
    totals = by_period(trace, period)
    size = {"day": "a day", "month": "a month", "year": "a year"}[period]
    frame = totals.rename_axis("from").reset_index()
    frame["to"] = frame["from"] + _length(period)
    return [
        _bars(frame, SUN, f"array [{{}} {size}]", "the array could give"),
        _bars(frame, LOAD, f"load [{{}} {size}]", "load"),
        _band(frame, "soc", 100.0, "state of charge [%]", "#2e7d32", [0.0, 100.0]),
        _band(frame, "v_batt", 1.0, "battery [V]", "#444444", None),
    ]


def _length(period: Period) -> Any:
    import pandas as pd

    return pd.DateOffset(**{period + "s": 1})


def _bars(frame: "pd.DataFrame", columns: dict[str, tuple[str, str]], title: str, legend: str) -> Any:
    """Bars stacked in the order of the columns; those that are nothing all the time are left out."""
    some = {name: kind for name, kind in columns.items() if frame[name].max() > 0.0} or columns
    most = float(frame[list(some)].sum(axis=1).max())
    unit, per = ("kWh", 1e3) if most >= 2e3 else ("Wh", 1.0)
    names = {name: label for name, (label, _) in some.items()}
    long = (
        frame[["from", "to", *some]]
        .rename(columns=names)
        .melt(["from", "to"], var_name="what", value_name="wh")
    )
    long["order"] = long["what"].map({label: n for n, label in enumerate(names.values())})
    long["value"] = (long["wh"].clip(lower=0.0) / per).round(4)
    scale = alt.Scale(domain=list(names.values()), range=[colour for _, colour in some.values()])
    return (
        alt.Chart(long.drop(columns="wh"))
        .mark_bar(stroke=None)
        .encode(
            x=alt.X("from:T", title=None),
            x2="to:T",
            y=alt.Y("value:Q", title=title.format(unit), stack="zero"),
            color=alt.Color("what:N", title=legend, scale=scale, sort=None),
            order=alt.Order("order:Q"),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def _band(
    frame: "pd.DataFrame", name: str, times: float, title: str, colour: str, domain: list[float] | None
) -> Any:
    """From the least to the most of each period."""
    low, high = (times * frame[f"{name}_{end}"] for end in ("min", "max"))
    data = frame.assign(low=low.round(4), high=high.round(4))
    data = data[["from", "to", "low", "high"]]
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=False, nice=True)
    return (
        alt.Chart(data)
        .mark_rect(color=colour, opacity=0.75)
        .encode(
            x=alt.X("from:T", title=None),
            x2="to:T",
            y=alt.Y("low:Q", title=title, scale=scale),
            y2="high:Q",
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
