"""What a check of the design says: a number beside its limit, how bad that is, and what would mend it."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple, TypeAlias


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    CHECK = "check"  # works, but somebody should know why it is so
    WRONG = "wrong"  # breaks something, or cannot do what it is there for


class Remark(NamedTuple):
    """What a check found.

    Parameters
    ----------
    level : Level
    value : float
        The number that was compared ...
    unit : str
    found : str
        ... and how it is told, with its unit and what goes with it.
    limit : str
        What is accepted, with its unit.
    fix : str
        What to change, in a sentence; empty where all is well.
    keys : tuple of str
        Keys of the site file that decide it, the likeliest first.
    """

    level: Level
    value: float
    unit: str
    found: str
    limit: str
    fix: str
    keys: tuple[str, ...]


Find: TypeAlias = Callable[[Any], Remark | None]  # takes `plant.design.figures.Figures`


class Check(NamedTuple):
    """A row of `plant.design.sheet.CHECKS`.

    Parameters
    ----------
    name : str
    compares : str
        With what, for the table of the documentation.
    check_at, wrong_at : str
        From where on it is worth a look, and from where on wrong, in words.
    source : str
        Where these limits are from.
    find : callable
        The function that compares; returns None where there is nothing to compare.
    announced : bool
        Whether `run` and `serve` tell it even where it is only to be looked at.
    """

    name: str
    compares: str
    check_at: str
    wrong_at: str
    source: str
    find: Find
    announced: bool = False


def above(value: float, check_at: float, wrong_at: float) -> Level:
    """The level of a value that must not be too high."""
    return Level.WRONG if value > wrong_at else Level.CHECK if value > check_at else Level.OK


def below(value: float, check_at: float, wrong_at: float) -> Level:
    """The level of a value that must not be too low."""
    return Level.WRONG if value < wrong_at else Level.CHECK if value < check_at else Level.OK


def told(level: Level, fix: str) -> str:
    """The fix where there is something to mend."""
    return "" if level is Level.OK else fix
