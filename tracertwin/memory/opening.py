"""Whether a file is a state file that can be read, and how it is told that one is not. Changes nothing in any file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from plant.base.problems import Problem, ProblemsError
from plant.saving.state import SavedStateError
from tracertwin.memory.migrating import FILE_VERSION

APPLICATION_ID: Final = 0x54726354  # "TrcT"; stands in bytes 68 to 71 of the file
MAGIC: Final = b"SQLite format 3\0"


def refused(path: Path, message: str) -> ProblemsError:
    """The error that says why a file is not taken."""
    return ProblemsError([Problem(str(path), 0, "", message)])


def check_header(path: Path, header: bytes, would_do: str) -> None:
    """By its bytes, before SQLite gets to see it: what isn't ours is not to be touched."""
    if not header:
        return
    if not header.startswith(MAGIC):
        raise refused(path, f"is not a state file, not even an SQLite file; {would_do}")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise refused(path, f"is a database of another program; {would_do}")
    found = int.from_bytes(header[60:64], "big")
    if found > FILE_VERSION:
        raise refused(
            path,
            f"is a state file of version {found}, this TracerTwin knows versions up to {FILE_VERSION}: "
            f"use a newer one; {would_do}",
        )


@contextmanager
def legible(path: Path) -> Iterator[None]:
    """What keeps a file from being read as problems of it: SQLite's errors, and text that is no longer what it was."""
    try:
        yield
    except sqlite3.Error as error:
        raise refused(path, f"can't be used: {error}") from None
    except (ProblemsError, SavedStateError):
        raise
    except (LookupError, TypeError, ValueError) as error:  # SQLite has no check sums
        why = f"is damaged: {type(error).__name__} {error}"
        raise refused(path, f"{why}; go on from a copy of it, or start a new file") from None
