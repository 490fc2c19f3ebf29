"""Pages that are written by hand around tables that are made: each table stands between two comments."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

END: Final = "<!-- end -->"


def with_tables(page: str, path: Path, module: str, tables: Iterable[tuple[str, str]]) -> str:
    """A page with its tables as they should be now, each between a comment that names it and ``<!-- end -->``.

    Parameters
    ----------
    page : str
        As it is.
    path : Path
        Of the page.
    module : str
        What makes the tables: ``python -m`` takes it.
    tables : iterable of (name, Markdown)

    Raises
    ------
    ValueError
        The page lacks a table's comment.
    """
    for name, table in tables:
        begin = f"<!-- {name}: made by `python -m {module}` -->\n"
        before, found, rest = page.partition(begin)
        if not found:
            raise ValueError(f"{path.name} lacks {begin.strip()}")
        page = f"{before}{begin}\n{table.rstrip()}\n\n{END}{rest.partition(END)[2]}"
    return page
