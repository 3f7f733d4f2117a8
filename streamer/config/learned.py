"""Lays what `streamer learn` wrote over the configuration that people write."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from streamer.errors import ConfigError
from streamer.records.learned import Learned, Serves, Serving


def laid_over(raw: Mapping[str, Any], learned: Learned, where: str) -> dict[str, Any]:
    """The mapping of streamer.yaml with the versions, shadows and files that were learned.

    What is no block stays, for whoever validates it. Raises `ConfigError` for a task or a worker
    that the configuration has not.
    """
    tasks = raw.get("tasks")
    if not learned.entries or not isinstance(tasks, Mapping):
        return dict(raw)
    over = dict(tasks)
    for name, serves in learned.serves.items():
        if name not in tasks:
            raise _unknown(where, f"task {name!r}")
        if isinstance(tasks[name], Mapping):
            over[name] = _task(tasks[name], serves, f"{where}: tasks.{name}")
    return {**raw, "tasks": over}


def _task(task: Mapping[str, Any], serves: Serves, where: str) -> dict[str, Any]:
    files = {"calibration": serves.calibration, "segments": serves.segments}
    laid = {**task, **{name: file for name, file in files.items() if file is not None}}
    workers = task.get("workers")
    if isinstance(workers, list):
        blocks = [{"model": worker} if isinstance(worker, str) else worker for worker in workers]
        names = [block.get("model") for block in blocks if isinstance(block, Mapping)]
        for name in serves.workers:
            if name not in names:
                raise _unknown(where, f"worker {name!r}")
        laid["workers"] = [_worker(block, serves.workers) for block in blocks]
    return laid


def _worker(block: Any, learned: Mapping[str, Serving]) -> Any:
    if not isinstance(block, Mapping) or block.get("model") not in learned:
        return block
    # A configured shadow gives way, too: it may be the very version that was promoted.
    return {**block, **asdict(learned[block["model"]])}


def _unknown(where: str, what: str) -> ConfigError:
    return ConfigError(
        f"{where}: {what} is not in the configuration: put it back, or name another file under"
        " `learned`, in which nothing was learned yet"
    )
