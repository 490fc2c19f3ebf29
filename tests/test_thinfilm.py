"""Thin film among data sheets: known by its technology or its numbers, and how far off the fit is for it."""

import numpy as np
import pytest
from pydantic import ValidationError

from plant.array.datasheet import DataSheet, fit
from plant.array.diode import Module, curve_at, maximum_power, open_circuit_v
from plant.array.module import CEC_COLUMNS, cec_table, find_sheet
from plant.array.thinfilm import ANY, ERRORS
from tests.test_datasheet import SHEET, sheet
from tests.test_module import PAN

# As the table names them; one module in so many.
TECHNOLOGIES = {"cdte": ("CdTe", 1), "cigs": ("CIGS", 1), ANY: ("Thin Film", 8)}
LOW_FILL = {"i_mp_a": 4.0, "v_mp_v": 16.5}


def power_w(m: Module, g_w_m2: float, t_c: float) -> float:
    c = curve_at(g_w_m2, t_c, m, 1.0, 1.0, 0.0)
    _, v, i = maximum_power(c, open_circuit_v(c))
    return v * i


def errors_pct(technology: str, every: int) -> np.ndarray:
    """Of the fit against the table's own parameters, as shares of full sun; (n, 2): in dim light, and warm."""
    table = cec_table()
    names = [name for name in table.columns if table.loc["Technology", name] == technology][::every]
    found = []
    for name in names:
        row = table[name]
        own = Module(*(float(row[column]) for column in CEC_COLUMNS))._replace(
            cells_in_series=float(row["N_s"])
        )
        printed = DataSheet.model_construct(
            i_sc_a=float(row["I_sc_ref"]), v_oc_v=float(row["V_oc_ref"]), i_mp_a=float(row["I_mp_ref"]),
            v_mp_v=float(row["V_mp_ref"]), cells_in_series=int(row["N_s"]), alpha_sc_a_k=float(row["alpha_sc"]),
            beta_voc_v_k=float(row["beta_oc"]),
        )  # fmt: skip
        ours = fit(printed)
        full = power_w(own, 1000.0, 25.0) / power_w(ours, 1000.0, 25.0)
        found.append(
            [
                100.0 * (full * power_w(ours, *at) / power_w(own, *at) - 1.0)
                for at in ((200.0, 25.0), (400.0, 45.0))
            ]
        )
    return np.array(found)


@pytest.mark.parametrize("kind", ERRORS)
def test_the_error_that_is_told_is_that_of_the_table(kind):
    found, told = errors_pct(*TECHNOLOGIES[kind]), ERRORS[kind]
    assert found[:, 0].mean() == pytest.approx(told.dim_mean, abs=0.7)
    assert np.percentile(abs(found[:, 0]), 95) == pytest.approx(told.dim_most, abs=1.5)
    assert np.percentile(abs(found[:, 1]), 95) == pytest.approx(told.warm_most, abs=1.5)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, None), (LOW_FILL, ANY), ({**LOW_FILL, "technology": "c-si"}, None), ({"technology": "cdte"}, "cdte"),
        ({"technology": "cigs"}, "cigs"), ({"technology": "a-si"}, ANY), ({"v_oc_v": 29.5, "v_mp_v": 23.0}, ANY),
    ],
)  # fmt: skip
def test_thin_film_is_known_by_its_technology_or_its_numbers(changes, kind):
    assert sheet(**changes).thin_film == kind


def test_cells_of_thin_film_may_have_more_volts_than_silicon_when_their_technology_is_told():
    tandem = {"v_oc_v": 50.0, "v_mp_v": 39.0}
    with pytest.raises(ValidationError, match=r"silicon gives 0.4 to 0.85 V .*of thin film give technology"):
        DataSheet(**{**SHEET, **tandem})
    assert sheet(**tandem, technology="a-si").thin_film == ANY


def test_a_pvsyst_file_tells_its_technology(tmp_path):
    file = tmp_path / "ex.pan"
    file.write_text(PAN.replace("mtSiMono", "mtCdTe"), encoding="utf-8")
    found = find_sheet(str(file))
    assert found is not None
    assert found.thin_film == "cdte"


def test_a_module_of_the_cec_table_has_no_sheet():
    assert find_sheet("Philadelphia_Solar_PS_M36S_95") is None
    assert find_sheet("zytech_zt155p") is None
