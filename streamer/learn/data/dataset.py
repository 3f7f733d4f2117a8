"""Tickets of one task with all that was said of them: the table that everything is learnt from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streamer.decide.predictions import LabelIds, Predictions

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Dataset:
    """N tickets of one task: what every worker and the judge said, and the truth where known.

    `worker_predictions` has one entry per worker of `workers`, each on all N tickets with raw (not
    yet tempered) probabilities; `judge` likewise, with -1 where the judge was not asked. `gold` [N]
    are label ids, -1 where the truth is unknown. `slices` names further columns (language, tenant),
    one value per ticket. `versions` are those of the models by name, the judge's under
    `judge`.
    """

    task: str
    labels: tuple[str, ...]
    workers: tuple[str, ...]
    worker_predictions: tuple[Predictions, ...]
    judge: Predictions
    gold: LabelIds
    ids: tuple[str, ...]
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: NDArray[np.int64]) -> "Dataset":
        """Some of the tickets, by their rows [M]."""
        picked = rows.tolist()
        return Dataset(
            self.task,
            self.labels,
            self.workers,
            tuple(predictions[rows] for predictions in self.worker_predictions),
            self.judge[rows],
            self.gold[rows],
            tuple(self.ids[row] for row in picked),
            {name: tuple(values[row] for row in picked) for name, values in self.slices.items()},
            self.versions,
        )

    def of(self, workers: tuple[int, ...]) -> "Dataset":
        """The same tickets with some of the workers, by their indexes."""
        return Dataset(
            self.task,
            self.labels,
            tuple(self.workers[index] for index in workers),
            tuple(self.worker_predictions[index] for index in workers),
            self.judge,
            self.gold,
            self.ids,
            self.slices,
            self.versions,
        )
