"""`tracertwin faults`: the faults that a line can have, as a table to read, and as Markdown for docs/faults.md.

Knows rows and how to lay them out.
"""

from collections.abc import Iterator
from typing import Final

from rich import box
from rich.table import Table

from modbus.line.faults.kinds import FAULTS, FaultKind, Parameter
from modbus.line.faults.text import FORM, told
from tracertwin.console import wide_console

HEADS: Final = ("name", "what it can be told", "what happens", "what the master sees")
NOTES: Final = (
    f"Written {FORM}; without a probability it strikes at every request.",
    "Every fault also knows from=12:00, to=13:00 (local time of every day, or 2026-06-21T12:00), for=20s "
    "(plant time that it goes on for once it has struck) and requests=3 (how many in a row it strikes).",
    "A reply meets several faults in the order of this table. Numbers in brackets are limits; a duration has 0s..1h.",
)


def print_faults() -> None:
    """Print every fault, with what it can be told."""
    console = wide_console()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for head in HEADS:
        table.add_column(head, no_wrap=head in HEADS[:2], overflow="fold")
    for row in FAULTS.values():
        name, values, *rest = cells(row)
        table.add_row(name, "\n".join(values), *rest)
    console.print(table)
    console.print()
    for note in NOTES:
        console.print(f"- {note}", highlight=False)


def markdown() -> str:
    """The table of docs/faults.md."""
    lines = [f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for row in FAULTS.values():
        name, values, *rest = cells(row)
        lines.append(f"| `{name}` | {', '.join(values)} | {' | '.join(rest)} |")
    return "\n".join(lines) + "\n"


def cells(row: FaultKind) -> tuple[str, list[str], str, str]:
    """A row of the table."""
    return row.name, list(_values(row)), row.meaning.rstrip("."), row.seen


def _values(row: FaultKind) -> Iterator[str]:
    for key, parameter in row.parameters.items():
        yield f"{key}={told(parameter)}{_limits(parameter)}"
    if row.lasts_s:
        yield f"for={row.lasts_s:g}s"


def _limits(parameter: Parameter) -> str:
    low, high = parameter.range.low, parameter.range.high
    return f" ({low:.0f}..{high:.0f})" if parameter.range.kind is int else ""
