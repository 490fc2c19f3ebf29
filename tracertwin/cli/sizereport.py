"""The answers of a sweep told, in the terminal and as a page: what they need beyond the designs is run here."""

import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from plant.inputs import Skies
    from tracertwin.sizing.choosing.inquiry import Answer
    from tracertwin.sizing.choosing.judged import Judge, Judged
    from tracertwin.sizing.choosing.remedies import Remedy
    from tracertwin.sizing.figures.hours import YearHours


class Further(NamedTuple):
    """What is asked beyond the table."""

    sensitivity: bool
    load: bool
    written: Path | None  # the recommended design
    report: Path | None


def tell(answers: "Sequence[Answer]", judges: "Sequence[Judge]", asked: Further) -> None:
    """Print the table of designs, and for each site the answer in words.

    Parameters
    ----------
    answers : sequence of Answer
    judges : sequence of Judge
        One for each of them.
    asked : Further
    """
    from tracertwin.cli.tables.sizeanswer import print_answer, print_load
    from tracertwin.cli.tables.sizetable import print_designs, print_sensitivities
    from tracertwin.sizing.choosing.sensitivity import sensitivities

    print_designs(answers)
    for answer, judge in zip(answers, judges, strict=True):
        print_answer(answer, _helping(answer, judge), asked.written, alone=len(answers) == 1)
        if asked.load:
            print_load(_load(answer, judge))
        if asked.sensitivity:
            print_sensitivities(answer, sensitivities(answer.inquiry.base, answer.nearest, judge.judge))


def _helping(answer: "Answer", judge: "Judge") -> "Sequence[Remedy]":
    """What would help the site as it is, if it needs help."""
    from tracertwin.sizing.choosing.remedies import remedies
    from tracertwin.sizing.choosing.targets import met

    inquiry, own = answer.inquiry, answer.own
    return (
        ()
        if met(inquiry.targets, own.metrics)
        else remedies(inquiry.base, own, inquiry.targets, judge.judge_one)
    )


def _load(answer: "Answer", judge: "Judge") -> str:
    """What load the site as it is carries, in a sentence."""
    from tracertwin.sizing.choosing.remedies import load_carried
    from tracertwin.sizing.choosing.verdict import asks_for_nothing, load_told

    inquiry, design = answer.inquiry, answer.own.design
    carried = (
        None
        if asks_for_nothing(answer.own)
        else load_carried(inquiry.base, design, inquiry.targets, judge.judge_one)
    )
    return load_told(answer, carried)


def report_answers(
    path: Path,
    answers: "Sequence[Answer]",
    judges: "Sequence[Judge]",
    load: bool,
    skies: "Skies",
    threads: int,
) -> None:
    """Write the page of some answers.

    Parameters
    ----------
    path : Path
    answers : sequence of Answer
    judges : sequence of Judge
        One for each of them.
    load : bool
        Whether to say what load the chosen site as it is carries.
    skies : callable
        As of `plant.inputs.Supply`.
    threads : int

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    from tracertwin.sizing.choosing.sensitivity import sensitivities
    from tracertwin.sizing.choosing.verdict import verdict
    from tracertwin.sizing.report.document import write_report
    from tracertwin.sizing.report.study import Study, chosen_answer
    from tracertwin.sizing.sweep.stepbounds import bound_told
    from tracertwin.versions import installed

    answer = chosen_answer(tuple(answers))
    judge = next(judge for other, judge in zip(answers, judges, strict=True) if other is answer)
    inquiry = answer.inquiry
    study = Study(
        answers=tuple(answers),
        verdict=verdict(answer.own, inquiry.targets, _helping(answer, judge)),
        load=_load(answer, judge) if load else "",
        hours=_hours_of(answer.nearest, inquiry.step_s, skies, threads),
        changed=tuple(sensitivities(inquiry.base, answer.nearest, judge.judge)),
        step_note=bound_told(inquiry.step_s),
        command=shlex.join(["tracertwin", *sys.argv[1:]]),
        version=installed("tracertwin"),
    )
    write_report(path, study)


def _hours_of(one: "Judged", step_s: int, skies: "Skies", threads: int) -> "tuple[YearHours, ...]":
    """The years of a design hour by hour: sums by month are all that is kept of them."""
    from tracertwin.sizing.sweep.evaluating import run_years
    from tracertwin.sizing.sweep.shareddays import SharedDays
    from tracertwin.sizing.sweep.years import WeatherYear, runs_of

    site, days = one.design.site, SharedDays(skies)

    def hours(run: tuple[WeatherYear, ...]) -> "list[YearHours]":
        return [year.hours for year in run_years(site, run, step_s, days)]

    with ThreadPoolExecutor(threads, thread_name_prefix="report") as pool:
        return tuple(chain.from_iterable(pool.map(hours, runs_of(site, one.years))))
