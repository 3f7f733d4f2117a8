"""The monitor service: summaries in, windows, alarms and the live page out."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamer.config.settings import Settings
from streamer.monitoring.alarms.watch import Watch
from streamer.monitoring.windows import Taken
from streamer.observe.listener import Listener
from streamer.observe.status_routes import status_routes
from streamer.records.times import rfc3339
from streamer.services.inspect.search import find
from streamer.services.monitor.alarm_loop import AlarmLoop
from streamer.services.monitor.alerts import Alerts
from streamer.services.monitor.expectations import expectations
from streamer.services.monitor.exposure import refuse_open_door
from streamer.services.monitor.live import LiveView
from streamer.services.monitor.metrics import MonitorMetrics
from streamer.services.monitor.progress import Progress
from streamer.services.monitor.stats_topic import StatsTopic
from streamer.services.monitor.tables import SummaryTables
from streamer.services.monitor.tail import Tail
from streamer.services.monitor.web.application import application
from streamer.services.monitor.web.guard import Guard
from streamer.services.runtime.kafka import connection, kafka_clients
from streamer.stream.reading import Reader
from streamer.stream.retention import retention_s

if TYPE_CHECKING:
    from streamer.stream.clients import Clients

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
_ALARM_BYTES = 2**16


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Run until `stop` is set. Raises `ConfigError`, `BrokerError` or whatever was unforeseen."""
    refuse_open_door(settings)
    # It logs each rebalance in dozens of lines.
    for name in ("faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    expected, topics = expectations(settings), settings.topics
    clients = kafka_clients(settings.kafka)
    await clients.ensure_topics([topics.stats, topics.alerts, topics.labels, topics.judge])
    producer = clients.producer(limit=_ALARM_BYTES, compression=None)
    async with (
        Reader.of(clients, [topics.stats, topics.alerts]) as reader,
        clients.started(producer),
        StatsTopic.of(clients, topics.stats) as stats,
    ):
        monitor = await _Monitor.of(settings, clients, reader)
        monitor.view.expect(expected)
        alerts = Alerts(topics.alerts, settings.monitor.runbooks)
        await alerts.read(reader)
        limits = settings.monitor.alarms
        kept_s = await retention_s(clients, topics.judge)
        watch = Watch(monitor.tables.windows, expected, limits, rfc3339, kept_s)
        alarm_loop = AlarmLoop(watch, monitor.view, alerts, monitor.metrics, producer)
        async with monitor.running():
            while not stop.is_set():
                await stats.check()
                if await monitor.current(reader):
                    await alarm_loop.look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_EVERY_S)


class _Monitor:
    """The tables, the newest labels, and the page about both."""

    def __init__(self, settings: Settings, progress: Progress, copies: int) -> None:
        kafka = connection(settings.kafka)
        self._settings = settings
        self._progress = progress
        self._tail = Tail(settings.topics.labels, kafka.options())
        self._started = False
        self.metrics = MonitorMetrics()
        self.tables = SummaryTables(
            kafka, _group(settings), settings.topics.stats, self._took, copies=copies
        )
        self.view = LiveView(
            self.tables.windows, tuple(settings.tasks), settings.monitor.runbooks, progress.late
        )

    @classmethod
    async def of(cls, settings: Settings, clients: "Clients", reader: Reader) -> "_Monitor":
        """Going on where the last one was."""
        stats, group = settings.topics.stats, _group(settings)
        progress = await Progress.of(clients, reader, stats, group)
        async with clients.admin() as admin:
            (described,) = await admin.describe_topics([stats])
        # As safe as the summaries themselves.
        copies = len(described["partitions"][0]["replicas"])
        return cls(settings, progress, copies)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer, and take summaries in, meanwhile."""
        listen = self._settings.monitor.listen
        server = Listener(listen.host, listen.port, self._application())
        await server.start()
        log.info("listening on http://%s:%d", listen.host, server.port)
        tailing = asyncio.create_task(self._tail.run())
        try:
            await self.tables.start()
            self._started = True
            yield
        finally:
            tailing.cancel()
            await self.tables.stop()
            await server.stop()

    async def current(self, reader: Reader) -> bool:
        """Whether the sums are those of now; raises `BrokerError` when they will never be."""
        self.tables.check()
        await self._progress.look(reader)
        self.metrics.behind(self._progress.behind)
        return self._progress.settled

    def _took(self, taken: Taken, unreadable: int, upto: int) -> None:
        self.metrics.took(taken, unreadable)
        self._progress.took(upto)

    def _ready(self) -> str | None:
        return None if self._started else "waiting for the tables"

    def _application(self) -> Any:
        monitor = self._settings.monitor
        status = status_routes(self.metrics, self._progress.stuck, self._ready)
        guard = Guard(monitor.listen.host, monitor.token)
        return application(self.view, self._tail, self._search, status, guard)

    async def _search(self, ticket_id: str, since: timedelta) -> Mapping[str, Any]:
        text = self._settings.monitor.text
        return (await find(self._settings, ticket_id, since, text=text)).to_dict()


def _group(settings: Settings) -> str:
    return f"{settings.kafka.group}-monitor"
