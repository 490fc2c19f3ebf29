"""The work done on a Dask cluster that somebody else runs; Dask sees to lost workers, this to nothing of the kind.

Workers need the same version of the program, and the files that a site names under the same paths. A worker returns
figures and keeps nothing but its skies; results are kept here.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from plant.base.problems import Problem, ProblemsError
from plant.site.model import Site
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.sweep.evaluating import tables_of
from tracertwin.sizing.sweep.results import KeptResults, results_version
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.worklist import Work, WorkItem
from tracertwin.sizing.sweep.years import WeatherYear

# One to three seconds of work at the usual steps: Dask's own time is little beside it.
YEARS_PER_TASK: Final = 100
RETRIES: Final = 3
CONNECTS_WITHIN_S: Final = 30


class Task(NamedTuple):
    """Some items for a worker."""

    sites: tuple[Site, ...]  # of each
    years: tuple[tuple[WeatherYear, ...], ...]
    step_s: int
    version: str


def run_on_cluster(
    work: Work,
    items: Sequence[WorkItem],
    results: KeptResults,
    address: str,
    heard: Callable[[WorkItem], None] = lambda _: None,
) -> None:
    """`running.run_in_threads` on a cluster: do items, and keep their results as they come.

    Parameters
    ----------
    address : str
        ``tcp://host:8786``, or the path of a scheduler file.

    Raises
    ------
    ProblemsError
        Nobody there, another version there, a weather file that can't be used.
    """
    groups = list(_groups(items))
    tasks = [
        Task(tuple(work.sites[item.design] for item in group), tuple(item.years for item in group), work.step_s,
             results_version())
        for group in groups
    ]  # fmt: skip
    with _client(address) as client:
        from distributed import as_completed

        futures = client.map(do, tasks, pure=False, retries=RETRIES)
        group_of = dict(zip((future.key for future in futures), groups, strict=True))
        try:
            for future in as_completed(futures, loop=client.loop):
                tables = _result(future, address)
                for item, table in zip(group_of[future.key], tables, strict=True):
                    results.put(item.key, table)
                    heard(item)
        finally:
            client.cancel(futures)


def do(task: Task) -> list[np.ndarray] | tuple[Problem, ...]:
    """What a worker does of a task; or why it can't: a `ProblemsError` wouldn't survive the way back."""
    if results_version() != task.version:
        message = (
            "this worker has another version of tracertwin, numpy, numba, scipy or pvlib; install the same"
        )
        return (Problem(platform.node(), 0, "", message),)
    days = _days()
    try:
        return [
            tables_of(site, years, task.step_s, days)
            for site, years in zip(task.sites, task.years, strict=True)
        ]
    except ProblemsError as error:
        return error.problems


@lru_cache(maxsize=1)
def _days() -> SharedDays:
    """Of this worker, for all its tasks."""
    return SharedDays(KeptSkies())


def _groups(items: Sequence[WorkItem]) -> Iterator[tuple[WorkItem, ...]]:
    """Neighbours in the list, some years of work together."""
    group: list[WorkItem] = []
    for item in items:
        group.append(item)
        if sum(len(each.years) for each in group) >= YEARS_PER_TASK:
            yield tuple(group)
            group = []
    if group:
        yield tuple(group)


def _client(address: str) -> Any:
    try:
        from distributed import Client
    except ImportError:
        raise ProblemsError(
            [Problem("--cluster", 0, "", "needs Dask: pip install 'tracertwin[cluster]'")]
        ) from None
    there = {"address": address} if "://" in address else {"scheduler_file": address}
    if "scheduler_file" in there and not Path(address).is_file():  # Dask would wait for it
        message = f"no such scheduler file: {address}; give tcp://HOST:8786, or the file that a scheduler has written"
        raise ProblemsError([Problem("--cluster", 0, "", message)])
    try:
        return Client(**there, timeout=CONNECTS_WITHIN_S, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ProblemsError(
            [Problem("--cluster", 0, "", f"no Dask scheduler at {address}: {reason}")]
        ) from None


def _result(future: Any, address: str) -> list[np.ndarray]:
    from distributed import KilledWorker

    try:
        found = future.result()
    except KilledWorker as error:
        message = f"{address}: one worker after another died, perhaps out of memory: {error}"
        raise ProblemsError([Problem("--cluster", 0, "", message.splitlines()[0])]) from None
    if isinstance(found, tuple):
        raise ProblemsError(found)
    tables: list[np.ndarray] = found
    return tables
