"""The work done here, in threads: the kernel runs without the interpreter's lock."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from queue import SimpleQueue

from plant.base.interrupts import handled
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

    ended: SimpleQueue[Future[WorkItem] | Callable[[], object]] = SimpleQueue()
    with _signals_in(ended), ThreadPoolExecutor(threads, thread_name_prefix="sizing") as pool:
        going: set[Future[WorkItem]] = set()
        try:
            left = iter(items)
            while True:
                for item in left:
                    future = pool.submit(do, item)
                    going.add(future)
                    future.add_done_callback(ended.put)
                    if len(going) >= 2 * threads:
                        break
                if not going:
                    return
                one = ended.get()
                if isinstance(one, Future):
                    going.discard(one)
                    heard(one.result())
                else:
                    one()
        finally:
            for future in going:
                future.cancel()


@contextmanager
def _signals_in(queue: "SimpleQueue[Future[WorkItem] | Callable[[], object]]") -> Iterator[None]:
    """Have what a signal does, such as raise for Ctrl-C, put into a queue, to be done by whoever takes it out.

    Done at once it might raise while the pool holds the lock of a future, which would stay locked then: the thread
    that has done that item would wait for ever, and so would who waits for the thread.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are for that one
        yield
        return
    known = ((number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM))
    queued = {
        number: lambda *told, handler=handler: queue.put(partial(handler, *told))
        for number, handler in known
        if callable(handler)
    }
    with handled(queued):
        yield
    while not queue.empty():  # what came after the last item
        if not isinstance(one := queue.get(), Future):
            one()
