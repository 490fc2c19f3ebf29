"""What is wrong with something a person wrote, in that person's words."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Parameters
    ----------
    file : str
        The file as the user named it.
    line : int
        Line in that file, from 1; 0 where there is no line to point at.
    where : str
        Dotted path of the key, ``battery.capacity_ah``; empty for the file as a whole.
    message : str
        What was wrong and what would do.
    """

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.where, self.message) if part)


class ProblemsError(ValueError):
    """A file, an option or a set of them that can't be used; carries every problem at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class AtKeyError(ValueError):
    """A value that only the whole record shows to be wrong, with the path of its key in that record."""

    def __init__(self, path: tuple[str | int, ...], message: str) -> None:
        super().__init__(message)
        self.path = path


def shown(value: object, most: int = 80) -> str:
    """A value as its writer knows it, in quotes if it is text; only the beginning of a long one."""
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean X?)`` for the nearest known word, or the one that adds a unit to it; else nothing."""
    words = list(known)
    near = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    near = near or [longer for longer in words if longer.startswith(f"{word}_")]
    return f" (did you mean {near[0]}?)" if near else ""


def near_or_known(word: str, known: Iterable[str]) -> str:
    """`did_you_mean`; where no word is near, ``; known: `` and all of them."""
    words = list(known)
    return did_you_mean(word, words) or (f"; known: {', '.join(words)}" if words else "")
