"""Where tables are printed, and how wide."""

import os
from collections.abc import Iterable
from textwrap import wrap
from typing import Final

from rich.console import Console

from plant.report.output import results_console

PLAIN_WIDTH: Final = 100  # columns into a file or a pipe
LEAST_WIDTH: Final = 16  # of wrapped text, on however narrow a terminal


def wide_console() -> Console:
    """On a terminal as wide as that; elsewhere wide enough for the tables, or as ``COLUMNS`` says."""
    console = results_console(markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console


def print_compactly(console: Console, head: Iterable[str], below: Iterable[str]) -> None:
    """A table's row on a terminal too narrow for the table: its cells in a line, and indented what explains them."""
    console.print(" ".join(cell for cell in head if cell), soft_wrap=True)
    for line in "\n".join(below).splitlines():
        for part in wrap(line, max(console.width - 4, LEAST_WIDTH)) or [""]:
            console.print(f"    {part}", soft_wrap=True)
