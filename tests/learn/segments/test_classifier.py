"""The light classifier beside the clusters that it learnt from."""

from pathlib import Path

import numpy as np
import pytest

from streamer.backends import ngrams
from streamer.backends.artefact import MODEL_FILE
from streamer.backends.features import Features
from streamer.backends.linear import LinearModel
from streamer.learn.segments.classifier import LARGEST, WANTED, _kind, _most, learn_classifier
from streamer.records.segments import GENERAL
from tests.learn.segments.material import TOPICS, tickets

MATERIAL, _, TRUTH = tickets()


def test_planted_topics_are_named_and_what_says_nothing_is_general(tmp_path: Path) -> None:
    made = learn_classifier(MATERIAL.texts, TRUTH, len(TOPICS), seed=1)
    assert made is not None
    assert made.agreement.value >= WANTED
    assert made.agreement.of < len(TRUTH) / 4
    fresh, _, truth = tickets(seed=77)
    said = made.segment_ids(fresh.texts)
    assert (said == truth)[said != GENERAL].mean() >= WANTED
    assert (said != GENERAL).mean() > 0.8
    nothing = ["", "\U0001f621", "zzzz qqqq", "x" * 100_000]
    assert made.segment_ids(nothing).tolist() == [GENERAL] * 4

    made.gate.model.save(tmp_path)
    assert (tmp_path / MODEL_FILE).stat().st_size < LARGEST
    again = LinearModel.load(tmp_path, ngrams.words_and_shape)
    np.testing.assert_array_equal(
        again.probabilities(fresh.texts), made.gate.model.probabilities(fresh.texts)
    )


@pytest.mark.parametrize("seed", range(4))
def test_two_topics_that_words_tell_apart_without_error_are_named(seed: int) -> None:
    """With no error to learn from, all is certain: a text that says nothing would be, too."""
    rng = np.random.default_rng(seed)
    topics = (rng.random(1200) < 0.3).astype(np.int64)
    lengths = np.where(topics == 1, rng.integers(3, 24, 1200), 12)
    texts = [
        " ".join(
            [f"{'ab'[topic]}{one}" for one in rng.integers(400, size=length)]
            + [f"c{one}" for one in rng.integers(30, size=4)]
        )
        for topic, length in zip(topics, lengths, strict=True)
    ]
    made = learn_classifier(texts, topics, 2, seed=1)
    assert made is not None
    said = made.segment_ids(texts)
    assert (said != GENERAL).mean() > 0.9
    assert (said == topics)[said != GENERAL].all()
    assert made.segment_ids(["", "zzzz qqqq"]).tolist() == [GENERAL] * 2


def test_the_same_seed_gives_the_same_classifier() -> None:
    one, other = (learn_classifier(MATERIAL.texts, TRUTH, len(TOPICS), seed=3) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.gate.model.weights, other.gate.model.weights)
    assert one.gate.at_least == other.gate.at_least


def test_borders_that_the_words_do_not_show_leave_all_tickets_general() -> None:
    chance = np.random.default_rng(5).integers(2, size=len(TRUTH))
    made = learn_classifier(MATERIAL.texts, chance, 2, seed=1)
    assert made is not None
    assert made.agreement.value < 0.75
    assert made.answered.value < 0.5


def test_one_segment_or_a_tiny_one_has_no_classifier() -> None:
    assert learn_classifier(MATERIAL.texts, np.zeros_like(TRUTH), 1, seed=1) is None
    few = np.zeros_like(TRUTH)
    few[:3] = 1
    assert learn_classifier(MATERIAL.texts, few, 2, seed=1) is None


def test_rare_words_are_left_out_until_the_classifier_is_small_enough() -> None:
    rng = np.random.default_rng(2)
    texts = [" ".join(f"w{n}" for n in rng.integers(90_000, size=60)) for _ in range(4000)]
    kind = _kind(texts, 16)
    kept = Features.fit(ngrams.words_and_shape, texts, min_texts=kind.min_texts)
    fewer = Features.fit(ngrams.words_and_shape, texts, min_texts=kind.min_texts - 1)
    assert len(kept.buckets) <= _most(16) < len(fewer.buckets)
