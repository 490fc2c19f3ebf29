"""The mutation score's machinery: a sample of defects is found by the scenarios that they name, and the list is whole.

All of them: ``make mutants``, some ten minutes.
"""

from pathlib import Path

import pytest

from plant.base.configs import config_dir
from tests.mutants.page import PAGE, current, names_of
from tests.mutants.planting import ROOT, Defect, Killed, copied, defects, killed, planted

DEFECTS = {one.name: one for one in defects()}
SAMPLE = {  # one of each kind, none of which takes more than a few seconds
    "boost of sealed is 14.2 V": "charge_cycles/factory_settings",
    "compensation counts five cells": "iec62509/03_compensation_00c",
    "four retries": "iec62509/12_short",
    "0x9007 in tenths of a volt": "charge_cycles/factory_settings",
    "crc leaves the check sum right": "line/wrong_crc",
}


@pytest.fixture(scope="module")
def folder():
    with copied() as place:
        yield place


@pytest.mark.parametrize("name", SAMPLE)
def test_a_planted_defect_is_found_by_the_scenario_that_it_names(name, folder):
    found = killed(DEFECTS[name], folder, plain=True)
    assert found.by == (SAMPLE[name],)
    assert found.expectation


def test_a_change_that_is_no_defect_is_found_by_none(folder):
    """And the copy is as it was before."""
    harmless = Defect(
        "a comment", "plant/controller/clock.py", "EQUALIZE_DAY = 28  #", "EQUALIZE_DAY = 28  # and", ()
    )
    before = (folder / harmless.file).read_bytes()
    only = folder / "config" / "scenarios"  # of which one is left
    kept = only / "charge_cycles" / "factory_settings.yaml"
    moved = folder / "all_scenarios"
    only.rename(moved)
    try:
        kept.parent.mkdir(parents=True)
        kept.write_bytes((moved / "charge_cycles" / kept.name).read_bytes())
        assert killed(harmless, folder, plain=True) == Killed(harmless, (), "")
    finally:
        kept.unlink()
        kept.parent.rmdir()
        only.rmdir()
        moved.rename(only)
    assert (folder / harmless.file).read_bytes() == before


def test_there_are_at_least_forty_defects_each_with_a_name_of_its_own():
    assert len(DEFECTS) == len(defects()) >= 40


@pytest.mark.parametrize("defect", defects(), ids=lambda one: one.name)
def test_the_text_of_a_defect_stands_once_in_its_file(defect):
    text = (ROOT / defect.file).read_text(encoding="utf-8")
    assert text.count(defect.old) == 1
    assert defect.new != defect.old


@pytest.mark.parametrize("defect", defects(), ids=lambda one: one.name)
def test_the_scenarios_that_a_defect_names_are_shipped(defect):
    missing = [one for one in defect.tried if not (config_dir() / "scenarios" / f"{one}.yaml").is_file()]
    assert defect.tried
    assert missing == []


def test_a_text_that_is_not_there_is_told(tmp_path):
    (tmp_path / "a.py").write_text("b = 1")
    with pytest.raises(ValueError, match="has its text 0 times"):
        planted(Defect("c", "a.py", "d = 2", "d = 3", ()), tmp_path)


def test_the_page_lists_every_defect():
    assert names_of(PAGE.read_text(encoding="utf-8")) == list(DEFECTS)


def test_a_row_of_the_page_is_replaced_and_the_others_stay():
    name = next(iter(DEFECTS))
    page = PAGE.read_text(encoding="utf-8")
    changed = current(page, {name: Killed(DEFECTS[name], (), "")})
    assert names_of(changed) == names_of(page)
    assert f"| {name} | `{DEFECTS[name].file}` | **survives** |  |" in changed


def test_the_copy_has_everything_that_a_run_needs(folder):
    assert {path.name for path in Path(folder).iterdir()} >= {"plant", "modbus", "tracertwin", "config"}
