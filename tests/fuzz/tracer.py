"""The Tracer: any requests in any order, on both maps, from a device that never shows the same instant twice.

What comes out is silence or a frame that others read; the settings stay such as the device's own rules allow; and no
reply is made from two instants.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ExceptionResponse

from modbus.codec.parser import Received, RequestParser
from modbus.codec.replies import decode_reply
from modbus.codec.requests import (
    LAST_UNIT,
    ReadBits,
    ReadWords,
    Request,
    WriteCoil,
    WriteCoils,
    WriteWord,
    WriteWords,
)
from modbus.device.interface import Shown
from modbus.device.tracer import Tracer
from modbus.map.registers import TRACER_4210, RegisterMap, load_map
from plant.controller.compatibility import conflicts
from plant.controller.model import ControllerModel
from plant.controller.settings import RANGES, VOLTAGES, Settings, disorder, factory, out_of_range
from plant.kernel.snapshot import Snapshot
from tests.fuzz.captured import captured
from tests.fuzz.recipe import Recipe, sealed

PDUS = DecodePDU(is_server=False)
READ_BY_OTHERS = (1, 2, 3, 4, 5, 6, 0x0F, 0x10, 0x2B)
RAW, READ, WRITE, NUDGE, COIL, POWER, WILD = range(7)
MOST_NUDGED = 20


class Restless:
    """A device on which every look shows another instant; it keeps the settings that it is given."""

    def __init__(self, settings: Settings) -> None:
        self.new = self.settings = settings
        self.looks = 0
        self.t_device_s = 1.7e9

    def shown(self) -> Shown:
        self.looks += 1
        snapshot = Snapshot(*[float(self.looks)] * len(Snapshot._fields))
        return Shown(snapshot._replace(t_device_s=self.t_device_s), self.settings)

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    def configure(self, settings: Settings) -> None:
        self.settings = settings

    def set_clock(self, t_device_s: float) -> None:
        self.t_device_s = t_device_s

    def clear_energy(self) -> None:
        pass

    def restore_defaults(self) -> None:
        self.settings = self.new


@cache
def _map(name: str, system_v: int) -> RegisterMap:
    ratings = TRACER_4210 if system_v == 12 else ControllerModel.load("tracer4210n").ratings(24)
    return load_map(name, ratings)


@cache
def _places() -> tuple[int, ...]:
    """Addresses that the maps know, and their neighbours."""
    rows = _map("epever", 12).rows
    known = {address for table in rows.values() for address in table}
    return tuple(
        sorted({(address + step) & 0xFFFF for address in (*known, 0, 0xFFFF) for step in (-1, 0, 1)})
    )


def one(data: bytes) -> None:
    """Set a Tracer up and ask it all that `data` says."""
    recipe = Recipe(data)
    setup = recipe.byte()
    name, system_v = ("uart2", "epever")[setup & 1], (12, 24)[setup >> 1 & 1]
    bench = _Bench(name, system_v, alone=not setup & 4)
    while recipe:
        bench.do(recipe.byte() % 7, recipe)


class _Bench:
    def __init__(self, name: str, system_v: int, alone: bool) -> None:
        self._system_v = system_v
        self._device = Restless(factory(1, system_v))
        self._reads_any = alone and name == "uart2"
        self._tracer = Tracer(_map(name, system_v), self._device, warn_once=lambda _: None, alone=alone)

    def do(self, what: int, recipe: Recipe) -> None:
        if what == POWER:
            self._tracer.power_cycle()
        elif what == RAW:
            for event in RequestParser().feed(sealed(recipe.bytes(recipe.byte())), 0.0):
                if isinstance(event, Received):
                    self._ask(event.request)
        else:
            self._ask(self._made(what, recipe))

    def _made(self, what: int, recipe: Recipe) -> Request:
        unit = self._tracer.unit if recipe.byte() < 224 else recipe.byte()
        place = _places()[recipe.word() % len(_places())] if what != WILD else recipe.word()
        if what == READ:
            function, count = 1 + recipe.byte() % 4, recipe.byte()
            return (
                ReadBits(unit, function, place, count)
                if function < 3
                else ReadWords(unit, function, place, count)
            )
        if what == COIL:
            return WriteCoil(unit, place, (0, 0xFF00, recipe.word())[recipe.byte() % 3])
        if what == NUDGE:
            return WriteWords(unit, place, self._nudged(place, recipe))
        if what == WRITE:
            return WriteWord(unit, place, recipe.word())
        count = recipe.byte() % 124
        if recipe.byte() & 1:
            return WriteCoils(unit, place, count, bytes(-(-count // 8)))
        return WriteWords(unit, place, recipe.words(count))

    def _nudged(self, first: int, recipe: Recipe) -> tuple[int, ...]:
        """What stands there now, a little changed: whole blocks of such words are taken now and then."""
        words = _map("epever", self._system_v).words["holding"]
        at = self._device.shown()
        now = [
            words[first + place](*at) if first + place in words else 0
            for place in range(recipe.byte() % MOST_NUDGED)
        ]
        return tuple((word + (recipe.byte() ^ 0x80) - 0x80) & 0xFFFF for word in now)

    def _ask(self, request: Request) -> None:
        device, before, looks = self._device, self._device.settings, self._device.looks
        reply = self._tracer.answer(request)
        assert device.looks - looks <= 1, f"{request} was answered from {device.looks - looks} instants"
        if device.settings != before:
            assert request.function in (5, 6, 0x10), f"{request} changed the settings"
            assert reply is None or not reply[1] & 0x80, "refused, but done"
        _check_settings(device.settings, self._system_v)
        if reply is not None:
            _check_reply(request, reply)
            # Reserved ids: all may be asked for the unit's own, and `uart2` reads input registers under any.
            known = (0x45, 0x04) if self._reads_any else (0x45,)
            assert request.unit <= LAST_UNIT or request.function in known, f"{request} was answered"
            if request.function in (3, 4) and not reply[1] & 0x80 and len(reply) > 5 and _is_whole(reply):
                assert device.looks - looks == 1


def _is_whole(reply: bytes) -> bool:
    return reply[2] == len(reply) - 5


def _check_settings(settings: Settings, system_v: int) -> None:
    assert not list(disorder(settings)), settings
    assert not list(out_of_range(settings)), settings
    assert not list(conflicts(settings, system_v)), settings
    assert all(9.0 <= getattr(settings, name) <= 34.0 for name in VOLTAGES), settings
    assert all(isinstance(getattr(settings, name), int | float) for name in RANGES)


def _check_reply(request: Request, reply: bytes) -> None:
    """Others read it, and so do we: the same unit and function, an exception of 1 to 4, as many words as asked for."""
    assert 5 <= len(reply) <= 256
    assert FramerRTU.compute_CRC(reply[:-2]) == int.from_bytes(reply[-2:], "big")
    assert reply[0] == request.unit
    assert reply[1] & 0x7F == request.function
    if reply[1] & 0x80 or request.function in READ_BY_OTHERS:
        pdu = PDUS.decode(reply[1:-2])
        assert pdu is not None, f"pymodbus can't read {reply.hex(' ')}"
        if isinstance(pdu, ExceptionResponse):
            assert pdu.exception_code in (1, 2, 3, 4)
        elif isinstance(request, ReadWords):
            assert len(pdu.registers) == request.count
        elif isinstance(request, ReadBits):
            assert len(pdu.bits) == 8 * -(-request.count // 8)
    told = decode_reply(request, reply)
    assert told is not None
    assert told.encode() == reply


def seeds() -> Iterator[bytes]:
    """Recorded requests one after the other, and a write of each kind."""
    bodies = [request[:-2] for request, _ in captured()]
    for setup in range(8):
        some = bodies[setup::8][:40]
        yield bytes((setup,)) + b"".join(bytes((RAW, len(body))) + body for body in some)
    places = _places()
    for setup in range(4):
        blocks = b""
        for address, count in (
            (0x9000, 15),
            (0x9003, 12),
            (0x9013, 3),
            (0x9067, 1),
            (0x901E, 2),
            (0x903D, 1),
        ):
            blocks += (
                bytes((NUDGE, 0)) + places.index(address).to_bytes(2, "big") + bytes((count, *[0] * count))
            )
        for coil in range(7):
            blocks += bytes((COIL, 0)) + places.index(coil).to_bytes(2, "big") + bytes((1,))
        yield bytes((setup,)) + blocks
        yield bytes(
            (
                setup,
                READ,
                0,
                0,
                40,
                3,
                8,
                POWER,
                READ,
                230,
                9,
                0,
                40,
                2,
                60,
                WILD,
                0,
                1,
                2,
                9,
                1,
                WRITE,
                0,
                0,
                1,
            )
        )
