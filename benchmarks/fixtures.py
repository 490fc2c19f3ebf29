"""The fixtures of tests: how long one takes to make, to branch, and a plant day in it."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Final

from benchmarks.table import Result

TRIALS: Final = 7
READS: Final = 1440  # of a day, one a minute
PEER: Final = "DER Twin 0.1.12: 80 to 1,500 x real time, an energy bucket; published, not run here"
FIRST: Final = """\
from time import perf_counter
began = perf_counter()
from pathlib import Path
from tempfile import mkdtemp
from tracertwin.testing.making import make_tracer
make_tracer({}, Path("x.py").absolute(), Path(mkdtemp())).close()
print(perf_counter() - began)
"""


def run() -> Iterator[Result]:
    """First fixture, later ones, fork, a day."""
    from tracertwin.testing.making import make_tracer

    with tempfile.TemporaryDirectory() as folder:
        number = 0

        def make(seed: int = 1):  # type: ignore[no-untyped-def]
            nonlocal number
            number += 1
            place = Path(folder) / str(number)
            place.mkdir()
            return make_tracer({"seed": seed}, Path(folder) / "x.py", place)

        firsts = [float(subprocess.check_output([sys.executable, "-c", FIRST])) for _ in range(3)]
        yield Result(
            what="fixture tracer: the first of a process",
            unit="s",
            ours=median(firsts),
            limit=2.0,
            peer_name="none",
        )
        tracer = make()
        later, forks = [], []
        for seed in range(TRIALS):
            began = perf_counter()
            other = make(seed + 2)
            later.append(perf_counter() - began)
            other.close()
        tracer.advance("12h")
        saved = tracer.save()
        for _ in range(TRIALS):
            began = perf_counter()
            saved.fork()
            forks.append(perf_counter() - began)
        yield Result(
            what="fixture tracer: later ones",
            unit="ms",
            ours=1e3 * median(later),
            limit=50.0,
            peer_name="none",
        )
        yield Result(
            what="fork of a tracer", unit="ms", ours=1e3 * median(forks), limit=20.0, peer_name="none"
        )
        began = perf_counter()
        for _ in range(READS):
            tracer.advance("1min")
            tracer.read("battery_voltage")
        day_s = perf_counter() - began
        yield Result(
            what="a plant day at 5 s in a fixture, a register read each minute", unit="s", ours=day_s, limit=0.6,
            peer_name=PEER, note=f"{86400 / day_s:,.0f} times real time",
        )  # fmt: skip
        tracer.close()
