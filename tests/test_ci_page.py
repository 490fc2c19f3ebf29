"""docs/ci.md and docs/pytest.md: the tutorial typed as it is written, the examples of fixtures run."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from plant.base.arraycache import VARIABLE, cache_home
from tests import qemu
from tests.test_tutorial import BLOCK, ROOT, Shell, borrow_libraries, pattern, plainly, repository

PAGE = ROOT / "docs" / "ci.md"
FIXTURES = ROOT / "docs" / "pytest.md"
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def typed() -> list[tuple[str, str]]:
    """Commands of the page, here-documents with them, and what is seen after each."""
    found = []
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            first, _, rest = part.partition("\n")
            if "<<'END'" in first:
                body, _, rest = rest.partition("\nEND\n")
                first += f"\n{body}\nEND"
            found.append((first, rest))
    return found


def test_the_page_is_read():
    commands = [command for command, _ in typed()]
    assert len(commands) >= 15
    assert sum("<<'END'" in command for command in commands) == 4
    assert any(seen.startswith("exit code 1") for _, seen in typed())


def test_the_tutorial_goes_from_an_empty_directory_to_red_and_green(tmp_path):
    qemu.require_tools()
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a clone to make the tutorial's clone from")
    source = tmp_path / "source"
    source.mkdir()
    repository(source)
    shell = Shell(tmp_path)
    try:
        for command, seen in typed():
            code, said, wrong = shell.type(command.replace(" URL ", f" '{source}' "))
            story = f"$ {command}\nexit code {code}\n{said}{wrong}\nwanted:\n{seen}"
            assert code == 0, story
            assert pattern(seen).fullmatch(plainly(said)), story
            if command.startswith("python3 -m venv"):
                borrow_libraries(shell.folder / ".venv")
        workflow = yaml.safe_load(
            (shell.folder / ".github/workflows/firmware.yml").read_text(encoding="utf-8")
        )
    finally:
        shell.close()
    runs = [step["run"] for step in workflow["jobs"]["check"]["steps"] if "run" in step]
    known = [command for command, _ in typed()]
    assert "sh check.sh" in runs
    assert runs[0].startswith("git clone --quiet ")  # a checkout of the firmware has no clone in it
    assert any(
        run in command.replace(" -B", "") for run in runs if run.startswith("make") for command in known
    )


def test_the_examples_of_fixtures_run(tmp_path):
    example, *_ = PYTHON.findall(FIXTURES.read_text(encoding="utf-8"))
    (tmp_path / "test_example.py").write_text(example, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tracertwin.pytest_plugin", str(tmp_path)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), VARIABLE: str(cache_home())},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_the_page_of_fixtures_names_everything_public():
    from tracertwin.testing.tracer import SimulatedTracer

    text = FIXTURES.read_text(encoding="utf-8")
    inner = {"write_settings", "record", "samples", "past", "close"}
    public = {name for name in vars(SimulatedTracer) if not name.startswith("_")} - inner
    assert {name for name in public if not re.search(rf"`[^`]*\b{name}\b", text)} == set()


def test_the_marks_of_the_page_are_those_that_are_taken():
    from tracertwin.testing.making import KEYS

    text = Path(FIXTURES).read_text(encoding="utf-8")
    assert {key for key in KEYS if f"`{key}`" not in text} == set()
