"""The judge of kind `classifier`: one encoder on vLLM for all tasks, one linear head for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from streamer.errors import ModelError
from streamer.judging.classifier.embedder import Embedder
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Heads
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.tokens import TicketTokenizer
from streamer.judging.engine.warm_up import warm_up
from streamer.judging.judge import JudgeScores
from streamer.records.labelset import LabelSet


class ClassifierJudge:
    """Scores tickets by `Heads` over the embeddings of an `Embedder`. A `Judge`."""

    def __init__(self, embedder: Embedder, tokenizer: TicketTokenizer, heads: Heads) -> None:
        self._embedder = embedder
        self._tokenizer = tokenizer
        self._heads = heads

    @classmethod
    def load(
        cls,
        models: Path,
        tasks: Mapping[str, LabelSet],
        *,
        settings: EngineSettings | None = None,
        stalled_after: float = 120.0,
    ) -> "ClassifierJudge":
        """From `<models>/<task>/<version>/` for each task; nothing runs before `start`.

        `stalled_after` in seconds: see `Embedder`. Raises `ConfigError` when a head is missing,
        broken, or made for another encoder.
        """
        encoder = Encoder.packaged()
        heads = Heads.load(models, tasks, encoder)
        embedder = Embedder(encoder, settings, stalled_after=stalled_after)
        return cls(embedder, TicketTokenizer(encoder), heads)

    async def start(self) -> None:
        """Load and warm up; returns when tickets are really being answered."""
        await self._embedder.start()
        for texts in warm_up():
            await self._embedder.embed([ticket.ids for ticket in self._tokenizer.encode(texts)])

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets held for a task, the current one first; empty for an unknown task."""
        return self._heads.label_sets(task)

    def version(self, task: str, label_set: str) -> str:
        """The head's version. Raises `TicketError` when the label set is not held."""
        return self._heads.find(task, label_set).version

    async def score(
        self,
        task: str,
        label_set: str,
        texts: Sequence[str],
        trace_headers: Sequence[Mapping[str, str] | None] | None = None,
    ) -> JudgeScores:
        """See `Judge.score`."""
        head = self._heads.find(task, label_set)
        # Here and not in a thread: to cross over costs more than a ticket, whose length is bounded.
        tickets = self._tokenizer.encode(texts)
        embeddings = await self._embedder.embed([ticket.ids for ticket in tickets], trace_headers)
        probabilities = head.probabilities(embeddings)
        if not np.isfinite(probabilities).all():
            raise ModelError(
                f"the judge's probabilities for task {task} are not numbers;"
                " try precision float32, and check the head"
            )
        return JudgeScores(probabilities, np.array([ticket.truncated for ticket in tickets], bool))

    @property
    def full(self) -> bool:
        """See `Judge.full`."""
        return self._embedder.full

    async def healthy(self) -> None:
        """Raises `EngineDead` when the engine can't answer any more."""
        await self._embedder.healthy()

    async def stop(self) -> None:
        """End the engine and its processes. Waiting calls get `EngineDead`."""
        await self._embedder.stop()
