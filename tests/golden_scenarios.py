"""Registers of every shipped scenario, a row for each twelfth of its run, kept in ``tests/golden/scenarios.txt``.

``python -m tests.golden_scenarios`` says what differs from the file, ``--write`` writes it anew; nothing else does. Who
writes it says in the change log what the same scenario and seed now does otherwise.
"""

import sys
from collections.abc import Iterator
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
# As a client reads them through the scenario's map: PV, battery and load voltage, PV and load current, battery
# temperature, gauge, charging status, energy generated ever.
REGISTERS = ("0x3100", "0x3104", "0x310C", "0x3101", "0x310D", "0x3110", "0x311A", "0x3201", "0x3314")
HEAD = (
    "# golden registers of the shipped scenarios: computed by TracerTwin 0.1.0; rewritten by "
    "`python -m tests.golden_scenarios --write` only",
    f"# local time, then {' '.join(REGISTERS)} as a client reads them; every digit holds",
)


def lines_of(path: Path) -> Iterator[str]:
    """A scenario: its name, then the rows."""
    record = run(prepare(load_scenario(path))).record
    yield f"{path.relative_to(SUITES).with_suffix('').as_posix()}"
    places = np.linspace(0, len(record.t_s) - 1, PARTS + 1).astype(int)
    columns = [record.columns[f"input {address}"] for address in REGISTERS]
    for place in places.tolist():
        moment = to_local(float(record.t_s[place]), record.span.timezone)
        yield f"  {moment:%Y-%m-%dT%H:%M:%S} " + " ".join(f"{column[place]:g}" for column in columns)


def current() -> str:
    """What the file should say now."""
    lines = [line for path in sorted(SUITES.rglob("*.yaml")) for line in lines_of(path)]
    return "\n".join((*HEAD, *lines)) + "\n"


def differences() -> list[str]:
    """Lines that are not what the file has."""
    kept, now = FILE.read_text(encoding="utf-8").splitlines(), current().splitlines()
    lost = [f"was {line}" for line in kept if line not in set(now)]
    return lost + [f"is {line}" for line in now if line not in set(kept)]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        FILE.write_text(current(), encoding="utf-8")
    elif found := differences():
        sys.exit("\n".join(found))
