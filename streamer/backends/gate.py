"""Names the segment of a ticket by its words: the light classifier as it is served."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streamer.backends.features import Floats, softmax
from streamer.backends.linear import LinearModel
from streamer.backends.ngrams import SHAPE_PAIRS, words_and_shape
from streamer.records.segments import GENERAL


@dataclass(frozen=True, slots=True)
class Named:
    """Of N tickets the segment id, `GENERAL` for none; and how likely the likeliest is.

    `far` marks those of which too few words are known, whatever the classifier makes of the rest.
    """

    segment_ids: npt.NDArray[np.int64]
    confidence: Floats
    far: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Gate:
    """A classifier of segments that counts where its confidence is `at_least` (0 to 1), on tickets
    of which the share `least_known` of the words or more is known to it.
    """

    model: LinearModel
    at_least: float
    least_known: float

    def names(self, texts: Sequence[str]) -> Named:
        """The segments of N texts."""
        rows, known = self.model.features.known_rows(texts, SHAPE_PAIRS)
        probabilities = softmax(rows @ self.model.weights + self.model.bias)
        confidence = probabilities.max(axis=1)
        # Without a known word there is a shape alone, which says nothing of what it is about.
        far = (known < self.least_known) | (known == 0)
        # A confidence that is no number is not at least anything.
        confident = (confidence >= self.at_least) & ~far
        return Named(np.where(confident, probabilities.argmax(axis=1), GENERAL), confidence, far)

    @classmethod
    def load(cls, folder: Path, at_least: float, least_known: float) -> "Gate":
        """Raises ModelError where the model's file is missing, damaged or not ours."""
        return cls(LinearModel.load(folder, words_and_shape), at_least, least_known)
