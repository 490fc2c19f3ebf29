"""A lock on a file that ends with the process which has it, however that ends; by what the system has.

Knows descriptors and nothing of what the files hold.
"""

import os
from typing import Final

try:
    import fcntl
except ModuleNotFoundError:  # no POSIX
    fcntl = None  # type: ignore[assignment]
try:
    import msvcrt
except ModuleNotFoundError:  # no Windows
    msvcrt = None  # type: ignore[assignment]

# Where Windows locks a byte: nobody else may read or write it. Past what SQLite locks (1 GiB) and any state file's end.
LOCKED_BYTE: Final = 0x7FFF_0000

CAN_LOCK: Final = fcntl is not None or msvcrt is not None
UNLOCKED: Final = "this system can't lock files: see to it that only one process has this one"


def lock(descriptor: int) -> None:
    """Lock an open file, or do nothing where the system has no locks (`CAN_LOCK`).

    Raises
    ------
    BlockingIOError, PermissionError
        Another process has it; by POSIX, and by Windows.
    OSError
        The file system has no locks.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt is not None:
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(descriptor, at, os.SEEK_SET)
