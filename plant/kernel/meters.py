"""The controller's meters between steps: energy since its last midnight, month, year and reset; the day's extremes."""

from plant.kernel.books import EMPTY_EXTREMES, METER, Books

PERIODS = METER.names or ()


def so_far_wh(books: Books, flow: str) -> float:
    """Integral of a flow of `flowtable.FLOWS` since the start [Wh]: of the whole days and of the one at hand."""
    return float(books.account[flow] + books.today[flow])


def begin_periods(books: Books, count: int) -> None:
    """Start meters again: of the day, for 2 of the month as well, for 3 of the year; and the extremes of the day."""
    before = books.metered_before
    for meter, flow in ((before.generated, "chg"), (before.consumed, "load")):
        for period in PERIODS[:count]:
            meter[period] = so_far_wh(books, flow)
    books.extremes = EMPTY_EXTREMES


def clear_generated(books: Books) -> None:
    """Start all meters of generated energy again."""
    for period in PERIODS:
        books.metered_before.generated[period] = so_far_wh(books, "chg")
