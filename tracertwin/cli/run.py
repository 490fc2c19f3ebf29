"""The verbs that run a plant by itself: in batch, as a demonstration, on a test bench."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from plant.base.clock import FASTEST
from tracertwin.assembly.options import parse_address
from tracertwin.cli.building import build, said_unsolved, site_of
from tracertwin.cli.options import (
    Seed,
    SiteName,
    Start,
    Web,
    check_file,
    checked,
    number,
    one_of,
    say,
    seconds,
    stoppable,
)
from tracertwin.exitcodes import BAD_RESULT, GOOD

if TYPE_CHECKING:
    from plant.plant import Plant


def demo(
    site: SiteName = "cabin",
    days: Annotated[
        float | None,
        typer.Option(
            parser=number(float, 0.01, 3650),
            metavar="N",
            help="Number of plant days to show. Default: 1; with --web until it is stopped.",
        ),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            parser=number(float, 1, FASTEST),
            metavar="X",
            help="Run the plant at X times real time. Default: 1440; with --web 60.",
        ),
    ] = None,
    start: Start = None,
    seed: Seed = None,
    web: Web = None,
) -> int:
    """Demonstrate plant and line. The plant dials a stand-in for your firmware; one day takes a minute."""
    plants: list[Plant] = []
    address = None if web is None else checked("--web", web, parse_address)
    with stoppable():
        plants.append(build(site, start, seed))
        if address is None:
            from tracertwin.cli.demo import run_demo

            run_demo(plants[0], days or 1.0, speed or 1440.0)
        else:
            from tracertwin.cli.demo import PAGE_SPEED, run_demo_page

            run_demo_page(plants[0], days, speed or PAGE_SPEED, address, site)
    return said_unsolved(plants)


def run(
    site: SiteName = "cabin",
    start: Start = None,
    days: Annotated[
        float,
        typer.Option(parser=number(float, 0.001, 36500), metavar="N", help="Length of the run in days."),
    ] = 1.0,
    fidelity: Annotated[
        str,
        typer.Option(
            parser=one_of("detailed", "sizing"),
            metavar="KIND",
            help="detailed: steps of 5 s, as in serve. sizing: longer steps and a simpler battery, for long runs.",
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
            "Default: 60s; 10min for runs over 31 days, 1h over 366; at least the step.",
        ),
    ] = None,
    seed: Seed = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all samples to this file (.csv, .parquet).")
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Plot the run (.html, .svg, .png); daily values if it is longer than 10 days.",
        ),
    ] = None,
    iv: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --plot: show the array's current and power against voltage at this local time instead.",
        ),
    ] = None,
) -> int:
    """Simulate a plant, without Modbus. Runs as fast as possible and prints a summary; exit code 1 if a step failed."""
    import numpy as np

    from plant.base.clock import DAY_S
    from plant.base.problems import Problem, ProblemsError
    from plant.report.summary import print_summary
    from plant.report.trace import PICTURES, TABLES, Trace
    from tracertwin.cli.runoptions import check_weather, default_sample_s, parse_moment, parse_sample_s

    check_file("--out", out, TABLES)
    check_file("--plot", plot, PICTURES)
    if iv is not None and plot is None:
        raise ProblemsError([Problem("--iv", 0, "", "needs --plot FILE")])
    plant = build(site, start, seed, fidelity, step)
    if plant.site.neighbours:
        names = ", ".join(neighbour.name for neighbour in plant.site.neighbours)
        say(f"only {plant.site.name} runs here; serve has {names} on the same line")
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
    return BAD_RESULT if plant.overrun_steps else GOOD


def inspect(
    site: SiteName = "cabin",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> int:
    """Look over a design before it runs: what fits, what to look at, what is wrong. Exit code 1 if anything is."""
    from plant.report.designsheet import print_design

    return print_design(site_of(site), as_json)


def en50530(
    controller: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="A controller of config/controllers by name, or the path of a file."
        ),
    ] = "tracer4210n",
    technology: Annotated[
        str, typer.Option(metavar="KIND", help="Module technology of the PV generator: c-si or thin-film.")
    ] = "c-si",
    tick: Annotated[
        str, typer.Option(metavar="TIME", help="Time between two measurements of the tracker; 10 ms to 10 s.")
    ] = "100ms",
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Plot ramps of 20 W/m2/s and the tracker's response (.html, .svg, .png)."
        ),
    ] = None,
) -> int:
    """Test the tracker to EN 50530. Exit code 1 if its efficiency is too low."""
    from plant.report.en50530 import run_en50530

    return run_en50530(controller, technology, seconds("--tick", tick), plot)
