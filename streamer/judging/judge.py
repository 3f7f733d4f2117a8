"""What every kind of judge promises to the service around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ModelError, StreamerError
from streamer.records.labelset import LabelSet

Headers = Sequence[Mapping[str, str] | None] | None
"""W3C trace headers of N requests."""


class EngineDead(ModelError):
    """The engine died or stopped making progress: exit without committing, to be restarted."""


class OverBudget(StreamerError):
    """The judge has spent what it may: the workers' label stands in, or the ticket waits."""


@dataclass(frozen=True, slots=True)
class JudgeScores:
    """The judge's answer for N tickets.

    `probabilities` is float32 [N, K], calibrated, each row summing to 1, columns in the order of
    the label set; `truncated` is bool [N]: tickets of which the judge read only head and tail.
    `coverage` is float32 [N]: the share of its probability that a language model gave to the labels
    and not to other words; None for a judge that can say nothing else. Not `known` are
    probabilities of a judge that names a label and nothing more: it has 1, the others 0.
    """

    probabilities: NDArray[np.float32]
    truncated: NDArray[np.bool_]
    coverage: NDArray[np.float32] | None = None
    known: bool = True

    @classmethod
    def joined(cls, parts: "Sequence[JudgeScores]") -> "JudgeScores":
        """Answers of one judge to tickets of one task and label set, as one, in their order."""
        coverage = [part.coverage for part in parts if part.coverage is not None]
        return cls(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.truncated for part in parts]),
            np.concatenate(coverage) if coverage else None,
            all(part.known for part in parts),
        )


class Judge(Protocol):
    """Scores tickets against closed label sets. Calls may run at the same time, and mix tasks."""

    async def start(self) -> None:
        """Load and warm up; returns when tickets are really being answered.

        Raises `EngineDead` when the engine does not come up, `ModelError` when it answers nonsense.
        """

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets held for a task, the current one first; empty for an unknown task."""

    def version(self, task: str, label_set: str) -> str:
        """What answers for this label set; it stands in the label as the judge's version."""

    async def score(
        self, task: str, label_set: str, texts: Sequence[str], trace_headers: Headers = None
    ) -> JudgeScores:
        """Probabilities for each text; `trace_headers` go on to the engine, one per text.

        Raises `TicketError` when the label set (a `LabelSet.version`) is not held or an answer is
        no number, `EngineDead` when the engine died, stalled, or answers nothing else any more,
        `OverBudget` when nothing may be asked just now.
        """

    @property
    def full(self) -> bool:
        """Whether the engine has as much as it should hold, and tickets wait for it."""

    async def healthy(self) -> None:
        """Raises `EngineDead` when the engine can't answer any more."""

    async def stop(self) -> None:
        """End the engine and its processes. Waiting calls get `EngineDead`."""
