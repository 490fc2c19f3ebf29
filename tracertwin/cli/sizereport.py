"""The report of a sweep: what it needs beyond the answers is run here, the years of the chosen design once more."""

import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plant.inputs import Skies
    from tracertwin.sizing.choosing.inquiry import Answer
    from tracertwin.sizing.choosing.judged import Judge, Judged
    from tracertwin.sizing.figures.hours import YearHours


def report_answers(
    path: Path, answers: "Sequence[Answer]", judges: "Sequence[Judge]", skies: "Skies", threads: int
) -> None:
    """Write the page of some answers.

    Parameters
    ----------
    path : Path
    answers : sequence of Answer
    judges : sequence of Judge
        One for each of them.
    skies : callable
        As of `plant.inputs.Supply`.
    threads : int

    Raises
    ------
    ProblemsError
        If the file can't be written.
    """
    from tracertwin.sizing.choosing.remedies import remedies
    from tracertwin.sizing.choosing.sensitivity import sensitivities
    from tracertwin.sizing.choosing.targets import met
    from tracertwin.sizing.choosing.verdict import verdict
    from tracertwin.sizing.report.document import write_report
    from tracertwin.sizing.report.study import Study, chosen_answer
    from tracertwin.sizing.sweep.stepbounds import bound_told
    from tracertwin.versions import installed

    answer = chosen_answer(tuple(answers))
    judge = next(judge for other, judge in zip(answers, judges, strict=True) if other is answer)
    inquiry, own = answer.inquiry, answer.own
    enough = met(inquiry.targets, own.metrics)
    helping = () if enough else remedies(inquiry.base, own, inquiry.targets, judge.judge_one)
    study = Study(
        answers=tuple(answers),
        verdict=verdict(own, inquiry.targets, helping),
        hours=_hours_of(answer.nearest, inquiry.step_s, skies, threads),
        sensitivities=tuple(sensitivities(inquiry.base, answer.nearest, judge.judge)),
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
