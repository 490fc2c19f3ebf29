"""How to serve a plant: a record with a field for each option of `tracertwin serve`, and what its text may be.

A field and its row are one statement, so an option is added in one place: the command line, the page of options and
`tracertwin.assembly.assemble` all read it from here.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modbus.codec.requests import LAST_UNIT
from modbus.line.endpoint import Endpoint, parse_endpoint
from modbus.line.faults.text import Fault, parse_fault
from modbus.line.pacing import Pace, parse_pace
from plant.base.clock import FASTEST, SLOWEST, parse_duration_s, parse_polled_s
from plant.base.problems import Problem, ProblemsError
from tracertwin.files import keep_apart, writable

if TYPE_CHECKING:
    from plant.site.timetable import Upset


class Address(NamedTuple):
    """A host and a port of TCP."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, host: str = "127.0.0.1", port: int | None = None) -> Address:
    """``HOST:PORT``, or one of both where the other is known.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    found = re.fullmatch(r"(?:(\[[0-9A-Fa-f:]+\]|[\w.-]*):)?(\d{1,5})", text)
    if found is not None and int(found[2]) <= 65535:
        return Address((found[1] or host).strip("[]"), int(found[2]))
    if port is not None and re.fullmatch(r"\[[0-9A-Fa-f:]+\]|[\w-][\w.-]*", text):
        return Address(text.strip("[]"), port)
    form = "HOST:PORT" if port is None else f"HOST or HOST:PORT, of which {port} is the usual port"
    raise ValueError(f"{text!r} is not an address; write {form}; a port is a number from 0 to 65535")


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
    bare : str
        What it means without a value; empty if it needs one.
    """

    flag: str
    metavar: str
    help: str
    parse: Callable[[str], Any] = str
    default: str | float | None = None
    limits: Limits | None = None
    repeats: bool = False
    bare: str = ""


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
    bare: str = "",
) -> Any:
    """A field with its row; its default is what the row's default means, or `unless_given` where it has none."""
    row = OptionRow(
        flag=flag, metavar=metavar, help=help, parse=parse, default=default, limits=limits, repeats=repeats,
        bare=bare,
    )  # fmt: skip
    value = parse(default) if isinstance(default, str) else default
    return field(default=unless_given if default is None else value, metadata={"row": row})


def parse_control(text: str) -> Endpoint:
    """The link on which commands are accepted."""
    return parse_endpoint(text, ("listen", "unix-listen"))


def parse_run_s(text: str) -> float:
    """How long a run is."""
    seconds = parse_duration_s(text)
    if seconds <= 0.0:
        raise ValueError(f"a run must be longer than 0 s, got {text!r}")
    return seconds


def parse_broker(text: str) -> Address:
    """``HOST`` or ``HOST:PORT`` of an MQTT broker; 1883 unless given."""
    return parse_address(text, port=1883)


def _switch(flag: str, help: str) -> Any:
    return _option(flag, "", help, bool, unless_given=False)


def _trace_file(text: str) -> Path:
    from plant.report.trace import TABLES  # not for a start that keeps no trace

    return writable(text, TABLES)


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
        "dial:HOST:PORT, listen:HOST:PORT, modbus-tcp:HOST:PORT, unix:PATH, unix-listen:PATH, pty:LINKNAME or "
        "serial:DEVICE[:BAUD]; repeat for several. Default: dial:127.0.0.1:1235.",
        parse_endpoint,
        unless_given=(parse_endpoint("dial:127.0.0.1:1235"),),
        repeats=True,
    )
    map_name: str = _option(
        "--map", "MAP", "Register map: uart2, epever, or the path of a map file.", default="uart2"
    )
    unit: int | None = _option(
        "--unit",
        "ID",
        "Unit id of the site's own controller. Default: as in the site file.",
        limits=Limits(int, 1, LAST_UNIT),
    )
    speed: float = _option(
        "--speed",
        "X",
        "Run the plant at X times real time.",
        default=1.0,
        limits=Limits(float, SLOWEST, FASTEST),
    )
    polled_s: float | None = _option(
        "--clock",
        "CLOCK",
        "wall: real time; polled:10s: each request moves the plant by 10 s, for CI; stepped: only commands move it.",
        parse_polled_s,
        default="wall",
    )
    start: str | None = _option(
        "--start", "TIME", "Local start time, e.g. 2026-06-21T06:00, or now. Default: the site's."
    )
    seed: int | None = _option(
        "--seed",
        "N",
        "Seed for weather and load; the same seed gives the same run. Default: the site's.",
        limits=Limits(int, 0, 2**63 - 1),
    )
    turnaround_s: float = _option(
        "--turnaround",
        "TIME",
        "Minimum time before a reply; a real Tracer takes 3 to 10 ms.",
        parse_duration_s,
        default="5ms",
    )
    stale_s: float = _option(
        "--stale",
        "TIME",
        "Drop a request that has waited this long when a newer one is queued.",
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
        "8/2ms: send 8 bytes every 2 ms, for emulators that record. 9600: send as a UART at that rate. "
        "Default: each reply in one piece.",
        parse_pace,
    )
    half_duplex: bool = _switch(
        "--half-duplex", "Lose bytes that arrive while a reply is being sent; needs a baud rate, --pace 9600."
    )
    for_s: float | None = _option("--for", "TIME", "Stop after this much plant time, e.g. 1d.", parse_run_s)
    requests: int | None = _option(
        "--requests", "N", "Stop after answering this many requests.", limits=Limits(int, 1, 2**63 - 1)
    )
    once: bool = _switch(
        "--once", "Stop when the peer has connected and left; with several links, when all peers have."
    )
    control: Endpoint | None = _option(
        "--control",
        "LINK",
        "Accept commands on listen:HOST:PORT or unix-listen:PATH while running; see tracertwin tell.",
        parse_control,
    )
    web: Address | None = _option(
        "--web",
        "[HOST:PORT]",
        "Show the plant on a page for browsers, with an API to read and control it; 127.0.0.1:8080 unless given. "
        "Needs the extra web.",
        parse_address,
        bare="127.0.0.1:8080",
    )
    mqtt: Address | None = _option(
        "--mqtt",
        "HOST[:PORT]",
        "Publish quantities to this MQTT broker, with discovery for Home Assistant. Needs the extra mqtt.",
        parse_broker,
    )
    record: Path | None = _option(
        "--record", "FILE", "Record a journal of the run in this file; see tracertwin replay.", writable
    )
    ready_file: Path | None = _option(
        "--ready-file",
        "FILE",
        "Write the actual endpoint of each link to this file once all listening links are open.",
        writable,
    )
    stats: Path | None = _option(
        "--stats", "FILE", "Write the counters of each line to this file at the end (JSON).", writable
    )
    trace: Path | None = _option(
        "--trace",
        "FILE",
        "Record one sample per minute and write them to this file at the end (.csv, .parquet).",
        _trace_file,
    )
    state: Path | None = _option(
        "--state",
        "FILE",
        "Continue from this file if it exists, and keep plant, settings, counters and history in it (SQLite).",
        Path,
    )

    def __post_init__(self) -> None:
        if self.polled_s is not None and self.speed != 1.0:
            raise ProblemsError([Problem("--speed", 0, "", "is only valid with --clock wall")])
        of_files = ("state", "record", "trace", "stats", "ready_file")
        keep_apart({OPTIONS[name].flag: getattr(self, name) for name in of_files})


OPTIONS: Final[dict[str, OptionRow]] = {each.name: each.metadata["row"] for each in fields(Options)}
"""Rows by the fields they are for, in the order of the help."""
