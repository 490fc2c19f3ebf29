"""A stream of bytes in, requests or junk out; every byte comes out in exactly one event.

Knows how frames follow one another on a line, and what a line does to them. Knows no socket and no clock;
times come with the bytes.

A line under an emulator has no silence between frames that could be trusted: with QEMU's default socket (no
``nodelay=on``, qemu/qemu chardev/char-socket.c) the first byte of a request comes alone and the rest 40 to
48 ms later. So a request is where its length and its CRC say it is. Ways the line goes wrong, each with a
test: bytes one at a time, two requests at once, rubbish before, between and after, a request cut off in the
middle, a long request whose payload contains a short one, replies of other devices on the same RS-485 pair.

What length and CRC cannot tell apart:

- The reply to 05 and 06 *is* the request. An adapter that echoes what we send makes the Tracer write again.
- Replies of other devices that have eight bytes: 01 and 02 with 17 to 24 bits, vendor 43 with one register.
- Replies of other devices to functions that are not known here look like requests with that function.
- A request that lost only its last CRC byte, and within the hold another whose unit id is that very byte: the
  first is whole then, and is heard; the second, without its unit id, is lost.
- A CRC has 16 bits: of noise in the form of a request, one in 65536 is taken for one. A request with unknown
  function may be of any length, so one burst of noise in 65536 becomes one at each of up to 253 lengths.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from modbus.codec.envelope import begins_request
from modbus.codec.requests import MAX_FRAME, Request, crc16, decode_request, is_unknown, request_size, seal

TCP: Final = "a Modbus/TCP frame, not one of RTU"


@dataclass(frozen=True, slots=True)
class Received:
    """A request: what it says, its bytes as RTU has them, when the last came, and its number if it came by TCP."""

    request: Request
    raw: bytes
    at_s: float
    transaction: int | None = None


@dataclass(frozen=True, slots=True)
class Junk:
    """Bytes that are no request, at most 256 of them, and why the first of them begins none."""

    data: bytes
    why: str
    bad_crc: bool = False  # it has the form of a request


class RequestParser:
    """Cuts a stream of bytes into requests and junk.

    Each position in turn is asked whether a request starts there: no, by its form or its CRC (slide one
    byte); yes; or not to be told yet, and then the parser waits. Waiting for a request of fixed length, or
    for the seven bytes that show the form of a long one, is over before a good request behind is complete.
    Only a long request that is plausible (the byte count of a write fits its count of registers) delays those
    behind it, until it is complete or the line has been quiet for `hold_s`. That is what keeps a short
    request inside the payload of a long one from being heard.

    `feed` never gives up: what it returns depends on the bytes alone, not on how they are cut or when they
    come, since bytes that wait in a socket while the host stalls are not silence. `flush` gives up.

    Silence also tells what length cannot: all that came since a frame or silence is a `Malformed` request if its CRC
    is good and the line has been quiet for `silence_s`. Behind other bytes, or before them, it is junk.

    A request with an unknown function has no length. It is looked for only behind a frame or behind quiet,
    and ends where its CRC first fits. A known request that starts inside it goes before it, so it waits until
    none can: it comes at once as a rule, after `hold_s` if its tail looks like the head of something. Its
    last byte is not looked at in this way, since any byte may be the unit of another request; so noise that
    passes for an unknown request (one burst in 65536) can cost the good request behind it its first byte.

    Parameters
    ----------
    hold_s : float
        Quiet on the line after which an unfinished request is given up [s]. With the pieces of a request 40
        to 48 ms apart (see above), holds of 2, 5 and 20 ms lost 15 of 30 polls, 100 ms none.
    silence_s : float
        Quiet behind bytes with a good CRC after which they are a frame, whatever their form [s]. A piece of a request
        has a good CRC only by chance, once in 65536, so this may be shorter.

    Notes
    -----
    Between calls at most 510 bytes are held: 255 that start nothing, and 255 of an unfinished frame.
    """

    def __init__(self, hold_s: float = 0.1, silence_s: float = 0.02) -> None:
        self._hold_s = hold_s
        self._silence_s = silence_s
        self._sealed = False  # whether all that is held has a good CRC and begins where a frame may
        self._held = bytearray()
        self._arrived_s: list[float] = []  # one for each byte held
        self._at = 0  # held[:_at] start no known request
        self._crc: int | None = 0xFFFF  # of held[:_at]; None when no frame can begin at held[0]

    @property
    def deadline_s(self) -> float | None:
        """When to call `flush` if nothing comes before; None when nothing is held."""
        if not self._held:
            return None
        return self._arrived_s[-1] + (self._silence_s if self._sealed else self._hold_s)

    def feed(self, data: bytes, now_s: float) -> list[Received | Junk]:
        """What `data`, arrived at `now_s` on any clock, makes known."""
        if not self._held and len(data) <= MAX_FRAME and (request := _whole_request(data)) is not None:
            return [Received(request, data, now_s)]
        events: list[Received | Junk] = []
        for begin in range(0, len(data), MAX_FRAME):  # in slices: the buffer stays small whatever comes
            piece = data[begin : begin + MAX_FRAME]
            self._held += piece
            self._arrived_s += [now_s] * len(piece)
            self._resolve(events, quiet=False)
        self._sealed = self._is_sealed()
        return events

    def flush(self, now_s: float) -> list[Received | Junk]:
        """What becomes known because the line has been quiet until `now_s`; nothing before `deadline_s`."""
        events: list[Received | Junk] = []
        if self.deadline_s is None or now_s < self.deadline_s:
            return events
        if self._sealed:
            self._sealed = False
            self._deliver(len(self._held), events)
            return events
        self._resolve(events, quiet=True)
        self._drop_as_junk(len(self._held), events, clean=True)
        return events

    def _is_sealed(self) -> bool:
        size = len(self._held)
        return (
            self._crc is not None and 4 <= size <= MAX_FRAME and crc16(self._held[self._at :], self._crc) == 0
        )

    def _resolve(self, events: list[Received | Junk], quiet: bool) -> None:
        """Decide position after position, until more bytes are needed and may still come."""
        held = self._held
        while self._at < len(held):
            if self._ends_unknown():
                self._deliver(self._at + 1, events)
                continue
            size = request_size(bytes(held[self._at : self._at + 7]))
            end = self._at + (size or 0)
            if size and end > len(held):
                if not quiet:
                    return
            elif size and crc16(held[self._at : end]) == 0:
                self._drop_as_junk(self._at, events, clean=True)
                self._deliver(size, events)
                continue
            self._slide()
            if self._at == MAX_FRAME:
                self._drop_as_junk(MAX_FRAME, events, clean=False)

    def _ends_unknown(self) -> bool:
        """Whether the bytes up to and with the present one are a request with an unknown function."""
        if self._crc is None or self._at < 3 or crc16(self._held[self._at : self._at + 1], self._crc) != 0:
            return False
        return is_unknown(self._held[1])

    def _slide(self) -> None:
        """No known request starts at the present position."""
        if self._crc is not None:
            self._crc = crc16(self._held[self._at : self._at + 1], self._crc)
        self._at += 1

    def _deliver(self, size: int, events: list[Received | Junk]) -> None:
        """The first `size` bytes are a request."""
        raw = bytes(self._held[:size])
        events.append(Received(decode_request(raw), raw, self._arrived_s[size - 1]))
        self._begin_anew(size, clean=True)

    def _drop_as_junk(self, size: int, events: list[Received | Junk], clean: bool) -> None:
        """The first `size` bytes are junk; `clean`: a frame may begin behind them."""
        if size:
            data = bytes(self._held[:size])
            events.append(_junk(data))
        self._begin_anew(size, clean)

    def _begin_anew(self, used: int, clean: bool) -> None:
        del self._held[:used], self._arrived_s[:used]
        self._at = 0
        self._crc = 0xFFFF if clean else None


@lru_cache(maxsize=256)
def _whole_request(data: bytes) -> Request | None:
    """The known request that `data` is, no more and no less, if it is one.

    A master sends the same few requests over and over: remembered, they cost a tenth.
    """
    return decode_request(data) if request_size(data) == len(data) and crc16(data) == 0 else None


def _junk(data: bytes) -> Junk:
    if begins_request(data):
        return Junk(data, TCP)
    size = request_size(data)
    if size is None:
        return Junk(data, "not the beginning of a request")
    if size > len(data):
        return Junk(data, f"cut off: expected {size} bytes or more, got {len(data)}")
    expected, got = seal(data[: size - 2])[-2:], data[size - 2 : size]
    return Junk(data, f"bad CRC: expected {expected.hex(' ')}, got {got.hex(' ')}", bad_crc=True)
