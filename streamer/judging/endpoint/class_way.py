"""A model with a head of its own behind vLLM's /classify."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, TicketError
from streamer.judging.endpoint.endpoint import Endpoint
from streamer.judging.endpoint.question import Question
from streamer.judging.endpoint.reading import Reading
from streamer.judging.judge import Headers, JudgeScores
from streamer.records.labelset import LabelSet

# Of shares that must sum to 1, as rounding leaves them.
_OFF = 1e-3


class ClassWay:
    """A `Way` for one task, whose labels are the model's classes in the same order.

    The server names the likeliest class alone. It must be the task's label at that place, with each
    answer; a model whose classes have no names (LABEL_0) is believed.
    """

    def __init__(
        self, endpoint: Endpoint, model: str, task: str, labels: LabelSet, max_tokens: int
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._task = task
        self._labels = labels
        self._reading = Reading(max_tokens)

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """See `Judge.label_sets`."""
        return (self._labels,) if task == self._task else ()

    def version(self, task: str, label_set: str) -> str:
        """See `Judge.version`."""
        self._check(task, label_set)
        return f"{self._endpoint.identity or self._model}-classes"

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """See `Judge.score`."""
        self._check(task, label_set)
        headers = trace_headers or [None] * len(texts)
        cut = [self._reading.cut(text.encode("utf-8", "replace").decode()) for text in texts]
        asked = [
            self._endpoint.ask(self.question(text, header))
            for (text, _), header in zip(cut, headers, strict=True)
        ]
        rows = np.array(await asyncio.gather(*asked), np.float32).reshape(len(texts), -1)
        return JudgeScores(rows, np.array([one for _, one in cut], bool))

    async def check_coverage(self, task: str, label_set: str, scores: JudgeScores) -> None:
        """See `Way.check_coverage`: it can answer nothing else."""

    async def shown(self, task: str, label_set: str, text: str) -> str | None:
        """See `Way.shown`."""
        return None

    def question(self, text: str, header: Any = None) -> Question[NDArray[np.float64]]:
        """Asks for the probabilities [K] of one text."""
        # The server cuts what the model can't read: nothing is lost by it but the tail.
        body = {"model": self._model, "input": text or " ", "truncate_prompt_tokens": -1}
        return Question(f"{self._endpoint.address.root}/classify", body, self._read, header or {})

    def trial(self, text: str) -> Question[Any]:
        """The same of whatever classes."""
        asked = self.question(text)
        return Question(asked.url, asked.body, _answer)

    def check_fit(self, said: Any) -> None:
        """Raises `ConfigError` where an answer's classes are not the task's labels."""
        found, label = _answer(said)
        if len(found) != len(self._labels) or not self._named(found, label):
            raise ConfigError(
                f"the model behind {self._endpoint.address.host} has {len(found)} classes, {label} "
                f"at place {int(found.argmax())}, and task {self._task} has the labels "
                f"{', '.join(self._labels.labels)}: they must be the same in the same order; "
                "correct tasks.*.labels, or judge.endpoint.model, where {task} stands for the task"
            )

    def _read(self, said: Any) -> NDArray[np.float64]:
        found, label = _answer(said)
        if len(found) != len(self._labels) or not self._named(found, label):
            raise ValueError("classes of another model")
        shares: NDArray[np.float64] = found / found.sum()
        return shares

    def _named(self, found: NDArray[np.float64], label: Any) -> bool:
        place = int(found.argmax())
        return label in (self._labels.labels[place], f"LABEL_{place}", None)

    def _check(self, task: str, label_set: str) -> None:
        if task != self._task or self._labels.version != label_set:
            raise TicketError(
                "unknown_label_set",
                f"the judge's endpoint has no classes of task {task} for label set {label_set};"
                " serve a model for it, restart the judge and replay the dead letter",
            )


def _answer(said: Any) -> tuple[NDArray[np.float64], Any]:
    """Probabilities, and the name of the likeliest class."""
    one = said["data"][0]
    found = np.array(one["probs"], np.float64)
    if found.ndim != 1 or not np.isfinite(found).all() or (found < 0).any():
        raise ValueError("no probabilities")
    if abs(found.sum() - 1) > _OFF:
        raise ValueError("no distribution")
    return found, one["label"]
