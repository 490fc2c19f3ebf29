"""The array's I-V and P-V curves at a moment of a run, with the point it works at.

Drawn from what the plant was given for that step and from the snapshot at its end; nothing is run again.
"""

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from plant.array.curvetable import strings_at
from plant.array.day import AnyDay, CompositeDay
from plant.array.strings import COUNT, DIM, SIGN, string_current, unpacked
from plant.base.clock import to_local
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.power.converter import Regime
from plant.power.offer import current_at, curve_of
from plant.power.stage import PowerStage
from plant.report.longpicture import WIDTH
from plant.report.picture import styled

HEIGHT = 230
POINTS = 500
WHOLE, PARTS = "#d1603d", "#8d99a6"
DARKER = "#3a3a3a"
REGIMES = {
    Regime.OFF: "off",
    Regime.TRACKING: "tracking",
    Regime.CONSTANT_VOLTAGE: "the battery is held at its voltage",
    Regime.LIMITED: "at the controller's limit",
    Regime.PASSING: "passed through in dim light",
}


def iv_picture_of(plant: Plant) -> Any:
    """The picture of the step a plant has just made."""
    site, seen = plant.site, plant.snapshot
    inputs, k, stage = plant.last_step()
    moment = to_local(plant.t_utc_s, site.location.timezone)
    return iv_picture(
        inputs.array,
        k,
        seen,
        stage,
        f"{site.name}, {moment:%d %b %Y %H:%M}",
    )


def iv_picture(day: AnyDay, k: int, seen: Snapshot, stage: PowerStage, title: str = "") -> Any:
    """I-V and P-V curves of the array at a step of a day.

    Parameters
    ----------
    day : ArrayDay or CompositeDay
    k : int
        The step.
    seen : Snapshot
        The plant at that step's end: its operating point.
    stage : PowerStage
        Whose tracking window is shown.
    title : str
    """
    v_oc, v_mp, p_mp = float(day.v_oc_v[k]), float(day.v_mp_v[k]), float(day.p_mp_w[k])
    whole, parts = iv_curves(day, k)
    marks = pd.DataFrame(
        [
            {"what": "maximum power point", "v": v_mp, "i": p_mp / v_mp if v_mp > 0.0 else 0.0, "p": p_mp},
            {"what": "operating point", "v": seen.v_pv_v, "i": seen.i_pv_a, "p": seen.p_pv_w},
        ]
    )
    window = pd.DataFrame([{"from": seen.v_batt_v + stage.above_v, "to": stage.v_max_v}])
    most_v = max(v_oc, float(parts["v"].max()) if len(parts) else 0.0, seen.v_pv_v, 1.0) * 1.03
    window["to"] = np.minimum(window["to"], most_v)
    window = window[window["from"] < window["to"]]
    if v_oc <= 0.0:
        state = "darkness"
    else:
        works = REGIMES[Regime(int(seen.regime))]
        state = (
            f"{seen.poa_w_m2:.0f} W/m², cells {seen.t_cell_c:.0f} °C, {works}; green: the tracker's window"
        )
    panels = [
        _panel(whole, parts, marks, window, y, name, most_v, last=y == "p")
        for y, name in (("i", "current [A]"), ("p", "power [W]"))
    ]
    stacked = alt.vconcat(*panels, spacing=10, title=alt.TitleParams(title, subtitle=state))
    return styled(stacked, {"symbolStrokeWidth": 2})


def iv_curves(day: AnyDay, k: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The array's own curve, and that of each kind of string in it; columns ``v``, ``i``, ``p``, ``what``."""
    curve, v_oc = curve_of(day, k), float(day.v_oc_v[k])
    volts = np.linspace(0.0, v_oc, POINTS)
    whole = _frame(volts, np.array([current_at(curve, v) for v in volts]), "array")
    if not isinstance(day, CompositeDay) or v_oc <= 0.0:
        return whole, whole.iloc[:0]
    packed = strings_at(day.kinds, day.g_lit_w_m2[:, k], day.g_dim_w_m2[:, k], day.t_kind_c[:, k])
    strings = []
    for number, (kind, row) in enumerate(zip(day.kinds, packed, strict=True), start=1):
        string = unpacked(row)
        volts = np.linspace(0.0, string.v_oc_v if kind[SIGN] > 0 else v_oc, POINTS)
        amps = np.array([kind[SIGN] * string_current(kind[SIGN] * v, string)[0] for v in volts])
        strings.append(_frame(volts, kind[COUNT] * amps, _name(number, kind)))
    return whole, pd.concat(strings)


def _name(number: int, kind: np.ndarray) -> str:
    many = f"{kind[COUNT]:.0f} strings" if kind[COUNT] > 1 else "a string"
    state = ", backwards" if kind[SIGN] < 0 else ", partly shaded" if kind[DIM] > 0 else ""
    return f"{number}: {many}{state}"


def _frame(volts: np.ndarray, amps: np.ndarray, what: str) -> pd.DataFrame:
    return pd.DataFrame({"v": volts, "i": amps, "p": volts * amps, "what": what})


def _panel(
    whole: pd.DataFrame, parts: pd.DataFrame, marks: pd.DataFrame, window: pd.DataFrame, y: str, name: str,
    most_v: float, *, last: bool,
) -> Any:  # fmt: skip
    span = alt.Scale(domain=[0.0, most_v], nice=False)
    x = alt.X("v:Q", scale=span, title="voltage [V]" if last else None)
    top = 1.08 * max(float(whole[y].max()), float(marks[y].max()), 1e-3)
    height = alt.Y(f"{y}:Q", title=name, scale=alt.Scale(domain=[0.0, top], nice=False))
    tracked = alt.Chart(window).mark_rect(color="#e8f0e4").encode(x=alt.X("from:Q", scale=span), x2="to:Q")
    names = list(dict.fromkeys(parts["what"]))
    thin = (
        alt.Chart(parts)
        .mark_line(color=PARTS, strokeWidth=1.0, clip=True)
        .encode(
            x=x,
            y=height,
            strokeDash=alt.StrokeDash("what:N", title="strings", sort=names),
        )
    )
    thick = alt.Chart(whole).mark_line(color=WHOLE, strokeWidth=2.2, clip=True).encode(x=x, y=height)
    shapes = alt.Scale(domain=["maximum power point", "operating point"], range=["diamond", "circle"])
    sizes = alt.Scale(domain=shapes.domain, range=[260, 70])
    fills = alt.Scale(domain=shapes.domain, range=["white", DARKER])
    points = (
        alt.Chart(marks)
        .mark_point(filled=True, opacity=1.0, stroke=DARKER, strokeWidth=1.4)
        .encode(
            x=x,
            y=height,
            shape=alt.Shape("what:N", title=None, scale=shapes),
            size=alt.Size("what:N", title=None, scale=sizes),
            fill=alt.Fill("what:N", title=None, scale=fills),
        )
    )
    layers = [tracked, thin, thick, points] if names else [tracked, thick, points]
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
