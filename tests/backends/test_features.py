import zlib
from collections.abc import Sequence

import numpy as np
import pytest

from streamer.backends.features import Features, softmax
from streamer.backends.ngrams import BUCKETS, Pairs

TEXTS = ["card lost", "card stolen", "card card lost"]


def words(texts: Sequence[str]) -> Pairs:
    """The plainest n-grams: each word."""
    found = [(row, zlib.crc32(w.encode())) for row, t in enumerate(texts) for w in t.split()]
    rows, hashes = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return rows, hashes % BUCKETS


def test_rare_buckets_are_left_out() -> None:
    assert len(Features.fit(words, TEXTS, min_texts=1).buckets) == 3
    assert len(Features.fit(words, TEXTS, min_texts=2).buckets) == 2


def test_rows_have_length_one_and_unknown_texts_are_zero() -> None:
    features = Features.fit(words, TEXTS, min_texts=1)
    rows = features.rows(["card lost", "nothing known", "", "\U0001f600"]).toarray()
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 0, 0, 0], abs=1e-6)


def test_rare_words_and_repeated_words_weigh_more() -> None:
    features = Features.fit(words, TEXTS, min_texts=1)
    once, twice = features.rows(["lost stolen", "stolen stolen lost"]).toarray()
    (stolen,) = np.flatnonzero(features.rows(["stolen"]).toarray()[0])
    (lost,) = np.flatnonzero(features.rows(["lost"]).toarray()[0])
    idf = np.log(4 / (1 + np.array([1, 2]))) + 1
    assert once[stolen] / once[lost] == pytest.approx(idf[0] / idf[1])
    assert twice[stolen] / twice[lost] == pytest.approx(idf[0] / idf[1] * (1 + np.log(2)))


def test_many_long_texts_are_read_in_portions_that_change_nothing() -> None:
    texts = [f"card {number} " + "lost lost card " * 600 for number in range(450)]
    whole = Features.fit(words, texts, min_texts=1)
    rows = whole.rows(texts).toarray()
    assert np.array_equal(rows, np.concatenate([whole.rows([t]).toarray() for t in texts]))
    assert np.array_equal(whole.buckets, np.unique(words(texts)[1]))
    assert np.isclose(whole.idf, 1).sum() == 2


def test_no_texts_have_no_rows() -> None:
    assert Features.fit(words, TEXTS, min_texts=1).rows([]).shape == (0, 3)


def test_softmax_survives_large_scores() -> None:
    scores = np.array([[1000, 0], [0, 0]], dtype=np.float32)
    assert softmax(scores).tolist() == [[1, 0], [0.5, 0.5]]
