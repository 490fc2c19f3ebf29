"""The verb that sizes: many designs through many weather years, the cheapest that will do, and what would help."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from tracertwin.cli.options import check_folder, checked, number, one_of, say, stoppable
from tracertwin.cli.sizereport import Further, report_answers, tell
from tracertwin.exitcodes import GOOD, STOPPED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracertwin.sizing.choosing.inquiry import Answer, Inquiry
    from tracertwin.sizing.sweep.results import KeptResults
    from tracertwin.sizing.sweep.vary import Axis
    from tracertwin.sizing.sweep.worklist import Share, Work, WorkItem

DEFAULT_STEP = "30min"


def size(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SITE...",
            help="Sites of config/sites by name, or paths of site files, shown side by side; or a table (.csv) with a "
            "site in each row.",
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
        list[str] | None,
        typer.Option(
            metavar="WATTS",
            help="Try arrays of these watts, of modules like the site's: 200:800:100, or 200,400.",
        ),
    ] = None,
    battery: Annotated[
        list[str] | None,
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
            help="Least share of years without an outage. Default: 0.95, unless another target is given.",
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
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Do the work on a Dask cluster: tcp://HOST:8786, or the path of a scheduler file.",
        ),
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
            "--merge",
            help="Run no design of the sweep: answer from the results that shards have left in --results. Only what "
            "would help a site that will not do, --solve, --sensitivity and --report still run.",
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write every design with all metrics to this file (.csv, .parquet)."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page for people, with the answer, charts and inputs (.html). Runs every design.",
        ),
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the recommended design, or the nearest, to this site file (.yaml).",
        ),
    ] = None,
) -> int:
    """Size a plant: run designs through many weather years and find the cheapest that will do."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.checking.many import parse_seeds
    from tracertwin.cli.building import announce_compiling
    from tracertwin.cli.runoptions import parse_step_s
    from tracertwin.sizing.choosing.inquiry import Inquiry, asked_of, check_places, inquiry_of
    from tracertwin.sizing.choosing.targets import targets_of
    from tracertwin.sizing.sweep.places import SUFFIX, PlaceRow, read_places
    from tracertwin.sizing.sweep.results import KeptResults
    from tracertwin.sizing.sweep.worklist import parse_share

    named = sites or ["cabin"]
    _check_files(out, report)
    _check_written(write, named)
    share = None if shard is None else checked("--shard", shard, parse_share)
    if share and merge:
        what = "does a share of the work, --merge answers when all are done; give one of them"
        raise ProblemsError([Problem("--shard", 0, "", what)])
    if (share or merge) and results is None:
        raise ProblemsError([Problem("--shard" if share else "--merge", 0, "", "needs --results DIR")])
    axes = _axes(vary or [], pv or [], battery or [])
    overrides = _overrides(override or [])
    wanted = () if seeds is None else checked("--seeds", seeds, parse_seeds)
    step_s = checked("--step", step, partial(parse_step_s, fidelity="sizing"))
    targets = targets_of(lolp, lpsp, no_outage_in)
    searched = any(limit is not None for limit in (lolp, lpsp, no_outage_in))
    table = Path(named[0]) if named[0].endswith(SUFFIX) else None
    if table is not None and (len(named) > 1 or write or report or solve or sensitivity):
        what = "stands alone, without --write, --report, --solve and --sensitivity: it has a site in each row"
        raise ProblemsError([Problem(str(table), 0, "", what)])
    blamed, several = dict.fromkeys(overrides, "--override"), len(named) > 1
    rows = [PlaceRow(name, overrides, blamed, name if several else "") for name in named]
    places = rows if table is None else read_places(table, overrides)
    announce_compiling()

    def asked(place: PlaceRow) -> Inquiry:
        return inquiry_of(place.site, place.overrides, axes, years, wanted, step_s, targets, place.blamed)

    run, kept = _Run(jobs, cluster), KeptResults(results)
    whole = bool(grid or merge or report or cluster or not searched)
    job = _Job(kept, run, whole, share, merge)
    further = Further(sensitivity, solve is not None, write, report)
    done = False
    with stoppable():
        if table is None:
            _size_sites([asked_of(place, asked) for place in places], job, further, out)
        else:
            check_places(places, asked)
            _size_places(map(asked, places), job, out)
        done = True
    if not done:
        say(f"stopped; results so far are in {kept.folder}; run the same command again to continue")
        return STOPPED
    return GOOD


def _check_files(out: Path | None, report: Path | None) -> None:
    """Check that tables and page can be written, before the run that fills them."""
    from plant.report.trace import TABLES, check_suffix

    for option, path, endings in (("--out", out, TABLES), ("--report", report, (".html",))):
        if path is not None:
            check_suffix(path, endings)
            check_folder(option, path)


def _check_written(write: Path | None, named: list[str]) -> None:
    """Check that the recommended design can be written, and not over the site that it is made out of."""
    if write is None:
        return
    from plant.base.problems import Problem, ProblemsError
    from plant.report.trace import check_suffix

    check_suffix(write, (".yaml", ".yml"))
    check_folder("--write", write)
    why = ""
    if len(named) > 1:
        why = f"writes one site; {len(named)} are given"
    elif write.exists() and Path(named[0]).exists() and write.samefile(named[0]):
        why = f"{write} is the site itself; write to another file"
    if why:
        raise ProblemsError([Problem("--write", 0, "", why)])


class _Job(NamedTuple):
    """How the work is done."""

    results: "KeptResults"
    run: "_Run"
    whole: bool  # every design; otherwise the cheapest is searched for
    share: "Share | None"
    merge: bool


class _Run:
    """Does items, here in threads or on a cluster, and shows how far they are."""

    def __init__(self, jobs: int | None, cluster: str | None) -> None:
        from tracertwin.checking.many import default_jobs
        from tracertwin.memory.skies import KeptSkies

        self.threads, self._cluster = jobs or default_jobs(), cluster
        self.skies = KeptSkies()

    def __call__(self, work: "Work", items: "Sequence[WorkItem]", results: "KeptResults") -> None:
        from tracertwin.cli.sizeprogress import progress_of
        from tracertwin.sizing.sweep.cluster import run_on_cluster
        from tracertwin.sizing.sweep.running import run_in_threads

        with progress_of(items) as heard:
            if self._cluster is None:
                run_in_threads(work, items, results, self.threads, self.skies, heard)
            else:
                run_on_cluster(work, items, results, self._cluster, heard)


def _overrides(texts: list[str]) -> "dict[str, Any]":
    """Keys and their values; a key twice is a slip where the values differ."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.sizing.sweep.vary import parse_override

    values: dict[str, Any] = {}
    for key, value in (checked("--override", text, parse_override) for text in texts):
        if values.setdefault(key, value) != value:
            raise ProblemsError(
                [Problem("--override", 0, "", f"{key} is given twice: {values[key]!r} and {value!r}")]
            )
    return values


def _axes(vary: list[str], pv: list[str], battery: list[str]) -> "tuple[Axis, ...]":
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.sizing.sweep.vary import BATTERY, PV, Axis, check_axes, parse_axis, parse_numbers

    axes = []
    for option, key, texts in (("--pv", PV, pv), ("--battery", BATTERY, battery)):
        if len(texts) > 1:
            why = f"is given {len(texts)} times; give all values at once: {option} {','.join(texts)}"
            raise ProblemsError([Problem(option, 0, "", why)])
        axes += [Axis(key, checked(option, text, parse_numbers), option) for text in texts]
    axes += [checked("--vary", text, parse_axis) for text in vary]
    checked("--vary", axes, check_axes)
    return tuple(axes)


def _size_sites(inquiries: "Sequence[Inquiry]", job: _Job, further: Further, out: Path | None) -> None:
    """A table of all designs, for each site the answer in words, and then the files."""
    from tracertwin.sizing.choosing.rows import rows_of, write_rows
    from tracertwin.sizing.choosing.sitefile import write_site

    if job.share is not None:
        for place, inquiry in enumerate(inquiries):
            _do_share(inquiry, place, job)
        return
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


def _size_places(inquiries: "Iterable[Inquiry]", job: _Job, out: Path | None) -> None:
    """A line for each place, one after the other: thousands of them with all their designs wouldn't fit at once."""
    from tracertwin.cli.tables.sizeanswer import print_place
    from tracertwin.sizing.choosing.rows import rows_of, write_rows
    from tracertwin.sizing.sweep.results import KeptResults

    rows = []
    for place, inquiry in enumerate(inquiries):
        here = job._replace(results=KeptResults(job.results.own_folder))  # which holds what came by in memory
        if job.share is not None:
            _do_share(inquiry, place, here)
            continue
        _check_all_there(inquiry, here)
        answer = _answer(inquiry, here, out)
        rows += rows_of(answer)
        print_place(answer)
    if out is not None and job.share is None:
        write_rows(out, rows)


def _answer(inquiry: "Inquiry", job: _Job, out: Path | None) -> "Answer":
    from tracertwin.sizing.choosing.inquiry import answered

    return answered(inquiry, inquiry.judge(job.results, job.run), job.whole or out is not None)


def _do_share(inquiry: "Inquiry", place: int, job: _Job) -> None:
    assert job.share is not None
    work = inquiry.work()
    items = job.share.items(work.items, place)
    missing = work.missing(items, job.results)
    job.run(work, missing, job.results)
    print(
        f"{inquiry.name}: share {job.share.number} of {job.share.of}, {len(items)} of {len(work.items)} results, "
        f"{len(missing)} of them new"
    )


def _check_all_there(inquiry: "Inquiry", job: _Job) -> None:
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
        from plant.base.problems import Problem, ProblemsError

        spoiled = sum(job.results.spoiled(item.key) for item in missing)
        broken = f", {spoiled} of them cut off or changed" if spoiled else ""
        message = (
            f"lacks {len(missing)} of the {len(work.items)} results of {inquiry.name}{broken}: run the missing shares "
            "with the same options and the same version, or leave out --merge"
        )
        raise ProblemsError([Problem(str(job.results.folder), 0, "", message)])
