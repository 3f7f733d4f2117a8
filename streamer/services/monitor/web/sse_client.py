"""One open page, as far as the server knows it."""

import asyncio
from contextlib import suppress

UNREAD = 50


class SseClient:
    """Events for one connection. It may be `UNREAD` of them behind; then it is cut off."""

    def __init__(self, transport: asyncio.BaseTransport | None) -> None:
        self._transport = transport
        self._events: asyncio.Queue[bytes] = asyncio.Queue(UNREAD)

    def put(self, event: bytes) -> None:
        """Tell it, without waiting."""
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self.cut()

    async def get(self) -> bytes:
        """The next event; empty at the end."""
        return await self._events.get()

    def cut(self) -> None:
        """End it at once, whatever it hasn't read; it may come again."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()
        with suppress(asyncio.QueueFull):
            self._events.put_nowait(b"")
