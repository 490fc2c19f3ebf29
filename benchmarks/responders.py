"""Programs that answer Modbus, each in its own process, and the one client that all of them meet."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep
from typing import IO, Final

from modbus.codec.replies import WordsReply, decode_reply
from modbus.codec.requests import ReadWords

HERE: Final = Path(__file__).resolve().parent
HOST: Final = "127.0.0.1"
PYMODBUS: Final = "pymodbus server, RTU on TCP"
READ: Final = ReadWords(1, 0x04, 0x3100, 8)
REQUEST: Final = READ.encode()
WARM_UP: Final = 500  # polls
REPLY_BYTES: Final = 3 + 2 * 8 + 2
START_S: Final = 120.0  # a first start compiles
REPLY_S: Final = 5.0


class Missing(Exception):  # noqa: N818 - it is the peer that is missing; nothing is wrong
    """A peer that this machine can't run, and why."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process and what it has said."""

    process: "subprocess.Popen[bytes]"
    output: IO[bytes]

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def said(self) -> str:
        """Its output so far."""
        self.output.seek(0)
        return self.output.read().decode(errors="replace")

    def memory_mb(self) -> float:
        """Resident memory [MB = 1e6 bytes]; OSError where there is no /proc."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(resident.split()[1]) * 1024 / 1e6


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Iterator[Running]:
    """A process, ended at the end."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=HERE.parent, stdout=output, stderr=output, env={**os.environ, **(environment or {})}
        )
        try:
            yield Running(process, output)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(10.0)
            process.kill()
            process.wait()


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this process and those it starts on one core, where the system can do that.

    On a virtual machine of two cores the same poll took 24 or 140 us by C, 37 or 165 us by ours, 210 or 330 us by
    pymodbus, depending on where the scheduler had put the two ends.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def connect(port: int, program: Running) -> socket.socket:
    """A connection to a program that may still be starting."""
    give_up_s = monotonic() + START_S
    while monotonic() < give_up_s and program.is_alive:
        with suppress(ConnectionRefusedError):
            return prompt(socket.create_connection((HOST, port)))
        sleep(0.002)
    raise RuntimeError(f"{program.process.args!r} does not listen on {port}; it says {program.said()!r}")


def prompt(sock: socket.socket) -> socket.socket:
    """The socket, sending at once, and giving up on a reply in the end."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.settimeout(REPLY_S)
    return sock


@dataclass(frozen=True, slots=True)
class Responder:
    """How to start a program that listens on a port."""

    name: str
    command: Sequence[str]

    @contextmanager
    def connected(self) -> Iterator[tuple[Running, socket.socket]]:
        """The running process and a connection to it."""
        port = free_port()
        with (
            running([part.format(port=port) for part in self.command]) as started,
            connect(port, started) as sock,
        ):
            yield started, sock


def ours(*options: str) -> Responder:
    """`tracertwin serve` with a plant that runs."""
    link = f"listen:{HOST}:{{port}}"
    return Responder("TracerTwin", (sys.executable, "-m", "tracertwin", "serve", "--link", link, *options))


def pymodbus() -> Responder:
    """pymodbus's asynchronous server.

    Raises
    ------
    Missing
        It is not installed.
    """
    if importlib.util.find_spec("pymodbus") is None:
        raise Missing("pymodbus is not installed")
    return Responder("pymodbus", (sys.executable, str(HERE / "pymodbus_server.py"), "{port}"))


@contextmanager
def compiled_c(source: str) -> Iterator[Path]:
    """A program in C from this folder, compiled on the spot; gone afterwards, with all that lies beside it.

    Raises
    ------
    Missing
        There is no C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Missing("there is no C compiler (cc)")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program"
        subprocess.run([compiler, "-O2", "-o", program, HERE / source, "-lm"], check=True)
        yield program


@contextmanager
def in_c() -> Iterator[Responder]:
    """The responder in C; raises `Missing` as `compiled_c` does."""
    with compiled_c("responder.c") as program:
        yield Responder("C", (str(program), "{port}"))


def ask(sock: socket.socket) -> bytes:
    """The reply to one poll."""
    sock.sendall(REQUEST)
    reply = b""
    while len(reply) < REPLY_BYTES:
        more = sock.recv(256)
        if not more:
            raise ConnectionError("the responder closed the connection")
        reply += more
    return reply


def poll(sock: socket.socket) -> float:
    """Wall time of one poll [s]."""
    began = perf_counter()
    ask(sock)
    return perf_counter() - began


def greet(sock: socket.socket) -> None:
    """See that it answers as a Tracer would: eight registers, a good CRC; and warm it up."""
    reply = decode_reply(READ, ask(sock))
    if not isinstance(reply, WordsReply):
        raise RuntimeError(f"expected eight registers, got {reply}")
    for _ in range(WARM_UP):
        ask(sock)
