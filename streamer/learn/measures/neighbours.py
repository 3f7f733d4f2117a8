"""Labels by the nearest labelled tickets: what any judge must be better than."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.learn.measures.scores import Labels

Embeddings = NDArray[np.float32]

_COUNTS = (1, 3, 5, 9, 15, 25)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`embeddings` [N, D], of which the dot product says how alike two are, with `labels` [N], and
    how many of the nearest are asked.
    """

    embeddings: Embeddings
    labels: Labels
    size: int
    count: int

    @classmethod
    def tuned(
        cls, embeddings: Embeddings, labels: Labels, size: int, on: Embeddings, gold: Labels
    ) -> "Neighbours":
        """Of 1 to 25 as many as are right most often on other tickets; ties go to fewer."""
        tried = [cls(embeddings, labels, size, count) for count in _COUNTS]
        return max(tried, key=lambda one: (int((one.label_ids(on) == gold).sum()), -one.count))

    def label_ids(self, tickets: Embeddings) -> Labels:
        """[M]: what most of the nearest have, weighed by how alike they are."""
        alike = tickets @ self.embeddings.T
        nearest = np.argsort(-alike, axis=1, kind="stable")[:, : self.count]
        votes = np.zeros((len(tickets), self.size))
        rows = np.arange(len(tickets))
        for place in nearest.T:
            np.add.at(votes, (rows, self.labels[place]), alike[rows, place])
        return np.asarray(votes.argmax(axis=1))


def typical(embeddings: Embeddings, labels: Labels, size: int, each: int) -> Sequence[int]:
    """The places of `each` tickets of every label that are most like all others of it, the labels
    by turns.
    """
    found = []
    for label in range(size):
        (mine,) = np.nonzero(labels == label)
        alike = embeddings[mine] @ embeddings[mine].mean(axis=0) if len(mine) else mine
        found.append(mine[np.argsort(-alike, kind="stable")[:each]].tolist())
    return [row[turn] for turn in range(each) for row in found if turn < len(row)]
