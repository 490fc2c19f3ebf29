"""What is asked about one site: designs, weather years, targets; and what came of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from plant.base.problems import Problem, ProblemsError
from tracertwin.sizing.choosing.judged import Judge, Judged, RunItems
from tracertwin.sizing.choosing.search import Search, cheapest, front, more_serves_more, nearest
from tracertwin.sizing.choosing.targets import Targets, met
from tracertwin.sizing.sweep.designs import Base, Design, base_of, designs_of
from tracertwin.sizing.sweep.places import PlaceRow
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.vary import Axis
from tracertwin.sizing.sweep.worklist import Work, work_of
from tracertwin.sizing.sweep.years import WeatherYear, repeating, weather_years

Ask: TypeAlias = "Callable[[PlaceRow], Inquiry]"
DEARER_FROM: Final = 0.5  # in money; of a design like the site as it is, what is more is rounding


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
        The cheapest of these that meets the targets.
    nearest : Judged
        The best, or the one of these that lacks least.
    front : tuple of Judged
        Of cost and loss.
    """

    inquiry: Inquiry
    own: Judged
    designs: tuple[Judged, ...]
    best: Judged | None
    nearest: Judged
    front: tuple[Judged, ...]

    @property
    def own_is_best(self) -> bool:
        """Whether the site as it is meets the targets, and none of the others that do is cheaper."""
        if not self.inquiry.axes or not met(self.inquiry.targets, self.own.metrics):
            return False
        return self.best is None or self.best.cost - self.own.cost >= DEARER_FROM

    @property
    def reached(self) -> bool:
        """Whether the site as it is, or a design, meets the targets."""
        return self.best is not None or met(self.inquiry.targets, self.own.metrics)

    @property
    def recommended(self) -> Judged:
        """The site as it is where that is the best; else the best of the designs, or the nearest."""
        return self.own if self.own_is_best else self.nearest


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


def asked_of(place: PlaceRow, ask: Ask) -> Inquiry:
    """The inquiry about a place.

    Raises
    ------
    ProblemsError
        If there can't be one, saying which place that is.
    """
    try:
        return ask(place)
    except ProblemsError as error:
        raise ProblemsError(_at(place, problem) for problem in error.problems) from None


def check_places(places: Iterable[PlaceRow], ask: Ask) -> None:
    """Check that there can be an inquiry about each row of a table, before the first of them runs.

    Raises
    ------
    ProblemsError
        With every problem of all rows; what several have in common at the first of them.
    """
    problems: dict[str, Problem] = {}
    for place in places:
        try:
            ask(place)
        except ProblemsError as error:
            for problem in error.problems:
                problems.setdefault(str(problem), _at(place, problem))
    if problems:
        raise ProblemsError(problems.values())


def _at(place: PlaceRow, problem: Problem) -> Problem:
    """A problem that says where it is, if it doesn't yet."""
    told = str(problem)
    return problem if told.startswith(place.where) else Problem(place.where, 0, "", told)


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
        ordered = all(more_serves_more(design.site) for design in inquiry.designs)
        search = Search(inquiry.axes, inquiry.designs, inquiry.targets, judge.judge_one, ordered)
        search.run()
        designs = tuple(search.judged[place] for place in sorted(search.judged))
    best = cheapest(designs, inquiry.targets)
    return Answer(
        inquiry, own, designs, best, best or nearest(designs, inquiry.targets), tuple(front(designs))
    )
