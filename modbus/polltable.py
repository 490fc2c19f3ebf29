"""What `tracertwin poll` has found, as a table for people and as JSON for scripts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from rich import box
from rich.table import Table

from modbus.console import wide_console

HEADS: Final = ("address", "name", "value", "unit", "words", "meaning")
WIDE: Final = 96  # columns
TITLES: Final = {
    "input": "input registers (04)",
    "holding": "holding registers (03)",
    "coil": "coils (01)",
    "discrete": "discrete inputs (02)",
}


@dataclass(frozen=True, slots=True)
class Line:
    """What stands at an address.

    Attributes
    ----------
    words : tuple of int or None
        As they came, low word first; None for what the device refused, `meaning` then says how.
    text : str
        The value for people.
    value : float or None
        The value for scripts.
    meaning : tuple of str
        What the value says, where it is a code or a row of bits.
    exception : int or None
        Code of the exception it was refused with, 0 for silence.
    """

    table: str
    address: int
    name: str
    words: tuple[int, ...] | None
    text: str = ""
    value: float | None = None
    unit: str = ""
    meaning: tuple[str, ...] = ()
    exception: int | None = None


def print_table(lines: Sequence[Line]) -> None:
    """Print a table of the lines, with a heading for each of the device's tables if there are several.

    A column that would be empty is left out. On a narrow terminal the words make room for what they mean.
    """
    console = wide_console()
    cells = [_cells(line) for line in lines]
    heads = [head for head in HEADS if any(cell[head] for cell in cells)]
    if console.width < WIDE and "words" in heads:
        heads.remove("words")
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for head in heads:
        table.add_column(head, justify="right" if head == "value" else "left", no_wrap=head != "meaning")
    several = len({line.table for line in lines}) > 1
    before = ""
    for line, cell in zip(lines, cells, strict=True):
        if several and line.table != before:
            if before:
                table.add_row()
            table.add_row("", TITLES[line.table], style="bold")
            before = line.table
        table.add_row(*[cell[head] for head in heads], style=None if line.exception is None else "red")
    console.print(table)


def _cells(line: Line) -> dict[str, str]:
    words = "" if line.words is None else " ".join(f"{word:04X}" for word in line.words)
    if line.table in ("coil", "discrete"):
        words = ""
    meaning = "\n".join(line.meaning)
    if line.exception:
        meaning = f"exception {line.exception:02d}: {meaning}"
    texts = (f"0x{line.address:04X}", line.name, line.text, line.unit, words, meaning)
    return dict(zip(HEADS, texts, strict=True))


def print_json(lines: Sequence[Line], **about: Any) -> None:
    """Print one JSON object: what it is about, and `registers`, a list of objects.

    Each has `table`, `address` and `name`, and then either `value`, `unit`, `words` and `meaning` (a list of
    sentences), or `exception`, its code (0: no reply), and `meaning`.
    """
    print(json.dumps({**about, "registers": [_object(line) for line in lines]}, indent=2, ensure_ascii=False))


def _object(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = {"table": line.table, "address": line.address, "name": line.name}
    if line.exception is None:
        told |= {"value": line.value, "unit": line.unit, "words": line.words}
    else:
        told["exception"] = line.exception
    return told | {"meaning": line.meaning}
