"""What every kind of load has, and the table that the kinds of `plant.load.kinds` enter themselves in."""

from abc import ABC, abstractmethod
from typing import Annotated, Any, Final, NamedTuple, get_args

import numpy as np
from pydantic import Field, model_validator

from plant.base.records import Record

QUARTER_S: Final = 900  # civil clocks differ from UTC by whole quarters of an hour
SHARES_ERR: Final = 1e-6  # three decimals of thirds


class LoadDay(NamedTuple):
    """A solar day as the loads see it."""

    seed: int
    part: int  # which load: the key of its chance
    number: int  # days since 1970-01-01
    start_utc_s: int
    offset_s: np.ndarray  # (96,) civil clocks ahead of UTC in each quarter of an hour
    light_w_m2: np.ndarray  # (n,) global horizontal irradiance


class Mix(Record):
    """How the power follows the voltage: shares drawn as constant power, constant current, constant resistance."""

    power: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    current: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    resistance: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0

    @model_validator(mode="after")
    def _sum_is_one(self) -> "Mix":
        total = self.power + self.current + self.resistance
        if abs(total - 1.0) > SHARES_ERR:
            raise ValueError(f"power, current and resistance must sum to 1, got {total:g}")
        return self


CONSTANT_POWER: Final = Mix(power=1.0)


class Part(Record, ABC):
    """One load: its fields are its keys in a site file. A subclass with a `kind` is a kind that a site may name."""

    name: Annotated[str, Field(min_length=1)]  # also keys its chance
    mix: Mix = CONSTANT_POWER

    @abstractmethod
    def demand_w(self, day: LoadDay, step_s: int) -> np.ndarray:
        """Power [W] asked for at nominal voltage in equal parts of a solar day.

        Parameters
        ----------
        day : LoadDay
        step_s : int
            What the plant's step is; of interest only where a value for each step can be had at once.

        Returns
        -------
        (n,) array
            For any n that divides a day of 86400 s; each value is the mean of its part.
        """

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        if "kind" in cls.model_fields:
            (kind,) = get_args(cls.model_fields["kind"].annotation)
            if kind in KINDS:
                raise TypeError(f"{cls.__name__} and {KINDS[kind].__name__} are both of kind {kind!r}")
            KINDS[kind] = cls


KINDS: Final[dict[str, type[Part]]] = {}
