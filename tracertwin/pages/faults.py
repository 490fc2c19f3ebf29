"""The tables of docs/faults.md: line faults and upsets, each row from the function that does it.

`python -m tracertwin.pages.faults` writes them into the page, whose other text is by hand; a test keeps them up to
date. `tracertwin faults` prints the same rows.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from modbus.line.faults.kinds import FAULTS, FaultKind
from modbus.line.faults.text import FORM as FAULT_FORM
from plant.base.grammar import Parameter
from plant.site.timetable import FORM as UPSET_FORM
from plant.site.upsets import UPSETS
from tracertwin.pages.between import with_tables

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "faults.md"


class FaultTable(NamedTuple):
    """A table as people see it.

    Attributes
    ----------
    title : str
    heads : tuple of str
    rows : tuple
        Name, keys with defaults and limits, what happens, what comes of it.
    notes : tuple of str
        Sentences about all rows.
    """

    title: str
    heads: tuple[str, str, str, str]
    rows: tuple[tuple[str, tuple[str, ...], str, str], ...]
    notes: tuple[str, ...]


def tables() -> tuple[FaultTable, FaultTable]:
    """Line faults, then upsets."""
    return (
        FaultTable(
            "Line faults",
            ("name", "keys", "what happens", "what the master sees"),
            tuple(
                (row.name, tuple(_fault_keys(row)), row.meaning.rstrip("."), row.seen)
                for row in FAULTS.values()
            ),
            (
                f"Written {FAULT_FORM}; without a probability it strikes at every request.",
                "Every line fault also has the keys from=12:00, to=13:00 (local time every day, or 2026-06-21T12:00), "
                "for=20s (plant time that it lasts once it has struck), requests=3 (how many requests in a row it "
                "strikes) and times=1 (how often it strikes on a line before it is over).",
                "Several line faults are applied to a reply in the order of this table. A duration may be 0s to 1h.",
                "A modbus-tcp link has neither wires nor a CRC; only these apply there: "
                f"{', '.join(row.name for row in FAULTS.values() if row.over_tcp)}.",
            ),
        ),
        FaultTable(
            "Upsets",
            ("name", "keys", "what happens", "what changes in the plant"),
            tuple(
                (row.name, tuple(_keys(row.parameters)), row.meaning.rstrip("."), row.changes)
                for row in UPSETS.values()
            ),
            (
                f"Written {UPSET_FORM}.",
                "Every upset also has the keys at=2026-06-21T12:00 (local time) or after=10min (from the start of the "
                "run, or from the command), otherwise it begins at once; and lasts=2h, otherwise it lasts to the end.",
                "Upsets accumulate in the order in which they begin.",
            ),
        ),
    )


def markdown(table: FaultTable) -> str:
    """A table of docs/faults.md."""
    lines = [f"| {' | '.join(table.heads)} |", "|---" * len(table.heads) + "|"]
    lines += [f"| `{name}` | {', '.join(keys)} | {what} | {then} |" for name, keys, what, then in table.rows]
    return "\n".join(lines) + "\n"


def current(page: str) -> str:
    """The page with its tables as they should be now."""
    made = ((table.title.lower(), markdown(table)) for table in tables())
    return with_tables(page, PAGE, "tracertwin.pages.faults", made)


def _fault_keys(row: FaultKind) -> Iterator[str]:
    yield from _keys(row.parameters)
    if row.lasts_s:
        yield f"for={row.lasts_s:g}s"


def _keys(parameters: Mapping[str, Parameter]) -> Iterator[str]:
    for parameter in parameters.values():
        low, high = parameter.range.low, parameter.range.high
        limits = f" ({low:.10g}..{high:.10g})" if parameter.kind != "duration" else ""
        yield parameter.written() + limits


if __name__ == "__main__":
    PAGE.write_text(current(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE}")
