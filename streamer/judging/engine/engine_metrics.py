"""What vLLM counts of one engine, kept apart from that of others."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Whoever asks an endpoint by the same code has no engine, and no metrics of one.
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric


class EngineMetrics:
    """vLLM's own metrics of one engine, which is started with `logger`."""

    def __init__(self) -> None:
        self._registry: CollectorRegistry | None = None

    def logger(self) -> Any:
        """A stat logger as `AsyncLLM` takes it, which writes them here; they begin anew.

        vLLM's own uses the one registry of the process, out of which a second engine throws those
        of the first.
        """
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
        from vllm.v1.metrics.loggers import PrometheusStatLogger

        self._registry = registry = CollectorRegistry()
        kinds = {"_gauge_cls": Gauge, "_counter_cls": Counter, "_histogram_cls": Histogram}
        here = {name: partial(kind, registry=registry) for name, kind in kinds.items()}
        return type("StatLogger", (PrometheusStatLogger,), here)

    def collect(self) -> "Iterable[Metric]":
        """For prometheus_client: all that there are by now."""
        return () if self._registry is None else self._registry.collect()
