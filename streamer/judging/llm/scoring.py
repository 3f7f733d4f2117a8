"""What says how likely chosen tokens are to come next, wherever the model runs."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.judging.judge import Headers

Scores = NDArray[np.float64]
Question = tuple[Sequence[int], tuple[int, ...]]
"""The tokens of a prompt, and those tokens of which the probability to come next is asked."""


class Scoring(Protocol):
    """Scores tokens by one prefill per prompt; nothing is written that anyone reads."""

    async def score(
        self, questions: Sequence[Question], trace_headers: Headers = None, shared: int = 0
    ) -> list[Scores]:
        """Log-probabilities, over the whole vocabulary, of each question's tokens in their order.

        The first `shared` tokens of the prompts are the same. Raises `EngineDead`.
        """

    async def likeliest(self, prompt: Sequence[int], count: int) -> list[tuple[int, float]]:
        """The tokens that most likely come next, with their log-probabilities, best first."""
