"""How to serve a plant: what `tracertwin serve` is told, as a record."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modbus.line.endpoint import Endpoint
from modbus.line.faults.text import Fault
from modbus.line.pacing import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve a plant.

    Attributes
    ----------
    links : sequence of Endpoint
        A line each.
    map_name : str
        Register map by name or path.
    unit : int, optional
        Own unit id, 1..247; the site's unless given.
    speed : float
        Plant time over wall time.
    polled_s : float, optional
        Each request moves the plants by so much, 0 by nothing; the wall's time doesn't count then, nor `speed`.
    turnaround_s, stale_s : float
        See `modbus.line.link.Line`.
    faults : sequence of Fault
        Set from the beginning on every line, beside those of the site.
    pace : Pace, optional
        How fast bytes leave; as the site says unless given.
    half_duplex : bool
        See `modbus.line.link.Line`; also if the site says so.
    once : bool
        End when the peers of all lines have come and gone.
    for_s : float, optional
        End after so much plant time.
    control : Endpoint, optional
        Where commands are taken.
    record : Path, optional
        Where the journal goes, see `tracertwin.journal.writing`.
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
    unit: int | None = None
    speed: float = 1.0
    polled_s: float | None = None
    turnaround_s: float = 0.005
    stale_s: float = 0.5
    faults: Sequence[Fault] = ()
    pace: Pace | None = None
    half_duplex: bool = False
    once: bool = False
    for_s: float | None = None
    control: Endpoint | None = None
    record: Path | None = None
    ready_file: Path | None = None
    stats: Path | None = None
    trace: Path | None = None
