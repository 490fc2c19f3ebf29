"""The layout that CONTRIBUTING.md promises: rooms, sizes, names, what the kernel is built from, what tests touch."""

import ast
import importlib
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from numba.core.registry import CPUDispatcher

from plant.base.codecache import PACKAGE, kernel_sources
from tests.conftest import SLOW

ROOT = Path(__file__).parents[1]
PACKAGES = ("plant", "modbus", "tracertwin")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
ROOMS = sorted(path.parent for path in FILES if path.name == "__init__.py" and path.parent.parent != ROOT)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MOST_LINES = 400


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def classes(path: Path) -> Iterator[ast.ClassDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            yield node


# --- rooms and files ---


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_holds_four_to_fifteen_files_or_rooms_only(room):
    files = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    rooms = [path for path in ROOMS if path.parent == room]
    assert 4 <= len(files) <= 15 or (rooms and not files)


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_says_in_two_lines_what_it_is_for_and_what_it_imports(room):
    told = ast.get_docstring(ast.parse((room / "__init__.py").read_text(encoding="utf-8")))
    assert told is not None
    purpose, imports = [line for line in told.splitlines() if line]
    assert purpose.endswith(".")
    assert imports.startswith("Imports ")


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_no_file_repeats_the_name_of_its_room(room):
    assert [path.name for path in room.glob("*.py") if room.name in path.stem] == []


@pytest.mark.parametrize("room", ROOMS, ids=name_of)
def test_a_room_s_init_holds_nothing_to_import(room):
    """Each name is imported from the module that defines it."""
    assert len(ast.parse((room / "__init__.py").read_text(encoding="utf-8")).body) == 1


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_is_longer_than_one_can_read_at_once(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_no_two_classes_have_the_same_name():
    where: dict[str, list[str]] = {}
    for path in FILES:
        for found in classes(path):
            where.setdefault(found.name, []).append(f"{name_of(path)}:{found.lineno}")
    assert {name: places for name, places in where.items() if len(places) > 1} == {}


# --- what the kernel is built from ---


def modules_with_kernels() -> set[str]:
    """Files of the package that hold compiled functions of their own, by importing every one of them."""
    found = set()
    for path in FILES:
        if path.is_relative_to(PACKAGE) and path.name != "__init__.py":
            name = name_of(path)
            module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
            own = [
                value
                for value in vars(module).values()
                if getattr(value, "__module__", "") == module.__name__
            ]
            if any(isinstance(value, CPUDispatcher) for value in own):
                found.add(path.relative_to(PACKAGE).as_posix())
    return found


def imported_by(name: str) -> Iterator[str]:
    """Files of the package that a file imports at its top, by Python's own parser."""
    for node in ast.parse((PACKAGE / name).read_text(encoding="utf-8")).body:
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        for module in modules:
            path = PACKAGE.parent.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_relative_to(PACKAGE) and path.is_file():
                yield path.relative_to(PACKAGE).as_posix()


def test_the_compiled_code_s_key_covers_every_module_with_kernels_and_all_they_import():
    needed = modules_with_kernels()
    assert {"kernel/step.py", "kernel/show.py", "battery/leadacid.py", "power/converter.py"} <= needed
    todo = list(needed)
    while todo:
        new = set(imported_by(todo.pop())) - needed
        needed |= new
        todo += new
    assert needed - set(kernel_sources()) == set()


def test_what_only_looks_at_a_run_is_no_part_of_the_key():
    """Otherwise an edit of a report has everybody wait for the compiler."""
    held = {name.partition("/")[0] for name in kernel_sources()}
    assert "kernel" in held
    assert not held & {"report", "site", "saving", "plant.py"}


@pytest.fixture
def copy(tmp_path) -> Path:
    return Path(shutil.copytree(PACKAGE, tmp_path / "plant", ignore=shutil.ignore_patterns("__pycache__")))


@pytest.mark.parametrize(
    ("edited", "changes"),
    [
        ("report/trace.py", False), ("report/summary.py", False), ("site/model.py", False), ("plant.py", False),
        ("load/kinds.py", False),
        ("battery/leadacid.py", True), ("kernel/step.py", True), ("power/stage.py", True),
        ("controller/charger.py", True), ("array/day.py", True), ("base/jit.py", True),
    ],
)  # fmt: skip
def test_an_edit_changes_the_key_where_it_changes_compiled_code_and_nowhere_else(copy, edited, changes):
    before = kernel_sources(copy)
    with (copy / edited).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert (kernel_sources(copy) != before) is changes


# --- tests ---


def privates_of(name: str) -> set[str]:
    """Private attributes and methods of a class of the application."""
    (found,) = [each for path in FILES for each in classes(path) if each.name == name]
    attributes = {
        node.attr
        for node in ast.walk(found)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    methods = {node.name for node in ast.walk(found) if isinstance(node, ast.FunctionDef)}
    return {each for each in attributes | methods if each.startswith("_") and not each.startswith("__")}


def reaches(path: Path, private: set[str]) -> Iterator[str]:
    """Places where a file that has to do with a `Rig` takes one of these names out of an object, or patches one."""
    text = path.read_text(encoding="utf-8")
    if "Rig" not in text and "rig" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        own = (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("self", "cls")
        )
        if isinstance(node, ast.Attribute) and node.attr in private and not own:
            yield f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"
        patched = node.args[:2] if isinstance(node, ast.Call) else []
        if (
            len(patched) == 2
            and isinstance(patched[0], ast.Name)
            and patched[0].id == "Rig"
            and isinstance(patched[1], ast.Constant)
            and patched[1].value in private
        ):
            yield f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"


def test_no_test_reaches_into_a_rig():
    private = privates_of("Rig")
    assert private
    assert [place for path in TESTS for place in reaches(path, private)] == []


def test_no_two_tests_of_a_file_have_the_same_name():
    """The second would silently take the place of the first."""
    for path in TESTS:
        body = ast.parse(path.read_text(encoding="utf-8")).body
        names = Counter(node.name for node in body if isinstance(node, ast.FunctionDef))
        assert [name for name, count in names.items() if count > 1] == [], name_of(path)


def test_tests_import_the_packages_from_this_clone():
    for name in PACKAGES:
        assert Path(str(sys.modules.get(name, importlib.import_module(name)).__file__)).is_relative_to(ROOT)


def test_every_file_that_quick_leaves_out_is_there_and_those_with_an_emulator_are_among_them():
    """A file that was renamed would be quick again without anybody knowing."""
    files = {path.stem.removeprefix("test_"): path for path in (ROOT / "tests").glob("test_*.py")}
    assert set(SLOW) <= set(files)
    imports = re.compile(r"^from tests(\.qemu import|.* import .*\bqemu\b)", re.MULTILINE)
    emulated = {name for name, path in files.items() if imports.search(path.read_text(encoding="utf-8"))}
    assert emulated
    assert emulated <= SLOW
