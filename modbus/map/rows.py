"""One row of a register map: where its number comes from, how it becomes words, and what may be written there.

Scale, sign, word order and bit fields live here and nowhere else. A row knows neither requests nor files; the
words it makes are plain integers. Coils and discrete inputs are rows too: their word is 0 or 1.

Rounding is half to even (0.125 V at x100 reads 12). A quantity that does not fit its words reads the nearest
number that does: a device clamps, and a wrapped-around 700 V would look healthy at 44.64 V where 655.35 V
looks as wrong as it is. What is no number at all (NaN, infinity) reads 0, because a reply must go out
whatever the plant did.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from modbus.map import quantities
from modbus.map.encodings import CLOCK, ENCODINGS, minutes_of
from plant.base.problems import did_you_mean
from plant.controller.settings import Settings
from plant.kernel.snapshot import Snapshot

Table = Literal["coil", "discrete", "input", "holding"]
TABLES: Final = ("coil", "discrete", "input", "holding")
BIT_TABLES: Final = ("coil", "discrete")
WordOf = Callable[[Snapshot, Settings], int]
CUT_SLACK: Final = 1e-6  # [counts] 0.29 x 100 is 28.999999999999996 in binary and has to be cut off to 29


def counts(value: float, scale: float, low: int, high: int, truncate: bool = False) -> int:
    """Whole number of register steps for a quantity.

    Parameters
    ----------
    value : float
        Any float, in the row's unit over `scale`.
    scale : float
        Register steps per unit of `value`.
    low, high : int
        Smallest and largest number that fits; the result is clamped to them.
    truncate : bool
        Cut off towards zero in place of rounding half to even.

    Returns
    -------
    int
        0 for NaN and for either infinity.
    """
    steps = value * scale
    if low < steps < high:  # never true for NaN
        return math.trunc(steps + math.copysign(CUT_SLACK, steps)) if truncate else round(steps)
    if not math.isfinite(value):
        return 0
    return low if steps <= low else high


def _known_quantity(name: str | None) -> str | None:
    if name is not None and name not in quantities.NAMES:
        raise ValueError(f"no quantity {name}{did_you_mean(name, quantities.NAMES)}")
    return name


def _known_setting(name: str | None) -> str | None:
    if name is not None and name not in Settings._fields:
        raise ValueError(f"no setting {name}{did_you_mean(name, Settings._fields)}")
    return name


def _bit_range(given: Any) -> Any:
    """``"3-2"`` -> (3, 2); ``"0"`` or ``0`` -> (0, 0)."""
    match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", str(given))
    if match is None:
        raise ValueError(f"must be a bit or two of them, high first, like 3-2; got {given!r}")
    high, low = int(match[1]), int(match[2] or match[1])
    if not 15 >= high >= low:
        raise ValueError(f"must lie in 15..0 with the high bit first; got {given!r}")
    return high, low


def _one_source(record: "Row | Bits", names: Sequence[str]) -> None:
    given = [name for name in names if getattr(record, name) not in (None, ())]
    if len(given) != 1:
        raise ValueError(f"needs exactly one of {', '.join(names)}; has {' and '.join(given) or 'none'}")


def named_codes(meaning: str) -> dict[int, str]:
    """The codes that a meaning lists, as in "0 normal, 1 over-voltage"; what it adds behind a semicolon is no code."""
    listed = re.findall(r"(?:^|, )(\d+) ([^,]+)", meaning.partition(";")[0])
    return {int(code): text for code, text in listed}


class Bits(BaseModel):
    """A field of one word, bits ``high`` to ``low``."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bits: Annotated[tuple[int, int], BeforeValidator(_bit_range)]
    quantity: str | None = None
    constant: int | None = None
    codes: dict[int, int] | None = None  # quantity -> what stands in the field; a quantity not listed gives 0
    meaning: str

    _quantity_exists = field_validator("quantity")(_known_quantity)

    @model_validator(mode="after")
    def _consistent(self) -> "Bits":
        _one_source(self, ("quantity", "constant"))
        if self.codes is not None and self.quantity is None:
            raise ValueError("codes need a quantity")
        fixed = [*(self.codes or {}).values(), *(() if self.constant is None else (self.constant,))]
        for number in fixed:
            if not 0 <= number <= self.largest:
                raise ValueError(f"{number} does not fit the bits; they hold 0..{self.largest}")
        return self

    @property
    def largest(self) -> int:
        """Largest number the field holds."""
        high, low = self.bits
        return (1 << (high - low + 1)) - 1

    @property
    def mask(self) -> int:
        """The field's bits, set, in the word."""
        return self.largest << self.bits[1]

    def text(self, word: int) -> str:
        """What the field says in a word, behind the names of its bits; nothing for a flag that is not set."""
        high, low = self.bits
        number = (word & self.mask) >> low
        named = named_codes(self.meaning)
        if self.largest == 1 and not number and 0 not in named:
            return ""
        told = named.get(number, f"{number}" if named else self.meaning)
        return f"D{high if high == low else f'{high}-{low}'} {told}"

    def word(self) -> WordOf:
        """Function of snapshot and settings that gives the field in its place in the word."""
        low, largest, codes = self.bits[1], self.largest, self.codes
        if self.constant is not None:
            fixed = self.constant << low
            return lambda _, __: fixed
        read = quantities.reader(self.quantity or "")
        if codes is None:
            return lambda s, _: counts(read(s), 1.0, 0, largest) << low
        return lambda s, _: codes.get(counts(read(s), 1.0, -1, 0xFFFF), 0) << low


class Row(BaseModel):
    """One quantity at one address."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    table: Table
    address: int = Field(ge=0, le=0xFFFF)
    name: str
    quantity: str | None = None
    rating: str | None = None
    constant: float | None = None
    setting: str | None = None
    bits: Annotated[tuple[Bits, ...], Field(strict=False)] = ()
    action: Literal["restore_defaults", "clear_energy"] | None = None
    unit: str = ""
    factor: float = Field(default=1.0, allow_inf_nan=False)
    scale: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    rounding: Literal["half-even", "truncate"] = "half-even"
    encoding: Literal["hours_minutes", "minute_second", "day_hour", "year_month"] | None = None
    words: Literal[1, 2] = 1
    signed: bool = False
    values: dict[int, str] | None = None  # the numbers there are, and what they mean
    write: Literal["no", "alone", "block"] = "no"
    limits: Annotated[tuple[float, float] | None, Field(strict=False)] = (
        None  # of what may be written, in `unit`
    )
    limits_grow: bool = False  # with the system: those are of 12 V
    needs: dict[str, tuple[int, ...]] = Field(
        default={}, strict=False
    )  # settings with which it may be written
    meaning: str
    source: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    seen: Annotated[tuple[Literal["BN", "A", "AN", "XTRA"], ...], Field(strict=False)] = ()
    guess: bool = False
    note: str = ""

    _quantity_exists = field_validator("quantity")(_known_quantity)
    _setting_exists = field_validator("setting")(_known_setting)

    @field_validator("needs", mode="before")
    @classmethod
    def _lists_become_tuples(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for name in given:
            _known_setting(name)
        return {name: tuple(of) if isinstance(of, list) else of for name, of in given.items()}

    @model_validator(mode="after")
    def _consistent(self) -> "Row":
        _one_source(self, ("quantity", "rating", "constant", "setting", "bits", "action"))
        if self.address + self.words > 0x10000:
            raise ValueError("its second word would lie past 0xFFFF")
        if self.bits and (self.words, self.signed, self.scale, self.factor) != (1, False, 1.0, 1.0):
            raise ValueError("a row of bits is one unsigned word without scale or factor")
        if self.encoding and (self.words, self.signed, self.scale, self.factor) != (1, False, 1.0, 1.0):
            raise ValueError("an encoded row is one unsigned word without scale or factor")
        if self.table in BIT_TABLES and (self.words, self.signed, self.bits, self.encoding) != (
            1,
            False,
            (),
            None,
        ):
            raise ValueError(f"a row of table {self.table} is a single bit")
        taken = 0
        for field in self.bits:
            if taken & field.mask:
                raise ValueError(f"bits {field.bits[0]}-{field.bits[1]} are given twice")
            taken |= field.mask
        return self

    @model_validator(mode="after")
    def _writable(self) -> "Row":
        if self.write == "no":
            return self
        if self.table not in {"coil", "holding"}:
            raise ValueError(f"nothing can be written to table {self.table}")
        if self.setting is None and self.action is None and not self.is_clock:
            raise ValueError("only a setting, an action or the clock can be written")
        if self.words != 1 or self.factor != 1.0:
            raise ValueError("a row that can be written is one word without factor")
        return self

    @property
    def addresses(self) -> range:
        """The addresses the row stands at, low word first."""
        return range(self.address, self.address + self.words)

    @property
    def low(self) -> int:
        """Smallest register number."""
        return -(1 << (16 * self.words - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest register number."""
        return 1 if self.table in BIT_TABLES else (1 << (16 * self.words - self.signed)) - 1

    @property
    def is_clock(self) -> bool:
        """Whether it is one of the three words of the device's clock."""
        return self.encoding in CLOCK

    def fits(self, number: float) -> bool:
        """Whether a constant can be shown without clamping."""
        return math.isfinite(number) and self.low <= round(number * self.factor * self.scale) <= self.high

    def value(self, words: Sequence[int]) -> float:
        """What a master makes of the words: a number in `unit` (for a row of bits or of the clock, the word itself).

        Raises
        ------
        ValueError
            Sixty minutes or more in an hours and minutes register.
        """
        if self.encoding == "hours_minutes":
            return minutes_of(words[0])
        number = sum(word << (16 * place) for place, word in enumerate(words))
        return (number - (1 << (16 * self.words)) if number > self.high else number) / self.scale

    def text(self, words: Sequence[int]) -> str:
        """The same for people, without the unit."""
        if self.encoding:
            return ENCODINGS[self.encoding].shown(words[0])
        if self.values and words[0] in self.values:
            return f"{words[0]} {self.values[words[0]]}"
        return f"{self.value(words):.{max(0, math.ceil(math.log10(self.scale)))}f}"

    def allows(self, value: float, system_v: float) -> bool:
        """Whether a client may write a value on a system of so many volts, as far as this row can tell."""
        if self.values is not None and value not in self.values:
            return False
        if self.limits is None:
            return True
        times = system_v / 12.0 if self.limits_grow else 1.0
        return self.limits[0] * times <= value <= self.limits[1] * times

    def encoders(self, ratings: Mapping[str, float]) -> list[WordOf]:
        """One function per word, of snapshot and settings, that gives 0..0xFFFF; low word first.

        Parameters
        ----------
        ratings : mapping
            Value of every rating that a row may name, in the row's unit.
        """
        number = self._number(ratings)
        if self.words == 1:
            return [lambda s, t: number(s, t) & 0xFFFF] if self.signed else [number]
        return [lambda s, t: number(s, t) & 0xFFFF, lambda s, t: number(s, t) >> 16 & 0xFFFF]

    def _number(self, ratings: Mapping[str, float]) -> WordOf:
        if self.bits:
            fields = [field.word() for field in self.bits]
            return lambda s, t: sum(field(s, t) for field in fields)
        scale, low, high, truncate = (
            self.factor * self.scale,
            self.low,
            self.high,
            self.rounding == "truncate",
        )
        if self.quantity is not None and self.encoding is None:  # most rows: no call more than it takes
            read = quantities.reader(self.quantity)
            return lambda s, _: counts(read(s), scale, low, high, truncate)
        encode: Callable[[float], int] = partial(counts, scale=scale, low=low, high=high, truncate=truncate)
        if self.encoding is not None:
            encode = ENCODINGS[self.encoding].word
        return self._encoded(encode, ratings)

    def _encoded(self, encode: Callable[[float], int], ratings: Mapping[str, float]) -> WordOf:
        if self.quantity is not None:
            read = quantities.reader(self.quantity)
            return lambda s, _: encode(read(s))
        if self.setting is not None:
            place = Settings._fields.index(self.setting)
            return lambda _, t: encode(t[place])
        fixed = encode(ratings[self.rating] if self.rating is not None else self.constant or 0.0)
        return lambda _, __: fixed

    def same_reading(self, other: "Row") -> bool:
        """Whether a master that knows one row would read the other rightly."""
        return self._reading() == other._reading()

    def _reading(self) -> tuple[object, ...]:
        fields = tuple((f.bits, f.quantity, f.constant, str(f.codes)) for f in self.bits)
        number = (self.quantity, self.rating, self.constant, self.setting, self.action)
        form = (self.factor, self.scale, self.rounding, self.encoding, self.words, self.signed)
        return (*number, *form, fields)
