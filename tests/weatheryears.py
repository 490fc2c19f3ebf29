"""Made-up hours of weather years, for tests of what is worked out from them."""

import numpy as np

from tracertwin.sizing.figures.hours import ACCOUNTS, HOUR_S, SAMPLED, YearHours, hours_of

YEAR_UTC_S = 1_767_225_600  # 2026-01-01T00:00Z


def samples(hours: int, **columns: object) -> np.ndarray:
    """Samples a run would leave, one an hour: accounts by what they grow by in each hour, states at its end."""
    table = np.zeros((hours + 1, len(SAMPLED)))
    table[:, 0] = YEAR_UTC_S + HOUR_S * np.arange(hours + 1)
    for name, values in columns.items():
        table[1:, SAMPLED.index(name)] = np.cumsum(values) if name in ACCOUNTS else values
    return table


def made(hours: int, **columns: object) -> YearHours:
    """Hours in which the accounts grow by these values; what is not given doesn't grow."""
    return hours_of(samples(hours, **columns))
