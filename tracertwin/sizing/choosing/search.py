"""The cheapest design that meets the targets, found without running the whole grid where more serves more.

More modules or a larger battery bring no outage to a plant that has none, so of the designs that differ in these alone,
all that are larger than one that does are taken for enough, and all that are smaller than one that doesn't for not
enough. Of a loss that may be, a larger battery can leave a little more (it is later at the voltage at which the load
comes back), so with a limit of LOLP or LPSP the search may miss the cheapest by a hair; a look at all designs can't.
A charger that waits for a low charge breaks the rule altogether: then no design tells of another. What a design costs
at least is known before it runs; one that can't be cheaper than the best so far is not run for its cost.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import TypeAlias

from plant.site.model import Site
from tracertwin.sizing.choosing.judged import Judged, JudgeOne, least_cost
from tracertwin.sizing.choosing.targets import Targets, lacking, met
from tracertwin.sizing.sweep.designs import Design
from tracertwin.sizing.sweep.vary import Axis

Place: TypeAlias = tuple[int, ...]  # of a design: which value of each axis


class Search:
    """The search for the cheapest design of a grid that meets targets.

    Parameters
    ----------
    axes : sequence of Axis
    designs : sequence of Design
        Every combination, the last axis fastest.
    targets : Targets
    judge : callable
    ordered : bool
        Whether what axes with a sense say of designs that were not run may be relied on: `more_serves_more`.

    Attributes
    ----------
    judged : dict
        Designs that were run, by their place.
    """

    def __init__(
        self,
        axes: Sequence[Axis],
        designs: Sequence[Design],
        targets: Targets,
        judge: JudgeOne,
        ordered: bool = True,
    ) -> None:
        self._axes, self._targets, self._judge = axes, targets, judge
        self._senses = [axis.sense * ordered for axis in axes]
        places = product(*(range(len(axis.values)) for axis in axes))
        self._designs = dict(zip(places, designs, strict=True))
        self._least = {place: least_cost(design) for place, design in self._designs.items()}
        self.judged: dict[Place, Judged] = {}

    def run(self) -> None:
        """Run designs until the cheapest that meets the targets is among those that were run, if any does."""
        lines = sorted({self._line_of(place) for place in self._designs}, key=self._least_of)
        for line in lines:
            self._search(line)

    # One line: the designs that differ in the last axis whose sense is known, the others first.

    def _line_of(self, place: Place) -> tuple[Place, ...]:
        """The designs of a line, the least able first; a line of one where no axis has a sense."""
        along = self._along()
        if along is None:
            return (place,)
        steps = range(len(self._axes[along].values))
        ordered = steps if self._senses[along] > 0 else reversed(steps)
        return tuple((*place[:along], k, *place[along + 1 :]) for k in ordered)

    def _along(self) -> int | None:
        sensed = [k for k, sense in enumerate(self._senses) if sense]
        return max(sensed, key=lambda k: len(self._axes[k].values)) if sensed else None

    def _least_of(self, line: tuple[Place, ...]) -> tuple[float, Place]:
        return min((self._least[place], place) for place in line)

    def _search(self, line: tuple[Place, ...]) -> None:
        """Find where on the line it begins to be enough, and run those beyond that may be cheaper than the best."""
        low, high = self._known(line)  # the last known not to be enough, the first known to be
        while high - low > 1:
            worth = [k for k in range(low + 1, high) if self._least[line[k]] < self._best()]
            if not worth:
                break
            middle = high - 1 if high == len(line) and low < 0 and len(line) > 1 else (low + high) // 2
            low, high = (low, middle) if self._is_enough(self._run(line[middle])) else (middle, high)
        for place in sorted(line[high:], key=lambda place: (self._least[place], place)):
            if self._least[place] < self._best():
                self._run(place)

    def _known(self, line: tuple[Place, ...]) -> tuple[int, int]:
        """What other lines tell of this one."""
        low, high = -1, len(line)
        for place, one in self.judged.items():
            enough = self._is_enough(one)
            for k, own in enumerate(line):
                if enough and self._no_less(own, place):
                    high = min(high, k)
                if not enough and self._no_less(place, own):
                    low = max(low, k)
        return low, max(high, low + 1)

    def _no_less(self, place: Place, other: Place) -> bool:
        """Whether a design is taken to serve no less than another."""
        for sense, own, its in zip(self._senses, place, other, strict=True):
            if (sense == 0 and own != its) or (own - its) * sense < 0:
                return False
        return True

    def _run(self, place: Place) -> Judged:
        if place not in self.judged:
            self.judged[place] = self._judge(self._designs[place])
        return self.judged[place]

    def _is_enough(self, one: Judged) -> bool:
        return met(self._targets, one.metrics)

    def _best(self) -> float:
        """Cost of the cheapest so far that is enough."""
        return min((one.cost for one in self.judged.values() if self._is_enough(one)), default=float("inf"))


def more_serves_more(site: Site) -> bool:
    """Whether more module or battery leaves a plant without outages if it has none.

    Not with a charger that waits for a low charge: a little more sun keeps the charge just above where it would start,
    its hours go by, and the night fails.
    """
    return not any(
        charger.start_below_soc is not None or charger.start_below_v is not None
        for charger in site.battery.chargers
    )


def cheapest(designs: Iterable[Judged], targets: Targets) -> Judged | None:
    """The cheapest of those that meet the targets; of those that cost the same the first. None if no design does."""
    return min((one for one in designs if met(targets, one.metrics)), key=lambda one: one.cost, default=None)


def nearest(designs: Iterable[Judged], targets: Targets) -> Judged:
    """The design that lacks least; of those that lack the same the one that loses least, then the cheapest."""

    def order(one: Judged) -> tuple[float, float, float]:
        lacks = lacking(targets, one.metrics)
        return lacks, one.metrics["lolp"].value if lacks > 0.0 else 0.0, one.cost

    return min(designs, key=order)


def front(designs: Sequence[Judged], loss: str = "lpsp") -> list[Judged]:
    """The Pareto front of cost and loss: those that no other one beats in both, the cheapest first.

    Parameters
    ----------
    designs : sequence of Judged
    loss : str
        A metric of which less is better.
    """
    best: list[Judged] = []
    for one in sorted(designs, key=lambda one: (one.cost, one.metrics[loss].value)):
        if not best or one.metrics[loss].value < best[-1].metrics[loss].value:
            best.append(one)
    return best


def least_enough(number: int, is_enough: Callable[[int], bool], ordered: bool = True) -> int | None:
    """The first of so many things that is enough; None if none is.

    Parameters
    ----------
    number : int
    is_enough : callable
        Asked of a place.
    ordered : bool
        Whether what follows one that is enough is enough too; otherwise one after the other is asked.
    """
    if not ordered:
        return next(filter(is_enough, range(number)), None)
    if number == 0 or not is_enough(number - 1):
        return None
    low, high = -1, number - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
