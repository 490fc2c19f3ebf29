"""When a condition will hold: seen by another plant that goes ahead, so that the real one can stop in time."""

from typing import Final

import numpy as np

from plant.base.clock import STEP_S
from plant.inputs import Supply
from plant.plant import Plant
from tracertwin.assembly.units import Unit
from tracertwin.checking.columns import PlantColumns
from tracertwin.scenario.conditions import STATE, Condition
from tracertwin.scenario.record import RunRecord, amount, clock_of
from tracertwin.scenario.signals import signal
from tracertwin.scenario.times import Span

AT_ONCE_S: Final = 3600


def scouted(unit: Unit, wanted: Condition, within_s: float, span: Span) -> tuple[float | None, str]:
    """The first grid point at which a condition holds if nobody does anything [s UTC], or how near it came.

    Parameters
    ----------
    unit : Unit
        Held by the caller.
    wanted : Condition
    within_s : float
        How far to look, in plant time [s].
    span : Span
        Of the run, to tell times.
    """
    plant = unit.live.plant
    rows = np.array([plant.snapshot], dtype=float)
    scout = Plant(plant.site, plant.remembered(), Supply(plant.site, plant.seed, plant.step_s))
    end_s = plant.t_utc_s + within_s
    nearest, at_s, unit_of = -np.inf, 0.0, ""
    while len(rows):
        columns = PlantColumns(rows, lambda _: plant.settings, unit, {})
        seen = signal(wanted, RunRecord(rows[:, 0], columns, span))
        if seen.holds.any():
            return float(rows[np.argmax(seen.holds), 0]), ""
        place = int(np.argmax(seen.margin))
        if seen.margin[place] > nearest:
            nearest, at_s, unit_of = float(seen.margin[place]), float(rows[place, 0]), seen.unit_at(place)
        rows = scout.run(min(AT_ONCE_S, end_s - scout.t_utc_s), STEP_S)
    if unit_of == STATE:
        return None, ""
    return None, f"; nearest at {clock_of(at_s, span)}: {amount(-nearest, unit_of)} away"
