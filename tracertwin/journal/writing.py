"""A journal of a run while it goes on: every outside input and what was sent for it, a line of JSON each.

In a file, in memory as far as its newest entries go, or both.

Every line has left the process when the reply leaves, so a killed run leaves all but its last line at most. A journal
that can't be written any more ends; the run doesn't.
"""

import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import Final

from modbus.codec.parser import Junk, Received
from modbus.codec.requests import Request
from modbus.line.conversation import Answer
from plant.base.problems import Problem, ProblemsError
from tracertwin import locking
from tracertwin.journal.entries import (
    End,
    Entry,
    Exchange,
    File,
    GivenCommand,
    Head,
    Noise,
    Peer,
    Sent,
    Stale,
    What,
    entry_line,
    file_line,
    head_line,
)

BEGINS: Final = b'{"journal"'  # of every journal; one may have been cut off even there


def _look_at(path: Path) -> None:
    """See that no other file than a journal is written over.

    Raises
    ------
    ProblemsError
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        begins = file.read(len(BEGINS))
    if not BEGINS.startswith(begins):
        why = "is not a journal, and is left as it is; give --record a new name"
        raise ProblemsError([Problem(str(path), 0, "", why)])


def _empty(fd: int, path: Path) -> None:
    """Empty a file; a pipe or a terminal has nothing to empty.

    Raises
    ------
    ProblemsError
        Another run is being recorded in it.
    """
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        return
    try:
        locking.lock(fd)
    except (BlockingIOError, PermissionError):
        why = "another serve records its run here; stop that one, or use another file"
        raise ProblemsError([Problem(str(path), 0, "", why)]) from None
    except OSError:
        pass  # a file system without locks
    os.ftruncate(fd, 0)


class Journal:
    """Writes down a run.

    Parameters
    ----------
    path : Path or None
        Written anew; None: in memory only.
    times_s : callable
        Where each of the plants stands [s UTC].
    hold : callable
        A context in which nobody else moves a plant, changes it or answers a request.
    warn : callable
        Told in a line of text why the journal ended before the run.
    refused : callable
        Why writes were refused since it was asked last.
    kept : int
        How many of the newest entries are kept in memory.

    Attributes
    ----------
    head : Head
        Once it has begun.
    """

    head: Head

    def __init__(
        self,
        path: Path | None,
        times_s: Callable[[], Sequence[int]],
        hold: Callable[[], AbstractContextManager[None]],
        warn: Callable[[str], None],
        refused: Callable[[], str] = str,
        kept: int = 0,
    ) -> None:
        self.refused = refused
        self._path = path
        self._times_s = times_s
        self._hold = hold
        self._warn = warn
        self._began_s = monotonic()
        self._writing = threading.Lock()
        self._fd: int | None = None
        self._number = 0
        self._newest: deque[Entry] = deque(maxlen=kept)

    def begin(self, head: Head, files: Sequence[File]) -> None:
        """Write how the run is set up.

        Raises
        ------
        ProblemsError
            The file can't be written.
        """
        self._began_s, self.head = monotonic(), head
        if self._path is None:
            return
        try:
            _look_at(self._path)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
            _empty(self._fd, self._path)
            for line in (head_line(head), *map(file_line, files)):
                self._write(line)
        except ProblemsError:
            self._give_up()
            raise
        except OSError as error:
            self._give_up()
            raise ProblemsError(
                [Problem(str(self._path), 0, "", f"cannot write: {error.strerror}")]
            ) from error

    def witness(
        self, line: int, answer: Answer, struck: Callable[[], tuple[str, ...]] = tuple
    ) -> "LineWitness":
        """What writes down one of the links; `struck` names the line faults that struck at its last request."""
        return LineWitness(self, line, answer, struck)

    @property
    def number(self) -> int:
        """Of the last entry."""
        return self._number

    @contextmanager
    def command(self, text: str) -> Iterator[None]:
        """Write down a command that is done meanwhile, with the plants held; stamped with where they stood before."""
        times_s, refused = tuple(self._times_s()), ""
        try:
            yield
        except ValueError as error:
            refused = str(error)
            raise
        finally:
            self.note(None, GivenCommand(text, refused), times_s)

    def hold(self) -> AbstractContextManager[None]:
        """Have nobody else move a plant, change it or answer a request."""
        return self._hold()

    def since_s(self, at_s: float) -> float:
        """A moment of the wall's monotonic clock, counted from the journal's beginning."""
        return at_s - self._began_s

    def note(self, line: int | None, what: What, times_s: tuple[int, ...] | None = None) -> None:
        """Write an entry, stamped with where the plants stand now unless told."""
        with self._writing:
            if self._fd is None and not self._newest.maxlen:
                return
            self._number += 1
            stamps = times_s or tuple(self._times_s())
            entry = Entry(self._number, stamps, self.since_s(monotonic()), line, what)
            self._newest.append(entry)
            if self._fd is None:
                return
            try:
                self._write(entry_line(entry))
            except OSError as error:
                self._give_up()
                self._warn(f"{self._path}: {error.strerror}; the journal ends before entry {self._number}")

    def newest(self, after: int = 0) -> list[Entry]:
        """The entries in memory with a greater number, oldest first."""
        with self._writing:
            found = list(takewhile(lambda entry: entry.number > after, reversed(self._newest)))
        return found[::-1]

    def end(self) -> None:
        """Write that the run was ended, and close the file."""
        self.note(None, End())
        with self._writing:
            self._give_up()

    def _write(self, line: str) -> None:
        assert self._fd is not None
        left = memoryview(f"{line}\n".encode("ascii"))
        while left:
            left = left[os.write(self._fd, left) :]

    def _give_up(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class LineWitness:
    """Writes down what one link hears and says; a `modbus.line.conversation.Witness`."""

    def __init__(
        self, journal: Journal, line: int, answer: Answer, struck: Callable[[], tuple[str, ...]]
    ) -> None:
        self._journal = journal
        self._line = line
        self._answer = answer
        self._struck = struck
        self._asked: Received | None = None

    def answer(self, request: Request) -> Sent:
        """Answer, and write it down; nobody moves or changes a plant meanwhile, so the stamp is exact."""
        with self._journal.hold():
            try:
                sent = self._answer(request)
            except Exception as error:
                self._note(request, None, repr(error))
                raise
            self._note(request, sent)
            return sent

    def _note(self, request: Request, sent: Sent, failure: str = "") -> None:
        asked = self._asked or Received(request, request.encode(), monotonic())
        self._asked = None
        asked_s = self._journal.since_s(asked.at_s)
        refused = self._journal.refused()
        exchange = Exchange(asked.raw, sent, asked_s, failure, refused, asked.transaction, self._struck())
        self._journal.note(self._line, exchange)

    def connected(self) -> None:
        self._journal.note(self._line, Peer(True))

    def closed(self) -> None:
        self._journal.note(self._line, Peer(False))

    def asked(self, received: Received) -> None:
        self._asked = received

    def stale(self, received: Received) -> None:
        self._journal.note(self._line, Stale(received.raw))

    def junk(self, junk: Junk) -> None:
        self._journal.note(self._line, Noise(junk.data, junk.why))
