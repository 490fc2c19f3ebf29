"""What a rig shows at a moment, and at earlier ones, as JSON has it. Knows neither HTTP nor browsers.

Nothing here waits for a plant but what is marked so: it reads what is on show.
"""

import math
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import Any, Final, NamedTuple

import numpy as np

from modbus.device.interface import Shown
from modbus.line.faults.kinds import FAULTS
from plant.base.clock import STEP_S, WallClock, iso_utc, to_local
from plant.base.grammar import Parameter
from plant.controller.settings import Settings
from plant.kernel.snapshot import QUANTITIES, Snapshot
from plant.site.upsets import UPSETS
from tracertwin.assembly.commands import COMMANDS
from tracertwin.assembly.units import Unit
from tracertwin.rig.serving import Rig
from tracertwin.web.bothmaps import BothMaps
from tracertwin.web.frames import ClientWrite, Frames
from tracertwin.web.history import UnitHistory

Told = dict[str, Any]
FRAMES_TOLD: Final = 200  # at once
FRESH_S: Final = 0.25  # of the wall: so old may registers be that many ask for
FIELDS: Final = Snapshot._fields


class Made(NamedTuple):
    """Registers as they were told."""

    shown: Shown
    told_of: tuple[object, ...]
    at_s: float  # of the wall
    text: str


class Sight:
    """A running rig to look at, from `begin` to `end`.

    Parameters
    ----------
    rig : Rig

    Attributes
    ----------
    rig
        As given.
    histories : tuple of UnitHistory
        Of each unit.
    """

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        units = rig.assembly.units
        self.histories = tuple(UnitHistory(unit.live) for unit in units)
        self._maps = tuple(BothMaps(unit, rig.assembly.options.map_name) for unit in units)
        self._tracers = tuple(unit.tracer for unit in units)
        self._frames = Frames(self._tracers)
        self._seen = 0  # the last entry that was taken into account
        self._made: list[Made | None] = [None] * len(units)

    def begin(self) -> None:
        """Take samples from here on."""
        for history in self.histories:
            history.begin()

    def end(self) -> None:
        """No samples any more."""
        for history in self.histories:
            history.end()

    def look(self) -> list[Told]:
        """Take what is on show, and what was heard since; the latter in words. In one thread."""
        for history in self.histories:
            history.look()
        journal = self.rig.journal
        entries = journal.newest(self._seen) if journal else []
        self._seen = entries[-1].number if entries else self._seen
        return self._frames.described(entries)[-FRAMES_TOLD:]

    # --- now ---

    def now(self) -> Told:
        """Time, quantities, what is broken, the lines."""
        rig, clock = self.rig, self.rig.assembly.clock
        plant = rig.assembly.plants[0]
        t_utc_s, zone = rig.assembly.units[0].live.snapshot().t_utc_s, plant.site.location.timezone
        return {
            "t_utc_s": t_utc_s,
            "utc": iso_utc(t_utc_s),
            "local": to_local(t_utc_s, zone).isoformat(),
            "speed": clock.speed if isinstance(clock, WallClock) else None,
            "paused": isinstance(clock, WallClock) and not clock.goes,
            "units": [self._unit_now(unit) for unit in rig.assembly.units],
            "faults": list(rig.assembly.faults.texts()),
            "lines": list(self._lines()),
            "done": len(rig.done),
        }

    def _unit_now(self, unit: Unit) -> Told:
        plant = unit.live.plant
        return {
            "unit": unit.tracer.unit,
            "values": values_of(unit.live.snapshot()),
            "broken": plant.broken(),
            "planned": plant.planned(),
        }

    def _lines(self) -> Iterator[Told]:
        for line, faulty, findings in zip(
            self.rig.lines, self.rig.assembly.lines, self.rig.findings, strict=True
        ):
            stats = line.stats
            yield {
                "link": str(line.endpoint),
                "connected": line.is_connected,
                "requests": sum(stats.requests.values()),
                "replies": stats.replies,
                "exceptions": stats.exceptions,
                "bad_frames": stats.bad_frames,
                "junk_bytes": stats.junk_bytes,
                "stale": stats.stale,
                "p99_ms": stats.latencies.summary_ms().get("p99"),
                "struck": dict(faulty.counts),
                "found": list(findings),
            }

    # --- earlier ---

    def place(self, unit_id: int | None) -> int:
        """The place of a unit among the units, the first if none is named.

        Raises
        ------
        ValueError
            There is no such unit.
        """
        ids = [unit.tracer.unit for unit in self.rig.assembly.units]
        if unit_id is None:
            return 0
        if unit_id not in ids:
            raise ValueError(f"no unit {unit_id}; known: {', '.join(map(str, ids))}")
        return ids.index(unit_id)

    def quantities(self, place: int, at_s: float | None = None) -> Told:
        """Every quantity, now or at an earlier moment [s UTC]."""
        live = self.rig.assembly.units[place].live
        snapshot = live.snapshot() if at_s is None else self.histories[place].shown_at(at_s).snapshot
        return values_of(snapshot)

    def registers(self, place: int, at_s: float | None = None) -> list[Told]:
        """Every register of both maps, now or at an earlier moment, with what a client last read there."""
        unit, maps = self.rig.assembly.units[place], self._maps[place]
        shown = unit.live.shown() if at_s is None else self.histories[place].shown_at(at_s)
        last = self._last_read(place)
        return [row | {"read": maps.read(row, last) if last else None} for row in maps.rows(shown)]

    def registers_text(self, place: int) -> str:
        """The registers now, as JSON; kept for who asks next."""
        unit = self.rig.assembly.units[place]
        shown = unit.live.shown()
        told_of, text = self._told_of(shown.settings), self._maps[place].text(shown, self._last_read(place))
        self._made[place] = Made(shown, told_of, monotonic(), text)
        return text

    def registers_made(self, place: int) -> str | None:
        """The same as it was made for somebody else, a quarter of a second ago at most; at once, or nothing."""
        shown, made = self.rig.assembly.units[place].live.shown(), self._made[place]
        if made is None or made.told_of != self._told_of(shown.settings):
            return None
        return made.text if made.shown is shown or monotonic() - made.at_s < FRESH_S else None

    def _last_read(self, place: int) -> dict[tuple[str, int], tuple[int, int]]:
        return dict(self._frames.last_read.get(place, {}))

    def _told_of(self, settings: Settings) -> tuple[object, ...]:
        """What must be new in the registers at once: what was set, done, read."""
        return settings, len(self.rig.done), self._seen

    def samples(self, place: int, names: Sequence[str], from_s: float, to_s: float) -> Told:
        """Columns of samples: ``t_utc_s`` and the quantities named, each a list.

        Raises
        ------
        ValueError
            Naming what is not a quantity.
        """
        if unknown := [name for name in names if name not in FIELDS]:
            raise ValueError(f"no quantity {unknown[0]!r}; /api/v1/about lists them")
        rows = self.histories[place].rows(from_s, to_s)
        columns = ["t_utc_s", *dict.fromkeys(names)]
        return {name: np.round(rows[:, FIELDS.index(name)], 6).tolist() for name in columns}

    def mark(self) -> list[float]:
        """Another one whenever `events` has more to tell."""
        last = [history.events[-1].t_utc_s if history.events else 0.0 for history in self.histories]
        return [float(len(self.rig.done)), *last]

    def events(self, place: int, from_s: float = -math.inf) -> list[Told]:
        """Transitions of the controller, and what was done to the run, oldest first."""
        own = [
            {"t_utc_s": event.t_utc_s, "kind": event.machine.name.lower(), "what": f"{event.from_} -> {event.to}",
             "why": event.reason}
            for event in list(self.histories[place].events)
            if event.t_utc_s >= from_s
        ]  # fmt: skip
        done = [
            {"t_utc_s": float(one.t_utc_s), "kind": "command", "what": one.text, "why": one.answer}
            for one in list(self.rig.done)
            if one.t_utc_s >= from_s and not one.text.startswith(LOOKING)
        ]
        return sorted([*own, *done], key=lambda row: row["t_utc_s"])

    def frames(self, after: int = 0, most: int = FRAMES_TOLD) -> list[Told]:
        """What was heard and said on the lines after an entry of the journal, the newest of it."""
        journal = self.rig.journal
        entries = journal.newest(after)[-most:] if journal else []
        return Frames(self._tracers).described(entries)

    def written(self, place: int) -> list[ClientWrite]:
        """What a client wrote to a unit and it took."""
        return [one for one in list(self._frames.written) if place in one.places and one.texts]

    # --- what never changes ---

    def about(self) -> Told:
        """Sites, quantities, commands, what can break; and when serving began, by which a run knows itself."""
        assembly, journal = self.rig.assembly, self.rig.journal
        return {
            "began": journal.head.began if journal else None,
            "units": [
                {"unit": unit.tracer.unit, "site": unit.live.plant.site.name,
                 "model": unit.live.plant.site.controller.model} for unit in assembly.units
            ],
            "timezone": assembly.plants[0].site.location.timezone,
            "seed": assembly.plants[0].seed,
            "begins_utc_s": assembly.begins_utc_s,
            "step_s": STEP_S,
            "clock": "wall" if isinstance(assembly.clock, WallClock) else "stepped",
            "maps": list(self._maps[0].maps),
            "recorded": None if assembly.options.record is None else str(assembly.options.record.name),
            "quantities": {
                name: {"unit": row.unit, "meaning": row.meaning, "sign": row.sign,
                       "codes": {} if row.codes is None else {str(code.value): code.name for code in row.codes}}
                for name, row in QUANTITIES.items()
            },
            "commands": [
                {"name": row.name, "arguments": row.arguments, "meaning": row.meaning, "changes": not row.read_only}
                for row in COMMANDS
            ],
            "upsets": [_broken(row.name, row.meaning, row.changes, row.parameters) for row in UPSETS.values()],
            "faults": [_broken(row.name, row.meaning, row.seen, row.parameters) for row in FAULTS.values()],
        }  # fmt: skip


LOOKING: Final = tuple(row.name for row in COMMANDS if row.read_only)


def values_of(snapshot: Snapshot) -> Told:
    """Quantities by name; null for what is not a number."""
    return {
        name: round(value, 6) if math.isfinite(value) else None
        for name, value in zip(FIELDS, snapshot, strict=True)
    }


def _broken(name: str, meaning: str, then: str, parameters: dict[str, Parameter]) -> Told:
    return {
        "name": name,
        "meaning": meaning,
        "then": then,
        "keys": [
            {
                "key": one.key,
                "default": one.default,
                "low": one.range.low,
                "high": one.range.high,
                "kind": one.kind,
            }
            for one in parameters.values()
        ],
    }
