"""Ctrl-C while compiled code runs: heard when that has returned.

Compiled code calls Python to make named tuples of its results. There Python runs the handlers of signals that have come
meanwhile, and what they raise is taken for a result: the process crashes. So a handler that raises does it by
`interrupt`. Handlers run in the main thread only, so other threads have nothing to wait with.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, ClassVar


class Stretch:
    """A stretch of the main thread's work in which `interrupt` waits for the end, or doesn't."""

    waiting: ClassVar[bool] = False
    late: ClassVar[list[BaseException]] = []

    def __init__(self, waits: bool) -> None:
        self._waits, self._before = waits, False

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = Stretch.waiting
            self._have(self._waits)

    def __exit__(self, *_error: object) -> None:
        if threading.current_thread() is threading.main_thread():
            self._have(self._before)

    @staticmethod
    def _have(waiting: bool) -> None:
        Stretch.waiting = waiting
        if Stretch.late and not waiting:
            interrupt(Stretch.late[0])


def interrupt(error: BaseException) -> None:
    """Raise an exception for a signal: at once, or when the compiled code that runs has returned."""
    if Stretch.waiting:
        Stretch.late.append(error)
        return
    Stretch.late.clear()
    raise error


@contextmanager
def handled(handlers: Mapping[signal.Signals, Callable[[int, FrameType | None], Any]]) -> Iterator[None]:
    """Have signals handled by these, and afterwards as they were before."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def interruption(error: BaseException | None) -> BaseException | None:
    """What interrupted the work that has ended with an error, if anything did: no error is one of that kind."""
    while isinstance(error, Exception):
        error = error.__context__
    return error
