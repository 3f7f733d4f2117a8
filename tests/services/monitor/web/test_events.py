"""Server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
from aiohttp import web

from streamer.monitoring.view import MonitorState
from streamer.observe.listener import Listener
from streamer.services.monitor.live import LiveView
from streamer.services.monitor.tail import Tail
from streamer.services.monitor.web.events import READERS, Events
from streamer.services.monitor.web.sse_client import UNREAD, SseClient
from tests.services.monitor.web.material import ABSTAINS, DRIFTS, Made, label, record
from tests.services.monitor.web.site import Site
from tests.waiting import soon


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, Any]]:
    kind = ""
    async for line in answer.content:
        name, _, value = line.decode().strip().partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


async def test_a_reader_gets_everything_and_then_what_is_new() -> None:
    made = Made()
    made.tell(minutes=1)
    made.alarm(DRIFTS)
    async with Site(made) as site, aiohttp.ClientSession() as session:
        site.tail.take([record(label("before"))])
        async with session.get(f"{site.url}/api/events") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            stream = events(answer)
            kind, state = await anext(stream)
            assert (kind, state["alarms"][0]["kind"]) == ("state", "coverage_drift")
            kind, told = await anext(stream)
            assert (kind, told["whole"]) == ("tickets", True)
            assert [row["ticket_id"] for row in told["newest"]["rows"]] == ["before"]
            site.tail.take([record(label("after"))])
            made.alarm(ABSTAINS)
            found: dict[str, list[Any]] = {"state": [], "tickets": [], "alarm": []}
            while len(found["alarm"]) < 2 or not found["tickets"]:
                kind, value = await anext(stream)
                found[kind].append(value)
            (bundle,) = found["tickets"]
            assert [row["ticket_id"] for row in bundle["newest"]["rows"]] == ["after"]
            assert {(one["kind"], one["state"]) for one in found["alarm"]} == {
                ("worker_abstains", "raised"),
                ("coverage_drift", "cleared"),
            }


async def test_one_reader_too_many_is_refused_and_a_place_is_free_again() -> None:
    async with Site(Made()) as site, aiohttp.ClientSession() as session:
        path = f"{site.url}/api/events"
        open_ones = [await session.get(path) for _ in range(READERS)]
        assert [answer.status for answer in open_ones] == [200] * READERS
        refused = await session.get(path)
        assert refused.status == 503
        assert "pages are open already" in (await refused.json())["error"]
        open_ones[0].close()

        async def welcome() -> bool:
            async with session.get(path) as again:
                return again.status == 200

        for _ in range(300):
            if await welcome():
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError("no place became free")
        for answer in open_ones:
            answer.close()


class Large(LiveView):
    """A view whose state is a megabyte."""

    def state(self, span_s: float = 60.0) -> MonitorState:
        return replace(super().state(span_s), note="x" * 2**20)


@asynccontextmanager
async def hurried() -> AsyncIterator[tuple[Events, int]]:
    """Events in a great hurry, and their port."""
    telling = Events(Large(Made().windows, (), "docs/runbooks"), Tail("none", {}), tick_s=0.001)
    app = web.Application()
    app.router.add_get("/api/events", telling.stream)
    app.cleanup_ctx.append(telling.lifetime)
    listener = Listener("127.0.0.1", 0, app)
    await listener.start()
    yield telling, listener.port
    await listener.stop()


async def test_a_reader_that_does_not_read_is_cut_off() -> None:
    async with hurried() as (telling, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**16)
        writer.write(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert await soon(lambda: telling.readers == 1)
        assert await soon(lambda: telling.readers == 0)
        writer.close()


async def test_a_reader_is_behind_by_so_many_events_and_no_more() -> None:
    aborted: list[bool] = []

    class Transport(asyncio.Transport):
        def abort(self) -> None:
            aborted.append(True)

    reader = SseClient(Transport())
    for _ in range(UNREAD):
        reader.put(b"event")
    assert not aborted
    reader.put(b"one too many")
    assert aborted


async def test_the_streams_end_with_the_application() -> None:
    async with Site(Made()) as site, aiohttp.ClientSession() as session:
        answer = await session.get(f"{site.url}/api/events")
        stopping = asyncio.create_task(site.away())
        assert await soon(stopping.done)
        answer.close()
