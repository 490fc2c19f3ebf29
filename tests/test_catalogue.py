"""What a site file may name is found by words, shown whole by name, and told to scripts."""

import json
import re

import pytest
import yaml

from plant.array.module import cec_table, find_module
from plant.base import configs
from plant.base.yamlfile import load_yaml
from plant.site.model import load_site
from tests.command import refusal
from tests.test_cli import OPTIONS
from tests.test_module import PAN

KINDS = {
    "modules": "array: {module: NAME}",
    "batteries": "battery: {model: NAME",
    "controllers": "controller: {model: NAME}",
    "sites": "tracertwin run NAME",
}
FILES = [(kind, path.stem) for kind in KINDS for path in sorted((configs.config_dir() / kind).glob("*.yaml"))]


def listed(call, *arguments: str) -> dict[str, dict]:
    """Name -> object of a call with --json."""
    code, out, err = call(*arguments, "--json")
    assert (code, err) == (0, "")
    return {each["name"]: each for each in json.loads(out)[arguments[0]]}


@pytest.mark.parametrize("kind", KINDS)
def test_without_words_every_file_is_listed_with_how_to_name_it(call, kind):
    code, out, err = call(kind)
    assert (code, err) == (0, "")
    for name in (name for each, name in FILES if each == kind):
        assert re.search(rf"^{name}\b", out, re.MULTILINE)
    assert KINDS[kind] in out


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_a_name_shows_the_file_as_it_stands(call, kind, name):
    path = configs.config_dir() / kind / f"{name}.yaml"
    code, out, said = call(kind, name)
    assert code == 0
    assert out == path.read_text(encoding="utf-8")
    assert name in said
    assert listed(call, kind, name)[name]["record"] == load_yaml(path).data


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("modules", "ZYTECH", "155"), {"zytech_zt155p", "Zytech_Solar_ZT155P"}),
        (("modules", "zt155p mono"), {"Zytech_Solar_ZT155P"}),
        (("modules", "Philadelphia", "PS-M36S-9"),
         {"philadelphia_ps_m36s_95", "Philadelphia_Solar_PS_M36S_90", "Philadelphia_Solar_PS_M36S_95"}),
        (("batteries", "LiFePO4"), {"lifepo4"}),
        (("batteries", "vrla"), {"agm", "gel"}),
        (("controllers", "4210"), {"tracer4210n", "tracer4210a"}),
        (("sites", "alps"), {"cabin"}),
    ],
)  # fmt: skip
def test_every_word_must_occur_blind_to_case_and_punctuation(call, arguments, found):
    assert set(listed(call, *arguments)) == found


@pytest.mark.parametrize("text", ["Zytech_Solar_ZT155P", "zytech-solar-zt155p", "Zytech Solar ZT155P"])
def test_a_module_of_the_cec_table_is_shown_as_the_module_file_it_would_be(call, tmp_path, text):
    code, out, said = call("modules", text)
    assert code == 0
    assert "array: {module: Zytech_Solar_ZT155P}" in said
    assert "# P_mp 155 W, V_oc 23.1 V, I_sc 8.94 A, V_mp 18.3 V, I_mp 8.47 A, cells 36" in out
    assert "# gamma_r: -0.4172 %/K" in out
    own = tmp_path / "own.yaml"
    own.write_text(out, encoding="utf-8")
    assert find_module(str(own)) == find_module("Zytech_Solar_ZT155P")
    assert listed(call, "modules", text)["Zytech_Solar_ZT155P"]["record"]["T_NOCT"] == 47.3


def test_what_the_cec_table_lacks_is_left_out(call):
    """1,581 of its modules have no length and width."""
    table = cec_table().T
    name = table.index[table["Length"].isna()][0]
    assert "nan" not in call("modules", name)[1]
    assert listed(call, "modules", name)[name]["record"]["Length"] is None


def test_a_pvsyst_file_is_shown_as_the_module_file_it_means(call, tmp_path):
    (tmp_path / "my roof: 1.PAN").write_text(PAN, encoding="latin-1")
    code, out, _ = call("modules", str(tmp_path / "my roof: 1.PAN"))
    assert code == 0
    assert "# P_mp 550 W, V_oc 49.9 V, I_sc 14.00 A" in out
    (tmp_path / "own.yaml").write_text(out, encoding="utf-8")
    assert find_module(str(tmp_path / "own.yaml")) == find_module(str(tmp_path / "my roof: 1.PAN"))


def test_a_file_of_one_s_own_is_shown_with_what_is_wrong_with_it(call, tmp_path):
    text = (configs.config_dir() / "batteries" / "agm.yaml").read_text(encoding="utf-8")
    line = 1 + text.splitlines().index("cells: 6")
    own = tmp_path / "mine.yaml"
    own.write_text(text.replace("cells: 6", "cells: 6.5"), encoding="utf-8")
    assert refusal(call("batteries", str(own))) == [f"{own}:{line}: cells: must be a whole number, got 6.5"]
    own.write_text(text, encoding="utf-8")
    assert call("batteries", str(own))[1] == text


def test_a_name_of_the_cec_table_is_text_to_yaml_as_it_is_printed():
    """So that it can be pasted after ``module:``, in braces or not."""
    names = list(cec_table().columns)
    pasted = yaml.safe_load("\n".join(f"- {{module: {name}}}" for name in names))
    assert [each["module"] for each in pasted] == names


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sites", "cabbin"), "cabbin: not among the sites: 'cabbin' occurs nowhere (did you mean cabin?)"),
        (("modules", "philadelpia", "95"),
         "philadelpia 95: not among the modules: 'philadelpia' occurs nowhere (did you mean philadelphia?)"),
        (("batteries", "agm", "lifepo4"),
         "agm lifepo4: not among the batteries: each of these words occurs, but nothing has all of them; "
         "leave one out"),
        (("controllers", "qqqq"), "qqqq: not among the controllers: 'qqqq' occurs nowhere"),
        (("modules", "gone.PAN"), "gone.PAN: no such file"),
        (("sites", "not/there.yaml"), "not/there.yaml: no such file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_what_is_not_there_is_wrong_input_with_near_words(call, arguments, said, flags):
    assert refusal(call(*arguments, *flags)) == [said]


def test_a_long_list_is_cut_and_says_how_to_go_on(call):
    code, out, _ = call("modules", "solar")
    more = re.search(r"^([\d,]+) more: further words narrow them down, --all lists them$", out, re.MULTILINE)
    left = int(more[1].replace(",", ""))
    assert code == 0
    assert len(listed(call, "modules", "solar")) == left + 40
    assert len(call("modules", "solar", "--all")[1].splitlines()) > left


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("arguments", [*((kind,) for kind in KINDS), ("modules", "philadelphia")])
def test_no_name_or_figure_is_cut_on_a_narrow_terminal(call, arguments, columns):
    code, out, _ = call(*arguments, columns=columns)
    assert code == 0
    assert "…" not in out
    for name in listed(call, *arguments):
        assert re.search(rf"^{name}(?= |$)", out, re.MULTILINE)


def test_the_figures_of_a_site_are_those_of_its_records(call):
    found = listed(call, "sites", "clinic")["clinic"]
    site = load_site("clinic")
    assert found["battery_ah"] == site.battery.capacity_ah
    assert found["array_w"] == pytest.approx(4 * 155.09, abs=0.5)


def test_the_table_of_verbs_has_each_option():
    assert {kind: OPTIONS[kind] for kind in KINDS} == {
        **dict.fromkeys(KINDS, "--json"),
        "modules": "--json --all",
    }
