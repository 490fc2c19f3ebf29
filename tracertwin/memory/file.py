"""The file of `serve --state`: where each controller's plant stands, and what has been. SQLite, schema and writing.

Every table and column is told about in the tables `about` and `columns`, so that the file can be read in any SQLite
browser. Knows neither threads nor a running rig; reading for people is `tracertwin.memory.history`.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import numpy as np

from plant.base.clock import iso_utc
from plant.base.problems import Problem, ProblemsError
from plant.keeping import VERSION as KEPT_VERSION
from plant.keeping import Kept, layout
from tracertwin.memory.tables import (
    COLUMNS,
    DAY_OF_SAMPLES,
    SAMPLES,
    SCHEMA,
    STAGE_PLACE,
    STAGES,
    from_words,
    in_words,
)  # fmt: skip
from tracertwin.versions import installed

APPLICATION_ID: Final = 0x54726354  # "TrcT"; stands in bytes 68 to 71 of the file
FILE_VERSION: Final = 1  # of the tables; bytes 60 to 63
MAGIC: Final = b"SQLite format 3\0"
BUSY_S: Final = 1.0  # how long to wait for a browser that has the file to itself
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
    kept : Kept
        See `plant.keeping.as_plain`.
    samples : (n, fields) array
        `SAMPLE_FIELDS` of each minute since the commit before.
    """

    controller: int
    unit_ids: tuple[int, int]
    kept: Kept
    samples: np.ndarray


@dataclass(frozen=True, slots=True)
class Stood:
    """Where a controller stood at the last commit."""

    unit_ids: tuple[int, int]
    kept: Kept


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
        """Open a file, or make a new one.

        Raises
        ------
        ProblemsError
            It can't be had, is in use, or is something else; it is untouched then.
        """
        lock = _locked(path)
        try:
            check_header(path, os.pread(lock, 100, 0), "give --state a new name")
            database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            with _told(path):
                _prepare(database)
            return cls(path, database, lock)
        except BaseException:
            os.close(lock)
            raise

    @property
    def is_new(self) -> bool:
        """Whether nothing stands in it yet."""
        with _told(self.path):
            return not self._database.execute("SELECT 1 FROM controllers").fetchall()

    def begin(
        self, site: Mapping[str, Any], timezone: str, seed: int, began_utc_s: int, names: Sequence[str]
    ) -> None:
        """Note down whose memory this is, in a new file. Committed with the first `write`."""
        self._database.execute("BEGIN IMMEDIATE")
        facts = {
            "tracertwin": (
                installed("tracertwin"),
                "version of TracerTwin that began the run and goes on with it",
            ),
            "layout": (f"{KEPT_VERSION}/{layout()}", "fingerprint of what controllers.state consists of"),
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

    def check(self, site: Mapping[str, Any], seed: int) -> None:
        """That a run of this site and seed can go on with this file.

        Raises
        ------
        ProblemsError
            Saying what differs and what would do.
        """
        with _told(self.path):
            facts = dict(self._database.execute("SELECT name, value FROM about"))
        problems = []
        own, meaning = installed("tracertwin"), f"{KEPT_VERSION}/{layout()}"
        if (facts["tracertwin"], facts["layout"]) != (own, meaning):
            problems.append(
                f"kept by TracerTwin {facts['tracertwin']} (layout {facts['layout']}), this is {own} "
                f"(layout {meaning}): its plant can't go on here; begin a new file, "
                "history still reads this one"
            )
        if int(facts["seed"]) != seed:
            problems.append(
                f"is of seed {facts['seed']}, not {seed}: add --seed {facts['seed']}, or begin a new file"
            )
        if told := differing(json.loads(facts["site"]), site):
            problems.append(f"is of another site: {told}; give it that site again, or begin a new file")
        if problems:
            raise ProblemsError([Problem(str(self.path), 0, "", text) for text in problems])

    def stood(self) -> list[Stood]:
        """Where each controller stood at the last commit, the site's own first."""
        with _told(self.path):
            rows = self._database.execute(
                "SELECT controller, unit_id, unit_id_after_power_cycle, state FROM controllers ORDER BY controller"
            ).fetchall()
            return [
                Stood((now, later), self._with_events(number, state)) for number, now, later, state in rows
            ]

    def _with_events(self, controller: int, state: str) -> Kept:
        """The log of transitions stands in a table of its own, which has all of them."""
        kept = json.loads(state)
        count = int(kept["books"]["event_count"])
        rows = self._database.execute(
            "SELECT utc_s, rule, from_state FROM events WHERE controller = ? AND number > ? ORDER BY number",
            (controller, count - kept.pop("events_kept")),
        )
        self._events_written[controller] = count
        return {**kept, "events": [[t_utc_s, rule, from_words(rule, left)] for t_utc_s, rule, left in rows]}

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
        kept = dict(entry.kept)
        events = kept.pop("events")
        count = int(kept["books"]["event_count"])
        timezone, controller = self._timezone(), entry.controller
        self._write_state(entry, {**kept, "events_kept": len(events)})
        before = max(events_before, count - len(events))
        new = events[len(events) - (count - before) :]
        self._database.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_event_row(controller, number, event, timezone) for number, event in enumerate(new, before + 1)],
        )
        self._database.executemany(
            f"INSERT INTO samples VALUES ({', '.join('?' * (3 + len(SAMPLES)))})",
            [_sample_row(controller, row, timezone) for row in entry.samples.tolist()],
        )
        for day in _days(entry.samples[:, 0], [event[0] for event in new], timezone):
            self._write_day(controller, day, timezone)
        return count

    def _write_state(self, entry: Commit, kept: Mapping[str, Any]) -> None:
        t_utc_s = kept["t_utc_s"]
        self._database.execute(
            "INSERT INTO controllers VALUES (:controller, :name, :now, :later, :utc_s, :local, :state) "
            "ON CONFLICT (controller) DO UPDATE SET unit_id = :now, unit_id_after_power_cycle = :later, "
            "utc_s = :utc_s, time_local = :local, state = :state",
            {
                "controller": entry.controller,
                "name": self._names[entry.controller - 1] if self._names else "",
                "now": entry.unit_ids[0],
                "later": entry.unit_ids[1],
                "utc_s": t_utc_s,
                "local": _local(t_utc_s, self._timezone()),
                "state": json.dumps(kept, allow_nan=False),
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


def refused(path: Path, message: str) -> ProblemsError:
    """The error that says why a file is not taken."""
    return ProblemsError([Problem(str(path), 0, "", message)])


def _locked(path: Path) -> int:
    """A descriptor of the file with a lock that ends with this process, however that ends."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise refused(
            path, f"can't be written: {error.strerror}; --state needs a file it may write"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise refused(
            path, "is in use by another serve; end that one, or give this one a file of its own"
        ) from None
    return lock


def check_header(path: Path, header: bytes, would_do: str) -> None:
    """By its bytes, before SQLite gets to see it: what isn't ours is not to be touched."""
    if not header:
        return
    if not header.startswith(MAGIC):
        raise refused(path, f"is no state file, nor any of SQLite; {would_do}")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise refused(path, f"is a database of something else; {would_do}")
    found = int.from_bytes(header[60:64], "big")
    if found != FILE_VERSION:
        raise refused(
            path, f"is a state file of version {found}, this is of version {FILE_VERSION}; {would_do}"
        )


def _prepare(database: sqlite3.Connection) -> None:
    """Tables of a new file, in one transaction; then the log ahead that lets others read while it is written."""
    database.execute("PRAGMA synchronous = FULL")
    if not database.execute("SELECT 1 FROM sqlite_master").fetchall():
        database.execute("PRAGMA journal_mode = DELETE")
        statements = ";\n".join(
            [*SCHEMA, f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {FILE_VERSION}"]
        )
        database.executescript(f"BEGIN IMMEDIATE;\n{statements};\nCOMMIT;")
    database.execute("PRAGMA journal_mode = WAL")


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """SQLite's errors as problems of the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise refused(path, f"can't be used: {error}") from None


def differing(then: Any, now: Any) -> str:
    """What differs between two resolved sites, in a few words; empty when nothing does."""
    old, new = dict(_leaves(then)), dict(_leaves(json.loads(json.dumps(now))))
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
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
    return (controller, int(row[0]), _local(row[0], timezone), *values[1:])


def _event_row(controller: int, number: int, event: Sequence[Any], timezone: str) -> tuple[Any, ...]:
    t_utc_s, row, from_state = event
    return (controller, number, t_utc_s, _local(t_utc_s, timezone), *in_words(row, from_state), row)


@lru_cache(maxsize=64)
def _offset_s(hour: int, timezone: str) -> int:
    """What civil clocks show ahead of UTC in a quarter of an hour [s]: they are changed on such only."""
    offset = datetime.fromtimestamp(hour * 900, ZoneInfo(timezone)).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


_EPOCH = datetime(1970, 1, 1)


def _local(t_utc_s: float, timezone: str) -> str:
    """``2026-06-21 06:00:00``."""
    local_s = int(t_utc_s) + _offset_s(int(t_utc_s) // 900, timezone)
    return (_EPOCH + timedelta(seconds=local_s)).isoformat(sep=" ")


def _days(samples_utc_s: np.ndarray, events_utc_s: Sequence[float], timezone: str) -> list[str]:
    """Civil days that these belong to; what ends with midnight is of the day before."""
    moments = {int(t) - 1 for t in samples_utc_s.tolist()} | {int(t) for t in events_utc_s}
    return sorted({_local(t, timezone)[:10] for t in moments})


def day_limits(day: str, timezone: str) -> tuple[int, int]:
    """The midnights about a civil day [UTC s]."""
    begin = datetime.fromisoformat(day)
    zone = ZoneInfo(timezone)
    first, last = (moment.replace(tzinfo=zone).timestamp() for moment in (begin, begin + timedelta(days=1)))
    return int(first), int(last)
