"""Makes a worker of a language model behind an endpoint: a version that Triton serves."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from streamer.backends.remote import ASKS, CA, Remote
from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.errors import ConfigError, in_words
from streamer.judging.endpoint.endpoint_judge import EndpointJudge
from streamer.judging.surroundings import Surroundings
from streamer.learn.artifacts.repository import drafted, load_versions, write_model
from streamer.terminal import tell, tell_json
from streamer.words import no_such_task

KIND = "llm"

_TASK = "{task}"
PATIENCE_S = 30.0
# By the calls that are open at once they make as many requests as an endpoint is asked at once.
_MOST_ROWS = 8
# What is said of the judge's endpoint, by what was typed here.
_TYPED = {
    "judge.endpoint.url": "--url",
    "judge.endpoint.model": "--served",
    "judge.endpoint.key": "--key-from",
    "judge.endpoint.ca_file": "--ca-file",
    "correct judge.endpoint": "correct --url",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteWorker:
    """A Triton `model` for a `task`, and the endpoint that it asks.

    `key_from` is the variable that holds the key, here and where Triton runs. Without `prompts`,
    the judge's folder.
    """

    model: str
    task: str
    url: str
    served: str | None = None
    key_from: str | None = None
    ca_file: Path | None = None
    prompts: Path | None = None
    codes: Literal["letters", "names"] | None = None


def run(settings: Settings, wanted: RemoteWorker, as_json: bool) -> int:
    """Ask the endpoint what it can, and write the version that says so; return 0.

    Raises `ConfigError` where it can't be asked, gives no probabilities, or is in the way of a
    model that was made otherwise.
    """
    if wanted.task not in settings.tasks:
        raise ConfigError(no_such_task(wanted.task, settings.tasks))
    task = settings.tasks[wanted.task]
    repository = settings.path(settings.triton.models)
    folder = repository / wanted.model
    _check_free(folder)
    _check_unmade(task, wanted.model)
    prompts = wanted.prompts or settings.path(settings.judge.prompts)
    with drafted(folder) as draft:
        _copy(prompts / f"{wanted.task}.yaml", draft)
        if wanted.ca_file is not None:
            _copy(wanted.ca_file, draft / CA)
        remote = _answered(_remote(settings, wanted), draft, prompts)
        (draft / ASKS).write_text(remote.model_dump_json(indent=1) + "\n", encoding="utf-8")
        _adopt(draft, folder / str(remote.number))
    labels = task.label_set.labels
    write_model(repository, wanted.model, KIND, labels, version=None, max_batch_size=_MOST_ROWS)
    load_versions(repository, wanted.model, set(_loaded(settings, wanted.model, remote)))
    _show(folder, task, remote, as_json)
    return 0


def _check_free(folder: Path) -> None:
    strange = [path.name for path in folder.glob("[!.]*")] if folder.exists() else []
    config = folder / "config.pbtxt"
    if strange and not (config.is_file() and f'backend: "{KIND}"' in config.read_text("utf-8")):
        raise ConfigError(
            f"{folder} holds {min(strange)}, a model of another kind: name another model"
        )


def _check_unmade(task: Task, model: str) -> None:
    for worker in task.workers:
        if worker.model == model and worker.kind is not None:
            raise ConfigError(
                f"worker {model} is of kind {worker.kind}, which `streamer train` makes: take its "
                "kind out, or name another model"
            )


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copy(source, target)
    except OSError as error:
        # A classifier needs no prompt, and who needs one says so.
        if target.name == CA or not isinstance(error, FileNotFoundError):
            raise ConfigError(f"{source}: {in_words(error)}; correct the path") from None


def _remote(settings: Settings, wanted: RemoteWorker) -> Remote:
    try:
        return Remote(
            task=wanted.task,
            labels=settings.tasks[wanted.task].labels,
            url=wanted.url.replace(_TASK, wanted.task),
            model=wanted.served and wanted.served.replace(_TASK, wanted.task),
            key_from=wanted.key_from,
            codes=wanted.codes,
            max_ticket_tokens=settings.judge.max_ticket_tokens,
            min_coverage=settings.judge.min_coverage,
            # Of two that are late the second says that the endpoint is out, and in time.
            timeout=settings.triton.deadline / 2,
        )
    except ValidationError:
        raise ConfigError(
            f"--url: {wanted.url!r} is no http or https address without a name or key in it"
        ) from None


def _answered(remote: Remote, draft: Path, prompts: Path) -> Remote:
    """With the identity of what answers."""
    try:
        identity = asyncio.run(_identity(remote, draft))
    except ConfigError as error:
        text = str(error).replace(str(draft), str(prompts))
        for key, option in _TYPED.items():
            text = text.replace(key, option)
        raise ConfigError(text) from None
    return remote.model_copy(update={"identity": identity})


async def _identity(remote: Remote, draft: Path) -> str:
    key = None if remote.key_from is None else os.environ.get(remote.key_from)
    if remote.key_from is not None and not key:
        raise ConfigError(f"--key-from: set {remote.key_from} to the endpoint's key")
    address = remote.address(draft, key)
    judge = await EndpointJudge.met(address, remote.wanted(draft), Surroundings(), PATIENCE_S)
    try:
        if not judge.knows[remote.task]:
            raise ConfigError(
                f"{address.host} names a label and nothing more, and a worker's vote needs "
                "probabilities: take an endpoint that tells the likeliest tokens"
            )
        await judge.start()
        return remote.identity_of(address, judge)
    finally:
        await judge.stop()


def _adopt(draft: Path, version: Path) -> None:
    """The same model asked in the same way keeps its version, whatever else is new of it."""
    if not version.exists():
        draft.rename(version)
        return
    for gone in {file.name for file in version.iterdir()} - {file.name for file in draft.iterdir()}:
        (version / gone).unlink()
    for file in draft.iterdir():
        os.replace(file, version / file.name)


def _loaded(settings: Settings, model: str, remote: Remote) -> Iterator[str]:
    """The new version, and those that the configuration names."""
    yield str(remote.number)
    folder = settings.path(settings.triton.models) / model
    workers = [worker for task in settings.tasks.values() for worker in task.workers]
    for worker in workers:
        on_trial = [] if worker.shadow is None else [worker.shadow.version]
        named = [*on_trial, *([] if worker.version is None else [worker.version])]
        if worker.model == model:
            yield from (version for version in named if (folder / version).is_dir())


def _show(folder: Path, task: Task, remote: Remote, as_json: bool) -> None:
    if as_json:
        tell_json(
            {"model": folder.name, "version": str(remote.number), "identity": remote.identity}
        )
        return
    tell(f"wrote {folder}: version {remote.number} is {remote.identity}")
    if folder.name not in [worker.model for worker in task.workers]:
        tell(f"let it vote: add {{model: {folder.name}}} to tasks.{remote.task}.workers")
    if remote.key_from is not None:
        tell(f"Triton needs the variable {remote.key_from} too")
