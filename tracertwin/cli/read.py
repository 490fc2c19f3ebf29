"""The verbs that read: a device, a state file, the tables of this program."""

from pathlib import Path
from typing import Annotated

import typer

from tracertwin.cli.options import MapName, checked, number, one_of, seconds, stoppable


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
            "serial:DEVICE[:BAUD]; the path of a terminal alone will do.",
        ),
    ],
    address: Annotated[
        str | None,
        typer.Argument(metavar="ADDRESS", help="First register, e.g. 0x3100. Default: the whole map."),
    ] = None,
    count: Annotated[
        int,
        typer.Argument(
            parser=number(int, 1, 2000), metavar="COUNT", help="How many to read, in one request."
        ),
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
    unit: Annotated[
        int, typer.Option(parser=number(int, 0, 247), metavar="ID", help="Unit id of the device.")
    ] = 1,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long to wait for each reply.")] = "1s",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> int:
    """Read a Tracer, real or simulated, and print names, values and units."""
    from modbus.master.poll import Question
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.cli.polltable import print_poll

    if count > 125 and table not in ("coil", "discrete"):
        raise ProblemsError([Problem("COUNT", 0, "", f"a request reads at most 125 registers, got {count}")])
    first = None if address is None else checked("ADDRESS", address, _register_address)
    question = Question(address=first, count=count, table=table)
    code = 0
    with stoppable():
        code = print_poll(link, question, register_map, unit, seconds("--timeout", timeout), as_json)
    return code


def _register_address(text: str) -> int:
    try:
        address = int(text, 0)
    except ValueError:
        address = -1
    if not 0 <= address <= 0xFFFF:
        raise ValueError(f"{text!r} is not a register address; write 0x3100 or 12544, 0 to 0xFFFF")
    return address


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
    from tracertwin.cli.registerlist import print_differences, print_map

    if diff is None:
        print_map(register_map)
    else:
        print_differences(*diff)


def faults() -> None:
    """List what can break. Line faults and upsets, for --fault, --upset, tell and the site file."""
    from tracertwin.cli.faultlist import print_faults

    print_faults()
