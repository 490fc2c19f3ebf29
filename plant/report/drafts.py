"""Files that are written aside and moved into place: under its own name nobody ever sees half a file."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plant.base.problems import Problem, ProblemsError


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Where to write what is to stand at `path`, with the same suffix; moved there at the end.

    Raises
    ------
    ProblemsError
        If it can't be written; then there is what was there before, or nothing.
    """
    target = path.resolve()  # through a link, not in its place
    # two threads may write the same file, as two processes may
    draft = target.with_name(f".{target.stem}.{os.getpid()}-{threading.get_ident()}{target.suffix}")
    try:
        yield draft
        draft.replace(target)
    except OSError as error:
        raise ProblemsError(
            [Problem(str(path), 0, "", f"cannot write: {error.strerror or error}")]
        ) from error
    finally:
        with suppress(OSError):  # also where there can't be one: what is told is why it couldn't be written
            draft.unlink()
