"""A log of fourteen language models: what each said of 500 complaints, and in how many seconds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import ABSTAINED, Predictions
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.scores import Labels
from streamer.learn.measures.shares import share
from streamer.records.rows import rows

_ANSWER, _TRUTH = "_prediction", "product"

Seconds = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LlmLog:
    """N complaints with the true label: by model the label that it named [N], -1 for none of ours,
    and the seconds that it took [N].
    """

    labels: tuple[str, ...]
    gold: Labels
    ids: tuple[str, ...]
    answers: Mapping[str, Labels]
    seconds: Mapping[str, Seconds]

    @classmethod
    def read(cls, file: Path) -> "LlmLog":
        """Each model's seconds stand in the column behind its answer."""
        read = list(rows(file))
        labels = tuple(sorted({str(row[_TRUTH]) for row in read}))
        taken = {
            column.removesuffix(_ANSWER): (column, behind)
            for column, behind in pairwise(read[0])
            if column.endswith(_ANSWER)
        }
        return cls(
            labels,
            _label_ids(read, _TRUTH, labels),
            tuple(str(row["id"]) for row in read),
            {name: _label_ids(read, column, labels) for name, (column, _) in taken.items()},
            {
                name: np.array([float(row[behind]) for row in read])
                for name, (_, behind) in taken.items()
            },
        )

    @property
    def by_accuracy(self) -> list[str]:
        """The models, the one that is most often right first."""
        right = {name: share(said == self.gold).value for name, said in self.answers.items()}
        return sorted(right, key=lambda name: -right[name])

    def cases(self, workers: Sequence[str], judge: str) -> Dataset:
        """Some of the models as workers, and one as their judge."""
        return Dataset(
            "complaints",
            self.labels,
            tuple(workers),
            tuple(Predictions(self.answers[name], None) for name in workers),
            Predictions(self.answers[judge], None),
            self.gold,
            self.ids,
        )


def _label_ids(read: Sequence[Mapping[str, Any]], column: str, labels: tuple[str, ...]) -> Labels:
    index = {name: label_id for label_id, name in enumerate(labels)}
    return np.array([index.get(row[column], ABSTAINED) for row in read])
