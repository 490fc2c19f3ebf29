"""The records of a site that say where it is and what weather it has."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from plant.clouds import CloudModel
from plant.problems import did_you_mean
from plant.records import Record, monthly


class Location(Record):
    """Where the site is."""

    latitude_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    longitude_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    altitude_m: Annotated[float, Field(ge=-430.0, le=9000.0)] = 0.0
    timezone: str = "UTC"
    linke_turbidity: Literal["climatology"] | monthly(ge=1.0, le=12.0) = "climatology"  # type: ignore[valid-type]

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            raise ValueError(
                f"no time zone {name!r}{did_you_mean(name, available_timezones())}; Area/City, e.g. Europe/Zurich"
            ) from None
        return name


class Sky(Record):
    """How cloudy the months are."""

    clearness: monthly(ge=0.3, le=0.75) | None = None  # type: ignore[valid-type]
    albedo: Annotated[float, Field(ge=0.0, le=1.0)] = 0.2
    clouds: dict[str, float] = Field(default_factory=dict)

    @field_validator("clouds")
    @classmethod
    def _known_constants(cls, given: dict[str, float]) -> dict[str, float]:
        for key in given:
            if key not in CloudModel._fields:
                raise ValueError(f"unknown constant {key}{did_you_mean(key, CloudModel._fields)}")
        return given

    def cloud_model(self) -> CloudModel:
        """The constants of the cloud model, with what the site changes."""
        return CloudModel(**self.clouds)


class Weather(Record):
    """Monthly means of the air."""

    temperature_c: monthly(ge=-60.0, le=60.0)  # type: ignore[valid-type]
    temperature_swing_c: Annotated[float, Field(ge=0.0, le=40.0)] | None = None
    wind_m_s: monthly(ge=0.3, le=30.0) = (2.0,) * 12  # type: ignore[valid-type]
