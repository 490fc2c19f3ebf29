"""The books as a record with names, beside the same numbers in one flat array."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final

import numpy as np

from benchmarks.table import Result
from plant.base.jit import kernel_without_refcounts
from plant.kernel.books import BOOKS, BooksArray, empty_books
from plant.kernel.flowtable import FLOW_NAMES

STEPS: Final = 2_000_000
TRIALS: Final = 9
SLOWER: Final = 1.25  # this much is the machine's noise
_TODAY: Final = 500  # where the day's account stands in the flat array
PV, CHG, LOAD, BATT = (_TODAY + FLOW_NAMES.index(name) for name in ("pv", "chg", "load", "batt"))


@kernel_without_refcounts
def _by_name(books_array: BooksArray, count: int, w: float) -> float:
    today = books_array[0].today
    for _ in range(count):
        today.pv += w
        today.chg += 0.9 * today.pv
        today.load += 0.5 * w
        today.batt += today.chg - today.load
    return float(today.batt)


@kernel_without_refcounts
def _by_place(numbers: np.ndarray, count: int, w: float) -> float:
    for _ in range(count):
        numbers[PV] += w
        numbers[CHG] += 0.9 * numbers[PV]
        numbers[LOAD] += 0.5 * w
        numbers[BATT] += numbers[CHG] - numbers[LOAD]
    return float(numbers[BATT])


def run() -> Iterator[Result]:
    """Four flows a step into either."""
    named_ns = flat_ns = np.inf
    flat = np.zeros(BOOKS.itemsize // 8)
    for _ in range(TRIALS):  # in turn, for the machine is faster at one time than at another
        named_ns = min(named_ns, _step_ns(_by_name, empty_books()))
        flat_ns = min(flat_ns, _step_ns(_by_place, flat))
    yield Result(
        what="four flows booked by name", unit="ns", ours=named_ns, limit=SLOWER * flat_ns,
        peer=flat_ns, peer_name="the same by place, in a flat array of floats",
    )  # fmt: skip


def _step_ns(book: Callable[..., float], books: np.ndarray) -> float:
    book(books, 1, 1e-6)
    began = perf_counter()
    book(books, STEPS, 1e-6)
    return 1e9 * (perf_counter() - began) / STEPS
