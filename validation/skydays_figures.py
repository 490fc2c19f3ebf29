"""Picture of how much of a day's light is diffuse: measured, made, and made before the daily law."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

COLOURS = {"measured": "#30343b", "made": "#d1603d", "made before": "#9aa0a6"}
BEFORE = {  # the beam of each moment by the Heliosat law, same days
    "November to January": (1.00, 0.96, 0.70, 0.46, 0.31, 0.20, 0.14),
    "April to September": (np.nan, 0.98, 0.85, 0.60, 0.44, 0.33, 0.22),
}


def diffuse_by_clearness(
    days: Mapping[str, tuple[np.ndarray, np.ndarray]], measured: Mapping[str, Sequence[float]],
    edges: Sequence[float],
) -> Any:  # fmt: skip
    """Diffuse share of whole days by their clearness, a panel a season.

    Parameters
    ----------
    days : mapping
        Season -> clearness and diffuse share of made days.
    measured : mapping
        Season -> mean share between `edges`.
    edges : (n + 1,) sequence
        Of the clearness.
    """
    lines, bands = [], []
    for season, (clearness, share) in days.items():
        for n, (low, high) in enumerate(pairwise(edges)):
            here = share[(clearness >= low) & (clearness < high)]
            at = {"season": season, "clearness": (low + high) / 2.0}
            lines.append({**at, "of": "measured", "share": measured[season][n]})
            lines.append({**at, "of": "made before", "share": BEFORE[season][n]})
            if here.size > 5:
                lines.append({**at, "of": "made", "share": float(here.mean())})
                bands.append({**at, "low": np.quantile(here, 0.1), "high": np.quantile(here, 0.9)})
    x = alt.X("clearness:Q", title="clearness of the day", scale=alt.Scale(domain=[0.0, 0.8]))
    scale = alt.Scale(domain=list(COLOURS), range=list(COLOURS.values()))
    seen = (
        alt.Chart(pd.DataFrame(lines).dropna())
        .mark_line(point=True)
        .encode(
            x,
            alt.Y("share:Q", title="diffuse share of its light", scale=alt.Scale(domain=[0.0, 1.05])),
            alt.Color("of:N", title=None, scale=scale, sort=None, legend=alt.Legend(orient="top")),
        )
    )
    spread = (
        alt.Chart(pd.DataFrame(bands))
        .mark_area(color=COLOURS["made"], opacity=0.2)
        .encode(x, y="low:Q", y2="high:Q")
    )
    panels = [
        alt.layer(*(part.transform_filter(alt.datum.season == season) for part in (spread, seen)))
        .properties(width=270, height=240, title=season)
        for season in days
    ]  # fmt: skip
    return alt.hconcat(*panels)
