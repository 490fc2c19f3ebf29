"""Where tables are printed, and how wide."""

import os
from typing import Final

from rich.console import Console

from plant.report.output import results_console

PLAIN_WIDTH: Final = 100  # columns into a file or a pipe


def wide_console() -> Console:
    """On a terminal as wide as that; elsewhere wide enough for the tables, or as ``COLUMNS`` says."""
    console = results_console(markup=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PLAIN_WIDTH
    return console
