"""The version folder that a task is routed by, as `streamer segments fit` wrote it."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from streamer.backends.artefact import MODEL_FILE
from streamer.backends.gate import Gate
from streamer.config.tasks import Task
from streamer.errors import ConfigError, ModelError, in_words
from streamer.records.routing import ROUTING_FILE, Routing, TaskRoutes


@dataclass(frozen=True, slots=True)
class RoutingFile:
    """The `routing` and its gate, which a task is served by as its `routes` say.

    A single segment has no gate: nothing has to be told apart.
    """

    routing: Routing
    gate: Gate | None
    routes: TaskRoutes

    @classmethod
    def of(cls, name: str, task: Task, folder: Path) -> "RoutingFile":
        """That of task `name`; raises `ConfigError` where it can't be routed by this folder."""
        key = f"tasks.{name}.segments"
        routing = read_routing(key, folder)
        routes = routing.tasks.get(name)
        if routes is None:
            raise ConfigError(
                f"{key}: {folder} has no ways for this task: run `streamer segments fit` with"
                " --judge-budget, on a log that has judged tickets of it"
            )
        _check(key, task, folder, routes)
        gate = None if routing.gate is None else read_gate(key, folder)
        return cls(routing, gate, routes)


def read_routing(key: str, folder: Path) -> Routing:
    """The routing in a version's folder; raises `ConfigError`, which names the key or option."""
    path = folder / ROUTING_FILE
    try:
        return Routing.from_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{key}: can't read {path} ({error.strerror}); name a version's folder, such as"
            " segments/1, or leave the key out"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{key}: {path} is no routing of this release ({in_words(error)}); run `streamer"
            " segments fit` again"
        ) from None


def _check(key: str, task: Task, folder: Path, routes: TaskRoutes) -> None:
    at_once = [number for number, route in routes.ways.items() if not route.workers]
    if at_once and task.budget is not None:
        raise ConfigError(
            f"{key}: segments {', '.join(at_once)} of {folder} go to the judge at once, and no"
            " label could stand in for it when the task's budget is used up: take the budget out,"
            " and choose the ways for less by `streamer segments fit --judge-budget`"
        )
    models = {worker.model for worker in task.workers}
    asked = {worker for route in routes.ways.values() for worker in route.workers}
    if routes.label_set != task.label_set.version or not asked <= models:
        raise ConfigError(
            f"{key}: {folder} is of label set {routes.label_set} and workers"
            f" {', '.join(sorted(asked))}; this task has label set {task.label_set.version} and"
            f" workers {', '.join(sorted(models))}: run `streamer segments fit` again"
        )


def read_gate(key: str, folder: Path) -> Gate:
    """The classifier in a version's folder; raises `ConfigError` likewise."""
    limits = read_routing(key, folder).gate
    if limits is None:
        raise ConfigError(
            f"{key}: {folder} has no classifier, so no segment can be told from another: fit with"
            " more tickets, or leave it out"
        )
    try:
        if sha256((folder / MODEL_FILE).read_bytes()).hexdigest() != limits.sha256:
            raise ModelError(
                f"{folder / MODEL_FILE} is not the file that belongs to {ROUTING_FILE}"
            )
        return Gate.load(folder, limits.at_least, limits.least_known)
    except (OSError, ModelError) as error:
        raise ConfigError(f"{key}: {error}; restore it, or fit again") from None
