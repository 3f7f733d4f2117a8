"""JSON over HTTP, the same for every answer."""

from typing import Any

import orjson
from aiohttp import web


def as_json(value: Any, status: int = 200) -> web.Response:
    """Dataclasses and plain values as a JSON answer."""
    return written(orjson.dumps(value), status)


def written(body: bytes, status: int = 200) -> web.Response:
    """JSON as it is, as an answer that nobody keeps."""
    return web.Response(
        body=body,
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def error(status: int, text: str) -> web.Response:
    """What went wrong and what to do, in one line."""
    return as_json({"error": text}, status)


def seconds(request: web.Request, default: float, longest: float) -> float:
    """The query's `seconds`; raises 400 where it is no number above 0 and up to `longest`."""
    text = request.query.get("seconds")
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= longest:
        raise web.HTTPBadRequest(
            text=orjson.dumps(
                {"error": f"seconds: a number above 0, up to {longest:.0f}"}
            ).decode(),
            content_type="application/json",
        )
    return value
