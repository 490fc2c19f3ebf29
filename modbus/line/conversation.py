"""One connection from its first byte to its last: requests in, replies out, each in its time.

The hot path of the project. Knows a connected stream and the time; frames are the parser's business, answers
come from a callable, where the connection came from and what follows it is for `modbus.line.link`.
"""

import math
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from time import monotonic
from typing import Final, NamedTuple, Protocol

from modbus.codec.parser import Junk, Received, RequestParser
from modbus.codec.requests import MAX_FRAME, Malformed, Request
from modbus.line.diagnosis import Diagnosis
from modbus.line.latencies import Latencies, added
from modbus.line.stopsignal import StopSignal
from modbus.line.stream import Stream, is_tcp


class Burst(NamedTuple):
    """Bytes that leave together."""

    after_s: float  # the burst before; of the first: after the reply is due
    data: bytes
    driven_s: float = 0.0  # the last part of that time, in which it is on the wire


class Transmission(NamedTuple):
    """A reply that doesn't leave as it is."""

    frame: bytes  # what the device said; empty if nothing
    bursts: tuple[Burst, ...]  # what the line makes of it


Answer = Callable[[Request], bytes | Transmission | None]


def leaving(sent: bytes | Transmission | None) -> bytes:
    """All bytes that leave for a request."""
    if isinstance(sent, Transmission):
        return b"".join(burst.data for burst in sent.bursts)
    return sent or b""


class Parser(Protocol):
    """Cuts a stream into requests and junk."""

    @property
    def deadline_s(self) -> float | None:
        """When to call `flush` if nothing comes before."""

    def feed(self, data: bytes, now_s: float) -> list[Received | Junk]:
        """What bytes make known."""

    def flush(self, now_s: float) -> list[Received | Junk]:
        """What quiet makes known."""


class Framing(NamedTuple):
    """How frames are packed on a stream: what finds them, and what a reply becomes; None: it leaves as it is."""

    parser: Callable[[], Parser]
    pack: Callable[[Received, bytes | Transmission], Transmission] | None = None


RTU = Framing(RequestParser)
TURNAROUND_S: Final = 0.005  # a real Tracer takes 3 to 10 ms
STALE_S: Final = 0.5
LAST_WORD_S: Final = 0.5  # a peer that sends no more is answered for so long
MOST_WAITING = 64  # requests; with more we stop reading and let TCP hold the sender back
UNHEARD = "not received: it arrived while a reply was on the wire"
ECHOED = "an echo of what we sent"
AT_ONCE_S = 0.001  # a recv() that took no longer did not wait
QUICKACK: int = getattr(socket, "TCP_QUICKACK", 0)  # Linux only


@dataclass(slots=True)
class LineStats:
    """Counts since the line was made."""

    requests: dict[int, int] = field(default_factory=dict)  # by function code
    replies: int = 0
    exceptions: int = 0  # those of the replies that were Modbus exceptions
    silent: int = 0  # requests that deserve no answer: another unit's, broadcasts
    stale: int = 0  # requests dropped because a newer one stood behind them
    failures: int = 0  # requests on which the answering code raised
    bad_frames: int = 0  # pieces of junk shaped like a frame but with a wrong CRC
    junk_bytes: int = 0
    lost_bytes: int = 0  # that came while a half-duplex line was sending
    connects: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    latencies: Latencies = field(default_factory=Latencies)  # from a request's last byte to its reply's

    def __add__(self, other: "LineStats") -> "LineStats":
        """The counts of both, as of one line."""
        names = [each.name for each in fields(self) if each.name != "requests"]
        totals = {name: getattr(self, name) + getattr(other, name) for name in names}
        return LineStats(added(self.requests, other.requests), **totals)


@dataclass(frozen=True, slots=True)
class Timing:
    """When to reply; see `modbus.line.link.Line`."""

    turnaround_s: float = TURNAROUND_S
    stale_s: float = STALE_S
    half_duplex: bool = False


class Witness(Protocol):
    """Is told what happens on a line, for whoever wants to know more than the answers show."""

    def connected(self) -> None:
        """A peer is there."""

    def closed(self) -> None:
        """It has gone."""

    def asked(self, received: Received) -> None:
        """The next answer is to this."""

    def stale(self, received: Received) -> None:
        """This is never answered: a newer request stands behind it."""

    def junk(self, junk: Junk) -> None:
        """These bytes are no request."""


class Conversation:
    """What is said over one stream.

    Parameters
    ----------
    stream : Stream
        Connected and blocking.
    answer : callable
        Gives a ready frame, the bursts that it leaves in, or None; called when the reply is about to leave.
    tally : LineStats
        Counted up.
    stop : StopSignal
        Ends `run` while it waits for a time; while it waits for a byte, ``stream.shutdown()`` does.
    witness : Witness, optional
        Told of junk and of requests.
    since_s : float, optional
        When the master called, if it had to wait for its turn: its requests may be as old.
    framing : Framing
        How frames are packed on this stream.
    """

    def __init__(
        self,
        stream: Stream,
        answer: Answer,
        timing: Timing,
        tally: LineStats,
        diagnosis: Diagnosis,
        stop: StopSignal,
        witness: Witness | None = None,
        since_s: float | None = None,
        framing: Framing = RTU,
    ) -> None:
        self.heard = False  # whether a byte came
        self._stream = stream
        self._answer = answer
        self._timing = timing
        self._tally = tally
        self._diagnosis = diagnosis
        self._stop = stop
        self._witness = witness
        self._tcp = stream if QUICKACK and is_tcp(stream) else None
        self._parser = framing.parser()
        self._pack = framing.pack
        self._since_s = since_s
        self._waiting: deque[tuple[float, float, Received]] = deque()  # due [s], arrived [s], request
        self._leaving: deque[Burst] = deque()  # of the reply that is on its way
        self._burst_due_s = 0.0  # the first of them
        self._sent = b""  # lately: an adapter may echo it
        self._asked_s = 0.0  # when the last byte of its request came
        self._looked_s = monotonic()  # when we last knew all that had arrived

    def run(self) -> None:
        """Serve until the peer closes or the line is stopped; an ``OSError`` means the connection broke."""
        stream, tcp, stopped = self._stream, self._tcp, self._stop.is_set
        waiting, leaving = self._waiting, self._leaving
        self._diagnosis.connected(self._looked_s)
        if self._since_s is not None:
            self._catch_up(self._since_s)
        while not stopped():
            began_s = monotonic()
            wake_s = self._wake_s()
            # With no time to wait for we go straight into recv(): one system call less per poll.
            if wake_s is not None and not self._readable(wake_s - began_s):
                self._time_passed(monotonic())
                continue
            data = stream.recv(4096)
            now_s = monotonic()
            if not data:
                self._finish()
                return
            self._feed(data, began_s, now_s)
            answered = (leaving or waiting) and self._go_on(now_s)
            if tcp is not None and not answered:  # a reply carries the ACK
                # QEMU sends a request byte by byte with Nagle on, so bytes 2..8 wait for our ACK of the first.
                # The kernel takes the option back by itself: set only once, every poll would cost 43 ms.
                tcp.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def _finish(self) -> None:
        """The peer sends no more, and may still listen: answer what it has asked; what is held is not a frame."""
        for event in self._parser.flush(math.inf):
            self._take(event, monotonic())
        give_up_s = monotonic() + LAST_WORD_S
        with suppress(OSError):  # it doesn't listen
            while self._leaving or self._waiting:
                wake_s = self._wake_s() or 0.0
                if wake_s > give_up_s or self._stop.wait(wake_s - monotonic()):
                    return
                self._go_on(monotonic())

    def _catch_up(self, since_s: float) -> None:
        """Read what a master said while it waited for its turn; of what is stale only the newest is answered."""
        while len(self._waiting) < MOST_WAITING and self._stop.readable(self._stream, 0.0):
            data = self._stream.recv(4096)
            if not data:
                break  # it is read again
            now_s = monotonic()
            self._looked_s = since_s
            self._feed(data, now_s, now_s)
            while len(self._waiting) > 1 and now_s - self._waiting[0][1] > self._timing.stale_s:
                self._drop_stale(self._waiting.popleft()[2])
        self._looked_s = monotonic()

    def _wake_s(self) -> float | None:
        """When something is to be done even if no byte comes; None: never."""
        if self._leaving:
            return self._burst_due_s
        if self._waiting:
            return self._waiting[0][0]  # nothing else is more urgent than a reply
        held_s, tick_s = self._parser.deadline_s, self._diagnosis.deadline_s
        if held_s is None or tick_s is None:
            return tick_s if held_s is None else held_s
        return min(held_s, tick_s)

    def _readable(self, wait_s: float) -> bool:
        """Whether bytes are there, now or within the wait."""
        full = len(self._waiting) >= MOST_WAITING
        return self._stop.readable(None if full else self._stream, max(wait_s, 0.0))

    def _time_passed(self, now_s: float) -> None:
        """No bytes came: send the reply that is due, give up the rest of a frame, look for what is wrong."""
        self._looked_s = now_s
        if self._leaving or self._waiting:
            self._go_on(now_s)
            return
        if self._parser.deadline_s is not None and self._parser.deadline_s <= now_s:
            for event in self._parser.flush(now_s):
                self._take(event, now_s)
        self._diagnosis.tick(now_s)

    def _feed(self, data: bytes, began_s: float, now_s: float) -> None:
        self.heard = True
        self._tally.bytes_in += len(data)
        if self._timing.half_duplex and self._is_driving(now_s):
            self._tally.lost_bytes += len(data)
            if self._witness is not None:
                self._witness.junk(Junk(data, UNHEARD))
            self._looked_s = now_s
            return
        if self._parser.deadline_s is not None:  # these bytes continue a request
            self._diagnosis.gap(now_s - self._looked_s)
        # Away for long (a slow answer, a busy host) and bytes there at once: perhaps as old as our last look.
        away = began_s - self._looked_s > self._timing.stale_s and now_s - began_s < AT_ONCE_S
        oldest_s = self._looked_s if away else now_s
        self._looked_s = now_s
        for event in self._parser.feed(data, now_s):
            self._take(event, oldest_s)

    def _is_driving(self, now_s: float) -> bool:
        """Whether the line is taken by what we send."""
        return bool(self._leaving) and now_s >= self._burst_due_s - self._leaving[0].driven_s

    def _take(self, event: Received | Junk, oldest_s: float) -> None:
        tally = self._tally
        if isinstance(event, Received) and type(event.request) is Malformed and event.raw in self._sent:
            event = Junk(event.raw, ECHOED)  # else each answer to an echo would be echoed in turn
        if isinstance(event, Received):
            function = event.request.function
            tally.requests[function] = tally.requests.get(function, 0) + 1
            self._diagnosis.request()
            due_s = event.at_s + self._timing.turnaround_s
            self._waiting.append((due_s, min(event.at_s, oldest_s), event))
        else:
            tally.junk_bytes += len(event.data)
            tally.bad_frames += event.bad_crc
            self._diagnosis.junk(event.data, bad_crc=event.bad_crc)
            if self._witness is not None:
                self._witness.junk(event)

    def _go_on(self, now_s: float) -> bool:
        """Send what is due; whether anything was sent.

        One burst or one reply only: before the next we look whether newer requests came meanwhile. A reply that has
        begun to leave is ended before another one begins.
        """
        if self._leaving:
            return self._burst_due_s <= now_s and self._send_burst(now_s)
        return self._waiting[0][0] <= now_s and self._reply(now_s)

    def _reply(self, now_s: float) -> bool:
        """Answer the oldest request; whether anything was sent."""
        _, arrived_s, received = self._waiting.popleft()
        tally = self._tally
        if self._waiting and now_s - arrived_s > self._timing.stale_s:
            self._drop_stale(received)
            return False
        if self._witness is not None:
            self._witness.asked(received)
        try:
            reply = self._answer(received.request)
        except Exception as error:
            tally.failures += 1
            self._diagnosis.once(type(error).__name__, f"bug: no answer to {received.request}: {error!r}")
            return False
        self._asked_s = received.at_s
        if isinstance(reply, Transmission):
            return self._begin(reply if self._pack is None else self._pack(received, reply), now_s)
        if reply is None:
            tally.silent += 1
            self._diagnosis.unanswered(received.request)
            return False
        if self._pack is not None:
            return self._begin(self._pack(received, reply), now_s)
        self._send(reply)  # in one piece: masters that frame by silence take each piece for a frame
        self._count(reply)
        return True

    def _drop_stale(self, received: Received) -> None:
        """Its master has given up and would take the reply for the next request's."""
        self._tally.stale += 1
        if self._witness is not None:
            self._witness.stale(received)

    def _begin(self, reply: Transmission, now_s: float) -> bool:
        """Line up a reply that leaves in bursts, and send the first if it is due; whether it was."""
        if not reply.bursts:
            return False
        self._leaving.extend(reply.bursts)
        self._burst_due_s = now_s + reply.bursts[0].after_s
        self._count(reply.frame)
        return self._burst_due_s <= now_s and self._send_burst(now_s)

    def _send_burst(self, now_s: float) -> bool:
        """Send the next burst; the silence behind it is kept even if it is late, time on the wire makes up for it."""
        data = self._leaving.popleft().data
        if self._leaving:
            behind = self._leaving[0]
            silence_s = behind.after_s - behind.driven_s
            self._burst_due_s = max(self._burst_due_s + behind.after_s, now_s + silence_s)
        self._send(data)
        return True

    def _send(self, data: bytes) -> None:
        self._stream.sendall(data)
        self._sent = self._sent[-MAX_FRAME:] + data
        self._tally.bytes_out += len(data)
        if not self._leaving:
            self._tally.latencies.add(monotonic() - self._asked_s)

    def _count(self, frame: bytes) -> None:
        if frame:
            self._tally.replies += 1
            self._tally.exceptions += frame[1] >> 7
