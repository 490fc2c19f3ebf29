"""Pictures of the plant as a whole: a week by both fidelities, and a noon at which the battery's fuse blows."""

from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd

from plant.base.clock import DAY_S
from plant.plant import Plant
from plant.remembered import Fidelity
from plant.report.picture import styled
from plant.report.trace import Trace
from plant.site.model import load_site

WIDTH, HEIGHT = 820, 170
WEEK_SITE, WEEK_START_UTC_S = "schoolhouse", 1_796_338_800  # 2026-12-04 00:00 in Madrid: a dull week
NOON_UTC_S = 1_771_585_200  # 2026-02-20 12:00 in Zurich: the cabin's own day
BEFORE_S, BROKEN_S, SHOWN_S = 600, 1200, 2700
RUNS: dict[str, tuple[Fidelity, int | None, int]] = {
    "detailed, 5 s": ("detailed", None, 600),
    "sizing, 1 min": ("sizing", 60, 600),
    "sizing, 1 h": ("sizing", 3600, 3600),
}
COLOURS = ["#c3c8ce", "#3a6ea5", "#d1603d"]
WIDTHS = [4.5, 1.2, 1.2]  # the detailed run lies under the others


def figures() -> Iterator[tuple[str, Any]]:
    """Name and picture."""
    yield "fidelity_week", _week()
    yield "upset_battery_disconnected", _fuse()


def _week() -> Any:
    """Charge and voltage of one week, and the energy that the runs moved."""
    frames = []
    for name, (fidelity, step_s, sample_s) in RUNS.items():
        plant = Plant.new(load_site(WEEK_SITE), 1, WEEK_START_UTC_S, fidelity, step_s)
        frame = Trace(plant.run(7 * DAY_S, sample_s), plant.site.location.timezone).frame()
        frames.append(
            pd.DataFrame(
                {
                    "time": frame["time"],
                    "soc": (100.0 * frame["soc"]).round(2),
                    "v": frame["v_batt_v"].round(3),
                    "run": name,
                }
            )
        )
    data = pd.concat(frames)
    panels = [
        _lines(data, "soc", "state of charge [%]", "run", list(RUNS), COLOURS, "%d %b", WIDTHS),
        _lines(data, "v", "battery [V]", "run", list(RUNS), COLOURS, "%d %b", WIDTHS),
    ]
    return _framed(panels, "the schoolhouse in December")


def _fuse() -> Any:
    """What the controller sees when the battery is gone at noon and comes back."""
    plant = Plant.new(load_site("cabin"), 27, NOON_UTC_S - BEFORE_S)
    parts = [plant.run(BEFORE_S, 5)]
    number = plant.upset("battery_disconnected")
    parts.append(plant.run(BROKEN_S, 5))
    plant.mend(number)
    parts.append(plant.run(SHOWN_S - BEFORE_S - BROKEN_S, 5))
    frame = pd.concat([Trace(rows, plant.site.location.timezone).frame() for rows in parts])
    volts = {"v_batt_v": "at the controller", "v_cells_v": "of the battery"}
    watts = {"p_mp_w": "available PV", "p_pv_w": "used", "p_load_w": "load"}
    panels = [
        _lines(
            _long(frame, volts), "value", "voltage [V]", "what", list(volts.values()),
            ["#30343b", "#3a6ea5"], "%H:%M",
        ),
        _lines(
            _long(frame, watts), "value", "power [W]", "what", list(watts.values()),
            ["#f2b134", "#d1603d", "#3a6ea5"], "%H:%M",
        ),
    ]  # fmt: skip
    return _framed(panels, "the cabin at noon; its battery is gone from 12:00 to 12:20")


def _long(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    long = frame[["time", *names]].rename(columns=names).melt("time", var_name="what", value_name="value")
    return long.assign(value=long["value"].round(3))


def _lines(
    data: pd.DataFrame, column: str, title: str, by: str, names: list[str], colours: list[str], times: str,
    widths: list[float] | None = None,
) -> Any:  # fmt: skip
    """Lines over time."""
    ticks: Any = "day" if "%d" in times else 10
    scale = alt.Scale(domain=names, range=colours)
    layers = [
        alt.Chart(data[data[by] == name])
        .mark_line(strokeWidth=width)
        .encode(
            x=alt.X("time:T", title=None, axis=alt.Axis(format=times, tickCount=ticks)),
            y=alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False)),
            color=alt.Color(f"{by}:N", title=None, scale=scale, sort=None),
        )
        for name, width in zip(names, widths or [1.4] * len(names), strict=True)
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _framed(panels: list[Any], title: str) -> Any:
    stacked = alt.vconcat(*panels, spacing=14, title=title).resolve_scale(color="independent")
    return styled(stacked, {"symbolStrokeWidth": 3}, {"fontSize": 13})
