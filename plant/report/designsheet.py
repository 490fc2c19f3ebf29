"""The sheet of a design: every check with its number, its limit, and below what would mend what is amiss."""

import json
from collections.abc import Iterator
from textwrap import wrap
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from plant.design.extremes import Extremes, extremes_of
from plant.design.finding import Level
from plant.design.sheet import SheetRow, inspected
from plant.report.output import HEAD_BOX, results_console
from plant.site.model import Site

TABLE_FROM: Final = 72  # columns; below, each check takes lines of its own
SOUND, WRONG = 0, 1  # exit codes


def print_design(site: Site, as_json: bool = False, console: Console | None = None) -> int:
    """Print the sheet of a site, and of each controller beside it.

    Parameters
    ----------
    site : Site
    as_json : bool
        Print one JSON object: ``plants``, each with ``name``, ``unit``, ``extremes`` and ``checks``.
    console : Console, optional

    Returns
    -------
    int
        1 if anything is wrong, else 0; what is only to be looked at doesn't count.
    """
    console = console or results_console(markup=False)
    plants = (site, *(site.seen_by(neighbour) for neighbour in site.neighbours))
    seen = [(each, extremes_of(each)) for each in plants]
    sheets = [(each, extremes, inspected(each, extremes)) for each, extremes in seen]
    if as_json:
        print(json.dumps({"plants": [_plain(*sheet) for sheet in sheets]}, indent=2, ensure_ascii=False))
    else:
        for number, (each, extremes, rows) in enumerate(sheets):
            if number:
                console.print()
            _print_sheet(console, each, extremes, rows)
    wrong = any(row.finding.level is Level.WRONG for _, _, rows in sheets for row in rows)
    return WRONG if wrong else SOUND


def _plain(site: Site, extremes: Extremes, rows: tuple[SheetRow, ...]) -> dict[str, Any]:
    checks = [{"check": row.check.name, **row.finding._asdict()} for row in rows]
    return {"name": site.name, "unit": site.unit, "extremes": extremes._asdict(), "checks": checks}


def _print_sheet(console: Console, site: Site, extremes: Extremes, rows: tuple[SheetRow, ...]) -> None:
    head = (
        f"{site.name}: air from {extremes.coldest_c:.0f} °C in daylight to {extremes.hottest_c:.0f} °C, "
        f"by the {extremes.source}"
    )
    for line in wrap(head, console.width):
        console.print(line, soft_wrap=True)
    console.print()
    if console.width >= TABLE_FROM:
        console.print(_table(rows))
    else:
        for row in rows:
            found = row.finding
            console.print(f"{found.level:5}  {row.check.name}", soft_wrap=True)
            for line in wrap(f"{found.found}; accepted: {found.limit}", console.width - 4):
                console.print(f"    {line}", soft_wrap=True)
    for line in _to_mend(rows, console.width):
        console.print(line, soft_wrap=True)


def _table(rows: tuple[SheetRow, ...]) -> Table:
    table = Table(box=HEAD_BOX, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for head, kept in (("", True), ("check", True), ("found", False), ("accepted", False)):
        table.add_column(head, no_wrap=kept)
    for row in rows:
        table.add_row(row.finding.level, row.check.name, row.finding.found, row.finding.limit)
    return table


def _to_mend(rows: tuple[SheetRow, ...], width: int) -> Iterator[str]:
    """What is amiss with its keys and what would mend it, the worst first; a word where nothing is."""
    amiss = [row for level in (Level.WRONG, Level.CHECK) for row in rows if row.finding.level is level]
    yield ""
    if not amiss:
        yield "nothing to report"
    for row in amiss:
        told = f"{row.finding.level}  {row.check.name} ({row.finding.keys[0]}): {row.finding.fix}"
        yield from wrap(told, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
