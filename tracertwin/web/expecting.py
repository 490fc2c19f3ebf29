"""Expectations of scenarios about the run so far, judged on the samples that are kept."""

from collections.abc import Mapping
from typing import Any

from tracertwin.checking.columns import PlantColumns
from tracertwin.checking.preparing import sun_of
from tracertwin.scenario.judging import judge, parse_one_expectation
from tracertwin.scenario.kinds import OF_A_CLIENT
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.times import Span
from tracertwin.scenario.vocabulary import vocabulary
from tracertwin.web.sight import Sight


def judged(sight: Sight, place: int, expectation: Mapping[str, Any]) -> dict[str, Any]:
    """Whether an expectation, a row of ``expect`` of a scenario, holds for a unit from the beginning to now.

    Raises
    ------
    ValueError
        It means nothing, or it is about a conversation, which is not kept.
    """
    if about := [key for key in OF_A_CLIENT if key in expectation]:
        raise ValueError(f"{about[0]} is about what a client does; tracertwin check --firmware judges that")
    assembly, history = sight.rig.assembly, sight.histories[place]
    unit = assembly.units[place]
    parsed = parse_one_expectation(dict(expectation), vocabulary(assembly.options.map_name))
    rows, location = history.rows(), unit.live.plant.site.location
    span = Span(float(rows[0, 0]), float(rows[-1, 0]), location.timezone, sun_of(location))
    columns = PlantColumns(rows, history.settings_at, unit, {})
    verdict = judge(parsed, RunRecord(rows[:, 0], columns, span))
    finding = verdict.finding
    return {
        "holds": verdict.holds,
        "told": verdict.words(span),
        "margin": finding.margin if abs(finding.margin) < float("inf") else None,
        "unit": finding.unit,
        "at_utc_s": finding.at_s,
        "samples": len(rows),
    }
