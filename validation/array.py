"""The array beside published values: module curves, darkness, shade, reflection, temperature, data sheets."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pvlib

from plant.array.curvetable import NODES, TableRow, current_at, strings_at, tabulate
from plant.array.datasheet import DataSheet, fit, gap_of, module_at
from plant.array.diode import GAP_EV, Module, curve_at, maximum_power, open_circuit_v
from plant.array.model import FAIMAN_U0, FAIMAN_U1, beam_iam
from plant.array.module import find_module
from plant.array.strings import CABLE_OHM, COUNT, DIM, GROUPS, KIND_COLUMNS, LIT, MODULE, SIGN
from validation.check import Check
from validation.matrices import Matrix, matrices

# G [W/m2], T [degC] -> I_sc, V_oc, V_mp, P_mp of the Zytech ZT155P, by pvlib 0.16.1 apart from this code.
ZT155P = {
    (1000, 25): (9.0294, 23.100, 18.310, 155.086),
    (800, 45): (7.3089, 21.314, 16.871, 114.895),
    (500, 25): (4.5171, 22.457, 18.629, 79.250),
    (200, 25): (1.8074, 21.606, 18.384, 31.330),
    (100, 25): (0.9038, 20.963, 17.961, 15.300),
    (1000, 60): (9.2128, 20.354, 15.531, 131.943),
    (1000, -10): (8.8460, 25.812, 21.134, 177.470),
}
MATRICES = "NREL mPERT, IEC 61853-1 matrix; two constants of the fit were chosen on these eight"
# V_oc [V] at 25 degC, the shunt capped at 20 times its reference, as a table has it that this project started from.
DARKNESS = {0.01: 0.41, 0.05: 2.07, 0.1: 4.15, 0.3: 12.25, 1.0: 16.72}
REFLECTION = {0.0: 1.0, 40.0: 0.9930, 60.0: 0.9460, 75.0: 0.7741}  # `iam.physical`
TAKEN = {"ours": "#d1603d", "De Soto": "#8d99a6"}


def checks() -> Iterator[Check]:
    """What was computed; then the measured modules, as far as they can be had."""
    yield from computed_checks()
    yield from measured_checks()


def computed_checks() -> Iterator[Check]:
    """What needs no network."""
    yield from _module_curves()
    yield from _darkness()
    yield from _shade()
    yield from _reflection()
    steady = 25.0 + 1000.0 / (FAIMAN_U0 + FAIMAN_U1)
    yield Check(
        what="cell at 1000 W/m2, 25 degC, 1 m/s: Faiman", value=steady, reference=56.41, tolerance=0.005, unit="degC",
        source="pvlib.temperature.faiman",
    )  # fmt: skip


def measured_checks() -> Iterator[Check]:
    """Eight modules by data sheet against their measured matrices; fetches these.

    Raises
    ------
    MissingEvidence
        Without a network, when they were never fetched.
    """
    for matrix in matrices():
        ours, plain = errors(matrix, by_sheet(matrix)), errors(matrix, de_soto(matrix))
        bright, dim = matrix.points["g"] >= 400, matrix.points["g"] <= 200
        yield Check(
            what=f"{matrix.name}: power by data sheet, 400 W/m2 and up, rms", value=_rms(ours[bright]), reference=0.0,
            tolerance=3.0, unit="%", source=MATRICES,
            note=f"De Soto's five parameters: {_rms(plain[bright]):.2f} %",
        )  # fmt: skip
        yield Check(
            what=f"{matrix.name}: power by data sheet, 100 and 200 W/m2, mean", value=float(ours[dim].mean()),
            reference=0.0, tolerance=7.5, unit="%", source=MATRICES,
            note=f"De Soto's five parameters: {float(plain[dim].mean()):+.1f} %",
        )  # fmt: skip


def figures() -> Iterator[tuple[str, alt.Chart]]:
    """Curves that need no network; then errors of the data-sheet fit over irradiance."""
    yield "array-shade", _shade_figure()
    yield "array-darkness", _darkness_figure()
    yield "array-datasheet", _sheet_figure()


def _summary(m: Module, g: float, t: float) -> tuple[float, float, float, float]:
    c = curve_at(float(g), float(t), m, 1.0, 1.0, 0.0)
    v_oc = open_circuit_v(c)
    _, v, i = maximum_power(c, v_oc)
    i_sc = c.i_l_a / (1.0 + c.r_s_ohm / c.r_sh_ohm)  # the diode carries nothing there
    return i_sc, v_oc, v, v * i


def _module_curves() -> Iterator[Check]:
    m = find_module("zytech_zt155p")
    for (g, t), published in ZT155P.items():
        rows = zip(
            ("I_sc", "V_oc", "V_mp", "P_mp"), ("A", "V", "V", "W"), _summary(m, g, t), published, strict=True
        )
        for name, unit, value, reference in rows:
            yield Check(
                what=f"ZT155P at {g} W/m2, {t} degC: {name}", value=value, reference=reference,
                tolerance=1e-3 * reference, unit=unit, source="pvlib calcparams_cec, singlediode",
            )  # fmt: skip


def _darkness() -> Iterator[Check]:
    m = find_module("zytech_zt155p")
    for g, printed in DARKNESS.items():
        i_l, i_0, r_s, r_sh, a_v = pvlib.pvsystem.calcparams_cec(
            g, 25.0, m.alpha_sc, m.a_ref, m.i_l_ref, m.i_o_ref, m.r_sh_ref, m.r_s, m.adjust
        )
        theirs = pvlib.pvsystem.singlediode(i_l, i_0, r_s, min(r_sh, 20.0 * m.r_sh_ref), a_v)["v_oc"]
        yield Check(
            what=f"ZT155P at {g:g} W/m2: V_oc", value=_summary(m, g, 25.0)[1], reference=float(theirs), tolerance=1e-4,
            unit="V", source="pvlib calcparams_cec, singlediode, shunt capped",
            note=f"expected first: {printed:g} V" + (", which pvlib does not give" if g > 0.2 else ""),
        )  # fmt: skip


def half_shaded() -> tuple[TableRow, float, float]:
    """A ZT155P as 2 x 18 cells, 1000 and 300 W/m2, 50 degC: its curve, and voltage and power of the highest peak."""
    kinds = np.zeros((1, KIND_COLUMNS))
    for column, value in ((COUNT, 1), (LIT, 1), (DIM, 1), (GROUPS, 2), (CABLE_OHM, 0), (SIGN, 1)):
        kinds[0, column] = value
    kinds[0, MODULE:] = find_module("zytech_zt155p")
    strings = strings_at(kinds, np.array([1000.0]), np.array([300.0]), np.array([50.0]))
    row = TableRow(np.empty(NODES), np.empty(NODES), np.empty(NODES))
    n, _, v_mp, p_mp = tabulate(strings, kinds, row)
    return TableRow(*(column[:n] for column in row)), v_mp, p_mp


def _shade() -> Iterator[Check]:
    row, v_mp, p_mp = half_shaded()
    v = np.arange(12.0, 20.0, 0.002)
    p = v * np.array([current_at(row, one) for one in v])
    rows = (
        ("highest peak, power", p_mp, 65.07, "W"), ("highest peak, voltage", v_mp, 7.70, "V"),
        ("other peak, power", float(p.max()), 47.53, "W"), ("other peak, voltage", float(v[p.argmax()]), 17.92, "V"),
    )  # fmt: skip
    for name, value, reference, unit in rows:
        yield Check(
            what=f"ZT155P half in shade: {name}", value=value, reference=reference, tolerance=0.006, unit=unit,
            source="pvlib v_from_i",
        )  # fmt: skip


def _reflection() -> Iterator[Check]:
    for angle, reference in REFLECTION.items():
        yield Check(
            what=f"beam at {angle:g} deg: share that enters", value=float(beam_iam(np.array([angle]))[0]),
            reference=reference, tolerance=5e-5, source="pvlib iam.physical",
        )  # fmt: skip


# --- data sheets ---


def by_sheet(matrix: Matrix) -> Module:
    """What our fit makes of what a data sheet prints."""
    at = matrix.stc
    return fit(
        DataSheet(
            i_sc_a=float(at["i_sc"]), v_oc_v=float(at["v_oc"]), i_mp_a=float(at["i_mp"]), v_mp_v=float(at["v_mp"]),
            cells_in_series=matrix.cells, alpha_sc_pct_k=matrix.alpha_sc, beta_voc_pct_k=matrix.beta_oc,
        )
    )  # fmt: skip


def de_soto(matrix: Matrix) -> Module:
    """De Soto's five parameters: silicon's gap, a shunt that fades with all of the light, ideality from beta_oc.

    pvlib's `fit_desoto` converges on none of the eight; this is the same system, solved through our fit's three linear
    equations: the ideality at which silicon's own gap gives the sheet's coefficient.
    """
    from scipy.optimize import brentq

    at = matrix.stc
    sheet = DataSheet(
        i_sc_a=float(at["i_sc"]), v_oc_v=float(at["v_oc"]), i_mp_a=float(at["i_mp"]), v_mp_v=float(at["v_mp"]),
        cells_in_series=matrix.cells, alpha_sc_pct_k=matrix.alpha_sc, beta_voc_pct_k=matrix.beta_oc,
    )  # fmt: skip
    ideality = brentq(lambda n: gap_of(sheet, module_at(sheet, n, 0.0)) - GAP_EV, 0.75, 1.15)
    return module_at(sheet, ideality, 0.0)


def errors(matrix: Matrix, m: Module) -> np.ndarray:
    """Power of the model over the measured one, less 1 [%], at each point of the matrix; by pvlib's solver."""
    curves = [curve_at(float(g), float(t), m, 1.0, 1.0, 0.0) for g, t in matrix.points[["g", "t"]].to_numpy()]
    i_l, i_0, a_v, r_s, r_sh = np.array(curves).T
    theirs = pvlib.pvsystem.singlediode(i_l, i_0, r_s, r_sh, a_v)["p_mp"]
    return np.asarray(100.0 * (np.asarray(theirs) / matrix.points["p_mp"].to_numpy() - 1.0))


def _rms(percents: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(percents))))


# --- figures ---


@lru_cache(maxsize=1)
def _style() -> dict[str, Any]:
    return {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "gridColor": "#e4e4e4"}


def _shade_figure() -> alt.Chart:
    row, _, _ = half_shaded()
    v = np.linspace(0.0, float(row.v_v[-1]), 600)
    i = np.array([current_at(row, one) for one in v])
    frame = pd.DataFrame({"v": v, "p": v * i, "i": i})
    peaks = pd.DataFrame({"v": [7.70, 17.92], "p": [65.07, 47.53]})
    x = alt.X("v:Q", title="voltage [V]", scale=alt.Scale(domain=[0, 21.5], nice=False))
    power = (
        alt.Chart(frame)
        .mark_line(color="#d1603d", strokeWidth=2)
        .encode(x=x, y=alt.Y("p:Q", title="power [W]"))
    )
    marks = (
        alt.Chart(peaks)
        .mark_point(shape="diamond", size=110, color="#3a3a3a", filled=False, strokeWidth=1.5)
        .encode(x=x, y=alt.Y("p:Q", title="power [W]"))
    )
    current = (
        alt.Chart(frame)
        .mark_line(color="#3a6ea5", strokeWidth=2)
        .encode(x=x, y=alt.Y("i:Q", title="current [A]"))
    )
    panels = [
        chart.properties(width=620, height=height) for chart, height in ((current, 130), (power + marks, 200))
    ]
    title = "ZT155P, half in shade (300 W/m², 1000); diamonds: published peaks"
    return (
        alt.vconcat(*panels, spacing=10, title=title)
        .configure_axis(**_style())
        .configure_title(anchor="start")
    )


def _darkness_figure() -> alt.Chart:
    m = find_module("zytech_zt155p")
    light = np.geomspace(0.005, 100.0, 150)
    capped = [_summary(m, g, 25.0)[1] for g in light]
    i_l, i_0, r_s, r_sh, a_v = pvlib.pvsystem.calcparams_cec(
        light, 25.0, m.alpha_sc, m.a_ref, m.i_l_ref, m.i_o_ref, m.r_sh_ref, m.r_s, m.adjust
    )
    plain = pvlib.pvsystem.singlediode(i_l, i_0, r_s, r_sh, a_v)["v_oc"]
    frame = pd.concat(
        [
            pd.DataFrame({"g": light, "v": capped, "shunt": "capped at 20 times its reference"}),
            pd.DataFrame({"g": light, "v": np.asarray(plain), "shunt": "as 1 / light (CEC)"}),
        ]
    )
    colours = alt.Scale(domain=list(frame["shunt"].unique()), range=list(TAKEN.values()))
    lines = (
        alt.Chart(frame)
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("g:Q", title="light [W/m²]", scale=alt.Scale(type="log", domain=[0.005, 100])),
            y=alt.Y("v:Q", title="open-circuit voltage [V]"),
            color=alt.Color("shunt:N", title="shunt", scale=colours, legend=alt.Legend(labelLimit=300)),
        )
    )
    night = (
        alt.Chart(pd.DataFrame({"v": [5.0], "what": ["night below"]}))
        .mark_rule(strokeDash=[4, 4])
        .encode(y="v:Q")
    )
    title = "ZT155P in the dark; dashed: below this the controller sees night"
    return (
        (lines + night).properties(width=620, height=230, title=title)
        .configure_axis(**_style()).configure_title(anchor="start")
    )  # fmt: skip


def _sheet_figure() -> alt.Chart:
    frames = []
    for matrix in matrices():
        for model, m in (("ours", by_sheet(matrix)), ("De Soto", de_soto(matrix))):
            points = matrix.points[["g", "t"]].assign(
                error=errors(matrix, m), model=model, module=matrix.name
            )
            frames.append(points[points["t"] == 25])
    frame = pd.concat(frames)
    colours = alt.Scale(domain=list(TAKEN), range=list(TAKEN.values()))
    lines = (
        alt.Chart(frame)
        .mark_line(point=alt.OverlayMarkDef(size=25), strokeWidth=1.4)
        .encode(
            x=alt.X("g:Q", title="light [W/m²]"),
            y=alt.Y("error:Q", title="power, off by [%]"),
            color=alt.Color("model:N", title="by data sheet", scale=colours),
        )
        .properties(width=150, height=120)
    )
    title = "Power by data sheet against measured matrices, 25 °C"
    return (
        lines.facet(alt.Facet("module:N", title=None, sort=None), columns=4, title=title)
        .configure_axis(**_style()).configure_title(anchor="start")
    )  # fmt: skip
