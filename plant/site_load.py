"""The records of a site that describe what hangs on the load output."""

from typing import Annotated

from pydantic import Field

from plant.records import Record, series


class Load(Record):
    """What hangs on the load output: power by hour of the civil day."""

    hourly_w: series(24, ge=0.0)  # type: ignore[valid-type]
    noise: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
