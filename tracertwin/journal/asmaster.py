"""`tracertwin replay --as-master`: the requests of a journal to another device; where replies are of another form.

Values differ between devices; what a program relies on is the form: that a block is answered, with so many registers,
or refused with that exception.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Final, NamedTuple

from modbus.codec.replies import BadReply
from modbus.codec.requests import ANY_UNIT, Request, UnitIdRequest, decode_request
from modbus.line.endpoint import ModbusTcpEndpoint, parse_endpoint
from modbus.master.client import Master, NoReplyError
from modbus.master.phrases import CHANGE_NOTHING, phrase, shape, shape_of
from modbus.master.poll import CALLED_WITHIN_S, DIALLED_WITHIN_S
from plant.base.problems import Problem, ProblemsError
from plant.report.output import plain_table
from tracertwin.console import wide_console
from tracertwin.journal.entries import Exchange
from tracertwin.journal.file import JournalFile
from tracertwin.journal.replay import DIFFERENT, SAME


class Manner(NamedTuple):
    """How to ask.

    Attributes
    ----------
    pause_s : float, optional
        From one request to the next; as it was unless given.
    timeout_s : float
        Wait for each reply.
    writes : bool
        Whether to send what may change the device.
    """

    pause_s: float | None = None
    timeout_s: float = 1.0
    writes: bool = False


@dataclass(slots=True)
class Compared:
    """One request, however often it was asked."""

    request: Request
    asked: int = 0
    deviating: int = 0
    then: Counter[str] = field(default_factory=Counter)  # forms of the replies, of those that deviate
    now: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class DeviceComparison:
    """What came of all of them."""

    rows: dict[bytes, Compared] = field(default_factory=dict)
    skipped: int = 0

    @property
    def asked(self) -> int:
        return sum(row.asked for row in self.rows.values())

    @property
    def deviating(self) -> int:
        return sum(row.deviating for row in self.rows.values())

    def add(self, raw: bytes, request: Request, then: str, now: str) -> None:
        """Count a request with the forms of its replies."""
        row = self.rows.setdefault(raw, Compared(request))
        row.asked += 1
        if then != now:
            row.deviating += 1
            row.then[then] += 1
            row.now[now] += 1


def changes(request: Request) -> bool:
    """Whether a device may be another one afterwards. A function that nobody knows may do anything."""
    if isinstance(request, UnitIdRequest):
        return request.unit_id != ANY_UNIT
    return request.function not in CHANGE_NOTHING


def compare(exchanges: Iterator[Exchange], master: Master, manner: Manner) -> DeviceComparison:
    """Ask everything again.

    Raises
    ------
    LinkError
        The connection ended.
    """
    comparison = DeviceComparison()
    asked_s, recorded_s = None, 0.0
    for exchange in exchanges:
        request = decode_request(exchange.request)
        if changes(request) and not manner.writes:
            comparison.skipped += 1
            continue
        pause_s = exchange.asked_s - recorded_s if manner.pause_s is None else manner.pause_s
        if asked_s is not None:
            sleep(max(asked_s + pause_s - monotonic(), 0.0))
        asked_s, recorded_s = monotonic(), exchange.asked_s
        then, now = shape(request, exchange.frame), _ask(master, request, manner.timeout_s)
        comparison.add(exchange.request, request, then, now)
    return comparison


def _ask(master: Master, request: Request, timeout_s: float) -> str:
    try:
        return shape_of(master.ask(request, timeout_s))
    except NoReplyError:
        return shape(request, b"")
    except BadReply as error:
        return f"no reply to this: {error}"


def print_comparison(path: Path, link: str, manner: Manner, say: Callable[[str], None]) -> int:
    """Ask another device what was asked in a journal, and print where it deviates.

    Returns
    -------
    int
        0: nowhere; 1: somewhere.

    Raises
    ------
    ProblemsError
        The journal can't be read, or it is not a link.
    LinkError
        There is no connection, or not any more.
    """
    journal = JournalFile(path)
    try:
        endpoint = parse_endpoint(link)
    except ValueError as error:
        raise ProblemsError([Problem("--as-master", 0, "", str(error))]) from None
    calls = endpoint.listens and not isinstance(endpoint, ModbusTcpEndpoint)
    if calls:
        say(f"waiting for a device to dial {endpoint} ...")
    within_s = CALLED_WITHIN_S if calls else DIALLED_WITHIN_S
    with Master(endpoint, connect_timeout_s=within_s) as master:
        comparison = compare(exchanges(journal), master, manner)
    _print(comparison)
    return DIFFERENT if comparison.deviating else SAME


def exchanges(journal: JournalFile) -> Iterator[Exchange]:
    """The requests of a journal that were answered, or left without an answer."""
    return (entry.what for _, entry in journal.entries() if isinstance(entry.what, Exchange))


HEADS: Final = ("request", "asked", "deviates", "recorded", "this device")


def _print(comparison: DeviceComparison) -> None:
    if comparison.deviating:
        table = plain_table()
        for head in HEADS:
            table.add_column(head, justify="right" if head in ("asked", "deviates") else "left")
        for row in comparison.rows.values():
            if row.deviating:
                forms = [
                    ", ".join(f"{n} x {form}" if len(c) > 1 else form for form, n in c.items())
                    for c in (row.then, row.now)
                ]
                table.add_row(phrase(row.request), str(row.asked), str(row.deviating), *forms)
        wide_console().print(table)
    skipped = f"; {comparison.skipped} left out that change the device (--writes sends them)"
    print(
        f"{comparison.asked} requests, {len(comparison.rows)} of them distinct: {comparison.deviating} replies "
        f"differ in form{skipped if comparison.skipped else ''}"
    )
