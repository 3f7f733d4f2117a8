"""Tokens are counted for whoever asks, however many ask at once."""

import asyncio
from typing import Any

import pytest

from streamer.judging.usage import Usage, charge, counted, took


async def test_each_counts_what_it_asks_and_those_around_it_count_all() -> None:
    async def one(tokens: int) -> Usage:
        with counted() as usage:
            await asyncio.gather(*(_later(tokens) for _ in range(2)))
        return usage

    with counted() as all_of_them:
        parts = await asyncio.gather(one(10), one(100))
    assert [part.prompts for part in parts] == [20, 200]
    assert (all_of_them.prompts, all_of_them.cached, all_of_them.computed) == (220, 4, 216)
    took(7, 0)
    assert all_of_them.prompts == 220


@pytest.mark.parametrize(
    ("usage", "found"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}, Usage(9, 0, 2, 11)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 4}}, Usage(9, 4)),
        ({"prompt_tokens": 9, "prompt_tokens_details": None}, Usage(9)),
        ({"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 40}}, Usage(9, 9)),
        ({"prompt_tokens": "9", "completion_tokens": -1, "total_tokens": 1.5}, Usage()),
        ("nothing", Usage()),
        (None, Usage()),
    ],
)
def test_what_a_server_tells_is_counted_and_what_is_odd_is_nothing(
    usage: Any, found: Usage
) -> None:
    with counted() as told:
        assert charge({"usage": usage}) == found.charged
    assert told == found


async def _later(tokens: int) -> None:
    await asyncio.sleep(0)
    took(tokens, 1)
