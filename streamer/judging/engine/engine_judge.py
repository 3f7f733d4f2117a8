"""What the kinds of judges that run on vLLM have in common."""

import asyncio
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ModelError, TicketError
from streamer.judging.engine.warm_up import warm_up
from streamer.judging.engine.watched_engine import WatchedEngine
from streamer.judging.judge import EngineDead, Judge, JudgeScores

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

_MEND = "set judge.engine.precision to float32, and check the model"
# One such answer is the ticket's own; so many in a row are not.
_STRANGE = 20


class EngineJudge(Judge):
    """A `Judge` but for what it makes of a ticket: its `engines`, and what is asked at start."""

    def __init__(self, engines: Collection[WatchedEngine], tasks: Collection[str]) -> None:
        self.engines = tuple(engines)
        self._tasks = tuple(tasks)
        self._strange = 0

    async def start(self) -> None:
        """See `Judge.start`."""
        await self._load()
        await self._warm_up()

    @property
    def full(self) -> bool:
        """See `Judge.full`; of any engine."""
        return any(engine.full for engine in self.engines)

    async def healthy(self) -> None:
        """See `Judge.healthy`."""
        for engine in self.engines:
            await engine.healthy()

    def collect(self) -> "Iterator[Metric]":
        """vLLM's own metrics of all engines, whose number stands in their label `engine`."""
        for number, engine in enumerate(self.engines):
            for metric in engine.metrics.collect():
                for sample in metric.samples:
                    sample.labels["engine"] = str(number)
                yield metric

    async def stop(self) -> None:
        """See `Judge.stop`."""
        for engine in self.engines:
            await engine.stop()

    async def _load(self) -> None:
        for engine in self.engines:
            await engine.start()

    async def _warm_up(self, times: int = 16) -> dict[tuple[str, str], JudgeScores]:
        """The last answers to the tickets of `warm_up`, by task and label set.

        Raises `ModelError` where they are not numbers.
        """
        asked = [(task, held.version) for task in self._tasks for held in self.label_sets(task)]
        try:
            for texts in warm_up(times):
                scores = (self.score(task, label_set, texts) for task, label_set in asked)
                answers = await asyncio.gather(*scores)
        except TicketError as error:
            raise ModelError(f"the judge can't answer its own first tickets: {error}") from error
        return dict(zip(asked, answers, strict=True))

    def _answer(
        self,
        probabilities: NDArray[np.float32],
        truncated: Sequence[bool],
        coverage: NDArray[np.float32] | None = None,
    ) -> JudgeScores:
        """As `JudgeScores`. Raises as `Judge.score` does where they are not numbers."""
        if np.isfinite(probabilities).all():
            self._strange = 0
            return JudgeScores(probabilities, np.array(truncated, bool), coverage)
        self._strange += 1
        if self._strange >= _STRANGE:
            raise EngineDead(f"the judge's last {_STRANGE} answers were not numbers; {_MEND}")
        raise TicketError(
            "no_probabilities",
            f"the judge's probabilities are not numbers; {_MEND}, then replay the dead letter",
        )
