"""A unit's registers at a moment, in two maps side by side: words, values, bits. No line is asked."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from modbus.device.interface import Shown
from modbus.device.model import load_model
from modbus.map.registers import RegisterMap, load_map
from modbus.map.rows import ActionRow, BitsRow, Row
from modbus.master.poll import FUNCTIONS
from tracertwin.assembly.units import Unit, sensors_of

SHIPPED: Final = ("uart2", "epever")


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

    def rows(self, shown: Shown) -> list[dict[str, Any]]:
        """Every register of both maps at a moment, as JSON has it; by map, table and address."""
        seen = shown if self._sensors is None else self._sensors.read(shown)
        return [
            {"map": name, **told}
            for name, register_map in self.maps.items()
            for table in FUNCTIONS
            for told in _table(register_map if table == "input" else register_map.published, table, seen)
        ]

    def read(
        self, row: dict[str, Any], last: Mapping[tuple[str, int], tuple[int, int]]
    ) -> dict[str, Any] | None:
        """What a client read last in a register that `rows` told of: value and plant time; none if it didn't.

        Parameters
        ----------
        row : dict
        last : mapping
            (table, address) -> the word that was read there, and when.
        """
        register_map, first = self.maps[row["map"]], int(row["address"], 16)
        rows = (register_map if row["table"] == "input" else register_map.published).rows[row["table"]]
        found = [last.get((row["table"], address)) for address in rows[first].addresses]
        known = [one for one in found if one is not None]
        if len(known) < len(found):
            return None
        words = tuple(word for word, _ in known)
        meaning = rows[first].remarks(words)
        text = ", ".join(meaning) if meaning else f"{rows[first].figure(words)} {row['unit']}".rstrip()
        return {"words": list(words), "text": text, "t_utc_s": known[0][1]}


def _table(register_map: RegisterMap, table: str, shown: Shown) -> Iterator[dict[str, Any]]:
    cells = register_map.words[table]
    for address, row in register_map.rows[table].items():
        if row.address != address:  # the second word of a pair
            continue
        words = None if isinstance(row, ActionRow) else tuple(cells[place](*shown) for place in row.addresses)
        yield _told(row, words)


def _told(row: Row, words: tuple[int, ...] | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "table": row.table,
        "address": f"0x{row.address:04X}",
        "name": row.name,
        "unit": row.measured_in,
        "writable": row.written != "no",
    }
    if words is None:
        return told | {"words": [], "value": None, "text": "written only", "meaning": []}
    return told | {
        "words": list(words),
        "value": round(row.value(words), 6),
        "text": row.figure(words),
        "meaning": list(row.remarks(words)),
        "bits": [list(field.bits) for field in row.bits] if isinstance(row, BitsRow) else [],
    }
