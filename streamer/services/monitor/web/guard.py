"""Who may ask the monitor: its own page, under its own name, with its token."""

import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from streamer.errors import DEFECTS, StreamerError
from streamer.services.monitor.exposure import is_loopback
from streamer.services.monitor.web.responses import error

log = logging.getLogger(__name__)

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    # Nothing inline, nothing from elsewhere, and no text that is made into elements.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses what didn't come from the page itself or from who has the token.

    Bound to loopback, only loopback's own names are answered: a foreign name that resolves to
    127.0.0.1 is another site reading through the visitor's browser. `token` is asked for the data
    and the metrics, never for the page, which has none.
    """

    def __init__(self, host: str, token: str | None) -> None:
        self._host = host
        self._token = token

    @property
    def asks(self) -> bool:
        """Whether a token is needed."""
        return self._token is not None

    def install(self, app: web.Application) -> None:
        """Guard all that `app` answers."""
        app.middlewares.append(self._guarded)
        app.on_response_prepare.append(_add_headers)

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handle) -> web.StreamResponse:
        return self._refusal(request) or await _answered(request, handler)

    def _refusal(self, request: web.Request) -> web.Response | None:
        if is_loopback(self._host) and not _own_name(request, self._host):
            return error(421, "this monitor answers on loopback alone: use http://localhost")
        if not _holds_data(request):
            return None
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return error(403, "another site may not ask: open the monitor's own page")
        if not self._has_token(request):
            refused = error(401, "the monitor's token is needed: Authorization: Bearer TOKEN")
            refused.headers["WWW-Authenticate"] = "Bearer"
            return refused
        return None

    def _has_token(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(
            given.strip().encode("utf-8", "surrogateescape"), self._token.encode()
        )
        return kind.lower() == "bearer" and same


def _own_name(request: web.Request, host: str) -> bool:
    try:
        name = URL(f"http://{request.headers.get('Host', '')}").host
    except ValueError:
        return False
    return name is not None and (name == host or is_loopback(name))


def _holds_data(request: web.Request) -> bool:
    return request.path.startswith("/api/") or request.path == "/metrics"


async def _answered(request: web.Request, handler: Handle) -> web.StreamResponse:
    """The answer; what fails under /api is told there in one line of JSON as well."""
    try:
        return await handler(request)
    except web.HTTPException as failed:
        if not request.path.startswith("/api/") or failed.content_type == "application/json":
            raise
        return error(failed.status, failed.reason.lower())
    except (StreamerError, OSError, *DEFECTS):
        log.exception("the monitor could not answer")
        return error(500, "the monitor failed to answer: its log says why")


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
