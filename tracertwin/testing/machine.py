"""QEMU with a firmware, for a test: one UART on a unix socket, the console's text, and waiting for some of it."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Final

EMULATOR: Final = "qemu-system-arm"
MACHINE: Final = "lm3s6965evb"
UART: Final = 2
KEYS: Final = ("kernel", "machine", "uart", "emulator", "options")  # of `EmulatedMachine.boot`
BEGIN_S: Final = 5.0  # that it gets to open its UART
END_S: Final = 2.0  # that it gets to end by itself


class EmulatedMachine:
    """An emulated machine; `boot` and `kill` as often as you like.

    Parameters
    ----------
    uart_path : Path
        The unix socket on which one of its UARTs listens.

    Attributes
    ----------
    uart_path
        As given.
    """

    def __init__(self, uart_path: Path) -> None:
        self.uart_path = uart_path
        self._text = ""
        self._taken = 0  # characters that `wait_for` has passed
        self._turn = threading.Condition()
        self._is_over = True
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None

    @staticmethod
    def missing(emulator: str = EMULATOR) -> str:
        """Why there can't be one; empty if there can."""
        return "" if shutil.which(emulator) else f"{emulator} is not installed"

    def boot(
        self,
        kernel: str | os.PathLike[str],
        machine: str = MACHINE,
        uart: int = UART,
        emulator: str = EMULATOR,
        options: Sequence[str] = (),
    ) -> None:
        """Start the firmware; UART 0 is the console. It begins once the Tracer has dialled, so that no poll is lost.

        Parameters
        ----------
        kernel : path
        machine : str
            A machine of the emulator.
        uart : int
            Which UART the Tracer is on.
        emulator : str
        options : sequence of str
            More of the command line.

        Raises
        ------
        FileNotFoundError
            There is no such firmware.
        AssertionError
            The emulator has ended at once; with what it said.
        """
        self.kill()
        if not Path(kernel).is_file():
            raise FileNotFoundError(f"no firmware {kernel}")
        command = [emulator, "-M", machine, "-kernel", os.fspath(kernel)]
        command += ["-display", "none", "-monitor", "none"]
        command += ["-serial", "stdio", *["-serial", "null"] * (uart - 1)]
        command += ["-chardev", f"socket,id=tracer,path={self.uart_path},server=on,wait=on"]
        command += ["-serial", "chardev:tracer", *options]
        with self._turn:
            self._text, self._taken, self._is_over = "", 0, False
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()
        self._see_it_begin(emulator)

    def _see_it_begin(self, emulator: str) -> None:
        """Wait until it has opened its UART: one that doesn't take its command line ends before."""
        process, give_up_s = self._process, monotonic() + BEGIN_S
        assert process is not None
        while not self.uart_path.exists() and process.poll() is None and monotonic() < give_up_s:
            sleep(0.01)
        if process.poll() is not None:
            assert self._reader is not None
            self._reader.join(END_S)
            last = "; ".join(self.console.splitlines()[-20:]) or "it said nothing"
            raise AssertionError(f"{emulator} ended at once with exit code {process.returncode}: {last}")

    def kill(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(END_S)
                break
        if self._reader is not None:
            self._reader.join(END_S)
        self.uart_path.unlink(missing_ok=True)

    @property
    def console(self) -> str:
        """All that it has printed since it was booted."""
        with self._turn:
            return self._text

    def wait_for(self, pattern: str, timeout: float = 10.0) -> re.Match[str]:
        """The next match of a regular expression in what it prints, after that of the call before.

        Raises
        ------
        AssertionError
            It doesn't come in so many seconds of real time, or the emulator has ended; with what was printed.
        """
        wanted, give_up_s = re.compile(pattern), monotonic() + timeout
        with self._turn:
            while True:
                if found := wanted.search(self._text, self._taken):
                    self._taken = found.end()
                    return found
                left_s = give_up_s - monotonic()
                if self._is_over or left_s <= 0.0:
                    why = "the emulator ended" if self._is_over else f"{timeout:g} s went by"
                    last = "\n".join(self._text.splitlines()[-20:])
                    raise AssertionError(f"{why} before {pattern!r} was printed; last lines:\n{last}")
                self._turn.wait(left_s)

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        with process.stdout as pipe:
            while data := os.read(pipe.fileno(), 4096):
                with self._turn:
                    self._text += data.decode("utf-8", "replace").replace("\r\n", "\n")
                    self._turn.notify_all()
        with self._turn:
            self._is_over = True
            self._turn.notify_all()
