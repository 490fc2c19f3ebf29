"""A mock of the emulator and the firmware in it: what the other end of the line looks like.

Listens as QEMU's ``-serial tcp:127.0.0.1:PORT,server=on,wait=off`` does, serves one client, and polls the
registers that UART2 firmware reads, one request each, byte by byte with Nagle's algorithm on, since that is
what QEMU makes of a guest's UART (qemu/qemu chardev/char-socket.c). Knows the ``uart2`` register map by
heart, as the firmware does.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import monotonic
from typing import Self

from modbus.codec.functions import READ_INPUTS
from modbus.codec.replies import BadReply, WordsReply
from modbus.codec.requests import ReadWords
from modbus.line.endpoint import LinkError, TcpEndpoint, listen
from modbus.line.stopsignal import StopSignal
from modbus.master.client import Master, NoReplyError


@dataclass(frozen=True, slots=True, kw_only=True)
class PollRound:
    """What the firmware knows after one round of polls. None: that poll got no good answer."""

    v_pv_v: float | None = None
    i_pv_a: float | None = None
    v_batt_v: float | None = None
    v_load_v: float | None = None
    i_load_a: float | None = None
    p_load_w: float | None = None
    t_batt_c: float | None = None
    soc: float | None = None  # 0..1
    stage: float | None = None  # 0 none, 1 float, 2 boost, 3 equalize
    generated_today_kwh: float | None = None
    generated_total_kwh: float | None = None
    consumed_today_kwh: float | None = None
    consumed_total_kwh: float | None = None
    day: float | None = None  # 1 by day while charging is active, else 0


def _hundredths(words: tuple[int, ...]) -> float:
    return words[0] / 100


def _signed_hundredths(words: tuple[int, ...]) -> float:
    return (words[0] - (words[0] >> 15 << 16)) / 100


def _long_hundredths(words: tuple[int, ...]) -> float:
    return (words[0] + (words[1] << 16)) / 100  # low word first (V26 protocol document)


@dataclass(frozen=True, slots=True)
class Poll:
    """One request of the round and what its words mean."""

    name: str
    address: int
    count: int
    decode: Callable[[tuple[int, ...]], float]


POLLS = (
    Poll("v_pv_v", 0x3100, 1, _hundredths),
    Poll("i_pv_a", 0x3101, 1, _hundredths),
    Poll("v_batt_v", 0x3104, 1, _hundredths),
    Poll("v_load_v", 0x310C, 1, _hundredths),
    Poll("i_load_a", 0x310D, 1, _hundredths),
    Poll("p_load_w", 0x310E, 1, _hundredths),
    Poll("t_batt_c", 0x3110, 1, _signed_hundredths),
    Poll("soc", 0x311A, 1, _hundredths),
    Poll("stage", 0x3200, 1, lambda words: words[0] >> 2 & 3),
    Poll("generated_today_kwh", 0x3300, 2, _long_hundredths),
    Poll("generated_total_kwh", 0x3302, 2, _long_hundredths),
    Poll("consumed_today_kwh", 0x3304, 2, _long_hundredths),
    Poll("consumed_total_kwh", 0x3306, 2, _long_hundredths),
    Poll("day", 0x200C, 1, lambda words: words[0] >> 3 & 1),
)


class MockFirmware:
    """Emulator and firmware, as the device sees them.

    Parameters
    ----------
    port : int
        On ``host``; 0 takes any free one, see `endpoint`.
    period_s : float
        From the beginning of one round of polls to the next [s]; 0: without pause.
    timeout_s : float
        Wait for each reply [s]. As the firmware does, a poll without one is not asked again in the same
        round.

    Raises
    ------
    LinkError
        When the port is taken.
    """

    def __init__(
        self, port: int = 0, *, host: str = "127.0.0.1", period_s: float = 1.0, timeout_s: float = 0.5
    ) -> None:
        self._listener, opened = listen(TcpEndpoint(host, port, listens=True))
        assert isinstance(opened, TcpEndpoint)
        self.endpoint = replace(opened, listens=False)  # what a line has to dial
        self.period_s = period_s
        self.timeout_s = timeout_s
        self._stop = StopSignal()

    def rounds(self) -> Iterator[PollRound]:
        """What each round of polls read from whoever dials in; ends after `stop`."""
        while not self._stop.is_set():
            if not self._stop.readable(self._listener, None):
                return
            sock, _ = self._listener.accept()
            with Master(sock, bytewise=True) as master, contextlib.suppress(LinkError):
                # LinkError: the client has left. The firmware does not notice, and the next client may call.
                while not self._stop.is_set():
                    began_s = monotonic()
                    yield self._round(master)
                    self._stop.wait(began_s + self.period_s - monotonic())

    def _round(self, master: Master) -> PollRound:
        values: dict[str, float] = {}
        for poll in POLLS:
            with contextlib.suppress(NoReplyError, BadReply):
                reply = master.ask(ReadWords(1, READ_INPUTS, poll.address, poll.count), self.timeout_s)
                if isinstance(reply, WordsReply):
                    values[poll.name] = poll.decode(reply.words)
        return PollRound(**values)

    def stop(self) -> None:
        """End `rounds`; from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Give the port back; after `rounds` has ended."""
        self.stop()
        self._listener.close()
        self._stop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
