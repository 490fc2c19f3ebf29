"""The pages of docs/howto: each is followed to the letter, files, edits and commands.

The first line of a block names a file of one's own (``# gc2.yaml``), or a source file and the place of an edit: before
a text, or behind it (``# tests/test_load.py, in `WITHOUT_CHANCE = {` ``). The ``mine.yaml`` of a page is the cabin with
the records that the page has in its text.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from modbus.map.registers import TRACER_4210, load_map
from plant.base.configs import config_dir
from tests import test_battery, test_diode, test_registers, test_site

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "howto").glob("*.md"))
MOST_LINES = 40
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OWN_FILE = re.compile(r"# ([\w.]+\.yaml)")
EDIT = re.compile(r"# ([\w/]+\.py), (before|in) `(.+)`")
RECORD = re.compile(r"`((?:array|battery|load|upsets): [\[{].*?)` in `mine.yaml`")


def blocks(page: Path, language: str) -> list[tuple[str, str]]:
    """First line and what follows of each block in a language."""
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [(text.partition("\n")[0], text.partition("\n")[2]) for kind, text in found if kind == language]


def write_files(page: Path, folder: Path) -> None:
    """The page's own files, and its site."""
    for first, text in blocks(page, "yaml"):
        named = OWN_FILE.fullmatch(first)
        assert named is not None, f"{first!r} names no file"
        (folder / named[1]).write_text(f"{first}\n{text}", encoding="utf-8")
    records = RECORD.findall(page.read_text(encoding="utf-8"))
    if records:
        site = yaml.safe_load((config_dir() / "sites" / "cabin.yaml").read_text(encoding="utf-8"))
        for record in records:
            site |= yaml.safe_load(record)
        (folder / "mine.yaml").write_text(yaml.safe_dump(site), encoding="utf-8")


def edited(page: Path) -> dict[str, str]:
    """Path -> source with the page's edits in it."""
    sources: dict[str, str] = {}
    for first, text in blocks(page, "python"):
        told = EDIT.fullmatch(first)
        assert told is not None, f"{first!r} names no place"
        path, where, place = told.groups()
        source = sources.get(path) or (ROOT / path).read_text(encoding="utf-8")
        assert source.count(place) == 1, f"{path} has {place!r} {source.count(place)} times"
        new = f"{text}\n\n{place}" if where == "before" else f"{place}\n{text}"
        sources[path] = source.replace(place, new)
    return sources


def commands(page: Path) -> list[list[str]]:
    """What the page types, as arguments of ``python -m``."""
    lines = [line for first, text in blocks(page, "console") for line in [first, *text.splitlines()] if line]
    assert all(line.startswith("$ ") for line in lines), lines
    return [line.removeprefix("$ ").removeprefix("python -m ").split() for line in lines]


def run_edited(sources: dict[str, str], typed: list[list[str]], folder: Path) -> None:
    """Each in a process of its own that loads the edited sources."""
    edits = folder / "edits.json"
    edits.write_text(json.dumps(sources), encoding="utf-8")
    for module, *rest in typed:
        # The test files are imported already: too late for pytest to rewrite their assertions.
        how = ["-q", "-p", "no:cacheprovider", "--assert=plain"] if module == "pytest" else []
        done = subprocess.run(
            [sys.executable, "-m", "tests.edited", str(edits), module, *how, *rest],
            cwd=ROOT if module == "pytest" else folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{module} {rest}:\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_followed_to_the_letter_works(page, call, tmp_path, monkeypatch):
    """In this process, unless the page edits the code."""
    monkeypatch.chdir(tmp_path)
    write_files(page, tmp_path)
    typed, sources = commands(page), edited(page)
    assert typed
    if sources:
        run_edited(sources, typed, tmp_path)
        return
    for module, *rest in typed:
        assert module == "tracertwin"
        code, _, said = call(*rest)
        assert code == 0, f"{rest}: {said}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_is_short_and_linked(page):
    assert len(page.read_text(encoding="utf-8").splitlines()) <= MOST_LINES
    for linking in ("README.md", "CONTRIBUTING.md"):
        assert f"docs/howto/{page.name}" in (ROOT / linking).read_text(encoding="utf-8")


def own_file(name: str, folder: Path) -> Path:
    """A page's own file, by the page and the one file it has."""
    page = ROOT / "docs" / "howto" / f"{name}.md"
    write_files(page, folder)
    (first, _), *_ = blocks(page, "yaml")
    return folder / first.removeprefix("# ")


def test_the_battery_of_the_page_passes_what_each_that_we_ship_must(tmp_path):
    path = str(own_file("add-a-battery", tmp_path))
    test_battery.test_a_chemistry_makes_sense(path)
    test_battery.test_a_scaled_battery_behaves_like_its_block(path, 2)
    test_battery.test_every_grid_point_after_a_jump_of_the_current_is_within_a_millivolt(path)
    test_battery.test_a_worn_battery_is_as_full_as_before_and_holds_less(path)


def test_the_module_of_the_page_passes_what_each_that_we_ship_must(tmp_path):
    test_diode.test_a_module_we_ship_gives_what_its_file_says(str(own_file("add-a-module", tmp_path)))


def test_the_site_of_the_page_passes_what_each_that_we_ship_must(tmp_path):
    test_site.test_every_key_of_a_site_we_ship_is_explained(own_file("add-a-site", tmp_path))


def test_the_registers_of_the_page_read_what_it_says(tmp_path):
    mine = load_map(str(own_file("add-a-register", tmp_path)), TRACER_4210)
    half_full = test_registers.ZERO._replace(soc=0.5, night=1)
    assert test_registers.word(mine, 0x3500, half_full) == 500
    assert test_registers.word(mine, 0x3501, half_full) == 0b10
