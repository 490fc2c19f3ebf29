"""The page's server beside a running rig: a thread with an event loop of its own, so that no line waits for it."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Final

import uvicorn

from modbus.line.endpoint import LinkError
from tracertwin.assembly.options import Address
from tracertwin.rig.serving import Rig
from tracertwin.web.app import FILES, Handlers, app_around
from tracertwin.web.endpoints import is_free
from tracertwin.web.guard import Access, Guard
from tracertwin.web.sight import Sight

TOKEN: Final = "TRACERTWIN_WEB_TOKEN"  # of the environment: a token of one's own, for scripts
SHORTEST_TOKEN: Final = 16
SENT_AHEAD: Final = 64 * 1024  # bytes that the system takes for a reader who is slow
STARTS_S: Final = 10.0
ENDS_S: Final = 3.0


class PageServer:
    """Serves the page and the API of a rig, from `start` to `stop`.

    Parameters
    ----------
    rig : Rig
    address : Address
    site_name : str
        As the user named the site.

    Attributes
    ----------
    address
        With the real port, once started.
    token : str
        What changes need.
    handlers : Handlers
    """

    def __init__(self, rig: Rig, address: Address, site_name: str = "") -> None:
        own = os.environ.get(TOKEN, "")
        if own and (len(own) < SHORTEST_TOKEN or not own.isascii() or not own.isprintable()):
            raise LinkError(f"{TOKEN} must have at least {SHORTEST_TOKEN} printable ASCII characters")
        self.address, self.token, self.is_own_token = address, own or secrets.token_urlsafe(18), bool(own)
        self._sight = Sight(rig)
        self.handlers = Handlers(self._sight, site_name)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The page's address, without the token."""
        return f"http://{self.address}/"

    def start(self) -> None:
        """Open the port and serve.

        Raises
        ------
        LinkError
            The port can't be had.
        """
        listening = _bound(self.address)
        self.address = self.address._replace(port=listening.getsockname()[1])
        access = Access(self.address, self.token)
        guard = Guard(app_around(self.handlers, access.may_look), access, is_free, frozenset(FILES))
        self._server = uvicorn.Server(uvicorn.Config(
            guard, log_config=None, log_level="error", access_log=False, proxy_headers=False, server_header=False,
            ws_per_message_deflate=False, ws_max_size=4096, timeout_graceful_shutdown=1, lifespan="on",
            loop="asyncio", http="h11",
        ))  # fmt: skip
        self._sight.begin()
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="page", daemon=True
        )
        self._thread.start()
        give_up_s = monotonic() + STARTS_S
        while not self._server.started and self._thread.is_alive() and monotonic() < give_up_s:
            sleep(0.01)

    def stop(self) -> None:
        """Close the port; tabs that are open see it."""
        self._sight.end()
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(ENDS_S)


def _bound(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # accepted ones have it from here: who reads nothing is known after seconds, not megabytes
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
        listening.bind((address.host, address.port))
    except OSError as error:
        listening.close()
        raise LinkError(f"--web {address}: {error.strerror or error}") from None
    return listening


@contextmanager
def served(rig: Rig, address: Address, say: Callable[[str], None], site_name: str) -> Iterator[PageServer]:
    """The page as long as the block lasts; its address is said, once, with the token."""
    server = PageServer(rig, address, site_name)
    server.start()
    try:
        secret = "" if server.is_own_token else f"#token={server.token}"
        say(f"page: {server.url}{secret}")
        yield server
    finally:
        server.stop()
