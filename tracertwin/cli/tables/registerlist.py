"""`tracertwin registers`: a register map, or where two of them differ, as a table to read.

Knows rows and how to lay them out; what a map says as Markdown is `tracertwin.pages.registers`.
"""

from typing import Final

from rich.console import Console
from rich.table import Table

from modbus.map.bitfield import BitField
from modbus.map.encodings import ENCODINGS
from modbus.map.forms import BIT_TABLES, PackedForm, ScaledForm
from modbus.map.registers import TRACER_4210, RegisterMap, differences, load_map
from modbus.map.rows import BitsRow, Row
from plant.report.output import fits, plain_table
from tracertwin.console import PLAIN_WIDTH, print_compactly, wide_console
from tracertwin.pages.registers import NEW, NOTHING, TABLE_HEADS, rules, writing

WRAPPED: Final = ("meaning",)


def print_map(map_name: str) -> None:
    """Print every row of a map, table by table, and the rules that hold for all of it.

    Parameters
    ----------
    map_name : str
        ``uart2``, ``epever``, or the path of a map file.

    Raises
    ------
    MapError
        The map can't be used.
    """
    register_map = load_map(map_name, TRACER_4210)
    console = wide_console()
    console.print(f"{register_map.spec.name}: {register_map.spec.title}")
    for rule in rules(register_map):
        console.print(f"- {rule}")
    console.print()
    for name, head in TABLE_HEADS.items():
        rows = [row for row in register_map.spec.rows if row.table == name]
        if rows:
            console.print(f"{head}\n")
            if console.width < PLAIN_WIDTH:
                for row in rows:
                    cells = (_place(row), row.name, _value(row), row.measured_in, _form(row))
                    print_compactly(console, cells, [_meaning(row)])
            else:
                console.print(_rows(rows))
            console.print()
    console.print("32 bits: the low word at the lower address. +-: signed, two's complement.")
    console.print("value: in a new unit with a sealed 12 V battery; ratings and constants as they are.\n")
    _print_sources(console, register_map)


def _rows(rows: list[Row]) -> Table:
    table = _table("address", "name", "value", "unit", "form", "meaning")
    for row in rows:
        table.add_row(_place(row), row.name, _value(row), row.measured_in, _form(row), _meaning(row))
    return table


def print_differences(map_a: str, map_b: str) -> None:
    """Print each address that firmware written for one map misreads on a device with the other.

    Parameters
    ----------
    map_a, map_b : str
        Names or paths of maps.

    Raises
    ------
    MapError
        One of them can't be used.
    """
    a, b = (load_map(name, TRACER_4210) for name in (map_a, map_b))
    console = wide_console()
    found = differences(a, b)
    if not found:
        console.print(f"{a.spec.name} and {b.spec.name} read every register alike")
        return
    console.print(
        f"firmware written for {a.spec.name} misreads these on a device that uses map '{b.spec.name}':\n"
    )
    table = _table("table", "address", a.spec.name, b.spec.name)
    notes = Table.grid(padding=(0, 2))
    noted: set[str] = set()
    for item in found:
        address = f"0x{item.address:04X}"
        table.add_row(item.table, address, item.here, item.there)
        if item.note and item.note not in noted:
            notes.add_row(address, item.note)
        noted.add(item.note)
    if not fits(console, table):
        for item in found:
            head = (item.table, f"0x{item.address:04X}")
            print_compactly(console, head, [f"{a.spec.name}: {item.here}", f"{b.spec.name}: {item.there}"])
    else:
        console.print(table)
    console.print()
    console.print(notes)


def _table(*heads: str) -> Table:
    table = plain_table()
    for head in heads:
        table.add_column(head, no_wrap=head not in WRAPPED, overflow="fold")
    return table


def _place(row: Row) -> str:
    return f"0x{row.address:04X}" + ("+1" if len(row.addresses) == 2 else "")


def _value(row: Row) -> str:
    if row.origin.key not in {"rating", "constant", "setting"}:
        return ""
    words = [encode(NOTHING, NEW) for encode in row.encoders(TRACER_4210)]
    return row.figure(words) if isinstance(row, ScaledForm) else row.text(words)  # codes are under "meaning"


def _form(row: Row) -> str:
    if row.table in BIT_TABLES:
        return "bit"
    if isinstance(row, ScaledForm):
        return f"x{row.scale:g}" + " 32 bits" * (row.width == 2) + " +-" * row.signed
    return "packed" if isinstance(row, PackedForm) else "x1"


def _meaning(row: Row) -> str:
    told = [row.meaning]
    if isinstance(row, BitsRow):
        told += [f"{_bits(field)}: {field.meaning}" for field in row.bits]
    if isinstance(row, PackedForm):
        told.append(ENCODINGS[row.encoding].meaning)
    if isinstance(row, ScaledForm) and row.values:
        told.append(", ".join(f"{number} {what}" for number, what in row.values.items()))
    if how := writing(row):
        told.append(f"written: {how}")
    told[-1] += f" [{' '.join(row.source)}]"
    return "\n".join(told)


def _bits(field: BitField) -> str:
    high, low = field.bits
    return f"D{high}" if high == low else f"D{high}-{low}"


def _print_sources(console: Console, register_map: RegisterMap) -> None:
    used = {name for row in register_map.spec.rows for name in row.source}
    table = Table.grid(padding=(0, 1))
    for name, text in register_map.spec.sources.items():
        if name in used:
            table.add_row(f"{name}:", text)
    console.print(table)
