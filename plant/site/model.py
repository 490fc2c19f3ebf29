"""The records a site file becomes: frozen, validated, every problem told at once.

Knows what may stand in a site file and what each value may be; doesn't know how anything behaves. Place, sky and
weather have their records in `plant.weather.place`, the array in `plant.array.parts`, the load in `plant.load`.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from plant.array.layout import layout_of
from plant.array.parts import MARION, Array
from plant.base import configs
from plant.base.civiltime import moment_utc_s
from plant.base.clock import DAY_S, parse_local
from plant.base.problems import AtKeyError, ProblemsError, did_you_mean
from plant.base.records import Positive, Record, as_tuple
from plant.base.yamlfile import KeyPath, load_yaml, problems_of
from plant.controller.charger import SetPoints
from plant.controller.model import ControllerModel, power_stage
from plant.controller.setpoints import setpoints_of
from plant.controller.settings import (
    TYPE_OF_NAME,
    USER,
    VOLTAGES,
    Settings,
    checked,
    derived,
    factory,
    family,
    known_setting,
)  # fmt: skip
from plant.load.model import Load
from plant.site.bank import Battery
from plant.site.costs import Costs
from plant.site.line import SiteLine, TextCheck
from plant.site.timetable import Upset, Upsets, first_of
from plant.site.upsets import Equipment, applied
from plant.weather.place import Place, check_sources


class Use(Record):
    """The four voltages that the display's "USE" type asks for [V of the whole battery]; it derives the others."""

    boost_v: Positive
    float_v: Positive
    low_voltage_reconnect_v: Positive
    low_voltage_disconnect_v: Positive


class Controller(Record):
    """The charge controller and its settings."""

    model: str = "tracer4210n"
    battery_type: str = "sealed"
    boost_min: Annotated[int, Field(ge=10, le=180)] = 120
    equalize_min: Annotated[int, Field(ge=0, le=180)] = 120
    tracker: Literal["steady", "dynamic"] = "steady"
    compensation_mv_k_cell: Annotated[float, Field(ge=0.0, le=9.0)] = 3.0
    setpoints: dict[str, Positive] = Field(default_factory=dict)
    use: Use | None = None
    settings: dict[str, int | float | str] = Field(default_factory=dict)
    clock_drift_s_day: Annotated[float, Field(ge=-600.0, le=600.0, allow_inf_nan=False)] = 0.0
    clock_survives: bool = False  # a power cycle
    clock_dst: bool = False  # it follows daylight saving time by itself; a Tracer doesn't
    boost_timer: Literal["restart", "accumulate"] = "restart"
    settings_order: Literal["documented", "any"] = "documented"  # of the twelve voltages
    sensors: Literal["exact", "real"] = "exact"  # what registers show, see `modbus.device.sensors`
    # With real sensors: dips an hour at constant voltage, and outliers a day while charging.
    sensor_dips_h: Annotated[float, Field(ge=0.0, le=60.0)] = 0.0
    sensor_outliers_day: Annotated[float, Field(ge=0.0, le=1440.0)] = 3.0

    @field_validator("settings")
    @classmethod
    def _known_settings(cls, given: dict[str, int | float | str]) -> dict[str, int | float | str]:
        return {name: known_setting(name, value) for name, value in given.items()}

    @model_validator(mode="after")
    def _one_source_of_voltages(self) -> "Controller":
        if self.use is not None and self.setpoints:
            raise ValueError("give voltages under setpoints or under use, not under both")
        return self

    def voltages(self, system_v: int) -> dict[str, float]:
        """Voltages of one's own, by name [V]; none where the type's are taken."""
        if self.use is None:
            return self.setpoints
        return derived(
            **self.use.model_dump(), kind=family(TYPE_OF_NAME[self.battery_type].code), system_v=system_v
        )

    @field_validator("setpoints")
    @classmethod
    def _known_setpoints(cls, given: dict[str, float]) -> dict[str, float]:
        known = VOLTAGES
        for key in given:
            if key not in known:
                raise ValueError(
                    f"unknown set-point {key}{did_you_mean(key, known)}; known: {', '.join(known)}"
                )
        return given

    @field_validator("battery_type")
    @classmethod
    def _known_type(cls, name: str) -> str:
        if name not in TYPE_OF_NAME:
            known = ", ".join(TYPE_OF_NAME)
            raise ValueError(f"unknown battery type {name}{did_you_mean(name, TYPE_OF_NAME)}; known: {known}")
        return name

    @field_validator("model")
    @classmethod
    def _known_model(cls, given: str, info: ValidationInfo) -> str:
        name = configs.beside(given, info.context)
        ControllerModel.load(name)
        return name

    @property
    def clock_gains(self) -> float:
        """What the clock gains [s/s]; negative when it loses."""
        return self.clock_drift_s_day / DAY_S

    def parameters(self) -> ControllerModel:
        """Ratings and losses of the model."""
        return ControllerModel.load(self.model)


UnitId = Annotated[int, Field(ge=1, le=247)]  # 0 is broadcast; 248 and above are reserved


class Neighbour(Record):
    """Another controller at the same place, under the same sky and on the same line, with its own array and battery."""

    unit: UnitId
    name: Annotated[str, Field(min_length=1)]
    array: Array
    controller: Controller = Controller()
    battery: Battery
    load: Load
    upsets: Upsets = ()


class Site(Place):
    """A whole off-grid plant."""

    name: Annotated[str, Field(min_length=1)]
    unit: UnitId = 1  # on the line
    start: str  # local civil time a run begins at unless told otherwise
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    array: Array
    controller: Controller = Controller()
    battery: Battery
    load: Load
    upsets: Upsets = ()
    line: SiteLine = SiteLine()
    costs: Costs = Costs()
    neighbours: Annotated[tuple[Neighbour, ...], BeforeValidator(as_tuple)] = ()

    @field_validator("start")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        parse_local(text)
        return text

    @model_validator(mode="after")
    def _fits_together(self) -> "Site":
        try:
            self.setpoints()
        except ValueError as error:
            raise AtKeyError(("controller", "setpoints"), str(error)) from None
        self._check_moments()
        check_sources(self.location, self.sky, self.weather)
        if self.weather.precipitation_days is None and any(p.losses.snow == MARION for p in self.array.parts):
            raise ValueError(f"losses.snow: {MARION} needs weather.precipitation_days")
        rig = Equipment(
            self.battery.parameters(), power_stage(self.controller.parameters(), self.battery.system_v)
        )
        for number, upset in enumerate(self.upsets):
            rig = applied(rig, upset.name, upset.values)
            try:
                self.check_equipment(rig)
            except ValueError as error:
                raise AtKeyError(("upsets", number), f"{upset.name}: {error}") from None
        for neighbour in self.neighbours:
            try:
                Site(**dict(self.seen_by(neighbour)))
            except ValidationError as error:
                raise ValueError(f"neighbour {neighbour.name}: {first_of(error)}") from None
        return self

    def _check_moments(self) -> None:
        """Check that the place's clocks show the start and the moments of upsets."""
        moments: list[tuple[tuple[str | int, ...], str]] = [(("start",), self.start)]
        moments += [
            (("upsets", number), one.at) for number, one in enumerate(self.upsets) if one.at is not None
        ]
        for where, text in moments:
            try:
                moment_utc_s(parse_local(text), self.location.timezone)
            except ValueError as error:
                raise AtKeyError(where, str(error)) from None

    def check_equipment(self, rig: Equipment) -> None:
        """Check that the site has what upsets have broken.

        Raises
        ------
        ValueError
            There is no such string or charger.
        """
        layout_of(self.array, rig.defects)
        there, failed = len(self.battery.chargers), max(rig.chargers_failed, default=0)
        if failed > there:
            raise ValueError(f"charger {failed} of battery.chargers, but there are {there}")

    def with_upsets(self, further: Iterable[Upset]) -> "Site":
        """The site in which more breaks, as if its file said so.

        Raises
        ------
        ValueError
            The array has no such string.
        """
        try:
            return Site(**{**dict(self), "upsets": (*self.upsets, *further)})
        except ValidationError as error:
            raise ValueError(first_of(error)) from None

    def seen_by(self, neighbour: Neighbour) -> "Site":
        """The site of a neighbour: this one's place and sky, and what is its own."""
        return self.model_copy(update={**dict(neighbour), "neighbours": ()})

    def settings(self) -> Settings:
        """What the controller has in its flash when the run begins."""
        c = self.controller
        kind = TYPE_OF_NAME[c.battery_type]
        new = factory(kind.code, self.battery.system_v)
        volts = c.voltages(self.battery.system_v)
        given = {"load_on": c.settings.get("load_at_power_up", new.load_at_power_up), **c.settings}
        return checked(
            new._replace(
                battery_type=USER if volts else kind.code,  # voltages of one's own go with that type only
                system_code=self.battery.system_v // 12 if volts else new.system_code,
                capacity_ah=min(max(round(self.battery.capacity_ah), 1), 9999),
                compensation_mv_k_cell=0.0 if kind.lithium else c.compensation_mv_k_cell,
                boost_min=c.boost_min,
                equalize_min=c.equalize_min if kind.equalizes else 0,
                **volts,  # type: ignore[arg-type]  # names of voltages only
            )._replace(**given),  # type: ignore[arg-type]  # names and kinds are checked
            any_order=c.settings_order == "any",
        )

    def setpoints(self) -> SetPoints:
        """The controller's set-points for this battery, at 25 degC."""
        restarts = self.controller.boost_timer == "restart"
        return setpoints_of(
            self.settings(), self.battery.system_v, self.battery.bms(), self.battery.new().cells,
            boost_restarts=restarts,
        )  # fmt: skip

    def ratings(self) -> dict[str, float]:
        """What the controller's rated-data registers show."""
        return self.controller.parameters().ratings(self.battery.system_v)

    def local_start(self) -> datetime:
        """The start as naive civil time."""
        return parse_local(self.start)


def load_site(name: str, line_checks: Mapping[str, TextCheck] | None = None) -> Site:
    """Read a site: a name out of ``config/sites``, or a path to a file.

    Parameters
    ----------
    name : str
    line_checks : mapping, optional
        ``line.faults`` and ``line.pace``: what takes such a text and raises ValueError; without one any will do.

    Raises
    ------
    ProblemsError
        With every problem in it, each with file, line and key.
    """
    document = load_yaml(configs.find("sites", name))
    try:
        folder = Path(document.file).parent
        return Site.model_validate(document.data, context={"folder": folder, **(line_checks or {})})
    except ValidationError as error:
        raise ProblemsError(problems_of(error, document, known_keys())) from None


def known_keys() -> dict[KeyPath, list[str]]:
    """Key path of each mapping of a site file -> the keys it may have; ``*`` in a path is any place in a list."""
    known: dict[KeyPath, list[str]] = {}

    def walk(annotation: Any, path: KeyPath) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            keys = known.setdefault(path, [])
            keys += [key for key in annotation.model_fields if key not in keys]
            for key, field in annotation.model_fields.items():
                walk(field.annotation, (*path, key))
        for inner in get_args(annotation):
            walk(inner, (*path, "*") if get_origin(annotation) is tuple else path)

    walk(Site, ())
    return known
