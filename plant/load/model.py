"""What hangs on the load output as a site file has it: one daily profile, named loads of any kind, or both."""

from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final
from zlib import crc32

from pydantic import BeforeValidator, Field, model_validator

from plant.base.problems import did_you_mean
from plant.base.records import Record, listed
from plant.load.kinds import Hourly, HourlyNoise, Profile
from plant.load.part import CONSTANT_POWER, KINDS, Mix, Part

AnyPart: Final[Any] = reduce(or_, KINDS.values())


def _known_kind(given: Any) -> Any:
    if isinstance(given, dict):
        kind = given.get("kind")
        if kind not in KINDS:
            raise ValueError(
                f"kind must be one of {', '.join(KINDS)}, got {kind!r}{did_you_mean(str(kind), KINDS)}"
            )
    elif not isinstance(given, Part):
        raise ValueError(f"must be a mapping with name and kind, got {given!r}")
    return given


Item = Annotated[AnyPart, Field(discriminator="kind"), BeforeValidator(_known_kind)]


class Load(Record):
    """What hangs on the load output: one daily profile, named loads, or both."""

    hourly_w: Hourly | None = None
    noise: HourlyNoise = 0.0
    mix: Mix = CONSTANT_POWER
    items: listed(Item) = ()  # type: ignore[valid-type]
    scale: Annotated[float, Field(ge=0.0, le=1000.0, allow_inf_nan=False)] = 1.0  # of all demand

    @model_validator(mode="after")
    def _some_load(self) -> "Load":
        if self.hourly_w is None and not self.items:
            raise ValueError("give hourly_w (24 numbers), items, or both; no load is hourly_w of 24 zeros")
        names = [item.name for item in self.items]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"items: {name!r} is given twice; each item needs its own name")
        return self

    def parts(self) -> Iterator[tuple[int, Part]]:
        """Every load with the key of its chance: 0 for the daily profile, else made from the name alone.

        So one load more, or another order, leaves the others as they were.
        """
        if self.hourly_w is not None:
            yield 0, Profile(name="hourly_w", hourly_w=self.hourly_w, noise=self.noise, mix=self.mix)
        for item in self.items:
            yield 1 + crc32(item.name.encode()), item
