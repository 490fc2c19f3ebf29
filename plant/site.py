"""The records a site file becomes: frozen, validated, every problem told at once.

Knows what may stand in a site file and what each value may be; doesn't know how anything behaves.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from plant import configs
from plant.battery import LeadAcid, scaled
from plant.charger import BATTERY_TYPES, SetPoints
from plant.clock import parse_local
from plant.clouds import CloudModel
from plant.converter import ControllerModel
from plant.module import Module, find_module
from plant.problems import ProblemsError, did_you_mean
from plant.yamlfile import KeyPath, load_yaml, problems_of, read_numbers


def series(length: int, one_for_all: bool = False, **limits: float) -> Any:
    """The type of so many numbers in a row; one number may stand for all of them."""

    def spread(value: Any) -> Any:
        if one_for_all and isinstance(value, int | float) and not isinstance(value, bool):
            return (value,) * length
        if isinstance(value, list | tuple) and len(value) != length:
            raise ValueError(f"must be {length} numbers{', or one for all' * one_for_all}, got {len(value)}")
        return tuple(value) if isinstance(value, list) else value

    number = Annotated[float, Field(allow_inf_nan=False, **limits)]
    return Annotated[tuple[number, ...], BeforeValidator(spread)]


def monthly(**limits: float) -> Any:
    """Twelve numbers, January first, or one for all months."""
    return series(12, one_for_all=True, **limits)


Share = Annotated[float, Field(ge=0.0, lt=1.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Temperature = Annotated[float, Field(ge=-60.0, le=90.0, allow_inf_nan=False)]


class Record(BaseModel):
    """Strict (6.5 is no whole number, "5" no number), closed (no unknown keys) and frozen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


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


class Controller(Record):
    """The charge controller and its settings."""

    model: str = "tracer4210n"
    battery_type: Literal["sealed", "gel", "flooded"] = "sealed"
    boost_min: Annotated[int, Field(ge=10, le=180)] = 120
    equalize_min: Annotated[int, Field(ge=0, le=180)] = 120
    compensation_mv_k_cell: Annotated[float, Field(ge=0.0, le=9.0)] = 3.0
    setpoints: dict[str, Positive] = Field(default_factory=dict)

    @field_validator("setpoints")
    @classmethod
    def _known_setpoints(cls, given: dict[str, float]) -> dict[str, float]:
        known = SetPoints.user_voltages()
        for key in given:
            if key not in known:
                raise ValueError(
                    f"unknown set-point {key}{did_you_mean(key, known)}; known: {', '.join(known)}"
                )
        return given

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str) -> str:
        ControllerModel.load(name)
        return name

    def parameters(self) -> ControllerModel:
        """Ratings and losses of the model."""
        return ControllerModel.load(self.model)


class Battery(Record):
    """The battery bank."""

    model: str = "agm"
    capacity_ah: Positive  # 20-hour rating, at the bank's voltage
    system_v: Literal[12, 24] = 12
    soc: Annotated[float, Field(ge=0.0, le=1.0)] = 0.7
    room_c: Temperature | Literal["outdoor"] = "outdoor"

    @field_validator("model")
    @classmethod
    def _known_model(cls, name: str) -> str:
        load_block(name)
        return name

    def parameters(self) -> LeadAcid:
        """The block scaled to this bank."""
        return scaled(load_block(self.model), self.capacity_ah, self.system_v // 12)


class Load(Record):
    """What hangs on the load output: power by hour of the civil day."""

    hourly_w: series(24, ge=0.0)  # type: ignore[valid-type]
    noise: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


class Site(Record):
    """A whole off-grid plant."""

    name: str
    location: Location
    start: str  # local civil time a run begins at unless told otherwise
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    sky: Sky = Sky()
    weather: Weather
    array: Array
    controller: Controller = Controller()
    battery: Battery
    load: Load

    @field_validator("start")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        parse_local(text)
        return text

    @model_validator(mode="after")
    def _setpoints_in_order(self) -> "Site":
        self.setpoints()
        return self

    def setpoints(self) -> SetPoints:
        """The controller's set-points for this battery, at 25 degC."""
        c = self.controller
        return SetPoints.of(
            BATTERY_TYPES[c.battery_type],
            c.setpoints,
            blocks=self.battery.system_v // 12,
            boost_min=c.boost_min,
            equalize_min=0 if c.battery_type == "gel" else c.equalize_min,
            compensation_mv_k_cell=c.compensation_mv_k_cell,
        )

    def ratings(self) -> dict[str, float]:
        """What the controller's rated-data registers show."""
        return self.controller.parameters().ratings(self.battery.system_v)

    def local_start(self) -> datetime:
        """The start as naive civil time."""
        return parse_local(self.start)


def load_block(name: str) -> LeadAcid:
    """Parameters of a 12 V block from ``config/batteries``.

    Raises
    ------
    ProblemsError
        If there is no such battery, or its file lacks or holds what a lead-acid block doesn't have.
    """
    document = load_yaml(configs.find("batteries", name))
    if document.data.get("family") != "lead_acid":
        message = f"must be lead_acid, got {document.data.get('family')!r}"
        raise ProblemsError([document.problem(("family",), message)])
    return LeadAcid(**read_numbers(document, LeadAcid._fields, about=("family", "title")))


def load_site(name: str) -> Site:
    """Read a site: a name out of ``config/sites``, or a path to a file.

    Raises
    ------
    ProblemsError
        With every problem in it, each with file, line and key.
    """
    document = load_yaml(configs.find("sites", name))
    try:
        return Site.model_validate(document.data)
    except ValidationError as error:
        raise ProblemsError(problems_of(error, document, known_keys())) from None


def known_keys() -> dict[KeyPath, list[str]]:
    """Key path of each mapping of a site file -> the keys it may have."""
    known: dict[KeyPath, list[str]] = {}

    def walk(model: type[BaseModel], path: KeyPath) -> None:
        known[path] = list(model.model_fields)
        for key, field in model.model_fields.items():
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                walk(field.annotation, (*path, key))

    walk(Site, ())
    return known
