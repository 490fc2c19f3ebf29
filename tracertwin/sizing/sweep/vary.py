"""What is varied, out of the words of the command line: ``array.parallel=1:6``, ``battery.model=agm,lifepo4``.

Knows keys and lists of values; what a value may be is for the site's own records to say.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from plant.base.yamlfile import value_of
from tracertwin.scenario.file import unknown_key
from tracertwin.scenario.vocabulary import vocabulary

PV: Final = "pv"
BATTERY: Final = "battery.capacity_ah"  # what `--battery` varies
PARALLEL: Final = "array.parallel"
LOAD: Final = "load.scale"
MORE_SERVES_MORE: Final = (PV, BATTERY, PARALLEL)
MORE_SERVES_LESS: Final = (LOAD,)
MOST_VALUES: Final = 1000
MOST_NUMBER: Final = 1e9  # none of a site is as large
COMMON: Final = {
    "seed": "use --seeds",
    "start": "use --override start=... for their first year, and --years",
    "costs.currency": "use --override; costs in several can't be compared",
}
UNITS: Final = (("_ah", "Ah"), ("_w", "W"), ("_deg", "deg"), ("_v", "V"), ("_m", "m"), ("_c", "degC"))
_NUMBER: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?")
_HOW: Final = "write a range 50:400:50, or a list 30,45,60"


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is varied.

    Parameters
    ----------
    key : str
        Dotted path of the site's key, or `PV`: watts on the plates of an array like the site's.
    values : tuple
    option : str
        That varies it, for messages.
    """

    key: str
    values: tuple[Any, ...]
    option: str = "--vary"

    @property
    def heading(self) -> str:
        """As a table has it."""
        return {PV: "PV", BATTERY: "battery"}.get(self.key, self.key)

    @property
    def unit(self) -> str:
        """Of its numbers; nothing for plain ones and names."""
        if self.key == PV:
            return "W"
        if self.key.startswith("costs."):  # EUR/W and the like, or whatever currency the site has
            return ""
        return next((unit for ending, unit in UNITS if self.key.endswith(ending)), "")

    @property
    def sense(self) -> int:
        """1 where more of it serves more, -1 where it serves less, 0 where nothing of the kind holds.

        As a rule: `tracertwin.sizing.choosing.search` has where it doesn't hold.
        """
        if not all(_is_number(value) for value in self.values):
            return 0
        return int(self.key in MORE_SERVES_MORE) - int(self.key in MORE_SERVES_LESS)

    def formatted(self, value: Any) -> str:
        """A value of it in words: ``400 W``, ``lifepo4``."""
        if _is_number(value):
            return f"{value:.10g}{f' {self.unit}' * bool(self.unit)}"
        return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse_axis(text: str) -> Axis:
    """``KEY=VALUES`` as an axis.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    key, equals, values = text.partition("=")
    if not equals or not values.strip():
        raise ValueError(f"{text!r} lacks a key or its values; write array.parallel=1:6")
    key = key.strip()
    if told := unknown_key(key, vocabulary()):
        raise ValueError(told)
    return Axis(key, parse_values(values))


def parse_override(text: str) -> tuple[str, Any]:
    """``KEY=VALUE`` as a key of the site and its value.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    key, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise ValueError(f"{text!r} lacks a key or its value; write battery.capacity_ah=200")
    if told := unknown_key(key.strip(), vocabulary()):
        raise ValueError(told)
    return key.strip(), value_of(value)


def parse_numbers(text: str) -> tuple[float, ...]:
    """Values that have to be numbers above 0.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    values = parse_values(text)
    for value in values:
        if not _is_number(value) or not value > 0:
            raise ValueError(f"must be numbers above 0, got {value!r}; {_HOW}")
    return values


def parse_values(text: str) -> tuple[Any, ...]:
    """A range, both ends included, or a list; ascending and each value once where they are numbers.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if found := _RANGE.fullmatch(text.strip()):
        _check_size(text, [float(part) for part in found.groups() if part is not None])
        return _range(text, *(None if part is None else Decimal(part) for part in found.groups()))
    parts = [part.strip() for part in re.split(r",(?![^\[{]*[\]}])", text)]
    if not all(parts):
        raise ValueError(f"{text!r} has an empty value in it; {_HOW}")
    values = [value_of(part) for part in parts]
    _check_size(text, [value for value in values if _is_number(value)])
    if any(isinstance(value, str) and value.count(":") == 2 for value in values):
        raise ValueError(f"{text!r} is not a range of numbers; {_HOW}")
    for place, value in enumerate(values):
        if value in values[:place]:
            raise ValueError(f"{text!r} has {value!r} twice")
    return tuple(sorted(values)) if all(map(_is_number, values)) else tuple(values)


def _check_size(text: str, numbers: Sequence[float]) -> None:
    if any(not abs(number) <= MOST_NUMBER for number in numbers):
        raise ValueError(f"{text!r}: numbers go up to {MOST_NUMBER:g}; {_HOW}")


def _range(text: str, first: Decimal | None, last: Decimal | None, step: Decimal | None) -> tuple[Any, ...]:
    assert first is not None
    assert last is not None
    by = Decimal(1) if step is None else step
    if by <= 0:
        raise ValueError(f"{text!r}: its step must be above 0; {_HOW}")
    if last < first:
        raise ValueError(
            f"{text!r} ends before it begins; write {last}:{first}{f':{by}' * (step is not None)}"
        )
    if last - first >= MOST_VALUES * by:
        raise ValueError(f"{text!r} is more than {MOST_VALUES:,} values")
    number = int((last - first) / by) + 1
    return tuple(_plain(first + k * by) for k in range(number))


def _plain(value: Decimal) -> int | float:
    """A whole number as one, for keys that count things; decimals without what binary adds: 0.1, 0.2, 0.3."""
    return int(value) if value == value.to_integral_value() and "." not in str(value) else float(value)


def check_axes(axes: Sequence[Axis]) -> None:
    """Check that no two axes vary the same, and none what all designs have in common.

    Raises
    ------
    ValueError
        Naming it.
    """
    keys = [axis.key for axis in axes]
    for key in keys:
        if key in COMMON:
            raise ValueError(f"{key} is what all designs have in common; {COMMON[key]}")
        if keys.count(key) > 1:
            raise ValueError(f"{key} is varied twice")
    if PV in keys and PARALLEL in keys:
        raise ValueError(f"--pv and {PARALLEL} both say how many modules there are; keep one of them")
