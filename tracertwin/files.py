"""Files that are written in one piece, and their names where there is one for each unit."""

from pathlib import Path

from plant.report.drafts import draft_of


def numbered(path: Path, number: int) -> Path:
    """The first unit's file, and beside it those of the others: trace.csv, trace-2.csv."""
    return path if number == 0 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


def writable(text: str) -> Path:
    """A file that could be written.

    Raises
    ------
    ValueError
        Saying why it couldn't, before the run that would fill it.
    """
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        why = "is a folder" if path.is_dir() else f"no such folder: {path.parent}"
        raise ValueError(f"{path}: {why}")
    return path


def write_whole(path: Path, text: str) -> None:
    """Write a file that nobody ever sees half written."""
    with draft_of(path) as draft:
        draft.write_text(text, encoding="utf-8")
