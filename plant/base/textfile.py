"""Text files of other programs as text, in whatever encoding they were saved."""

import codecs
from pathlib import Path

_MARKS = (  # a mark at the beginning says what follows; that of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(path: Path) -> str:
    """A file's text, with line ends as Python has them."""
    return decoded(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")


def decoded(data: bytes) -> str:
    """A file's bytes as text: UTF-16 or UTF-32 by their mark, UTF-8, or else the code page of Windows in the west.

    Any byte can be read: station names matter to nobody here, and may not cost a year of weather.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    # UTF-16 without a mark, of a text that begins with a letter or digit.
    if data[1:2] == b"\0" and data[:1].isascii():
        return data.decode("utf-16-le", errors="replace")
    if data[:1] == b"\0" and data[1:2].isascii():
        return data.decode("utf-16-be", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.removeprefix(codecs.BOM_UTF8).decode("cp1252", errors="replace")
