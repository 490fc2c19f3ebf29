"""How the kernels are compiled: numba, cached on disk, without the interpreter's lock.

`kernel` leaves a function as it is when ``NUMBA_DISABLE_JIT=1`` is set, for reading and debugging.

Numba keys its cache by the file a function stands in, so a change in `battery` would leave the compiled
`step` that calls it stale. The cache therefore lives in a folder named after all sources of this package.
"""

import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])

_HERE = Path(__file__).resolve().parent


def cache_dir() -> Path:
    """Folder of the compiled code of exactly these sources at this place, this Python and this numba.

    Under the user's cache; where that can't be written (a container without a home) a temporary one, and every
    start compiles anew.
    """
    digest = hashlib.sha256(f"{_HERE}{sys.version}{numba.__version__}".encode())
    for path in sorted(_HERE.glob("*.py")):
        digest.update(path.read_bytes())
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


def inlined(function: F) -> F:
    """A `kernel` so small that calling it, with a record of parameters to hand over, costs more than it does."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


def woven(function: F) -> F:
    """A `kernel` with one caller: taken into it before it is compiled, so that it isn't compiled twice."""
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", inline="always")(function))


def uncounted(function: F) -> F:
    """A `kernel` that makes no arrays, and doesn't count who holds those it is given: a tenth of its time.

    The kernels that it calls are compiled in the same way, so none of them may hand out an array.
    """
    made = numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)  # type: ignore[call-overload]
    return cast(F, made)
