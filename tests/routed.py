"""Planted gates, and the files of a version of the segments that services and `align` read."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from streamer.backends.artefact import MODEL_FILE
from streamer.backends.features import Features
from streamer.backends.gate import Gate
from streamer.backends.linear import LinearModel
from streamer.backends.ngrams import words_and_shape
from streamer.learn.measures.scores import Labels
from streamer.learn.segments.classifier import learn_classifier
from streamer.records.routing import ROUTING_FILE, GateLimits, Routing, TaskRoutes
from streamer.records.segments import FitRecipe, Segment, Segmentation
from streamer.records.segments_folder import SEGMENTS_FILE


def word_gate(at_least: float = 0.6) -> Gate:
    """Names the first segment by the word alpha, the second by beta."""
    features = Features.fit(words_and_shape, ["alpha please help", "beta please help"], min_texts=1)
    weights = np.zeros((len(features.buckets), 2), np.float32)
    for place, word in enumerate(("alpha", "beta")):
        weights[features.rows([word]).indices, place] = 20
    return Gate(LinearModel(features, weights, np.zeros(2, np.float32)), at_least, 0.2)


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
    (folder / ROUTING_FILE).write_bytes(made.to_json())
    return made


def write_segments(folder: Path, sizes: Mapping[int, int]) -> Segmentation:
    """Write segments with these sizes, by their numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    segments = tuple(
        Segment(number, f"words {number}", ("words",), size, 1.0, (0.0, 1.0))
        for number, size in sizes.items()
    )
    recipe = FitRecipe(0, None, sum(sizes.values()), "tickets", "encoder", "code", None)
    made = Segmentation(recipe, segments, max(sizes) + 1)
    (folder / SEGMENTS_FILE).write_bytes(made.to_json())
    return made
