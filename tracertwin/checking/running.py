"""A scenario runs: a plant and its Tracer without a line, what happens to them in time, and what is left to judge.

The same scenario and seed give the same record, bit by bit, on any thread and in any process.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modbus.codec.replies import BitsReply, WordsReply
from modbus.codec.requests import ReadBits, ReadWords
from modbus.line.faults.text import parse_fault
from modbus.map.registers import RegisterMap
from modbus.map.rows import Row
from modbus.master.assignments import Assignment
from modbus.master.client import NoReplyError
from modbus.master.write import Writer, WriteResult
from plant.base.clock import parse_duration_s
from plant.base.problems import ProblemsError
from plant.base.yamlfile import KeyPath
from plant.controller.settings import Settings
from plant.plant import Plant
from plant.report.trace import Trace
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.options import Options
from tracertwin.checking.client import ScenarioClient
from tracertwin.checking.columns import PlantColumns
from tracertwin.checking.preparing import Prepared
from tracertwin.scenario.actions import WRITES, Action
from tracertwin.scenario.conditions import Occurrence
from tracertwin.scenario.file import Scenario
from tracertwin.scenario.judging import Verdict, judge
from tracertwin.scenario.keytypes import ADDRESSES, READ_FUNCTION
from tracertwin.scenario.record import RunRecord
from tracertwin.scenario.signals import signal
from tracertwin.scenario.times import Moment


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
        In the order of the file.
    """

    scenario: Scenario
    seed: int
    record: RunRecord
    trace: Trace
    verdicts: tuple[Verdict, ...]

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
    verdicts = tuple(judge(expectation, record) for expectation in prepared.scenario.expect)
    return Ran(prepared.scenario, running.seed, record, trace, verdicts)


class Running:
    """A scenario's plants while it runs."""

    def __init__(self, prepared: Prepared, seed: int | None, journal: Path | None, stack: ExitStack) -> None:
        self._prepared = prepared
        scenario, site = prepared.scenario, prepared.site
        given = scenario.given
        self.seed = next(s for s in (seed, given.seed, site.seed) if s is not None)
        sites = [site, *(site.seen_by(other) for other in site.neighbours)]
        plants = [Plant.new(each, self.seed, prepared.start_utc_s) for each in sites]
        options = Options(
            map_name=given.map, polled_s=0.0, faults=[parse_fault(text) for text in given.faults]
        )
        self._assembly = assemble(plants, options)
        self._live = self._assembly.units[0].live
        self._live.sample_s = given.sample_s
        self._answer = self._assembly.answers[0]
        self._note: Callable[[str], None] = lambda _: None
        if journal is not None:
            self._record_in(journal, stack)
        client = given.client
        self._client = ScenarioClient(
            self._answer, self._assembly.clock.now_s, self._wait, prepared.register_map,
            parse_duration_s(client.timeout) if client else 0.5,
        )  # fmt: skip
        self._polls = ADDRESSES.read(list(client.read), scenario.words) if client else ()
        self._first = np.array(self._live.snapshot(), dtype=float)
        self._settings: list[tuple[float, Settings]] = [(self._first[0], plants[0].settings)]
        self._heard: dict[str, list[tuple[float, float]]] = {}

    def _record_in(self, path: Path, stack: ExitStack) -> None:
        from tracertwin.journal.head import written_down
        from tracertwin.journal.writing import Journal

        assembly = self._assembly
        journal = Journal(path, assembly.times_s, assembly.held, lambda _: None, assembly.refusals.taken)
        journal.begin(*written_down(assembly))
        stack.callback(journal.end)
        self._answer = journal.witness(0, self._answer).answer
        self._note = journal.command

    # Time

    def go(self) -> None:
        """Live through the whole run."""
        prepared, span = self._prepared, self._prepared.span
        self._write(prepared.writes[-1], ("given", "settings"))
        steps = list(enumerate(prepared.scenario.when))
        timed = sorted((step.at.utc_s(span), place) for place, step in steps if isinstance(step.at, Moment))
        waiting = {place: step.at for place, step in steps if isinstance(step.at, Occurrence)}
        was = {place: self._is_so(at) for place, at in waiting.items()}
        client = prepared.scenario.given.client
        every_s = parse_duration_s(client.every) if client else math.inf
        poll_s = span.start_utc_s if client else math.inf
        while True:
            now_s = self._assembly.clock.now_s()
            while timed and timed[0][0] <= now_s:
                self._act(timed.pop(0)[1])
            if poll_s <= now_s:
                self._poll(client.retries if client else 0)
                poll_s += every_s * max(1, math.ceil((self._assembly.clock.now_s() - poll_s) / every_s))
            if self._assembly.clock.now_s() >= span.end_utc_s:
                return
            look_s = now_s + self._live.sample_s if waiting else math.inf
            self._move_to(min(span.end_utc_s, poll_s, look_s, *(at_s for at_s, _ in timed[:1])))
            for place, event in list(waiting.items()):
                is_so = self._is_so(event)
                if is_so and not was[place]:
                    del waiting[place]
                    timed = sorted([*timed, (self._live.snapshot().t_utc_s + event.later_s, place)])
                was[place] = is_so

    def _is_so(self, event: Occurrence) -> bool:
        """Whether the plant now shows what an event begins with."""
        now = RunRecord(
            np.array([self._live.snapshot().t_utc_s]),
            PlantColumns(np.array([self._live.snapshot()]), self._settings_of, self._assembly.units[0], {}),
            self._prepared.span,
        )
        return bool(signal(event.condition, now).holds[0]) == event.begins

    def _settings_of(self, t_s: float) -> Settings:
        return next(settings for since_s, settings in reversed(self._settings) if since_s <= t_s)

    def _move_to(self, t_s: float) -> None:
        seconds = t_s - self._assembly.clock.now_s()
        if seconds > 0.0:
            self._wait(seconds)

    def _wait(self, seconds: float) -> None:
        self._do(f"step {seconds!r}")

    def _do(self, command: str) -> str:
        with self._assembly.held():
            self._note(command)
            return self._assembly.do(command)

    # What happens

    def _act(self, place: int) -> None:
        action = self._prepared.scenario.when[place].action
        where: KeyPath = ("when", place, action.name)
        if action.name in WRITES:
            self._write(self._prepared.writes[place], where, refused=action.name != "write")
        elif action.name == "mend":
            for number in self._numbers(action):
                self._do(f"mend {number}")
        else:
            try:
                self._do(f"{action.name} {action.words[0]}".strip())
            except ValueError as error:  # with what is broken already it makes no sense
                raise self._problem(where, str(error)) from None
        self._settings.append((self._live.snapshot().t_utc_s, self._live.plant.settings))

    def _problem(self, where: KeyPath, message: str) -> ProblemsError:
        return ProblemsError([self._prepared.scenario.document.problem(where, message)])

    def _numbers(self, action: Action) -> Iterator[int]:
        plant = self._live.plant
        for number, name in sorted((plant.broken() | plant.planned()).items()):
            if action.words[0] in (name, "all"):
                yield number

    def _write(self, writes: tuple[Assignment, ...], where: KeyPath, refused: bool = False) -> None:
        tracer = self._assembly.units[0].tracer
        writer = Writer(self._client, self._prepared.register_map.published, tracer.unit, 0.0)
        self._assembly.refusals.taken()
        results: list[WriteResult] = []
        with suppress(NoReplyError):  # the line ate it; the conversation tells
            results.extend(writer.write(writes))
            self._settings.append((self._live.snapshot().t_utc_s, self._live.plant.settings))
        bad = next((result for result in results if result.exception is not None), None)
        if bad is not None and not refused:
            why = self._assembly.refusals.taken() or bad.why
            raise self._problem(where, f"{bad.what.text}: the controller refused it: {why}")
        if results and bad is None and refused:
            raise self._problem(where, f"{results[-1].what.text}: the controller did not refuse it")

    def _poll(self, retries: int) -> None:
        unit = self._assembly.units[0].tracer.unit
        tables = {function: table for table, function in READ_FUNCTION.items()}
        for function, address in self._polls:
            row = _row(self._prepared.register_map, tables[function], address)
            count = len(row.addresses) if row is not None else 1
            ask = ReadBits if function <= READ_FUNCTION["discrete"] else ReadWords
            try:
                reply = self._client.ask(ask(unit, function, address, count), 0.0, retries)
            except NoReplyError:
                continue
            words = reply.words if isinstance(reply, WordsReply) else ()
            words = tuple(map(int, reply.bits)) if isinstance(reply, BitsReply) else words
            if words and row is not None:
                key, now_s = f"{tables[function]} 0x{address:04X}", self._assembly.clock.now_s()
                self._heard.setdefault(key, []).append((now_s, row.value(words)))
                self._heard.setdefault(f"{key} word", []).append((now_s, words[0]))

    # What is left

    def trace(self) -> Trace:
        """The samples, the first moment among them."""
        trace = self._live.trace()
        rows = np.concatenate([self._first[None], trace.rows])
        title = f"{self._prepared.scenario.name}, seed {self.seed}"
        return Trace(rows, trace.timezone, trace.events, title)

    def record(self) -> RunRecord:
        """What is judged."""
        rows = self.trace().rows
        columns = PlantColumns(rows, self._settings_of, self._assembly.units[0], self._heard)
        return RunRecord(rows[:, 0], columns, self._prepared.span, tuple(self._client.asked))


def _row(register_map: RegisterMap, table: str, address: int) -> Row | None:
    there = (register_map if table == "input" else register_map.published).rows[table]
    return there.get(address)
