"""What is asked about one site: designs, weather years, targets; and what came of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plant.base.problems import Problem, ProblemsError
from tracertwin.sizing.choosing.judged import Judge, Judged, RunItems
from tracertwin.sizing.choosing.search import Search, cheapest, front, nearest
from tracertwin.sizing.choosing.targets import Targets, met
from tracertwin.sizing.sweep.designs import Base, Design, base_of, designs_of
from tracertwin.sizing.sweep.places import PlaceRow
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.vary import Axis
from tracertwin.sizing.sweep.worklist import Work, work_of
from tracertwin.sizing.sweep.years import WeatherYear, repeating, weather_years


@dataclass(frozen=True, slots=True, eq=False)
class Inquiry:
    """A site and what is asked of it.

    Parameters
    ----------
    base : Base
    own : Design
        The site as it is.
    axes : tuple of Axis
    designs : tuple of Design
        Every combination of their values; the site's own where nothing is varied.
    years : tuple of WeatherYear
    step_s : int
    targets : Targets
    """

    base: Base
    own: Design
    axes: tuple[Axis, ...]
    designs: tuple[Design, ...]
    years: tuple[WeatherYear, ...]
    step_s: int
    targets: Targets

    @property
    def name(self) -> str:
        """Of the site."""
        return self.own.site.name

    def all_designs(self) -> tuple[Design, ...]:
        """The site as it is, and those that are varied."""
        return (self.own, *self.designs) if self.axes else (self.own,)

    def work(self) -> Work:
        """All there is to do for every design."""
        return work_of([design.site for design in self.all_designs()], self.years, self.step_s)

    def judge(self, results: KeptResults, run: RunItems) -> Judge:
        """Who judges its designs."""
        return Judge(self.years, self.step_s, results, run)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of an inquiry.

    Parameters
    ----------
    inquiry : Inquiry
    own : Judged
        The site as it is.
    designs : tuple of Judged
        Those that were run.
    best : Judged, optional
        The cheapest that meets the targets.
    nearest : Judged
        The best, or the one that lacks least.
    front : tuple of Judged
        Of cost and loss.
    """

    inquiry: Inquiry
    own: Judged
    designs: tuple[Judged, ...]
    best: Judged | None
    nearest: Judged
    front: tuple[Judged, ...]


def inquiry_of(
    name: str,
    overrides: Mapping[str, Any],
    axes: Sequence[Axis],
    years: int | None,
    seeds: tuple[int, ...],
    step_s: int,
    targets: Targets,
    blamed: Mapping[str, str] | None = None,
) -> Inquiry:
    """An inquiry about a site, with everything that is wrong with it found before anything runs.

    Parameters
    ----------
    name : str
        A site of ``config/sites``, or the path of a site file.
    overrides, blamed
        As of `tracertwin.sizing.sweep.designs.base_of`.
    axes : sequence of Axis
    years, seeds
        As of `tracertwin.sizing.sweep.years.weather_years`.
    step_s : int
    targets : Targets

    Raises
    ------
    ProblemsError
        If there can't be such a site, or its weather has not so many years.
    """
    base = base_of(name, overrides, blamed)
    own = base.design()
    if repeating(own.site) is not own.site:
        repeats = {"weather.repeat": True}
        base = replace(
            base, overrides={**base.overrides, **repeats}, blamed={**base.blamed, "weather.repeat": name}
        )
        own = base.design()
    designs = designs_of(base, axes) if axes else (own,)
    when = weather_years(own.site, years, seeds)
    return Inquiry(base, own, tuple(axes), designs, when, step_s, targets)


def check_places(places: Iterable[PlaceRow]) -> None:
    """That each row of a table is a site, before the first of them runs.

    Raises
    ------
    ProblemsError
        With every problem of all rows.
    """
    problems: list[Problem] = []
    for place in places:
        try:
            base_of(place.site, place.overrides, place.blamed).design()
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(dict.fromkeys(problems))


def answered(inquiry: Inquiry, judge: Judge, whole_grid: bool) -> Answer:
    """Run what has to be run, and choose.

    Parameters
    ----------
    inquiry : Inquiry
    judge : Judge
    whole_grid : bool
        Whether every design is to be run; otherwise the cheapest is searched for.
    """
    (own,) = judge.judge([inquiry.own])
    if not inquiry.axes:
        best = own if met(inquiry.targets, own.metrics) else None
        return Answer(inquiry, own, (own,), best, own, (own,))
    if whole_grid:
        designs = tuple(judge.judge(inquiry.designs))
    else:
        search = Search(inquiry.axes, inquiry.designs, inquiry.targets, judge.judge_one)
        search.run()
        designs = tuple(search.judged[place] for place in sorted(search.judged))
    best = cheapest(designs, inquiry.targets)
    return Answer(
        inquiry, own, designs, best, best or nearest(designs, inquiry.targets), tuple(front(designs))
    )
