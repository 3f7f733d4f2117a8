"""What a trainable kind of worker is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.backends.features import Floats
from streamer.learn.measures import scores

Settings = dict[str, float]


@dataclass(frozen=True, slots=True)
class Targets:
    """`texts` [N] and the index of each one's label, `labels` [N], out of `size` labels.

    `weights` [N] say how much each text counts, with a mean of about 1; all alike without them.
    With `probabilities` [N, K] those are learnt, and not the labels alone.
    """

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]
    size: int
    weights: Floats | None = None
    probabilities: Floats | None = None

    def where(self, rows: npt.NDArray[np.bool_]) -> "Targets":
        """Those of the `rows` [N] that are true."""
        return Targets(
            [text for text, row in zip(self.texts, rows, strict=True) if row],
            self.labels[rows],
            self.size,
            None if self.weights is None else self.weights[rows],
            None if self.probabilities is None else self.probabilities[rows],
        )

    def agreement(self, answers: Floats) -> float:
        """Share of the texts, by weight, whose likeliest label of `answers` [N, K] is theirs."""
        right = answers.argmax(axis=1) == self.labels
        return float(
            right.mean() if self.weights is None else np.average(right, None, self.weights)
        )

    def loss(self, answers: Floats) -> float:
        """Mean cross-entropy of `answers` q [N, K] in nats, by weight.

        That of the label, -log q_y; with probabilities p it is -sum_k p_k log q_k, which differs
        from KL(p || q) by the entropy of p alone, so that both have the same gradient.
        """
        if self.weights is None and self.probabilities is None:
            return scores.nll(answers, self.labels)
        each = -(self.wanted * np.log(np.maximum(answers, 1e-12))).sum(axis=1)
        return float(np.average(each, None, self.weights))

    def error(self, answers: Floats, batch: npt.NDArray[np.int64]) -> Floats:
        """The gradient by the scores of which `answers` [B, K] are the softmax: that of the loss
        on the rows `batch` [B], for weights with a mean of 1. It is w (q - p) / B, and is written
        over the answers.
        """
        if self.probabilities is None:
            answers[np.arange(len(batch)), self.labels[batch]] -= 1
        else:
            answers -= self.probabilities[batch]
        if self.weights is not None:
            answers *= self.weights[batch, None]
        answers /= np.float32(len(batch))
        return answers

    @property
    def wanted(self) -> Floats:
        """The distribution [N, K] that each text should get."""
        if self.probabilities is not None:
            return self.probabilities
        wanted: Floats = np.eye(self.size, dtype=np.float32)[self.labels]
        return wanted

    @property
    def counts(self) -> Floats:
        """How much each text counts, [N]."""
        if self.weights is None:
            return np.ones(len(self.labels), np.float32)
        return self.weights


class TrainedModel(Protocol):
    """A model in memory that can answer and be saved."""

    @property
    def size(self) -> int:
        """How many labels it knows."""

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """[N, K], rows sum to 1."""

    def save(self, folder: Path) -> None:
        """Write what the kind's backend loads."""


class Kind(Protocol):
    """`name` is the folder of its backend, `modules` the code that its models depend on."""

    @property
    def name(self) -> str: ...

    @property
    def modules(self) -> Sequence[ModuleType]: ...

    @property
    def most_rows(self) -> int:
        """How many texts Triton may give a model at once."""

    def base(self) -> str:
        """A hash of the pretrained model that its models stand on, "" for none.

        Raises `ConfigError` where that, or a package that it needs, is missing.
        """

    def tune(self, train: Targets, held_out: Targets, seed: int) -> tuple[Any, Settings]:
        """A model of `train` alone, with the settings that did best on `held_out`."""

    def fit(self, targets: Targets, settings: Settings, seed: int) -> Any:
        """A model of all targets with known settings."""


class Light:
    """What kinds have in common that are fast, and learn from their texts alone."""

    __slots__ = ()

    @property
    def most_rows(self) -> int:
        """As `Kind.most_rows`."""
        return 4096

    def base(self) -> str:
        """As `Kind.base`."""
        return ""
