"""A journal out of its file: head, files and entries, and what is wrong with it by line."""

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from plant.base.problems import Problem, ProblemsError
from tracertwin.journal.entries import End, Entry, File, Head, JournalError, read_head, read_line


class JournalFile:
    """A journal that is there.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ProblemsError
        If it can't be read, is not a journal or has another format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut_line = 0  # known once all entries are read: the line that a killed run left unfinished
        self.is_ended = False  # likewise: whether the run came to its end
        lines = self._lines()
        _, first = next(lines, (1, ""))
        try:
            self.head: Head = read_head(first)
        except JournalError as error:
            self._refuse(1, str(error))
        self.files: dict[str, str] = {}
        for _, what in self._read(lines):
            if isinstance(what, Entry):
                return
            self.files[what.name] = what.text
        self._refuse(self.cut_line, "ends before its first entry: there is nothing to replay")

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Line number and entry, in order.

        Raises
        ------
        ProblemsError
            At a line that is none, or that doesn't follow the one before.
        """
        lines = self._lines()
        next(lines)
        last = 0
        for number, what in self._read(lines):
            if isinstance(what, Entry):
                if what.number != last + 1:
                    self._refuse(number, f"entry {what.number} follows entry {last}; {last + 1} is missing")
                if len(what.times_s) != len(self.head.units):
                    self._refuse(
                        number, f"entry {what.number} has {len(what.times_s)} times, not one for each unit"
                    )
                last = what.number
                self.is_ended = isinstance(what.what, End)
                yield number, what

    def _lines(self) -> Iterator[tuple[int, str]]:
        try:
            with self.path.open(encoding="ascii", errors="replace") as lines:
                yield from enumerate(lines, 1)
        except OSError as error:
            raise ProblemsError([Problem(str(self.path), 0, "", f"cannot read: {error.strerror}")]) from None

    def _read(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, File | Entry]]:
        for number, text in lines:
            if not text.endswith("\n"):
                self.cut_line = number
                return
            try:
                what = read_line(text)
            except JournalError as error:
                self._refuse(number, str(error))
            yield number, what

    def _refuse(self, number: int, why: str) -> NoReturn:
        raise ProblemsError([Problem(str(self.path), number, "", why)])
