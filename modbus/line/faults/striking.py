"""Line faults at work: which are set, whether one strikes at a request, how long it goes on.

Chance depends on the run's seed, the number of the line, the number of the request on that line and the fault's own
name, on nothing else: other faults beside it, another line's master and the wall's time change nothing. Time is the
plant's.
"""

import itertools
import threading
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from modbus.codec.requests import Request
from modbus.line.conversation import Answer, Burst, Transmission
from modbus.line.faults.kinds import FAULTS, Leaving
from modbus.line.faults.text import Fault, parse_fault
from plant.base.chance import RandomStream, generator
from plant.base.problems import did_you_mean

PLACES: Final = {name: place for place, name in enumerate(FAULTS)}  # in which order a reply meets them
MOST_SET: Final = 100


class Active(NamedTuple):
    """A fault that is set."""

    fault: Fault
    twin: int  # index among the faults of that name, from 0
    serial: int  # never another's in this run


class Faults:
    """The faults of a run, on all its lines; may be changed from any thread.

    Parameters
    ----------
    seed : int
        The run's.
    timezone : str
        In which windows are meant.
    """

    def __init__(self, seed: int, timezone: str) -> None:
        self.seed = seed
        self.timezone = timezone
        self.active: tuple[Active, ...] = ()  # replaced as a whole; in the order in which a reply meets them
        self._lines: list[FaultyLine] = []
        self._lock = threading.Lock()
        self._serials = itertools.count()

    def set(self, fault: Fault | str) -> None:
        """Have a fault strike from the next request on, beside those that are set.

        Raises
        ------
        ValueError
            There is no such fault, or there are too many.
        """
        fault = parse_fault(fault) if isinstance(fault, str) else fault
        with self._lock:
            if len(self.active) >= MOST_SET:  # only then: what is forgotten leaves its place to the next twin
                self.active = tuple(one for one in self.active if not self._is_spent(one))
            if len(self.active) >= MOST_SET:
                raise ValueError(f"{MOST_SET} faults are set already; clear some")
            taken = {other.twin for other in self.active if other.fault.row is fault.row}
            twin = next(number for number in itertools.count() if number not in taken)
            added = (*self.active, Active(fault, twin, next(self._serials)))
            self.active = tuple(sorted(added, key=lambda a: (PLACES[a.fault.row.name], a.twin)))

    def clear(self, name: str = "all") -> int:
        """End the faults of a name, or all; how many there were.

        Raises
        ------
        ValueError
            There is no fault of that name.
        """
        if name != "all" and name not in FAULTS:
            raise ValueError(
                f"unknown line fault {name!r}{did_you_mean(name, [*FAULTS, 'all'])}; write its name, or all"
            )
        with self._lock:
            left = tuple(a for a in self.active if name not in ("all", a.fault.row.name))
            ended = len(self.active) - len(left)
            self.active = left
        return ended

    def texts(self) -> tuple[str, ...]:
        """Those that may still strike, as they were written, in the order in which a reply meets them."""
        return tuple(one.fault.text for one in self.active if not self._is_spent(one))

    def echoes(self) -> tuple[str, ...]:
        """The same with how often each strikes, for people: a probability that was left out is 1."""
        left = [one.fault for one in self.active if not self._is_spent(one)]
        return tuple(f"{fault.text} ({fault.how_often})" for fault in left)

    def strikes_on(self, line: "FaultyLine") -> None:
        """Have a line be one of theirs."""
        self._lines.append(line)

    def _is_spent(self, one: Active) -> bool:
        """Whether a fault has used up its times, or outlived its window, on every line on which it strikes."""
        lines = [line for line in self._lines if line.meets(one.fault)]
        return bool(lines) and all(line.has_spent(one) for line in lines)


class FaultyLine:
    """One line with the faults of a run.

    Parameters
    ----------
    faults : Faults
    number : int
        Of the line, from 0.
    answer : callable
        What answers where nothing is wrong.
    now_s : callable
        Gives the plant's time [s UTC].
    over_tcp : bool
        Whether it is a link of Modbus/TCP: faults of wires and check sums don't strike there.
    """

    def __init__(
        self,
        faults: Faults,
        number: int,
        answer: Answer,
        now_s: Callable[[], float],
        over_tcp: bool = False,
    ) -> None:
        self._over_tcp = over_tcp
        self.counts: dict[str, int] = {}  # how often each fault struck
        self.struck: tuple[str, ...] = ()  # those that did at the last request
        self._faults = faults
        self._number = number
        self._answer = answer
        self._now_s = now_s
        self._heard = 0  # requests
        self._kept = b""
        self._known: tuple[Active, ...] = ()
        self._episodes: dict[int, tuple[float, int]] = {}  # serial -> until [s], requests left
        self._begun: dict[int, int] = {}  # serial -> how many of them there were
        faults.strikes_on(self)

    def meets(self, fault: Fault) -> bool:
        """Whether a fault strikes on such a line."""
        return fault.row.over_tcp or not self._over_tcp

    def has_spent(self, one: Active) -> bool:
        """Whether a fault has struck here as often as it may, and no longer goes on; or its window is past."""
        if one.fault.is_over(self._now_s(), self._faults.timezone):
            return True
        until_s, left = self._episodes.get(one.serial, (-np.inf, 0))
        is_over = left <= 0 and until_s <= self._now_s()
        return bool(one.fault.times) and self._begun.get(one.serial, 0) >= one.fault.times and is_over

    def answer(self, request: Request) -> bytes | Transmission | None:
        """What leaves in reply to a request."""
        number, self._heard = self._heard, self._heard + 1
        self.struck = ()
        active = self._faults.active
        if not active and not self._kept:
            return self._answer(request)
        striking = self._strike(active, number)
        deaf = any(one.fault.row.deaf for one, _ in striking)
        reply = None if deaf else self._answer(request)
        if not striking and not self._kept:
            return reply
        return self._bent(request, reply, striking)

    def _strike(self, active: tuple[Active, ...], number: int) -> list[tuple[Active, np.random.Generator]]:
        """The faults that strike at a request, each with its chance."""
        if active is not self._known:
            serials = {one.serial for one in active}
            self._episodes = {s: episode for s, episode in self._episodes.items() if s in serials}
            self._begun = {s: count for s, count in self._begun.items() if s in serials}
            self._known = active
        now_s = self._now_s() if active else 0.0
        striking = []
        for one in active:
            if not self.meets(one.fault):
                continue
            chance = self._chance(one, number)
            drawn = float(chance.random()) < one.fault.probability
            if one.fault.may_strike(now_s, self._faults.timezone) and self._goes_on(one, now_s, drawn):
                striking.append((one, chance))
        return striking

    def _chance(self, one: Active, number: int) -> np.random.Generator:
        name = zlib.crc32(one.fault.row.name.encode())
        part = name << 32 | one.twin << 16 | self._number
        return generator(self._faults.seed, RandomStream.LINE, number, part)

    def _goes_on(self, one: Active, now_s: float, drawn: bool) -> bool:
        """Whether a fault strikes: since it did before and lasts, or by chance."""
        until_s, left = self._episodes.get(one.serial, (-np.inf, 0))
        if now_s < until_s or left > 0:
            self._episodes[one.serial] = until_s, left - 1
            return True
        begun = self._begun.get(one.serial, 0)
        if not drawn or (one.fault.times and begun >= one.fault.times):
            return False
        self._begun[one.serial] = begun + 1
        if one.fault.lasts_s or one.fault.requests > 1:
            self._episodes[one.serial] = now_s + one.fault.lasts_s, one.fault.requests - 1
        return True

    def _bent(
        self,
        request: Request,
        reply: bytes | Transmission | None,
        striking: list[tuple[Active, np.random.Generator]],
    ) -> bytes | Transmission | None:
        """A reply after the faults that strike; as it was if they change nothing."""
        leaving = whole = self._leaving(request, reply)
        for one, chance in striking:
            before, row = leaving, one.fault.row
            leaving = row.act(before, chance, **one.fault.values)
            if row.deaf or leaving != before:
                self.counts[row.name] = self.counts.get(row.name, 0) + 1
                self.struck = (*self.struck, row.name)
        if leaving.kept and leaving.bursts:
            first, *rest = leaving.bursts
            joined = first._replace(data=leaving.kept + first.data)
            leaving = leaving._replace(bursts=(joined, *rest), kept=b"")
        self._kept = leaving.kept
        is_deaf = any(one.fault.row.deaf for one, _ in striking)
        return reply if leaving == whole and not is_deaf else Transmission(leaving.frame, leaving.bursts)

    def _leaving(self, request: Request, reply: bytes | Transmission | None) -> Leaving:
        if isinstance(reply, Transmission):
            return Leaving(request.encode(), reply.frame, reply.bursts, self._kept)
        bursts = (Burst(0.0, reply),) if reply else ()
        return Leaving(request.encode(), reply or b"", bursts, self._kept)
