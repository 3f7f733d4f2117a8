"""Weighted texts and whole distributions, for every kind of worker."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from streamer.backends.features import Features, softmax
from streamer.learn.kinds import KINDS
from streamer.learn.kinds.kind import Targets
from streamer.learn.kinds.linear import LinearKind
from streamer.learn.kinds.softmax_regression import softmax_regression
from tests.learn.material import LABELS, made_up
from tests.learn.tiny_encoder import SETTINGS, a_kind

COUNT, SIZE, INPUTS = 7, 4, 5


def targets(count: int, seed: int = 7) -> Targets:
    examples = made_up(count, seed)
    label_ids = np.array([LABELS.index[label] for label in examples.labels])
    return Targets(examples.texts, label_ids, len(LABELS))


def one_hot(plain: Targets) -> np.ndarray:
    return np.eye(plain.size, dtype=np.float32)[plain.labels]


def toy(seed: int, soft: bool) -> tuple[Targets, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.2, 3, COUNT)
    given = rng.dirichlet(np.ones(SIZE), COUNT) if soft else None
    labels = rng.integers(SIZE, size=COUNT)
    found = Targets([""] * COUNT, labels, SIZE, weights / weights.mean(), given)
    return found, rng.normal(size=(COUNT, INPUTS)), rng.normal(size=(INPUTS, SIZE))


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_gradient_is_that_of_finite_differences(seed: int, soft: bool) -> None:
    given, rows, layer = toy(seed, soft)
    error = given.error(softmax(rows @ layer), np.arange(COUNT))
    by_hand, step = np.zeros_like(layer), 1e-6
    for place in np.ndindex(*layer.shape):
        moved = [layer.copy(), layer.copy()]
        moved[0][place] += step
        moved[1][place] -= step
        up, down = (given.loss(softmax(rows @ each)) for each in moved)
        by_hand[place] = (up - down) / (2 * step)
    np.testing.assert_allclose(rows.T @ error, by_hand, atol=1e-6)


def test_the_loss_of_distributions_is_least_at_themselves() -> None:
    given, *_ = toy(1, soft=True)
    p = given.probabilities
    assert p is not None
    entropy = -(p * np.log(p)).sum(axis=1)
    assert given.loss(p) == pytest.approx(np.average(entropy, None, given.weights))
    assert given.loss(softmax(np.log(p) * 0.9)) > given.loss(p)
    assert np.abs(given.error(p.copy(), np.arange(COUNT))).max() < 1e-9


def test_machines_without_weights_are_the_same_bits_as_ever() -> None:
    plain, kind = targets(240), KINDS["word_ngrams"]
    assert isinstance(kind, LinearKind)
    found = kind.fit(plain, {"softness": 0.4, "factor": 1.0}, 1)
    features = Features.fit(kind.extract, plain.texts, min_texts=kind.min_texts)
    machine = LinearSVC(C=0.4, random_state=1).fit(features.rows(plain.texts), plain.labels)
    np.testing.assert_array_equal(found.weights, machine.coef_.T.astype(np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_one_change_no_bit(kind: str, tmp_path: Path) -> None:
    plain, settings = targets(240), {**SETTINGS, "softness": 0.4}
    written = []
    for number, weights in enumerate((None, np.ones(240, np.float32))):
        folder = tmp_path / str(number)
        folder.mkdir()
        a_kind(kind).fit(replace(plain, weights=weights), settings, 1).save(folder)
        written.append((folder / "model.npz").read_bytes())
    assert written[0] == written[1]


def test_certain_distributions_teach_the_net_the_same_bits_as_labels() -> None:
    plain, net = targets(240), KINDS["subword_net"]
    one, other = (
        net.fit(given, {"epochs": 3.0}, 1)
        for given in (plain, replace(plain, probabilities=one_hot(plain)))
    )
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("soft", [True, False])
def test_a_text_of_no_weight_teaches_nothing(kind: str, soft: bool) -> None:
    """Half of the texts have a wrong label, and no weight."""
    plain = targets(400)
    wrong = np.arange(400) >= 200
    taught = replace(plain, labels=np.where(wrong, (plain.labels + 1) % 3, plain.labels))
    given = one_hot(taught) if soft else None
    weights = np.where(wrong, 1e-6, 2.0).astype(np.float32)
    fresh = targets(300, seed=9)
    found = []
    for each in (replace(taught, probabilities=given, weights=weights),
                 replace(taught, probabilities=given)):  # fmt: skip
        model, _ = a_kind(kind).tune(each, fresh, 1)
        found.append(fresh.agreement(model.probabilities(fresh.texts)))
    assert found[0] > 0.8
    assert found[1] < 0.75


def test_regression_learns_a_distribution_and_the_same_one_again() -> None:
    """All texts with a word have the same distribution: that is what is told of the word."""
    plain = targets(300)
    p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]], np.float32)[plain.labels]
    soft = replace(plain, probabilities=p)
    rows = Features.fit(KINDS["word_ngrams"].extract, plain.texts, min_texts=1).rows(plain.texts)
    one, other = (softmax_regression(rows, soft, 30, 1) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    distance = np.abs(softmax(rows @ one[0] + one[1]) - p).sum(axis=1) / 2
    assert distance.mean() < 0.1
