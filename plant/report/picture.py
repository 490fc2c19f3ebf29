"""Pictures of a trace: power, voltage and charge over time, with the charge stages behind them.

Also how every chart looks, and how one is written to a file.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import altair as alt
import pandas as pd

from plant.base.clock import to_local
from plant.controller.charger import Stage
from plant.report.drafts import draft_of
from plant.report.longpicture import HEIGHT, WIDTH, is_long, long_panels
from plant.report.trace import Trace

MOST_POINTS = 3000

BROAD, THIN = 3.6, 1.4  # a line that another may lie on for hours shows on both sides of it
POWERS = {  # label, colour, width; the later ones lie on top
    "p_mp_w": ("available PV", "#f5cf4e", BROAD),
    "p_pv_w": ("PV", "#b5471f", THIN),
    "p_load_w": ("load", "#3a6ea5", THIN),
}
AT_BATTERY = {  # beside the controller, where there is any
    "p_inverter_w": ("inverter", "#7b4ea3", THIN),
    "p_charger_1_w": ("charger 1", "#2a9d8f", THIN),
    "p_charger_2_w": ("charger 2", "#8ab17d", THIN),
}
VOLTAGES = {
    "v_target_v": ("voltage target", "#d9c9a8", BROAD),
    "v_batt_v": ("battery", "#444444", THIN),
}
CHARGES = {
    "shown": ("shown by the controller", "#9ccc65", BROAD),
    "true": ("true", "#2e7d32", THIN),
}
STAGES = {  # from light to dark in this order, so that they differ in print without colours too
    "none": "#f6f6f6",
    "float": "#cfe8c6",
    "bulk": "#b7cdea",
    "boost": "#7f9fc9",
    "equalize": "#8a63a6",
}


def draw(trace: Trace, path: Path) -> None:
    """Draw a run as HTML, SVG or PNG, by the file's suffix; needs no browser and no network.

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    save(picture(trace), path)


def save(chart: Any, path: Path) -> None:
    """Write a chart by the file's suffix.

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    with draft_of(path) as draft:
        if path.suffix == ".html":
            from plant.report.page import page

            draft.write_text(page(chart), encoding="utf-8")
        elif path.suffix == ".svg":
            from plant.report.page import svg_text

            draft.write_text(svg_text(chart), encoding="utf-8")
        else:
            chart.save(draft, scale_factor=2.0)


def picture(trace: Trace) -> Any:
    """The chart of a run, sample by sample or, of a long one, day by day."""
    panels = long_panels(trace) if is_long(trace) else _panels(trace)
    stacked = alt.vconcat(*panels, spacing=14, title=heading(trace)).resolve_scale(color="independent")
    return styled(stacked, {"symbolStrokeWidth": 3})


def styled(chart: Any, legend: Mapping[str, Any], title: Mapping[str, Any] = MappingProxyType({})) -> Any:
    """A chart with the fonts and lines of all our charts; legend and title can differ in what is given here."""
    heading = {"fontSize": 14, "anchor": "start", "subtitleFontSize": 12, "subtitleColor": "#666666", **title}
    return (
        chart.configure_axis(
            labelFontSize=11, titleFontSize=11, titleFontWeight="normal", gridColor="#e4e4e4"
        )
        .configure_legend(labelFontSize=11, titleFontSize=11, labelLimit=300, **legend)
        .configure_title(**heading)
        .configure_view(stroke="#cccccc")
    )


def heading(trace: Trace) -> str:
    """Whose run it is, and from when to when."""
    moments = trace["t_utc_s"]
    began_utc_s = 2.0 * moments[0] - moments[1]  # a sample stands at the end of what it is of
    first, last = (to_local(float(t_utc_s), trace.timezone) for t_utc_s in (began_utc_s, moments[-1]))
    until = f"{last:%H:%M}" if last.date() == first.date() else f"{last:%d %b %Y %H:%M}"
    return f"{trace.title}, {first:%d %b %Y %H:%M} to {until}"


def _panels(trace: Trace) -> list[Any]:
    """Power; battery voltage and what it is held to; state of charge, true and as shown."""
    frame = trace.frame()
    frame = frame.iloc[:: max(1, len(frame) // MOST_POINTS)]
    stages = _stage_spans(frame)
    beside = {name: row for name, row in AT_BATTERY.items() if frame[name].max() > 0.0}
    power = _lines(frame, POWERS | beside, "power [W]", zero=True)
    voltage = _lines(frame, VOLTAGES, "battery [V]", zero=False)
    percent = frame.assign(true=100.0 * frame["soc"], shown=100.0 * frame["soc_controller"])
    charge = _lines(percent, CHARGES, "state of charge [%]", zero=False)
    return [
        alt.layer(_behind(stages, legend=panel == 0), layer)
        .properties(width=WIDTH, height=HEIGHT)
        .resolve_scale(color="independent")
        for panel, layer in enumerate((power, voltage, charge))
    ]


def _lines(frame: pd.DataFrame, columns: dict[str, tuple[str, str, float]], title: str, *, zero: bool) -> Any:
    """Lines on top of each other in the order of the columns, each as broad as its row says."""
    names = {column: label for column, (label, *_) in columns.items()}
    scale = alt.Scale(domain=list(names.values()), range=[colour for _, colour, _ in columns.values()])
    values = frame[["time"]].join(frame[[*columns]].rename(columns=names).round(3))
    parts = [
        alt.Chart(values[["time", label]].assign(what=label).rename(columns={label: "value"}))
        .mark_line(strokeWidth=width, strokeJoin="round", interpolate="linear")
        .encode(
            x=alt.X("time:T", title=None, axis=_time_axis(frame)),
            y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=zero, nice=True)),
            color=alt.Color("what:N", title=None, scale=scale, sort=None),
        )
        for label, _, width in columns.values()
    ]
    return alt.layer(*parts)


def _time_axis(frame: pd.DataFrame) -> Any:
    """Labels that tell each other apart: hours, days with hours, days."""
    days = (frame["time"].iloc[-1] - frame["time"].iloc[0]).total_seconds() / 86400.0
    if days > 4:
        return alt.Axis(format="%d %b", labelFlush=False, tickCount="day")
    return alt.Axis(format="%H:%M" if days <= 1.5 else "%d %b %H:%M", labelFlush=False)


def _behind(spans: pd.DataFrame, *, legend: bool) -> Any:
    shown = {name: colour for name, colour in STAGES.items() if (spans["stage"] == name).any()}
    colours = alt.Scale(domain=list(shown), range=list(shown.values()))
    key = alt.Legend(title="charge stage") if legend else None
    return (
        alt.Chart(spans)
        .mark_rect(opacity=0.75)
        .encode(x="from:T", x2="to:T", color=alt.Color("stage:N", scale=colours, legend=key))
    )


def _stage_spans(frame: pd.DataFrame) -> pd.DataFrame:
    """Runs of equal charge stage."""
    stage = frame["stage"].astype(int)
    run = (stage != stage.shift()).cumsum()
    spans = (
        frame.assign(stage=stage).groupby(run).agg(**{"from": ("time", "first"), "stage": ("stage", "first")})
    )
    spans["to"] = spans["from"].shift(-1).fillna(frame["time"].iloc[-1])
    spans["stage"] = [Stage(code).name.lower() for code in spans["stage"]]
    return spans
