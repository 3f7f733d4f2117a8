"""`streamer learn status`: what serves, what is on trial, and how it came to it."""

from collections.abc import Iterator, Sequence

from streamer.commands.learn.loop import Loop
from streamer.config.tasks import Task
from streamer.records.learned import Entry
from streamer.terminal import clean, console, table, tell_json


def run(loop: Loop, tasks: Sequence[str], as_json: bool = False) -> int:
    """Say it of the named tasks, or of all. Raises `ConfigError`."""
    names = loop.tasks(tasks)
    history = [entry for entry in loop.learned.entries if entry.task in names]
    if as_json:
        by_task = {name: _document(loop.settings.tasks[name]) for name in names}
        tell_json({"file": str(loop.path), "tasks": by_task, "history": history})
        return 0
    out = console()
    shown = table("task", "worker", "serves", "on trial", "of the tickets")
    for name in names:
        for row in _rows(name, loop.settings.tasks[name]):
            shown.add_row(*row)
    out.print(shown)
    if not history:
        out.print(f"nothing was learned yet: {loop.path} is written by `streamer learn start`")
        return 0
    steps = table("step", "at", "task", "what", "versions", "why", title="history")
    for entry in history:
        versions = ", ".join(
            f"{model} {trained.version}" for model, trained in entry.models.items()
        )
        steps.add_row(
            str(entry.number), entry.at, entry.task, entry.kind, versions, clean(_why(entry))
        )
    out.print(steps)
    return 0


def _rows(name: str, task: Task) -> Iterator[tuple[str, ...]]:
    for worker in task.workers:
        shadow = worker.shadow
        tried = ("-", "-") if shadow is None else (shadow.version, f"{shadow.share:.0%}")
        yield (name, worker.model, worker.version or "the newest", *tried)


def _document(task: Task) -> dict[str, object]:
    workers = {
        worker.model: {
            "version": worker.version,
            "shadow": None if worker.shadow is None else worker.shadow.model_dump(),
        }
        for worker in task.workers
    }
    calibration = None if task.calibration is None else str(task.calibration)
    return {"workers": workers, "calibration": calibration}


def _why(entry: Entry) -> str:
    if entry.why is not None:
        return f"anyway: {entry.why}"
    return str(entry.figures.get("verdict", "-"))
