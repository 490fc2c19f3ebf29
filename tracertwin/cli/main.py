"""The command: thin verbs over `plant` and `modbus`, one function call each.

Heavy imports stand inside the verbs, so that `serve` answers its first poll without loading what draws pictures.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from plant.base.clock import FASTEST, SLOWEST
from tracertwin.cli.options import (
    MapName,
    Seed,
    SiteName,
    Start,
    Stop,
    check_folder,
    checked,
    number,
    one_of,
    say,
    seconds,
    stoppable,
)

if TYPE_CHECKING:
    from plant.plant import Plant
    from plant.remembered import Fidelity
    from plant.site.model import Site

app = typer.Typer(
    help="A simulated off-grid solar plant that answers on a UART as an EPEVER Tracer charge controller.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def build(
    site_name: str,
    start: str | None,
    seed: int | None,
    fidelity: str = "detailed",
    step: str | None = None,
) -> "Plant":
    """A plant from a site's name and the options of the command line."""
    from plant.plant import Plant
    from tracertwin.cli.runoptions import parse_step_s

    there, start_s = site_and_start(site_name, start)
    step_s = None if step is None else checked("--step", step, partial(parse_step_s, fidelity=fidelity))
    return Plant.new(there, seed, start_s, cast("Fidelity", fidelity), step_s)


def site_and_start(site_name: str, start: str | None) -> "tuple[Site, int | None]":
    """A site and where to begin, looked at before anything takes long."""
    from modbus.line.faults.text import parse_fault
    from modbus.line.pacing import parse_pace
    from plant.base.clock import STEP_S, parse_local, to_utc_s
    from plant.base.jit import is_compiled
    from plant.site.model import load_site

    site = load_site(site_name, {"line.faults": parse_fault, "line.pace": parse_pace})
    if site.weather.file is not None:
        from plant.weather.measured.days import file_sky

        file_sky(site.weather, site.location)  # what is wrong with it is told before anything takes long
    start_s = None
    if start == "now":
        start_s = int(time.time()) // STEP_S * STEP_S
    elif start is not None:
        start_s = to_utc_s(checked("--start", start, parse_local), site.location.timezone)
    if not is_compiled():
        say("compiling the plant for this machine, once; 30 to 45 s ...")
    return site, start_s


@app.command()
def serve(
    site: SiteName = "cabin",
    link: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LINK",
            help="dial:HOST:PORT, listen:HOST:PORT, unix:PATH, unix-listen:PATH, pty:LINKNAME or "
            "serial:DEVICE[:BAUD]; repeat for several. Default: dial:127.0.0.1:1235.",
        ),
    ] = None,
    register_map: MapName = "uart2",
    unit: Annotated[
        int | None,
        typer.Option(parser=number(int, 1, 247), metavar="ID", help="Own unit id. Default: the site's."),
    ] = None,
    speed: Annotated[
        float,
        typer.Option(parser=number(float, SLOWEST, FASTEST), metavar="X", help="Plant time over wall time."),
    ] = 1.0,
    clock: Annotated[
        str,
        typer.Option(
            metavar="CLOCK",
            help="wall; polled:10s: each request moves the plant by so much, for CI; "
            "stepped: only commands move it.",
        ),
    ] = "wall",
    start: Start = None,
    seed: Seed = None,
    turnaround: Annotated[
        str, typer.Option(metavar="TIME", help="Least time to a reply; a real Tracer takes 3 to 10 ms.")
    ] = "5ms",
    stale: Annotated[
        str, typer.Option(metavar="TIME", help="Drop a request this old when a newer one waits.")
    ] = "500ms",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:P",
            help="Line fault with its probability, e.g. drop:0.05; `tracertwin faults` lists them. "
            "Repeat for several.",
        ),
    ] = None,
    upset: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:KEY=VALUE",
            help="Break something in the plant, e.g. load_short:ohm=0.05:after=10min, as the site's own upsets do; "
            "`tracertwin faults` lists them. Repeat for several.",
        ),
    ] = None,
    pace: Annotated[
        str | None,
        typer.Option(
            metavar="PACE",
            help="8/2ms: 8 bytes each 2 ms, for emulators that record. 9600: as a UART at that rate. "
            "Default: a reply at once.",
        ),
    ] = None,
    half_duplex: Annotated[
        bool,
        typer.Option(
            "--half-duplex", help="Lose what comes while a reply leaves; needs a baud rate, --pace 9600."
        ),
    ] = False,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End after this much plant time, e.g. 1d.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End when the peer has come and gone; of several links, all peers.")
    ] = False,
    control: Annotated[
        str | None,
        typer.Option(
            metavar="LINK",
            help="Take commands at listen:HOST:PORT or unix-listen:PATH while running; see tracertwin tell.",
        ),
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a journal of the run here; see tracertwin replay."),
    ] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the real endpoint of each link here once all that listen are open."
        ),
    ] = None,
    stats: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the counts of each line here at the end (JSON)."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep a sample a minute and write them at the end (.csv, .parquet)."
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Go on where this file stands, and keep plant, settings, counters and history in it (SQLite).",
        ),
    ] = None,
) -> None:
    """Answer Modbus on a line: dial in to QEMU's UART2 and be its charge controller."""
    from modbus.line.endpoint import parse_endpoint
    from modbus.line.faults.text import parse_fault
    from modbus.line.pacing import parse_pace
    from plant.base.clock import parse_polled_s
    from plant.base.problems import Problem, ProblemsError
    from plant.report.trace import TABLES, check_suffix
    from plant.site.timetable import parse_upset
    from tracertwin.assembly.options import Options
    from tracertwin.cli.runoptions import check_weather
    from tracertwin.memory.committing import plants_from, remembered, unit_ids_from
    from tracertwin.rig.serving import Rig

    if trace is not None:
        check_suffix(trace, TABLES)
    polled_s = checked("--clock", clock, parse_polled_s)
    if polled_s is not None and speed != 1.0:
        raise ProblemsError([Problem("--speed", 0, "", "goes with --clock wall only")])
    for option, path in (("--ready-file", ready_file), ("--stats", stats), ("--record", record)):
        check_folder(option, path)
    upsets = [checked("--upset", text, parse_upset) for text in upset or ()]
    options = Options(
        links=[checked("--link", text, parse_endpoint) for text in link or ["dial:127.0.0.1:1235"]],
        map_name=register_map,
        unit=unit,
        speed=speed,
        polled_s=polled_s,
        turnaround_s=seconds("--turnaround", turnaround),
        stale_s=seconds("--stale", stale),
        faults=[checked("--fault", text, parse_fault) for text in fault or ()],
        pace=checked("--pace", pace, parse_pace) if pace is not None else None,
        half_duplex=half_duplex,
        once=once,
        for_s=seconds("--for", for_) if for_ else None,
        control=checked("--control", control, parse_endpoint) if control else None,
        record=record,
        ready_file=ready_file,
        stats=stats,
        trace=trace,
    )
    if ready_file is not None:
        ready_file.unlink(missing_ok=True)  # one that a killed run left would call us ready too early
    sys.setswitchinterval(1e-4)  # a reply waits for the plant's Python at most this long, not 5 ms
    there, start_s = site_and_start(site, start)
    there = checked("--upset", upsets, there.with_upsets)
    with remembered(state) as file:
        plants = plants_from(file, there, seed, start_s, say)
        if options.for_s is not None:
            check_weather(plants[0].site, plants[0].seed, int(plants[0].t_utc_s + options.for_s))
        with Rig(plants, options, say, file, unit_ids_from(file, unit, say)) as rig:
            with stoppable():
                rig.run()
            rig.tell()


@app.command()
def tell(
    link: Annotated[
        str,
        typer.Argument(metavar="LINK", help="dial:HOST:PORT or unix:PATH, where serve --control listens."),
    ],
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="help lists them.")],
) -> None:
    """Give a command to a running serve: pause, speed 60, jump 2026-07-01T12:00, upset load_short, help ..."""
    from modbus.line.endpoint import parse_endpoint
    from tracertwin.rig.control import tell as tell_rig

    if told := tell_rig(checked("LINK", link, parse_endpoint), " ".join(command)):
        print(told)


@app.command()
def replay(
    journal: Annotated[Path, typer.Argument(metavar="FILE", help="What serve --record has written.")],
    as_master: Annotated[
        str | None,
        typer.Option(
            metavar="LINK", help="Send its requests to another device, and compare the form of the replies."
        ),
    ] = None,
    pause: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="With --as-master: between two requests. Default: as recorded."),
    ] = None,
    timeout: Annotated[
        str, typer.Option(metavar="TIME", help="With --as-master: wait for each reply.")
    ] = "1s",
    writes: Annotated[
        bool,
        typer.Option("--writes", help="With --as-master: send what changes the device, too."),
    ] = False,
    pcapng: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write its frames here for Wireshark, and do nothing else."),
    ] = None,
) -> int:
    """Run a journal again without its peers and compare every byte; exit code 1 if they differ."""
    if as_master is not None and pcapng is not None:
        from plant.base.problems import Problem, ProblemsError

        raise ProblemsError([Problem("--pcapng", 0, "", "goes without --as-master")])
    if pcapng is not None:
        from tracertwin.journal.pcapng import write_pcapng

        check_folder("--pcapng", pcapng)
        write_pcapng(journal, pcapng)
        return 0
    if as_master is not None:
        from tracertwin.journal.asmaster import Manner, print_comparison

        pause_s = None if pause is None else seconds("--pause", pause)
        manner = Manner(pause_s, seconds("--timeout", timeout), writes)
        with stoppable():
            return print_comparison(journal, as_master, manner, say)
    from plant.base.jit import is_compiled
    from tracertwin.journal.replay import print_replay

    if not is_compiled():
        say("compiling the plant for this machine, once; 30 to 45 s ...")
    return print_replay(journal, say)


@app.command()
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
    """Show it all: the plant dials in to a mock of your firmware, a day in a minute."""
    from tracertwin.cli.demo import run_demo

    with stoppable():
        run_demo(build(site, start, seed), days, speed)


@app.command()
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
) -> None:
    """Run a plant without a line, as fast as it goes, and sum it up."""
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
    check_weather(plant.site, plant.seed, end_s)
    iv_s = None
    if iv is not None:
        moment = partial(
            parse_moment, timezone=zone, start_utc_s=plant.start_utc_s, end_utc_s=end_s, step_s=plant.step_s
        )
        iv_s = checked("--iv", iv, moment)
    with stoppable():
        before = plant.snapshot
        parts = []
        if iv_s is not None and plot is not None:
            from plant.report.ivpicture import draw_iv

            parts.append(plant.run(iv_s - plant.t_utc_s, sample_s))
            draw_iv(plant, plot)
        parts.append(plant.run(end_s - plant.t_utc_s, sample_s))
        title = f"{plant.site.name}, seed {plant.seed}"
        trace = Trace(np.concatenate(parts), zone, plant.events(), title)
        if out is not None:
            trace.write(out)
        if plot is not None and iv_s is None:
            from plant.report.picture import draw

            draw(trace, plot)
        print_summary(plant, trace, before)


@app.command()
def history(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="What serve --state writes, also while it does.")
    ],
    days: Annotated[
        int | None,
        typer.Option(
            parser=number(int, 1, 100_000),
            metavar="N",
            help="The last so many. Default: 31 in the table, all in the files.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw them (.html, .svg, .png); by the day if over 10 days."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the samples, one a minute (.csv).")
    ] = None,
) -> None:
    """Print the days that a serve --state has lived through."""
    from tracertwin.memory.history import print_history

    print_history(file, days, plot, out)


@app.command()
def poll(
    link: Annotated[
        str,
        typer.Argument(
            metavar="LINK",
            help="dial:HOST:PORT, listen:HOST:PORT, unix:PATH, unix-listen:PATH or serial:DEVICE[:BAUD].",
        ),
    ],
    address: Annotated[
        str | None,
        typer.Argument(metavar="ADDRESS", help="First register, e.g. 0x3100; all of the map if left out."),
    ] = None,
    count: Annotated[
        int, typer.Argument(parser=number(int, 1, 2000), metavar="COUNT", help="How many to read, at once.")
    ] = 1,
    table: Annotated[
        str | None,
        typer.Option(
            parser=one_of("input", "holding", "coil", "discrete"),
            metavar="TABLE",
            help="input, holding, coil or discrete. Default: all; with an ADDRESS, input.",
        ),
    ] = None,
    register_map: MapName = "epever",
    unit: Annotated[int, typer.Option(parser=number(int, 0, 247), metavar="ID", help="Unit id to ask.")] = 1,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="Wait for each reply.")] = "1s",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> None:
    """Read a Tracer, real or simulated, and print names, values and units."""
    from modbus.master.poll import Question
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.cli.polltable import print_poll

    if count > 125 and table not in ("coil", "discrete"):
        raise ProblemsError([Problem("COUNT", 0, "", f"a request reads at most 125 registers, got {count}")])
    first = None if address is None else checked("ADDRESS", address, _register_address)
    question = Question(address=first, count=count, table=table)
    with stoppable():
        print_poll(link, question, register_map, unit, seconds("--timeout", timeout), as_json)


def _register_address(text: str) -> int:
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if not 0 <= address <= 0xFFFF:
        raise ValueError(f"{text!r} is no register address; write 0x3100 or 12544, 0 to 0xFFFF")
    return address


@app.command()
def registers(
    register_map: MapName = "uart2",
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="MAP MAP", help="Two maps: where firmware written for one misreads the other."),
    ] = None,
) -> None:
    """Print a register map, or where two of them differ."""
    from tracertwin.cli.registerlist import print_differences, print_map

    if diff is None:
        print_map(register_map)
    else:
        print_differences(*diff)


@app.command()
def faults() -> None:
    """Print what can break: line faults and upsets, for --fault, --upset, tell and the site file."""
    from tracertwin.cli.faultlist import print_faults

    print_faults()


@app.command()
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


def main() -> None:
    """Entry point: bad input is told in one line a problem and ends with exit code 2."""
    from modbus.line.endpoint import LinkError
    from plant.base.problems import ProblemsError

    # Typer carries its own click since 0.21; this is the base of its usage errors, whichever click that is.
    usage_error: type[Exception] = typer.BadParameter.__mro__[2]
    if len(sys.argv) == 1:
        sys.argv.append("--help")

    try:
        code = app(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except usage_error as error:
        say(" ".join(error.format_message().split()))  # type: ignore[attr-defined]
        sys.exit(2)
    except ProblemsError as error:
        for problem in error.problems:
            say(str(problem))
        sys.exit(2)
    except LinkError as error:
        say(str(error))
        sys.exit(2)
    except (typer.Abort, Stop, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
