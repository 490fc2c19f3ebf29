"""What would help a design that lacks something: more array alone, more battery alone; and what load it carries."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from plant.design.extremes import extremes_of
from plant.design.finding import Level
from plant.design.sheet import inspected
from plant.site.model import Site
from tracertwin.sizing.choosing.judged import Judged, JudgeOne
from tracertwin.sizing.choosing.search import least_enough, more_serves_more
from tracertwin.sizing.choosing.targets import Targets, met
from tracertwin.sizing.sweep.designs import Base, Design, if_possible, load_of, peak_w
from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis

MOST_TIMES: Final = 5.0  # what more than that needs is another design
STEPS_TO_DOUBLE: Final = 20
LOAD_STEPS_TO_DOUBLE: Final = 50
MOST_LOAD_TIMES: Final = 16.0


class Carried(NamedTuple):
    """The largest load that a design was seen to carry.

    Parameters
    ----------
    times : float
        Of the design's own.
    judged : Judged
        With it.
    at_least : bool
        Whether nothing larger was tried.
    """

    times: float
    judged: Judged
    at_least: bool


class Remedy(NamedTuple):
    """A change of one thing that is enough.

    Parameters
    ----------
    told : str
        What it is changed to: ``500 W``.
    judged : Judged
    wrong : tuple of str
        What the design check calls wrong with it and not with the design that it helps, in words.
    """

    told: str
    judged: Judged
    wrong: tuple[str, ...] = ()


def remedies(base: Base, lacking: Judged, targets: Targets, judge: JudgeOne) -> list[Remedy]:
    """The least more array, and the least more battery, either alone, by which a design meets targets; cheapest first.

    Parameters
    ----------
    base : Base
        What the design was made out of.
    lacking : Judged
    targets : Targets
    judge : callable
    """
    own = replace(base, overrides=lacking.design.overrides)
    site = lacking.design.site
    found = []
    for key, now in ((PV, peak_w(site)), (BATTERY, site.battery.capacity_ah)):
        axis = Axis(key, ladder(now))

        def design_at(place: int, axis: Axis = axis) -> Design:
            return own.design([axis], [axis.values[place]])

        def judged_at(place: int, at: Callable[[int], Design] = design_at) -> Judged:
            return judge(at(place))

        def is_enough(place: int, at: Callable[[int], Judged] = judged_at) -> bool:
            return met(targets, at(place).metrics)

        place = least_enough(possible(len(axis.values), design_at), is_enough, more_serves_more(site))
        if place is not None:
            there = judged_at(place)
            wrong = sorted(_wrong(there.design.site) - _wrong(site))
            found.append(
                Remedy(axis.formatted(axis.values[place]), there, tuple(f"wrong: {name}" for name in wrong))
            )
    return sorted(found, key=lambda remedy: remedy.judged.cost)


def _wrong(site: Site) -> set[str]:
    """Names of the checks of the design that find something wrong."""
    rows = inspected(site, extremes_of(site))
    return {row.check.name for row in rows if row.finding.level is Level.WRONG}


def ladder(now: float) -> tuple[float, ...]:
    """Amounts above one, in round steps of about a twentieth of it, up to `MOST_TIMES` as much."""
    step = round_number(now / STEPS_TO_DOUBLE)
    first, last = (math.floor(times * now / step + 1e-6) for times in (1.0, MOST_TIMES))
    return tuple(float(f"{k * step:.10g}") for k in range(first + 1, last + 1))


def round_number(value: float) -> float:
    """1, 2 or 5 times a power of ten, whichever is nearest in proportion."""
    power = 10.0 ** math.floor(math.log10(value))
    return min(
        (times * power for times in (1.0, 2.0, 5.0, 10.0)), key=lambda near: abs(math.log(near / value))
    )


def possible(number: int, design_at: Callable[[int], Design]) -> int:
    """How many of so many designs, each with more of something than the one before, the site's keys allow."""
    first = least_enough(number, lambda place: if_possible(lambda: design_at(place)) is None)
    return number if first is None else first


def load_carried(base: Base, design: Design, targets: Targets, judge: JudgeOne) -> Carried | None:
    """The largest load with which a design still meets targets; None if it carries none.

    Parameters
    ----------
    base : Base
    design : Design
    targets : Targets
    judge : callable

    Notes
    -----
    In steps of some 1.4 %, from a sixteenth of the load to sixteen times as much, or as much as `load.scale` may be.
    Loads at the battery go along. It is found by halving: with a charger that waits for a low charge, it is a load that
    is carried where the next is not.
    """
    reach = round(LOAD_STEPS_TO_DOUBLE * math.log2(MOST_LOAD_TIMES))
    times = [2.0 ** (k / LOAD_STEPS_TO_DOUBLE) for k in range(-reach, reach + 1)]

    def design_at(place: int) -> Design:
        return base.changed(design, load_of(design.site, times[place]))

    largest = possible(len(times), design_at) - 1

    def judged_at(less: int) -> Judged:
        return judge(design_at(largest - less))

    less = least_enough(largest + 1, lambda k: met(targets, judged_at(k).metrics))
    return None if less is None else Carried(times[largest - less], judged_at(less), less == 0)
