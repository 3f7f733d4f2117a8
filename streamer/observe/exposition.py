"""Our values in the shape that prometheus_client writes."""

from collections.abc import Mapping

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from streamer.observe.family import MetricFamily
from streamer.observe.histogram import Histogram

Labels = tuple[str, ...]


def counter(family: MetricFamily, values: Mapping[Labels, float]) -> Metric:
    """A counter with one sample per combination of label values."""
    metric = CounterMetricFamily(family.name, family.meaning, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def gauge(family: MetricFamily, values: Mapping[Labels, float]) -> Metric:
    """As `counter`, for what goes up and down."""
    metric = GaugeMetricFamily(family.name, family.meaning, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def histogram(family: MetricFamily, histograms: Mapping[Labels, Histogram]) -> Metric:
    """A histogram for each combination of label values."""
    metric = HistogramMetricFamily(family.name, family.meaning, labels=family.labels)
    for labels, counted in histograms.items():
        metric.add_metric(labels, counted.buckets(), counted.sum)
    return metric
