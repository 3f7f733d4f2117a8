"""The page and its parts, from the package's own files."""

import hashlib
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import PurePath

from aiohttp import web

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


def routes(*, asks_token: bool) -> list[web.RouteDef]:
    """GET / and /static/NAME, read once; the page knows whether it has to ask for a token."""
    static = files("streamer.services.monitor.web") / "static"
    contents = {file.name: file.read_bytes() for file in static.iterdir()}
    page = contents.pop("index.html")
    if asks_token:
        page = page.replace(b"<html ", b"<html data-token ", 1)
    static_routes = [
        web.get(f"/static/{name}", _file(name, body)) for name, body in contents.items()
    ]
    return [web.get("/", _file("index.html", page)), *static_routes]


def _file(name: str, body: bytes) -> Callable[[web.Request], Awaitable[web.Response]]:
    tag = hashlib.sha256(body).hexdigest()[:32]
    # Asked for again each time, so that a new release is never mixed with an old one.
    headers = {"ETag": f'"{tag}"', "Cache-Control": "no-cache"}

    async def answer(request: web.Request) -> web.Response:
        if any(etag.value == tag for etag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        kind = _TYPES[PurePath(name).suffix]
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return answer
