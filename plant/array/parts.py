"""The records of a site that describe its solar modules."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from plant.array.datasheet import DataSheet, fit
from plant.array.diode import Module
from plant.array.module import find_module, find_sheet
from plant.base.configs import beside
from plant.base.problems import near_or_known
from plant.base.records import (
    NotNegative,
    Positive,
    Record,
    Share,
    Temperature,
    as_tuple,
    in_month,
    one_or_monthly,
    series,
)

COPPER_OHM_MM2_M, COPPER_1_K = 0.0175, 0.00393  # at 20 degC
MARION = "marion"  # the rule by which snow comes and goes, see `plant.array.snow`
CELLS_PER_DIODE = 24  # a bypass diode guards at most so many cells

if TYPE_CHECKING:
    Tilt = float | tuple[float, ...]
    MonthlyShare = float | tuple[float, ...]
    Snow = float | tuple[float, ...] | str
else:
    Tilt, MonthlyShare = one_or_monthly(ge=0.0, le=90.0), one_or_monthly(ge=0.0, lt=1.0)
    Snow = Annotated[
        Annotated[Literal[MARION], Tag("rule")] | Annotated[one_or_monthly(ge=0.0, le=1.0), Tag("shares")],
        Discriminator(lambda value: "rule" if isinstance(value, str) else "shares"),
    ]


class Wiring(Record):
    """A copper cable from array to controller and back."""

    length_m: NotNegative  # one way
    cross_section_mm2: Positive
    t_c: Temperature = 20.0

    @property
    def ohm(self) -> float:
        """Resistance there and back [Ohm]."""
        warm = 1.0 + COPPER_1_K * (self.t_c - 20.0)
        return COPPER_OHM_MM2_M * 2.0 * self.length_m / self.cross_section_mm2 * warm


class ArrayLosses(Record):
    """What the module's plate doesn't know of. Shares of the light or of the current."""

    soiling: MonthlyShare = 0.02
    snow: Snow = 0.0
    mismatch: Share = 0.015
    light_induced: Share = 0.015
    nameplate: Share = 0.01
    degradation_per_year: Share = 0.005
    age_years: Annotated[float, Field(ge=0.0, le=60.0)] = 0.0
    wiring_ohm: NotNegative = 0.0
    wiring: Wiring | None = None

    @model_validator(mode="after")
    def _one_cable(self) -> "ArrayLosses":
        if self.wiring is not None and self.wiring_ohm > 0.0:
            raise ValueError("give wiring_ohm, or wiring by length and cross-section, not both")
        return self

    def transmittance(self, month: int) -> float:
        """Share of the light that is left to the cells in a month, 0 for January; before what snow takes by a rule."""
        clean = 1 - in_month(self.soiling, month)
        if not isinstance(self.snow, str):
            clean *= 1 - in_month(self.snow, month)
        plate = clean * (1 - self.mismatch) * (1 - self.light_induced) * (1 - self.nameplate)
        return float(plate * (1.0 - self.degradation_per_year) ** self.age_years)

    @property
    def cable_ohm(self) -> float:
        """Resistance of the cable [Ohm], both ways."""
        return self.wiring_ohm if self.wiring is None else self.wiring.ohm


class Shading(Record):
    """A shadow that comes at the same hours every day."""

    by_hour: series(24, ge=0.0, le=1.0)  # type: ignore[valid-type]
    strings: Annotated[int, Field(ge=1)] | None = None  # all, unless told
    substrings: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0


class OwnModule(Record):
    """A module described in the site file itself."""

    datasheet: DataSheet | None = None
    parameters: dict[str, float] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "OwnModule":
        if (self.datasheet is None) == (self.parameters is None):
            raise ValueError("give datasheet or parameters")
        if self.parameters is not None:
            _check_parameters(self.parameters)
        return self

    def module(self) -> Module:
        """Its single-diode parameters."""
        if self.datasheet is not None:
            return fit(self.datasheet)
        return Module(**(self.parameters or {}))


def _check_parameters(given: dict[str, float]) -> None:
    for key in given:
        if key not in Module._fields:
            raise ValueError(f"unknown parameter {key}{near_or_known(key, Module._fields)}")
    needed = [field for field in Module._fields if field not in Module._field_defaults]
    missing = [field for field in needed if field not in given]
    if missing:
        raise ValueError(f"parameters lack {', '.join(missing)}")
    for key in ("a_ref", "i_l_ref", "i_o_ref", "r_sh_ref"):
        if not given[key] > 0.0:
            raise ValueError(f"{key} must be more than 0, got {given[key]:g}")


ModuleSpec = Annotated[
    Annotated[str, Tag("name")] | Annotated[OwnModule, Tag("own")],
    Discriminator(lambda value: "own" if isinstance(value, dict | OwnModule) else "name"),
]


class _Strings(Record):
    """What every sub-array has and may leave out."""

    series: Annotated[int, Field(ge=1, le=100)] = 1
    parallel: Annotated[int, Field(ge=1, le=1000)] = 1
    azimuth_deg: Annotated[float, Field(ge=0.0, le=360.0)] = 180.0
    losses: ArrayLosses = ArrayLosses()
    shading: Shading | None = None
    bypass_diodes: Annotated[int, Field(ge=1, le=24)] | None = None

    @model_validator(mode="after")
    def _shadow_fits(self) -> "_Strings":
        if self.shading is not None and (self.shading.strings or 0) > self.parallel:
            raise ValueError(
                f"shading.strings: {self.shading.strings}, but there are {self.parallel} strings"
            )
        return self


def _known(given: Any, info: ValidationInfo) -> Any:
    if not isinstance(given, str):
        return given
    name = beside(given, info.context)
    find_module(name)
    return name


def _one_or_more(rows: Any) -> Any:
    """None at all would be an array without modules."""
    if isinstance(rows, list) and not rows:
        raise ValueError("must hold at least one")
    return as_tuple(rows)


class SubArray(_Strings):
    """Equal modules in one plane."""

    module: ModuleSpec
    tilt_deg: Tilt

    _known_module = field_validator("module")(_known)

    def module_parameters(self) -> Module:
        """Parameters of one module."""
        return find_module(self.module) if isinstance(self.module, str) else self.module.module()

    def data_sheet(self) -> DataSheet | None:
        """The sheet that the module is fitted to, if it is."""
        return find_sheet(self.module) if isinstance(self.module, str) else self.module.datasheet

    @property
    def groups(self) -> int:
        """Groups of cells in a module, each under a bypass diode."""
        cells = int(self.module_parameters().cells_in_series)
        return self.bypass_diodes or max(1, -(-cells // CELLS_PER_DIODE))

    @property
    def rated_w(self) -> float:
        """Power [W] on the plates."""
        m = self.module_parameters()
        return m.i_mp_ref * m.v_mp_ref * self.series * self.parallel

    def tilt_in(self, month: int) -> float:
        """Tilt [deg] in a month, 0 for January."""
        return in_month(self.tilt_deg, month)


class Array(_Strings):
    """The solar modules: one sub-array, written flat, or several, side by side at the controller."""

    sub_arrays: Annotated[tuple[SubArray, ...], BeforeValidator(_one_or_more)] = ()
    module: ModuleSpec | None = Field(default=None, validate_default=True)
    tilt_deg: Tilt | None = Field(default=None, validate_default=True)

    _known_module = field_validator("module")(_known)

    @field_validator("module", "tilt_deg", mode="before")
    @classmethod
    def _there(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None and not info.data.get("sub_arrays", True):
            raise PydanticCustomError("missing", "missing")
        return given

    @model_validator(mode="after")
    def _one_form(self) -> "Array":
        flat = self.model_dump(exclude={"sub_arrays"})
        changed = [name for name, value in flat.items() if value != _FLAT_DEFAULTS.get(name)]
        if self.sub_arrays and changed:
            raise ValueError(f"{', '.join(changed)} must be given in each of sub_arrays, not beside them")
        return self

    @property
    def parts(self) -> tuple[SubArray, ...]:
        """The sub-arrays, at least one."""
        if self.sub_arrays:
            return self.sub_arrays
        return (SubArray.model_construct(**{name: getattr(self, name) for name in SubArray.model_fields}),)

    @property
    def rated_w(self) -> float:
        """Power [W] on the plates of all modules."""
        return sum(part.rated_w for part in self.parts)

    def module_parameters(self) -> Module:
        """Parameters of one module, of the first sub-array."""
        return self.parts[0].module_parameters()


_FLAT_DEFAULTS = {
    name: field.default.model_dump() if isinstance(field.default, Record) else field.default
    for name, field in Array.model_fields.items()
}
