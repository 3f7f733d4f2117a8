"""Tempered probabilities keep what a worker said, and decide alike after a trip through JSON."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.temperature import DECIMALS, tempered

temperatures = st.floats(-9, 9).map(np.exp) | st.sampled_from([1e-300, 1e-9, 0.05, 1.0, 1e9])
seeds = st.integers(0, 2**32 - 1)


def predictions(seed: int, count: int = 50) -> Predictions:
    """Of 2 to 150 labels; peaky rows, flat ones, rows with zeros, and some without an answer."""
    rng = np.random.default_rng(seed)
    size, likeness = int(rng.integers(2, 151)), rng.choice([0.03, 0.3, 3, 300, 1e5])
    raw = rng.dirichlet(np.full(size, likeness), count).astype(np.float32)
    raw[::10] = np.nan
    raw[1::10] = np.eye(size)[rng.integers(size)]
    return tempered(Predictions.of(raw), 1)


@given(seeds, temperatures)
def test_rows_are_rounded_distributions_of_the_formula(seed: int, temperature: float) -> None:
    raw = predictions(seed)
    found = tempered(raw, temperature).probabilities
    assert raw.probabilities is not None
    assert found is not None
    voted = raw.label_ids != ABSTAINED
    logs = np.log(np.maximum(raw.probabilities[voted].astype(np.float64), 1e-30))
    powers = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    # The logarithms are float32: the colder, the more their last bit counts.
    error = 2e-7 / temperature
    assert np.abs(found[voted] - expected).max() < 1.1 * 10**-DECIMALS + error
    assert (found == np.round(found.astype(np.float64), DECIMALS).astype(np.float32)).all()
    assert (found[~voted] == 0).all()


@given(seeds, temperatures)
def test_no_temperature_changes_a_vote_beyond_the_rounding(seed: int, temperature: float) -> None:
    raw = predictions(seed)
    found = tempered(raw, temperature)
    assert raw.probabilities is not None
    assert found.probabilities is not None
    assert ((raw.label_ids == ABSTAINED) == (found.label_ids == ABSTAINED)).all()
    moved = np.flatnonzero(raw.label_ids != found.label_ids)
    mine = found.probabilities[moved, raw.label_ids[moved]]
    assert (mine >= found.probabilities[moved].max(axis=1, initial=0) - 1.1e-5).all()


@given(seeds, temperatures)
def test_a_log_of_the_vectors_gives_the_same_opinion_bit_for_bit(
    seed: int, temperature: float
) -> None:
    found = tempered(predictions(seed), temperature)
    assert found.probabilities is not None
    logged = orjson.dumps(found.probabilities, option=orjson.OPT_SERIALIZE_NUMPY)
    again = Predictions.of(np.array(orjson.loads(logged), np.float32))
    assert again.probabilities is not None
    assert (again.label_ids == found.label_ids).all()
    assert (again.probabilities == found.probabilities).all()


@given(seeds, st.floats(-12, 0).map(np.exp))
def test_no_cold_changes_a_vote(seed: int, temperature: float) -> None:
    raw = predictions(seed)
    found = tempered(raw, temperature)
    each = tempered(raw, np.full(len(raw.label_ids), temperature))
    assert (found.label_ids == raw.label_ids).all()
    assert (each.label_ids == raw.label_ids).all()
    voted = raw.label_ids != ABSTAINED
    # A row of many labels, each of them rounded, sums to 1 but for a thousandth.
    assert (found.confidence[voted] >= raw.confidence[voted] * 0.998 - 1e-5).all()


@pytest.mark.parametrize("size", [3, 77, 150])
@pytest.mark.parametrize("temperature", [1e-4, 0.02, 0.05])
def test_flat_rows_of_many_labels_keep_their_votes_in_the_cold(
    size: int, temperature: float
) -> None:
    flat = np.full((size, size), 1 / size, np.float32)
    flat[np.arange(size), np.arange(size)] *= 1.5
    raw = tempered(Predictions.of(flat / flat.sum(axis=1, keepdims=True)), 1)
    found = tempered(raw, temperature)
    assert found.label_ids.tolist() == list(range(size))
    assert (found.confidence > 0.9).all()


def test_heat_flattens_and_cold_sharpens() -> None:
    raw = Predictions.of(np.array([[0.7, 0.2, 0.1]], np.float32))
    confidence = [tempered(raw, t).of_label(raw.label_ids)[0] for t in (0.1, 0.5, 1, 2, 100)]
    assert confidence == sorted(confidence, reverse=True)
    assert confidence[0] > 0.99
    assert confidence[-1] == pytest.approx(1 / 3, abs=0.01)


def test_an_opinion_without_probabilities_stays_as_it_is() -> None:
    labels = Predictions(np.array([1, ABSTAINED]), None)
    assert tempered(labels, 2.0) is labels
