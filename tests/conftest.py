"""What all tests share: the same examples on every run, unless `HYPOTHESIS_PROFILE=explore`; the command; which are slow."""

import os
import sys
from collections.abc import Callable

import pytest
from hypothesis import settings

from tracertwin.cli import main as command

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command in this process: exit code, stdout, stderr."""

    def run(*arguments: str, columns: int | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tracertwin", *arguments])
        monkeypatch.delenv("COLUMNS", raising=False)  # pytest-xdist sets it
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        with pytest.raises(SystemExit) as ended:
            command.main()
        return ended.value.code, *capsys.readouterr()

    return run
