"""`tracertwin poll`: what a Tracer, real or simulated, answers, as a table for people and as JSON for scripts."""

import json
import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.requests import BROADCAST, LAST_UNIT
from modbus.line.endpoint import Endpoint, ModbusTcpEndpoint, PtyEndpoint, parse_endpoint
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.client import Master
from modbus.master.poll import CALLED_WITHIN_S, DIALLED_WITHIN_S, PolledDevice, Reading, question, read
from plant.base.problems import Problem, ProblemsError
from plant.report.output import plain_table
from tracertwin.console import print_compactly, wide_console

HEADS: Final = ("address", "name", "value", "unit", "words", "meaning")
WIDE: Final = 96  # columns
NARROW: Final = 70  # below, not every name and value would fit
TITLES: Final = {
    "input": "input registers (04)",
    "holding": "holding registers (03)",
    "coil": "coils (01)",
    "discrete": "discrete inputs (02)",
}


class Wanted(NamedTuple):
    """What to read, as the user has it: `modbus.master.poll.question`."""

    where: str | None
    number: int | None
    table: str | None


def print_poll(
    link_text: str, wanted: Wanted, map_name: str, unit: int, timeout_s: float, as_json: bool = False
) -> int:
    """Read registers and print a table of them, or JSON.

    Parameters
    ----------
    link_text : str
        Where the device is, see `modbus.line.endpoint.parse_endpoint`. On a listening link we wait for it to dial.
    wanted : Wanted
    map_name : str
        The map that says what registers mean.
    unit : int
        Unit id to ask.
    timeout_s : float
        Wait for each reply, which is asked for again twice [s].
    as_json : bool
        Print JSON.

    Returns
    -------
    int
        0; 1: a register that was asked for by its address has an exception for an answer.

    Raises
    ------
    LinkError
        No connection, no reply to the first request, or bytes that are none.
    MapError
        The map can't be used.
    ProblemsError
        No unit of this map answers at the broadcast address, or there is nothing so named.
    """
    register_map = load_map(map_name, TRACER_4210)
    if unit == BROADCAST and register_map.spec.units != "any":
        why = f"0 is the broadcast address, at which no unit of the map {map_name} answers; "
        why += f"give its own id, 1 to {LAST_UNIT}"
        raise ProblemsError([Problem("--unit", 0, "", why)])
    asked = question(*wanted, register_map)
    endpoint = parse_endpoint(link_text)
    with Master(endpoint, connect_timeout_s=connect_within_s(endpoint)) as master:
        lines = list(read(PolledDevice(master, unit, timeout_s, str(endpoint)), register_map, asked))
    if as_json:
        print_json(lines, link=str(endpoint), unit=unit, map=map_name)
    else:
        print_table(lines)
    # Units differ in what they have: without an address an exception is not a failure but an answer.
    return int(asked.address is not None and any(line.exception is not None for line in lines))


def connect_within_s(endpoint: Endpoint) -> float:
    """How long to wait for a connection [s]; it is told if that is for a device to dial."""
    if not endpoint.listens or isinstance(endpoint, ModbusTcpEndpoint):
        return DIALLED_WITHIN_S
    if not isinstance(endpoint, PtyEndpoint):
        where = str(endpoint).partition(":")[2]
        print(f"tracertwin: waiting for a device to dial {where}", file=sys.stderr, flush=True)
    return CALLED_WITHIN_S


def print_table(lines: Sequence[Reading]) -> None:
    """Print a table of the lines, with a heading for each of the device's tables if there are several.

    A column that would be empty is left out. On a narrow terminal the words make room for what they mean.
    """
    console = wide_console()
    cells = [_cells(line) for line in lines]
    heads = [head for head in HEADS if any(cell[head] for cell in cells)]
    if console.width < WIDE and "words" in heads:
        heads.remove("words")
    table = plain_table()
    for head in heads:
        table.add_column(head, justify="right" if head == "value" else "left", no_wrap=head != "meaning")
    several = len({line.table for line in lines}) > 1
    before = ""
    for line, cell in zip(lines, cells, strict=True):
        if several and line.table != before:
            if before:
                table.add_row()
            table.add_row("", TITLES[line.table], style="bold")
            before = line.table
        table.add_row(*[cell[head] for head in heads], style=None if line.exception is None else "red")
    if console.width >= NARROW:
        console.print(table)
        return
    for cell in cells:
        print_compactly(console, [cell[head] for head in HEADS[:4]], [cell["meaning"]])


def _cells(line: Reading) -> dict[str, str]:
    words = "" if line.words is None else " ".join(f"{word:04X}" for word in line.words)
    if line.table in ("coil", "discrete"):
        words = ""
    meaning = "\n".join(line.meaning)
    if line.exception:
        meaning = exception_phrase(line.exception)
    texts = (f"0x{line.address:04X}", line.name, line.text, line.unit, words, meaning)
    return dict(zip(HEADS, texts, strict=True))


def print_json(lines: Sequence[Reading], **about: Any) -> None:
    """Print one JSON object: what it is about, and `registers`, a list of objects.

    Each has `table`, `address` and `name`, and then either `value` (null for words that no sound device sends),
    `unit`, `words` and `meaning` (a list of sentences), or `exception`, its code (0: no reply), and `meaning`.
    """
    print(json.dumps({**about, "registers": [_object(line) for line in lines]}, indent=2, ensure_ascii=False))


def _object(line: Reading) -> dict[str, Any]:
    told: dict[str, Any] = {"table": line.table, "address": line.address, "name": line.name}
    if line.exception is None:
        told |= {"value": line.value, "unit": line.unit, "words": line.words}
    else:
        told["exception"] = line.exception
    return told | {"meaning": line.meaning}
