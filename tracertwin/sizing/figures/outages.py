"""Outages: runs of hours in which demand went unserved, with begin and end to the minute."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tracertwin.sizing.figures.hours import HOUR_S, YearHours

ROUNDING_WH: Final = 1e-6  # less in an hour is rounding of the account
MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Outages:
    """The outages of a year, oldest first; (outages,) arrays.

    Parameters
    ----------
    begin_utc_s, end_utc_s : array
        To the minute: of the first and the last hour, the share of the demand that went unserved is the share of the
        hour that was dark, at its end and at its beginning. An outage within one hour lies at its end.
    first_hour : array of int
        Of the year, in which it begins.
    unserved_wh : array
    """

    begin_utc_s: np.ndarray
    end_utc_s: np.ndarray
    first_hour: np.ndarray
    unserved_wh: np.ndarray

    @property
    def length_h(self) -> np.ndarray:
        """From begin to end [h], hours inside that asked for nothing included."""
        return np.asarray((self.end_utc_s - self.begin_utc_s) / HOUR_S)


def outages_of(hours: YearHours) -> Outages:
    """The outages of a year.

    Parameters
    ----------
    hours : YearHours

    Notes
    -----
    An hour whose demand was served in full ends an outage; an hour without demand doesn't.
    """
    unserved, demand = hours.unserved_wh, hours.demand_wh
    dark = unserved > ROUNDING_WH
    asked = np.flatnonzero(dark | (demand > ROUNDING_WH))
    among = dark[asked].astype(int)
    turns = np.diff(among, prepend=0, append=0)
    first, last = asked[np.flatnonzero(turns == 1)], asked[np.flatnonzero(turns == -1) - 1]
    share = np.divide(unserved, demand, out=np.ones_like(demand), where=dark)
    begin = hours.t_utc_s[first] + _minutes_s(1.0 - share[first])
    end = hours.t_utc_s[last] + np.where(first == last, HOUR_S, _minutes_s(share[last]))
    sums = np.append(np.cumsum(unserved), 0.0)
    return Outages(begin, end, first, sums[last] - sums[first - 1])


def _minutes_s(share: np.ndarray) -> np.ndarray:
    """A share of an hour [s], in whole minutes."""
    return np.asarray(np.round(np.clip(share, 0.0, 1.0) * HOUR_S / MINUTE_S) * MINUTE_S)
