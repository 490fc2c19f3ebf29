"""A simulated Tracer in the hands of a test: it moves plant time, breaks things, reads, and judges what came of it."""

import dataclasses
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from modbus.codec.functions import TABLE_READ
from modbus.codec.requests import Request
from modbus.line.conversation import Transmission
from modbus.line.endpoint import PtyEndpoint, TcpEndpoint, UnixEndpoint
from modbus.master.assignments import Assignment, assignment
from plant.base.clock import STEP_S, WallClock, parse_duration_s, to_local
from plant.inputs import Supply
from plant.kernel.snapshot import Snapshot
from plant.plant import Plant
from plant.remembered import Remembered
from tracertwin.assembly.options import Options
from tracertwin.assembly.settingshistory import SettingsHistory
from tracertwin.checking.columns import PlantColumns, record_of_now
from tracertwin.checking.overhearing import Overheard
from tracertwin.checking.preparing import Prepared
from tracertwin.rig.serving import Rig
from tracertwin.scenario.actions import assignments
from tracertwin.scenario.conditions import parse_condition
from tracertwin.scenario.judging import Verdict, judge, parse_one_expectation
from tracertwin.scenario.record import AskedFor, RunRecord, clock_of
from tracertwin.scenario.signals import values_of
from tracertwin.scenario.times import Moment, Span, parse_moment
from tracertwin.testing.ownrequests import OwnRequests
from tracertwin.testing.savepoints import Past, SavePoint, beside
from tracertwin.testing.scouting import scouted
from tracertwin.testing.tellings import condition_of, expectation_of

FINE_S: Final = 2 * 86400  # of a run that is sampled every 5 s; the rest every minute


class SimulatedTracer:
    """A plant, its Tracer and an open line.

    Parameters
    ----------
    plants : sequence of Plant
        The site's own first.
    options : Options
        With one link.
    prepared : Prepared
        What the run begins with.
    sample_s : int, optional
        Time between the samples that are judged; 5 s for two days, then a minute, unless given.
    samples : sequence of arrays
        Of the run before.
    past : (list, list)
        Settings with their times, and requests, of the run before.

    Attributes
    ----------
    journal : Path or None
        What `tracertwin replay` repeats.
    log : list of str
        What `tracertwin serve` would have said.
    forks : list of SimulatedTracer
        Made from here; closed with it.
    """

    def __init__(
        self,
        plants: Sequence[Plant],
        options: Options,
        prepared: Prepared,
        sample_s: int | None = None,
        samples: Sequence[np.ndarray] = (),
        past: Past | None = None,
    ) -> None:
        self.journal: Path | None = options.record
        self.log: list[str] = []
        self.forks: list[SimulatedTracer] = []
        self._prepared, self._options, self._sample_s = prepared, options, sample_s
        self._words = prepared.scenario.words
        self._rig = Rig(plants, options, self.log.append)
        self._assembly = self._rig.assembly
        self._unit = self._assembly.units[0]
        self._live = self._unit.live
        self._live.sample_s = sample_s or STEP_S
        begin = np.array([self._live.snapshot()], dtype=float)
        self._before = list(samples) or [begin]
        settings, asked = past or ([(begin[0, 0], self._live.plant.settings)], [])
        self._settings = SettingsHistory(settings)
        self._overheard = Overheard(prepared.register_map, self._assembly.clock.now_s)
        self._overheard.asked += asked
        self._assembly.listening = self._listen
        self._own = OwnRequests(self._rig.answers[0], self._assembly.held, self._assembly.refusals)
        self._rig.open()
        for unit in self._assembly.units:
            unit.live.start()

    # Where it is

    @property
    def link(self) -> str:
        """Where it is, as `tracertwin serve` writes it."""
        return str(self._rig.lines[0].endpoint)

    @property
    def host(self) -> str:
        """Of its TCP port."""
        return self._tcp().host

    @property
    def port(self) -> int:
        """Its TCP port."""
        return self._tcp().port

    @property
    def path(self) -> str:
        """Of its pty or unix socket."""
        endpoint = self._rig.lines[0].endpoint
        if not isinstance(endpoint, PtyEndpoint | UnixEndpoint):
            raise AttributeError(f"{endpoint} has no path; ask for link='pty' or link='unix'")
        return endpoint.path

    def _tcp(self) -> TcpEndpoint:
        endpoint = self._rig.lines[0].endpoint
        if not hasattr(endpoint, "port"):
            raise AttributeError(f"{endpoint} has no port; it has a path")
        return endpoint  # type: ignore[return-value]

    # Time

    @property
    def now(self) -> datetime:
        """The site's civil time."""
        return to_local(self.snapshot.t_utc_s, self._span().timezone)

    def advance(self, time: str) -> Snapshot:
        """Let plant time go by: ``2h``, ``10min``, ``3d``."""
        self._move_to(self._assembly.clock.now_s() + parse_duration_s(f"{time}"))
        return self.snapshot

    def at(self, time: str) -> Snapshot:
        """Go on to a time as in scenarios, the next such one: ``14:30``, ``sunset-30min``, ``day 3 noon``."""
        moment, now_s = parse_moment(time), self._assembly.clock.now_s()
        to_s = moment.utc_s(self._span_for(moment, now_s))
        if to_s < now_s:
            raise ValueError(f"{time} is past: it is now {clock_of(now_s, self._span())}")
        self._move_to(to_s)
        return self.snapshot

    def until(self, condition: str = "", *, within: str = "1d", **equal: Any) -> Snapshot:
        """Go on to the first grid point at which a condition holds: ``until(stage="float")``, ``until("soc >= 90 %")``.

        Raises
        ------
        AssertionError
            It doesn't come within the plant time.
        """
        if isinstance(self._assembly.clock, WallClock):
            raise ValueError("a wall clock goes on by itself; until is for clock stepped or polled")
        wanted = parse_condition(condition_of(condition, equal, self._words), self._words)
        with self._assembly.held():
            found_s, best = scouted(self._unit, wanted, parse_duration_s(within), self._span())
            if found_s is None:
                begun = clock_of(self.snapshot.t_utc_s, self._span())
                raise AssertionError(f"{wanted.text} did not come within {within} from {begun} on{best}")
            self._move_to(found_s)
        return self.snapshot

    def _move_to(self, to_s: float) -> None:
        """Through the commands that a journal keeps; samples get sparser after two days."""
        change_s = float(self._before[0][0, 0]) + FINE_S
        for until_s in (change_s, to_s):
            seconds = min(until_s, to_s) - self._assembly.clock.now_s()
            if seconds > 0.0:
                self._do(f"step {seconds!r}")
            if self._sample_s is None and self._assembly.clock.now_s() >= change_s:
                self._live.sample_s = 60

    # What it shows

    @property
    def snapshot(self) -> Snapshot:
        """All quantities of the plant at its last grid point."""
        return self._live.snapshot()

    @property
    def stage(self) -> str:
        """The charge stage as a word."""
        return self._stage_of(self.snapshot)

    def _stage_of(self, snapshot: Snapshot) -> str:
        codes = self._words.quantities["stage"].codes
        return next(word for word, code in codes.items() if code == int(snapshot.stage))

    def read(self, what: str | int) -> float:
        """What the device shows now: a register by name, address or bits, ``0x3201.D3-2``; or a quantity.

        Asked of the device itself: line faults don't strike, and a polled clock stands still.
        """
        self._raise_error()
        subject = self._words.subject(f"0x{what:04X}" if isinstance(what, int) else what)
        return float(values_of(subject, record_of_now(self._unit))[0])

    @property
    def polls(self) -> list[AskedFor]:
        """Every request of the client so far, with its time and what came of it."""
        return list(self._overheard.asked)

    def polled(self, within: str = "10s") -> None:
        """Wait, in real time, until the client has read all its registers once more.

        Raises
        ------
        AssertionError
            It doesn't within that time.
        """
        try:
            self._rig.do(f"wait polled within={within}")
        except ValueError as error:
            raise AssertionError(str(error)) from None

    # What is done to it

    def write(self, *texts: str, **values: Any) -> None:
        """Write settings, coils or the clock as a client does: ``write("boost_voltage=14.4V")``, ``write(load=1)``.

        Raises
        ------
        AssertionError
            The device didn't take it.
        """
        given = [*texts, *(f"{name}={value}" for name, value in values.items())]
        assignments(given, self._words)
        register_map = self._prepared.register_map.published
        self.write_settings([assignment(text, register_map, self.now) for text in given])

    def write_settings(self, writes: Sequence[Assignment]) -> None:
        """Write what was looked at before; see `write`."""
        self._own.write(writes, self._prepared.register_map.published, self._unit.tracer.unit)

    def inject(self, name: str, **values: Any) -> int:
        """Break something: ``inject("load_short", ohm=0.05, lasts="10min")``; the number that `mend` takes."""
        text = ":".join([name, *(f"{key}={value}" for key, value in values.items())])
        return int(self._do(f"upset {text}").removeprefix("mend "))

    def mend(self, which: int | str = "all") -> None:
        """Repair what `inject` broke: by its number, by the upset's name, the second of it, ``cloud 2``, or all."""
        self._do(f"mend {which}")

    def line(self, fault: str, probability: float | None = None, **values: Any) -> None:
        """Set a line fault, ``line("drop", 0.1)``, or end it: ``line("off")``, ``line("off drop")``."""
        parts = [fault, *([] if probability is None else [f"{probability:g}"])]
        self._do("fault " + ":".join([*parts, *(f"{key}={value}" for key, value in values.items())]))

    def power_cycle(self) -> None:
        """Cut the controller's power for a moment."""
        self._do("power-cycle")

    def tell(self, command: str) -> str:
        """Any other command of `tracertwin tell`."""
        return self._do(command)

    def _do(self, command: str) -> str:
        told = self._rig.do(command)
        self._raise_error()
        self._note_settings()
        return told

    def _raise_error(self) -> None:
        """Raise what ended a plant's thread: a plant that stands still for a bug must not pass a test."""
        for unit in self._assembly.units:
            unit.live.raise_error()

    # What is judged

    def expect(self, condition: str = "", /, **keys: Any) -> Verdict:
        """Judge an expectation on the run so far, in the words of scenarios; a condition alone has to hold now.

        ``expect("v_batt_v <= 14.6 V")``, ``expect(always="v_batt_v <= 14.6 V")``,
        ``expect("stage = float", by="sunset")``, ``expect(never_writes=0x9000)``; ``from_`` stands for ``from``.

        Returns
        -------
        Verdict
            With its margin.

        Raises
        ------
        AssertionError
            It doesn't hold; says by how much.
        """
        expectation = parse_one_expectation(expectation_of(condition, keys), self._words)
        record = self.record()
        verdict = judge(expectation, record)
        if verdict.fails:
            raise AssertionError(f"{expectation.text}: {verdict.words(record.span)}")
        return verdict

    def record(self) -> RunRecord:
        """What is judged: samples up to now, and what the client asked."""
        self._raise_error()
        with self._assembly.held():
            now = np.array([self.snapshot], dtype=float)
            parts = self.samples()
            rows = np.concatenate(parts if parts[-1][-1, 0] >= now[0, 0] else [*parts, now])
            columns = PlantColumns(rows, self._settings.at, self._unit, dict(self._overheard.heard))
            return RunRecord(rows[:, 0], columns, self._span(), tuple(self._overheard.asked))

    def samples(self) -> list[np.ndarray]:
        """The samples so far, in parts."""
        rows = self._live.trace().rows
        return [*self._before, rows] if len(rows) else list(self._before)

    def past(self) -> Past:
        """Settings with their times, and requests so far."""
        return self._settings.rows(), self.polls

    def _span(self) -> Span:
        span = self._prepared.span
        return Span(span.start_utc_s, self.snapshot.t_utc_s, span.timezone, span.sun)

    def _span_for(self, moment: Moment, now_s: float) -> Span:
        """The run, or from now on for a time of the clock or sun without a day: the next one is meant."""
        span = self._span()
        if moment.day is None and moment.anchor in ("clock", "sunrise", "noon", "sunset"):
            return Span(now_s, now_s, span.timezone, span.sun)
        return span

    def _listen(self, request: Request, sent: bytes | Transmission | None) -> None:
        if not self._own.are_asked:
            self._overheard.listen(request, sent)
        if request.function not in TABLE_READ:
            self._note_settings()

    def _note_settings(self) -> None:
        self._settings.note(self._live.plant.t_utc_s, self._live.plant.settings)

    # Branches

    def save(self) -> "SavePoint[SimulatedTracer]":
        """Remember this moment; `SavePoint.fork` goes on from it as often as you like."""
        with self._assembly.held():
            plants = [plant.remembered() for plant in self._assembly.plants]
            return SavePoint(plants, self.samples(), self.past(), self._forked)

    def fork(self, **line: Any) -> "SimulatedTracer":
        """Another Tracer that goes on from here: ``save().fork()``."""
        return self.save().fork(**line)

    def _forked(
        self,
        plants: Sequence[Remembered],
        samples: Sequence[np.ndarray],
        past: Past,
        **line: Any,
    ) -> "SimulatedTracer":
        """A Tracer that goes on from what was remembered; see `SavePoint.fork`."""
        number = len(self.forks) + 1
        options = dataclasses.replace(
            self._options,
            links=[beside(self._options.links[0], number)],
            record=None
            if self.journal is None
            else self.journal.with_name(f"{self.journal.stem}-{number}.jsonl"),
            **line,
        )
        sites = [plant.site for plant in self._assembly.plants]
        others = [
            Plant(site, then, Supply(site, then.seed, then.step_s))
            for site, then in zip(sites, plants, strict=True)
        ]
        fork = SimulatedTracer(others, options, self._prepared, self._sample_s, samples, past)
        self.forks.append(fork)
        return fork

    def close(self) -> None:
        """End the line, and those of all forks.

        Raises
        ------
        Exception
            What ended a plant's thread, if a bug did.
        """
        with ExitStack() as ending:  # last in, first out, whatever one of them raises
            ending.callback(self._raise_error)
            ending.callback(self._rig.close)
            for fork in self.forks:
                ending.callback(fork.close)
