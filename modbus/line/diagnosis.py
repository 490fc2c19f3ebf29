"""What is wrong with a line, told from what happens on it.

Gets events (dialled, connected, junk, closed ...) with their times and says each finding once per connection,
or once per outage while there is none. Touches no socket and no clock. The symptoms are those met with QEMU
7.2 and reported by users of Espressif's fork.
"""

from collections.abc import Callable, Sequence

from modbus.codec.envelope import begins_request, begins_rtu
from modbus.codec.foreign import holds_ascii_frame, holds_http_request
from modbus.codec.requests import ALL_WRITES, ANY_UNIT, BROADCAST, Request, UnitIdRequest
from modbus.line.endpoint import Endpoint, ModbusTcpEndpoint, SerialEndpoint, TcpEndpoint, UnixEndpoint

SILENT_S = 10.0
WINDOW = 256  # bytes of junk looked at for text and telnet
TEXT_LEAST = 24  # shorter junk may look like text by chance
TEXT_SHARE = 0.9
TEXT_BYTES = frozenset(range(0x20, 0x7F)) | frozenset(b"\r\n\t\x1b")
# IAC WILL ECHO, IAC WILL SGA: QEMU's telnet chardev opens with these (qemu/qemu chardev/char-socket.c).
TELNET_OPENINGS = (b"\xff\xfb\x01", b"\xff\xfb\x03")
BAD_CRC_LEAST = 3  # one or two are noise
# Linux holds a delayed ACK back for 40 ms; the sender's Nagle algorithm then holds a request's 2nd byte as long.
DELAYED_ACK_S = (0.030, 0.070)
GAPS_LEAST = 3
STRANGERS_LEAST = 3  # one or two may be a scan
NO_ONES_OWN = {
    BROADCAST: "reads go to unit 0, the broadcast address, which nobody answers",
    ANY_UNIT: f"requests are for unit {ANY_UNIT}, the service address, which answers function 45 only",
}


class Diagnosis:
    """Findings about one line.

    Parameters
    ----------
    endpoint : Endpoint
        Named in the advice.
    say : callable
        Takes one line of text.
    units : callable
        Gives the ids of the units that answer on the line.

    Attributes
    ----------
    deadline_s : float or None
        When `tick` wants to be called next, on the caller's clock.
    """

    def __init__(
        self, endpoint: Endpoint, say: Callable[[str], None], units: Callable[[], Sequence[int]] = tuple
    ) -> None:
        self._endpoint = endpoint
        self._say = say
        self._units = units
        self._said_in_outage: set[str] = set()
        self._advised: set[str] = set()  # long advice is given once in a run
        self._reset_connection()

    def _reset_connection(self) -> None:
        self._said: set[str] = set()
        self._window = b""
        self._is_foreign = False  # whether the peer speaks no Modbus of ours
        self._junk_bytes = 0
        self._bad_crcs = 0
        self._gaps = 0
        self._requests = 0
        self._strangers: dict[int, int] = {}  # requests for each unit that isn't there
        self.deadline_s: float | None = None

    def once(self, kind: str, text: str) -> None:
        """Say it unless this kind was said on this connection."""
        if kind not in self._said:
            self._said.add(kind)
            self._say(text)

    def _once_in_outage(self, kind: str, text: str) -> None:
        if kind not in self._said_in_outage:
            self._said_in_outage.add(kind)
            self._say(text)

    # while there is no connection

    def refused(self) -> None:
        """Nobody listens where we dial, or no such port is plugged in."""
        if isinstance(self._endpoint, SerialEndpoint):
            self._once_in_outage(
                "refused", "not there yet, still looking; is the adapter plugged in, and the name right?"
            )
            return
        advice = self._advice("refused", f"; start QEMU with {self._qemu_option()}")
        self._once_in_outage("refused", f"nobody is listening yet, still dialling{advice}")

    def dial_failed(self, why: str) -> None:
        """The dial failed otherwise: no route, no such host, no answer."""
        self._once_in_outage(why, f"cannot connect, still trying: {why}")

    # while there is one

    def connected(self, now_s: float) -> None:
        """A connection stands."""
        # What was found out on one without a single good request isn't told again on the next: a master that is set up
        # wrongly comes back every few seconds.
        said = set() if self._requests else self._said
        self._reset_connection()
        self._said = said
        self.deadline_s = now_s + SILENT_S
        self._once_in_outage("connected", "connected")

    def request(self) -> None:
        """A good request came."""
        self._requests += 1
        self.deadline_s = None

    def unanswered(self, request: Request) -> None:
        """A request was left without an answer by all that are there."""
        unit, units = request.unit, self._units()
        if not units or unit in units or _deserves_silence(request):
            return
        self._strangers[unit] = self._strangers.get(unit, 0) + 1
        if self._strangers[unit] >= STRANGERS_LEAST:
            whose = NO_ONES_OWN.get(unit, f"requests are for unit {unit}")
            here = f"this is unit {units[0]}" if len(units) == 1 else f"here are units {_listed(units)}"
            self.once("unit", f"{whose}; {here}")

    def junk(self, data: bytes, *, bad_crc: bool) -> None:
        """Bytes came that belong to no request; ``bad_crc`` when they were shaped like one."""
        self._junk_bytes += len(data)
        self._window = (self._window + data)[-WINDOW:]
        if self._speaks_no_modbus_of_ours() or self._is_of_the_other_framing(data):
            return
        if any(opening in self._window for opening in TELNET_OPENINGS):
            self.once("telnet", "telnet negotiation instead of Modbus: use -serial tcp:... not telnet:...")
        if self._looks_like_text():
            sample = self._window[:40].decode("latin-1")
            self.once(
                "text",
                f"text instead of Modbus, this looks like a console: {sample!r}; are the UARTs swapped? "
                "The order of QEMU's -serial options is the UART number",
            )
        self._bad_crcs += bad_crc
        if self._bad_crcs >= BAD_CRC_LEAST:
            self.once(
                "crc",
                f"{self._bad_crcs} frames with a bad CRC so far, left unanswered as a device would; "
                "is the CRC's low byte sent first?",
            )

    def _speaks_no_modbus_of_ours(self) -> bool:
        """Whether the peer is a Modbus ASCII master or an HTTP client; it is told then."""
        if holds_ascii_frame(self._window):
            ours = "Modbus/TCP" if isinstance(self._endpoint, ModbusTcpEndpoint) else "RTU"
            self._is_foreign = True
            self.once("ascii", f"the master speaks Modbus ASCII; set it to {ours}")
        elif holds_http_request(self._window):
            self._is_foreign = True
            self.once(
                "http", "an HTTP client calls here, no Modbus master; the page is where serve --web says"
            )
        return self._is_foreign

    def _is_of_the_other_framing(self, data: bytes) -> bool:
        """Whether the junk is RTU where Modbus/TCP is spoken, or the other way round; it is told then."""
        if isinstance(self._endpoint, ModbusTcpEndpoint):
            if begins_rtu(data):
                here = str(self._endpoint).partition(":")[2]
                self.once(
                    "framing",
                    f"the master speaks RTU over TCP; choose Modbus/TCP in it, or serve --link listen:{here}",
                )
            return True  # what else is said of junk is about serial lines
        if not begins_request(data):
            return False
        self.once(
            "framing",
            "the master speaks Modbus/TCP; choose RTU over TCP in it, or serve --link modbus-tcp:HOST:PORT",
        )
        return True

    def _looks_like_text(self) -> bool:
        count = len(self._window)
        return count >= TEXT_LEAST and sum(byte in TEXT_BYTES for byte in self._window) >= TEXT_SHARE * count

    def gap(self, gap_s: float) -> None:
        """So much time passed between two pieces of one request."""
        shortest_s, longest_s = DELAYED_ACK_S
        if not isinstance(self._endpoint, TcpEndpoint) or not shortest_s <= gap_s <= longest_s:
            return
        self._gaps += 1
        if self._gaps >= GAPS_LEAST:
            self.once(
                "gaps",
                f"requests come in pieces {1e3 * gap_s:.0f} ms apart (Nagle's algorithm against delayed "
                "ACKs); that much is lost in every poll: add nodelay=on to QEMU's -serial tcp:...",
            )

    def tick(self, now_s: float) -> None:
        """Time passed; to be called at `deadline_s`."""
        if self.deadline_s is None or now_s < self.deadline_s:
            return
        self.deadline_s = None
        if self._said & {"ascii", "http", "framing", "text", "telnet"}:
            return  # that says more
        if self._junk_bytes:
            self.once(
                "no request",
                f"{self._junk_bytes} bytes in {SILENT_S:g} s but no good request among them, "
                f"they begin {self._window[:12].hex(' ')}",
            )
        elif "silent" not in self._said:
            advice = self._advice("silent", f": {self._silence()}")
            self.once("silent", f"connected but no request for {SILENT_S:g} s{advice}")

    def _advice(self, kind: str, text: str) -> str:
        """What to do about it, the first time; later the finding says enough."""
        if kind in self._advised:
            return ""
        if kind not in self._said_in_outage:
            self._advised.add(kind)
        return text

    def _silence(self) -> str:
        if isinstance(self._endpoint, SerialEndpoint):
            return f"does the master speak at {self._endpoint.baud} baud, 8N1? Are A and B, or RX and TX, swapped?"
        if isinstance(self._endpoint, ModbusTcpEndpoint):
            return "does the client poll?"
        return (
            "does another client hold the port (QEMU serves only one)? "
            "Is it the right -serial option (the third is UART2)? Is the guest halted?"
        )

    def closed(self, why: str, *, heard: bool) -> None:
        """The connection ended, by itself if no reason is known; ``heard`` when it had carried bytes to us."""
        if not why:
            why = "the port is gone" if isinstance(self._endpoint, SerialEndpoint) else "the peer closed"
        if not heard:
            self._once_in_outage("unheard", f"{why} before the first byte, trying again")
            return
        if self._requests:
            self._said_in_outage.clear()
        frames = f"frame{'s' * (self._bad_crcs != 1)}"
        crcs = f", {self._bad_crcs} {frames} with a bad CRC" if self._bad_crcs else ""
        if self._requests:
            self._say(f"{why} after {self._requests} request{'s' * (self._requests != 1)}{crcs}")
        else:
            self._once_in_outage("no requests", f"{why} after 0 requests{crcs}")

    def _qemu_option(self) -> str:
        if isinstance(self._endpoint, TcpEndpoint):
            where = str(self._endpoint).partition(":")[2]
            return f"-serial tcp:{where},server=on,wait=off,nodelay=on (the third -serial is UART2)"
        assert isinstance(self._endpoint, UnixEndpoint)
        return f"-serial unix:{self._endpoint.path},server=on,wait=off (the third -serial is UART2)"


def _deserves_silence(request: Request) -> bool:
    """Whether a request is for all units alike, of a kind that they obey without an answer."""
    if request.unit == BROADCAST:
        return request.function in ALL_WRITES
    return request.unit == ANY_UNIT and isinstance(request, UnitIdRequest)


def _listed(units: Sequence[int]) -> str:
    """``1, 2 and 3``."""
    *first, last = map(str, units)
    return f"{', '.join(first)} and {last}"
