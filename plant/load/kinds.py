"""The records of a site that describe what hangs on the load output: one small record for each kind of load."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from plant.base.configs import beside
from plant.base.problems import did_you_mean
from plant.base.records import NotNegative, Record, listed, series
from plant.load.lists import ApplianceList, find_appliances

Hourly = series(24, ge=0.0)
HourlyNoise = Annotated[float, Field(ge=0.0, le=1.0)]
SHARES_ERR = 1e-6  # three decimals of thirds


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


CONSTANT_POWER = Mix(power=1.0)


class Part(Record):
    """What every kind of load has: a name, which also keys its chance, and a voltage characteristic."""

    name: Annotated[str, Field(min_length=1)]
    mix: Mix = CONSTANT_POWER


class Constant(Part):
    """The same power day and night."""

    kind: Literal["constant"]
    power_w: NotNegative


class Profile(Part):
    """Power by hour of the civil day, for every day, for week and weekend, or for each day of the week."""

    kind: Literal["profile"] = "profile"
    hourly_w: Hourly | None = None  # type: ignore[valid-type]
    weekend_w: Hourly | None = None  # type: ignore[valid-type]
    weekly_w: listed(Hourly, exactly=7) | None = None  # type: ignore[valid-type]
    noise: HourlyNoise = 0.0

    @model_validator(mode="after")
    def _one_way_of_giving_hours(self) -> "Profile":
        if (self.hourly_w is None) == (self.weekly_w is None):
            raise ValueError("give either hourly_w (24 numbers) or weekly_w (7 times 24, Monday first)")
        if self.weekend_w is not None and self.hourly_w is None:
            raise ValueError("weekend_w stands beside hourly_w, not beside weekly_w")
        return self

    def week_w(self) -> tuple[tuple[float, ...], ...]:
        """Power [W] by day of the week, Monday first, and hour."""
        if self.hourly_w is None:
            return tuple(self.weekly_w or ())
        weekend = self.hourly_w if self.weekend_w is None else self.weekend_w
        return (self.hourly_w,) * 5 + (weekend,) * 2


class Appliances(Part):
    """Households of appliances used by chance."""

    kind: Literal["appliances"]
    model: str
    number: Annotated[int, Field(ge=1, le=100)] = 1

    @field_validator("model")
    @classmethod
    def _known_model(cls, given: str, info: ValidationInfo) -> str:
        name = beside(given, info.context)
        find_appliances(name)
        return name

    def appliances(self) -> ApplianceList:
        """The list of one household."""
        return find_appliances(self.model)


class Telecom(Part):
    """A radio that listens all the time and sends now and then."""

    kind: Literal["telecom"]
    base_w: NotNegative
    bursts_per_hour: Annotated[float, Field(ge=0.0, le=1200.0)] = 12.0
    burst_factor: Annotated[float, Field(ge=1.0, le=100.0)] = 3.0
    burst_s: series(2, gt=0.0, le=600.0) = (2.0, 10.0)  # type: ignore[valid-type]

    @field_validator("burst_s")
    @classmethod
    def _in_order(cls, given: tuple[float, float]) -> tuple[float, float]:
        if given[0] > given[1]:
            raise ValueError(f"must be shortest and longest, got {given[0]:g} and {given[1]:g}")
        return given


class LightSwitched(Part):
    """What tells night from day by the light: global irradiance below one level, above another, for so long."""

    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)]
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)]
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)]

    @model_validator(mode="after")
    def _levels_in_order(self) -> "LightSwitched":
        if self.light_above_w_m2 < self.dark_below_w_m2:
            raise ValueError(f"light_above_w_m2 must be at least dark_below_w_m2, {self.dark_below_w_m2:g}")
        return self


class Camera(LightSwitched):
    """A camera whose infrared lamps come on in the dark."""

    kind: Literal["camera"]
    day_w: NotNegative = 6.0
    infrared_w: NotNegative = 4.0
    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.04  # about 5 lx
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.08
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)] = 0.5


class Lighting(LightSwitched):
    """A lamp from dusk to dawn, or only for a time after dusk and a time before dawn."""

    kind: Literal["lighting"]
    power_w: NotNegative
    after_dusk_h: Annotated[float, Field(ge=0.0, le=24.0)] | None = None
    before_dawn_h: Annotated[float, Field(ge=0.0, le=24.0)] | None = None
    dark_below_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.15  # about 18 lx
    light_above_w_m2: Annotated[float, Field(gt=0.0, le=200.0)] = 0.4  # about 48 lx
    delay_min: Annotated[float, Field(ge=0.0, le=60.0)] = 10.0


AnyPart = Constant | Profile | Appliances | Telecom | Camera | Lighting
KINDS = tuple(get_args(part.model_fields["kind"].annotation)[0] for part in get_args(AnyPart))


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

    hourly_w: Hourly | None = None  # type: ignore[valid-type]
    noise: HourlyNoise = 0.0
    mix: Mix = CONSTANT_POWER
    items: listed(Item) = ()  # type: ignore[valid-type]

    @model_validator(mode="after")
    def _some_load(self) -> "Load":
        if self.hourly_w is None and not self.items:
            raise ValueError("give hourly_w (24 numbers), items, or both; no load is hourly_w of 24 zeros")
        names = [item.name for item in self.items]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"items: {name!r} stands twice; each needs a name of its own")
        return self

    def parts(self) -> Iterator[tuple[int, AnyPart]]:
        """Every load with the key of its chance: 0 for the daily profile, else made from the name alone.

        So one load more, or another order, leaves the others as they were.
        """
        from zlib import crc32

        if self.hourly_w is not None:
            yield 0, Profile(name="hourly_w", hourly_w=self.hourly_w, noise=self.noise, mix=self.mix)
        for item in self.items:
            yield 1 + crc32(item.name.encode()), item
