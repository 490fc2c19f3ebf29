"""`tracertwin replay`: a recorded run once more without its peers, and whether it says the same, byte for byte.

What answers is assembled as for serving, and no line is opened. Each plant is moved to where it stood, the request
is answered in the same way, and what would be sent is compared with what was.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Final, NoReturn

from modbus.codec.requests import decode_request
from modbus.line.conversation import Transmission, leaving
from modbus.line.endpoint import parse_endpoint
from modbus.line.faults.text import parse_fault
from modbus.line.pacing import Pace
from modbus.map.registers import load_map
from modbus.master.phrases import phrase, shape
from plant.base.clock import iso_utc
from plant.base.problems import Problem, ProblemsError
from plant.report.ending import unsolved
from tracertwin.assembly import commands
from tracertwin.assembly.assemble import assemble
from tracertwin.assembly.moments import told_local
from tracertwin.assembly.options import Options
from tracertwin.journal.differing import differing
from tracertwin.journal.entries import Entry, Exchange, GivenCommand, Noise, Peer, Sent, Stale
from tracertwin.journal.file import JournalFile
from tracertwin.journal.head import NUMBERS_DEPEND_ON, Parts, built_again, program, versions

SAME: Final = 0
DIFFERENT: Final = 1


@dataclass(slots=True)
class Outcome:
    """What came of a replay."""

    entries: int = 0
    functions: Counter[int] = field(default_factory=Counter)  # of the requests
    commands: int = 0
    stale: int = 0
    junk_bytes: int = 0
    connects: int = 0
    differences: int = 0  # replies
    differing_commands: int = 0
    first: list[str] = field(default_factory=list)  # the first difference, in words
    last_utc_s: int = 0

    @property
    def requests(self) -> int:
        return sum(self.functions.values())


class Replay:
    """An assembly that lives through a journal.

    Parameters
    ----------
    journal : JournalFile
    parts : Parts
        From `tracertwin.journal.head.built_again`.
    """

    def __init__(self, journal: JournalFile, parts: Parts) -> None:
        head = journal.head
        self._journal = journal
        self._map = load_map(parts.map_name, parts.plants[0].site.ratings())
        self._by_wall = head.polled_s is None  # then only the stamps know where the plants stood
        self._assembly = assemble(
            parts.plants,
            Options(
                links=[parse_endpoint(link) for link in head.links],  # nobody opens them
                map_name=parts.map_name,
                polled_s=0.0 if self._by_wall else head.polled_s,
                for_s=head.for_s,
                faults=[parse_fault(fault) for fault in head.faults],
                pace=None if head.pace is None else Pace(*head.pace),
            ),
            unit_ids=parts.unit_ids,
        )
        self.outcome = Outcome(last_utc_s=parts.plants[0].t_utc_s)

    def run(self) -> Outcome:
        """Live through all entries.

        Raises
        ------
        ProblemsError
            If one of them can't be.
        """
        for line_number, entry in self._journal.entries():
            self._count(entry)
            self._live_through(line_number, entry)
        return self.outcome

    def _count(self, entry: Entry) -> None:
        outcome = self.outcome
        outcome.entries += 1
        outcome.last_utc_s = entry.times_s[0]
        match entry.what:
            case Exchange(request):
                outcome.functions[request[1]] += 1
            case GivenCommand():
                outcome.commands += 1
            case Stale():
                outcome.stale += 1
            case Noise(data):
                outcome.junk_bytes += len(data)
            case Peer(is_there):
                outcome.connects += is_there

    def _live_through(self, line_number: int, entry: Entry) -> None:
        if isinstance(entry.what, Exchange):
            if entry.line is None or not 0 <= entry.line < len(self._assembly.answers):
                self._refuse(line_number, f"entry {entry.number}: there is no link {entry.line}")
            self._move(line_number, entry)
            sent, failure = self._answer(entry.line, entry.what)
            times_s = tuple(self._assembly.times_s())
            if (sent, failure, times_s) != (entry.what.sent, entry.what.failure, entry.times_s):
                self._differ(line_number, entry, entry.what, sent, failure, times_s)
        elif isinstance(entry.what, GivenCommand):
            self._move(line_number, entry)
            self._do(line_number, entry, entry.what)

    def _move(self, line_number: int, entry: Entry) -> None:
        """Bring each plant to where it stood; with a clock that only requests and commands move, it is there."""
        if not self._by_wall:
            return
        for unit, t_s in zip(self._assembly.units, entry.times_s, strict=True):
            with unit.live.hold():
                if t_s < unit.live.plant.t_utc_s:
                    self._refuse(line_number, f"entry {entry.number}: time can't go back to {iso_utc(t_s)}")
                unit.live.plant.advance_to(t_s)

    def _answer(self, line: int, exchange: Exchange) -> tuple[Sent, str]:
        try:
            return self._assembly.answers[line](decode_request(exchange.request)), ""
        except Exception as error:  # as in the run: a bug that is to be found again
            return None, repr(error)

    def _do(self, line_number: int, entry: Entry, given: GivenCommand) -> None:
        refused = ""
        try:
            command, _ = commands.parse(given.text)
            if command.read_only or (self._by_wall and not command.in_wall_replay):
                return
            self._assembly.do(given.text)
        except ValueError as error:
            refused = str(error)
        if given.refused is None or bool(given.refused) == bool(refused):
            return
        self.outcome.differing_commands += 1
        self.outcome.first = self.outcome.first or [
            f"entry {entry.number} (line {line_number}) at {_stamps(entry.times_s)}:",
            f"  command  {given.text}",
            f"  then     {_of_command(given.refused)}",
            f"  now      {_of_command(refused)}",
        ]

    def _differ(
        self,
        line_number: int,
        entry: Entry,
        then: Exchange,
        sent: Sent,
        failure: str,
        times_s: tuple[int, ...],
    ) -> None:
        self.outcome.differences += 1
        if self.outcome.first:
            return
        request = decode_request(then.request)
        now = Exchange(then.request, sent, 0.0, failure)
        lines = [
            f"entry {entry.number} (line {line_number}) at {_stamps(entry.times_s)}, link {entry.line}:",
            f"  asked  {then.request.hex(' ')}   {phrase(request)}",
            f"  then   {_spoken(then)}",
            f"  now    {_spoken(now)}",
        ]
        if times_s != entry.times_s:
            lines.append(f"  the plant is at {_stamps(times_s)} now")
        lines += [f"  {line}" for line in differing(self._map, request, then.frame, now.frame)]
        self.outcome.first = lines

    def _refuse(self, line_number: int, why: str) -> NoReturn:
        raise ProblemsError([Problem(str(self._journal.path), line_number, "", why)])


def _stamps(times_s: tuple[int, ...]) -> str:
    return " ".join(map(iso_utc, times_s))


def _of_command(refused: str) -> str:
    return f"refused: {refused}" if refused else "done"


def _spoken(exchange: Exchange) -> str:
    if exchange.failure:
        return f"no answer: {exchange.failure}"
    sent = exchange.sent
    left = leaving(sent)
    text = left.hex(" ") or "silence"
    if isinstance(sent, Transmission):
        bursts = [f"{burst.data.hex(' ')} after {1e3 * burst.after_s:g} ms" for burst in sent.bursts]
        said_by_device = sent.frame.hex(" ") or "nothing"
        text = f"{', then '.join(bursts) or 'silence'} (the device said {said_by_device})"
    return f"{text}   {shape(decode_request(exchange.request), left)}" if left else text


@contextmanager
def rebuilt(journal: JournalFile) -> Iterator[Parts]:
    """What the run was made from.

    Raises
    ------
    ProblemsError
        If it can't be made again.
    """
    with ExitStack() as stack:
        try:
            parts = stack.enter_context(built_again(journal.head, journal.files))
        except (ProblemsError, ValueError) as error:  # the latter: names that are none, a start off the grid
            problems = (
                error.problems if isinstance(error, ProblemsError) else [Problem("", 0, "", str(error))]
            )
            raise ProblemsError([_of_head(journal, problem) for problem in problems]) from None
        yield parts


def _of_head(journal: JournalFile, problem: Problem) -> Problem:
    return Problem(str(journal.path), 1, problem.where, problem.message)


def other_versions(journal: JournalFile) -> list[str]:
    """What was of another version when the run was recorded, and may explain a difference."""
    head, here = journal.head, versions()
    told = [f"{head.program} then, {program()} now"] if head.program != program() else []
    for name in ("python", "machine", *NUMBERS_DEPEND_ON):
        if head.versions.get(name) != here[name]:
            told.append(f"{name} {head.versions.get(name)} then, {here[name]} now")
    return told


def print_replay(path: Path, say: Callable[[str], None]) -> int:
    """Replay a journal and print how it went.

    Returns
    -------
    int
        0: every reply is the same; 1: some are not, a command is refused that was not or the other way round, or
        steps could not be solved.

    Raises
    ------
    ProblemsError
        It can't be replayed.
    """
    journal = JournalFile(path)
    for text in other_versions(journal):
        say(f"warning: {text}")
    began_s = perf_counter()
    with rebuilt(journal) as parts:
        print(about(journal, parts))
        from_s = parts.plants[0].t_utc_s
        outcome = Replay(journal, parts).run()
    if journal.cut_line:
        say(f"{path}:{journal.cut_line}: the last line is cut short and was ignored")
    elif not journal.is_ended:
        say(f"{path}: the run was killed, or its journal could no longer be written")
    print(_heard(outcome, outcome.last_utc_s - from_s, perf_counter() - began_s))
    bad = list(unsolved(parts.plants))
    for line in bad:
        print(line)
    if not outcome.first:
        print(f"same: all {outcome.requests} replies, byte for byte")
        return DIFFERENT if bad else SAME
    of_commands = f" and {outcome.differing_commands} of {outcome.commands} commands"
    print(
        f"different: {outcome.differences} of {outcome.requests} replies"
        f"{of_commands if outcome.differing_commands else ''}; the first is",
        *outcome.first,
        sep="\n",
    )
    return DIFFERENT


def about(journal: JournalFile, parts: Parts) -> str:
    """A line on what was recorded."""
    head = journal.head
    names = ", ".join(plant.site.name for plant in parts.plants)
    if head.polled_s is None:
        clock = f"x{head.speed:g}"
    else:
        clock = f"{head.polled_s:g} s per request" if head.polled_s else "stepped by commands"
    begins = told_local(parts.plants[0].t_utc_s, parts.plants[0].site.location.timezone)
    return (
        f"{names} from {begins}, seed {head.seed}, {clock}, {Path(head.map).stem}, on {', '.join(head.links)}; "
        f"recorded {head.began} by {head.program}"
    )


def _heard(outcome: Outcome, plant_s: float, took_s: float) -> str:
    functions = ", ".join(
        f"{count} x FC {function:02X}" for function, count in sorted(outcome.functions.items())
    )

    def counted(count: int, noun: str) -> str:
        return f"{count} {noun}{'s' * (count != 1)}"

    hours, minutes = divmod(math.floor(plant_s / 60), 60)
    return (
        f"{outcome.entries} entries: {counted(outcome.requests, 'request')} ({functions or 'none'}), "
        f"{counted(outcome.commands, 'command')}, {outcome.stale} stale, "
        f"{counted(outcome.junk_bytes, 'junk byte')}, {counted(outcome.connects, 'connection')}; "
        f"{hours} h {minutes:02d} min of plant time in {took_s:.1f} s"
    )
