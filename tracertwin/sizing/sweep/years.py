"""The weather years of a sweep: calendar years of made weather by seed, or all whole years of a weather file.

Every design sees the same years. A few that follow one another are one run, which begins `WARM_UP_DAYS` earlier, so
that the charge at their beginning is that of the season, whatever the site file says of the start.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

from plant.base.clock import DAY_S
from plant.base.problems import Problem, ProblemsError
from plant.site.model import Site
from plant.weather import sun
from plant.weather.place import Place

WARM_UP_DAYS: Final = 90
DEFAULT_YEARS: Final = 20
RUN_YEARS: Final = 5  # at most in one run: 20 years that follow 10 find those 10 done


class WeatherYear(NamedTuple):
    """A calendar year of the place's solar time, and the chance of its weather and load."""

    seed: int
    year: int


@dataclass(frozen=True, slots=True)
class YearSpan:
    """The days of a weather year, after those of a warm-up where it has one; solar days since 1970-01-01."""

    first_day: int
    days: int
    begins_utc_s: int  # the warm-up
    year_utc_s: int  # the year itself
    ends_utc_s: int


def span_of(year: int, longitude_deg: float, warm_up_days: int = WARM_UP_DAYS) -> YearSpan:
    """The days of a year at a place."""
    own, following = ((date(number, 1, 1) - sun.EPOCH).days for number in (year, year + 1))
    first = own - warm_up_days
    begins, own_s, ends = (sun.day_start_utc_s(day, longitude_deg) for day in (first, own, following))
    return YearSpan(first, following - first, begins, own_s, ends)


def spans_of(run: Sequence[WeatherYear], longitude_deg: float) -> list[YearSpan]:
    """The days of each year of a run: the warm-up belongs to the first."""
    return [span_of(when.year, longitude_deg, 0 if place else WARM_UP_DAYS) for place, when in enumerate(run)]


def blocks_of(years: Sequence[WeatherYear]) -> list[tuple[WeatherYear, ...]]:
    """Years of one seed that follow one another, a few at a time."""
    blocks = []
    for _, group in groupby(enumerate(years), key=lambda each: (each[1].seed, each[1].year - each[0])):
        following = tuple(when for _, when in group)
        blocks += [following[k : k + RUN_YEARS] for k in range(0, len(following), RUN_YEARS)]
    return blocks


def runs_of(site: Site, years: Sequence[WeatherYear]) -> list[tuple[WeatherYear, ...]]:
    """The runs that some years take: one for each of `blocks_of`, or one for each year where a year changes the site.

    A battery that ages must be as new in each year, and what breaks 30 days after the beginning must do so in each.
    """
    if site.battery.age() is not None or site.upsets:
        return [(when,) for when in years]
    return blocks_of(years)


def repeating(site: Site) -> Site:
    """The site with a weather file that begins anew after its last year, where its years are whole.

    A file of one year has no days before it for the warm-up; those at its end serve. A file of which the site says that
    it does not repeat, or that can't, stays as it is.
    """
    if site.weather.file is None or site.weather.repeat is not None:
        return site
    from plant.weather.measured.days import file_sky

    repeats = site.weather.model_copy(update={"repeat": True})
    try:
        file_sky(repeats, site.location)
    except ProblemsError:
        return site
    return site.model_copy(update={"weather": repeats})


def weather_years(site: Site, years: int | None, seeds: tuple[int, ...]) -> tuple[WeatherYear, ...]:
    """The years of a site's sweep, seed by seed.

    Parameters
    ----------
    site : Site
        As `repeating` has it.
    years : int, optional
        So many consecutive calendar years from that of the site's start on, for each seed; of a weather file the last
        of its whole years. `DEFAULT_YEARS`, or all that the file has, unless given.
    seeds : tuple of int
        The site's own unless there are any.

    Raises
    ------
    ProblemsError
        If a weather file has no whole year, or fewer than asked for; or several seeds would count its years again.
    """
    known = None if site.weather.file is None else file_years(site)
    if known is None:
        first = site.local_start().year
        wanted = tuple(range(first, first + (years or DEFAULT_YEARS)))
    else:
        if not known:
            message = (
                f"holds no whole calendar year with {WARM_UP_DAYS} days before it; set weather.repeat: true"
            )
            raise ProblemsError([Problem(str(site.weather.file), 0, "", message)])
        if years is not None and years > len(known):
            have = f"{len(known)} whole year{'s' * (len(known) > 1)} ({known[0]} to {known[-1]})"
            raise ProblemsError([Problem("--years", 0, "", f"the weather file has {have}, got {years}")])
        if len(seeds) > 1:
            message = f"the weather of a file is the same for every seed; give one, got {len(seeds)}"
            raise ProblemsError([Problem("--seeds", 0, "", message)])
        wanted = known if years is None else known[-years:]
    return tuple(WeatherYear(seed, year) for seed in seeds or (site.seed,) for year in wanted)


def file_years(place: Place) -> tuple[int, ...]:
    """The whole years of a place's weather file, each with its warm-up."""
    from plant.weather.measured.days import file_sky

    longitude = place.location.longitude_deg
    sky = file_sky(place.weather, place.location)
    series = sky.series
    first = sun.date_of((series.start_utc_s + series.utc_offset_s + DAY_S // 2) // DAY_S).year
    if series.cycle_years:
        return tuple(range(first, first + series.cycle_years))
    known_from, known_to = sky.span_utc_s
    last = sun.date_of(int(known_to) // DAY_S).year
    spans = {year: span_of(year, longitude) for year in range(first, last + 1)}
    return tuple(
        year
        for year, span in spans.items()
        if span.begins_utc_s >= known_from and span.ends_utc_s <= known_to
    )
