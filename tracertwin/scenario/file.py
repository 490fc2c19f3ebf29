"""A scenario file: its records, and reading one with everything that is wrong said at once.

Nothing of the plant is loaded for it: a wrong word is told within a moment. What only a plant can tell, as a value out
of its limits, is told by `tracertwin.checking.preparing` before one runs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, field_validator

from modbus.line.faults.text import parse_fault
from plant.base import configs
from plant.base.clock import DAY_S, STEP_S, parse_local, parse_polled_s
from plant.base.problems import Problem, ProblemsError, near_or_known, shown
from plant.base.records import Record, as_tuple
from plant.base.yamlfile import Document, KeyPath, load_yaml, problems_of
from tracertwin.scenario.actions import Action, Step, assignments, parse_step
from tracertwin.scenario.judging import Expectation, KeyProblem, parse_expectation
from tracertwin.scenario.keytypes import ADDRESSES, unknown_rating
from tracertwin.scenario.kinds import KINDS
from tracertwin.scenario.times import duration_s, parse_moment
from tracertwin.scenario.vocabulary import Vocabulary, vocabulary

LONGEST_FINE_S = 2 * DAY_S  # sampled at every grid point unless told otherwise

MEANINGS = {  # of the keys of `given`, for people
    "site": "a site of `config/sites` by name, or the path of a site file, counted from the scenario's folder",
    "overrides": "other values for keys of the site, by dotted path: `{battery.soc: 0.3, load.items[0].power_w: 20}`; "
    "a number may be a multiple of a rating of the controller, `0.5 * controller.load_rated_a`",
    "seed": "chance of weather and load; the site's own unless given",
    "start": "local civil time at which the run begins; the site's own unless given",
    "length": "how long it runs",
    "sample": "time between two samples that are judged; 5 s for runs of up to two days, 1 min for longer ones",
    "clock": "`stepped`: as fast as it goes; `polled:10s` and `wall` are for `--firmware`",
    "speed": "of `wall`: plant time over real time",
    "map": "register map: `uart2`, `epever`, or the path of a file",
    "settings": "what a client writes before the run begins, register or setting and value: `{boost_duration: 90min}`",
    "faults": "line faults from the beginning on, as of `serve --fault`",
    "client": "a client of our own that polls registers; without one there is no conversation to judge",
    "client.every": "time from the beginning of one round of polls to that of the next",
    "client.read": "registers, each asked for by itself: names or addresses",
    "client.timeout": "how long it waits for a reply",
    "client.retries": "how often it asks again before it gives up",
}


def _as_one_or_more(given: Any) -> Any:
    if given == []:
        raise ValueError("must list one at least, got []")
    return as_tuple(given)


def _as_lines(given: Any) -> Any:
    """Two lines of text, or a list of two."""
    if isinstance(given, list) and any(isinstance(line, dict) for line in given):
        raise ValueError("must be two lines of text; put one with a colon in it into quotes")
    lines = given.strip().splitlines() if isinstance(given, str) else given
    if not isinstance(lines, list) or len(lines) != 2:
        raise ValueError(
            f"must be two lines of text, what it shows and where its numbers come from, got {shown(given)}"
        )
    return tuple(lines)


def _as_duration(given: Any) -> Any:
    if given is not None and not isinstance(given, str):
        raise ValueError(f"{shown(given)} is not a valid duration; write 10s, 2min, 1.5h or 3d")
    return given


Duration = Annotated[str, BeforeValidator(_as_duration)]
Listed = Annotated[tuple[str | int, ...], BeforeValidator(_as_one_or_more)]


class ClientRecord(Record):
    """A client of our own that polls registers, asks again when nothing comes, and gives up."""

    every: Duration
    read: Annotated[Listed, Field(min_length=1)]
    timeout: Duration = "500ms"
    retries: Annotated[int, Field(ge=0, le=100)] = 2

    @field_validator("every", "timeout")
    @classmethod
    def _are_durations(cls, given: str) -> str:
        if not 0.001 <= duration_s(given) <= DAY_S:
            raise ValueError(f"must lie between 1 ms and a day, got {given!r}")
        return given


class Given(Record):
    """What a run begins with."""

    site: str = "cabin"
    overrides: dict[str, Any] = Field(default_factory=dict)
    seed: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    start: str | None = None
    length: Duration
    sample: Annotated[str | None, BeforeValidator(_as_duration)] = None
    clock: str = "stepped"
    speed: Annotated[float, Field(ge=0.001, le=100_000)] = 1.0
    map: str = "uart2"
    settings: dict[str, Any] = Field(default_factory=dict)
    faults: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = ()
    client: ClientRecord | None = None

    @field_validator("length")
    @classmethod
    def _is_a_length(cls, given: str) -> str:
        if not 0 < duration_s(given) <= 3660 * DAY_S or duration_s(given) % STEP_S:
            raise ValueError(f"must be a multiple of {STEP_S} s up to ten years, got {given!r}")
        return given

    @field_validator("sample")
    @classmethod
    def _is_a_sample(cls, given: str | None) -> str | None:
        if given is not None and (
            not duration_s(given) or duration_s(given) % STEP_S or DAY_S % duration_s(given)
        ):
            raise ValueError(f"must be a multiple of {STEP_S} s that divides a day, got {given!r}")
        return given

    @field_validator("start")
    @classmethod
    def _is_a_start(cls, given: str | None) -> str | None:
        if given is not None:
            parse_local(given)
        return given

    @field_validator("clock")
    @classmethod
    def _is_a_clock(cls, given: str) -> str:
        parse_polled_s(given)
        return given

    @field_validator("faults")
    @classmethod
    def _are_faults(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for one in given:
            parse_fault(one)
        return given

    @property
    def length_s(self) -> int:
        """How long it runs [s]."""
        return round(duration_s(self.length))

    @property
    def sample_s(self) -> int:
        """Time between two samples [s]."""
        if self.sample is not None:
            return round(duration_s(self.sample))
        return STEP_S if self.length_s <= LONGEST_FINE_S else 60


class ScenarioRecord(Record):
    """The file as a whole; rows of ``when`` and ``expect`` are read by their tables."""

    name: str
    about: Annotated[tuple[str, ...], BeforeValidator(_as_lines), Field(min_length=2, max_length=2)]
    given: Given
    cannot_show: str = ""
    when: Annotated[tuple[Any, ...], BeforeValidator(as_tuple)] = ()
    expect: Annotated[tuple[Any, ...], BeforeValidator(_as_one_or_more), Field(min_length=1)]


class GivenRecord(Record):
    """What a run begins with, by itself."""

    given: Given


@dataclass(frozen=True, slots=True)
class Scenario:
    """A scenario that was read.

    Attributes
    ----------
    document : Document
        The file, to say where something is wrong.
    about : tuple of str
        What it shows; where its numbers come from.
    cannot_show : str
        What a test in a laboratory would tell and this one can't.
    words : Vocabulary
        Of its map.
    """

    document: Document
    name: str
    about: tuple[str, ...]
    cannot_show: str
    given: Given
    when: tuple[Step, ...]
    expect: tuple[Expectation, ...]
    words: Vocabulary

    @property
    def path(self) -> Path:
        """Of the file."""
        return Path(self.document.file)

    def under_test(self, site: str | None = None, controller: str | None = None) -> "Scenario":
        """The same with another site, or with another controller: their names, or paths from the current folder."""
        given = self.given
        if site is not None:
            given = given.model_copy(update={"site": _from_anywhere(site)})
        if controller is not None:
            overrides = {"controller.model": _from_anywhere(controller), **given.overrides}
            given = given.model_copy(update={"overrides": overrides})
        return replace(self, given=given)


def _from_anywhere(name: str) -> str:
    return str(Path(name).resolve()) if configs.is_file(Path(name)) else name


NO_STEP = Step(parse_moment("start"), Action("power-cycle", ("",)))
NO_EXPECTATION = Expectation(KINDS["always"], {}, "")
KNOWN: dict[KeyPath, list[str]] = {
    (): list(ScenarioRecord.model_fields),
    ("given",): list(Given.model_fields),
    ("given", "client"): list(ClientRecord.model_fields),
}


def load_scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises
    ------
    ProblemsError
        With every problem in it, each with file, line and key.
    """
    scenario, problems = read_scenario(path)
    if problems or scenario is None:
        raise ProblemsError(problems)
    return scenario


def read_scenario(path: Path) -> tuple[Scenario | None, list[Problem]]:
    """A scenario and every problem in it; with problems, what is left of it, so that more of them can be found.

    Rows that can't be read have others in their places that do nothing.
    """
    try:
        document = load_yaml(path)
    except ProblemsError as error:
        return None, list(error.problems)
    problems: list[Problem] = []
    record: ScenarioRecord | None = None
    try:
        record = ScenarioRecord.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, document, KNOWN)
    words = _words(document, problems)
    steps = _rows(document, "when", parse_step, words, problems, NO_STEP)
    expectations = _rows(document, "expect", parse_expectation, words, problems, NO_EXPECTATION)
    problems = sorted(problems, key=lambda problem: problem.line)
    if record is None:
        return None, problems
    wrong = {problem.where.removeprefix("given.overrides.") for problem in problems}
    good = {path: value for path, value in record.given.overrides.items() if path not in wrong}
    given = record.given.model_copy(update={"overrides": good})
    return Scenario(
        document, record.name, record.about, record.cannot_show, given, tuple(steps), tuple(expectations), words
    ), problems  # fmt: skip


def given_alone(document: Document) -> Scenario:
    """A scenario in which nothing happens and nothing is expected, of a document that has ``given`` only.

    Raises
    ------
    ProblemsError
        With every problem in it.
    """
    problems: list[Problem] = []
    record: GivenRecord | None = None
    try:
        record = GivenRecord.model_validate(document.data)
    except ValidationError as error:
        problems += problems_of(error, document, KNOWN)
    words = _words(document, problems)
    if problems or record is None:
        raise ProblemsError(problems)
    return Scenario(document, "", (), "", record.given, (), (), words)


def _words(document: Document, problems: list[Problem]) -> Vocabulary:
    """The words of the map that is given; what is wrong with ``given`` is added to `problems`."""
    given = document.data.get("given")
    given = given if isinstance(given, dict) else {}
    try:
        words = vocabulary(given.get("map") if isinstance(given.get("map"), str) else "uart2")
    except ProblemsError as error:
        problems += [document.problem(("given", "map"), problem.message) for problem in error.problems]
        words = vocabulary()
    problems += _given_problems(document, given, words)
    return words


def _rows(
    document: Document, key: str, parse: Any, words: Vocabulary, problems: list[Problem], instead: Any
) -> list[Any]:
    rows: list[Any] = []
    given = document.data.get(key)
    for index, one in enumerate(given if isinstance(given, list) else ()):
        try:
            rows.append(parse(one, words, document.line((key, index))))
        except* KeyProblem as group:
            for problem in group.exceptions:
                where = (key, index, getattr(problem, "key", ""))
                problems.append(document.problem(where if where[-1] else where[:-1], str(problem)))
            rows.append(instead)
    return rows


def _given_problems(document: Document, given: dict[str, Any], words: Vocabulary) -> Iterator[Problem]:
    """What the records can't tell: names of the site, its keys, the map's registers."""
    site = given.get("site", "cabin")
    if isinstance(site, str):
        try:
            site_file(document, site)
        except ProblemsError as error:
            tried = f": {Path(document.file).parent / site}" if Path(site).suffix else ""
            yield from (
                document.problem(("given", "site"), f"{problem.message}{tried}") for problem in error.problems
            )
    overrides = given.get("overrides")
    for path, value in overrides.items() if isinstance(overrides, dict) else ():
        if told := unknown_key(str(path), words) or unknown_rating(value, words.ratings):
            yield document.problem(("given", "overrides", path), told)
    settings = given.get("settings")
    for name, value in settings.items() if isinstance(settings, dict) else ():
        try:
            assignments({name: value}, words)
        except ValueError as error:
            yield document.problem(("given", "settings", name), str(error))
    client = given.get("client")
    if isinstance(client, dict) and isinstance(client.get("read"), list):
        try:
            ADDRESSES.read(client["read"], words)
        except ValueError as error:
            yield document.problem(("given", "client", "read"), str(error))


def site_file(document: Document, name: str) -> Path:
    """The file of a scenario's site: a name out of ``config/sites``, or a path counted from the scenario's folder.

    Raises
    ------
    ProblemsError
        There is none.
    """
    return configs.find("sites", configs.beside(name, {"folder": Path(document.file).parent}))


def unknown_key(path: str, words: Vocabulary) -> str:
    """What is wrong with the dotted path of a site's key; empty if it may be one."""
    here = ""
    for part in path.split("."):
        found = re.fullmatch(r"(\w+)((?:\[\d+\])*)", part)
        if found is None:
            return f"{part!r} is not a key; write battery.soc or load.items[0].power_w"
        keys = words.site.get(here)
        if keys is None:
            return ""  # what lies below is free, or known to the site only
        if found[1] not in keys:
            where = f" of {here}" if here else ""
            return f"unknown key {found[1]}{where}{near_or_known(found[1], keys)}"
        here = f"{here}.{found[1]}".lstrip(".") + "[*]" * found[2].count("[")
    return ""
