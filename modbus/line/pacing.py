"""How fast bytes leave: in pieces with gaps, for emulators that record; or as a UART at some rate sends them.

The last thing that happens to a reply. Knows bytes and times, no frames.
"""

import math
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from modbus.codec.requests import Request
from modbus.codec.uart import HIGHEST_BAUD, LOWEST_BAUD
from modbus.line.conversation import Answer, Burst, Transmission
from plant.base.clock import parse_duration_s

BITS: Final = 10  # of a character: start, eight data bits, stop
LEAST_GAP_S: Final = 0.001  # shorter waits are not kept on a busy machine, and each piece costs a system call
MOST_BYTES: Final = 4096
LONGEST_S: Final = 60.0


class Pace(NamedTuple):
    """Pieces of so many bytes, so long apart."""

    size: int
    gap_s: float
    byte_s: float = 0.0  # time that a byte takes on the wire; a piece leaves when its last byte has come

    def bursts(self, burst: Burst) -> Iterator[Burst]:
        """The pieces of a burst."""
        after_s = burst.after_s
        for begin in range(0, len(burst.data), self.size):
            data = burst.data[begin : begin + self.size]
            wire_s = self.byte_s * len(data)
            gap_s = self.gap_s if begin else 0.0
            yield Burst(after_s + gap_s + wire_s, data, wire_s)
            after_s = 0.0

    def paced(self, reply: bytes | Transmission | None) -> bytes | Transmission | None:
        """A reply in pieces."""
        if reply is None:
            return None
        if not isinstance(reply, Transmission):
            reply = Transmission(reply, (Burst(0.0, reply),))
        return reply._replace(bursts=tuple(piece for burst in reply.bursts for piece in self.bursts(burst)))

    def after(self, answer: Answer) -> Answer:
        """Answers whose replies leave at this pace."""

        def answer_paced(request: Request) -> bytes | Transmission | None:
            return self.paced(answer(request))

        return answer_paced


def parse_pace(text: str) -> Pace:
    """``8/2ms`` -> 8 bytes each 2 ms; ``9600`` -> as a UART at 9600 baud, 10 bits a byte.

    Raises
    ------
    ValueError
        Saying what would do.
    """
    if re.fullmatch(r"[0-9]{1,9}", text):
        baud = int(text)
        if LOWEST_BAUD <= baud <= HIGHEST_BAUD:
            byte_s = BITS / baud
            return Pace(max(1, math.ceil(LEAST_GAP_S / byte_s)), 0.0, byte_s)
        raise ValueError(f"{text!r}: a baud rate must lie in {LOWEST_BAUD}..{HIGHEST_BAUD}")
    size, slash, gap = text.partition("/")
    if slash and re.fullmatch(r"[0-9]{1,5}", size) and 1 <= int(size) <= MOST_BYTES:
        gap_s = parse_duration_s(gap)
        if 0.0 < gap_s <= LONGEST_S:
            return Pace(int(size), gap_s)
    raise ValueError(
        f"{text!r} is not a valid pace; write 8/2ms for 8 bytes every 2 ms, or 9600 for a UART at that rate"
    )
