"""The records of a site that say where it is and what weather it has."""

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from plant.base import configs
from plant.base.problems import did_you_mean, near_or_known, shown
from plant.base.records import Record, in_month, monthly, one_or_monthly
from plant.weather.clouds import LIMITS, CloudModel
from plant.weather.extraterrestrial import clearness_of

Monthly = tuple[float, ...]


def _as_tuples(value: Any) -> Any:
    """Lists, as YAML gives them, as the tuples that frozen records hold."""
    return tuple(_as_tuples(item) for item in value) if isinstance(value, list | tuple) else value


Azimuth = Annotated[float, Field(ge=0.0, le=360.0, allow_inf_nan=False)]
HorizonElevation = Annotated[float, Field(ge=0.0, lt=90.0, allow_inf_nan=False)]
Horizon = Annotated[tuple[tuple[Azimuth, HorizonElevation], ...], BeforeValidator(_as_tuples)]


class Location(Record):
    """Where the site is."""

    latitude_deg: Annotated[float, Field(ge=-90.0, le=90.0)]
    longitude_deg: Annotated[float, Field(ge=-180.0, le=180.0)]
    altitude_m: Annotated[float, Field(ge=-430.0, le=9000.0)] = 0.0
    timezone: str = "UTC"
    linke_turbidity: Literal["climatology"] | monthly(ge=1.0, le=12.0) = "climatology"  # type: ignore[valid-type]
    horizon: Horizon = ()  # (azimuth_deg, elevation_deg) points, straight lines between them

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        if name == "localtime":  # of whatever machine it is: the same site would be another one there
            raise ValueError(
                "'localtime' is this machine's zone; write the site's as Area/City, e.g. Europe/Zurich"
            )
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            from zoneinfo import available_timezones

            raise ValueError(
                f"unknown time zone {name!r}{did_you_mean(name, available_timezones())}; Area/City, e.g. Europe/Zurich"
            ) from None
        return name

    @field_validator("horizon")
    @classmethod
    def _one_elevation_each(cls, points: Horizon) -> Horizon:
        azimuths = [azimuth % 360.0 for azimuth, _ in points]
        for azimuth in azimuths:
            if azimuths.count(azimuth) > 1:
                raise ValueError(
                    f"azimuth {azimuth:g} deg is given twice (360 is 0); the line closes by itself"
                )
        return points


class Sky(Record):
    """How cloudy the months are."""

    clearness: monthly(ge=0.02, le=0.75) | None = None  # type: ignore[valid-type]
    ghi_kwh_m2_day: monthly(ge=0.0, le=12.0) | None = None  # type: ignore[valid-type]
    albedo: one_or_monthly(ge=0.0, le=1.0) = 0.2  # type: ignore[valid-type]
    irradiance_scale: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0  # of all light, measured or made
    day_to_day: monthly(ge=0.21, le=0.75) | None = None  # type: ignore[valid-type]  # by the clearness unless given
    transposition: Literal["perez", "haydavies"] = "perez"
    clouds: dict[str, float] = Field(default_factory=dict)

    @field_validator("clouds")
    @classmethod
    def _known_constants(cls, given: dict[str, float]) -> dict[str, float]:
        for key, value in given.items():
            if key not in LIMITS:
                raise ValueError(f"unknown constant {key}{near_or_known(key, LIMITS)}")
            low, high = LIMITS[key]
            if not low <= value <= high:
                raise ValueError(f"{key} must lie in {low:g}..{high:g}, got {value:g}")
        return given

    @model_validator(mode="after")
    def _one_source(self) -> "Sky":
        if self.clearness is not None and self.ghi_kwh_m2_day is not None:
            raise ValueError("clearness and ghi_kwh_m2_day say the same thing; keep one of them")
        return self

    def albedo_in(self, month: int) -> float:
        """Albedo in a month, 0 for January."""
        return in_month(self.albedo, month)

    def cloud_model(self) -> CloudModel:
        """The constants of the cloud model, with what the site changes."""
        return CloudModel(**self.clouds)

    def monthly_clearness(self, location: Location) -> Monthly | None:
        """Mean clearness index of each month, given or worked out from irradiation; None for a sky without clouds.

        Raises
        ------
        ValueError
            If an irradiation means a clearness outside 0.02..0.75 at this place; names month and value.
        """
        if self.ghi_kwh_m2_day is None:
            return self.clearness
        return clearness_of(self.ghi_kwh_m2_day, location.latitude_deg)


class Weather(Record):
    """Monthly means of the air, and a file that knows better."""

    temperature_c: monthly(ge=-60.0, le=60.0) | None = None  # type: ignore[valid-type]
    temperature_swing_c: Annotated[float, Field(ge=0.0, le=40.0)] | None = None
    precipitation_days: one_or_monthly(ge=0.0, le=31.0) | None = None  # type: ignore[valid-type]
    wind_m_s: monthly(ge=0.3, le=30.0) = (2.0,) * 12  # type: ignore[valid-type]
    file: str | None = None
    format: Literal[
        "auto", "epw", "tmy3", "pvgis", "sam", "solaranywhere", "cams", "surfrad", "bsrn", "csv"
    ] = "auto"
    utc_offset_h: Annotated[float, Field(ge=-12.0, le=14.0)] | None = None
    stamp: Literal["start", "middle", "end", "instant"] | None = None
    repeat: bool | None = None
    fill: Literal["none", "neighbours", "clear_sky_index"] = "none"  # holes longer than three hours
    # Rows with more light than the sun sends, or days without any.
    on_impossible: Literal["refuse", "cap"] = "refuse"
    decomposition: Literal["dirint", "heliosat", "erbs"] = "dirint"

    @field_validator("file")
    @classmethod
    def _is_there(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is None:
            return None
        folder = (info.context or {}).get("folder", ".")
        path = Path(name) if Path(name).is_absolute() else Path(folder) / name
        if not configs.is_file(path):
            raise ValueError(f"{configs.no_file(path)}: {shown(str(path))}")
        return str(path)

    @model_validator(mode="after")
    def _has_a_temperature(self) -> "Weather":
        if self.temperature_c is None and self.file is None:
            raise ValueError("temperature_c is missing: give monthly means, or a weather file")
        return self


class Place(Record):
    """Where a plant is, and what sky and air it has: all that weather depends on."""

    location: Location
    sky: Sky = Sky()
    weather: Weather


def check_sources(location: Location, sky: Sky, weather: Weather) -> None:
    """Check that a site's sources of weather fit its place and don't contradict each other.

    Raises
    ------
    ValueError
        Saying which keys, what was wrong and what would do.
    """
    if weather.file is not None and (sky.clearness is not None or sky.ghi_kwh_m2_day is not None):
        raise ValueError("weather.file and monthly clearness both define the irradiance; remove one of them")
    sky.monthly_clearness(location)
