"""What is read from the lists and labels that chat servers answer with."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from streamer.judging.endpoint.talk_way import Listed, Said
from streamer.judging.llm.prepared_prompt import Form
from streamer.judging.llm.prompt import Prompt
from tests.judging.endpoint.conftest import LABELS, TASK, met, prompts
from tests.judging.endpoint.served import Served

(PROMPT,) = prompts()[TASK]


def answered(**listed: float) -> Any:
    """Tokens with their probabilities, underscores for spaces."""
    top = [
        {"token": token.replace("_", " "), "logprob": math.log(share)}
        for token, share in listed.items()
    ]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": top}]}}]}


def read(said: Any, prompt: Prompt = PROMPT) -> tuple[list[float], float]:
    """Shares [4] and coverage."""
    told = Listed(20).read(said, prompt)
    return np.exp(told.scores).tolist(), told.coverage


def test_what_is_not_listed_gets_what_the_list_leaves_over() -> None:
    # 0.06 are left, and two letters are missing.
    shares, coverage = read(answered(A=0.5, B=0.3, the=0.14))
    assert shares == pytest.approx([0.5, 0.3, 0.03, 0.03])
    assert coverage == pytest.approx(0.8)


def test_nor_is_it_likelier_than_the_last_that_is_listed() -> None:
    shares, coverage = read(answered(A=0.5, B=0.01))
    assert shares == pytest.approx([0.5, 0.01, 0.01, 0.01])
    assert coverage == pytest.approx(0.51)


def test_a_full_list_leaves_nothing_over() -> None:
    shares, _ = read(answered(A=0.6, B=0.4))
    assert shares[:2] == pytest.approx([0.6, 0.4])
    assert 0 < shares[2] < 1e-12


def test_a_letter_with_a_space_is_the_same_answer_and_another_word_is_none() -> None:
    shares, coverage = read(answered(_C=0.3, C=0.2, Cat=0.25, a=0.2))
    assert shares[2] == pytest.approx(0.5)
    assert coverage == pytest.approx(0.5)


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [{"logprobs": {"content": [{"top_logprobs": []}]}}]},
        {"choices": [{"logprobs": None}]},
        {
            "choices": [
                {"logprobs": {"content": [{"top_logprobs": [{"token": "A", "logprob": 3}]}]}}
            ]
        },
        {
            "choices": [
                {"logprobs": {"content": [{"top_logprobs": [{"token": "A", "logprob": "NaN"}]}]}}
            ]
        },
    ],
)
def test_what_is_no_list_is_no_answer(said: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        read(said)


@pytest.mark.parametrize("content", ['{"label": "refund"}', "billing", '{"label": 7}', "[]", ""])
def test_what_is_no_label_is_no_answer(content: str) -> None:
    said = {"choices": [{"message": {"content": content}}]}
    with pytest.raises((ValueError, LookupError, TypeError)):
        Said().read(said, PROMPT)


@pytest.mark.parametrize(
    ("bare", "content"), [(False, "<ticket>\nmy &lt;b>\n</ticket>"), (True, "my &lt;b>")]
)
async def test_a_prompt_of_a_taught_model_is_bare(bare: bool, content: str) -> None:
    (prompt,) = prompts()[TASK]
    taught = replace(prompt, bare=bare)
    async with (
        Served(("said",)).running() as served,
        met(served, found={TASK: (taught,)}, form=Form(max_ticket_tokens=64)) as judge,
    ):
        shown = await judge.shown(TASK, LABELS.version, "my <b>")
        assert shown is not None
        assert shown.endswith(f"\n\n{content}")
