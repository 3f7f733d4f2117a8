"""Every metric that the services publish."""

from streamer.observe.family import MetricFamily
from streamer.observe.label_families import LABEL_FAMILIES
from streamer.observe.model_families import MODEL_FAMILIES
from streamer.observe.process_families import PROCESS_FAMILIES

OWN_FAMILIES: tuple[MetricFamily, ...] = (*LABEL_FAMILIES, *PROCESS_FAMILIES)
"""Those that are counted here."""

FAMILIES: tuple[MetricFamily, ...] = (*OWN_FAMILIES, *MODEL_FAMILIES)
