"""Exact probabilities of chosen tokens, by vLLM's own server."""

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.question import Question
from streamer.judging.judge import Headers
from streamer.judging.llm.scoring import Question as Asked
from streamer.judging.llm.scoring import Scores

LARGEST = 128
"""So many tokens vLLM gives the log-probabilities of in one request."""

_TOKEN = "token_id:"
# A sum of float32 may come out a little above 1.
_ABOVE_ONE = 1e-3


class ServerScorer:
    """A `Scoring` over an endpoint."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self._model = model

    async def score(
        self, questions: Sequence[Asked], trace_headers: Headers = None, shared: int = 0
    ) -> list[Scores]:
        """See `Scoring.score`."""
        headers = trace_headers or [None] * len(questions)
        return list(
            await asyncio.gather(
                *(
                    self._score(prompt, tokens, header)
                    for (prompt, tokens), header in zip(questions, headers, strict=True)
                )
            )
        )

    async def likeliest(self, prompt: Sequence[int], count: int) -> list[tuple[int, float]]:
        """See `Scoring.likeliest`."""
        question = Question(self._url, self._body(prompt, logprobs=count), _listed)
        return (await self._endpoint.ask(question))[:count]

    def question(
        self, prompt: Sequence[int], tokens: Sequence[int], header: Mapping[str, str] | None = None
    ) -> Question[list[float]]:
        """Asks for the log-probabilities of at most `LARGEST` tokens."""
        body = self._body(prompt, logprobs=1, logprob_token_ids=list(tokens))
        return Question(self._url, body, lambda said: _read(said, tokens), header or {})

    @property
    def _url(self) -> str:
        return f"{self._endpoint.address.base}/completions"

    def _body(self, prompt: Sequence[int], **asked: Any) -> dict[str, Any]:
        return {
            "model": self._model,
            "prompt": list(prompt),
            # The likeliest token, which nobody looks at: without one there are no probabilities.
            "max_tokens": 1,
            "temperature": 0,
            "return_tokens_as_token_ids": True,
            **asked,
        }

    async def _score(
        self, prompt: Sequence[int], tokens: tuple[int, ...], header: Mapping[str, str] | None
    ) -> Scores:
        parts = [tokens[at : at + LARGEST] for at in range(0, len(tokens), LARGEST)]
        asked = [self._endpoint.ask(self.question(prompt, part, header)) for part in parts]
        found = await asyncio.gather(*asked)
        return np.array([score for part in found for score in part], np.float64)


def _read(said: Any, tokens: Sequence[int]) -> list[float]:
    (listed,) = said["choices"][0]["logprobs"]["top_logprobs"]
    return [logprob(listed[f"{_TOKEN}{token}"]) for token in tokens]


def _listed(said: Any) -> list[tuple[int, float]]:
    """Tokens with their log-probabilities, best first."""
    (listed,) = said["choices"][0]["logprobs"]["top_logprobs"]
    found = [(int(name.removeprefix(_TOKEN)), logprob(score)) for name, score in listed.items()]
    return sorted(found, key=lambda each: -each[1])


def logprob(value: Any) -> float:
    """A log-probability as it was answered; raises `ValueError` for anything else."""
    found = float(value)
    if not (math.isfinite(found) and found <= _ABOVE_ONE):
        raise ValueError("no log-probability")
    return min(found, 0.0)
