"""Answers monitoring systems and orchestrators over HTTP."""

from aiohttp import web

from streamer.observe.listener import Listener
from streamer.observe.status_routes import Check, Renders, status_routes


class StatusServer(Listener):
    """A listener for `status_routes` alone."""

    def __init__(self, host: str, port: int, metrics: Renders, health: Check, ready: Check) -> None:
        app = web.Application()
        app.add_routes(status_routes(metrics, health, ready))
        super().__init__(host, port, app)
