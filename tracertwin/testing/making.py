"""A simulated Tracer made of what a test says: the keys of a scenario's ``given``, and where it is on the line."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from modbus.line.endpoint import Endpoint, LinkError, parse_endpoint
from modbus.line.faults.text import parse_fault
from plant.base.clock import parse_duration_s, parse_polled_s
from plant.base.problems import Problem, ProblemsError, did_you_mean
from plant.base.yamlfile import Document, KeyPath
from plant.inputs import Supply
from plant.plant import Plant
from plant.start import at_start
from tracertwin.assembly.options import OPTIONS, Options
from tracertwin.checking.preparing import Prepared, prepare
from tracertwin.scenario.file import given_alone
from tracertwin.testing.tracer import SimulatedTracer

GIVEN: Final = ("site", "overrides", "seed", "start", "sample", "clock", "map", "settings", "faults")
LINE: Final = ("link", "unit", "turnaround", "speed")
KEYS: Final = (*GIVEN, *LINE)
ANYWHERE: Final = "listen:127.0.0.1:0"


def make_tracer(
    told: Mapping[str, Any], file: Path, folder: Path, link: str | None = None
) -> SimulatedTracer:
    """A Tracer whose line is open.

    Parameters
    ----------
    told : mapping
        By `KEYS`; the values that a YAML file would have.
    file : Path
        That says so: paths count from its folder.
    folder : Path
        Where its journal is written, and where a pty or a unix socket has its name.
    link : str, optional
        Where it is unless told: a free TCP port of 127.0.0.1.

    Raises
    ------
    ProblemsError
        With everything that is wrong with what was told.
    LinkError
        The link can't be had.
    """
    prepared = prepared_of(told, file)
    given = prepared.scenario.given
    options = Options(
        links=[_link(f"{told.get('link', link or ANYWHERE)}", folder)],
        map_name=given.map,
        polled_s=parse_polled_s(given.clock),
        **_of_line(told, file),
        faults=[parse_fault(text) for text in given.faults],
        record=folder / "journal.jsonl",
    )
    site = prepared.site
    seed = site.seed if given.seed is None else given.seed
    plants = []
    for each in (site, *(site.seen_by(other) for other in site.neighbours)):
        supply = Supply(each, seed, 5)
        plants.append(Plant(each, at_start(each, supply, prepared.start_utc_s), supply))
    sample_s = None if given.sample is None else given.sample_s
    tracer = SimulatedTracer(plants, options, prepared, sample_s)
    try:
        tracer.write_settings(prepared.writes[-1])
    except BaseException:
        tracer.close()
        raise
    return tracer


def prepared_of(told: Mapping[str, Any], file: Path) -> Prepared:
    """What a test says, looked at as the ``given`` of a scenario.

    Raises
    ------
    ProblemsError
        With everything that is wrong with it.
    """
    check_words(told, KEYS, file)
    given = {
        key: list(value) if isinstance(value, tuple) else value for key, value in told.items() if key in GIVEN
    }
    data = {"given": {**given, "length": "1d"}}
    document = Document(str(file), data, dict.fromkeys(_paths(data), 0))  # there are no lines, but keys
    try:
        return prepare(given_alone(document), has_peer=True)
    except ProblemsError as error:
        raise ProblemsError(
            [
                Problem(each.file, each.line, each.where.removeprefix("given."), each.message)
                for each in error.problems
            ]
        ) from None


def check_words(told: Mapping[str, Any], known: Sequence[str], file: Path) -> None:
    """Check that a mark has no other keys.

    Raises
    ------
    ProblemsError
        With each that it has, and the nearest known one.
    """
    problems = [
        Problem(str(file), 0, key, f"unknown key{did_you_mean(key, known)}; known: {', '.join(known)}")
        for key in told
        if key not in known
    ]
    if problems:
        raise ProblemsError(problems)


def _paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """Of all keys in a value."""
    yield path
    inside = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, one in inside:
        yield from _paths(one, (*path, key))


def _of_line(told: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """The options of `serve` beside the link."""
    read = {"unit": _number_of("unit"), "speed": _number_of("speed"), "turnaround": parse_duration_s}
    values: dict[str, Any] = {"turnaround_s": 0.0}
    problems = []
    for key, value in told.items():
        try:
            if key in read and value is not None:
                values["turnaround_s" if key == "turnaround" else key] = read[key](f"{value}")
        except ValueError as error:
            problems.append(Problem(str(file), 0, key, str(error)))
    if problems:
        raise ProblemsError(problems)
    return values


def _number_of(name: str) -> Callable[[str], float]:
    limits = OPTIONS[name].limits
    assert limits is not None

    def read(text: str) -> float:
        with suppress(ValueError):
            if limits.low <= (number := limits.kind(text)) <= limits.high:
                return number
        what = "a whole number" if limits.kind is int else "a number"
        raise ValueError(f"must be {what} from {limits.low:g} to {limits.high:g}, got {text!r}")

    return read


def _link(text: str, folder: Path) -> Endpoint:
    """A link as a test writes it: `pty` and `unix` get a name of their own."""
    if text in ("pty", "unix"):
        text = f"{'pty' if text == 'pty' else 'unix-listen'}:{short_path(folder, text)}"
    endpoint = parse_endpoint(text)
    if text.startswith("serial:"):
        raise LinkError(f"{text}: a test has no device of its own; use pty")
    return endpoint


def short_path(folder: Path, name: str) -> Path:
    """A path for a socket: in the folder, or elsewhere if that is too long for one."""
    path = folder / name
    if len(os.fsencode(path)) < 90:  # 108 bytes on Linux, 104 elsewhere, with the ending 0
        return path
    return Path(tempfile.mkdtemp(prefix="tt")) / name
