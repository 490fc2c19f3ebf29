"""Ctrl-C while compiled code runs: it is heard when that has returned, and never by the code's own calls of Python."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from time import sleep

import pytest

from plant.base.interrupts import Uninterrupted
from plant.base.jit import kernel
from tests.command import ROOT


class HeardError(Exception):
    pass


@pytest.fixture
def raising() -> Iterator[None]:
    """A handler that raises, as Python's own does for Ctrl-C."""

    def stop(_number: int, _frame: object) -> None:
        raise HeardError

    before = signal.signal(signal.SIGINT, stop)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_signal_is_heard_at_the_end_of_the_stretch(raising):
    reached = []

    def stretch() -> None:
        with Uninterrupted():
            signal.raise_signal(signal.SIGINT)
            reached.append(True)

    with pytest.raises(HeardError):
        stretch()
    assert reached
    with pytest.raises(HeardError):
        signal.raise_signal(signal.SIGINT)


def test_where_it_is_lifted_a_signal_is_heard_at_once(raising):
    with Uninterrupted():
        with pytest.raises(HeardError), Uninterrupted.lifted():
            signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)  # noted again, and passed on below
        with pytest.raises(HeardError), Uninterrupted.lifted():
            pytest.fail("what was noted is heard first")


def test_stretches_within_one_another_hear_it_once_at_the_outer_end(raising):
    within = []

    def stretch() -> None:
        with Uninterrupted():
            with Uninterrupted():
                signal.raise_signal(signal.SIGINT)
            within.append(True)

    with pytest.raises(HeardError):
        stretch()
    assert within


def test_other_threads_leave_the_handlers_alone(raising):
    before, seen = signal.getsignal(signal.SIGINT), []

    def elsewhere() -> None:
        with Uninterrupted():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_kernel_returns_before_a_signal_is_heard(raising, monkeypatch):
    ended = []

    @kernel
    def busy(n: int) -> float:
        total = 0.0
        for k in range(n):
            total += (k % 7) ** 0.5
        return total

    busy(1)
    call: Callable[[int], float] = busy
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(HeardError):
        ended.append(call(300_000_000))
    assert ended == []  # heard as the call returned
    timer.join()


@pytest.mark.parametrize("seconds", [0.0, 0.15, 0.4])
def test_ctrl_c_ends_a_run_at_once_and_without_a_crash(seconds):
    """It used to end in a segmentation fault: `KeyboardInterrupt` was raised while the kernel made its results."""
    code = (
        "import sys; import plant.plant as p; from tracertwin.cli.main import main\n"
        "run = p.run_steps\n"
        "calls = []\n"
        "def told(*of):\n"
        "    calls.append(1)\n"
        "    if len(calls) == 5: p.run_steps = run; print('running', flush=True)\n"
        "    return run(*of)\n"
        "p.run_steps = told\n"
        "sys.argv = ['tracertwin', 'run', '--days', '3000']\n"
        "main()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "running\n"
        sleep(seconds)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60.0)
    assert running.returncode == 0
    assert said == ""
