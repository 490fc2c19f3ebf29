"""Midnights of the controller's clock while the plant moves on: what the kernel has to know of them in advance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Midnights(NamedTuple):
    """Of one stretch of time, (n,) each, earliest first."""

    steps: np.ndarray  # of the grid from the stretch's beginning to the midnight
    periods: np.ndarray  # of day, month and year how many begin: 1 to 3
    equalizes: np.ndarray  # whether equalizing falls due


def midnights_at(rows: Sequence[tuple[int, int, bool]]) -> Midnights:
    """From steps, periods and equalizing of each."""
    steps, periods, equalizes = zip(*rows, strict=True) if rows else ((), (), ())
    return Midnights(np.array(steps, np.int64), np.array(periods, np.int64), np.array(equalizes, np.bool_))


NO_MIDNIGHTS = midnights_at(())
