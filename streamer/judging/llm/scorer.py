"""One vLLM engine that says how likely chosen tokens are to come next."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from streamer.judging.engine.model_folder import ModelFolder
from streamer.judging.engine.settings import EngineSettings, on_gpu
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import Headers
from streamer.judging.llm.chat_prompt import BLOCK
from streamer.judging.llm.codes import LARGEST
from streamer.judging.llm.scoring import Question, Scores
from streamer.judging.model_call import ModelCall
from streamer.judging.usage import took

if TYPE_CHECKING:
    from vllm import SamplingParams
    from vllm.v1.engine.async_llm import AsyncLLM


class Scorer:
    """Scores tokens on its `engine`, one prefill per prompt; nothing is written that anyone reads.

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
        name = model.folder.name
        self._call = ModelCall(
            operation="text_completion", provider="vllm", asked=name, answered=name
        )
        self.engine = WatchedEngine(
            settings,
            lambda: self.arguments(model, longest, settings),
            stalled_after=stalled_after,
            look_every=look_every,
        )

    @staticmethod
    def arguments(model: ModelFolder, longest: int, settings: EngineSettings) -> dict[str, Any]:
        """Arguments of `AsyncEngineArgs`; docs/judge.md has the reasons at length."""
        gpu = on_gpu()
        # One more: the token that vLLM must sample to give any probability.
        return settings.arguments(model.folder, longest + 1) | {
            "runner": "generate",
            # Each task's shared part is computed once; what is full of it is kept by whole blocks,
            # of 128 tokens on a CPU if nothing is said. On GPUs the kernels choose.
            "enable_prefix_caching": True,
            "block_size": None if gpu else BLOCK,
            # One giant ticket goes through in pieces beside the others.
            "enable_chunked_prefill": True,
            # Of the whole vocabulary and before any temperature: what coverage is read from.
            "logprobs_mode": "raw_logprobs",
            # A model's folder may ask for penalties and the like, which are for talking.
            "generation_config": "vllm",
            # On a CPU, compiling takes longer than a start may.
            "enforce_eager": not gpu,
        }

    async def score(
        self,
        questions: Sequence[Question],
        trace_headers: Headers = None,
        shared: int = 0,
    ) -> list[Scores]:
        """Log-probabilities, over the whole vocabulary, of each question's tokens in their order.

        The first `shared` tokens of the prompts are in the prefix cache, and cost nothing.
        Raises `EngineDead`.
        """
        headers = self.engine.headers(trace_headers, len(questions))
        asks = [
            (max(len(prompt) - shared, 1), partial(_ask, list(prompt), part, header, self._call))
            for (prompt, tokens), header in zip(questions, headers, strict=True)
            for part in parts(tokens)
        ]
        answers = iter(await self.engine.answers(asks))
        return [
            np.concatenate(list(islice(answers, len(parts(tokens))))) for _, tokens in questions
        ]

    async def likeliest(self, prompt: Sequence[int], count: int) -> list[tuple[int, float]]:
        """The tokens that most likely come next, with their log-probabilities, best first."""
        [found] = await self.engine.answers([(len(prompt), partial(_list, list(prompt), count))])
        return [(int(token), float(score)) for token, score in found]


def parts(tokens: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The tokens in as many requests as it takes."""
    return [tokens[start : start + LARGEST] for start in range(0, len(tokens), LARGEST)]


async def _ask(
    prompt: list[int],
    tokens: tuple[int, ...],
    headers: Mapping[str, str] | None,
    call: ModelCall,
    engine: "AsyncLLM",
    number: str,
) -> AsyncGenerator[Scores, None]:
    given: Any = {"type": "token", "prompt_token_ids": prompt}
    params = sampling(tokens)
    async for answer in engine.generate(given, params, number, trace_headers=headers):
        took(len(prompt), answer.num_cached_tokens or 0, len(answer.outputs[0].token_ids), call)
        log_probabilities = answer.outputs[0].logprobs[0]
        yield np.array([log_probabilities[token].logprob for token in tokens], np.float64)


async def _list(
    prompt: list[int], count: int, engine: "AsyncLLM", number: str
) -> AsyncGenerator[Scores, None]:
    """[count, 2]: tokens and their log-probabilities."""
    given: Any = {"type": "token", "prompt_token_ids": prompt}
    async for answer in engine.generate(given, _first(logprobs=count), number):
        found = answer.outputs[0].logprobs[0]
        best = sorted(found.items(), key=lambda each: -each[1].logprob)[:count]
        yield np.array([(token, each.logprob) for token, each in best], np.float64)


@lru_cache(1024)
def sampling(tokens: tuple[int, ...]) -> "SamplingParams":
    """What vLLM is asked for beside a prompt, to be told the log-probabilities of these tokens."""
    return _first(logprob_token_ids=list(tokens))


def _first(**asked: Any) -> "SamplingParams":
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        # The likeliest token, which nobody looks at: without one there are no probabilities.
        max_tokens=1,
        temperature=0.0,
        **asked,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
    )
