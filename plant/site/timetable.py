"""The records of a site that say what breaks, and when."""

from pydantic import Field, field_validator, model_validator

from plant.base.clock import parse_duration_s, parse_local, to_utc_s
from plant.base.records import Record
from plant.site import upsets


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

    def moments(self, start_utc_s: int, timezone: str) -> tuple[float, float | None]:
        """When it begins and ends [s UTC] in a run from `start_utc_s`; None for an end that doesn't come."""
        begin = float(start_utc_s)
        if self.at is not None:
            begin = float(to_utc_s(parse_local(self.at), timezone))
        elif self.after is not None:
            begin += parse_duration_s(self.after)
        return begin, None if self.lasts is None else begin + parse_duration_s(self.lasts)
