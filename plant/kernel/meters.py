"""The controller's meters between steps: energy since its last midnight, month, year and reset; the day's extremes.

They start again every simulated day, so they go through the array of the books: in plain Python, an attribute of a
numpy record takes 100 times as long as a field of an array.
"""

from collections.abc import Sequence

from plant.kernel.books import EMPTY_EXTREMES, METER, BooksArray

PERIODS = METER.names or ()


def so_far_wh(books_array: BooksArray, flow: str) -> float:
    """Integral of a flow of `flowtable.FLOWS` since the start [Wh]: of the whole days and of the one at hand."""
    return float(books_array["account"][flow][0] + books_array["today"][flow][0])


def begin_periods(books_array: BooksArray, count: int) -> None:
    """Start meters again: of the day, for 2 of the month as well, for 3 of the year; and the extremes of the day."""
    _begin(books_array, "generated", "chg", PERIODS[:count])
    _begin(books_array, "consumed", "load", PERIODS[:count])
    books_array["extremes"] = EMPTY_EXTREMES


def clear_generated(books_array: BooksArray) -> None:
    """Start all meters of generated energy again."""
    _begin(books_array, "generated", "chg", PERIODS)


def _begin(books_array: BooksArray, meter: str, flow: str, periods: Sequence[str]) -> None:
    before, so_far = books_array["metered_before"][meter], so_far_wh(books_array, flow)
    for period in periods:
        before[period] = so_far
