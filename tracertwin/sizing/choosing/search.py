"""The cheapest design that meets the targets, found without running the whole grid where more never serves less.

More modules or a larger battery never serve less, so of the designs that differ in these alone, all that are larger
than one that does are enough, and all that are smaller than one that doesn't are not. What a design costs at least is
known before it runs; one that can't be cheaper than the best so far is not run for its cost.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import TypeAlias

from tracertwin.sizing.choosing.judged import Judged, least_cost
from tracertwin.sizing.choosing.targets import Targets, lacking, met
from tracertwin.sizing.sweep.designs import Design
from tracertwin.sizing.sweep.vary import Axis

Place: TypeAlias = tuple[int, ...]  # of a design: which value of each axis
JudgeOne: TypeAlias = Callable[[Design], Judged]


class Search:
    """The search for the cheapest design of a grid that meets targets.

    Parameters
    ----------
    axes : sequence of Axis
    designs : sequence of Design
        Every combination, the last axis fastest.
    targets : Targets
    judge : callable

    Attributes
    ----------
    judged : dict
        Designs that were run, by their place.
    """

    def __init__(
        self, axes: Sequence[Axis], designs: Sequence[Design], targets: Targets, judge: JudgeOne
    ) -> None:
        self._axes, self._targets, self._judge = axes, targets, judge
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
        ordered = steps if self._axes[along].sense > 0 else reversed(steps)
        return tuple((*place[:along], k, *place[along + 1 :]) for k in ordered)

    def _along(self) -> int | None:
        sensed = [k for k, axis in enumerate(self._axes) if axis.sense]
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
        """Whether a design is known to serve no less than another."""
        for axis, own, its in zip(self._axes, place, other, strict=True):
            if (axis.sense == 0 and own != its) or (own - its) * axis.sense < 0:
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


def least_enough(number: int, is_enough: Callable[[int], bool]) -> int | None:
    """The first of so many things, ordered so that what follows one that is enough is enough too; None if none is."""
    if number == 0 or not is_enough(number - 1):
        return None
    low, high = -1, number - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
