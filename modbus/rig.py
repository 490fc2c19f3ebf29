"""`tracertwin serve`: a plant that keeps step with the wall clock and the lines that masters read it on.

Knows what is started, in which order, and what is told of it: by words, in a file for scripts that wait, in
counts at the end. Knows no command line.
"""

import dataclasses
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final, Self

from modbus.endpoint import Endpoint
from modbus.link import Line, LineStats
from modbus.live import Live
from modbus.model import load_model
from modbus.registers import Difference, load_map
from modbus.tracer import Tracer
from plant.clock import WallClock, iso_utc
from plant.plant import Plant
from plant.problems import Problem, ProblemsError

PEERS_S: Final = 0.05  # how often to look whether the peers of all lines have gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve a plant.

    Attributes
    ----------
    links : sequence of Endpoint
        A line each.
    map_name : str
        Register map by name or path.
    unit : int
        Own unit id, 1..247.
    speed : float
        Plant time over wall time.
    turnaround_s, stale_s : float
        See `modbus.link.Line`.
    once : bool
        End when the peers of all lines have come and gone.
    for_s : float, optional
        End after so much plant time.
    ready_file : Path, optional
        Written when every link that listens is open, with the real endpoint of each link on a line of its
        own; removed at the end.
    stats : Path, optional
        Where the counts go at the end, as JSON.
    trace : Path, optional
        Where a sample for each minute goes at the end.
    """

    links: Sequence[Endpoint]
    map_name: str
    unit: int = 1
    speed: float = 1.0
    turnaround_s: float = 0.005
    stale_s: float = 0.5
    once: bool = False
    for_s: float | None = None
    ready_file: Path | None = None
    stats: Path | None = None
    trace: Path | None = None


class Rig:
    """A plant and its lines, from `open` to `close`.

    Parameters
    ----------
    plant : Plant
    options : Options
    say : callable
        Takes a line of text to the user, from any thread.

    Raises
    ------
    MapError
        The map can't be used.
    """

    def __init__(self, plant: Plant, options: Options, say: Callable[[str], None]) -> None:
        self._plant = plant
        self._options = options
        self._say = say
        begins = plant.start_utc_s
        self._live = Live(
            plant,
            WallClock(begins, options.speed),
            begins + options.for_s if options.for_s else None,
            sample_s=60 if options.trace else 0,
        )
        register_map = load_map(options.map_name, plant.site.ratings())
        model = load_model(plant.site.controller.model)
        tracer = Tracer(register_map, self._live, options.unit, model, warn_once=self._warn)
        self._lines = [
            Line(
                at,
                tracer.answer,
                turnaround_s=options.turnaround_s,
                stale_s=options.stale_s,
                log=say,
                once=options.once,
            )
            for at in options.links
        ]
        self._began_s = monotonic()
        self._is_ready = False

    def open(self) -> Self:
        """Open the lines and say so; time stands still yet.

        Raises
        ------
        LinkError
            A link that listens can't be had. Those before it are closed again.
        ProblemsError
            The ready file can't be written.
        """
        try:
            for line in self._lines:
                line.start()
            if self._options.ready_file is not None:
                _write_whole(self._options.ready_file, "".join(f"{line.endpoint}\n" for line in self._lines))
                self._is_ready = True
        except BaseException:
            self.close()
            raise
        plant, options = self._plant, self._options
        where = ", ".join(str(line.endpoint) for line in self._lines)
        self._say(
            f"{plant.site.name} from {iso_utc(plant.start_utc_s)}, seed {plant.seed}, x{options.speed:g}, "
            f"map {options.map_name}: {where}"
        )
        return self

    def run(self) -> None:
        """Let time begin, and wait for the end: of the plant time asked for, or of the last peer."""
        self._live.start()
        while not self._live.ended.wait(PEERS_S if self._options.once else None):
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
        self._live.stop()
        if self._options.trace is not None:
            self._live.trace().write(self._options.trace)
        if self._options.stats is not None:
            _write_whole(self._options.stats, json.dumps(self._counts(), indent=2) + "\n")
        self._say(self._totals())
        if self._live.error is not None:
            raise self._live.error

    def close(self) -> None:
        """Stop the plant, end the lines, remove what they left in the file system."""
        self._live.stop()
        for line in self._lines:
            line.stop()
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

    def _counts(self) -> dict[str, Any]:
        return {
            "site": self._plant.site.name,
            "seed": self._plant.seed,
            "began": iso_utc(self._plant.start_utc_s),
            "ended": iso_utc(self._plant.snapshot.t_utc_s),
            "wall_s": round(monotonic() - self._began_s, 3),
            "lines": [{"link": str(line.endpoint), **counts(line.stats)} for line in self._lines],
        }

    def _totals(self) -> str:
        s = self._plant.snapshot
        stats = [line.stats for line in self._lines]
        asked = sum(sum(line.requests.values()) for line in stats)
        replies = sum(line.replies for line in stats)
        junk = sum(line.junk_bytes for line in stats)
        return (
            f"ended at {iso_utc(s.t_utc_s)}: {asked} requests, {replies} replies, {junk} junk bytes; "
            f"PV {s.e_pv_wh:.1f} Wh, charged {s.e_chg_wh:.1f} Wh, load {s.e_load_wh:.1f} Wh, "
            f"battery {100 * s.soc:.1f} %"
        )


def counts(stats: LineStats) -> dict[str, Any]:
    """The counts of a line as JSON has them: functions by their two hexadecimal digits."""
    told = dataclasses.asdict(stats)
    told["requests"] = {f"{function:02X}": n for function, n in sorted(stats.requests.items())}
    told["reconnects"] = max(stats.connects - 1, 0)
    return told


def _write_whole(path: Path, text: str) -> None:
    """Write a file that nobody ever sees half written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ProblemsError([Problem(str(path), 0, "", f"cannot write: {error.strerror}")]) from error
