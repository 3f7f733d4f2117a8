import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamer.errors import ConfigError
from streamer.observe.metrics import Metrics
from streamer.observe.status_routes import StatusServer


class Running:
    """A service whose state the tests set."""

    def __init__(self) -> None:
        self.health: str | None = None
        self.ready: str | None = "waiting for partitions"
        self.told: list[str] = []
        self.metrics = Metrics(["intent"])
        self.server = StatusServer(
            "127.0.0.1", 0, self.metrics, lambda: self.health, lambda: self.ready, self.told
        )

    async def get(self, path: str) -> tuple[int, str, str]:
        url = f"http://127.0.0.1:{self.server.port}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text(), answer.headers["Content-Type"]


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    service = Running()
    await service.server.start()
    yield service
    await service.server.stop()


async def test_metrics_are_served(running: Running) -> None:
    running.metrics.dead("unreadable")
    status, text, kind = await running.get("/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["streamer_dead_letters"].samples[0].value == 1


async def test_reasons_are_answered_as_unavailable(running: Running) -> None:
    assert (await running.get("/healthz"))[:2] == (200, "ok\n")
    assert (await running.get("/readyz"))[:2] == (503, "waiting for partitions\n")
    running.health, running.ready = "Kafka was not polled for 61 s", None
    assert (await running.get("/healthz"))[:2] == (503, "Kafka was not polled for 61 s\n")
    assert (await running.get("/readyz"))[:2] == (200, "ok\n")


async def test_what_people_should_know_stands_on_the_status_page(running: Running) -> None:
    assert (await running.get("/status"))[:2] == (200, "healthy\nwaiting for partitions\n")
    running.ready = None
    running.told.append("topic: judged at models.internal by letters")
    _, text, _ = await running.get("/status")
    assert text == "healthy\nready\ntopic: judged at models.internal by letters\n"


async def test_nothing_else_is_served_and_nothing_is_logged(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert (await running.get("/"))[0] == 404
        await running.get("/metrics")
    assert not [record for record in caplog.records if record.name.startswith("aiohttp")]


async def test_it_stops_listening(running: Running) -> None:
    port = running.server.port
    await running.server.stop()
    assert running.server.port == 0
    with pytest.raises(aiohttp.ClientConnectionError):
        async with aiohttp.ClientSession() as session:
            await session.get(f"http://127.0.0.1:{port}/healthz")


async def test_a_taken_port_is_a_clear_error(running: Running) -> None:
    second = StatusServer(
        "127.0.0.1", running.server.port, running.metrics, lambda: None, lambda: None
    )
    with pytest.raises(ConfigError, match="another port"):
        await second.start()
