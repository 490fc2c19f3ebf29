"""`tracertwin serve`: a plant that keeps step with the wall clock and the lines that masters read it on.

Knows what is started, in which order, and what is told of it: by words, in a file for scripts that wait, in
counts at the end. Knows no command line.
"""

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import count, repeat
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from modbus.line.endpoint import Endpoint, ModbusTcpEndpoint
from modbus.line.link import Line
from modbus.line.tcpserver import ModbusTcpServer
from plant.base.clock import iso_utc
from plant.plant import Plant
from tracertwin.assembly import commands
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.moments import told_local
from tracertwin.assembly.options import Options
from tracertwin.assembly.units import Unit
from tracertwin.files import numbered, write_whole
from tracertwin.memory.committing import StateWriter
from tracertwin.memory.file import StateFile
from tracertwin.rig.control import Control
from tracertwin.rig.jumping import in_full
from tracertwin.rig.stats import counts, heard, totals

if TYPE_CHECKING:
    from tracertwin.journal.writing import Journal, LineWitness

LAST_REPLY_S: Final = 0.2  # to wait for the reply that a line is about to send at the end
PEERS_S: Final = 0.05  # how often to look whether the peers of all lines have gone
MOST_DONE: Final = 10_000  # commands that are remembered
MOST_FINDINGS: Final = 20  # of each line
MOST_HEARD: Final = 4000  # requests and other entries that a page can show


class Done(NamedTuple):
    """A command that was carried out: when by the plant's time, what came of it, its entry in the journal."""

    t_utc_s: int
    text: str
    answer: str
    entry: int = 0


def line_on(endpoint: Endpoint, *answer: Any, **options: Any) -> Line | ModbusTcpServer:
    """What serves a link; it takes the same, whatever is spoken there."""
    if isinstance(endpoint, ModbusTcpEndpoint):
        return ModbusTcpServer(endpoint, *answer, **options)
    return Line(endpoint, *answer, **options)


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

    Attributes
    ----------
    assembly : Assembly
        What answers on the lines.
    lines : tuple of Line or ModbusTcpServer
        One for each link.
    answers : tuple of Answer
        What leaves on each of them for a request; written down where the run is recorded.
    done : deque of Done
        Commands that were carried out, the newest of them.
    findings : tuple of deque of str
        For each link, what was said of it last.
    journal : Journal or None
    witnesses : tuple of LineWitness
        Of each line that is recorded.
    state : StateWriter or None

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
        self.assembly = assemble(plants, options, say, unit_ids)
        self._options = options
        self._say = say
        self.journal = self._new_journal() if options.record is not None or options.web is not None else None
        self.done: deque[Done] = deque(maxlen=MOST_DONE)
        self.witnesses: tuple[LineWitness, ...] = ()
        self.answers = self.assembly.answers
        if self.journal is not None:
            struck = [partial(getattr, line, "struck") for line in self.assembly.lines]
            self.witnesses = tuple(map(self.journal.witness, count(), self.answers, struck))
            self.answers = tuple(witness.answer for witness in self.witnesses)
        self.findings: tuple[deque[str], ...] = tuple(deque(maxlen=MOST_FINDINGS) for _ in options.links)
        self.lines: tuple[Line | ModbusTcpServer, ...] = tuple(
            line_on(
                at,
                answer,
                turnaround_s=options.turnaround_s,
                # what a slow host drops would depend on the host
                stale_s=options.stale_s if options.polled_s is None else math.inf,
                half_duplex=self.assembly.half_duplex,
                log=partial(self._found, number),
                once=options.once,
                witness=witness,
                units=self.assembly.unit_ids,
            )
            for number, (at, answer, witness) in enumerate(
                zip(
                    options.links,
                    self.answers,
                    self.witnesses or repeat(None, len(options.links)),
                    strict=True,
                )
            )
        )
        self.assembly.judging = self._judged
        self.assembly.at_end = self._finish_lines  # so that as many are answered in every run
        self.state = None if state is None else StateWriter(state, self.assembly.units, say)
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
            if self.journal is not None:
                from tracertwin.journal.head import written_down  # as below

                self.journal.begin(*written_down(self.assembly))
            if self.state is not None:
                self.state.start()
            for line in self.lines:
                line.start()
            if self._control is not None:
                self._say(f"commands are accepted on {self._control.start().endpoint}")
            if self._options.ready_file is not None:
                write_whole(self._options.ready_file, "".join(f"{line.endpoint}\n" for line in self.lines))
                self._is_ready = True
        except BaseException:
            self.close()
            raise
        plant, options = self.assembly.plants[0], self._options
        names = ", ".join(plant.site.name for plant in self.assembly.plants)
        where = ", ".join(str(line.endpoint) for line in self.lines)
        self._say(
            f"{names} from {self._local(self.assembly.begins_utc_s)}, seed {plant.seed}, {self._clock_words()}, "
            f"map {options.map_name}: {where}"
        )
        if self.assembly.faults.active:
            self._say(f"line faults: {', '.join(self.assembly.faults.echoes())}")
            if any(isinstance(at, ModbusTcpEndpoint) for at in options.links) and (wires := self._of_wires()):
                self._say(f"not on modbus-tcp links, which have neither wires nor a CRC: {', '.join(wires)}")
        return self

    def run(self) -> None:
        """Let time begin, and wait for the end: of the plant time asked for, or of the last peer."""
        for unit in self.assembly.units:
            unit.live.start()
        for unit in self.assembly.units:
            while not unit.live.ended.wait(PEERS_S if self._options.once else None):
                if all(line.wait(0.0) for line in self.lines):
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
        self._finish_lines()
        for line in self.lines:
            line.wait(LAST_REPLY_S)  # it is counted once it has left
        self._end_journal()
        for unit in self.assembly.units:
            unit.live.stop()
        try:
            self._write_files()
        finally:  # what there is to say of the run isn't lost with a file
            ended_utc_s = self.assembly.plants[0].snapshot.t_utc_s
            self._say(f"ended at {self._local(ended_utc_s)}: {heard([line.stats for line in self.lines])}")
            for plant in self.assembly.plants:
                self._say(totals(plant))
        for unit in self.assembly.units:
            unit.live.raise_error()

    def do(self, command: str) -> str:
        """Do what a command says, see `tracertwin.assembly.commands`; what there is to tell.

        Raises
        ------
        ValueError
            Saying what was wrong with it.
        """
        if commands.unheld(command):
            return self.assembly.do(command)
        with self.assembly.held():
            plant = self.assembly.plants[0]
            t_utc_s = plant.t_utc_s
            command = in_full(command, plant, self.assembly.begins_utc_s, self.assembly.clock.now_s())
            with self._written_down(command):
                answer = self.assembly.do(command)
            self.done.append(Done(t_utc_s, command, answer, self.journal.number if self.journal else 0))
            return answer

    def _written_down(self, command: str) -> AbstractContextManager[None]:
        if self.journal is None or commands.only_looks(command):
            return nullcontext()
        return self.journal.command(command)

    def end(self) -> None:
        """Have `run` return."""
        self.assembly.end()

    def close(self) -> None:
        """Stop the plant, end the lines, remove what they left in the file system."""
        self._end_journal()
        if self._control is not None:
            self._control.stop()
        for unit in self.assembly.units:
            unit.live.stop()
        for line in self.lines:
            line.stop()
        if self.state is not None:
            self.state.stop()
        if self._is_ready and self._options.ready_file is not None:
            self._options.ready_file.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _judged(self, condition: str, unit: Unit) -> tuple[bool, str]:
        # here, so that a start doesn't wait for the language of scenarios
        from tracertwin.checking.columns import judged_now

        return judged_now(condition, unit, self._options.map_name)

    def _found(self, number: int, text: str) -> None:
        """Something was found out about a line."""
        self.findings[number].append(text.removeprefix(f"{self.lines[number].endpoint}: "))
        self._say(text)

    def _finish_lines(self) -> None:
        for line in self.lines:
            line.finish()

    def _end_journal(self) -> None:
        """Before the plants are stopped: from then on a request doesn't move them."""
        if self.journal is not None:
            self.journal.end()

    def _new_journal(self) -> "Journal":
        from tracertwin.journal.writing import Journal  # a start that records nothing doesn't wait for it

        path = self._options.record
        # What is only looked at needn't be stamped to the step: no reply waits for the plant then.
        hold = nullcontext if path is None else self.assembly.held
        kept = 0 if self._options.web is None else MOST_HEARD
        return Journal(path, self.assembly.times_s, hold, self._say, self.assembly.refusals.taken, kept)

    def _write_files(self) -> None:
        """Counts and trace, each also where the other can't be written."""
        try:
            if self._options.stats is not None:
                write_whole(self._options.stats, json.dumps(self._counts(), indent=2) + "\n")
        finally:
            if self._options.trace is not None:
                for number, unit in enumerate(self.assembly.units):
                    unit.live.trace().write(numbered(self._options.trace, number))

    def _counts(self) -> dict[str, Any]:
        return {
            "sites": [plant.site.name for plant in self.assembly.plants],
            "seed": self.assembly.plants[0].seed,
            "began": iso_utc(self.assembly.begins_utc_s),
            "ended": iso_utc(self.assembly.plants[0].snapshot.t_utc_s),
            "wall_s": round(monotonic() - self._began_s, 3),
            "lines": [
                {"link": str(line.endpoint), **counts(line.stats), "faults": dict(faulty.counts)}
                for line, faulty in zip(self.lines, self.assembly.lines, strict=True)
            ],
            "refusals": self.assembly.refusals.rows(),
        }

    def _of_wires(self) -> list[str]:
        """The faults that don't strike on Modbus/TCP."""
        return [one.fault.row.name for one in self.assembly.faults.active if not one.fault.row.over_tcp]

    def _local(self, t_utc_s: float) -> str:
        return told_local(t_utc_s, self.assembly.plants[0].site.location.timezone)

    def _clock_words(self) -> str:
        polled_s = self._options.polled_s
        if polled_s is None:
            return f"x{self._options.speed:g}"
        return f"{polled_s:g} s per request" if polled_s else "stepped by commands"
