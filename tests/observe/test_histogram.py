import logging
import os

import numpy as np
import pytest

from streamer.observe.histogram import EDGES_MS, Histogram


@pytest.fixture
def seed() -> int:
    """A new one each time; a failing test shows it."""
    found = int.from_bytes(os.urandom(4), "big")
    logging.getLogger(__name__).warning("seed %d", found)
    return found


def test_percentiles_agree_with_numpy_to_within_a_bucket(seed: int) -> None:
    values = np.random.default_rng(seed).lognormal(4, 1.2, 20_000)
    histogram = Histogram()
    for part in np.array_split(values, 40):
        histogram.observe(part)
    for q in (1, 10, 50, 90, 99, 99.9):
        exact = float(np.percentile(values, q)) / 1000
        assert histogram.percentile(q) == pytest.approx(exact, rel=0.1)
    assert histogram.count == len(values)
    assert histogram.sum == pytest.approx(values.sum() / 1000)


def test_buckets_count_what_is_at_most_their_edge(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = np.concatenate([random.lognormal(5, 3, 2_000), EDGES_MS, [0.0, -5.0, 1e9]])
    histogram = Histogram()
    histogram.observe(values)
    buckets = histogram.buckets()
    assert [edge for edge, _ in buckets[:2]] == ["0.001", "0.002"]
    assert buckets[-1] == ("+Inf", len(values))
    for exponent, (_, count) in enumerate(buckets[:-1]):
        assert count == np.count_nonzero(values <= 2.0**exponent)
    assert len(buckets) == 22


def test_bucket_edges_are_exact() -> None:
    edges = [float(edge) for edge, _ in Histogram().buckets()[:-1]]
    assert edges == [2.0**exponent / 1000 for exponent in range(21)]


def test_edge_cases() -> None:
    histogram = Histogram()
    assert histogram.percentile(50) is None
    histogram.observe(np.array([np.nan, np.inf]))
    assert histogram.count == 0
    histogram.observe(3.0)
    histogram.observe(np.empty(0))
    assert histogram.count == 1
    assert histogram.percentile(100) == pytest.approx(0.003, rel=0.1)
    histogram.observe(np.full(9, 1e8))
    assert histogram.percentile(90) == EDGES_MS[-1] / 1000
