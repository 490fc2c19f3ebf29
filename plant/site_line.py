"""The records of a site that say what is wrong with its line, and how fast bytes leave.

What the texts mean is for those who serve the line to say: whoever loads the site brings the checks along.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo, field_validator

from plant.records import Record

Check = Callable[[str], Any]  # raises ValueError, saying what would do


def _as_text(given: Any) -> Any:
    """A bare baud rate is a number to YAML."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _as_tuple(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


class Line(Record):
    """The line between controller and masters."""

    faults: Annotated[tuple[str, ...], BeforeValidator(_as_tuple)] = ()
    pace: Annotated[str | None, BeforeValidator(_as_text)] = None
    half_duplex: bool = False

    @field_validator("faults", "pace")
    @classmethod
    def _means_something(cls, given: Any, info: ValidationInfo) -> Any:
        check: Check | None = (info.context or {}).get(info.field_name)
        if check is not None and given is not None:
            for text in given if isinstance(given, tuple) else (given,):
                check(text)
        return given
