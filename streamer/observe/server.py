"""Answers monitoring systems and orchestrators over HTTP."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from streamer.errors import ConfigError

Check = Callable[[], str | None]


class Renders(Protocol):
    """Metrics in the Prometheus text format."""

    def render(self) -> bytes: ...


class StatusServer:
    """/metrics, /healthz (else: restart me) and /readyz (else: send me nothing yet).

    `health` and `ready` return a reason, or None when all is well; a reason is answered as 503.
    Port 0 takes any free one: `port` says which, once started.
    """

    def __init__(self, host: str, port: int, metrics: Renders, health: Check, ready: Check) -> None:
        self._host = host
        self._wanted = port
        self._metrics = metrics
        app = web.Application()
        app.router.add_get("/metrics", self._answer_metrics)
        app.router.add_get("/healthz", _answer(health))
        app.router.add_get("/readyz", _answer(ready))
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)

    @property
    def port(self) -> int:
        """The port it listens on; 0 before `start`."""
        addresses = self._runner.addresses
        return int(addresses[0][1]) if addresses else 0

    async def start(self) -> None:
        """Listen; raises `ConfigError` where the address can't be had."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._wanted).start()
        except OSError as error:
            await self._runner.cleanup()
            raise ConfigError(
                f"listen: can't listen on {self._host}:{self._wanted} ({error.strerror}); "
                "give another port, or 0 for any free one"
            ) from None

    async def stop(self) -> None:
        """Close the listener and its connections."""
        await self._runner.cleanup()

    async def _answer_metrics(self, request: web.Request) -> web.Response:
        return web.Response(
            body=self._metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        reason = check()
        return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

    return answer
