"""What workers learn from the judge, and what the weights and the experts are good for."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.backends.experts import Experts
from streamer.decide.distributions import total_variation
from streamer.errors import ConfigError
from streamer.learn.align.choosing import choose
from streamer.learn.align.sample import JudgedSample, as_read
from streamer.learn.align.training import LEAST, align_worker
from streamer.learn.kinds import KINDS
from tests.learn.align.planted import LABELS, biased, two_topics, unsure
from tests.learn.tiny_encoder import a_kind
from tests.routed import gate_of

SEEDS = (1, 2)


def agreement(model, stream) -> float:
    return float((model.probabilities(stream.texts).argmax(axis=1) == stream.label_ids).mean())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("loss", ["hard", "kl"])
def test_weights_undo_the_bias_of_the_judged_tickets(kind: str, loss) -> None:
    """Accepted tickets follow another pattern than deferred ones, and are rarely judged."""
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        log, weights, fresh = biased(rng)
        found = [
            agreement(
                align_worker(
                    a_kind(kind), log.judged(given), LABELS, loss=loss, gate=None, seed=seed
                ).model,
                fresh,
            )
            for given in (weights, np.ones_like(weights))
        ]
        # Four of five tickets follow the pattern that weights bring back.
        assert found[0] > 0.65, f"seed {seed}: {found}"
        assert found[1] < 0.45, f"seed {seed}: {found}"


@pytest.mark.parametrize("kind", KINDS)
def test_distributions_bring_a_worker_nearer_to_the_judge_than_labels_do(kind: str) -> None:
    """P2-10: held-out total variation falls, from no training to labels to distributions."""
    rng = np.random.default_rng(4)
    judged, fresh = unsure(rng, 1200), unsure(rng, 500)
    distances = {}
    for loss in ("hard", "kl"):
        made = align_worker(a_kind(kind), judged, LABELS, loss=loss, gate=None, seed=1).model
        answers = made.probabilities(fresh.texts)
        distances[loss] = float(total_variation(fresh.probabilities, answers).mean())
    uniform = np.full((len(fresh), len(LABELS)), 1 / len(LABELS))
    nothing = float(total_variation(fresh.probabilities, uniform).mean())
    assert distances["kl"] < distances["hard"] < nothing
    assert distances["kl"] < nothing / 2


@pytest.mark.parametrize("kind", ["word_ngrams", "char_ngrams"])
@pytest.mark.parametrize("loss", ["hard", "kl"])
def test_experts_learn_what_words_mean_in_their_segment(kind: str, loss) -> None:
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        stream, fresh = two_topics(rng, 1200), two_topics(rng, 600)
        gate = gate_of(stream.texts, stream.topics, seed)
        made = align_worker(a_kind(kind), stream.judged(), LABELS, loss=loss, gate=gate, seed=seed)
        assert isinstance(made.model, Experts)
        assert set(made.experts) == {0, 1}
        assert agreement(made.general, fresh) < 0.8, f"seed {seed}"
        assert agreement(made.model, fresh) > 0.97, f"seed {seed}"


def test_an_expert_is_calibrated_by_its_own_held_out_tickets() -> None:
    """In one topic the judge contradicts itself; who knows must be surer than who doesn't."""
    rng = np.random.default_rng(5)
    stream = two_topics(rng, 1600)
    noise = (stream.topics == 1) & (rng.random(1600) < 0.4)
    noisy = replace(stream, label_ids=np.where(noise, rng.integers(3, size=1600), stream.label_ids))
    gate = gate_of(stream.texts, stream.topics, 1)
    made = align_worker(
        KINDS["word_ngrams"], noisy.judged(), LABELS, loss="hard", gate=gate, seed=1
    )
    factors = {place: expert.settings["factor"] for place, expert in made.experts.items()}
    assert factors[0] > 1.5 * factors[1]
    fresh = two_topics(rng, 600)
    sure = made.model.probabilities(fresh.texts).max(axis=1)
    assert sure[fresh.topics == 0].mean() > 0.95
    assert 0.6 < sure[fresh.topics == 1].mean() < 0.85


def test_a_thin_segment_gets_no_expert_and_labels_without_segments_no_gate() -> None:
    rng = np.random.default_rng(6)
    stream = two_topics(rng, 1200)
    gate = gate_of(stream.texts, stream.topics, 1)
    rows = np.flatnonzero(stream.topics == 0)[: LEAST - 1]
    thin = stream.judged().where((stream.topics == 1) | np.isin(np.arange(1200), rows))
    made = align_worker(KINDS["word_ngrams"], thin, LABELS, loss="hard", gate=gate, seed=1)
    assert 0 not in made.experts
    plain = align_worker(KINDS["word_ngrams"], thin, LABELS, loss="hard", gate=None, seed=1)
    assert plain.model is plain.general
    np.testing.assert_array_equal(plain.model.weights, made.general.weights)


def test_segments_are_named_by_the_gate_where_they_are_not_given() -> None:
    rng = np.random.default_rng(7)
    stream = two_topics(rng, 900)
    gate = gate_of(stream.texts, stream.topics, 1)
    unnamed = replace(stream.judged(), segments=None)
    named = replace(unnamed, segments=gate.names(stream.texts).segment_ids)
    one, other = (
        align_worker(KINDS["word_ngrams"], each, LABELS, loss="hard", gate=gate, seed=1)
        for each in (unnamed, named)
    )
    np.testing.assert_array_equal(
        one.model.probabilities(stream.texts), other.model.probabilities(stream.texts)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_experts(kind: str) -> None:
    stream = two_topics(np.random.default_rng(8), 600)
    gate = gate_of(stream.texts, stream.topics, 1)
    one, other = (
        align_worker(a_kind(kind), stream.judged(), LABELS, loss="kl", gate=gate, seed=3)
        for _ in range(2)
    )
    assert one.experts == other.experts
    np.testing.assert_array_equal(
        one.model.probabilities(stream.texts), other.model.probabilities(stream.texts)
    )


def test_the_candidate_that_agrees_most_on_the_held_out_tickets_is_the_best() -> None:
    rng = np.random.default_rng(9)
    stream, held_out = two_topics(rng, 1200), two_topics(rng, 300)
    gate = gate_of(stream.texts, stream.topics, 1)
    kind = KINDS["word_ngrams"]
    found = choose(kind, stream.judged(), held_out.judged(), LABELS, gate=gate, seed=1)
    pairs = [(one.shape, one.loss) for one in found.tried]
    assert pairs == [(s, loss) for s in ("pooled", "experts") for loss in ("hard", "kl")]
    assert found.best.shape == "experts"
    assert found.best.agreement.value == max(one.agreement.value for one in found.tried)
    assert float((found.answers.argmax(axis=1) == held_out.label_ids).mean()) == (
        found.best.agreement.value
    )
    pooled = choose(kind, stream.judged(soft=False), held_out.judged(), LABELS, gate=None, seed=1)
    assert [(one.shape, one.loss) for one in pooled.tried] == [("pooled", "hard")]


def test_examples_help_where_judged_tickets_are_few() -> None:
    rng = np.random.default_rng(10)
    few, many, fresh = (two_topics(rng, count) for count in (40, 900, 500))
    examples = replace(many.judged(soft=False), segments=None)
    alone, together = (
        agreement(
            align_worker(
                KINDS["subword_net"],
                few.judged(),
                LABELS,
                loss="kl",
                gate=None,
                seed=1,
                examples=given,
            ).model,
            fresh,
        )
        for given in (None, examples)
    )
    assert together > 0.95 > alone + 0.1


def test_what_can_not_be_learnt_from_is_refused() -> None:
    few = two_topics(np.random.default_rng(11), 2)
    with pytest.raises(ConfigError, match="2 judged tickets are too few"):
        align_worker(KINDS["word_ngrams"], few.judged(), LABELS, loss="hard", gate=None, seed=1)
    nothing = few.judged().where(np.zeros(2, np.bool_))
    with pytest.raises(ConfigError, match="0 judged tickets are too few"):
        align_worker(KINDS["word_ngrams"], nothing, LABELS, loss="hard", gate=None, seed=1)
    with pytest.raises(ConfigError, match="no probabilities"):
        align_worker(
            KINDS["word_ngrams"], few.judged(soft=False), LABELS, loss="kl", gate=None, seed=1
        )


def test_copies_are_found_as_the_workers_read_them() -> None:
    texts = ("My card was  charged", "my CARD was charged\n", "My card was charged!", "x" * 9000)
    judged = JudgedSample(texts, np.arange(4), None, np.ones(4, np.float32), None)
    kept = judged.without({as_read(text) for text in ("my card was charged", "x" * 8000 + "y")})
    assert kept.texts == ("My card was charged!",)
    assert kept.label_ids.tolist() == [2]
    assert kept.sha256 != judged.sha256
    # One of weight 3 and three of 1: (3 + 3)^2 / (9 + 3).
    assert replace(judged, weights=np.array([3, 1, 1, 1], np.float32)).effective == 3
