"""Modbus/TCP requests out of a stream of bytes; every byte comes out in exactly one event.

Knows no socket and no clock; times come with the bytes. What a frame is like: `modbus.codec.envelope`.
"""

from typing import Final

from modbus.codec.envelope import LONGEST, PREFIX, begins_rtu, fits, frame_size
from modbus.codec.parser import Junk, Received
from modbus.codec.requests import decode_request, seal

MOST_JUNK: Final = 256  # bytes in a piece
APART_S: Final = 0.1  # between the pieces of one frame there is less
RTU: Final = "an RTU frame, not one of Modbus/TCP"


class MbapParser:
    """Cuts a stream of bytes into Modbus/TCP requests and junk; to be used as `RequestParser` is.

    Where frames follow one another, a header is believed whatever its request is like: one that makes no sense is to
    be answered by an exception. Behind junk nothing says where a frame begins. There only headers count whose length
    is that of the known request behind them, until one has been found or the line has been quiet for `hold_s`.

    Parameters
    ----------
    hold_s : float
        Quiet after which the beginning of a frame is given up [s]. TCP may bring the rest late.

    Notes
    -----
    Between calls at most 515 bytes are held.
    """

    def __init__(self, hold_s: float = 1.0) -> None:
        self._hold_s = hold_s
        self._held = bytearray()
        self._at = 0  # held[:_at] are junk
        self._last_s = 0.0  # when the last byte came
        self._follows = True  # whether a frame may begin at held[0] for certain

    @property
    def deadline_s(self) -> float | None:
        """When to call `flush` if nothing comes before; None when nothing is held."""
        return self._last_s + self._hold_s if self._held else None

    def feed(self, data: bytes, now_s: float) -> list[Received | Junk]:
        """What `data`, arrived at `now_s` on any clock, makes known."""
        events: list[Received | Junk] = []
        if now_s - self._last_s > APART_S and begins_rtu(bytes(self._held)):
            self._give_up(events)  # a master that speaks RTU is told frame by frame
        self._last_s = now_s
        for begin in range(0, len(data), MOST_JUNK):
            self._held += data[begin : begin + MOST_JUNK]
            self._resolve(events, quiet=False)
        return events

    def flush(self, now_s: float) -> list[Received | Junk]:
        """What becomes known because the line has been quiet until `now_s`; nothing before `deadline_s`."""
        events: list[Received | Junk] = []
        if self.deadline_s is not None and now_s >= self.deadline_s:
            self._give_up(events)
        return events

    def _give_up(self, events: list[Received | Junk]) -> None:
        """What is held is all that comes of it."""
        self._resolve(events, quiet=True)
        self._drop(events)
        self._follows = True

    def _resolve(self, events: list[Received | Junk], quiet: bool) -> None:
        while self._at < len(self._held):
            head = bytes(self._held[self._at : self._at + PREFIX + LONGEST])
            size = frame_size(head)
            if size is not None and not (self._follows and self._at == 0):
                size = size if self._is_likely(head, size) else None
            if size is None or (size > len(head) and quiet):
                self._at += 1
                if self._at == MOST_JUNK:
                    self._drop(events)
                continue
            if size > len(head):
                return
            self._deliver(head[:size], events)
        if self._at and quiet:
            self._drop(events)

    @staticmethod
    def _is_likely(head: bytes, size: int) -> bool:
        return len(head) <= PREFIX or fits(head[PREFIX:size], size - PREFIX)

    def _deliver(self, data: bytes, events: list[Received | Junk]) -> None:
        self._drop(events)
        raw = seal(data[PREFIX:])
        events.append(Received(decode_request(raw), raw, self._last_s, int.from_bytes(data[:2], "big")))
        del self._held[: len(data)]
        self._follows = True

    def _drop(self, events: list[Received | Junk]) -> None:
        if self._at:
            data = bytes(self._held[: self._at])
            events.append(Junk(data, RTU if begins_rtu(data) else "no Modbus/TCP frame begins so"))
            del self._held[: self._at]
            self._at = 0
            self._follows = False
