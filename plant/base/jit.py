"""How the kernels are compiled: numba, cached on disk, without the interpreter's lock.

`kernel` leaves a function as it is when ``NUMBA_DISABLE_JIT=1`` is set, for reading and debugging.

Numba keys its cache by the file a function stands in, so a change in `leadacid` would leave the compiled
`step` that calls it stale. The cache therefore lives in a folder named after all that kernels are built from.
"""

import contextlib
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

PACKAGE = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(r"^from (plant(?:\.\w+)*) import (\([^)]*\)|.*)$", re.MULTILINE)


def _imported(source: str, root: Path) -> Iterator[Path]:
    """Files of this package that a source imports at its top: a module of its own, or one named out of a room."""
    for module, names in _IMPORT.findall(source):
        place = root.joinpath(*module.split(".")[1:])
        if place.with_suffix(".py").is_file():
            yield place.with_suffix(".py")
        else:
            yield from (p for n in re.findall(r"\w+", names) if (p := place / f"{n}.py").is_file())


def kernel_sources(root: Path = PACKAGE) -> dict[str, bytes]:
    """What compiled code depends on: every module that has kernels, and all that these import, by path.

    A constant that a kernel takes from a module without kernels is compiled in, so it counts; a report doesn't.
    """
    sources = {path: path.read_bytes() for path in root.rglob("*.py")}
    todo = [path for path, source in sources.items() if b"from plant.base.jit import" in source]
    needed: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in needed:
            needed.add(path)
            todo += _imported(sources[path].decode("utf-8"), root)
    return {path.relative_to(root).as_posix(): sources[path] for path in sorted(needed)}


def cache_dir() -> Path:
    """Folder of the compiled code of exactly these sources at this place, this Python and this numba.

    Under the user's cache; where that can't be written (a container without a home) a temporary one, and every
    start compiles anew.
    """
    digest = hashlib.sha256(f"{PACKAGE}{sys.version}{numba.__version__}".encode())
    for path, source in kernel_sources().items():
        digest.update(path.encode() + source)
    base = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    folder = base / "tracertwin" / digest.hexdigest()[:16]
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="tracertwin-"))


CACHE_DIR = Path(os.environ.get("NUMBA_CACHE_DIR") or cache_dir())
numba.config.CACHE_DIR = str(CACHE_DIR)  # type: ignore[attr-defined]


def is_compiled() -> bool:
    """Whether compiled code of these sources lies in the cache (a first start takes some seconds)."""
    return any(CACHE_DIR.rglob("step.*.nbi"))


def kernel(function: F) -> F:
    """Compile a pure numeric function on its first call; same results as the plain one to rounding."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def inline_llvm(function: F) -> F:
    """A `kernel` so small that calling it, with a record of parameters to hand over, costs more than it does."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


def inline_ir(function: F) -> F:
    """A `kernel` with one caller: taken into it before it is compiled, so that it isn't compiled twice."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function))


def kernel_without_refcounts(function: F) -> F:
    """A `kernel` that makes no arrays, and doesn't count who holds those it is given: a tenth of its time.

    The kernels that it calls are compiled in the same way, so none of them may hand out an array.
    """
    made = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)  # type: ignore[call-overload]
    return cast(F, made)
