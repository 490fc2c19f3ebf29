"""The endpoints' handlers, the page's files, the stream: a Starlette app around a `Sight`.

What may take long runs in threads of its own; the event loop only hands out what is ready.
"""

import asyncio
import contextlib
import json
import math
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from plant.base.problems import did_you_mean
from tracertwin.journal.pcapng import capture
from tracertwin.web import openapi
from tracertwin.web.endpoints import ENDPOINTS, Endpoint
from tracertwin.web.expecting import judged
from tracertwin.web.guard import TOO_LARGE, TooLargeError
from tracertwin.web.jsontext import json_text
from tracertwin.web.metrics import CONTENT_TYPE, metrics_text
from tracertwin.web.pushing import Follower, FullError, Hub
from tracertwin.web.scenariofile import scenario_text
from tracertwin.web.sight import Sight

STATIC: Final = Path(__file__).with_name("static")
SCRIPTS: Final = ("page", "parts", "schematic", "charts", "actions", "tables")
FILES: Final[Mapping[str, tuple[str, str]]] = {
    "/": ("page.html", "text/html; charset=utf-8"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in SCRIPTS},
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/uplot.js": ("uPlot.iife.min.js", "text/javascript; charset=utf-8"),
    "/uplot.css": ("uPlot.min.css", "text/css; charset=utf-8"),
}
JSON: Final = "application/json"
TICK_S: Final = 0.25  # from one look to the next
QUIET_TICKS: Final = 20  # at least every so many something is said
HELLO_S: Final = 5.0  # for a tab to say who it is
SHORT, LONG = 4, 8  # so many readings at once; so many commands, which may wait for the plant
T = TypeVar("T")


class Handlers:
    """What answers, by the names of `ENDPOINTS`.

    Parameters
    ----------
    sight : Sight
    site_name : str
        As the user named it.
    """

    def __init__(self, sight: Sight, site_name: str) -> None:
        self.hub = Hub()
        self._done = asyncio.Event()  # something was, and is to be seen at once
        self._making = asyncio.Lock()
        self.loop: asyncio.AbstractEventLoop | None = None  # once it serves
        self._sight, self._site_name = sight, site_name
        self._short, self._long = CapacityLimiter(SHORT), CapacityLimiter(LONG)

    async def _read(self, act: Callable[..., T], *arguments: Any) -> T:
        return await to_thread.run_sync(act, *arguments, limiter=self._short)

    def _place(self, request: Request) -> int:
        return self._sight.place(_whole(request, "unit"))

    async def _as_json(self, act: Callable[..., Any], *arguments: Any) -> Response:
        """What is read, as JSON."""
        text = await self._read(lambda: json_text(act(*arguments)))
        return Response(text, media_type=JSON)

    async def about(self, _: Request) -> Response:
        return await self._as_json(self._sight.about)

    async def now(self, _: Request) -> Response:
        return Response(json_text(self._sight.now()), media_type=JSON)

    async def quantities(self, request: Request) -> Response:
        return await self._as_json(self._sight.quantities, self._place(request), _number(request, "at"))

    async def registers(self, request: Request) -> Response:
        place, at_s = self._place(request), _number(request, "at")
        if at_s is not None:
            return await self._as_json(self._sight.registers, place, at_s)
        # Tabs ask at the same moment: one makes the text in a thread, and the others find it.
        async with self._making:
            text = self._sight.registers_made(place)
            if text is None:
                text = await self._read(self._sight.registers_text, place)
        return Response(text, media_type=JSON)

    async def register(self, request: Request) -> Response:
        asked = request.path_params["address"]
        rows = await self._read(self._sight.registers, self._place(request), _number(request, "at"))
        own = rows[0]["map"]
        for row in rows:
            if row["map"] == own and asked.lower() in (row["address"].lower(), row["name"]):
                return JSONResponse(row)
        raise ValueError(f"map {own} has no register {asked!r}; /api/v1/registers lists them")

    async def history(self, request: Request) -> Response:
        names = [name for name in request.query_params.get("quantities", "").split(",") if name]
        limits = [_number(request, key) for key in ("from", "to")]
        first_s, last_s = (
            -math.inf if limits[0] is None else limits[0],
            math.inf if limits[1] is None else limits[1],
        )
        return await self._as_json(self._sight.samples, self._place(request), names, first_s, last_s)

    async def events(self, request: Request) -> Response:
        first_s = _number(request, "from")
        return await self._as_json(
            self._sight.events, self._place(request), -math.inf if first_s is None else first_s
        )

    async def traffic(self, request: Request) -> Response:
        after, most = _whole(request, "after"), _whole(request, "most")
        if most is not None and not 1 <= most <= 1000:
            raise ValueError(f"most is a number from 1 to 1000, got {most}")
        return await self._as_json(self._sight.frames, after or 0, most or 200)

    async def capture(self, _: Request) -> Response:
        journal = self._sight.rig.journal
        assert journal is not None
        data = await self._read(lambda: b"".join(capture(journal.head, journal.newest())))
        headers = {"content-disposition": 'attachment; filename="tracertwin.pcapng"'}
        return Response(data, media_type="application/octet-stream", headers=headers)

    async def expectation(self, request: Request) -> Response:
        body = await _body(request, {"expectation": dict, "unit": int})
        if "expectation" not in body:
            raise ValueError('give an expectation, e.g. {"expectation": {"always": "v_batt_v <= 15 V"}}')
        place = self._sight.place(body.get("unit"))
        return JSONResponse(await self._read(judged, self._sight, place, body["expectation"]))

    async def scenario(self, request: Request) -> Response:
        body = await _body(request, {"name": str, "moments": list})
        name, moments = body.get("name") or "A session kept", body.get("moments") or []
        if not all(isinstance(moment, dict) for moment in moments):
            raise ValueError("moments is a list of objects with t_utc_s and quantities")
        self._done.set()  # what a client has just written is to be known
        await asyncio.sleep(TICK_S / 5)
        text = await self._read(scenario_text, self._sight, name, moments, self._site_name)
        headers = {"content-disposition": 'attachment; filename="kept.yaml"'}
        return Response(text, media_type="application/yaml", headers=headers)

    async def metrics(self, _: Request) -> Response:
        return Response(await self._read(metrics_text, self._sight, self.hub), media_type=CONTENT_TYPE)

    async def openapi(self, _: Request) -> Response:
        return JSONResponse(openapi.document())

    async def command(self, request: Request) -> Response:
        """Any of the commands; its name is the last part of the path."""
        body = await _body(request, {"arguments": str})
        text = f"{request.url.path.rpartition('/')[2]} {body.get('arguments', '')}".strip()
        if not text.isprintable():
            raise ValueError("arguments are one line of text")
        answer = await to_thread.run_sync(self._sight.rig.do, text, limiter=self._long)
        self._done.set()
        return JSONResponse({"command": text, "told": answer})

    # --- what goes on ---

    async def stream(self, _: Request) -> Response:
        """Server-sent events; a reader that stalls is dropped."""

        async def events() -> AsyncIterator[str]:
            async with self.hub.follower() as one:
                yield f"event: now\ndata: {json_text(self._sight.now())}\n\n"
                while True:
                    yield f"event: now\ndata: {await one.next()}\n\n"

        if self.hub.is_full:
            return JSONResponse({"error": "too many followers already"}, 429)
        return StreamingResponse(events(), media_type="text/event-stream")

    async def follow(self, socket: WebSocket, knows: Callable[[str], bool]) -> None:
        """A tab: it says who it is, and is told what goes on until it leaves or stalls."""
        await socket.accept()
        with contextlib.suppress(WebSocketDisconnect, TimeoutError, ValueError, FullError, KeyError):
            hello = _from_json(await asyncio.wait_for(socket.receive_text(), HELLO_S))
            if not knows(str(hello["token"]) if isinstance(hello, dict) else ""):
                await socket.close(1008)
                return
            async with self.hub.follower() as one:
                hearing = asyncio.create_task(_until_gone(socket, asyncio.current_task()))
                try:
                    await _tell(socket, one)
                finally:
                    hearing.cancel()

    async def tick(self) -> None:
        """Look, and tell everybody what is new, until cancelled."""
        last, quiet = "", 0
        self.loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), TICK_S)
            self._done.clear()
            frames = self._sight.look()
            if not len(self.hub):
                continue
            now = self._sight.now() | {"mark": self._sight.mark()}
            text = json_text(now)
            quiet = 0 if frames or text != last else quiet + 1
            if quiet % QUIET_TICKS == 0:
                self.hub.tell(json_text(now | {"frames": frames}) if frames else text)
            last = text


async def _tell(socket: WebSocket, one: Follower) -> None:
    while True:
        await socket.send_text(await one.next())


async def _until_gone(socket: WebSocket, follower: "asyncio.Task[None] | None") -> None:
    """Read what a tab says, which is nothing, until it has gone."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()
    if follower is not None:
        follower.cancel()


def app_around(handlers: Handlers, knows: Callable[[str], bool]) -> Starlette:
    """The app; `knows` says whether a tab may listen that shows this token."""

    async def follow(socket: WebSocket) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # gone, or dropped
            await handlers.follow(socket, knows)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        ticking = asyncio.create_task(handlers.tick())
        yield
        ticking.cancel()

    routes = [
        Route(
            row.path,
            _asked(row, handlers.command if row.name.startswith("command_") else getattr(handlers, row.name)),
            methods=[row.method],
        )
        for row in ENDPOINTS
    ]
    files = [Route(path, _file(*about)) for path, about in FILES.items()]
    return Starlette(
        routes=[*routes, *files, WebSocketRoute("/live", follow)],
        exception_handlers={
            ValueError: _problem,
            TooLargeError: _too_large,
            404: _nothing_here,
            405: _not_so,
        },
        lifespan=lifespan,
    )


def _file(name: str, media_type: str) -> Callable[[Request], Response]:
    data = (STATIC / name).read_bytes()
    return lambda _: Response(data, media_type=media_type)


async def _problem(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, 400)


async def _too_large(_: Request, __: Exception) -> Response:
    return JSONResponse({"error": TOO_LARGE}, 413)


async def _nothing_here(request: Request, _: Exception) -> Response:
    return JSONResponse({"error": f"not found: {request.method} {request.url.path}; see /openapi.json"}, 404)


async def _not_so(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    assert error.headers is not None  # a route that has another method says which
    allowed = " or ".join(sorted(error.headers["Allow"].split(", ")))
    why = f"{request.url.path} takes {allowed}, got {request.method}"
    return JSONResponse({"error": why}, 405, headers=error.headers)


def _asked(row: Endpoint, act: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """What answers, once the query has been looked at: a misspelt `unit` would have the numbers of another."""
    known = [query.name for query in row.queries if query.place == "query"]

    async def answer(request: Request) -> Response:
        given = [key for key, _ in request.query_params.multi_items()]
        for key in given:
            if key not in known:
                accepted = f"known: {', '.join(known)}" if known else "it takes none"
                raise ValueError(f"unknown parameter {key!r}{did_you_mean(key, known)}; {accepted}")
            if given.count(key) > 1:
                raise ValueError(f"{key} is given {given.count(key)} times; give it once")
        answered: Response = await act(request)
        return answered

    return answer


def _number(request: Request, name: str) -> float | None:
    text = request.query_params.get(name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value <= 2.0**53:
        raise ValueError(f"{name} must be a number of at least 0, got {text!r}")
    return value


def _whole(request: Request, name: str) -> int | None:
    value = _number(request, name)
    if value is not None and value != int(value):
        raise ValueError(f"{name} must be a whole number, got {value:g}")
    return None if value is None else int(value)


def _from_json(text: str | bytes) -> Any:
    """What a text says.

    Raises
    ------
    ValueError
        It is not JSON, or deeper than anything that is asked for here.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None


async def _body(request: Request, known: Mapping[str, type]) -> dict[str, Any]:
    """The JSON object of a body; nothing for an empty one."""
    raw = await request.body()
    body = _from_json(raw) if raw else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    for key, value in body.items():
        if key not in known:
            raise ValueError(f"unknown key {key!r}; known: {', '.join(known)}")
        if not isinstance(value, known[key]) or isinstance(value, bool):
            raise ValueError(f"{key} must be a JSON {JSON_NAMES[known[key]]}")
    return body


JSON_NAMES: Final[Mapping[type, str]] = {str: "string", int: "number", dict: "object", list: "array"}
