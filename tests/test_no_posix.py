"""Without POSIX: verbs start where its modules are missing, and links that need them say so."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modbus.codec.requests import ReadWords
from modbus.line.endpoint import parse_endpoint
from modbus.master.client import Master
from tests.command import ROOT, START_S
from tests.no_posix import MISSING
from tests.test_structure import FILES, name_of
from tests.waiting import until
from tracertwin import locking

COMMAND = [sys.executable, "-m", "tests.no_posix"]
MAY_NEED_THEM = {"modbus/line/pseudoterminal.py"}  # imported where a pty is asked for, and then only


def done(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def imported(tree: ast.AST) -> set[str]:
    """Modules that are imported, but for those whose absence is met by an except."""
    names: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
        elif not isinstance(node, ast.Try):
            names |= imported(node)
    return names


def test_no_module_imports_what_only_posix_has_but_where_its_absence_is_met():
    needing = {
        name_of(path) for path in FILES if imported(ast.parse(path.read_text(encoding="utf-8"))) & MISSING
    }
    assert needing == MAY_NEED_THEM


def test_serve_answers_and_keeps_its_state_with_a_word_on_the_lock(tmp_path):
    ready, state = tmp_path / "ready", tmp_path / "cabin.state"
    command = [*COMMAND, "serve", "--link", "listen:127.0.0.1:0", "--link", "modbus-tcp:127.0.0.1:0"]
    command += ["--ready-file", str(ready), "--state", str(state), "--record", str(tmp_path / "run.jsonl")]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as served:
        try:
            assert until(lambda: ready.exists() or served.poll() is not None, START_S)
            assert ready.exists(), served.communicate(timeout=10)[1]
            listening, tcp = ready.read_text().splitlines()
            for link in (listening.replace("listen:", "dial:"), tcp):
                with Master(parse_endpoint(link)) as master:
                    assert master.ask(ReadWords(1, 4, 0x3104, 1)).words[0] > 1000
            assert done("poll", tcp, "0x3104").returncode == 0
        finally:
            served.terminate()
            said = served.communicate(timeout=20)[1]
    assert locking.UNLOCKED in said
    assert "Traceback" not in said
    assert state.stat().st_size > 0


def test_run_prints_its_summary(tmp_path):
    ran = done("run", "cabin", "--days", "1", "--fidelity", "sizing", "--step", "15min", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("link", "says"),
    [
        ("pty:uart2", "this system has no pseudo-terminals; use listen: or a pair of virtual ports"),
        ("unix:uart2.sock", "this system has no unix sockets; use dial: or listen:"),
        ("unix-listen:uart2.sock", "this system has no unix sockets"),
    ],
)
def test_a_link_that_needs_what_is_missing_says_so(link, says, tmp_path):
    served = done("serve", "--link", link, cwd=tmp_path)
    assert served.returncode == 2
    assert says in served.stderr
    assert "Traceback" not in served.stderr


def test_a_serial_port_that_its_library_cannot_open_here_says_so(tmp_path):
    polled = done("poll", "serial:COM7", "0x3100", cwd=tmp_path)
    assert polled.returncode in (2, 3)
    assert "Traceback" not in polled.stderr
    assert "COM7" in polled.stderr


# --- Windows' lock, as far as it can be known without Windows --------------------------------------------------------


class Msvcrt:
    """Locks a byte for one."""

    LK_NBLCK = 2

    def __init__(self) -> None:
        self.locked: list[tuple[int, int]] = []

    def locking(self, descriptor: int, mode: int, size: int) -> None:
        assert (mode, size) == (self.LK_NBLCK, 1)
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        if self.locked:
            raise PermissionError(13, "Permission denied")
        self.locked.append((descriptor, at))


def test_where_msvcrt_locks_it_is_a_byte_far_behind_the_database(tmp_path, monkeypatch):
    msvcrt = Msvcrt()
    monkeypatch.setattr(locking, "fcntl", None)
    monkeypatch.setattr(locking, "msvcrt", msvcrt)
    with (tmp_path / "x").open("w+b") as file:
        file.write(b"abc")
        file.flush()
        locking.lock(file.fileno())
        assert msvcrt.locked == [(file.fileno(), locking.LOCKED_BYTE)]
        assert os.lseek(file.fileno(), 0, os.SEEK_CUR) == 3
        with pytest.raises(OSError, match="denied"):
            locking.lock(file.fileno())
    assert (tmp_path / "x").stat().st_size == 3
    assert locking.LOCKED_BYTE > 0x4000_0000 + 512  # SQLite's own: its pending byte, and 511 behind
