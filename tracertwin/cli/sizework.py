"""The work of a sweep: done here or on a cluster, as a whole or in shares, and shown on stderr as it goes.

How far it is and how long it will still take is a bar on a terminal, a line now and then elsewhere.
"""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from plant.base.problems import Problem, ProblemsError
from tracertwin.checking.many import default_jobs
from tracertwin.cli.options import say
from tracertwin.cli.sizereport import Further, report_answers, tell
from tracertwin.cli.tables.sizeanswer import print_place
from tracertwin.memory.skies import KeptSkies
from tracertwin.sizing.choosing.inquiry import Answer, Inquiry, answered
from tracertwin.sizing.choosing.rows import rows_of, write_rows
from tracertwin.sizing.choosing.sitefile import write_site
from tracertwin.sizing.sweep.cluster import run_on_cluster
from tracertwin.sizing.sweep.results import KeptResults
from tracertwin.sizing.sweep.running import run_in_threads
from tracertwin.sizing.sweep.worklist import Share, Work, WorkItem

QUIET_S: Final = 3.0  # what takes no longer needs no line
EVERY_S: Final = 15.0


class Run:
    """Does items, here in threads or on a cluster, and shows how far they are."""

    def __init__(self, jobs: int | None, cluster: str | None) -> None:
        self.threads, self._cluster = jobs or default_jobs(), cluster
        self.skies = KeptSkies()

    def __call__(self, work: Work, items: Sequence[WorkItem], results: KeptResults) -> None:
        with _progress_of(items) as heard:
            if self._cluster is None:
                run_in_threads(work, items, results, self.threads, self.skies, heard)
            else:
                run_on_cluster(work, items, results, self._cluster, heard)


class Job(NamedTuple):
    """How the work is done."""

    results: KeptResults
    run: Run
    whole: bool  # every design; otherwise the cheapest is searched for
    share: Share | None
    merge: bool


def size_sites(inquiries: Sequence[Inquiry], job: Job, further: Further, out: Path | None) -> bool:
    """A table of all designs, for each site the answer in words, and then the files; whether each meets the targets."""
    if job.share is not None:
        for place, inquiry in enumerate(inquiries):
            _do_share(inquiry, place, job)
        return True
    for inquiry in inquiries:
        _check_all_there(inquiry, job)
    answers = [_answer(inquiry, job, out) for inquiry in inquiries]
    judges = [inquiry.judge(job.results, job.run) for inquiry in inquiries]
    tell(answers, judges, further)
    if out is not None:
        write_rows(out, [row for answer in answers for row in rows_of(answer)])
    if further.written is not None:
        write_site(further.written, answers[0].recommended, answers[0].inquiry.base)
    if further.report is not None:
        report_answers(further.report, answers, judges, further.load, job.run.skies, job.run.threads)
    return all(answer.reached for answer in answers)


def size_places(inquiries: Iterable[Inquiry], job: Job, out: Path | None) -> bool:
    """A line for each place, one by one as thousands wouldn't fit at once; whether each meets the targets."""
    rows, reached = [], True
    for place, inquiry in enumerate(inquiries):
        here = job._replace(results=KeptResults(job.results.own_folder))  # which holds what came by in memory
        if job.share is not None:
            _do_share(inquiry, place, here)
            continue
        _check_all_there(inquiry, here)
        answer = _answer(inquiry, here, out)
        rows += rows_of(answer)
        print_place(answer)
        reached = reached and answer.reached
    if out is not None and job.share is None:
        write_rows(out, rows)
    return reached


def _answer(inquiry: Inquiry, job: Job, out: Path | None) -> Answer:
    return answered(inquiry, inquiry.judge(job.results, job.run), job.whole or out is not None)


def _do_share(inquiry: Inquiry, place: int, job: Job) -> None:
    assert job.share is not None
    work = inquiry.work()
    items = job.share.items(work.items, place)
    missing = work.missing(items, job.results)
    job.run(work, missing, job.results)
    print(
        f"{inquiry.name}: share {job.share.number} of {job.share.of}, {len(items)} of {len(work.items)} results, "
        f"{len(missing)} of them new"
    )


def _check_all_there(inquiry: Inquiry, job: Job) -> None:
    """With `--merge`: that shares have done everything.

    Raises
    ------
    ProblemsError
        Saying how much is missing, and whether files were spoiled.
    """
    if not job.merge:
        return
    work = inquiry.work()
    if missing := work.missing(work.items, job.results):
        spoiled = sum(job.results.spoiled(item.key) for item in missing)
        broken = f", {spoiled} of them cut off or changed" if spoiled else ""
        message = (
            f"lacks {len(missing)} of the {len(work.items)} results of {inquiry.name}{broken}: run the missing shares "
            "with the same options and the same version, or leave out --merge"
        )
        raise ProblemsError([Problem(str(job.results.folder), 0, "", message)])


@contextmanager
def _progress_of(items: Sequence[WorkItem]) -> Iterator[Callable[[WorkItem], None]]:
    """What is to be told of each item that is done."""
    whole = sum(len(item.years) for item in items)
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("design-years"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=whole)
            yield lambda item: bar.advance(task, len(item.years))
        return
    begun = told = time.monotonic()
    done = 0

    def heard(item: WorkItem) -> None:
        nonlocal done, told
        done += len(item.years)
        now = time.monotonic()
        wait_s = QUIET_S if told == begun else EVERY_S
        if now - told >= wait_s and done < whole:
            told = now
            say(f"{done} of {whole} design-years, {_left((now - begun) / done * (whole - done))} left")

    yield heard


def _left(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
