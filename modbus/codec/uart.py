"""What a UART's receiver makes of a line: 8N1 as levels in time, sampled as receivers do.

Knows start bits, stop bits and two clocks that need not agree. Knows no frames.
"""

import math
from collections.abc import Sequence
from typing import Final

LOWEST_BAUD: Final = 300
HIGHEST_BAUD: Final = 4_000_000


def levels(data: bytes) -> list[int]:
    """The line while characters are sent back to back: a level for each bit, start bits 0, stop bits 1."""
    return [level for byte in data for level in (0, *(byte >> place & 1 for place in range(8)), 1)]


def wired_and(one: Sequence[int], other: Sequence[int]) -> list[int]:
    """The line that two drive at once: a 0 wins over a 1 (guess; real drivers fight), and both rest at 1."""
    size = max(len(one), len(other))
    return [a & b for a, b in zip(_resting(one, size), _resting(other, size), strict=True)]


def _resting(line: Sequence[int], size: int) -> list[int]:
    return [*line, *[1] * (size - len(line))]


def received(line: Sequence[int], bit: float = 1.0) -> bytes:
    """The characters that a receiver sees.

    Parameters
    ----------
    line : sequence of int
        Level during each bit of the sender; 1 before and after.
    bit : float
        Length of the receiver's bit over that of the sender's: 2 when it listens at half the rate.

    Returns
    -------
    bytes
        At most one for each falling edge of the line.

    Notes
    -----
    A falling edge starts a character if the line is still low half a bit later. Its bits are sampled in their middles.
    A character whose stop bit is low (a framing error) is given out like any other, as most drivers do; then the
    receiver waits for the line to rise, so a line that stays low is a single 0, which is a break. The 16550 differs: it
    takes the bad stop bit for the next start bit.
    """
    found = bytearray()
    at = 0.0
    while (edge := _next_edge(line, at)) is not None:
        if _level(line, edge + 0.5 * bit):
            at = edge + 0.5 * bit
            continue
        found.append(sum(_level(line, edge + (place + 1.5) * bit) << place for place in range(8)))
        at = edge + 9.5 * bit
    return bytes(found)


def _level(line: Sequence[int], at: float) -> int:
    place = int(at)
    return line[place] if place < len(line) else 1


def _next_edge(line: Sequence[int], at: float) -> int | None:
    """The first bit from a moment on that is low behind one that is high."""
    for place in range(math.ceil(at), len(line)):
        if not line[place] and (place == 0 or line[place - 1]):
            return place
    return None
