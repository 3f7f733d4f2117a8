"""`streamer learn start`: new versions beside those that serve, as a trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from streamer.commands.learn.loop import Loop, log_hash, step
from streamer.errors import ConfigError
from streamer.learn.manifest import digest_in
from streamer.learn.repository import latest_version, load_versions
from streamer.records.learned import Entry, Serving, Shadowed, Trained
from streamer.records.log import BallotLog
from streamer.records.log_file import read_log
from streamer.terminal import tell, tell_json, watched

DEADLINE_S = 0.2


class Train(Protocol):
    """Trains workers of these tasks; returns the new version by model."""

    def __call__(self, tasks: Sequence[str]) -> Mapping[str, str]:
        """Raises `ConfigError`."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tasks (all where there is none), the `share` of tickets that the new versions see,
    the `seed` of training and the folder of the `segments`, for the record.
    """

    tasks: Sequence[str] = ()
    share: float = 0.1
    seed: int | None = None
    segments: Path | None = None


def run(loop: Loop, log: Path, train: Train, wanted: Wanted, as_json: bool = False) -> int:
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
    made = [
        _trial(loop, name, serving, versions, hashed, wanted)
        for name in names
        if versions.keys() & {worker.model for worker in loop.settings.tasks[name].workers}
    ]
    if not made:
        raise ConfigError(
            f"no worker of {', '.join(names)} has a new version: there is nothing to try"
        )
    loop.check()
    _load(loop, made)
    loop.write()
    _tell(made, as_json)
    return 0


def _serving(loop: Loop, log: Path, names: Sequence[str]) -> dict[str, str]:
    """The version of each model that serves: the pinned one, the last one in the log, or the
    newest that there is.
    """
    tasks = loop.settings.tasks
    workers = {one.model: one for name in names for one in tasks[name].workers}
    met = _met_last(log)
    repository = loop.settings.path(loop.settings.triton.models)
    newest = {model: str(latest_version(repository, model)) for model in workers}
    return {model: one.version or met.get(model) or newest[model] for model, one in workers.items()}


def _met_last(log: Path) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for one in watched(read_log(log), "records"):
        if isinstance(one, BallotLog):
            for vote in one.ballot.votes:
                if vote.version:
                    found[vote.worker] = max(
                        found.get(vote.worker, ("", "")), (one.at, vote.version)
                    )
    return {model: version for model, (_, version) in found.items()}


def _trial(
    loop: Loop,
    name: str,
    serving: Mapping[str, str],
    versions: Mapping[str, str],
    log: str,
    wanted: Wanted,
) -> Entry:
    task, now = loop.settings.tasks[name], loop.serves(name)
    tried = {one.model: versions[one.model] for one in task.workers if one.model in versions}
    workers = {
        model: Serving(serving[model], Shadowed(version, wanted.share, DEADLINE_S))
        for model, version in tried.items()
    }
    return loop.add(
        name,
        "trial",
        replace(now, workers={**now.workers, **workers}),
        models=_trained(loop, tried),
        log=log,
        seed=wanted.seed,
        segments=None if wanted.segments is None else loop.named(wanted.segments),
    )


def _trained(loop: Loop, tried: Mapping[str, str]) -> dict[str, Trained]:
    repository = loop.settings.path(loop.settings.triton.models)
    return {
        model: Trained(version, digest_in(repository / model / version))
        for model, version in tried.items()
    }


def _load(loop: Loop, made: Sequence[Entry]) -> None:
    """The versions before a rollback lie further apart than the newest two."""
    repository = loop.settings.path(loop.settings.triton.models)
    for entry in made:
        for model in entry.models:
            served = entry.serves.workers[model]
            assert served.shadow is not None  # these are the models on trial
            load_versions(repository, model, {served.version, served.shadow.version})


def _tell(made: Sequence[Entry], as_json: bool) -> None:
    for entry in made:
        if as_json:
            tell_json(step(entry))
            continue
        for model in entry.models:
            served = entry.serves.workers[model]
            assert served.shadow is not None
            tell(
                f"{entry.task}: {model} version {served.shadow.version} is on trial beside version"
                f" {served.version}, for {served.shadow.share:.0%} of the tickets"
            )
    if not as_json:
        tell("restart Triton, so that it loads both, and then classify; let them run")
        tell("then: streamer log export log.parquet, and streamer learn judge log.parquet")
