"""A register map bound to a controller: which address shows what, and where two maps disagree.

It knows rows, tables and snapshots; it has never seen a frame. `python -m modbus.registers` writes
`docs/registers.md`, which a test keeps up to date.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from modbus.mapfile import MapSpec, read_map
from modbus.quantities import DERIVED
from modbus.rows import Row, WordOf

# Ratings of a Tracer 4210 on a 12 V system (manuals of Tracer-A, TRIRON N; 0x3000-0x3010 of the dump A4210).
TRACER_4210: Final[Mapping[str, float]] = MappingProxyType(
    {
        "pv_rated_v": 100.0,
        "pv_rated_a": 40.0,
        "pv_rated_w": 1040.0,
        "battery_rated_v": 24.0,
        "charge_rated_a": 40.0,
        "charge_rated_w": 1040.0,
        "load_rated_v": 24.0,
        "load_rated_a": 40.0,
        "load_rated_w": 1040.0,
        "system_v": 12.0,
    }
)


class Difference(NamedTuple):
    """One address that two maps read differently."""

    address: int
    here: str  # what the first map has
    there: str  # what the second has
    note: str


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
        Table -> address -> function of the snapshot that gives the word there.
    rows : mapping
        Table -> address -> the row that stands there; a 32-bit row stands at two.
    """

    spec: MapSpec
    extends: "RegisterMap | None"
    words: Mapping[str, Mapping[int, WordOf]]
    rows: Mapping[str, Mapping[int, Row]]

    @property
    def root(self) -> "RegisterMap":
        """The map at the end of the chain of `extends`: the protocol as published."""
        return self if self.extends is None else self.extends.root

    def label(self, table: str, address: int) -> str:
        """What a master finds at an address, in a few words."""
        row = self.rows.get(table, {}).get(address)
        if row is None:
            return "reads 0" if self.spec.unmapped == "zero" else "exception 02"
        if row.words == 1:
            return row.name
        return f"{row.name}, {'low' if address == row.address else 'high'} word"


def load_map(name: str, ratings: Mapping[str, float]) -> RegisterMap:
    """Read a register map and bind it to a controller.

    Parameters
    ----------
    name : str
        ``uart2``, ``epever``, or the path of a map file of one's own.
    ratings : mapping
        The controller's ratings, keys as in `TRACER_4210`.

    Raises
    ------
    MapError
        With every problem of the file: line, key, and what would do.
    """
    return _bind(read_map(name, ratings), ratings)


def _bind(spec: MapSpec, ratings: Mapping[str, float]) -> RegisterMap:
    words: dict[str, dict[int, WordOf]] = {}
    rows: dict[str, dict[int, Row]] = {}
    for row in spec.rows:
        words.setdefault(row.table, {}).update(zip(row.addresses, row.encoders(ratings), strict=True))
        rows.setdefault(row.table, {}).update(dict.fromkeys(row.addresses, row))
    return RegisterMap(spec, _bind(spec.extends, ratings) if spec.extends else None, words, rows)


def differences(here: RegisterMap, there: RegisterMap, table: str = "input") -> list[Difference]:
    """Addresses that firmware written for one map misreads on the other, ascending.

    Only addresses that at least one of the maps has; what an unmapped address gives is a rule of the map.
    """
    found = []
    mine, theirs = here.rows.get(table, {}), there.rows.get(table, {})
    for address in sorted({*mine, *theirs}):
        a, b = mine.get(address), theirs.get(address)
        if a and b and a.same_reading(b) and address - a.address == address - b.address:
            continue
        note = next((row.note for row in (a, b) if row and row.note), "")
        found.append(Difference(address, here.label(table, address), there.label(table, address), note))
    return found


# --- docs/registers.md ----------------------------------------------------------------------------

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "registers.md"
ENCODING: Final = """\
A number on the wire is quantity x factor x scale. It is rounded half to even (0.125 V at x100 reads 12), or
where the table says so cut off. What does not fit reads the nearest number that does: a device clamps, and a
wrapped 700 V would pass for a healthy 44.64 V. What is no number (NaN, infinity) reads 0, because a reply has
to go out whatever the plant did. 32 bits are two registers, low word at the lower address; negative numbers
are in two's complement. All registers of one reply are from one instant."""

RULES: Final[Mapping[str, Mapping[object, str]]] = {
    "unmapped": {
        "zero": "an unmapped address reads 0",
        "exception": "an unmapped address gives exception 02",
    },
    "partial": {
        "refuse": "a block with an unmapped address in it gives exception 02",
        "cut": "a block ends before its first unmapped address",
    },
    "units": {
        "any": "any unit id from 0 to 247 is answered",
        "own": "the own unit id is answered; others, and broadcasts (0), are not",
    },
}


def rules(register_map: RegisterMap) -> list[str]:
    """What holds for a map as a whole, a sentence each."""
    spec = register_map.spec
    told = [text[getattr(spec, key)] for key, text in RULES.items()]
    if spec.unmapped == "zero":
        told.remove(RULES["partial"][spec.partial])  # nothing is unmapped then
    return [*told, f"count 0 or above {spec.max_count} gives exception 03, an end past 0xFFFF exception 02"]


def page(maps: list[RegisterMap]) -> str:
    """The register reference as Markdown."""
    return "\n".join(_page(maps)) + "\n"


def _page(maps: list[RegisterMap]) -> Iterator[str]:
    yield "<!-- Made by `python -m modbus.registers` from config/registers; do not edit. -->"
    yield "# Registers"
    yield ""
    yield from ENCODING.splitlines()
    yield ""
    yield "Quantities are fields of `plant/snapshot.py`, except:"
    yield ""
    yield from (f"- `{derived.name}`: {derived.meaning}" for derived in DERIVED)
    for register_map in maps:
        yield from _map_section(register_map)
    for register_map in maps:
        if register_map.extends is not None:
            yield from _difference_section(register_map, register_map.root)
    yield ""
    yield "## Sources"
    yield ""
    sources = {name: text for register_map in maps for name, text in register_map.spec.sources.items()}
    yield from (f"- **{name}**: {text}" for name, text in sources.items())


def _map_section(register_map: RegisterMap) -> Iterator[str]:
    spec = register_map.spec
    inherited = spec.extends.rows if spec.extends else ()
    own = [row for row in spec.rows if row not in inherited]
    yield f"\n## `{spec.name}`: {spec.title}"
    yield ""
    yield from (f"- {rule}" for rule in rules(register_map))
    if spec.extends:
        yield f"- every address that is not in this table is as in `{spec.extends.name}`"
    yield "\n### Input registers (function 04)"
    yield ""
    yield "| address | name | shows | unit | scale | bits | meaning | source | recorded on |"
    yield "|---|---|---|---|---|---|---|---|---|"
    yield from map(_table_line, own)
    notes = [row for row in own if row.note or row.guess]
    if notes:
        yield "\n### Where sources disagree, are silent or need a word"
        yield ""
        yield from (f"- `{_place(row)}` {row.name}: {'**guess**; ' * row.guess}{row.note}" for row in notes)


def _difference_section(here: RegisterMap, there: RegisterMap) -> Iterator[str]:
    yield f"\n## Where `{here.spec.name}` and `{there.spec.name}` disagree"
    yield ""
    yield f"Firmware that reads these addresses by `{here.spec.name}` shows wrong numbers on a real Tracer."
    yield ""
    yield f"| address | `{here.spec.name}` | `{there.spec.name}` | note |"
    yield "|---|---|---|---|"
    for item in differences(here, there):
        yield f"| 0x{item.address:04X} | {item.here} | {item.there} | {item.note} |"


def _table_line(row: Row) -> str:
    meaning = "<br>".join([row.meaning, *(f"D{_span(*field.bits)}: {field.meaning}" for field in row.bits)])
    scale = f"x{row.scale:g}" + ", cut off" * (row.rounding == "truncate")
    bits = f"{16 * row.words}" + " signed" * row.signed
    cells = [_place(row), row.name, _shows(row), row.unit, scale, bits, meaning]
    return "| " + " | ".join([*cells, ", ".join(row.source), ", ".join(row.seen)]) + " |"


def _place(row: Row) -> str:
    return f"0x{row.address:04X}" + (f"-{row.addresses[-1]:04X}" if row.words > 1 else "")


def _shows(row: Row) -> str:
    if row.bits:
        named = (f"`{field.quantity}`" if field.quantity else f"{field.constant}" for field in row.bits)
        return ", ".join(named)
    if row.constant is not None:
        return f"{row.constant:g}"
    source = f"`{row.quantity}`" if row.quantity else f"rating `{row.rating}`"
    return source + (f" x {row.factor:g}" if row.factor != 1 else "")


def _span(high: int, low: int) -> str:
    return f"{high}" if high == low else f"{high}-{low}"


def current_page() -> str:
    """What docs/registers.md should say now."""
    return page([load_map(name, TRACER_4210) for name in ("uart2", "epever")])


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
