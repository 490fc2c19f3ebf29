"""The records of a site that say what breaks, and when."""

from pydantic import Field, field_validator, model_validator

from plant import upsets
from plant.clock import parse_duration_s, parse_local
from plant.records import Record


class Upset(Record):
    """A fault of the plant: what, from when, for how long."""

    name: str
    at: str | None = None  # local civil time; or
    after: str | None = None  # so long after the run's beginning
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
        upsets.check(self.name, self.values)
        return self
