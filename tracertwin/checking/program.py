"""A firmware under test, started by a command line: what it prints, whether it has ended, its end with all children."""

import os
import selectors
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic, sleep
from typing import Final, Self

END_S: Final = 1.0  # that it gets to end by itself
LONGEST_LINE: Final = 65_536  # bytes; longer ones are cut
KEPT_LINES: Final = 20  # told when it has ended too early


class FirmwareProgram:
    """A command in a shell, with a process group of its own.

    Parameters
    ----------
    command : str
    """

    def __init__(self, command: str) -> None:
        self._rest = b""
        self._last: list[str] = []
        self._process = subprocess.Popen(
            command, shell=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, bufsize=0,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._pipe = self._process.stdout
        os.set_blocking(self._pipe.fileno(), False)

    def lines(self) -> list[str]:
        """The whole lines that it has printed since the call before; doesn't wait."""
        found: list[str] = []
        with suppress(BlockingIOError, ValueError):
            while data := os.read(self._pipe.fileno(), LONGEST_LINE):
                *whole, self._rest = (self._rest + data).split(b"\n")
                self._rest = self._rest[:LONGEST_LINE]
                found += [line.decode("utf-8", "replace").rstrip("\r") for line in whole]
        self._last = [*self._last, *found][-KEPT_LINES:]
        return found

    def wait(self, seconds: float) -> None:
        """Wait until it prints something, or so long."""
        if self.code is not None:  # the pipe of an ended program is always readable
            sleep(seconds)
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self._pipe, selectors.EVENT_READ)
            selector.select(seconds)

    @property
    def code(self) -> int | None:
        """Its exit code, once it has ended."""
        return self._process.poll()

    @property
    def last_words(self) -> str:
        """The last lines that it has printed, an unfinished one among them."""
        rest = self._rest.decode("utf-8", "replace")
        return "\n".join(f"  | {line}" for line in [*self._last, *([rest] if rest else [])]) or "  (nothing)"

    def kill(self) -> None:
        """End it and its children."""
        for number, wait_s in ((signal.SIGTERM, END_S), (signal.SIGKILL, END_S)):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(wait_s)
                if not self._group_lives(wait_s if number == signal.SIGTERM else 0.0):
                    break
        self._pipe.close()

    def _group_lives(self, within_s: float) -> bool:
        """Whether a child is still there after so long."""
        give_up_s = monotonic() + within_s
        while True:
            try:
                os.killpg(self._process.pid, 0)
            except (ProcessLookupError, PermissionError):
                return False
            if monotonic() >= give_up_s:
                return True
            sleep(0.02)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def substituted(command: str, values: Mapping[str, str]) -> str:
    """The command with ``{host}``, ``{port}``, ``{pty}`` and ``{socket}`` replaced; other braces stay."""
    for name, value in values.items():
        command = command.replace(f"{{{name}}}", value)
    return command
