"""The site loader: any text is a site, or problems that each say where they are and what is wrong."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from pathlib import Path

from pvlib import pvsystem

from plant.base import configs
from plant.base.problems import Problem, ProblemsError
from plant.site.model import load_site

MOST_SAID = 20_000  # characters
# A second for each unknown module's name is no search.
pvsystem.retrieve_sam = lru_cache(pvsystem.retrieve_sam)


def one(data: bytes) -> None:
    """Load `data` as a site file."""
    check(data, lambda path: load_site(path).settings())


def check(data: bytes, load: Callable[[str], object]) -> None:
    """Load `data` as a file; that succeeds, or is refused with problems in words."""
    path = _folder() / "file.yaml"
    path.write_bytes(data)
    for problem in _problems(str(path), load):
        assert problem.file
        assert problem.message.strip(), f"nothing is said: {problem!r}"
        assert len(str(problem)) < MOST_SAID, f"far too much is said: {str(problem)[:500]}"
        assert problem.line or not problem.where or problem.file != str(path), f"no line: {problem!r}"


def _problems(path: str, load: Callable[[str], object]) -> tuple[Problem, ...]:
    try:
        load(path)
    except ProblemsError as error:
        assert error.problems, "refused for no reason"  # noqa: PT017
        return error.problems
    return ()


@cache
def _folder() -> Path:
    """In memory where there is such a place."""
    shared = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="tracertwin-fuzz-", dir=shared if shared.is_dir() else None))


def seeds() -> Iterator[bytes]:
    """The sites we ship, without their remarks."""
    yield from _files("sites")


def _files(kind: str) -> Iterator[bytes]:
    for path in sorted((configs.config_dir() / kind).rglob("*.yaml")):
        lines = [line.partition(" #")[0].rstrip() for line in path.read_text(encoding="utf-8").splitlines()]
        yield "\n".join(line for line in lines if line and not line.startswith("#")).encode() + b"\n"


def clean_up() -> None:
    """Remove what was written."""
    with contextlib.suppress(OSError):
        for path in _folder().iterdir():
            path.unlink()
        _folder().rmdir()
