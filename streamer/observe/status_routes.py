"""What monitoring systems and orchestrators ask a service over HTTP."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST

from streamer.observe.listener import Listener

Check = Callable[[], str | None]


class Renders(Protocol):
    """Metrics in the Prometheus text format."""

    def render(self) -> bytes: ...


def status_routes(metrics: Renders, health: Check, ready: Check) -> list[web.RouteDef]:
    """/metrics, /healthz (else: restart me) and /readyz (else: send me nothing yet).

    `health` and `ready` return a reason, or None when all is well; a reason is answered as 503.
    """

    async def answer_metrics(request: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return [
        web.get("/metrics", answer_metrics),
        web.get("/healthz", _answer(health)),
        web.get("/readyz", _answer(ready)),
    ]


class StatusServer(Listener):
    """A listener for `status_routes`, and for /status: what is so by now, and the lines `told`."""

    def __init__(
        self,
        host: str,
        port: int,
        metrics: Renders,
        health: Check,
        ready: Check,
        told: Sequence[str] = (),
    ) -> None:
        async def answer(request: web.Request) -> web.Response:
            said = [health() or "healthy", ready() or "ready", *told]
            return web.Response(text="".join(f"{line}\n" for line in said))

        app = web.Application()
        app.add_routes([*status_routes(metrics, health, ready), web.get("/status", answer)])
        super().__init__(host, port, app)


def _answer(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        reason = check()
        return web.Response(text=f"{reason or 'ok'}\n", status=503 if reason else 200)

    return answer
