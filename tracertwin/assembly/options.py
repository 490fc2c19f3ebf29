"""How to serve a plant: a record with a field for each option of `tracertwin serve`, and what its text may be.

A field and its row are one statement, so an option is added in one place: the command line, the page of options and
`tracertwin.assembly.assemble` all read it from here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modbus.line.endpoint import Endpoint, parse_endpoint
from modbus.line.faults.text import Fault, parse_fault
from modbus.line.pacing import Pace, parse_pace
from plant.base.clock import FASTEST, SLOWEST, parse_duration_s, parse_polled_s
from plant.base.problems import Problem, ProblemsError
from tracertwin.files import writable

if TYPE_CHECKING:
    from plant.site.timetable import Upset


class Limits(NamedTuple):
    """Of an option that is a number."""

    kind: type[int] | type[float]
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRow:
    """How an option is written on the command line.

    Attributes
    ----------
    flag : str
        With its dashes.
    metavar : str
        What stands for its value in the help; empty for one that is on when it is there.
    help : str
    parse : callable
        Makes the field's value from the text, or from each of the texts; ValueError: what was wrong with it.
    default : str or float or None
        As it would be written; None: the field's own default holds.
    limits : Limits, optional
        Of a number.
    repeats : bool
        Whether it may be given several times; the field is a sequence then.
    """

    flag: str
    metavar: str
    help: str
    parse: Callable[[str], Any] = str
    default: str | float | None = None
    limits: Limits | None = None
    repeats: bool = False


def _option(
    flag: str,
    metavar: str,
    help: str,
    parse: Callable[[str], Any] = str,
    *,
    default: str | float | None = None,
    unless_given: Any = None,
    limits: Limits | None = None,
    repeats: bool = False,
) -> Any:
    """A field with its row; its default is what the row's default means, or `unless_given` where it has none."""
    row = OptionRow(
        flag=flag, metavar=metavar, help=help, parse=parse, default=default, limits=limits, repeats=repeats
    )
    value = parse(default) if isinstance(default, str) else default
    return field(default=unless_given if default is None else value, metadata={"row": row})


def _switch(flag: str, help: str) -> Any:
    return _option(flag, "", help, bool, unless_given=False)


def _trace_file(text: str) -> Path:
    from plant.report.trace import TABLES, check_suffix  # pandas is not for a start that keeps no trace

    path = Path(text)
    check_suffix(path, TABLES)
    return path


def _upset(text: str) -> "Upset":
    from plant.site.timetable import parse_upset  # it knows batteries and arrays, which most verbs don't need

    return parse_upset(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to serve a plant; `OPTIONS` has a row for each field, whose help says what it means.

    ``polled_s``: each request moves the plants by so much, 0 by nothing; the wall's time doesn't count then. ``unit``,
    ``pace`` and ``half_duplex`` stand before what the site says, ``faults`` beside it.

    Raises
    ------
    ProblemsError
        If some contradict each other.
    """

    links: Sequence[Endpoint] = _option(
        "--link",
        "LINK",
        "dial:HOST:PORT, listen:HOST:PORT, unix:PATH, unix-listen:PATH, pty:LINKNAME or "
        "serial:DEVICE[:BAUD]; repeat for several. Default: dial:127.0.0.1:1235.",
        parse_endpoint,
        unless_given=(parse_endpoint("dial:127.0.0.1:1235"),),
        repeats=True,
    )
    map_name: str = _option(
        "--map", "MAP", "Register map: uart2, epever, or the path of a map file.", default="uart2"
    )
    unit: int | None = _option(
        "--unit", "ID", "Own unit id. Default: the site's.", limits=Limits(int, 1, 247)
    )
    speed: float = _option(
        "--speed", "X", "Plant time over wall time.", default=1.0, limits=Limits(float, SLOWEST, FASTEST)
    )
    polled_s: float | None = _option(
        "--clock",
        "CLOCK",
        "wall; polled:10s: each request moves the plant by so much, for CI; stepped: only commands move it.",
        parse_polled_s,
        default="wall",
    )
    start: str | None = _option(
        "--start", "TIME", "Local time to begin at, e.g. 2026-06-21T06:00, or now. Default: the site's."
    )
    seed: int | None = _option(
        "--seed",
        "N",
        "Weather and load. Same seed, same run. Default: the site's.",
        limits=Limits(int, 0, 2**63 - 1),
    )
    turnaround_s: float = _option(
        "--turnaround",
        "TIME",
        "Least time to a reply; a real Tracer takes 3 to 10 ms.",
        parse_duration_s,
        default="5ms",
    )
    stale_s: float = _option(
        "--stale",
        "TIME",
        "Drop a request this old when a newer one waits.",
        parse_duration_s,
        default="500ms",
    )
    faults: Sequence[Fault] = _option(
        "--fault",
        "NAME:P",
        "Line fault with its probability, e.g. drop:0.05; `tracertwin faults` lists them. Repeat for several.",
        parse_fault,
        unless_given=(),
        repeats=True,
    )
    upsets: "Sequence[Upset]" = _option(
        "--upset",
        "NAME:KEY=VALUE",
        "Break something in the plant, e.g. load_short:ohm=0.05:after=10min, as the site's own upsets do; "
        "`tracertwin faults` lists them. Repeat for several.",
        _upset,
        unless_given=(),
        repeats=True,
    )
    pace: Pace | None = _option(
        "--pace",
        "PACE",
        "8/2ms: 8 bytes each 2 ms, for emulators that record. 9600: as a UART at that rate. "
        "Default: a reply at once.",
        parse_pace,
    )
    half_duplex: bool = _switch(
        "--half-duplex", "Lose what comes while a reply leaves; needs a baud rate, --pace 9600."
    )
    for_s: float | None = _option(
        "--for", "TIME", "End after this much plant time, e.g. 1d.", parse_duration_s
    )
    once: bool = _switch("--once", "End when the peer has come and gone; of several links, all peers.")
    control: Endpoint | None = _option(
        "--control",
        "LINK",
        "Take commands at listen:HOST:PORT or unix-listen:PATH while running; see tracertwin tell.",
        parse_endpoint,
    )
    record: Path | None = _option(
        "--record", "FILE", "Write a journal of the run here; see tracertwin replay.", writable
    )
    ready_file: Path | None = _option(
        "--ready-file",
        "FILE",
        "Write the real endpoint of each link here once all that listen are open.",
        writable,
    )
    stats: Path | None = _option(
        "--stats", "FILE", "Write the counts of each line here at the end (JSON).", writable
    )
    trace: Path | None = _option(
        "--trace", "FILE", "Keep a sample a minute and write them at the end (.csv, .parquet).", _trace_file
    )
    state: Path | None = _option(
        "--state",
        "FILE",
        "Go on where this file stands, and keep plant, settings, counters and history in it (SQLite).",
        Path,
    )

    def __post_init__(self) -> None:
        if self.polled_s is not None and self.speed != 1.0:
            raise ProblemsError([Problem("--speed", 0, "", "goes with --clock wall only")])


OPTIONS: Final[dict[str, OptionRow]] = {each.name: each.metadata["row"] for each in fields(Options)}
"""Rows by the fields they are for, in the order of the help."""
