"""What every way of asking an endpoint promises to the judge that uses it."""

from collections.abc import Sequence
from typing import Protocol

from streamer.judging.judge import Headers, JudgeScores
from streamer.records.labelset import LabelSet


class Way(Protocol):
    """Asks about some tasks; see `Judge` for its methods."""

    def label_sets(self, task: str) -> tuple[LabelSet, ...]: ...
    def version(self, task: str, label_set: str) -> str: ...
    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores: ...
    async def check_coverage(self, task: str, label_set: str, scores: JudgeScores) -> None:
        """Raises `ConfigError` where first answers say that the model would answer otherwise."""

    async def shown(self, task: str, label_set: str, text: str) -> str | None:
        """What the model reads of one ticket, where that is known."""
