"""The Tracer: a request in, the reply or silence out.

It knows which unit is meant, which functions exist and which exception a request earns. It has no socket and no clock;
the plant is behind a `Device`, which is asked once for each reply, so that all registers of a reply are from one
instant.

Exception 01 is for functions that do not exist; which code every other refusal has is in the map's `refusals`.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from modbus.codec.exceptioncodes import exception_phrase
from modbus.codec.functions import READ_INPUTS, TABLE_READ
from modbus.codec.replies import BitsReply, EchoReply, ExceptionReply, SparseReply, WordsReply
from modbus.codec.requests import (
    ALL_WRITES,
    ANY_UNIT,
    BROADCAST,
    LAST_UNIT,
    IdentifyDevice,
    Login,
    Malformed,
    ReadBits,
    ReadSparse,
    ReadWords,
    Request,
    UnitIdRequest,
    WriteCoil,
    WriteWord,
    WriteWords,
)
from modbus.device.identity import EVERY_ID, Identity
from modbus.device.interface import Device, Shown
from modbus.device.model import Model, load_model
from modbus.device.sensors import Sensors
from modbus.device.writes import Refused, coil_written, written
from modbus.map.bitfield import WordOf
from modbus.map.registers import Difference, RegisterMap, differences
from plant.controller.compatibility import Strictness

ILLEGAL_FUNCTION: Final = 0x01
READS: Final = frozenset((*TABLE_READ, 0x43))
WRITES: Final = (0x05, 0x06, 0x10)  # those that a broadcast may hold
COIL_VALUES: Final[Mapping[int, bool]] = {0xFF00: True, 0x0000: False}
BLOCKS_KEPT: Final = 256  # a master polls the same few; one that tries them all must not fill memory


def _zero(*_: object) -> int:
    return 0


def _hole(*_: object) -> int:
    raise AssertionError("stands for an unmapped address and is never asked for a word")


class WriteRefusal(NamedTuple):
    """A write that got an exception, and which rule refused it."""

    unit: int
    what: str
    code: int
    why: str
    rule: str  # the same whatever the numbers

    def __str__(self) -> str:
        return f"{self.what} refused with {exception_phrase(self.code)}: {self.why}"


class Tracer:
    """Answers requests from a register map and a device.

    Parameters
    ----------
    register_map : RegisterMap
    device : Device
        Asked once for a reply that carries registers, and not for any other.
    unit : int
        The own unit id, 1..247.
    model : Model, optional
        Name and limits; those of a 4210N unless given.
    warn_once : callable, optional
        Told once, at the first read of an address that the published protocol reads differently.
    alone : bool
        Whether no other unit is on the line: then a map with ``units: any`` answers for every id.
    new_unit : int, optional
        Unit id that function 45 has set and that holds from the next power cycle on.
    any_order : bool
        Whether the twelve voltages may be written in any order.
    sensors : Sensors, optional
        What registers show in place of exact numbers.
    refused : callable
        Told of each write that gets an exception, and why.
    needs_v : float
        Voltage [V] at its battery terminals below which the unit has no power, and so no answer.
    unpowered : callable
        Told that voltage when a request first finds the unit so; again after it has had power.

    Attributes
    ----------
    register_map : RegisterMap
    """

    def __init__(
        self,
        register_map: RegisterMap,
        device: Device,
        unit: int = 1,
        model: Model | None = None,
        warn_once: Callable[[Difference], None] | None = None,
        alone: bool = True,
        new_unit: int | None = None,
        any_order: bool = False,
        sensors: Sensors | None = None,
        refused: Callable[[WriteRefusal], None] = lambda _: None,
        needs_v: float = 0.0,
        unpowered: Callable[[float], None] = lambda _: None,
    ) -> None:
        spec, published = register_map.spec, register_map.published
        self._model = model or load_model("tracer4210n")
        self._minds = Strictness(any_order, self._model.user_with_auto)
        self._identity = Identity(self._model, unit, new_unit)
        self._map = published
        self.register_map = register_map
        self._exceptions = spec.exceptions
        self._cells = {
            function: register_map.answering(table).words[table] for function, table in TABLE_READ.items()
        }
        self._sparse = {**published.words["holding"], **published.words["input"]}
        self._unmapped = _zero if spec.unmapped == "zero" else _hole
        self._cuts_blocks = spec.partial == "cut"
        most = min(spec.max_count, self._model.largest.words)
        self._most_words = {0x03: most, READ_INPUTS: most if register_map is published else spec.max_count}
        self._answers_all = alone and spec.units == "any"
        self._block = lru_cache(BLOCKS_KEPT)(self._find_block)
        self._device = device
        self._sensors = sensors
        self._warn_once = warn_once
        self._refused = refused
        self._needs_v, self._unpowered = needs_v, unpowered
        self._has_power = True  # as far as has been told
        misread = differences(register_map, register_map.root) if warn_once else []
        self._misread = {item.address: item for item in misread if item.table == "input"}
        self._handlers: dict[int, Callable[[Any], bytes]] = {
            0x01: self._read_bits,
            0x02: self._read_bits,
            0x03: self._read_words,
            0x04: self._read_words,
            0x05: self._write_coil,
            0x06: self._write_word,
            0x10: self._write_words,
            0x2B: self._identify,
            0x41: self._log_in,
            0x43: self._read_sparse,
        }
        self._actions = {"restore_defaults": device.restore_defaults, "clear_energy": device.clear_energy}
        self._find_units()

    @property
    def unit(self) -> int:
        """The own unit id."""
        return self._identity.unit

    @property
    def unit_ids(self) -> tuple[int, int]:
        """The own unit id, and that after the next power cycle."""
        return self._identity.unit, self._identity.new_unit

    def power_cycle(self) -> None:
        """Start again: a unit id that function 45 has set holds from here on."""
        self._identity.power_cycle()
        self._find_units()

    def answer(self, request: Request) -> bytes | None:
        """The reply to a request as a whole frame, or None for silence."""
        try:
            return self._answer(request)
        except _NoPowerError:
            return None

    def _answer(self, request: Request) -> bytes | None:
        units = self._reading_units if request.function == READ_INPUTS else self._units
        if request.unit not in units:
            return self._from_elsewhere(request)
        return self._handle(request)

    def _need_power(self, shown: Shown | None = None) -> None:
        """Check that the unit has power at an instant; now unless given."""
        if self._needs_v <= 0.0:
            return
        v_batt_v = (shown or self._device.shown()).snapshot.v_batt_v
        had_power, self._has_power = self._has_power, v_batt_v >= self._needs_v
        if had_power and not self._has_power:
            self._unpowered(v_batt_v)
        if not self._has_power:
            raise _NoPowerError

    def _find_units(self) -> None:
        own = range(self.unit, self.unit + 1)
        self._reading_units = range(EVERY_ID) if self._answers_all else own
        self._units = range(1, LAST_UNIT + 1) if self._answers_all else own

    def _handle(self, request: Request) -> bytes:
        handler = self._handlers.get(request.function)
        if request.function not in READS:
            self._need_power()
        try:
            if handler is None:
                raise _ExceptionError(ILLEGAL_FUNCTION, f"there is no function {request.function:02X}")
            if isinstance(request, Malformed):
                raise Refused("malformed", "its length or byte count makes no sense")
            return handler(request)
        except Refused as refused:
            code, why, rule = self._exceptions[refused.case], refused.why, refused.rule
        except _ExceptionError as error:
            code, why, rule = error.code, error.why, error.rule
        self._need_power()  # a read that is refused has looked at nothing yet
        if request.function in ALL_WRITES:
            self._refused(WriteRefusal(self.unit, _in_short(request), code, why, rule))
        return ExceptionReply(request.unit, request.function, code).encode()

    def _from_elsewhere(self, request: Request) -> bytes | None:
        """What isn't for this unit alone: the service address is answered, a broadcast write is done in silence."""
        if isinstance(request, UnitIdRequest) and request.unit == ANY_UNIT:
            self._need_power()
            told = self._identity.unit_id_reply(request)
            self._find_units()
            return None if told is None else told.encode()
        if request.unit == BROADCAST and request.function in WRITES:
            self._handle(request)
        return None

    # Reading

    def _shown(self) -> Shown:
        """Plant and settings at one instant, as the unit's sensors have it."""
        shown = self._device.shown()
        self._need_power(shown)
        return shown if self._sensors is None else self._sensors.read(shown)

    def _read_words(self, request: ReadWords) -> bytes:
        self._check_count(request.count, self._most_words[request.function])
        block = self._block(request.function, request.address, request.count)
        if not block.cells:
            raise Refused("unmapped")
        shown = self._shown()
        before, unit, frame = block.last
        if shown is before and unit == request.unit:
            return frame  # masters poll more often than a plant shows new numbers
        words = tuple([cell(*shown) for cell in block.cells])
        frame = WordsReply(request.unit, request.function, words).encode()
        block.last = shown, request.unit, frame
        return frame

    def _read_bits(self, request: ReadBits) -> bytes:
        self._check_count(request.count, self._model.largest.bits)
        block = self._block(request.function, request.address, request.count)
        if not block.cells:
            raise Refused("unmapped")
        shown = self._shown()
        bits = tuple([bool(cell(*shown)) for cell in block.cells])
        return BitsReply(request.unit, request.function, bits).encode()

    def _read_sparse(self, request: ReadSparse) -> bytes:
        self._check_count(request.count, self._model.largest.sparse)
        cells = [self._sparse.get(request.address + place) for place in range(request.count)]
        if not any(cells):
            raise Refused("unmapped")  # guess: nobody has recorded it
        snapshot, settings = self._shown()
        words = tuple([cell and cell(snapshot, settings) for cell in cells])
        return SparseReply(request.unit, words).encode()

    def _check_count(self, count: int, most: int) -> None:
        if count == 0:
            raise Refused("count", "it names no register")
        if count > most:
            why = f"{count} at once; this model takes {most} at most"
            raise _ExceptionError(self._model.too_large, why, "count")

    def _find_block(self, function: int, first: int, count: int) -> "_Block":
        """A block; without cells when it can't be read.

        Found at its first read, so this is also the time to warn of it.
        """
        if first + count > 0x10000:
            return _Block(())
        unmapped = self._unmapped if function == READ_INPUTS else _hole
        table = self._cells[function]
        cells = tuple([table.get(address, unmapped) for address in range(first, first + count)])
        if _hole in cells:
            cells = cells[: cells.index(_hole)] if self._cuts_blocks else ()
        if cells and self._misread and function == READ_INPUTS:
            self._warn(range(first, first + count))
        return _Block(cells)

    def _warn(self, addresses: range) -> None:
        first = next((self._misread[address] for address in addresses if address in self._misread), None)
        if first is not None and self._warn_once is not None:
            self._misread = {}
            self._warn_once(first)

    # Writing

    def _write_coil(self, request: WriteCoil) -> bytes:
        with self._device.hold():
            settings = self._device.shown().settings
            if request.value not in COIL_VALUES:
                raise Refused(
                    "coil_value", f"a coil takes FF00 or 0000, not {request.value:04X}", "coil value"
                )
            outcome = coil_written(self._map, settings, request.address, COIL_VALUES[request.value])
            if isinstance(outcome, str):
                self._actions[outcome]()
            elif outcome != settings:
                self._device.configure(outcome)
        return EchoReply(request.unit, request.function, request.address, request.value).encode()

    def _write_word(self, request: WriteWord) -> bytes:
        self._write(request.address, (request.value,))
        return EchoReply(request.unit, request.function, request.address, request.value).encode()

    def _write_words(self, request: WriteWords) -> bytes:
        self._check_count(request.count, self._model.largest.written)
        self._write(request.address, request.values)
        return EchoReply(request.unit, request.function, request.address, request.count).encode()

    def _write(self, address: int, words: tuple[int, ...]) -> None:
        with self._device.hold():
            settings = self._device.shown().settings
            outcome = written(self._map, settings, self._map.battery_v, address, words, self._minds)
            if outcome.settings != settings:
                self._device.configure(outcome.settings)
            if outcome.t_device_s is not None:
                self._device.set_clock(outcome.t_device_s)

    # Being asked who one is

    def _identify(self, request: IdentifyDevice) -> bytes:
        reply = self._identity.identification(request)
        if reply is None:
            raise Refused("identification")
        return reply.encode()

    def _log_in(self, request: Login) -> bytes:
        reply = self._identity.login(request)
        if reply is None:
            raise Refused("login")
        return reply.encode()


class _Block:
    """Registers read together: what gives each word, and the last reply, of which instant and to which unit id."""

    def __init__(self, cells: tuple[WordOf, ...]) -> None:
        self.cells = cells
        self.last: tuple[Shown | None, int, bytes] = (None, 0, b"")  # set as a whole: lines share it


class _NoPowerError(Exception):
    """Nothing is answered."""


class _ExceptionError(Exception):
    """A request that gets an exception which is not for the map to say."""

    def __init__(self, code: int, why: str, rule: str = "") -> None:
        super().__init__(why)
        self.code = code
        self.why = why
        self.rule = rule or why  # as of `Refused`


def _in_short(request: Request) -> str:
    """A write as people name it: ``FC16 0x9003 x 12``."""
    address = getattr(request, "address", None)
    count = getattr(request, "count", None)
    where = "" if address is None else f" 0x{address:04X}"
    return f"FC{request.function}{where}{'' if count is None else f' x {count}'}"
