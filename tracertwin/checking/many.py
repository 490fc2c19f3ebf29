"""Many scenarios, with one seed or several, in several processes; what comes of them doesn't depend on how many."""

import multiprocessing
import os
import re
import shlex
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from plant.base.configs import config_dir
from plant.base.problems import Problem, ProblemsError
from tracertwin.checking.outcome import CaseOutcome
from tracertwin.files import write_whole
from tracertwin.scenario.file import Scenario, load_scenario, read_scenario

if TYPE_CHECKING:
    from tracertwin.checking.firmware import FirmwareCommand  # it knows lines and plants

MOST_SEEDS: Final = 100_000
OF_THE_PLANT: Final = ("given.overrides", "given.settings")


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario file with a seed, and where a failure leaves its folder."""

    file: Path
    seed: int | None  # the scenario's own
    folder: Path | None = None  # nowhere
    peer: "FirmwareCommand | None" = None  # nobody but the scenario's own client
    transcript: Path | None = None  # where what was said with it is written
    site: str | None = None  # under test; the scenario's own
    controller: str | None = None

    def read(self) -> Scenario:
        """The scenario with what is under test."""
        return load_scenario(self.file).under_test(self.site, self.controller)

    def again(self, seed: int) -> str:
        """The command that runs it again with a seed."""
        firmware = self.peer.command if self.peer else None
        given = (("--site", self.site), ("--controller", self.controller), ("--firmware", firmware))
        tested = "".join(f" {option} {shlex.quote(value)}" for option, value in given if value is not None)
        return f"tracertwin check {shlex.quote(str(self.file))} --seeds {seed}{tested}"


OWN = Case(Path(), None)  # nothing is under test but what the scenario has


def files_in(paths: Sequence[str]) -> list[Path]:
    """The scenario files that are named, and those in folders that are; a suite of ``config/scenarios`` by its name.

    Raises
    ------
    ProblemsError
        There is no such file or folder, or no scenario in it.
    """
    found: list[Path] = []
    problems = []
    for text in paths:
        path, shipped = Path(text), config_dir() / "scenarios" / text
        if path.is_dir() or (not path.exists() and shipped.is_dir()):
            inside = sorted((path if path.is_dir() else shipped).rglob("*.yaml"))
            found += inside
            if not inside:
                problems.append(Problem(text, 0, "", "no scenario files (.yaml) in this folder"))
        elif path.is_file():
            found.append(path)
        else:
            problems.append(Problem(text, 0, "", f"no such file or folder; suites: {', '.join(suites())}"))
    if problems:
        raise ProblemsError(problems)
    return list(dict.fromkeys(map(_from_here, found)))


def suites() -> list[str]:
    """Names of the suites in ``config/scenarios``."""
    return sorted(path.name for path in (config_dir() / "scenarios").glob("*") if path.is_dir())


def _from_here(path: Path) -> Path:
    """The path as people would write it: from the current folder, if it is in there."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def read_all(files: Sequence[Path], has_peer: bool = False) -> tuple[list[Scenario], list[CaseOutcome]]:
    """Scenarios, and an outcome with every problem of each file that can't be read."""
    scenarios: list[Scenario] = []
    refused: list[CaseOutcome] = []
    for file in files:
        scenario, problems = read_scenario(file)
        if scenario is not None and not problems:
            scenarios.append(scenario)
            continue
        known = {problem.where for problem in problems}
        # A mere typo is told without loading the plant.
        if any(where.startswith(OF_THE_PLANT) for where in known):
            problems += [problem for problem in _further(scenario, has_peer) if problem.where not in known]
        refused.append(_refused(file, file.stem, (), ProblemsError(problems)))
    return scenarios, refused


def _further(scenario: Scenario | None, has_peer: bool) -> Sequence[Problem]:
    """What the plant's own code finds in the part of a scenario that could be read."""
    from tracertwin.checking.preparing import prepare

    try:
        if scenario is not None:
            prepare(scenario, has_peer)
    except ProblemsError as error:
        return error.problems
    return ()


def prepare_all(
    scenarios: Sequence[Scenario], site: str | None, controller: str | None, has_peer: bool = False
) -> tuple[list[Scenario], list[CaseOutcome]]:
    """Those whose plant can be built with what is under test, and an outcome with every problem of each other one."""
    from tracertwin.checking.preparing import prepare

    good: list[Scenario] = []
    refused: list[CaseOutcome] = []
    for scenario in scenarios:
        try:
            prepare(scenario.under_test(site, controller), has_peer)
            good.append(scenario)
        except ProblemsError as error:
            refused.append(_refused(scenario.path, scenario.name, scenario.about, error))
    return good, refused


def _refused(file: Path, name: str, about: tuple[str, ...], error: ProblemsError) -> CaseOutcome:
    return CaseOutcome(str(file), name, about, 0, (), problems=tuple(error.problems))


def check_case(case: Case) -> CaseOutcome:
    """Run a scenario with a seed and judge it; what a failure leaves is written to its folder.

    Raises
    ------
    ProblemsError
        It could not be run to its end, or the folder can't be written.
    """
    from tracertwin.checking.failures import clear, leave
    from tracertwin.checking.outcome import outcome_of
    from tracertwin.checking.preparing import prepare
    from tracertwin.checking.running import run

    prepared = prepare(case.read(), has_peer=case.peer is not None)
    if case.peer is None:
        ran = run(prepared, case.seed)
    else:
        from tracertwin.checking.firmware import TRANSCRIPT, run_with

        ran = run_with(prepared, case.peer, case.seed)
        if case.transcript is not None:
            write_whole(case.transcript, ran.left[TRANSCRIPT])
    folder = "" if case.folder is None or ran.holds else str(case.folder)
    outcome = outcome_of(ran, str(case.file), folder, case.again(ran.seed))
    if case.folder is not None:
        clear(case.folder)
    if folder:
        leave(prepared, ran, outcome)
    return outcome


def _nothing() -> None:
    pass


def check_cases(
    cases: Sequence[Case], jobs: int, begin: Callable[[], None] = _nothing
) -> Iterator[CaseOutcome]:
    """Check cases, in several processes if there are several; in the order given.

    One that can't be run to its end has an outcome that says why: it costs nobody the others.

    Parameters
    ----------
    cases : sequence of Case
    jobs : int
    begin : callable
        Of a module's top level; called at the start of each process.

    Raises
    ------
    ProblemsError
        A worker process died.
    """
    jobs = min(jobs, len(cases))
    if jobs <= 1:
        yield from map(_checked, cases)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(begin,))
    try:
        yield from pool.map(_checked, cases)
    except BrokenExecutor:
        why = "a worker process died, perhaps out of memory; try --jobs 1"
        raise ProblemsError([Problem("--jobs", 0, "", why)]) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(begin: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the first process hears it as well
    begin()


def _checked(case: Case) -> CaseOutcome:
    """What came of a case, whatever it is."""
    from tracertwin.checking.failures import clear

    try:
        return check_case(case)
    except ProblemsError as error:
        if case.folder is not None:
            clear(case.folder)
        return _unfinished(case, error.problems)


def _unfinished(case: Case, problems: tuple[Problem, ...]) -> CaseOutcome:
    from tracertwin.checking.preparing import prepare

    scenario = case.read()
    prepared = prepare(scenario, has_peer=case.peer is not None)
    seed = next(s for s in (case.seed, scenario.given.seed, prepared.site.seed) if s is not None)
    return CaseOutcome(
        str(case.file), scenario.name, scenario.about, seed, (), again=case.again(seed), problems=problems
    )


def default_jobs() -> int:
    """As many as there are processors for this process."""
    with suppress(AttributeError, OSError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def parse_seeds(text: str) -> tuple[int, ...]:
    """``1..50``, ``7`` or ``1,5,9`` as seeds.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    seeds: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{1,18})(?:\.\.(\d{1,18}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            raise ValueError(f"{text!r} is not a list of seeds; write 1..50, 7 or 1,5,9")
        if last - first >= MOST_SEEDS:
            raise ValueError(f"{text!r} are too many seeds; at most {MOST_SEEDS:,}")
        seeds += range(first, last + 1)
    return tuple(dict.fromkeys(seeds))


def cases_of(
    scenarios: Sequence[Scenario],
    seeds: Sequence[int],
    folder: Path | None,
    tested: Case = OWN,
    transcripts: Path | None = None,
) -> list[Case]:
    """A case for each scenario and seed, those of one scenario together; their folders have names of their own.

    What is under test, site, controller or firmware, is that of `tested`.
    """
    cases = []
    for scenario, own in zip(scenarios, _names([scenario.path for scenario in scenarios]), strict=True):
        for seed in seeds or (None,):
            called = own if seed is None else f"{own}-seed{seed}"
            left = None if folder is None else folder / called
            said = None if transcripts is None else transcripts / f"{called}.txt"
            cases.append(replace(tested, file=scenario.path, seed=seed, folder=left, transcript=said))
    return cases


def _names(paths: Sequence[Path]) -> list[str]:
    """A name of its own for each file: its stem, with its folder where files share that, numbered if that is shared."""
    stems = [path.stem for path in paths]
    names: list[str] = []
    for path in paths:
        own = path.stem if stems.count(path.stem) == 1 else f"{path.parent.name}-{path.stem}"
        numbered = (f"{own}-{number}" for number in count(2))
        name = own
        while name in names or (name != path.stem and name in stems):
            name = next(numbered)
        names.append(name)
    return names
