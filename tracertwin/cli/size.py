"""The verb that sizes: many designs through many weather years, the cheapest that will do, and what would help."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, cast

import typer

from tracertwin.cli.options import check_file, checked, number, one_of, say, stoppable
from tracertwin.cli.sizereport import Further
from tracertwin.exitcodes import BAD_INPUT, BAD_RESULT, GOOD, STOPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracertwin.cli.sizework import Job
    from tracertwin.sizing.choosing.inquiry import Inquiry
    from tracertwin.sizing.choosing.targets import Targets
    from tracertwin.sizing.sweep.places import PlaceRow
    from tracertwin.sizing.sweep.vary import Axis
    from tracertwin.sizing.sweep.worklist import Share

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
            metavar="SEEDS", help="Seeds for weather and load: 1..5, 7 or 1,5,9. Default: the site's."
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
            metavar="DIR",
            help="Keep results in this folder. Default: sizing in the cache, ~/.cache/tracertwin or TRACERTWIN_CACHE.",
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
            help="Run no design of the sweep: answer from the results that shards have left in --results. Only "
            "--solve, --sensitivity, --report and the search for improvements still run.",
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
    """Size a plant: run designs through many weather years and find the cheapest that meets the targets."""
    from tracertwin.checking.many import parse_seeds
    from tracertwin.cli.runoptions import parse_step_s
    from tracertwin.sizing.choosing.targets import targets_of

    named, further = sites or ["cabin"], Further(sensitivity, solve is not None, write, report)
    _check_files(out, report)
    _check_written(write, named)
    share = _share(shard, merge, results)
    questions = _Questions(
        axes=_axes(vary or [], pv or [], battery or []),
        overrides=_overrides(override or []),
        years=years,
        seeds=() if seeds is None else checked("--seeds", seeds, parse_seeds),
        step_s=checked("--step", step, partial(parse_step_s, fidelity="sizing")),
        targets=targets_of(lolp, lpsp, no_outage_in),
        is_search=any(limit is not None for limit in (lolp, lpsp, no_outage_in)),
    )
    table = _table(named, further)
    whole = bool(grid or merge or report or cluster or not questions.is_search)
    return _size(questions, named, table, _job(results, jobs, cluster, whole, share, merge), further, out)


class _Questions(NamedTuple):
    """What is asked of every site."""

    axes: "tuple[Axis, ...]"
    overrides: "dict[str, Any]"
    years: int | None
    seeds: tuple[int, ...]
    step_s: int
    targets: "Targets"
    is_search: bool  # whether the targets are the user's

    def of(self, place: "PlaceRow") -> "Inquiry":
        """The inquiry about one site."""
        from tracertwin.sizing.choosing.inquiry import inquiry_of

        return inquiry_of(
            place.site,
            place.overrides,
            self.axes,
            self.years,
            self.seeds,
            self.step_s,
            self.targets,
            place.blamed,
        )


def _size(
    questions: _Questions,
    named: list[str],
    table: Path | None,
    job: "Job",
    further: Further,
    out: Path | None,
) -> int:
    """Ask about every site, or every row of a table; the exit code."""
    from tracertwin.cli.building import announce_compiling
    from tracertwin.cli.sizework import size_places, size_sites
    from tracertwin.sizing.choosing.inquiry import asked_of, check_places

    places = _places(named, table, questions.overrides)
    announce_compiling()
    reached = None
    with stoppable():
        if table is None:
            reached = size_sites([asked_of(place, questions.of) for place in places], job, further, out)
        else:
            check_places(places, questions.of)
            reached = size_places(map(questions.of, places), job, out)
    if reached is None:
        say(f"stopped; results so far are in {job.results.folder}; run the same command again to continue")
        return STOPPED
    # Without a target of the user's there is none to miss.
    if reached or not questions.is_search:
        return GOOD
    # No design of these ranges can be the answer; or the site's own verdict is No.
    return BAD_INPUT if questions.axes else BAD_RESULT


def _share(shard: str | None, merge: bool, results: Path | None) -> "Share | None":
    """The share of the work that is to be done; none: all of it."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.sizing.sweep.worklist import parse_share

    share = None if shard is None else checked("--shard", shard, parse_share)
    if share and merge:
        what = "does a share of the work, --merge answers when all are done; give one of them"
        raise ProblemsError([Problem("--shard", 0, "", what)])
    if (share or merge) and results is None:
        raise ProblemsError([Problem("--shard" if share else "--merge", 0, "", "needs --results DIR")])
    return cast("Share | None", share)


def _table(named: list[str], further: Further) -> Path | None:
    """The table of sites that is given in place of sites."""
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.sizing.sweep.places import SUFFIX

    if not named[0].endswith(SUFFIX):
        return None
    if len(named) > 1 or any(further):
        what = "stands alone, without --write, --report, --solve and --sensitivity: it has a site in each row"
        raise ProblemsError([Problem(named[0], 0, "", what)])
    return Path(named[0])


def _places(named: list[str], table: Path | None, overrides: "dict[str, Any]") -> "Sequence[PlaceRow]":
    from tracertwin.sizing.sweep.places import PlaceRow, read_places

    if table is not None:
        return read_places(table, overrides)
    blamed, several = dict.fromkeys(overrides, "--override"), len(named) > 1
    return [PlaceRow(name, overrides, blamed, name if several else "") for name in named]


def _job(
    results: Path | None,
    jobs: int | None,
    cluster: str | None,
    whole: bool,
    share: "Share | None",
    merge: bool,
) -> "Job":
    from tracertwin.cli.sizework import Job, Run
    from tracertwin.sizing.sweep.results import KeptResults

    return Job(KeptResults(results), Run(jobs, cluster), whole, share, merge)


def _check_files(out: Path | None, report: Path | None) -> None:
    """Check that tables and page can be written, before the run that fills them."""
    from plant.report.trace import TABLES

    check_file("--out", out, TABLES)
    check_file("--report", report, (".html",))


def _check_written(write: Path | None, named: list[str]) -> None:
    """Check that the recommended design can be written, and not over the site that it is made out of."""
    if write is None:
        return
    from plant.base.problems import Problem, ProblemsError

    check_file("--write", write, (".yaml", ".yml"))
    why = ""
    if len(named) > 1:
        why = f"writes one site; {len(named)} are given"
    elif write.exists() and Path(named[0]).exists() and write.samefile(named[0]):
        why = f"{write} is the site itself; write to another file"
    if why:
        raise ProblemsError([Problem("--write", 0, "", why)])


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
