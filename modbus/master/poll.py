"""Reads a Tracer, real or simulated: what stands at an address, and what it means.

Knows how to ask in blocks that a device accepts; frames are the master's business, meanings are the map's, and how
it looks is for `tracertwin.cli.tables.polltable`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from modbus.codec.exceptioncodes import exception_name
from modbus.codec.functions import READ_FUNCTION
from modbus.codec.replies import BadReply, BitsReply, ExceptionReply, Reply, WordsReply
from modbus.codec.requests import ReadBits, ReadWords, Request
from modbus.line.endpoint import LinkError
from modbus.map.forms import BIT_TABLES
from modbus.map.registers import RegisterMap
from modbus.map.rows import ActionRow, Row
from modbus.master.client import NoReplyError
from plant.base.problems import Problem, ProblemsError, did_you_mean

MOST_WORDS: Final = 125  # that a request may ask for
LARGEST_BLOCK: Final = 20  # a Tracer 3210A gave exception 02 above (peterxxl/dbus-epever-tracer)
RETRIES: Final = 2  # a serial line loses a byte now and then
CALLED_WITHIN_S: Final = 600.0  # how long to listen: whoever starts the device may be slow
DIALLED_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Unanswered:
    """No words: the exception's code and what it is called; 0 for silence."""

    code: int
    text: str


NO_REPLY: Final = Unanswered(0, "no reply")
Answer: TypeAlias = tuple[int, ...] | Unanswered


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to read.

    Attributes
    ----------
    address : int or None
        First register; None reads every row of the map.
    count : int
        Registers, coils or inputs to read from `address` on, in one request.
    table : str or None
        A key of `READ_FUNCTION`; None reads all tables, or input registers if there is an address.
    """

    address: int | None = None
    count: int = 1
    table: str | None = None


def question(where: str | None, count: int | None, table: str | None, register_map: RegisterMap) -> Question:
    """What a user wants to read.

    Parameters
    ----------
    where : str or None
        An address, or the name of a register or setting; None is everything.
    count : int or None
        None is as many as the map's row there has.
    table : str or None
        A key of `READ_FUNCTION`; None is the only one in which the map has something there, or input registers.
    register_map : RegisterMap

    Raises
    ------
    ProblemsError
        Saying what was wrong with it and what would do.
    """
    if where is None:
        return Question(table=table)
    try:
        at, row = _place(where, table, register_map)
    except ValueError as error:
        raise ProblemsError([Problem("ADDRESS", 0, "", str(error))]) from None
    tables = [name for name in READ_FUNCTION if at in register_map.rows[name]]
    chosen = table or (row.table if row else tables[0] if len(tables) == 1 else "input")
    row = register_map.rows[chosen].get(at)
    # The first address of a value of 32 bits, or its name, means all of it.
    whole = 1 if row is None or row.address != at else len(row.addresses)
    wanted = whole if count is None else count
    if wanted > MOST_WORDS and chosen not in BIT_TABLES:
        why = f"a request reads at most {MOST_WORDS} registers, got {wanted}"
        raise ProblemsError([Problem("COUNT", 0, "", why)])
    return Question(address=at, count=wanted, table=chosen)


def _place(where: str, table: str | None, register_map: RegisterMap) -> tuple[int, Row | None]:
    """The address that a text means, and the row if it was named."""
    if where[:1].isdigit():
        try:
            address = int(where, 0)
        except ValueError:
            address = -1
        if 0 <= address <= 0xFFFF:
            return address, None
        raise ValueError(f"{where!r} is not a register address; write 0x3100 or 12544, 0 to 0xFFFF")
    rows = [
        row for row in register_map.spec.rows
        if where in (row.name, row.origin.given if row.origin.key == "setting" else row.name)
        and not isinstance(row, ActionRow)
    ]  # fmt: skip
    if table is not None:
        rows = [row for row in rows if row.table == table]
    if len(rows) == 1:
        return rows[0].address, rows[0]
    if rows:
        places = " and ".join(f"0x{row.address:04X} ({row.table})" for row in rows)
        raise ValueError(f"{where} stands at {places}; give the address")
    near = did_you_mean(where, {row.name for row in register_map.spec.rows})
    raise ValueError(
        f"there is no {'register' if table is None else f'{table} row'} {where} in map {register_map.spec.name}{near}; "
        "write a name of tracertwin registers, or an address as 0x3100 or 12544"
    )


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands at an address.

    Attributes
    ----------
    words : tuple of int or None
        As they came, low word first; None for what the device refused, `meaning` then says how.
    text : str
        The value for people.
    value : float or None
        The value for scripts; None also for words that no sound device shows.
    meaning : tuple of str
        What the value says, where it is a code or a row of bits.
    exception : int or None
        Code of the exception it was refused with, 0 for silence.
    """

    table: str
    address: int
    name: str
    words: tuple[int, ...] | None
    text: str = ""
    value: float | None = None
    unit: str = ""
    meaning: tuple[str, ...] = ()
    exception: int | None = None


class Asking(Protocol):
    """What asks a device, over a line or without one."""

    def ask(self, request: Request, timeout_s: float = 1.0, retries: int = 0) -> Reply:
        """The device's reply; see `Master.ask`."""


class PolledDevice:
    """Whom to ask, and how patiently.

    Parameters
    ----------
    master : Asking
    unit : int
    timeout_s : float
        For each of three tries [s].
    name : str
        Heads what is said of it.
    """

    def __init__(self, master: Asking, unit: int, timeout_s: float, name: str) -> None:
        self._master = master
        self._unit = unit
        self._timeout_s = timeout_s
        self._name = name
        self._answers = False  # whether it ever did
        self._silent: set[str] = set()  # tables it does not answer for

    def read(self, table: str, address: int, count: int) -> Answer:
        """Words or bits of a block, or in words why there are none.

        A device that answers, but not for some table, is asked for that no more.
        """
        if table in self._silent:
            return NO_REPLY
        ask = ReadBits if table in BIT_TABLES else ReadWords
        request = ask(self._unit, READ_FUNCTION[table], address, count)
        try:
            reply = self._master.ask(request, self._timeout_s, RETRIES)
        except BadReply as error:
            raise LinkError(f"{self._name}: {address:#06x}: no good reply: {error}") from error
        except NoReplyError:
            if not self._answers:
                raise
            self._silent.add(table)
            return NO_REPLY
        self._answers = True
        if isinstance(reply, ExceptionReply):
            return Unanswered(reply.code, exception_name(reply.code))
        if isinstance(reply, BitsReply):
            return tuple(map(int, reply.bits))
        assert isinstance(reply, WordsReply)
        return reply.words


def read(device: PolledDevice, register_map: RegisterMap, question: Question) -> Iterator[Reading]:
    """The lines that answer a question."""
    if question.address is not None:
        table = question.table or "input"
        yield from read_block(device, register_map, table, question.address, question.count)
        return
    for table in (question.table,) if question.table else READ_FUNCTION:
        yield from read_all(device, register_map, table)


def read_block(
    device: PolledDevice, register_map: RegisterMap, table: str, address: int, count: int
) -> Iterator[Reading]:
    """The lines of one block, asked for as one block."""
    rows = register_map.rows[table]
    words = device.read(table, address, count)
    if isinstance(words, Unanswered):
        yield _refused(table, address, rows[address].name if address in rows else "", words)
        return
    at, end = address, address + count
    while at < end:
        row = rows.get(at)
        if row is not None and row.address == at and row.addresses.stop <= end:
            yield _line(row, words[at - address :][: len(row.addresses)])
            at = row.addresses.stop
        else:  # nothing the map knows, or half of a pair
            word = words[at - address]
            yield Reading(table, at, register_map.label(table, at) if row else "", (word,), str(word), word)
            at += 1


def read_all(device: PolledDevice, register_map: RegisterMap, table: str) -> Iterator[Reading]:
    """The lines of every row of a table.

    A refused block is asked for again row by row: units differ in what they have. What can only be written is left
    out.
    """
    rows = [row for row in register_map.spec.rows if row.table == table and not isinstance(row, ActionRow)]
    for block in blocks(rows):
        words = device.read(table, block[0].address, _size(block))
        if isinstance(words, Unanswered) and len(block) > 1:
            for row in block:
                yield _line(row, device.read(table, row.address, len(row.addresses)))
        else:
            for row in block:
                first = row.address - block[0].address
                yield _line(
                    row, words if isinstance(words, Unanswered) else words[first : first + len(row.addresses)]
                )


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


def _refused(table: str, address: int, name: str, refusal: Unanswered) -> Reading:
    return Reading(table, address, name, None, meaning=(refusal.text,), exception=refusal.code)


def _line(row: Row, words: Answer) -> Reading:
    if isinstance(words, Unanswered):
        return _refused(row.table, row.address, row.name, words)
    value = None if row.flaw(words) else round(row.value(words), 6)
    unit, remarks = row.measured_in, row.remarks(words)
    return Reading(row.table, row.address, row.name, words, row.figure(words), value, unit, remarks)
