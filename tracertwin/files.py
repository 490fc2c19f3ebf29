"""Files that are written in one piece, and their names where there is one for each unit."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from plant.base.problems import Problem, ProblemsError
from plant.report.drafts import draft_of


def numbered(path: Path, number: int) -> Path:
    """The first unit's file, and beside it those of the others: trace.csv, trace-2.csv."""
    return path if number == 0 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


def writable(text: str, endings: Sequence[str] = ()) -> Path:
    """A file that could be written.

    Raises
    ------
    ValueError
        Saying why it couldn't, before the run that would fill it.
    """
    path, why = Path(text), ""
    if endings and path.suffix not in endings:
        why = f"must end in {', '.join(endings)}"
    elif path.is_dir():
        why = "is a folder"
    elif not path.parent.is_dir():
        why = f"no such folder: {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "can't be written: no permission"
    if why:
        raise ValueError(f"{path}: {why}")
    return path


def keep_apart(files: Mapping[str, Path | None]) -> None:
    """Look that no two of a command's files are one: what is written last would be all that is left.

    Parameters
    ----------
    files : mapping
        What names a file -> the file, or none. Devices and pipes may be named twice.

    Raises
    ------
    ProblemsError
        Naming both, before any of them is touched.
    """
    names: dict[str, str] = {}
    for name, path in files.items():
        if path is None or (path.exists() and not path.is_file()):
            continue
        other = names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise ProblemsError([Problem(name, 0, "", f"{path} is the file of {other}; give each its own")])


def fillable(folder: Path) -> None:
    """Look whether a folder could be made, or written into.

    Raises
    ------
    ValueError
        Saying why it couldn't, before the run that would fill it.
    """
    there = next(each for each in (folder, *folder.absolute().parents) if os.path.exists(each))
    if not there.is_dir():
        raise ValueError(f"{there} is a file; give a folder")
    if not os.access(there, os.W_OK):
        raise ValueError(f"{there}: nothing can be written in this folder")


def write_whole(path: Path, text: str) -> None:
    """Write a file that nobody ever sees half written."""
    with draft_of(path) as draft:
        # a path in it may be no text: those bytes are written as they are on the disk
        draft.write_text(text, encoding="utf-8", errors="surrogateescape")
