"""Every command that README and docs show in a fenced block is run here, in a folder of its own, or named with the
reason why not.

A command runs as it is written, but for what would make it take long: it ends after an hour of plant time at high
speed, a year is three days, many seeds are two, a jump goes a month ahead, a sizing takes two years, and ports are free
ones.
"""

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from modbus.codec.requests import ReadWords
from tests import qemu
from tests.command import COMMAND, ROOT, START_S
from tests.conftest import Call

# test_howto runs the commands of the how-to pages with the files that they give, test_tutorial the tutorial,
# test_ci_page the page of CI, test_size_tutorial that of sizing.
OTHERS = [
    *(ROOT / "docs" / "howto").glob("*.md"),
    *(ROOT / "docs" / name for name in ("tutorial.md", "ci.md", "sizing-tutorial.md")),
]
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").rglob("*.md")) if page not in OTHERS),
    ROOT / "tests" / "firmware" / "README.md",
]
WORDS = {"tracertwin", ".venv/bin/tracertwin", "make", "python", "grep",
         "qemu-system-arm", "qemu-system-avr", "qemu-system-riscv64", "jq", "tshark", "sqlite3",
         "pip", "docker", "socat", "TRACERTWIN_CACHE=/var/cache/tracertwin"}  # fmt: skip
NOT_RUN = {
    r"make (run|test|fuzz|api-fuzz|soak|tabs|crash|bench|validate|docs|compiled)\b": "sets up a clone, or is slow",
    r"python -m tests\.fuzz": "needs atheris; test_fuzz runs every target",
    r".* serial:(rfc2217:|/dev/tty)": "needs a serial port; test_serialport has one",
    r"TRACERTWIN_CACHE=": "compiles for minutes; test_environments looks at what it is for",
    r"tracertwin demo --web": "runs until it is stopped; test_page has its parts",
    r"tracertwin check kept\.yaml": "a file that the browser saves; test_page has one",
    r"pip install": "would change the environment of the tests",
}
FAST = ["--for", "1h", "--speed", "100000"]


class Printed(NamedTuple):
    """A command on a page."""

    page: str
    line: int
    text: str


def printed() -> Iterator[Printed]:
    """Every line of a fenced block that begins with a program's name, with the lines that go on after a backslash."""
    for page in PAGES:
        inside, whole, number = False, "", 0
        for at, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            if line.lstrip().startswith("```"):
                inside = not inside
            elif inside:
                number, whole = (number, whole) if whole else (at, "")
                whole += line.removeprefix("$ ")
                if whole.endswith("\\"):
                    whole = whole[:-1]
                    continue
                if (whole.split() or [""])[0] in WORDS:
                    yield Printed(page.relative_to(ROOT).as_posix(), number, whole)
                whole = ""


ALL = list(printed())
STORIES = {
    page: [each for each in ALL if each.page == page] for page in dict.fromkeys(each.page for each in ALL)
}


def reason(text: str) -> str | None:
    """Why a command isn't run."""
    return next((why for pattern, why in NOT_RUN.items() if re.match(pattern, text)), None)


def test_the_pages_are_read():
    """A fence that is read wrongly would hide every command after it."""
    assert len(ALL) > 40
    assert {"README.md", "docs/faults.md", "docs/links.md", "docs/time.md", "docs/journal.md"} <= set(STORIES)


@pytest.mark.parametrize("pattern", NOT_RUN)
def test_what_is_not_run_is_still_on_a_page(pattern):
    assert pattern.startswith("pip") or any(re.match(pattern, each.text) for each in ALL)


@contextmanager
def companion() -> Iterator[None]:
    """A serve for those that read or tell one: at the names that the pages use."""
    command = [
        *COMMAND,
        "serve",
        "farm",
        "--map",
        "epever",
        "--ready-file",
        "up",
        "--control",
        "unix-listen:uart2.ctl",
    ]
    for link in ("pty:uart2", "unix-listen:uart2.sock", "unix-listen:rs485.sock"):
        command += ["--link", link]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as served:
        try:
            give_up_s = monotonic() + START_S
            while not Path("up").exists() and served.poll() is None and monotonic() < give_up_s:
                sleep(0.05)
            assert Path("up").exists(), served.communicate(timeout=5.0)[1]
            yield
        finally:
            served.send_signal(signal.SIGINT)
            served.communicate(timeout=20.0)


@contextmanager
def peer(path: str) -> Iterator[None]:
    """An emulator's side of a unix socket: asks once, hears the reply and hangs up."""

    def ask() -> None:
        stream, _ = listener.accept()
        with stream:
            stream.sendall(ReadWords(1, 0x04, 0x3100, 1).encode())
            stream.recv(256)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=ask)
        thread.start()
        yield
        thread.join(10.0)
    Path(path).unlink()


def serve(call: Call, words: list[str]) -> None:
    """A serve of a page, to its end."""
    if "--web" in words:
        words[words.index("--web")] = "--web=127.0.0.1:0"
    if "--clock" not in words:
        assert call(*words, *FAST)[0] == 0
        return
    with peer(words[words.index("--link") + 1].removeprefix("unix:")):
        code, _, said = call(*words)
    assert code == 0
    assert "1 request, 1 reply, " in said


def run(call: Call, words: list[str]) -> None:
    """A verb of ours in this process."""
    verb = words[1]
    if verb == "serve":
        serve(call, words[1:])
        return
    cheap = {
        "run": {"365": "3"},
        "check": {"1..50": "1..2", "1..20": "1..2"},
        "tell": {"2026-12-21T07:30": "2026-03-21T07:30"},
    }.get(verb, {})
    more = {"demo": ["--speed", "100000"], "size": ["--years", "2"]}.get(verb, [])
    words, into = (words[:-2], Path(words[-1])) if ">" in words else (words, None)
    code, printed, said = call(*(cheap.get(word, word) for word in words[1:]), *more)
    assert code == 0, said
    if into is not None:
        into.write_text(printed, encoding="utf-8")


def run_other(text: str) -> None:
    """A program of somebody else, where it is installed."""
    name = text.split(maxsplit=1)[0]
    if name == "python":
        text = text.replace("python", sys.executable, 1)
    elif shutil.which(name) is None:
        return
    done = subprocess.run(text, shell=True, capture_output=True, text=True, timeout=60.0, check=False)
    assert done.returncode == 0 or (name == "grep" and done.returncode == 1), f"{text}: {done.stderr}"


def prepare() -> None:
    """Files of the user's that the pages take for granted."""
    shutil.copy(ROOT / "config" / "sites" / "cabin.yaml", "mine.yaml")
    shutil.copy(ROOT / "config" / "scenarios" / "charge_cycles" / "cloud_in_boost.yaml", "cloud.yaml")


@pytest.mark.parametrize("page", STORIES)
def test_the_commands_of_a_page_do_what_they_are_for(page, call, tmp_path, monkeypatch):
    """In the order of the page: one may use the files of those before it."""
    monkeypatch.chdir(tmp_path)
    prepare()
    alone = [each for each in STORIES[page] if reason(each.text) is None]
    asking = [
        each
        for each in alone
        if re.match(r"tracertwin (tell|poll|write)|python -c .*minimalmodbus", each.text)
    ]
    for each in alone:
        words = shlex.split(each.text, comments=True)
        if each in asking or words[0].startswith("qemu-system-"):
            continue
        if "a.jsonl" in each.text:
            shutil.copy("run.jsonl", "a.jsonl")
            shutil.copy("run.jsonl", "b.jsonl")
        if words[0].endswith("tracertwin"):
            run(call, [word for word in words if word != "&"])
        else:
            run_other(each.text)
    if asking:
        (tmp_path / "asking").mkdir()
        monkeypatch.chdir(tmp_path / "asking")
        with companion():
            for each in asking:
                if each.text.startswith("tracertwin"):
                    run(call, shlex.split(each.text, comments=True))
                else:
                    run_other(each.text)


EMULATORS = [each for each in ALL if each.text.startswith("qemu-system-")]
BOARDS = {board.emulator[0]: board for board in qemu.BOARDS}


@pytest.mark.parametrize("printed", EMULATORS, ids=lambda each: f"{each.page}:{each.line}")
def test_the_emulator_s_line_of_a_page_starts_firmware_that_reads_a_plant(
    printed,
    call,
    tmp_path,
    monkeypatch,
):
    board = BOARDS[printed.text.split()[0]]
    qemu.require_tools(board)
    firmware = qemu.builder(tmp_path, board)(ROUND_PAUSE_MS=20, TIMEOUT_MS=200, RETRIES=20)
    monkeypatch.chdir(tmp_path)
    shutil.copy(firmware, "FW.elf")
    shutil.copy(firmware, "fw.elf")
    port = str(qemu.free_port())
    line = printed.text.replace("1235", port).rstrip(" &")
    is_unix = "uart2.sock" in line
    link = "unix:uart2.sock" if is_unix else f"dial:127.0.0.1:{port}"
    command = shlex.split(line)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as emulator:
        try:
            code, _, said = call("serve", "--link", link, "--for", "10s", "--speed", "5")
        finally:
            emulator.kill()
        console = emulator.communicate()[0]
    assert code == 0
    assert re.search(r"^round \d+ pv [\d.]+ V ", console, re.MULTILINE), console + said


def test_there_is_an_emulator_s_line_in_the_readme():
    assert [each.page for each in EMULATORS].count("README.md") == 1
