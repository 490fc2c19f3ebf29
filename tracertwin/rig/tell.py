"""A command given to a running rig from another process: the client of `tracertwin.rig.control`.

Commands and replies are lines of text. A reply is any number of lines, then one that says `ok` or begins with
`error: `, or `error: failed: ` where the command makes sense and had a bad result.
"""

import select
from collections.abc import Iterator
from typing import Final

from modbus.line.endpoint import Endpoint, LinkError, NobodyError, SerialEndpoint, dial
from modbus.line.stream import Stream

LONGEST_LINE: Final = 4096  # bytes
OK: Final = "ok"
ERROR: Final = "error: "
FAILED: Final = "failed: "  # behind it: the command makes sense and was tried, with a bad result


class FailedError(LinkError):
    """A command was done, with a bad result."""


def lines_of(stream: Stream) -> Iterator[bytes]:
    """Lines as they come, without their ends and blank ones; a line that is too long ends it."""
    rest = b""
    while len(rest) < LONGEST_LINE and (data := stream.recv(LONGEST_LINE)):
        *whole, rest = (rest + data).split(b"\n")
        yield from (line.strip() for line in whole if line.strip())


def tell(endpoint: Endpoint, command: str, timeout_s: float = 3.0) -> str:
    """Give a command to a running rig; what it tells.

    A command may take as long as it likes, but who doesn't answer `help` in time takes none.

    Raises
    ------
    NobodyError
        Nobody takes commands there.
    FailedError
        It was done, with a bad result.
    LinkError
        This one is not taken there.
    """
    if endpoint.listens or isinstance(endpoint, SerialEndpoint):
        raise LinkError(
            f"{endpoint}: commands are sent to dial:HOST:PORT or unix:PATH, where serve --control listens"
        )
    if not command.strip():
        raise LinkError("give a command; help lists them all")
    if len(command.encode()) >= LONGEST_LINE:
        raise LinkError(f"a command must be shorter than {LONGEST_LINE:,} bytes")
    try:
        with dial(endpoint, timeout_s) as stream:
            replies = lines_of(stream)
            stream.sendall(b"help\n")
            if not select.select((stream,), (), (), timeout_s)[0]:
                raise NobodyError(f"{endpoint}: no answer within {timeout_s:g} s; is serve --control there?")
            _reply(replies, endpoint)
            stream.sendall(f"{command}\n".encode())
            return _reply(replies, endpoint)
    except OSError as error:
        raise NobodyError(f"{endpoint}: {error.strerror or error}; is serve --control there?") from None


def _reply(replies: Iterator[bytes], endpoint: Endpoint) -> str:
    told: list[str] = []
    for raw in replies:
        line = raw.decode("utf-8", "replace")
        if line == OK:
            return "\n".join(told)
        if line.startswith(ERROR + FAILED):
            raise FailedError(line.removeprefix(ERROR + FAILED))
        if line.startswith(ERROR):
            raise LinkError(line.removeprefix(ERROR))
        told.append(line)
    raise NobodyError(f"{endpoint}: closed the connection without an answer")
