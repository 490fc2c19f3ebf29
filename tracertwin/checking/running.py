"""A scenario runs: a plant and its Tracer without a line, what happens to them in time, and what is left to judge.

The same scenario and seed give the same record, bit by bit, on any thread and in any process.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from modbus.codec.functions import TABLE_READ
from modbus.codec.requests import ReadBits, ReadWords
from modbus.line.faults.text import parse_fault
from modbus.map.forms import BIT_TABLES
from modbus.map.registers import RegisterMap
from modbus.map.rows import Row
from modbus.master.assignments import Assignment
from modbus.master.client import NoReplyError
from modbus.master.write import Writer, WriteResult
from plant.base.clock import parse_duration_s
from plant.base.problems import ProblemsError
from plant.base.yamlfile import KeyPath
from plant.plant import Plant
from plant.report.trace import Trace
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.options import Options
from tracertwin.assembly.settingshistory import SettingsHistory
from tracertwin.checking.client import ScenarioClient
from tracertwin.checking.columns import PlantColumns
from tracertwin.checking.overhearing import Overheard
from tracertwin.checking.preparing import Prepared
from tracertwin.scenario.actions import WRITES, Action
from tracertwin.scenario.conditions import STATE, Occurrence
from tracertwin.scenario.file import Scenario
from tracertwin.scenario.judging import Expectation, Verdict, judge
from tracertwin.scenario.keytypes import ADDRESSES
from tracertwin.scenario.kinds import Kind
from tracertwin.scenario.record import Finding, PrintedLine, RunRecord
from tracertwin.scenario.signals import signal
from tracertwin.scenario.times import Moment

REFUSAL: Final = Kind(
    "write-refused", {}, (), "The controller refuses the write.", lambda values, _: values["finding"]
)
UNDONE: Final = Kind("when", {}, (), "What is to happen is done.", lambda values, _: values["finding"])


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a scenario.

    Attributes
    ----------
    seed : int
    record : RunRecord
    trace : Trace
        Of the site's own plant.
    verdicts : tuple of Verdict
        Of what is expected, in the order of the file; then of writes that have to be refused, and
        of what was not done.
    clock : str
        What moved the plant.
    left : mapping
        By file name, what else there is of a run with firmware: its journal, console, transcript.
    """

    scenario: Scenario
    seed: int
    record: RunRecord
    trace: Trace
    verdicts: tuple[Verdict, ...]
    clock: str = "stepped"
    left: Mapping[str, str] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether nothing that decides has failed."""
        return not any(verdict.fails for verdict in self.verdicts)


def run(prepared: Prepared, seed: int | None = None, journal: Path | None = None) -> Ran:
    """Run a scenario and judge it.

    Parameters
    ----------
    prepared : Prepared
    seed : int, optional
        The scenario's or the site's own unless given.
    journal : Path, optional
        Where to write the run down, for `tracertwin replay`.
    """
    with ExitStack() as stack:
        running = Running(prepared, seed, journal, stack)
        running.go()
        record, trace = running.record(), running.trace()
    verdicts = running.verdicts(record)
    return Ran(prepared.scenario, running.seed, record, trace, verdicts)


class Running:
    """A scenario's plants while it runs."""

    def __init__(
        self,
        prepared: Prepared,
        seed: int | None,
        journal: Path | None,
        stack: ExitStack,
        speed: float | None = None,
    ) -> None:
        self._prepared = prepared
        scenario, site = prepared.scenario, prepared.site
        given = scenario.given
        self.seed = next(s for s in (seed, given.seed, site.seed) if s is not None)
        sites = [site, *(site.seen_by(other) for other in site.neighbours)]
        plants = [Plant.new(each, self.seed, prepared.start_utc_s) for each in sites]
        options = Options(
            map_name=given.map,
            polled_s=0.0 if speed is None else None,  # the wall's time
            speed=speed or 1.0,
            faults=[parse_fault(text) for text in given.faults],
        )
        self._assembly = assemble(plants, options)
        self._live = self._assembly.units[0].live
        self._live.sample_s = given.sample_s
        self.answer = self._assembly.answers[0]
        self._written_down: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()
        if journal is not None:
            self._record_in(journal, stack)
        client = given.client
        self._client = ScenarioClient(
            self.answer, self._assembly.clock.now_s, self._wait, prepared.register_map,
            parse_duration_s(client.timeout) if client else 0.5,
        )  # fmt: skip
        self._polls = ADDRESSES.read(list(client.read), scenario.words) if client else ()
        self._first = np.array(self._live.snapshot(), dtype=float)
        self._settings = SettingsHistory([(self._first[0], plants[0].settings)])
        self.overheard = Overheard(prepared.register_map, self._assembly.clock.now_s)
        self.printed: list[PrintedLine] = []
        self._refusals: dict[int, Finding] = {}  # of writes that have to be refused, by their place
        self._timed: list[tuple[float, int]] = []  # what is to be done: when, its place in the file
        self._waiting: dict[int, Occurrence] = {}  # for what, by the place of what is then done
        self._was: dict[int, bool] = {}  # whether it was so when it was looked at last

    def _record_in(self, path: Path, stack: ExitStack) -> None:
        from tracertwin.journal.head import written_down
        from tracertwin.journal.writing import Journal

        assembly = self._assembly
        journal = Journal(path, assembly.times_s, assembly.held, lambda _: None, assembly.refusals.taken)
        journal.begin(*written_down(assembly))
        stack.callback(journal.end)
        self.answer = journal.witness(0, self.answer).answer
        self._written_down = journal.command

    # Time

    def go(self) -> None:
        """Live through the whole run, with the scenario's own client if it has one."""
        span, client = self._prepared.span, self._prepared.scenario.given.client
        self.begin()
        every_s = parse_duration_s(client.every) if client else math.inf
        poll_s = span.start_utc_s if client else math.inf
        while True:
            self.live_until(min(poll_s, span.end_utc_s))
            if poll_s <= self.now_s():
                self._poll(client.retries if client else 0)
                poll_s += every_s * max(1, math.ceil((self.now_s() - poll_s) / every_s))
            if self.now_s() >= span.end_utc_s:
                return

    def begin(self) -> None:
        """Write the settings, and look when what is to happen."""
        prepared, span = self._prepared, self._prepared.span
        self._write(prepared.writes[-1], ("given", "settings"))
        self._client.asked.clear()  # that was before the run
        steps = list(enumerate(prepared.scenario.when))
        self._timed = sorted(
            (step.at.utc_s(span), place) for place, step in steps if isinstance(step.at, Moment)
        )
        self._waiting = {place: step.at for place, step in steps if isinstance(step.at, Occurrence)}
        self._was = {place: self._is_so(at) for place, at in self._waiting.items()}

    def live_until(self, t_s: float) -> None:
        """Move a stepped clock to a moment; what is to happen up to then does, each in its time."""
        while True:
            now_s = self.now_s()
            self._act_if_due(now_s)
            if now_s >= t_s:
                return
            look_s = now_s + self._live.sample_s if self._waiting else math.inf
            self._move_to(min(t_s, look_s, *(at_s for at_s, _ in self._timed[:1])))
            self._look()

    def catch_up(self) -> None:
        """Follow a wall clock, and do what has fallen due."""
        with self.held():
            for unit in self._assembly.units:
                unit.live.follow()
            self._look()
            self._act_if_due(self.now_s())

    def now_s(self) -> float:
        """The clock [s UTC]."""
        return self._assembly.clock.now_s()

    def held(self) -> AbstractContextManager[None]:
        """Have the plants to oneself."""
        return self._assembly.held()

    def _act_if_due(self, now_s: float) -> None:
        while self._timed and self._timed[0][0] <= now_s:
            self._act(self._timed.pop(0)[1])

    def _look(self) -> None:
        """See whether an event has happened that something waits for."""
        for place, event in list(self._waiting.items()):
            is_so = self._is_so(event)
            if is_so and not self._was[place]:
                del self._waiting[place]
                at_s = self._live.snapshot().t_utc_s + event.later_s
                self._timed = sorted([*self._timed, (at_s, place)])
            self._was[place] = is_so

    def _is_so(self, event: Occurrence) -> bool:
        """Whether the plant now shows what an event begins with."""
        now = RunRecord(
            np.array([self._live.snapshot().t_utc_s]),
            PlantColumns(np.array([self._live.snapshot()]), self._settings.at, self._assembly.units[0], {}),
            self._prepared.span,
        )
        return bool(signal(event.condition, now).holds[0]) == event.begins

    def _move_to(self, t_s: float) -> None:
        seconds = t_s - self._assembly.clock.now_s()
        if seconds > 0.0:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._do(f"step {seconds!r}")

    def _do(self, command: str) -> str:
        with self._assembly.held(), self._written_down(command):
            return self._assembly.do(command)

    # What happens

    def _act(self, place: int) -> None:
        action = self._prepared.scenario.when[place].action
        where: KeyPath = ("when", place, action.name)
        if action.name == "write":
            self._write(self._prepared.writes[place], where)
        elif action.name in WRITES:
            self._write_refused(place)
        else:
            try:
                self._do(f"{action.name} {action.words[0]}".strip())
            except ValueError as error:  # with what is broken already it makes no sense
                raise self._problem(where, str(error)) from None
        self.note_settings()

    def note_settings(self) -> None:
        """Take down what the controller is set to from now on."""
        self._settings.note(self._live.snapshot().t_utc_s, self._live.plant.settings)

    def _problem(self, where: KeyPath, message: str) -> ProblemsError:
        return ProblemsError([self._prepared.scenario.document.problem(where, message)])

    def _write(self, writes: tuple[Assignment, ...], where: KeyPath) -> None:
        noted = self._assembly.refusals.noted
        bad = next((result for result in self._written(writes) if result.exception is not None), None)
        if bad is not None:
            why = self._assembly.refusals.why_since(noted) or bad.why
            raise self._problem(where, f"{bad.what.text}: the controller refused it: {why}")

    def _write_refused(self, place: int) -> None:
        at_s = self._live.snapshot().t_utc_s
        results = self._written(self._prepared.writes[place])
        if not results:
            self._refusals[place] = Finding(False, 0.0, STATE, at_s, "no reply came")
        elif any(result.exception is not None for result in results):
            self._refusals[place] = Finding(True, 1.0, STATE, at_s, "the controller refused it")
        else:
            self._refusals[place] = Finding(False, -1.0, STATE, at_s, "the controller did not refuse it")

    def _written(self, writes: tuple[Assignment, ...]) -> list[WriteResult]:
        """What came of writes; nothing if the line ate them, which the conversation tells."""
        tracer = self._assembly.units[0].tracer
        writer = Writer(self._client, self._prepared.register_map.published, tracer.unit, 0.0)
        results: list[WriteResult] = []
        with suppress(NoReplyError):
            results.extend(writer.write(writes))
            self.note_settings()
        return results

    def _poll(self, retries: int) -> None:
        unit = self._assembly.units[0].tracer.unit
        for function, address in self._polls:
            row = _row(self._prepared.register_map, TABLE_READ[function], address)
            count = len(row.addresses) if row is not None else 1
            ask = ReadBits if TABLE_READ[function] in BIT_TABLES else ReadWords
            request = ask(unit, function, address, count)
            try:
                reply = self._client.ask(request, 0.0, retries)
            except NoReplyError:
                continue
            self.overheard.take(request, reply, self.now_s())

    # What is left

    def verdicts(self, record: RunRecord) -> tuple[Verdict, ...]:
        """On what the scenario expects, on writes that have to be refused, and on what was not done.

        Raises
        ------
        ProblemsError
            What the others rest on does not hold.
        """
        scenario = self._prepared.scenario
        expected = [
            *scenario.expect,
            *(
                self._refusal_of(place, step.action, step.line)
                for place, step in enumerate(scenario.when)
                if step.action.name == REFUSAL.name
            ),
            *(self._not_done(place) for place in self._undone() if not self._is_refusal(place)),
        ]
        verdicts = tuple(judge(expectation, record) for expectation in expected)
        short = [place for place, one in enumerate(verdicts) if one.expectation.stimulus and not one.holds]
        if short:
            why = "the stimulus falls short, so the rest would say nothing:"
            raise ProblemsError(
                [
                    scenario.document.problem(
                        ("expect", place),
                        f"{why} {verdicts[place].expectation.text}: {verdicts[place].words(record.span)}",
                    )
                    for place in short
                ]
            )
        return verdicts

    def _refusal_of(self, place: int, action: Action, line: int) -> Expectation:
        finding = self._refusals.get(place) or _undone(self._why_not(place))
        text = f"{action.name} {', '.join(action.words)}"
        return Expectation(REFUSAL, {"finding": finding}, text, line=line)

    def _is_refusal(self, place: int) -> bool:
        return self._prepared.scenario.when[place].action.name == REFUSAL.name

    def _undone(self) -> list[int]:
        """Places of what was not done when the run ended."""
        return sorted([*self._waiting, *(place for _, place in self._timed)])

    def _not_done(self, place: int) -> Expectation:
        """An expectation that fails: what was not tried has not passed."""
        step = self._prepared.scenario.when[place]
        when = "at" if isinstance(step.at, Moment) else "after"
        text = " ".join([when, f"{step.at.text}:", step.action.name, *step.action.words]).rstrip()
        return Expectation(UNDONE, {"finding": _undone(self._why_not(place))}, text, line=step.line)

    def _why_not(self, place: int) -> str:
        if place in self._waiting:
            return f"the event never came, {self._waiting[place].text}"
        return "the run ended before its time"

    def trace(self) -> Trace:
        """The samples, the first moment among them."""
        trace = self._live.trace()
        rows = np.concatenate([self._first[None], trace.rows])
        title = f"{self._prepared.scenario.name}, seed {self.seed}"
        return Trace(rows, trace.timezone, trace.events, title)

    def record(self, with_firmware: bool = False) -> RunRecord:
        """What is judged: with firmware its own requests, and none that the scenario had written."""
        rows = self.trace().rows
        columns = PlantColumns(rows, self._settings.at, self._assembly.units[0], self.overheard.heard)
        asked = self.overheard.asked if with_firmware else self._client.asked
        return RunRecord(rows[:, 0], columns, self._prepared.span, tuple(asked), tuple(self.printed))


def _undone(why: str) -> Finding:
    return Finding(False, 0.0, STATE, None, f"not done: {why}")


def _row(register_map: RegisterMap, table: str, address: int) -> Row | None:
    return register_map.answering(table).rows[table].get(address)
