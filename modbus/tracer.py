"""The Tracer: a request in, the reply or silence out.

It knows which unit is meant, which functions exist and which exception a request earns. It has no socket and
no clock; the plant is a function that returns the snapshot of the moment, called once for each reply, so that
all registers of a reply are from one instant.

Exceptions: 01 unknown function; 02 unmapped address (recorded on a Tracer2215BN, kasbert/epsolar-tracer
test/testdata.py); 03 impossible count (never recorded:
"MODBUS application protocol specification V1.1b3", 6.4).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from modbus.registers import Difference, RegisterMap, differences
from modbus.replies import ExceptionReply, words_frame
from modbus.rows import WordOf
from modbus.rtu import ReadWords, Request
from plant.snapshot import Snapshot

ILLEGAL_FUNCTION: Final = 0x01
ILLEGAL_ADDRESS: Final = 0x02
ILLEGAL_VALUE: Final = 0x03

LAST_UNIT: Final = 247  # 0 is broadcast, 248..255 are reserved; 0xF8 serves vendor function 45 (V26 document)
WORD_TABLES: Final = {0x04: "input"}  # function -> table of the map
BLOCKS_KEPT: Final = 256  # a master polls the same few; one that tries them all must not fill memory


def _zero(_: Snapshot) -> int:
    return 0


def _hole(_: Snapshot) -> int:
    raise AssertionError("stands for an unmapped address and is never asked for a word")


class Tracer:
    """Answers requests from a register map and the snapshot of the moment.

    Parameters
    ----------
    register_map : RegisterMap
    read_snapshot : callable
        Gives the plant's state; called once for a reply that carries registers, and not for any other.
    unit : int
        The own unit id, 1..247. A map with ``units: any`` answers for every id.
    warn_once : callable, optional
        Told once, at the first read of an address that the published protocol reads differently.
    """

    def __init__(
        self,
        register_map: RegisterMap,
        read_snapshot: Callable[[], Snapshot],
        unit: int = 1,
        warn_once: Callable[[Difference], None] | None = None,
    ) -> None:
        if not 1 <= unit <= LAST_UNIT:
            raise ValueError(f"unit: must lie in 1..{LAST_UNIT}, got {unit}")
        spec = register_map.spec
        self._words = {code: register_map.words.get(table, {}) for code, table in WORD_TABLES.items()}
        self._unmapped = _zero if spec.unmapped == "zero" else _hole
        self._cuts_blocks = spec.partial == "cut"
        self._max_count = spec.max_count
        self._units = range(LAST_UNIT + 1) if spec.units == "any" else range(unit, unit + 1)
        self._block = lru_cache(BLOCKS_KEPT)(self._find_block)
        self._read_snapshot = read_snapshot
        self._warn_once = warn_once
        misread = differences(register_map, register_map.root) if warn_once else []
        self._misread = {difference.address: difference for difference in misread}

    def answer(self, request: Request) -> bytes | None:
        """The reply to a request as a whole frame, or None for silence."""
        if request.unit not in self._units:
            return None
        if isinstance(request, ReadWords) and request.function in self._words:
            return self._read_words(request)
        # Until the other tables and the writes are here, a Tracer's other functions do not exist. A real unit
        # answers 03 at 0x3000 by exception 02: 01 83 02 C0 F1 (Tracer2215BN, kasbert/epsolar-tracer).
        return _refusal(request, ILLEGAL_FUNCTION)

    def _read_words(self, request: ReadWords) -> bytes:
        first, count = request.address, request.count
        if not 1 <= count <= self._max_count:
            return _refusal(request, ILLEGAL_VALUE)
        if first + count > 0x10000:
            return _refusal(request, ILLEGAL_ADDRESS)
        cells = self._block(request.function, first, count)
        if not cells:
            return _refusal(request, ILLEGAL_ADDRESS)
        snapshot = self._read_snapshot()
        return words_frame(request.unit, request.function, tuple([cell(snapshot) for cell in cells]))

    def _find_block(self, function: int, first: int, count: int) -> tuple[WordOf, ...]:
        """What gives the words of a block, each from a snapshot; nothing when the block can't be read.

        Found at the first read of a block, so this is also the time to warn of it.
        """
        table, unmapped = self._words[function], self._unmapped
        cells = tuple([table.get(address, unmapped) for address in range(first, first + count)])
        if _hole in cells:
            cells = cells[: cells.index(_hole)] if self._cuts_blocks else ()
        if cells and self._misread:
            self._warn(range(first, first + count))
        return cells

    def _warn(self, addresses: range) -> None:
        first = next((self._misread[address] for address in addresses if address in self._misread), None)
        if first is not None and self._warn_once is not None:
            self._misread = {}
            self._warn_once(first)


def _refusal(request: Request, code: int) -> bytes:
    return ExceptionReply(request.unit, request.function, code).encode()
