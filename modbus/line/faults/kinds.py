"""What can happen to a reply on its way to the master: one small function each, by name.

A fault turns what is about to leave into what leaves, and knows nothing else: whether it strikes, and how long it
goes on, is for `modbus.line.faults.striking` to say. The order of the functions here is the order in which a reply
meets them, from the device outwards: what the device says wrong, what the wires do to it, whether anything comes at
all, what comes with it, in which pieces and when.

A docstring, the arguments and what the master sees are the row of the fault in `tracertwin faults` and docs/faults.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Final, NamedTuple

from numpy.random import Generator

from modbus.codec.replies import ExceptionReply
from modbus.codec.requests import LAST_UNIT, seal
from modbus.codec.uart import HIGHEST_BAUD, LOWEST_BAUD, levels, received, wired_and
from modbus.line.conversation import Burst
from plant.base.grammar import Parameter, Range, parameters_of

FUNCTIONS: Final = (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x10)
LONGEST_S: Final = 3600.0


class Leaving(NamedTuple):
    """What is about to leave in reply to a request."""

    request: bytes
    frame: bytes  # what the device said; empty if nothing, or if it has been lost
    bursts: tuple[Burst, ...]
    kept: bytes = b""  # of an earlier reply, to leave with the next


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A fault of the table."""

    name: str
    act: Callable[..., Leaving]
    meaning: str
    seen: str  # by the master
    lasts_s: float  # plant time that it goes on for once it has struck; 0: this request only
    deaf: bool  # whether the device doesn't hear the request either
    over_tcp: bool  # whether it makes sense on a link of Modbus/TCP, which has neither wires nor check sums
    parameters: dict[str, Parameter]


FAULTS: Final[dict[str, FaultKind]] = {}

Seconds = Annotated[float, Range(0.0, LONGEST_S)]
Count = Annotated[int, Range(1, 64)]
Baud = Annotated[int, Range(LOWEST_BAUD, HIGHEST_BAUD)]


def fault(
    seen: str, lasts_s: float = 0.0, deaf: bool = False, over_tcp: bool = False
) -> Callable[[Callable[..., Leaving]], Callable[..., Leaving]]:
    """Enter a function among the faults, under its own name."""

    def enter(act: Callable[..., Leaving]) -> Callable[..., Leaving]:
        name, meaning = act.__name__, (act.__doc__ or "").partition("\n")[0]
        FAULTS[name] = FaultKind(name, act, meaning, seen, lasts_s, deaf, over_tcp, parameters_of(act))
        return act

    return enter


def _each(leaving: Leaving, change: Callable[[bytes], bytes]) -> Leaving:
    """Other bytes in each burst; one without any doesn't leave."""
    changed = [burst._replace(data=change(burst.data)) for burst in leaving.bursts]
    return leaving._replace(bursts=tuple(burst for burst in changed if burst.data))


def _later(leaving: Leaving, by_s: float) -> Leaving:
    if not leaving.bursts:
        return leaving
    first, *rest = leaving.bursts
    return leaving._replace(bursts=(first._replace(after_s=first.after_s + by_s), *rest))


# --- what the device says wrong ---


@fault(seen="a Modbus exception without a reason", over_tcp=True)
def exception(leaving: Leaving, _chance: Generator, *, code: Annotated[int, Range(1, 255)] = 4) -> Leaving:
    """An exception instead of the reply."""
    unit, function = leaving.request[0], leaving.request[1] & 0x7F
    return _each(leaving, lambda _: ExceptionReply(unit, function, code).encode())


@fault(seen="a sound frame with another function code", over_tcp=True)
def wrong_function(leaving: Leaving, chance: Generator) -> Leaving:
    """The reply has the code of another function, and a valid CRC."""

    def change(data: bytes) -> bytes:
        others = [code for code in FUNCTIONS if code != data[1:2][0]]
        return seal(data[:1] + bytes([others[chance.integers(len(others))]]) + data[2:-2])

    return _each(leaving, lambda data: change(data) if len(data) >= 4 else data)


@fault(seen="a sound frame from a unit that was not asked", over_tcp=True)
def wrong_unit(leaving: Leaving, chance: Generator) -> Leaving:
    """The reply has another unit's id, and a CRC that fits."""

    def change(data: bytes) -> bytes:
        other = 1 + (data[0] - 1 + int(chance.integers(1, LAST_UNIT))) % LAST_UNIT
        return seal(bytes([other]) + data[1:-2])

    return _each(leaving, lambda data: change(data) if len(data) >= 4 else data)


# --- what the wires do to it ---


@fault(seen="a frame whose CRC is wrong")
def crc(leaving: Leaving, chance: Generator) -> Leaving:
    """The last two bytes are wrong; the rest is right."""

    def change(data: bytes) -> bytes:
        wrong = int(chance.integers(1, 0x10000)).to_bytes(2, "little")
        end = bytes(a ^ b for a, b in zip(data[-2:], wrong, strict=True))
        return data[:-2] + end

    return _each(leaving, lambda data: change(data) if len(data) >= 4 else data)


@fault(seen="a frame whose CRC is wrong")
def flip(leaving: Leaving, chance: Generator, *, bits: Count = 1) -> Leaving:
    """Bits of the reply are inverted."""

    def change(data: bytes) -> bytes:
        size = 8 * len(data)
        places = chance.choice(size, min(bits, size), replace=False)
        mask = sum(1 << int(place) for place in places)
        return (int.from_bytes(data, "little") ^ mask).to_bytes(len(data), "little")

    return _each(leaving, change)


@fault(seen="the beginning of a frame, then nothing", over_tcp=True)
def truncate(leaving: Leaving, chance: Generator, *, lost: Annotated[int, Range(0, 255)] = 0) -> Leaving:
    """The last bytes are missing: so many, or with 0 a random number of them; one at least is left."""

    def change(data: bytes) -> bytes:
        size = len(data)
        cut = lost or int(chance.integers(1, max(size, 2)))
        return data[: max(size - cut, 1)]

    return _each(leaving, change)


@fault(seen="garbage about as long as the reply")
def collision(leaving: Leaving, chance: Generator) -> Leaving:
    """Another unit replies at the same time, up to two characters later."""

    def change(data: bytes) -> bytes:
        other = seal(chance.bytes(max(len(data) - 2, 1)))
        late = [1] * int(chance.integers(20))
        return received(wired_and(levels(data), late + levels(other)))

    return _each(leaving, change)


@fault(seen="garbage of another length")
def wrong_baud(leaving: Leaving, _chance: Generator, *, sent: Baud = 115200, read: Baud = 9600) -> Leaving:
    """The master listens at another rate than the reply is sent at, and sees what its UART samples."""
    return _each(leaving, lambda data: received(levels(data), sent / read))


# --- whether anything comes at all ---


@fault(seen="nothing; a write has been carried out", over_tcp=True)
def drop(leaving: Leaving, _chance: Generator) -> Leaving:
    """The reply is lost."""
    return leaving._replace(frame=b"", bursts=())


@fault(seen="a single 00, a break, after each request", lasts_s=5.0, deaf=True)
def held_low(leaving: Leaving, _chance: Generator) -> Leaving:
    """The line is held low: nobody hears anybody, and a receiver that is switched on sees a break."""
    return leaving._replace(frame=b"", bursts=(Burst(0.0, b"\0"),))


@fault(seen="nothing; a write has not been carried out", lasts_s=20.0, deaf=True, over_tcp=True)
def dead(leaving: Leaving, _chance: Generator) -> Leaving:
    """The device neither hears nor answers."""
    return leaving._replace(frame=b"", bursts=())


# --- what comes with it ---


@fault(seen="stray bytes, then the frame")
def noise_before(leaving: Leaving, chance: Generator, *, count: Count = 3) -> Leaving:
    """Stray bytes before the reply, in one piece with it."""
    if not leaving.bursts:
        return leaving
    first, *rest = leaving.bursts
    return leaving._replace(bursts=(first._replace(data=chance.bytes(count) + first.data), *rest))


@fault(seen="the frame, then stray bytes")
def noise_after(leaving: Leaving, chance: Generator, *, count: Count = 3) -> Leaving:
    """Stray bytes behind the reply, in one piece with it."""
    if not leaving.bursts:
        return leaving
    *rest, last = leaving.bursts
    return leaving._replace(bursts=(*rest, last._replace(data=last.data + chance.bytes(count))))


@fault(seen="the frame, and later the same again", over_tcp=True)
def duplicate(leaving: Leaving, _chance: Generator, *, gap_s: Seconds = 0.02) -> Leaving:
    """The reply leaves twice."""
    if not leaving.bursts:
        return leaving
    first, *rest = leaving.bursts
    return leaving._replace(bursts=(*leaving.bursts, first._replace(after_s=gap_s), *rest))


@fault(seen="its own request, then the frame")
def echo(leaving: Leaving, _chance: Generator, *, gap_s: Seconds = 0.005) -> Leaving:
    """The request comes back before the reply, as from an RS-485 adapter whose receiver stays on."""
    return leaving._replace(bursts=(Burst(0.0, leaving.request), *_later(leaving, gap_s).bursts))


# --- in which pieces, and when ---


@fault(seen="the frame in pieces", over_tcp=True)
def split(
    leaving: Leaving, chance: Generator, *, parts: Annotated[int, Range(2, 64)] = 2, gap_s: Seconds = 0.02
) -> Leaving:
    """The reply leaves in pieces with gaps between."""

    def pieces(burst: Burst) -> list[Burst]:
        size = len(burst.data)
        most = min(parts, size) - 1
        cuts = sorted(chance.choice(size - 1, most, replace=False) + 1) if most > 0 else []
        ends = [0, *map(int, cuts), size]
        cut = [Burst(gap_s, burst.data[begin:end]) for begin, end in pairwise(ends)]
        return [cut[0]._replace(after_s=burst.after_s), *cut[1:]]

    return leaving._replace(bursts=tuple(piece for burst in leaving.bursts for piece in pieces(burst)))


@fault(seen="nothing; then two frames in one piece")
def merge(leaving: Leaving, _chance: Generator) -> Leaving:
    """The reply waits for the next one and leaves with it."""
    if leaving.kept:
        return leaving
    return leaving._replace(frame=b"", bursts=(), kept=b"".join(burst.data for burst in leaving.bursts))


@fault(seen="a slow reply", over_tcp=True)
def delay(leaving: Leaving, _chance: Generator, *, by_s: Seconds = 0.2) -> Leaving:
    """The reply leaves later."""
    return _later(leaving, by_s)


@fault(seen="replies with varying delay", over_tcp=True)
def jitter(leaving: Leaving, chance: Generator, *, most_s: Seconds = 0.05) -> Leaving:
    """The reply leaves later by anything up to so much."""
    return _later(leaving, most_s * float(chance.random()))


@fault(seen="nothing in time; then a reply to an earlier request", over_tcp=True)
def late(leaving: Leaving, _chance: Generator, *, by_s: Seconds = 1.5) -> Leaving:
    """The reply leaves after the master has given up, and keeps those behind it waiting."""
    return _later(leaving, by_s)
