"""A register map bound to a controller: which address shows what, and where two maps disagree.

It knows rows, tables and snapshots; it has never seen a frame. `python -m modbus.registers` writes
`docs/registers.md`, which a test keeps up to date.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from modbus.encodings import ENCODINGS
from modbus.mapfile import MapSpec, read_map
from modbus.quantities import DERIVED
from modbus.rows import BIT_TABLES, TABLES, Row, WordOf
from plant.controller import ControllerModel
from plant.settings import Settings, factory
from plant.snapshot import Snapshot

# Where no site says which controller it is: a Tracer 4210AN on a 12 V system.
TRACER_4210: Final[Mapping[str, float]] = MappingProxyType(ControllerModel.load("tracer4210n").ratings(12))


NEW: Final[Settings] = factory(1, 12)  # of a new unit, sealed battery
NOTHING: Final = Snapshot(*[0.0] * len(Snapshot._fields))


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

    @property
    def root(self) -> "RegisterMap":
        """The map at the end of the chain of `extends`: the protocol as published."""
        return self if self.extends is None else self.extends.root

    def label(self, table: str, address: int) -> str:
        """What a master finds at an address, in a few words."""
        row = self.rows[table].get(address)
        if row is None:
            return "reads 0" if self.spec.unmapped == "zero" and table == "input" else "exception 02"
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
    words: dict[str, dict[int, WordOf]] = {table: {} for table in TABLES}
    rows: dict[str, dict[int, Row]] = {table: {} for table in TABLES}
    for row in spec.rows:
        rows[row.table].update(dict.fromkeys(row.addresses, row))
        if row.action is None:  # it can be written, not read
            words[row.table].update(zip(row.addresses, row.encoders(ratings), strict=True))
    below = _bind(spec.extends, ratings) if spec.extends else None
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
        if a and b and a.same_reading(b) and address - a.address == address - b.address:
            continue
        note = next((row.note for row in (a, b) if row and row.note), "")
        yield Difference(address, here.label(table, address), there.label(table, address), note, table)


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
        "zero": "an unmapped input register reads 0",
        "exception": "an unmapped address is refused",
    },
    "partial": {
        "refuse": "so is a block with an unmapped address in it",
        "cut": "a block ends before its first unmapped address",
    },
    "units": {
        "any": "input registers are told to any unit id from 0 to 247",
        "own": "the own unit id is answered, others are not; broadcasts (0) are done and not answered",
    },
}
TABLE_HEADS: Final[Mapping[str, str]] = {
    "coil": "Coils (read by function 01, written by 05)",
    "discrete": "Discrete inputs (function 02)",
    "input": "Input registers (function 04)",
    "holding": "Holding registers (read by function 03, written by 10 and 06)",
}


def rules(register_map: RegisterMap) -> list[str]:
    """What holds for a map as a whole, a sentence each."""
    spec = register_map.spec
    told = [text[getattr(spec, key)] for key, text in RULES.items()]
    if spec.unmapped == "zero":
        told.remove(RULES["partial"][spec.partial])  # nothing is unmapped then
        told.append(f"functions other than 04 are those of `{register_map.published.spec.name}`")
    return [*told, f"at most {spec.max_count} registers are read at once; a model may have smaller limits"]


def writing(row: Row) -> str:
    """How a row can be written, in words; empty if it can't."""
    if row.write == "no":
        return ""
    told = ["in one frame with its neighbours"] if row.write == "block" else ["yes"]
    if row.limits is not None:
        low, high = (f"{limit:g}" for limit in row.limits)
        told.append(f"{low} to {high}" + " (twice that at 24 V)" * row.limits_grow)
    told += [f"{name} {' '.join(map(str, of))}" for name, of in row.needs.items()]
    return ", ".join(told)


def page(maps: list[RegisterMap]) -> str:
    """The register reference as Markdown."""
    return "\n".join(_page(maps)) + "\n"


def _page(maps: list[RegisterMap]) -> Iterator[str]:
    yield "<!-- Made by `python -m modbus.registers` from config/registers; do not edit. -->"
    yield "# Registers"
    yield ""
    yield from ENCODING.splitlines()
    yield ""
    yield "Quantities are fields of `plant/snapshot.py`, settings those of `plant/settings.py`; besides there are:"
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
    for table in TABLES:
        yield from _table_section(table, [row for row in own if row.table == table])
    notes = [row for row in own if row.note or row.guess]
    if notes:
        yield "\n### Where sources disagree, are silent or need a word"
        yield ""
        yield from (
            f"- {row.table} `{_place(row)}` {row.name}: {'**guess**; ' * row.guess}{row.note}"
            for row in notes
        )
    yield from _refusals_section(spec)


def _table_section(table: str, rows: list[Row]) -> Iterator[str]:
    if not rows:
        return
    written = table in {"coil", "holding"}
    heads = ["address", "name", "shows", "unit", "scale", "bits", *["written", "new unit"] * written]
    yield f"\n### {TABLE_HEADS[table]}"
    yield ""
    yield "| " + " | ".join([*heads, "meaning", "source", "recorded on"]) + " |"
    yield "|---" * (len(heads) + 3) + "|"
    yield from (_table_line(row, written) for row in rows)


def _refusals_section(spec: MapSpec) -> Iterator[str]:
    if spec.extends is None and spec.refusals:
        yield "\n### What is refused, and how"
        yield ""
        yield "A refused write changes nothing. Functions that do not exist get exception 01."
        yield ""
        yield "| exception | to | source |"
        yield "|---|---|---|"
        for refusal in spec.refusals:
            source = ", ".join(refusal.source) + (" **guess**" if refusal.guess else "")
            yield f"| {refusal.code:02d} | {refusal.meaning} | {source.strip()} |"
    if spec.left_out:
        yield "\n### Addresses left out"
        yield ""
        yield "| table | address | why | source |"
        yield "|---|---|---|---|"
        yield from (f"| {o.table} | {o.addresses} | {o.why} | {', '.join(o.source)} |" for o in spec.left_out)


def _difference_section(here: RegisterMap, there: RegisterMap) -> Iterator[str]:
    yield f"\n## Where `{here.spec.name}` and `{there.spec.name}` disagree"
    yield ""
    yield f"Firmware that reads these addresses by `{here.spec.name}` shows wrong numbers on a real Tracer."
    yield ""
    yield f"| table | address | `{here.spec.name}` | `{there.spec.name}` | note |"
    yield "|---|---|---|---|---|"
    for item in differences(here, there):
        yield f"| {item.table} | 0x{item.address:04X} | {item.here} | {item.there} | {item.note} |"


def _table_line(row: Row, written: bool) -> str:
    meaning = "<br>".join([row.meaning, *(f"D{_span(*field.bits)}: {field.meaning}" for field in row.bits)])
    if row.values:
        meaning += ": " + ", ".join(f"{number} {what}" for number, what in row.values.items())
    scale = f"x{row.scale:g}" + ", cut off" * (row.rounding == "truncate")
    if row.encoding:
        scale = ENCODINGS[row.encoding].meaning
    bits = f"{16 * row.words}" + " signed" * row.signed if row.table not in BIT_TABLES else "1"
    cells = [_place(row), row.name, _shows(row), row.unit, scale, bits]
    cells += [writing(row), new_unit(row)] if written else []
    return "| " + " | ".join([*cells, meaning, ", ".join(row.source), ", ".join(row.seen)]) + " |"


def new_unit(row: Row) -> str:
    """What a row of settings shows on a new unit with a sealed battery of 12 V; empty for other rows."""
    return row.text([encode(NOTHING, NEW) for encode in row.encoders({})]) if row.setting else ""


def _place(row: Row) -> str:
    return f"0x{row.address:04X}" + (f"-{row.addresses[-1]:04X}" if row.words > 1 else "")


def _shows(row: Row) -> str:
    if row.bits:
        named = (f"`{field.quantity}`" if field.quantity else f"{field.constant}" for field in row.bits)
        return ", ".join(dict.fromkeys(named))
    if row.action:
        return "nothing"
    if row.constant is not None:
        return f"{row.constant:g}"
    source = f"`{row.quantity or row.setting}`" if not row.rating else f"rating `{row.rating}`"
    return source + (f" x {row.factor:g}" if row.factor != 1 else "")


def _span(high: int, low: int) -> str:
    return f"{high}" if high == low else f"{high}-{low}"


def current_page() -> str:
    """What docs/registers.md should say now."""
    return page([load_map(name, TRACER_4210) for name in ("uart2", "epever")])


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
