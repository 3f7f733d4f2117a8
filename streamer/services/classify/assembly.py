"""Tasks as configured, with workers that answer."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack

from streamer.config.settings import Settings
from streamer.config.tasks import Task
from streamer.decide.budget import JudgeBudget, RateCap, ShareCap
from streamer.decide.serving_policy import ServingPolicy
from streamer.errors import ConfigError
from streamer.records.calibration import Calibration
from streamer.services.classify.observing import Observing
from streamer.services.classify.route.building import RouteBuilder
from streamer.services.classify.route.routes import Routes
from streamer.services.classify.route.segment_router import SegmentRouter
from streamer.services.classify.task import ClassifyTask, Condition
from streamer.services.classify.vote.shadows import Shadow, Shadows, Trial
from streamer.services.learned.routing_file import RoutingFile
from streamer.services.learned.rules import load_calibration
from streamer.workers.triton import Tls, TritonClient
from streamer.workers.worker import Worker


async def ready_tasks(
    settings: Settings,
    stack: AsyncExitStack,
    observing: Observing,
    stop: asyncio.Event,
    backfill: str | None = None,
) -> list[ClassifyTask] | None:
    """Every task, once all its workers have shaken hands; None where told to stop before.

    Their clients are closed with `stack`. `backfill` marks all that is decided. Raises
    `ConfigError` where models or calibrations are others than those that belong together.
    """
    calibrations, routings = read_calibrations(settings), read_routings(settings)
    client = triton_client(settings)
    stack.push_async_callback(client.close)
    workers = await _workers(client, settings, stack, observing, stop)
    if workers is None:
        return None
    check_versions(calibrations, workers)
    routers = {file.routing.version: _router(file) for file in routings.values()}
    tasks = []
    for name, task in settings.tasks.items():
        own = [workers[worker.model] for worker in task.workers]
        builder = RouteBuilder(task, own, observing.counted, calibrations.get(name))
        file = routings.get(name)
        routes = None if file is None else _routes(builder, file, routers[file.routing.version])
        # A backfill is no traffic to try a version on.
        shadows = None if backfill else _shadows(client, task, settings.audit.salt)
        tasks.append(_task(name, task, builder, routes, backfill, shadows))
    return tasks


def _router(file: RoutingFile) -> SegmentRouter:
    return SegmentRouter(file.gate, file.routing.numbers, file.routing.version)


def _routes(builder: RouteBuilder, file: RoutingFile, router: SegmentRouter) -> Routes:
    return builder.routed(file.routes, file.routing.numbers, router)


def triton_client(settings: Settings) -> TritonClient:
    """As configured; raises `ConfigError` for a file that can't be read."""
    triton = settings.triton
    tls = None if triton.ca_file is None else Tls(settings.path(triton.ca_file))
    return TritonClient(triton.url, tls=tls)


async def _workers(
    client: TritonClient,
    settings: Settings,
    stack: AsyncExitStack,
    observing: Observing,
    stop: asyncio.Event,
) -> dict[str, Worker] | None:
    """Workers that have shaken hands, by model; None where told to stop before."""
    triton = settings.triton
    workers: dict[str, Worker] = {}
    for task in settings.tasks.values():
        for worker in task.workers:
            model = worker.model
            workers[model] = Worker(
                client,
                model,
                task.labels,
                deadline_s=triton.deadline,
                abstain_after_s=triton.abstain_after,
                max_in_flight=triton.max_in_flight,
                version=worker.version or "",
                on_event=observing.on_worker(model),
            )
            stack.push_async_callback(workers[model].close)
    greeting = asyncio.gather(*(worker.start() for worker in workers.values()))
    return workers if await _unless(stop, greeting) else None


def check_versions(calibrations: Mapping[str, Calibration], workers: Mapping[str, Worker]) -> None:
    """Raises `ConfigError` where other models answer than those that were calibrated."""
    for name, calibration in calibrations.items():
        for model, calibrated in calibration.models.items():
            met = workers[model].versions
            if calibrated.version is not None and calibrated.version not in met:
                raise ConfigError(
                    f"tasks.{name}.calibration is of version {calibrated.version} of {model}, and "
                    f"{', '.join(sorted(met))} answers: run `streamer calibrate` again, or leave "
                    "the key out"
                )


async def _unless(stop: asyncio.Event, work: "asyncio.Future[list[str]]") -> bool:
    """Whether the work was done before `stop`; raises what it raises."""
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((stopped, work), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if work.done():
        work.result()
        return True
    work.cancel()
    return False


def read_calibrations(settings: Settings) -> dict[str, Calibration]:
    """Those of the tasks that name one; raises `ConfigError`."""
    return {
        name: load_calibration(name, task, settings.path(task.calibration))
        for name, task in settings.tasks.items()
        if task.calibration is not None
    }


def read_routings(settings: Settings) -> dict[str, RoutingFile]:
    """Those of the tasks that have segments; raises `ConfigError`."""
    return {
        name: RoutingFile.of(name, task, settings.path(task.segments))
        for name, task in settings.tasks.items()
        if task.segments is not None
    }


def _task(
    name: str,
    task: Task,
    builder: RouteBuilder,
    routes: Routes | None,
    backfill: str | None,
    shadows: Shadows | None,
) -> ClassifyTask:
    condition = None
    if task.when is not None:
        condition = Condition(task.when.values, task.when.field, task.when.task)
    return ClassifyTask(
        name,
        task.label_set,
        builder.configured(),
        condition,
        ServingPolicy(task.mode, task.on_outage),
        budget=_budget(task),
        needs_ensemble=(task.after.kind, task.after.alpha) != ("v3", 0),
        verify=task.verify,
        backfill=backfill,
        shadows=shadows,
        routes=routes,
    )


def _shadows(client: TritonClient, task: Task, salt: str) -> Shadows | None:
    trials = [
        Trial(worker.model, worker.shadow.version, worker.shadow.share, worker.shadow.deadline)
        for worker in task.workers
        if worker.shadow is not None
    ]
    if not trials:
        return None
    return Shadows([Shadow(client, trial, task.labels) for trial in trials], salt)


def _budget(task: Task) -> JudgeBudget | None:
    cap = task.budget
    if cap is None:
        return None
    if cap.share is not None:
        return JudgeBudget(ShareCap(cap.share), time.monotonic())
    assert cap.per_second is not None  # one of the two, or it is refused with the configuration
    return JudgeBudget(RateCap(cap.per_second), time.monotonic())
