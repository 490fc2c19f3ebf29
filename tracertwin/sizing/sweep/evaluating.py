"""One design through one weather year on the kernel: a plant that runs, and the figures of what it did."""

from typing import Final, NamedTuple

from plant.inputs import SpanSupply
from plant.plant import Plant
from plant.site.model import Site
from plant.start import at_start
from tracertwin.sizing.figures.hours import COLUMNS, SAMPLED, YearHours, hours_of
from tracertwin.sizing.figures.life import life_used
from tracertwin.sizing.figures.monthly import MonthlyFigures, figures_of
from tracertwin.sizing.figures.plantsize import size_of
from tracertwin.sizing.sweep.shareddays import SharedDays
from tracertwin.sizing.sweep.years import WeatherYear, span_of

HOUR_S: Final = 3600
_POA: Final = SAMPLED.index("poa_w_m2")


class YearRun(NamedTuple):
    """What a plant did in a weather year."""

    hours: YearHours
    life_used: float  # share of the battery's life
    unsolved: int  # steps


def figures_of_year(site: Site, when: WeatherYear, step_s: int, days: SharedDays) -> MonthlyFigures:
    """What a design came to in a weather year; see `run_year`."""
    run = run_year(site, when, step_s, days)
    return figures_of(run.hours, size_of(site).empty_soc, run.life_used, run.unsolved)


def run_year(site: Site, when: WeatherYear, step_s: int, days: SharedDays) -> YearRun:
    """Run a design through a weather year.

    Parameters
    ----------
    site : Site
    when : WeatherYear
        A pure function of these three; the rest is how it is done.
    step_s : int
        Of the plant: a multiple of 60 s that divides an hour.
    days : SharedDays

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
    never_replaced = site.battery.model_copy(update={"replace_at_health": None})
    site_run = site.model_copy(update={"battery": never_replaced, "seed": when.seed})
    span = span_of(when.year, site.location.longitude_deg)
    inputs = days.inputs(site, when.seed, span.first_day, span.days, step_s)
    supply = SpanSupply(site_run, when.seed, step_s, days.skies, inputs)
    plant = Plant(site_run, at_start(site_run, supply, span.begins_utc_s, "sizing"), supply)
    plant.advance_to(span.year_utc_s)
    age = plant.remembered().age
    samples = plant.run(span.ends_utc_s - span.year_utc_s, HOUR_S, COLUMNS, with_now=True)
    own = slice((span.year_utc_s - span.begins_utc_s) // step_s, None)
    samples[1:, _POA] = inputs.array.poa_w_m2[own].reshape(len(samples) - 1, -1).mean(axis=1)
    used = 0.0
    if age is not None:
        after = plant.remembered().age
        assert after is not None
        used = life_used(age, after, site.battery.life(), site.battery.replaced_at)
    return YearRun(hours_of(samples), used, plant.overrun_steps)
