"""Where tables of results are printed: whatever the terminal's width, whoever stops reading."""

from typing import Any, Final

from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from plant.base.streams import drop_stdout

# Rich would draw a table's frame in full on a terminal without box characters; here the stream writes them plainly.
HEAD_BOX: Final = Box("    \n    \n ── \n    \n    \n    \n    \n    \n", ascii=True)


class ResultsConsole(Console):
    """A console whose reader may leave, as `head` does: the run goes on and writes its files."""

    def on_broken_pipe(self) -> None:
        """Go on in silence; rich would end the program with exit code 1."""
        self.quiet = True
        drop_stdout()


def results_console(**options: Any) -> ResultsConsole:
    """A console for stdout, without markup of its own."""
    return ResultsConsole(highlight=False, **options)


def plain_table(**options: Any) -> Table:
    """A table with a rule below its heads and no frame."""
    return Table(
        **{"box": HEAD_BOX, "padding": (0, 1, 0, 0), "pad_edge": False, "show_edge": False, **options}
    )


def fits(console: Console, table: Table) -> bool:
    """Whether a table has room without a line of it being cut or wrapped."""
    unlimited = console.options.update(max_width=10_000)
    return Measurement.get(console, unlimited, table).maximum <= console.width
