"""What ten tabs on the page cost a master on the line: how long its polls take, beside a serve without any page."""

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from statistics import quantiles
from time import monotonic, sleep
from typing import Final

from benchmarks.responders import Running, greet, ours, poll, running
from benchmarks.table import Result

TABS: Final = 10
ROUNDS: Final = 10  # the two take turns, so that a busy moment of the machine meets both
POLLS: Final = 150  # in each round
PAUSE_S: Final = 0.005  # between two polls, or the plant would have no time of its own
WORSE: Final = 1.10  # is allowed
WHAT: Final = "poll with ten tabs open, 99 % below"
HOW: Final = (
    "FC04 over loopback with the turnaround of a Tracer, 5 ms, our plant at 60x; the peer is the same serve without a "
    "page, met in turns; each tab hears four messages a second and asks for the registers once a second, as browsers do"
)
OPTIONS: Final = ("--speed", "60")


def run() -> Iterator[Result]:
    """99th percentile of polls beside ten tabs, and without."""
    needed = [name for name in ("starlette", "uvicorn", "websockets") if find_spec(name) is None]
    if needed:
        return
    took_ms: dict[str, list[float]] = {"with": [], "without": []}
    with ExitStack() as stack:
        program, with_tabs = stack.enter_context(ours(*OPTIONS, "--web", "127.0.0.1:0").connected())
        _, without = stack.enter_context(ours(*OPTIONS).connected())
        stack.enter_context(_tabs(program))
        sockets = {"with": with_tabs, "without": without}
        for sock in sockets.values():
            greet(sock)
        for _ in range(ROUNDS):
            for name, sock in sockets.items():
                for _ in range(POLLS):
                    took_ms[name].append(1e3 * poll(sock))
                    sleep(PAUSE_S)
    late = {name: quantiles(values, n=100)[-1] for name, values in took_ms.items()}
    yield Result(
        what=WHAT, unit="ms", ours=late["with"], limit=WORSE * late["without"], peer=late["without"],
        peer_name="the same without the page", note=HOW,
    )  # fmt: skip


@contextmanager
def _tabs(program: Running) -> Iterator[None]:
    """Ten tabs on the page of a serve, as long as the block lasts; in a process of their own, as a browser is."""
    give_up_s = monotonic() + 10.0
    while not (found := re.search(r"page: http://([\d.:]+)/", program.said())) and monotonic() < give_up_s:
        sleep(0.05)
    assert found is not None, program.said()
    with running([sys.executable, "-m", "benchmarks.pagetabs", found[1]]) as browser:
        sleep(2.0)
        assert browser.is_alive, browser.said()
        yield
        assert browser.is_alive, browser.said()


def _tab(page: str) -> None:
    from http.client import HTTPConnection

    from websockets.sync.client import connect

    kept = HTTPConnection(page)
    with connect(f"ws://{page}/live", compression=None) as socket:
        socket.send(json.dumps({"token": ""}))
        due_s = monotonic()
        for _ in socket:
            if monotonic() >= due_s:
                due_s = monotonic() + 1.0
                kept.request("GET", "/api/v1/registers")
                kept.getresponse().read()


if __name__ == "__main__":
    tabs = [threading.Thread(target=_tab, args=(sys.argv[1],)) for _ in range(TABS)]
    for each in tabs:
        each.start()
