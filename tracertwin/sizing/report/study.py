"""What a report is made of: the answers of a study, the design it is about, and what its years were like."""

from dataclasses import dataclass

from plant.site.model import Site
from tracertwin.sizing.choosing.inquiry import Answer
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.sensitivity import Changed
from tracertwin.sizing.choosing.targets import LOSSES, Targets, lacking, met
from tracertwin.sizing.figures.hours import YearHours
from tracertwin.sizing.figures.metrics import METRIC
from tracertwin.sizing.figures.printing import MONEY, SHARE

LOSS, COST = "lolp", "lcc"


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """All that a report says.

    Parameters
    ----------
    answers : tuple of Answer
        One for each site that was asked about.
    verdict : str
        Of the chosen design's site as it is, in a sentence.
    load : str
        What load that site carries, in a sentence; empty where nobody asked.
    hours : tuple of YearHours
        Of the `chosen` design, in the order of its years.
    changed : tuple of Changed
        The same design with one input changed; may be empty.
    step_note : str
        How far such steps are off, in a sentence.
    command : str
        That makes this study again.
    version : str
    """

    answers: tuple[Answer, ...]
    verdict: str
    load: str
    hours: tuple[YearHours, ...]
    changed: tuple[Changed, ...]
    step_note: str
    command: str
    version: str

    @property
    def answer(self) -> Answer:
        """Of the site whose design is `chosen`."""
        return chosen_answer(self.answers)

    @property
    def chosen(self) -> Judged:
        """The design that the report is about: the cheapest that meets the targets, or the one that lacks least."""
        return self.answer.nearest

    @property
    def site(self) -> Site:
        """The chosen design's."""
        return self.chosen.design.site

    @property
    def targets(self) -> Targets:
        """What a design has to meet."""
        return self.answer.inquiry.targets

    @property
    def designs(self) -> tuple[Judged, ...]:
        """All that were run, site by site."""
        return tuple(one for answer in self.answers for one in answer.designs)

    @property
    def currency(self) -> str:
        """In which the chosen design's costs are."""
        return self.chosen.costs.currency

    @property
    def comparable(self) -> bool:
        """Whether the costs of all designs are in one currency."""
        return one_currency(self.answers)

    @property
    def loss(self) -> str:
        """The metric that charts show: the first target that is a loss."""
        return next((target.metric for target in self.targets if target.metric in LOSSES), LOSS)

    @property
    def at_stake(self) -> tuple[str, ...]:
        """The metrics that tell whether a design will do: the one of the charts, and those that have a target."""
        return tuple(dict.fromkeys((self.loss, *(target.metric for target in self.targets))))

    def meets(self, one: Judged) -> bool:
        """Whether a design reaches the targets."""
        return met(self.targets, one.metrics)

    def name(self, one: Judged) -> str:
        """A design in words: ``400 W, 150 Ah``."""
        answer = next(answer for answer in self.answers if any(one is other for other in answer.designs))
        axes = answer.inquiry.axes
        values = [
            axis.formatted(value)
            if axis.unit or isinstance(value, str)
            else f"{axis.heading} {axis.formatted(value)}"
            for axis, value in zip(axes, one.design.values, strict=False)
        ]
        site = [answer.inquiry.name] if len(self.answers) > 1 or not axes else []
        return ", ".join([*site, *values])


def chosen_answer(answers: tuple[Answer, ...]) -> Answer:
    """The answer whose design is the cheapest that meets the targets, or lacks least.

    Of costs in several currencies none is the least: then it is the first that does.
    """
    comparable = one_currency(answers)

    def order(answer: Answer) -> tuple[float, float]:
        return lacking(answer.inquiry.targets, answer.nearest.metrics), comparable * answer.nearest.cost

    return min(answers, key=order)


def one_currency(answers: tuple[Answer, ...]) -> bool:
    """Whether all sites have their costs in the same."""
    return len({answer.own.costs.currency for answer in answers}) == 1


def in_print(value: float, name: str) -> float:
    """A metric's value in the unit that it is printed in: shares in per cent."""
    return 100.0 * value if METRIC[name].unit == SHARE else value


def titled(name: str, currency: str = "") -> str:
    """A metric as the title of an axis."""
    metric = METRIC[name]
    return f"{metric.label} [{'%' if metric.unit == SHARE else metric.unit.replace(MONEY, currency)}]"
