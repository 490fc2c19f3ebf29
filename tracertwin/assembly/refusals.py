"""Writes that the units refused, and why: told to the user as they come, counted for the end, kept for the journal.

One exception code stands for many rules, and a master shows the code at best.
"""

import threading
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from modbus.codec.exceptioncodes import exception_name
from modbus.device.tracer import WriteRefusal

AGAIN_S: Final = 60.0  # of the wall: a client that tries over and over is told of once in so long
MOST_IN_A_TIME: Final = 20  # different ones told in so long: a client may try every address
MOST_KEPT: Final = 200


class BadResultError(ValueError):
    """A command that makes sense and was tried, with a bad result: a write was refused, a wait took too long."""


class Refusals:
    """The refused writes of a run, of all its units; may be noted from any thread.

    Parameters
    ----------
    say : callable
        Takes a line of text to the user.
    now_s : callable
        The wall's time [s].

    Attributes
    ----------
    noted : int
        How many there were.
    """

    def __init__(self, say: Callable[[str], None], now_s: Callable[[], float] = monotonic) -> None:
        self.noted = 0
        self._say = say
        self._now_s = now_s
        self._lock = threading.Lock()
        self._counts: dict[WriteRefusal, int] = {}  # the oldest first
        self._said_s: dict[tuple[int, int, str], float] = {}  # by unit, code and rule
        self._newest: list[str] = []  # since the journal took them

    def note(self, refusal: WriteRefusal) -> None:
        """A write was refused."""
        with self._lock:
            self.noted += 1
            self._counts[refusal] = self._counts.pop(refusal, 0) + 1
            if len(self._counts) > MOST_KEPT:
                del self._counts[next(iter(self._counts))]
            self._newest = [*self._newest[-9:], refusal.why]
            is_due = self._is_due(refusal)
            is_last = len(self._said_s) > MOST_IN_A_TIME  # nothing more is told for a while
        if is_due and is_last:
            self._say(f"more writes are refused; they are not told for {AGAIN_S:g} s, tell refusals has all")
        elif is_due:
            self._say(f"unit {refusal.unit}: {refusal}")

    def _is_due(self, refusal: WriteRefusal) -> bool:
        """Whether the user is to be told of it now."""
        now_s, key = self._now_s(), (refusal.unit, refusal.code, refusal.rule)
        self._said_s = {rule: at_s for rule, at_s in self._said_s.items() if now_s - at_s < AGAIN_S}
        if key in self._said_s or len(self._said_s) > MOST_IN_A_TIME:
            return False
        self._said_s[key] = now_s
        return True

    def taken(self) -> str:
        """Why the writes since the last call were refused; empty if none was."""
        with self._lock:
            newest, self._newest = self._newest, []
        return "; ".join(newest)

    def why_since(self, noted: int) -> str:
        """Why the last one was refused, if there was one since there were so many; whoever else is told of it."""
        with self._lock:
            return next(reversed(self._counts)).why if self.noted > noted else ""

    def rows(self) -> list[dict[str, Any]]:
        """What was refused, the last one at the end, as JSON has it."""
        with self._lock:
            return [
                {
                    "unit": one.unit,
                    "write": one.what,
                    "exception": one.code,
                    "meaning": exception_name(one.code),
                    "why": one.why,
                    "count": count,
                }
                for one, count in self._counts.items()
            ]
