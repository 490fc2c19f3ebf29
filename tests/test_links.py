"""One served plant on links of every kind at once, each read by masters that others wrote.

A master in life stands behind something: an emulator's socket, a serial server, an adapter. Here that is a relay, which
has the master on one side, on TCP or a terminal of its own as it likes it, and the link's far end on the other.
"""

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from tests.test_masters import MASTERS
from tests.test_serialport import OLD_THREADING, far_port

ROOT = Path(__file__).parents[1]
START_S = 120.0  # a first start compiles
GONE_S = 5.0
Opened = Callable[[], int]  # the far end of a link as a file descriptor


def _listening(
    family: socket.AddressFamily, address: Any, link: Callable[[Any], str]
) -> tuple[str, Opened, Any]:
    """A far end that the link dials, as QEMU's socket is."""
    server = socket.socket(family)
    server.bind(address)
    server.listen()
    server.settimeout(START_S)

    def opened() -> int:
        return server.accept()[0].detach()

    return link(server.getsockname()), opened, server


def _dialling(family: socket.AddressFamily, address: Any) -> int:
    end = socket.socket(family)
    end.connect(address)
    return end.detach()


class Ends:
    """The far ends of all links, made before the plant is served; `opened` connects them one by one."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._stack = stack
        self.links: dict[str, str] = {}
        self._open: dict[str, Opened] = {}
        local = ("127.0.0.1", 0)
        for kind, family, address, link in (
            ("dial", socket.AF_INET, local, lambda at: f"dial:127.0.0.1:{at[1]}"),
            ("socket://", socket.AF_INET, local, lambda at: f"serial:socket://127.0.0.1:{at[1]}"),
            ("unix", socket.AF_UNIX, str(folder / "qemu"), lambda at: f"unix:{at}"),
        ):
            self.links[kind], self._open[kind], server = _listening(family, address, link)
            stack.callback(server.close)
        self.links |= {
            "listen": "listen:127.0.0.1:0",
            "modbus-tcp": "modbus-tcp:127.0.0.1:0",
            "unix-listen": f"unix-listen:{folder / 'ours'}",
            "pty": f"pty:{folder / 'uart2'}",
            "serial": f"serial:{self._terminal('serial')}",
            "rfc2217://": f"serial:rfc2217://127.0.0.1:{stack.enter_context(far_port(self._terminal('rfc2217://')))}",
        }

    def _terminal(self, kind: str) -> str:
        end, device = os.openpty()
        tty.setraw(device)
        name = os.ttyname(device)
        os.close(device)
        self._open[kind] = lambda: end
        return name

    def ready(self, endpoints: list[str]) -> None:
        """What listens, by its real name."""
        names = dict(zip(self.links, endpoints, strict=True))
        number = int(names["listen"].rpartition(":")[2])
        assert number > 0
        path = names["unix-listen"].removeprefix("unix-listen:")
        device = names["pty"].removeprefix("pty:")
        tcp = int(names["modbus-tcp"].rpartition(":")[2])
        self._open["listen"] = lambda: _dialling(socket.AF_INET, ("127.0.0.1", number))
        self._open["modbus-tcp"] = lambda: _dialling(socket.AF_INET, ("127.0.0.1", tcp))
        self._open["unix-listen"] = lambda: _dialling(socket.AF_UNIX, path)
        self._open["pty"] = lambda: os.open(device, os.O_RDWR | os.O_NOCTTY)
        for kind, open_ in self._open.items():  # all at once, and each of them until the end
            end = self._stack.enter_context(_descriptor(open_()))
            self._open[kind] = lambda end=end: end

    def opened(self, kind: str) -> int:
        return self._open[kind]()


@contextmanager
def _descriptor(number: int) -> Iterator[int]:
    yield number
    os.close(number)


@contextmanager
def relay(far: int, near: str, folder: Path) -> Iterator[str]:
    """What lies between a link's far end and a master; gives the address where the master finds it."""
    ended = threading.Event()
    with ExitStack() as stack:
        if near == "pty":
            end, device = os.openpty()
            tty.setraw(device)
            stack.callback(os.close, device)  # held, so that masters may come and go
            where, accept = os.ttyname(device), lambda: end
        else:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            where = f"127.0.0.1:{server.getsockname()[1]}"

            def accept() -> int:
                return server.accept()[0].detach()

        thread = threading.Thread(target=_carry, args=(far, accept, ended))
        thread.start()
        stack.callback(thread.join)
        stack.callback(ended.set)
        yield where


def _carry(far: int, accept: Callable[[], int], ended: threading.Event) -> None:
    near = accept()
    other = {far: near, near: far}
    while not ended.is_set():
        for end in select.select((far, near), (), (), 0.02)[0]:
            data = os.read(end, 4096)
            if not data:
                ended.set()
            os.write(other[end], data)
    os.close(near)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ends]:
    """The far ends of a plant that all tests of this module may read."""
    with serving(tmp_path_factory.mktemp("links")) as (ends, _):
        yield ends


@contextmanager
def serving(folder: Path) -> Iterator[tuple[Ends, subprocess.Popen[str]]]:
    """`tracertwin serve` on all of them, its plant standing still at ten in the morning."""
    with ExitStack() as stack:
        ends = Ends(folder, stack)
        options = ["--clock", "stepped", "--once", "--ready-file", str(folder / "ready")]
        options += ["--stats", str(folder / "stats.json"), "--map", "epever", "--turnaround", "0ms"]
        for link in ends.links.values():
            options += ["--link", link]
        with run(*options) as process:
            ends.ready(endpoints_of(folder / "ready", process))
            wait_connected(process, ends.links["rfc2217://"])
            yield ends, process


@contextmanager
def run(*options: str) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, killed in the end if it hasn't gone."""
    command = [sys.executable, "-m", "tracertwin", "serve", *options]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def endpoints_of(ready: Path, process: subprocess.Popen[str]) -> list[str]:
    until_s = time.monotonic() + START_S
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < until_s
        time.sleep(0.02)
    return ready.read_text().splitlines()


def wait_connected(process: subprocess.Popen[str], link: str) -> None:
    """Until a link says so: the far port forgets what came before the negotiation of RFC 2217."""
    assert process.stderr is not None
    said = process.stderr.readline()
    while not (link in said and said.endswith(": connected\n")):
        assert said, "it has ended"
        said = process.stderr.readline()


KINDS = ("dial", "listen", "unix", "unix-listen", "pty", "serial", "socket://", "rfc2217://", "modbus-tcp")
OTHERS = [name for name in MASTERS if not name.startswith("ours")]
SPEAKS_TCP = {name for name, (near, _) in MASTERS.items() if near == "modbus-tcp"}
PAIRS = [(kind, name) for kind in KINDS for name in OTHERS if (kind == "modbus-tcp") == (name in SPEAKS_TCP)]
seen: dict[tuple[int, int], set[tuple[int, ...]]] = {}  # what any master read on any link


@pytest.mark.filterwarnings(OLD_THREADING)
@pytest.mark.parametrize(("kind", "name"), PAIRS)
def test_every_master_reads_the_same_plant_on_every_link(served, tmp_path, kind, name):
    read_on(served, kind, name, tmp_path)


def read_on(ends: Ends, kind: str, name: str, folder: Path) -> None:
    """Have a master read on a link, what any of them read on any link."""
    near, make = MASTERS[name]
    with relay(ends.opened(kind), near, folder) as where, closing(make(where)) as client:
        for function, address, count in ((4, 0x3100, 8), (4, 0x3200, 2), (3, 0x9000, 15)):
            words = tuple(client.words(function, address, count))
            assert len(words) == count
            assert seen.setdefault((function, address), {words}) == {words}
        assert client.bits(2, 0x200C, 1) == [0]  # day


@pytest.mark.filterwarnings(OLD_THREADING)
def test_it_ends_by_itself_when_all_peers_have_gone_and_tells_what_was_said_on_each_link(tmp_path):
    """`--once`, `--stats`, and the ready file removed; on a plant of its own, since nothing is left to read then."""
    with serving(tmp_path) as (ends, process):
        for kind, name in PAIRS:
            read_on(ends, kind, name, tmp_path)
        ends._stack.close()
        assert process.wait(GONE_S) == 0
    assert not (tmp_path / "ready").exists()
    assert not (tmp_path / "uart2").is_symlink()
    lines = json.loads((tmp_path / "stats.json").read_text())["lines"]
    assert len(lines) == len(KINDS)
    for line in lines:
        speaks_tcp = line["link"].startswith("modbus-tcp:")
        masters = sum((name in SPEAKS_TCP) == speaks_tcp for name in OTHERS)
        assert masters >= 2
        assert line["requests"] == {"02": masters, "03": masters, "04": 2 * masters}
        assert line["replies"] == 4 * masters
        assert (line["exceptions"], line["failures"], line["junk_bytes"], line["silent"], line["stale"]) == (
            0,
        ) * 5


def test_it_ends_after_so_much_plant_time_while_a_master_polls(tmp_path):
    ready = tmp_path / "ready"
    options = ("--for", "1h", "--speed", "3600", "--link", "listen:127.0.0.1:0", "--map", "epever", "--stats")
    with run(*options, str(tmp_path / "stats"), "--ready-file", str(ready)) as process:
        number = int(endpoints_of(ready, process)[0].rpartition(":")[2])
        client = ModbusTcpClient("127.0.0.1", port=number, framer=FramerType.RTU, timeout=GONE_S, retries=0)
        assert client.connect()
        with closing(client):
            began_s, polls = time.monotonic(), 0
            while process.poll() is None and time.monotonic() < began_s + GONE_S:
                with_words = [client.read_input_registers(0x3100, count=8, device_id=1)] if polls < 20 else []
                assert not any(reply.isError() for reply in with_words)
                polls += len(with_words)
                time.sleep(0.005 if polls < 20 else 0.05)
        assert process.wait(GONE_S) == 0
    told = json.loads((tmp_path / "stats").read_text())
    assert (told["began"], told["ended"]) == ("2026-02-20T09:00:00Z", "2026-02-20T10:00:00Z")
    assert told["lines"][0]["replies"] == polls == 20
