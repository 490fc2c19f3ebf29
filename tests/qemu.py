"""Run the firmware of `tests/firmware` in QEMU and read what it prints.

Knows how to build a variant, start and kill the emulator and wait for console lines. Knows nothing of Modbus.
"""

import itertools
import os
import queue
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

FIRMWARE_DIR = Path(__file__).parent / "firmware"
BANNER = "master up"


class Board(NamedTuple):
    """A machine that QEMU emulates, and its firmware.

    Attributes
    ----------
    name : str
        As the Makefile has it.
    compiler : str
    emulator : tuple of str
        The command line, up to the file of the firmware.
    tracer : int
        The UART that the Tracer is on; UART 0 is the console.
    """

    name: str
    compiler: str
    emulator: tuple[str, ...]
    tracer: int

    @property
    def tools(self) -> tuple[str, ...]:
        """Programs that it needs."""
        return self.emulator[0], self.compiler, "make"


CORTEX_M3 = Board(
    "lm3s6965", "arm-none-eabi-gcc", ("qemu-system-arm", "-M", "lm3s6965evb", "-kernel"), tracer=2
)
AVR = Board("mega2560", "avr-gcc", ("qemu-system-avr", "-M", "mega2560", "-bios"), tracer=2)
RISCV = Board(
    "sifive_u",
    "riscv64-unknown-elf-gcc",
    ("qemu-system-riscv64", "-M", "sifive_u", "-bios", "none", "-kernel"),
    tracer=1,
)
BOARDS = (CORTEX_M3, AVR, RISCV)

# Below 32768, where Linux starts handing out ports to outgoing connections: dialling a closed port of that
# range can connect to itself, and then nothing else can listen there.
PORTS = itertools.count(20_000 + os.getpid() * 16 % 10_000)

Build = Callable[..., Path]


def require_tools(board: Board = CORTEX_M3) -> None:
    """Skip the calling test when the emulator or the compiler is missing; fail if the environment insists."""
    missing = [tool for tool in board.tools if shutil.which(tool) is None]
    if not missing:
        return
    why = f"not installed: {', '.join(missing)}"
    if os.environ.get("TRACERTWIN_REQUIRE_QEMU") == "1":
        pytest.fail(why)
    pytest.skip(why)


def builder(directory: Path, board: Board = CORTEX_M3) -> Build:
    """Return `build(**options)`: each set of options is compiled once, for one board.

    `build(UNIT=7, BLOCKS=True)` runs `make OPTIONS="-DUNIT=7 -DBLOCKS"`; tests/firmware/README.md lists them.
    """
    built: dict[str, Path] = {}

    def build(**options: int | bool) -> Path:
        flags = " ".join(
            f"-D{name}" if value is True else f"-D{name}={value}" for name, value in options.items()
        )
        if flags not in built:
            elf = directory / f"{board.name}{len(built)}.elf"
            command = [
                "make",
                "-s",
                "-C",
                str(FIRMWARE_DIR),
                f"BOARD={board.name}",
                f"OUT={elf}",
                f"OPTIONS={flags}",
            ]
            made = subprocess.run(command, capture_output=True, text=True, check=False)
            assert made.returncode == 0, made.stderr
            built[flags] = elf
        return built[flags]

    return build


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 on which nothing listens."""
    for port in PORTS:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("itertools.count has no end")


class Latency(NamedTuple):
    """Microseconds, as the firmware's own clock has them."""

    min_us: int
    mean_us: int
    max_us: int


@dataclass(frozen=True, slots=True)
class Round:
    """One line `round ...` of the firmware."""

    number: int
    shown: str  # the decoded values as text, or "incomplete"
    polls: int  # this and the two below count from boot
    lost: int
    retries: int
    since_last: Latency  # from the request's last byte
    since_first: Latency  # from the request's first byte


ROUND = re.compile(
    r"round (\d+) (.+) polls (\d+) lost (\d+) retries (\d+) us (\d+) (\d+) (\d+) whole (\d+) (\d+) (\d+)$"
)
MISS = re.compile(r"miss (?P<address>[0-9A-F]{4}) (?P<why>\S+) asked-at (?P<asked_at_us>\d+) us$")


def parse_round(match: re.Match[str]) -> Round:
    """Make a record of a match of `ROUND`."""
    number, polls, lost, retries, *us = (int(match[i]) for i in (1, *range(3, 12)))
    return Round(number, match[2], polls, lost, retries, Latency(*us[:3]), Latency(*us[3:]))


class Guest:
    """The firmware in an emulator whose UART for the Tracer is a TCP server; `kill` and `start` as often as you like.

    Parameters
    ----------
    elf : Path
        From `builder`.
    port : int or None
        Where that UART listens, the same after every restart; None takes a free one.
    options : sequence of str
        More of the emulator's command line.
    board : Board
        What it was built for.
    """

    def __init__(
        self, elf: Path, port: int | None = None, options: Sequence[str] = (), board: Board = CORTEX_M3
    ) -> None:
        self._board = board
        self.elf = elf
        self.port = free_port() if port is None else port
        self.options = options
        self.log: list[str] = []  # console since the last start
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Boot; return when the firmware has printed its banner, microseconds before its first request."""
        assert self._process is None, "already running"
        # The command line most people have: no nodelay=on, so QEMU's side has Nagle's algorithm on.
        command = [*self._board.emulator, str(self.elf), "-display", "none", "-monitor", "none"]
        command += ["-serial", "stdio", *["-serial", "null"] * (self._board.tracer - 1)]
        command += ["-serial", f"tcp:127.0.0.1:{self.port},server=on,wait=off", *self.options]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.log = []
        self._lines = queue.SimpleQueue()
        threading.Thread(target=_pump, args=(self._process.stdout, self._lines), daemon=True).start()
        self.wait_for(re.compile(BANNER))

    def kill(self) -> None:
        """End the emulator as `kill -9` does: at once, wherever it is."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def wait_for(self, pattern: re.Pattern[str], timeout_s: float = 10.0) -> re.Match[str]:
        """Return the match of the next console line that matches; lines before it go to `log` only."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline_s - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    self._story(f"no line like {pattern.pattern!r} in {timeout_s} s")
                ) from None
            if line is None:
                raise AssertionError(self._story(f"QEMU ended before a line like {pattern.pattern!r}"))
            self.log.append(line)
            if match := pattern.match(line):
                return match

    def rounds(self, count: int) -> list[Round]:
        """Wait for `count` more rounds."""
        return [parse_round(self.wait_for(ROUND)) for _ in range(count)]

    def misses_us(self) -> list[int]:
        """When the attempts that went without a good answer were made, in microseconds after boot."""
        return [int(match["asked_at_us"]) for match in map(MISS.match, self.log) if match]

    def _story(self, what: str) -> str:
        return "\n".join([what, "console so far:", *self.log])


def _pump(stream: Any, lines: "queue.SimpleQueue[str | None]") -> None:
    """Move lines from the emulator into the queue, None at the end: a pipe cannot be read with a time-out."""
    with stream:
        for line in stream:
            lines.put(line.rstrip("\n"))
    lines.put(None)
