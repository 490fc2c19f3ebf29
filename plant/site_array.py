"""The records of a site that describe its solar modules."""

from typing import Annotated

from pydantic import Field, field_validator

from plant.module import Module, find_module
from plant.records import NotNegative, Record, Share


class ArrayLosses(Record):
    """What the module's plate doesn't know of. Shares of the light or of the current."""

    soiling: Share = 0.02
    mismatch: Share = 0.015
    light_induced: Share = 0.015
    nameplate: Share = 0.01
    wiring_ohm: NotNegative = 0.0


class Array(Record):
    """The solar modules, all in one plane."""

    module: str
    series: Annotated[int, Field(ge=1, le=100)] = 1
    parallel: Annotated[int, Field(ge=1, le=1000)] = 1
    tilt_deg: Annotated[float, Field(ge=0.0, le=90.0)]
    azimuth_deg: Annotated[float, Field(ge=0.0, le=360.0)] = 180.0
    losses: ArrayLosses = ArrayLosses()

    @field_validator("module")
    @classmethod
    def _known_module(cls, name: str) -> str:
        find_module(name)
        return name

    def module_parameters(self) -> Module:
        """Parameters of one module."""
        return find_module(self.module)
