"""Modules by name: ours, a file's, the CEC table's; and what is said when there is none."""

import re

import pytest

from plant.array.datasheet import DataSheet, fit
from plant.array.module import find_module
from plant.base import configs
from plant.base.problems import ProblemsError
from plant.site.model import load_site


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("Zytech Solar ZT155P", "Zytech_Solar_ZT155P"), ("zytech-solar-zt155p", "Zytech_Solar_ZT155P"),
     ("Zytech_Solar_ZT155", "Zytech_Solar_ZT155P"), ("zytec_zt155p", "zytech_zt155p"),
     ("Philadelphia Solar PS-M36S-95", "Philadelphia_Solar_PS_M36S_95")],
)  # fmt: skip
def test_a_near_name_is_suggested(asked, meant):
    with pytest.raises(ProblemsError, match=rf"did you mean {meant}\?"):
        find_module(asked)


def test_cells_come_from_the_cec_table():
    assert find_module("Zytech_Solar_ZT155P").cells_in_series == 36.0


PAN = """PVObject_=pvModule
  Version=7.2
  PVObject_Commercial=pvCommercial
    Manufacturer=Example
  End of PVObject pvCommercial
  Technol=mtSiMono
  NCelS=72
  NCelP=2
  Isc=14.000
  Voc=49.90
  Imp=13.110
  Vmp=41.96
  muISC=7.28
  muVocSpec=-128.0
  muPmpReq=-0.340
End of PVObject pvModule
"""


def test_a_pvsyst_file_is_its_data_sheet(tmp_path):
    """Half-cut: 72 cells in series, two such strings in parallel; coefficients in mA/K, mV/K and %/K."""
    (tmp_path / "ex.PAN").write_text(PAN, encoding="latin-1")
    sheet = DataSheet(
        i_sc_a=14.0, v_oc_v=49.9, i_mp_a=13.11, v_mp_v=41.96, cells_in_series=72,
        alpha_sc_a_k=0.00728, beta_voc_v_k=-0.128, gamma_pmp_pct_k=-0.34,
    )  # fmt: skip
    assert find_module(str(tmp_path / "ex.PAN")) == fit(sheet)


def test_a_path_in_a_site_file_is_counted_from_its_folder(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "ex.pan").write_text(PAN, encoding="latin-1")
    text = (configs.config_dir() / "sites" / "cabin.yaml").read_text(encoding="utf-8")
    (tmp_path / "there" / "site.yaml").write_text(
        re.sub(r"module: \S+", "module: ex.pan", text, count=1), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    assert load_site("there/site.yaml").array.parts[0].module_parameters().v_oc_ref == pytest.approx(49.9)


@pytest.mark.parametrize(
    ("change", "words"),
    [(("  Voc=49.90\n", ""), "not a PVsyst module file: Voc missing"),
     (("Isc=14.000", "Isc=13.000"), "must lie below")],
)  # fmt: skip
def test_a_pvsyst_file_that_will_not_do_says_why(change, words, tmp_path):
    (tmp_path / "ex.pan").write_text(PAN.replace(*change), encoding="latin-1")
    with pytest.raises(ProblemsError, match=words):
        find_module(str(tmp_path / "ex.pan"))


def test_a_pvsyst_file_that_is_not_there_says_so():
    with pytest.raises(ProblemsError, match=r"gone\.pan: no such file"):
        find_module("gone.pan")
