from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.backends.ngrams import BUCKETS, MAX_CHARS, Pairs, chars, pieces, words

EXTRACTORS = [words, chars, pieces]
WORD_BUCKETS = [604702, 412241]
PIECE_BUCKETS = [588491, 143432, 790016, 936584]
CHAR_BUCKETS = [1040682, 812598, 124068]


def of_row(pairs: Pairs, row: int) -> Counter[int]:
    rows, buckets = pairs
    return Counter(buckets[rows == row].tolist())


def shared(extract, first: str, second: str) -> int:
    pairs = extract([first, second])
    return (of_row(pairs, 0) & of_row(pairs, 1)).total()


def count(extract, text: str) -> int:
    return len(extract([text])[0])


@pytest.mark.parametrize("extract", EXTRACTORS)
@given(texts=st.lists(st.text(), min_size=1, max_size=8))
def test_a_text_has_the_same_ngrams_in_every_batch(extract, texts: list[str]) -> None:
    together = extract(texts)
    assert np.all((together[1] >= 0) & (together[1] < BUCKETS))
    for row, text in enumerate(texts):
        assert of_row(together, row) == of_row(extract([text]), 0)


def test_words_are_tokens_and_neighbours_whole_and_by_their_stems() -> None:
    assert count(words, "reset my password") == 10
    assert count(words, "reset?!") == 10
    assert shared(words, "reset my password", "password my reset") == 6
    assert shared(words, "Reset  MY\npassword", "reset my password") == 10
    assert shared(words, "was delivered", "was delivery") == 4


def test_the_same_letters_in_another_order_are_another_word() -> None:
    assert shared(words, "stop", "pots") == 0


def test_long_words_that_differ_late_stay_apart_up_to_a_limit() -> None:
    assert shared(words, "x" * 50 + "a", "x" * 50 + "b") == 1  # the stem


def test_chars_are_runs_of_two_to_four_with_spaces_at_the_ends() -> None:
    assert count(chars, "ab") == 3 + 2 + 1
    assert shared(chars, "pasword", "password") > 10


def test_pieces_let_forms_of_a_word_share() -> None:
    assert count(pieces, "cat") == 3
    assert count(pieces, "go") == 1
    assert shared(pieces, "delivered", "delivery") == 3
    assert shared(pieces, "charging", "shipping") == 1


@pytest.mark.parametrize("extract", EXTRACTORS)
def test_text_beyond_the_limit_is_not_read(extract) -> None:
    start = "word " * (MAX_CHARS // 5)
    assert of_row(extract([start + "tail"]), 0) == of_row(extract([start]), 0)


def test_buckets_never_change_between_releases() -> None:
    """Trained models hold these numbers: whoever changes them makes every old model useless."""
    assert words(["cards"])[1].tolist() == WORD_BUCKETS
    assert pieces(["card"])[1].tolist() == PIECE_BUCKETS
    assert chars(["a"])[1].tolist() == CHAR_BUCKETS
