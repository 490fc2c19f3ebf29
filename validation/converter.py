"""Conversion efficiency beside the curves that the manuals print."""

from collections.abc import Iterator
from typing import Any

from plant.controller.model import ControllerModel, power_stage
from plant.power.converter import converter_loss_w
from validation.check import Check

TOLERANCE_POINTS = 0.7
LOWEST_W = 100.0  # below, the law and the charts part by up to 1.6 points; the energy there is small
BATTERY_V = 13.0  # a 12 V block while charging: rated power is 13 V times rated current

Line = dict[float, float]  # output power [W] -> efficiency [%]

_N_12_W = (50, 100, 150, 200, 300, 400, 520, 600)
_N_24_W = (50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1040, 1200)
_A_12_W = (50, 100, 150, 200, 250, 300, 350, 400, 450, 500, 550)
_A_24_W = (*range(50, 1001, 50),)

# Controller -> (system voltage, PV voltage) -> line; read from the vector curves of the manuals, +-0.1 points.
CHARTS: dict[str, dict[tuple[int, int], Line]] = {
    "tracer4210n": {
        (12, 17): dict(zip(_N_12_W, (96.68, 97.74, 97.68, 97.42, 96.79, 96.20, 95.39, 94.90), strict=True)),
        (12, 34): dict(zip(_N_12_W, (92.70, 96.17, 96.45, 96.51, 96.18, 96.05, 95.07, 94.47), strict=True)),
        (12, 51): dict(zip(_N_12_W, (88.82, 94.65, 95.46, 95.42, 95.26, 94.91, 94.38, 93.87), strict=True)),
        (24, 34): dict(zip(_N_24_W, (95.17, 96.99, 98.13, 98.30, 98.22, 98.14, 97.94, 97.84, 97.64, 97.48, 97.21,
                                     96.98), strict=True)),
        (24, 51): dict(zip(_N_24_W, (91.44, 94.59, 97.17, 97.47, 97.61, 97.63, 97.53, 97.38, 97.23, 97.10, 96.81,
                                     96.60), strict=True)),
        (24, 68): dict(zip(_N_24_W, (88.74, 93.00, 96.21, 96.75, 97.05, 97.04, 97.05, 96.92, 96.84, 96.67, 96.37,
                                     96.29), strict=True)),
    },
    "tracer4210a": {
        (12, 17): dict(zip(_A_12_W, (96.52, 97.32, 97.20, 97.09, 96.90, 96.60, 96.32, 96.02, 95.82, 95.60, 95.34),
                           strict=True)),
        (12, 34): dict(zip(_A_12_W, (93.66, 96.13, 96.62, 96.26, 96.16, 95.95, 95.76, 95.56, 95.23, 95.17, 95.00),
                           strict=True)),
        (12, 68): dict(zip(_A_12_W, (87.88, 92.77, 94.02, 94.64, 95.09, 95.08, 95.07, 94.86, 94.31, 93.99, 93.78),
                           strict=True)),
        (24, 34): dict(zip(_A_24_W, (94.67, 96.99, 97.59, 97.95, 98.02, 98.11, 98.06, 98.01, 97.94, 97.87, 97.84,
                                     97.79, 97.71, 97.65, 97.44, 97.33, 97.29, 97.21, 97.14, 97.08), strict=True)),
        (24, 68): dict(zip(_A_24_W, (87.97, 94.05, 95.05, 96.08, 96.56, 96.86, 96.89, 97.02, 97.11, 97.08, 97.05,
                                     97.05, 97.02, 97.03, 96.95, 96.75, 96.71, 96.65, 96.63, 96.55), strict=True)),
    },
}  # fmt: skip
MANUALS = {"tracer4210n": "TRIRON N manual V1.2", "tracer4210a": "Tracer-A manual V1.0"}


def efficiency_percent(model: str, system_v: int, v_pv_v: float, p_out_w: float) -> float:
    """Efficiency [%] of a controller at an output power, battery at 13 V a block.

    The controller's own consumption is left out: the charts are fitted without it, so what of it they hold is part
    of the fitted loss.
    """
    stage = power_stage(ControllerModel.load(model), system_v)
    current = p_out_w / (BATTERY_V * system_v / 12)
    return 100.0 * p_out_w / (p_out_w + float(converter_loss_w(float(v_pv_v), current, stage)))


def judged(model: str, system_v: int, line: Line) -> Line:
    """The part of a chart's line that is held to the tolerance: 100 W to rated power."""
    rated = power_stage(ControllerModel.load(model), system_v).p_max_w
    return {p: percent for p, percent in line.items() if LOWEST_W <= p <= rated}


def checks() -> Iterator[Check]:
    """The worst point of every line, and the best efficiency of each controller."""
    for model, chart in CHARTS.items():
        best_of_law, best_of_chart = 0.0, 0.0
        for (system_v, v_pv), line in chart.items():
            held = judged(model, system_v, line)
            law = {p: efficiency_percent(model, system_v, v_pv, p) for p in held}
            worst = max(held, key=lambda p, law=law, held=held: abs(law[p] - held[p]))  # type: ignore[misc]
            best_of_law, best_of_chart = max(best_of_law, *law.values()), max(best_of_chart, *held.values())
            yield Check(
                what=f"{model} {system_v} V from {v_pv} V: worst efficiency, at {worst:g} W",
                value=law[worst], reference=held[worst], tolerance=TOLERANCE_POINTS, unit="%",
                source=MANUALS[model], note=f"{len(held)} points",
            )  # fmt: skip
        yield Check(
            what=f"{model}: best efficiency", value=best_of_law, reference=best_of_chart, tolerance=0.3,
            unit="%", source=MANUALS[model],
        )  # fmt: skip


def figures() -> Iterator[tuple[str, Any]]:
    """Each controller at each system voltage: the law as lines over the chart's points."""
    import altair as alt
    import pandas as pd

    rows = []
    for model, chart in CHARTS.items():
        for (system_v, v_pv), line in chart.items():
            about = {"panel": f"{model}, {system_v} V", "pv": f"{v_pv} V"}
            rows += [about | {"power": p, "chart": percent} for p, percent in line.items()]
            fine = range(40, int(max(line)) + 1, 5)
            rows += [about | {"power": p, "law": efficiency_percent(model, system_v, v_pv, p)} for p in fine]
    frame = pd.DataFrame(rows)
    colours = {"17 V": "#f2b134", "34 V": "#d1603d", "51 V": "#7a4e9e", "68 V": "#3a6ea5"}
    base = alt.Chart(frame).encode(
        x=alt.X("power:Q", title="output power [W]", axis=alt.Axis(tickCount=6)),
        color=alt.Color(
            "pv:N",
            title="from the array at",
            scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        ),
    )
    y = alt.Scale(domain=[87, 99], zero=False)
    law = (
        base.transform_filter("isValid(datum.law)")
        .mark_line(clip=True, strokeWidth=1.5)
        .encode(y=alt.Y("law:Q", title="efficiency [%]", scale=y))
    )
    points = (
        base.transform_filter("isValid(datum.chart)")
        .mark_point(filled=True, size=28, opacity=0.9)
        .encode(y=alt.Y("chart:Q", scale=y))
    )
    panels = alt.layer(law, points).properties(width=330, height=210)
    yield (
        "converter_efficiency",
        panels.facet(facet=alt.Facet("panel:N", title=None, sort=None), columns=2).resolve_scale(
            x="independent"
        ),
    )
