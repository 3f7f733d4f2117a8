"""What is new, told to every open page."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from streamer.errors import DEFECTS
from streamer.monitoring.view import MonitorState
from streamer.records.alarm import Alarm
from streamer.records.times import rfc3339
from streamer.services.monitor.tail import Newest
from streamer.services.monitor.web.api import View
from streamer.services.monitor.web.responses import error
from streamer.services.monitor.web.sse_client import SseClient
from streamer.services.monitor.web.tickets import Newcomers

log = logging.getLogger(__name__)

READERS = 32
TICK_S = 0.2
STATE_EVERY = 5


class Events:
    """Server-sent events: `state` every second, `tickets` in small bundles, `alarm` on change.

    A reader is told everything at first: the state, and all kept tickets, marked `whole`. There
    are at most `READERS`; one more is answered 503. Nothing is made while nobody reads.
    """

    def __init__(self, view: View, tail: Newcomers, tick_s: float = TICK_S) -> None:
        self._view = view
        self._tail = tail
        self._tick_s = tick_s
        self._readers: set[SseClient] = set()
        self._told = Newest((), 0, 0, None)
        self._raised: Mapping[str, Alarm] = {}

    @property
    def readers(self) -> int:
        """How many pages are open."""
        return len(self._readers)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """GET /api/events."""
        if self.readers >= READERS:
            return error(503, f"{READERS} pages are open already: close one")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        reader = self._join(request)
        try:
            await response.prepare(request)
            while event := await reader.get():
                await response.write(event)
        except ConnectionError:
            pass
        finally:
            self._readers.discard(reader)
        return response

    async def lifetime(self, app: web.Application) -> AsyncIterator[None]:
        """Tells the readers while `app` runs."""
        telling = asyncio.create_task(self._tell_on())
        yield
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling

    async def close(self, app: web.Application) -> None:
        """End all streams: they would hold up the end of `app`."""
        for reader in tuple(self._readers):
            reader.cut()

    def _join(self, request: web.Request) -> SseClient:
        state, newest = self._view.state(), self._tail.newest()
        if not self._readers:
            # What changed while nobody read is no news to who comes now: the state has it.
            self._raised = _raised(state)
            self._told = replace(newest, rows=())
        reader = SseClient(request.transport)
        reader.put(_event("state", state))
        reader.put(_event("tickets", {"whole": True, "newest": newest}))
        self._readers.add(reader)
        return reader

    async def _tell_on(self) -> None:
        tick = 0
        while True:
            await asyncio.sleep(self._tick_s)
            tick += 1
            if not self._readers:
                continue
            try:
                self._tell(with_state=tick % STATE_EVERY == 0)
            except DEFECTS:
                log.exception("open pages could not be told what is new")

    def _tell(self, *, with_state: bool) -> None:
        news = [*self._tickets(), *(self._state() if with_state else ())]
        for reader in tuple(self._readers):
            for event in news:
                reader.put(event)

    def _tickets(self) -> Iterator[bytes]:
        newest = self._tail.newest(self._told.last)
        if replace(newest, rows=()) != self._told:
            self._told = replace(newest, rows=())
            yield _event("tickets", {"whole": False, "newest": newest})

    def _state(self) -> Iterator[bytes]:
        state = self._view.state()
        for alarm in _changes(self._raised, _raised(state), state.at_ms):
            yield _event("alarm", alarm)
        self._raised = _raised(state)
        yield _event("state", state)


def _raised(state: MonitorState) -> Mapping[str, Alarm]:
    return {alarm.id: alarm for alarm in state.alarms if alarm.state == "raised"}


def _changes(before: Mapping[str, Alarm], now: Mapping[str, Alarm], at_ms: int) -> Iterator[Alarm]:
    for name in now.keys() - before.keys():
        yield now[name]
    for name in before.keys() - now.keys():
        yield replace(before[name], state="cleared", at=rfc3339(at_ms))


def _event(kind: str, value: Any) -> bytes:
    # JSON has no line ends, which would end the event.
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(value) + b"\n\n"
