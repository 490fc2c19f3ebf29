"""Ctrl-C while compiled code runs: it is heard when that has returned, and never by the code's own calls of Python."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from time import sleep

import pytest

from plant.base.interrupts import Stretch, interrupt, interruption
from plant.base.jit import kernel
from tests.command import ROOT


class HeardError(Exception):
    pass


@pytest.fixture
def raising() -> Iterator[None]:
    """A handler that raises, as the commands' own do for Ctrl-C."""
    before = signal.signal(signal.SIGINT, lambda *_: interrupt(HeardError()))
    yield
    signal.signal(signal.SIGINT, before)


def test_elsewhere_a_signal_is_heard_at_once(raising):
    with pytest.raises(HeardError):
        signal.raise_signal(signal.SIGINT)


def test_a_signal_is_heard_once_at_the_end_of_the_outermost_stretch(raising):
    reached = []

    def stretch() -> None:
        with Stretch(waits=True):
            with Stretch(waits=True):
                signal.raise_signal(signal.SIGINT)
                signal.raise_signal(signal.SIGINT)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(HeardError):
        stretch()
    assert reached == ["inner", "outer"]
    with Stretch(waits=True):
        pass


def test_what_may_be_interrupted_within_a_stretch_hears_it_at_once(raising):
    with Stretch(waits=True), pytest.raises(HeardError), Stretch(waits=False):
        signal.raise_signal(signal.SIGINT)


def test_what_may_be_interrupted_is_not_begun_when_a_signal_waits(raising):
    begun = []

    def stretch() -> None:
        with Stretch(waits=True):
            signal.raise_signal(signal.SIGINT)
            with Stretch(waits=False):
                begun.append(True)

    with pytest.raises(HeardError):
        stretch()
    assert begun == []


def test_another_thread_s_compiled_code_keeps_nobody_waiting(raising):
    within, over = threading.Event(), threading.Event()

    def elsewhere() -> None:
        with Stretch(waits=True):
            within.set()
            over.wait(10.0)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    within.wait(10.0)
    with pytest.raises(HeardError):
        signal.raise_signal(signal.SIGINT)
    over.set()
    thread.join()


def test_what_interrupted_is_found_behind_the_errors_it_led_to():
    def interrupted() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise RuntimeError("not finished")

    with pytest.raises(RuntimeError) as raised:
        interrupted()
    assert isinstance(interruption(raised.value), KeyboardInterrupt)
    assert interruption(ValueError("a fault of its own")) is None


def test_a_kernel_returns_before_a_signal_is_heard(raising):
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
        call(300_000_000)
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
