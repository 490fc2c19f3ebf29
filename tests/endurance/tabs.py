"""Ten tabs on a plant for a simulated year, and one that takes nothing: is memory flat, does each tab hear everything?

``python -m tests.endurance.tabs``; exit status 1 and a line for everything that was wrong.
"""

import argparse
import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from modbus.codec.requests import ReadWords
from modbus.line.endpoint import parse_endpoint
from modbus.master.client import Master
from tests.endurance.process import Limits, Sample, drift_mb, growth, look, warmed

ROOT = Path(__file__).parents[2]
TABS, DAYS, SPEED, DAY_S = 10, 365.0, 100_000, 86400.0
START_S = 120.0  # a first start compiles
POLLS_S = 50.0  # a second: as many as a page can show have been heard long before the warm-up ends
DROPPED_DAYS = 30.0  # by then the buffers between are full
NARROW = 4096  # bytes that the stalled tab has room for


class Tab(threading.Thread):
    """A tab that listens, and counts what it missed."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.heard, self.missed, self.t_utc_s = 0, 0, 0.0
        self._url, self._last = url, 0

    def run(self) -> None:
        """Until the server closes."""
        with suppress(ConnectionClosed), connect(self._url, max_size=None, compression=None) as tab:
            tab.send(json.dumps({"token": ""}))
            for message in tab:
                self._take(json.loads(message))

    def _take(self, told: dict) -> None:
        self.heard += 1
        self.t_utc_s = told["t_utc_s"]
        for frame in told.get("frames", ()):
            if self._last:
                self.missed += frame["number"] - self._last - 1
            self._last = frame["number"]


def stalled(address: tuple[str, int]) -> socket.socket:
    """A tab that says who it is and then reads nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, NARROW)
    sock.connect(address)
    host = f"{address[0]}:{address[1]}"
    sock.sendall(
        f"GET /live HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    sock.recv(64)
    payload = b'{"token":""}'
    sock.sendall(bytes((0x81, 0x80 | len(payload))) + bytes(4) + payload)  # masked with zeros (RFC 6455, 5.2)
    return sock


def watch(days: float, every_s: float, limits: Limits) -> tuple[Sequence[Sample], Sequence[str]]:
    """Serve, listen and poll for so many days; samples of the process, and what was wrong."""
    command = [sys.executable, "-m", "tracertwin", "serve", "cabin", "--map", "epever", "--turnaround", "0ms"]
    command += ["--speed", str(SPEED), "--link", "listen:127.0.0.1:0", "--web", "127.0.0.1:0"]
    with tempfile.NamedTemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=ROOT, stderr=log)
        try:
            samples, wrong = _watched(process, Path(log.name), days, every_s)
        finally:
            process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20.0)
            process.kill()
    return samples, [*wrong, *growth(samples, limits)]


def _watched(
    process: "subprocess.Popen[bytes]", log: Path, days: float, every_s: float
) -> tuple[list[Sample], list[str]]:
    page, link = (
        _said(process, log, text) for text in (r"page: http://([\d.:]+)/", r"(listen:[\d.:]+): waiting")
    )
    host, _, port = page.partition(":")
    tabs = [Tab(f"ws://{page}/live") for _ in range(TABS)]
    asleep = stalled((host, int(port)))
    for tab in tabs:
        tab.start()
    began_s, answered, samples = monotonic(), 0, []
    begin_utc_s = _now(page)["t_utc_s"]
    with Master(parse_endpoint(link.replace("listen:", "dial:"))) as master:
        while (now_s := _now(page)["t_utc_s"]) < begin_utc_s + days * DAY_S:
            due_s = monotonic() + every_s
            while monotonic() < due_s:
                answered += bool(master.ask(ReadWords(1, 4, 0x3100, 8)))
                sleep(1.0 / POLLS_S)
            samples.append(look(process.pid, began_s, answered))
    wrong = [f"a tab missed {tab.missed} frames" for tab in tabs if tab.missed]
    wrong += [f"a tab heard nothing since {tab.t_utc_s}" for tab in tabs if tab.t_utc_s < now_s - DAY_S * 3]
    metrics = urllib.request.urlopen(f"http://{page}/metrics").read().decode()
    if days >= DROPPED_DAYS and "tracertwin_page_dropped_total 1\n" not in metrics:
        wrong.append("the tab that takes nothing was not dropped")
    asleep.close()
    print(f"{answered} polls, {sum(tab.heard for tab in tabs)} messages to {TABS} tabs, {days:g} days")
    return samples, wrong


def _said(process: "subprocess.Popen[bytes]", log: Path, pattern: str) -> str:
    until_s = monotonic() + START_S
    while monotonic() < until_s and process.poll() is None:
        if found := re.search(pattern, log.read_text()):
            return found[1]
        sleep(0.05)
    raise RuntimeError(f"serve did not come up: {log.read_text()}")


def _now(page: str) -> dict:
    with urllib.request.urlopen(f"http://{page}/api/v1/now") as reply:
        return dict(json.load(reply))


def main() -> int:
    """Watch by the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=float, default=DAYS)
    given = parser.parse_args()
    samples, wrong = watch(given.days, 2.0, Limits())
    for s in samples[:: max(1, len(samples) // 12)]:
        print(f"{s.t_s:8.0f} s {s.rss_mb:9.1f} MB {s.files:5} files {s.threads:4} threads")
    print(f"memory drifted {drift_mb(warmed(samples)):+.2f} MB after the warm-up")
    for line in wrong:
        print(f"not as it should be: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
