"""The tickets of a test as the encoder sees them: which are alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress, TaskID

from streamer.judging.classifier.encoder import Encoder
from streamer.judging.llm.nearest import Embed, LabelledTickets
from streamer.learn.judge.embeddings import Embeddings
from streamer.learn.judge_test.material import Material
from streamer.learn.measures.neighbours import Neighbours, typical
from streamer.learn.measures.scores import Labels
from streamer.records.labelset import LabelSet
from streamer.terminal import bars

_TYPICAL = 6
"""Examples that stand in a prompt: so many, or one of each label where there are more labels."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """`embed` knows every ticket of the `material`."""

    material: Material
    label_set: LabelSet
    embed: Embed

    @classmethod
    def of(cls, material: Material, label_set: LabelSet, cache: Path) -> "Embedded":
        """Raises `ConfigError` where the judge's environment has no encoder."""
        kept = Embeddings(Encoder.packaged(), cache)
        rows: dict[str, NDArray[np.float32]] = {}
        with bars() as shown:
            # The training data as a whole: what a judge was trained on is there already.
            for name, part in (("training", material.train), ("test", material.telling)):
                bar = shown.add_task(f"embedding {name} tickets", total=len(part))
                progress = partial(_show, shown, bar)
                rows |= zip(part.texts, kept.of(part.texts, progress), strict=True)
        return cls(material, label_set, lambda texts: np.stack([rows[text] for text in texts]))

    def labelled(self) -> LabelledTickets:
        """The pool, to be shown beside tickets."""
        pool = self.material.pool
        labels = tuple(self.label_set.index[label] for label in pool.labels)
        return LabelledTickets(self.label_set, pool.texts, labels, self.embed)

    def typical(self) -> tuple[tuple[str, str], ...]:
        """Texts of the pool with their labels that stand for all of a label."""
        pool, size = self.material.pool, len(self.label_set)
        places = typical(
            self.embed(pool.texts), self._ids(pool.labels), size, max(1, _TYPICAL // size)
        )
        return tuple((pool.texts[place], pool.labels[place]) for place in places)

    def neighbours(self) -> tuple[Neighbours, Labels]:
        """The nearest labelled tickets as a judge of their own, and what they say [N] of the
        tickets to tell of.
        """
        pool, choosing = self.material.pool, self.material.choosing
        found = Neighbours.tuned(
            self.embed(pool.texts),
            self._ids(pool.labels),
            len(self.label_set),
            self.embed(choosing.texts),
            self._ids(choosing.labels),
        )
        return found, found.label_ids(self.embed(self.material.telling.texts))

    def _ids(self, labels: Sequence[str]) -> Labels:
        return np.array([self.label_set.index[label] for label in labels], np.int64)


def _show(shown: Progress, bar: TaskID, done: int, total: int) -> None:
    shown.update(bar, completed=done, total=total)
