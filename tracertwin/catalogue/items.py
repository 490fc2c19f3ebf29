"""What is found: a name, its key figures, and the text of the file that says it all."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from plant.base import configs
from plant.base.yamlfile import load_yaml

Figure = float | int | str


class FigureColumn(NamedTuple):
    """A figure of every item of a shelf, and how a table shows it."""

    key: str  # the unit in it, as in a site file
    head: str
    unit: str = ""
    decimals: int | None = None  # none: a text, or a number as short as it can be


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a site file can name."""

    name: str  # as a site file writes it
    figures: dict[str, Figure]  # by the keys of the shelf's columns
    about: str = ""  # in words


@dataclass(frozen=True, slots=True)
class WholeItem:
    """An item with its whole record."""

    item: Item
    text: str  # YAML: the file, or what could be one
    record: dict[str, Any]  # the same as data
    file: str = ""  # where it stands; empty for a row of a table


@dataclass(frozen=True, slots=True)
class Shelf:
    """All things of one kind.

    Parameters
    ----------
    kind : str
        In the plural, as the verb and the folder of ``config`` are called.
    usage : str
        How one is named, with ``NAME`` in its place.
    columns : tuple of FigureColumn
    items : callable
        All of them, in the order in which they are listed.
    show : callable
        The whole record of a name, one's own file too, or none if there is no such thing.
    first : callable or None
        What is listed without words, if not all.
    more : str
        What else can be found by words but is too much for a list; empty if nothing.
    tells : bool
        Whether a table has the words about each, too.
    """

    kind: str
    usage: str
    columns: tuple[FigureColumn, ...]
    items: Callable[[], Iterable[Item]]
    show: Callable[[str], WholeItem | None]
    first: Callable[[], Iterable[Item]] | None = None
    more: str = ""
    tells: bool = True


def cell_of(item: Item, column: FigureColumn) -> str:
    """A figure as a table shows it."""
    value = item.figures[column.key]
    return str(value) if column.decimals is None or isinstance(value, str) else f"{value:.{column.decimals}f}"


def in_words(item: Item, column: FigureColumn) -> str:
    """A figure with its name and unit, for where there is no table."""
    return " ".join(part for part in (column.head, cell_of(item, column), column.unit) if part)


def names_of(kind: str) -> list[str]:
    """Names of the files of a folder of ``config``."""
    return sorted(path.stem for path in (configs.config_dir() / kind).glob("*.yaml"))


def is_path(name: str) -> bool:
    """Whether a name is a file of one's own rather than one of ``config``; see `configs.find`."""
    return name.lower().endswith((".yaml", ".yml", ".pan")) or "/" in name


def shown_file(kind: str, name: str, item_of: Callable[[str], Item]) -> WholeItem | None:
    """A YAML file of ``config``, or of one's own, as it stands; none if there is no such name.

    Raises
    ------
    ProblemsError
        A path is not a file, or the file can't be used.
    """
    if not is_path(name) and name not in names_of(kind):
        return None
    path = configs.find(kind, name)
    document = load_yaml(path)
    return WholeItem(item_of(name), path.read_text(encoding="utf-8"), document.data, str(path))
