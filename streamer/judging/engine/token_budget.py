"""How many tokens are in the engine at once."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class TokenBudget:
    """Lets requests through in their order while their tokens fit into `limit`.

    A request larger than the whole budget goes through when nothing else is in the engine.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._used = 0
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def exhausted(self) -> bool:
        """Whether a request waits for tokens."""
        return bool(self._queue)

    @asynccontextmanager
    async def spend(self, tokens: int) -> AsyncIterator[None]:
        """Hold this many tokens meanwhile."""
        tokens = min(tokens, self.limit)
        if self._queue or self._used + tokens > self.limit:
            await self._wait(tokens)
        else:
            self._used += tokens
        try:
            yield
        finally:
            self._used -= tokens
            self._admit()

    async def _wait(self, tokens: int) -> None:
        admitted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((tokens, admitted))
        try:
            await admitted
        except asyncio.CancelledError:
            if not admitted.cancelled():
                # Let through in the very moment that it was given up.
                self._used -= tokens
            self._admit()
            raise

    def _admit(self) -> None:
        while self._queue:
            tokens, admitted = self._queue[0]
            if not admitted.cancelled():
                if self._used + tokens > self.limit:
                    return
                self._used += tokens
                admitted.set_result(None)
            self._queue.popleft()
