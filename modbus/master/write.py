"""Writes settings, coils and the clock of a Tracer, real or simulated, and reads back what it made of them.

Registers that a device takes in one frame only, as the twelve voltages, are read first, changed and written whole.
Words of holding registers go by function 0x10, which all families have; coils by 0x05.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.functions import READ_FUNCTION
from modbus.codec.replies import BadReply, BitsReply, ExceptionReply, Reply, WordsReply
from modbus.codec.requests import ReadBits, ReadWords, Request, WriteCoil, WriteWords
from modbus.line.endpoint import LinkError
from modbus.map.registers import RegisterMap
from modbus.map.rows import ActionRow, KeptRow
from modbus.master.assignments import CLOCK_NAME, Assignment
from modbus.master.poll import RETRIES, Asking
from plant.controller.settings import TYPE_OF_CODE

COIL_WORDS: Final = (0x0000, 0xFF00)


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What came of an assignment.

    Attributes
    ----------
    now : tuple of int or None
        What stands there afterwards; None: it can't be read.
    exception : int or None
        Code of the exception that the write got.
    why : str
        The same in words, or why it was not written at all; empty if it was taken.
    """

    what: Assignment
    now: tuple[int, ...] | None
    exception: int | None = None
    why: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether the device took it, and shows it where it can be read. A clock goes on meanwhile."""
        if self.why:
            return False
        return self.now in (None, self.what.words) or self.what.name == CLOCK_NAME


class Writer:
    """Writes to one device.

    Parameters
    ----------
    master : Asking
    register_map : RegisterMap
        Says which registers go in one frame.
    unit : int
    timeout_s : float
        Wait for each reply, which is asked for again twice [s].
    """

    def __init__(self, master: Asking, register_map: RegisterMap, unit: int, timeout_s: float) -> None:
        self._master = master
        self._map = register_map
        self._unit = unit
        self._timeout_s = timeout_s

    def write(self, assignments: Sequence[Assignment]) -> Iterator[WriteResult]:
        """Write in the order given, up to the first that is refused; then read back.

        Raises
        ------
        LinkError
            No reply, or bytes that are none.
        """
        refusals: dict[int, int] = {}  # place -> exception
        done = 0
        for places in self.frames(assignments):
            code = self._send([assignments[place] for place in places])
            done = places[-1] + 1
            if code is not None:
                refusals = dict.fromkeys(places, code)
                break
        for place, what in enumerate(assignments):
            code = refusals.get(place)
            why = "" if place < done else "not written, as the one before was refused"
            if code is not None:
                why = exception_phrase(code)
            yield WriteResult(what, self._now(what), code, why)

    def frames(self, assignments: Sequence[Assignment]) -> Iterator[list[int]]:
        """Places of assignments that go in one frame: neighbours of one block, else each by itself."""

        def block(place: int) -> tuple[int, int]:
            what = assignments[place]
            if what.row is None or what.row.written != "block":
                return place, -1
            return self._map.block_around(what.address).start, 0

        for _, places in groupby(range(len(assignments)), block):
            yield list(places)

    def _send(self, together: Sequence[Assignment]) -> int | None:
        """Write one frame; the code of an exception, if it gets one."""
        first = together[0]
        if first.table == "coil":
            return _code(self._ask(WriteCoil(self._unit, first.address, COIL_WORDS[first.words[0]])))
        at, words = first.address, list(first.words)
        if first.row is not None and first.row.written == "block":
            whole = self._map.block_around(first.address)
            read = self._ask(ReadWords(self._unit, READ_FUNCTION["holding"], whole.start, len(whole)))
            if not isinstance(read, WordsReply):
                return _code(read)
            at, words = whole.start, list(read.words)
            for what in together:
                words[what.address - at : what.address - at + len(what.words)] = what.words
        return _code(self._ask(WriteWords(self._unit, at, tuple(words))))

    def _now(self, what: Assignment) -> tuple[int, ...] | None:
        if isinstance(what.row, ActionRow):
            return None
        ask = ReadBits if what.table == "coil" else ReadWords
        reply = self._ask(ask(self._unit, READ_FUNCTION[what.table], what.address, len(what.words)))
        if isinstance(reply, BitsReply):
            return tuple(map(int, reply.bits))
        return reply.words if isinstance(reply, WordsReply) else None

    def _ask(self, request: Request) -> Reply:
        try:
            return self._master.ask(request, self._timeout_s, RETRIES)
        except BadReply as error:
            raise LinkError(f"no good reply to {request}: {error}") from error


def in_order(assignments: Sequence[Assignment]) -> list[Assignment]:
    """Assignments as they are given, but each behind those that a Tracer has to have first.

    A setting in the row's `needs` comes before the row, if what is assigned is what it needs; the system voltage comes
    before a lithium type, which goes with no automatic one (`plant.controller.compatibility.conflicts`).
    """
    ordered = list(assignments)
    place = 0
    while place < len(ordered):
        later = range(place + 1, len(ordered))
        first = next((each for each in later if _comes_first(ordered[each], ordered[place])), None)
        if first is None:
            place += 1
        else:
            ordered.insert(place, ordered.pop(first))
    return ordered


def _comes_first(one: Assignment, other: Assignment) -> bool:
    """Whether an assignment makes what the other needs."""
    if not (isinstance(one.row, KeptRow) and isinstance(other.row, KeptRow)):
        return False
    if one.row.setting in other.row.needs:
        return one.words[0] in other.row.needs[one.row.setting]
    battery = TYPE_OF_CODE.get(other.words[0]) if other.row.setting == "battery_type" else None
    return one.row.setting == "system_code" and battery is not None and battery.lithium


def _code(reply: Reply) -> int | None:
    return reply.code if isinstance(reply, ExceptionReply) else None
