"""Tempered probabilities keep what a worker said, and decide alike after a trip through JSON."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.decide.opinion import ABSTAINED, Opinion
from streamer.decide.temperature import DECIMALS, tempered

temperatures = st.floats(0.05, 20)
seeds = st.integers(0, 2**32 - 1)


def opinion(seed: int, count: int = 50, size: int = 7) -> Opinion:
    raw = np.random.default_rng(seed).dirichlet(np.full(size, 0.3), count).astype(np.float32)
    raw[::10] = np.nan
    return Opinion.of(raw)


@given(seeds, temperatures)
def test_rows_are_rounded_distributions_of_the_formula(seed: int, temperature: float) -> None:
    raw = opinion(seed)
    found = tempered(raw, temperature).probabilities
    assert raw.probabilities is not None
    assert found is not None
    voted = raw.codes != ABSTAINED
    powers = np.maximum(raw.probabilities[voted].astype(np.float64), 1e-30) ** (1 / temperature)
    expected = powers / powers.sum(axis=1, keepdims=True)
    assert np.abs(found[voted] - expected).max() < 1.1 * 10**-DECIMALS
    assert (found == np.round(found.astype(np.float64), DECIMALS).astype(np.float32)).all()
    assert (found[~voted] == 0).all()


@given(seeds, temperatures)
def test_no_temperature_changes_a_vote_beyond_the_rounding(seed: int, temperature: float) -> None:
    raw = opinion(seed)
    found = tempered(raw, temperature)
    assert raw.probabilities is not None
    assert found.probabilities is not None
    assert ((raw.codes == ABSTAINED) == (found.codes == ABSTAINED)).all()
    moved = np.flatnonzero(raw.codes != found.codes)
    mine = found.probabilities[moved, raw.codes[moved]]
    assert (mine >= found.probabilities[moved].max(axis=1, initial=0) - 1.1e-5).all()


@given(seeds, temperatures)
def test_a_log_of_the_vectors_gives_the_same_opinion_bit_for_bit(
    seed: int, temperature: float
) -> None:
    found = tempered(opinion(seed), temperature)
    assert found.probabilities is not None
    logged = orjson.dumps(found.probabilities, option=orjson.OPT_SERIALIZE_NUMPY)
    again = Opinion.of(np.array(orjson.loads(logged), np.float32))
    assert again.probabilities is not None
    assert (again.codes == found.codes).all()
    assert (again.probabilities == found.probabilities).all()


def test_heat_flattens_and_cold_sharpens() -> None:
    raw = Opinion.of(np.array([[0.7, 0.2, 0.1]], np.float32))
    sureness = [tempered(raw, t).of_label(raw.codes)[0] for t in (0.1, 0.5, 1, 2, 100)]
    assert sureness == sorted(sureness, reverse=True)
    assert sureness[0] > 0.99
    assert sureness[-1] == pytest.approx(1 / 3, abs=0.01)


def test_an_opinion_without_probabilities_stays_as_it_is() -> None:
    labels = Opinion(np.array([1, ABSTAINED]), None)
    assert tempered(labels, 2.0) is labels
