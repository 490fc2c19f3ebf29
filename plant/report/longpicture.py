"""The picture of a long run: what became of the sun day by day, what the load got, how full the battery was."""

from typing import TYPE_CHECKING, Any, Final

import altair as alt

from plant.base.clock import DAY_S
from plant.report.periods import Period, by_period
from plant.report.trace import Trace

if TYPE_CHECKING:
    import pandas as pd

WIDTH, HEIGHT = 820, 170
FROM_DAYS = 10  # longer runs than this are drawn by the day
MOST_DAILY, MOST_MONTHLY = 750, 750 * 30
STEPS: Final = "step-after"
DAYS_TOLD = 75  # on the axis of a run no longer than this
SUN = {
    "e_pv_wh": ("taken", "#f2b134"),
    "e_untaken_full_wh": ("battery full", "#cfd8dc"),
    "e_untaken_bms_wh": ("battery refuses charge", "#7fa3a8"),
    "e_untaken_cold_wh": ("too cold to charge", "#a9c8e8"),
    "e_untaken_limit_wh": ("rating reached", "#b08bb8"),
    "e_untaken_pv_high_wh": ("PV voltage too high", "#d98880"),
    "e_untaken_off_wh": ("charger off", "#8d99a6"),
    "e_missed_wh": ("tracker loss", "#d1603d"),
}
LOAD = {"e_load_wh": ("served", "#3a6ea5"), "e_unserved_wh": ("not served", "#c62828")}


CHARGERS = {"e_charger_1_wh": ("charger 1", "#2a9d8f"), "e_charger_2_wh": ("charger 2", "#8ab17d")}
INVERTER = {"e_inverter_wh": ("served", "#7b4ea3"), "e_inverter_unserved_wh": ("not served", "#c62828")}


def is_long(trace: Trace) -> bool:
    """Whether a run is drawn by the day."""
    return len(trace.rows) > 1 and float(trace["t_utc_s"][-1] - trace["t_utc_s"][0]) > FROM_DAYS * DAY_S


def long_panels(trace: Trace) -> list[Any]:
    """Bars of available PV energy and of the load, bands of charge and voltage; by day, month or year."""
    days = float(trace["t_utc_s"][-1] - trace["t_utc_s"][0]) / DAY_S
    period: Period = "day" if days <= MOST_DAILY else "month" if days <= MOST_MONTHLY else "year"
    totals = by_period(trace, period)
    size = {"day": "a day", "month": "a month", "year": "a year"}[period]
    frame = totals.rename_axis("from").reset_index()
    frame["to"] = frame["from"] + _length(period)
    return [
        _bars(frame, SUN, f"array [{{}} {size}]", "available PV energy"),
        _bars(frame, LOAD, f"load [{{}} {size}]", "load"),
        *(
            _bars(frame, bars, f"{name} [{{}} {size}]", f"{name} at the battery")
            for name, bars in (("inverter", INVERTER), ("chargers", CHARGERS))
            if frame[list(bars)].to_numpy().max() > 0.0
        ),
        _band(frame, "soc", 100.0, "state of charge [%]", "#6fa872", [0.0, 100.0]),
        _band(frame, "v_batt", 1.0, "battery [V]", "#7a7a7a", None),
    ]


def _length(period: Period) -> Any:
    import pandas as pd

    return pd.DateOffset(**{period + "s": 1})


def _times(frame: "pd.DataFrame") -> Any:
    """The axis of time: days with their month, of a longer run months with their year."""
    days = (frame["to"].iloc[-1] - frame["from"].iloc[0]).days
    return alt.Axis(format="%d %b" if days <= DAYS_TOLD else "%b %Y", labelOverlap=True)


def _spans(frame: "pd.DataFrame", low: "pd.Series", high: "pd.Series") -> "pd.DataFrame":
    """From where to where a band reaches in each period, and once more at the end of the last.

    One area for all: bars thinner than a pixel, side by side, would let the page through between them.
    """
    import pandas as pd

    spans = frame[["from"]].assign(low=low, high=high)
    return pd.concat([spans, spans.iloc[[-1]].assign(**{"from": frame["to"].iloc[-1]})])


def _bars(frame: "pd.DataFrame", columns: dict[str, tuple[str, str]], title: str, legend: str) -> Any:
    """Bars on top of each other in the order of the columns; those that are nothing all the time are left out."""
    import pandas as pd

    some = {name: kind for name, kind in columns.items() if frame[name].max() > 0.0} or columns
    unit, per = ("kWh", 1e3) if frame[list(some)].sum(axis=1).max() >= 2e3 else ("Wh", 1.0)
    tops = (frame[list(some)].clip(lower=0.0) / per).cumsum(axis=1).round(4)
    top = float(tops.max(axis=None))
    bottoms = tops.shift(1, axis=1, fill_value=0.0)
    data = pd.concat(
        _spans(frame, bottoms[name], tops[name]).assign(what=label) for name, (label, _) in some.items()
    )
    scale = alt.Scale(
        domain=[label for label, _ in some.values()], range=[colour for _, colour in some.values()]
    )
    return (
        alt.Chart(data)
        .mark_area(interpolate=STEPS)
        .encode(
            x=alt.X("from:T", title=None, axis=_times(frame)),
            y=alt.Y(
                "low:Q",
                title=title.format(unit),
                scale=alt.Scale(domain=[0.0, 1.05 * max(top, 1e-3)], nice=False),
            ),
            y2="high:Q",
            color=alt.Color("what:N", title=legend, scale=scale, sort=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def _band(
    frame: "pd.DataFrame", name: str, times: float, title: str, colour: str, domain: list[float] | None
) -> Any:
    """From the least to the most of each period."""
    low, high = (times * frame[f"{name}_{end}"] for end in ("min", "max"))
    scale = alt.Scale(domain=domain) if domain else alt.Scale(zero=False, nice=True)
    return (
        alt.Chart(_spans(frame, low.round(4), high.round(4)))
        .mark_area(color=colour, interpolate=STEPS)
        .encode(
            x=alt.X("from:T", title=None, axis=_times(frame)),
            y=alt.Y("low:Q", title=title, scale=scale),
            y2="high:Q",
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
