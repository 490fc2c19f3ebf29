"""A field in a word of bits: where it lies, what fills it, and what it says.

Knows one word and nothing of addresses; a row of several fields is `rows.BitsRow`.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, model_validator

from modbus.map import quantities
from modbus.map.scaling import counts
from plant.base.problems import did_you_mean
from plant.controller.settings import Settings
from plant.kernel.snapshot import Snapshot

WordOf = Callable[[Snapshot, Settings], int]


def _known_quantity(name: str) -> str:
    if name not in quantities.NAMES:
        hint = did_you_mean(name, quantities.NAMES) or "; docs/quantities.md lists them"
        raise ValueError(f"unknown quantity {name}{hint}")
    return name


QuantityName = Annotated[str, AfterValidator(_known_quantity)]


def _bit_range(given: Any) -> Any:
    """``"3-2"`` -> (3, 2); ``"0"`` or ``0`` -> (0, 0)."""
    match = re.fullmatch(r"(\d{1,2})(?:-(\d{1,2}))?", str(given))
    if match is None:
        raise ValueError(f"must be a bit or two of them, high first, like 3-2; got {given!r}")
    high, low = int(match[1]), int(match[2] or match[1])
    if not 15 >= high >= low:
        raise ValueError(f"must lie in 15..0 with the high bit first; got {given!r}")
    return high, low


def exactly_one(given: dict[str, object], elsewhere: tuple[str, ...] = ()) -> str:
    """Name of the one source that is given.

    Parameters
    ----------
    given : dict
        Each source that this kind of record may have, and its value; None for those that are not given.
    elsewhere : tuple of str
        Sources that would have made it a record of another kind: named where there is none at all.

    Raises
    ------
    ValueError
        There is none, or more than one.
    """
    there = [name for name, value in given.items() if value is not None]
    if len(there) != 1:
        names = ", ".join((*given, *elsewhere))
        raise ValueError(f"needs exactly one of {names}; has {' and '.join(there) or 'none'}")
    return there[0]


def named_codes(meaning: str) -> dict[int, str]:
    """The codes that a meaning lists, as in "0 normal, 1 over-voltage"; what follows a semicolon is not a code."""
    listed = re.findall(r"(?:^|, )(\d+) ([^,]+)", meaning.partition(";")[0])
    return {int(code): text for code, text in listed}


class BitField(BaseModel):
    """A field of one word, bits ``high`` to ``low``."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    bits: Annotated[tuple[int, int], BeforeValidator(_bit_range)]
    quantity: QuantityName | None = None
    constant: int | None = None
    codes: dict[int, int] | None = None  # quantity -> what stands in the field; a quantity not listed gives 0
    meaning: str

    @model_validator(mode="after")
    def _consistent(self) -> "BitField":
        exactly_one({"quantity": self.quantity, "constant": self.constant})
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

    @property
    def reading(self) -> tuple[object, ...]:
        """What two fields share that read alike."""
        return self.bits, self.quantity, self.constant, str(self.codes)

    def text(self, word: int) -> str:
        """What the field says in a word, behind the names of its bits; nothing for a flag that is not set."""
        high, low = self.bits
        number = (word & self.mask) >> low
        named = named_codes(self.meaning)
        if self.largest == 1 and not number and 0 not in named:
            return ""
        told = named.get(number, f"{number}" if named else self.meaning)
        return f"D{high if high == low else f'{high}-{low}'} {told}"

    def encoder(self) -> WordOf:
        """Function of snapshot and settings that gives the field in its place in the word."""
        low, largest, codes = self.bits[1], self.largest, self.codes
        if self.constant is not None:
            fixed = self.constant << low
            return lambda _, __: fixed
        read = quantities.reader(self.quantity or "")
        if codes is None:
            return lambda s, _: counts(read(s), 1.0, 0, largest) << low
        return lambda s, _: codes.get(counts(read(s), 1.0, -1, 0xFFFF), 0) << low
