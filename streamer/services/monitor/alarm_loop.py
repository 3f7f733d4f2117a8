"""Looks at the windows again and again, and tells what a person should know."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from streamer.monitoring.alarms.standing import standing
from streamer.monitoring.alarms.watch import LATE_MS, Watch
from streamer.monitoring.expected import Expected
from streamer.monitoring.reading import Reading
from streamer.monitoring.windows import RECENT
from streamer.services.monitor.alerts import Alerts
from streamer.services.monitor.live import LiveView
from streamer.services.monitor.metrics import MonitorMetrics


class AlarmLoop:
    """One `look` at a time, about every second: the tests when a window closed, the rest always."""

    def __init__(
        self, watch: Watch, view: LiveView, alerts: Alerts, metrics: MonitorMetrics, producer: Any
    ) -> None:
        self._watch = watch
        self._view = view
        self._alerts = alerts
        self._metrics = metrics
        self._producer = producer
        self._closed_ms = 0
        self._drifted: list[Reading] = []

    async def look(self) -> None:
        """Show what stands, and publish what changed."""
        now_ms = int(time.time() * 1000)
        await self._test(now_ms)
        alarms = standing(
            [*self._watch.quick(now_ms), *self._drifted], self._alerts.standing, now_ms
        )
        self._view.stand(alarms)
        self._metrics.alarms(alarms)
        await self._alerts.tell(alarms, self._producer, now_ms)

    async def _test(self, now_ms: int) -> None:
        closed_ms = RECENT.start(now_ms - LATE_MS)
        if closed_ms == self._closed_ms:
            return
        # The windows are taken here, where nothing changes them meanwhile.
        cells = self._watch.cells(now_ms)
        expected: Mapping[str, Expected]
        self._drifted, expected = await asyncio.to_thread(self._watch.drift, cells)
        self._view.expect(expected)
        self._closed_ms = closed_ms
