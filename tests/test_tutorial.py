"""docs/tutorial.md, typed as it is written in an empty directory, and what it says is seen.

Only the clone's address is substituted: it is a repository made from this working tree. The libraries are borrowed from
the environment of the tests, so that `pip install` needs no network. ``...`` on the page stands for any text. A command
that reads is repeated until it shows what the page says, instead of the page's ``sleep``: a busy machine needs longer
than that, another one less.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from tests import qemu

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE_S = 120.0
WAITS = re.compile(r"sleep \d+$")
READS = re.compile(r"tail |grep |tracertwin tell \S+ show ")
NEEDS_A_LISTENER = re.compile(r"tracertwin tell ")
NOBODY = 3  # exit code


class Step(NamedTuple):
    """A command of the page and what is seen after it."""

    command: str
    seen: str


def steps() -> list[Step]:
    """All commands, with the lines that go on after a backslash, and their outputs."""
    found: list[Step] = []
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, rest = re.fullmatch(r"((?:.*\\\n)*.*\n)([\s\S]*)", part).groups()
            found.append(Step(command.rstrip("\n"), rest))
    return found


def pattern(seen: str) -> re.Pattern[str]:
    """What an output has to match: spaces at the ends of lines don't count, ``...`` is any text within a line."""
    lines = [".*".join(map(re.escape, line.rstrip().split("..."))) for line in seen.splitlines()]
    return re.compile("\n".join(lines))


def plainly(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines())


class Shell:
    """A bash that is typed into, in a folder; `close` ends it and all that it has started."""

    def __init__(self, folder: Path) -> None:
        self._said, self._wrong = folder / ".out", folder / ".err"
        self.folder = folder / "empty"
        self.folder.mkdir()
        environment = {
            key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL"))
        }
        self._bash = subprocess.Popen(
            ["bash", "--norc"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, start_new_session=True,
            env=environment | {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
                "PYTHONIOENCODING": "utf-8",
            },
        )  # fmt: skip

    def type(self, command: str) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        print(
            f"{{ {command}\n}} > '{self._said}' 2> '{self._wrong}' < /dev/null\necho $?",
            file=self._bash.stdin, flush=True,
        )  # fmt: skip
        code = self._bash.stdout.readline()
        assert code, f"the shell has ended at {command}"
        return int(code), self._said.read_text(encoding="utf-8"), self._wrong.read_text(encoding="utf-8")

    def close(self) -> None:
        os.killpg(self._bash.pid, signal.SIGKILL)
        self._bash.communicate()


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    try:
        yield shell
    finally:
        shell.close()


def repository(folder: Path) -> Path:
    """A repository with this working tree as its only commit."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "as it is"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


def borrow_libraries(environment: Path) -> None:
    """A path file adds the libraries, but not our clone: path files in the added folder are not read."""
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")


def follow(shell: Shell, step: Step) -> None:
    """Type a command until it shows what the page says."""
    give_up_s = monotonic() + PATIENCE_S
    while True:
        code, said, wrong = shell.type(step.command)
        is_seen = pattern(step.seen).fullmatch(plainly(said)) is not None
        if code == 0 and is_seen:
            return
        reads = READS.match(step.command) is not None
        again = reads or (code == NOBODY and NEEDS_A_LISTENER.match(step.command) is not None)
        story = f"$ {step.command}\nexit code {code}\n{said}{wrong}\nwanted:\n{step.seen}"
        assert again, story
        assert monotonic() < give_up_s, story
        sleep(0.5)


def test_the_page_is_read():
    """A block that is read wrongly would hide what follows."""
    typed = [step.command for step in steps()]
    assert len(typed) >= 25
    for part in ("git clone", "qemu-system-arm", "tracertwin serve", "upset", "fault", "tracertwin replay"):
        assert any(part in command for command in typed), part
    assert sum(step.seen != "" for step in steps()) >= 14


def test_the_tutorial_works_as_it_is_written(shell, tmp_path):
    qemu.require_tools()
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone to make the tutorial's clone from")
    source = tmp_path / "source"
    source.mkdir()
    repository(source)
    for step in steps():
        if WAITS.match(step.command):
            continue
        follow(shell, step._replace(command=step.command.replace(" URL ", f" '{source}' ")))
        if step.command.startswith("python3 -m venv"):
            borrow_libraries(shell.folder / ".venv")
    assert ", 1 connection; " in shell.type("tracertwin replay run.jsonl")[1]
