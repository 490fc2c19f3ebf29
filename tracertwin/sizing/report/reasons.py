"""Why a design is recommended, and what would change that: sentences for people who read no chart."""

from collections import Counter
from collections.abc import Iterator

from plant.base.civiltime import MONTHS
from plant.design.extremes import extremes_of
from plant.design.finding import Level
from plant.design.sheet import inspected
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.targets import NO_OUTAGE, Target, Targets, limit_of, targets_text
from tracertwin.sizing.choosing.verdict import money, outages_told, too_few, verdict
from tracertwin.sizing.figures.metrics import METRIC, worst_month
from tracertwin.sizing.figures.printing import below_finest, formatted, formatted_value, formatted_years
from tracertwin.sizing.report.study import Study
from tracertwin.sizing.report.tradeoffs import best_of


def metric_text(one: Judged, name: str, targets: Targets, interval: bool = True) -> str:
    """A metric of a design in words, beside its limit if it has one, with its interval or without."""
    form = formatted if interval else formatted_value
    return form(one.metrics[name], METRIC[name].unit, one.costs.currency, limit_of(targets, name))


def headline(study: Study) -> Iterator[str]:
    """The answer: the design to build, and what the site as it is would do."""
    inquiry = study.answer.inquiry
    if not inquiry.axes:
        yield study.verdict
        if study.load:
            yield f"{study.load}."
        return
    name = study.name(study.chosen)
    cost = f"{money(study.chosen.cost)} {study.currency} over {formatted_years(study.chosen.costs.years)}"
    if study.answer.own_is_best:
        own_cost = f"{money(study.answer.own.cost)} {study.currency}"
        yield f"{inquiry.name} as it is will do, and nothing that will do is cheaper: {own_cost}."
    if study.meets(study.chosen):
        yield f"{name} will do: {verdict(study.chosen, study.targets).removeprefix('Yes: ')}; {cost}."
    else:
        outages = outages_told(study.chosen)
        yield f"None of {len(study.designs)} designs will do; {name} comes nearest: {outages}; {cost}."
    own = study.answer.own
    yield f"{inquiry.name} as it is, {own.size.peak_w:.0f} W, {own.size.capacity_ah:g} Ah: {study.verdict}."
    if study.load:
        yield f"{study.load}."


def why(study: Study) -> Iterator[str]:
    """The reason for the recommendation."""
    chosen, number = study.chosen, len(study.designs)
    name, target = study.name(chosen), targets_text(study.targets)
    values = " and ".join(
        f"its {METRIC[target.metric].label} {metric_text(chosen, target.metric, study.targets)}"
        if target.metric != NO_OUTAGE
        else f"{metric_text(chosen, NO_OUTAGE, study.targets)} of years without"
        for target in study.targets
    )
    cost = f"{money(chosen.cost)} {study.currency} over {formatted_years(chosen.costs.years)}"
    if study.meets(chosen):
        meeting = sum(map(study.meets, study.designs))
        among = (
            f", the least of {meeting} that do, out of {number}" if meeting > 1 and study.comparable else ""
        )
        among = f", the only one of {number} that does" if meeting == 1 < number else among
        yield f"{name} meets the target, {target}: {values}. It costs {cost}{among}."
    elif number > 1:
        yield f"None of {number} designs meets the target, {target}. {name} comes nearest: {values}. It costs {cost}."
    else:
        yield f"{name} misses the target, {target}: {values}. It costs {cost}."
    lost = chosen.figures.yearly("unserved_wh").sum() > 0.0
    month = f"; most is missing in {MONTHS[worst_month(chosen.figures)]}" if lost else ""
    outages = outages_told(chosen)
    yield f"{outages[0].upper()}{outages[1:]}{month}."
    if chosen.metrics["charger_h"].value > 0.0:
        yield f"Its chargers run {metric_text(chosen, 'charger_h', ())} and use {metric_text(chosen, 'fuel_l', ())}."
    for row in inspected(study.site, extremes_of(study.site)):
        if row.finding.level is not Level.OK:
            begins = "Wrong" if row.finding.level is Level.WRONG else "To look at"
            yield f"{begins}: {row.check.name}, {row.finding.found}; {row.finding.fix}."


def what_would_change_it(study: Study) -> Iterator[str]:
    """Another target, other inputs, more years: each with what it would lead to."""
    yield from _other_targets(study)
    if not study.meets(study.chosen):
        return
    missing = [changed for changed in study.changed if not study.meets(changed.judged)]
    for changed in missing:
        way = "more" if changed.by > 0.0 else "less"
        values = ", ".join(
            f"{METRIC[target.metric].label} {metric_text(changed.judged, target.metric, study.targets)}"
            for target in study.targets
        )
        yield f"With {abs(100.0 * changed.by):g} % {way} {changed.what} it would miss the target: {values}."
    both_ways = Counter(changed.what for changed in study.changed)
    if both_ways and min(both_ways.values()) == 2 and not missing:
        yield "A tenth less or more light, load or battery would not make it miss the target."
    for target in study.targets:
        estimate = study.chosen.metrics[target.metric]
        if target.limit < estimate.finest:
            yield f"{METRIC[target.metric].label}: {too_few(target, estimate.years)}."
            continue
        if estimate.low < target.limit if target.metric == NO_OUTAGE else estimate.high > target.limit:
            years, label = formatted_years(len(study.chosen.years)), METRIC[target.metric].label
            do = "does" if len(study.chosen.years) == 1 else "do"
            yield (
                f"{years} {do} not settle it: the interval of {label} reaches beyond the target. More years would "
                "narrow it."
            )


def _other_targets(study: Study) -> Iterator[str]:
    """What a little less would save, and what half the loss would cost; of costs in one currency."""
    if not study.comparable:
        return
    chosen, name = study.chosen, study.loss
    loss = chosen.metrics[name]
    on_front = best_of(study)
    cheaper = [one for one in on_front if one.cost < chosen.cost and not study.meets(one)]
    if study.meets(chosen) and cheaper:
        near = cheaper[-1]
        enough = " and ".join(
            _reached(near, target) for target in study.targets if target.lacks(near.metrics)
        )
        saved = f"{money(chosen.cost - near.cost)} {study.currency} less"
        yield f"{study.name(near)} would do if {enough} were enough: {saved}."
    better = [
        one for one in on_front if one.cost > chosen.cost and 2.0 * one.metrics[name].value <= loss.value
    ]
    if better and not below_finest(loss):
        more = better[0]
        value = metric_text(more, name, study.targets, interval=False)
        yield (
            f"Half the loss or less takes {study.name(more)}: {METRIC[name].label} {value}, "
            f"{money(more.cost - chosen.cost)} {study.currency} more."
        )


def _reached(one: Judged, target: Target) -> str:
    """What a design reaches of a target that it misses: ``LOLP of 2.1 %``, ``no outage in 80 % of years``."""
    value = metric_text(one, target.metric, (target,), interval=False)
    return (
        f"no outage in {value} of years"
        if target.metric == NO_OUTAGE
        else f"{METRIC[target.metric].label} of {value}"
    )
