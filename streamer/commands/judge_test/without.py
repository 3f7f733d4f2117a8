"""What there is without the judge: the commonest label, neighbours, workers; and the cascade."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from streamer.commands.judge_test.embedded import Embedded
from streamer.config.settings import Settings
from streamer.decide.predictions import Predictions
from streamer.decide.temperature import tempered
from streamer.errors import ConfigError, ModelError
from streamer.learn.artifacts.loading import load_worker
from streamer.learn.judge_test.beside import Alone, Cascade, alone, commonest
from streamer.learn.measures.scores import Labels
from streamer.records.calibration import Calibration
from streamer.services.learned.rules import load_calibration, rule_before


@dataclass(frozen=True, slots=True)
class Without:
    """Who is right how often alone, the cascade that would follow, and what is `missing`."""

    alone: tuple[Alone, ...]
    cascade: Cascade | None
    missing: tuple[str, ...]

    @classmethod
    def of(
        cls, settings: Settings, task: str, embedded: Embedded, judge: Labels, gold: Labels
    ) -> "Without":
        """On the tickets to tell of, whose labels by the judge and in truth are given, [N] each."""
        neighbours, near = embedded.neighbours()
        others = {
            "the commonest label": commonest(gold, len(embedded.label_set)),
            f"the {neighbours.count} nearest of {len(neighbours.labels)} labelled tickets": near,
        }
        calibration = _calibration(settings, task)
        missing: tuple[str, ...] = ()
        try:
            workers = _votes(settings, task, embedded.material.telling.texts, calibration)
        except (ConfigError, ModelError) as error:
            workers, missing = {}, (f"The workers are not beside it: {error}.",)
        others |= {name: votes.label_ids for name, votes in workers.items()}
        cascade = None
        if workers:
            rule = rule_before(settings.tasks[task], calibration)
            cascade = Cascade.of(workers, rule, judge, gold)
        return cls(
            tuple(alone(name, ids, judge, gold) for name, ids in others.items()), cascade, missing
        )


def _calibration(settings: Settings, task: str) -> Calibration | None:
    file = settings.tasks[task].calibration
    if file is None:
        return None
    return load_calibration(task, settings.tasks[task], settings.path(file))


def _votes(
    settings: Settings, task: str, texts: Sequence[str], calibration: Calibration | None
) -> Mapping[str, Predictions]:
    repository = settings.path(settings.triton.models)
    found = {}
    for worker in settings.tasks[task].workers:
        model = load_worker(repository, worker.model, worker.kind, worker.version)
        probabilities = np.asarray(model.probabilities(texts), np.float32)
        known = None if calibration is None else calibration.models.get(worker.model)
        temperature = 1.0 if known is None else known.temperature
        found[worker.model] = tempered(Predictions.of(probabilities), temperature)
    return found
