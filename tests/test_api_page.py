"""docs/api.md: its examples are typed as they stand, its endpoints and tools are those that there are."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import served
from tracertwin.bridges.tools import tools
from tracertwin.web.endpoints import READS
from tracertwin.web.serving import TOKEN

PAGE = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
TOKEN_TYPED = "a-token-of-my-own"


def fenced(language: str) -> str:
    """Its blocks of a language, one after the other."""
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize(("program", "language"), [(["bash", "-eu"], "bash"), ([sys.executable], "python")])
def test_the_examples_do_what_they_are_for(monkeypatch, tmp_path, program, language):
    if shutil.which(program[0]) is None or (language == "bash" and shutil.which("curl") is None):
        pytest.skip("not installed: bash, curl")
    monkeypatch.setenv(TOKEN, TOKEN_TYPED)
    script = tmp_path / "typed"
    with served() as at:
        text = fenced(language).replace("127.0.0.1:8080", str(at.server.address))
        assert TOKEN_TYPED in text or language == "python"
        script.write_text(
            text.replace("curl -s", "curl -sS --fail-with-body -o /dev/null -w '%{http_code} '")
        )
        done = subprocess.run(
            [*program, str(script)],
            capture_output=True,
            text=True,
            timeout=60,
            env=dict(os.environ),
            check=False,
        )
        done_here = [one.text for one in at.rig.done]
    assert done.returncode == 0, done.stdout + done.stderr
    if language == "bash":
        assert done.stdout.split() == ["200"] * text.count("\ncurl")
        assert done_here == ["step 2h", "upset cloud:depth=0.8:lasts=20min", "write capacity_ah=150"]
    else:
        assert done.stdout.startswith("passed by ")


@pytest.mark.parametrize("row", READS, ids=lambda row: row.name)
def test_every_endpoint_stands_on_the_page(row):
    assert f"| `{row.method} {row.path}` |" in PAGE


def test_every_tool_stands_on_the_page():
    assert all(f"`{tool.name}`" in PAGE for tool in tools())
