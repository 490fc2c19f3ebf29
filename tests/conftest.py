"""What all tests share: the same examples on every run, unless `HYPOTHESIS_PROFILE=explore`; the command; which of them
`make quick` leaves out."""

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

# Files, without `test_`, that need QEMU or seconds of a quiet machine; `pytest --durations=0` shows what each takes.
SLOW = frozenset({
    "api_fuzz", "api_page", "boundaries", "bridges", "check_firmware", "checking", "ci_page", "cli",
    "container", "deviceclock", "documented_commands", "en50530", "environments", "faulty_line", "fidelity",
    "fidelity_lithium", "firmware", "firmware_journal", "fuzz", "golden_day", "history", "howto",
    "links", "lithium", "live", "memory", "migrating", "mutants", "node", "packaging", "page", "pictures",
    "plant", "protections", "pytest_plugin", "quantities", "quasistatic", "replay", "rig", "saving", "size_cluster",
    "size_command", "size_report", "size_serves", "size_tutorial", "size_work", "size_years", "sky_blocks",
    "soak", "statefile", "strings", "suites", "tutorial", "validation", "weather_formats", "weatherfile",
    "web",
})  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow ones."""
    for item in items:
        if item.path.stem.removeprefix("test_") in SLOW or item.path.parent.name == "evals":
            item.add_marker(pytest.mark.slow)


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
