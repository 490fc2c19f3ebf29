"""The answer in a sentence that a customer understands, and the run that shows the worst year."""

import math
import shlex
from collections.abc import Sequence

import numpy as np

from plant.base.civiltime import MONTHS
from plant.base.clock import DAY_S, to_local
from tracertwin.sizing.choosing.inquiry import Answer
from tracertwin.sizing.choosing.judged import Judged
from tracertwin.sizing.choosing.remedies import Carried, Remedy
from tracertwin.sizing.choosing.targets import NO_OUTAGE, Target, Targets, met, targets_text
from tracertwin.sizing.figures.intervals import DAYS_PER_YEAR, RULE_OF_THREE, finest_share, share_interval
from tracertwin.sizing.figures.metrics import METRIC, worst_month, worst_year
from tracertwin.sizing.figures.printing import formatted, formatted_years
from tracertwin.sizing.sweep.years import runs_of, spans_of


def verdict(one: Judged, targets: Targets, helping: Sequence[Remedy] = ()) -> str:
    """Whether a design will do: ``No: outages in 7 of 20 years, ...; 500 W (+85 EUR) would do``.

    Parameters
    ----------
    one : Judged
    targets : Targets
    helping : sequence of Remedy
        What would do instead, if anything would.
    """
    if met(targets, one.metrics):
        return f"Yes: {_losses(one, targets)}{outages_told(one)}{_unsettled(one, targets)}"
    text = f"No: {_losses(one, targets)}{outages_told(one)}"
    if not helping:
        return f"{text}; neither five times the array nor five times the battery alone would do"
    would = " or ".join(
        f"{remedy.told} ({'; '.join([more_told(remedy.judged, one), *remedy.wrong])})" for remedy in helping
    )
    return f"{text}; {would} would do"


def outages_told(one: Judged) -> str:
    """The outages of all years, and of the worst: when it begins to be dark, in local time."""
    years = one.figures.years
    outages = one.figures.yearly("outages")
    dark = int(np.sum(outages > 0))
    if not dark:
        return f"no outage in {formatted_years(years)}"
    worst = worst_year(one.figures)
    first = to_local(one.figures.yearly("first_outage_utc_s")[worst], one.design.site.location.timezone)
    hours = one.figures.yearly("outage_h")[worst]
    number, year = int(outages[worst]), one.years[worst].year
    # Solar years: the last hours of December may belong to the next.
    day = f"{first.day} {first:%b}{f' {first.year}' * (first.year != year)}"
    in_worst = f"{number} outage{'s' * (number > 1)}, {_hours(hours)}, first {day} {first:%H:%M}"
    if years == 1:
        return in_worst
    return f"outages in {dark} of {years} years; in the worst, {year}, {in_worst}"


def _losses(one: Judged, targets: Targets) -> str:
    """The losses that have a limit; a limit that so few years can't show is told with how many could."""
    text = ""
    for target in targets:
        if target.metric == NO_OUTAGE:
            continue
        row, loss = METRIC[target.metric], one.metrics[target.metric]
        against = f"{'more than' if target.lacks(one.metrics) else 'within'} {100 * target.limit:g} %"
        text += f"{row.label} {formatted(loss, row.unit, limit=target.limit)}, {against}; "
        if max(loss.value, target.limit) < loss.finest:
            text += f"{too_few(target, loss.years)}; "
    return text


def too_few(target: Target, years: int) -> str:
    """That so few years can't tell a limit, and how many could."""
    text = f"{formatted_years(years)} can't tell less than {100 * finest_share(years):g} %"
    if target.limit > 0.0:
        text += f", to tell {100 * target.limit:g} % takes {years_to_tell(target.limit)}"
    return text


def _unsettled(one: Judged, targets: Targets) -> str:
    """What to say where so few years don't prove the share of years without an outage that is asked for."""
    limit = next((target.limit for target in targets if target.metric == NO_OUTAGE), 0.0)
    found = one.metrics[NO_OUTAGE]
    if found.low >= limit:
        return ""
    proves = "proves" if found.years == 1 else "prove"
    text = f"; {formatted_years(found.years)} {proves} only that {100 * found.low:.0f} % of years have none"
    if limit < 1.0 and found.value == 1.0:
        text += f", {100 * limit:g} % takes {years_to_prove(limit)} without"
    return text


def years_to_prove(share: float) -> int:
    """How many years without an outage it takes until so large a share of years, below 1, is beyond doubt."""
    return math.ceil(math.log(share_interval(1, 1)[0]) / math.log(share))


def asks_for_nothing(one: Judged) -> bool:
    """Whether a design has no load at all."""
    return not one.figures["demand_wh"].any()


def load_told(answer: Answer, carried: Carried | None) -> str:
    """What load the site as it is carries, in a sentence; by `remedies.load_carried`."""
    name, target = f"{answer.inquiry.name} as it is", targets_text(answer.inquiry.targets)
    if asks_for_nothing(answer.own):
        return f"{name} has no load, so there is nothing to scale"
    if carried is None:
        return f"{name} carries not even a sixteenth of its load ({target})"
    one, times = carried.judged, f"{'at least ' * carried.at_least}{carried.times:.3g} times"
    daily_wh = one.figures["demand_wh"].sum() / one.figures["days"].sum()
    return f"{name} carries {times} its load, that is {daily_wh:.0f} Wh a day ({target}); {outages_told(one)}"


def years_to_tell(share: float) -> int:
    """How many years it takes until so small a share, above 0, is told apart from nothing."""
    least = max(1, int(RULE_OF_THREE / DAYS_PER_YEAR / share))
    return next(years for years in range(least, 100 * least + 100) if finest_share(years) <= share)


def _hours(hours: float) -> str:
    return f"{hours:.0f} h" if hours >= 9.5 else f"{max(hours, 0.1):.1f} h"


def more_told(one: Judged, than: Judged) -> str:
    """What a design costs more than another over its life."""
    return f"{money(one.cost - than.cost, signed=True)} {one.costs.currency}"


def money(amount: float, signed: bool = False) -> str:
    """An amount in whole units; nothing finer is known of prices."""
    return f"{round(amount):{'+' if signed else ''},d}" if math.isfinite(amount) else "-"


def worst_told(one: Judged) -> str:
    """The worst month, and the worst year with its seed."""
    worst = one.years[worst_year(one.figures)]
    month = MONTHS[worst_month(one.figures)]
    return f"worst month {month}, worst year {worst.year} with seed {worst.seed}"


def run_command(one: Judged, site: str, step_s: int) -> str:
    """The command that runs the worst year again, after what came before it in its run."""
    worst, place = one.years[worst_year(one.figures)], one.design.site
    run = next(run for run in runs_of(place, one.years) if worst in run)
    spans = spans_of(run[: run.index(worst) + 1], place.location.longitude_deg)
    start = to_local(spans[0].begins_utc_s, place.location.timezone)
    days = (spans[-1].ends_utc_s - spans[0].begins_utc_s) // DAY_S
    return (
        f"tracertwin run {shlex.quote(site)} --seed {worst.seed} --start {start:%Y-%m-%dT%H:%M} --days {days} "
        f"--fidelity sizing --step {step_s // 60}min"
    )
