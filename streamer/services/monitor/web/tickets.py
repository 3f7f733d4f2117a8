"""The newest tickets and one ticket's whole way, as JSON."""

from asyncio import wait_for
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from aiohttp import web

from streamer.errors import StreamerError
from streamer.services.monitor.tail import Newest
from streamer.services.monitor.web.api import LONGEST_S
from streamer.services.monitor.web.rate_limit import RateLimit
from streamer.services.monitor.web.responses import as_json, error, seconds

Search = Callable[[str, timedelta], Awaitable[Mapping[str, Any]]]
"""One ticket's way by its id, as far back as given, ready for JSON."""

SINCE_S = 86400.0
WITHIN_S = 30.0


class Newcomers(Protocol):
    """The newest labels, those after a row's number."""

    def newest(self, after: int = 0) -> Newest: ...


def routes(tail: Newcomers, search: Search) -> web.RouteTableDef:
    """GET /api/tickets and /api/tickets/{id}?seconds=.

    A search reads Kafka: `RateLimit` bounds how often, 429 says when to come again.
    """
    table = web.RouteTableDef()
    turns = RateLimit()

    @table.get("/api/tickets")
    async def newest(request: web.Request) -> web.Response:
        return as_json(tail.newest())

    @table.get("/api/tickets/{id:.+}")
    async def ticket(request: web.Request) -> web.Response:
        since = timedelta(seconds=seconds(request, SINCE_S, LONGEST_S))
        wait = turns.take()
        if wait is not None:
            refused = error(429, f"too many searches: try again in {wait:.0f} s")
            refused.headers["Retry-After"] = f"{wait:.0f}"
            return refused
        try:
            return await _found(search(request.match_info["id"], since))
        finally:
            turns.give_back()

    return table


async def _found(search: Awaitable[Mapping[str, Any]]) -> web.Response:
    try:
        return as_json(await wait_for(search, WITHIN_S))
    except StreamerError as failed:
        return error(502, str(failed))
    except TimeoutError:
        return error(504, f"not found within {WITHIN_S:.0f} s: look back over a shorter time")
