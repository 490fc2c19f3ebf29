"""A register map bound to a controller: which address shows what, and where two maps disagree.

It knows rows, tables and snapshots; it has never seen a frame.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from modbus.codec.exceptioncodes import exception_phrase
from modbus.map.bitfield import WordOf
from modbus.map.file import MapSpec, read_map
from modbus.map.forms import TABLES
from modbus.map.rows import ActionRow, Row
from plant.controller.model import ControllerModel

# Where no site says which controller it is: a Tracer 4210AN on a 12 V system.
TRACER_4210: Final[Mapping[str, float]] = MappingProxyType(ControllerModel.load("tracer4210n").ratings(12))


class Difference(NamedTuple):
    """One address that two maps read differently."""

    address: int
    here: str  # what the first map has
    there: str  # what the second has
    note: str
    table: str = "input"


@dataclass(frozen=True, slots=True)
class RegisterMap:
    """A map as a controller with known ratings answers it.

    Parameters
    ----------
    spec : MapSpec
        Rows and rules, as the files give them.
    extends : RegisterMap or None
        The map that this one extends.
    words : mapping
        Table -> address -> function of snapshot and settings that gives the word there.
    rows : mapping
        Table -> address -> the row that stands there; a 32-bit row stands at two.
    battery_v : int
        Of the battery that the controller is connected to, 12 or 24 [V].
    """

    spec: MapSpec
    extends: "RegisterMap | None"
    words: Mapping[str, Mapping[int, WordOf]]
    rows: Mapping[str, Mapping[int, Row]]
    battery_v: int

    @property
    def published(self) -> "RegisterMap":
        """The map for all that a map which answers to every address leaves to a real device: any function but 04."""
        if self.spec.unmapped == "zero" and self.extends is not None:
            return self.extends.published
        return self

    def answering(self, table: str) -> "RegisterMap":
        """The map that reads of a table are answered from: this one for input registers, else the published one."""
        return self if table == "input" else self.published

    @property
    def root(self) -> "RegisterMap":
        """The map at the end of the chain of `extends`: the protocol as published."""
        return self if self.extends is None else self.extends.root

    def block_around(self, address: int) -> range:
        """The holding registers that are written in one frame with a block row."""
        there = self.rows["holding"]
        first = last = address
        while (before := there.get(first - 1)) is not None and before.written == "block":
            first -= 1
        while (after := there.get(last + 1)) is not None and after.written == "block":
            last += 1
        return range(first, last + 1)

    def label(self, table: str, address: int) -> str:
        """What a master finds at an address, in a few words."""
        row = self.rows[table].get(address)
        if row is None:
            reads_zero = self.spec.unmapped == "zero" and table == "input"
            return "reads 0" if reads_zero else exception_phrase(self.spec.exceptions["unmapped"])
        if len(row.addresses) == 1:
            return row.name
        return f"{row.name}, {'low' if address == row.address else 'high'} word"


def load_map(name: str, ratings: Mapping[str, float], optional: Collection[int] | None = None) -> RegisterMap:
    """Read a register map and bind it to a controller.

    Parameters
    ----------
    name : str
        ``uart2``, ``epever``, or the path of a map file of one's own.
    ratings : mapping
        The controller's ratings, keys as in `TRACER_4210`.
    optional : collection of int, optional
        First addresses of those optional rows that the controller has; all unless given.

    Raises
    ------
    MapError
        With every problem of the file: line, key, and what would do.
    """
    return _bind(read_map(name, ratings), ratings, optional)


def _bind(spec: MapSpec, ratings: Mapping[str, float], optional: Collection[int] | None) -> RegisterMap:
    words: dict[str, dict[int, WordOf]] = {table: {} for table in TABLES}
    rows: dict[str, dict[int, Row]] = {table: {} for table in TABLES}
    there = [row for row in spec.rows if optional is None or not row.optional or row.address in optional]
    for row in there:
        rows[row.table].update(dict.fromkeys(row.addresses, row))
    for row in there:
        if not isinstance(row, ActionRow):  # that can be written, not read
            encoders = row.encoders(ratings, rows[row.table])
            words[row.table].update(zip(row.addresses, encoders, strict=True))
    below = _bind(spec.extends, ratings, optional) if spec.extends else None
    return RegisterMap(spec, below, words, rows, round(ratings.get("system_v", 12.0)))


def differences(here: RegisterMap, there: RegisterMap) -> list[Difference]:
    """Addresses that firmware written for one map misreads on the other, ascending in each table.

    Only addresses that at least one of the maps has; what an unmapped address gives is a rule of the map.
    """
    return [difference for table in TABLES for difference in _differences(here, there, table)]


def _differences(here: RegisterMap, there: RegisterMap, table: str) -> Iterator[Difference]:
    mine, theirs = here.rows[table], there.rows[table]
    for address in sorted({*mine, *theirs}):
        a, b = mine.get(address), theirs.get(address)
        if a and b and a.reading == b.reading and a.address == b.address:
            continue
        note = next((row.note for row in (a, b) if row and row.note), "")
        yield Difference(address, here.label(table, address), there.label(table, address), note, table)
