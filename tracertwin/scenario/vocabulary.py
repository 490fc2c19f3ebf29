"""The words that a scenario may use: quantities, registers, upsets, keys of a site, each with its unit or limits.

They are defined in code that takes a second to import, numba and all; a wrong word in a scenario has to be told sooner.
So `python -m tracertwin.scenario.wordlist` writes them to ``vocabulary.json``, which is all that this module reads; a
test keeps the file up to date.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from plant.base import configs
from plant.base.grammar import Parameter, Range
from plant.base.problems import did_you_mean

FILE: Final = Path(__file__).with_name("vocabulary.json")
ADDRESS: Final = re.compile(r"0[xX][0-9a-fA-F]{1,4}")
BITS: Final = re.compile(r"D(\d{1,2})(?:-(\d{1,2}))?")
FLAG: Final = "0, 1"  # the unit of a flag
SHARE: Final = "0..1"
# What may be written for a unit, and how much of the unit it is. A unit that isn't here is written as it is.
UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "V": {"V": 1.0, "mV": 1e-3},
    "A": {"A": 1.0, "mA": 1e-3},
    "W": {"W": 1.0, "kW": 1e3},
    "degC": {"degC": 1.0, "C": 1.0, "°C": 1.0},
    "Wh": {"Wh": 1.0, "kWh": 1e3},
    "kWh": {"kWh": 1.0, "Wh": 1e-3},
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0},
    "min": {"min": 1.0, "s": 1.0 / 60.0, "h": 60.0},
    SHARE: {"%": 0.01},
    FLAG: {},
    "": {},
}


@dataclass(frozen=True, slots=True)
class Subject:
    """Something that has a value at each moment: a quantity of the plant, or a register as a client reads it.

    Attributes
    ----------
    word : str
        As it was written.
    key : str
        Of its column in a record: the quantity's name, or the register's table and address, ``input 0x3104``; of its
        word as it is on the line, ``input 0x3104 word``.
    unit : str
    codes : mapping
        What its numbers stand for, by word.
    is_state : bool
        Whether one value of it is no nearer to a second than to a third.
    bits : (int, int), optional
        Those of the register that are meant, the high one first.
    """

    word: str
    key: str
    unit: str
    codes: Mapping[str, int] = field(default_factory=dict)
    is_state: bool = False
    bits: tuple[int, int] | None = None

    def factor(self, unit: str) -> float:
        """What one of a written unit is in the own unit.

        Raises
        ------
        ValueError
            Naming what would do.
        """
        known = UNITS.get(self.unit, {self.unit: 1.0})
        if not unit:
            return 1.0
        if unit not in known:
            does = f"in {', '.join(known)}" if known else "written without a unit"
            other_case = [name for name in known if name.lower() == unit.lower()]
            hint = f" (did you mean {other_case[0]}?)" if other_case else did_you_mean(unit, known)
            raise ValueError(f"{self.word} has no unit {unit!r}{hint}; it is {does}")
        return known[unit]

    def amount(self, number: float, unit: str) -> float:
        """A written number in the own unit.

        Raises
        ------
        ValueError
            The unit is not one of it, or a share is written as if it were a percentage.
        """
        if self.unit == SHARE and not unit and not 0.0 <= number <= 1.0:
            raise ValueError(
                f"{self.word} is a share from 0 to 1, got {number:g}; did you mean {number:g} %?"
            )
        return number * self.factor(unit)


@dataclass(frozen=True, slots=True)
class RegisterWord:
    """A register of a map: where it stands, its unit, and whether a client may write it."""

    table: str
    address: int
    words: int
    unit: str
    writable: bool
    codes: Mapping[str, int] = field(default_factory=dict)
    is_state: bool = False

    @property
    def key(self) -> str:
        """Of its column in a record."""
        return f"{self.table} 0x{self.address:04X}"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All words, for one register map."""

    quantities: Mapping[str, Subject]
    registers: Mapping[str, RegisterWord]  # by name
    settings: Mapping[str, str]  # name of a setting -> that of its register
    upsets: Mapping[str, Mapping[str, Parameter]]
    ratings: tuple[str, ...]  # keys of a controller's file that are numbers
    site: Mapping[str, tuple[str, ...]]  # dotted path of a mapping, [*] for any place in a list -> its keys

    def subject(self, word: str) -> Subject:
        """What a name, an address or some bits of a register stand for; a quantity goes before a register of that name.

        Raises
        ------
        ValueError
            With the nearest name.
        """
        if word in self.quantities:
            return self.quantities[word]
        name, dot, bits = word.partition(".")
        register = self.register(name)
        if not dot:
            return Subject(word, register.key, register.unit, register.codes, register.is_state)
        found = BITS.fullmatch(bits)
        high, low = (int(found[1]), int(found[2] or found[1])) if found else (-1, 0)
        if not 15 >= high >= low or register.words > 1:
            raise ValueError(
                f"{bits!r} is not a bit of {name}; write {name}.D3, or {name}.D3-2 with the high one first"
            )
        return Subject(word, f"{register.key} word", "", {}, True, (high, low))

    def register(self, word: str) -> RegisterWord:
        """The register of a name or an address, input registers first.

        Raises
        ------
        ValueError
            With the nearest name.
        """
        if ADDRESS.fullmatch(word):
            address = int(word, 16)
            for table in ("input", "holding", "discrete", "coil"):
                for register in self.registers.values():
                    if (register.table, register.address) == (table, address):
                        return register
            raise ValueError(f"the map has no register {word}; tracertwin registers lists them")
        if word not in self.registers:
            known = [*self.quantities, *self.registers]
            raise ValueError(
                f"no quantity or register {word!r}{did_you_mean(word, known)}; docs/quantities.md and "
                "docs/registers.md list them"
            )
        return self.registers[word]

    def writable(self, word: str) -> RegisterWord:
        """The register that a client writes under a name: the register's, a setting's, or an address.

        Raises
        ------
        ValueError
            With the nearest name.
        """
        known = [name for name, register in self.registers.items() if register.writable]
        name = self.settings.get(word, word)
        if name not in known and not ADDRESS.fullmatch(name):
            if name in self.registers:
                raise ValueError(f"{word} can only be read")
            hint = did_you_mean(word, [*known, *self.settings, "clock"])
            raise ValueError(f"there is no setting, coil or clock word {word!r}{hint}")
        return self.registers.get(name) or RegisterWord("holding", int(name, 16), 1, "", True)


@lru_cache(maxsize=8)
def vocabulary(map_name: str = "uart2") -> Vocabulary:
    """The words with the registers of a shipped map, or of a map file of one's own.

    Raises
    ------
    ProblemsError
        There is no such map, or it can't be used.
    """
    kept = json.loads(FILE.read_text(encoding="utf-8"))
    rows = kept["maps"].get(map_name) or _rows_of(map_name)
    return Vocabulary(
        {name: Subject(name, name, unit, codes, bool(codes)) for name, (unit, codes) in kept["quantities"].items()},
        {name: RegisterWord(*row) for name, row in rows["registers"].items()},
        rows["settings"],
        {name: {key: _parameter(key, row) for key, row in keys.items()} for name, keys in kept["upsets"].items()},
        tuple(kept["ratings"]),
        {path: tuple(keys) for path, keys in kept["site"].items()},
    )  # fmt: skip


def _parameter(key: str, row: list[Any]) -> Parameter:
    default, low, high, kind, argument = row
    return Parameter(key, default, Range(low, high), kind, argument)


def _rows_of(map_name: str) -> dict[str, Any]:
    """Those of a map of one's own: reading it loads all that maps are made of."""
    configs.find("registers", map_name)
    from tracertwin.scenario.wordlist import rows_of

    return rows_of(map_name)
