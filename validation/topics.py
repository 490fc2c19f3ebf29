"""Finding the topics, running their checks, drawing their pictures; prints nothing.

A topic is a module of the package with a function ``checks()``. It runs in a process of its own, and whatever it does
there becomes rows: an exception is one failing row, and the other topics go on.
"""

import importlib
import multiprocessing
import pkgutil
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plant.report.page import svg_text
from validation.check import Check, MissingEvidence

WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What a topic gave.

    Parameters
    ----------
    name : str
    title : str
        First line of the module's docstring.
    checks : tuple of Check
        As far as they came.
    raised : str
        The exception that ended them, empty for none.
    missing : str
        Why the rest can't be had here, empty when it can.
    """

    name: str
    title: str
    checks: tuple[Check, ...] = ()
    raised: str = ""
    missing: str = ""

    @property
    def failed(self) -> int:
        """Rows outside their tolerance; an exception counts as one, and so does a topic without rows."""
        empty = not self.checks and not self.missing and not self.raised
        return sum(not check.passes for check in self.checks) + bool(self.raised) + empty


def find(package: str, function: str = "checks") -> dict[str, str]:
    """Modules of a package that define a function: name -> first line of the docstring, sorted by name.

    Told by their source, so that nothing is imported that won't be run.
    """
    found = {}
    for folder in importlib.import_module(package).__path__:
        for module in pkgutil.iter_modules([folder]):
            source = (Path(folder) / f"{module.name}.py").read_text(encoding="utf-8")
            if re.search(rf"^def {function}\(", source, re.MULTILINE):
                docstring = re.match(r'\s*r?"""\s*(.+?)\s*("""|$)', source, re.MULTILINE)
                found[module.name] = docstring[1].rstrip(".") if docstring else module.name
    return dict(sorted(found.items()))


def run(package: str, names: Sequence[str]) -> Iterator[Topic]:
    """Run topics, two at a time, and give them in the order of the names."""
    titles = find(package)
    for name, result in _apart(gather, [(package, name, titles[name]) for name in names]):
        died = isinstance(result, BaseException)
        yield Topic(name=name, title=titles[name], raised=_told(result)) if died else result


def _apart(function: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]) -> Iterator[tuple[str, Any]]:
    """Call a function for each job in a process of its own; gives the topic and the result, or what ended it.

    Spawned, not forked: compiled code may have started threads. Not in one pool: a process that dies takes its
    pool along.
    """

    def call(job: tuple[Any, ...]) -> Any:
        try:
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
                return process.submit(function, *job).result()
        except Exception as error:
            return error

    with ThreadPoolExecutor(WORKERS) as threads:
        for job, result in zip(jobs, threads.map(call, jobs), strict=True):
            yield job[1], result


def gather(package: str, name: str, title: str) -> Topic:
    """Run one topic here, keeping what it yields until it ends or raises."""
    rows: list[Check] = []
    raised = missing = ""
    try:
        for row in importlib.import_module(f"{package}.{name}").checks():
            rows.append(row)
    except MissingEvidence as reason:
        missing = str(reason)
    except Exception as error:  # whatever it is, the other topics go on
        raised = _told(error)
    return Topic(name=name, title=title, checks=tuple(rows), raised=raised, missing=missing)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".strip().rstrip(":")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Pictures of a topic: their files, and why there are not more of them."""

    name: str
    paths: tuple[Path, ...] = ()
    raised: str = ""
    missing: str = ""


def draw(package: str, names: Sequence[str], folder: Path) -> Iterator[Drawn]:
    """Write every topic's ``figures()`` as SVG into a folder, two topics at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, result in _apart(sketch, [(package, name, folder) for name in names]):
        yield Drawn(name=name, raised=_told(result)) if isinstance(result, BaseException) else result


def sketch(package: str, name: str, folder: Path) -> Drawn:
    """Draw one topic here."""
    paths: list[Path] = []
    raised = missing = ""
    try:
        for stem, chart in importlib.import_module(f"{package}.{name}").figures():
            path = folder / f"{stem}.svg"
            path.write_text(svg_text(chart), encoding="utf-8")
            paths.append(path)
    except MissingEvidence as reason:
        missing = str(reason)
    except Exception as error:
        raised = _told(error)
    return Drawn(name=name, paths=tuple(paths), raised=raised, missing=missing)
