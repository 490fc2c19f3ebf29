"""`tracertwin serve`: a plant that keeps step with the wall clock and the lines that masters read it on.

Knows what is started, in which order, and what is told of it: by words, in a file for scripts that wait, in
counts at the end. Knows no command line.
"""

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, Self

from modbus.codec.requests import Request
from modbus.device.bus import MultidropBus
from modbus.device.model import load_model
from modbus.device.tracer import Tracer
from modbus.line.conversation import Answer, Transmission
from modbus.line.faults.striking import Faults, FaultyLine
from modbus.line.faults.text import parse_fault
from modbus.line.link import Line
from modbus.line.pacing import parse_pace
from modbus.map.registers import Difference, load_map
from plant.base.clock import SteppedClock, WallClock, iso_utc
from plant.base.problems import Problem, ProblemsError
from plant.plant import Plant
from tracertwin.assembly import commands
from tracertwin.assembly.commands import Unit
from tracertwin.assembly.live import Live
from tracertwin.assembly.options import Options
from tracertwin.files import numbered, write_whole
from tracertwin.memory.committing import StateWriter
from tracertwin.memory.file import StateFile
from tracertwin.rig.control import Control
from tracertwin.rig.stats import counts, heard, totals

if TYPE_CHECKING:
    from tracertwin.journal.entries import File, Head
    from tracertwin.journal.writing import Journal

PEERS_S: Final = 0.05  # how often to look whether the peers of all lines have gone


class Rig:
    """Plants and their lines, from `open` to `close`.

    Parameters
    ----------
    plants : sequence of Plant
        The site's own, then those of its neighbours: a unit of the line each.
    options : Options
    say : callable
        Takes a line of text to the user, from any thread.
    state : StateFile, optional
        Where they are committed to; closed at the end.
    unit_ids : sequence of (int, int)
        Ids of the units, now and after a power cycle; those of the sites and the options unless given.

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
        state: StateFile | None = None,
        unit_ids: Sequence[tuple[int, int]] = (),
    ) -> None:
        self._plants = tuple(plants)
        self._goes_on = bool(unit_ids) or any(plant.t_utc_s > plant.start_utc_s for plant in plants)
        self._options = options
        self._say = say
        begins = self._begins_s = plants[0].t_utc_s
        polled_s = options.polled_s
        self.clock = WallClock(begins, options.speed) if polled_s is None else SteppedClock(begins)
        end_s = begins + options.for_s if options.for_s else None
        self._lives = [
            Live(plant, self.clock, end_s, sample_s=60 if options.trace else 0, warn=say) for plant in plants
        ]
        units = [now for now, _ in unit_ids] or [plant.site.unit for plant in plants]
        if options.unit is not None and not unit_ids:
            units[0] = options.unit
        tracers = [
            Tracer(
                load_map(options.map_name, live.plant.site.ratings()),
                live,
                unit,
                load_model(live.plant.site.controller.model),
                warn_once=self._warn if unit == units[0] else None,
                alone=len(plants) == 1,
                new_unit=new_unit,
            )
            for live, unit, new_unit in zip(
                self._lives, units, [later for _, later in unit_ids] or units, strict=True
            )
        ]
        self.units = tuple(Unit(*pair) for pair in zip(self._lives, tracers, strict=True))
        self._tell_twins(units)
        self._answer: Answer = tracers[0].answer if len(tracers) == 1 else MultidropBus(tracers, say).answer
        self._order = threading.RLock()  # of what comes in on several lines, where it matters
        self.faults = self._first_faults()
        self._faulty: list[FaultyLine] = []  # the lines, in order
        line = plants[0].site.line
        self._pace = options.pace or (parse_pace(line.pace) if line.pace else None)
        half_duplex = options.half_duplex or line.half_duplex
        if half_duplex and not (self._pace and self._pace.byte_s):
            why = "needs a baud rate, e.g. --pace 9600: a reply without takes no time"
            raise ProblemsError([Problem("--half-duplex", 0, "", why)])
        self._journal = None if options.record is None else self._new_journal(options.record)
        self.answers = [self._answer_on(number) for number in range(len(options.links))]  # before any journal
        witnesses = [
            self._journal.witness(number, answer) if self._journal else None
            for number, answer in enumerate(self.answers)
        ]
        self._lines = [
            Line(
                at,
                witness.answer if witness else answer,
                turnaround_s=options.turnaround_s,
                # what a slow host drops would depend on the host
                stale_s=options.stale_s if polled_s is None else math.inf,
                half_duplex=half_duplex,
                log=say,
                once=options.once,
                witness=witness,
            )
            for at, answer, witness in zip(options.links, self.answers, witnesses, strict=True)
        ]
        self._memory = None if state is None else StateWriter(state, self.units, say)
        self._control = None if options.control is None else Control(options.control, self.do)
        self._began_s = monotonic()
        self._is_ready = False

    def open(self) -> Self:
        """Open the lines and say so; time stands still yet.

        Raises
        ------
        LinkError
            A link that listens can't be had. Those before it are closed again.
        ProblemsError
            The ready file or the journal can't be written.
        """
        try:
            if self._journal is not None:
                self._journal.begin(*self._written_down())
            if self._memory is not None:
                self._memory.start()
            for line in self._lines:
                line.start()
            if self._control is not None:
                self._say(f"commands are taken at {self._control.start().endpoint}")
            if self._options.ready_file is not None:
                write_whole(self._options.ready_file, "".join(f"{line.endpoint}\n" for line in self._lines))
                self._is_ready = True
        except BaseException:
            self.close()
            raise
        plant, options = self._plants[0], self._options
        names = ", ".join(plant.site.name for plant in self._plants)
        where = ", ".join(str(line.endpoint) for line in self._lines)
        self._say(
            f"{names} from {iso_utc(self._begins_s)}, seed {plant.seed}, {self._clock_words()}, "
            f"map {options.map_name}: {where}"
        )
        if self.faults.active:
            self._say(f"line faults: {', '.join(self.faults.texts())}")
        return self

    def run(self) -> None:
        """Let time begin, and wait for the end: of the plant time asked for, or of the last peer."""
        for live in self._lives:
            live.start()
        for live in self._lives:
            while not live.ended.wait(PEERS_S if self._options.once else None):
                if all(line.wait(0.0) for line in self._lines):
                    return

    def tell(self) -> None:
        """Stop the plant where it is and hand out what was asked for: trace, counts, a line of totals.

        Raises
        ------
        ProblemsError
            A file can't be written.
        Exception
            Whatever ended the plant's thread.
        """
        self._end_journal()
        for live in self._lives:
            live.stop()
        if self._options.trace is not None:
            for number, live in enumerate(self._lives):
                live.trace().write(numbered(self._options.trace, number))
        if self._options.stats is not None:
            write_whole(self._options.stats, json.dumps(self._counts(), indent=2) + "\n")
        self._say(
            f"ended at {iso_utc(self._plants[0].snapshot.t_utc_s)}: {heard([line.stats for line in self._lines])}"
        )
        for plant in self._plants:
            self._say(totals(plant))
        for live in self._lives:
            if live.error is not None:
                raise live.error

    def do(self, command: str) -> str:
        """Do what a command says, see `tracertwin.assembly.commands`; what there is to tell.

        Raises
        ------
        ValueError
            Saying what was wrong with it.
        """
        with self.held():
            if self._journal is not None:
                self._journal.command(command)
            try:
                return commands.do(self, command)
            finally:
                for live in self._lives:
                    live.wake()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Have all plants to oneself, and be the only one to whom anything is answered. May be nested."""
        with self._order, ExitStack() as held:
            for live in self._lives:
                held.enter_context(live.hold())
            yield

    def times_s(self) -> list[int]:
        """Where each of the plants stands [s UTC]."""
        return [plant.t_utc_s for plant in self._plants]

    def end(self) -> None:
        """Have `run` return."""
        for live in self._lives:
            live.ended.set()

    def close(self) -> None:
        """Stop the plant, end the lines, remove what they left in the file system."""
        self._end_journal()
        if self._control is not None:
            self._control.stop()
        for live in self._lives:
            live.stop()
        for line in self._lines:
            line.stop()
        if self._memory is not None:
            self._memory.stop()
        if self._is_ready and self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _warn(self, difference: Difference) -> None:
        self._say(
            f"{difference.address:#06x} is read as {difference.here}; a real Tracer has {difference.there} "
            "there (tracertwin registers --diff uart2 epever)"
        )

    def _answer_on(self, number: int) -> Answer:
        """What answers on one of the lines: the units, and what lies between them and the master.

        Faults lie inside of the clock's step, as a device that doesn't hear a request grows older with it. Pacing is
        the last.
        """
        faulty = FaultyLine(self.faults, number, self._answer, lambda: self._lives[0].snapshot().t_utc_s)
        self._faulty.append(faulty)
        answer: Answer = faulty.answer
        if self._options.polled_s:
            answer = self._after_a_step(answer, self._options.polled_s)
        return answer if self._pace is None else self._pace.after(answer)

    def _after_a_step(self, answer: Answer, step_s: float) -> Answer:
        """Answers after the plants have been moved."""

        def step_and_answer(request: Request) -> bytes | Transmission | None:
            with self._order:
                self.clock.step(step_s)
                for live in self._lives:
                    live.follow()
                return answer(request)

        return step_and_answer

    def _end_journal(self) -> None:
        """Before the plants are stopped: from then on a request doesn't move them."""
        if self._journal is not None:
            self._journal.end()

    def _new_journal(self, path: Path) -> "Journal":
        from tracertwin.journal.writing import Journal  # a start that records nothing doesn't wait for it

        return Journal(path, self.times_s, self.held, self._say)

    def _written_down(self) -> "tuple[Head, list[File]]":
        from tracertwin.journal.head import written_down

        options = self._options
        return written_down(
            self._plants,
            [unit.tracer.unit_ids for unit in self.units],
            options.map_name,
            self._goes_on,
            links=tuple(map(str, options.links)),
            polled_s=options.polled_s,
            for_s=options.for_s,
            speed=options.speed,
            turnaround_s=options.turnaround_s,
            stale_s=options.stale_s,
            faults=tuple(fault.text for fault in options.faults),
            pace=self._pace,
        )

    def _tell_twins(self, units: Sequence[int]) -> None:
        for unit in sorted({unit for unit in units if units.count(unit) > 1}):
            names = [plant.site.name for plant, own in zip(self._plants, units, strict=True) if own == unit]
            self._say(f"{' and '.join(names)} have the same unit id {unit}: their replies will collide")

    def _first_faults(self) -> Faults:
        """Those of the site, and those of the options."""
        plant = self._plants[0]
        faults = Faults(plant.seed, plant.site.location.timezone)
        for fault in (*map(parse_fault, plant.site.line.faults), *self._options.faults):
            faults.set(fault)
        return faults

    def _counts(self) -> dict[str, Any]:
        return {
            "sites": [plant.site.name for plant in self._plants],
            "seed": self._plants[0].seed,
            "began": iso_utc(self._begins_s),
            "ended": iso_utc(self._plants[0].snapshot.t_utc_s),
            "wall_s": round(monotonic() - self._began_s, 3),
            "lines": [
                {"link": str(line.endpoint), **counts(line.stats), "faults": dict(faulty.counts)}
                for line, faulty in zip(self._lines, self._faulty, strict=True)
            ],
        }

    def _clock_words(self) -> str:
        polled_s = self._options.polled_s
        if polled_s is None:
            return f"x{self._options.speed:g}"
        return f"{polled_s:g} s a request" if polled_s else "time moves by commands only"
