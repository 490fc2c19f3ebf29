"""What the command's verbs share: options by their kinds, checks told as problems, Ctrl-C, words to the user."""

import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from typer.core import TyperCommand

from plant.base.interrupts import handled, interrupt
from tracertwin.assembly.options import OPTIONS, OptionRow
from tracertwin.files import fillable, writable

# What can be meant as HOST:PORT and as no site: its parser says what is wrong with it.
_ADDRESS_LIKE = re.compile(r"[\d.]+|https?://.*|(?!-)[^/\\]*:[^/\\]*(?<!\.yaml)(?<!\.yml)")


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[Any], Any]:
    """Parser of an option that is a number within limits, and says which when it isn't."""
    limits = (
        f"a whole number from {low:,} to {high:,}" if kind is int else f"a number from {low:g} to {high:g}"
    )

    def parse(text: Any) -> Any:
        with suppress(ValueError):
            value = kind(text)
            if low <= value <= high:  # never true for nan
                return value
        raise typer.BadParameter(f"must be {limits}, got {text!r}")

    return parse


def one_of(*words: str) -> Callable[[Any], str]:
    """Parser of an option that is one of some words, and says which would do."""

    def parse(text: Any) -> str:
        from plant.base.problems import did_you_mean

        if text in words:
            return str(text)
        raise typer.BadParameter(
            f"must be {' or '.join(words)}, got {text!r}{did_you_mean(str(text), words)}"
        )

    return parse


T = TypeVar("T")
SiteName = Annotated[
    str, typer.Argument(metavar="SITE", help="A site of config/sites by name, or the path of a site file.")
]


def option_of(row: OptionRow) -> Any:
    """What typer wants to know of an option: the type of its text, and how it is written."""
    if not row.metavar:
        return Annotated[bool, typer.Option(row.flag, help=row.help)]
    parser = None if row.limits is None else number(*row.limits)
    kind: Any = list[str] if row.repeats else str if row.limits is None else row.limits.kind
    if row.default is None:
        kind = kind | None
    return Annotated[kind, typer.Option(row.flag, parser=parser, metavar=row.metavar, help=row.help)]


if TYPE_CHECKING:  # what a type checker sees of options that other verbs share with serve
    Start = str | None
    Seed = int | None
    MapName = str
    Web = str | None
else:
    Start, Seed, MapName, Web = (option_of(OPTIONS[name]) for name in ("start", "seed", "map_name", "web"))


# By the first word of a metavar; what else is empty is refused where it is read.
_FILES_AND_NAMES = {
    "FILE": "a file",
    "DIR": "a folder",
    "SITE": "a name or a file",
    "MAP": "a name or a file",
    "NAME": "a name or a file",
    "PATH": "a file, a folder or a name",
}


class Verb(TyperCommand):
    """A verb that refuses an empty file or name, as of a variable that is not set: as a path it is this folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the words of the command line apart."""
        given, *_ = self.make_parser(ctx).parse_args(args=list(args))
        for each in self.params:
            kind, value = (each.metavar or "").strip("[].").partition(" ")[0], given.get(each.name)
            if kind in _FILES_AND_NAMES and "" in (value if isinstance(value, list | tuple) else [value]):
                checked(each.opts[0] if each.opts[0][:1] == "-" else kind, kind, _refuse_empty)
        return super().parse_args(ctx, args)


def _refuse_empty(kind: str) -> None:
    raise ValueError(f"give {_FILES_AND_NAMES[kind]}, got ''")


class Stop(BaseException):  # not an error: a wish
    """Ctrl-C or SIGTERM."""


def say(text: str) -> None:
    """A line to the user, beside the results on stdout."""
    with suppress(OSError):  # nobody reads it, or the disk under it is full: the plant goes on
        print(f"tracertwin: {text}", file=sys.stderr, flush=True)


def checked(option: str, value: T, parse: Callable[[T], Any]) -> Any:
    """An option's text, or what came of it, through a parser that raises ValueError."""
    from plant.base.problems import Problem, ProblemsError

    try:
        return parse(value)
    except ValueError as error:
        raise ProblemsError([Problem(option, 0, "", str(error))]) from None


def seconds(option: str, value: str) -> float:
    """An option's duration."""
    from plant.base.clock import parse_duration_s

    return float(checked(option, value, parse_duration_s))


def check_file(option: str, path: Path | None, endings: Sequence[str] = ()) -> None:
    """Refuse a file that couldn't be written, before the run that would fill it."""
    if path is not None:
        checked(option, str(path), partial(writable, endings=endings))


def check_folder(option: str, path: Path | None) -> None:
    """Refuse a folder that couldn't be made or written into, before the run that would fill it."""
    if path is not None:
        checked(option, path, fillable)


@contextmanager
def needing(option: str, extra: str) -> Iterator[None]:
    """Imports of an extra; says how to get it where it isn't installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        from plant.base.problems import Problem, ProblemsError

        why = f"needs {error.name}, which is not installed: pip install 'tracertwin[{extra}]'"
        raise ProblemsError([Problem(option, 0, "", why)]) from None


def with_bare_values(words: Sequence[str]) -> list[str]:
    """A command line in which an option that may stand alone has its value: ``--web`` is ``--web 127.0.0.1:8080``."""
    bare = {row.flag: row for row in OPTIONS.values() if row.bare}
    filled = []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        filled.append(word)
        if word in bare:
            try:
                bare[word].parse(after)
            except ValueError:
                if not _ADDRESS_LIKE.fullmatch(after):
                    filled.append(bare[word].bare)
    return filled


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C and SIGTERM raise `Stop` inside, and are swallowed at its end."""

    def stop(_signal: int, _frame: object) -> None:
        interrupt(Stop())

    with suppress(Stop), handled(dict.fromkeys((signal.SIGINT, signal.SIGTERM), stop)):
        yield
