"""The real firmware's conversation, recorded and replayed: the same bytes, however fast host and line were."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import qemu
from tests.journals import entries, replayed, transcript

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> qemu.Build:
    """Compile a variant of the firmware, once."""
    qemu.require_tools()
    return qemu.builder(tmp_path_factory.mktemp("firmware"))


@contextlib.contextmanager
def serve(path: Path, port: int, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`tracertwin serve --record`, dialling the guest's UART2."""
    command = [sys.executable, "-m", "tracertwin", "serve", "--link", f"dial:127.0.0.1:{port}", "--seed", "5"]
    command += ["--record", str(path), "--start", "2026-06-21T13:00", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def run(build: qemu.Build, path: Path, rounds: int, *options: str, **firmware: int) -> None:
    """Some rounds of the firmware, with a restart of the guest in between."""
    guest = qemu.Guest(build(TIMEOUT_MS=2000, RETRIES=500, **firmware))
    with serve(path, guest.port, *options) as process, guest:
        guest.wait_for(qemu.ROUND, timeout_s=90)  # the first time, the plant is compiled
        guest.rounds(rounds)
        guest.kill()
        guest.start()
        guest.rounds(rounds)
        process.terminate()
        _, told = process.communicate(timeout=10)
    assert process.returncode == 0, told


def test_what_the_firmware_heard_at_two_hundred_times_the_walls_speed_is_replayed_to_the_same_bytes(
    build, tmp_path
):
    path = tmp_path / "run.jsonl"
    run(build, path, 20, "--speed", "200", "--turnaround", "0ms", ROUND_PAUSE_MS=10)
    outcome = replayed(path)
    assert outcome.first == []
    assert outcome.requests > 40 * 10
    assert outcome.connects == 2
    assert len({times for _, times, *_ in transcript(path)}) > 10


def test_two_polled_runs_of_the_same_firmware_say_the_same_though_their_timings_differ(build, tmp_path):
    """One guest waits 20 ms between rounds and hears every reply 5 ms late; the other waits for nothing."""
    quick, slow = tmp_path / "quick.jsonl", tmp_path / "slow.jsonl"
    for path, turnaround, pause_ms in ((quick, "0ms", 0), (slow, "5ms", 20)):
        # the first request is said again until somebody hears it
        guest = qemu.Guest(build(TIMEOUT_MS=2000, RETRIES=500, ROUND_PAUSE_MS=pause_ms))
        with serve(path, guest.port, "--clock", "polled:7s", "--turnaround", turnaround), guest:
            guest.wait_for(qemu.ROUND, timeout_s=90)
            guest.rounds(12)
    one, other = ([said for _, *said in transcript(path)] for path in (quick, slow))
    shorter = min(len(one), len(other))
    assert shorter > 100
    assert one[:shorter] == other[:shorter]
    wall_s = [entries(path)[100].wall_s - entries(path)[1].wall_s for path in (quick, slow)]
    assert wall_s[1] > 99 * 0.005  # it did wait; how long the other took is for the host's load to say
    assert wall_s[0] != wall_s[1]
    for path in (quick, slow):
        assert replayed(path).first == []
