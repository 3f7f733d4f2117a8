"""The rule that serves now beside a calibrated one, and how the calibrated one comes to serve."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.predictions import ABSTAINED
from streamer.decide.temperature import tempered
from streamer.errors import ConfigError
from streamer.learn.calibrate.calibrate import Targets, halves
from streamer.learn.calibrate.targets import JudgeShareTarget
from streamer.learn.data.dataset import Dataset
from streamer.learn.measures.shares import Share, share
from streamer.records.label import Rule
from streamer.services.learned.rules import load_calibration, rule_before


@dataclass(frozen=True, slots=True)
class Now:
    """The rule that serves now, and its shares of the tickets on which another was measured."""

    rule: Rule
    judge_rate: Share
    fidelity: Share

    @classmethod
    def of(
        cls, settings: Settings, name: str, task: Task, dataset: Dataset, targets: Targets
    ) -> "Now":
        """Of the tickets that `calibrate` takes for what to expect of this wish.

        Raises `ConfigError` where the configured calibration can't be read.
        """
        file = None if task.calibration is None else settings.path(task.calibration)
        # A task may name the file before it is made.
        calibration = load_calibration(name, task, file) if file and file.exists() else None
        judged = dataset[np.flatnonzero(dataset.judge.label_ids != ABSTAINED)]
        shown = judged if isinstance(targets, JudgeShareTarget) else halves(judged)[1]
        if calibration is not None:
            warm = [calibration.models[worker].temperature for worker in shown.workers]
            pairs = zip(shown.worker_predictions, warm, strict=True)
            shown = replace(
                shown,
                worker_predictions=tuple(tempered(predictions, t) for predictions, t in pairs),
            )
        rule = rule_before(task, calibration)
        accepted = rule.decide(shown.worker_predictions).label_ids
        bypassed = accepted != ABSTAINED
        fidelity = share((accepted == shown.judge.label_ids)[bypassed])
        return cls(rule.described(shown.workers), share(~bypassed), fidelity)


def now_or_none(
    settings: Settings, name: str, task: Task, dataset: Dataset, targets: Targets
) -> Now | None:
    """None where no rule serves: before the first calibration of a calibrated task."""
    file = task.calibration
    if task.rule.kind == "calibrated" and not (file and settings.path(file).exists()):
        return None
    try:
        return Now.of(settings, name, task, dataset, targets)
    except ConfigError:
        return None


def to_write(settings: Settings, name: str, target: Path, *, after: bool) -> Iterator[str]:
    """The lines of streamer.yaml by which the task is served by the file; none if it is so.

    With `after` its rule after the judge, too.
    """
    task, root = settings.tasks[name], settings.path(Path()).resolve()
    file = target.resolve()
    there = None if task.calibration is None else settings.path(task.calibration).resolve()
    served = task.rule.kind == "calibrated" and (not after or task.after.kind == "calibrated")
    if served and there == file:
        yield "restart classify, judge and monitor: they read the file when they start"
        return
    short = file.relative_to(root) if file.is_relative_to(root) else file
    yield "to serve by it, write into your configuration, and restart classify, judge and monitor:"
    yield "  tasks:"
    yield f"    {name}:"
    yield "      rule: calibrated"
    if after:
        yield "      after: calibrated"
    yield f"      calibration: {short}"
