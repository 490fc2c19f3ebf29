"""Lists of appliances as data: what stands in ``config/loads``, validated; not how it is used during a day."""

from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from plant.base import configs
from plant.base.problems import ProblemsError
from plant.base.records import NotNegative, Record, listed, series
from plant.base.yamlfile import KeyPath, load_yaml, problems_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MIN = 1440

Minutes = Annotated[int, Field(ge=1, le=DAY_MIN)]
UseWindow = series(2, ge=0.0, le=24.0)


class Appliance(Record):
    """Some equal appliances, each used now and then inside windows of the civil day."""

    name: str
    number: Annotated[int, Field(ge=1, le=1000)] = 1
    power_w: NotNegative
    windows_h: listed(UseWindow, at_least=1)  # type: ignore[valid-type]
    use_min: Minutes  # mean time of use in a day on which it is used
    variability: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    minimum_on_min: Minutes = 1
    maximum_on_min: Minutes = DAY_MIN
    every_min: Minutes | None = None  # a compressor: on once in every stretch of about this length
    probability: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    days: listed(Literal[DAYS], at_least=1) = DAYS  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _windows_in_order(self) -> "Appliance":
        for start, end in self.windows_h:
            if start >= end:
                raise ValueError(
                    f"windows_h: a window must end after it begins, got {start:g} to {end:g}; "
                    "a use over midnight is two windows"
                )
        for before, after in pairwise(self.windows_h):
            if after[0] <= before[1]:
                raise ValueError(f"windows_h: windows must follow one another with a gap, got {after[0]:g} h")
        return self

    @model_validator(mode="after")
    def _use_fits(self) -> "Appliance":
        least, most = self.use_min * (1.0 - self.variability), self.use_min * (1.0 + self.variability)
        room = sum(end - start for start, end in self.windows_min())
        if self.maximum_on_min < self.minimum_on_min:
            raise ValueError(f"maximum_on_min must be at least minimum_on_min, {self.minimum_on_min}")
        if least < self.minimum_on_min:
            raise ValueError(
                f"minimum_on_min must be at most the shortest use, {least:g} min (use_min less variability)"
            )
        if most > room:
            raise ValueError(
                f"use_min with variability is up to {most:g} min, but the windows hold {room} min"
            )
        return self

    @model_validator(mode="after")
    def _cycles_hold_the_minimum(self) -> "Appliance":
        if self.every_min is not None:
            cycles, room = (
                sum(n for *_, n in self.cycles()),
                sum(end - start for start, end in self.windows_min()),
            )
            shortest = min((end - start) // n for start, end, n in self.cycles())
            on = int(self.use_min * (1.0 - self.variability) * shortest / room)
            if on < self.minimum_on_min:
                raise ValueError(
                    f"minimum_on_min must be at most {on}: {cycles} cycles a day share use_min less variability"
                )
        return self

    def windows_min(self) -> list[tuple[int, int]]:
        """First minute of each window and the one after its last, in minutes of the civil day."""
        return [(round(60 * start), round(60 * end)) for start, end in self.windows_h]

    def cycles(self) -> list[tuple[int, int, int]]:
        """First minute of each window, the one after its last, and how many cycles it is parted into."""
        every = self.every_min or DAY_MIN
        return [(start, end, max(1, round((end - start) / every))) for start, end in self.windows_min()]

    @property
    def mean_wh_day(self) -> float:
        """Energy of a mean day of the week [Wh]."""
        share = self.probability * len(set(self.days)) / len(DAYS)
        return self.number * self.power_w * self.use_min / 60.0 * share


class ApplianceList(Record):
    """A household, a cabin, a school: appliances and where the figures are from."""

    title: str
    source: str = ""
    appliances: listed(Appliance, at_least=1)  # type: ignore[valid-type]

    @property
    def mean_wh_day(self) -> float:
        """Energy of a mean day of the week [Wh]."""
        return float(sum(appliance.mean_wh_day for appliance in self.appliances))


@lru_cache(maxsize=64)
def find_appliances(name: str) -> ApplianceList:
    """A list out of ``config/loads`` by its name, or out of a file of one's own by its path.

    Raises
    ------
    ProblemsError
        With every problem of the file.
    """
    document = load_yaml(configs.find("loads", name))
    try:
        return ApplianceList.model_validate(document.data)
    except ValidationError as error:
        known: dict[KeyPath, list[str]] = {
            (): list(ApplianceList.model_fields),
            ("appliances", "*"): list(Appliance.model_fields),
        }
        raise ProblemsError(problems_of(error, document, known)) from None
