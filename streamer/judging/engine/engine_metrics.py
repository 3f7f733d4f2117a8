"""What vLLM counts of one engine, kept apart from that of others."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric


class EngineMetrics:
    """vLLM's own metrics of one engine, which is started with `logger`."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()

    def logger(self) -> Any:
        """A stat logger as `AsyncLLM` takes it, which writes them here.

        vLLM's own uses the one registry of the process, out of which a second engine throws those
        of the first.
        """
        from vllm.v1.metrics.loggers import PrometheusStatLogger

        kinds = {"_gauge_cls": Gauge, "_counter_cls": Counter, "_histogram_cls": Histogram}
        here = {name: partial(kind, registry=self._registry) for name, kind in kinds.items()}
        return type("StatLogger", (PrometheusStatLogger,), here)

    def collect(self) -> Iterable[Metric]:
        """For prometheus_client: all that there are by now."""
        return self._registry.collect()
