"""What a design must reach: so little loss, so many years without an outage."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from tracertwin.sizing.figures.metrics import METRIC, Metrics

LOSSES: Final = ("lolp", "lpsp")
NO_OUTAGE: Final = "no_outage"
USUAL: Final = 0.95  # share of years without an outage, where nothing else is asked for


class Target(NamedTuple):
    """A limit of a metric: the most of a loss, the least of `NO_OUTAGE`."""

    metric: str
    limit: float

    def lacks(self, metrics: Metrics) -> float:
        """How far a design is from it, in the metric's own unit; 0 where it is met."""
        value = metrics[self.metric].value
        return max(0.0, self.limit - value if self.metric == NO_OUTAGE else value - self.limit)

    def text(self) -> str:
        """In words."""
        if self.metric == NO_OUTAGE:
            return f"no outage in {100 * self.limit:g} % of years"
        return f"{METRIC[self.metric].label} at most {100 * self.limit:g} %"


Targets = tuple[Target, ...]


def targets_of(lolp: float | None, lpsp: float | None, no_outage: float | None) -> Targets:
    """The targets that are asked for; `USUAL` years without an outage where there are none."""
    given = zip((*LOSSES, NO_OUTAGE), (lolp, lpsp, no_outage), strict=True)
    asked = tuple(Target(metric, limit) for metric, limit in given if limit is not None)
    return asked or (Target(NO_OUTAGE, USUAL),)


def met(targets: Targets, metrics: Metrics) -> bool:
    """Whether a design reaches all targets."""
    return all(target.lacks(metrics) <= 0.0 for target in targets)


def limit_of(targets: Targets, metric: str) -> float | None:
    """The limit that a metric is held against, if any."""
    return next((target.limit for target in targets if target.metric == metric), None)


def lacking(targets: Targets, metrics: Metrics) -> float:
    """How far a design is from all targets together, for finding the nearest."""
    return sum(target.lacks(metrics) for target in targets)


def targets_text(targets: Sequence[Target]) -> str:
    """In words."""
    return " and ".join(target.text() for target in targets)
