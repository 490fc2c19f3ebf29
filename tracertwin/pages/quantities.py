"""docs/quantities.md: every quantity of the plant, where it is kept and which registers show it, as Markdown.

`python -m tracertwin.pages.quantities` writes it; a test keeps it up to date.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modbus.map.quantities import DERIVED
from modbus.map.registers import TRACER_4210, RegisterMap, load_map
from plant.kernel.snapshot import QUANTITIES, meaning_of
from tracertwin.memory.tables import DAYS, SAMPLES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "quantities.md"
MAPS: Final = ("uart2", "epever")
TEXT: Final = """\
One name for a quantity everywhere: register maps (`quantity:`), the columns of `run --out`, `serve --trace` and
`history --out`, the state file, `tell show`. The name carries the unit. A quantity without a note on its sign is never
negative. Energies `e_..._wh` are integrals since the start of the run; the controller's meters follow its own clock.

CSV files begin with `time`, the civil time at the site. A run's CSV has every quantity as a number; the state file
and `history --out` contain only the columns marked `samples`; charge stages are words. Addresses without a table are
input registers."""


def page(maps: list[RegisterMap]) -> str:
    """The reference of quantities as Markdown."""
    return "\n".join(_page(maps)) + "\n"


def _page(maps: list[RegisterMap]) -> Iterator[str]:
    yield "<!-- Made by `python -m tracertwin.pages.quantities` from plant/kernel/snapshot.py; do not edit. -->"
    yield "# Quantities"
    yield ""
    yield from TEXT.splitlines()
    yield ""
    names = [f"registers of `{register_map.spec.name}`" for register_map in maps]
    yield "| " + " | ".join(["quantity", "unit", "meaning", "sign", "state file", *names]) + " |"
    yield "|---" * (5 + len(names)) + "|"
    for name, quantity in QUANTITIES.items():
        cells = [f"`{name}`", quantity.unit, meaning_of(name), quantity.sign]
        cells += [
            ", ".join(columns(name)),
            *(", ".join(registers(register_map, name)) for register_map in maps),
        ]
        yield "| " + " | ".join(cells) + " |"
    yield ""
    yield "Registers also show these derived quantities:"
    yield ""
    yield "| name | meaning | " + " | ".join(names) + " |"
    yield "|---" * (2 + len(names)) + "|"
    for derived in DERIVED:
        shown = (", ".join(registers(register_map, derived.name)) for register_map in maps)
        yield f"| `{derived.name}` | {derived.meaning} | " + " | ".join(shown) + " |"


def columns(name: str) -> list[str]:
    """Columns of the state file that hold a quantity or sum it up over a day."""
    kept = [f"`samples.{name}`"] if name in SAMPLES else []
    if name == "t_utc_s":
        kept = [f"`{table}.{name}`" for table in ("controllers", "samples", "events")]
    return kept + [f"`days.{daily.name}`" for daily in DAYS if daily.of == name]


def registers(register_map: RegisterMap, name: str) -> list[str]:
    """Where a map shows a quantity."""
    return [
        f"0x{address:04X}" + f" {table}" * (table != "input")
        for table, rows in register_map.rows.items()
        for address, row in sorted(rows.items())
        if address == row.address and name in row.shown_quantities
    ]


def current_page() -> str:
    """What docs/quantities.md should say now."""
    return page([load_map(name, TRACER_4210) for name in MAPS])


if __name__ == "__main__":
    PAGE.write_text(current_page(), encoding="utf-8")
    print(f"wrote {PAGE}")
