"""Counts and traces which way a task's tickets took."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from streamer.backends.gate import Named
from streamer.observe.metrics import Metrics, Unrouted
from streamer.records.segments import GENERAL
from streamer.services.classify.arrival import Arrival
from streamer.services.classify.route.routes import Routes
from streamer.services.classify.route.segment_router import Names

REASONS: tuple[Unrouted, ...] = ("unsure", "far", "failed")


def begin(metrics: Metrics, task: str, routes: Routes) -> None:
    """Show all ways from the start: one that no ticket takes is a figure, too."""
    metrics.routed_by(task, routes.router.version, 0)
    for place in routes.router.places:
        metrics.routed(task, routes.router.segmented(place).name, 0)
    for reason in REASONS:
        metrics.unrouted(task, reason, 0)


def follow(
    metrics: Metrics,
    task: str,
    routes: Routes,
    arrivals: Sequence[Arrival],
    names: Names,
) -> None:
    """Count the ways of some tickets of the batch, and write them into the traces."""
    named = names.of(arrivals)
    places = named.places.tolist()
    metrics.routed_by(task, routes.router.version, len(places))
    for place, count in Counter(places).items():
        metrics.routed(task, routes.router.segmented(place).name, count)
    _count_unrouted(metrics, task, names.failed, named)
    for row, arrival in enumerate(arrivals):
        if arrival.trace.sampled:
            arrival.trace.routed(
                task,
                routes.router.segmented(places[row]).name,
                float(named.confidence[row]),
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
