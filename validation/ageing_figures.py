"""Figures of ageing for docs/physics/ageing.md."""

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from plant.battery import ageing
from plant.battery.file import read_block
from plant.battery.wear import Hours

WIDTH, HEIGHT = 460, 260


def typical_day(depth: float, top: float, q_ah: float, t_c: float = 20.0) -> Hours:
    """Eight hours of an evening and night out, six hours of sun back in, the rest at the top."""
    soc = np.full(24, top)
    out, into = np.zeros(24), np.zeros(24)
    soc[:8] = top - depth * np.arange(1, 9) / 8
    soc[8:14] = soc[7] + depth * np.arange(1, 7) / 6
    out[:8], into[8:14] = depth * q_ah / 8, depth * q_ah / 6
    return Hours(into, out, soc, np.full(24, t_c), np.full(24, 13.3), np.zeros(24))


CASES = (
    ("AGM, 30 % a day, full each day", "agm", "weighted_ah", 0.3, 1.0),
    ("AGM, 30 % a day, full once a week", "agm", "weighted_ah", 0.3, 0.85),
    ("AGM, 30 % a day, cycles counted", "agm", "rainflow", 0.3, 1.0),
    ("LiFePO4, 30 % a day", "lifepo4", "naumann", 0.3, 0.95),
    ("LiFePO4, 80 % a day", "lifepo4", "naumann", 0.8, 0.95),
)


def years() -> alt.Chart:
    """Capacity left over years of equal days at 20 °C."""
    parts = []
    for name, model, law, depth, top in CASES:
        block, state, left = read_block(model), ageing.fresh(law), [100.0]
        for day in range(1, 8 * 365 + 1):
            full = top if day % 7 else 1.0
            use = typical_day(depth, full, block.parameters.full_capacity_ah)
            state = ageing.age_one_day(state, use, block.parameters, block.life)
            if day % 30 == 0:
                left.append(100.0 * (1.0 - ageing.loss(state, block.life).q_loss))
        parts.append(pd.DataFrame({"years": np.arange(len(left)) * 30 / 365, "left": left, "case": name}))
    return (
        alt.Chart(pd.concat(parts))
        .mark_line(clip=True)
        .encode(
            x=alt.X("years:Q", title="years at 20 °C", scale=alt.Scale(domain=[0, 8])),
            y=alt.Y("left:Q", title="capacity left, %", scale=alt.Scale(domain=[50, 100])),
            color=alt.Color(
                "case:N", title=None, sort=[case[0] for case in CASES], legend=alt.Legend(labelLimit=260)
            ),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )


def figures() -> Iterator[tuple[str, alt.Chart]]:
    """File name stem and chart of each."""
    yield "ageing_years", years()
