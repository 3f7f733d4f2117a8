"""Every metric that the services publish."""

from streamer.observe.family import MetricFamily
from streamer.observe.label_families import LABEL_FAMILIES
from streamer.observe.process_families import PROCESS_FAMILIES

FAMILIES: tuple[MetricFamily, ...] = (*LABEL_FAMILIES, *PROCESS_FAMILIES)
