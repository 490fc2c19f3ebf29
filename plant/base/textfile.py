"""Text files of other programs as text, in whatever encoding they were saved."""

import codecs
import gzip
import zlib
from pathlib import Path

from plant.base.problems import Problem, ProblemsError

_MARKS = (  # a mark at the beginning says what follows; that of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


def text_of(path: Path) -> str:
    """A file's text, out of gzip if it is compressed, with line ends as Python has them.

    Raises
    ------
    ProblemsError
        If the compressed file is cut off, or an archive.
    """
    return decoded(_plain(path)).replace("\r\n", "\n").replace("\r", "\n")


def _plain(path: Path) -> bytes:
    data = path.read_bytes()
    if data.startswith(_ZIP):
        raise ProblemsError(
            [Problem(str(path), 0, "", "is a zip archive; unpack it and name the file in it")]
        )
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        message = "is compressed by gzip, and cut off or damaged; download it again"
        raise ProblemsError([Problem(str(path), 0, "", message)]) from None


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
