"""Waiting for what another thread is about to do."""

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], timeout_s: float = 2.0) -> bool:
    """Wait for what another thread is about to do."""
    give_up_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < give_up_s:
        time.sleep(0.001)
    return condition()
