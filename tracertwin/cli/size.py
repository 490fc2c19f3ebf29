"""The verb that sizes: many designs through many weather years, the cheapest that will do, and what would help."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from tracertwin.cli.options import check_folder, checked, number, one_of, say, stoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracertwin.sizing.choosing.inquiry import Answer, Inquiry
    from tracertwin.sizing.sweep.results import KeptResults
    from tracertwin.sizing.sweep.vary import Axis
    from tracertwin.sizing.sweep.worklist import Item, Share, Work

DEFAULT_STEP = "15min"


def size(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SITE...",
            help="Sites of config/sites by name, or paths of site files; several are shown side by side.",
        ),
    ] = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUES",
            help="Try these values of a key of the site: array.parallel=1:6, array.tilt_deg=30,45,60, "
            "battery.model=agm,lifepo4. Give it again for further keys; every combination is a design.",
        ),
    ] = None,
    pv: Annotated[
        str | None,
        typer.Option(
            metavar="WATTS",
            help="Try arrays of these watts, of modules like the site's: 200:800:100, or 200,400.",
        ),
    ] = None,
    battery: Annotated[
        str | None,
        typer.Option(metavar="AH", help="Try batteries of these ampere-hours: 50:400:50, or 100,200."),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Another value for a key of every site; may be given again."),
    ] = None,
    years: Annotated[
        int | None,
        typer.Option(
            parser=number(int, 1, 1000),
            metavar="N",
            help="Weather years for each seed. Default: 20, or all whole years of a weather file.",
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="SEEDS", help="Chance of weather and load: 1..5, 7 or 1,5,9. Default: the site's."
        ),
    ] = None,
    step: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="Step of the simulation: whole minutes that divide an hour, 1min to 1h."
        ),
    ] = DEFAULT_STEP,
    lolp: Annotated[
        float | None,
        typer.Option(
            parser=number(float, 0, 1),
            metavar="SHARE",
            help="At most this share of hours with unserved demand.",
        ),
    ] = None,
    lpsp: Annotated[
        float | None,
        typer.Option(
            parser=number(float, 0, 1),
            metavar="SHARE",
            help="At most this share of the demanded energy unserved.",
        ),
    ] = None,
    no_outage_in: Annotated[
        float | None,
        typer.Option(
            parser=number(float, 0, 1),
            metavar="SHARE",
            help="No outage in this share of years. Default: 0.95, unless another target is given.",
        ),
    ] = None,
    solve: Annotated[
        str | None,
        typer.Option(
            parser=one_of("load"), metavar="load", help="Find the largest load that the site carries."
        ),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Show what a tenth of light, load, capacity and prices changes."),
    ] = False,
    grid: Annotated[
        bool,
        typer.Option(
            "--grid", help="Run every design, where a target alone would only search for the cheapest."
        ),
    ] = False,
    jobs: Annotated[
        int | None,
        typer.Option(parser=number(int, 1, 512), metavar="N", help="Threads. Default: one per processor."),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep results in this folder. Default: the cache; see docs/environment.md."
        ),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Only do one of N equal shares of the work, into --results."),
    ] = None,
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Run nothing: answer from the results that shards have left in --results."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write every design with all metrics to this file (.csv, .parquet)."
        ),
    ] = None,
    write: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the recommended design to this site file.")
    ] = None,
) -> int:
    """Size a plant: run designs through many weather years and find the cheapest that will do."""
    from plant.base.problems import Problem, ProblemsError
    from plant.report.trace import TABLES, check_suffix
    from tracertwin.checking.many import parse_seeds
    from tracertwin.cli.building import announce_compiling
    from tracertwin.cli.runoptions import parse_step_s
    from tracertwin.sizing.choosing.inquiry import inquiry_of
    from tracertwin.sizing.choosing.rows import rows_of, write_rows
    from tracertwin.sizing.choosing.sitefile import write_site
    from tracertwin.sizing.choosing.targets import targets_of
    from tracertwin.sizing.sweep.results import KeptResults
    from tracertwin.sizing.sweep.vary import parse_override
    from tracertwin.sizing.sweep.worklist import parse_share

    if out is not None:
        check_suffix(out, TABLES)
    check_folder("--write", write)
    share = None if shard is None else checked("--shard", shard, parse_share)
    if (share or merge) and results is None:
        raise ProblemsError([Problem("--shard" if share else "--merge", 0, "", "needs --results DIR")])
    axes = _axes(vary or [], pv, battery)
    overrides = dict(checked("--override", text, parse_override) for text in override or [])
    wanted = () if seeds is None else checked("--seeds", seeds, parse_seeds)
    step_s = checked("--step", step, partial(parse_step_s, fidelity="sizing"))
    targets = targets_of(lolp, lpsp, no_outage_in)
    announce_compiling()
    inquiries = [
        inquiry_of(name, overrides, axes, years, wanted, step_s, targets) for name in sites or ["cabin"]
    ]
    kept = KeptResults(results)
    run = _Run(jobs)
    asked = any(limit is not None for limit in (lolp, lpsp, no_outage_in))
    done = False
    with stoppable():
        if share is not None:
            for inquiry in inquiries:
                _do_share(inquiry, share, kept, run)
        else:
            if merge:
                _check_all_there(inquiries, kept)
            whole = grid or merge or out is not None or not asked
            answers = _answers(inquiries, kept, run, whole)
            if out is not None:
                write_rows(out, [row for answer in answers for row in rows_of(answer)])
            if write is not None:
                write_site(write, answers[0].nearest, answers[0].inquiry.base)
            _tell(answers, kept, run, _Further(sensitivity, solve is not None, write))
        done = True
    if not done:
        say(f"stopped; what was done is kept in {kept.folder}, and the same command goes on from there")
        return 130
    return 0


class _Further(NamedTuple):
    """What is asked beyond the table."""

    sensitivity: bool
    load: bool
    written: Path | None  # the recommended design


class _Run:
    """Does items in threads, and shows how far they are."""

    def __init__(self, jobs: int | None) -> None:
        from tracertwin.checking.many import default_jobs
        from tracertwin.memory.skies import KeptSkies

        self._threads = jobs or default_jobs()
        self._skies = KeptSkies()

    def __call__(self, work: "Work", items: "Sequence[Item]", results: "KeptResults") -> None:
        from tracertwin.cli.sizeprogress import progress_of
        from tracertwin.sizing.sweep.running import run_in_threads

        with progress_of(items) as heard:
            run_in_threads(work, items, results, self._threads, self._skies, heard)


def _axes(vary: list[str], pv: str | None, battery: str | None) -> "tuple[Axis, ...]":
    from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis, check_axes, parse_axis, parse_numbers

    axes = []
    if pv is not None:
        axes.append(Axis(PV, checked("--pv", pv, parse_numbers), "--pv"))
    if battery is not None:
        axes.append(Axis(BATTERY, checked("--battery", battery, parse_numbers), "--battery"))
    axes += [checked("--vary", text, parse_axis) for text in vary]
    checked("--vary", axes, check_axes)
    return tuple(axes)


def _do_share(inquiry: "Inquiry", share: "Share", kept: "KeptResults", run: _Run) -> None:
    work = inquiry.work()
    items = share.items(work.items)
    missing = work.missing(items, kept)
    run(work, missing, kept)
    print(
        f"{inquiry.name}: share {share.number} of {share.of}, {len(items)} of {len(work.items)} results, "
        f"{len(missing)} of them new"
    )


def _check_all_there(inquiries: "Sequence[Inquiry]", kept: "KeptResults") -> None:
    from plant.base.problems import Problem, ProblemsError

    problems = []
    for inquiry in inquiries:
        work = inquiry.work()
        missing = work.missing(work.items, kept)
        if missing:
            spoiled = sum(kept.spoiled(item.key) for item in missing)
            broken = f", {spoiled} of them cut off or changed" if spoiled else ""
            message = (
                f"lacks {len(missing)} of the {len(work.items)} results of {inquiry.name}{broken}: do the shares that "
                "are missing with the same options, or leave out --merge"
            )
            problems.append(Problem(str(kept.folder), 0, "", message))
    if problems:
        raise ProblemsError(problems)


def _answers(inquiries: "Sequence[Inquiry]", kept: "KeptResults", run: _Run, whole: bool) -> "list[Answer]":
    from tracertwin.sizing.choosing.inquiry import answered

    return [answered(inquiry, inquiry.judge(kept, run), whole) for inquiry in inquiries]


def _tell(answers: "list[Answer]", kept: "KeptResults", run: _Run, asked: "_Further") -> None:
    """Print the table of designs, and for each site the answer in words."""
    from tracertwin.cli.tables.sizeanswer import print_answer, print_load
    from tracertwin.cli.tables.sizetable import print_designs, print_sensitivities
    from tracertwin.sizing.choosing.remedies import load_carried, remedies
    from tracertwin.sizing.choosing.sensitivity import sensitivities
    from tracertwin.sizing.choosing.targets import met

    print_designs(answers)
    for answer in answers:
        inquiry = answer.inquiry
        judge = inquiry.judge(kept, run)
        helping = (
            ()
            if met(inquiry.targets, answer.own.metrics)
            else remedies(inquiry.base, answer.own, inquiry.targets, judge.judge_one)
        )
        print_answer(answer, helping, asked.written)
        if asked.load:
            carried = load_carried(inquiry.base, answer.own.design, inquiry.targets, judge.judge_one)
            print_load(answer, carried)
        if asked.sensitivity:
            print_sensitivities(answer, sensitivities(inquiry.base, answer.nearest, judge.judge))
