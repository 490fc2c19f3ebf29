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


FORMS = {
    "comma for the decimal point": PAN.replace("14.000", "14,000").replace("-128.0", "-128,0"),
    "keys in another case": PAN.replace("Isc=", "ISC=").replace("muISC", "MuISC"),
    "spaces around the sign": PAN.replace("=", " = "),
    "no nesting": "\n".join(line.strip() for line in PAN.splitlines()),
    "tabs": PAN.replace("  ", "\t"),
    "Impp and Vmpp": PAN.replace("Imp=", "Impp=").replace("Vmp=", "Vmpp="),
    "cells of both halves counted": PAN.replace("NCelS=72", "NCelS=144"),
    "line ends of Windows": PAN.replace("\n", "\r\n"),
    "version 6": PAN.replace("Version=7.2", "Version=6.85"),
    "bifacial": PAN.replace("  Technol", "  BifacialityFactor=0.7\n  NDiode=3\n  Technol"),
    "sections after it": PAN.replace(
        "End of PVObject pvModule",
        "  PVObject_IAM=pvIAM\n    Flags=$00\n    IAMProfile=TCubicProfile\n      Point_1=0.0,1.00000\n"
        "    End of TCubicProfile\n  End of PVObject pvIAM\nEnd of PVObject pvModule",
    ),
    "the conditions of a data sheet": PAN.replace("  Technol", "  GRef=1000\n  TRef=25.0\n  Technol"),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_pvsyst_file_may_be_written_in_other_ways(form, tmp_path):
    for name, text in (("a.PAN", PAN), ("b.PAN", FORMS[form])):
        (tmp_path / name).write_text(text, encoding="latin-1", newline="")
    assert find_module(str(tmp_path / "a.PAN")) == find_module(str(tmp_path / "b.PAN"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_pvsyst_file_may_be_in_any_encoding(encoding, tmp_path):
    (tmp_path / "ex.PAN").write_bytes(PAN.replace("Example", "Müller Söhne").encode(encoding))
    assert find_module(str(tmp_path / "ex.PAN")).v_oc_ref == pytest.approx(49.9)


@pytest.mark.parametrize(
    ("change", "words"),
    [(("  Voc=49.90\n", ""), "ex.pan: Voc: missing"),
     (("  muVocSpec=-128.0\n", ""),
      "ex.pan: muVocSpec: missing: the temperature coefficient of V_oc [mV/K]; add it from the data sheet"),
     (("Isc=14.000", "Isc=13.000"), "Imp 13.11 A must lie below Isc 13 A"),
     (("Isc=14.000", "Isc=14 A"), "ex.pan:9: Isc: must be a number, got '14 A'"),
     (("Isc=14.000", "Isc=nan"), "ex.pan:9: Isc: must be a number, got 'nan'"),
     (("NCelS=72", "NCelS=72.5"), "NCelS: "),
     (("  Technol", "  GRef=800\n  Technol"), "ex.pan:6: GRef: must be 1000, where data sheets are printed, got 800"),
     (("pvModule", "pvGInverter"), "ex.pan:1: not a PVsyst module file: it is of a pvGInverter"),
     ((PAN, ""), "not a PVsyst module file: no line PVObject_=pvModule"),
     ((PAN, "\1\2ISOFOTON\3"), "PVsyst before version 6 wrote another form"),
     (("muVocSpec=-128.0\n  muPmpReq=-0.340", "muVocSpec=-300.0\n  muPmpReq=-0.1"),
      "muPmpReq -0.1 and muVocSpec contradict each other"),
     (("muVocSpec=-128.0", "muVocSpec=-0.128"),
      "ex.pan:14: muVocSpec: -0.128 mV/K, -0.000257 %/K, is not plausible; usual values are -0.25 to -0.4 %/K. "
      "Is it in V/K? Then muVocSpec is -128"),
     (("muVocSpec=-128.0", "muVocSpec=-0.257"), "Is it in %/K? Then muVocSpec is -128.2"),
     (("muISC=7.28", "muISC=0.00728"),
      "muISC: 0.00728 mA/K, 5.2e-05 %/K, is not plausible; usual values are 0.02 to 0.12 %/K. "
      "Is it in A/K? Then muISC is 7.28"),
     (("muPmpReq=-0.340", "muPmpReq=-0.0034"),
      "muPmpReq: -0.0034 %/K is not plausible; usual values are -0.25 to -0.5 %/K. Is it per K, not in percent? "
      "Then muPmpReq is -0.34")],
)  # fmt: skip
def test_a_pvsyst_file_that_will_not_do_says_why_in_its_own_names(change, words, tmp_path):
    (tmp_path / "ex.pan").write_text(PAN.replace(*change), encoding="latin-1")
    with pytest.raises(ProblemsError) as refused:
        find_module(str(tmp_path / "ex.pan"))
    assert words in str(refused.value)
    assert not re.search(r"Error|i_sc|v_oc\b|beta|gamma", str(refused.value))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.8])
def test_a_pvsyst_file_that_is_cut_off_says_what_is_missing(share, tmp_path):
    (tmp_path / "ex.pan").write_text(PAN[: int(share * len(PAN))], encoding="latin-1")
    with pytest.raises(ProblemsError, match=r"missing|no line PVObject_"):
        find_module(str(tmp_path / "ex.pan"))


def test_a_pvsyst_file_that_is_not_there_says_so():
    with pytest.raises(ProblemsError, match=r"gone\.pan: no such file"):
        find_module("gone.pan")
