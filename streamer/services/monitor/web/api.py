"""The monitor's view as JSON."""

from collections.abc import Sequence
from typing import Protocol

import orjson
from aiohttp import web

from streamer.monitoring.view import MonitorState, Series
from streamer.records.alarm import Alarm
from streamer.services.monitor.web.responses import as_json, error, seconds, written
from streamer.services.monitor.web.ttl_cache import TtlCache

SPAN_S = 60.0
SERIES_S = 900.0
LONGEST_S = 7 * 86400.0
# Sums over a week take half a second, on the event loop that also takes the summaries in.
GOOD_FOR = 1 / 200
GOOD_S = 60.0


class View(Protocol):
    """What the monitor knows now. `series` raises `KeyError` for a task it never heard of."""

    def state(self, span_s: float = SPAN_S) -> MonitorState: ...
    def series(self, task: str, seconds: float) -> Series: ...
    def alarms(self) -> Sequence[Alarm]: ...


def routes(view: View) -> web.RouteTableDef:
    """GET /api/state?seconds=, /api/series?task=&seconds= and /api/alarms.

    The sums over a long time are made anew only now and then.
    """
    table = web.RouteTableDef()
    held = TtlCache()

    @table.get("/api/state")
    async def state(request: web.Request) -> web.Response:
        span_s = seconds(request, SPAN_S, LONGEST_S)
        return written(
            held.get(("state", span_s), _good_s(span_s), lambda: orjson.dumps(view.state(span_s)))
        )

    @table.get("/api/series")
    async def series(request: web.Request) -> web.Response:
        task = request.query.get("task")
        if task is None:
            return error(400, "name a task: /api/series?task=NAME")
        span_s = seconds(request, SERIES_S, LONGEST_S)
        try:
            return written(
                held.get(
                    ("series", task, span_s),
                    _good_s(span_s),
                    lambda: orjson.dumps(view.series(task, span_s)),
                )
            )
        except KeyError:
            return error(404, "no such task, or nothing was heard of it yet")

    @table.get("/api/alarms")
    async def alarms(request: web.Request) -> web.Response:
        return as_json(view.alarms())

    return table


def _good_s(span_s: float) -> float:
    return min(span_s * GOOD_FOR, GOOD_S)
