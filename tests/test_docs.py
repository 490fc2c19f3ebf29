"""Documents say what is there: nothing undocumented, nothing promised that isn't."""

import importlib
import inspect
import re
from functools import reduce
from pathlib import Path

import pytest

from plant.load.part import KINDS, Part
from plant.site.model import known_keys
from tracertwin.assembly.commands import COMMANDS
from tracertwin.cli.main import app, run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
INDEX = ROOT / "docs" / "index.md"
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMES_A_FILE = r"`((?:plant|validation|modbus|tracertwin)/[\w/]+\.py)`((?:[,;]? (?:and )?`[A-Za-z_][\w.]*`)+)"
VERBS = [command.callback.__name__ for command in app.registered_commands]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_stands_in_the_readme(verb):
    assert f"tracertwin {verb}" in README


def test_the_readme_names_no_verb_that_is_not_there():
    assert set(re.findall(r"tracertwin ([a-z][a-z0-9]*)", README)) <= set(VERBS)


@pytest.mark.parametrize("target", re.findall(r"make ([a-z]+)", README))
def test_every_make_verb_of_the_readme_is_there(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def without_code(page: Path) -> str:
    return re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Anchors of a page's headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", without_code(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        plain = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        number = 0
        anchor = plain
        while anchor in found:
            number += 1
            anchor = f"{plain}-{number}"
        found.add(anchor)
    return found


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md"], ids=lambda page: page.relative_to(ROOT).as_posix()
)
def test_links_and_their_anchors_lead_somewhere(page):
    gone = []
    for link in LINK.findall(without_code(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            gone.append(link)
    assert gone == []


def test_every_page_is_in_the_index_once():
    listed = [(INDEX.parent / link).resolve() for link in LINK.findall(INDEX.read_text(encoding="utf-8"))]
    assert sorted(listed) == sorted(page for page in (ROOT / "docs").rglob("*.md") if page != INDEX)


def test_the_index_has_a_line_for_each_page_and_the_readme_leads_to_it():
    lines = INDEX.read_text(encoding="utf-8").splitlines()
    kinds = [line for line in lines if line.startswith("## ")]
    assert kinds == ["## Tutorial", "## How-to", "## Reference", "## Explanation"]
    assert all(
        re.fullmatch(r"- \[[^\]]+\]\([^)]+\): .+\.", line)
        for line in lines
        if line and not line.startswith("#")
    )
    assert "(docs/index.md)" in README


def test_every_picture_of_the_physics_is_shown_on_a_page():
    shown = {
        picture
        for page in PAGES
        for picture in re.findall(r"([\w-]+\.svg)\)", page.read_text(encoding="utf-8"))
    }
    assert {path.name for path in (ROOT / "docs" / "physics").glob("*.svg")} <= shown


def named() -> list[tuple[str, str]]:
    """Every file and function that a page names together."""
    found = set()
    for page in PAGES:
        for file, names in re.findall(NAMES_A_FILE, page.read_text(encoding="utf-8")):
            found |= {
                (file, name) for name in re.findall(r"`([^`]+)`", names) if not name.endswith((".py", ".md"))
            }
    return sorted(found)


@pytest.mark.parametrize(("file", "name"), named())
def test_every_function_that_a_page_names_is_there(file, name):
    module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
    assert reduce(getattr, name.split("."), module) is not None


def words_of(page: Path) -> set[str]:
    """What a page of the physics has in code type or to the right of an equation, as far as it could be a name."""
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"`([A-Za-z_][\w.]*\w)`", text)
    beside = re.findall(r"^ {4}.* {4,}([a-z_]{4,}(?:, [a-z_]{4,})*)$", text, re.MULTILINE)
    return {*code, *(name for names in beside for name in names.split(", "))}


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "physics").glob("*.md")), ids=lambda page: page.stem)
def test_every_name_on_a_page_of_the_physics_is_in_the_sources(page):
    folders = (
        ("plant", "**/*.py"),
        ("validation", "*.py"),
        ("config", "*/*.yaml"),
        ("docs/physics", "*.svg"),
    )
    files = [path for folder, pattern in folders for path in (ROOT / folder).glob(pattern)]
    known = {path.name for path in files} | {path.stem for path in files}
    for path in files:
        if path.suffix != ".svg":
            known |= set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    words = words_of(page)
    assert len(words) >= 5
    assert {word for word in words if word not in known and not set(word.split(".")) <= known} == set()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_of_a_running_rig_is_told_as_its_help_tells_it(command):
    written = f"{command.name} {command.arguments}".rstrip().replace("|", r"\|")
    assert f"| `{written}` | {command.meaning} |" in (ROOT / "docs" / "time.md").read_text(encoding="utf-8")


OPTIONS_OF_RUN = [name for name in inspect.signature(run).parameters if name != "site"]


@pytest.mark.parametrize("option", OPTIONS_OF_RUN)
def test_every_option_of_run_stands_in_the_readme(option):
    assert f"--{option}" in README


@pytest.mark.parametrize("key", sorted({key for keys in known_keys().values() for key in keys}))
def test_every_site_key_stands_in_the_site_page(key):
    assert f"`{key}`" in (ROOT / "docs" / "site.md").read_text(encoding="utf-8")


def keys_of_kinds() -> dict[str, set[str]]:
    """Kind of load -> the keys that the table of the site page has for it."""
    page = (ROOT / "docs" / "site.md").read_text(encoding="utf-8")
    table = page.partition("| kind | key |")[2].partition("\n\n")[0]
    keys: dict[str, set[str]] = {}
    kinds: list[str] = []
    for row in table.splitlines()[2:]:
        first, second = row.split("|")[1:3]
        kinds = re.findall(r"`(\w+)`", first) or kinds
        for kind in kinds:
            keys.setdefault(kind, set()).update(re.findall(r"`(\w+)`", second))
    return keys


@pytest.mark.parametrize("kind", KINDS)
def test_the_site_page_has_each_key_of_a_kind_of_load(kind):
    assert keys_of_kinds()[kind] == {*KINDS[kind].model_fields} - {"kind", *Part.model_fields}
