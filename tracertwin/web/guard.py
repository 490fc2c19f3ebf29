"""Who may ask what: the host's name, the page's origin, the token, the size of a body, the rate of actions.

A page of somebody else's, open in the same browser, must not be able to break a plant: not by a form (the origin), not
by a name that it points at 127.0.0.1 (the host). Plain ASGI, without a framework.
"""

import hmac
import ipaddress
import json
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from tracertwin.assembly.options import Address

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LONGEST_BODY: Final = 64 * 1024  # bytes
TOO_LARGE: Final = f"a body may have {LONGEST_BODY} bytes"
ACTIONS_PER_S: Final = 20.0  # actions a second, on average
ACTIONS_AT_ONCE: Final = 40
HEADERS: Final = (
    (b"content-security-policy",
     b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
     b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)  # fmt: skip


class TooLargeError(Exception):
    """A body above the limit; for the app to answer."""


@dataclass(slots=True)
class Bucket:
    """Lets so many a second pass, and some more at once after a quiet time."""

    rate_per_s: float = ACTIONS_PER_S
    most: float = ACTIONS_AT_ONCE
    now_s: Callable[[], float] = monotonic
    _left: float = field(default=ACTIONS_AT_ONCE)
    _at_s: float | None = None

    def passes(self) -> bool:
        """Whether another one may pass now."""
        now_s = self.now_s()
        gained = 0.0 if self._at_s is None else (now_s - self._at_s) * self.rate_per_s
        self._left, self._at_s = min(self._left + gained, self.most), now_s
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True


@dataclass(frozen=True, slots=True)
class Access:
    """Where a page is served, and who may do what there.

    Attributes
    ----------
    address : Address
        With the real port.
    token : str
        What every change needs, and on an address that others can reach all data, too.
    """

    address: Address
    token: str

    @property
    def open_to_all(self) -> bool:
        """Whether others can reach it."""
        return not is_loopback(self.address.host)

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    def may_look(self, token: str) -> bool:
        """Whether data are shown to whoever shows this token."""
        return not self.open_to_all or self.knows(token)

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names this machine as its user would; a name that rebinds does not.

        On an address for others any number will do, and this machine's own name: a stranger's page has a name.
        """
        name, colon, port = host.rpartition(":")
        if not colon or not port.isdigit():
            name, port = host, "80"
        if port != str(self.address.port):
            return False
        name = name.strip("[]").lower()
        if name in ("localhost", self.address.host.lower()):
            return True
        if self.open_to_all and name == socket.gethostname().lower():
            return True
        with suppress(ValueError):
            number = ipaddress.ip_address(name)
            return self.open_to_all or number.is_loopback
        return False


class Guard:
    """Stands before an app.

    Parameters
    ----------
    app : App
    access : Access
    is_free : callable
        Whether a method and a path change nothing.
    files : collection of str
        Paths of the page's own files, which hold no data.
    """

    def __init__(
        self, app: App, access: Access, is_free: Callable[[str, str], bool], files: frozenset[str]
    ) -> None:
        self._app, self._access, self._is_free, self._files = app, access, is_free, files
        self._bucket = Bucket()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is not to pass; hand on the rest."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if scope["type"] == "websocket":  # it shows its token in its first message
            if refusal is not None:
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return
        if refusal is not None:
            await _refuse(send, *refusal)
            return
        await self._app(scope, _limited(receive), _with_headers(send))

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        if not self._access.is_ours(headers.get("host", "")):
            return 421, "this host name is not served here; use the address that tracertwin printed"
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{headers['host']}":
            return 403, "requests from other origins are refused"
        if scope["type"] == "websocket":
            return None
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > LONGEST_BODY:
            return 413, TOO_LARGE
        return self._not_allowed(scope["method"], scope["path"], headers.get("authorization", ""))

    def _not_allowed(self, method: str, path: str, authorization: str) -> tuple[int, str] | None:
        scheme, _, token = authorization.rpartition(" ")
        access = self._access
        changes = not self._is_free(method, path)
        if scheme.lower() not in ("", "bearer"):  # a scheme's name may be in any case (RFC 9110, 11.1)
            token = ""
        if path not in self._files and not (access.knows(token) if changes else access.may_look(token)):
            return 401, "this needs the token that tracertwin printed: Authorization: Bearer TOKEN"
        if changes and not self._bucket.passes():
            return 429, f"at most {ACTIONS_PER_S:g} actions a second"
        return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def _limited(receive: Receive) -> Receive:
    """A body's pieces up to the limit, whatever its length was said to be."""
    size = 0

    async def piece() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LONGEST_BODY:
            raise TooLargeError
        return message

    return piece


def _with_headers(send: Send) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *HEADERS]
        await send(message)

    return headed


async def _refuse(send: Send, status: int, why: str) -> None:
    body = json.dumps({"error": why}).encode()
    more = {401: [(b"www-authenticate", b"Bearer")], 429: [(b"retry-after", b"1")]}.get(status, [])
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *HEADERS,
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
