"""Scores of whole names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import ConfigError
from streamer.judging.llm.trie import Trie, Walk

END, VOCABULARY = 0, 6
NAMES = st.lists(
    st.lists(st.integers(1, VOCABULARY - 1), min_size=1, max_size=5).map(tuple),
    min_size=1,
    max_size=30,
    unique=True,
)


def _model(path: tuple[int, ...], seed: int) -> np.ndarray:
    """Log-probabilities of the whole vocabulary after a path."""
    logits = np.random.default_rng([seed, *path]).normal(size=VOCABULARY) * 3
    return logits - np.logaddexp.reduce(logits)


@given(NAMES, st.integers(0, 2**32 - 1))
def test_scores_are_the_products_over_the_tokens_with_the_end(
    names: list[tuple[int, ...]], seed: int
) -> None:
    trie = Trie.of(names, END)
    walk = Walk(trie)
    for level in range(len(trie.levels)):
        for place in walk.open(level):
            node = trie.nodes[place]
            walk.tell(place, _model(node.path, seed)[list(node.tokens)])
    expected = np.array(
        [
            sum(_model(name[:at], seed)[token] for at, token in enumerate((*name, END)))
            for name in names
        ]
    )
    found = walk.scores()
    np.testing.assert_allclose(np.exp(found), np.exp(expected), atol=1e-8)
    assert np.exp(found).sum() <= 1 + 1e-6
    share = np.exp(found - np.logaddexp.reduce(found))
    np.testing.assert_allclose(share, np.exp(expected - np.logaddexp.reduce(expected)), atol=1e-6)


@pytest.mark.parametrize("names", [[(1,), (1,)], [(1,), ()], [(1, END)]])
def test_names_that_cannot_be_told_apart_are_refused(names: list[tuple[int, ...]]) -> None:
    with pytest.raises(ConfigError):
        Trie.of(names, END)
