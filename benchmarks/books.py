"""The books as a record with names, beside the same numbers in one flat array."""

from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Final

import numpy as np

from benchmarks.table import Result
from plant.base.jit import kernel_without_refcounts
from plant.kernel.booking import NOT_TAKEN
from plant.kernel.books import BOOKS, BooksArray, empty_books
from plant.kernel.flowtable import FLOW_NAMES

STEPS: Final = 2_000_000
TRIALS: Final = 9
SLOWER: Final = 1.25  # this much is the machine's noise
TODAY: Final = 500  # where the day's account stands in the flat array
PV, CHG, LOAD, BATT = (TODAY + FLOW_NAMES.index(name) for name in ("pv", "chg", "load", "batt"))


@kernel_without_refcounts
def _by_name(books_array: BooksArray, reasons: np.ndarray, count: int, w: float) -> float:
    today = books_array[0].today
    for k in range(count):
        today.row[reasons[k & 3]] += w
        today.pv += w
        today.chg += 0.9 * today.pv
        today.load += 0.5 * w
        today.batt += today.chg - today.load
    return float(today.batt)


@kernel_without_refcounts
def _by_place(numbers: np.ndarray, reasons: np.ndarray, count: int, w: float) -> float:
    for k in range(count):
        numbers[TODAY + reasons[k & 3]] += w
        numbers[PV] += w
        numbers[CHG] += 0.9 * numbers[PV]
        numbers[LOAD] += 0.5 * w
        numbers[BATT] += numbers[CHG] - numbers[LOAD]
    return float(numbers[BATT])


def run() -> Iterator[Result]:
    """Five flows a step into either; one goes to a place that only the step knows, so none can wait in a register."""
    named_ns = flat_ns = np.inf
    flat = np.zeros(BOOKS.itemsize // 8)
    for _ in range(TRIALS):  # in turn, for the machine is faster at one time than at another
        named_ns = min(named_ns, _step_ns(_by_name, empty_books()))
        flat_ns = min(flat_ns, _step_ns(_by_place, flat))
    yield Result(
        what="five flows booked by name", unit="ns", ours=named_ns, limit=SLOWER * flat_ns,
        peer=flat_ns, peer_name="the same by place, in a flat array of floats",
    )  # fmt: skip


def _step_ns(book: Callable[..., float], books: np.ndarray) -> float:
    book(books, NOT_TAKEN, 1, 1e-6)
    began = perf_counter()
    book(books, NOT_TAKEN, STEPS, 1e-6)
    return 1e9 * (perf_counter() - began) / STEPS
