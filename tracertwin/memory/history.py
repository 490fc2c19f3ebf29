"""`tracertwin history`: days of a state file as a table, a picture or a CSV. Reads only, also while a serve writes.

The file has a log ahead (WAL): a reader sees the last commit, and neither it nor the writer waits for the other.
"""

import csv
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Self, TypeAlias
from urllib.parse import quote

import numpy as np
from rich.console import Console
from rich.table import Table

from plant.controller.charger import Stage
from plant.kernel.snapshot import Snapshot
from plant.report.drafts import draft_of
from plant.report.output import HEAD_BOX, results_console
from plant.report.trace import PICTURES, Trace, check_suffix
from tracertwin.files import numbered
from tracertwin.memory.civiltime import day_limits
from tracertwin.memory.file import LOCK_TIMEOUT_S
from tracertwin.memory.migrating import FILE_VERSION, migrate
from tracertwin.memory.opening import check_header, legible, refused
from tracertwin.memory.tables import SAMPLES, STAGES

CSV: Final = (".csv",)
DAYS_SHOWN: Final = 31
SHORT: Final = {"equalize": "equal."}
STAGES_SHOWN: Final = STAGES[1:]  # none is what remains of the day
ENERGIES: Final = tuple(name for name in SAMPLES if name.endswith("_wh"))
WIDTH: Final = 92  # what all columns of the table take; a terminal may have less
Cell: TypeAlias = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class StoredController:
    """One of the controllers of a file."""

    number: int
    name: str
    unit_id: int
    time: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A transition in the words of the file: those of the version that lived it."""

    t_utc_s: float
    machine: str
    from_state: str
    to_state: str
    reason: str


class History:
    """A state file opened for reading, from `opened` to `close`."""

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self.path = path
        self._database = database
        self._database.row_factory = sqlite3.Row
        self.facts = {row["name"]: row["value"] for row in self._rows("SELECT name, value FROM about")}
        self.controllers = [
            StoredController(*row)
            for row in self._rows("SELECT controller, name, unit_id, time FROM controllers ORDER BY 1")
        ]
        if not self.controllers:
            raise refused(path, "has no history yet")

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a file that nothing is changed in, not even when a killed serve has left its log.

        Raises
        ------
        ProblemsError
            There is none, or it is something else.
        """
        try:
            with path.open("rb") as file:
                header = file.read(100)
            if not header:
                raise refused(path, "is empty; serve --state FILE fills one")
            check_header(path, header, "serve --state FILE makes one")
        except OSError as error:
            raise refused(path, f"can't be read: {error.strerror}") from None
        try:
            # by its bytes: a name need not be text in any encoding
            address = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
            with (
                closing(sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT_S)) as database,
                ExitStack() as shown,
            ):
                with legible(path):
                    history = cls(path, shown.enter_context(_today(database)))
                yield history
        except sqlite3.Error as error:
            raise refused(path, f"can't be read: {error}") from None

    def _rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        return self._database.execute(sql, values).fetchall()

    @property
    def timezone(self) -> str:
        """Of the site."""
        return str(self.facts["timezone"])

    def days(self, controller: int, last: int | None = None) -> list[sqlite3.Row]:
        """Rows of the table `days`, oldest first; the last so many."""
        rows = self._rows("SELECT * FROM days WHERE controller = ? ORDER BY day DESC", controller)
        return rows[: last if last else len(rows)][::-1]

    def samples(self, controller: int, from_utc_s: float) -> list[sqlite3.Row]:
        """Rows of the table `samples` after a moment, oldest first."""
        return self._rows(
            "SELECT * FROM samples WHERE controller = ? AND t_utc_s > ? ORDER BY t_utc_s",
            controller,
            from_utc_s,
        )

    def begins(self, controller: int, days: int | None) -> float:
        """Midnight that the last so many days begin with [UTC s]; before everything if all are meant."""
        shown = self.days(controller, days)
        if days is None or not shown:
            return 0.0
        newest = date.fromisoformat(shown[-1]["day"])
        return day_limits((newest - timedelta(days=days - 1)).isoformat(), self.timezone)[0]

    def trace(self, controller: StoredController, days: int | None) -> Trace:
        """The last so many days as a run's trace; quantities that are not kept are nan, energies begin at 0."""
        with legible(self.path):
            return self._trace(controller, days)

    def _trace(self, controller: StoredController, days: int | None) -> Trace:
        begins = self.begins(controller.number, days)
        rows = np.full((0, len(Snapshot._fields)), np.nan)
        samples = self.samples(controller.number, begins)
        if samples:
            rows = np.full((len(samples), len(Snapshot._fields)), np.nan)
            rows[:, 0] = [row["t_utc_s"] for row in samples]
            before = self._before(controller.number, begins)
            for name in SAMPLES:
                values = [row[name] for row in samples]
                if name == "stage":
                    values = [Stage[value.upper()] for value in values]
                rows[:, Snapshot._fields.index(name)] = np.array(values, float) - before.get(name, 0.0)
        return Trace(rows, self.timezone, title=controller.name)

    def _before(self, controller: int, moment_s: float) -> dict[str, float]:
        """What the energies stood at."""
        rows = self._rows(
            "SELECT * FROM samples WHERE controller = ? AND t_utc_s <= ? ORDER BY t_utc_s DESC LIMIT 1",
            controller,
            moment_s,
        )
        return {name: rows[0][name] for name in ENERGIES} if rows else {}

    def events(self, controller: int, from_utc_s: float) -> list[StoredEvent]:
        """Transitions since a moment, oldest first."""
        rows = self._rows(
            "SELECT t_utc_s, machine, from_state, to_state, reason FROM events "
            "WHERE controller = ? AND t_utc_s >= ? ORDER BY number",
            controller,
            from_utc_s,
        )
        return [StoredEvent(*row) for row in rows]


@contextmanager
def _today(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """A file with the tables of this version; a copy in memory of one that has older ones."""
    if database.execute("PRAGMA user_version").fetchone()[0] == FILE_VERSION:
        yield database
        return
    with closing(sqlite3.connect(":memory:")) as copy:
        database.backup(copy)
        migrate(copy)
        yield copy


# --- what the verb does ---------------------------------------------------------------------------------------------


def print_history(
    path: Path, days: int | None, plot: Path | None, out: Path | None, console: Console | None = None
) -> None:
    """Print the days of a state file, a table for each controller; draw them and write the samples if asked to.

    Parameters
    ----------
    path : Path
    days : int, optional
        The last so many; a month of them in the table and all in the files unless given.
    plot, out : Path, optional
        Of several controllers each has a file of its own: days.png, days-2.png.

    Raises
    ------
    ProblemsError
        The file is not a state file, or another one can't be written.
    """
    for file, suffixes in ((plot, PICTURES), (out, CSV)):
        if file is not None:
            check_suffix(file, suffixes)
    console = console or results_console(soft_wrap=True, width=None if sys.stdout.isatty() else WIDTH)
    with History.opened(path) as history:
        for place, controller in enumerate(history.controllers):
            if place:
                console.print()
            _print_controller(history, controller, days or DAYS_SHOWN, console)
            if plot is not None:
                _draw(history.trace(controller, days), numbered(plot, place))
            if out is not None:
                _write(history, controller, days, numbered(out, place))


def _print_controller(history: History, controller: StoredController, days: int, console: Console) -> None:
    rows = history.days(controller.number)
    unit = f", unit {controller.unit_id}" if len(history.controllers) > 1 else ""
    console.print(
        f"{controller.name}{unit}, seed {history.facts['seed']}: {len(rows)} day{'s' * (len(rows) != 1)}, "
        f"now at {controller.time[:16]}"
    )
    if rows:
        if len(rows) > days:
            console.print(f"the last {days} of them")
        console.print()
        console.print(table_of(rows[-days:], console.width < WIDTH))


def table_of(rows: Sequence[Any], narrow: bool = False) -> Table:
    """Days, newest last. A column that would stand empty is left out."""
    table = Table(
        box=HEAD_BOX,
        pad_edge=False,
        padding=(0, 0 if narrow else 1),
        collapse_padding=True,
        show_edge=False,
    )
    columns = [(head, [cell(row) for row in rows]) for head, cell in TABLE]
    shown = [(head, cells) for head, cells in columns if any(cells)]
    for head, _ in shown:
        table.add_column(head, justify="left" if head == "\nday" else "right", no_wrap=True)
    for cells in zip(*(cells for _, cells in shown), strict=True):
        table.add_row(*cells)
    return table


def _wh(name: str) -> Cell:
    return lambda row: f"{row[name]:,.0f}" if row[name] >= 0.5 else ""


def _hours(stage: str) -> Cell:
    name = f"stage_{stage}_h"
    return lambda row: f"{row[name]:.1f}" if row[name] else ""


def _range(name: str, unit: str, times: float, places: int) -> Cell:
    low, high = f"{name}_min{unit}", f"{name}_max{unit}"

    def cell(row: Any) -> str:
        if row[low] is None:  # events and no sample yet
            return ""
        return f"{times * row[low]:.{places}f}\u2013{times * row[high]:.{places}f}"

    return cell


TABLE: Final[tuple[tuple[str, Cell], ...]] = (
    ("\nday", lambda row: str(row["day"])),
    ("sun\nkWh/m²", lambda row: f"{row['poa_kwh_m2']:.2f}"),
    ("PV\nWh", _wh("e_pv_wh")),
    ("load\nWh", _wh("e_load_wh")),
    ("not\nserved", _wh("e_unserved_wh")),
    ("battery\nV", _range("v_batt", "_v", 1.0, 2)),
    ("charge\n%", _range("soc", "", 100.0, 0)),
    *((f"{SHORT.get(stage, stage)}\nh", _hours(stage)) for stage in STAGES_SHOWN),
    ("\nevents", lambda row: str(row["events"])),
)


def _draw(trace: Trace, path: Path) -> None:
    if len(trace.rows) < 2:
        raise refused(path, "nothing to plot yet: fewer than two samples")
    from plant.report.picture import draw

    draw(trace, path)


def _write(history: History, controller: StoredController, days: int | None, path: Path) -> None:
    """All samples as the table has them, without the controller's number; columns as those of a run's trace."""
    names = ["time", "t_utc_s", *SAMPLES]
    with draft_of(path) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        rows = history.samples(controller.number, history.begins(controller.number, days))
        writer.writerows([row[name] for name in names] for row in rows)
