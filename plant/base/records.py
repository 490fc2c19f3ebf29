"""What the records of a site file are made of: strict, closed, frozen, with limits that are told in words."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag


def series(length: int, one_for_all: bool = False, **limits: float) -> Any:
    """The type of so many numbers in a row; one number may stand for all of them."""

    def spread(value: Any) -> Any:
        if one_for_all and isinstance(value, int | float) and not isinstance(value, bool):
            return (value,) * length
        if isinstance(value, list | tuple) and len(value) != length:
            raise ValueError(f"must be {length} numbers{', or one for all' * one_for_all}, got {len(value)}")
        return as_tuple(value)

    number = Annotated[float, Field(allow_inf_nan=False, **limits)]
    return Annotated[tuple[number, ...], BeforeValidator(spread)]


def listed(of: Any, at_least: int = 0, exactly: int | None = None) -> Any:
    """The type of a row of records or series; `exactly` so many, or at least so many."""

    def counted(value: Any) -> Any:
        if isinstance(value, list | tuple):
            if exactly is not None and len(value) != exactly:
                raise ValueError(f"must have {exactly} entries, got {len(value)}")
            if len(value) < at_least:
                raise ValueError(
                    f"must have at least {at_least} {'entry' if at_least == 1 else 'entries'}, got {len(value)}"
                )
        return as_tuple(value)

    return Annotated[tuple[of, ...], BeforeValidator(counted)]


def as_tuple(given: Any) -> Any:
    """A list of YAML as the tuple that a record keeps; anything else as it is."""
    return tuple(given) if isinstance(given, list) else given


def monthly(**limits: float) -> Any:
    """Twelve numbers, January first, or one for all months."""
    return series(12, one_for_all=True, **limits)


def one_or_monthly(**limits: float) -> Any:
    """One number, or twelve that hold for a month each, January first; see `in_month`."""
    number = Annotated[float, Field(allow_inf_nan=False, **limits)]
    return Annotated[
        Annotated[number, Tag("one")] | Annotated[series(12, False, **limits), Tag("twelve")],
        Discriminator(lambda value: "twelve" if isinstance(value, list | tuple) else "one"),
    ]


def in_month(value: float | tuple[float, ...], month: int) -> float:
    """What holds in a month, 0 for January: from its first day to its last, without a way from one to the next."""
    return float(value[month] if isinstance(value, tuple) else value)


Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Temperature = Annotated[float, Field(ge=-60.0, le=90.0, allow_inf_nan=False)]


class Record(BaseModel):
    """Strict (6.5 is not a whole number, "5" not a number), closed (no unknown keys) and frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
