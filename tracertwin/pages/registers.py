"""docs/registers.md: what the maps, the models and the rules of writing say, as Markdown.

`python -m tracertwin.pages.registers` writes it; a test keeps it up to date. The words that the command's tables share
with it stand here too.
"""

import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, get_args

from pydantic.fields import FieldInfo

from modbus.codec.exceptioncodes import exception_phrase
from modbus.device.model import load_model
from modbus.device.tracer import ILLEGAL_FUNCTION
from modbus.map.encodings import ENCODINGS
from modbus.map.file import MapSpec
from modbus.map.forms import BIT_TABLES, TABLES, PackedForm, RegisterRow, ScaledForm
from modbus.map.quantities import DERIVED
from modbus.map.registers import TRACER_4210, RegisterMap, differences, load_map
from modbus.map.rows import KINDS, BitsRow, DerivedRow, DurationRow, NumberRow, Row, SettingRow
from plant.base.configs import config_dir
from plant.controller.settings import LITHIUM_ORDERING, ORDERING, Settings, factory
from plant.kernel.snapshot import Snapshot

NEW: Final[Settings] = factory(1, 12)  # of a new unit, sealed battery
NOTHING: Final = Snapshot(*[0.0] * len(Snapshot._fields))
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "registers.md"
ENCODING: Final = """\
A number on the wire is quantity x factor x scale, truncated: 13.499 V reads 13.49, as on real units. A derived number
is computed from the displayed digits of other registers and truncated again: power is the product of the voltage and
current beside it, the array's power is the charge power, and generated energy counts the converter's output. The
trace, the state file and `tell show NAME` have the plant's own numbers. A number that does not fit reads as the nearest
one that does: a device clamps, and a wrapped 700 V would pass for a healthy 44.64 V. NaN and infinity read 0, because a
reply has to be sent in any case. 32 bits are two registers, low word at the lower address; negative numbers
are in two's complement. All registers of one reply are from one instant."""

ADDING: Final = """\
A register is a row of a map file in `config/registers`, or of a file of your own that extends one of those:

```yaml
# mine.yaml
name: mine
title: the published protocol and the irradiance
extends: epever
sources: {ME: measured on my own unit}
rows:
  - {table: input, address: 0x3500, name: irradiance, quantity: ghi_w_m2, unit: W/m2,
     meaning: irradiance on level ground, source: [ME]}
```

`tracertwin registers --map mine.yaml` prints it, `tracertwin serve --map mine.yaml` answers by it. A row takes the
place of those of the extended map at its addresses. A key in bold must be given; of `quantity`, `rating`, `constant`
and `setting`, where there are several, exactly one."""

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
        "any": "any unit id is answered: 0 to 255 for input registers (function 04), 1 to 247 for other functions",
        "own": "only the unit's own id is answered; broadcasts (0) are carried out without an answer",
    },
}
WRITTEN: Final[Mapping[str, str]] = {
    "no": "",
    "alone": "yes",
    "block": "in one frame with its neighbours",
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
    told = [WRITTEN[row.written]]
    if isinstance(row, SettingRow | DurationRow):
        if row.limits is not None:
            low, high = (f"{limit:g}" for limit in row.limits)
            told.append(f"{low} to {high}" + " (twice that at 24 V)" * row.limits_grow)
        told += [f"{name} {' '.join(map(str, of))}" for name, of in row.needs.items()]
    return ", ".join(told)


def page(maps: list[RegisterMap]) -> str:
    """The register reference as Markdown."""
    return "\n".join(_page(maps)) + "\n"


def _page(maps: list[RegisterMap]) -> Iterator[str]:
    yield "<!-- Made by `python -m tracertwin.pages.registers` from config/registers; do not edit. -->"
    yield "# Registers"
    yield ""
    yield from ENCODING.splitlines()
    yield ""
    yield (
        "Quantities are fields of `plant/kernel/snapshot.py`, settings those of `plant/controller/settings.py`; "
        "in addition:"
    )
    yield ""
    yield from (f"- `{derived.name}`: {derived.meaning}" for derived in DERIVED)
    for register_map in maps:
        yield from _map_section(register_map)
    for register_map in maps:
        if register_map.extends is not None:
            yield from _difference_section(register_map, register_map.root)
    yield from _kinds_section()
    yield from _ordering_section()
    yield from _models_section()
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
        yield "\n### Where sources disagree, are silent or need a comment"
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
        yield f"A refused write changes nothing. Functions that do not exist get {exception_phrase(ILLEGAL_FUNCTION)}."
        yield ""
        yield "| answer | to | source |"
        yield "|---|---|---|"
        for refusal in spec.refusals:
            source = ", ".join(refusal.source) + (" **guess**" if refusal.guess else "")
            yield f"| {exception_phrase(refusal.code)} | {refusal.meaning} | {source.strip()} |"
    if spec.left_out:
        yield "\n### Addresses left out"
        yield ""
        yield "| table | address | why | source |"
        yield "|---|---|---|---|"
        yield from (f"| {o.table} | {o.addresses} | {o.why} | {', '.join(o.source)} |" for o in spec.left_out)


def _kinds_section() -> Iterator[str]:
    yield "\n## Adding a register"
    yield ""
    yield from ADDING.splitlines()
    yield ""
    yield f"Every row has {_keys(RegisterRow.model_fields)}. The other keys tell its kind:"
    yield ""
    yield "| kind | in table | keys | what it is |"
    yield "|---|---|---|---|"
    for kind in KINDS:
        tables = " or ".join(get_args(kind.model_fields["table"].annotation))
        yield f"| {kind.KIND} | {tables} | {_keys(kind.own_fields())} | {inspect.getdoc(kind)} |"


def _keys(fields: Mapping[str, FieldInfo]) -> str:
    """Names of keys, those that must be given in bold."""
    return ", ".join(f"**`{key}`**" if field.is_required() else f"`{key}`" for key, field in fields.items())


def _ordering_section() -> Iterator[str]:
    yield "\n## Which settings go together"
    yield ""
    yield "A write after which one of these would not hold is refused; a site with `settings_order: any` takes the"
    yield "voltages in any order:"
    yield ""
    for order, whose in ((ORDERING, ""), (LITHIUM_ORDERING[len(ORDERING) :], "with lithium ")):
        for higher, lower, strict in order:
            yield f"- {whose}`{higher}` {'above' if strict else 'not below'} `{lower}`"
    yield "- type lithium with a system voltage that is set, not automatic (MAN_XTRA); type user, too, where the model"
    yield "  has `user_with_auto: false` (V25, V26; owners report otherwise)"
    yield "- a lithium type with the system voltage that it is for, and without temperature compensation"
    yield ""
    yield 'The documents print every one strictly; units in the field hold equal voltages where it says "not below".'
    yield "Changing the type loads its voltages (user keeps what is there); changing the system voltage scales them."


def _models_section() -> Iterator[str]:
    yield "\n## Models"
    yield ""
    yield "Name and firmware are what function 2B tells, with a serial number of 13 digits and three of the unit id."
    yield "What of it was recorded and what is a guess stands in `config/controllers`."
    yield ""
    heads = ("controller", "name", "firmware", "bits", "registers", "by function 43", "written", "for more")
    yield "| " + " | ".join([*heads, "a new unit id holds", "optional registers"]) + " |"
    yield "|---" * (len(heads) + 2) + "|"
    for path in sorted((config_dir() / "controllers").glob("*.yaml")):
        model = load_model(path.stem)
        most = model.largest
        cells = [
            f"`{path.stem}`",
            model.name,
            model.firmware,
            most.bits,
            most.words,
            most.sparse,
            most.written,
        ]
        cells += [exception_phrase(model.too_large), model.new_id.replace("_", " ")]
        cells.append(", ".join(f"0x{address:04X}" for address in model.optional) or "none")
        yield "| " + " | ".join(map(str, cells)) + " |"


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
    meaning = row.meaning
    if isinstance(row, BitsRow):
        meaning += "".join(f"<br>D{_span(*field.bits)}: {field.meaning}" for field in row.bits)
    if isinstance(row, ScaledForm) and row.values:
        meaning += ": " + ", ".join(f"{number} {what}" for number, what in row.values.items())
    cells = [_place(row) + " optional" * row.optional, row.name, _shows(row), row.measured_in, *_form(row)]
    cells += [writing(row), new_unit(row)] if written else []
    return "| " + " | ".join([*cells, meaning, ", ".join(row.source), ", ".join(row.seen)]) + " |"


def _form(row: Row) -> tuple[str, str]:
    """Scale and width."""
    if isinstance(row, ScaledForm):
        return f"x{row.scale:g}", f"{16 * row.width}" + " signed" * row.signed
    if isinstance(row, PackedForm):
        return ENCODINGS[row.encoding].meaning, "16"
    return "x1", "1" if row.table in BIT_TABLES else "16"


def new_unit(row: Row) -> str:
    """What a row of settings shows on a new unit with a sealed battery of 12 V; empty for other rows."""
    return (
        row.text([encode(NOTHING, NEW) for encode in row.encoders({})]) if row.origin.key == "setting" else ""
    )


def _place(row: Row) -> str:
    return f"0x{row.address:04X}" + (f"-{row.addresses[-1]:04X}" if len(row.addresses) > 1 else "")


def _shows(row: Row) -> str:
    if isinstance(row, BitsRow):
        named = (f"`{field.quantity}`" if field.quantity else f"{field.constant}" for field in row.bits)
        return ", ".join(dict.fromkeys(named))
    if isinstance(row, DerivedRow):
        return row.shows
    key, given = row.origin
    if key == "action":
        return "nothing"
    if key == "constant":
        return f"{given:g}"
    factor = f" x {row.factor:g}" if isinstance(row, NumberRow) and row.factor != 1 else ""
    return "rating " * (key == "rating") + f"`{given}`" + factor


def _span(high: int, low: int) -> str:
    return f"{high}" if high == low else f"{high}-{low}"


def current_page() -> str:
    """What docs/registers.md should say now."""
    return page([load_map(name, TRACER_4210) for name in ("uart2", "epever")])


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
