"""Stretches in which Ctrl-C has to wait."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_inside: list["Uninterrupted"] = []  # of the main thread


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


class Uninterrupted:
    """In here SIGINT and SIGTERM are noted, and raised at the end.

    In the main thread only, as others run no handlers of signals. A signal whose handler is not Python's is left alone.
    Not a generator: that would double the price of calling a small kernel.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Callable[..., Any]] = {}
        self._noted: list[int] = []

    def __enter__(self) -> None:
        if _in_main_thread():
            _inside.append(self)
            self._begin()

    def __exit__(self, *_error: object) -> None:
        if _in_main_thread():
            _inside.pop()
            self._end()

    def _note(self, number: int, _frame: object) -> None:
        self._noted.append(number)

    def _begin(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            handler = signal.getsignal(number)
            if callable(handler) and not isinstance(handler, signal.Handlers):
                self._handlers[number] = handler
                signal.signal(number, self._note)

    def _end(self) -> None:
        while self._handlers:
            signal.signal(*self._handlers.popitem())
        while self._noted:
            signal.raise_signal(self._noted.pop())

    @staticmethod
    @contextmanager
    def lifted() -> Iterator[None]:
        """What may be interrupted in the midst of a stretch that may not."""
        within = _inside[-1:] if _in_main_thread() else []
        for stretch in within:
            stretch._end()
        try:
            yield
        finally:
            for stretch in within:
                stretch._begin()
