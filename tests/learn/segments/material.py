"""Tickets with planted topics, and points that lie around planted centres."""

import numpy as np

from streamer.learn.segments.sample import SegmentSample

TOPICS = (
    ("invoice", "charged", "refund", "card"),
    ("parcel", "courier", "delivery", "address"),
    ("password", "login", "locked", "reset"),
    ("crash", "error", "screen", "export"),
)
FILLER = ("please", "help", "since", "monday", "thanks", "again")
EACH = 60
CENTRES = np.random.default_rng(11).normal(size=(len(TOPICS), 16))


def tickets(seed: int = 5) -> tuple[SegmentSample, np.ndarray, np.ndarray]:
    """The material, its embeddings [N, 16] and the topic [N] of every ticket."""
    rng = np.random.default_rng(seed)
    topics = np.repeat(np.arange(len(TOPICS)), EACH)
    texts = [
        " ".join([*rng.choice(TOPICS[at], 2, replace=False), *rng.choice(FILLER, 3)])
        for at in topics
    ]
    points = CENTRES[topics] + rng.normal(scale=0.3, size=(len(topics), CENTRES.shape[1]))
    ids = [f"T-{seed}-{number}" for number in range(len(topics))]
    times = {name: f"2026-01-01T00:{number // 60:02}:{number % 60:02}.000Z"
             for number, name in enumerate(ids)}  # fmt: skip
    material = SegmentSample.of(times, dict(zip(ids, texts, strict=True)), most=10_000)
    return material, points.astype(np.float32), topics
