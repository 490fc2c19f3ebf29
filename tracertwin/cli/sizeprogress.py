"""How far a sweep is and how long it will still take, on stderr: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from tracertwin.cli.options import say
from tracertwin.sizing.sweep.worklist import WorkItem

QUIET_S: Final = 3.0  # what takes no longer needs no line
EVERY_S: Final = 15.0


@contextmanager
def progress_of(items: Sequence[WorkItem]) -> Iterator[Callable[[WorkItem], None]]:
    """What is to be told of each item that is done."""
    whole = sum(len(item.years) for item in items)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("design-years"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=whole)
            yield lambda item: bar.advance(task, len(item.years))
        return
    begun = told = time.monotonic()
    done = 0

    def heard(item: WorkItem) -> None:
        nonlocal done, told
        done += len(item.years)
        now = time.monotonic()
        wait_s = QUIET_S if told == begun else EVERY_S
        if now - told >= wait_s and done < whole:
            told = now
            say(f"{done} of {whole} design-years, {_left((now - begun) / done * (whole - done))} left")

    yield heard


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
