"""What rows of every kind have, and the three forms in which one number becomes words: scaled, packed, a single bit.

A form makes words of a number and says what words mean; which keys a row may have besides is for its kind, in `rows`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.fields import FieldInfo

from modbus.map import quantities
from modbus.map.bitfield import WordOf, exactly_one, named_codes
from modbus.map.encodings import CLOCK, ENCODINGS, flaw_of_minutes, minutes_of
from modbus.map.scaling import bounds, counts, decimals, steps_of
from plant.base.problems import did_you_mean, near_or_known
from plant.controller.settings import Settings

Table = Literal["coil", "discrete", "input", "holding"]
Rounding = Literal["half-even", "truncate"]
TABLES: Final = ("coil", "discrete", "input", "holding")
BIT_TABLES: Final = ("coil", "discrete")
ORIGINS: Final = ("quantity", "rating", "constant", "setting", "derived", "bits", "action")


def _known_setting(name: str) -> str:
    if name not in Settings._fields:
        raise ValueError(f"unknown setting {name}{near_or_known(name, Settings._fields)}")
    return name


SettingName = Annotated[str, AfterValidator(_known_setting)]


class Origin(NamedTuple):
    """Where a row takes its number from: the key that says so, one of `ORIGINS`, and what stands there."""

    key: str
    given: Any


Others: TypeAlias = Mapping[int, "RegisterRow"]
NO_OTHERS: Final[Others] = MappingProxyType({})


class RegisterRow(BaseModel):
    """What rows of every kind have: place, name, meaning, who says so, and one origin."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    KIND: ClassVar[str]
    ORIGINS_ELSEWHERE: ClassVar[tuple[str, ...]] = ()  # keys that would have made it a row of another kind

    table: Table
    address: int = Field(ge=0, le=0xFFFF)
    name: str
    meaning: str
    source: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    seen: Annotated[tuple[Literal["BN", "A", "AN", "XTRA"], ...], Field(strict=False)] = ()
    guess: bool = False
    note: str = ""
    optional: bool = False  # only models that list it have it

    @field_validator("table", mode="before")
    @classmethod
    def _known_table(cls, given: Any) -> Any:
        if given not in TABLES:
            near = did_you_mean(str(given), TABLES)
            raise ValueError(f"must be one of {', '.join(TABLES)}; got {given!r}{near}")
        fitting = get_args(cls.model_fields["table"].annotation)
        if given not in fitting:
            raise ValueError(f"{cls.KIND} belongs in table {' or '.join(fitting)}, not {given}")
        return given

    @model_validator(mode="after")
    def _one_origin(self) -> "RegisterRow":
        exactly_one(self._origins, self.ORIGINS_ELSEWHERE)
        return self

    @classmethod
    def own_fields(cls) -> dict[str, FieldInfo]:
        """Keys that not every kind has, origins first."""
        own = {key: field for key, field in cls.model_fields.items() if key not in RegisterRow.model_fields}
        return dict(sorted(own.items(), key=lambda item: item[0] not in ORIGINS))

    @property
    def _origins(self) -> dict[str, object]:
        return {key: getattr(self, key) for key in ORIGINS if key in type(self).model_fields}

    @property
    def origin(self) -> Origin:
        """Where the number comes from."""
        key = exactly_one(self._origins)
        return Origin(key, self._origins[key])

    @property
    def shown_quantities(self) -> tuple[str, ...]:
        """Quantities of the plant that the row shows."""
        return (self.origin.given,) if self.origin.key == "quantity" else ()

    @property
    def addresses(self) -> range:
        """The addresses the row stands at, low word first."""
        return range(self.address, self.address + 1)

    @property
    def written(self) -> Literal["no", "alone", "block"]:
        """How it can be written: not at all, by itself, or in one frame with the block rows beside it."""
        return "no"

    @property
    def measured_in(self) -> str:
        """Unit of `value`; empty if it has none."""
        return ""

    @property
    def reading(self) -> tuple[object, ...]:
        """What two rows share that a master reads alike."""
        return (self.origin,)

    def value(self, words: Sequence[int]) -> float:
        """What a master makes of the words, whichever they are: a number in `measured_in`, or the word itself."""
        return words[0]

    def flaw(self, words: Sequence[int]) -> str:
        """Why no sound device shows such words; empty if one may."""
        return ""

    def figure(self, words: Sequence[int]) -> str:
        """The value in digits; empty where the word as a whole is not a number."""
        return f"{self.value(words)}"

    def text(self, words: Sequence[int]) -> str:
        """The value for people, without the unit."""
        return self.figure(words)

    def remarks(self, words: Sequence[int]) -> tuple[str, ...]:
        """What the words say beyond a number, if anything."""
        return ()

    def encoders(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> list[WordOf]:
        """One function per word, of snapshot and settings, that gives 0..0xFFFF; low word first.

        Parameters
        ----------
        ratings : mapping
            Value of every rating that a row may name, in the row's unit.
        others : mapping
            Address -> row, of the same table: what a row that is derived from others follows from.

        Returns
        -------
        list
            Empty if the row can't be read.
        """
        return []


def encoder(origin: Origin, encode: Callable[[float], int], ratings: Mapping[str, float]) -> WordOf:
    """Function of snapshot and settings that encodes the number from an origin."""
    key, given = origin
    if key == "quantity":
        read = quantities.reader(given)
        return lambda s, _: encode(read(s))
    if key == "setting":
        place = Settings._fields.index(given)
        return lambda _, t: encode(t[place])
    fixed = encode(ratings[given] if key == "rating" else given)
    return lambda _, __: fixed


class ScaledForm(RegisterRow):
    """A number x `scale`, in two's complement if `signed`."""

    unit: str = ""
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    signed: bool = False
    values: dict[int, str] | None = None  # the numbers there are, and what they mean

    @model_validator(mode="after")
    def _within_the_table(self) -> "ScaledForm":
        if self.address + self.width > 0x10000:
            raise ValueError("its second word would lie past 0xFFFF")
        return self

    @property
    def width(self) -> int:
        """Words."""
        return 1

    @property
    def steps_per_number(self) -> float:
        """Register steps for each unit of the number that the row shows."""
        return self.scale

    @property
    def cuts(self) -> bool:
        """Whether it cuts off in place of rounding."""
        return False

    @property
    def addresses(self) -> range:
        """The addresses the row stands at, low word first."""
        return range(self.address, self.address + self.width)

    @property
    def measured_in(self) -> str:
        """Unit of `value`."""
        return self.unit

    @property
    def reading(self) -> tuple[object, ...]:
        """Origin and form."""
        return self.origin, self.steps_per_number, self.scale, self.cuts, self.width, self.signed

    def value(self, words: Sequence[int]) -> float:
        """A number in `unit`."""
        steps = steps_of(words, self.signed)
        return steps if self.scale == 1.0 else steps / self.scale

    def figure(self, words: Sequence[int]) -> str:
        """With as many decimals as the scale has."""
        return f"{self.value(words):.{decimals(self.scale)}f}"

    def text(self, words: Sequence[int]) -> str:
        """With its meaning, if it is one of `values`."""
        known = self.values or {}
        return f"{words[0]} {known[words[0]]}" if words[0] in known else self.figure(words)

    def remarks(self, words: Sequence[int]) -> tuple[str, ...]:
        """What a code means: by `values`, or by the meaning of a row without a unit."""
        codes = self.values or ({} if self.unit else named_codes(self.meaning))
        return (codes[words[0]],) if words[0] in codes else ()

    def encoders(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> list[WordOf]:
        """One function per word."""
        number = self.number(ratings, others)
        if self.width == 1:
            return [lambda s, t: number(s, t) & 0xFFFF] if self.signed else [number]
        return [lambda s, t: number(s, t) & 0xFFFF, lambda s, t: number(s, t) >> 16 & 0xFFFF]

    def number(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> WordOf:
        """Function of snapshot and settings that gives the steps, within what the words hold."""
        scale, truncate = self.steps_per_number, self.cuts
        low, high = bounds(self.width, self.signed)
        if self.origin.key == "quantity":  # most rows: no call more than it takes
            read = quantities.reader(self.origin.given)
            return lambda s, _: counts(read(s), scale, low, high, truncate)
        return encoder(self.origin, lambda value: counts(value, scale, low, high, truncate), ratings)


class PackedForm(RegisterRow):
    """A number as two small ones in one word, see `encodings`."""

    encoding: Literal["hours_minutes", "minute_second", "day_hour", "year_month"]
    unit: str = ""

    @property
    def measured_in(self) -> str:
        """Unit of `value`."""
        return self.unit

    @property
    def reading(self) -> tuple[object, ...]:
        """Origin and encoding."""
        return self.origin, self.encoding

    def value(self, words: Sequence[int]) -> float:
        """Minutes of an hours and minutes register; else the word itself."""
        return minutes_of(words[0]) if self.encoding == "hours_minutes" else words[0]

    def flaw(self, words: Sequence[int]) -> str:
        """Sixty minutes or more of an hour."""
        return flaw_of_minutes(words[0]) if self.encoding == "hours_minutes" else ""

    def figure(self, words: Sequence[int]) -> str:
        """None for a part of a date, nor for a word with a flaw."""
        return "" if self.encoding in CLOCK or self.flaw(words) else f"{self.value(words)}"

    def text(self, words: Sequence[int]) -> str:
        """Both numbers in words; of a word with a flaw the word itself, and why."""
        flaw = self.flaw(words)
        return f"0x{words[0]:04X}: {flaw}" if flaw else ENCODINGS[self.encoding].formatted(words[0])

    def remarks(self, words: Sequence[int]) -> tuple[str, ...]:
        """The same."""
        return (self.text(words),)

    def encoders(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> list[WordOf]:
        """The one word."""
        return [encoder(self.origin, ENCODINGS[self.encoding].word, ratings)]


class BitForm(RegisterRow):
    """A number that is 0 or 1, in a table of bits."""

    def remarks(self, words: Sequence[int]) -> tuple[str, ...]:
        """What its meaning says of 0 or 1; else whether a coil is on."""
        on_off = {0: "off", 1: "on"} if self.table == "coil" else {}
        codes = on_off | named_codes(self.meaning)
        return (codes[words[0]],) if words[0] in codes else ()

    def encoders(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> list[WordOf]:
        """The one bit."""
        return [encoder(self.origin, lambda value: counts(value, 1.0, 0, 1), ratings)]
