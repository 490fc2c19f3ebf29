"""The verbs that run a plant for itself: in batch, for show, on a test bench."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from plant.base.clock import FASTEST
from tracertwin.cli.building import build
from tracertwin.cli.options import Seed, SiteName, Start, checked, number, one_of, seconds, stoppable


def demo(
    site: SiteName = "cabin",
    days: Annotated[
        float, typer.Option(parser=number(float, 0.01, 3650), metavar="N", help="Plant days to show.")
    ] = 1.0,
    speed: Annotated[
        float, typer.Option(parser=number(float, 1, FASTEST), metavar="X", help="Plant time over wall time.")
    ] = 1440.0,
    start: Start = None,
    seed: Seed = None,
) -> None:
    """Show it all: the plant dials in to a stand-in for your firmware, a day in a minute."""
    from tracertwin.cli.demo import run_demo

    with stoppable():
        run_demo(build(site, start, seed), days, speed)


def run(
    site: SiteName = "cabin",
    start: Start = None,
    days: Annotated[
        float, typer.Option(parser=number(float, 0.001, 36500), metavar="N", help="How long.")
    ] = 1.0,
    fidelity: Annotated[
        str,
        typer.Option(
            parser=one_of("detailed", "sizing"),
            metavar="KIND",
            help="detailed: every 5 s, as serve does. sizing: longer steps for long runs, the battery simplified.",
        ),
    ] = "detailed",
    step: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Step of a sizing run: whole minutes that divide an hour, 1min (default) to 1h.",
        ),
    ] = None,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Time between samples: a multiple of the step that divides a day. "
            "Default: 60s; 10min for runs over 31 days, 1h over 366; never less than the step.",
        ),
    ] = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all samples (.csv, .parquet).")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the run (.html, .svg, .png); by the day if over 10 days."),
    ] = None,
    iv: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Have --plot draw the array's current and power over voltage at this local time of the run instead.",
        ),
    ] = None,
) -> int:
    """Run a plant without a line, as fast as it goes, and sum it up; exit code 1 if steps could not be solved."""
    import numpy as np

    from plant.base.clock import DAY_S
    from plant.base.problems import Problem, ProblemsError
    from plant.report.summary import print_summary
    from plant.report.trace import PICTURES, TABLES, Trace, check_suffix
    from tracertwin.cli.runoptions import check_weather, default_sample_s, parse_moment, parse_sample_s

    if out is not None:
        check_suffix(out, TABLES)
    if plot is not None:
        check_suffix(plot, PICTURES)
    if iv is not None and plot is None:
        raise ProblemsError([Problem("--iv", 0, "", "needs --plot FILE to draw into")])
    plant = build(site, start, seed, fidelity, step)
    sample_s = default_sample_s(days, plant.step_s)
    if sample is not None:
        sample_s = checked("--sample", sample, partial(parse_sample_s, step_s=plant.step_s))
    end_s, zone = plant.start_utc_s + int(days * DAY_S), plant.site.location.timezone
    check_weather(plant.site, plant.start_utc_s, end_s)
    iv_s = None
    if iv is not None:
        moment = partial(
            parse_moment, timezone=zone, start_utc_s=plant.start_utc_s, end_utc_s=end_s, step_s=plant.step_s
        )
        iv_s = checked("--iv", iv, moment)
    with stoppable():
        before = plant.snapshot
        parts, chart = [], None
        if iv_s is not None and plot is not None:
            from plant.report.ivpicture import iv_picture_of

            parts.append(plant.run(iv_s - plant.t_utc_s, sample_s))
            chart = iv_picture_of(plant)
        parts.append(plant.run(end_s - plant.t_utc_s, sample_s))
        title = f"{plant.site.name}, seed {plant.seed}"
        trace = Trace(np.concatenate(parts), zone, plant.events(), title)
        try:
            print_summary(plant, trace, before)  # first: if a file fails, the run was not for nothing
        finally:  # and the other way round
            if out is not None:
                trace.write(out)
            if plot is not None:
                from plant.report.picture import picture, save

                save(chart or picture(trace), plot)
    return 1 if plant.overrun_steps else 0


def en50530(
    controller: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A controller of config/controllers by name, or the path of a file."
        ),
    ] = "tracer4210n",
    technology: Annotated[
        str, typer.Option(metavar="KIND", help="Modules of the generator: c-si or thin-film.")
    ] = "c-si",
    tick: Annotated[
        str, typer.Option(metavar="TIME", help="Between two measurements of the tracker; 10 ms to 10 s.")
    ] = "100ms",
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw ramps of 20 W/m2/s and how they are followed (.html, .svg, .png)."
        ),
    ] = None,
) -> int:
    """Put the tracker on the test bench of EN 50530; exit code 1 when it tracks too badly."""
    from plant.report.en50530 import run_en50530

    return run_en50530(controller, technology, seconds("--tick", tick), plot)
