"""How much of a battery's life a year takes, by the ageing law that ran along with it."""

from typing import Any, Final

from plant.battery import ageing
from plant.battery.ageing import AgeingState
from plant.battery.wear import Life

ADDING: Final = {
    "weighted_ah": ("z_w", "corroded"),
    "rainflow": ("cycled", "floated"),
    "naumann": ("calendar_q2", "cycle_q2", "calendar_r", "cycle_r"),
}
"""What adds up from year to year in the memory of each law; the loss of capacity follows from it, and is not linear."""
REPLACED_AT: Final = 0.8  # of the new capacity, unless the site says otherwise
LONGEST_YEARS: Final = 100.0


def life_used(before: AgeingState, after: AgeingState, life: Life, replaced_at: float = REPLACED_AT) -> float:
    """Share of a new battery's life that a year takes: 1 over the years that it lasts if all are like this one.

    Parameters
    ----------
    before, after : AgeingState
        At the year's beginning and end, of one battery: none was put in its place in between.
    life : Life
        What its maker promises.
    replaced_at : float
        Share of the new capacity at which its life is over; 0 for the usual 80 %.
    """
    assert not after.replaced_utc_s
    lost = 1.0 - (replaced_at or REPLACED_AT)

    def over(years: float) -> bool:
        return ageing.loss(_after(before, after, years), life).q_loss >= lost

    low, high = 0.0, LONGEST_YEARS
    if not over(high):
        return 1.0 / LONGEST_YEARS
    while high - low > 1e-4 * high:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if over(middle) else (middle, high)
    return 1.0 / high


def _after(before: AgeingState, after: AgeingState, years: float) -> AgeingState:
    """A battery that was new so many years ago, each of them like the one between two states."""
    new = ageing.fresh(after.law)
    grown: dict[str, Any] = {
        name: years * (getattr(after.memory, name) - getattr(before.memory, name))
        for name in ADDING[after.law]
    }
    return new._replace(
        memory=new.memory._replace(**grown), freezings=round(years * (after.freezings - before.freezings))
    )
