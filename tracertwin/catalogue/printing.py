"""What was found as a table to read, as the file that says it, and as JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table

from plant.base.problems import Problem, ProblemsError
from plant.report.output import fits, plain_table
from tracertwin.catalogue.items import FigureColumn, Item, Shelf, WholeItem, cell_of, in_words, is_path
from tracertwin.catalogue.matching import matching, named, why_none
from tracertwin.console import print_compactly, wide_console

MOST: Final = 40  # rows that one can look through
LEAST_ABOUT: Final = 24  # columns for the words, else they go below each row


def print_found(shelf: Shelf, text: str, as_json: bool = False, everything: bool = False) -> None:
    """Print what some words mean: one thing whole if they are its name, else a table of all that they match.

    Parameters
    ----------
    shelf : Shelf
    text : str
        Words, all of which must occur; a name; or the path of a file of one's own. Empty for the whole shelf.
    as_json : bool
        Print one JSON object: ``text``, and under the shelf's kind a list of objects, which has a ``record`` too where
        the text is a name.
    everything : bool
        Don't cut a long table.

    Raises
    ------
    ProblemsError
        Nothing matches, or a file can't be used.
    """
    if not text.strip() and shelf.first is not None and not everything:
        _print_list(shelf, text, list(shelf.first()), as_json, MOST, shelf.more)
        return
    shown = shelf.show(text) if is_path(text) else None
    items = [] if shown else list(shelf.items())
    name = None if shown or not text.strip() else named(text, items)
    shown = shown if name is None else shelf.show(name)
    if shown is not None:
        _print_whole(shelf, text, shown, as_json)
        return
    found = matching(text, items)
    if not found:
        raise ProblemsError([Problem(text, 0, "", f"not among the {shelf.kind}: {why_none(text, items)}")])
    _print_list(shelf, text, found, as_json, None if everything else MOST, "")


def _print_whole(shelf: Shelf, text: str, shown: WholeItem, as_json: bool) -> None:
    if as_json:
        where = {"file": shown.file} if shown.file else {}
        _print_json(shelf, text, [{**_object(shown.item), **where, "record": shown.record}])
        return
    print(f"tracertwin: {_how(shelf, shown.item.name)}", file=sys.stderr, flush=True)
    sys.stdout.write(shown.text)


def _how(shelf: Shelf, name: str) -> str:
    if shelf.kind == "sites":
        return shelf.usage.replace("NAME", name)
    return f"in a site file: {shelf.usage.replace('NAME', name)}"


def _print_list(
    shelf: Shelf, text: str, found: Sequence[Item], as_json: bool, most: int | None, more: str
) -> None:
    if as_json:
        _print_json(shelf, text, [_object(item) for item in found])
        return
    console = wide_console()
    rows = found[:most]
    columns = [column for column in shelf.columns if any(item.figures[column.key] != "" for item in rows)]
    table = _table(columns, rows, words=False)
    if shelf.tells and console.width - console.measure(table).maximum >= LEAST_ABOUT:
        console.print(_table(columns, rows, words=True))
    elif not shelf.tells and fits(console, table):
        console.print(table)
    else:
        for item in rows:
            told = [in_words(item, column) for column in columns if item.figures[column.key] != ""]
            print_compactly(
                console, [item.name], [", ".join(told), item.about] if item.about else [", ".join(told)]
            )
    left = len(found) - len(rows)
    if left:
        more = f"{left:,} more: further words narrow them down, --all lists them"
    for line in (more, _how(shelf, "NAME")):
        if line:
            console.print(line, soft_wrap=True)  # not broken where one would copy it


def _table(columns: Sequence[FigureColumn], rows: Sequence[Item], words: bool) -> Table:
    table = plain_table()
    table.add_column("name\n", no_wrap=True)
    for column in columns:
        text = isinstance(rows[0].figures[column.key], str)
        head = f"{column.head}\n{column.unit}"
        table.add_column(head, justify="left" if text else "right", no_wrap=True)
    if words:
        table.add_column("about\n")
    for item in rows:
        table.add_row(item.name, *(cell_of(item, column) for column in columns), *[item.about] * words)
    return table


def _object(item: Item) -> dict[str, Any]:
    about = {"about": item.about} if item.about else {}
    return {"name": item.name, **item.figures, **about}


def _print_json(shelf: Shelf, text: str, objects: list[dict[str, Any]]) -> None:
    print(json.dumps({"text": text, shelf.kind: objects}, indent=2, ensure_ascii=False))
