"""A link that speaks Modbus/TCP: several clients at once, each answered as on a line of its own.

Every client has a thread with a plain blocking loop, as a line has. What is said on a connection is in
`modbus.line.conversation`; only the packing of frames is another.
"""

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, Self

from modbus.codec.envelope import enveloped
from modbus.codec.mbap import MbapParser
from modbus.codec.parser import Junk, Received
from modbus.codec.requests import Request
from modbus.line.conversation import (
    STALE_S,
    TURNAROUND_S,
    Answer,
    Burst,
    Conversation,
    Framing,
    LineStats,
    Timing,
    Transmission,
    Witness,
)
from modbus.line.diagnosis import Diagnosis
from modbus.line.endpoint import LinkError, ModbusTcpEndpoint, close_listener, listen
from modbus.line.link import make_prompt
from modbus.line.linkthread import LinkThread
from modbus.line.stopsignal import StopSignal
from modbus.line.stream import Listener, Stream

MOST_CLIENTS: Final = 16
LOOK_AGAIN_S: Final = 0.05


def pack(received: Received, reply: bytes | Transmission) -> Transmission:
    """A reply in the envelope of its request."""
    if not isinstance(reply, Transmission):
        reply = Transmission(reply, (Burst(0.0, reply),))
    assert received.transaction is not None, "it came by Modbus/TCP"
    pieces = enveloped(received.transaction, reply.frame, [burst.data for burst in reply.bursts])
    bursts, late_s = [], 0.0
    for burst, data in zip(reply.bursts, pieces, strict=True):
        late_s += burst.after_s
        if data:
            bursts.append(burst._replace(after_s=late_s, data=data))
            late_s = 0.0
    return reply._replace(bursts=tuple(bursts))


MBAP: Final = Framing(MbapParser, pack)


class ModbusTcpServer(LinkThread):
    """A link for clients that speak Modbus/TCP; used as a `Line` is.

    Parameters
    ----------
    endpoint : ModbusTcpEndpoint
    answer, turnaround_s, stale_s, half_duplex, log, name, once, witness, units
        As of `modbus.line.link.Line`. `answer` and `witness` are called for one client at a time; the latter is told
        of each client's coming and going. `once`: end when all have gone, one of them having said something.
    """

    def __init__(
        self,
        endpoint: ModbusTcpEndpoint,
        answer: Answer,
        *,
        turnaround_s: float = TURNAROUND_S,
        stale_s: float = STALE_S,
        half_duplex: bool = False,
        log: Callable[[str], None],
        name: str | None = None,
        once: bool = False,
        witness: Witness | None = None,
        units: Callable[[], Sequence[int]] = tuple,
    ) -> None:
        super().__init__(endpoint, log, name)
        self._answer = answer
        self._timing = Timing(turnaround_s, stale_s, half_duplex)
        self._once = once
        self._witness = witness
        self._units = units
        self._turn = threading.Lock()  # of the clients: an answer belongs to the request that was told last
        self._said: set[str] = set()
        self._lock = threading.Lock()  # of the one above and the three below
        self._clients: dict[threading.Thread, tuple[Stream, LineStats]] = {}
        self._past = LineStats()  # of clients that have gone
        self._heard = False
        self._is_full = False  # whether a client was sent away and none has found a place since
        self._listener: Listener | None = None
        self._stop = StopSignal()

    @property
    def stats(self) -> LineStats:
        """The counts of all clients together."""
        with self._lock:
            tallies = [self._past, *(tally for _, tally in self._clients.values())]
        return sum(tallies, LineStats())

    @property
    def is_connected(self) -> bool:
        """Whether a client is there."""
        return bool(self._clients)

    def start(self) -> Self:
        """Open the port, then serve in threads; `endpoint` has the real port from then on.

        Raises
        ------
        LinkError
            When the port can't be had.
        """
        try:
            self._listener, self.endpoint = listen(self.endpoint)
        except LinkError:
            self._stop.close()
            raise
        self._say("waiting for clients")
        self._thread = threading.Thread(target=self._run, name=f"link {self.endpoint}", daemon=True)
        self._thread.start()
        return self

    def finish(self) -> None:
        """Have it end after the reply that is about to leave, if one is; from any thread, its own too."""
        self._stop.set()

    def stop(self, timeout_s: float = 1.0) -> bool:
        """End the link and close its sockets; whether that was done in time."""
        give_up_s = monotonic() + timeout_s
        self._stop.set()
        ended = self.wait(timeout_s)
        clients = dict(self._clients)
        for stream, _ in clients.values():
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)  # wakes a recv() or send() that blocks in the other thread
        for thread in clients:
            thread.join(max(give_up_s - monotonic(), 0.0))
            ended = ended and not thread.is_alive()
        if ended:
            self._stop.close()
        return ended

    def _say_once(self, text: str) -> None:
        """What was found out about one client, whatever its numbers: others come and go, some for each poll."""
        kind = re.sub(r"\d+", "", text)
        with self._lock:
            is_new = kind not in self._said
            self._said.add(kind)
        if is_new:
            self._say(text)

    def _run(self) -> None:
        assert self._listener is not None
        while not self._is_over() and not self._stop.is_set():
            if not self._stop.readable(self._listener, LOOK_AGAIN_S if self._once else None):
                continue
            try:
                stream, _ = self._listener.accept()
            except OSError as error:  # it left at once, or no file descriptor is free
                self._say(error.strerror or str(error))
                self._stop.wait(LOOK_AGAIN_S)
                continue
            self._admit(stream)
        close_listener(self._listener, self.endpoint)

    def _is_over(self) -> bool:
        with self._lock:
            return self._once and self._heard and not self._clients

    def _admit(self, stream: Stream) -> None:
        if len(self._clients) >= MOST_CLIENTS:
            if not self._is_full:
                self._is_full = True
                self._say(f"a client was sent away: {MOST_CLIENTS} are here already")
            stream.close()  # last: whoever sees it end finds the reason written
            return
        self._is_full = False
        tally = LineStats(connects=1)
        thread = threading.Thread(
            target=self._serve, args=(stream, tally), name="Modbus/TCP client", daemon=True
        )
        with self._lock:
            self._clients[thread] = (stream, tally)
        thread.start()

    def _serve(self, stream: Stream, tally: LineStats) -> None:
        client = _Client(self._answer, self._turn, self._witness)
        diagnosis = Diagnosis(self.endpoint, self._say_once, self._units)
        witness = None if self._witness is None else client
        conversation = Conversation(
            stream, client.answer, self._timing, tally, diagnosis, self._stop, witness, framing=MBAP
        )
        client.connected()
        why = ""
        with stream:
            try:
                make_prompt(stream)
                conversation.run()
            except OSError as error:
                why = f"connection lost ({error.strerror or error})"
        client.closed()
        if not self._stop.is_set():
            diagnosis.closed(why, heard=conversation.heard)
        with self._lock:
            self._heard = self._heard or conversation.heard
            self._past += tally
            del self._clients[threading.current_thread()]


class _Client:
    """What one client is answered, and what is told of it: a `Witness` that keeps the turns of several apart."""

    def __init__(self, answer: Answer, turn: threading.Lock, witness: Witness | None) -> None:
        self._answer = answer
        self._turn = turn
        self._witness = witness
        self._asked: Received | None = None

    def answer(self, request: Request) -> bytes | Transmission | None:
        """Answer, after telling the witness of the request: so the two stay together."""
        with self._turn:
            if self._witness is not None and self._asked is not None:
                self._witness.asked(self._asked)
            return self._answer(request)

    def asked(self, received: Received) -> None:
        self._asked = received

    def connected(self) -> None:
        if self._witness is not None:
            self._witness.connected()

    def closed(self) -> None:
        if self._witness is not None:
            self._witness.closed()

    def stale(self, received: Received) -> None:
        if self._witness is not None:
            self._witness.stale(received)

    def junk(self, junk: Junk) -> None:
        if self._witness is not None:
            self._witness.junk(junk)
