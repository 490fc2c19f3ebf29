"""The records of a site that say what is wrong with its line, and how fast bytes leave.

What the texts mean is for those who serve the line to say: whoever loads the site brings the checks along.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from plant.base.records import Record, as_tuple

TextCheck = Callable[[str], Any]  # raises ValueError, saying what would do


def _as_text(given: Any) -> Any:
    """A bare baud rate is a number to YAML."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


def _checked(text: str, info: ValidationInfo) -> str:
    check: TextCheck | None = (info.context or {}).get(f"line.{info.field_name}")
    if check is not None:
        check(text)
    return text


FaultText = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked)]


class SiteLine(Record):
    """The line between controller and masters."""

    faults: Annotated[tuple[FaultText, ...], BeforeValidator(as_tuple)] = ()
    pace: FaultText | None = None
    half_duplex: bool = False
