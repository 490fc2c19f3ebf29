"""From the start of the process to the first answered poll, and the memory of a process that runs."""

import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from statistics import median
from time import monotonic, perf_counter, sleep
from typing import Final

from benchmarks.responders import (
    HOST,
    PYMODBUS,
    START_S,
    Missing,
    Responder,
    ours,
    poll,
    prompt,
    pymodbus,
    running,
)
from benchmarks.table import Result
from plant.base.arraycache import VARIABLE
from plant.base.clock import DAY_S

STARTS: Final = 5
FAST: Final = 100_000  # plant time over wall time
SETTLED_S: Final = 3.0  # from the first poll to the first look at memory
RUN_S: Final = 12.0  # and to the last
POLL_PERIOD_S: Final = 0.01


def run() -> Iterator[Result]:
    """Start, first start, memory."""
    _start()  # from here on compiled code is cached and files are in memory
    mine, theirs, why = [], [], PYMODBUS
    for _ in range(STARTS):
        mine.append(_start()[0])
        try:
            theirs.append(_start_of(pymodbus()))
        except Missing as reason:
            why = str(reason)
    yield Result(
        what="start to first answered poll, compiled before", unit="s", ours=median(mine),
        limit=1.2, peer=median(theirs) if theirs else None, peer_name=why,
    )  # fmt: skip
    yield _first_start()
    yield from _memory()


def _start(environment: Mapping[str, str] | None = None) -> tuple[float, str]:
    """Wall time until the plant has dialled in and answered, as under QEMU [s]; and what it said by then."""
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(START_S)
        link = f"dial:{HOST}:{listener.getsockname()[1]}"
        began = perf_counter()
        with running([sys.executable, "-m", "tracertwin", "serve", "--link", link], environment) as program:
            sock, _ = listener.accept()
            with prompt(sock):
                poll(sock)
                return perf_counter() - began, program.said()


def _start_of(responder: Responder) -> float:
    began = perf_counter()
    with responder.connected() as (_, sock):
        poll(sock)
        return perf_counter() - began


def _first_start() -> Result:
    with tempfile.TemporaryDirectory() as folder:
        took_s, said = _start({VARIABLE: folder})  # goes before the user's cache, and may be set here
    line = next((line for line in said.splitlines() if "compiling" in line), None)
    return Result(
        what="very first start to first answered poll", unit="s", ours=took_s, limit=20.0,
        peer_name="none, it compiles nothing", note=f"it says {line!r}" if line else "and is SILENT meanwhile",
    )  # fmt: skip


def _memory() -> Iterator[Result]:
    try:
        early, late = _memory_of(ours("--speed", str(FAST)))
    except OSError:
        return  # no /proc on this system
    try:
        peer, why = _memory_of(pymodbus())[1], PYMODBUS
    except Missing as reason:
        peer, why = None, str(reason)
    first, last = (FAST * seconds / DAY_S for seconds in (SETTLED_S, SETTLED_S + RUN_S))
    yield Result(
        what="memory of serve, resident, polled", unit="MB", ours=late, limit=250.0, peer=peer, peer_name=why,
        note=f"{late - early:+.1f} MB from day {first:.0f} to day {last:.0f} at {FAST}x",
    )  # fmt: skip


def _memory_of(responder: Responder) -> tuple[float, float]:
    """Resident memory soon after the first poll, and after a run [MB]."""
    with responder.connected() as (program, sock):
        _poll_for(sock, SETTLED_S)
        early = program.memory_mb()
        _poll_for(sock, RUN_S)
        return early, program.memory_mb()


def _poll_for(sock: socket.socket, seconds: float) -> None:
    until_s = monotonic() + seconds
    while monotonic() < until_s:
        poll(sock)
        sleep(POLL_PERIOD_S)
