"""Every metric that the services publish."""

from streamer.observe.family import Family
from streamer.observe.label_families import LABEL_FAMILIES
from streamer.observe.process_families import PROCESS_FAMILIES

FAMILIES: tuple[Family, ...] = (*LABEL_FAMILIES, *PROCESS_FAMILIES)
