"""Small arrays that take long to make and never change, kept on disk between runs.

A name on disk has a hash of all that the array comes from in it, so what lies there is never stale. A folder that
can't be read or written costs time and nothing else.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Final

import numpy as np

VARIABLE: Final = "TRACERTWIN_CACHE"
FOLDER: Final = "arrays"


def cache_home() -> Path:
    """The folder that ``TRACERTWIN_CACHE`` names, else `tracertwin` in the user's cache."""
    own = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "tracertwin"
    return Path(os.environ.get(VARIABLE) or own).absolute()


def cached_array(make: Callable[..., np.ndarray], *arguments: float | str) -> np.ndarray:
    """The array that a pure function makes of its arguments, read from disk where an earlier run has made it.

    Parameters
    ----------
    make : function
        From `arguments` to an array of numbers, with the help of its own module and of pvlib only.
    *arguments : float or str
        Told apart by their exact value.

    Returns
    -------
    array
        The same bits, made or read.
    """
    path = cache_home() / FOLDER / f"{make.__name__.strip('_')}-{_digest(make, arguments)}.npy"
    with suppress(OSError, ValueError, EOFError):  # not there, no right to read it, or cut off
        return np.asarray(np.load(path, allow_pickle=False))
    made = np.asarray(make(*arguments))
    with suppress(OSError):
        _write(path, made)
    return made


def _digest(make: Callable[..., np.ndarray], arguments: tuple[float | str, ...]) -> str:
    source = Path(make.__code__.co_filename).read_bytes()
    whole = hashlib.sha256(f"{_versions()}{make.__qualname__}{arguments!r}".encode() + source)
    return whole.hexdigest()[:16]


@lru_cache(maxsize=1)
def _versions() -> str:
    return f"{np.__version__} {metadata.version('pvlib')}"


def _write(path: Path, values: np.ndarray) -> None:
    """Write aside and move into place, so that another process never reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".npy")
    try:
        with os.fdopen(handle, "wb") as file:
            np.save(file, values, allow_pickle=False)
        os.chmod(aside, 0o644)  # a cache filled as root is read by others
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
