"""Standard output whatever its encoding, whoever stops reading.

Every verb needs this at its start, so nothing here waits for the library that draws tables.
"""

import codecs
import os
import sys
import unicodedata
from io import TextIOWrapper
from typing import Final, TextIO

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
