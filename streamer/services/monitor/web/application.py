"""The monitor's web application."""

from collections.abc import Iterable

from aiohttp import web

from streamer.services.monitor.web import api, pages, tickets
from streamer.services.monitor.web.api import View
from streamer.services.monitor.web.events import Events
from streamer.services.monitor.web.guard import Guard
from streamer.services.monitor.web.tickets import Newcomers, Search


def application(
    view: View,
    tail: Newcomers,
    search: Search,
    status: Iterable[web.RouteDef],
    guard: Guard,
) -> web.Application:
    """The live page, what it is made of as JSON, and `status`: all behind `guard`.

    `tail` has to be run by the caller.
    """
    app = web.Application()
    guard.install(app)
    events = Events(view, tail)
    app.add_routes(pages.routes(asks_token=guard.asks))
    app.add_routes(api.routes(view))
    app.add_routes(tickets.routes(tail, search))
    app.add_routes([web.get("/api/events", events.stream), *status])
    app.cleanup_ctx.append(events.lifetime)
    app.on_shutdown.append(events.close)
    return app
