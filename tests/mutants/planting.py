"""Plants a defect into a copy of the code and runs shipped scenarios there, until one of them finds it.

Each run is a process of its own. Where a defect is in code that is compiled, the scenarios that it names run as plain
Python: compiling takes half a minute. A copy whose compiled code stays the same is compiled once.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import yaml

from plant.base.codecache import kernel_sources

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("plant", "modbus", "tracertwin", "config")
SUITES: Final = Path("config/scenarios")


class Defect(NamedTuple):
    """A row of ``defects.yaml``.

    Attributes
    ----------
    name : str
        What is wrong, for people.
    file : str
        From the clone's root.
    old, new : str
        The text, which occurs once, and what replaces it.
    tried : tuple of str
        Scenarios under ``config/scenarios`` that are likely to find it.
    """

    name: str
    file: str
    old: str
    new: str
    tried: tuple[str, ...]


def defects() -> tuple[Defect, ...]:
    """All of them."""
    rows = yaml.safe_load((Path(__file__).parent / "defects.yaml").read_text(encoding="utf-8"))
    return tuple(Defect(**{**row, "tried": tuple(row["tried"])}) for row in rows)


class Killed(NamedTuple):
    """What became of a defect.

    Attributes
    ----------
    defect : Defect
    by : tuple of str
        Scenarios that found it; empty: it has survived.
    expectation : str
        One that failed.
    """

    defect: Defect
    by: tuple[str, ...]
    expectation: str


@contextmanager
def copied() -> Iterator[Path]:
    """A folder with a copy of the code, for one defect after the other."""
    with TemporaryDirectory(prefix="mutants") as folder:
        for name in COPIED:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(ROOT / name, Path(folder) / name, ignore=ignored)
        yield Path(folder)


def planted(defect: Defect, folder: Path) -> str:
    """Plant a defect; what stood in the file before.

    Raises
    ------
    ValueError
        The text isn't there once.
    """
    path = folder / defect.file
    text = path.read_text(encoding="utf-8")
    if text.count(defect.old) != 1 or defect.old == defect.new:
        raise ValueError(f"{defect.name}: {defect.file} has its text {text.count(defect.old)} times")
    path.write_text(text.replace(defect.old, defect.new), encoding="utf-8")
    return text


def killed(defect: Defect, folder: Path, every: bool = False, plain: bool = False) -> Killed:
    """Run the scenarios on a defect.

    Parameters
    ----------
    defect : Defect
    folder : Path
        Of the copy; as it was afterwards.
    every : bool
        All of them; else those that the defect names, and the others only if these don't find it.
    plain : bool
        Run them as plain Python in any case: for a few short ones nothing need be compiled.
    """
    before = planted(defect, folder)
    try:
        named = [f"{SUITES / one}.yaml" for one in defect.tried]
        others = sorted(path.relative_to(folder).as_posix() for path in (folder / SUITES).rglob("*.yaml"))
        groups: Sequence[Sequence[str]] = [others] if every else [*([one] for one in named), others]
        for group in groups:
            found = _failing(group, folder, plain or (group is not others and _is_compiled(defect)))
            if found:
                return Killed(defect, tuple(found), next(iter(found.values())))
        return Killed(defect, (), "")
    finally:
        (folder / defect.file).write_text(before, encoding="utf-8")


def _is_compiled(defect: Defect) -> bool:
    return defect.file.removeprefix("plant/") in kernel_sources()


def _failing(files: Sequence[str], folder: Path, is_plain: bool) -> dict[str, str]:
    """Scenarios that don't hold, each with an expectation that fails; a run that ends otherwise has found it too."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if is_plain:
        environment["NUMBA_DISABLE_JIT"] = "1"
    done = subprocess.run(
        [sys.executable, "-m", "tracertwin", "check", *files, "--json", "--jobs", "1", "--failures", "failures"],
        check=False, cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)  # a defect that can't run proves nothing
    found = {}
    for run in json.loads(done.stdout)["runs"]:
        failing = [row["expected"] for row in run["verdicts"] if not row["holds"] and not row["information"]]
        if failing:
            found[run["file"].removeprefix(f"{SUITES}/").removesuffix(".yaml")] = failing[0]
    return found
