"""The judge of kind `sequence`: for each task a model with a head of its own, on its own engine."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ModelError, TicketError
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.tokens import TicketTokenizer
from streamer.judging.engine.warm_up import warm_up
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import JudgeScores
from streamer.judging.sequence.sequence_model import SequenceModel
from streamer.records.labelset import LabelSet

if TYPE_CHECKING:
    from vllm import PoolingParams
    from vllm.v1.engine.async_llm import AsyncLLM


class SequenceJudge:
    """Scores tickets by the heads that the tasks' models bring, with vLLM's classify. A `Judge`.

    An engine holds one model, so there is an engine per task; the device is shared by them.
    """

    def __init__(
        self,
        models: Mapping[str, SequenceModel],
        settings: EngineSettings | None = None,
        *,
        stalled_after: float = 120.0,
    ) -> None:
        shared = (settings or EngineSettings()).shared(len(models))
        self._models = dict(models)
        self._tokenizers = {task: TicketTokenizer(model) for task, model in models.items()}
        self._engines = {
            task: WatchedEngine(
                shared,
                partial(shared.sequence_arguments, model.folder, model.max_tokens),
                stalled_after=stalled_after,
            )
            for task, model in models.items()
        }

    @classmethod
    def load(
        cls,
        models: Path,
        tasks: Mapping[str, LabelSet],
        *,
        max_ticket_tokens: int = 1024,
        settings: EngineSettings | None = None,
        stalled_after: float = 120.0,
    ) -> "SequenceJudge":
        """From `<models>/<task>/` for each task; nothing runs before `start`.

        Raises `ConfigError` when a model is missing, of another kind, or has other labels.
        """
        found = {
            task: SequenceModel.at(models / task, labels, max_ticket_tokens)
            for task, labels in tasks.items()
        }
        return cls(found, settings, stalled_after=stalled_after)

    async def start(self) -> None:
        """Load and warm up; returns when tickets are really being answered."""
        for engine in self._engines.values():
            await engine.start()
        for texts in warm_up():
            await asyncio.gather(*(self._logits(task, texts, None) for task in self._models))

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The one label set of the task's model; empty for an unknown task."""
        return (self._models[task].label_set,) if task in self._models else ()

    def version(self, task: str, label_set: str) -> str:
        """The model's digest. Raises `TicketError` when the label set is not held."""
        return self._find(task, label_set).version

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        """See `Judge.score`."""
        model = self._find(task, label_set)
        logits, truncated = await self._logits(task, texts, trace_headers)
        probabilities = model.probabilities(logits)
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"the judge's probabilities for task {task} are not numbers; set "
                "judge.engine.precision to float32, and check the model"
            )
        return JudgeScores(probabilities, np.array(truncated, bool))

    @property
    def full(self) -> bool:
        """See `Judge.full`; of any engine."""
        return any(engine.full for engine in self._engines.values())

    async def healthy(self) -> None:
        """Raises `EngineDead` when an engine can't answer any more."""
        for engine in self._engines.values():
            await engine.healthy()

    async def stop(self) -> None:
        """End the engines and their processes. Waiting calls get `EngineDead`."""
        for engine in self._engines.values():
            await engine.stop()

    async def _logits(
        self,
        task: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None,
    ) -> tuple[list[NDArray[np.float32]], list[bool]]:
        engine, tickets = self._engines[task], self._tokenizers[task].encode(texts)
        headers = engine.headers(trace_headers, len(tickets))
        asks = [
            (len(ticket.ids), partial(_ask, ticket.ids, header))
            for ticket, header in zip(tickets, headers, strict=True)
        ]
        return await engine.answers(asks), [ticket.truncated for ticket in tickets]

    def _find(self, task: str, label_set: str) -> SequenceModel:
        model = self._models.get(task)
        if model is None or model.label_set.version != label_set:
            raise TicketError(
                "unknown_label_set",
                f"the judge has no model of task {task} for label set {label_set};"
                " put one there, restart the judge and replay the dead letter",
            )
        return model


async def _ask(
    ids: list[int], headers: Mapping[str, str] | None, engine: "AsyncLLM", number: str
) -> AsyncGenerator[NDArray[np.float32], None]:
    prompt: Any = {"type": "token", "prompt_token_ids": ids}
    async for answer in engine.encode(prompt, _classifying(), number, trace_headers=headers):
        yield answer.outputs.data.float().numpy()


@cache
def _classifying() -> "PoolingParams":
    from vllm import PoolingParams

    # The logits as they are: what a model's config has done to them is not always a softmax.
    return PoolingParams(task="classify", use_activation=False)
