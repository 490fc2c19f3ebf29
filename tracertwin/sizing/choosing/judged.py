"""Designs with what their weather years came to, worked out when they are asked for."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from plant.site.costs import Costs
from tracertwin.sizing.figures.life import LONGEST_YEARS
from tracertwin.sizing.figures.lifecycle import life_cycle_cost
from tracertwin.sizing.figures.metrics import Metrics, metrics_of
from tracertwin.sizing.figures.monthly import MonthlyFigures
from tracertwin.sizing.figures.plantsize import PlantSize, size_of
from tracertwin.sizing.sweep.designs import Design
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.worklist import Work, WorkItem, work_of
from tracertwin.sizing.sweep.years import WeatherYear

JudgeOne = Callable[["Design"], "Judged"]
"""Makes a design's years known."""

RunItems = Callable[[Work, Sequence[WorkItem], KeptResults], None]
"""Does items of a work, so that their results are there."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A design and its weather years.

    Parameters
    ----------
    design : Design
    size : PlantSize
    costs : Costs
    years : tuple of WeatherYear
    figures : MonthlyFigures
        Of these years.
    metrics : Metrics
    """

    design: Design
    size: PlantSize
    costs: Costs
    years: tuple[WeatherYear, ...]
    figures: MonthlyFigures
    metrics: Metrics

    @property
    def cost(self) -> float:
        """Life-cycle cost, by which designs are compared."""
        return self.metrics["lcc"].value

    def with_costs(self, costs: Costs) -> "Judged":
        """The same years at other prices."""
        metrics = metrics_of(self.figures, self.size, costs)
        return Judged(self.design, self.size, costs, self.years, self.figures, metrics)


class Judge:
    """Judges designs of one place, each once, and runs only those that it is asked about.

    Parameters
    ----------
    years : tuple of WeatherYear
        The same for all designs.
    step_s : int
    results : KeptResults
    run : callable
    """

    def __init__(
        self, years: tuple[WeatherYear, ...], step_s: int, results: KeptResults, run: RunItems
    ) -> None:
        self.years, self.step_s, self.results = years, step_s, results
        self._run = run

    def judge_one(self, design: Design) -> Judged:
        """As `judge`, of one."""
        return self.judge([design])[0]

    def judge(self, designs: Sequence[Design]) -> list[Judged]:
        """Run what is missing of some designs, and judge them."""
        work = work_of([design.site for design in designs], self.years, self.step_s)
        if missing := work.missing(work.items, self.results):
            self._run(work, missing, self.results)
        return [
            judged(design, self.years, work.figures(place, self.results))
            for place, design in enumerate(designs)
        ]


def judged(design: Design, years: tuple[WeatherYear, ...], figures: MonthlyFigures) -> Judged:
    """A design judged by its figures."""
    size, costs = size_of(design.site), design.site.costs
    return Judged(design, size, costs, years, figures, metrics_of(figures, size, costs))


def least_cost(design: Design) -> float:
    """What a design costs at least over its life, known before anything runs: its battery lasts as long as it can."""
    size, costs = size_of(design.site), design.site.costs
    longest = LONGEST_YEARS if size.ages else size.life_years
    life = np.array([longest if costs.battery_life_years is None else costs.battery_life_years])
    return float(life_cycle_cost(size, costs, life, np.zeros(1))[0])


def unsolved_steps(designs: Iterable[Judged]) -> int:
    """Steps of all their years that could not be solved."""
    return int(sum(one.figures.yearly("unsolved").sum() for one in designs))
