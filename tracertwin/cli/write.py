"""The verb `tracertwin write`: settings, coils and the clock of a Tracer, real or simulated."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from modbus.codec.requests import LAST_UNIT
from tracertwin.cli.options import MapName, checked, number, seconds, stoppable
from tracertwin.exitcodes import BAD_RESULT, GOOD, STOPPED

if TYPE_CHECKING:
    from modbus.master.write import WriteResult


def write(
    link: Annotated[
        str,
        typer.Argument(
            metavar="LINK", help="As for poll: dial:HOST:PORT, modbus-tcp:HOST:PORT, serial:DEVICE ..."
        ),
    ],
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="By the name of a register or setting, or by address: boost_voltage=14.4V, battery_type=user, "
            "0x9001=200, load_manual_on_off=on, clock=2026-06-21T12:00 or clock=now.",
        ),
    ],
    register_map: MapName = "epever",
    unit: Annotated[
        int, typer.Option(parser=number(int, 1, LAST_UNIT), metavar="ID", help="Unit id to ask.")
    ] = 1,
    timeout: Annotated[str, typer.Option(metavar="TIME", help="Wait for each reply.")] = "1s",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, for scripts.")] = False,
) -> int:
    """Write settings, coils and the clock of a Tracer, real or simulated; print what it made of them."""
    from datetime import datetime

    from modbus.line.endpoint import parse_endpoint
    from modbus.map.registers import TRACER_4210, load_map
    from modbus.master.assignments import assignment
    from modbus.master.client import Master
    from modbus.master.write import Writer, in_order
    from plant.base.problems import Problem, ProblemsError
    from tracertwin.cli.tables.polltable import connect_within_s

    loaded = load_map(register_map, TRACER_4210)
    wanted, problems = [], []
    for text in assignments:
        try:
            wanted.append(assignment(text, loaded.published, datetime.now()))
        except ValueError as error:
            problems.append(Problem("NAME=VALUE", 0, "", str(error)))
    if problems:
        raise ProblemsError(problems)
    endpoint = checked("LINK", link, parse_endpoint)
    timeout_s = seconds("--timeout", timeout)
    results: list[WriteResult] = []
    code = STOPPED
    with stoppable(), Master(endpoint, connect_timeout_s=connect_within_s(endpoint)) as master:
        results.extend(Writer(master, loaded.published, unit, timeout_s).write(in_order(wanted)))
        code = GOOD if all(result.is_kept for result in results) else BAD_RESULT
    if not results:  # stopped before
        return code
    if as_json:
        print(
            json.dumps(
                {"link": str(endpoint), "unit": unit, "written": list(map(_object, results))}, indent=2
            )
        )
    else:
        _print(results)
    return code


def _print(results: "list[WriteResult]") -> None:

    from plant.report.output import plain_table
    from tracertwin.console import wide_console

    table = plain_table()
    for head in ("address", "name", "written", "reads", ""):
        table.add_column(head, no_wrap=head != "")
    for result in results:
        what = result.what
        reads = "" if result.now is None else what.formatted(result.now)
        told = result.why or ("" if result.is_kept else "acknowledged, but it reads otherwise")
        written = what.formatted(what.words)
        cells = (f"0x{what.address:04X}", what.name, written, reads, told)
        table.add_row(*cells, style=None if result.is_kept else "red")
    wide_console().print(table)


def _object(result: "WriteResult") -> dict[str, Any]:
    what = result.what
    told: dict[str, Any] = {
        "table": what.table,
        "address": what.address,
        "name": what.name,
        "given": what.text,
    }
    told |= {"words": what.words, "reads": result.now, "kept": result.is_kept}
    if result.exception is not None:
        told["exception"] = result.exception
    return told | ({"why": result.why} if result.why else {})
