"""`streamer learn start`: new versions beside those that serve, as a trial."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from streamer.commands.learn.loop import Loop, log_hash, step
from streamer.errors import ConfigError
from streamer.learn.artifacts.manifest import digest_in
from streamer.learn.artifacts.repository import latest_version, load_versions
from streamer.records.learned import Entry, Serving, Shadowed, Trained
from streamer.records.log import BallotLog
from streamer.records.log_file import read_log
from streamer.terminal import tell, tell_json, watched

DEADLINE_S = 0.2
NONE = "0"
"""The newest version of a model that the repository has not."""


Train = Callable[[Sequence[str]], Mapping[str, str]]
"""Trains workers of these tasks; returns the new version by model. Raises `ConfigError`."""


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """Which tasks (all where there is none), the `share` of tickets that the new versions see,
    the `seed` of training and the folder of the `segments` that was trained with, for the record.
    """

    tasks: Sequence[str] = ()
    share: float = 0.1
    seed: int | None = None
    segments: Path | None = None


def run(loop: Loop, log: Path, train: Train, wanted: TrialOptions, as_json: bool = False) -> int:
    """Open a trial of each task of which a worker has a new version.

    What serves now is pinned first. Raises `ConfigError`, also where a trial is open already.
    """
    names = loop.tasks(wanted.tasks)
    for name in names:
        if loop.learned.trial(name) is not None:
            raise ConfigError(
                f"{name}: a trial is open: judge and promote it, or end it by `streamer learn"
                f" rollback --trial --task {name}`"
            )
    hashed, serving = log_hash(log), _serving(loop, log, names)
    versions = train(names)
    _refuse_nothing(names, versions, serving)
    tried = [name for name in names if versions.keys() & _models(loop, name)]
    entries = [_trial(loop, name, tried, serving, versions, hashed, wanted) for name in tried]
    loop.check()
    _load(loop, entries)
    loop.write()
    _tell(entries, as_json)
    return 0


def _refuse_nothing(
    names: Sequence[str], versions: Mapping[str, str], serving: Mapping[str, str]
) -> None:
    for model in versions:
        if model not in serving:
            raise ConfigError(
                f"{model} is no worker of {', '.join(names)}: use one of {', '.join(serving)}"
            )
    if not versions:
        raise ConfigError(f"no worker of {', '.join(names)} has a new version: nothing is tried")


def _serving(loop: Loop, log: Path, names: Sequence[str]) -> dict[str, str]:
    """The version of each model that serves: the pinned one, the last one in the log, or the
    newest that there is.
    """
    tasks = loop.settings.tasks
    workers = {worker.model: worker for name in names for worker in tasks[name].workers}
    met = _met_last(log)
    repository = loop.settings.path(loop.settings.triton.models)
    newest = {model: str(latest_version(repository, model)) for model in workers}
    return {
        model: worker.version or met.get(model) or newest[model]
        for model, worker in workers.items()
    }


def _met_last(log: Path) -> dict[str, str]:
    versions: dict[str, tuple[str, str]] = {}
    for record in watched(read_log(log), "records"):
        if isinstance(record, BallotLog):
            for vote in record.ballot.votes:
                if vote.version:
                    versions[vote.worker] = max(
                        versions.get(vote.worker, ("", "")), (record.at, vote.version)
                    )
    return {model: version for model, (_, version) in versions.items()}


def _models(loop: Loop, name: str) -> set[str]:
    return {worker.model for worker in loop.settings.tasks[name].workers}


def _trial(
    loop: Loop,
    name: str,
    tried: Sequence[str],
    serving: Mapping[str, str],
    versions: Mapping[str, str],
    log: str,
    wanted: TrialOptions,
) -> Entry:
    now, mine = loop.serves(name), _models(loop, name)
    new = {model: version for model, version in versions.items() if model in mine}
    pinned = {
        model: Serving(serving[model], _shadow(new.get(model), wanted.share))
        for model in serving
        if model in new or model in mine & _pinnable(loop, tried, serving)
    }
    return loop.add(
        name,
        "trial",
        replace(now, workers={**now.workers, **pinned}),
        models=_trained(loop, new),
        log=log,
        seed=wanted.seed,
        segments=None if wanted.segments is None else loop.named(wanted.segments),
    )


def _pinnable(loop: Loop, tried: Sequence[str], serving: Mapping[str, str]) -> set[str]:
    """Models that are pinned with those on trial: a restart of Triton would let the newest of
    theirs vote, untried. One that also votes for a task without a trial can't be.
    """
    pinned = {model for model, version in serving.items() if version != NONE}
    rest = [_models(loop, name) for name in loop.settings.tasks if name not in tried]
    return pinned.difference(*rest)


def _shadow(version: str | None, share: float) -> Shadowed | None:
    return None if version is None else Shadowed(version, share, DEADLINE_S)


def _trained(loop: Loop, tried: Mapping[str, str]) -> dict[str, Trained]:
    repository = loop.settings.path(loop.settings.triton.models)
    return {
        model: Trained(version, digest_in(repository / model / version))
        for model, version in tried.items()
    }


def _load(loop: Loop, entries: Sequence[Entry]) -> None:
    """Triton shall load what is pinned and what is on trial: of models whose repository is
    elsewhere, whoever keeps that sees to it.
    """
    repository = loop.settings.path(loop.settings.triton.models)
    for entry in entries:
        for model, serving in entry.serves.workers.items():
            if serving.shadow is not None:
                load_versions(repository, model, {serving.version, serving.shadow.version})
            elif latest_version(repository, model) > int(serving.version):
                load_versions(repository, model, {serving.version})


def _tell(entries: Sequence[Entry], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            tell_json(step(entry))
            continue
        for model in entry.models:
            serving = entry.serves.workers[model]
            assert serving.shadow is not None
            tell(
                f"{entry.task}: {model} version {serving.shadow.version} is on trial beside version"
                f" {serving.version}, for {serving.shadow.share:.0%} of the tickets"
            )
    if not as_json:
        tell("stop classify, restart Triton, so that it loads both, start classify; let them run")
        tell("then: streamer log export log.parquet, and streamer learn judge log.parquet")
