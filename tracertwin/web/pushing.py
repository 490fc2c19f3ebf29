"""What every open tab and every stream is told, a few times a second: made once, and the same bytes for all.

Nobody is waited for: each has a short queue, and whoever lets it fill up is dropped.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

QUEUE: Final = 20  # messages, some five seconds
MOST: Final = 64  # tabs and streams


class FullError(Exception):
    """There are as many as there may be."""


class Follower:
    """One of those who are told."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue(QUEUE)
        self._task = asyncio.current_task()

    async def next(self) -> str:
        """The next message."""
        return await self._queue.get()

    def tell(self, message: str) -> bool:
        """Queue a message; whether it could be. If not, it is over for this one, which may hang in a send."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            if self._task is not None:
                self._task.cancel()
            return False
        return True


class Hub:
    """All who are told; used in one event loop.

    Attributes
    ----------
    dropped : int
        How many did not take what they were told.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._followers: set[Follower] = set()

    @property
    def is_full(self) -> bool:
        """Whether nobody can be added."""
        return len(self) >= MOST

    def __len__(self) -> int:
        return len(self._followers)

    @asynccontextmanager
    async def follower(self) -> AsyncIterator[Follower]:
        """One more, as long as the block lasts.

        Raises
        ------
        FullError
        """
        if self.is_full:
            raise FullError
        one = Follower()
        self._followers.add(one)
        try:
            yield one
        finally:
            self._followers.discard(one)

    def tell(self, message: str) -> None:
        """Tell all of them."""
        for one in list(self._followers):
            if not one.tell(message):
                self._followers.discard(one)
                self.dropped += 1
