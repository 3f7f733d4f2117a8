"""What a trainable kind of worker is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from streamer.backends.features import Floats

Settings = dict[str, float]


@dataclass(frozen=True, slots=True)
class Targets:
    """`texts` [N] and the index of each one's label, `labels` [N], out of `size` labels."""

    texts: Sequence[str]
    labels: npt.NDArray[np.int64]
    size: int


class Trained(Protocol):
    """A model in memory that can answer and be saved."""

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

    def tune(self, train: Targets, held_out: Targets, seed: int) -> tuple[Any, Settings]:
        """A model of `train` alone, with the settings that did best on `held_out`."""

    def fit(self, targets: Targets, settings: Settings, seed: int) -> Any:
        """A model of all targets with known settings."""
