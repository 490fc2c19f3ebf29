"""``tracertwin/scenario/vocabulary.json``: the words of scenarios, out of the code that defines them.

`python -m tracertwin.scenario.wordlist` writes it; a test keeps it up to date.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from modbus.map.bitfield import named_codes
from modbus.map.forms import BIT_TABLES
from modbus.map.registers import TRACER_4210, load_map
from modbus.map.rows import BitsRow, ClockRow, NumberRow, Row, SettingRow
from plant.controller.model import ControllerModel
from plant.kernel.snapshot import QUANTITIES, meaning_of
from plant.site.model import known_keys
from plant.site.upsets import UPSETS

PAGE: Final = Path(__file__).with_name("vocabulary.json")
MAPS: Final = ("uart2", "epever")
FLAG: Final = "0, 1"
ON_OFF: Final = {"off": 0, "on": 1}


def rows_of(map_name: str) -> dict[str, Any]:
    """The registers of a map by name, as `tracertwin.scenario.vocabulary.RegisterWord` has them; and its settings.

    A map that answers to every address leaves all but input registers to the one below it.
    """
    loaded = load_map(map_name, TRACER_4210)
    rows: list[Row] = [row for row in loaded.spec.rows if row.table == "input"]
    rows += [row for row in loaded.published.spec.rows if row.table != "input"]
    writable = {row.name for row in rows if row.written != "no" and not isinstance(row, ClockRow)}
    return {
        "registers": {
            name: [
                row.table,
                row.address,
                len(row.addresses),
                row.measured_in,
                row.name in writable,
                codes := _codes(row),
                bool(codes) or isinstance(row, BitsRow),
            ]
            for name, row in _named(rows).items()
        },
        "settings": {
            row.origin.given: row.name for row in rows if row.name in writable and row.origin.key == "setting"
        },
    }


def _named(rows: Iterable[Row]) -> dict[str, Row]:
    """Rows by name; of two with the same name the second has its address in it, ``energy_generated_total_3312``."""
    found: dict[str, Row] = {}
    for row in rows:
        found[f"{row.name}_{row.address:04x}" if row.name in found else row.name] = row
    return found


def _codes(row: Row) -> dict[str, int]:
    """What the numbers of a register stand for, by word."""
    if row.table in BIT_TABLES:
        return ON_OFF
    if isinstance(row, NumberRow | SettingRow) and not row.unit:
        return _words_of(row.values or named_codes(row.meaning))
    return {}


def _words_of(codes: dict[int, str]) -> dict[str, int]:
    """``{1: "over-voltage"}`` -> ``{"over_voltage": 1}``."""
    return {re.sub(r"\W+", "_", text.strip().lower()).strip("_"): code for code, text in codes.items()}


def words() -> dict[str, Any]:
    """All words."""
    return {
        "about": "Made by `python -m tracertwin.scenario.wordlist`; do not edit.",
        "quantities": {
            name: [
                quantity.unit,
                ON_OFF
                if quantity.unit == FLAG
                else _words_of(named_codes(meaning_of(name).partition(": ")[2])),
            ]
            for name, quantity in QUANTITIES.items()
        },
        "maps": {name: rows_of(name) for name in MAPS},
        "upsets": {
            name: {
                key: [one.default, one.range.low, one.range.high, one.kind, one.argument]
                for key, one in kind.parameters.items()
            }
            for name, kind in UPSETS.items()
        },
        "ratings": list(ControllerModel._fields),
        "site": {_dotted(path): keys for path, keys in known_keys().items()},
    }


def _dotted(path: tuple[str | int, ...]) -> str:
    return "".join("[*]" if part == "*" else f".{part}" for part in path).lstrip(".")


def current_page() -> str:
    """What the file should say now: a line for each word."""
    told = words()
    parts = []
    for head, table in told.items():
        if not isinstance(table, dict):
            parts.append(f"{json.dumps(head)}: {json.dumps(table)}")
            continue
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(row)}" for name, row in table.items())
        parts.append(f"{json.dumps(head)}: {{\n{rows}\n}}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
