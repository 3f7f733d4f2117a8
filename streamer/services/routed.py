"""Counts and traces which way a task's tickets took."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from streamer.backends.gate import Named
from streamer.observe.metrics import Metrics
from streamer.records.segments import GENERAL
from streamer.services.arrival import Arrival
from streamer.services.routes import Routes
from streamer.services.segment_router import Names


def follow(
    metrics: Metrics,
    task: str,
    routes: Routes,
    arrivals: Sequence[Arrival],
    names: Names,
    named: Named,
) -> None:
    """Count the ways of the tickets, `named` [N] in their order, and write them into the traces."""
    places = named.places.tolist()
    for place, count in Counter(places).items():
        metrics.routed(task, routes.router.segmented(place).name, count)
    _count_unrouted(metrics, task, names.failed, named)
    for row, arrival in enumerate(arrivals):
        if arrival.trace.sampled:
            arrival.trace.routed(
                task,
                routes.router.segmented(places[row]).name,
                float(named.sureness[row]),
                routes.router.version,
                routes.workers(places[row]),
                names.began_ns,
            )


def _count_unrouted(metrics: Metrics, task: str, failed: bool, named: Named) -> None:
    general = int(np.count_nonzero(named.places == GENERAL))
    if not general:
        return
    if failed:
        metrics.unrouted(task, "failed", general)
        return
    far = int(np.count_nonzero(named.far))
    metrics.unrouted(task, "far", far)
    metrics.unrouted(task, "unsure", general - far)
