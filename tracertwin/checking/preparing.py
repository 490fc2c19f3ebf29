"""What only the plant's own code can tell of a scenario: its site with overrides, values to write, times of the sun."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from modbus.device.model import load_model
from modbus.map.registers import RegisterMap, load_map
from modbus.master.assignments import Assignment, assignment
from plant.base import configs
from plant.base.civiltime import moment_utc_s
from plant.base.clock import parse_local, parse_polled_s, to_local
from plant.base.problems import Problem, ProblemsError
from plant.base.yamlfile import KeyPath, load_yaml
from plant.controller.model import ControllerModel
from plant.site.model import Site, load_site
from plant.site.overriding import overridden
from plant.site.timetable import parse_upset
from plant.weather import sun
from plant.weather.place import Location
from tracertwin.assembly.sitechecks import SITE_CHECKS
from tracertwin.scenario.actions import WRITES
from tracertwin.scenario.conditions import Condition, Occurrence
from tracertwin.scenario.file import Scenario, site_file
from tracertwin.scenario.keytypes import scaled, unknown_rating
from tracertwin.scenario.record import ending
from tracertwin.scenario.times import Moment, Span, SunTimes
from tracertwin.scenario.vocabulary import Subject

SUN_GRID_S = 60  # sunrise and sunset to the minute
ENDS_OF_WINDOWS = ("to", "by")
WHOLE = ("series", "parallel")  # numbers of things, to which a multiple of a rating is rounded
UP_DEG = 90.0 + 16.0 / 60.0  # zenith of the centre when the upper limb is at the horizon, refraction included


@dataclass(frozen=True, slots=True)
class Prepared:
    """A scenario whose plant can be built."""

    scenario: Scenario
    site: Site
    start_utc_s: int
    span: Span
    register_map: RegisterMap
    writes: Mapping[int, tuple[Assignment, ...]]  # by the step's place; -1 for the settings at the start


def prepare(scenario: Scenario, has_peer: bool = False) -> Prepared:
    """Look at all that needs the plant's code: the site with its overrides, values that are written, upsets, times.

    Parameters
    ----------
    scenario : Scenario
    has_peer : bool
        Whether a real client is there, whose requests or whose time move a clock.

    Raises
    ------
    ProblemsError
        With file, line and key of each.
    """
    document = scenario.document
    problems: list[Problem] = []
    try:
        site = site_of(scenario)
    except ProblemsError as error:
        problems += error.problems
        site = _as_it_stands(scenario, error)  # what else is wrong can be told with it
    zone = site.location.timezone
    start = scenario.given.start or site.start
    try:
        start_utc_s = moment_utc_s(parse_local(start), zone)
    except ValueError as error:
        raise ProblemsError([*problems, document.problem(("given", "start"), str(error))]) from None
    span = Span(start_utc_s, start_utc_s + scenario.given.length_s, zone, sun_of(site.location))
    optional = load_model(site.controller.model).optional
    register_map = load_map(scenario.given.map, site.ratings(), optional)
    look = _Look(scenario, site, span, register_map, problems)
    writes = look.writes()
    look.at_expectations()
    look.at_given(has_peer)
    if look.problems:
        raise ProblemsError(look.problems)
    return Prepared(scenario, site, start_utc_s, span, register_map, writes)


class _Look:
    """A look at a scenario beside its site and map; `problems` is what was found wrong."""

    def __init__(
        self, scenario: Scenario, site: Site, span: Span, register_map: RegisterMap, problems: list[Problem]
    ) -> None:
        self.problems = problems
        self._scenario, self._site, self._span, self._map = scenario, site, span, register_map

    def writes(self) -> dict[int, tuple[Assignment, ...]]:
        """What is written at each step, by its place; -1 for the settings at the start. Upsets and times besides."""
        settings = tuple(f"{name}={value}" for name, value in self._scenario.given.settings.items())
        writes = {-1: self._tried(("given", "settings"), self._assigned, settings) or ()}
        for place, step in enumerate(self._scenario.when):
            where: KeyPath = ("when", place, step.action.name)
            self._tried(("when", place, "after"), _check_registers, step.at, self._map)
            if isinstance(step.at, Moment):
                self._tried(("when", place, "at"), self._check_within, step.at)
            if step.action.name in WRITES:
                writes[place] = self._tried(where, self._assigned, step.action.words) or ()
            if step.action.name == "upset":
                self._tried(where, self._check_upset, step.action.words[0])
        return writes

    def at_expectations(self) -> None:
        """Whether their registers and times are there."""
        for place, expectation in enumerate(self._scenario.expect):
            for key, value in expectation.values.items():
                self._tried(("expect", place, key), _check_registers, value, self._map)
                if isinstance(value, Moment):
                    self._tried(("expect", place, key), _check_moment, key, expectation.values, self._span)

    def at_given(self, has_peer: bool) -> None:
        """Whether the weather lasts, and somebody moves the clock."""
        given = self._scenario.given
        if self._site.weather.file is not None:
            self._tried(("given", "length"), _check_weather, self._site, self._span)
        if has_peer and given.client is not None:
            self._note(("given", "client"), "is given, and --firmware as well; leave one out")
        if not has_peer and parse_polled_s(given.clock) != 0.0:
            self._note(("given", "clock"), "wall and polled need a client of their own, --firmware")

    def _note(self, where: KeyPath, why: str) -> None:
        self.problems.append(self._scenario.document.problem(where, why))

    def _tried(self, where: KeyPath, act: Callable[..., Any], *arguments: Any) -> Any:
        """What comes of it; None, and a problem noted, if it refuses."""
        try:
            return act(*arguments)
        except ValueError as error:
            self._note(where, str(error))

    def _assigned(self, texts: tuple[str, ...]) -> tuple[Assignment, ...]:
        now = to_local(self._span.start_utc_s, self._span.timezone)
        return tuple(assignment(text, self._map.published, now) for text in texts)

    def _check_within(self, moment: Moment) -> None:
        if not self._span.start_utc_s <= moment.utc_s(self._span) <= self._span.end_utc_s:
            raise ValueError(f"{moment.text} is outside the run")

    def _check_upset(self, text: str) -> None:
        self._site.with_upsets([parse_upset(text)])


def _check_registers(value: Any, register_map: RegisterMap) -> None:
    """Check that this controller has the registers in a condition or event: some are optional."""
    if isinstance(value, tuple):
        for one in value:
            _check_registers(one, register_map)
    if isinstance(value, Occurrence):
        value = value.condition
    subjects = [value] if isinstance(value, Subject) else []
    for relation in value.relations if isinstance(value, Condition) else ():
        subjects += [relation.subject, *([relation.other] if relation.other else [])]
    for subject in subjects:
        table, address = [*subject.key.split(), ""][:2]  # a quantity has no address
        if address and int(address, 16) not in register_map.answering(table).rows[table]:
            raise ValueError(f"{subject.word}: this controller has no such register")


def _check_moment(key: str, values: Mapping[str, Any], span: Span) -> None:
    """Check that a time of an expectation is in the run, and not before the window of which it is the end."""
    moment, begin = values[key], values.get("from")
    at_s = moment.utc_s(span)
    if key in ENDS_OF_WINDOWS and isinstance(begin, Moment):
        begin_s = begin.utc_s(span)
        at_s = ending(moment, begin_s, span)
        if at_s < begin_s:
            raise ValueError(f"{moment.text} is before from, {begin.text}")
    if not span.start_utc_s <= at_s <= span.end_utc_s:
        raise ValueError(f"{moment.text} is outside the run")


def _check_weather(site: Site, span: Span) -> None:
    from plant.weather.measured.days import file_sky

    file_sky(site.weather, site.location).check_run(int(span.start_utc_s), int(span.end_utc_s))


def _as_it_stands(scenario: Scenario, error: ProblemsError) -> Site:
    """The site without overrides, which were wrong; if it is wrong itself, that is all there is to tell."""
    try:
        return load_site(str(site_file(scenario.document, scenario.given.site)))
    except ProblemsError:
        raise error from None


def site_of(scenario: Scenario) -> Site:
    """The site with its overrides.

    Raises
    ------
    ProblemsError
        At the override that is wrong, or in the site's own file.
    """
    document = load_yaml(site_file(scenario.document, scenario.given.site))
    given = scenario.given.overrides
    model = given.get("controller.model", (document.data.get("controller") or {}).get("model", "tracer4210n"))
    ratings = _ratings(f"{model}", {"folder": Path(document.file).parent}, scenario)
    values = {path: _worked_out(path, value, ratings) for path, value in given.items()}

    def at_override(path: str, message: str) -> Problem:
        return scenario.document.problem(("given", "overrides", path), message)

    return overridden(document, values, SITE_CHECKS, at_override)


def _worked_out(path: str, value: Any, ratings: Mapping[str, float]) -> Any:
    """A value of an override; a multiple of a rating is rounded where the key is a number of things."""
    number = scaled(value, ratings)
    is_multiple = isinstance(number, float) and not isinstance(value, float)
    return round(number) if is_multiple and path.rpartition(".")[2] in WHOLE else number


def _ratings(model: str, context: Mapping[str, Any], scenario: Scenario) -> Mapping[str, float]:
    """Those of the controller, as far as a multiple of one is asked for."""
    if not unknown_rating(scenario.given.overrides, ()):
        return {}
    return ControllerModel.load(configs.beside(model, context))._asdict()


def sun_of(location: Location) -> Callable[[date], SunTimes]:
    """When the sun rises, is highest and sets at a place, to the minute."""

    def times(day: date) -> SunTimes:
        number = (day - sun.EPOCH).days
        clear = sun.clear_day(number, location, SUN_GRID_S)
        up = np.flatnonzero(clear.zenith_deg < UP_DEG)
        highest = int(np.argmin(clear.zenith_deg))
        if not up.size or up.size == clear.zenith_deg.size:
            return SunTimes(None, clear.start_utc_s + highest * SUN_GRID_S, None)
        moments = (clear.start_utc_s + SUN_GRID_S * place for place in (int(up[0]), highest, int(up[-1])))
        return SunTimes(*map(float, moments))

    return times
