"""One grammar for what breaks, wherever it is written: ``NAME:KEY=VALUE:...``.

``drop:0.05``, ``delay:0.1:by=300ms:from=12:00`` and ``load_short:ohm=0.05:after=10min`` are cut and read here, from the
command line, a site file or a command alike. What a key may be stands at the function that it is for, as an argument
annotated with a `Range`. Knows no fault and no upset.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeVar, get_type_hints

from plant.base.clock import parse_duration_s
from plant.base.problems import did_you_mean

K = TypeVar("K")
SHOW_ALL = "tracertwin faults"  # the command that lists every name


@dataclass(frozen=True, slots=True)
class Range:
    """What an argument may be: from the lowest to the highest, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """A key that a name knows.

    Attributes
    ----------
    key : str
        As users write it.
    default : float
        Of a duration [s].
    range : Range
    kind : str
        A duration is written with its unit, so its key has none; of any other number the key has it.
    argument : str
        Of the function; with the unit.
    """

    key: str
    default: float
    range: Range
    kind: Literal["number", "whole", "duration"] = "number"
    argument: str = ""

    def parsed(self, text: str) -> float:
        """The value of a text; a duration in seconds.

        Raises
        ------
        ValueError
            Saying what would do.
        """
        if self.kind == "duration":
            return self._within(parse_duration_s(text), text)
        if self.kind == "whole" and not re.fullmatch(r"[0-9]{1,9}", text):
            raise self._no_such(text)
        try:
            return self.checked(float(text))
        except ValueError:
            raise self._no_such(text) from None

    def checked(self, value: float) -> float:
        """A value that came as a number, the whole ones as int.

        Raises
        ------
        ValueError
            Saying what would do.
        """
        if self.kind == "whole":
            if not float(value).is_integer():
                raise self._no_such(value)
            value = int(value)
        return self._within(value, value)

    def _within(self, value: float, given: object) -> float:
        if not self.range.low <= value <= self.range.high:  # nor is nan
            raise self._no_such(given)
        return value

    def _no_such(self, given: object) -> ValueError:
        low, high = self.range.low, self.range.high
        must = {
            "number": f"be a number from {low:.10g} to {high:.10g}",
            "whole": f"be a whole number from {low:.0f} to {high:.0f}",
            "duration": f"lie in {low:g}..{high:g} s",
        }[self.kind]
        return ValueError(f"{self.key} must {must}, got {given!r}")

    def written(self, value: float | None = None) -> str:
        """A value as users write it, the default unless one is given: ``by=200ms``."""
        given = self.default if value is None else value
        if self.kind == "duration":
            return f"{self.key}={1000 * given:g}ms" if given < 1.0 else f"{self.key}={given:g}s"
        return f"{self.key}={given:.10g}"


class Sentence(NamedTuple):
    """A text cut into its parts."""

    name: str
    plain: str | None  # what follows the name without a key: the probability of a line fault
    told: dict[str, str]  # key -> value


def cut(text: str) -> Sentence:
    """A text as name, keys and values.

    Raises
    ------
    ValueError
        A key is given twice.
    """
    # a colon ends a part only where a key follows: those inside of times do not
    head, *parts = re.split(r":(?=\w*=)", text.strip())
    name, colon, plain = head.partition(":")
    told: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key in told:
            raise ValueError(f"{text}: {key} is given twice")
        told[key] = value
    return Sentence(name, plain if colon else None, told)


def look_up(name: str, table: Mapping[str, K], what: str) -> K:
    """The row of a name.

    Raises
    ------
    ValueError
        There is none; with the nearest one and all that there are.
    """
    if name not in table:
        known = f"known: {', '.join(table)} ({SHOW_ALL})"
        raise ValueError(f"unknown {what} {name!r}{did_you_mean(name, table)}; {known}")
    return table[name]


def check_keys(name: str, given: Iterable[str], known: Iterable[str]) -> None:
    """Check that a name has each key.

    Raises
    ------
    ValueError
        Naming the first that it does not have, the nearest one and all that it has.
    """
    known = tuple(known)
    for key in given:
        if key not in known:
            keys = f"its keys: {', '.join(known) or 'none'}"
            raise ValueError(f"{name} has no key {key!r}{did_you_mean(key, known)}; {keys}")


def parameters_of(function: Callable[..., Any]) -> dict[str, Parameter]:
    """Key -> what it may be, for each argument of a function that has a `Range`.

    Whole numbers are those of int, durations those of an argument in seconds (``by_s`` is the key ``by``).
    """
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for argument, signature in inspect.signature(function).parameters.items():
        limits = [extra for extra in getattr(hints[argument], "__metadata__", ()) if isinstance(extra, Range)]
        if limits:
            key = argument.removesuffix("_s")
            kind = _kind(hints[argument].__origin__, key != argument)
            found[key] = Parameter(key, signature.default, limits[0], kind, argument)
    return found


def _kind(of: type, in_seconds: bool) -> Literal["number", "whole", "duration"]:
    if in_seconds:
        return "duration"
    return "whole" if of is int else "number"


def arguments(parameters: Mapping[str, Parameter], values: Mapping[str, float]) -> dict[str, float]:
    """Values by key as arguments of the function, each checked once more.

    Raises
    ------
    ValueError
        Saying which one does not fit.
    """
    return {parameters[key].argument: parameters[key].checked(value) for key, value in values.items()}
