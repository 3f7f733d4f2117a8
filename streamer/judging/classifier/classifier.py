"""The judge of kind `classifier`: one encoder on vLLM for all tasks, one linear head for each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from streamer.judging.classifier.embedder import Embedder
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Heads
from streamer.judging.engine.engine_judge import EngineJudge
from streamer.judging.engine.settings import EngineSettings
from streamer.judging.engine.tokens import TicketTokenizer
from streamer.judging.judge import Headers, JudgeScores
from streamer.records.labelset import LabelSet


class ClassifierJudge(EngineJudge):
    """Scores tickets by `Heads` over the embeddings of an `Embedder`. A `Judge`."""

    def __init__(self, embedder: Embedder, tokenizer: TicketTokenizer, heads: Heads) -> None:
        super().__init__([embedder.engine], heads.tasks)
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

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets held for a task, the current one first; empty for an unknown task."""
        return self._heads.label_sets(task)

    def version(self, task: str, label_set: str) -> str:
        """The head's version. Raises `TicketError` when the label set is not held."""
        return self._heads.find(task, label_set).version

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        head = self._heads.find(task, label_set)
        # Here and not in a thread: to cross over costs more than a ticket, whose length is bounded.
        tickets = self._tokenizer.encode(texts)
        embeddings = await self._embedder.embed([ticket.ids for ticket in tickets], trace_headers)
        truncated = [ticket.truncated for ticket in tickets]
        return self._answer(head.probabilities(embeddings), truncated)
