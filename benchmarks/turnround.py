"""Turn-round: from the request's first byte sent to the reply's last byte read, over loopback."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Final

from benchmarks.responders import PYMODBUS, Missing, Responder, greet, in_c, on_one_core, ours, poll, pymodbus
from benchmarks.table import Result

ROUNDS: Final = 10  # the responders take turns, so that a busy moment of the machine meets all of them
POLLS: Final = 2000  # in each round
WHAT: Final = "turn-round, 8 registers"
HOW: Final = (
    "FC04 over loopback, delay 0, our plant at 1000x; one client meets all in turns and shares a core with "
    "them, as waking another core can take longer than answering, whoever answers"
)


def run() -> Iterator[Result]:
    """Median and 99.9th percentile of ours beside pymodbus's, and the median beside C's."""
    took_us: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    with on_one_core(), ExitStack() as stack:
        sockets = {}
        for name, make in _makers(stack).items():
            try:
                _, sockets[name] = stack.enter_context(make().connected())
            except Missing as reason:
                missing[name] = str(reason)
        for sock in sockets.values():
            greet(sock)
        for _ in range(ROUNDS):
            for name, sock in sockets.items():
                took_us.setdefault(name, []).extend(1e6 * poll(sock) for _ in range(POLLS))
    middle = {name: median(values) for name, values in took_us.items()}
    mean = {name: sum(values) / len(values) for name, values in took_us.items()}
    late = {name: quantiles(values, n=1000)[-1] for name, values in took_us.items()}
    for name, called in (("pymodbus", PYMODBUS), ("C", "the same in C, no plant")):
        yield Result(
            what=f"{WHAT}: median", unit="us", ours=middle["ours"], limit=30.0,
            peer=middle.get(name), peer_name=missing.get(name, called),
        )  # fmt: skip
        yield Result(
            what="throughput: time a poll, back to back", unit="us", ours=mean["ours"], limit=None,
            peer=mean.get(name), peer_name=missing.get(name, called),
        )  # fmt: skip
    yield Result(
        what=f"{WHAT}: 99.9 % below", unit="us", ours=late["ours"], limit=1000.0,
        peer=late.get("pymodbus"), peer_name=missing.get("pymodbus", PYMODBUS), note=HOW,
    )  # fmt: skip


def _makers(stack: ExitStack) -> dict[str, Callable[[], Responder]]:
    return {
        "ours": lambda: ours("--turnaround", "0ms", "--speed", "1000"),
        "pymodbus": pymodbus,
        "C": lambda: stack.enter_context(in_c()),
    }
