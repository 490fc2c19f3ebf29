"""Registers of every shipped scenario, a row for each twelfth of its run, kept in ``tests/golden/scenarios.txt``.

``python -m tests.golden_scenarios`` says what differs from the file, ``--write`` writes it anew; nothing else does. Who
writes it says in the change log what the same scenario and seed now does otherwise. ``--threads N`` prints it as it
is now, computed in so many threads, with a digest of everything that each scenario does.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from plant.base.clock import to_local
from plant.base.configs import config_dir
from tracertwin.checking.preparing import prepare
from tracertwin.checking.running import run
from tracertwin.scenario.file import load_scenario

FILE = Path(__file__).parent / "golden" / "scenarios.txt"
SUITES = config_dir() / "scenarios"
PARTS = 12
# Begins lines that are not compared: the head, and digests, as other kinds of processors may round last bits otherwise.
NOTE = "#"
# As a client reads them through the scenario's map: PV, battery and load voltage, PV and load current, battery
# temperature, gauge, charging status, energy generated ever.
REGISTERS = ("0x3100", "0x3104", "0x310C", "0x3101", "0x310D", "0x3110", "0x311A", "0x3201", "0x3314")
HEAD = (
    "# golden registers of the shipped scenarios: computed by TracerTwin 0.1.0; rewritten by "
    "`python -m tests.golden_scenarios --write` only",
    f"# local time, then {' '.join(REGISTERS)} as a client reads them; every digit holds",
)


def lines_of(path: Path) -> Iterator[str]:
    """A scenario: its name, the rows, and a digest of all its samples, requests and verdicts."""
    ran = run(prepare(load_scenario(path)))
    record, places = ran.record, np.linspace(0, len(ran.record.t_s) - 1, PARTS + 1).astype(int)
    seen = record.columns.at(places)
    yield f"{path.relative_to(SUITES).with_suffix('').as_posix()}"
    columns = [seen[f"input {address}"] for address in REGISTERS]
    for row, t_s in enumerate(record.t_s[places].tolist()):
        moment = to_local(t_s, record.span.timezone)
        yield f"  {moment:%Y-%m-%dT%H:%M:%S} " + " ".join(f"{column[row]:g}" for column in columns)
    judged = [(verdict.holds, verdict.finding.margin) for verdict in ran.verdicts]
    digest = sha256(ran.trace.rows.tobytes() + repr((record.asked, judged)).encode())
    yield f"{NOTE} {digest.hexdigest()}"


def current(threads: int = 1) -> str:
    """What the file should say now, with the digests."""
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda path: list(lines_of(path)), sorted(SUITES.rglob("*.yaml")))
    return "\n".join((*HEAD, *chain(*found))) + "\n"


def without_notes(text: str) -> list[str]:
    """Its lines, but for head and digests."""
    return [line for line in text.splitlines() if not line.startswith(NOTE)]


def differences(now: str) -> list[str]:
    """Where it is not line by line what the file has: ``-`` what was, ``+`` what is, as diff says it."""
    kept, lines = (without_notes(text) for text in (FILE.read_text(encoding="utf-8"), now))
    return list(unified_diff(kept, lines, "was", "is", n=0, lineterm=""))


def main(words: list[str]) -> None:
    """As the module says."""
    now = current(int(words[1]) if words[:1] == ["--threads"] else 1)
    if words == ["--write"]:
        FILE.write_text("\n".join((*HEAD, *without_notes(now))) + "\n", encoding="utf-8")
    elif words:
        sys.stdout.write(now)
    elif found := differences(now):
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main(sys.argv[1:])
