"""How Python is set so that a program starts soon, and no line waits for it afterwards."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

OWN_THRESHOLDS: Final = gc.get_threshold()
# New objects before the collector of garbage looks. What is imported and compiled stays, and looking through all of it
# again and again takes an eighth of a first start; with these, memory grows by a thirtieth.
WHILE_STARTING: Final = 50_000, 20, 50
HAND_OVER_S: Final = 1e-5  # after so long, not 5 ms, a thread with a reply to give asks for the interpreter


def collect_seldom() -> None:
    """Have the collector of garbage look seldom while the program starts."""
    gc.set_threshold(*WHILE_STARTING)


@contextmanager
def prompt() -> Iterator[None]:
    """Let no reply wait for Python's housekeeping as long as the block lasts.

    What there is by now stays: a collector that looked through that, too, would stop every thread for 0.1 s.
    """
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(HAND_OVER_S)
    gc.set_threshold(*OWN_THRESHOLDS)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before_s)
