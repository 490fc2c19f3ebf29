"""Several controllers on one pair of wires: who answers a request, and what the wires carry when two do.

On RS-485 every unit hears every request. With distinct ids at most one answers; two units of the same id, or the
service address of function 45 among several, answer at the same moment, and the master gets neither reply whole.
"""

from collections.abc import Callable, Sequence
from functools import reduce

from modbus.codec.requests import Request
from modbus.codec.uart import levels, received, wired_and
from modbus.device.tracer import Tracer


class MultidropBus:
    """Answers as all units together do.

    Parameters
    ----------
    tracers : sequence of Tracer
    warn : callable
        Told in a line of text when replies collide, once for each unit id asked.
    """

    def __init__(self, tracers: Sequence[Tracer], warn: Callable[[str], None]) -> None:
        self._tracers = tuple(tracers)
        self._warn = warn
        self._warned: set[int] = set()

    def answer(self, request: Request) -> bytes | None:
        """What the wires carry after a request, None for silence."""
        replies = [reply for tracer in self._tracers if (reply := tracer.answer(request)) is not None]
        if len(replies) > 1:
            self._tell(request.unit, len(replies))
            return collided(replies)
        return replies[0] if replies else None

    def _tell(self, unit: int, count: int) -> None:
        if unit not in self._warned:
            self._warned.add(unit)
            self._warn(f"collision: {count} units answer to id {unit}; the replies are unreadable")


def collided(replies: Sequence[bytes]) -> bytes:
    """What is received of replies sent at the same moment."""
    return received(reduce(wired_and, map(levels, replies)))
