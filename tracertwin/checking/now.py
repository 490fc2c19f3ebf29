"""A condition of the language of scenarios, judged at the moment where a unit stands."""

from datetime import date

import numpy as np

from tracertwin.assembly.units import Unit
from tracertwin.checking.columns import PlantColumns
from tracertwin.scenario.judging import judge, parse_expectation
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.times import Span, SunTimes
from tracertwin.scenario.vocabulary import vocabulary


def judged_now(condition: str, unit: Unit, map_name: str) -> tuple[bool, str]:
    """Whether a condition holds, and that in words with its margin.

    Raises
    ------
    ValueError
        It is not a condition.
    """
    try:
        expectation = parse_expectation({"always": condition}, vocabulary(map_name))
    except ExceptionGroup as group:
        raise ValueError("; ".join(map(str, group.exceptions))) from None
    verdict = judge(expectation, record_of_now(unit))
    margin, unit_of = verdict.margin_words, condition
    return verdict.holds, f"{unit_of}{f', margin {margin}' if margin else ''}"


def record_of_now(unit: Unit) -> RunRecord:
    """A record of one sample: what the plant and its device show now."""
    live = unit.live
    snapshot = live.snapshot()
    span = Span(snapshot.t_utc_s, snapshot.t_utc_s, live.plant.site.location.timezone, _no_sun)
    rows = np.array([snapshot], dtype=float)
    columns = PlantColumns(rows, lambda _: live.plant.settings, unit, {})
    return RunRecord(rows[:, 0], columns, span)


def _no_sun(_: date) -> SunTimes:
    return SunTimes(None, 0.0, None)
