"""The judge of kind `sequence`: for each task a model with a head of its own, on its own engine."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import TicketError
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.pooling import pooled
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.tokens import TicketTokenizer
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import Headers, JudgeScores
from streamer.judging.sequence.sequence_model import SequenceModel
from streamer.records.labelset import LabelSet


class SequenceJudge(EngineJudge):
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
        self._by_task = {
            task: WatchedEngine(
                shared,
                partial(shared.pooling_arguments, model.folder, model.max_tokens),
                stalled_after=stalled_after,
            )
            for task, model in models.items()
        }
        super().__init__(self._by_task.values(), models)

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
        settings = settings or EngineSettings()
        by_task = {
            task: SequenceModel.at(models / task, labels, max_ticket_tokens, settings.max_model_len)
            for task, labels in tasks.items()
        }
        return cls(by_task, settings, stalled_after=stalled_after)

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The one label set of the task's model; empty for an unknown task."""
        return (self._models[task].label_set,) if task in self._models else ()

    def version(self, task: str, label_set: str) -> str:
        """The model's digest. Raises `TicketError` when the label set is not held."""
        return self._find(task, label_set).version

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        model = self._find(task, label_set)
        logits, truncated = await self._logits(task, texts, trace_headers)
        return self._answer(model.probabilities(logits), truncated)

    async def _logits(
        self,
        task: str,
        texts: Sequence[str],
        trace_headers: Headers,
    ) -> tuple[list[NDArray[np.float32]], list[bool]]:
        engine, tickets = self._by_task[task], self._tokenizers[task].encode(texts)
        headers = engine.headers(trace_headers, len(tickets))
        asks = [
            (len(ticket.ids), partial(pooled, "classify", ticket.ids, header))
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
