"""Where results are printed: whatever the terminal's alphabet and width, whoever stops reading."""

import codecs
import os
import sys
import unicodedata
from io import TextIOWrapper
from typing import Any, Final, TextIO

from rich.box import Box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

# Rich would draw a table's frame in full on a terminal without box characters; here the stream writes them plainly.
HEAD_BOX: Final = Box("    \n    \n ── \n    \n    \n    \n    \n    \n", ascii=True)
PLAIN: Final = str.maketrans({
    **dict.fromkeys(" ▏▎▍", " "), **dict.fromkeys("▌▋▊▉█▐", "#"), "░": "-", "─": "-", "²": "2", "³": "3", "°": "deg ",
    "µ": "u", "μ": "u", "Ω": "ohm", "×": "x", "·": "*", "–": "-", "—": "-", "…": "...", "→": "->", "≤": "<=",
    "≥": ">=", "‘": "'", "’": "'", "“": '"', "”": '"',
})  # fmt: skip


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding lacks: those of ASCII that look or read like them."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    letters = unicodedata.normalize("NFKD", text)
    return "".join(c if c.isascii() else "?" for c in letters if not unicodedata.combining(c)), error.end


codecs.register_error("plainly", _plainly)


def write_plainly(*streams: TextIO) -> None:
    """Have streams write what their encoding lacks in ASCII, instead of failing at it."""
    for stream in streams:
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="plainly")


def drop_stdout() -> None:
    """Send what is still to be printed nowhere: nobody reads it, or it can't be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class ResultsConsole(Console):
    """A console whose reader may leave, as `head` does: the run goes on and writes its files."""

    def on_broken_pipe(self) -> None:
        """Go on in silence; rich would end the program with exit code 1."""
        self.quiet = True
        drop_stdout()


def results_console(**options: Any) -> ResultsConsole:
    """A console for stdout, without markup of its own."""
    return ResultsConsole(highlight=False, **options)


def fits(console: Console, table: Table) -> bool:
    """Whether a table has room without a line of it being cut or wrapped."""
    unlimited = console.options.update(max_width=10_000)
    return Measurement.get(console, unlimited, table).maximum <= console.width
