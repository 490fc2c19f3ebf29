"""Masters that others wrote read and write a whole Tracer, each over the link it uses in life.

pymodbus over TCP (RTU frames, as through a serial server), over Modbus/TCP and over a serial port; minimalmodbus over a
serial port; libmodbus over that and Modbus/TCP; our pty is the port. What they must read stands in `tests.snapshots`,
written by hand, or in the vendor's documents.
"""

import ctypes
import ctypes.util
import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import minimalmodbus
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusBaseSyncClient, ModbusSerialClient, ModbusTcpClient

from modbus.codec.replies import BitsReply, ExceptionReply, Reply, WordsReply
from modbus.codec.requests import ReadBits, ReadWords, Request, WriteCoil, WriteWord, WriteWords
from modbus.device.interface import Device, Shown
from modbus.device.tracer import Tracer
from modbus.line.endpoint import Endpoint, ModbusTcpEndpoint, PtyEndpoint, TcpEndpoint, parse_endpoint
from modbus.map.registers import TRACER_4210, load_map
from modbus.master.client import Master
from plant.base.clock import WallClock
from tests.plants import plant
from tests.snapshots import EPEVER_WORDS, NOON, Still
from tracertwin.assembly.live import Live
from tracertwin.rig.serving import line_on

EPEVER = load_map("epever", TRACER_4210)
TIMEOUT_S = 2.0  # never reached
REQUIRED = os.environ.get("TRACERTWIN_REQUIRE_QEMU") == "1"  # a missing library is then a failure


class Refused(Exception):  # noqa: N818 - an answer
    """The device answered by this exception."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Client(Protocol):
    """What every master can do, whatever it calls it. Functions by number; `Refused` for an exception reply."""

    def bits(self, function: int, address: int, count: int) -> list[int]: ...

    def words(self, function: int, address: int, count: int) -> list[int]: ...

    def write_coil(self, address: int, on: bool) -> None: ...

    def write_word(self, address: int, word: int) -> None: ...

    def write_words(self, address: int, words: list[int]) -> None: ...


# --- pymodbus ---


class Pymodbus:
    def __init__(self, client: ModbusBaseSyncClient) -> None:
        assert client.connect()
        self._client = client
        self.close = client.close

    def _ask(self, call: Callable, *arguments: object, **options: object):
        reply = call(*arguments, device_id=1, **options)
        if reply.isError():
            raise Refused(reply.exception_code)
        return reply

    def bits(self, function: int, address: int, count: int) -> list[int]:
        call = {1: self._client.read_coils, 2: self._client.read_discrete_inputs}[function]
        return [int(bit) for bit in self._ask(call, address, count=count).bits[:count]]

    def words(self, function: int, address: int, count: int) -> list[int]:
        call = {3: self._client.read_holding_registers, 4: self._client.read_input_registers}[function]
        return self._ask(call, address, count=count).registers

    def write_coil(self, address: int, on: bool) -> None:
        self._ask(self._client.write_coil, address, on)

    def write_word(self, address: int, word: int) -> None:
        self._ask(self._client.write_register, address, word)

    def write_words(self, address: int, words: list[int]) -> None:
        self._ask(self._client.write_registers, address, words)


def pymodbus_tcp(link: str) -> Pymodbus:
    host, _, port = link.rpartition(":")
    client = ModbusTcpClient(host, port=int(port), framer=FramerType.RTU, timeout=TIMEOUT_S, retries=0)
    return Pymodbus(client)


def pymodbus_modbus_tcp(link: str) -> Pymodbus:
    host, _, port = link.rpartition(":")
    return Pymodbus(ModbusTcpClient(host, port=int(port), timeout=TIMEOUT_S, retries=0))


def pymodbus_serial(link: str) -> Pymodbus:
    return Pymodbus(ModbusSerialClient(link, baudrate=115200, timeout=TIMEOUT_S, retries=0))


# --- minimalmodbus ---


class Minimalmodbus:
    CODES = (
        ("illegal function", 1), ("illegal data address", 2), ("illegal data value", 3), ("device failure", 4),
    )  # fmt: skip
    REPLY_S = 0.1  # it waits that long for the bytes of the reply that an exception is shorter than

    def __init__(self, link: str) -> None:
        self._unit = minimalmodbus.Instrument(link, 1)
        self._unit.serial.baudrate = 115200
        self._unit.serial.timeout = self.REPLY_S
        self.close = self._unit.serial.close

    def _ask(self, call: Callable, *arguments: object):
        try:
            return call(*arguments)
        except minimalmodbus.SlaveReportedException as error:
            raise Refused(next(code for text, code in self.CODES if text in str(error).lower())) from None

    def bits(self, function: int, address: int, count: int) -> list[int]:
        return self._ask(self._unit.read_bits, address, count, function)

    def words(self, function: int, address: int, count: int) -> list[int]:
        return self._ask(self._unit.read_registers, address, count, function)

    def write_coil(self, address: int, on: bool) -> None:
        self._ask(self._unit.write_bit, address, int(on))

    def write_word(self, address: int, word: int) -> None:
        self._ask(self._unit.write_register, address, word, 0, 6)

    def write_words(self, address: int, words: list[int]) -> None:
        self._ask(self._unit.write_registers, address, words)


# --- libmodbus, in C ---


class Libmodbus:
    ENOBASE = 112345678  # modbus.h; errno of an exception is this plus its code

    def __init__(self, link: str) -> None:
        name = ctypes.util.find_library("modbus") or "libmodbus.so.5"
        try:
            self._lib = ctypes.CDLL(name, use_errno=True)
        except OSError:
            if REQUIRED:
                raise
            pytest.skip("libmodbus is not installed")
        self._context = ctypes.c_void_p(self._made(link))
        assert self._lib.modbus_set_slave(self._context, 1) == 0
        assert self._lib.modbus_set_response_timeout(self._context, int(TIMEOUT_S), 0) == 0
        assert self._lib.modbus_connect(self._context) == 0, os.strerror(ctypes.get_errno())

    def _made(self, link: str) -> int:
        """A context of the library for a serial port."""
        make = self._lib.modbus_new_rtu
        make.restype = ctypes.c_void_p
        make.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
        return make(link.encode(), 115200, b"N", 8, 1)

    def close(self) -> None:
        self._lib.modbus_close(self._context)
        self._lib.modbus_free(self._context)

    def _check(self, done: int, expected: int) -> None:
        code = ctypes.get_errno() - self.ENOBASE
        if done == -1 and 1 <= code <= 11:
            raise Refused(code)
        assert done == expected, os.strerror(ctypes.get_errno())

    def bits(self, function: int, address: int, count: int) -> list[int]:
        call = {1: self._lib.modbus_read_bits, 2: self._lib.modbus_read_input_bits}[function]
        got = (ctypes.c_uint8 * count)()
        self._check(call(self._context, address, count, got), count)
        return list(got)

    def words(self, function: int, address: int, count: int) -> list[int]:
        call = {3: self._lib.modbus_read_registers, 4: self._lib.modbus_read_input_registers}[function]
        got = (ctypes.c_uint16 * count)()
        self._check(call(self._context, address, count, got), count)
        return list(got)

    def write_coil(self, address: int, on: bool) -> None:
        self._check(self._lib.modbus_write_bit(self._context, address, int(on)), 1)

    def write_word(self, address: int, word: int) -> None:
        self._check(self._lib.modbus_write_register(self._context, address, ctypes.c_uint16(word)), 1)

    def write_words(self, address: int, words: list[int]) -> None:
        given = (ctypes.c_uint16 * len(words))(*words)
        self._check(self._lib.modbus_write_registers(self._context, address, len(words), given), len(words))


class LibmodbusTcp(Libmodbus):
    def _made(self, link: str) -> int:
        make = self._lib.modbus_new_tcp
        make.restype = ctypes.c_void_p
        make.argtypes = [ctypes.c_char_p, ctypes.c_int]
        host, _, port = link.rpartition(":")
        return make(host.encode(), int(port))


# --- our own, beside them ---


class Ours:
    def __init__(self, link: str) -> None:
        self._master = Master(self._endpoint(link))
        self.close = self._master.close

    def _endpoint(self, link: str) -> Endpoint:
        host, _, port = link.rpartition(":")
        return TcpEndpoint(host, int(port))

    def _ask(self, request: Request) -> Reply:
        reply = self._master.ask(request, TIMEOUT_S)
        if isinstance(reply, ExceptionReply):
            raise Refused(reply.code)
        return reply

    def bits(self, function: int, address: int, count: int) -> list[int]:
        reply = self._ask(ReadBits(1, function, address, count))
        assert isinstance(reply, BitsReply)
        return [int(bit) for bit in reply.bits]

    def words(self, function: int, address: int, count: int) -> list[int]:
        reply = self._ask(ReadWords(1, function, address, count))
        assert isinstance(reply, WordsReply)
        return list(reply.words)

    def write_coil(self, address: int, on: bool) -> None:
        self._ask(WriteCoil(1, address, 0xFF00 if on else 0))

    def write_word(self, address: int, word: int) -> None:
        self._ask(WriteWord(1, address, word))

    def write_words(self, address: int, words: list[int]) -> None:
        self._ask(WriteWords(1, address, tuple(words)))


class OursTcp(Ours):
    def _endpoint(self, link: str) -> Endpoint:
        host, _, port = link.rpartition(":")
        return ModbusTcpEndpoint(host, int(port))


MASTERS = {
    "pymodbus, tcp": ("listen", pymodbus_tcp),
    "pymodbus, serial": ("pty", pymodbus_serial),
    "minimalmodbus": ("pty", Minimalmodbus),
    "libmodbus": ("pty", Libmodbus),
    "ours": ("listen", Ours),
    "pymodbus, Modbus/TCP": ("modbus-tcp", pymodbus_modbus_tcp),
    "libmodbus, Modbus/TCP": ("modbus-tcp", LibmodbusTcp),
    "ours, Modbus/TCP": ("modbus-tcp", OursTcp),
}


@contextmanager
def served(device: Device, name: str, folder: Path) -> Iterator[Client]:
    """A master connected to a Tracer with this device behind it."""
    link, make = MASTERS[name]
    path = str(folder / "uart2")
    endpoint = PtyEndpoint(path) if link == "pty" else parse_endpoint(f"{link}:127.0.0.1:0")
    tracer = Tracer(EPEVER, device)
    with line_on(endpoint, tracer.answer, turnaround_s=0.0, log=lambda _: None) as line:
        where = path if link == "pty" else str(line.endpoint).removeprefix(f"{link}:")
        with closing(make(where)) as client:
            yield client
    assert line.stats.bad_frames == line.stats.junk_bytes == line.stats.failures == 0


@pytest.fixture(params=MASTERS)
def client(request, tmp_path) -> Iterator[Client]:
    """Each master in turn, at a Tracer that stands still at the made-up noon, by its clock 2026-06-21 12:34:56."""
    noon = NOON._replace(t_device_s=datetime(2026, 6, 21, 12, 34, 56, tzinfo=UTC).timestamp())
    with served(Still(noon), request.param, tmp_path) as made:
        yield made


def outcome(client: Client, call: str, arguments: tuple) -> object:
    """What a call gives: what was read, None for a write, the exception's code if it was refused."""
    try:
        return getattr(client, call)(*arguments)
    except Refused as refused:
        return f"exception {refused.code:02d}"


# --- reading ---

# A new unit: sealed, 200 Ah, 3 mV/K a cell, and the twelve voltages (V26 document, table of battery types)
NEW_UNIT = [1, 200, 300, 1600, 1500, 1500, 1460, 1440, 1380, 1320, 1260, 1220, 1200, 1110, 1060]
READS = [
    ("words", (4, 0x3100, 20), [EPEVER_WORDS[address] for address in range(0x3100, 0x3114)]),
    ("words", (4, 0x3200, 3), [EPEVER_WORDS[address] for address in range(0x3200, 0x3203)]),
    ("words", (4, 0x330C, 8), [EPEVER_WORDS[address] for address in range(0x330C, 0x3314)]),
    ("words", (4, 0x331A, 3), [EPEVER_WORDS[address] for address in range(0x331A, 0x331D)]),
    ("words", (3, 0x9000, 15), NEW_UNIT),
    ("words", (3, 0x9013, 3), [34 << 8 | 56, 21 << 8 | 12, 26 << 8 | 6]),
    ("words", (3, 0x906B, 2), [120, 120]),
    ("bits", (1, 0x0002, 5), [1, 0, 0, 0, 0]),
    ("bits", (2, 0x200C, 1), [0]),
    ("bits", (2, 0x2000, 1), [0]),
]
REFUSALS = [
    ("words", (4, 0x9000, 1), 2),  # in the other table
    ("words", (3, 0x3100, 1), 2),
    ("words", (4, 0x3100, 21), 2),  # 0x3114 does not exist
    ("bits", (1, 0x0001, 1), 2),
    ("bits", (2, 0x2001, 1), 2),
    ("write_coil", (0x0001, True), 2),
    ("write_word", (0x3100, 1), 2),
    ("write_word", (0x9007, 1440), 4),  # of the twelve voltages alone
    ("write_word", (0x9001, 60000), 3),
    ("write_words", (0x9013, [60 << 8, 1 << 8, 26 << 8 | 2]), 3),  # minute 60
    ("write_words", (0x9066, [0, 0]), 2),
]


@pytest.mark.parametrize(("call", "arguments", "expected"), READS)
def test_every_table_is_read(client, call, arguments, expected):
    assert outcome(client, call, arguments) == expected


@pytest.mark.parametrize(("call", "arguments", "code"), REFUSALS)
def test_every_refusal_arrives_with_its_code(client, call, arguments, code):
    assert outcome(client, call, arguments) == f"exception {code:02d}"
    assert client.words(3, 0x9000, 15) == NEW_UNIT


# --- writing ---


class ByHand(Live):
    """A plant that the test moves."""

    def __init__(self) -> None:
        whole = plant()
        super().__init__(whole, WallClock(whole.start_utc_s, 1.0))

    def shown(self) -> Shown:
        return Shown(self.plant.snapshot, self.plant.settings)


@pytest.fixture(params=MASTERS)
def rig(request, tmp_path) -> Iterator[tuple[Client, ByHand]]:
    """Each master in turn, at a Tracer with a plant."""
    device = ByHand()
    with served(device, request.param, tmp_path) as made:
        yield made, device


def test_settings_are_written_and_read_back_and_the_charger_has_them(rig):
    client, device = rig
    client.write_word(0x9067, 1)  # 12 V, not automatic; type user needs it
    client.write_word(0x9000, 0)
    client.write_word(0x9001, 150)
    voltages = [1600, 1500, 1500, 1470, 1420, 1370, 1310, 1250, 1210, 1190, 1120, 1070]
    client.write_words(0x9003, voltages)
    client.write_word(0x906C, 60)
    assert client.words(3, 0x9000, 2) == [0, 150]
    assert client.words(3, 0x9003, 12) == voltages
    assert client.words(3, 0x906C, 1) == [60]
    settings = device.plant.settings
    assert (settings.boost_v, settings.low_voltage_disconnect_v, settings.boost_min) == (14.2, 11.2, 60)


def test_voltages_in_the_wrong_order_are_refused_and_change_nothing(rig):
    client, device = rig
    client.write_word(0x9067, 1)
    client.write_word(0x9000, 0)
    before, settings = client.words(3, 0x9003, 12), device.plant.settings
    boost_below_float = [*before[:4], before[5] - 10, *before[5:]]
    assert outcome(client, "write_words", (0x9003, boost_below_float)) == "exception 04"
    assert client.words(3, 0x9003, 12) == before
    assert device.plant.settings == settings


def test_the_clock_is_set_and_goes_on_from_there(rig):
    client, device = rig
    client.write_words(0x9013, [58 << 8 | 57, 31 << 8 | 23, 26 << 8 | 12])  # 31 Dec 2026, 23:58:57
    device.plant.advance_to(device.plant.t_utc_s + 70)
    assert client.words(3, 0x9013, 3) == [0 << 8 | 7, 1 << 8 | 0, 27 << 8 | 1]


def test_the_load_is_switched_off_and_on(rig):
    client, device = rig
    for on in (False, True):
        client.write_coil(0x0002, on)
        device.plant.advance_to(device.plant.t_utc_s + 10)
        assert client.bits(1, 0x0002, 1) == [int(on)]
        assert client.words(4, 0x3202, 1)[0] & 1 == on
        assert (client.words(4, 0x310E, 2) != [0, 0]) == on


def test_factory_settings_come_back(rig):
    client, _ = rig
    client.write_word(0x9001, 150)
    client.write_coil(0x0013, True)
    assert client.words(3, 0x9000, 15) == NEW_UNIT
