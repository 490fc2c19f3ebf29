"""`tracertwin serve` under clients of every manner for a simulated year: does it answer, and does it stay as small?

``python -m tests.endurance.soak``; exit status 1 and a line for everything that was wrong.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from tests.endurance.clients import Client, Poller, Rogue, Setter
from tests.endurance.process import Limits, Sample, drift_mb, growth, look, warmed

ROOT = Path(__file__).parents[2]
REQUESTS, DAYS = 1_000_000, 365.0  # of a whole soak
SPEED = 100_000
DAY_S = 86400.0
START_S = 120.0  # a first start compiles
SETTLE_S = 2.0  # before the first client comes, and after the last has gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long: until all of it is done."""

    requests: int = REQUESTS
    reconnects: int = 1_000
    days: float = DAYS
    every_s: float = 2.0  # a sample
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a soak saw."""

    samples: Sequence[Sample]
    answered: int
    connects: int
    days: float
    wrong: Sequence[str]


def soak(plan: Plan, folder: Path) -> Outcome:
    """Serve, with all clients at once, until the plan is done or something is wrong."""
    ready, stats = folder / "ready", folder / "stats.json"
    links = [
        "listen:127.0.0.1:0",
        "listen:127.0.0.1:0",
        f"pty:{folder / 'uart'}",
        f"unix-listen:{folder / 'unix'}",
    ]
    command = [sys.executable, "-m", "tracertwin", "serve", "cabin", "--map", "epever", "--turnaround", "0ms"]
    command += ["--stale", "60s", "--speed", str(SPEED), "--ready-file", str(ready), "--stats", str(stats)]
    for link in links:
        command += ["--link", link]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
        try:
            endpoints = _ready(process, ready)
            clients = _clients(endpoints)
            samples, idle = _watch(process, clients, plan)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20.0)
            process.kill()
    wrong = [f"{client.name}: {client.error!r}" for client in clients if client.error is not None]
    if process.returncode != 0:
        wrong.append(f"serve ended with {process.returncode}: {(folder / 'log').read_text()[-500:]}")
        return Outcome(samples, 0, 0, 0.0, wrong)
    return _told(json.loads(stats.read_text()), clients, samples, idle, wrong, plan.limits)


def _clients(endpoints: Sequence[str]) -> list[Client]:
    first, second, terminal, unix = endpoints
    makers = ((Poller, first), (Rogue, second), (Rogue, terminal), (Setter, unix))
    return [make(endpoint, seed) for seed, (make, endpoint) in enumerate(makers)]


def _ready(process: "subprocess.Popen[bytes]", ready: Path) -> list[str]:
    until_s = monotonic() + START_S
    while not ready.exists():
        if process.poll() is not None or monotonic() > until_s:
            raise RuntimeError("serve did not come up")
        sleep(0.05)
    return ready.read_text().split()


def _watch(
    process: "subprocess.Popen[bytes]", clients: Sequence[Client], plan: Plan
) -> tuple[list[Sample], tuple[Sample, Sample]]:
    """Samples until the plan is done, and what the process holds without clients before and after."""
    sleep(SETTLE_S)
    began_s = monotonic()
    before = look(process.pid, began_s, 0)
    samples = []
    for client in clients:
        client.start()
    while process.poll() is None and not any(client.error for client in clients):
        sleep(plan.every_s)
        answered = sum(client.answered for client in clients)
        samples.append(look(process.pid, began_s, answered))
        done = answered >= plan.requests and sum(client.connects for client in clients) >= plan.reconnects
        if done and (monotonic() - began_s) * SPEED >= plan.days * DAY_S:
            break
    for client in clients:
        client.stop.set()
    for client in clients:
        client.join(20.0)
    sleep(SETTLE_S)
    return samples, (before, look(process.pid, began_s, samples[-1].answered))


def _told(
    stats: dict,
    clients: Sequence[Client],
    samples: list[Sample],
    idle: tuple[Sample, Sample],
    wrong: list[str],
    limits: Limits,
) -> Outcome:
    """The outcome, with what the process says of itself at its end."""
    lines = stats["lines"]
    answered = sum(client.answered for client in clients)
    if sum(line["replies"] for line in lines) < answered:
        wrong.append("fewer replies counted than received")
    wrong += [f"{line['link']}: {line['failures']} bugs" for line in lines if line["failures"]]
    wrong += growth(samples, limits)
    for what in ("files", "threads"):
        before, after = (getattr(sample, what) for sample in idle)
        if after > before:
            wrong.append(f"{what}: {before} before the first client, {after} after the last")
    moved = datetime.fromisoformat(stats["ended"]) - datetime.fromisoformat(stats["began"])
    connects = sum(line["connects"] for line in lines)
    return Outcome(samples, answered, connects, moved.total_seconds() / DAY_S, wrong)


def table(outcome: Outcome, rows: int = 12) -> str:
    """What was held over time, some rows of it."""
    samples = outcome.samples
    chosen = [samples[round(place * (len(samples) - 1) / (rows - 1))] for place in range(rows)]
    told = ["    wall s   requests   memory MB   files   threads"]
    told += [f"{s.t_s:10.0f} {s.answered:10,} {s.rss_mb:11.1f} {s.files:7} {s.threads:9}" for s in chosen]
    told.append(
        f"{outcome.answered:,} replies, {outcome.connects:,} connections, {outcome.days:.0f} days of the plant; "
        f"memory drifted {drift_mb(warmed(samples)):+.2f} MB after the warm-up"
    )
    return "\n".join(told)


def main() -> int:
    """Soak by the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--days", type=float, default=DAYS)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tracertwin-soak-") as folder:
        outcome = soak(Plan(requests=given.requests, days=given.days), Path(folder))
    print(table(outcome))
    for line in outcome.wrong:
        print(f"not as it should be: {line}")
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
