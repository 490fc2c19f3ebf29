"""Cycles of a state of charge by ASTM E1049 rainflow counting, day after day without the days before.

Knows turning points only. What is not yet a cycle stays pending and is handed to the next day, so counting a
year at once or in days gives the same cycles.
"""

from collections.abc import Iterable
from typing import NamedTuple

RIPPLE = 1e-4  # a smaller swing doesn't count: it keeps the pending points few


class Cycle(NamedTuple):
    """A swing of the charge, and whether it was there (0.5) or there and back (1)."""

    depth: float
    times: float


def counted(pending: tuple[float, ...], values: Iterable[float]) -> tuple[list[Cycle], tuple[float, ...]]:
    """The cycles that these values close.

    Parameters
    ----------
    pending : tuple of float
        What the call before left, empty at first.
    values : iterable of float
        What followed, in order.

    Returns
    -------
    list of Cycle
    tuple of float
        What is pending now: turning points and the last value.

    Notes
    -----
    ASTM E1049-85 section 5.4.4, with the last value taken as a turning point that may yet move.
    """
    points = list(pending)
    cycles: list[Cycle] = []
    for value in values:
        _extend(points, value)
        while len(points) >= 3:
            latest, before = abs(points[-1] - points[-2]), abs(points[-2] - points[-3])
            if latest < before:
                break
            if len(points) == 3:
                cycles.append(Cycle(before, 0.5))
                del points[0]
            else:
                cycles.append(Cycle(before, 1.0))
                del points[-3:-1]
    return cycles, tuple(points)


def _extend(points: list[float], value: float) -> None:
    """Add a value: further the same way it moves the last point, else it is a new one."""
    if len(points) >= 2 and (points[-1] - points[-2]) * (value - points[-1]) >= 0.0:
        points[-1] = value
    elif not points or abs(value - points[-1]) > RIPPLE:
        points.append(value)
