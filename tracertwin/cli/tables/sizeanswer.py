"""The answer of a sweep in words, below its table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from plant.design.sheet import announcements
from plant.report.output import results_console
from tracertwin.sizing.choosing.inquiry import Answer
from tracertwin.sizing.choosing.judged import Judged, unsolved_steps
from tracertwin.sizing.choosing.remedies import Remedy
from tracertwin.sizing.choosing.targets import targets_text
from tracertwin.sizing.choosing.verdict import (
    money,
    more_told,
    outages_told,
    run_command,
    verdict,
    worst_told,
)
from tracertwin.sizing.figures.printing import formatted_years
from tracertwin.sizing.sweep.designs import peak_w
from tracertwin.sizing.sweep.years import WeatherYear

NO_FILE: Final = "FILE"


def print_answer(answer: Answer, helping: Sequence[Remedy], written: Path | None, alone: bool) -> None:
    """Whether the site as it is will do, which design is the cheapest that does, and how to see its worst year.

    Parameters
    ----------
    answer : Answer
    helping : sequence of Remedy
    written : Path, optional
        The site file that the recommended design is written to.
    alone : bool
        Whether no other site is sized beside it, as `--write` wants it.
    """
    console = results_console(markup=False, soft_wrap=True)
    inquiry, own = answer.inquiry, answer.own
    console.print()
    console.print(
        f"{inquiry.name} as it is ({_size_told(own)}), {_years_told(inquiry.years)}, "
        f"steps of {inquiry.step_s // 60} min"
    )
    console.print(f"  {verdict(own, inquiry.targets, helping)}")
    shown = own
    if inquiry.axes:
        shown = answer.recommended
        console.print(_choice(answer))
        for line in announcements(shown.design.site):
            console.print(f"  {line}")
    file = _file_of(answer, shown, written)
    first = ""
    if not file:
        first = f", once --write {NO_FILE} has made its file"
        if not alone:
            first = f", size that site alone with --write {NO_FILE}, then"
    console.print(f"  {worst_told(shown)}; to see it{first}:")
    console.print(f"  {run_command(shown, file or NO_FILE, inquiry.step_s)}")
    if unsolved := unsolved_steps([own, *answer.designs]):
        console.print(f"  {unsolved} steps of all these years could not be solved; please report this")


def print_load(told: str) -> None:
    """What load the site as it is carries, by `verdict.load_told`."""
    results_console(markup=False, soft_wrap=True).print(f"  {told}")


def print_place(answer: Answer) -> None:
    """The answer for one of many places, in a line."""
    console = results_console(markup=False, soft_wrap=True)
    one = answer.recommended
    values = (
        f"as it is, {_size_told(one)}"
        if answer.own_is_best
        else ", ".join(_values_told(answer)) or _size_told(one)
    )
    will_do = "" if answer.best or answer.own_is_best else ", none will do; the nearest"
    console.print(
        f"{answer.inquiry.name}{will_do}: {values}; {outages_told(one)}; {money(one.cost)} {one.costs.currency}"
    )


def _values_told(answer: Answer) -> list[str]:
    """The values of the recommended design."""
    values = answer.nearest.design.values
    return [
        f"{axis.heading} {axis.formatted(value)}"
        for axis, value in zip(answer.inquiry.axes, values, strict=False)
    ]


def _choice(answer: Answer) -> str:
    inquiry = answer.inquiry
    one = answer.nearest
    values = ", ".join(_values_told(answer))
    target = targets_text(inquiry.targets)
    if answer.own_is_best:
        return f"  The cheapest that will do: the site as it is, {_cost_told(answer.own)}; {_dearer(answer)}"
    if answer.best is None:
        return f"  None of these designs will do ({target}). The nearest: {values}; {outages_told(one)}"
    cost = f"{_cost_told(one)} ({more_told(one, answer.own)})"
    return f"  The cheapest that will do: {values}; {outages_told(one)}; {cost}"


def _dearer(answer: Answer) -> str:
    """What there is to say of the others where the site as it is is the cheapest that will do."""
    if answer.best is None:
        return "none of the other designs will do"
    dearer = more_told(answer.best, answer.own)
    return f"none of these is cheaper; the cheapest is {', '.join(_values_told(answer))} ({dearer})"


def _cost_told(one: Judged) -> str:
    return f"{money(one.cost)} {one.costs.currency} over {formatted_years(one.costs.years)}"


def _size_told(one: Judged) -> str:
    site = one.design.site
    return f"{peak_w(site):.0f} W, {site.battery.capacity_ah:g} Ah"


def _years_told(years: Sequence[WeatherYear]) -> str:
    seeds = list(dict.fromkeys(when.seed for when in years))
    numbers = [when.year for when in years if when.seed == seeds[0]]
    span = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    named = f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds from {seeds[0]}"
    return f"{formatted_years(len(years))} of weather ({span}, {named})"


def _file_of(answer: Answer, one: Judged, written: Path | None) -> str:
    """The file to run; nothing for a design that is in none."""
    if not one.design.overrides:
        return answer.inquiry.base.name
    return str(written) if written is not None and one is answer.recommended else ""
