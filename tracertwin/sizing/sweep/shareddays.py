"""Days of sun, array and demand that several designs share: made once, by whichever thread asks first.

Designs that differ in their battery alone have all of them in common; those that differ in the array, the demand.
"""

from typing import Final

from plant.base.clock import DAY_S
from plant.inputs import ArraySpan, Inputs, Skies, array_span, demand_span, joined
from plant.load.demand import Demand
from plant.site.model import Site
from tracertwin.memory.latelymade import LatelyMade
from tracertwin.sizing.sweep.years import RUN_YEARS

# In all spans that are kept: 14 years of quarter hours, 80 MB; 400 MB of several planes.
MOST_STEPS: Final = 500_000
LEAST_SPANS: Final = RUN_YEARS + 1  # all of a run, whatever its step; a year of minutes is 85 MB


class SharedDays:
    """`plant.inputs.inputs_of`, of which the parts that another design has asked for are not made again.

    Parameters
    ----------
    skies : callable
        Where the sky comes from, as of `plant.inputs.Supply`.
    """

    def __init__(self, skies: Skies) -> None:
        self.skies = skies
        self._arrays: LatelyMade[ArraySpan] = LatelyMade()
        self._demands: LatelyMade[Demand] = LatelyMade()

    def inputs(self, site: Site, seed: int, first_day: int, days: int, step_s: int) -> Inputs:
        """What `plant.inputs.inputs_of` makes of these."""
        when = (seed, first_day, days, step_s)
        most = max(LEAST_SPANS, MOST_STEPS // (days * DAY_S // step_s))
        place = tuple(getattr(site, name).model_dump_json() for name in ("location", "sky", "weather"))
        span = self._arrays.get(
            (*when, *place, site.array.model_dump_json()),
            lambda: array_span(site, seed, first_day, days, step_s, (), self.skies),
            most,
        )
        demand = self._demands.get(
            (*when, *place, *_demanding(site)),
            lambda: demand_span(site, seed, first_day, span, step_s),
            most,
        )
        return joined(site, span, demand, days, step_s)


def _demanding(site: Site) -> tuple[str, ...]:
    """All of a site that its demand comes from, beside its place."""
    records = (site.load, *site.battery.loads, *site.battery.chargers)
    return tuple(record.model_dump_json() for record in records)
