"""The file of `serve --state`: where each controller's plant stands, and what has been. SQLite, schema and writing.

Every table and column is told about in the tables `about` and `columns`, so that the file can be read in any SQLite
browser. Knows neither threads nor a running rig; reading for people is `tracertwin.memory.history`.
"""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from plant.base.clock import iso_utc
from plant.base.problems import Problem, ProblemsError
from plant.saving.state import SavedState, current
from tracertwin import locking
from tracertwin.memory.civiltime import civil_days, day_limits, local_time
from tracertwin.memory.migrating import FILE_VERSION, migrate
from tracertwin.memory.opening import APPLICATION_ID, check_header, legible, refused
from tracertwin.memory.tables import (
    COLUMNS,
    DAY_OF_SAMPLES,
    EVENT_COLUMNS,
    SAMPLE_COLUMNS,
    SCHEMA,
    STAGE_PLACE,
    STAGES,
    VIEWS,
    insert,
)
from tracertwin.versions import installed

LOCK_TIMEOUT_S: Final = 1.0  # how long to wait for a browser that has the file to itself
SAMPLE_S: Final = 60
DIFFERENCES_TOLD: Final = 3


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit has of one controller.

    Attributes
    ----------
    controller : int
        1 for the site's own, then its neighbours.
    unit_ids : (int, int)
        Unit id now, and after the next power cycle.
    saved : SavedState
        See `plant.saving.state.as_plain`.
    samples : (n, fields) array
        `SAMPLE_FIELDS` of each minute since the commit before.
    """

    controller: int
    unit_ids: tuple[int, int]
    saved: SavedState
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class LastCommit:
    """Where a controller stood at the last commit."""

    unit_ids: tuple[int, int]
    saved: SavedState


class StateFile:
    """An open file, from `opened` to `close`. No other process has it open for writing meanwhile.

    Its methods may be called from several threads, one at a time.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, lock: int) -> None:
        self.path = path
        self._database = database
        self._lock = lock
        self._events_written: dict[int, int] = {}
        self._names: tuple[str, ...] = ()  # of the controllers of a new file

    @classmethod
    def opened(cls, path: Path) -> Self:
        """Open a file, or make a new one. One of an older version is brought up to this one with the first `write`.

        Raises
        ------
        ProblemsError
            It can't be opened, is in use, or is something else, and was left untouched.
        """
        lock = _locked(path)
        try:
            check_header(path, os.pread(lock, 100, 0), "give --state a new name")
            # whole, since :memory: is no file for SQLite
            database = sqlite3.connect(
                path.absolute(), timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            with legible(path):
                _prepare(database)
            return cls(path, database, lock)
        except BaseException:
            os.close(lock)
            raise

    @property
    def is_new(self) -> bool:
        """Whether nothing stands in it yet."""
        with legible(self.path):
            return not self._database.execute("SELECT 1 FROM controllers").fetchall()

    def begin(
        self, site: Mapping[str, Any], timezone: str, seed: int, began_utc_s: int, names: Sequence[str]
    ) -> None:
        """Note down whose memory this is, in a new file. Committed with the first `write`."""
        if not self._database.in_transaction:
            self._database.execute("BEGIN IMMEDIATE")
        facts = {
            "tracertwin": (installed("tracertwin"), "version of TracerTwin that last continued the run"),
            "began": (iso_utc(began_utc_s), "where the run began, UTC"),
            "began_utc_s": (str(began_utc_s), "the same in seconds since 1970-01-01"),
            "timezone": (timezone, "zone of all local times in this file"),
            "seed": (str(seed), "chance of weather and load"),
            "site": (json.dumps(site), "what the plants are made of, resolved; JSON"),
        }
        self._database.executemany(
            "INSERT INTO about VALUES (?, ?, ?)", [(name, *fact) for name, fact in facts.items()]
        )
        self._database.executemany("INSERT INTO columns VALUES (?, ?, ?, ?)", COLUMNS)
        self._names = tuple(names)

    def check(self, site: Mapping[str, Any], seed: int) -> str:
        """Check that a run of this site and seed can go on with this file.

        Returns
        -------
        str
            The version of TracerTwin that went on with it last.

        Raises
        ------
        ProblemsError
            Saying what differs and what would do.
        """
        with legible(self.path):
            facts = dict(self._database.execute("SELECT name, value FROM about"))
            own_seed, own_site, version = int(facts["seed"]), json.loads(facts["site"]), facts["tracertwin"]
        problems = []
        if own_seed != seed:
            problems.append(f"has seed {own_seed}, not {seed}: add --seed {own_seed}, or start a new file")
        if told := differing(own_site, site):
            problems.append(f"belongs to another site: {told}; use that site again, or start a new file")
        if problems:
            raise ProblemsError([Problem(str(self.path), 0, "", text) for text in problems])
        return str(version)

    def last_commits(self) -> list[LastCommit]:
        """Where each controller stood at the last commit, the site's own first.

        Raises
        ------
        SavedStateError
            What one saved can't be read.
        """
        with legible(self.path):
            rows = self._database.execute(
                "SELECT controller, unit_id, unit_id_after_power_cycle, state FROM controllers ORDER BY controller"
            ).fetchall()
            return [
                LastCommit((now, later), self._with_events(number, state))
                for number, now, later, state in rows
            ]

    def _with_events(self, controller: int, state: str) -> SavedState:
        """The log of transitions stands in a table of its own, which has all of them."""
        saved = dict(current(json.loads(state)))
        count = int(saved["event_count"])
        rows = self._database.execute(
            "SELECT t_utc_s, machine, from_state, to_state, reason FROM events "
            "WHERE controller = ? AND number > ? ORDER BY number",
            (controller, count - saved.pop("events_kept")),
        )
        self._events_written[controller] = count
        return {**saved, "events": [list(row) for row in rows]}

    def write(self, entries: Sequence[Commit]) -> None:
        """Commit: all of it, or on an error nothing.

        Raises
        ------
        sqlite3.Error
            A full disk, for one.
        """
        database = self._database
        if not database.in_transaction:
            database.execute("BEGIN IMMEDIATE")
        try:
            database.execute(
                "UPDATE about SET value = ? WHERE name = 'tracertwin'", (installed("tracertwin"),)
            )
            written = dict(self._events_written)
            for entry in entries:
                written[entry.controller] = self._write(entry, written.get(entry.controller, 0))
            database.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                database.execute("ROLLBACK")
            raise
        self._events_written = written

    def _write(self, entry: Commit, events_before: int) -> int:
        """Write an entry; how many events of its controller there are now."""
        saved = dict(entry.saved)
        events = saved.pop("events")
        count = int(saved["event_count"])
        timezone, controller = self._timezone(), entry.controller
        self._write_state(entry, {**saved, "events_kept": len(events)})
        before = max(events_before, count - len(events))
        new = events[len(events) - (count - before) :]
        self._database.executemany(
            insert("events", EVENT_COLUMNS),
            [_event_row(controller, number, event, timezone) for number, event in enumerate(new, before + 1)],
        )
        self._database.executemany(
            insert("samples", SAMPLE_COLUMNS),
            [_sample_row(controller, row, timezone) for row in entry.samples.tolist()],
        )
        for day in civil_days(entry.samples[:, 0], [event[0] for event in new], timezone):
            self._write_day(controller, day, timezone)
        return count

    def _write_state(self, entry: Commit, saved: Mapping[str, Any]) -> None:
        t_utc_s = saved["t_utc_s"]
        self._database.execute(
            "INSERT INTO controllers (controller, name, unit_id, unit_id_after_power_cycle, t_utc_s, time, state) "
            "VALUES (:controller, :name, :now, :later, :t_utc_s, :time, :state) "
            "ON CONFLICT (controller) DO UPDATE SET unit_id = :now, unit_id_after_power_cycle = :later, "
            "t_utc_s = :t_utc_s, time = :time, state = :state",
            {
                "controller": entry.controller,
                "name": self._names[entry.controller - 1] if self._names else "",
                "now": entry.unit_ids[0],
                "later": entry.unit_ids[1],
                "t_utc_s": t_utc_s,
                "time": local_time(t_utc_s, self._timezone()),
                "state": json.dumps(saved, allow_nan=False),
            },
        )

    def _write_day(self, controller: int, day: str, timezone: str) -> None:
        """Work a day's row out anew, from its samples."""
        begin, end = day_limits(day, timezone)
        self._database.execute(
            DAY_OF_SAMPLES, {"controller": controller, "day": day, "begin": begin, "end": end}
        )

    def _timezone(self) -> str:
        return str(self._database.execute("SELECT value FROM about WHERE name = 'timezone'").fetchone()[0])

    def close(self) -> None:
        """Let go of it. What was committed is one plain file then. A second time does no harm."""
        if self._lock < 0:
            return
        with suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            self._database.execute("PRAGMA journal_mode = DELETE")
        with suppress(sqlite3.Error):
            self._database.close()
        os.close(self._lock)  # last: closing any descriptor of a file drops SQLite's own locks on it
        self._lock = -1


# --- opening ------------------------------------------------------------------------------------------------------


def _locked(path: Path) -> int:
    """A descriptor of the file with a lock that ends with this process, however that ends."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise refused(path, f"can't be written: {error.strerror}; --state needs a writable file") from None
    try:
        locking.lock(lock)
    except OSError:
        os.close(lock)
        raise refused(path, "is in use by another serve; stop that one, or use another file") from None
    return lock


def _prepare(database: sqlite3.Connection) -> None:
    """Tables of a new file, in one transaction; then the log ahead that lets others read while it is written.

    What an older file needs is left in an open transaction: if this run may not have it, it stays as it was.
    """
    database.execute("PRAGMA synchronous = FULL")
    if not database.execute("SELECT 1 FROM sqlite_master").fetchall():
        database.execute("PRAGMA journal_mode = DELETE")
        statements = ";\n".join(
            [
                *SCHEMA,
                *VIEWS,
                f"PRAGMA application_id = {APPLICATION_ID}",
                f"PRAGMA user_version = {FILE_VERSION}",
            ]
        )
        database.executescript(f"BEGIN IMMEDIATE;\n{statements};\nCOMMIT;")
    database.execute("PRAGMA journal_mode = WAL")
    if database.execute("PRAGMA user_version").fetchone()[0] < FILE_VERSION:
        database.execute("BEGIN IMMEDIATE")
        migrate(database)


def differing(then: Any, now: Any) -> str:
    """What differs between two resolved sites, in a few words; empty when nothing does.

    A record that an older version's site has none of is not compared.
    """
    old, new = dict(_leaves(then)), dict(_leaves(json.loads(json.dumps(now))))
    unknown = tuple(f"{name}." for name, value in old.items() if value is None and name not in new)
    names = [
        name
        for name in {**old, **new}
        if old.get(name) != new.get(name) and not f"{name}.".startswith(unknown)
    ]
    told = [
        f"{name} is {_value(old, name)} there and {_value(new, name)} here"
        for name in names[:DIFFERENCES_TOLD]
    ]
    more = [f"{len(names) - DIFFERENCES_TOLD} more"] if len(names) > DIFFERENCES_TOLD else []
    return ", ".join(told + more)


def _value(leaves: Mapping[str, Any], name: str) -> str:
    return json.dumps(leaves[name]) if name in leaves else "nothing"


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping | list) and value:
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, value


# --- rows -----------------------------------------------------------------------------------------------------------


def _sample_row(controller: int, row: Sequence[float], timezone: str) -> tuple[Any, ...]:
    values: list[Any] = list(row)
    values[STAGE_PLACE] = STAGES[int(row[STAGE_PLACE])]
    return (controller, int(row[0]), local_time(row[0], timezone), *values[1:])


def _event_row(controller: int, number: int, event: Sequence[Any], timezone: str) -> tuple[Any, ...]:
    t_utc_s, *words = event
    return (controller, number, t_utc_s, local_time(t_utc_s, timezone), *words)
