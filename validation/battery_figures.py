"""Figures of the lead-acid blocks for docs/physics/battery.md."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from plant.battery import acid
from validation.batteries import HOUR_S, bath, discharged, hours_to, soc_from_soc20, voltages
from validation.battery_tables import OCV, SOC20
from validation.trojan import charge_curve, measured, that_battery

WIDTH, HEIGHT = 460, 260
MODELS = ("agm", "flooded", "gel")
TITLES = {"agm": "AGM", "flooded": "flooded", "gel": "gel"}


def open_circuit() -> alt.Chart:
    """Rested voltage by the data sheet's charge, with the published anchors."""
    grid = np.linspace(0.0, 1.0, 51)
    lines = pd.concat(
        pd.DataFrame({
            "charge": 100 * grid, "battery": TITLES[model],
            "voltage": [acid.emf(soc_from_soc20(s, p), 25.0, p) for s in grid],
        })
        for model, p in ((m, bath(m)) for m in MODELS)
    )  # fmt: skip
    points = pd.concat(
        pd.DataFrame({"charge": 100 * np.array(SOC20), "battery": TITLES[model], "voltage": volts})
        for model, volts in OCV.items()
    )
    x = alt.X("charge:Q", title="charge, % of the 20-hour capacity")
    y = alt.Y("voltage:Q", title="voltage at rest, V", scale=alt.Scale(zero=False))
    base = alt.Chart(lines).mark_line().encode(x=x, y=y, color=alt.Color("battery:N", title=None))
    dots = alt.Chart(points).mark_point(filled=True, size=25).encode(x=x, y=y, color="battery:N")
    return (base + dots).properties(width=WIDTH, height=HEIGHT)


def discharge() -> alt.Chart:
    """Terminal voltage of the AGM block under constant currents."""
    p, parts = bath("agm"), []
    for i_a in (5.2, 10.0, 20.0, 50.0, 100.0):
        t = np.linspace(1.0, hours_to(p, i_a, 10.5) * HOUR_S, 120)
        volts = voltages(p, discharged(p, i_a, 10.5), -i_a, t)
        parts.append(pd.DataFrame({"taken": i_a * t / HOUR_S, "voltage": volts, "current": f"{i_a:g} A"}))
    order = ["5.2 A", "10 A", "20 A", "50 A", "100 A"]
    return (
        alt.Chart(pd.concat(parts))
        .mark_line()
        .encode(
            x=alt.X("taken:Q", title="taken, Ah"),
            y=alt.Y("voltage:Q", title="voltage, V", scale=alt.Scale(zero=False)),
            color=alt.Color("current:N", title=None, sort=order, scale=alt.Scale(scheme="viridis")),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def charge() -> alt.Chart:
    """Charging of the flooded block with antimony plates beside the measured Trojan L-16."""
    parts = []
    for n, curve in measured().items():
        parts.append(
            pd.DataFrame(
                {"returned": curve[:, 0], "voltage": curve[:, 1], "rate": f"C/{n}", "of": "measured"}
            )
        )
        grid = np.linspace(10.0, 125.0, 150)
        parts.append(
            pd.DataFrame(
                {
                    "returned": grid,
                    "voltage": charge_curve(that_battery(), n, grid),
                    "rate": f"C/{n}",
                    "of": "model",
                }
            )
        )
    table = pd.concat(parts)
    base = alt.Chart(table).encode(
        x=alt.X("returned:Q", title="returned, % of the 20-hour capacity"),
        y=alt.Y("voltage:Q", title="voltage, V", scale=alt.Scale(zero=False)),
        color=alt.Color("rate:N", title="line: model, dots: measured", sort=["C/5", "C/10", "C/20", "C/40"]),
    )
    lines = base.transform_filter("datum.of == 'model'").mark_line()
    dots = base.transform_filter("datum.of == 'measured'").mark_point(filled=True, size=22)
    return (lines + dots).properties(width=WIDTH, height=HEIGHT)


def temperature() -> alt.Chart:
    """Capacity at C/20 by temperature; where the acid freezes on the way down the curve breaks."""
    parts, grid = [], (-20.0, -15.0, -10.0, -5.0, 0.0, 10.0, 20.0, 25.0, 30.0, 40.0)
    for model in MODELS:
        p = bath(model)
        i_a = p.c20_ah / 20.0
        at_25 = hours_to(p, i_a, 10.5)
        shares = [100.0 * hours_to(p, i_a, 10.5, t_c) / at_25 for t_c in grid]
        parts.append(pd.DataFrame({"temperature": grid, "capacity": shares, "battery": TITLES[model]}))
    return (
        alt.Chart(pd.concat(parts))
        .mark_line(point=True)
        .encode(
            x=alt.X("temperature:Q", title="temperature, °C"),
            y=alt.Y("capacity:Q", title="capacity at C/20, % of that at 25 °C", scale=alt.Scale(zero=False)),
            color=alt.Color("battery:N", title=None),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def figures() -> Iterator[tuple[str, alt.Chart]]:
    """File name stem and chart of each."""
    yield "battery_ocv", open_circuit()
    yield "battery_discharge", discharge()
    yield "battery_charge", charge()
    yield "battery_temperature", temperature()
