"""A journal as a capture that Wireshark opens as Modbus RTU.

There is no link type for a serial line's Modbus, so each frame is an "exported PDU" that names its dissector
(LINKTYPE_WIRESHARK_UPPER_PDU, tags of wireshark's epan/exported_pdu.h): it opens without any preference. Format:
draft-ietf-opsawg-pcapng. Times are the wall's; plant time, faults and commands stand in comments.
"""

import heapq
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from modbus.line.conversation import Transmission
from plant.base.clock import iso_utc
from plant.base.problems import Problem, ProblemsError
from tracertwin.journal.entries import Entry, Exchange, GivenCommand, Head, Noise, Peer, Stale
from tracertwin.journal.file import JournalFile

UPPER_PDU: Final = 252  # the link type
SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6  # blocks
BYTE_ORDER, UNKNOWN_LENGTH = 0x1A2B3C4D, -1
END, COMMENT, IF_NAME, IF_TIME, USER_PROGRAM, FLAGS = 0, 1, 2, 9, 4, 2  # options, of their blocks
MICROSECONDS: Final = b"\x06"
INBOUND, OUTBOUND = 1, 2  # as the Tracer sees it
# tags of an exported PDU
DISSECTOR, IPV4_SRC, IPV4_DST, PORT_KIND, SRC_PORT, DST_PORT = 12, 20, 21, 24, 25, 26
TCP: Final = 2
# Nobody's, for the columns source and destination. With the preference mbrtu.tcp.port at 502 Wireshark can tell a
# write from the reply to it, which is the same bytes.
MASTER, TRACER, TRACER_PORT, MASTER_PORTS = bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)), 502, 40000
MODBUS, DATA = b"mbrtu", b"data"
DISORDER_S: Final = 60.0  # packets are put in order over so long


class Packet(NamedTuple):
    """Bytes on a line."""

    at_us: int  # since 1970, UTC
    number: int  # of packets of the same time
    line: int
    data: bytes
    is_reply: bool
    is_modbus: bool
    comments: tuple[str, ...]


def write_pcapng(journal_path: Path, out: Path) -> int:
    """Write the frames of a journal.

    Returns
    -------
    int
        How many.

    Raises
    ------
    ProblemsError
        If the journal can't be read, or the file not be written.
    """
    journal = JournalFile(journal_path)
    blocks = capture(journal.head, (entry for _, entry in journal.entries()))
    count = -1 - len(journal.head.links)  # those before the first packet
    try:
        with out.open("wb") as file:
            for block in blocks:
                file.write(block)
                count += 1
    except OSError as error:
        raise ProblemsError([Problem(str(out), 0, "", f"cannot write: {error.strerror}")]) from error
    return count


def capture(head: Head, entries: Iterable[Entry]) -> Iterator[bytes]:
    """The blocks of a capture: its head, one for each link, one for each packet."""
    yield _section(head.program)
    for number, link in enumerate(head.links):
        yield _interface(f"link {number}: {link}")
    yield from map(_packet, _in_order(_Frames(head, entries).packets()))


def _in_order(packets: Iterator[Packet]) -> Iterator[Packet]:
    """By time: replies in bursts, and those of other lines, lie between one another."""
    waiting: list[Packet] = []
    latest_us = 0
    for packet in packets:
        heapq.heappush(waiting, packet)
        latest_us = max(latest_us, packet.at_us)
        while waiting[0].at_us < latest_us - DISORDER_S * 1e6:
            yield heapq.heappop(waiting)
    while waiting:
        yield heapq.heappop(waiting)


@dataclass(slots=True)
class _Frames:
    """The entries of a journal as packets; what is not a packet becomes a comment on the next one."""

    head: Head
    entries: Iterable[Entry]
    began_s: float = 0.0
    count: int = 0
    pending: tuple[str, ...] = ()

    def packets(self) -> Iterator[Packet]:
        self.began_s = datetime.fromisoformat(self.head.began).timestamp()
        for entry in self.entries:
            line = entry.line or 0
            about = f"entry {entry.number}, plant {' '.join(map(iso_utc, entry.times_s))}"
            match entry.what:
                case Exchange():
                    yield from self._exchange(entry, entry.what, line, about)
                case Noise(data, why):
                    yield self._made(entry.wall_s, line, data, (about, f"junk: {why}"), is_modbus=False)
                case Stale(request):
                    yield self._made(entry.wall_s, line, request, (about, Stale.WHY))
                case GivenCommand(text, refused):
                    outcome = f" (refused: {refused})" if refused else ""
                    self.pending += (f"before this, entry {entry.number}: command {text}{outcome}",)
                case Peer(is_there):
                    self.pending += (f"before this, link {line}: peer {'there' if is_there else 'gone'}",)

    def _exchange(self, entry: Entry, exchange: Exchange, line: int, about: str) -> Iterator[Packet]:
        silent = () if exchange.sent else (f"no reply: {exchange.failure or 'silence'}",)
        if not isinstance(exchange.sent, Transmission):
            yield self._made(exchange.asked_s, line, exchange.request, (about, *silent))
            if exchange.sent:
                yield self._made(entry.wall_s, line, exchange.sent, (about,), is_reply=True)
            return
        bursts, frame = exchange.sent.bursts, exchange.sent.frame
        silent = () if bursts else ("no reply",)
        changed = b"".join(burst.data for burst in bursts) != frame
        device = (f"changed on the line; the device said {frame.hex(' ') or 'nothing'}",) if changed else ()
        yield self._made(
            exchange.asked_s, line, exchange.request, (about, *silent, *(device if silent else ()))
        )
        at_s = entry.wall_s
        for place, burst in enumerate(bursts, 1):
            at_s += burst.after_s
            parts = (f"burst {place} of {len(bursts)}",) if len(bursts) > 1 else ()
            whole = len(bursts) == 1
            yield self._made(at_s, line, burst.data, (about, *parts, *device), is_reply=True, is_modbus=whole)

    def _made(
        self,
        at_s: float,
        line: int,
        data: bytes,
        comments: Sequence[str],
        is_reply: bool = False,
        is_modbus: bool = True,
    ) -> Packet:
        self.count += 1
        told, self.pending = (*comments, *self.pending), ()
        at_us = round(1e6 * (self.began_s + at_s))
        return Packet(at_us, self.count, line, data, is_reply, is_modbus and len(data) > 3, told)


def _section(program: str) -> bytes:
    body = struct.pack("<IHHq", BYTE_ORDER, 1, 0, UNKNOWN_LENGTH)
    return _block(SECTION, body + _options((USER_PROGRAM, program.encode())))


def _interface(name: str) -> bytes:
    body = struct.pack("<HHI", UPPER_PDU, 0, 0)
    return _block(INTERFACE, body + _options((IF_NAME, name.encode()), (IF_TIME, MICROSECONDS)))


def _packet(packet: Packet) -> bytes:
    data = _wrapping(packet) + packet.data
    head = (packet.line, packet.at_us >> 32, packet.at_us & 0xFFFFFFFF, len(data), len(data))
    flags = struct.pack("<I", OUTBOUND if packet.is_reply else INBOUND)
    comments = [(COMMENT, comment.encode()) for comment in packet.comments]
    return _block(PACKET, struct.pack("<IIIII", *head) + _padded(data) + _options(*comments, (FLAGS, flags)))


def _wrapping(packet: Packet) -> bytes:
    """What tells Wireshark which dissector to take, and who speaks."""
    master, tracer = (MASTER, MASTER_PORTS + packet.line), (TRACER, TRACER_PORT)
    (src, src_port), (dst, dst_port) = (tracer, master) if packet.is_reply else (master, tracer)
    tags = (
        (DISSECTOR, MODBUS if packet.is_modbus else DATA),
        (IPV4_SRC, src),
        (IPV4_DST, dst),
        (PORT_KIND, struct.pack(">I", TCP)),
        (SRC_PORT, struct.pack(">I", src_port)),
        (DST_PORT, struct.pack(">I", dst_port)),
        (END, b""),
    )
    return b"".join(_tag(code, value) for code, value in tags)


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _options(*options: tuple[int, bytes]) -> bytes:
    rows = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join(rows) + struct.pack("<HH", END, 0)


def _tag(code: int, value: bytes) -> bytes:
    """Of an exported PDU: in network order, the length with the padding."""
    padded = _padded(value)
    return struct.pack(">HH", code, len(padded)) + padded


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
