"""The controller's meters: energy since its last midnight, month, year and reset; the day's extremes."""

import numpy as np

from plant.base.jit import inline_ir
from plant.kernel.books import METER, Books, BooksArray


def so_far_wh(books_array: BooksArray, flow: str) -> float:
    """Integral of a flow of `flowtable.FLOWS` since the start [Wh]: of the whole days and of the one at hand."""
    return float(books_array["account"][flow][0] + books_array["today"][flow][0])


def begin_periods(books: Books, count: int) -> None:
    """Start meters again: for 1 of the day, for 2 of the month as well, for 3 of the year; and the day's extremes."""
    before, account, today, extremes = books.metered_before, books.account, books.today, books.extremes
    generated, consumed = account.chg + today.chg, account.load + today.load
    before.generated.today, before.consumed.today = generated, consumed
    if count >= 2:
        before.generated.month, before.consumed.month = generated, consumed
    if count >= 3:
        before.generated.year, before.consumed.year = generated, consumed
    extremes.v_pv_max = extremes.v_batt_max = -np.inf
    extremes.v_pv_min = extremes.v_batt_min = np.inf


begin_periods_compiled = inline_ir(begin_periods)


def clear_generated(books_array: BooksArray) -> None:
    """Start all meters of generated energy again."""
    before, so_far = books_array["metered_before"]["generated"], so_far_wh(books_array, "chg")
    for period in METER.names or ():
        before[period] = so_far
