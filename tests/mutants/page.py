"""The table of docs/mutants.md: each defect, where it is planted, which scenario finds it and by which expectation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.mutants.planting import Killed, defects

PAGE: Final = Path(__file__).parents[2] / "docs" / "mutants.md"
BEGIN: Final = "<!-- defects: made by `python -m tests.mutants --write` -->\n"
END: Final = "<!-- end -->"


def current(page: str, found: Mapping[str, Killed]) -> str:
    """The page with its table, in the order of the defects: rows that were run anew, and the others as they were."""
    before, _, rest = page.partition(BEGIN)
    rows = dict(_rows_of(rest.partition(END)[0]))
    rows |= {name: _row(one) for name, one in found.items()}
    table = ["| defect | planted in | found by | by the expectation |", "|---|---|---|---|"]
    table += [rows[one.name] for one in defects() if one.name in rows]
    return f"{before}{BEGIN}\n" + "\n".join(table) + f"\n\n{END}{rest.partition(END)[2]}"


def names_of(page: str) -> list[str]:
    """Of the defects in the table."""
    return [name for name, _ in _rows_of(page.partition(BEGIN)[2].partition(END)[0])]


def _rows_of(table: str) -> list[tuple[str, str]]:
    lines = [line for line in table.splitlines() if line.startswith("| ")][1:]
    return [(line.split(" | ")[0].removeprefix("| "), line) for line in lines]


def _row(one: Killed) -> str:
    found = ", ".join(f"`{name}`" for name in one.by) or "**survives**"
    expected = one.expectation.replace("|", "\\|")
    return f"| {one.defect.name} | `{one.defect.file}` | {found} | {f'`{expected}`' if expected else ''} |"
