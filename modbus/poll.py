"""`tracertwin poll`: read a Tracer, real or simulated, and print what its registers mean.

Knows how to ask in blocks that a device accepts and how to print the answers; frames are the master's
business and meanings are the map's.
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table

from modbus.endpoint import LinkError, parse_endpoint
from modbus.master import Master
from modbus.registers import TRACER_4210, RegisterMap, load_map
from modbus.replies import BadReply, ExceptionReply, WordsReply
from modbus.rows import Bits, Row
from modbus.rtu import ReadWords

READ_INPUTS: Final = 0x04
LARGEST_BLOCK: Final = 20  # a Tracer 3210A gave exception 02 above (peterxxl/dbus-epever-tracer)
RETRIES: Final = 2  # a serial line loses a byte now and then
CALLED_WITHIN_S: Final = 600.0  # how long to listen: whoever starts the device may be slow
DIALLED_WITHIN_S: Final = 5.0

# "MODBUS application protocol specification V1.1b3", 7
EXCEPTIONS: Final = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledged, takes long",
    6: "device busy",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer. `words` is None for what the device refused, `value` then says how."""

    address: int
    name: str
    value: str
    unit: str
    words: tuple[int, ...] | None


def print_poll(
    link_text: str, address: int | None, count: int, map_name: str, unit: int, timeout_s: float
) -> None:
    """Read input registers (function 04) and print a table of them.

    Parameters
    ----------
    link_text : str
        Where the device is, see `modbus.endpoint.parse_endpoint`. On a listening link we wait for it to dial.
    address : int or None
        First register; None reads every row of the map.
    count : int
        Registers to read from `address` on.
    map_name : str
        The map that says what registers mean.
    unit : int
        Unit id to ask.
    timeout_s : float
        Wait for each reply, which is asked for again twice [s].

    Raises
    ------
    LinkError
        No connection, no reply, or bytes that are none.
    MapError
        The map can't be used.
    """
    register_map = load_map(map_name, TRACER_4210)
    endpoint = parse_endpoint(link_text)
    if endpoint.listens:
        where = str(endpoint).partition(":")[2]
        print(f"tracertwin: waiting for a device to dial {where}", file=sys.stderr, flush=True)
    within_s = CALLED_WITHIN_S if endpoint.listens else DIALLED_WITHIN_S
    with Master(endpoint, connect_timeout_s=within_s) as master:
        device = Device(master, unit, timeout_s, str(endpoint))
        if address is None:
            lines = list(read_all(device, register_map))
        else:
            lines = list(read_block(device, register_map, address, count))
    _print(lines)


@dataclass(frozen=True, slots=True)
class Device:
    """Whom to ask, and how patiently."""

    master: Master
    unit: int
    timeout_s: float
    name: str

    def read(self, address: int, count: int) -> tuple[int, ...] | str:
        """Words of a block, or in words the exception it was refused with."""
        try:
            reply = self.master.ask(
                ReadWords(self.unit, READ_INPUTS, address, count), self.timeout_s, RETRIES
            )
        except BadReply as error:
            raise LinkError(f"{self.name}: {address:#06x}: no good reply: {error}") from error
        if isinstance(reply, ExceptionReply):
            return f"exception {reply.code:02d}: {EXCEPTIONS.get(reply.code, 'not in the standard')}"
        assert isinstance(reply, WordsReply)
        return reply.words


def read_block(device: Device, register_map: RegisterMap, address: int, count: int) -> Iterator[Line]:
    """The lines of one block, asked for as one block."""
    rows = register_map.rows.get("input", {})
    words = device.read(address, count)
    if isinstance(words, str):
        yield Line(address, rows[address].name if address in rows else "", words, "", None)
        return
    at, end = address, address + count
    while at < end:
        row = rows.get(at)
        if row is not None and row.address == at and at + row.words <= end:
            yield _line(row, words[at - address :][: row.words])
            at += row.words
        else:  # nothing the map knows, or half of a pair
            word = words[at - address]
            yield Line(at, register_map.label("input", at) if row else "", str(word), "", (word,))
            at += 1


def read_all(device: Device, register_map: RegisterMap) -> Iterator[Line]:
    """The lines of every row of a map.

    A refused block is asked for again row by row: units differ in what they have.
    """
    for block in blocks([row for row in register_map.spec.rows if row.table == "input"]):
        words = device.read(block[0].address, _size(block))
        if isinstance(words, str) and len(block) > 1:
            for row in block:
                yield _line(row, device.read(row.address, row.words))
        else:
            for row in block:
                first = row.address - block[0].address
                yield _line(row, words if isinstance(words, str) else words[first : first + row.words])


def blocks(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows, ascending, in runs without a gap that are no longer than a device may accept."""
    block: list[Row] = []
    for row in rows:
        if block and (row.address != block[-1].addresses.stop or _size([*block, row]) > LARGEST_BLOCK):
            yield block
            block = []
        block.append(row)
    if block:
        yield block


def _size(block: Sequence[Row]) -> int:
    return block[-1].addresses.stop - block[0].address


def _line(row: Row, words: tuple[int, ...] | str) -> Line:
    if isinstance(words, str):
        return Line(row.address, row.name, words, "", None)
    return Line(row.address, row.name, _value(row, words), row.unit, words)


def _value(row: Row, words: tuple[int, ...]) -> str:
    if row.bits:
        return ", ".join(_field(field, words[0]) for field in row.bits)
    decimals = max(0, math.ceil(math.log10(row.scale)))
    return f"{row.value(words):.{decimals}f}"


def _field(field: Bits, word: int) -> str:
    high, low = field.bits
    return f"D{high if high == low else f'{high}-{low}'}={(word & field.mask) >> low}"


def _print(lines: Sequence[Line]) -> None:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("address")
    table.add_column("name")
    table.add_column("value", justify="right")
    table.add_column("unit")
    table.add_column("words")
    for line in lines:
        words = "" if line.words is None else " ".join(f"{word:04X}" for word in line.words)
        style = "red" if line.words is None else None
        table.add_row(f"0x{line.address:04X}", line.name, line.value, line.unit, words, style=style)
    Console(highlight=False, markup=False).print(table)
