"""A rig with its page, and somebody who asks it over HTTP, for the tests of both."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modbus.line.endpoint import parse_endpoint
from plant.plant import Plant
from tests.plants import plant
from tracertwin.assembly.options import Address, Options
from tracertwin.rig.serving import Rig
from tracertwin.web.serving import PageServer

HERE = Address("127.0.0.1", 0)


@dataclass
class Answer:
    """What came of a request."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A rig and its page."""

    rig: Rig
    server: PageServer

    def ask(
        self, path: str, body: Any = None, *, method: str | None = None, token: bool = False, **headers: str
    ) -> Answer:
        """Ask; a body that is no bytes is sent as JSON. Underscores of header names stand for dashes."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Bearer {self.server.token}"
        request = urllib.request.Request(f"{self.server.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return Answer(reply.status, dict(reply.headers), reply.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def read(self, path: str) -> Any:
        """What a path of the API tells."""
        answer = self.ask(f"api/v1/{path}")
        assert answer.status == 200, answer.body
        return answer.told

    def do(self, command: str) -> Any:
        """Carry out a command with the token."""
        name, _, arguments = command.partition(" ")
        return self.ask(f"api/v1/commands/{name}", {"arguments": arguments}, token=True)


@contextmanager
def served(
    *plants: Plant, site_name: str = "cabin", address: Address = HERE, **options: Any
) -> Iterator[Served]:
    """A rig whose time moves by commands only, unless told otherwise, with its page."""
    how = {"links": [parse_endpoint("listen:127.0.0.1:0")], "map_name": "epever", "polled_s": 0.0} | options
    rig = Rig(plants or [plant()], Options(web=address, **how), lambda _: None)
    with rig:
        server = PageServer(rig, address, site_name)
        server.start()
        try:
            yield Served(rig, server)
        finally:
            server.stop()


def session(at: Served) -> None:
    """Ten actions, with time between them."""
    for command in (
        "step 1h", "upset cloud:depth=0.8:lasts=20min", "step 10min", "fault crc:1:times=1", "write capacity_ah=150",
        "step 30min", "upset probe_open", "step 30min", "mend 1", "power-cycle", "write boost_duration=90min",
        "step 2h", "fault off",
    ):  # fmt: skip
        assert at.do(command).status == 200, command


def root() -> Path:
    """Of the clone."""
    return Path(__file__).parents[1]
