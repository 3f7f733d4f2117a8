"""Planted gates, and the files of a version of the segments that services and `align` read."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from streamer.backends.artefact import FILE as MODEL_FILE
from streamer.backends.gate import Gate
from streamer.learn.scores import Labels
from streamer.learn.segments.classifier import learn_classifier
from streamer.records.routing import FILE, GateLimits, Routing, TaskRoutes


def gate_of(texts: Sequence[str], places: Labels, seed: int = 1) -> Gate:
    """What learns the segments at these places [N], the first being 0."""
    made = learn_classifier(texts, places, int(places.max()) + 1, seed)
    assert made is not None
    return made.gate


def write_routing(
    folder: Path,
    gate: Gate | None,
    numbers: Sequence[int],
    tasks: Mapping[str, TaskRoutes] | None = None,
) -> Routing:
    """Write the routing and, where there is one, the gate's model."""
    folder.mkdir(parents=True, exist_ok=True)
    limits = None
    if gate is not None:
        gate.model.save(folder)
        digest = sha256((folder / MODEL_FILE).read_bytes()).hexdigest()
        limits = GateLimits(gate.at_least, gate.least_known, digest)
    made = Routing("planted", tuple(numbers), limits, tasks or {})
    (folder / FILE).write_bytes(made.to_json())
    return made
