"""A scenario with real firmware at the other end: QEMU, an emulator or a program of the host polls the Tracer.

On a ``polled`` clock each request moves the plant by the same time, so what is said depends on the firmware alone: the
same one gives the same transcript. On ``wall`` plant time goes by as real time does.
"""

import re
import shlex
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from modbus.codec.functions import TABLE_READ
from modbus.codec.requests import Request
from modbus.line.conversation import STALE_S, TURNAROUND_S, Transmission, leaving
from modbus.line.endpoint import Endpoint, PtyEndpoint, TcpEndpoint, UnixEndpoint
from modbus.line.link import Line
from plant.base.clock import iso_utc, parse_polled_s
from plant.base.problems import Problem, ProblemsError
from tracertwin.checking.preparing import Prepared
from tracertwin.checking.program import FirmwareProgram, substituted
from tracertwin.checking.running import Ran, Running
from tracertwin.scenario.record import PrintedLine

LOOK_S: Final = 0.02  # how often the console, and a wall clock, are looked at
LAST_REPLY_S: Final = 0.5  # of real time, to wait for the reply that is about to leave at the end
POLLED: Final = "polled:10s"  # of a scenario whose clock is stepped, which firmware can't move
TRANSCRIPT, CONSOLE, JOURNAL = "transcript.txt", "console.txt", "journal.jsonl"


@dataclass(frozen=True, slots=True)
class FirmwareCommand:
    """The firmware.

    Attributes
    ----------
    command : str
        With ``{host}`` and ``{port}``, ``{pty}`` or ``{socket}`` for the address of the link.
    timeout_s : float
        Of real time without a request, after which it is given up [s].
    stop : str
        A regular expression; the run ends once it is found in a printed line.
    """

    command: str
    timeout_s: float = 30.0
    stop: str = ""

    def __post_init__(self) -> None:
        if not any(f"{{{name}}}" in self.command for name in ("port", "pty", "socket")):
            why = "names no link: write {host} and {port}, {pty} or {socket} where its address belongs"
            raise ProblemsError([Problem("--firmware", 0, "", why)])
        try:
            re.compile(self.stop)
        except re.error as error:
            raise ProblemsError([Problem("--until", 0, "", f"{self.stop!r}: {error}")]) from None

    def links(self, folder: Path) -> list[Endpoint]:
        """What its command asks for."""
        links: list[Endpoint] = []
        if "{port}" in self.command:
            links.append(TcpEndpoint("127.0.0.1", 0, listens=True))
        if "{pty}" in self.command:
            links.append(PtyEndpoint(str(folder / "pty")))
        if "{socket}" in self.command:
            links.append(UnixEndpoint(str(folder / "uart.sock"), listens=True))
        return links


def run_with(prepared: Prepared, peer: FirmwareCommand, seed: int | None = None) -> Ran:
    """Run a scenario with firmware and judge it.

    Raises
    ------
    ProblemsError
        The firmware ended too early, or asked nothing for too long; with its last lines.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tt")))
        run = FirmwareRun(prepared, peer, seed, folder, stack)
        run.go()
        running = run.running
        record, trace = running.record(with_firmware=True), running.trace()
        run.end()
        left = {
            JOURNAL: (folder / JOURNAL).read_text(encoding="utf-8"),
            TRANSCRIPT: "".join(f"{line}\n" for line in run.transcript),
            CONSOLE: "".join(f"{line.text}\n" for line in running.printed),
        }
    verdicts = running.verdicts(record)
    return Ran(prepared.scenario, running.seed, record, trace, verdicts, run.clock, left)


class FirmwareRun:
    """A scenario's plants on a line, and the program that polls them."""

    def __init__(
        self, prepared: Prepared, peer: FirmwareCommand, seed: int | None, folder: Path, stack: ExitStack
    ) -> None:
        given = prepared.scenario.given
        self.clock = POLLED if given.clock == "stepped" else given.clock
        self.transcript: list[str] = []
        self._prepared, self._peer, self._stop = prepared, peer, re.compile(peer.stop)
        self._step_s = parse_polled_s(self.clock)
        self._journal_ends = stack.enter_context(ExitStack())
        speed = None if self._step_s else given.speed
        self.running = Running(prepared, seed, folder / JOURNAL, self._journal_ends, speed)
        self._over = threading.Event()
        self._failed: Exception | None = None
        self._asked_s = monotonic()  # of the last request
        self._program: FirmwareProgram | None = None
        self._said: list[str] = []
        self._lines = [
            stack.enter_context(
                Line(
                    link,
                    self._answer,
                    turnaround_s=0.0 if self._step_s else TURNAROUND_S,
                    stale_s=float("inf") if self._step_s else STALE_S,
                    log=self._said.append,
                )
            )
            for link in peer.links(folder)
        ]
        self.running.begin()
        self._program = stack.enter_context(FirmwareProgram(substituted(peer.command, self._addresses())))

    def _addresses(self) -> Mapping[str, str]:
        told: dict[str, str] = {}
        for line in self._lines:
            endpoint = line.endpoint
            if isinstance(endpoint, TcpEndpoint):
                told |= {"host": endpoint.host, "port": str(endpoint.port)}
            elif isinstance(endpoint, PtyEndpoint):
                told["pty"] = shlex.quote(endpoint.path)
            elif isinstance(endpoint, UnixEndpoint):
                told["socket"] = shlex.quote(endpoint.path)
        return told

    def go(self) -> None:
        """Wait for the end: of the run's length, or the text that stops it.

        Raises
        ------
        ProblemsError
            It won't come.
        """
        program = self._program
        assert program is not None
        while not self._over.is_set():
            has_ended = program.code is not None  # looked at before its last lines are
            with self.running.held():
                self._take_lines()
                if not self._step_s:
                    self._follow()
            if self._over.is_set():
                break
            if has_ended:
                code = program.code
                why = f"signal {-code}" if code and code < 0 else f"exit code {code}"
                self._refuse(f"the firmware ended before the run did, with {why}")
            if monotonic() - self._asked_s > self._peer.timeout_s:
                what = "no request" if not self.running.overheard.asked else "no further request"
                self._refuse(f"{what} within {self._peer.timeout_s:g} s")
            program.wait(LOOK_S)
        for line in self._lines:
            line.finish()
            line.wait(LAST_REPLY_S)
        if self._failed is not None:
            raise self._failed

    def end(self) -> None:
        """Close the journal."""
        self._journal_ends.close()

    def _follow(self) -> None:
        self.running.catch_up()
        if self.running.now_s() >= self._prepared.span.end_utc_s:
            self._over.set()

    def _refuse(self, why: str) -> None:
        asked = len(self.running.overheard.asked)
        assert self._program is not None
        told = [f"{why}; {asked} requests came, at {iso_utc(self.running.now_s())}", "its last lines:"]
        text = "\n".join([*told, self._program.last_words])
        raise ProblemsError([Problem(self._prepared.scenario.document.file, 0, "--firmware", text)])

    def _answer(self, request: Request) -> bytes | Transmission | None:
        """Answer as a line asks; what goes wrong meanwhile ends the run."""
        with self.running.held():
            if self._over.is_set():
                return None
            self._asked_s = monotonic()
            try:
                return self._answered(request)
            except Exception as error:  # the line's thread would only report it: the run is the main thread's
                self._failed = error
                self._over.set()
                return None

    def _answered(self, request: Request) -> bytes | Transmission | None:
        """The answer, at its time: what was printed before belongs to the time before."""
        self._take_lines()
        if self._over.is_set():
            return None
        end_s = self._prepared.span.end_utc_s
        if self._step_s:
            self.running.live_until(min(self.running.now_s() + self._step_s, end_s))
        sent = self.running.answer(request)
        self.running.overheard.listen(request, sent)
        if request.function not in TABLE_READ:
            self.running.note_settings()
        self.transcript.append(self._line_of(request, sent))
        if self.running.now_s() >= end_s:
            self._over.set()
        return sent

    def _take_lines(self) -> None:
        if self._program is None:
            return
        now_s = self.running.now_s()
        for text in self._program.lines():
            self.running.printed.append(PrintedLine(now_s, text))
            if self._peer.stop and self._stop.search(text):
                self._over.set()
                return

    def _line_of(self, request: Request, sent: bytes | Transmission | None) -> str:
        reply = leaving(sent).hex() or "-"
        return f"{iso_utc(self.running.now_s())} {request.encode().hex()} {reply}"
