"""Figures of the LiFePO4 block for docs/physics/battery.md."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from plant.battery import lithium
from validation.batteries import HOUR_S, bath, discharged, hours_to, last, run, terminal_v, voltages

WIDTH, HEIGHT = 460, 260


def loop() -> alt.Chart:
    """Voltage over charge at C/50: down, up, and a partial cycle inside the loop."""
    p, parts = bath("lifepo4"), []
    x, order = lithium.LithiumState(1.0, 1.0, 0.0, 0.0, 25.0), 0
    for name, i_a, to_s in (
        ("discharge", -2.0, 0.03), ("charge", 2.0, 0.98),
        ("partial cycle", -2.0, 0.55), ("partial cycle", 2.0, 0.7),
    ):  # fmt: skip
        if name == "partial cycle" and i_a < 0:
            x = lithium.LithiumState(0.7, 1.0, 0.0, 0.0, 25.0)
        solution = run(p, x, i_a, abs(to_s - x.s) * 50.0 * HOUR_S)
        t = np.linspace(0.0, solution.t[-1], 250)
        states = [lithium.LithiumState(*y) for y in solution.sol(t).T]
        parts.append(
            pd.DataFrame({
                "charge": [100 * s.s for s in states], "voltage": [terminal_v(s, i_a, p) for s in states],
                "way": name, "order": order + np.arange(t.size),
            })
        )  # fmt: skip
        x, order = last(p, solution), order + t.size
    return (
        alt.Chart(pd.concat(parts))
        .mark_line(clip=True)
        .encode(
            x=alt.X("charge:Q", title="charge, %"),
            y=alt.Y("voltage:Q", title="voltage at C/50, V", scale=alt.Scale(domain=[12.4, 13.6])),
            color=alt.Color("way:N", title=None, sort=["charge", "discharge", "partial cycle"]),
            order="order:Q",
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def discharge() -> alt.Chart:
    """Terminal voltage at 33 A at several temperatures."""
    p, parts = bath("lifepo4"), []
    for t_c in (40.0, 25.0, 10.0, 0.0, -10.0, -20.0):
        full = lithium.LithiumState(1.0, 1.0, 0.0, 0.0, t_c)
        t = np.linspace(1.0, hours_to(p, 33.0, 10.0, t_c, full) * HOUR_S, 200)
        volts = voltages(p, discharged(p, 33.0, 10.0, t_c, full), -33.0, t)
        parts.append(pd.DataFrame({"taken": 33.0 * t / HOUR_S, "voltage": volts, "at": f"{t_c:g} °C"}))
    return (
        alt.Chart(pd.concat(parts))
        .mark_line()
        .encode(
            x=alt.X("taken:Q", title="taken at C/3, Ah"),
            y=alt.Y("voltage:Q", title="voltage, V", scale=alt.Scale(zero=False)),
            color=alt.Color("at:N", title=None, scale=alt.Scale(scheme="viridis"),
                            sort=["40 °C", "25 °C", "10 °C", "0 °C", "-10 °C", "-20 °C"]),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )  # fmt: skip


def figures() -> Iterator[tuple[str, alt.Chart]]:
    """File name stem and chart of each."""
    yield "lithium_hysteresis", loop()
    yield "lithium_discharge", discharge()
