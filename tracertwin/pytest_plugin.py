"""Fixtures `tracer`, `make_tracer` and `tracer_qemu` for pytest, and scenario files as tests.

Loaded by pytest in every run where TracerTwin is installed, so it imports nothing of it before a fixture is used.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tracertwin.checking.outcome import CaseOutcome
    from tracertwin.testing.machine import EmulatedMachine
    from tracertwin.testing.tracer import SimulatedTracer

MARKERS = (
    "tracer(site=, overrides=, seed=, start=, map=, settings=, faults=, clock=, sample=, link=, unit=, turnaround=, "
    "speed=): what the fixture `tracer` simulates",
    "qemu(kernel=, machine=, uart=, emulator=, options=): what the fixture `tracer_qemu` boots",
)
HEAD = re.compile(r"^(given|expect)[ \t]*:", re.MULTILINE)
MADE: pytest.StashKey[list["SimulatedTracer"]] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    # pytest-embedded has a fixture of that name, for its own `dut`
    if not config.pluginmanager.hasplugin("pytest_embedded"):
        config.pluginmanager.register(ShortNames(), "tracertwin-short-names")


# --- fixtures ---


def marked(request: pytest.FixtureRequest, name: str) -> dict[str, Any]:
    """What the markers of a test say: those of the function before those of its class and module."""
    told: dict[str, Any] = {}
    for marker in request.node.iter_markers(name):
        if marker.args:
            raise pytest.UsageError(f"{request.node.nodeid}: write @pytest.mark.{name}(KEY=VALUE)")
        told = {**marker.kwargs, **told}
    return told


@pytest.fixture
def tracer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["SimulatedTracer"]:
    """A simulated Tracer on an open line, made by ``@pytest.mark.tracer(...)``; a journal of it is in `tmp_path`."""
    link = None
    if "tracer_qemu" in request.fixturenames:
        link = f"unix:{request.getfixturevalue('_uart_path')}"  # it dials the emulator
    folder = tmp_path / "tracer"
    folder.mkdir()
    made = _made(marked(request, "tracer"), Path(request.path), folder, link)
    request.node.stash.setdefault(MADE, []).append(made)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def make_tracer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., "SimulatedTracer"]]:
    """Makes Tracers that outlive a test, of the keys of ``@pytest.mark.tracer``: for fixtures of a wider scope."""
    with ExitStack() as open_ones:

        def make(**told: Any) -> "SimulatedTracer":
            file = Path(told.pop("beside", Path.cwd() / "conftest.py"))
            made = _made(told, file, tmp_path_factory.mktemp("tracer"), None)
            open_ones.callback(made.close)
            return made

        yield make


def _made(told: dict[str, Any], file: Path, folder: Path, link: str | None) -> "SimulatedTracer":
    from modbus.line.endpoint import LinkError
    from plant.base.problems import ProblemsError
    from tracertwin.testing.making import make_tracer as make

    try:
        return make(told, file, folder, link)
    except (ProblemsError, LinkError) as error:
        problems = "; ".join(f"{error}".splitlines())  # the summary of a run shows a line
    pytest.fail(f"this Tracer can't be made: {problems}", pytrace=False)


@pytest.fixture
def _uart_path(tmp_path: Path) -> Path:
    from tracertwin.testing.making import short_path

    return short_path(tmp_path, "uart.sock")


@pytest.fixture
def tracer_qemu(request: pytest.FixtureRequest, _uart_path: Path) -> Iterator["EmulatedMachine"]:
    """A machine in QEMU whose UART is on a unix socket; booted if ``@pytest.mark.qemu`` names a kernel.

    With the fixture `tracer` beside it that UART is the Tracer's. Skipped where the emulator is not installed. Also
    named `qemu`, unless pytest-embedded is there.
    """
    from plant.base.problems import ProblemsError
    from tracertwin.testing.machine import EMULATOR, KEYS, EmulatedMachine
    from tracertwin.testing.making import check_words

    told = marked(request, "qemu")
    try:
        check_words(told, KEYS, Path(request.path))
    except ProblemsError as error:
        pytest.fail(f"this machine can't be booted: {'; '.join(map(str, error.problems))}", pytrace=False)
    if missing := EmulatedMachine.missing(told.get("emulator", EMULATOR)):
        pytest.skip(f"{missing}: nothing here was tested")
    machine = EmulatedMachine(_uart_path)
    try:
        if "kernel" in told:
            try:
                machine.boot(**told)
            except (OSError, AssertionError) as error:
                pytest.fail(f"this machine can't be booted: {error}", pytrace=False)
        yield machine
    finally:
        machine.kill()


class ShortNames:
    """Names of fixtures that another plugin may have as well."""

    @pytest.fixture
    def qemu(self, tracer_qemu: "EmulatedMachine") -> "EmulatedMachine":
        """See `tracer_qemu`."""
        return tracer_qemu


# --- the report of a failure ---


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Say where the journals of a failed test are, and where its Tracers stood."""
    report = yield
    if report.failed and (made := item.stash.get(MADE, [])):
        report.sections.append(("tracertwin", "\n".join(_stories(made))))
    return report


def _stories(made: list["SimulatedTracer"]) -> Iterator[str]:
    for each in made:
        yield f"journal: {each.journal}"
        yield f"run again: tracertwin replay {each.journal}"
        shown = each.snapshot
        yield f"at {each.now}: {each.stage}, {shown.v_batt_v:.2f} V, {100 * shown.soc:.0f} %; {len(each.polls)} polls"
        yield from each.log[-5:]
        yield from _stories(each.forks)


# --- scenario files as tests ---


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "ScenarioFile | None":
    """Collect YAML files that are scenarios."""
    if file_path.suffix in (".yaml", ".yml") and _is_scenario(file_path):
        collected: ScenarioFile = ScenarioFile.from_parent(parent, path=file_path)
        return collected
    return None


def _is_scenario(path: Path) -> bool:
    """Whether a YAML file is a scenario: ``given:`` or ``expect:`` on top below a folder named scenarios, else both."""
    try:
        heads = set(HEAD.findall(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        return False
    return bool(heads) if "scenarios" in path.parent.parts else len(heads) == 2


class ScenarioFile(pytest.File):
    """A scenario file."""

    def collect(self) -> Iterator["ScenarioItem"]:
        """Its one test."""
        yield ScenarioItem.from_parent(self, name="scenario")


class ScenarioItem(pytest.Item):
    """A scenario that is run with its own seed; every expectation has to hold."""

    outcome: "CaseOutcome | None" = None

    def runtest(self) -> None:
        """Run and judge it."""
        from plant.base.problems import ProblemsError
        from tracertwin.testing import scenarioitems

        factory: pytest.TempPathFactory = self.config._tmp_path_factory  # type: ignore[attr-defined]
        try:
            self.outcome = scenarioitems.run_case(self.path, factory.mktemp(self.path.stem))
        except ProblemsError as error:
            raise ScenarioFailure(scenarioitems.told_problems(error)) from None
        for row in self.outcome.verdicts:
            self.user_properties.append((f"margin of: {row.expected}", repr(row.margin)))
        if not self.outcome.holds:
            raise ScenarioFailure(scenarioitems.report_of(self.outcome))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The verdicts, without a traceback."""
        if isinstance(excinfo.value, ScenarioFailure):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where it is."""
        return self.path, 0, f"scenario {self.path.name}"


class ScenarioFailure(Exception):  # noqa: N818 - a verdict
    """A scenario doesn't hold, or can't be run."""
