"""Training one worker."""

from dataclasses import dataclass

import numpy as np

from streamer.errors import ConfigError
from streamer.learn.artifacts.held_out import HeldOut
from streamer.learn.data.examples import Examples
from streamer.learn.kinds.kind import Kind, Settings, Targets, TrainedModel
from streamer.learn.measures.scores import Scores
from streamer.records.labelset import LabelSet

HELD_OUT_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class TrainedWorker:
    """`model` has learnt from all examples; `held_out` and `scores` are of one that had fewer.

    Settings were chosen and scores measured on the held-out share, and then the model was trained
    again with everything: the scores are those of a slightly weaker model.
    """

    model: TrainedModel
    settings: Settings
    held_out: HeldOut
    scores: Scores


def train_worker(
    kind: Kind, examples: Examples, label_set: LabelSet, *, seed: int
) -> TrainedWorker:
    """Tune on a held-out share of the examples, then train on all of them.

    The same seed and examples give the same model. Raises ConfigError for too few examples.
    """
    train, held_out = (_targets(part, label_set) for part in examples.split(HELD_OUT_SHARE, seed))
    if len(held_out.labels) == 0 or len(np.unique(train.labels)) < 2:
        raise ConfigError(
            f"{len(examples)} examples are too few to train {kind.name} and hold some out:"
            " give at least ten per label"
        )
    tuned, settings = kind.tune(train, held_out, seed)
    answers = HeldOut(tuned.probabilities(held_out.texts), held_out.labels)
    return TrainedWorker(
        model=kind.fit(_targets(examples, label_set), settings, seed),
        settings=settings,
        held_out=answers,
        scores=Scores.of(answers.probs, answers.gold),
    )


def _targets(examples: Examples, label_set: LabelSet) -> Targets:
    labels = [label_set.index[label] for label in examples.labels]
    return Targets(examples.texts, np.array(labels, dtype=np.int64), len(label_set))
