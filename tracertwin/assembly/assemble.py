"""`assemble`: plants and options made into units, faults and an answer for each line.

Opens no socket or file and starts no thread. A rig, a replay and a test all begin here, so that they serve the same.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from modbus.codec.requests import Request
from modbus.line.conversation import Answer, Transmission
from modbus.line.endpoint import ModbusTcpEndpoint
from modbus.line.faults.striking import Faults, FaultyLine
from modbus.line.faults.text import parse_fault
from modbus.line.pacing import parse_pace
from plant.base.clock import SteppedClock, WallClock
from plant.base.problems import Problem, ProblemsError
from plant.plant import Plant
from tracertwin.assembly import commands
from tracertwin.assembly.options import Options
from tracertwin.assembly.refusals import Refusals
from tracertwin.assembly.rounds import Rounds
from tracertwin.assembly.units import Unit, answer_of, twins, units_of


class Assembly:
    """Plants that answer on lines which somebody else opens.

    Parameters
    ----------
    plants : sequence of Plant
        The site's own, then those of its neighbours: a unit of the line each.
    options : Options
    say : callable
        Takes a line of text to the user, from any thread.
    unit_ids : sequence of (int, int)
        Ids of the units, now and after a power cycle; those of the sites and the options unless given.

    Attributes
    ----------
    plants, options
        As given.
    begins_utc_s : int
        Where the first plant stood.
    goes_on : bool
        Whether the plants are not as their sites begin them, even if no time has gone by.
    clock : WallClock or SteppedClock
        Of all plants; begins to go with the first `Live.start`.
    units : tuple of Unit
        In the order of the plants.
    refusals : Refusals
        Writes that the units refused.
    rounds : Rounds
        Requests of all lines, counted.
    faults : Faults
        Of all lines.
    lines : tuple of FaultyLine
        For each link, what its faults have done.
    answers : tuple of Answer
        For each link, what is to leave for a request.
    pace : Pace or None
        How fast bytes leave.
    half_duplex : bool
        Whether what comes while a reply leaves is lost.
    at_end : callable
        Called where a request has moved the plants to the end of the run, before it is answered as the last one.
    judging : callable or None
        Says whether a condition of scenarios holds for a unit now, and by how much.
    listening : callable
        Told of each request and what leaves for it, in the thread of its line; the plants are where it was answered.

    Raises
    ------
    MapError
        The map can't be used.
    ProblemsError
        The site's line, or the options beside it, make no sense.
    """

    def __init__(
        self,
        plants: Sequence[Plant],
        options: Options,
        say: Callable[[str], None],
        unit_ids: Sequence[tuple[int, int]] = (),
    ) -> None:
        self.plants = tuple(plants)
        self.options = options
        self.begins_utc_s = plants[0].t_utc_s
        self.goes_on = bool(unit_ids) or any(plant.t_utc_s > plant.start_utc_s for plant in plants)
        self.clock = (
            WallClock(self.begins_utc_s, options.speed)
            if options.polled_s is None
            else SteppedClock(self.begins_utc_s)
        )
        self.refusals = Refusals(say)
        self.units = units_of(plants, self.clock, options, say, unit_ids, self.refusals.note)
        for warning in twins(self.units):
            say(warning)
        self._answer = answer_of(self.units, say)
        self.rounds = Rounds()
        self.at_end: Callable[[], None] = lambda: None
        self.judging: Callable[[str, Unit], tuple[bool, str]] | None = None
        self.listening: Callable[[Request, bytes | Transmission | None], None] = lambda *_: None
        self._order = threading.RLock()  # of what comes in on several lines, where it matters
        self.faults = _first_faults(plants[0], options)
        line = plants[0].site.line
        self.pace = options.pace or (parse_pace(line.pace) if line.pace else None)
        self.half_duplex = options.half_duplex or line.half_duplex
        if self.half_duplex and not (self.pace and self.pace.byte_s):
            why = "needs a baud rate, e.g. --pace 9600: without one a reply takes no time"
            raise ProblemsError([Problem("--half-duplex", 0, "", why)])
        self.lines = tuple(
            FaultyLine(
                self.faults,
                number,
                self._answer,
                lambda: self.units[0].live.snapshot().t_utc_s,
                over_tcp=isinstance(link, ModbusTcpEndpoint),
            )
            for number, link in enumerate(options.links)
        )
        self.answers = tuple(map(self._answer_on, self.lines))

    def do(self, command: str) -> str:
        """Do what a command says, see `tracertwin.assembly.commands`; what there is to tell.

        Raises
        ------
        ValueError
            Saying what was wrong with it.
        """
        if commands.unheld(command):
            return commands.do(self, command)
        with self.held():
            try:
                return commands.do(self, command)
            finally:
                for unit in self.units:
                    unit.live.wake()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have all plants to oneself, and be the only one to whom anything is answered. May be nested."""
        with self._order, ExitStack() as held:
            for unit in self.units:
                held.enter_context(unit.live.hold())
            yield

    def times_s(self) -> list[int]:
        """Where each of the plants stands [s UTC]."""
        return [plant.t_utc_s for plant in self.plants]

    def unit_ids(self) -> list[int]:
        """The ids that are answered to."""
        return sorted({unit.tracer.unit for unit in self.units})

    def judge(self, condition: str, unit: Unit) -> tuple[bool, str]:
        """Whether a condition holds now, and by how much in words.

        Raises
        ------
        ValueError
            It is none, or nothing here can tell.
        """
        if self.judging is None:
            raise ValueError("conditions are only judged by a running serve")
        return self.judging(condition, unit)

    def end(self) -> None:
        """Have whoever waits for the plants' end go on."""
        for unit in self.units:
            unit.live.ended.set()

    def _answer_on(self, line: FaultyLine) -> Answer:
        """What answers on one of the lines: the units, and what lies between them and the master.

        Faults lie inside of the clock's step, as a device that doesn't hear a request grows older with it. Pacing is
        the last.
        """
        answer = self._counted(line.answer)
        if self.options.polled_s:
            answer = self._after_a_step(answer, self.options.polled_s)
        return answer if self.pace is None else self.pace.after(answer)

    def _counted(self, answer: Answer) -> Answer:
        """Answers that are counted; the last one of `Options.requests` ends the run."""

        def answer_and_tell(request: Request) -> bytes | Transmission | None:
            sent = answer(request)
            number = self.rounds.heard(request, sent)
            self.listening(request, sent)
            if number == self.options.requests:
                self.at_end()
                self.end()
            return sent

        return answer_and_tell

    def _after_a_step(self, answer: Answer, step_s: float) -> Answer:
        """Answers after the plants have been moved."""

        def step_and_answer(request: Request) -> bytes | Transmission | None:
            with self._order:
                self.clock.step(step_s)
                for unit in self.units:
                    unit.live.follow()
                if self.units[0].live.ended.is_set():
                    self.at_end()
                return answer(request)

        return step_and_answer


def assemble(
    plants: Sequence[Plant],
    options: Options | None = None,
    say: Callable[[str], None] = lambda _: None,
    unit_ids: Sequence[tuple[int, int]] = (),
) -> Assembly:
    """Plants and options put together; no socket, no file, no thread. See `Assembly` for what it takes and raises."""
    return Assembly(plants, options or Options(), say, unit_ids)


def _first_faults(plant: Plant, options: Options) -> Faults:
    """Those of the site, and those of the options."""
    faults = Faults(plant.seed, plant.site.location.timezone)
    for fault in (*map(parse_fault, plant.site.line.faults), *options.faults):
        faults.set(fault)
    return faults
