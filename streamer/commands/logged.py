"""The tickets of a log, task by task, as the settings see them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import ABSTAINED
from streamer.decide.temperature import tempered
from streamer.errors import ConfigError
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.data.gold import read_gold
from streamer.learn.data.log_table import JUDGE, LogTable
from streamer.learn.measures.versions import VersionTrial, trials
from streamer.learn.rollout.promoted import PairedDecisions
from streamer.records.calibration import Calibration
from streamer.records.log_file import read_log
from streamer.services.learned.rules import load_calibration, rule_before
from streamer.terminal import note, watched
from streamer.words import no_such_task


@dataclass(frozen=True, slots=True)
class Logged:
    """One task with its tickets of the uniform stratum, raw; `file` is that of its calibration.

    `trials` are of all its tickets that were shown to a version on trial.
    """

    name: str
    task: Task
    table: LogTable
    file: Path | None
    trials: Sequence[VersionTrial] = ()

    def calibration(self) -> Calibration | None:
        """The calibration that is served; None where there is none, or none yet.

        Raises `ConfigError` where it is of another judge than the log's, as the judge service does.
        """
        if self.file is None or not self.file.exists():
            return None
        calibration = load_calibration(self.name, self.task, self.file)
        met, calibrated_for = self.table.dataset.versions.get(JUDGE), calibration.judge.version
        if None not in (met, calibrated_for) and met != calibrated_for:
            raise ConfigError(
                f"tasks.{self.name}.calibration: {self.file} is of judge {calibrated_for}, the"
                f" log of judge {met}: run `streamer calibrate` again"
            )
        return calibration

    def rule(self, calibration: Calibration | None) -> DeferralRule | None:
        """The configured rule; None where it waits for a calibration that is not there yet."""
        if self.task.rule.kind == "calibrated" and calibration is None:
            return None
        return rule_before(self.task, calibration)

    def judged(self, calibration: Calibration | None) -> Dataset:
        """The tickets that have a verdict, tempered as the services do it."""
        dataset, temperature_of = self.table.dataset, temperatures(calibration)
        judged = dataset[np.flatnonzero(dataset.judge.label_ids != ABSTAINED)]
        if not temperature_of:
            return judged
        pairs = zip(judged.workers, judged.worker_predictions, strict=True)
        warm = tuple(tempered(predictions, temperature_of[name]) for name, predictions in pairs)
        return replace(
            judged, worker_predictions=warm, judge=tempered(judged.judge, temperature_of[JUDGE])
        )


def temperatures(calibration: Calibration | None) -> dict[str, float]:
    """By model, the judge's under `judge`; empty without a calibration."""
    if calibration is None:
        return {}
    models = {**calibration.models, JUDGE: calibration.judge}
    return {name: model.temperature for name, model in models.items()}


def logged(
    settings: Settings,
    file: Path,
    tasks: Sequence[str],
    gold: Path | None,
    trial: bool = False,
) -> Iterator[Logged]:
    """The named tasks, or all of which the log has tickets; says on stderr what was left out.

    `gold` has true labels of the single task. With `trial` the versions on trial have voted.
    Raises `ConfigError`.
    """
    chosen = chosen_tasks(settings, tasks)
    if gold is not None and len(chosen) > 1:
        raise ConfigError("--gold has the labels of one task: name it with --task")
    decisions = logged_decisions(watched(read_log(file), "records"))
    empty = True
    for name in chosen:
        mine = _promoted(settings, name, decisions) if trial else decisions
        task_log = logged_of(settings, name, mine, gold)
        if len(task_log.table.dataset):
            empty = False
            _say(name, _other_than_served(task_log.task))
            yield task_log
    if empty:
        raise ConfigError(
            f"{file}: no ticket of the uniform stratum for {', '.join(chosen)}: raise audit.share,"
            " wait, and export the log again"
        )


def _other_than_served(task: Task) -> Iterator[str]:
    """Where all figures of one rule before the judge are not of what is published."""
    if task.segments is not None:
        yield "routed by segments: what is said here is of one way for all tickets"
    if task.publishes_first:
        yield (
            f"served in mode {task.mode}: what is said here of a rule is as in mode sequential;"
            f" `streamer replay --mode {task.mode}` says what becomes of first labels"
        )


def chosen_tasks(settings: Settings, tasks: Sequence[str]) -> Sequence[str]:
    """The named ones, or all. Raises `ConfigError` for one that there is not."""
    for name in tasks:
        if name not in settings.tasks:
            raise ConfigError(no_such_task(name, settings.tasks))
    return tasks or list(settings.tasks)


def logged_of(
    settings: Settings, name: str, decisions: Sequence[LoggedDecision], gold: Path | None = None
) -> Logged:
    """One task of decisions of any; says on stderr what was left out. Raises `ConfigError`."""
    task = settings.tasks[name]
    workers = [worker.model for worker in task.workers]
    table = LogTable.of(decisions, name, task.label_set, workers)
    if gold is not None:
        truth = read_gold(gold, task.label_set)
        told = [
            truth.get(i, old) for i, old in zip(table.dataset.ids, table.dataset.gold, strict=True)
        ]
        table = replace(table, dataset=replace(table.dataset, gold=np.array(told, np.int64)))
        if absent := len(truth.keys() - set(table.dataset.ids)):
            _say(name, [f"{absent} true labels are of tickets that are not in the log's stratum"])
    _say(name, table.notes)
    path, tried = task.calibration, trials(decisions, name, task.label_set)
    return Logged(name, task, table, None if path is None else settings.path(path), tried)


def _promoted(
    settings: Settings, name: str, decisions: Sequence[LoggedDecision]
) -> Sequence[LoggedDecision]:
    versions = {
        worker.model: (worker.version or "", worker.shadow.version)
        for worker in settings.tasks[name].workers
        if worker.shadow is not None
    }
    if not versions:
        raise ConfigError(f"{name}: nothing is on trial: begin by `streamer learn start`")
    return PairedDecisions.of(decisions, name, versions).promoted


def _say(task: str, notes: Iterable[str]) -> None:
    for line in notes:
        note(f"{task}: {line}")
