"""`serve --state` killed at random moments under load; after each, what is in the file is checked.

`python -m tests.endurance.crash --kills 200`, or `make crash`. Imports take seconds, so they are done once and every
serve is a fork of this process: the real verb in a process of its own, ended by SIGKILL. A master polls it and writes
settings meanwhile, and remembers what it was answered and when. At the end the history has to be, to the bit, that of a
plant that nobody ever killed.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

import numpy as np

from modbus.codec.replies import BadReply, EchoReply, WordsReply
from modbus.codec.requests import ReadWords, WriteWord
from modbus.line.endpoint import LinkError, parse_endpoint
from modbus.master.client import Master
from plant.plant import Plant
from plant.site.model import load_site
from tracertwin.cli import main as command
from tracertwin.memory import committing as memory
from tracertwin.memory.file import Commit, StateFile
from tracertwin.memory.tables import SAMPLES
from tracertwin.rig import serving as rig  # noqa: F401  imported before the forks

SITE = "farm"  # two controllers: each with samples, days and events of its own
SPEED = 3000.0  # a minute of plant time is 0.02 s of the wall's: a wall second is what may be lost
LOSS_S = 1.0
SLACK_S = 0.3  # of a machine that does little else; more where it does, see --slack
LONGEST_S = 3.0
AT_THE_START = 0.25  # of the kills: counted from the fork, the others from the first reply
ROUNDING = 1e-12  # of a meter whose day is added to the days before
FRESH_EVERY = 8  # so often a kill goes to a file that is only just made
CAPACITY = 0x9001  # of the second controller, written by the master; the first one is left alone
CLOCK, METER = 0x9013, 0x3312


class CrashError(AssertionError):
    """What a kill has left is not what was promised."""


@dataclass
class Heard:
    """What the master knows of the time before the kill; moments by the wall's monotonic clock."""

    sent: list[tuple[float, int]] = field(default_factory=list)  # settings, as soon as they are on their way
    written: list[tuple[float, int]] = field(default_factory=list)  # and when they were acknowledged
    clocks: list[tuple[float, datetime]] = field(default_factory=list)  # what the plant's clock showed
    meters: list[float] = field(default_factory=list)  # generated in total [kWh]


@dataclass
class Left:
    """What a file says of the controllers, the site's own first."""

    capacity: int
    clock: datetime
    utc_s: list[int]
    meters: list[float]  # generated in total [kWh]
    samples: list[int]
    events: list[int]


def require(condition: bool, *what: object) -> None:
    """Or else."""
    if not condition:
        raise CrashError(" ".join(map(str, what)))


# --- serving and asking -----------------------------------------------------------------------------------------


def fork_serve(state: Path, link: Path, flaw: str | None) -> int:
    """Start a serve; its process id."""
    child = os.fork()
    if child:
        return child
    try:
        log = os.open(state.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 2)
        if flaw is not None:
            FLAWS[flaw]()
        sys.argv = ["tracertwin", "serve", SITE, "--state", str(state), "--link", f"unix-listen:{link}"]
        sys.argv += ["--speed", str(SPEED), "--map", "epever", "--turnaround", "0ms"]
        command.main()
    finally:
        os._exit(9)


def converse(link: Path, lives_s: float, from_reply: bool, chance: random.Random) -> Heard:
    """Poll and write for so long, whatever the other side does."""
    heard = Heard()
    until_s = monotonic() + (10.0 if from_reply else lives_s)
    while monotonic() < until_s:
        try:
            with Master(parse_endpoint(f"unix:{link}"), connect_timeout_s=0.2) as master:
                master.ask(ReadWords(1, 4, 0x3100, 1))
                if from_reply:
                    until_s = monotonic() + lives_s
                while monotonic() < until_s:
                    _ask(master, chance, heard)
        except (OSError, LinkError, BadReply):
            sleep(0.01)  # not there yet
    return heard


def _ask(master: Master, chance: random.Random, heard: Heard) -> None:
    what = chance.random()
    if what < 0.03:
        value = chance.randrange(50, 300)
        heard.sent.append((monotonic(), value))
        if isinstance(master.ask(WriteWord(2, CAPACITY, value)), EchoReply):
            heard.written.append((monotonic(), value))
    elif what < 0.2:
        clock = master.ask(ReadWords(1, 3, CLOCK, 3))
        if isinstance(clock, WordsReply):
            heard.clocks.append((monotonic(), _moment(clock.words)))
    elif what < 0.4:
        meter = master.ask(ReadWords(1, 4, METER, 2))
        if isinstance(meter, WordsReply):
            heard.meters.append((meter.words[0] + 65536 * meter.words[1]) / 100.0)
    else:
        master.ask(ReadWords(chance.choice((1, 2)), 4, 0x3100, 18))


def _moment(words: tuple[int, ...]) -> datetime:
    minute_second, day_hour, year_month = (divmod(word, 256) for word in words)
    return datetime(2000 + year_month[0], year_month[1], *day_hour, *minute_second)


# --- what a file says -------------------------------------------------------------------------------------------


def looked_at(path: Path) -> Left | None:
    """What stands in a file that nobody has open any more, if anything; that it agrees with itself."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        require(database.execute("PRAGMA quick_check").fetchall() == [("ok",)], "damaged")
        rows = database.execute(
            "SELECT controller, t_utc_s, time, state FROM controllers ORDER BY 1"
        ).fetchall()
        if not rows:
            return None
        require(len(rows) == 2, "controllers:", len(rows))
        left = Left(0, datetime.fromisoformat(rows[0][2]), [], [], [], [])
        for controller, utc_s, _, text in rows:
            state = json.loads(text)
            samples = _samples(database, controller, utc_s, state)
            events = _events(database, controller, utc_s, state)
            _days(database, controller, samples, events)
            left.utc_s.append(utc_s)
            left.meters.append(state["snapshot"]["generated_total_kwh"])
            left.samples.append(samples)
            left.events.append(events)
        left.capacity = json.loads(rows[1][3])["settings"]["capacity_ah"]
    return left


def _samples(database: sqlite3.Connection, controller: int, utc_s: int, state: dict) -> int:
    """Each whole minute from the start to where the plant stands, once, up to the counters of the state."""
    times = [
        row[0] for row in database.execute("SELECT t_utc_s FROM samples WHERE controller = ?", (controller,))
    ]
    wanted = list(range(state["start_utc_s"] // 60 * 60 + 60, utc_s + 1, 60))
    require(times == wanted, f"controller {controller}: {len(times)} samples of {len(wanted)} up to {utc_s}")
    require(utc_s == state["t_utc_s"], "state of", state["t_utc_s"], "stands at", utc_s)
    if times:
        last = database.execute(
            "SELECT e_pv_wh, generated_total_kwh FROM samples WHERE controller = ? AND t_utc_s = ?",
            (controller, times[-1]),
        ).fetchone()
        snapshot = state["snapshot"]
        grown = snapshot["e_pv_wh"] - last[0], snapshot["generated_total_kwh"] - last[1]
        require(
            -1e-9 <= grown[0] < 20.0 and -1e-9 <= grown[1] < 0.02, "counters and history differ by", grown
        )
    return len(times)


def _events(database: sqlite3.Connection, controller: int, utc_s: int, state: dict) -> int:
    rows = database.execute(
        "SELECT number, t_utc_s FROM events WHERE controller = ?", (controller,)
    ).fetchall()
    count = int(state["event_count"])
    require([row[0] for row in rows] == list(range(1, count + 1)), f"{len(rows)} events of {count}")
    require(not rows or rows[-1][1] <= utc_s, "an event of the future")
    return count


def _days(database: sqlite3.Connection, controller: int, samples: int, events: int) -> None:
    counted = database.execute(
        "SELECT coalesce(sum(samples), 0), coalesce(sum(events), 0), coalesce(sum(e_pv_wh), 0) FROM days "
        "WHERE controller = ?",
        (controller,),
    ).fetchone()
    pv_wh = database.execute(
        "SELECT coalesce(max(e_pv_wh), 0) FROM samples WHERE controller = ?", (controller,)
    ).fetchone()[0]
    require(
        counted[:2] == (samples, events), "days have", counted[:2], "samples and events of", (samples, events)
    )
    require(abs(counted[2] - pv_wh) < 1e-6, "days have", counted[2], "Wh of", pv_wh)


def check(left: Left, before: Left | None, heard: Heard, killed_s: float, slack_s: float) -> None:
    """That no more is lost than promised, and nothing has gone back."""
    surely = killed_s - LOSS_S - slack_s
    if before is not None:
        for name in ("utc_s", "meters", "samples", "events"):
            for now, then in zip(getattr(left, name), getattr(before, name), strict=True):
                require(now >= then - ROUNDING, name, "went back from", then, "to", now)
        if heard.clocks:
            require(heard.clocks[0][1] >= before.clock, "began at", heard.clocks[0][1], "after", before.clock)
        if heard.meters:
            require(
                heard.meters[0] >= before.meters[0] - 0.01,
                "meter began at",
                heard.meters[0],
                before.meters[0],
            )
    require(heard.meters == sorted(heard.meters), "the meter went back while it ran")
    for at_s, clock in heard.clocks:
        if at_s <= surely:
            require(
                left.clock >= clock,
                "stands at",
                left.clock,
                f"but {killed_s - at_s:.2f} s before it was",
                clock,
            )
    kept = [value for at_s, value in heard.written if at_s <= surely][-1:]
    since = kept[:1] or ([] if before is None else [before.capacity])
    may_be = {*since, *(value for at_s, value in heard.sent if at_s > surely)}
    if kept:  # and what was sent after it, acknowledged or not
        first_s = next(at_s for at_s, value in heard.written[::-1] if at_s <= surely)
        may_be |= {value for at_s, value in heard.sent if at_s > first_s}
    elif heard.sent:
        may_be |= {value for _, value in heard.sent}
    require(before is None or left.capacity in may_be, "capacity is", left.capacity, "and not of", may_be)


# --- the whole of it --------------------------------------------------------------------------------------------


def kill_once(
    state: Path, link: Path, chance: random.Random, before: Left | None, flaw: str | None, slack_s: float
) -> Left | None:
    """One life: serve, converse, kill, look."""
    child = fork_serve(state, link, flaw)
    heard = Heard()
    try:
        heard = converse(link, chance.uniform(0.05, LONGEST_S), chance.random() > AT_THE_START, chance)
    finally:
        killed_s = monotonic()
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    require(os.WIFSIGNALED(status), "serve ended by itself:", state.with_suffix(".log").read_text())
    left = looked_at(state)
    if left is None:
        require(before is None, "nothing is left")
    else:
        check(left, before, heard, killed_s, slack_s)
    return left


def kill_fresh(folder: Path, link: Path, chance: random.Random, number: int) -> None:
    """A file that has only just been made, or is being made: whole or empty, and the next serve takes it."""
    state = folder / f"fresh{number}.db"
    child = fork_serve(state, link, None)
    sleep(chance.uniform(0.0, 0.5))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with suppress(sqlite3.OperationalError):  # not there yet
        looked_at(state)
    StateFile.opened(state).close()


def compared(state: Path) -> int:
    """How many samples the first controller has; all to the bit those of a plant that was never killed."""
    site = load_site(SITE)
    columns = [name for name in SAMPLES if name != "stage"]
    names = ", ".join(columns)
    with closing(sqlite3.connect(f"file:{state}?mode=ro", uri=True)) as database:
        rows = database.execute(
            f"SELECT t_utc_s, {names} FROM samples WHERE controller = 1 ORDER BY 1"
        ).fetchall()
    plant = Plant.new(site)
    whole = plant.run(rows[-1][0] - plant.t_utc_s, 60)
    fields = list(plant.snapshot._fields)
    wanted = whole[:, [0, *(fields.index(name) for name in columns)]]
    require(np.array_equal(np.array(rows), wanted), "the history is not that of a plant never killed")
    return len(rows)


def crash(kills: int, seed: int, flaw: str | None = None, slack_s: float = SLACK_S) -> str:
    """Kill so many times; what there is to tell.

    Raises
    ------
    CrashError
    """
    chance = random.Random(seed)
    load_site(SITE)
    Plant.new(load_site(SITE)).run(3600, 60)  # compiled code is loaded before the forks
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        state, link = folder / "state.db", folder / "line"
        left, lives = None, 0
        while left is None:  # the first has to get as far as making the file
            with suppress(sqlite3.OperationalError):
                left = kill_once(state, link, chance, None, None, slack_s)
        for number in range(1, kills):
            try:
                if number % FRESH_EVERY == 0:
                    kill_fresh(folder, link, chance, number)
                else:
                    left = kill_once(state, link, chance, left, flaw, slack_s)
                    lives += 1
            except CrashError as error:
                raise CrashError(f"kill {number} of seed {seed}: {error}") from None
        samples = compared(state)
    return f"{kills} kills, {lives} of one run; {samples} samples of it to the bit as never killed"


# --- that it can fail ---------------------------------------------------------------------------------------------


def _state_before_history() -> None:
    """The state is committed by itself, the history somewhat later."""
    write = StateFile._write

    def in_two(self: StateFile, entry: object, before: int) -> object:
        without = Commit(entry.controller, entry.unit_ids, entry.kept, entry.samples[:0])  # type: ignore[attr-defined]
        before = write(self, without, before)
        self._database.execute("COMMIT")
        sleep(0.2)
        self._database.execute("BEGIN IMMEDIATE")
        return write(self, entry, before)  # type: ignore[arg-type]

    StateFile._write = in_two  # type: ignore[method-assign, assignment]


def _writes_forgotten() -> None:
    """What a client writes waits for the next minute, of a plant that stands nearly still."""
    memory.PLANT_S = 1e9  # type: ignore[misc]
    memory._Keeper._seen = lambda self: (0, self.unit.tracer.unit_ids)  # type: ignore[method-assign]


def _commits_rarely() -> None:
    """Every four seconds."""
    memory.WALL_S = 4.0  # type: ignore[misc]


def _samples_lost() -> None:
    """One in two hundred."""
    take = memory._Keeper._take
    memory._Keeper._take = lambda self, rows: take(self, rows[:-1] if random.random() < 0.005 else rows)  # type: ignore[method-assign]


def _state_of_the_commit_before() -> None:
    """The history is ahead of the state: a restart lives through some of it again."""
    copy, last = memory._Keeper.copy, {}  # type: ignore[var-annotated]

    def stale(self: memory._Keeper) -> memory._Copy:
        made = copy(self)
        then, last[self._number] = last.get(self._number, made.then), made.then
        return made._replace(then=then)

    memory._Keeper.copy = stale  # type: ignore[method-assign]


FLAWS: dict[str, Callable[[], None]] = {
    "state-before-history": _state_before_history,
    "writes-forgotten": _writes_forgotten,
    "commits-rarely": _commits_rarely,
    "samples-lost": _samples_lost,
    "state-of-the-commit-before": _state_of_the_commit_before,
}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flaw", choices=FLAWS, help="have serve do it wrong, which has to be noticed")
    parser.add_argument("--slack", type=float, default=SLACK_S, help="seconds that a busy machine may add")
    options = parser.parse_args()
    began_s = monotonic()
    try:
        told = crash(options.kills, options.seed, options.flaw, options.slack)
    except CrashError as error:
        print(f"crash: {error}")
        return 1
    print(f"crash: {told}, {monotonic() - began_s:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
