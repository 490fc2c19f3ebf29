"""docs/sizing-tutorial.md, followed to the letter: its files, its commands, the shortened output that it shows.

`python -m tests.test_size_tutorial` writes the answers anew: the lines below the table, with `...` for the others.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.command import COMMAND, ROOT
from tracertwin.exitcodes import BAD_RESULT, GOOD

PAGE = ROOT / "docs" / "sizing-tutorial.md"
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"^(.* as it is \(|  (No|Yes|The cheapest|None of|.* as it is carries|worst month))")


def arguments(command: str) -> list[str]:
    """Of a command of the page."""
    assert command.startswith("$ tracertwin ")
    return command.removeprefix("$ tracertwin ").split()


def ran(command: str, folder: Path) -> str:
    """What a command of the page prints."""
    done = subprocess.run(
        [*COMMAND, *arguments(command)], cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode in (GOOD, BAD_RESULT), f"{command}\n{done.stderr}"
    return done.stdout


def shortened(printed: str) -> list[str]:
    """The answers of an output, with `...` where lines, or the end of one, are left out."""
    lines: list[str] = []
    for line in printed.splitlines():
        answer, to_see_it, _ = line.partition("; to see it")
        if SHOWN.match(line):
            lines.append(f"{answer}; ..." if to_see_it else answer)
        elif lines[-1:] != ["..."]:
            lines.append("...")
    return lines


def write_file(block: str, folder: Path) -> None:
    (folder / block.partition("\n")[0].removeprefix("# ")).write_text(block, encoding="utf-8")


def test_the_page_followed_to_the_letter_gives_the_answers_that_it_shows(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    answers, runs = 0, set()
    for kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "yaml":
            write_file(block, tmp_path)
            continue
        command, *shown = block.splitlines()
        code, printed, said = call(*arguments(command))
        misses = (
            "  No: " in printed and "The cheapest that will do" not in printed and "--no-outage-in" in command
        )
        assert code == int(misses), f"{command}\n{said}"
        runs |= {line.strip() for line in printed.splitlines() if line.startswith("  tracertwin run ")}
        if command.startswith("$ tracertwin run "):
            assert command.removeprefix("$ ") in runs  # as sizing has printed it
            answers += 1
        if shown:
            assert shown == shortened(printed), f"{command} prints\n{printed}"
        answers += bool(shown)
    assert answers >= 6


def write_anew(folder: Path) -> None:
    """The page with the answers of today."""

    def answered(found: re.Match[str]) -> str:
        kind, block = found.groups()
        if kind == "yaml":
            write_file(block, folder)
            return found[0]
        command = block.splitlines()[0]
        return "\n".join(["```console", command, *shortened(ran(command, folder)), "```"])

    PAGE.write_text(BLOCK.sub(answered, PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    with contextlib.chdir(ROOT), tempfile.TemporaryDirectory() as own:
        write_anew(Path(own))
    sys.exit(0)
