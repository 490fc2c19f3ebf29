"""Where compiled code is kept on disk, and how numba reads and writes it there.

One folder for each version of all that kernels are built from, so what lies in it is never stale. A cache that
can't be read or written, for lack of rights or of space, costs time and nothing else.
"""

import hashlib
import os
import pickle
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

from plant.base.arraycache import cache_home

PACKAGE: Final = Path(__file__).resolve().parents[1]
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


@lru_cache(maxsize=1)
def cache_dir() -> Path:
    """Folder of the compiled code of exactly these sources, this Python and this numba, wherever the sources lie.

    It is made when something is first written to it.
    """
    digest = hashlib.sha256(f"{sys.version}{numba.__version__}".encode())
    for path, source in kernel_sources().items():
        digest.update(path.encode() + source)
    return cache_home() / digest.hexdigest()[:16]


def is_kept() -> bool:
    """Whether what is compiled now can be written to the cache, for the next start."""
    place = cache_dir()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place.is_dir() and os.access(place, os.W_OK | os.X_OK)


class _Place(_CacheLocator):
    """A folder for each module, as numba names files by function and line only.

    Unlike numba's own it asks for no right to write before it reads, and doesn't look at the age of the source: in
    an image that was built as another user, or copied, both would make a good cache useless.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._line = function.__code__.co_firstlineno
        self._path = cache_dir() / function.__module__

    @classmethod
    def from_function(cls, function: Callable[..., object], _file: str) -> Self:
        return cls(function)

    def get_cache_path(self) -> str:
        return str(self._path)

    def get_source_stamp(self) -> str:
        return ""  # the folder's name has the sources in it

    def get_disambiguator(self) -> str:
        return str(self._line)


class _KeptCode(CompileResultCacheImpl):
    """What is kept of a compiled function: as numba has it, at our place."""

    _locator_classes = [_Place]  # type: ignore[list-item]  # noqa: RUF012  as numba has it


class CodeCache(FunctionCache):
    """A function's compiled code on disk; what fails there is as if there were no cache."""

    _impl_class = _KeptCode
    must_save = False  # whether somebody compiles only for the sake of the cache
    # Told the name of a function that isn't in the cache: compiling it takes long.
    on_compiling: ClassVar[Callable[[str], None] | None] = None

    def load_overload(self, signature: object, target_context: object) -> Any:
        found = self._loaded(signature, target_context)
        if found is None and CodeCache.on_compiling is not None:
            CodeCache.on_compiling(self._py_func.__name__)
        return found

    def _loaded(self, signature: object, target_context: object) -> Any:
        try:
            return super().load_overload(signature, target_context)  # type: ignore[no-untyped-call]
        except OSError:  # no right to read it
            return None
        except (EOFError, pickle.UnpicklingError):  # it was cut short
            with suppress(OSError):
                self.flush()  # type: ignore[no-untyped-call]
            return None

    def save_overload(self, signature: object, data: object) -> None:
        try:
            super().save_overload(signature, data)  # type: ignore[no-untyped-call]
        except OSError:  # no right to write, or no room
            if self.must_save:
                raise
