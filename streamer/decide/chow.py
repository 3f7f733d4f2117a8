"""Chow's rule: accept what is likely enough."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from streamer.decide.decision import Decision
from streamer.decide.distributions import Rows, checked
from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.decide.rounding import at_least
from streamer.records.label import Rule


@dataclass(frozen=True, slots=True)
class Chow:
    """Accept iff max q >= 1 - alpha (eq. 2 of "Faster Cascades via Speculative Decoding",
    arXiv 2405.19261): alpha 0 asks the judge unless the workers are certain, 1 never does.

    q is the mean of the `of` workers' distributions, or that of the one with the index `worker`:
    then the answers of the others change nothing. A task with a single worker can have this rule.
    An abstention of a worker that counts leaves the ticket to the judge.
    """

    alpha: float
    of: int
    worker: int | None = None

    def __post_init__(self) -> None:
        if self.worker is not None and not 0 <= self.worker < self.of:
            raise ValueError(f"no worker has index {self.worker}: there are {self.of}")

    @property
    def quorum(self) -> int:
        return self.of if self.worker is None else 1

    @property
    def least(self) -> float:
        """The confidence below which no label stands."""
        return 1 - self.alpha

    def lenient(self) -> "Chow":
        """The same without a threshold."""
        return replace(self, alpha=1.0)

    def decidable(self, answering: Sequence[bool]) -> bool:
        return all(answering[index] for index in self._counted)

    def accepts(self, q: Rows) -> NDArray[np.bool_]:
        """[N] for distributions q [N, K]; raises `ValueError` for rows that are none."""
        return at_least(checked(q).max(axis=1, initial=0), self.least)

    def decide(self, worker_predictions: Sequence[Predictions]) -> Decision:
        counted = [worker_predictions[index] for index in self._counted]
        count = len(counted[0].label_ids)
        label_ids, confidence = np.full(count, ABSTAINED), np.full(count, np.nan)
        usable = np.flatnonzero(np.all([o.label_ids != ABSTAINED for o in counted], axis=0))
        # Rows are copied only where some must be left out.
        voted = (
            counted if len(usable) == count else [predictions[usable] for predictions in counted]
        )
        vectors = [o.probabilities for o in voted if o.probabilities is not None]
        if len(vectors) == len(voted):
            q = sum(vectors[1:], start=vectors[0].astype(np.float64)) / len(vectors)
            confident = np.flatnonzero(self.accepts(q))
            likeliest = q.argmax(axis=1)[confident]
            label_ids[usable[confident]], confidence[usable[confident]] = (
                likeliest,
                q[confident, likeliest],
            )
        return Decision(label_ids, confidence)

    def described(self, workers: Sequence[str]) -> Rule:
        alone = None if self.worker is None else workers[self.worker]
        return Rule("chow", self.quorum, self.of, alpha=self.alpha, worker=alone)

    @property
    def _counted(self) -> Sequence[int]:
        return range(self.of) if self.worker is None else (self.worker,)
