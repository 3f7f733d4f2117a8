"""A version of the segments for the intents of the sample."""

from pathlib import Path

from streamer.config import load
from streamer.records.label import Rule
from streamer.records.routing import RouteRecord, Routing, TaskRoutes
from tests.k8s.chart import ROOT
from tests.routed import word_gate, write_routing, write_segments

ALPHA, BETA = 4, 7
"""Which tickets with these words are of; only the first has a way of its own."""


def write_version(folder: Path) -> Routing:
    """All that `streamer segments fit` leaves in a version's folder."""
    task = load(ROOT / "streamer.yaml").tasks["intent"]
    way = RouteRecord((task.workers[0].model,), Rule("majority", 1, 1), {})
    routes = TaskRoutes(task.label_set.version, {}, 0.1, {str(ALPHA): way})
    write_segments(folder, {ALPHA: 60, BETA: 40})
    for name in ("report.json", "report.html"):
        (folder / name).write_text("{}")
    return write_routing(folder, word_gate(), (ALPHA, BETA), {"intent": routes})
