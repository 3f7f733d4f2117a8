"""The monitor's web application, listening on loopback."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp

from streamer.observe.listener import Listener
from streamer.observe.status_routes import status_routes
from streamer.services.inspect.inspection import Inspection
from streamer.services.monitor.metrics import MonitorMetrics
from streamer.services.monitor.tail import Tail
from streamer.services.monitor.web.application import application
from streamer.services.monitor.web.guard import Guard
from streamer.services.monitor.web.tickets import Search
from tests.services.monitor.web.material import Made

TOKEN = "correct-horse-battery"


class Site:
    """The real application over `made`, and a tail that the test feeds or runs."""

    def __init__(
        self,
        made: Made,
        *,
        token: str | None = None,
        tail: Tail | None = None,
        search: Search | None = None,
    ) -> None:
        self.made = made
        self.tail = Tail("none", {}) if tail is None else tail
        self.ready: str | None = None
        self._token = token
        self._search = nothing if search is None else search
        self._listener = Listener("127.0.0.1", 0, self._application())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    async def __aenter__(self) -> "Site":
        await self._listener.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._listener.stop()

    async def away(self) -> int:
        """Stop listening; returns the port that was used."""
        port = self._listener.port
        await self._listener.stop()
        return port

    async def back(self, port: int) -> None:
        """Listen again, as after a restart."""
        self._listener = Listener("127.0.0.1", port, self._application())
        await self._listener.start()

    async def get(
        self, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str, Mapping[str, str]]:
        """Status, body and headers of an answer."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.url + path, headers=headers) as answer,
        ):
            return answer.status, await answer.text(), answer.headers

    def _application(self) -> Any:
        status = status_routes(MonitorMetrics(), lambda: None, lambda: self.ready)
        guard = Guard("127.0.0.1", self._token)
        return application(self.made.view, self.tail, self._search, status, guard)


async def nothing(ticket_id: str, since: timedelta) -> Mapping[str, Any]:
    """A search in an empty Kafka."""
    return Inspection(ticket_id, "", (), (), (), None, (), True, ("check the id",)).to_dict()
