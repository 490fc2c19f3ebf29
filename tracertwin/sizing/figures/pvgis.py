"""PVGIS's bookkeeping of off-grid plants (SHScalc): days full, days empty, energy lost and missing, charge by tenths.

By its definitions, applied to our hours: PVGIS steps hour by hour through all years and counts days.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tracertwin.sizing.figures.hours import YearHours

FULL_SOC: Final = 0.985  # our batteries end an absorption between 98 and 100 %; PVGIS's is full at 100 %
REFUSED_WH, UNSERVED_WH = 1.0, 1.0  # of a day: less is the end of a charge, or of an hour
TENTHS: Final = 10
DAY_H: Final = 24


@dataclass(frozen=True, slots=True, eq=False)
class PvgisDays:
    """What became of each day, (days,) arrays.

    Parameters
    ----------
    full : array of bool
        The battery was full at some hour's end, or refused more than 1 Wh for being full.
    empty : array of bool
        More than 1 Wh of demand went unserved.
    refused_wh : array
        Available PV energy unused because the battery was full.
    unserved_wh : array
    tenth : array of int
        Of the charge from empty to full, 0 to 9, at the day's end.
    """

    full: np.ndarray
    empty: np.ndarray
    refused_wh: np.ndarray
    unserved_wh: np.ndarray
    tenth: np.ndarray


def days_of(hours: YearHours, empty_soc: float = 0.0) -> PvgisDays:
    """The days of a year.

    Parameters
    ----------
    hours : YearHours
        From a midnight on; the hours of a last day that is not whole are left out.
    empty_soc : float
        State of charge at which the load is disconnected: the cut-off.
    """
    whole = hours.t_utc_s.size // DAY_H * DAY_H

    def by_day(values: np.ndarray) -> np.ndarray:
        return np.asarray(values[:whole].reshape(-1, DAY_H))

    refused = by_day(hours["e_untaken_full_wh"]).sum(axis=1)
    unserved = by_day(hours.unserved_wh).sum(axis=1)
    soc = by_day(hours.soc)
    filled = (soc[:, -1] - empty_soc) / (1.0 - empty_soc)
    return PvgisDays(
        full=(soc.max(axis=1) >= FULL_SOC) | (refused > REFUSED_WH),
        empty=unserved > UNSERVED_WH,
        refused_wh=refused,
        unserved_wh=unserved,
        tenth=np.clip(np.floor(filled * TENTHS), 0, TENTHS - 1).astype(int),
    )
