"""The figures of weather years by calendar month: all that is kept of a design's years, and all that metrics need.

A figure is a column; `FIGURES` says what each one is. Most add up, from months to a year and over years; of some only
the largest counts, or the first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np

from plant.base.problems import did_you_mean
from plant.controller.charger import Stage
from plant.kernel.flowtable import FLOWS
from plant.kernel.snapshot import QUANTITIES
from tracertwin.sizing.figures.hours import ACCOUNTS, YearHours
from tracertwin.sizing.figures.outages import ROUNDING_WH, outages_of
from tracertwin.sizing.figures.pvgis import DAY_H, FULL_SOC, TENTHS, PvgisDays, days_of

Joined = Literal["sum", "most", "first"]
MONTHS: Final = 12
NEVER: Final = np.inf  # of a moment that didn't come
LEAP_YEAR_H: Final = 8784


class Figure(NamedTuple):
    """A column of `MonthlyFigures`.

    Parameters
    ----------
    name, unit, meaning : str
    joined : {"sum", "most", "first"}
        How months become a year, and years one figure.
    """

    name: str
    unit: str
    meaning: str
    joined: Joined = "sum"


_MEANINGS: Final = {f"e_{flow.name}_wh": flow.meaning for flow in FLOWS}
FIGURES: Final = (
    Figure("hours", "h", "hours that were simulated"),
    *(Figure(name, QUANTITIES[name].unit, _MEANINGS.get(name, QUANTITIES[name].meaning)) for name in ACCOUNTS),
    Figure("demand_wh", "Wh", "demand at the load output and behind the inverter"),
    Figure("unserved_wh", "Wh", "demand that was not served, at both"),
    Figure("poa_wh_m2", "Wh/m2", "irradiation in the modules' plane"),
    Figure("unserved_h", "h", "hours in which some demand was not served"),
    Figure("outages", "", "outages that begin in the month"),
    Figure("outage_h", "h", "from their begin to their end"),
    Figure("longest_outage_h", "h", "the longest of them", "most"),
    Figure("first_outage_utc_s", "s", "when the first begins, since 1970-01-01 UTC; infinite for never", "first"),
    Figure("soc_h", "h", "state of charge, 0..1, added up over the hours"),
    Figure("drained", "0..1", "1 less the lowest state of charge at the end of an hour", "most"),
    Figure("cycled", "", "falls of the state of charge from hour to hour, added up: equivalent full cycles"),
    Figure("since_full_d", "d", "the longest time since the battery was last full, the year before left out", "most"),
    Figure("absorption_h", "h", "boost and equalize"),
    Figure("float_h", "h", "float"),
    Figure("life_used", "", "share of the battery's life that went by; 0 without an ageing law"),
    Figure("unsolved", "", "steps of the simulation whose events could not all be placed; 0 unless there is a bug"),
    Figure("days", "d", "days that were simulated"),
    Figure("days_full", "d", "days on which the battery was full at some time"),
    Figure("days_empty", "d", "days on which demand went unserved"),
    Figure("lost_wh", "Wh", "available PV energy unused with the battery full, on days full"),
    Figure("missed_wh", "Wh", "demand unserved, on days empty"),
    *(
        Figure(f"days_tenth_{k}", "d", f"days that ended with {10 * k} to {10 * k + 10} % of the usable charge")
        for k in range(TENTHS)
    ),
)  # fmt: skip
NAMES: Final = tuple(figure.name for figure in FIGURES)
_JOINING: Final[dict[Joined, np.ufunc]] = {"sum": np.add, "most": np.maximum, "first": np.minimum}
_PLACE: Final = {name: place for place, name in enumerate(NAMES)}
_FLOWED: Final = [_PLACE[name] for name in ACCOUNTS]


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyFigures:
    """Figures of one year or of many.

    Parameters
    ----------
    table : (..., 12, figures) array of float64
        Months of a year, January first; columns as in `FIGURES`. The leading axes are years, or none for one year.
    """

    table: np.ndarray

    def __getitem__(self, name: str) -> np.ndarray:
        """A figure by month, (..., 12)."""
        if name not in _PLACE:
            raise KeyError(f"{name}: no such figure{did_you_mean(name, NAMES)}")
        return np.asarray(self.table[..., _PLACE[name]])

    def yearly(self, name: str) -> np.ndarray:
        """A figure by year, (...)."""
        return _joined(self[name], FIGURES[_PLACE[name]].joined)

    @property
    def years(self) -> int:
        """How many there are."""
        return int(np.prod(self.table.shape[:-2], dtype=int))


def _joined(values: np.ndarray, how: Joined) -> np.ndarray:
    """Over the last axis."""
    return np.asarray(_JOINING[how].reduce(values, axis=-1))


def figures_of(
    hours: YearHours, empty_soc: float = 0.0, life_used: float = 0.0, unsolved: int = 0
) -> MonthlyFigures:
    """What a year came to, by month.

    Parameters
    ----------
    hours : YearHours
    empty_soc : float
        State of charge at which the load is disconnected: `plantsize.PlantSize.empty_soc`.
    life_used : float
        Share of the battery's life that went by in the year: `life.life_used`. It is spread evenly over the days.
    unsolved : int
        Steps of the run that could not be solved; put down to January.

    Returns
    -------
    MonthlyFigures
        ``table`` of shape (12, figures).
    """
    months = _months(hours.t_utc_s.size)
    table = np.zeros((MONTHS, len(FIGURES)))
    starts = _starts(months)
    counted = hours.counted[np.append(starts, months.size)]
    table[months[starts][:, None], _FLOWED] = np.diff(counted, axis=0)
    _fill(table, dict(_by_hour(hours)), months)
    for name, month, values in (*_of_outages(hours, months), *_extremes(hours, months)):
        place, joined = _PLACE[name], FIGURES[_PLACE[name]].joined
        if joined == "first":
            table[:, place] = NEVER
        _JOINING[joined].at(table[:, place], month, values)
    days = days_of(hours, empty_soc)
    _fill(table, dict(_by_day(days)), months[::DAY_H][: days.full.size])
    table[:, _PLACE["life_used"]] = life_used * table[:, _PLACE["hours"]] / months.size
    table[0, _PLACE["unsolved"]] = unsolved
    return MonthlyFigures(table)


def _fill(table: np.ndarray, columns: dict[str, np.ndarray], months: np.ndarray) -> None:
    """Add up some columns by the month of each of their values."""
    table[:, [_PLACE[name] for name in columns]] = _by_month(np.column_stack(list(columns.values())), months)


def _by_month(columns: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Sums of the rows of each month, (12, columns); months stand in their order."""
    sums = np.zeros((MONTHS, columns.shape[1]))
    if months.size:
        starts = _starts(months)
        sums[months[starts]] = np.add.reduceat(columns, starts, axis=0)
    return sums


def _starts(months: np.ndarray) -> np.ndarray:
    """Where each month begins."""
    return np.flatnonzero(np.diff(months, prepend=-1))


@lru_cache(maxsize=4)
def _months(hours: int) -> np.ndarray:
    """Month of each hour of a calendar year, 0 for January."""
    year = "2024" if hours == LEAP_YEAR_H else "2023"
    dates = np.datetime64(f"{year}-01-01", "h") + np.arange(hours)
    return np.asarray(dates.astype("datetime64[M]").astype(int) % MONTHS)


def _by_hour(hours: YearHours) -> Iterator[tuple[str, np.ndarray]]:
    """Figures that are sums over hours, beside the accounts."""
    yield "hours", np.ones(hours.t_utc_s.size)
    yield "demand_wh", hours.demand_wh
    yield "unserved_wh", hours.unserved_wh
    yield "poa_wh_m2", hours.poa_wh_m2
    yield "unserved_h", hours.unserved_wh > ROUNDING_WH
    yield "soc_h", hours.soc
    yield "cycled", np.maximum(-np.diff(hours.soc, prepend=hours.soc[:1]), 0.0)
    yield "absorption_h", (hours.stage == Stage.BOOST) | (hours.stage == Stage.EQUALIZE)
    yield "float_h", hours.stage == Stage.FLOAT


def _by_day(days: PvgisDays) -> Iterator[tuple[str, np.ndarray]]:
    """Figures that are sums over days."""
    yield "days", np.ones(days.full.size)
    yield "days_full", days.full
    yield "days_empty", days.empty
    yield "lost_wh", days.refused_wh * days.full
    yield "missed_wh", days.unserved_wh * days.empty
    yield from ((f"days_tenth_{k}", days.tenth == k) for k in range(TENTHS))


def _of_outages(hours: YearHours, months: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Figures of the month in which an outage begins."""
    found = outages_of(hours)
    month = months[found.first_hour]
    yield "outages", month, np.ones(month.size)
    yield "outage_h", month, found.length_h
    yield "longest_outage_h", month, found.length_h
    yield "first_outage_utc_s", month, found.begin_utc_s


def _extremes(hours: YearHours, months: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Figures of which the largest of a month's hours counts."""
    starts = _starts(months)
    yield "drained", months[starts], np.maximum.reduceat(1.0 - hours.soc, starts)
    number = np.arange(hours.soc.size)
    last_full = np.maximum.accumulate(np.where(hours.soc >= FULL_SOC, number, -1))
    yield "since_full_d", months[starts], np.maximum.reduceat(number - last_full, starts) / DAY_H
