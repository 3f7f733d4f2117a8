"""An aligned worker as a new version in the model repository."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from streamer.backends.gate import Gate
from streamer.learn.align import choosing, sample, training, training_set
from streamer.learn.align.choosing import Choice
from streamer.learn.align.training import Aligned
from streamer.learn.align.training_set import TrainingSet
from streamer.learn.artifacts.manifest import Alignment, Manifest, Recipe
from streamer.learn.artifacts.repository import latest_version, new_version, write_model
from streamer.learn.kinds.kind import Kind, Settings
from streamer.learn.measures.scores import Scores
from streamer.learn.train.training import code_hash


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a task's training set came from: the judge's version, the time before which its tickets
    were decided, the shares they were drawn by, and the version of the segments.
    """

    task: str
    judge: str | None
    until: str
    drawn: Mapping[str, float]
    segments: str | None
    seed: int


def write(
    repository: Path,
    model: str,
    kind: Kind,
    origin: Origin,
    given: TrainingSet,
    choice: Choice,
    aligned: Aligned,
) -> int:
    """Add the version and return its number. Triton is told to load it beside the one before."""
    recipe = _recipe(kind, origin, given, choice)
    scores = Scores.of(choice.answers, given.held_out.label_ids)
    with new_version(repository, model) as folder:
        aligned.model.save(folder)
        Manifest.new(recipe, _settings(aligned), scores).write(folder)
    write_model(
        repository,
        model,
        kind.name,
        given.label_set.labels,
        version=None,
        max_batch_size=kind.most_rows,
        served=2,
    )
    return latest_version(repository, model)


def _recipe(kind: Kind, origin: Origin, given: TrainingSet, choice: Choice) -> Recipe:
    experts = choice.best.shape == "experts"
    judged, examples = given.train.sha256, given.beside_train
    examples_hash = None if examples is None else examples.sha256
    return Recipe(
        task=origin.task,
        kind=kind.name,
        label_set=given.label_set.version,
        labels=given.label_set.labels,
        data_sha256=sha256(f"{judged}\0{examples_hash}".encode()).hexdigest(),
        rows=len(given.train) + (0 if examples is None else len(examples)),
        seed=origin.seed,
        code=code_hash(kind, choosing, training_set, sample, training, sys.modules[__name__]),
        alignment=Alignment(
            choice.best.loss,
            origin.judge,
            origin.until,
            origin.drawn,
            judged,
            examples_hash,
            origin.segments if experts else None,
            _hash(given.gate) if experts and given.gate else None,
        ),
    )


def _hash(gate: Gate) -> str:
    model = gate.model
    arrays = (model.features.buckets, model.features.idf, model.weights, model.bias)
    parts = [
        repr((gate.at_least, gate.least_known)).encode(),
        *(array.tobytes() for array in arrays),
    ]
    return sha256(b"\0".join(parts)).hexdigest()


def _settings(aligned: Aligned) -> Settings:
    """The general model's as they are, an expert's under the id of its segment."""
    settings = dict(aligned.settings)
    for segment_id, expert in aligned.experts.items():
        each = {**expert.settings, "others": expert.others}
        settings |= {f"expert-{segment_id}.{name}": value for name, value in each.items()}
    return settings
