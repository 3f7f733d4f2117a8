"""Kinds of tickets that only their shape tells apart."""

import numpy as np
from sklearn.metrics import adjusted_rand_score

from streamer.learn.segments.classifier import learn_classifier
from streamer.learn.segments.clustering import cluster
from streamer.learn.segments.shape import with_shape

TOPIC = 0.1


def planted(seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Messages and pairs of messages about the same things, with embeddings of one topic."""
    rng = np.random.default_rng(seed)
    words = [f"word{number}" for number in range(60)]
    pairs = rng.random(600) < 0.5
    texts = []
    for pair in pairs:
        said = [" ".join(rng.choice(words, size=6)) for _ in range(1 + pair)]
        texts.append("\n".join(said))
    embeddings = rng.normal(0, TOPIC, (600, 8)).astype(np.float32)
    return texts, pairs.astype(np.int64), embeddings


def test_pairs_of_messages_are_a_segment_of_their_own() -> None:
    texts, truth, embeddings = planted(1)
    blind = cluster(embeddings, seed=1, size=2)
    seeing = cluster(with_shape(embeddings, texts), seed=1, size=2)
    assert adjusted_rand_score(truth, blind.cluster_ids) < 0.1
    assert adjusted_rand_score(truth, seeing.cluster_ids) > 0.95


def test_the_light_classifier_tells_them_apart_without_the_words() -> None:
    texts, truth, _ = planted(2)
    made = learn_classifier(texts, truth, 2, seed=1)
    assert made is not None
    fresh, right, _ = planted(3)
    named = made.segment_ids(fresh)
    assert (named == right)[named >= 0].mean() > 0.95
    assert (named >= 0).mean() > 0.8


def test_a_ticket_gets_the_same_coordinates_alone_and_among_others() -> None:
    texts, _, embeddings = planted(4)
    whole = with_shape(embeddings, texts)
    alone = np.concatenate(
        [with_shape(embeddings[at : at + 1], texts[at : at + 1]) for at in range(len(texts))]
    )
    np.testing.assert_array_equal(whole, alone)
    assert np.isfinite(with_shape(embeddings[:3], ["", "\n" * 100_000, "x" * 100_000])).all()
