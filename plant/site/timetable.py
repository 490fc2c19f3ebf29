"""What breaks in a plant, and when: the text and the record of an upset.

``load_short:ohm=0.05:after=10min`` and ``{name: load_short, after: 10min, values: {ohm: 0.05}}`` are the same.
"""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from plant.base.civiltime import moment_utc_s
from plant.base.clock import parse_duration_s, parse_local
from plant.base.grammar import check_keys, cut, look_up
from plant.base.records import Record, as_tuple
from plant.site.upsets import UPSETS, check

WHEN: Final = ("at", "after", "lasts")  # what every upset can be told
FORM: Final = "NAME:KEY=VALUE..., e.g. load_short or load_short:ohm=0.05:after=10min"


class Upset(Record):
    """A fault of the plant: what, from when, for how long."""

    name: str
    at: str | None = None  # local civil time; or
    after: str | None = None  # so long after the beginning of the run, or after the command that says so
    lasts: str | None = None  # to the end unless given
    values: dict[str, float] = Field(default_factory=dict)

    @field_validator("at")
    @classmethod
    def _is_a_time(cls, text: str | None) -> str | None:
        if text is not None:
            parse_local(text)
        return text

    @field_validator("after", "lasts")
    @classmethod
    def _is_a_duration(cls, text: str | None) -> str | None:
        if text is not None:
            parse_duration_s(text)
        return text

    @model_validator(mode="after")
    def _makes_sense(self) -> "Upset":
        if self.at is not None and self.after is not None:
            raise ValueError("give at or after, not both")
        check(self.name, self.values)
        return self

    def __str__(self) -> str:
        """As users write it."""
        parameters = UPSETS[self.name].parameters
        told = [parameters[key].written(value) for key, value in self.values.items()]
        told += [f"{key}={getattr(self, key)}" for key in WHEN if getattr(self, key) is not None]
        return ":".join([self.name, *told])

    def moments(self, start_utc_s: int, timezone: str) -> tuple[float, float | None]:
        """When it begins and ends [s UTC], `after` counted from a start; None for an end that doesn't come."""
        begin = float(start_utc_s)
        if self.at is not None:
            begin = float(moment_utc_s(parse_local(self.at), timezone))
        elif self.after is not None:
            begin += parse_duration_s(self.after)
        return begin, None if self.lasts is None else begin + parse_duration_s(self.lasts)


def parse_upset(text: str) -> Upset:
    """The upset that a text names.

    Raises
    ------
    ValueError
        Saying what is wrong with it and what would do.
    """
    name, plain, told = cut(text)
    kind = look_up(name, UPSETS, "upset")
    try:
        if plain is not None:
            raise ValueError(f"{plain!r} is not KEY=VALUE; write {FORM}")
        check_keys(name, told, (*kind.parameters, *WHEN))
        values = {key: kind.parameters[key].parsed(value) for key, value in told.items() if key not in WHEN}
        return Upset(name=name, values=values, **{key: told[key] for key in WHEN if key in told})
    except ValidationError as error:  # a ValueError too, but of many lines
        raise ValueError(f"{text}: {first_of(error)}") from None
    except ValueError as error:
        raise ValueError(f"{text}: {error}") from None


def first_of(error: ValidationError) -> str:
    """What was wrong first, in the words of whoever checked it."""
    return error.errors()[0]["msg"].removeprefix("Value error, ")


def _as_record(given: Any) -> Any:
    if isinstance(given, str):
        return parse_upset(given)
    if not isinstance(given, dict | Upset):
        raise ValueError(f"write {FORM}")
    return given


Upsets = Annotated[tuple[Annotated[Upset, BeforeValidator(_as_record)], ...], BeforeValidator(as_tuple)]
