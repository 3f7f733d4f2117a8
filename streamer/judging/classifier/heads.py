"""The heads that a judge holds: for each task the configured label set and the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError, TicketError, in_words
from streamer.judging.classifier.encoder import Encoder
from streamer.records.labelset import LabelSet

Matrix = NDArray[np.float32]

_FILE = "head.npz"


@dataclass(frozen=True, slots=True)
class Head:
    """Weights [D, K], bias [K] and temperature over the embeddings of one encoder.

    `encoder` is that encoder's digest; `version` is the folder it was loaded from.
    """

    label_set: LabelSet
    encoder: str
    weights: Matrix
    bias: Matrix
    temperature: float
    version: str = "0"

    def probabilities(self, embeddings: Matrix) -> Matrix:
        """float32 [N, K] from float32 [N, D]; rows sum to 1."""
        logits = (embeddings @ self.weights + self.bias) / np.float32(self.temperature)
        powers: Matrix = np.exp(logits - logits.max(axis=1, keepdims=True))
        powers /= powers.sum(axis=1, keepdims=True)
        return powers

    def save(self, folder: Path) -> None:
        """Write head.npz, which holds all but the version."""
        np.savez(
            folder / _FILE,
            weights=self.weights,
            bias=self.bias,
            temperature=np.float64(self.temperature),
            labels=np.array(self.label_set.labels),
            encoder=np.array(self.encoder),
        )

    @classmethod
    def load(cls, folder: Path) -> "Head":
        """Raises `ConfigError` when the folder holds no sound head."""
        try:
            with np.load(folder / _FILE, allow_pickle=False) as arrays:
                head = cls(
                    label_set=LabelSet(tuple(arrays["labels"].tolist())),
                    encoder=str(arrays["encoder"]),
                    weights=arrays["weights"],
                    bias=arrays["bias"],
                    temperature=float(arrays["temperature"]),
                    version=folder.name,
                )
            _check(head)
        except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
            raise ConfigError(
                f"{folder} holds no usable head of a judge ({in_words(error)}); train it again"
            ) from error
        return head


def _check(head: Head) -> None:
    size = len(head.label_set)
    if head.weights.ndim != 2 or head.weights.shape[1] != size or head.bias.shape != (size,):
        raise ValueError(f"shapes {head.weights.shape} and {head.bias.shape} for {size} labels")
    if not (np.isfinite(head.weights).all() and np.isfinite(head.bias).all()):
        raise ValueError("weights are not finite")
    if not 0 < head.temperature < float("inf"):
        raise ValueError("temperature is not positive")


class Heads:
    """Heads by task, the current one first and at most one older label set after it.

    The older one answers requests that were on their way when the label set changed.
    """

    def __init__(self, heads: Mapping[str, tuple[Head, ...]]) -> None:
        self._heads = dict(heads)

    @classmethod
    def load(cls, folder: Path, tasks: Mapping[str, LabelSet], encoder: Encoder) -> "Heads":
        """Read `<folder>/<task>/<version>/` for each task and its configured label set.

        Raises `ConfigError` where no version has that label set, or a head does not load or
        belongs to another encoder.
        """
        return cls({task: _held(folder / task, want, encoder) for task, want in tasks.items()})

    @property
    def tasks(self) -> tuple[str, ...]:
        """Those that have a head."""
        return tuple(self._heads)

    def label_sets(self, task: str) -> tuple[LabelSet, ...]:
        """The label sets of a task, the current one first; empty for an unknown task."""
        return tuple(head.label_set for head in self._heads.get(task, ()))

    def find(self, task: str, label_set: str) -> Head:
        """Raises `TicketError` when no head for this version of the label set is held."""
        for head in self._heads.get(task, ()):
            if head.label_set.version == label_set:
                return head
        raise TicketError(
            "unknown_label_set",
            f"the judge has no head of task {task} for label set {label_set};"
            " train it, restart the judge and replay the dead letter",
        )


def _held(folder: Path, want: LabelSet, encoder: Encoder) -> tuple[Head, ...]:
    newest: dict[str, Head] = {}
    for version in _versions(folder):
        head = Head.load(version)
        newest.setdefault(head.label_set.version, head)
        if want.version in newest and len(newest) > 1:
            break
    current = newest.pop(want.version, None)
    if current is None:
        raise ConfigError(
            f"{folder} has no head for label set {want.version} ({len(want)} labels):"
            f" run `streamer train judge` for task {folder.name}"
        )
    if not _fits(current, encoder):
        raise ConfigError(
            f"{folder / current.version} was trained over another encoder than"
            f" {encoder.folder.name}: run `streamer train judge` for task {folder.name}"
        )
    older = [head for head in newest.values() if _fits(head, encoder)]
    return (current, *older[:1])


def _versions(folder: Path) -> list[Path]:
    numbered = [path for path in folder.glob("[0-9]*") if path.name.isdecimal()]
    return sorted(numbered, key=lambda path: int(path.name), reverse=True)


def _fits(head: Head, encoder: Encoder) -> bool:
    return head.encoder == encoder.digest and head.weights.shape[0] == encoder.dimensions
