"""Each line fault as masters that others wrote see it over a real link; and the faults of a whole rig."""

import ctypes
import json
import logging
import re
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import minimalmodbus
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from modbus.codec.replies import WordsReply
from modbus.codec.requests import ReadWords
from modbus.device.tracer import Tracer
from modbus.line.endpoint import Endpoint, PtyEndpoint, TcpEndpoint, parse_endpoint
from modbus.line.faults.kinds import FAULTS
from modbus.line.faults.striking import Faults, FaultyLine
from modbus.line.faults.text import parse_fault
from modbus.line.link import Line
from modbus.line.pacing import parse_pace
from modbus.map.registers import TRACER_4210, load_map
from plant.base.problems import ProblemsError
from tests.plants import plant
from tests.snapshots import EPEVER_WORDS, NOON, Still
from tests.test_masters import Libmodbus
from tests.waiting import until
from tracertwin.assembly.options import Options
from tracertwin.rig.serving import Rig

FIRST = 0x3101
TIMEOUT_S = 0.5
SLOWER = f"by={1.4 * TIMEOUT_S:.2f}s"
EPEVER = load_map("epever", TRACER_4210)


# --- masters ---


def seen_by_pymodbus(address: int, client: ModbusTcpClient) -> object:
    try:
        reply = client.read_input_registers(address, count=2, device_id=1)
    except ModbusIOException as error:
        return "no answer" if "No response received" in str(error) else str(error)
    return f"exception {reply.exception_code}" if reply.isError() else tuple(reply.registers)


def seen_by_minimalmodbus(address: int, client: minimalmodbus.Instrument) -> object:
    try:
        return tuple(client.read_registers(address, 2, 4))
    except minimalmodbus.NoResponseError:
        return "no answer"
    except minimalmodbus.SlaveReportedException as error:
        return f"exception {4 if 'device failure' in str(error) else 'other'}"
    except minimalmodbus.InvalidResponseError:
        return "bad answer"


@contextmanager
def pymodbus_at(endpoint: Endpoint, _path: Path) -> Iterator[Callable[[int], object]]:
    assert isinstance(endpoint, TcpEndpoint)
    client = ModbusTcpClient(
        endpoint.host, port=endpoint.port, framer=FramerType.RTU, timeout=TIMEOUT_S, retries=0
    )
    assert client.connect()
    with closing(client):
        yield lambda address: seen_by_pymodbus(address, client)


@contextmanager
def minimalmodbus_at(_endpoint: Endpoint, path: Path) -> Iterator[Callable[[int], object]]:
    client = minimalmodbus.Instrument(str(path), 1)
    client.serial.timeout = TIMEOUT_S
    with closing(client.serial):
        yield lambda address: seen_by_minimalmodbus(address, client)


MASTERS = {"pymodbus": pymodbus_at, "minimalmodbus": minimalmodbus_at}

# What a master makes of the faulty reply, and of the one after it, which has no fault. "right": the two registers asked
# for; "old": those asked for before.
SEEN = {
    "exception": {"pymodbus": ("exception 4", "right"), "minimalmodbus": ("exception 4", "right")},
    "wrong_function": {"pymodbus": ("other", "right"), "minimalmodbus": ("bad answer", "right")},
    "wrong_unit": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "crc": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "flip": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "truncate": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "collision": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "wrong_baud": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "drop": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("no answer", "right")},
    "held_low": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "dead": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("no answer", "right")},
    "noise_before": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "noise_after": {"pymodbus": ("right", "right"), "minimalmodbus": ("right", "right")},
    "duplicate": {"pymodbus": ("right", "old"), "minimalmodbus": ("right", "right")},
    "echo": {"pymodbus": ("no answer", "right"), "minimalmodbus": ("bad answer", "right")},
    "split": {"pymodbus": ("right", "right"), "minimalmodbus": ("right", "right")},
    "merge": {"pymodbus": ("no answer", "old"), "minimalmodbus": ("no answer", "old")},
    "delay": {"pymodbus": ("right", "right"), "minimalmodbus": ("right", "right")},
    "jitter": {"pymodbus": ("right", "right"), "minimalmodbus": ("right", "right")},
    "late": {"pymodbus": ("no answer", "old"), "minimalmodbus": ("no answer", "old")},
}
SLOWEST_S = {"delay": 0.2, "split": 0.02}  # what these add to a reply


def registers(address: int) -> tuple[int, ...]:
    return tuple(EPEVER_WORDS[address + place] for place in range(2))


def in_words(seen: object, address: int) -> object:
    if isinstance(seen, tuple):
        return {registers(address - 1): "old", registers(address): "right"}.get(seen, "other")
    return seen


@contextmanager
def faulty(faults: Faults, endpoint: Endpoint) -> Iterator[tuple[Line, FaultyLine]]:
    """A Tracer that stands still behind a line with faults."""
    bent = FaultyLine(faults, 0, Tracer(EPEVER, Still(NOON)).answer, lambda: 0.0)
    with Line(endpoint, bent.answer, turnaround_s=0.0, log=lambda _: None) as line:
        yield line, bent


def test_each_line_fault_has_its_line_here_and_on_the_page():
    page = (Path(__file__).parents[1] / "docs" / "faults.md").read_text(encoding="utf-8")
    table = page.partition("## How masters react")[2].partition("## Pacing")[0]
    shown = [
        name
        for names in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", names)
    ]
    assert set(SEEN) == set(FAULTS), "SEEN has what two masters make of each"
    assert sorted(shown) == sorted(FAULTS), "docs/faults.md, How masters react"


@pytest.mark.parametrize("master", MASTERS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_master_sees_the_fault_and_what_it_leaves_behind(name, master, tmp_path, caplog):
    """The second request is asked when the line is quiet again, but while the late reply still waits."""
    caplog.set_level(logging.CRITICAL, logger="pymodbus")
    faults = Faults(7, "UTC")
    faults.set(f"late:1:{SLOWER}" if name == "late" else name)
    path = tmp_path / "uart2"
    at = PtyEndpoint(str(path)) if master == "minimalmodbus" else TcpEndpoint("127.0.0.1", 0, listens=True)
    with faulty(faults, at) as (line, bent), MASTERS[master](line.endpoint, path) as ask:
        began_s = time.monotonic()
        seen = [in_words(ask(FIRST), FIRST)]
        took_s = time.monotonic() - began_s
        faults.clear()
        if name != "late":
            time.sleep(0.1)
        seen.append(in_words(ask(FIRST + 1), FIRST + 1))
    assert tuple(seen) == SEEN[name][master]
    assert bent.counts == {name: 1}
    assert took_s >= SLOWEST_S.get(name, 0.0)
    assert line.stats.failures == 0


def test_a_master_that_is_told_of_the_echo_reads_right(tmp_path):
    faults = Faults(7, "UTC")
    faults.set("echo")
    path = tmp_path / "uart2"
    with faulty(faults, PtyEndpoint(str(path))):
        client = minimalmodbus.Instrument(str(path), 1)
        client.handle_local_echo = True
        with closing(client.serial):
            assert tuple(client.read_registers(FIRST, 2, 4)) == registers(FIRST)


@pytest.mark.parametrize(
    ("fault", "why"),
    [("crc", "Invalid CRC"), ("wrong_unit", "not from requested slave"), ("drop", "timed out")],
)
def test_libmodbus_in_c_calls_the_fault_by_its_name(fault, why, tmp_path):
    faults = Faults(7, "UTC")
    path = tmp_path / "uart2"
    with faulty(faults, PtyEndpoint(str(path))), closing(Libmodbus(str(path))) as client:
        assert tuple(client.words(4, FIRST, 2)) == registers(FIRST)
        faults.set(fault)
        client._lib.modbus_set_response_timeout(client._context, 0, 300_000)
        with pytest.raises(AssertionError):
            client.words(4, FIRST, 2)
        client._lib.modbus_strerror.restype = ctypes.c_char_p
        assert why in client._lib.modbus_strerror(ctypes.get_errno()).decode()


def test_what_a_lost_reply_was_to_is_done_and_what_a_dead_device_was_told_is_not(tmp_path):
    path = tmp_path / "uart2"
    with rig_of(f"pty:{path}") as rig:
        assert rig.assembly.plants[0].settings.boost_min == 120
        client = minimalmodbus.Instrument(str(path), 1)
        client.serial.timeout = 0.1
        with closing(client.serial):
            for fault, word in (("drop", 60), ("dead", 90)):
                rig.assembly.faults.clear()
                rig.assembly.faults.set(fault)
                with pytest.raises(minimalmodbus.NoResponseError):
                    client.write_register(0x906C, word, 0, 16)
                assert rig.assembly.plants[0].settings.boost_min == 60


# --- a rig ---


def rig_of(*links: str, site_line: dict[str, Any] | None = None, seed: int = 1, **options: Any) -> Rig:
    cabin = plant(seed, **({"line": site_line} if site_line else {}))
    endpoints = [parse_endpoint(link) for link in links]
    return Rig(
        [cabin], Options(links=endpoints, map_name="epever", turnaround_s=0.0, **options), lambda _: None
    )


TEXTS = (
    "flip:0.1", "drop:0.1", "truncate:0.1", "noise_after:0.1", "merge:0.05", "echo:0.05", "collision:0.05",
    "wrong_baud:0.05:read=57600", "dead:0.02:for=5min", "exception:0.3:from=12:00:to=14:00", "split:0.2:gap=1ms",
)  # fmt: skip


def transcript(rig: Rig, pauses: Sequence[int], count: int = 200) -> bytes:
    """All bytes that a rig says to so many requests, sent with pauses before some."""
    heard = bytearray()
    with rig:
        endpoint = rig.lines[0].endpoint
        assert isinstance(endpoint, TcpEndpoint)
        with socket.create_connection((endpoint.host, endpoint.port)) as sock:
            for number in range(count):
                if number in pauses:
                    time.sleep(0.03)
                sock.sendall(ReadWords(1, 4, FIRST + number % 8, 1 + number % 4).encode())
            sock.settimeout(0.5)
            try:
                while data := sock.recv(4096):
                    heard += data
            except TimeoutError:
                pass
    assert sum(rig.lines[0].stats.requests.values()) == count
    return bytes(heard)


def test_same_seed_same_faulty_bytes_whatever_the_wall_does():
    """Plant time goes by requests, so windows and times fall on the same ones too; another seed has another chance."""

    def run(seed: int, pauses: Sequence[int]) -> tuple[bytes, dict[str, int]]:
        faults = [parse_fault(text) for text in TEXTS]
        rig = rig_of("listen:127.0.0.1:0", seed=seed, polled_s=60.0, faults=faults)
        return transcript(rig, pauses), rig.assembly.lines[0].counts

    one, again, other = run(7, range(0, 200, 40)), run(7, (11, 150)), run(8, ())
    assert one == again
    assert one != other
    assert set(one[1]) == {parse_fault(text).row.name for text in TEXTS}


def test_faults_of_the_site_and_of_the_options_hold_on_every_line_and_are_counted(tmp_path):
    stats = tmp_path / "stats.json"
    options = {"faults": [parse_fault("drop:1")], "stats": stats, "for_s": 60.0, "speed": 1e5}
    with rig_of(
        "listen:127.0.0.1:0", "listen:127.0.0.1:0", site_line={"faults": ("delay",)}, **options
    ) as rig:
        assert rig.assembly.faults.texts() == ("drop:1", "delay")
        for line, count in zip(rig.lines, (1, 2), strict=True):
            with socket.create_connection(("127.0.0.1", line.endpoint.port)) as sock:
                sock.sendall(count * ReadWords(1, 4, FIRST, 1).encode())
                assert until(lambda line=line, count=count: sum(line.stats.requests.values()) == count)
                assert until(
                    lambda rig=rig, count=count: rig.assembly.lines[count - 1].counts == {"drop": count}
                )
        rig.run()
        rig.tell()
    told = json.loads(stats.read_text())["lines"]
    assert [line["faults"] for line in told] == [{"drop": 1}, {"drop": 2}]
    assert [(line["replies"], line["silent"]) for line in told] == [(0, 0), (0, 0)]


def test_faults_come_and_go_while_it_runs():
    with rig_of("listen:127.0.0.1:0") as rig, socket.create_connection(
        ("127.0.0.1", rig.lines[0].endpoint.port)
    ) as sock:  # fmt: skip
        sock.settimeout(2.0)
        for text, size in (("", 7), ("noise_after:1:count=9", 16), ("truncate:1:lost=3", 4)):
            rig.assembly.faults.clear()
            if text:
                rig.assembly.faults.set(text)
            sock.sendall(ReadWords(1, 4, FIRST, 1).encode())
            assert len(sock.recv(100)) == size == len(WordsReply(1, 4, (0,)).encode()) + size - 7


@pytest.mark.parametrize("pace", [None, parse_pace("8/2ms")])
def test_half_duplex_without_a_baud_rate_is_refused(pace):
    with pytest.raises(ProblemsError, match="--half-duplex: needs a baud rate"):
        rig_of("listen:127.0.0.1:0", half_duplex=True, pace=pace)
