"""How a label is read from the model: by one token, or by its name."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.judging.judge import Headers
from streamer.judging.llm.codes import Codes
from streamer.judging.llm.scoring import Question, Scoring
from streamer.judging.llm.trie import Trie, Walk

Scores = NDArray[np.float64]


class Answering(Protocol):
    """Log-probabilities of K labels as answers to prompts, given as whole token sequences.

    `longest` counts the tokens that it adds to a prompt.
    """

    @property
    def longest(self) -> int: ...

    async def scores(
        self, scorer: Scoring, prompts: Sequence[list[int]], headers: Headers, shared: int = 0
    ) -> Scores:
        """[N, K], raw; the labels' probabilities need not sum to 1.

        The prompts have their first `shared` tokens in common.
        """


@dataclass(frozen=True, slots=True)
class ByCode:
    """One token per label: one request per prompt."""

    codes: Codes

    @property
    def longest(self) -> int:
        return 0

    async def scores(
        self, scorer: Scoring, prompts: Sequence[list[int]], headers: Headers, shared: int = 0
    ) -> Scores:
        answers = await scorer.score([(ids, self.codes.ids) for ids in prompts], headers, shared)
        return np.array(answers).reshape(len(prompts), len(self.codes.ids))


@dataclass(frozen=True, slots=True)
class ByName:
    """Whole names: a request per node of the trie that may matter, level by level.

    All of them share the prompt, which the prefix cache keeps but for its last block.
    """

    trie: Trie

    @property
    def longest(self) -> int:
        return len(self.trie.levels) - 1

    async def scores(
        self, scorer: Scoring, prompts: Sequence[list[int]], headers: Headers, shared: int = 0
    ) -> Scores:
        headers = headers or [None] * len(prompts)
        walks = [
            self._walk(scorer, ids, header, shared)
            for ids, header in zip(prompts, headers, strict=True)
        ]
        return np.array(await asyncio.gather(*walks)).reshape(len(prompts), self.trie.count)

    async def _walk(
        self, scorer: Scoring, prompt: list[int], headers: Mapping[str, str] | None, shared: int
    ) -> Scores:
        walk = Walk(self.trie)
        for level in range(len(self.trie.levels)):
            numbers = walk.open(level)
            nodes = [self.trie.nodes[number] for number in numbers]
            questions: list[Question] = [([*prompt, *node.path], node.tokens) for node in nodes]
            answers = await scorer.score(questions, [headers] * len(nodes), shared)
            shared = len(prompt)
            for number, scores in zip(numbers, answers, strict=True):
                walk.tell(number, scores)
        return walk.scores()
