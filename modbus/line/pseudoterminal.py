"""A pseudo-terminal that programs for serial ports open by name: ours is the master's end.

Knows the two ends and the link that names one. To a line it looks like a listening socket: readable when a
client has spoken, then a stream until that client has gone.

How clients may come and go: once the last one has closed the slave's end, Linux answers every read() of the
master's end by EIO, and select() calls it readable, until somebody opens the slave again; waiting for that would
be a busy loop. So between clients we hold the slave's end open ourselves and sleep until there are bytes. With
the first byte we let go of it, and the EIO after the last close is what tells that the client has gone (its
bytes are read first). A client that opens and closes without a word is never noticed.
"""

import contextlib
import errno
import os
import stat
from pathlib import Path
from time import sleep
from typing import Final

from modbus.line.stream import TerminalStream

HOLD_AGAIN_S: Final = 0.05


class PseudoTerminal:
    """A raw pseudo-terminal whose slave's end a link in the file system names.

    Parameters
    ----------
    path : str
        Of the link. One that is left of a terminal that is no more gives way; nothing else does.

    Raises
    ------
    OSError
        What stands at the path is something else, or there is no terminal to be had.
    """

    def __init__(self, path: str) -> None:
        self._master, slave = os.openpty()
        self._held: int | None = slave
        self.device = os.ttyname(slave)
        self._link = Path(path).absolute()
        try:
            os.set_blocking(self._master, False)
            _make_raw(slave)
            _remove_stale(self._link, self.device)
            self._link.symlink_to(self.device)
        except BaseException:
            self._close_files()
            raise

    def fileno(self) -> int:
        return self._master

    def accept(self) -> tuple[TerminalStream, None]:
        """The client whose first bytes are there, until it goes."""
        if self._held is None:  # could not be had: no bytes were waited for, so no busy loop
            sleep(HOLD_AGAIN_S)
        self._let_go()
        own = os.dup(self._master)

        def close() -> None:
            os.close(own)
            self._hold()

        return TerminalStream(own, close), None

    def close(self) -> None:
        """Remove the link, if it is still ours, and hang up."""
        with contextlib.suppress(OSError):
            if os.readlink(self._link) == self.device:
                self._link.unlink()
        self._close_files()

    def _hold(self) -> None:
        """Open the slave's end again, and forget the client before: what it did not read, and its settings."""
        import termios

        # raised where a client has come meanwhile and wants it for itself
        with contextlib.suppress(OSError, termios.error):
            self._held = os.open(self.device, os.O_RDWR | os.O_NOCTTY)
            termios.tcflush(self._held, termios.TCIFLUSH)  # not the output: the next client's first request
            _make_raw(self._held)

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def _close_files(self) -> None:
        self._let_go()
        os.close(self._master)


def _make_raw(fd: int) -> None:
    """No echo, no lines, no signals, eight bits. The two ends share these settings."""
    import tty

    tty.setraw(fd)


def _remove_stale(link: Path, device: str) -> None:
    """Remove a link to a terminal that is no more, or that has become ours."""
    try:
        if not stat.S_ISLNK(link.lstat().st_mode):
            raise FileExistsError(
                errno.EEXIST, "a file with this name exists that is not a link to a terminal"
            )
    except FileNotFoundError:
        return
    target = os.readlink(link)
    if not target.startswith("/dev/"):
        raise FileExistsError(
            errno.EEXIST, f"a link with this name exists, to {target}, which is not a terminal"
        )
    if target != device and link.exists():
        raise FileExistsError(
            errno.EEXIST, f"it names {target}, which is in use (by another tracertwin?); remove it if not"
        )
    link.unlink()
