"""One row of a register map, by kind: where its number comes from, how it becomes words, what may be written there.

Five kinds can only be read:

- a number: a quantity, rating, constant or setting, scaled into one or two words;
- a derived number: what other registers show, put together (key ``derived``);
- a word of bits: fields, each with a quantity or a constant (key ``bits``);
- an encoded word: two small numbers, as of a duration or a date (key ``encoding``);
- a bit: a coil or discrete input (by its table);

and five can be written (key ``write``):

- a written number: a setting of one word, within limits;
- a written duration: a setting in hours and minutes (with ``encoding``);
- a clock word: one of three that hold the device's clock (with ``encoding``);
- a switch: a coil that keeps a setting (by its table);
- an action: a coil that has something done, and that can't be read (key ``action``).

A kind has only the keys that mean something for it, so a row that contradicts itself can't be written down. Scale,
sign, word order and bit fields live here and nowhere else. A row knows neither requests nor files; the words it makes
are plain integers, 0 or 1 for a bit.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import Discriminator, Field, Tag, TypeAdapter, field_validator, model_validator

from modbus.map import quantities
from modbus.map.bitfield import BitField, QuantityName, WordOf
from modbus.map.derived import FORMULAS, Formula, Operand
from modbus.map.encodings import CLOCK
from modbus.map.forms import (
    BIT_TABLES,
    NO_OTHERS,
    BitForm,
    Others,
    PackedForm,
    RegisterRow,
    Rounding,
    ScaledForm,
    SettingName,
)
from modbus.map.scaling import bounds
from plant.base.problems import did_you_mean
from plant.controller.settings import Settings
from plant.kernel.snapshot import Snapshot

# --- rows that can only be read ---


class NumberRow(ScaledForm):
    """A quantity, rating, constant or setting: number x `factor` (to the row's unit) x `scale`, in 1 or 2 words."""

    KIND = "a number"
    ORIGINS_ELSEWHERE = ("derived", "bits", "action")

    table: Literal["input", "holding"]
    quantity: QuantityName | None = None
    rating: str | None = None
    constant: float | None = None
    setting: SettingName | None = None
    factor: float = Field(default=1.0, allow_inf_nan=False)
    rounding: Rounding | None = None  # the map's unless given
    words: Literal[1, 2] = 1

    @property
    def width(self) -> int:
        """Words."""
        return self.words

    @property
    def steps_per_number(self) -> float:
        """Register steps for each unit of the number that the row shows."""
        return self.factor * self.scale

    @property
    def cuts(self) -> bool:
        """Whether it cuts off in place of rounding."""
        return self.rounding == "truncate"

    def fits(self, number: float) -> bool:
        """Whether a constant or rating can be shown without clamping."""
        low, high = bounds(self.words, self.signed)
        return math.isfinite(number) and low <= round(number * self.steps_per_number) <= high


Operands = Annotated[tuple[int, ...], Field(strict=False, min_length=1)]


class DerivedRow(ScaledForm):
    """What a formula makes of other registers of the same table as they show themselves, cut off, in 1 or 2 words."""

    KIND = "a derived number"

    table: Literal["input", "holding"]
    derived: str
    of: Operands
    shown_while: QuantityName | None = None  # 0 where this quantity is 0
    words: Literal[1, 2] = 1

    @field_validator("derived")
    @classmethod
    def _known_formula(cls, name: str) -> str:
        if name not in FORMULAS:
            raise ValueError(f"no formula {name}{did_you_mean(name, FORMULAS)}; known: {', '.join(FORMULAS)}")
        return name

    @model_validator(mode="after")
    def _as_many_as_it_takes(self) -> "DerivedRow":
        if len(self.of) != self.formula.operands:
            raise ValueError(
                f"{self.derived} is made of {self.formula.operands} registers, not {len(self.of)}"
            )
        return self

    @property
    def formula(self) -> Formula:
        """How it follows from the others."""
        return FORMULAS[self.derived]

    @property
    def shows(self) -> str:
        """The formula with the addresses in it."""
        told = self.formula.meaning.format(*(f"0x{address:04X}" for address in self.of))
        return told if self.shown_while is None else f"{told} with `{self.shown_while}`, else 0"

    @property
    def shown_quantities(self) -> tuple[str, ...]:
        """The quantity that lets it show anything."""
        return () if self.shown_while is None else (self.shown_while,)

    @property
    def reading(self) -> tuple[object, ...]:
        """Formula and form."""
        return (*super().reading, self.of, self.shown_while)

    @property
    def width(self) -> int:
        """Words."""
        return self.words

    @property
    def cuts(self) -> bool:
        """It does."""
        return True

    def number(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> WordOf:
        """Function of snapshot and settings that gives the steps; 0 where the others are not known."""
        rows = [others.get(address) for address in self.of]
        parts = [(row.number(ratings, others), row.scale) for row in rows if isinstance(row, ScaledForm)]
        if len(parts) < len(self.of):
            return lambda _, __: 0
        steps, scale = self.formula.steps, self.scale
        low, high = bounds(self.words, self.signed)
        is_on = quantities.reader(self.shown_while) if self.shown_while else None

        def shown(s: Snapshot, t: Settings) -> int:
            if is_on is not None and not is_on(s):
                return 0
            return min(max(steps([Operand(part(s, t), of) for part, of in parts], scale), low), high)

        return shown


class BitsRow(RegisterRow):
    """Fields of one word; bits that no field names read 0."""

    KIND = "a word of bits"

    table: Literal["input", "holding"]
    bits: Annotated[tuple[BitField, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _apart(self) -> "BitsRow":
        if not self.bits:
            raise ValueError("bits must name at least one field")
        taken = 0
        for field in self.bits:
            if taken & field.mask:
                raise ValueError(f"bits {field.bits[0]}-{field.bits[1]} are given twice")
            taken |= field.mask
        return self

    @property
    def shown_quantities(self) -> tuple[str, ...]:
        """Quantities of the plant in the fields."""
        return tuple(field.quantity for field in self.bits if field.quantity is not None)

    @property
    def reading(self) -> tuple[object, ...]:
        """What fills the fields, whatever they are called."""
        return tuple(field.reading for field in self.bits)

    def figure(self, words: Sequence[int]) -> str:
        """None: the word is not a number."""
        return ""

    def remarks(self, words: Sequence[int]) -> tuple[str, ...]:
        """What each field says."""
        return tuple(text for field in self.bits if (text := field.text(words[0])))

    def encoders(self, ratings: Mapping[str, float], others: Others = NO_OTHERS) -> list[WordOf]:
        """The one word."""
        fields = [field.encoder() for field in self.bits]
        return [lambda s, t: sum(field(s, t) for field in fields)]


class EncodedRow(PackedForm):
    """A quantity or setting as two small numbers in one word: hours and minutes, or a part of a date."""

    KIND = "an encoded word"

    table: Literal["input", "holding"]
    quantity: QuantityName | None = None
    setting: SettingName | None = None


class BitRow(BitForm):
    """A coil or discrete input that can only be read."""

    KIND = "a bit"
    ORIGINS_ELSEWHERE = ("action",)

    table: Literal["coil", "discrete"]
    quantity: QuantityName | None = None
    constant: Annotated[int | None, Field(ge=0, le=1)] = None
    setting: SettingName | None = None


# --- rows that can be written ---


SomeValues = Annotated[tuple[int, ...], Field(strict=False)]


class WrittenRow(RegisterRow):
    """A setting, a part of the clock or an action."""

    write: Literal["alone", "block"]

    @property
    def written(self) -> Literal["alone", "block"]:
        """By itself, or in one frame with the block rows beside it."""
        return self.write


class KeptRow(WrittenRow):
    """A setting in a holding register, and what may be written there."""

    table: Literal["holding"]
    setting: SettingName
    limits: Annotated[tuple[float, float] | None, Field(strict=False)] = None  # in the row's unit
    limits_grow: bool = False  # with the system: those are of 12 V
    needs: dict[SettingName, SomeValues] = Field(default={})  # settings with which it may be written

    def allows(self, value: float, system_v: float) -> bool:
        """Whether a client may write a value on a system of so many volts, as far as this row can tell."""
        limits = self.limits_on(system_v)
        return limits is None or limits[0] <= value <= limits[1]

    def limits_on(self, system_v: float) -> tuple[float, float] | None:
        """The limits on a system of so many volts, if there are any."""
        if self.limits is None:
            return None
        times = system_v / 12.0 if self.limits_grow else 1.0
        return self.limits[0] * times, self.limits[1] * times


class SettingRow(KeptRow, ScaledForm):
    """A setting as a number x `scale` in one word, and within which limits it may be written."""

    KIND = "a written number"

    def allows(self, value: float, system_v: float) -> bool:
        """Within limits, and one of `values` if these are given."""
        return (self.values is None or value in self.values) and super().allows(value, system_v)


class DurationRow(KeptRow, PackedForm):
    """A setting in minutes that is read and written as hours and minutes."""

    KIND = "a written duration"

    encoding: Literal["hours_minutes"]


class ClockRow(WrittenRow, PackedForm):
    """One of the three words of the device's clock, which are written together."""

    KIND = "a clock word"

    table: Literal["holding"]
    quantity: Literal["t_device_s"]
    encoding: Literal["minute_second", "day_hour", "year_month"]
    write: Literal["block"]


class SwitchRow(WrittenRow, BitForm):
    """A coil that keeps a setting."""

    KIND = "a switch"

    table: Literal["coil"]
    setting: SettingName
    write: Literal["alone"]


class ActionRow(WrittenRow):
    """A coil that has something done when 1 is written, and that can't be read."""

    KIND = "an action"

    table: Literal["coil"]
    action: Literal["restore_defaults", "clear_energy"]
    write: Literal["alone"]


def kind_of(given: Any) -> str:
    """The kind of row that a mapping means, by the keys it has; anything else would have to be a number."""
    row = given if isinstance(given, dict) else {}
    keeps = "write" in row and "setting" in row
    if "action" in row:
        return ActionRow.KIND
    if row.get("table") in BIT_TABLES:
        return SwitchRow.KIND if keeps else BitRow.KIND
    for key, kind in (("bits", BitsRow), ("derived", DerivedRow)):
        if key in row:
            return kind.KIND
    if "encoding" in row:
        if keeps:
            return DurationRow.KIND
        return ClockRow.KIND if "write" in row and row["encoding"] in CLOCK else EncodedRow.KIND
    return SettingRow.KIND if keeps else NumberRow.KIND


Row: TypeAlias = Annotated[
    Annotated[NumberRow, Tag(NumberRow.KIND)]
    | Annotated[DerivedRow, Tag(DerivedRow.KIND)]
    | Annotated[BitsRow, Tag(BitsRow.KIND)]
    | Annotated[EncodedRow, Tag(EncodedRow.KIND)]
    | Annotated[BitRow, Tag(BitRow.KIND)]
    | Annotated[SettingRow, Tag(SettingRow.KIND)]
    | Annotated[DurationRow, Tag(DurationRow.KIND)]
    | Annotated[ClockRow, Tag(ClockRow.KIND)]
    | Annotated[SwitchRow, Tag(SwitchRow.KIND)]
    | Annotated[ActionRow, Tag(ActionRow.KIND)],
    Discriminator(kind_of),
]
ROW: Final[TypeAdapter[Row]] = TypeAdapter(Row)
KINDS: Final[tuple[type[RegisterRow], ...]] = tuple(get_args(kind)[0] for kind in get_args(get_args(Row)[0]))
