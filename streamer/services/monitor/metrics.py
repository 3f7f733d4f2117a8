"""The monitor's own metrics."""

from collections.abc import Iterator, Mapping
from typing import Literal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric

from streamer.monitoring.alarms.standing import Id, Standing
from streamer.monitoring.windows import Taken
from streamer.observe.exposition import counter, gauge
from streamer.observe.families import FAMILIES

_FAMILIES = {family.name: family for family in FAMILIES}

Outcome = Literal["added", "repeated", "stale", "unreadable"]


class MonitorMetrics:
    """What became of summaries, and which alarms stand. Belongs to one event loop."""

    def __init__(self) -> None:
        self._summaries: dict[Outcome, int] = dict.fromkeys(
            ("added", "repeated", "stale", "unreadable"), 0
        )
        self._alarms: Mapping[Id, Standing] = {}
        self._behind = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def took(self, taken: Taken, unreadable: int) -> None:
        """A batch was taken in."""
        self._summaries["added"] += taken.added
        self._summaries["repeated"] += taken.repeated
        self._summaries["stale"] += taken.stale
        self._summaries["unreadable"] += unreadable

    def behind(self, summaries: int) -> None:
        """So many summaries are not taken yet."""
        self._behind = summaries

    def alarms(self, standing: Mapping[Id, Standing]) -> None:
        """These alarms stand now, and no others."""
        self._alarms = standing

    def render(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """For prometheus_client."""
        yield gauge(
            _FAMILIES["streamer_alarm"],
            {
                (kind, task or "", subject or "", stands.reading.severity): 1.0
                for (kind, task, subject), stands in self._alarms.items()
            },
        )
        yield counter(
            _FAMILIES["streamer_summaries_total"],
            {(outcome,): float(count) for outcome, count in self._summaries.items()},
        )
        yield gauge(_FAMILIES["streamer_summaries_behind"], {(): float(self._behind)})
