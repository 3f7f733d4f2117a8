"""`streamer learn promote`: what is on trial serves from the next start on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.commands.learn.judge import Offered, document, how_to_calibrate, judged, offered
from streamer.commands.learn.loop import Loop, log_hash, on_trial, step
from streamer.errors import ConfigError
from streamer.learn.artifacts.manifest import digest_in
from streamer.learn.rollout.judgement import Judgement
from streamer.learn.rollout.vote import TOLERANCE
from streamer.records.learned import Entry, Serves, Serving
from streamer.services.learned.routing_file import RoutingFile
from streamer.terminal import tell, tell_json


@dataclass(frozen=True, slots=True)
class PromoteOptions:
    """Which tasks (all with an open trial where there is none), the `calibration` that was made for
    what is on trial, the folder of the `segments` to serve by from then on, and why it is promoted
    `anyway`, where the test does not say better. `tolerance` is as in `judge`.
    """

    tasks: Sequence[str] = ()
    calibration: Path | None = None
    segments: Path | None = None
    anyway: str | None = None
    tolerance: float = TOLERANCE


def run(loop: Loop, log: Path | None, wanted: PromoteOptions, as_json: bool = False) -> int:
    """Promote the open trials that the log shows to be better.

    Raises `ConfigError` where it does not, unless that is wanted `anyway`.
    """
    trials = loop.trials(wanted.tasks)
    calibration = offered(loop, trials, wanted.calibration)
    for trial in trials:
        _check(loop, trial, calibration)
        if wanted.segments is not None:
            RoutingFile.of(trial.task, loop.settings.tasks[trial.task], wanted.segments)
    judgements = _judged(loop, log, trials, calibration, wanted)
    hashed = None if log is None else log_hash(log)
    entries = [
        _promoted(loop, trial, judgements.get(trial.task), hashed, calibration, wanted)
        for trial in trials
    ]
    loop.write()
    for entry in entries:
        if as_json:
            tell_json(step(entry))
        else:
            _tell(entry, calibration is not None)
    return 0


def _check(loop: Loop, trial: Entry, calibration: Offered | None) -> None:
    """Services refuse a calibration of other versions, so it is replaced with them."""
    configured = loop.settings.tasks[trial.task].calibration
    if configured is not None and calibration is None:
        raise ConfigError(
            f"{trial.task} has a calibration of the versions that serve now, and classify would"
            f" refuse to start with it: {how_to_calibrate(trial.task)}"
        )
    if configured is not None and calibration is not None:
        _keep(loop.settings.path(configured), calibration.file)
    repository = loop.settings.path(loop.settings.triton.models)
    for model, trained in trial.models.items():
        if digest_in(repository / model / trained.version) != trained.digest:
            raise ConfigError(
                f"version {trained.version} of {model} in {repository} is not the one of the trial:"
                " restore it, or end the trial by `streamer learn rollback --trial`"
            )


def _keep(serving: Path, new: Path) -> None:
    if new.resolve() == serving.resolve():
        raise ConfigError(
            f"{new} is the file that serves now, and a rollback needs its content of before:"
            " restore that, and give the new calibration a file of its own"
        )


def _judged(
    loop: Loop,
    log: Path | None,
    trials: Sequence[Entry],
    calibration: Offered | None,
    wanted: PromoteOptions,
) -> dict[str, Judgement]:
    if log is None and wanted.anyway is None:
        raise ConfigError("name the log that shows it: `streamer learn promote log.parquet`")
    judgements = [] if log is None else judged(loop, log, trials, calibration, wanted.tolerance)
    for judgement in judgements:
        if judgement.verdict != "better" and wanted.anyway is None:
            raise ConfigError(
                f"{judgement.task}: {judgement.verdict}, so nothing is promoted:"
                f" {'; '.join(judgement.reasons)}. To"
                " promote it all the same, say why: --anyway REASON"
            )
    return {judgement.task: judgement for judgement in judgements}


def _promoted(
    loop: Loop,
    trial: Entry,
    judgement: Judgement | None,
    log: str | None,
    calibration: Offered | None,
    wanted: PromoteOptions,
) -> Entry:
    now = loop.serves(trial.task)
    workers = {model: Serving(version) for model, (_, version) in on_trial(trial).items()}
    files = Serves(
        calibration=now.calibration if calibration is None else loop.named(calibration.file),
        segments=now.segments if wanted.segments is None else loop.named(wanted.segments),
    )
    return loop.add(
        trial.task,
        "promoted",
        replace(files, workers={**now.workers, **workers}),
        models=trial.models,
        log=log,
        segments=trial.segments,
        calibration=None if calibration is None else calibration.calibration.version,
        figures={} if judgement is None else document(judgement),
        why=wanted.anyway,
    )


def _tell(entry: Entry, calibrated: bool) -> None:
    for model, trained in entry.models.items():
        tell(f"{entry.task}: {model} version {trained.version} serves from the next start on")
    services = "classify, judge and monitor" if calibrated else "classify"
    tell(f"restart {services}; back by `streamer learn rollback --task {entry.task}`")
