"""Files of bytes that tell whether they are whole, in folders that don't grow for ever. All of it can be made again.

A file begins with the SHA-256 of the rest. It is written aside and moved into place, so one that isn't whole was
spoiled later: it is as if it weren't there.
"""

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np

from plant.base.codecache import PACKAGE
from plant.report.drafts import draft_of

_DIGEST_SIZE: Final = 32


def read_checked(path: Path) -> np.ndarray | None:
    """The bytes that a file holds, mapped into memory; none where there is no whole one."""
    try:
        mapped = np.memmap(path, np.uint8, "r")
    except (OSError, ValueError):  # there is none, or an empty one
        return None
    body = mapped[_DIGEST_SIZE:]
    whole = hashlib.sha256(body.data).digest() == mapped[:_DIGEST_SIZE].tobytes()
    return body if whole else None


def write_checked(path: Path, body: bytes) -> None:
    """Write a file that `read_checked` reads; the folder is made.

    Raises
    ------
    ProblemsError
        If it can't be written; then there is what was there before, or nothing.
    """
    with draft_of(path) as draft:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(hashlib.sha256(body).digest() + body)


def make_room(folder: Path, most_bytes: int) -> None:
    """Remove the oldest files, of any version of the program, while there are too many."""
    with suppress(OSError):
        files = [(path, path.stat()) for path in folder.rglob("*") if path.is_file()]
        left = sum(seen.st_size for _, seen in files)
        for path, seen in sorted(files, key=lambda each: each[1].st_mtime_ns):
            if left <= most_bytes:
                break
            os.unlink(path)
            left -= seen.st_size


def version_of(libraries: Iterable[str], sources: Iterable[Path]) -> str:
    """Of all that makes something: our own sources, and the libraries that they call."""
    digest = hashlib.sha256("".join(f"{name} {version(name)};" for name in libraries).encode())
    for path in sorted(sources):
        digest.update(path.relative_to(PACKAGE.parent).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]
