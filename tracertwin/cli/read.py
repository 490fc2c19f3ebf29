"""The verbs that read: a device, a state file, the tables of this program, what a site file may name."""

from pathlib import Path
from typing import Annotated, Any

import typer

from modbus.codec.requests import LAST_UNIT
from tracertwin.cli.options import MapName, number, one_of, seconds, stoppable
from tracertwin.exitcodes import STOPPED

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="TEXT",
        show_default=False,
        help="All words must match, ignoring case; or one name, or a file of your own: printed in full.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")]
All = Annotated[bool, typer.Option("--all", help="List all that match, however many.")]


def history(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="State file of serve --state, which may be running.")
    ],
    days: Annotated[
        int | None,
        typer.Option(
            parser=number(int, 1, 100_000),
            metavar="N",
            help="Only the last N days. Default: 31 in the table, all in the files.",
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Plot the days (.html, .svg, .png); daily values if there are more than 10."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the samples, one per minute (.csv).")
    ] = None,
) -> None:
    """Print the history that serve --state has recorded, day by day."""
    from tracertwin.memory.history import print_history

    print_history(file, days, plot, out)


def poll(
    link: Annotated[
        str,
        typer.Argument(
            metavar="LINK",
            help="dial:HOST:PORT, listen:HOST:PORT, modbus-tcp:HOST:PORT, unix:PATH, unix-listen:PATH or "
            "serial:DEVICE[:BAUD]; the path of a terminal or socket alone will do.",
        ),
    ],
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDRESS",
            help="First register, e.g. 0x3100, or the name of one, e.g. battery_voltage. Default: the whole map.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Argument(
            parser=number(int, 1, 2000),
            metavar="COUNT",
            help="How many to read, in one request. Default: 1, or both words of a 32-bit value.",
        ),
    ] = None,
    table: Annotated[
        str | None,
        typer.Option(
            parser=one_of("input", "holding", "coil", "discrete"),
            metavar="TABLE",
            help="input, holding, coil or discrete. Default: all; with an ADDRESS, the one in which the map "
            "has it, or input.",
        ),
    ] = None,
    register_map: MapName = "epever",
    unit: Annotated[
        int, typer.Option(parser=number(int, 0, LAST_UNIT), metavar="ID", help="Unit id of the device.")
    ] = 1,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long to wait for each reply.")] = "1s",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> int:
    """Read a Tracer, real or simulated, and print names, values and units."""
    from tracertwin.cli.tables.polltable import Wanted, print_poll

    wanted = Wanted(address, count, table)
    code = STOPPED
    with stoppable():
        code = print_poll(link, wanted, register_map, unit, seconds("--timeout", timeout), as_json)
    return code


def registers(
    register_map: MapName = "uart2",
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="MAP MAP", help="Compare two maps: where firmware written for one misreads the other."
        ),
    ] = None,
) -> None:
    """Print a register map, or the differences between two."""
    from tracertwin.cli.tables.registerlist import print_differences, print_map

    if diff is None:
        print_map(register_map)
    else:
        print_differences(*diff)


def faults() -> None:
    """List what can break. Line faults and upsets, for --fault, --upset, tell and the site file."""
    from tracertwin.catalogue.faultlist import print_faults

    print_faults()


def modules(text: Words = None, as_json: AsJson = False, everything: All = False) -> None:
    """Find solar modules: those of config/modules, the 21,535 of the CEC table, or a file of your own."""
    from tracertwin.catalogue.modules import MODULES

    _find(MODULES, text, as_json, everything)


def batteries(text: Words = None, as_json: AsJson = False) -> None:
    """Find batteries: those of config/batteries."""
    from tracertwin.catalogue.shipped import BATTERIES

    _find(BATTERIES, text, as_json, False)


def controllers(text: Words = None, as_json: AsJson = False) -> None:
    """Find charge controllers: those of config/controllers."""
    from tracertwin.catalogue.shipped import CONTROLLERS

    _find(CONTROLLERS, text, as_json, False)


def sites(text: Words = None, as_json: AsJson = False) -> None:
    """Find sites to start from: those of config/sites."""
    from tracertwin.catalogue.shipped import SITES

    _find(SITES, text, as_json, False)


def _find(shelf: Any, text: list[str] | None, as_json: bool, everything: bool) -> None:
    from tracertwin.catalogue.printing import print_found

    print_found(shelf, " ".join(text or ()), as_json, everything)
