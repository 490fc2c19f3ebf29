"""One design through weather years on the kernel: a plant that runs, and the figures of what it did."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from plant.battery.ageing import AgeingState
from plant.inputs import Inputs, SpanSupply
from plant.plant import Plant
from plant.site.model import Site
from plant.start import at_start
from tracertwin.sizing.figures.hours import COLUMNS, SAMPLED, YearHours, hours_of
from tracertwin.sizing.figures.life import life_used
from tracertwin.sizing.figures.monthly import figures_of
from tracertwin.sizing.figures.plantsize import size_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.years import WeatherYear, YearSpan, runs_of, spans_of

HOUR_S: Final = 3600
_POA: Final = SAMPLED.index("poa_w_m2")


class YearRun(NamedTuple):
    """What a plant did in a weather year."""

    hours: YearHours
    life_used: float  # share of the battery's life
    unsolved: int  # steps


def tables_of(site: Site, block: Sequence[WeatherYear], step_s: int, days: SharedDays) -> np.ndarray:
    """Figures of a design's weather years, (years, 12, figures); see `run_years`."""
    empty_soc = size_of(site).empty_soc
    tables = [
        figures_of(one.hours, empty_soc, one.life_used, one.unsolved).table
        for years in runs_of(site, block)
        for one in run_years(site, years, step_s, days)
    ]
    return np.stack(tables)


def make_days(site: Site, block: Sequence[WeatherYear], step_s: int, days: SharedDays, first: int) -> None:
    """Have the days of some years made beforehand, beginning with any of them."""
    asked = [
        (run[0].seed, span.first_day, span.days, step_s)
        for run in runs_of(site, block)
        for span in spans_of(run, site.location.longitude_deg)
    ]
    for when in asked[first:] + asked[:first]:
        days.inputs(site, *when)


def run_years(site: Site, years: Sequence[WeatherYear], step_s: int, days: SharedDays) -> Iterator[YearRun]:
    """Run a design through weather years that follow one another.

    Parameters
    ----------
    site : Site
    years : sequence of WeatherYear
        One of `years.runs_of`.
    step_s : int
        Of the plant: a multiple of 60 s that divides an hour. What comes out is a pure function of these three; the
        rest is how it is done.
    days : SharedDays

    Yields
    ------
    YearRun
        Of each year.

    Raises
    ------
    ProblemsError
        If a weather file can't be used.

    Notes
    -----
    The battery is never replaced in the year: each year has one as the site file has it, as old as the warm-up. How
    long it lasts is worked out from what the year takes of its life. Upsets of the site file act as in any run that
    begins with the warm-up; the irradiation is that of a sky without them.
    """
    seed = years[0].seed
    never_replaced = site.battery.model_copy(update={"replace_at_health": None})
    site_run = site.model_copy(update={"battery": never_replaced, "seed": seed})
    spans = spans_of(years, site.location.longitude_deg)

    def inputs_of(span: YearSpan) -> Inputs:
        return days.inputs(site, seed, span.first_day, span.days, step_s)

    supply = SpanSupply(site_run, seed, step_s, days.skies, inputs_of(spans[0]))
    plant = Plant(site_run, at_start(site_run, supply, spans[0].begins_utc_s, "sizing"), supply)
    plant.advance_to(spans[0].year_utc_s)
    for span in spans:
        supply.span = inputs_of(span)
        yield _year_of(plant, site, span, supply.span)


def _year_of(plant: Plant, site: Site, span: YearSpan, inputs: Inputs) -> YearRun:
    """A plant that stands at the beginning of a weather year goes through it."""
    before, unsolved = _age_of(plant, site), plant.overrun_steps
    samples = plant.run(span.ends_utc_s - span.year_utc_s, HOUR_S, COLUMNS, with_now=True)
    own = slice((span.year_utc_s - span.begins_utc_s) // plant.step_s, None)
    samples[1:, _POA] = inputs.array.poa_w_m2[own].reshape(len(samples) - 1, -1).mean(axis=1)
    after, used = _age_of(plant, site), 0.0
    if before is not None and after is not None:
        used = life_used(before, after, site.battery.life(), site.battery.replaced_at)
    return YearRun(hours_of(samples), used, plant.overrun_steps - unsolved)


def _age_of(plant: Plant, site: Site) -> AgeingState | None:
    """How old the battery is; none where it doesn't age, without a copy of all that a plant remembers."""
    return None if site.battery.age() is None else plant.remembered().age
