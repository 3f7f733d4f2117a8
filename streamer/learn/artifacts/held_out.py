"""What a worker answered on texts that it was not trained on: for calibration and double faults."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streamer.backends.features import Floats
from streamer.errors import ModelError, in_words
from streamer.learn.measures.scores import Labels

_FILE = "held_out.npz"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """`probs` [M, K] and `gold` [M] label indices.

    Workers trained on the same examples with the same seed have the same rows in the same order.
    """

    probs: Floats
    gold: Labels

    def save(self, folder: Path) -> None:
        np.savez(folder / _FILE, probs=self.probs, gold=self.gold)

    @classmethod
    def load(cls, version: Path) -> "HeldOut":
        """Read it from a model's version folder; raises ModelError where there is none."""
        try:
            with np.load(version / _FILE, allow_pickle=False) as file:
                return cls(file["probs"], file["gold"])
        except (OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"can't load {version / _FILE}: {in_words(error)}; train it again"
            ) from error
