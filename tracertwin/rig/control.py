"""The side door of a running rig: lines of text in, what was done out. For people, scripts and `tracertwin tell`.

Knows sockets and threads; what a line means is for `tracertwin.assembly.commands`, the form of replies for
`tracertwin.rig.tell`.
"""

import contextlib
import socket
import threading
from collections.abc import Callable
from time import monotonic
from typing import Final, Self

from modbus.line.endpoint import (
    Endpoint,
    LinkError,
    ModbusTcpEndpoint,
    PtyEndpoint,
    close_listener,
    listen,
)
from modbus.line.stopsignal import StopSignal
from modbus.line.stream import Listener, Stream
from tracertwin.assembly.refusals import BadResultError
from tracertwin.rig.tell import ERROR, FAILED, OK, lines_of

MOST_CLIENTS: Final = 8
LONGEST_ANSWER_S: Final = 1.0  # to wait for at the end


class Control:
    """Where commands are taken, from `start` to `stop`.

    Parameters
    ----------
    endpoint : Endpoint
        One that listens: a TCP port or a unix socket.
    do : callable
        Does what a line says and returns what there is to tell; ValueError: what was wrong. Called in the thread of
        the client that said it.

    Raises
    ------
    LinkError
        If nobody could call there.
    """

    def __init__(self, endpoint: Endpoint, do: Callable[[str], str]) -> None:
        if not endpoint.listens or isinstance(endpoint, PtyEndpoint | ModbusTcpEndpoint):
            raise LinkError(f"{endpoint}: commands are accepted on listen:HOST:PORT or unix-listen:PATH")
        self.endpoint: Endpoint = endpoint
        self._do = do
        self._stop = StopSignal()
        self._places = threading.Semaphore(MOST_CLIENTS)
        self._clients: dict[threading.Thread, Stream] = {}
        self._listener: Listener | None = None
        self._thread = threading.Thread(target=self._run, name="control", daemon=True)

    def start(self) -> Self:
        """Open it; `endpoint` has the real port from then on.

        Raises
        ------
        LinkError
            When the port or path can't be had.
        """
        self._listener, self.endpoint = listen(self.endpoint)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close it, and what is still open there; who said `end` hears that it was done."""
        self._stop.set()
        clients = dict(self._clients)
        for stream in clients.values():
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RD)
        give_up_s = monotonic() + LONGEST_ANSWER_S
        for thread in clients:
            thread.join(max(0.0, give_up_s - monotonic()))
        if self._listener is not None and self._thread.is_alive():
            self._thread.join(1.0)
        self._stop.close()

    def _run(self) -> None:
        assert self._listener is not None
        while self._stop.readable(self._listener, None):
            try:
                stream, _ = self._listener.accept()
            except OSError:  # gone again, or no file descriptor is free
                self._stop.wait(0.05)
                continue
            if self._places.acquire(blocking=False):
                threading.Thread(
                    target=self._serve, args=(stream,), name="control client", daemon=True
                ).start()
            else:
                with stream, contextlib.suppress(OSError):
                    stream.sendall(f"{ERROR}already {MOST_CLIENTS} clients connected\n".encode())
        close_listener(self._listener, self.endpoint)

    def _serve(self, stream: Stream) -> None:
        self._clients[threading.current_thread()] = stream
        try:
            with stream, contextlib.suppress(OSError):
                for line in lines_of(stream):
                    stream.sendall(self._answer(line).encode())
        finally:
            del self._clients[threading.current_thread()]
            self._places.release()

    def _answer(self, line: bytes) -> str:
        try:
            answer = self._do(line.decode("utf-8", "replace"))
        except ValueError as error:
            failed = FAILED if isinstance(error, BadResultError) else ""
            return f"{ERROR}{failed}{'; '.join(str(error).splitlines())}\n"
        except Exception as error:  # a bug; the next command may do
            return f"{ERROR}bug: {error!r}\n"
        return f"{answer}\n{OK}\n" if answer else f"{OK}\n"
