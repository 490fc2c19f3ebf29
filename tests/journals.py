"""Runs that are recorded, for tests: a rig whose lines are real, or asked without any."""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from modbus.line.endpoint import Endpoint, parse_endpoint
from modbus.master.client import Master
from plant.plant import Plant
from tests.plants import plant
from tracertwin.assembly.options import Options
from tracertwin.journal.entries import Entry, Exchange
from tracertwin.journal.file import JournalFile
from tracertwin.journal.head import written_down
from tracertwin.journal.replay import Outcome, Replay, rebuilt
from tracertwin.rig.serving import Rig


def rig(path: Path, links: int | list[Endpoint] = 1, plants: Sequence[Plant] = (), **options: Any) -> Rig:
    """A rig that records, its lines on so many sockets beside the journal unless they are given."""
    unix = [f"unix-listen:{path.with_suffix(f'.{n}')}" for n in range(links if isinstance(links, int) else 0)]
    ends = [*map(parse_endpoint, unix)] if isinstance(links, int) else links
    how = {"map_name": "epever", "turnaround_s": 0.0, "record": path, "say": lambda _: None} | options
    say = how.pop("say")
    return Rig(list(plants) or [plant()], Options(links=ends, **how), say)


def master(path: Path, line: int = 0) -> Master:
    """Somebody on one of the lines."""
    return Master(parse_endpoint(f"unix:{path.with_suffix(f'.{line}')}"))


@contextlib.contextmanager
def running(rig: Rig) -> Iterator[Rig]:
    """A rig whose time goes."""
    with rig:
        thread = threading.Thread(target=rig.run)
        thread.start()
        try:
            yield rig
        finally:
            rig.end()
            thread.join(5)
            rig.tell()


@contextlib.contextmanager
def silent(rig: Rig) -> Iterator[Rig]:
    """A rig that records though none of its lines is open: for what has to be asked often."""
    assert rig.journal is not None
    rig.journal.begin(*written_down(rig.assembly))
    try:
        yield rig
    finally:
        rig.close()


def ask(rig: Rig, request: Any, line: int = 0) -> Any:
    """What leaves for a request on a line that isn't open."""
    return rig.answers[line](request)


def entries(path: Path) -> list[Entry]:
    """All of a journal's."""
    return [entry for _, entry in JournalFile(path).entries()]


def exchanges_of(path: Path) -> list[Exchange]:
    """The requests, and what was sent for them."""
    return [entry.what for entry in entries(path) if isinstance(entry.what, Exchange)]


def transcript(path: Path) -> list[tuple[Any, ...]]:
    """What was said and where the plants stood, without the wall's time."""
    return [
        (entry.number, entry.times_s, entry.line, entry.what.request, entry.what.sent)
        for entry in entries(path)
        if isinstance(entry.what, Exchange)
    ]


def replayed(path: Path) -> Outcome:
    """What came of a replay."""
    journal = JournalFile(path)
    with rebuilt(journal) as parts:
        return Replay(journal, parts).run()
