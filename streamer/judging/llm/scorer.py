"""One vLLM engine that says how likely chosen tokens are to come next."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ModelError
from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.llm.codes import LARGEST

if TYPE_CHECKING:
    from vllm import SamplingParams
    from vllm.v1.engine.async_llm import AsyncLLM

Scores = NDArray[np.float64]
Question = tuple[Sequence[int], tuple[int, ...]]
"""The tokens of a prompt, and those tokens of which the probability to come next is asked."""


class Scorer:
    """Scores tokens by one prefill per prompt; nothing is generated that anyone reads.

    `longest` counts the tokens of the longest prompt there will be. `stalled_after` and all that is
    said of failures as in `WatchedEngine`.
    """

    def __init__(
        self,
        model: ModelFolder,
        longest: int,
        settings: EngineSettings | None = None,
        *,
        stalled_after: float = 120.0,
        look_every: float = 0.5,
    ) -> None:
        settings = settings or EngineSettings()
        self._engine = WatchedEngine(
            settings,
            # One more: the token that vLLM must sample to give any probability.
            lambda: settings.language_arguments(model.folder, longest + 1),
            stalled_after=stalled_after,
            look_every=look_every,
        )

    @property
    def process_ids(self) -> tuple[int, ...]:
        """The engine's child processes."""
        return self._engine.process_ids

    @property
    def full(self) -> bool:
        """See `WatchedEngine.full`."""
        return self._engine.full

    async def start(self) -> None:
        """Load the engine; raises `EngineDead` when it does not come up."""
        await self._engine.start()

    async def score(
        self,
        questions: Sequence[Question],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
        shared: int = 0,
    ) -> list[Scores]:
        """Log-probabilities, over the whole vocabulary, of each question's tokens in their order.

        The first `shared` tokens of the prompts are in the prefix cache, and cost nothing.
        Raises `EngineDead`, or `ModelError` when an answer is no number.
        """
        headers = self._engine.headers(trace_headers, len(questions))
        asks = [
            (max(len(prompt) - shared, 1), partial(_ask, list(prompt), part, header))
            for (prompt, tokens), header in zip(questions, headers, strict=True)
            for part in _parts(tokens)
        ]
        answers = iter(await self._engine.answers(asks))
        found = [
            np.concatenate(list(islice(answers, len(_parts(tokens))))) for _, tokens in questions
        ]
        if any(np.isnan(scores).any() for scores in found):
            raise ModelError(
                "the language model's probabilities are not numbers; set judge.engine.precision to "
                "float32, and check the model"
            )
        return found

    async def healthy(self) -> None:
        """Raises `EngineDead` when the engine died, stalled, or was never started."""
        await self._engine.healthy()

    async def stop(self) -> None:
        """End the engine's processes; calls that still wait get `EngineDead`."""
        await self._engine.stop()


def _parts(tokens: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The tokens in as many requests as it takes."""
    return [tokens[at : at + LARGEST] for at in range(0, len(tokens), LARGEST)]


async def _ask(
    prompt: list[int],
    tokens: tuple[int, ...],
    headers: Mapping[str, str] | None,
    engine: "AsyncLLM",
    number: str,
) -> AsyncGenerator[Scores, None]:
    given: Any = {"type": "token", "prompt_token_ids": prompt}
    params = sampling(tokens)
    async for answer in engine.generate(given, params, number, trace_headers=headers):
        found = answer.outputs[0].logprobs[0]
        yield np.array([found[token].logprob for token in tokens], np.float64)


@lru_cache(1024)
def sampling(tokens: tuple[int, ...]) -> "SamplingParams":
    """What vLLM is asked for beside a prompt, to be told the log-probabilities of these tokens."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        # The likeliest token, which nobody looks at: without one there are no probabilities.
        max_tokens=1,
        temperature=0.0,
        logprob_token_ids=list(tokens),
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
