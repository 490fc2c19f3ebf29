"""A unit's registers at a moment, in two maps side by side: words, values, bits. No line is asked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from modbus.codec.functions import READ_FUNCTION
from modbus.device.interface import Shown
from modbus.device.model import load_model
from modbus.map.bitfield import WordOf
from modbus.map.registers import RegisterMap, load_map
from modbus.map.rows import ActionRow, BitsRow, Row
from tracertwin.assembly.units import Unit, sensors_of

SHIPPED: Final = ("uart2", "epever")
# (table, address) -> word, plant time [s UTC]
LastRead: TypeAlias = Mapping[tuple[str, int], tuple[int, int]]


class BothMaps:
    """The map that a unit answers by, and a shipped one to compare.

    Parameters
    ----------
    unit : Unit
    map_name : str
        Of the first.

    Attributes
    ----------
    maps : mapping
        Name -> map, the unit's own first.
    """

    def __init__(self, unit: Unit, map_name: str) -> None:
        site = unit.live.plant.site
        other = next(name for name in reversed(SHIPPED) if name != map_name)
        optional = load_model(site.controller.model).optional
        self.maps: dict[str, RegisterMap] = {
            map_name: unit.tracer.register_map,
            other: load_map(other, site.ratings(), optional),
        }
        self._sensors = sensors_of(unit.live.plant)
        self._all = [place for name, one in self.maps.items() for place in _places(name, one)]
        # most registers seldom change, and a page asks for all of them every second
        self._known: dict[_MapRegister, tuple[tuple[int, ...], dict[str, Any]]] = {}
        self._texts: dict[_MapRegister, tuple[dict[str, Any], object, str]] = {}

    def rows(self, shown: Shown) -> list[dict[str, Any]]:
        """Every register of both maps at a moment, as JSON has it; by map, table and address. Not to be changed."""
        seen = shown if self._sensors is None else self._sensors.read(shown)
        return [self._described(one, seen) for one in self._all]

    def text(self, shown: Shown, last: LastRead) -> str:
        """The same as JSON, with what a client last read in each."""
        parts = []
        for one, row in zip(self._all, self.rows(shown), strict=True):
            read = last.get((one.row.table, one.row.address))
            before = self._texts.get(one)
            if before is None or before[0] is not row or before[1] != read:
                before = row, read, json.dumps(row | {"read": self.read(row, last)})
                self._texts[one] = before
            parts.append(before[2])
        return f"[{','.join(parts)}]"

    def _described(self, one: "_MapRegister", seen: Shown) -> dict[str, Any]:
        """Of a register; what reads as it did is told as it was."""
        words = tuple(cell(*seen) for cell in one.cells)
        before = self._known.get(one)
        if before is None or before[0] != words:
            before = words, {"map": one.map_name, **_described(one.row, words)}
            self._known[one] = before
        return before[1]

    def read(self, row: dict[str, Any], last: LastRead) -> dict[str, Any] | None:
        """What a client read last in a register that `rows` told of: value and plant time; none if it didn't.

        Parameters
        ----------
        row : dict
        last : mapping
            (table, address) -> the word that was read there, and when.
        """
        table, first = row["table"], int(row["address"], 16)
        if (table, first) not in last:
            return None
        rows = self.maps[row["map"]].answering(table).rows[table]
        found = [last.get((table, address)) for address in rows[first].addresses]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        words = tuple(word for word, _ in known)
        meaning = rows[first].remarks(words)
        text = ", ".join(meaning) if meaning else f"{rows[first].figure(words)} {row['unit']}".rstrip()
        return {"words": list(words), "text": text, "t_utc_s": known[0][1]}


class _MapRegister(NamedTuple):
    """A register of a map, and what gives its words; none of what can only be written."""

    map_name: str
    row: Row
    cells: tuple[WordOf, ...]

    def __hash__(self) -> int:
        return hash((self.map_name, self.row.table, self.row.address))


def _places(name: str, register_map: RegisterMap) -> Iterator[_MapRegister]:
    for table in READ_FUNCTION:
        there = register_map.answering(table)
        for address, row in there.rows[table].items():
            if row.address == address:  # not the second word of a pair
                is_read = not isinstance(row, ActionRow)
                cells = tuple(there.words[table][place] for place in row.addresses) if is_read else ()
                yield _MapRegister(name, row, cells)


def _described(row: Row, words: tuple[int, ...]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "table": row.table,
        "address": f"0x{row.address:04X}",
        "name": row.name,
        "unit": row.measured_in,
        "writable": row.written != "no",
    }
    if not words:
        return described | {"words": [], "value": None, "text": "written only", "meaning": []}
    return described | {
        "words": list(words),
        "value": round(row.value(words), 6),
        "text": row.figure(words),
        "meaning": list(row.remarks(words)),
        "bits": [list(field.bits) for field in row.bits] if isinstance(row, BitsRow) else [],
    }
