"""Training the judge's head for a task into the folder that the judge service reads."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from streamer.errors import ConfigError
from streamer.judging.classifier.encoder import Encoder
from streamer.judging.classifier.heads import Head
from streamer.learn.artifacts.manifest import Manifest, Recipe
from streamer.learn.artifacts.repository import check_ours, latest_version, new_version
from streamer.learn.data.examples import Examples
from streamer.learn.judge.embeddings import Embeddings
from streamer.learn.kinds import fitting
from streamer.learn.kinds.kind import Targets
from streamer.learn.measures.scores import Labels, Scores
from streamer.records.labelset import LabelSet

Progress = Callable[[str, int, int], None]
"""Called with the task, how many of its texts are embedded, and how many there are."""

_HELD_OUT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class JudgeTrainer:
    """Trains heads into `<models>/<task>/<version>/`; `cache` keeps the embeddings."""

    encoder: Encoder
    models: Path
    cache: Path

    def train(
        self, task: str, examples: Examples, label_set: LabelSet, *, seed: int, progress: Progress
    ) -> Manifest:
        """A new version, unless the newest is of the same examples, labels, seed and code.

        The penalty and the temperature are chosen on a held-out share; then the head learns from
        all examples. Raises ConfigError for a label out of place, too few examples, or a
        folder with a head that was not trained here.
        """
        check_ours(self.models / task)
        examples.check_labels(label_set.labels, f"task {task}")
        recipe = self._recipe(task, examples, label_set, seed)
        newest = Manifest.read(self.models / task / str(latest_version(self.models, task)))
        if newest is not None and newest.recipe == recipe:
            return newest
        embeddings = Embeddings(self.encoder, self.cache).of(
            examples.texts, partial(progress, task)
        )
        gold = np.array([label_set.index[label] for label in examples.labels], np.int64)
        held = _held_out(examples, seed, task)
        everything = Targets(examples.texts, gold, len(label_set))
        tuned = fitting.tune(
            embeddings[~held], everything.where(~held), embeddings[held], everything.where(held)
        )
        manifest = Manifest.new(recipe, _settings(tuned), _scores(tuned, embeddings, gold, held))
        final = fitting.fit(embeddings, everything, tuned.penalty)
        head = Head(
            label_set, self.encoder.digest, final.weights, final.bias, tuned.model.temperature
        )
        with new_version(self.models, task) as folder:
            head.save(folder)
            manifest.write(folder)
        return manifest

    def _recipe(self, task: str, examples: Examples, label_set: LabelSet, seed: int) -> Recipe:
        code = Path(str(fitting.__file__)).read_bytes() + self.encoder.digest.encode()
        return Recipe(
            task=task,
            kind="classifier",
            label_set=label_set.version,
            labels=label_set.labels,
            data_sha256=examples.sha256,
            rows=len(examples),
            seed=seed,
            code=sha256(code).hexdigest()[:16],
        )


def _held_out(examples: Examples, seed: int, task: str) -> NDArray[np.bool_]:
    kept = set(examples.split(_HELD_OUT_SHARE, seed)[0].texts)
    held = np.array([text not in kept for text in examples.texts])
    if not held.any() or held.all():
        raise ConfigError(
            f"task {task}: {len(examples)} examples are too few to train a judge and hold some"
            " out; give at least ten per label"
        )
    return held


def _settings(tuned: fitting.Tuned) -> dict[str, float]:
    return {"penalty": tuned.penalty, "temperature": tuned.model.temperature}


def _scores(
    tuned: fitting.Tuned,
    embeddings: NDArray[np.float32],
    gold: Labels,
    held: NDArray[np.bool_],
) -> Scores:
    answers = tuned.model.probabilities(embeddings[held])
    return Scores.of(answers, gold[held])
