"""The work done here, in threads: the kernel runs without the interpreter's lock."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from plant.inputs import Skies
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.worklist import Work, WorkItem


def run_in_threads(
    work: Work,
    items: Sequence[WorkItem],
    results: KeptResults,
    threads: int,
    skies: Skies,
    heard: Callable[[WorkItem], None] = lambda _: None,
) -> None:
    """Do items and keep their results. An exception here, Ctrl-C too, waits for those begun and keeps them.

    Parameters
    ----------
    work : Work
    items : sequence of WorkItem
    results : KeptResults
    threads : int
    skies : callable
        As of `plant.inputs.Supply`.
    heard : callable
        Told of each item that is done, in the thread of the caller.

    Raises
    ------
    ProblemsError
        A weather file can't be used, a step could not be solved, a result can't be kept.
    """
    days = SharedDays(skies)

    def do(item: WorkItem) -> WorkItem:
        results.put(item.key, work.done(item, days))
        return item

    with ThreadPoolExecutor(threads, thread_name_prefix="sizing") as pool:
        going: set[Future[WorkItem]] = set()
        try:
            left = iter(items)
            while True:
                for item in left:
                    going.add(pool.submit(do, item))
                    if len(going) >= 2 * threads:
                        break
                if not going:
                    return
                ended, going = wait(going, return_when=FIRST_COMPLETED)
                for future in ended:
                    heard(future.result())
        finally:
            for future in going:
                future.cancel()
