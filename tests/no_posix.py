"""``python -m tests.no_posix ARGUMENT...``: the command as on a system without POSIX.

Imports of modules that only POSIX has fail, and sockets and files know what Windows' do, as far as libraries that ask
which system this is go on. What cannot be tried here is Windows' own: its serial ports, its locks.
"""

import importlib.abc
import os
import signal
import socket
import sys

MISSING = {"fcntl", "termios", "tty", "pty", "resource", "grp", "pwd", "posix_ipc", "syslog"}


class NoPosix(importlib.abc.MetaPathFinder):
    """Finds none of them."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def socketpair(*_: object) -> tuple[socket.socket, socket.socket]:
    """As Python has it where the system has none: over the loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    return one, other


def take_away() -> None:
    """Have this process know no POSIX from here on."""
    for name in MISSING:
        sys.modules.pop(name, None)
    sys.meta_path.insert(0, NoPosix())
    socket.socketpair = socketpair  # type: ignore[assignment]
    for module, names in (
        (socket, ("AF_UNIX", "TCP_QUICKACK")),
        (os, ("openpty", "ttyname", "O_CLOEXEC", "O_NOCTTY", "set_blocking")),
        (signal, ("SIGHUP", "SIGUSR1")),
    ):
        for name in names:
            if hasattr(module, name):
                delattr(module, name)


if __name__ == "__main__":
    take_away()
    sys.argv = ["tracertwin", *sys.argv[1:]]
    from tracertwin.cli.main import main

    main()
