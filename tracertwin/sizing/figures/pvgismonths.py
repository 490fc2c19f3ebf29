"""PVGIS's off-grid numbers of a design, month by month and for the year, to be compared with its page line by line."""

from typing import NamedTuple

import numpy as np

from tracertwin.sizing.figures.means import ratio
from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.figures.pvgis import TENTHS


class PvgisNumbers(NamedTuple):
    """What PVGIS prints; (13,) arrays, January to December and then the year; nan where there is no such day."""

    days_full: np.ndarray  # f_f, 0..1
    days_empty: np.ndarray  # f_e, 0..1
    lost_wh: np.ndarray  # E_lost, per day full
    missed_wh: np.ndarray  # E_miss, per day empty
    delivered_wh: np.ndarray  # E_d, per day
    tenths: np.ndarray  # (13, 10) share of days that end in each tenth of the charge from cut-off to full


def pvgis_numbers(figures: MonthlyFigures) -> PvgisNumbers:
    """The numbers of all weather years together.

    Parameters
    ----------
    figures : MonthlyFigures
        ``table`` of shape (years, 12, figures).
    """

    def months(name: str) -> np.ndarray:
        by_month = figures[name].reshape(-1, 12).sum(axis=0)
        return np.append(by_month, by_month.sum())

    days, full, empty = months("days"), months("days_full"), months("days_empty")
    return PvgisNumbers(
        days_full=ratio(full, days),
        days_empty=ratio(empty, days),
        lost_wh=ratio(months("lost_wh"), full),
        missed_wh=ratio(months("missed_wh"), empty),
        delivered_wh=ratio(months("demand_wh") - months("unserved_wh"), days),
        tenths=np.column_stack([ratio(months(f"days_tenth_{k}"), days) for k in range(TENTHS)]),
    )
