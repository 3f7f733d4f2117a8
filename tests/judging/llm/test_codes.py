"""Codes: single, distinct tokens."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import ConfigError
from streamer.judging.llm.codes import LARGEST, Codes


@given(st.integers(1, LARGEST), st.integers(0, 2**32))
def test_codes_are_distinct_tokens_whatever_the_tokenizer_joins(count: int, seed: int) -> None:
    # Not hypothesis's own chance: so many draws of it are refused where the machine is busy.
    draw = Random(seed)
    known: dict[str, tuple[int, ...]] = {}

    def answer(text: str) -> tuple[int, ...]:
        # Now and then two tokens, or the same one as that of another text.
        return known.setdefault(text, tuple(draw.choices(range(900), k=draw.choice((1, 1, 1, 2)))))

    codes = None
    try:
        codes = Codes.assign(count, answer)
    except ConfigError:
        singles = {ids[0] for ids in known.values() if len(ids) == 1}
        assert len(singles) < count
    if codes is not None:
        assert len(set(codes.texts)) == len(set(codes.ids)) == count
        assert all(answer(t) == (i,) for t, i in zip(codes.texts, codes.ids, strict=True))
        assert {len(text) for text in codes.texts} == {1 if count <= 26 else 2}


def test_more_than_the_engine_can_score_at_once_are_refused() -> None:
    with pytest.raises(ConfigError, match="codes to names"):
        Codes.assign(LARGEST + 1, lambda text: [hash(text)])
