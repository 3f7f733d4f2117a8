"""`streamer align`: new versions of workers that learnt from the judge, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from streamer.backends.gate import Gate
from streamer.commands.align_summary import tell_reports
from streamer.commands.logged import chosen_tasks, logged_of
from streamer.commands.ticket_texts import ticket_texts
from streamer.config.settings import Settings
from streamer.config.tasks import Task, Worker
from streamer.decide.deferral_rule import DeferralRule
from streamer.decide.predictions import Predictions
from streamer.decide.sampling import drawn
from streamer.decide.temperature import tempered
from streamer.errors import ConfigError
from streamer.learn.align import version
from streamer.learn.align.chances import Chances
from streamer.learn.align.choosing import Choice
from streamer.learn.align.judged_log import JudgedLog, Parts, verdict_of
from streamer.learn.align.page import write
from streamer.learn.align.report import (
    TaskReport,
    Weighting,
    pair_changes,
    trials,
    vote_change,
    worker_changes,
)
from streamer.learn.align.sample import Mask
from streamer.learn.align.training import Aligned
from streamer.learn.align.training_set import TrainingSet
from streamer.learn.artifacts.repository import check_ours
from streamer.learn.calibrate.temperature import fit_temperature
from streamer.learn.data.dataset import Dataset
from streamer.learn.data.decisions import LoggedDecision, logged_decisions
from streamer.learn.data.examples import Examples
from streamer.learn.kinds import KINDS, kind_of
from streamer.learn.kinds.kind import Kind
from streamer.learn.train.train import examples_of
from streamer.records.log_file import read_log
from streamer.records.segments import Segmentation
from streamer.records.segments_folder import read_segments
from streamer.services.learned.routing_file import read_gate
from streamer.terminal import note, tell_json, watched

NOBODY = "none"


@dataclass(frozen=True, slots=True)
class AlignOptions:
    """Which tasks (all, where none is named), the folder of a version of the segments, the worker
    that stays as it is (`NOBODY` for none), whether labelled examples are learnt from as well, and
    whether nothing is to be written.
    """

    tasks: Sequence[str] = ()
    segments: Path | None = None
    keep: str | None = None
    examples: bool = True
    dry_run: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    """The number of every version that was written, by its model's name, and a report per task."""

    versions: Mapping[str, int]
    reports: tuple[TaskReport, ...]


@dataclass(frozen=True, slots=True)
class _Given:
    """What is the same for all tasks."""

    settings: Settings
    decisions: Sequence[LoggedDecision]
    texts: Mapping[str, str]
    gate: Gate | None
    segmentation: Segmentation | None
    wanted: AlignOptions


@dataclass(frozen=True, slots=True)
class _Tested:
    """The test tickets with what the workers said before, and how their vote is counted."""

    dataset: Dataset
    texts: tuple[str, ...]
    rule: DeferralRule | None
    calibrated: bool

    @classmethod
    def of(cls, given: _Given, name: str, parts: Parts) -> "_Tested":
        """Raises `ConfigError` where a ticket has not the answers of all workers."""
        logged = logged_of(given.settings, name, parts.test)
        calibration = logged.calibration()
        dataset = logged.judged(calibration)
        if not len(dataset):
            raise ConfigError(
                f"no test ticket of {name} has the answers of all its workers in their newest"
                " versions: export a log of the workers that are configured now"
            )
        texts = tuple(given.texts[each] for each in dataset.ids)
        return cls(dataset, texts, logged.rule(calibration), calibration is not None)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """One worker's choice and what was made of it."""

    worker: Worker
    kind: Kind
    choice: Choice
    aligned: Aligned


def run(
    settings: Settings, log: Path, file: Path, wanted: AlignOptions, out: Path | None, as_json: bool
) -> int:
    """Align, and say what came of it; with `out` on a page as well. Raises `ConfigError`."""
    result = align(settings, log, file, wanted)
    _note_unpinned(settings, result)
    if out is not None:
        write(result.reports, out)
    if as_json:
        tell_json(result)
    else:
        tell_reports(result.reports)
    return 0


def align(settings: Settings, log: Path, file: Path, wanted: AlignOptions) -> Result:
    """Align the workers of the wanted tasks with the judge, and say on stderr what was left out.

    `file` has the tickets' texts, as `streamer send` reads them. A task with too little to learn
    from is refused where it was named, and left out where all were meant. Raises `ConfigError`, and
    `ModelError` for damaged segments.
    """
    names = chosen_tasks(settings, wanted.tasks)
    _check_keep(settings, names, wanted.keep)
    where = wanted.segments
    given = _Given(
        settings,
        _drawn_by_shares(settings, logged_decisions(watched(read_log(log), "records"))),
        ticket_texts(settings, file),
        None if where is None else read_gate("--segments", where),
        None if where is None else read_segments(where),
        wanted,
    )
    reports = tuple(_reports(given, names))
    versions = {model: number for report in reports for model, number in report.versions.items()}
    return Result(versions, reports)


def _drawn_by_shares(
    settings: Settings, decisions: Sequence[LoggedDecision]
) -> list[LoggedDecision]:
    """Without what a trial alone had logged: the weights know of the configured shares only."""
    ids = [decision.ballot.ticket_id if decision.ballot else "" for decision in decisions]
    logged = drawn(ids, settings.audit.salt, "log", settings.log.share).tolist()
    return [
        decision
        for decision, is_drawn in zip(decisions, logged, strict=True)
        if decision.ballot is not None and (decision.ballot.uniform or is_drawn)
    ]


def _reports(given: _Given, names: Sequence[str]) -> Iterator[TaskReport]:
    refused: list[ConfigError] = []
    for name in names:
        try:
            yield _aligned(given, name)
        except ConfigError as error:
            if given.wanted.tasks:
                raise
            note(f"{name}: left out: {error}")
            refused.append(error)
    if len(refused) == len(names):
        raise refused[0]


def _aligned(given: _Given, name: str) -> TaskReport:
    task = given.settings.tasks[name]
    workers, kept = _split(name, task, given.wanted.keep)
    if not given.wanted.dry_run:
        _check_folders(given.settings, workers)
    log = JudgedLog.of(given.decisions, name, task.label_set, given.texts)
    for line in log.notes:
        note(f"{name}: {line}")
    parts = Parts.of(log)
    # Before anything is trained: this refuses what could not be reported.
    tested = _Tested.of(given, name, parts)
    training_set = _training_set(given, task, parts)
    fitted = [_fit(given, training_set, worker) for worker in watched(workers, name)]
    versions: Mapping[str, int] = {}
    if not given.wanted.dry_run:
        versions = _written(given, name, parts, training_set, fitted)
    after = _after(tested, training_set, fitted)
    if task.segments is not None:
        note(f"{name} is routed by segments: the vote is shown as without them")
    return TaskReport(
        name,
        len(tested.dataset),
        parts.since,
        kept,
        versions,
        _weighting(training_set),
        tuple(trials(fit.worker.model, fit.choice) for fit in fitted),
        worker_changes(tested.dataset, after, _segments(given, tested.texts)),
        pair_changes(tested.dataset, after),
        None if tested.rule is None else vote_change(tested.dataset, after, tested.rule),
    )


def _note_unpinned(settings: Settings, result: Result) -> None:
    for name, task in settings.tasks.items():
        for worker in task.workers:
            if worker.model in result.versions and worker.version is None:
                note(
                    f"{name}: {worker.model} has no `version` in streamer.yaml, so the new one"
                    " votes as soon as Triton loads it: pin the one that serves first"
                )


def _check_keep(settings: Settings, names: Sequence[str], keep: str | None) -> None:
    workers = [worker.model for name in names for worker in settings.tasks[name].workers]
    if keep not in (None, NOBODY, *workers):
        raise ConfigError(
            f"--keep {keep}: no such worker; use one of {', '.join(workers)}, or none"
        )


def _split(name: str, task: Task, keep: str | None) -> tuple[list[Worker], tuple[str, ...]]:
    """The workers to align, and the names of those that stay as they are.

    One that is not trained here stays in any case; else the last of several, so that not all learn
    the judge's errors.
    """
    able = [worker for worker in task.workers if worker.kind in KINDS]
    stay = keep if keep in [worker.model for worker in task.workers] else None
    if stay is None and keep != NOBODY and 1 < len(able) == len(task.workers):
        stay = able[-1].model
    aligned = [worker for worker in able if worker.model != stay]
    if not aligned:
        raise ConfigError(
            f"task {name} has no worker to align: give one a kind that is trained here"
            f" ({', '.join(sorted(KINDS))}), or keep another"
        )
    return aligned, tuple(worker.model for worker in task.workers if worker not in aligned)


def _check_folders(settings: Settings, workers: Sequence[Worker]) -> None:
    for worker in workers:
        check_ours(settings.path(settings.triton.models) / worker.model)


def _training_set(given: _Given, task: Task, parts: Parts) -> TrainingSet:
    examples: Examples | None = None
    if given.wanted.examples and task.data is not None:
        examples = examples_of(given.settings, task)
        examples.check_labels(task.labels, str(task.data.train))
    chances = _chances(given.settings, task)
    return TrainingSet.of(parts, task.label_set, given.texts, chances, given.gate, examples)


def _chances(settings: Settings, task: Task) -> Chances:
    return Chances(settings.audit.share, settings.review.gold, settings.log.share, task.verify)


def _fit(given: _Given, training_set: TrainingSet, worker: Worker) -> _Fitted:
    assert worker.kind is not None  # others are not among those to align
    kind, seed = kind_of(worker.kind, given.settings.encoder(worker)), given.wanted.seed
    choice = training_set.choice(kind, seed)
    return _Fitted(worker, kind, choice, training_set.learnt(kind, choice, seed))


def _weighting(training_set: TrainingSet) -> Weighting:
    return Weighting(
        len(training_set.train),
        training_set.uniform,
        training_set.train.effective,
        0 if training_set.beside_train is None else len(training_set.beside_train),
        training_set.copies,
    )


def _after(
    tested: _Tested, training_set: TrainingSet, fitted: Sequence[_Fitted]
) -> list[Predictions]:
    """What the workers would have said. Where temperatures are served, each new version is given
    one of its own, fitted to the held-out tickets as `streamer calibrate` would.
    """
    by_model = {fit.worker.model: fit for fit in fitted}
    after = []
    for name, predictions in zip(
        tested.dataset.workers, tested.dataset.worker_predictions, strict=True
    ):
        if name in by_model:
            raw = Predictions.of(by_model[name].aligned.model.probabilities(tested.texts))
            held_out = Predictions.of(by_model[name].choice.answers)
            warmth = fit_temperature(held_out, training_set.held_out.label_ids).temperature
            after.append(tempered(raw, warmth if tested.calibrated else 1.0))
        else:
            after.append(predictions)
    return after


def _segments(given: _Given, texts: Sequence[str]) -> dict[str, Mask]:
    if given.gate is None or given.segmentation is None:
        return {}
    segment_ids = given.gate.names(texts).segment_ids
    # Two segments may be called alike; no two have a number in common.
    names = [f"{segment.number}: {segment.name}" for segment in given.segmentation.segments]
    masks = {name: np.asarray(segment_ids == index) for index, name in enumerate(names)}
    return {**masks, "all others": np.asarray(segment_ids < 0)}


def _written(
    given: _Given, name: str, parts: Parts, training_set: TrainingSet, fitted: Sequence[_Fitted]
) -> dict[str, int]:
    settings, task = given.settings, given.settings.tasks[name]
    origin = version.Origin(
        name,
        verdict_of(parts.test[-1]).judge,
        parts.since,
        asdict(_chances(settings, task)),
        None if given.segmentation is None else given.segmentation.version,
        given.wanted.seed,
    )
    repository = settings.path(settings.triton.models)
    return {
        fit.worker.model: version.write(
            repository, fit.worker.model, fit.kind, origin, training_set, fit.choice, fit.aligned
        )
        for fit in fitted
    }
